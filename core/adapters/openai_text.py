"""What of a model's raw answer is its text: thoughts and wrapping fences fall away, JSON is found.

Some endpoints leave a model's thoughts in the answer (``<think>`` … ``</think>``), some models wrap
an answer in a markdown fence. ``VisibleText`` takes both away while the answer is still streaming
and never lets half of one through; it knows no endpoint. Whether the text is any good is
recurrence's business.
"""

import json
import re
from collections.abc import Mapping

from core.adapters.openai_json import fields
from core.domain.recurrence import UnusableAnswerError

_NAMES = ("think", "thinking", "thought", "reasoning")
"""Tags round thoughts, as the templates of common open models write them."""
_MARK = re.compile(rf"<(/?)({'|'.join(_NAMES)})>", re.IGNORECASE)
_MARKS = tuple(f"<{slash}{name}>" for slash in ("", "/") for name in _NAMES)
_LONGEST_MARK = max(map(len, _MARKS))

_FENCE = "```"
_FENCE_LINE = re.compile(r"```[\w+-]*[ \t]*\r?\n")
_FENCE_LINE_UNFINISHED = re.compile(r"`{1,3}|```[\w+-]*[ \t]*\r?")


class VisibleText:
    """The text of one streamed answer, fed piece by piece.

    However an answer is cut into pieces, the finished text is the same. While it streams, what is
    visible only grows, with one exception: thoughts whose opening mark the endpoint swallowed can't
    be told from text until their closing mark comes; then the text begins anew behind it.
    """

    def __init__(self) -> None:
        self._spoken = ""  # outside of thoughts
        self._undecided = ""  # the raw end that may still become a mark
        self._thought: str | None = None  # name of the mark whose closing is awaited

    def feed(self, piece: str) -> str:
        """Take the next piece; gives the whole text so far, outer white space stripped."""
        self._undecided += piece
        while (mark := self._next_mark()) is not None:
            self._pass(mark)
        sure = len(self._undecided) - _length_of_unfinished_mark(self._undecided)
        self._speak(self._undecided[:sure])
        self._undecided = self._undecided[sure:]
        return _shown(_without_half_character(self._spoken), finished=False)

    def finish(self) -> str:
        """The whole text, now that no piece follows; thoughts that never ended are dropped."""
        self._speak(self._undecided)
        self._undecided = ""
        return _shown(self._spoken, finished=True)

    def _next_mark(self) -> re.Match[str] | None:
        """The first mark that means something here: inside thoughts, only their own closing one."""
        marks = _MARK.finditer(self._undecided)
        if self._thought is None:
            return next(marks, None)
        return next((m for m in marks if m[1] and m[2].lower() == self._thought), None)

    def _pass(self, mark: re.Match[str]) -> None:
        opens, thinking = not mark[1], self._thought is not None
        self._speak(self._undecided[: mark.start()])
        self._undecided = self._undecided[mark.end() :]
        self._thought = mark[2].lower() if opens else None
        if not opens and not thinking:
            self._spoken = ""

    def _speak(self, text: str) -> None:
        if self._thought is None:
            self._spoken += text


def visible_text(raw: str) -> str:
    """The text of a whole answer."""
    text = VisibleText()
    text.feed(raw)
    return text.finish()


def parse_object(raw: str) -> dict[str, object]:
    """The JSON object in a model's answer, thoughts, fences and chatter round it left out.

    Raises:
        UnusableAnswerError: there is none, or it doesn't end.
    """
    text = visible_text(raw)
    start = text.find("{")
    if start < 0:
        raise UnusableAnswerError(["The answer holds no JSON object."])
    try:
        # Not strict: raw line breaks inside text are the commonest slip and leave no doubt.
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        fault = f"The answer is not valid JSON: {error}."
        raise UnusableAnswerError([fault]) from None
    return {key: _whole(part) for key, part in fields(value).items()}


def whole_characters(text: str) -> str:
    """Text that can be encoded: halves of a character joined, a half without its other replaced.

    Endpoints that escape JSON can cut a character outside the basic plane into two pieces.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _whole(value: object) -> object:
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, Mapping):
        return {key: _whole(part) for key, part in fields(value).items()}  # pyright: ignore[reportUnknownArgumentType]
    return value


def _length_of_unfinished_mark(text: str) -> int:
    """How many of the last characters could be the beginning of a mark."""
    start = text.rfind("<", -_LONGEST_MARK)
    tail = text[start:].lower()
    unfinished = start >= 0 and any(mark.startswith(tail) for mark in _MARKS)
    return len(tail) if unfinished else 0


def _without_half_character(text: str) -> str:
    return text[:-1] if text and "\ud800" <= text[-1] <= "\udbff" else text


def _shown(spoken: str, *, finished: bool) -> str:
    """Text without a wrapping fence; unfinished, also without what may yet become part of one."""
    text = spoken.lstrip()
    if not finished and _FENCE_LINE_UNFINISHED.fullmatch(text):
        return ""
    if text.startswith(_FENCE):
        text = _inside_fence(text, finished=finished)
    return whole_characters(text.strip())


def _inside_fence(text: str, *, finished: bool) -> str:
    """What stands between an opening fence and its closing one, or the end where none closes."""
    line = _FENCE_LINE.match(text)
    inside = text[line.end() if line else len(_FENCE) :]
    inside = inside.partition(_FENCE)[0]
    return inside if finished else inside.rstrip("`")
