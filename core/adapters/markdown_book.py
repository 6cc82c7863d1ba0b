"""A book as Markdown (CommonMark 0.31): it reads well as it is, and in whatever shows Markdown.

Every word of the story is data: escaped so that no parser takes it for a heading, a list, a link or
HTML, and only where it could be taken for one. Emphasis is written with stars where the rules of
flanking let them work, else with HTML's tags, which work everywhere. Places are named by anchors of
our own, since every program names headings differently.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator

from core.domain import imprint
from core.domain.book import Book, Chapter, Passage, Road, Vote
from core.domain.emphasis import Block, Line, Run, Style, plain_line, printed, printed_line

_ALWAYS = re.compile(
    r"""
      [\\`*_\[\]<>~|$\#^{}]      # marks of CommonMark, of GitHub's tables and formulas, of pandoc
    | &(?=[#\w])                 # an entity
    | ==                         # highlighting
    | (?<=\w):(?=//)             # an address, which many programs make a link of:
    | (?<=\w)\.(?=[^\W\d]{2})     # some do so with any word.word
    | (?<=www)\.
    | (?<!\w):(?=[\w+-]+:)       # an emoji by its name
    | (?<=\w)@(?=\w)             # an e-mail address
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LIST = re.compile(r"([-+=])(?=[\s=-]|$)|(\d{1,9})([.)])(?=\s|$)")
"""What would begin a list at a line's beginning, or make the line above a heading."""
_STARS = {Style.ITALIC: "*", Style.BOLD: "**", Style.STRUCK: "~~"}
_TAGS = {Style.ITALIC: "em", Style.BOLD: "strong", Style.STRUCK: "del", Style.CODE: "code"}
_ASIDE = frozenset(" \t\n.,;:!?()…–—")
"""What may stand beside a mark outside without changing what the mark does."""


class MarkdownBook:
    """Binds books as Markdown."""

    ending = "md"

    async def bind(self, book: Book) -> bytes:
        """See Bookbinder."""
        return await asyncio.to_thread(_bound, book)


def _bound(book: Book) -> bytes:
    return ("\n\n".join(_parts(book)) + "\n").encode()


def _parts(book: Book) -> Iterator[str]:
    """The blocks of the file."""
    yield from _title_page(book)
    yield from _contents(book)
    for chapter in book.chapters:
        yield f"## {_anchor(_of_chapter(chapter))}{imprint.chapter(chapter)}"
        yield f"*{imprint.turns(chapter.first, chapter.last)}*"
        for passage in chapter.passages:
            yield from _passage(passage)
    yield f"**{imprint.closing(book)}**"
    if book.has_roads:
        yield from _appendix(book)


def _title_page(book: Book) -> Iterator[str]:
    yield f"# {_text(imprint.story_title(book))}"
    if volume := imprint.volume(book):
        yield f"**{volume}**"
    if genre := imprint.genre(book):
        yield f"*{_text(genre)}*"
    premise = _prose(printed(book.brief.premise))
    yield from ("> " + block.replace("\n", "\n> ") for block in ["\n\n".join(premise)] if block)
    tellers = imprint.tellers(book)
    by = f" by {_text(tellers)}" if tellers else ""
    yield f"{imprint.told(book)}{by}. {_sentence(_text(imprint.extent(book)))}"
    yield imprint.colophon(book)


def _contents(book: Book) -> Iterator[str]:
    yield f"## {imprint.CONTENTS}"
    entries = [
        f"- [{_text(imprint.chapter_entry(chapter))}](#{_of_chapter(chapter)})"
        for chapter in book.chapters
    ]
    if book.has_roads:
        entries.append(f"- [{imprint.ROADS}](#roads)")
    yield "\n".join(entries)


def _passage(passage: Passage) -> Iterator[str]:
    vote = passage.vote
    if vote is not None:
        yield f"### {_anchor(f'turn-{passage.number}')}{_text(plain_line(vote.title))}"
        said = [imprint.turn(passage.number), _text(imprint.decided(vote))]
        if vote.roads:
            said.append(f"[{imprint.others(vote)}](#roads-{passage.number})")
        yield f"*{' · '.join(said)}*"
    yield from _prose(printed(passage.text)) or ["…"]


def _appendix(book: Book) -> Iterator[str]:
    yield f"## {_anchor('roads')}{imprint.ROADS}"
    yield imprint.ROADS_SAY
    for chapter in book.chapters:
        for number, vote in chapter.crossroads:
            back = f"[{_sentence(imprint.turn(number))[:-1]}](#turn-{number})"
            yield f"### {_anchor(f'roads-{number}')}{back}, {_text(imprint.instead(vote))}"
            yield from (_road(road, vote) for road in vote.roads)
    if book.left_open:
        yield f"### {imprint.LEFT_OPEN}"
        yield imprint.LEFT_OPEN_SAYS
        yield from (_road(road, None) for road in book.left_open)


def _road(road: Road, vote: Vote | None) -> str:
    votes = imprint.road_votes(road, vote)
    head = f"**{_text(plain_line(road.title))}**{f' · {votes}' if votes else ''}"
    return f"{head}\\\n{_line(printed_line(road.text))}"


def _anchor(name: str) -> str:
    return f'<a id="{name}"></a>'


def _of_chapter(chapter: Chapter) -> str:
    return f"chapter-{chapter.number}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


# ── text ─────────────────────────────────────────────────────────────────────────────────────────


def _prose(blocks: Iterable[Block]) -> list[str]:
    """Paragraphs; a line break inside of one is a backslash at the line's end."""
    return ["\\\n".join(map(_line, block)) for block in blocks]


def _line(line: Line) -> str:
    """A line of print, which begins a line of the file."""
    parts = [_run(line, at) for at in range(len(line))]
    return _started("".join(parts))


def _run(line: Line, at: int) -> str:
    run = line[at]
    text = _escaped(run.text)
    if not run.styles:
        return text
    before = line[at - 1] if at else None
    after = line[at + 1] if at + 1 < len(line) else None
    marks = _STARS if _can_be_starred(before, run, after) else {}
    for style in Style:
        if style in run.styles:
            mark, tag = marks.get(style), _TAGS[style]
            text = f"{mark}{text}{mark}" if mark else f"<{tag}>{text}</{tag}>"
    return text


def _can_be_starred(before: Run | None, run: Run, after: Run | None) -> bool:
    """Whether marks round a run surely work: plain neighbours, words inside, no letter outside."""
    if len(run.styles) != 1 or (before and before.styles) or (after and after.styles):
        return False
    return (
        run.text[0].isalnum()
        and run.text[-1].isalnum()
        and (before is None or before.text[-1] in _ASIDE)
        and (after is None or after.text[0] in _ASIDE)
    )


def _text(words: str) -> str:
    """Words on one line, wherever they stand in it."""
    return _started(_escaped(words))


def _escaped(text: str) -> str:
    return _ALWAYS.sub(lambda mark: "".join(f"\\{sign}" for sign in mark[0]), text)


def _started(line: str) -> str:
    """A line whose beginning begins nothing else; an indent that is no plain space stays."""
    if line[:1].isspace():
        return f"&#{ord(line[0])};{line[1:]}"
    return _LIST.sub(r"\g<2>\\\g<1>\g<3>", line, count=1) if _LIST.match(line) else line
