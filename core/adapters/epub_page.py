"""The pages of an EPUB: titles, chapters and roads not taken as XHTML.

Every word of the story is data: legible, so that XML can hold it, and escaped. What is in the
story's language says so, with the direction it is written in; our own words are English and say
nothing, since the whole page is. How pages become a book is epub_book's business, how they look the
stylesheet's.
"""

from collections.abc import Iterator, Mapping
from html import escape

from core.domain import imprint
from core.domain.book import Book, Chapter, Passage, Road, Vote
from core.domain.emphasis import Block, Line, Run, Style, plain_line, printed, printed_line
from core.domain.languages import Language

_TAGS = {Style.ITALIC: "em", Style.BOLD: "strong", Style.STRUCK: "del", Style.CODE: "code"}


class Pages:
    """Writes the inside of the pages of one book.

    Args:
        book: whose pages.
        language: of the story.
        chapters: the files of its chapters, by the chapters' numbers.
        roads: the files of the roads not taken, by the chapters' numbers.
    """

    def __init__(
        self,
        book: Book,
        language: Language,
        chapters: Mapping[int, str],
        roads: Mapping[int, str],
    ) -> None:
        self._book = book
        self._own = f'lang="{language.tag}" xml:lang="{language.tag}" dir="{language.direction}"'
        self._direction = language.direction
        self._chapters = chapters
        self._roads = roads

    def title(self) -> str:
        """The title page."""
        book = self._book
        return _joined(
            '<section class="title" epub:type="titlepage">',
            f"<h1 {self._own}>{words(imprint.story_title(book))}</h1>",
            _paragraph("volume", imprint.volume(book)),
            f'<p class="genre" {self._own}>{words(imprint.genre(book))}</p>'
            if imprint.genre(book)
            else "",
            f'<div class="premise" {self._own}>{_prose(book.brief.premise)}</div>',
            '<div class="told">',
            _paragraph("", f"{imprint.told(book)}{self._by()}"),
            _paragraph("", imprint.extent(book)),
            "</div>",
            _paragraph("aside made", imprint.colophon(book)),
            "</section>",
        )

    def chapter(self, chapter: Chapter) -> str:
        """A chapter; the book's last one with what stands below the last paragraph."""
        is_last = chapter is self._book.chapters[-1]
        return _joined(
            f'<section epub:type="chapter" id="chapter-{chapter.number}">',
            '<header class="chapter">',
            f"<h1>{imprint.chapter(chapter)}</h1>",
            _paragraph("aside", imprint.turns(chapter.first, chapter.last)),
            "</header>",
            *(self._passage(chapter, passage) for passage in chapter.passages),
            _paragraph("closing", imprint.closing(self._book)) if is_last else "",
            "</section>",
        )

    def appendix(self) -> str:
        """The page that the roads not taken stand behind."""
        return _joined(
            '<section class="note" epub:type="appendix">',
            f'<header class="chapter"><h1>{imprint.ROADS}</h1></header>',
            _paragraph("", imprint.ROADS_SAY),
            "<ul>",
            *(self._entry(chapter) for chapter in self._book.chapters if chapter.crossroads),
            "</ul>",
            "</section>",
        )

    def roads(self, chapter: Chapter) -> str:
        """The roads not taken of a chapter."""
        return _joined(
            '<section epub:type="appendix">',
            f'<header class="chapter"><h1>{imprint.chapter(chapter)}</h1>',
            _paragraph("aside", imprint.ROADS),
            "</header>",
            *(self._crossroads(chapter, number, vote) for number, vote in chapter.crossroads),
            "</section>",
        )

    def left_open(self) -> str:
        """The plans that an ended story was being voted on."""
        return _joined(
            '<section epub:type="appendix">',
            f'<header class="chapter"><h1>{imprint.LEFT_OPEN}</h1></header>',
            _paragraph("aside", imprint.LEFT_OPEN_SAYS),
            '<section class="roads">',
            *(self._road(road, None) for road in self._book.left_open),
            "</section>",
            "</section>",
        )

    def _entry(self, chapter: Chapter) -> str:
        file = self._roads[chapter.number]
        return f'<li><a href="{file}">{imprint.chapter_turns(chapter)}</a></li>'

    def _by(self) -> str:
        tellers = imprint.tellers(self._book)
        return f" by {tellers}" if tellers else ""

    def _passage(self, chapter: Chapter, passage: Passage) -> str:
        return _joined(
            f'<section id="turn-{passage.number}">',
            self._vote(chapter, passage, passage.vote) if passage.vote else "",
            f'<div class="prose" {self._own}>{_prose(passage.text)}</div>',
            "</section>",
        )

    def _vote(self, chapter: Chapter, passage: Passage, vote: Vote) -> str:
        said = f"{imprint.turn(passage.number)} · {words(imprint.decided(vote))}"
        if vote.roads:
            file = self._roads[chapter.number]
            said += f' · <a href="{file}#roads-{passage.number}">{imprint.others(vote)}</a>'
        return _joined(
            '<header class="vote">',
            f"<h2 {self._own}>{words(plain_line(vote.title))}</h2>",
            f'<p class="aside">{said}</p>',
            "</header>",
        )

    def _crossroads(self, chapter: Chapter, number: int, vote: Vote) -> str:
        file = self._chapters[chapter.number]
        back = imprint.turn(number)
        return _joined(
            f'<section class="roads" id="roads-{number}">',
            f'<h2><a href="{file}#turn-{number}">{back[:1].upper()}{back[1:]}</a>, '
            f"{words(imprint.instead(vote))}</h2>",
            *(self._road(road, vote) for road in vote.roads),
            "</section>",
        )

    def _road(self, road: Road, vote: Vote | None) -> str:
        votes = imprint.road_votes(road, vote)
        return _joined(
            f'<div class="road" dir="{self._direction}">',
            f"<h3 {self._own}>{words(plain_line(road.title))}</h3>",
            f'<p class="votes"><span dir="ltr">{votes}</span></p>' if votes else "",
            f"<p {self._own}>{_line(printed_line(road.text))}</p>",
            "</div>",
        )


def words(text: str) -> str:
    """A legible text as XML has it."""
    return escape(text, quote=False)


def _paragraph(kind: str, text: str) -> str:
    """A paragraph of our own words; nothing for no words."""
    if not text:
        return ""
    return f'<p class="{kind}">{words(text)}</p>' if kind else f"<p>{words(text)}</p>"


def _prose(text: str) -> str:
    """The paragraphs of a text; “…” where there is nothing to see."""
    return "".join(map(_block, printed(text))) or "<p>…</p>"


def _block(block: Block) -> str:
    """A paragraph; one that begins with a wide space, as in China and Japan, has its indent."""
    kind = ' class="indented"' if block[0][0].text[0].isspace() else ""
    return f"<p{kind}>{'<br/>'.join(map(_line, block))}</p>"


def _line(line: Line) -> str:
    return "".join(map(_run, line))


def _run(run: Run) -> str:
    text = words(run.text)
    for style in Style:
        if style in run.styles:
            text = f"<{_TAGS[style]}>{text}</{_TAGS[style]}>"
    return text


def _joined(*parts: str) -> str:
    return "\n".join(_seen(parts))


def _seen(parts: tuple[str, ...]) -> Iterator[str]:
    return (part for part in parts if part)
