"""What is said when a book is handed over, over render. No file is made or sent here."""

from collections.abc import Sequence

from bot.render import escaped
from core.domain import imprint
from core.domain.book import Book
from core.services.press import BookFile

_TITLE_UNITS = 300


def handed_over(book: Book, files: Sequence[BookFile], volume_turns: int) -> str:
    """The words above the files of a book, or of a volume.

    Args:
        book: which one.
        files: what goes with the words.
        volume_turns: most turns of a volume.
    """
    parts = [
        f"**{escaped(imprint.title(book), _TITLE_UNITS)}**",
        imprint.turns(book.first, book.last),
        *([imprint.state(book)] if book.is_newest else []),
    ]
    lines = [" · ".join(parts)]
    if book.volume == 1:
        lines.append(
            f"-# It is a long story, so it comes in volumes of at most {volume_turns:,} turns."
        )
    if book.volume in (None, 1) and len(files) > 1:
        lines.append("-# The EPUB is for e-readers, the Markdown for any editor.")
    return "\n".join(lines)
