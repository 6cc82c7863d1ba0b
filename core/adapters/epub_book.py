"""A book as EPUB 3, bound by mkepub: title page, chapters, roads not taken, a table of contents.

mkepub writes the package; it escapes some of what it is given and not the rest, so titles are given
escaped and marked as such. What it can't say is put right in its finished file: when the book was
bound (it takes the machine's local time for UTC), and that pages of a story from right to left turn
that way. Entries stand in a fixed order with fixed times: one book, one file.

Nothing in the file leads outside of it. It is built in a folder of its own, which goes at the end.
What stands on the pages is epub_page's business.
"""

import asyncio
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import mkepub

from core.adapters.epub_page import Pages, words
from core.domain import imprint
from core.domain.book import Book
from core.domain.emphasis import bare_line
from core.domain.languages import language_of

_MODIFIED = re.compile(r'(<meta property="dcterms:modified">)[^<]*')
_SPINE = '<spine toc="toc">'
_PACKAGE = "EPUB/package.opf"
_MIMETYPE = "mimetype"
_ANY_TIME = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name."""


class EpubBook:
    """Binds books as EPUB."""

    ending = "epub"

    async def bind(self, book: Book) -> bytes:
        """See Bookbinder."""
        return await asyncio.to_thread(_bound, book)


class _Escaped(str):
    """A text that is XML already: what escapes for HTML asks for this method, and leaves it."""

    __slots__ = ()

    def __html__(self) -> "_Escaped":
        return self


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which file each page will be: pages link to one another before all of them are written."""

    chapters: dict[int, str]
    roads: dict[int, str]


def _bound(book: Book) -> bytes:
    language = language_of(book.brief.language)
    plan = _planned(book)
    pages = Pages(book, language, plan.chapters, plan.roads)
    bound = _begun(book, language.tag)
    try:
        bound.add_page(_own(imprint.story_title(book)), pages.title())
        for chapter in book.chapters:
            page = bound.add_page(_own(imprint.chapter_entry(chapter)), pages.chapter(chapter))
            _check(page, plan.chapters[chapter.number])
        if book.has_roads:
            _append_roads(bound, book, pages, plan)
        with TemporaryDirectory(prefix="talewheel-") as folder:
            file = Path(folder, "book.epub")
            bound.save(file)
            return _put_right(file, book, language.direction)
    finally:
        bound.tempdir.cleanup()


def _begun(book: Book, tag: str) -> Any:
    """An empty book with what libraries show of it."""
    tellers, genre = imprint.tellers(book), imprint.genre(book)
    bound = cast(Any, mkepub).Book(
        _own(imprint.title(book)),
        lang=tag,
        published=_time(book.first_at)[:10],
        authors=[_own(tellers[:1].upper() + tellers[1:])] if tellers else [],
        subjects=[_own(genre)] if genre else [],
        description=_own(bare_line(book.brief.premise)),
    )
    # A library that has the book already takes a newer one for the same.
    bound.uuid = uuid5(NAMESPACE_URL, f"talewheel:{book.key}").urn
    bound.set_stylesheet(_stylesheet())
    return bound


def _append_roads(bound: Any, book: Book, pages: Pages, plan: _Plan) -> None:
    appendix = bound.add_page(imprint.ROADS, pages.appendix())
    for chapter in book.chapters:
        if chapter.crossroads:
            page = bound.add_page(imprint.chapter_turns(chapter), pages.roads(chapter), appendix)
            _check(page, plan.roads[chapter.number])
    if book.left_open:
        bound.add_page(imprint.LEFT_OPEN, pages.left_open(), appendix)


def _planned(book: Book) -> _Plan:
    """mkepub numbers its pages in the order in which they are added; the title page is 1."""
    after = 2 + len(book.chapters)
    crossed = [chapter for chapter in book.chapters if chapter.crossroads]
    return _Plan(
        {chapter.number: _file(at) for at, chapter in enumerate(book.chapters, 2)},
        {chapter.number: _file(at) for at, chapter in enumerate(crossed, after + 1)},
    )


def _file(at: int) -> str:
    return f"page{at:04}.xhtml"


def _check(page: Any, file: str) -> None:
    """Raises ValueError for a page that isn't where links to it lead."""
    if f"page{page.page_id}.xhtml" != file:
        raise ValueError(f"page {page.page_id} of a book should have been {file}")


def _put_right(file: Path, book: Book, direction: str) -> bytes:
    """The finished file, with what mkepub can't say."""
    data = io.BytesIO()
    with ZipFile(file) as bound, ZipFile(data, "w") as mended:
        names = sorted(bound.namelist(), key=lambda name: (name != _MIMETYPE, name))
        for name in names:
            content = bound.read(name)
            if name == _PACKAGE:
                content = _package(content.decode(), book, direction).encode()
            kind = ZIP_STORED if name == _MIMETYPE else ZIP_DEFLATED
            mended.writestr(ZipInfo(name, _ANY_TIME), content, kind)
    return data.getvalue()


def _package(text: str, book: Book, direction: str) -> str:
    text, times = _MODIFIED.subn(rf"\g<1>{_time(book.bound_at)}", text)
    if times != 1 or text.count(_SPINE) != 1:
        raise ValueError("mkepub writes its package in another form than it did")
    if direction != "rtl":
        return text
    return text.replace(_SPINE, f'{_SPINE[:-1]} page-progression-direction="rtl">')


def _own(text: str) -> _Escaped:
    return _Escaped(words(text))


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _stylesheet() -> str:
    return resources.files("core.adapters").joinpath("epub_book.css").read_text("utf-8")
