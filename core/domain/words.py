"""The words of a text as full-text search knows them: stored with an entry, asked for by a query.

Where words are parted by spaces, they are what they are; the search module knows their stems. Han,
kana, Thai, Lao, Khmer and Burmese run on without spaces: there every two neighbouring characters
count as a word (bigrams, the usual way to search these scripts without a dictionary). A text and
its query are cut in the same way, so they meet.
"""

import unicodedata
from collections.abc import Iterator

import regex

_COMMON = (
    "a an and are as at be but by for from had has have he her him his if in into is it its no not"
    " of on or she so such that the their them then there these they this to was were what when"
    " where which who will with"
)
STOP_WORDS = frozenset(_COMMON.split())
"""English words that are in every entry. They hold those that the search module leaves out of its
index (its default list), so that a query of nothing else is never asked."""

_RUN = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
# A word begins with a letter or a digit; accents and vowel signs are part of it.
_SPACED = rf"(?![{_RUN}])[\p{{L}}\p{{N}}](?:(?![{_RUN}])[\p{{L}}\p{{N}}\p{{M}}])*"
_WORD = regex.compile(rf"(?P<run>[{_RUN}]+)|{_SPACED}")
_HAS_RUN = regex.compile(rf"[{_RUN}]")
_PLAIN_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*")
"""The same where no script without spaces is in the text, which most texts know nothing of."""
_UNSEEN = regex.compile(r"\p{Default_Ignorable_Code_Point}")
"""Joiners, selectors and the like: a word with one of them is the word without it."""


def search_words(text: str) -> list[str]:
    """The words of a text, in order, in lower case; letters and digits only."""
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold())
    if _HAS_RUN.search(plain) is None:
        return _PLAIN_WORD.findall(plain)
    return [word for found in _WORD.finditer(plain) for word in _cut(found)]


def _cut(found: "regex.Match[str]") -> Iterator[str]:
    run = found["run"]
    if run is None or len(run) == 1:
        yield found[0]
    else:
        yield from (run[at : at + 2] for at in range(len(run) - 1))
