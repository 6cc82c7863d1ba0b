"""Books as Markdown: what programs that show it make of them (core/adapters/markdown_book.py)."""

from dataclasses import replace

import pytest

from core.adapters.markdown_book import MarkdownBook
from core.domain import imprint
from core.domain.book import Book, Road
from core.domain.emphasis import printed
from tests.adapters.markdown_reading import COMMONMARK, GITHUB, Told, between, read
from tests.fakes.books import a_book, a_brief, plans_of, told

PARSERS = pytest.mark.parametrize("parser", [COMMONMARK, GITHUB], ids=["commonmark", "github"])


async def source(book: Book) -> str:
    """The file as text."""
    return (await MarkdownBook().bind(book)).decode()


async def bound(book: Book) -> list[Told]:
    """The blocks of the file, whose links lead somewhere."""
    blocks = read(await source(book))
    anchors = [name for block in blocks for name in block.anchors]
    assert len(set(anchors)) == len(anchors)
    links = [link for block in blocks for link in block.links]
    assert {link.removeprefix("#") for link in links} <= set(anchors)
    return blocks


async def opening(text: str) -> str:
    """How a paragraph is written in the file."""
    whole = await source(a_book(told(1, lambda _: text)))
    return whole.partition("*turn 1*\n\n")[2].removesuffix("\n\n**To be continued**\n")


async def test_a_short_story_reads_well_as_it_is() -> None:
    """The whole file, as somebody sees it who opens it in a plain editor."""
    ends = Road("Up", "They climb.")
    assert await source(a_book(told(2), ended=True, left_open=(ends,))) == (
        "# The Salt Clock\n\n"
        "*mystery*\n\n"
        "> A lighthouse keeper finds a door below the tide line.\n\n"
        "Told from 4 May 2026 to 5 May 2026 by the members of Harbour. 2 turns in English, "
        "complete.\n\n"
        f"{imprint.MADE_WITH_ROADS}\n\n"
        "## Contents\n\n"
        "- [Chapter 1 · Plan b1](#chapter-1)\n"
        "- [Roads not taken](#roads)\n\n"
        '## <a id="chapter-1"></a>Chapter 1\n\n'
        "*turns 1 to 2*\n\n"
        "Paragraph 1 begins here.\n\n"
        "It ends with word1.\n\n"
        '### <a id="turn-2"></a>Plan b1\n\n'
        "*turn 2 · chosen by 2 of 3 voters · [the other two roads](#roads-2)*\n\n"
        "Paragraph 2 begins here.\n\n"
        "It ends with word2.\n\n"
        "**The End**\n\n"
        '## <a id="roads"></a>Roads not taken\n\n'
        f"{imprint.ROADS_SAY}\n\n"
        '### <a id="roads-2"></a>[Turn 2](#turn-2), instead of “Plan b1”\n\n'
        "**Plan a1** · 1 of 3 voters\\\n"
        "What a1 says.\n\n"
        "**Plan c1** · no votes\\\n"
        "What c1 says.\n\n"
        "### Where the story ended\n\n"
        f"{imprint.LEFT_OPEN_SAYS}\n\n"
        "**Up**\\\n"
        "They climb.\n"
    )


async def test_every_link_leads_somewhere() -> None:
    """Contents to chapters, votes to the roads not taken, and back."""
    blocks = await bound(a_book(told(12)))
    assert [block.links for block in blocks if block.text.startswith("turn 12")] == [["#roads-12"]]
    assert [block.links for block in blocks if block.text.startswith("Turn 12")] == [["#turn-12"]]


async def test_a_story_of_one_turn_has_neither_votes_nor_roads() -> None:
    blocks = await bound(a_book(told(1), brief=a_brief(genre="", premise=""), community=""))
    assert [block.text for block in blocks] == [
        "The Salt Clock",
        "Told on 4 May 2026. 1 turn in English, to be continued.",
        imprint.MADE,
        "Contents",
        "Chapter 1 · turn 1",
        "Chapter 1",
        "turn 1",
        "Paragraph 1 begins here.",
        "It ends with word1.",
        "To be continued",
    ]


async def test_a_vote_whose_ballot_is_not_kept_leads_nowhere() -> None:
    """Its plan and its count are told, and no road."""
    first, second = told(2)
    blocks = await bound(a_book([replace(first, plans=(), reflection=None), second]))
    [line] = [block for block in blocks if block.text == "turn 2 · chosen by 2 of 3 voters"]
    assert not line.links
    assert imprint.ROADS not in [block.text for block in blocks]


async def test_a_volume_says_what_part_it_is() -> None:
    texts = [block.text for block in await bound(a_book(told(2), volume=3, turns=9))]
    assert texts[:3] == ["The Salt Clock", "Volume 3 · turns 1 to 2", "mystery"]
    assert "The story goes on in volume 4" in texts


@pytest.mark.parametrize(
    "text",
    [
        "# One",
        "1. One\n2) Two",
        "12345. is no number of a list",
        "- one\n+ two\n* three",
        "> quoted",
        "One\n===\nTwo\n---",
        "    indented\n\tby a tab",
        "[free](https://evil.example) ![x](y) [a]: b",
        "<b>bold</b> <!-- gone --> &amp; &#65; &copy;",
        "https://evil.example/a_b www.evil.example www.1.de",
        "me@evil.example discord.gg/abc e.g. 3.14",
        "| a | b |\n|---|---|\n| c | d |",
        "`code` and ``two `` and ```\nthree",
        "a * b * c, 5*6*7, snake_case_name, \\*escaped\\*",
        "*one***two**, **“quoted”**word, *a*b, ~~gone~~ *, so*",
        "line\\\nbreak\\",
        "\u3000indented as in China\n\u3000again",
        "$x^2$ ==marked== {.attribute} :smile: #tag [[link]] %%note%%",
        "two  spaces at the end  \nand on",
    ],
)
@PARSERS
async def test_a_paragraph_reads_as_it_was(text: str, parser: object) -> None:
    """Nothing becomes a heading, a list, a link, a table or HTML; emphasis stays emphasis."""
    assert parser in (COMMONMARK, GITHUB)
    whole = await source(a_book(told(1, lambda _: text)))
    parse = GITHUB if parser is GITHUB else COMMONMARK
    found = list(between(read(whole, parse), "turn 1", "To be continued"))
    assert [block.kind for block in found] == ["p"] * len(found)
    assert [block.links for block in found] == [[]] * len(found)
    wanted = [[list(line) for line in block] for block in printed(text)]
    assert [block.lines for block in found] == wanted


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("“Don't,” she said - it's 5 o'clock (1. May)!", None),
        ("He *said* **so**, ~~twice~~.", None),
        ("#1 of 3", r"\#1 of 3"),
        ("1. May", r"1\. May"),
        ("- No.", r"\- No."),
        ("*“So”*, she said.", "<em>“So”</em>, she said."),
        ("*so*so", "<em>so</em>so"),
        ("one\ntwo", "one\\\ntwo"),
        ("a_b", r"a\_b"),
        ("me@home.example", r"me\@home\.example"),
        ("www.1a", r"www\.1a"),
        ("a|b", r"a\|b"),
        ("e.g. at 3.14 p.m.", "e.g. at 3.14 p.m."),
    ],
)
async def test_no_more_is_escaped_than_must_be(text: str, written: str | None) -> None:
    """Prose stays prose, for who reads the file as it is."""
    assert await opening(text) == (text if written is None else written)


async def test_hostile_words_stay_in_their_places() -> None:
    """A title, a genre, a premise, a server or a plan can't break out of its line."""
    hostile = "](x) **\n# a` <b> *_ | \\"
    flat = "](x) ** # a` <b> *_ | \\"
    names = plans_of(1)
    plans = tuple(type(plan)(f"{hostile} {plan.title}", hostile) for plan in names)
    brief = a_brief(title=hostile, genre=hostile, premise=hostile, language=hostile)
    texts = [
        block.text
        for block in await bound(
            a_book(told(2, plans=lambda _: plans), brief=brief, community=hostile)
        )
    ]
    assert texts[:2] == [flat, flat]
    assert f"Told from 4 May 2026 to 5 May 2026 by the members of {flat}. " in texts[3]
    assert texts.count(f"{flat} Plan b1") == 1
    assert f"Chapter 1 · {flat} Plan b1" in texts
    assert f"{flat} Plan a1 · 1 of 3 voters\n{flat}" in texts
