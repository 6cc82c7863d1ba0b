"""The marks round what members and models wrote, and data in which nothing can pass for a mark.

A part of a prompt stands between ``<premise>`` and ``</premise>``. Whatever could be read as such a
mark inside it, in any case, width or alphabet, with anything invisible in between or with another
bracket, loses its bracket; so do the signs with which common models part one message from the next,
since some servers obey them inside a text. It is a look at a folded copy: what stays is the text as
it was written. Which parts there are and in which order is prompts' business.
"""

import unicodedata

import regex

from core.domain.legible import legible

NAMES = (
    *("title", "premise", "genre", "style", "language", "outline"),
    *("canon", "memory", "recalled", "ledger", "previous", "plan"),
    *("passage", "touched", "stretch", "refused"),
)
"""Every mark there is."""

_HARMLESS = "("
_ALIKE = {
    **dict.fromkeys(map(ord, "⁄∕⧸╱⟋〳\\"), "/"),
    **dict.fromkeys(map(ord, "аαɑᴀ"), "a"),
    **dict.fromkeys(map(ord, "сϲᴄ"), "c"),
    **dict.fromkeys(map(ord, "ԁᴅ"), "d"),
    **dict.fromkeys(map(ord, "еεᴇ"), "e"),
    **dict.fromkeys(map(ord, "ɡցɢ"), "g"),
    **dict.fromkeys(map(ord, "ꜰғƒ"), "f"),
    **dict.fromkeys(map(ord, "һհʜ"), "h"),
    **dict.fromkeys(map(ord, "іιıɩɪ"), "i"),
    **dict.fromkeys(map(ord, "1ӏǀʟ"), "l"),
    **dict.fromkeys(map(ord, "мᴍ"), "m"),
    **dict.fromkeys(map(ord, "пηռɴ"), "n"),
    **dict.fromkeys(map(ord, "оοօᴏ0"), "o"),
    **dict.fromkeys(map(ord, "рρᴘ"), "p"),
    **dict.fromkeys(map(ord, "гʀ"), "r"),
    **dict.fromkeys(map(ord, "ѕꜱ"), "s"),
    **dict.fromkeys(map(ord, "тτᴛ"), "t"),
    **dict.fromkeys(map(ord, "υսᴜ"), "u"),
    **dict.fromkeys(map(ord, "ѵνᴠ"), "v"),
    **dict.fromkeys(map(ord, "уүʏ"), "y"),
}
"""Cyrillic, Greek, Armenian, small capitals, digits: letters of the names that only look alike."""

_IGNORED = regex.compile(r"[\p{M}\p{Default_Ignorable_Code_Point}]")
_NAME = rf"(?:{'|'.join(NAMES)})(?![a-z])"
_FORGED = regex.compile(
    r"<(?=\s*(?:/\s*\w|[a-z|!?]))"  # any tag, and what parts messages: <|im_start|>, </s>
    rf"|[\p{{Ps}}\p{{Pi}}\p{{S}}ᐸᚲ](?=\s*/\s*{_NAME})"  # any sign before "/premise"
    rf"|[‹⟨〈❬❮❰⦑⧼ᐸᚲ˂≺𝈶](?=\s*{_NAME}\s*(?:[^\w\s]|[ᐸᐳᚲ]))"
    r"|\[(?=\s*/?\s*(?:inst|system_prompt|available_tools|tool_calls|tool_results)\s*\])"
)


def marked(name: str, data: str) -> str:
    """The data between its marks; nothing at all where there is no data."""
    data = as_data(data)
    return f"<{name}>\n{data}\n</{name}>" if data else ""


def as_data(text: str) -> str:
    """Text in which nothing reads as a mark: a bracket that begins one becomes a plain one."""
    text = legible(text).strip()
    if text.isascii() and "<" not in text and "[" not in text and "/" not in text:
        return text
    folded, places = _folded(text)
    characters = list(text)
    for forged in _FORGED.finditer(folded):
        characters[places[forged.start()]] = _HARMLESS
    return "".join(characters)


def _folded(text: str) -> tuple[str, list[int]]:
    """What a careless eye reads, and for each of its characters the place in the text."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for plain in unicodedata.normalize("NFKD", character).casefold():
            if not _IGNORED.match(plain):
                folded.append(plain.translate(_ALIKE))
                places.append(place)
    return "".join(folded), places
