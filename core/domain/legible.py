"""Text as people see it: without what is invisible, turns a line round or floods its neighbours.

Members and models can write characters that nobody sees and that act all the same: controls,
overrides of the writing direction, "tags" that spell hidden words, towers of accents, halves of a
character. They go here, once, before a text is stored, shown or put into a prompt, so that what a
model reads is what people can read. Letters, accents, emoji and joiners of every script stay. What
markdown means on a stage is bot/render's business, what a mark in a prompt is marks'.
"""

import re
import unicodedata

import regex

MARKS_MAX = 6
"""Accents that may stand on one character: a Burmese syllable has five, a tower of them dozens."""
RUN_MAX = 8
"""Accents, joiners and the like in a row: the flag of a region takes six, nothing else more."""

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1f\x85\u2028\u2029]")
"""What some reader takes for the end of a line; str.split takes them all for white space."""
_UNSEEN = regex.compile(
    "("
    "\U0001f3f4[\U000e0020-\U000e007e]{1,7}\U000e007f"  # the flag of a region: stays
    ")|["
    "\x00-\x08\x0e-\x1b\x7f-\x9f"  # controls
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates of the writing direction
    "\u206a-\u206f\ufeff\ufff9-\ufffb"  # deprecated, or no part of plain text
    r"\p{Noncharacter_Code_Point}"
    "\U000e0000-\U000e007f"  # tags
    "]"
)
_RUN = regex.compile(rf"[\p{{M}}\p{{Default_Ignorable_Code_Point}}]{{{MARKS_MAX + 1},}}+")
_SEEN = regex.compile(r"[^\s\p{Cc}\p{Cf}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]")
"""U+2800 is the braille pattern without a dot. A lone half of a character is seen as U+FFFD."""


def legible(text: str) -> str:
    """The text without what can't be seen; never longer, and the same again for its own result.

    All ends of lines become line feeds. Halves of a character are joined, those that stay alone
    become U+FFFD.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _RUN.sub(_calmed, _UNSEEN.sub(r"\1", _LINE_ENDS.sub("\n", whole)))


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    return not _SEEN.search(text)


def _calmed(run: "regex.Match[str]") -> str:
    """A run of accents and invisible characters, cut to what a reader can tell apart."""
    kept: list[str] = []
    marks = 0
    for character in run[0]:
        marks += unicodedata.category(character) in {"Mn", "Me", "Mc"}
        if marks <= MARKS_MAX:
            kept.append(character)
    return "".join(kept[:RUN_MAX])
