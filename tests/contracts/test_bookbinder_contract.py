"""What every Bookbinder promises: a file, the same one each time, that holds what it was given."""

import pytest

from core.adapters.epub_book import EpubBook
from core.adapters.markdown_book import MarkdownBook
from core.domain.book import Book
from core.ports import Bookbinder
from tests.fakes.books import FakeBookbinder, a_book, a_brief, told


@pytest.fixture(params=[FakeBookbinder, EpubBook, MarkdownBook])
def binder(request: pytest.FixtureRequest) -> Bookbinder:
    """One of each."""
    return request.param()


async def test_its_files_have_an_ending(binder: Bookbinder) -> None:
    """A word that stands behind a dot."""
    assert binder.ending.isalnum()


@pytest.mark.parametrize(
    "book",
    [
        a_book(told(1)),
        a_book(),
        a_book(told(25), volume=2, turns=30),
        a_book(told(3), ended=True, brief=a_brief(title="", premise="", genre="", language="")),
        a_book(told(2, lambda _: "")),
    ],
    ids=["one turn", "two chapters", "a volume", "nothing said", "nothing told"],
)
async def test_any_book_can_be_bound(binder: Bookbinder, book: Book) -> None:
    """Whatever it holds; and once more gives the same file."""
    file = await binder.bind(book)
    assert file
    assert await binder.bind(book) == file


async def test_more_turns_make_a_larger_file(binder: Bookbinder) -> None:
    """So that a book that doesn't fit is made to fit by parting it."""
    sizes = [len(await binder.bind(a_book(told(count)))) for count in (1, 10, 20, 100)]
    assert sizes == sorted(set(sizes))
