"""/story export in a simulated Discord: who gets which files, with which words."""

from dataclasses import replace

import pytest
import simcord

from bot.book_texts import handed_over
from core.domain.story import Plans, StoryId, Stretch
from core.services.press import BookFile
from tests.adapters.epub_reading import Epub
from tests.bot.fake_services import Cast
from tests.bot.test_cogs import World, playing, said
from tests.fakes.books import BEGUN, FakeBookbinder, a_book, a_brief, binders, store, told
from tests.fakes.stories import PLANS, a_story

EPUB, MARKDOWN = BookFile("Book.epub", b""), BookFile("Book.md", b"")


def given(result: simcord.InteractionResult) -> list[list[str]]:
    """The names of the files in each message of the answer."""
    shown = [message for message in (result.response, *result.followups) if message is not None]
    messages = {message.id: message for message in shown}
    return [[file.filename for file in one.attachments] for one in messages.values()]


async def read(world: World, result: simcord.InteractionResult, ending: str) -> bytes:
    """What is in the first file of a kind."""
    shown = [message for message in (result.response, *result.followups) if message is not None]
    [file, *_] = [
        file for one in shown for file in one.attachments if file.filename.endswith(ending)
    ]
    data = world.env.backend.cdn.get(file.url)
    assert data is not None
    return data


def tell(world: World, count: int) -> None:
    """Give the channel a story of so many turns."""
    story = a_story(
        id=StoryId(world.channel.id, 1),
        guild=world.guild.id,
        lineage=(Stretch("main", 1, count),),
        head=f"main-t{count}",
        created_at=BEGUN,
        plans=Plans(PLANS, 1),
    )
    store(world.cast.world, told(count), story)


async def test_everyone_is_given_both_files_and_nobody_else_sees_them() -> None:
    """One message with the EPUB and the Markdown, and what each is for."""
    async with playing() as world:
        tell(world, 12)
        result = await world.ann.slash(world.channel, "story export")
        assert said(result) == (
            "**The Salt Clock** · turns 1 to 12 · to be continued\n"
            "-# The EPUB is for e-readers, the Markdown for any editor."
        )
        assert given(result) == [["The-Salt-Clock.epub", "The-Salt-Clock.md"]]
        epub = Epub(await read(world, result, ".epub"))
        epub.check()
        assert epub.said("creator") == ["The members of Harbour"]
        assert "Paragraph 12 begins here." in epub.text(epub.spine[2])
        assert b"Paragraph 12 begins here." in await read(world, result, ".md")


@pytest.mark.parametrize(("kind", "name"), [("epub", "epub"), ("markdown", "md")])
async def test_one_format_can_be_asked_for(kind: str, name: str) -> None:
    async with playing() as world:
        tell(world, 2)
        result = await world.ann.slash(world.channel, "story export", format=kind)
        assert given(result) == [[f"The-Salt-Clock.{name}"]]
        assert said(result) == "**The Salt Clock** · turns 1 to 2 · to be continued"


async def test_a_long_story_is_handed_over_in_volumes() -> None:
    """A message each, in order, numbered; the first one says why."""
    async with playing() as world:
        tell(world, 1012)
        result = await world.ann.slash(world.channel, "story export", format="markdown")
        assert given(result) == [["The-Salt-Clock-volume-1.md"], ["The-Salt-Clock-volume-2.md"]]
        assert said(result).splitlines() == [
            "**The Salt Clock · volume 1** · turns 1 to 1,000",
            "-# It is a long story, so it comes in volumes of at most 1,000 turns.",
            "**The Salt Clock · volume 2** · turns 1,001 to 1,012 · to be continued",
        ]


async def test_files_that_are_too_large_for_one_message_come_in_two() -> None:
    """The words stand above the first of them."""
    mib = 1024 * 1024
    epub, markdown = FakeBookbinder("epub", 7 * mib), FakeBookbinder("md", 7 * mib)
    async with playing(Cast(binders=binders(epub=epub, markdown=markdown))) as world:
        tell(world, 2)
        result = await world.ann.slash(world.channel, "story export")
        assert given(result) == [["The-Salt-Clock.epub"], ["The-Salt-Clock.md"]]
        assert said(result).count("The Salt Clock") == 1


async def test_a_file_that_discord_would_not_take_is_refused_in_words() -> None:
    """By the limit that came with the command: 25 MiB in this Discord."""
    async with playing(Cast(binders=binders(epub=FakeBookbinder("epub", 2**24)))) as world:
        tell(world, 2)
        result = await world.ann.slash(world.channel, "story export")
        assert "Chapter 1 alone makes a file of 32.0 MiB, and Discord takes 24.9 MiB" in said(
            result
        )
        assert given(result) == [[]]


async def test_any_other_refusal_is_an_incident(caplog: pytest.LogCaptureFixture) -> None:
    async with playing() as world:
        tell(world, 2)
        world.env.inject_error("POST", "/webhooks/*", status=400, code=50035)
        result = await world.ann.slash(world.channel, "story export")
        assert "incident" in said(result)
        assert "50035" in caplog.text


async def test_where_there_is_no_story_there_is_no_book() -> None:
    async with playing() as world:
        world.cast.store.story = None
        result = await world.ann.slash(world.channel, "story export")
        assert said(result).startswith("There is no story in this channel yet")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(403, 50013, "allow it Attach Files"), (413, 40005, "Ask for one format")],
)
async def test_what_discord_refuses_is_said_with_what_to_do(
    status: int, code: int, words: str
) -> None:
    """Files may not be allowed, or be too large for it: a sentence, and no incident."""
    async with playing() as world:
        tell(world, 2)
        world.env.inject_error("POST", "/webhooks/*", status=status, code=code)
        result = await world.ann.slash(world.channel, "story export")
        assert words in said(result)
        assert "incident" not in said(result)
        assert given(result) == [[]]


def test_the_words_above_a_book_quote_its_title_harmlessly() -> None:
    """A title can't act, and an ended story says that it has."""
    book = a_book(told(1), brief=a_brief(title="@everyone **[x](http://y)**"), ended=True)
    assert handed_over(book, [EPUB], 1000) == (
        r"**＠everyone \*\*\[x\](http://y)\*\*** · turn 1 · complete"
    )


def test_only_the_first_volume_explains() -> None:
    book = a_book(told(2), volume=2, turns=9)
    assert handed_over(book, [EPUB, MARKDOWN], 1000) == (
        "**The Salt Clock · volume 2** · turns 1 to 2"
    )
    first = handed_over(replace(book, volume=1), [EPUB, MARKDOWN], 1000)
    assert first.count("\n-# ") == 2
