"""What Discord's client would make of a message: a small reading of its markdown, for tests.

It knows nothing of how bot/render writes. It follows the order of the client's own rules (escapes
first, then blocks at a line's beginning, then what stands in a line) and takes in doubt the worse
reading: every sign that ends a line for JavaScript does, and its white space counts.
"""

import re
from dataclasses import dataclass, field

_WHITE = r"[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_REST = r"[^\n\r\u2028\u2029]*"

_BLOCKS = (
    ("quote", re.compile(rf" *>>> ([\s\S]*)| *> ({_REST})")),
    ("subtext", re.compile(rf"{_WHITE}*-#{_WHITE}+({_REST})")),
    ("heading", re.compile(rf"{_WHITE}*#{{1,3}}{_WHITE}+({_REST})")),
    ("list", re.compile(rf"{_WHITE}*(?:[-*+]|\d+[.)]){_WHITE}+({_REST})")),
)
_INLINE = (
    ("escape", re.compile(r"\\([^0-9A-Za-z\s])")),
    ("codeblock", re.compile(r"```(?:[\w+.#-]+\n)?\n*([^\n][\s\S]*?)\n*```")),
    ("autolink", re.compile(r"<(https?://[^\s<>]+)>")),
    ("url", re.compile(r"https?://[^\s<]+[^<.,:;\"'\]\s]", re.IGNORECASE)),
    ("masked", re.compile(r"\[((?:[^\[\]]|\\.)*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?\s*\)")),
    ("mention", re.compile(r"<(?:@[!&]?|#)\d+>|@(?:everyone|here)|<id:\w+>|<sound:\d+:\d+>")),
    ("emoji", re.compile(r"<a?:\w+:\d+>")),
    ("timestamp", re.compile(r"<t:-?\d{1,17}(?::[tTdDfFR])?>")),
    ("command", re.compile(r"</[^>]*:\d+>")),
    ("spoiler", re.compile(r"\|\|([\s\S]+?)\|\|")),
    ("code", re.compile(r"(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)")),
    ("strong", re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)")),
    ("underline", re.compile(r"__((?:\\[\s\S]|[^\\])+?)__(?!_)")),
    ("strike", re.compile(r"~~([\s\S]+?)~~(?!_)")),
    ("em", re.compile(r"\b_((?:__|\\[\s\S]|[^\\_])+?)_\b")),
    ("em", re.compile(r"\*(?=\S)((?:\*\*|\\[\s\S]|[^*\\])+?)(?<!\s)\*(?!\*)")),
)
_CARD = re.compile(r"discord(?:app)?\.[a-z]+/?", re.IGNORECASE)
_PLAIN = re.compile(r"[^\\`<h@\[|*_~\n\r\u2028\u2029]+", re.IGNORECASE)
_ENDS = "\n\r\u2028\u2029"
_WITH_TEXT = {"strong", "underline", "strike", "em", "spoiler"}
_LITERAL = {"codeblock", "code", "autolink", "url"}

EMPHASIS = frozenset({"strong", "em", "underline", "strike", "code"})
LINKS = frozenset({"url", "autolink"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader sees.

    Attributes:
        text: the words, without the marks that worked.
        found: what worked, in order: its name, and what it holds.
    """

    text: str
    found: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def names(self) -> set[str]:
        """The kinds of things that worked."""
        return {name for name, _ in self.found}


def read(source: str) -> Reading:
    """How a message or a component's text is shown."""
    found: list[tuple[str, str]] = []
    text = _lines(source, found)
    found += [("card", card) for card in _CARD.findall(source)]
    return Reading(text, found)


def _lines(source: str, found: list[tuple[str, str]]) -> str:
    """Text whose beginning is the beginning of a line."""
    for name, pattern in _BLOCKS:
        if block := pattern.match(source):
            inside = next(group for group in block.groups() if group is not None)
            found.append((name, inside))
            shown = "> " if name == "quote" else "• " if name == "list" else ""
            return shown + _lines(inside, found) + _inline(source[block.end() :], found)
    return _inline(source, found)


def _inline(source: str, found: list[tuple[str, str]]) -> str:
    shown: list[str] = []
    at = 0
    while at < len(source):
        if source[at] in _ENDS:
            return "".join(shown) + "\n" + _lines(source[at + 1 :], found)
        if plain := _PLAIN.match(source, at):
            shown.append(plain[0])
            at = plain.end()
            continue
        for name, pattern in _INLINE:
            if token := pattern.match(source, at):
                shown.append(_shown(name, token, found))
                at = token.end()
                break
        else:
            shown.append(source[at])
            at += 1
    return "".join(shown)


def _shown(name: str, token: re.Match[str], found: list[tuple[str, str]]) -> str:
    if name == "escape":
        return token[1]
    inside = token[token.lastindex] if token.lastindex else token[0]
    found.append((name, token[0] if name == "masked" else inside))
    if name in _WITH_TEXT:
        return _inline(inside, found)
    if name in _LITERAL:
        return inside
    return token[1] if name == "masked" else token[0]
