"""Text at a limit: splitting and clipping as Discord counts, and how alike two passages are.

Discord counts UTF-16 code units. Cuts are sought in one window after another, each as long as the
limit allows, and chosen by what the window alone shows (plus the one code point behind it, which
tells whether a grapheme goes on). Hence text that arrives later cannot move a cut. What a span of
markdown is, markdown.py knows; where sentences end, sentences.py does (its functions are offered
here too). No escaping and no rendering here: bot/render.py does both.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

from core.domain import markdown
from core.domain.markdown import FORMATTED, PLAIN, SOLID, Mark
from core.domain.sentences import ends_cut_off, sentence_ends, sentences, shorten_from_front

__all__ = [
    "MESSAGE_UNITS",
    "Piece",
    "clip",
    "clip_front",
    "ends_cut_off",
    "folded",
    "joined",
    "pieces",
    "same_text",
    "sentences",
    "shorten_from_front",
    "similarity",
    "split",
    "utf16_length",
]

MESSAGE_UNITS = 2000
"""UTF-16 units in the content of a Discord message (Discord's API reference, Create Message)."""

_MENDING_UNITS_MIN = 128
"""The smallest limit at which cut spans are closed and re-opened: below it the marks (up to 56
units at a part's beginning, 16 at its end) would leave too little room for words."""

_GRAPHEME = regex.compile(r"\X")
_WORD = regex.compile(r"[\w'’]")
_WHITE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*+(?=[^\S\n]{0,24}\S)")
"""In code an indent is kept, unless it is deeper than anybody could mean."""
_NO_BREAK_SPACES = "\u00a0\u202f\u2007"

_IDEOGRAPHS = (
    "\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
"""Han, kana and bopomofo: written without spaces, a line may end after nearly every one."""
_NOT_FIRST = (
    "、。，．・：；？！｡､ー〜…‥‼⁇⁈⁉」』）】〉》〕〗〙〛｣｝］”’ゝゞヽヾ々〻"
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ,.!?;:)\\]}%»›"
)
"""What no line begins with (the core of kinsoku shori, JIS X 4051), with its Western relatives."""
_NOT_FIRST_WIDE = "、。，．：；？！｡､…」』）】〉》〕"
"""Those of them that ideographs are punctuated with."""
_NOT_LAST = "「『（【〈《〔〖〘〚｢｛［“‘(\\[{«‹"
"""What no line ends with."""
_MAY_BEGIN = re.compile(f"[^\\s{_NOT_FIRST}]")
_MAY_NOT_END = re.compile(f"[{_NOT_LAST}]")
_CLAUSE_END = re.compile(
    f"(?:(?<=[、，；：」』）】〉》〕〗〙〛])|(?<=[…”’])(?=[{_IDEOGRAPHS}]))(?=[^\\s{_NOT_FIRST}])"
)
_BETWEEN_IDEOGRAPHS = re.compile(
    f"(?<![\\s{_NOT_LAST}])(?![\\s{_NOT_FIRST}])(?:(?<=[{_IDEOGRAPHS}])|(?=[{_IDEOGRAPHS}]))"
)

_IDEOGRAPH_JOINT = re.compile(f"[{_IDEOGRAPHS}{_NOT_FIRST_WIDE}][{_IDEOGRAPHS}]")

# How good a cut is, best first.
_PARAGRAPH, _LINE, _SENTENCE, _CLAUSE, _IDEOGRAPH, _JOINT, _IN_WORD, _KINSOKU = range(8)

_TRIES = (
    (True, PLAIN),
    (True, FORMATTED),
    (False, PLAIN),
    (False, FORMATTED),
    (True, SOLID),
    (False, SOLID),
)
"""In which order cuts are looked for: at places that a reader would choose or not, through what."""
_SECOND_HALF, _NO_CUT = (2, 0, 0), (99, 0, 0)
"""Bounds for (zone, rank, -index): what is below the first lies in the window's second half."""

_IGNORED = regex.compile(r"[\p{Default_Ignorable_Code_Point}'’]")
_NOT_WORDS = regex.compile(r"[\p{P}\p{Z}\p{C}\s~`|^]+")
_UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
)
_LOOSE_SPACE = re.compile(f"(?<=[{_IDEOGRAPHS}]) | (?=[{_IDEOGRAPHS}])")


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a split text: where it comes from, and the marks that mend it.

    Attributes:
        start: index of its first code point in the text.
        end: index behind its last one.
        opening: marks that re-open what the part before closed, "" for none.
        closing: marks that close what is cut at its end, "" for none.
    """

    start: int
    end: int
    opening: str
    closing: str


def utf16_length(text: str) -> int:
    """How long Discord says that a text is: its UTF-16 code units, 2 for most emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int = MESSAGE_UNITS) -> tuple[str, ...]:
    """Split a text into messages, at the best places in any language.

    A cut is sought in the second half of what fits (then in the second quarter, and so on), where
    the best kind wins, then the latest: blank line; line break; end of a sentence; space, or end of
    a clause; between ideographs, as kinsoku allows. All of these outside markdown first, then in a
    formatted span, which is closed at the end of the part and opened again in the next, inside the
    limit (a fence with its language). Only then between graphemes in a word, and last inside what
    cannot be mended: a link, a mention, an escape. A single grapheme longer than the limit is cut
    between code points. Below a limit of 128 nothing is closed or opened.

    What holds (a part is opening + text[start:end] + closing of one of the ``pieces``):

    - each part has 1 to ``limit`` UTF-16 units, and is not blank;
    - the pieces are in order and do not overlap, and between, before and behind them there is
      nothing but white space: no text is lost, doubled or moved;
    - ``start`` and ``end`` lie between graphemes of the text, unless one is longer than a part has
      room for (the limit; from 128 on, less up to 112 units for marks);
    - stability: for every prefix p of t, ``split(p)[:-1]`` are the first parts of ``split(t)``.
      A message that has another one after it never changes while a text streams in.

    Stability is why the last part may be short: evening out the parts would move cuts that members
    have seen. It is also why a mark without partner in the window counts as open, until a blank
    line proves it plain: had it waited for the partner, the cut would depend on text yet to come.

    Args:
        text: any text.
        limit: UTF-16 units that a part may have, at least 2.

    Returns:
        The parts; none for a blank text.

    Raises:
        ValueError: ``limit`` is below 2: no emoji would fit.
    """
    return tuple(p.opening + text[p.start : p.end] + p.closing for p in pieces(text, limit))


def joined(parts: Iterable[str]) -> str:
    """One text out of parts that stand in messages of their own: a space between them.

    Between ideographs, which are written without spaces, nothing.
    """
    text = ""
    for part in parts:
        tight = text and _IDEOGRAPH_JOINT.search(text[-1] + part[:1])
        text += part if tight or not text else f" {part}"
    return text


def pieces(text: str, limit: int = MESSAGE_UNITS) -> Iterator[Piece]:
    """The parts of ``split``, as places in the text; time linear in its length.

    Args:
        text: any text.
        limit: UTF-16 units that a part may have, at least 2.

    Yields:
        The pieces in their order.

    Raises:
        ValueError: ``limit`` is below 2.
    """
    if limit < 2:
        raise ValueError(f"limit is {limit}: it must be at least 2 UTF-16 units")
    text = text[: _trimmed(text, 0, len(text))]
    start, marks = _next_start(text, 0, ()), ()
    while start < len(text):
        opening, reserve = _written(marks)
        units = limit - utf16_length(opening) - len(reserve)
        stop = _reach(text, start, units)
        view = text[start : stop + 1]
        found = markdown.scan(view, marks)
        if found.given_up is not None:
            size, marks = found.given_up, ()
            closing = _written(found.carried_marks_at(size))[1]
        elif stop == len(text):
            size, marks = len(view), ()
            closing = _written(found.carried_marks_at(size))[1]
        else:
            mendable = 0
            if limit >= _MENDING_UNITS_MIN:
                mendable = _reach(text, start, units - markdown.CLOSING_UNITS_MAX) - start
            size, marks = _cut(view, found, mendable)
            closing = _written(marks)[1]
        end = _trimmed(text, start, start + size)
        if end > start:
            yield Piece(start, end, opening, closing)
        start = _next_start(text, start + size, marks)


def clip(text: str, limit_units: int, ellipsis: str = "…") -> str:
    """Shorten a text to a limit, between words if one ends in the second half of what fits.

    Markdown is not minded: clip plain text, or escape it afterwards.

    Args:
        text: any text.
        limit_units: UTF-16 units that the result may have, ellipsis included.
        ellipsis: what stands for what was dropped.

    Returns:
        The text itself if it fits; otherwise whole graphemes of its beginning, and the ellipsis.

    Raises:
        ValueError: not even the ellipsis fits.
    """
    if utf16_length(text) <= limit_units:
        return text
    room = limit_units - utf16_length(ellipsis)
    if room < 0:
        raise ValueError(f"limit_units is {limit_units}: the ellipsis {ellipsis!r} does not fit")
    size = _reach(text, 0, room)
    view = text[: size + 1]
    borders = _borders(view)
    words = [k for k, _ in (*_spaces(view), *_ideographs(view)) if size // 2 <= k <= size]
    cut = max((k for k in words if k in borders), default=0)
    cut = cut or max((k for k in range(size + 1) if k in borders), default=0)
    return text[: _trimmed(text, 0, cut)] + ellipsis


def clip_front(text: str, limit_units: int, ellipsis: str = "…") -> str:
    """Shorten a text to a limit from its front: what ``clip`` does, with the end kept.

    Args:
        text: any text.
        limit_units: UTF-16 units that the result may have, ellipsis included.
        ellipsis: what stands for what was dropped.

    Returns:
        The text itself if it fits; otherwise the ellipsis and whole graphemes of its end, from
        between two words if that is in the first half of what fits.

    Raises:
        ValueError: not even the ellipsis fits.
    """
    if utf16_length(text) <= limit_units:
        return text
    room = limit_units - utf16_length(ellipsis)
    if room < 0:
        raise ValueError(f"limit_units is {limit_units}: the ellipsis {ellipsis!r} does not fit")
    start = _reach_back(text, room)
    borders = _borders(text)
    after_spaces = (
        white.end()
        for white in _WHITE.finditer(text, max(0, start - 1))
        if white[0].strip(_NO_BREAK_SPACES)
    )
    words = (*after_spaces, *(k for k, _ in _ideographs(text)))
    middle = (start + len(text)) // 2
    cut = min((k for k in words if start <= k <= middle and k in borders), default=None)
    if cut is None:
        cut = min(k for k in range(start, len(text) + 1) if k in borders)
    return ellipsis + text[cut:]


def same_text(a: str, b: str) -> bool:
    """Whether two texts are the same but for case, spacing, punctuation and width of characters."""
    return folded(a) == folded(b)


def similarity(a: str, b: str) -> float:
    """How much of two passages is the same, in any language, wherever in them it stands.

    Dice's coefficient of their character n-grams, counted with repetitions, after folding as in
    ``same_text``: n is 4, or 2 where most characters belong to scripts without spaces (a character
    there says as much as two or three letters). Unrelated English paragraphs score about 0.2.

    Args:
        a: a passage.
        b: another.

    Returns:
        From 0 (nothing in common) to 1 (the same text); the same for (b, a).
    """
    a, b = folded(a), folded(b)
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    unspaced = len(_UNSPACED.findall(a)) + len(_UNSPACED.findall(b))
    n = 2 if 2 * unspaced > len(a) + len(b) else 4
    grams_a, grams_b = _grams(a, n), _grams(b, n)
    # What is in both is found without making a third count of them.
    shared = sum(min(count, grams_b[gram]) for gram, count in grams_a.items() if gram in grams_b)
    return 2 * shared / (grams_a.total() + grams_b.total())


# --- windows -------------------------------------------------------------------------------------


def _written(marks: tuple[Mark, ...]) -> tuple[str, str]:
    """What opens these marks, outermost first, and what closes them again."""
    opening = "".join(m.opening for m in marks)
    return opening, "".join(m.closing for m in reversed(marks))


def _reach(text: str, start: int, units: int) -> int:
    """The last index up to which the text from ``start`` has at most ``units`` UTF-16 units."""
    stop = min(start + units, len(text))
    # Dropping half the excess can never drop too much: no code point has more than two units.
    while (excess := utf16_length(text[start:stop]) - units) > 0:
        stop -= (excess + 1) // 2
    return stop


def _reach_back(text: str, units: int) -> int:
    """The first index from which the text to its end has at most ``units`` UTF-16 units."""
    start = max(0, len(text) - units)
    while (excess := utf16_length(text[start:]) - units) > 0:
        start += (excess + 1) // 2
    return start


def _trimmed(text: str, start: int, end: int) -> int:
    """The end without trailing white space, but for a space that is part of a grapheme."""
    trimmed = start + len(text[start:end].rstrip())
    return trimmed + 1 if start < trimmed < end and _is_joined(text, trimmed) else trimmed


def _next_start(text: str, at: int, marks: tuple[Mark, ...]) -> int:
    """Where the next part begins: after white space, but in code before the indent of a line."""
    if marks and marks[-1].is_fence and (lines := _BLANK_LINES.match(text, at)):
        return lines.end()
    white = _WHITE.match(text, at)
    if not white:
        return at
    return white.end() - _is_joined(text, white.end())


def _is_joined(text: str, index: int) -> bool:
    """Whether the two code points at ``index``, one of them white space, make one grapheme."""
    grapheme = _GRAPHEME.match(text, index - 1)
    return grapheme is not None and grapheme.end() > index


# --- cuts ----------------------------------------------------------------------------------------


def _cut(view: str, found: markdown.Markdown, mendable: int) -> tuple[int, tuple[Mark, ...]]:
    """The best cut of a view that is one code point longer than what fits.

    Args:
        view: at least two code points.
        found: its markdown.
        mendable: up to this index there is room behind the cut to close whatever is open.

    Returns:
        The index of the cut, from 1 to ``len(view) - 1``, and the marks to close and re-open.
    """
    size = len(view) - 1
    borders = _borders(view)
    cover = found.cover(size)

    def best(cuts: Iterable[tuple[int, int]], kind: int) -> tuple[int, int, int]:
        reach = mendable if kind == FORMATTED and mendable else size
        return min(
            (
                (_zone(index, size), rank, -index)
                for index, rank in cuts
                if 0 < index <= reach and cover[index] == kind and index in borders
            ),
            default=_NO_CUT,
        )

    breaks = list(_breaks(view))
    for readable, kind in _TRIES:
        cut = best(breaks if readable else _joints(view), kind)
        if readable and cut > _SECOND_HALF:
            # Ideographs rank below all other breaks of the same zone: not asked for before.
            cut = min(cut, best(_ideographs(view), kind))
        if cut < _NO_CUT:
            mends = kind == FORMATTED and mendable
            return -cut[2], found.marks_at(-cut[2]) if mends else ()
    return size, ()


def _zone(index: int, size: int) -> int:
    """1 for the second half of the window, 2 for the second quarter, and so on."""
    return (size // index).bit_length()


def _borders(view: str) -> Container[int]:
    """The indices between graphemes, the view's ends included."""
    if view.isascii() and "\r" not in view:
        return range(len(view) + 1)
    return {0, *(m.end() for m in _GRAPHEME.finditer(view))}


def _spaces(view: str) -> Iterator[tuple[int, int]]:
    """Where white space begins, and how good a cut there is."""
    for white in _WHITE.finditer(view):
        if breaking := white[0].strip(_NO_BREAK_SPACES):
            lines = breaking.count("\n")
            yield white.start(), _PARAGRAPH if lines > 1 else _LINE if lines else _CLAUSE


def _breaks(view: str) -> Iterator[tuple[int, int]]:
    """The cuts that a reader would choose, and how good they are."""
    ends = set(sentence_ends(view))
    for index, rank in _spaces(view):
        yield index, min(rank, _SENTENCE) if index in ends else rank
    for index in ends:
        if _MAY_BEGIN.match(view, index):
            yield index, _SENTENCE
    for clause in _CLAUSE_END.finditer(view):
        yield clause.start(), _CLAUSE


def _ideographs(view: str) -> Iterator[tuple[int, int]]:
    for between in _BETWEEN_IDEOGRAPHS.finditer(view):
        yield between.start(), _IDEOGRAPH


def _joints(view: str) -> Iterator[tuple[int, int]]:
    """Every cut, ranked by how little it hurts: after a hyphen or the like, in a word, worse."""
    for index in range(1, len(view)):
        before = view[index - 1]
        if not _MAY_BEGIN.match(view, index) or _MAY_NOT_END.match(before):
            yield index, _KINSOKU
        else:
            yield index, _IN_WORD if _WORD.match(before) else _JOINT


# --- likeness ------------------------------------------------------------------------------------


_REMEMBERED = 64
"""Texts whose folding is remembered: each plan of a ballot is compared with all the others."""


@lru_cache(maxsize=_REMEMBERED)
def folded(text: str) -> str:
    """The words of a text for comparison, the same for texts that say the same (``same_text``).

    Case, width, punctuation and white space make no difference; a text without words is its signs.
    """
    wide = unicodedata.normalize("NFKC", text).casefold()
    plain = unicodedata.normalize("NFKC", wide)
    words = _NOT_WORDS.sub(" ", _IGNORED.sub("", plain)).strip()
    return _LOOSE_SPACE.sub("", words) or " ".join(plain.split())


@lru_cache(maxsize=_REMEMBERED)
def _grams(text: str, n: int) -> "Counter[str]":
    """How often each n-gram stands in a text; not to be changed by whoever gets it."""
    padded = f" {text} "
    return Counter(padded[i : i + n] for i in range(max(1, len(padded) - n + 1)))
