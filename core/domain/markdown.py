"""Which stretches of a text are Discord markdown, and how each is closed and opened again.

A scanner walks once over a *view* (the stretch that a cut is looked for in) and reports spans. It
decides by the view alone: a mark whose partner is out of sight counts as open, so that text which
arrives later never changes what was said about text already seen. Words are not weighed here and no
cut is chosen (text.py does), and nothing is escaped or rendered (bot/render.py does).

What is known: ``**``, ``*``, ``__``, ``_``, ``~~``, ``||``, code in one or two backticks, fences,
masked links, addresses, ``<…>`` (mentions, custom emoji, time stamps, links), backslash escapes. An
inline span ends at a blank line at the latest: an opening mark before it without a partner is plain
text. Block quotes, headings and lists belong to a line and are not spans.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

CLOSING_UNITS_MAX = 16
"""No set of marks open at once needs more UTF-16 units to be closed: 14 for one of each, a fence
being the longest kind of code; one kind is never open twice."""

PLAIN, FORMATTED, SOLID = range(3)
"""What a cut goes through: no markdown; a span that can be mended; one that cannot."""

_TOKEN = re.compile(
    r"""
      (?P<solid>
          \\(?:[^\w\s]|_|(?=\s))                                         # escape
        | <(?:[@\#/]|a?:|t:|id:|https?:)[^\s<>]*+(?:>|\Z)                # mention, emoji, time
        | !?\[[^\[\]\n]*+\]\([^()\s]*+(?:\)|\Z)                          # masked link
        | \[[^\[\]\n]{0,300}+\Z                                          # the beginning of one
        | https?://[A-Za-z0-9\-._~:/?\#\[\]@!$&'()+,;=%]*+               # address
      )
    | (?P<fence>`{3,})
    | (?P<code>`{1,2})
    | (?P<blank>\n[^\S\n]*\n)
    | (?P<run>\*+|_+|~+|\|+)
    """,
    re.VERBOSE,
)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_LANGUAGE = re.compile(r"([A-Za-z0-9_+#.-]{0,20})[^\S\n]*\n")
_CODE_END = {"`": re.compile(r"(?<!`)`(?!`)"), "``": re.compile(r"(?<!`)``(?!`)")}
_FENCE_END = re.compile("```")


@dataclass(frozen=True, slots=True)
class Mark:
    """How a span is opened and closed, as it is written."""

    opening: str
    closing: str

    @property
    def is_code(self) -> bool:
        """Whether nothing inside counts as markdown."""
        return "`" in self.closing

    @property
    def is_fence(self) -> bool:
        """Whether line breaks and indents inside are kept as they are."""
        return self.closing == "\n```"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch that a cut at k with ``start < k < end`` would go through.

    Attributes:
        start: index in the view; -1 if the span was open before the view.
        end: index behind the stretch; ``len(view) + 1`` if its end is out of sight; one behind the
            blank line's beginning if that had to end it.
        mark: how to close and re-open it; None where a cut cannot be mended.
    """

    start: int
    end: int
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Markdown:
    """The spans of one view.

    Attributes:
        spans: formatted spans, each one after those that enclose it, and the solid ones.
        given_up: index of the first blank line, if a span carried into the view was still open
            there: such a span has to be closed right before it. None otherwise.
    """

    spans: tuple[Span, ...]
    given_up: int | None

    def marks_at(self, index: int) -> tuple[Mark, ...]:
        """The marks that are open at ``index``, outermost first."""
        return tuple(s.mark for s in self.spans if s.mark and s.start < index < s.end)

    def carried_marks_at(self, index: int) -> tuple[Mark, ...]:
        """Those of them that were open before the view already."""
        return tuple(
            s.mark for s in self.spans if s.mark and s.start < 0 and s.start < index < s.end
        )

    def cover(self, size: int) -> bytes:
        """For each cut from 0 to ``size``: PLAIN, FORMATTED or SOLID."""
        cover = bytearray(size + 1)
        for kind in (FORMATTED, SOLID):
            for span in self.spans:
                if (span.mark is None) == (kind == SOLID):
                    first, stop = max(span.start + 1, 0), min(span.end, size + 1)
                    cover[first:stop] = bytes((kind,)) * max(stop - first, 0)
        return bytes(cover)


def scan(view: str, carried: Sequence[Mark] = ()) -> Markdown:
    """Find the spans of a view.

    Args:
        view: the text to look at; takes time linear in its length.
        carried: marks that are open where the view begins, outermost first; code only as the last.

    Returns:
        The spans; the same for the same view, whatever text follows it.
    """
    return _Scanner(view, carried).run()


@dataclass(frozen=True, slots=True)
class _Open:
    start: int
    mark: Mark


class _Scanner:
    """One walk over one view: the stack of open marks, and what has been closed so far."""

    __slots__ = ("_blank_at", "_given_up", "_no_end", "_pos", "_spans", "_stack", "_view")

    def __init__(self, view: str, carried: Sequence[Mark]) -> None:
        self._view = view
        self._pos = 0
        self._stack = [_Open(-1, mark) for mark in carried]
        self._spans: list[Span] = []
        self._given_up: int | None = None
        self._blank_at = -1
        self._no_end: dict[str, int] = {}

    def run(self) -> Markdown:
        if self._stack and self._stack[-1].mark.is_code:
            carried = self._stack.pop()
            self._code(carried.start, 0, carried.mark)
        while self._given_up is None and (token := _TOKEN.search(self._view, self._pos)):
            self._pos = token.end()
            self._read(token)
        edge = len(self._view) if self._given_up is None else self._given_up
        self._spans.extend(Span(o.start, edge + 1, o.mark) for o in self._stack)
        self._spans.sort(key=lambda s: (s.start, -s.end))
        return Markdown(tuple(self._spans), self._given_up)

    def _read(self, token: re.Match[str]) -> None:
        match token.lastgroup:
            case "solid":
                # A backslash at the end of a part would escape the mark that closes it.
                self._solid(token.start(), token.end() + (token[0] == "\\"))
            case "blank":
                self._blank(token.start())
            case "fence":
                language = _LANGUAGE.match(self._view, token.end())
                body = language.end() if language else token.end()
                name = language[1] if language else ""
                self._code(token.start(), body, Mark(f"```{name}\n", "\n```"))
            case "code":
                self._code(token.start(), token.end(), Mark(token[0], token[0]))
            case _:
                self._run(token)

    def _solid(self, start: int, end: int) -> None:
        self._spans.append(Span(start, end, None))

    def _opening(self, start: int, end: int) -> None:
        """No cut in an opening mark, nor between it and the first word."""
        while self._view[end : end + 1].isspace():
            end += 1
        self._solid(start, end + 1)

    def _closing(self, start: int, end: int) -> None:
        """No cut between the last word and a closing mark, nor in the mark."""
        while self._view[start - 1 : start].isspace():
            start -= 1
        self._solid(start - 1, end)

    def _blank(self, at: int) -> None:
        """A blank line ends every inline span: what was opened in view was plain text."""
        if any(o.start < 0 for o in self._stack):
            self._given_up = at
        self._stack = [o for o in self._stack if o.start < 0]

    def _code(self, start: int, body: int, mark: Mark) -> None:
        """Walk over code: to its end, to the edge of the view, or not at all if it never ends."""
        if start >= 0:
            self._opening(start, body)
        blank = len(self._view) if mark.is_fence else self._next_blank(body)
        closing = self._code_end(body, blank, mark)
        if closing:
            self._spans.append(Span(start, closing.end(), mark))
            self._closing(*closing.span())
            self._pos = closing.end()
        elif blank == len(self._view):
            self._spans.append(Span(start, blank + 1, mark))
            self._pos = blank
        elif start < 0:
            self._spans.append(Span(start, blank + 1, mark))
            self._given_up = blank

    def _next_blank(self, at: int) -> int:
        """Index of the first blank line from ``at`` on; the view's length if there is none."""
        if self._blank_at < at:
            blank = _BLANK_LINE.search(self._view, at)
            self._blank_at = blank.start() if blank else len(self._view)
        return self._blank_at

    def _code_end(self, body: int, stop: int, mark: Mark) -> re.Match[str] | None:
        """The closing run before ``stop``; what was looked for in vain is not looked for again."""
        if self._no_end.get(mark.closing) == stop:
            return None
        pattern = _FENCE_END if mark.is_fence else _CODE_END[mark.closing]
        closing = pattern.search(self._view, body, stop)
        if not closing:
            self._no_end[mark.closing] = stop
        return closing

    def _run(self, token: re.Match[str]) -> None:
        """A run of one marking character: closes what is open, or else opens."""
        run, (start, end) = token[0], token.span()
        kind = run[0]
        before, after = self._view[start - 1 : start], self._view[end : end + 1]
        # As Discord reads them: a spoiler may have spaces inside, `_` does not work inside words.
        inside_word = kind == "_" and _is_word(before) and _is_word(after)
        touches_before = kind == "|" or bool(before.strip())
        touches_after = kind == "|" or bool(after.strip())
        left = run if len(run) in ((2,) if kind in "~|" else (1, 2, 3)) else ""
        if left and touches_before and not inside_word:
            left = self._close(left, start, end)
        if left and touches_after and not inside_word:
            self._open(left, start, end)
        else:
            self._solid(start, end)

    def _close(self, run: str, start: int, end: int) -> str:
        """Close the marks that the run is made of, and give back what closes nothing."""
        while run:
            marks = (run[:1], run[:2]) if len(run) == 3 else (run,)
            found = [i for i, o in enumerate(self._stack) if o.mark.opening in marks]
            if not found:
                break
            opened, above = self._stack[found[-1]], self._stack[found[-1] + 1 :]
            # What was opened inside and not closed is plain text; marks of one run (and those that
            # were carried in) may be closed in either order.
            self._stack[found[-1] :] = [o for o in above if o.start == opened.start]
            self._spans.append(Span(opened.start, end, opened.mark))
            self._closing(start, end)
            run = run[len(opened.mark.opening) :]
        return run

    def _open(self, run: str, start: int, end: int) -> None:
        for mark in (run[:2], run[:1]) if len(run) == 3 else (run,):
            if all(o.mark.opening != mark for o in self._stack):
                self._stack.append(_Open(start, Mark(mark, mark)))
        self._opening(start, end)


def _is_word(character: str) -> bool:
    return character.isalnum()
