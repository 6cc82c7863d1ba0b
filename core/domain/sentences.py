"""Where sentences end, in any language: enough to count them, to drop the oldest, to see a torso.

Rules instead of a model: what ends a sentence is a stop of any script (Unicode's Sentence_Terminal,
and the ellipsis), with the quotes, brackets and markdown that close after it; then lists of what a
full stop means besides. Scripts without stops (Thai, Lao …) have their lines. It errs towards too
few ends: a sentence too long is kept whole, a sentence cut in two could lose its first half.

Limits on a text's size are not known here (text.py splits).
"""

import re
from itertools import pairwise

import regex

from core.domain import markdown

CLOSERS = "\"'”’“‘»›«‹)]}）］｝」』】〉》〕〗〙〛｣＂＇*_~|`"
"""What may stand between a stop and the end of its sentence. “ and « close in German, and the
marks of markdown close what they opened."""

_STOP = regex.compile(r"(?P<stop>[\p{STerm}…‥]+)(?P<closing>[" + regex.escape(CLOSERS) + "]*)")
_NARROW_STOPS = frozenset(".!?…‥‼⁇⁈⁉‽․")
"""Stops that need a space after them; the others (。।؟ …) end a sentence as they stand."""
_LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_NEXT_WORD = re.compile(r"[^\S\n]*+[\"'“„«»‘‚‹›(\[{*_~|`¿¡—–-]*+(\w?)")
_LAST_WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*\Z")
_LOOK_BACK = 24
"""Code points before a full stop in which an abbreviation is looked for."""
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_SAID_SO = ("と", "って")
"""After a closing quote these carry the Japanese sentence on: 「…。」と言った。"""

_TITLES = (
    "mr mrs ms mx messrs mme mlle dr prof st capt lt col gen sgt cpl maj cmdr adm rev fr hon pres "
    "gov sen rep mt hr sra srta ud uds vs cf viz esp e.g i.e z.b d.h u.a p.ej ph.d"
)
_SHORTENED = (
    "etc inc ltd co corp jr sr approx dept est vol bros usw bzw ca ggf evtl a.m p.m u.s u.k"
)
_COUNTED = "no nr nos fig vol p pp ch art sec núm n"

_NEVER_ENDS = frozenset(_TITLES.split())
"""A name or an example follows these."""
_MAY_END = frozenset(_SHORTENED.split())
"""These end a sentence if what follows begins like one."""
_NUMBERED = frozenset(_COUNTED.split())
"""A number follows these."""

_STOPLESS = regex.compile(
    r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Javanese}\p{Balinese}\p{Sundanese}"
    r"\p{Tai_Tham}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Viet}\p{Cham}\p{Buginese}]"
)
"""Scripts whose sentences commonly end without a sign."""
_WORD_END = regex.compile(r"[\p{L}\p{M}\p{N}]")
_GOES_ON = frozenset(",;:،؛、，；：﹐﹑(（[［{｛「『【〈《„‚&+=/")
_LIST_ITEM = re.compile(r"\s*(?:[-*+•‣>#]|\d{1,3}[.)])\s")
_WEIGHTY_MARKS = frozenset(("**", "__", "~~", "||", "```"))
"""Marks that hardly ever stand for themselves."""
_TITLE_LENGTH = 40
"""Code points that a closing line such as "The End" has at most."""


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text in any language.

    Line breaks end a sentence too (lists, verse, headings). "Mr. Vale", "e.g. this", "J. R. Vale",
    "3.14", "1. item", "“Go!” he said" and "wait … what" are not taken apart.

    Args:
        text: any text.

    Returns:
        The sentences in their order, without the white space around them, none empty. Joined they
        are the text but for white space.
    """
    return tuple(text[start:end] for start, end in _extents(text))


def shorten_from_front(text: str, max_sentences: int) -> str:
    """Drop the oldest sentences, which stand first, until at most ``max_sentences`` are left.

    Args:
        text: for instance a short-term memory, oldest fact first.
        max_sentences: how many may stay, 0 or more.

    Returns:
        The text itself if it is short enough; otherwise its end from the first sentence that stays,
        with everything between and after the sentences as it was.

    Raises:
        ValueError: ``max_sentences`` is negative.
    """
    if max_sentences < 0:
        raise ValueError(f"max_sentences is {max_sentences}: it must be 0 or more")
    extents = _extents(text)
    if len(extents) <= max_sentences:
        return text
    return text[extents[-max_sentences][0] :] if max_sentences else ""


def ends_cut_off(text: str) -> bool:
    """Whether a paragraph evidently stops in the middle of a sentence.

    It answers False when in doubt: for scripts that write no stops, a dash (broken-off speech), an
    emoji, a list item, a line of its own in capitals ("The End"), a wholly marked line, no text.
    It only adds to what the model's server says about why the text ended.

    Args:
        text: a paragraph, or several; the last decides.

    Returns:
        True if the text ends in a word, a comma, a colon, an opening bracket or a hyphen, or in the
        middle of a marked stretch (an unclosed ``**`` or fence).
    """
    body = text.rstrip()
    if _STOPLESS.search(body, body.rfind("\n") + 1):
        return False
    if any(m.closing.strip() in _WEIGHTY_MARKS for m in markdown.scan(body).marks_at(len(body))):
        return True
    core = body.rstrip(CLOSERS + " \t")
    if not core or body.endswith("```"):
        return False
    if _WORD_END.match(core[-1]):
        return not _may_lack_a_stop(body)
    return core[-1] in _GOES_ON or (core.endswith("-") and not core.endswith("--"))


def whole_sentences(text: str) -> str:
    """Of a text that still grows, the part up to the end of its last surely complete sentence."""
    extents = _extents(text)
    return text[: extents[-2][1]] if len(extents) > 1 else ""


def whole_words(text: str) -> str:
    """Of a text that still grows, all but its last word; all of it where no spaces are used."""
    head, space, _ = text.rstrip().rpartition(" ")
    return head if space else text


def sentence_ends(text: str) -> list[int]:
    """Indices behind each stop (with what closes after it) that ends a sentence, ascending.

    Line breaks are not among them. What follows the text is not asked: its edge counts as an end.
    """
    return [m.end() for m in _STOP.finditer(text) if _is_end(text, m)]


def _extents(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, without the white space around it."""
    bounds = {0, len(text), *sentence_ends(text), *(m.end() for m in _LINE_END.finditer(text))}
    extents: list[tuple[int, int]] = []
    for start, end in pairwise(sorted(bounds)):
        piece = text[start:end]
        if words := piece.strip():
            first = start + len(piece) - len(piece.lstrip())
            extents.append((first, first + len(words)))
    return extents


def _is_end(text: str, match: "regex.Match[str]") -> bool:
    after = text[match.end() : match.end() + 1]
    stop, closing = match["stop"], match["closing"]
    if not _NARROW_STOPS.issuperset(stop):
        if stop == "．" and after.isdigit():
            return False
        return not (closing and text.startswith(_SAID_SO, match.end()))
    if after and not after.isspace():
        return stop != "." and bool(_UNSPACED.match(after))
    following = _NEXT_WORD.match(text, match.end())
    word = following[1] if following else ""
    if word.islower() and (closing or stop.endswith(("…", "..", "‥"))):
        return False
    return stop != "." or not _is_abbreviation(text, match.start(), word)


def _is_abbreviation(text: str, stop: int, following: str) -> bool:
    """Whether the full stop at ``stop`` belongs to the word before it.

    Args:
        text: the text.
        stop: index of the full stop.
        following: the first letter of the next word of the line, or nothing.
    """
    found = _LAST_WORD.search(text[max(0, stop - _LOOK_BACK) : stop])
    if not found or not following:
        return False
    word, begin = found[0], stop - len(found[0])
    folded = word.casefold()
    if folded in _NEVER_ENDS or (len(word) == 1 and word.isupper() and word != "I"):
        return True
    if word.isdecimal() and len(word) <= 3:
        return not text[max(0, begin - _LOOK_BACK) : begin].rpartition("\n")[2].strip()
    if following.isdigit():
        return folded in _NUMBERED
    return following.islower() and ("." in word or folded in _MAY_END)


def _may_lack_a_stop(body: str) -> bool:
    """Whether the last line, which ends in a word, is of a kind that is written without a stop."""
    before, _, line = body.rpartition("\n")
    if _LIST_ITEM.match(line):
        return True
    words = line.strip()
    if words[0] in "*_" and words[0] == words[-1]:
        return True
    title = len(words) <= _TITLE_LENGTH and not any(w[0].islower() for w in words.split())
    return bool(before.strip()) and title
