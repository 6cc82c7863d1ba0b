"""A text as it is printed: its paragraphs and lines, and which stretches of them are emphasised.

Members read a paragraph through Discord, which shows ``*so*`` in italics and hides the marks. Here
the marks become styles, so that each format can say them in its own way: emphasis, struck text and
code stay what they were, underlined text turns italic as it does in print, and a spoiler is open in
a book. Everything else of Discord's markdown reads as it was written: no link leads anywhere, no
``#`` makes a heading. Where spans begin and end is markdown's business, how a style looks a
format's.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.domain.legible import is_blank, legible
from core.domain.markdown import Mark, Span, scan


class Style(StrEnum):
    """How a stretch of text stands out."""

    ITALIC = "italic"
    BOLD = "bold"
    STRUCK = "struck"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one line in one look; never empty."""

    text: str
    styles: frozenset[Style] = frozenset()


Line = tuple[Run, ...]
Block = tuple[Line, ...]
"""A paragraph of print: what stands between blank lines. It has a line, and every line a run."""

_STYLE_OF = {
    "*": Style.ITALIC,
    "_": Style.ITALIC,
    "__": Style.ITALIC,
    "**": Style.BOLD,
    "~~": Style.STRUCK,
}
_HIDDEN = "hidden"
_MAYBE_MARKED = re.compile(r"[*_~|`\\]")
_ESCAPE = re.compile(r"\\(?:[^\w\s]|_)")
_FENCE_START = re.compile(r"```(?:[A-Za-z0-9_+#.-]{0,20}[^\S\n]*\n)?")
_UNSEEN_START = " \t"
"""What a line may begin with and no format shows; other spaces, like the Chinese indent, stay."""


def printed(text: str) -> tuple[Block, ...]:
    """The paragraphs of a text; none where there is nothing to see."""
    return _blocks(legible(text))


def printed_line(text: str) -> Line:
    """A text on one line, with its emphasis; “…” where there is nothing to see."""
    blocks = _blocks(" ".join(legible(text).split()))
    return blocks[0][0] if blocks else (Run("…"),)


def bare_line(text: str) -> str:
    """A text on one line, for where nothing can be emphasised; “…” where nothing can be seen."""
    return "".join(run.text for run in printed_line(text))


def plain_line(text: str) -> str:
    """A text on one line as it is written, marks and all; “…” where there is nothing to see."""
    shown = legible(text)
    return "…" if is_blank(shown) else " ".join(shown.split())


def _blocks(text: str) -> tuple[Block, ...]:
    blocks: list[Block] = []
    block: list[Line] = []
    for line in _lines(text):
        if line:
            block.append(line)
        elif block:
            blocks.append(tuple(block))
            block = []
    return (*blocks, tuple(block)) if block else tuple(blocks)


def _lines(text: str) -> Iterator[Line]:
    """The lines of a text in order; an empty one where nothing can be seen."""
    line: list[Run] = []
    for run in _runs(text):
        first, *rest = run.text.split("\n")
        line.append(Run(first, run.styles))
        for begun in rest:
            yield _trimmed(line)
            line = [Run(begun, run.styles)]
    yield _trimmed(line)


def _trimmed(line: list[Run]) -> Line:
    """A line without the space around it, and neighbours of one look joined."""
    joined: list[Run] = []
    for run in line:
        text = run.text if joined else run.text.lstrip(_UNSEEN_START)
        if joined and joined[-1].styles == run.styles:
            joined[-1] = Run(joined[-1].text + text, run.styles)
        elif text:
            joined.append(Run(text, run.styles))
    while joined:
        last = joined.pop()
        if kept := last.text.rstrip():
            joined.append(Run(kept, last.styles))
            break
    return () if is_blank("".join(run.text for run in joined)) else tuple(joined)


def _runs(text: str) -> Iterator[Run]:
    """The stretches of a text, marks left out."""
    if not _MAYBE_MARKED.search(text):
        yield Run(text)
        return
    changes = _changes(text)
    open_: Counter[str] = Counter()
    at = 0
    for place in sorted({*changes, len(text)}):
        if place > at and not open_[_HIDDEN]:
            yield Run(text[at:place], frozenset(style for style in Style if open_[style]))
        for what, step in changes.get(place, ()):
            open_[what] += step
        at = place


def _changes(text: str) -> dict[int, list[tuple[str, int]]]:
    """Where which style, or the hiding of marks, begins (1) and ends (-1)."""
    spans = [(span, span.mark) for span in scan(text).spans if span.mark and span.end <= len(text)]
    changes: dict[int, list[tuple[str, int]]] = {}

    def within(start: int, end: int, what: str) -> None:
        changes.setdefault(start, []).append((what, 1))
        changes.setdefault(end, []).append((what, -1))

    for start, end in _hidden(text, spans):
        within(start, end, _HIDDEN)
    for span, mark in spans:
        style = Style.CODE if mark.is_code else _STYLE_OF.get(mark.opening)
        if style is not None:
            within(span.start, span.end, style)
    return changes


def _hidden(text: str, spans: list[tuple[Span, Mark]]) -> Iterator[tuple[int, int]]:
    """The stretches that nobody reads: marks, and backslashes before what they keep a sign.

    Marks that begin or end at one place are of one run: ``***`` is ``**`` and ``*``.
    """
    opened: Counter[int] = Counter()
    closed: Counter[int] = Counter()
    code: list[Span] = []
    for span, mark in spans:
        opened[span.start] += _opening(text, span, mark)
        closed[span.end] += 3 if mark.is_fence else len(mark.closing)
        if mark.is_code:
            code.append(span)
    yield from ((start, start + length) for start, length in opened.items())
    yield from ((end - length, end) for end, length in closed.items())
    for escape in _ESCAPE.finditer(text):
        if not any(span.start <= escape.start() < span.end for span in code):
            yield escape.start(), escape.start() + 1


def _opening(text: str, span: Span, mark: Mark) -> int:
    """How long a mark is as it stands in the text."""
    fence = _FENCE_START.match(text, span.start) if mark.is_fence else None
    return fence.end() - span.start if fence else len(mark.opening)
