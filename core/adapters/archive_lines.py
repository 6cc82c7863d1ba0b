"""The archive format: stories as JSON Lines, and the records of redis_schema in them.

UTF-8, one JSON object a line, "kind" first:

    archive    first line: "archive" (the version of this format, below), "talewheel" (which version
               wrote it), "records" (the format of the records), "at" (UTC), "embedder" and "dims"
               (what the vectors were made by; null where none is known), "application" (the bot
               whose messages the stories stand in; null where none is known)
    story      begins a story: "record", its hash
    turn       "record", a turn's hash; turns come by number, each followed by its entries
    memory     "record", an entry's hash without its vector; "embedder" and "vector" (float32,
               little-endian, base64), unless it was left out
    change     "record", an entry of the log of moderators' changes, oldest first
    story end  "story" (its id) and how many turns, entries and changes came
    end        last line: how many stories, turns, entries and changes, and "sha256" over all the
               bytes before this line

A record is an object of texts, exactly as Redis holds them, its own "format" among them: so what
brings old records up to date does so with those of old archives. A value that isn't UTF-8 (a lone
surrogate in a text) stands as {"base64": …}. What is made from the rest (an entry's words) isn't
there.

Nothing here knows files, or the order of lines: see archive_file.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from core.adapters.redis_migrations import Kind, upgraded, upgraded_change
from core.adapters.redis_schema import (
    FORMAT,
    VERSIONED,
    Record,
    encode_change,
    entry_core,
    identity_fields,
    read_change,
    read_entry,
    read_story,
    read_turn,
    state_fields,
    turn_fields,
    versioned_fields,
)
from core.archive_ports import ArchiveHeader, Remembered, StoryItem
from core.domain.audit import Change
from core.domain.moving import Totals
from core.domain.story import Story, StoryId, Turn, Vector
from core.errors import ArchiveError, RecordError

ARCHIVE = 1
"""The version of the format. A later one reads all earlier ones."""
_FIRST = "archive"


@dataclass(frozen=True, slots=True)
class StoryEnd:
    """The line behind a story's records."""

    story: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class End:
    """The last line."""

    totals: Totals
    sha256: str


Line: TypeAlias = ArchiveHeader | Story | StoryItem | StoryEnd | End


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def header_line(header: ArchiveHeader) -> bytes:
    """The first line."""
    return _line(
        _FIRST,
        archive=ARCHIVE,
        talewheel=header.version,
        records=FORMAT,
        at=header.at,
        embedder=header.embedder,
        dims=header.dims,
        application=header.application,
    )


def story_line(story: Story) -> bytes:
    """A story's own record."""
    record = {**identity_fields(story), **state_fields(story)}
    for name in VERSIONED:
        record |= versioned_fields(story, name)
    return _line("story", record=_shown(record))


def item_line(story: StoryId, item: StoryItem) -> bytes:
    """One of its other records."""
    match item:
        case Turn():
            return _line("turn", record=_shown(turn_fields(item)))
        case Change():
            return _line("change", record=_shown({"change": encode_change(item)}))
        case Remembered():
            record = entry_core(story, item.entry)
            if not item.entry.vector:
                return _line("memory", record=_shown(record))
            vector = base64.b64encode(item.entry.vector).decode()
            return _line("memory", record=_shown(record), embedder=item.embedder, vector=vector)


def story_end_line(story: StoryId, totals: Totals) -> bytes:
    """The line behind a story."""
    counts = {"turns": totals.turns, "entries": totals.entries, "changes": totals.changes}
    return _line("story end", story=str(story), **counts)


def end_line(totals: Totals, sha256: str) -> bytes:
    """The last line."""
    counts = {"turns": totals.turns, "entries": totals.entries, "changes": totals.changes}
    return _line("end", stories=totals.stories, **counts, sha256=sha256)


def _line(kind: str, **rest: object) -> bytes:
    text = json.dumps({"kind": kind, **rest}, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def _shown(record: Record) -> dict[str, object]:
    return {name: _shown_value(value) for name, value in record.items()}


def _shown_value(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def read_line(data: bytes) -> Line:
    """What a line says.

    Raises:
        ArchiveError: half a sentence on what is wrong with it.
    """
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        raise ArchiveError("it isn't JSON in UTF-8") from None
    fields = _Fields(plain)
    kind = fields.text("kind")
    if kind not in _READERS:
        raise ArchiveError(f"a line of the kind {kind[:40]!r} isn't known")
    try:
        return _READERS[kind](fields)
    except RecordError as error:
        raise ArchiveError(str(error).rstrip(".")) from error


def _read_header(fields: "_Fields") -> ArchiveHeader:
    version, archive = fields.text("talewheel"), fields.number("archive")
    if archive > ARCHIVE:
        raise ArchiveError(
            f"it is of version {archive} and was written by Talewheel {version[:40]}; this one "
            f"reads up to version {ARCHIVE}: take that Talewheel, or a newer one"
        )
    return ArchiveHeader(
        fields.text("at"),
        version,
        fields.text("embedder", none=True) or None,
        fields.number("dims", none=True) or None,
        fields.text("application", none=True) or None,
    )


def _read_memory(fields: "_Fields") -> Remembered:
    vector = fields.base64("vector") if "vector" in fields.plain else Vector(b"")
    entry = read_entry("memory", upgraded(Kind.ENTRY, fields.record()), vector)
    return Remembered(entry, fields.text("embedder") if vector else "")


def _read_change(fields: "_Fields") -> Change:
    return read_change("change", upgraded_change(fields.record().get("change", b"")))


class _Fields:
    """One line's fields, each checked when it is taken."""

    def __init__(self, plain: object) -> None:
        if not isinstance(plain, dict):
            raise ArchiveError("it isn't a JSON object")
        self.plain = cast(Mapping[str, Any], plain)

    def text(self, name: str, *, none: bool = False) -> str:
        value = self.plain.get(name)
        if isinstance(value, str):
            return value
        if none and value is None:
            return ""
        raise ArchiveError(f'"{name}" is missing, or no text')

    def number(self, name: str, *, none: bool = False) -> int:
        value = self.plain.get(name)
        if type(value) is int and value >= 0:
            return value
        if none and value is None:
            return 0
        raise ArchiveError(f'"{name}" is missing, or no whole number')

    def base64(self, name: str) -> Vector:
        try:
            value = base64.b64decode(self.text(name), validate=True)
        except (ValueError, binascii.Error):
            raise ArchiveError(f'"{name}" isn\'t base64') from None
        if not value or len(value) % 4:
            raise ArchiveError(f'"{name}" isn\'t a vector of float32')
        return Vector(value)

    def record(self) -> dict[str, bytes]:
        value = self.plain.get("record")
        if not isinstance(value, dict):
            raise ArchiveError('"record" is missing')
        return {name: _hidden(one) for name, one in cast(dict[str, object], value).items()}

    def totals(self) -> Totals:
        stories = self.number("stories") if "stories" in self.plain else 0
        counts = (self.number(name) for name in ("turns", "entries", "changes"))
        return Totals(stories, *counts)


def _hidden(value: object) -> bytes:
    """The bytes that ``_shown_value`` shows."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    match value:
        case {"base64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except (ValueError, binascii.Error):
                pass
        case _:
            pass
    raise ArchiveError("a value of its record is neither text nor base64")


_READERS: Mapping[str, Callable[[_Fields], Line]] = {
    _FIRST: _read_header,
    "story": lambda fields: read_story("story", upgraded(Kind.STORY, fields.record())),
    "turn": lambda fields: read_turn("turn", upgraded(Kind.TURN, fields.record())),
    "memory": _read_memory,
    "change": _read_change,
    "story end": lambda fields: StoryEnd(fields.text("story"), fields.totals()),
    "end": lambda fields: End(fields.totals(), fields.text("sha256")),
}
