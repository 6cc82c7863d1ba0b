"""Books hold every text as it was, whatever it is: parsed back, it is what was to be printed.

Plus: what emphasis makes of texts loses no word, and names of files are names of files.
"""

import asyncio
from dataclasses import replace
from itertools import pairwise
from xml.etree.ElementTree import Element

import regex
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.epub_book import EpubBook
from core.adapters.markdown_book import MarkdownBook
from core.domain.book import Book, file_stem
from core.domain.emphasis import Block, Run, Style, bare_line, plain_line, printed, printed_line
from core.domain.languages import language_of
from core.domain.legible import legible
from core.domain.story import Plan
from tests.adapters.epub_reading import XHTML, Epub
from tests.adapters.markdown_reading import COMMONMARK, GITHUB, between, read
from tests.fakes.books import a_book, a_brief, told
from tests.properties.hostile_text import hostile, long_hostile

_SIGNS = ("*", "**", "***", "_", "__", "~~", "`", "||", "\\", "a", " ", ".", "”", "「", "é", "\n")
_EMPHASIS = st.lists(st.sampled_from(_SIGNS), max_size=14).map("".join)
_TAGS = {"em": Style.ITALIC, "strong": Style.BOLD, "del": Style.STRUCK, "code": Style.CODE}
_MARKS = regex.compile(r"[*_~|`\\\s\u2800\p{Cc}\p{Cf}\p{Cn}]|\p{Default_Ignorable_Code_Point}")
"""What may go: marks, and whatever nobody sees."""
_ISOLATES = regex.compile("[\u2068\u2069]")
texts = hostile | _EMPHASIS


def as_epub(book: Book) -> Epub:
    """The book's file, which is as it must be."""
    epub = Epub(asyncio.run(EpubBook().bind(book)))
    epub.check()
    return epub


def as_markdown(book: Book) -> str:
    return asyncio.run(MarkdownBook().bind(book)).decode()


def wanted(text: str) -> list[list[list[Run]]]:
    """What is to be read of a paragraph."""
    return _listed(printed(text) or (((Run("…"),),),))


def _listed(blocks: tuple[Block, ...]) -> list[list[list[Run]]]:
    return [[list(line) for line in block] for block in blocks]


def lines_of(paragraph: Element) -> list[list[Run]]:
    """The lines of a paragraph of XHTML."""
    lines: list[list[Run]] = [[]]

    def add(text: str | None, styles: frozenset[Style]) -> None:
        if text and lines[-1] and lines[-1][-1].styles == styles:
            lines[-1][-1] = Run(lines[-1][-1].text + text, styles)
        elif text:
            lines[-1].append(Run(text, styles))

    def walk(element: Element, styles: frozenset[Style]) -> None:
        add(element.text, styles)
        for child in element:
            tag = child.tag.removeprefix(XHTML)
            if tag == "br":
                lines.append([])
            else:
                walk(child, styles | {_TAGS[tag]})
            add(child.tail, styles)

    walk(paragraph, frozenset())
    return lines


@given(texts)
def test_an_epub_holds_every_paragraph_as_it_is_printed(text: str) -> None:
    """XML takes it, and reads it back with its lines and emphasis."""
    epub = as_epub(a_book(told(1, lambda _: text), brief=a_brief(premise="Plain.")))
    paragraphs = epub.find("turn-1").iter(f"{XHTML}p")
    assert [lines_of(paragraph) for paragraph in paragraphs] == wanted(text)


@given(texts)
def test_markdown_holds_every_paragraph_as_it_is_printed(text: str) -> None:
    """For programs that know CommonMark alone and for those that know more."""
    whole = as_markdown(a_book(told(1, lambda _: text)))
    for parser in (COMMONMARK, GITHUB):
        found = list(between(read(whole, parser), "turn 1", "To be continued"))
        assert [block.kind for block in found] == ["p"] * len(found)
        assert [block.lines for block in found] == wanted(text)
        assert not any(block.links or block.anchors for block in found)


@given(texts, texts, texts, texts)
def test_titles_plans_and_names_stay_in_their_places(
    title: str, text: str, genre: str, community: str
) -> None:
    """In both formats, whatever a story and its server are called."""
    plans = tuple(Plan(f"{title}{letter}", f"{letter}{text}") for letter in "abc")
    brief = a_brief(title=f"T{title}", genre=f"G{genre}", premise=f"P{text}", language=title)
    book = a_book(told(2, plans=lambda _: plans), brief=brief, community=f"C{community}")
    epub, road = as_epub(book), bare_line(f"a{text}")
    assert epub.said("title") == [plain_line(f"T{title}")]
    assert epub.said("subject") == [plain_line(f"G{genre}")]
    assert epub.said("language") == [language_of(title).tag]
    [taken] = epub.find("turn-2").iter(f"{XHTML}h2")
    assert "".join(taken.itertext()) == plain_line(f"{title}b")
    assert road in ["".join(p.itertext()) for p in epub.find("roads-2").iter(f"{XHTML}p")]
    blocks = read(as_markdown(book))
    assert [block.kind for block in blocks if block.kind.startswith("h")] == [
        *("h1", "h2", "h2", "h3", "h2", "h3")
    ]
    assert blocks[0].text == plain_line(f"T{title}")
    assert blocks[1].text == plain_line(f"G{genre}")
    said = {_ISOLATES.sub("", block.text) for block in blocks}
    assert f"{plain_line(f'{title}a')} · 1 of 3 voters\n{road}" in said
    assert any(f"members of {plain_line(f'C{community}')}. 2 turns" in line for line in said)


@given(long_hostile)
def test_printing_a_text_loses_no_word(text: str) -> None:
    """But for marks, space and what nobody sees, all of it is there, in order.

    Not of the language of a fence, which nobody reads either.
    """
    text = text.replace("```", "")
    lines = [line for block in printed(text) for line in block]
    shown = "\n".join("".join(run.text for run in line) for line in lines)
    assert _MARKS.sub("", shown) == _MARKS.sub("", legible(text))
    assert "".join(run.text for run in printed_line(text))


@given(texts)
def test_what_is_printed_has_the_shape_it_promises(text: str) -> None:
    """No empty paragraph, line or run, no line break, and neighbours that differ."""
    for block in printed(text):
        assert block
        for line in block:
            assert line
            assert all(run.text and "\n" not in run.text for run in line)
            assert line[-1].text == line[-1].text.rstrip()
            assert all(one.styles != other.styles for one, other in pairwise(line))


@given(texts, st.none() | st.integers(1, 10**6))
def test_a_files_name_is_a_name(title: str, volume: int | None) -> None:
    """Letters, digits and hyphens; short enough for every file system."""
    stem = file_stem(replace(a_book(), brief=a_brief(title=title), volume=volume))
    assert regex.fullmatch(r"[\p{L}\p{M}\p{N}]+(-[\p{L}\p{M}\p{N}]+)*", stem)
    assert len(f"{stem}.epub".encode()) <= 255
