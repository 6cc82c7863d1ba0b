"""Books as EPUB: what libraries and readers see of them (core/adapters/epub_book.py)."""

import time
from dataclasses import replace

import pytest

from core.adapters.epub_book import EpubBook
from core.domain import imprint
from core.domain.book import Book, Road
from core.domain.story import Outcome, StoryId, Tally
from tests.adapters.epub_reading import XHTML, Epub
from tests.fakes.books import DAY_S, a_book, a_brief, paragraph_of, plans_of, told


async def bound(book: Book) -> Epub:
    """The book's file, which is as it must be."""
    epub = Epub(await EpubBook().bind(book))
    epub.check()
    return epub


def children(epub: Epub, id_: str, tag: str) -> list[str]:
    """The words of each element of a kind below the one with an id."""
    return ["".join(one.itertext()) for one in epub.find(id_).iter(f"{XHTML}{tag}")]


async def test_a_library_sees_what_book_it_is() -> None:
    """Title, language, who told it, genre, premise, and when."""
    epub = await bound(a_book(brief=a_brief(language="Português", premise="A *lost*\ndoor & key.")))
    assert epub.said("title") == ["The Salt Clock"]
    assert epub.said("language") == ["pt"]
    assert epub.said("creator") == ["The members of Harbour"]
    assert epub.said("subject") == ["mystery"]
    assert epub.said("description") == ["A lost door & key."]
    assert epub.said("date") == ["2026-05-04"]
    assert b">2026-08-01T" in epub.zip.read("EPUB/package.opf")


async def test_what_nobody_said_is_not_said() -> None:
    """No genre, no server's name; the unknown language is called so."""
    epub = await bound(a_book(brief=a_brief(genre="", language="Klingon"), community=""))
    assert (epub.said("creator"), epub.said("subject")) == ([], [])
    assert epub.said("language") == ["und"]


async def test_a_later_book_of_a_story_takes_the_place_of_an_earlier_one() -> None:
    """One identifier for a story, another for another story or volume."""
    book = a_book(told(3))
    later = a_book(told(12), bound_at=book.bound_at + DAY_S)
    one, other = await bound(book), await bound(later)
    assert one.said("identifier") == other.said("identifier")
    others = [replace(book, story=StoryId(900, 2)), replace(book, volume=1)]
    names = {(await bound(each)).said("identifier")[0] for each in others}
    assert len(names | {one.said("identifier")[0]}) == 3


async def test_one_book_is_one_file() -> None:
    """Byte for byte, whatever the time is and wherever it is made."""
    first = await EpubBook().bind(a_book())
    time.sleep(1.1)  # noqa: ASYNC251 - zips and mkepub count whole seconds
    assert await EpubBook().bind(a_book()) == first


async def test_the_contents_lead_to_chapters_and_roads() -> None:
    """Chapters by the plans that began them, the roads not taken below one entry."""
    epub = await bound(a_book())
    assert epub.contents == [
        (1, "The Salt Clock", "page0001.xhtml"),
        (1, "Chapter 1 · Plan b1", "page0002.xhtml"),
        (1, "Chapter 2 · Plan b10", "page0003.xhtml"),
        (1, "Roads not taken", "page0004.xhtml"),
        (2, "Chapter 1 · turns 1 to 10", "page0005.xhtml"),
        (2, "Chapter 2 · turns 11 to 12", "page0006.xhtml"),
    ]


async def test_the_title_page_tells_what_is_in_the_book() -> None:
    epub = await bound(a_book(brief=a_brief(premise="One.\n\nTwo.")))
    words = " ".join(epub.text(epub.spine[0]).split())
    assert words == (
        "The Salt Clock mystery One.Two. Told from 4 May 2026 to 15 May 2026 by the members of "
        f"Harbour 12 turns in English, to be continued {imprint.MADE_WITH_ROADS}"
    )


async def test_every_paragraph_is_read_as_it_was() -> None:
    """Its paragraphs and lines, its emphasis, and nothing that acts."""
    texts = {1: "# One\n*two*\n\n1. <b>three</b> & [four](http://x.y)", 2: " \u200b"}
    epub = await bound(a_book(told(2, lambda number: texts[number])))
    assert children(epub, "turn-1", "p") == ["# Onetwo", "1. <b>three</b> & [four](http://x.y)"]
    assert children(epub, "turn-1", "em") == ["two"]
    assert len(list(epub.find("turn-1").iter(f"{XHTML}br"))) == 1
    [prose] = list(epub.find("turn-2").iter(f"{XHTML}div"))
    assert "".join(prose.itertext()) == "…"


async def test_an_indent_of_its_own_gets_no_second_one() -> None:
    """A paragraph that begins with a wide space, as in China and Japan, is marked for the looks."""
    epub = await bound(a_book(told(1, lambda _: "\u3000One.\n\nTwo.")))
    paragraphs = list(epub.find("turn-1").iter(f"{XHTML}p"))
    assert [(p.text, p.get("class")) for p in paragraphs] == [
        ("\u3000One.", "indented"),
        ("Two.", None),
    ]


async def test_the_page_before_the_roads_leads_to_each_chapters() -> None:
    """All of them, in order."""
    epub = await bound(a_book())
    links = [a.get("href") for a in epub.page(epub.spine[3]).iter(f"{XHTML}a")]
    assert links == ["page0005.xhtml", "page0006.xhtml"]


async def test_between_turns_stands_the_vote_that_decided() -> None:
    """The plan, its votes, and a link to the others, which lead back."""
    epub = await bound(a_book())
    assert children(epub, "turn-12", "h2") == ["Plan b11"]
    [small] = [p for p in children(epub, "turn-12", "p") if "voters" in p]
    assert small == "turn 12 · chosen by 2 of 3 voters · the other two roads"
    links = [a.get("href") for a in epub.find("turn-12").iter(f"{XHTML}a")]
    assert links == ["page0006.xhtml#roads-12"]
    assert children(epub, "roads-12", "h2") == ["Turn 12, instead of “Plan b11”"]
    assert children(epub, "roads-12", "h3") == ["Plan a11", "Plan c11"]
    assert children(epub, "roads-12", "p") == [
        "1 of 3 voters",
        "What a11 says.",
        "no votes",
        "What c11 says.",
    ]
    assert [a.get("href") for a in epub.find("roads-12").iter(f"{XHTML}a")] == [
        "page0003.xhtml#turn-12"
    ]


async def test_a_tie_is_told() -> None:
    second = told(2)[1]
    tie = Tally(Outcome.WON, (2, 2, 0), 3, 1, (0, 1))
    epub = await bound(a_book([told(2)[0], replace(second, decided=tie)]))
    assert "drawn from a tie with “Plan a1”, 2 of 3 voters each" in epub.text(epub.spine[1])


async def test_a_vote_whose_ballot_is_not_kept_leads_nowhere() -> None:
    """Its plan and its count are told, and no road."""
    first, second = told(2)
    epub = await bound(a_book([replace(first, plans=(), reflection=None), second]))
    assert "turn 2 · chosen by 2 of 3 voters" in children(epub, "turn-2", "p")
    assert len(epub.contents) == 2


async def test_a_story_of_one_turn_is_a_book_without_roads() -> None:
    epub = await bound(a_book(told(1)))
    assert [label for _, label, _ in epub.contents] == ["The Salt Clock", "Chapter 1 · turn 1"]
    assert children(epub, "turn-1", "p")[0] == "Paragraph 1 begins here."
    assert epub.text(epub.spine[-1]).rstrip().endswith("To be continued")


async def test_an_ended_story_says_so_and_shows_what_was_left_open() -> None:
    """The words stand once, below the last paragraph."""
    roads = tuple(Road(plan.title, plan.text) for plan in plans_of(11))
    epub = await bound(a_book(told(11), ended=True, left_open=roads))
    chapters = [epub.text(name) for name in epub.spine[1:3]]
    assert "The End" not in chapters[0]
    assert chapters[1].rstrip().endswith("The End")
    assert epub.contents[-1][1] == "Where the story ended"
    last = epub.text(epub.spine[-1])
    assert "What c11 says." in last
    assert "voters" not in last


async def test_a_volume_says_which_it_is_and_where_the_story_goes_on() -> None:
    epub = await bound(a_book(told(12), volume=1, turns=20))
    assert epub.said("title") == ["The Salt Clock · volume 1"]
    assert "Volume 1 · turns 1 to 12" in epub.text(epub.spine[0])
    assert epub.text(epub.spine[2]).rstrip().endswith("The story goes on in volume 2")


@pytest.mark.parametrize(
    ("language", "tag", "direction", "turning"),
    [
        ("Arabic", "ar", "rtl", "rtl"),
        ("日本語", "ja", "ltr", None),
        ("Elvish", "und", "auto", None),
    ],
)
async def test_the_storys_words_say_their_language_and_direction(
    language: str, tag: str, direction: str, turning: str | None
) -> None:
    """And pages turn that way; our own words are English and say nothing."""
    epub = await bound(a_book(told(2), brief=a_brief(language=language)))
    assert epub.direction == turning
    for name, kind in (("turn-2", "div"), ("turn-2", "h2"), ("roads-2", "h3")):
        for element in epub.find(name).iter(f"{XHTML}{kind}"):
            assert element.get("dir") == direction
            assert element.get("lang") == (None if element.get("class") == "road" else tag)
    [ours, *_] = epub.find("roads-2").iter(f"{XHTML}h2")
    assert ours.get("lang") is None
    assert epub.xml(epub.spine[1]).get("lang") == "en"


async def test_titles_are_escaped_wherever_they_stand() -> None:
    """In the package, the contents and the pages alike, once."""
    hostile = "<i>R&D</i> \"]]>'\u202e\x00"
    plan = plans_of(1)
    shown = "<i>R&D</i> \"]]>'"
    turns = told(2, paragraph_of, lambda _: (plan[0], replace(plan[1], title=hostile), plan[2]))
    brief = a_brief(title=hostile, genre=hostile, premise=hostile)
    epub = await bound(a_book(turns, brief=brief, community=hostile))
    assert epub.said("title") == [shown]
    assert epub.said("subject") == epub.said("description") == [shown]
    assert epub.said("creator") == [f"The members of {shown}"]
    assert [label for _, label, _ in epub.contents][:2] == [shown, f"Chapter 1 · {shown}"]
    assert f"instead of “{shown}”" in epub.text(epub.spine[-1])
