"""Markdown as programs read it: parsed by markdown-it-py, back to what is printed.

Twice: by CommonMark's rules alone, and with what GitHub and its kind add (tables, struck text,
addresses that become links by themselves). HTML is let through, as most programs do.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.domain.emphasis import Run, Style

COMMONMARK = MarkdownIt("commonmark").enable("strikethrough")
GITHUB = MarkdownIt("gfm-like", {"html": True})

_STYLES = {
    "em": Style.ITALIC,
    "strong": Style.BOLD,
    "s": Style.STRUCK,
    "del": Style.STRUCK,
    "code": Style.CODE,
}
_TAG = re.compile(r"<(/?)(\w+)>")
_ANCHOR = re.compile(r'<a id="([^"]*)">|</a>')


@dataclass
class Told:
    """A block of the file: its kind ("p", "h2", …), its lines, its anchors and links.

    Attributes:
        kind: the block's tag, with those that it stands in: "blockquote p".
        lines: of runs; one of each look.
        anchors: names of places that stand in it.
        links: where its links lead.
    """

    kind: str
    lines: list[list[Run]]
    anchors: list[str] = field(default_factory=list[str])
    links: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "\n".join("".join(run.text for run in line) for line in self.lines)


def read(text: str, parser: MarkdownIt = COMMONMARK) -> list[Told]:
    """The blocks of a file in order. Fails for what a book has no use for."""
    told: list[Told] = []
    around: list[str] = []
    for token in parser.parse(text):
        if token.type == "inline":
            told.append(_inline(" ".join(around), token.children or []))
        elif token.nesting == 1:
            around.append(token.tag)
        elif token.nesting == -1:
            assert around.pop() == token.tag
        else:
            raise AssertionError(f"a {token.type} in a book: {token.content!r}")
    return told


def _inline(kind: str, tokens: Sequence[Token]) -> Told:
    block = Told(kind, [[]])
    styles: list[Style] = []
    for token in tokens:
        match token.type:
            case "text":
                _add(block.lines[-1], token.content, styles)
            case "hardbreak":
                block.lines.append([])
            case "link_open":
                block.links.append(str(token.attrs["href"]))
            case "link_close":
                pass
            case "html_inline":
                _html(block, styles, token.content)
            case _ if token.nesting == 1:
                styles.append(_STYLES[token.tag])
            case _ if token.nesting == -1:
                assert styles.pop() is _STYLES[token.tag]
            case other:
                raise AssertionError(f"a {other} in a line: {token.content!r}")
    assert not styles
    return block


def _html(block: Told, styles: list[Style], tag: str) -> None:
    if anchor := _ANCHOR.fullmatch(tag):
        block.anchors += [anchor[1]] if anchor[1] else []
        return
    found = _TAG.fullmatch(tag)
    assert found, f"{tag} in a book"
    if found[1]:
        assert styles.pop() is _STYLES[found[2]]
    else:
        styles.append(_STYLES[found[2]])


def _add(line: list[Run], text: str, styles: Sequence[Style]) -> None:
    look = frozenset(styles)
    if line and line[-1].styles == look:
        line[-1] = Run(line[-1].text + text, look)
    elif text:
        line.append(Run(text, look))


def between(blocks: Sequence[Told], start: str, end: str) -> Iterator[Told]:
    """The blocks behind the first whose text is ``start``, up to the next that is ``end``."""
    texts = [block.text for block in blocks]
    first = texts.index(start) + 1
    yield from blocks[first : texts.index(end, first)]
