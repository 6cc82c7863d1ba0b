"""The press: which turns become which books, in how many volumes, and what it costs the store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.adapters.epub_book import EpubBook
from core.adapters.markdown_book import MarkdownBook
from core.domain.audit import Moderator
from core.domain.identity import fingerprint
from core.domain.story import Lineage, Phase, Story, StoryId, Stretch
from core.errors import InputError, NoStoryError, RecordError, RefusedError
from core.ports import BookFormat
from core.services import press as under_test
from core.services.press import Order, Press, Volume
from tests.core.services.house import CHANNEL, GUILD, House
from tests.fakes.books import BEGUN, FakeBookbinder, binders, ended, store, told
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.store import FakeArchive, FakeStoryStore, StoreWorld, When
from tests.fakes.stories import a_story

ADA = Moderator(5, "Ada")
ORDER = Order(CHANNEL, GUILD, "Harbour", frozenset(BookFormat), 10 * 1024 * 1024)


class Shop:
    """A press over a store in memory; counts what is asked of the store."""

    def __init__(self, world: StoreWorld | None = None) -> None:
        self.world = world or StoreWorld()
        self.epub, self.markdown = FakeBookbinder("epub"), FakeBookbinder("md")
        self.calls: list[str] = []
        self.press = Press(
            store=FakeStoryStore(self.world),
            archive=FakeArchive(self.world),
            clock=SteppedClock(),
            binders=binders(epub=self.epub, markdown=self.markdown),
        )

    async def volumes(self, order: Order = ORDER) -> list[Volume]:
        return [volume async for volume in self.press.volumes(order)]

    def count(self) -> None:
        """Count calls from now on."""

        def counted(call: str, when: When) -> None:
            if when is When.BEFORE:
                self.calls.append(call)

        self.world.interrupt = counted


def numbers(volume: Volume) -> list[int]:
    """The numbers of the turns in a volume."""
    return [passage.number for one in volume.book.chapters for passage in one.passages]


def texts(volume: Volume) -> list[str]:
    """The paragraphs in a volume."""
    return [passage.text for one in volume.book.chapters for passage in one.passages]


async def test_a_story_becomes_one_book_in_every_format() -> None:
    """With what its title page says, and files that are named by its title."""
    shop = Shop()
    store(shop.world, told(12))
    [volume] = await shop.volumes()
    book = volume.book
    assert [(file.name, len(file.data)) for file in volume.files] == [
        ("The-Salt-Clock.epub", 120),
        ("The-Salt-Clock.md", 120),
    ]
    assert numbers(volume) == list(range(1, 13))
    assert texts(volume) == [turn.paragraph for turn in told(12)]
    assert (book.volume, book.turns, book.ended, book.community) == (None, 12, False, "Harbour")
    assert (book.first_at, book.last_at) == (told(12)[0].written_at, told(12)[-1].written_at)
    assert (book.begun_at, book.bound_at) == (BEGUN, SteppedClock().now())
    assert shop.epub.bound == shop.markdown.bound == [book]


@pytest.mark.parametrize(("kind", "name"), [("epub", "epub"), ("markdown", "md")])
async def test_only_what_was_asked_for_is_bound(kind: str, name: str) -> None:
    shop = Shop()
    store(shop.world, told(2))
    [volume] = await shop.volumes(replace(ORDER, formats=frozenset({BookFormat(kind)})))
    assert [file.name for file in volume.files] == [f"The-Salt-Clock.{name}"]
    assert len(shop.epub.bound) + len(shop.markdown.bound) == 1


@pytest.mark.parametrize("phase", Phase)
async def test_a_story_can_be_read_in_whatever_phase_it_is(phase: Phase) -> None:
    """Only an ended one shows the ballot that nobody decided."""
    shop = Shop()
    story = store(shop.world, told(2))
    shop.world.stories[story.id] = replace(story, phase=phase)
    [volume] = await shop.volumes()
    assert numbers(volume) == [1, 2]
    assert volume.book.ended == (phase is Phase.ENDED)
    assert bool(volume.book.left_open) == (phase is Phase.ENDED)


async def test_a_paragraph_that_is_being_written_is_not_told_yet() -> None:
    """The book ends with the newest turn that was reflected; before the first there is none."""
    async with House() as house:
        shop = Shop(house.world)
        await house.begin()
        await house.turn_over(1)
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.WRITING)
        [volume] = await shop.volumes()
        assert numbers(volume) == [1, 2]
        await house.teller.end(CHANNEL, "mira", GUILD)
        await house.teller.start(
            CHANNEL, GUILD, house.story().brief, house.story().settings, house.stage.snowflake()
        )
        with pytest.raises(InputError, match="no finished turn yet"):
            await shop.volumes()


async def test_turns_that_were_rewound_away_are_not_in_the_book() -> None:
    """Those of the lineage are, on whatever branch; and the vote is the one that led on."""
    shop = Shop()
    old, new = told(5), told(4, lambda number: f"Anew {number}.", branch="b2")
    lineage: Lineage = (Stretch("main", 1, 2), Stretch("b2", 3, 4))
    story = a_story(lineage=lineage, head=new[3].id, created_at=BEGUN)
    store(shop.world, [*old, *new[2:]], story)
    [volume] = await shop.volumes()
    assert texts(volume) == [old[0].paragraph, old[1].paragraph, "Anew 3.", "Anew 4."]


async def test_a_moderators_rewind_and_edit_are_in_the_book() -> None:
    """Through the whole protocol: rewound, told anew, edited."""
    async with House() as house:
        shop = Shop(house.world)
        await house.begin()
        await house.turn_over(0)
        await house.turn_over(0)
        gone = house.lineage()[2].paragraph
        await house.direction.rewind(CHANNEL, ADA, 2)
        await house.until(Phase.VOTING, CHANNEL, 2)
        await house.turn_over(2)
        head = house.lineage()[-1]
        await house.direction.edit_part(
            CHANNEL, ADA, 0, "Edited by hand.", fingerprint(head.paragraph)
        )
        [volume] = await shop.volumes()
        assert texts(volume)[2] == "Edited by hand."
        assert gone not in texts(volume)
        vote = volume.book.chapters[0].passages[2].vote
        assert vote is not None
        assert (vote.title, vote.votes, vote.voters) == (house.lineage()[1].offered[2].title, 1, 1)
        assert len(vote.roads) == 2


async def test_a_long_story_comes_in_volumes() -> None:
    """Each of a thousand turns, numbered; the last one reaches the newest turn."""
    shop = Shop()
    store(shop.world, told(2015))
    volumes = await shop.volumes()
    assert [(one.book.volume, one.book.first, one.book.last) for one in volumes] == [
        (1, 1, 1000),
        (2, 1001, 2000),
        (3, 2001, 2015),
    ]
    assert [one.book.is_newest for one in volumes] == [False, False, True]
    assert volumes[1].files[0].name == "The-Salt-Clock-volume-2.epub"
    assert {one.book.turns for one in volumes} == {2015}
    first = volumes[1].book.chapters[0].passages[0]
    assert first.vote is not None
    assert len(first.vote.roads) == 2


async def test_a_volume_is_read_when_the_one_before_was_taken() -> None:
    """Nothing is kept of a long story until its end is there."""
    shop = Shop()
    store(shop.world, told(2015))
    books = shop.press.volumes(ORDER)
    await anext(books)
    assert len(shop.epub.bound) == 1
    await books.aclose()
    assert len(shop.epub.bound) == 1


async def test_a_storys_book_is_made_for_one_member_at_a_time() -> None:
    """The next one is told to ask again, and can once the first has all or wants no more."""
    shop = Shop()
    store(shop.world, told(2015))
    books = shop.press.volumes(ORDER)
    await anext(books)
    with pytest.raises(RefusedError, match="again in a minute"):
        await shop.volumes()
    await books.aclose()
    assert len(await shop.volumes()) == 3
    assert len(await shop.volumes()) == 3


async def test_not_everybody_can_have_a_book_at_once() -> None:
    """What is asked for beyond a limit is refused, and others' books come all the same."""
    shop = Shop()
    ids = [StoryId(channel, 1) for channel in range(1, under_test.ORDERS_MOST + 2)]
    for id_ in ids:
        store(shop.world, told(2), a_story(id=id_, lineage=(Stretch("main", 1, 2),)))
    made = await asyncio.gather(
        *(shop.volumes(replace(ORDER, channel=id_.channel)) for id_ in ids),
        return_exceptions=True,
    )
    assert [len(one) for one in made if isinstance(one, list)] == [1] * under_test.ORDERS_MOST
    [refused] = [one for one in made if isinstance(one, BaseException)]
    assert isinstance(refused, RefusedError)
    assert "in a few minutes" in str(refused)
    assert len(await shop.volumes(replace(ORDER, channel=ids[-1].channel))) == 1


async def test_the_store_is_asked_in_batches() -> None:
    """A thousand turns cost as many readings as there are batches, and a few."""
    shop = Shop()
    store(shop.world, told(1000))
    shop.count()
    await shop.volumes()
    assert shop.calls.count("turns_at") == 1000 // under_test.BATCH_TURNS
    assert len(shop.calls) <= 1000 // under_test.BATCH_TURNS + 4


@pytest.mark.parametrize(
    ("room", "parts"),
    [
        (1000, [(None, 1, 100)]),
        (999, [(1, 1, 50), (2, 51, 100)]),
        (300, [(1, 1, 30), (2, 31, 50), (3, 51, 80), (4, 81, 100)]),
        (100, [(n, 10 * n - 9, 10 * n) for n in range(1, 11)]),
    ],
)
async def test_a_book_that_does_not_fit_is_parted(
    room: int, parts: list[tuple[int | None, int, int]]
) -> None:
    """Between chapters; every turn is in one volume, and every file fits."""
    shop = Shop()
    store(shop.world, told(100))
    volumes = await shop.volumes(replace(ORDER, room=room))
    assert [(one.book.volume, one.book.first, one.book.last) for one in volumes] == parts
    assert all(len(file.data) <= room for one in volumes for file in one.files)


async def test_formats_are_parted_alike() -> None:
    """Volume 2 holds the same turns in both, however small one of them is."""
    shop = Shop()
    shop.epub.bytes_per_turn = 1
    store(shop.world, told(40))
    volumes = await shop.volumes(replace(ORDER, room=200))
    assert [[len(file.data) for file in one.files] for one in volumes] == [[20, 200], [20, 200]]


async def test_volumes_go_on_counting_behind_one_that_was_parted() -> None:
    shop = Shop()
    store(shop.world, told(1010))
    volumes = await shop.volumes(replace(ORDER, room=5000))
    assert [(one.book.volume, one.book.first) for one in volumes] == [(1, 1), (2, 501), (3, 1001)]


async def test_a_chapter_that_does_not_fit_is_refused_with_what_to_do() -> None:
    """Never cut: the sentence names the chapter, both sizes, and the smaller format."""
    shop = Shop()
    shop.markdown.bytes_per_turn = 1024 * 1024
    store(shop.world, told(25))
    with pytest.raises(InputError, match=r"Chapter 1 alone .* 10\.0 MiB.* 9\.5 MiB .*epub"):
        await shop.volumes(replace(ORDER, room=9_961_472))


async def test_a_story_of_another_server_is_not_there() -> None:
    shop = Shop()
    store(shop.world, told(2))
    with pytest.raises(NoStoryError):
        await shop.volumes(replace(ORDER, guild=11))
    with pytest.raises(NoStoryError):
        await shop.volumes(replace(ORDER, channel=901))


def gone(_: Story, world: StoreWorld) -> None:
    """The story was deleted."""
    world.newest.clear()


def begun_anew(story: Story, world: StoreWorld) -> None:
    """It was deleted, and another one began in its place."""
    world.stories[story.id] = replace(story, created_at=BEGUN + 1)


@pytest.mark.parametrize("meanwhile", [gone, begun_anew])
async def test_a_story_that_is_deleted_meanwhile_is_said_to_be_gone(
    meanwhile: Callable[[Story, StoreWorld], None],
) -> None:
    shop = Shop()
    story = ended(store(shop.world, told(60)))
    shop.world.stories[story.id] = story

    def delete(call: str, when: When) -> None:
        if call == "turns_at" and when is When.BEFORE:
            shop.world.turns.clear()
            shop.world.places.clear()
            meanwhile(story, shop.world)

    shop.world.interrupt = delete
    with pytest.raises(NoStoryError):
        await shop.volumes()


async def test_a_turn_that_is_lost_is_a_fault_and_no_refusal() -> None:
    """The log gets it, and no member is told that their story is gone."""
    shop = Shop()
    store(shop.world, told(3))
    del shop.world.places[a_story().id, "main", 2]
    with pytest.raises(RecordError):
        await shop.volumes()


async def test_one_volume_is_made_at_a_time() -> None:
    """Whoever comes second waits, so that memory is that of one volume."""
    shop = Shop()
    store(shop.world, told(30))
    other = a_story(id=StoryId(901, 1), lineage=(Stretch("main", 1, 30),), head="main-t30")
    store(shop.world, told(30), other)
    busy, most = 0, 0

    class Slow(FakeBookbinder):
        async def bind(self, book: object) -> bytes:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0)
            busy -= 1
            return b""

    press = Press(
        store=FakeStoryStore(shop.world),
        archive=FakeArchive(shop.world),
        clock=SteppedClock(),
        binders={BookFormat.EPUB: Slow()},
    )

    async def read(channel: int) -> int:
        order = replace(ORDER, channel=channel)
        return len([volume async for volume in press.volumes(order)])

    assert await asyncio.gather(read(CHANNEL), read(901)) == [1, 1]
    assert most == 1


@pytest.mark.parametrize("binder", [EpubBook(), MarkdownBook()], ids=["epub", "markdown"])
async def test_binding_leaves_the_event_loop_free(binder: EpubBook | MarkdownBook) -> None:
    """While five hundred turns are bound, the loop answers again and again."""
    shop = Shop()
    store(shop.world, told(500, lambda _: "The lamp *turned*, and the stair hummed. " * 30))
    [volume] = await shop.volumes()
    bound = asyncio.create_task(binder.bind(volume.book))
    answered = 0
    while not bound.done():
        await asyncio.sleep(0.005)
        answered += 1
    assert len(await bound) > 10_000
    assert answered >= 5
