"""Imports: a story goes on where it was, or is posted anew; nothing newer is lost; all repeats."""

import re
from dataclasses import replace
from io import BytesIO

import pytest

from core.adapters.archive_file import ArchiveReader
from core.archive_ports import ArchiveHeader
from core.domain.moving import MOVED, Places
from core.domain.story import PauseCause, Phase, StoryId
from core.errors import EmbedderRefusedError, EmbedderUnavailableError, RefusedError
from core.ports import MessageKind
from core.services.importing import Import
from tests.core.services.house import CHANNEL, GUILD, House
from tests.core.services.test_exporting import told
from tests.core.services.travel import HEADER, hall, packed, unpacked
from tests.fakes.clock import FakeClock
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.moving import FakeRecords
from tests.fakes.store import StoreWorld, When

STORY = StoryId(CHANNEL, 1)


async def archive_of(world: StoreWorld, vectors: bool = True) -> bytes:
    return (await packed(FakeRecords(world), vectors=vectors))[0]


def story_lines(archive: bytes) -> list[bytes]:
    """All lines but the first and the last, less who holds a story."""
    return [re.sub(rb'"epoch":"\d+"', b"", line) for line in archive.splitlines()[1:-1]]


def copy(world: StoreWorld) -> StoreWorld:
    """The world as it is now."""
    return StoreWorld(
        world.dims,
        stories=dict(world.stories),
        newest=dict(world.newest),
        turns=dict(world.turns),
        entries=dict(world.entries),
        changes={story: list(logged) for story, logged in world.changes.items()},
        places=dict(world.places),
    )


async def test_what_was_imported_is_exported_as_it_was() -> None:
    """To the byte, but for the header and who holds a story."""
    world, other = await told(3, (CHANNEL, 901)), StoreWorld(16)
    archive = await archive_of(world)
    done = await unpacked(archive, hall(other))
    assert (done.totals.stories, done.totals.turns, done.embedded) == (2, 6, 0)
    assert story_lines(await archive_of(other)) == story_lines(archive)
    assert (other.turns, other.entries, other.places) == (world.turns, world.entries, world.places)


async def test_a_story_goes_on_where_it_was() -> None:
    """With another database under the same bot, votes that were given meanwhile count."""
    async with House() as house:
        await house.begin()
        await house.turn_over()
        archive = await archive_of(house.world)
        await house.kill()
        house.world, moved = StoreWorld(16), house
        await unpacked(archive, hall(moved.world, house.clock))
        house.stage.vote(CHANNEL, 2, 1)
    async with House(house) as on:
        await on.until(Phase.VOTING, number=3)
        on.check_told_once()


async def test_a_story_in_a_new_channel_posts_its_newest_paragraph_and_a_fresh_ballot() -> None:
    """On /story resume and not before; then it goes on as any other."""
    world = await told(3)
    paragraph = world.turns[STORY, world.stories[STORY].head or ""].paragraph
    places = Places(channels={CHANNEL: 950}, guilds={GUILD: 20})
    async with House() as house:
        await unpacked(await archive_of(world), hall(house.world, house.clock), places=places)
        await house.clock.run_for(3600)
        assert house.stage.messages[950] == []
        story = house.story(950)
        assert (story.id, story.guild, story.pause and story.pause.reason) == (
            *(StoryId(950, 1), 20),
            MOVED,
        )
        await house.teller.resume(950, 20)
        await house.until(Phase.VOTING, 950)
        assert house.stage.story(950) == [paragraph]
        [ballot] = house.stage.ballots(950)
        assert (ballot.number, ballot.plans) == (3, story.plans.options)
        assert [m.offered for m in house.stage.shown(950, MessageKind.BALLOT)] == [3]
        await house.turn_over(1, 950)
        assert len(house.stage.story(950)) == 2
        told_next = house.lineage(950)[-1]
        assert (told_next.number, told_next.plan) == (4, story.plans.options[1])
        assert told_next.recalled, "it remembers what was told elsewhere"


@pytest.mark.parametrize("call", ["write", "reflect"])
async def test_whatever_it_was_doing_it_shows_its_newest_text_first(call: str) -> None:
    """Exported while the model wrote: the vote is open again; while it reflected: it does so."""
    then: list[StoreWorld] = []
    async with House() as house:
        await house.begin()

        def copied(name: str) -> None:
            if name == call and not then:
                then.append(copy(house.world))

        house.narrator.fail = copied
        house.stage.vote(CHANNEL, 1, 0)
        await house.clock.run_until(lambda: bool(then))
    archive, story = await archive_of(then[0]), then[0].stories[STORY]
    newest = story.draft.turn_id if call == "reflect" and story.draft else story.head
    paragraph = then[0].turns[STORY, newest or ""].paragraph
    async with House() as other:
        await unpacked(archive, hall(other.world, other.clock), places=Places(anew=True))
        await other.teller.resume(CHANNEL, GUILD)
        await other.until(Phase.VOTING)
        assert other.stage.story(CHANNEL) == [paragraph]
        assert len(other.stage.ballots(CHANNEL)) == 1


async def test_an_import_can_be_repeated() -> None:
    """What is there and the same is passed over, whoever imported it."""
    world, other = await told(2, (CHANNEL, 901)), StoreWorld(16)
    archive = await archive_of(world)
    await unpacked(archive, hall(other))
    before = dict(other.stories)
    again = await unpacked(archive, hall(other))
    assert (again.totals.stories, len(again.passed), again.refused) == (0, 2, ())
    home = await unpacked(archive, hall(world))
    assert (home.totals.stories, len(home.passed), home.refused) == (0, 2, ())
    assert other.stories == before


@pytest.mark.parametrize("replaces", [False, True])
async def test_a_story_that_has_gone_on_since_its_import_is_passed_over(replaces: bool) -> None:
    """A repeated import doesn't take back what the bot did in between."""
    archive = await archive_of(await told(2))
    async with House() as house:
        await unpacked(archive, hall(house.world, house.clock), places=Places(anew=True))
        await house.teller.resume(CHANNEL, GUILD)
        await house.until(Phase.VOTING)
        before = house.story()
        done = await unpacked(
            archive,
            hall(house.world, house.clock),
            places=Places(anew=True),
            replaces=replaces,
        )
        assert "stays as it is now" in done.passed[0]
        assert house.story() == before


async def test_a_story_that_differs_is_refused_and_replaced_on_request() -> None:
    """Where the archive holds all of what is there: an older state."""
    async with House() as house:
        await house.begin()
        older = await archive_of(house.world)
        await house.turn_over()
        newer = await archive_of(house.world)
    other = StoreWorld(16)
    await unpacked(older, hall(other))
    refused = await unpacked(newer, hall(other))
    assert refused.totals.stories == 0
    assert "--replace" in refused.refused[0]
    assert other.stories[STORY].head_number == 1
    done = await unpacked(newer, hall(other), replaces=True)
    assert (done.totals.stories, done.refused) == (1, ())
    assert other.stories[STORY].head_number == 2
    assert other.entries == house.world.entries


async def test_nothing_newer_is_ever_replaced() -> None:
    """What would be lost is said: turns, an end, an edit."""
    world = await told(2)
    archive = await archive_of(world)
    ended = replace(world.stories[STORY], phase=Phase.ENDED)
    for here, lost in (
        (ended, "its end"),
        (replace(world.stories[STORY], settings_version=4), "newer memory"),
    ):
        world.stories[STORY] = here
        done = await unpacked(archive, hall(world), replaces=True)
        assert lost in done.refused[0]
        assert world.stories[STORY] == here
    other = await told(3)
    before = dict(other.turns)
    done = await unpacked(archive, hall(other), replaces=True)
    assert "3 turns would be lost" in done.refused[0]
    assert other.turns == before


async def test_a_damaged_story_is_replaced_on_request() -> None:
    """That is what a backup is for; without being asked it stays as well."""
    world = await told(2)
    archive, to = await archive_of(world), hall(world)
    assert isinstance(to.records, FakeRecords)
    to.records.damaged.add(STORY)
    assert (await unpacked(archive, to)).refused
    done = await unpacked(archive, to, replaces=True)
    assert (done.totals.stories, done.refused) == (1, ())


async def test_vectors_of_another_embedder_are_made_anew() -> None:
    """And those that were left out; the same texts as when a turn is told."""
    world = await told(2)
    for archive, embedder in (
        (await archive_of(world), FakeEmbedder(8, "other")),
        (await archive_of(world, vectors=False), FakeEmbedder(16)),
        (await archive_of(world), FakeEmbedder(8)),
    ):
        other = StoreWorld(embedder.dims)
        done = await unpacked(archive, hall(other, embedder=embedder))
        assert done.embedded == len(world.entries)
        for (_, id_), entry in other.entries.items():
            told_here = world.entries[STORY, id_]
            assert replace(entry, vector=told_here.vector) == told_here
            if embedder.dims == 16:
                assert entry.vector == told_here.vector
            assert len(entry.vector) == 4 * embedder.dims


@pytest.mark.parametrize("step", ["begin", "put", "finish"])
@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
async def test_an_import_that_is_killed_is_finished_by_the_next(step: str, when: When) -> None:
    """Until then no part of the story is seen, and its place is kept."""
    world, other = await told(2), StoreWorld(16)
    archive = await archive_of(world)

    def kill(call: str, at: When) -> None:
        if (call, at) == (step, when) or call == "abandon":
            raise KeyboardInterrupt

    other.interrupt = kill
    with pytest.raises(KeyboardInterrupt):
        await unpacked(archive, hall(other))
    other.interrupt = lambda _call, _when: None
    whole = (step, when) == ("finish", When.AFTER)
    assert (STORY in other.stories) == whole
    done = await unpacked(archive, hall(other))
    assert done.totals.stories == (not whole)
    assert (other.turns, other.entries, other.importing) == (world.turns, world.entries, {})


async def test_a_fault_on_the_way_leaves_nothing_half() -> None:
    """The embeddings endpoint is down: what was put is taken away again."""
    archive, other = await archive_of(await told(2), vectors=False), StoreWorld(16)
    embedder = FakeEmbedder(16)
    embedder.error = EmbedderUnavailableError("The endpoint is down.")
    with pytest.raises(EmbedderUnavailableError):
        await unpacked(archive, hall(other, embedder=embedder))
    assert (other.stories, other.turns, other.importing) == ({}, {}, {})


async def test_a_text_that_the_embedder_refuses_comes_without_a_vector() -> None:
    """One of them must not keep a backup from being restored; where all are refused it does."""
    world, other = await told(2), StoreWorld(16)
    archive, embedder = await archive_of(world, vectors=False), FakeEmbedder(16)
    refused = next(iter(world.entries.values()))
    error = EmbedderRefusedError("That text is refused.")
    embedder.fail = lambda texts: error if any(refused.text in one for one in texts) else None
    done = await unpacked(archive, hall(other, embedder=embedder))
    assert (done.totals.stories, done.refused) == (1, ())
    assert done.embedded == len(world.entries) - 1
    assert [entry.id for entry in other.entries.values() if not entry.vector] == [refused.id]
    embedder.fail = lambda _texts: error
    with pytest.raises(EmbedderRefusedError):
        await unpacked(archive, hall(StoreWorld(16), embedder=embedder))


async def test_an_embedder_that_is_away_is_met_before_a_story_is_replaced() -> None:
    """What is there stays until what takes its place can be made."""
    async with House() as house:
        await house.begin()
        older = await archive_of(house.world)
        await house.turn_over()
        newer = await archive_of(house.world)
    other, embedder = StoreWorld(16), FakeEmbedder(16, "other")
    await unpacked(older, hall(other, embedder=embedder))
    embedder.error = EmbedderUnavailableError("The endpoint is down.")
    with pytest.raises(EmbedderUnavailableError):
        await unpacked(newer, hall(other, embedder=embedder), replaces=True)
    assert other.stories[STORY].head_number == 1
    assert other.importing == {}


async def test_a_channel_takes_one_live_story() -> None:
    """Neither below a newer one nor behind a live one; a moved one comes behind ended ones."""
    archive = await archive_of(await told(1))
    async with House() as house:
        await house.begin(950)
        places = Places(channels={CHANNEL: 950})
        to = hall(house.world, house.clock)
        assert "runs in its channel" in (await unpacked(archive, to, places=places)).refused[0]
        await house.teller.end(950, "Ada", GUILD)
        await house.until(Phase.ENDED, 950)
        await unpacked(archive, to, places=places)
        assert house.story(950).id == StoryId(950, 2)
        again = await unpacked(archive, to, places=places)
        assert (len(again.passed), again.totals.stories) == (1, 0)
    other = await told(1)
    two = replace(other.stories.pop(STORY), id=StoryId(CHANNEL, 2))
    other.stories[two.id], other.newest[CHANNEL] = two, 2
    assert "newer story" in (await unpacked(archive, hall(other))).refused[0]


async def test_a_story_that_begins_meanwhile_wins() -> None:
    """What was put by then goes away again."""
    archive, other = await archive_of(await told(1)), StoreWorld(16)

    def begin(call: str, when: When) -> None:
        if call == "finish" and when is When.BEFORE:
            other.newest[CHANNEL] = 4

    other.interrupt = begin
    done = await unpacked(archive, hall(other))
    assert "just now" in done.refused[0]
    assert (other.turns, other.importing) == ({}, {})

    def take(call: str, when: When) -> None:
        if call == "begin" and when is When.BEFORE:
            other.stories[STORY] = replace(world.stories[STORY], tries=3)

    world, other = await told(1), StoreWorld(16)
    other.interrupt = take
    done = await unpacked(archive, hall(other))
    assert "just now" in done.refused[0]
    assert other.stories[STORY].tries == 3


async def test_stories_stay_with_the_bot_that_told_them() -> None:
    """Another one can't edit their messages, and has them posted anew."""
    world = await told(1)
    header = ArchiveHeader(HEADER.at, HEADER.version, "hashed-words", 16, application="77")
    archive, _ = await packed(FakeRecords(world), header=header)
    with pytest.raises(RefusedError, match="--anew"):
        await unpacked(archive, hall(StoreWorld(16), application="88"))
    done = await unpacked(archive, hall(StoreWorld(16), application="88"), places=Places(anew=True))
    assert done.totals.stories == 1
    assert await marked(archive, None) == "77"
    assert await marked(archive, "77") == "77"
    assert await marked(archive, None, Places(anew=True)) is None
    assert await marked(await archive_of(world), None) is None
    world.stories[STORY] = replace(world.stories[STORY], phase=Phase.ENDED)
    ended, _ = await packed(FakeRecords(world), header=header)
    assert await marked(ended, "88") == "88"


async def marked(archive: bytes, owner: str | None, places: Places | None = None) -> str | None:
    """Whose the database is after an import."""
    source = ArchiveReader(BytesIO(archive), "archive")
    to = hall(StoreWorld(16), application=owner)
    return Import(source, to, places=places or Places()).application


async def test_a_story_that_was_imported_can_still_be_posted_anew() -> None:
    """Where it turns out that its messages are another bot's: on request, as it is the same."""
    archive, other = await archive_of(await told(2)), StoreWorld(16)
    await unpacked(archive, hall(other))
    anew = Places(anew=True)
    assert "--replace" in (await unpacked(archive, hall(other), places=anew)).refused[0]
    done = await unpacked(archive, hall(other), places=anew, replaces=True)
    assert (done.totals.stories, other.stories[STORY].phase) == (1, Phase.PAUSED)


async def test_a_paused_story_comes_home_paused() -> None:
    async with House() as house:
        await house.begin()
        await house.teller.pause(CHANNEL, "Ada", GUILD)
        await house.until(Phase.PAUSED)
        archive, other = await archive_of(house.world), StoreWorld(16)
        await unpacked(archive, hall(other, FakeClock()))
        pause = other.stories[STORY].pause
        assert pause is not None
        assert (pause.cause, pause) == (PauseCause.MODERATOR, house.story().pause)
