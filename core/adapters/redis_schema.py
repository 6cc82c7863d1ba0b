"""What stands inside the records in Redis: the index schemas and, beside them, the record codecs.

Every record is a hash with a ``format``. A story's hash has the fields that are looked for
(``guild``, ``phase``, ``due`` and those that put stories in order), the fields that guard a change
(``epoch`` and a version beside each versioned value), the versioned values, and ``state``: the
rest, which only the holder of the epoch changes. Numbers of the search module are doubles, which
can't hold a Discord id: to be compared it is cut in two, and to be matched it is a tag.

Reading and writing these hashes is the business of the adapters; key names are redis_keys'.
"""

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from redisvl.query.filter import FilterExpression, Tag

from core.adapters import redis_keys as keys
from core.adapters.redis_codec import Codec, CodecError
from core.adapters.redis_vectors import VectorSpace
from core.domain.audit import Change
from core.domain.entries import EntryKind, Recalled
from core.domain.story import (
    Canon,
    Memory,
    Notice,
    OfferVotes,
    Phase,
    Plan,
    Plans,
    RefreshBallot,
    RefreshProse,
    RetireBallot,
    Settings,
    Story,
    StoryId,
    Turn,
    Vector,
    WholeText,
)
from core.domain.words import search_words
from core.errors import RecordError
from core.ports import MemoryEntry

T = TypeVar("T")
Record = Mapping[str, bytes]
"""The fields of a hash, as they are sent and as they come back."""

FORMAT = "2"
"""What every record is written as and must be read as; redis_migrations brings older ones here."""
VERSIONED = ("memory", "canon", "plans", "settings", "turns")
"""Story values with a version of their own in a field <name>_v. All but "turns", which counts the
edits of turns that were told, have their value in a field <name> beside it."""
DISTANCE = "vector_distance"
"""The name that redisvl's vector queries give to the cosine distance."""

# Unit separator: stands in no name, so a tag is never cut in two (the default is the comma).
_SEPARATOR = "\x1f"
_HALF = 10**9
_CODEC = Codec(
    {Notice: "notice", RefreshBallot: "refresh ballot", RefreshProse: "refresh prose"}
    | {RetireBallot: "retire ballot", WholeText: "whole text", OfferVotes: "offer votes"}
)

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Versioned:
    """A change beside the format that it is stored in: lists have no fields."""

    format: str
    change: Change


def _tag(name: str, *, sortable: bool = False) -> dict[str, object]:
    attrs = {"separator": _SEPARATOR, "case_sensitive": True, "sortable": sortable}
    return {"name": name, "type": "tag", "attrs": attrs}


def _number(name: str, *, sortable: bool = False) -> dict[str, object]:
    return {"name": name, "type": "numeric", "attrs": {"sortable": sortable}}


def stories_schema() -> Schema:
    """The index over all stories: who is due, who is in which phase."""
    return {
        "index": {
            "name": keys.STORIES_INDEX,
            "prefix": keys.STORY_PREFIX,
            "storage_type": "hash",
        },
        "fields": [
            _tag("story"),
            _tag("order", sortable=True),
            _tag("guild"),
            _tag("phase"),
            _number("due", sortable=True),
            _number("channel_high"),
            _number("channel_low"),
            _number("serial"),
        ],
    }


def memory_schema(vectors: VectorSpace) -> Schema:
    """The index over all memory entries: exact (FLAT) cosine search within a story.

    Args:
        vectors: whose vectors are searched; an entry without one is found by the other fields.
    """
    vector = {
        "dims": vectors.dims,
        "algorithm": "flat",
        "distance_metric": "cosine",
        "datatype": "float32",
    }
    return {
        "index": {
            "name": keys.MEMORY_INDEX,
            "prefix": keys.MEMORY_PREFIX,
            "storage_type": "hash",
        },
        "fields": [
            _tag("story"),
            _tag("branch"),
            _tag("kind"),
            _tag("ends"),
            _tag("embedder"),
            _number("number", sortable=True),
            {"name": "words", "type": "text"},
            {"name": vectors.field, "type": "vector", "attrs": vector},
        ],
    }


# ── stories ──────────────────────────────────────────────────────────────────────────────────────


_OWN_FIELDS = frozenset(
    {"id", "guild", "phase", "epoch", "due", "settings_version", "turns_version", *VERSIONED},
)
"""Fields of a Story that stand in fields of their own; every other one is part of ``state``."""


def order_of(story: StoryId) -> tuple[int, int, int]:
    """Three numbers that order stories as their ids do, each exact as a double."""
    return story.channel // _HALF, story.channel % _HALF, story.serial


def identity_fields(story: Story) -> Record:
    """The fields that are written once, when the story is created."""
    high, low, serial = order_of(story.id)
    fields = {
        "story": str(story.id),
        "order": f"{story.id.channel:020d}:{story.id.serial:010d}",
        "guild": str(story.guild),
        "channel_high": str(high),
        "channel_low": str(low),
        "serial": str(serial),
        "epoch": str(story.epoch),
    }
    return {name: value.encode() for name, value in fields.items()}


def state_fields(story: Story) -> Record:
    """The fields that every change writes; ``due`` is absent for a story that waits for nobody."""
    record = {
        "format": FORMAT.encode(),
        "phase": story.phase.value.encode(),
        "state": _CODEC.encode_without(story, _OWN_FIELDS),
    }
    return record if story.due is None else {**record, "due": time_field(story.due)}


def time_field(at: float) -> bytes:
    """UTC seconds as a field: the shortest text that reads back as the same number."""
    return repr(float(at)).encode()


def versioned_fields(story: Story, name: str) -> Record:
    """One versioned value, where it has one, and its version."""
    version = {f"{name}_v": str(version_of(story, name)).encode()}
    if name == "turns":
        return version
    value = {
        "memory": story.memory.text,
        "canon": story.canon.entries,
        "plans": story.plans.options,
        "settings": story.settings,
    }[name]
    return {name: _CODEC.encode(value), **version}


def version_of(story: Story, name: str) -> int:
    """The version of a versioned value, by its name in ``Commit.writes``."""
    return {
        "memory": story.memory.version,
        "canon": story.canon.version,
        "plans": story.plans.version,
        "settings": story.settings_version,
        "turns": story.turns_version,
    }[name]


def read_story(key: str, record: Record) -> Story:
    """The story in a hash.

    Raises:
        RecordError: a field is missing, isn't what it should be, or is of a newer format.
    """
    fields = _Reader(key, record)
    return Story(
        id=fields.story("story"),
        guild=fields.whole("guild"),
        phase=fields.phase("phase"),
        epoch=fields.whole("epoch"),
        due=fields.number("due") if "due" in record else None,
        settings=fields.json(Settings, "settings"),
        settings_version=fields.whole("settings_v"),
        memory=Memory(fields.json(str, "memory"), fields.whole("memory_v")),
        canon=Canon(fields.json(tuple[str, ...], "canon"), fields.whole("canon_v")),
        plans=Plans(fields.json(tuple[Plan, ...], "plans"), fields.whole("plans_v")),
        turns_version=fields.whole("turns_v"),
        **fields.rest_of(Story, "state", _OWN_FIELDS),
    )


# ── turns and memory entries ─────────────────────────────────────────────────────────────────────


def turn_fields(turn: Turn) -> Record:
    """A turn's record."""
    return {"format": FORMAT.encode(), "turn": _CODEC.encode(turn)}


def read_turn(key: str, record: Record) -> Turn:
    """The turn in a hash. Raises RecordError."""
    return _Reader(key, record).json(Turn, "turn")


def encode_change(change: Change) -> bytes:
    """A change as it stands in the log."""
    return _CODEC.encode(Versioned(FORMAT, change))


def read_change(key: str, data: bytes) -> Change:
    """A change out of the log. Raises RecordError."""
    try:
        stored = _CODEC.decode(Versioned, data)
    except CodecError as error:
        raise RecordError(f"A change in {key} can't be read: {error}.") from error
    check_format(key, stored.format)
    return stored.change


def entry_fields(story: StoryId, entry: MemoryEntry, vectors: VectorSpace) -> Record:
    """A memory entry's record; what UTF-8 can't hold of its text is replaced by a question mark.

    Args:
        story: whose it is.
        entry: with a vector.
        vectors: whose vector it is.
    """
    return {
        **blind_entry_fields(story, entry),
        "embedder": vectors.tag.encode(),
        vectors.field: entry.vector,
    }


def blind_entry_fields(story: StoryId, entry: MemoryEntry) -> Record:
    """The record of an entry without a vector: found by its words, and to be re-embedded."""
    words = " ".join(search_words(f"{entry.about} {entry.text}"))
    return {**entry_core(story, entry), "words": words.encode(), "embedder": b""}


def entry_core(story: StoryId, entry: MemoryEntry) -> Record:
    """A memory entry's record without what is made from the rest: its words and its vector."""
    return {
        "format": FORMAT.encode(),
        "story": str(story).encode(),
        "branch": tag(entry.branch).encode(),
        "number": str(entry.number).encode(),
        "turn": entry.turn_id.encode(),
        "text": entry.text.encode("utf-8", "replace"),
        "written_at": time_field(entry.written_at),
        "kind": entry.kind.value.encode(),
        "key": str(entry.key).encode(),
        "about": entry.about.encode("utf-8", "replace"),
        "ends": _SEPARATOR.join(map(tag, entry.ends)).encode(),
        "first": str(entry.first).encode(),
    }


def read_entry(key: str, record: Record, vector: Vector) -> MemoryEntry:
    """The memory entry in a hash. Raises RecordError.

    Args:
        key: names the hash in errors.
        record: its fields; ``entry_core`` writes all that are read.
        vector: its vector, wherever that stands; empty for none.
    """
    fields = _Reader(key, record)
    return MemoryEntry(
        turn_id=fields.text("turn"),
        number=fields.whole("number"),
        branch=fields.text("branch"),
        text=fields.text("text"),
        vector=vector,
        written_at=fields.number("written_at"),
        kind=fields.entry_kind("kind"),
        key=fields.whole("key"),
        about=fields.text("about"),
        ends=tuple(filter(None, fields.text("ends").split(_SEPARATOR))),
        first=fields.whole("first"),
    )


RECALLED_FIELDS = ("turn", "number", "text", "kind", "key", "about", "first", "ends")
"""What ``read_recalled`` and ``read_ends`` read."""


def read_recalled(hit: Mapping[str, str]) -> Recalled:
    """What a query found, with the score that its sort of query gives. Raises RecordError."""
    try:
        return Recalled(
            turn_id=hit["turn"],
            number=int(hit["number"]),
            text=hit["text"],
            score=_score(hit),
            kind=EntryKind(hit["kind"]),
            key=int(hit["key"]),
            about=hit["about"],
            first=int(hit["first"]),
        )
    except (KeyError, ValueError) as error:
        raise RecordError(f"The memory entry {hit.get('id')} can't be read: {error!r}") from error


def read_ends(hit: Mapping[str, str]) -> frozenset[str]:
    """Ids of the facts that a fact ends."""
    return frozenset(filter(None, hit.get("ends", "").split(_SEPARATOR)))


def _score(hit: Mapping[str, str]) -> float:
    if DISTANCE in hit:
        return min(1.0, max(-1.0, 1.0 - float(hit[DISTANCE])))
    return float(hit.get("score", 0))


def read_story_id(text: str) -> StoryId:
    """The story that a record names. Raises RecordError."""
    try:
        channel, serial = text.split(":")
        return StoryId(int(channel), int(serial))
    except ValueError as error:
        raise RecordError(f"{text!r} names no story") from error


def matching(name: str, value: str) -> FilterExpression:
    """The filter for records whose tag is exactly this value. Raises ValueError, see ``tag``."""
    return cast(Any, Tag)(name) == tag(value)


def differing(name: str, value: str) -> FilterExpression:
    """The filter for records whose tag is anything but this value. Raises ValueError."""
    return cast(Any, Tag)(name) != tag(value)


def any_of(name: str, values: Collection[str]) -> FilterExpression:
    """The filter for records one of whose tags is one of these. Raises ValueError for none."""
    if not values:
        raise ValueError("an empty list of tags would match every record")
    return cast(Any, Tag)(name) == [tag(value) for value in values]


def tag(value: str) -> str:
    """A value that an index takes and a query finds as it stands.

    An empty tag in a query would match every record, so it is refused here, as is one that the
    index would change (outer white space goes, control characters part or end it).

    Raises:
        ValueError: no such tag can be stored or asked for.
    """
    if not value or not value.isprintable() or value != value.strip():
        raise ValueError(
            f"a tag needs printable characters and no white space around, got {value!r}"
        )
    return value


def check_format(key: str, form: str) -> None:
    """Raises RecordError unless a record has the present format."""
    if form == FORMAT:
        return
    what_to_do = "start the version of Talewheel that wrote it, or a newer one"
    if form.isdecimal() and int(form) < int(FORMAT):
        what_to_do = "the log of the last start says why it wasn't brought up to date"
    raise RecordError(
        f"The record {key} has format {form}, and this version reads format {FORMAT}: {what_to_do}."
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads fields of one record; every error names its key and format."""

    key: str
    record: Record

    def __post_init__(self) -> None:
        check_format(self.key, self.text("format"))

    def text(self, name: str) -> str:
        if name not in self.record:
            raise self.error(name, "it is missing")
        return self.record[name].decode("utf-8", "replace")

    def whole(self, name: str) -> int:
        return self._by(int, name)

    def number(self, name: str) -> float:
        return self._by(float, name)

    def phase(self, name: str) -> Phase:
        return self._by(Phase, name)

    def entry_kind(self, name: str) -> EntryKind:
        return self._by(EntryKind, name)

    def story(self, name: str) -> StoryId:
        return read_story_id(self.text(name))

    def json(self, kind: type[T], name: str) -> T:
        return self._decoded(name, lambda data: _CODEC.decode(kind, data))

    def rest_of(self, kind: type, name: str, left_out: Set[str]) -> dict[str, Any]:
        return self._decoded(name, lambda data: _CODEC.decode_without(kind, data, left_out))

    def _decoded(self, name: str, decode: Callable[[bytes], T]) -> T:
        if name not in self.record:
            raise self.error(name, "it is missing")
        try:
            return decode(self.record[name])
        except CodecError as error:
            raise self.error(name, str(error)) from error

    def error(self, name: str, why: str) -> RecordError:
        return RecordError(
            f"The record {self.key} (format {FORMAT}) can't be read: field {name}: {why}."
        )

    def _by(self, kind: Callable[[str], T], name: str) -> T:
        text = self.text(name)
        try:
            return kind(text)
        except ValueError as error:
            raise self.error(name, str(error)) from error
