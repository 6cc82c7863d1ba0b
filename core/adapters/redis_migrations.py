"""Brings records of earlier formats up to date: pure functions, one step per format and kind.

``upgraded`` chains the steps from the format that a record says it has to the present one. Each
step is frozen once its format was released: it says in its own words what a field was taken to be
where it was missing, and knows nothing of the classes that records are read into, which go on
changing. What it gives is checked by the readers of redis_schema before anybody stores it.

    1 → 2  Fields that came to stories, turns and changes over time, and were read as a default
           where they were missing, stand in every record. Entries of before there were kinds are
           summaries, and have words to be found by. A vector stands in a field of its embedder's.

Walking through a database is the business of redis_upgrade.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from core.adapters.redis_schema import FORMAT, Record
from core.adapters.redis_vectors import VectorSpace
from core.domain.words import search_words
from core.errors import RecordError


class NewerFormatError(RecordError):
    """A record that a newer version wrote."""


class Kind(StrEnum):
    """The kinds of records that have a format."""

    STORY = "story"
    TURN = "turn"
    ENTRY = "memory entry"
    CHANGE = "logged change"
    """An element of a list: as a record it has the fields ``format`` and ``change``."""


Step = Callable[[dict[str, bytes], VectorSpace | None], dict[str, bytes]]
"""From a record of one format to the next; the second argument as in ``upgraded``."""


def upgraded(kind: Kind, record: Record, made_by: VectorSpace | None = None) -> Record:
    """A record in the present format; one that has it already, as it is.

    Args:
        kind: what it is.
        record: of any format up to the present one.
        made_by: whose the vector of a memory entry is, where its format doesn't say so. Without
            it such an entry comes out without a vector, which is then made again.

    Raises:
        NewerFormatError: it is of a newer format.
        RecordError: it is of none, or isn't what its format says.
    """
    at = format_of(record)
    if at > int(FORMAT):
        raise NewerFormatError(
            f"It has format {at}, and this version reads format {FORMAT}: start the version of"
            " Talewheel that wrote it, or a newer one."
        )
    now = dict(record)
    for step in STEPS[kind][at - 1 :]:
        try:
            now = step(now, made_by)
        except KeyError as error:
            raise RecordError(f"It has no field {error.args[0]!r}.") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise RecordError(f"It isn't what its format says: {error}.") from error
        at += 1
        now["format"] = str(at).encode()
    return now


def format_of(record: Record) -> int:
    """The number of a record's format. Raises RecordError."""
    try:
        number = int(record["format"])
    except (KeyError, ValueError) as error:
        raise RecordError("It doesn't say which format it has.") from error
    if number < 1:
        raise RecordError(f"There is no format {number}.")
    return number


def upgraded_change(data: bytes) -> bytes:
    """A logged change, as it stands in its list, in the present format. Raises RecordError."""
    plain = _loaded(data)
    if not isinstance(plain, dict):
        raise RecordError("It isn't a change.")
    stored = cast(dict[str, object], plain)
    if stored.keys() != {"format", "change"}:
        raise RecordError("It isn't a change and its format.")
    record = {
        "format": str(stored["format"]).encode(),
        "change": _dumped(stored["change"]),
    }
    now = upgraded(Kind.CHANGE, record)
    if now == record:
        return data
    return b'{"format":"%b","change":%b}' % (now["format"], now["change"])


# ── 1 → 2 ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Shape:
    """An object in JSON: what its fields were taken to be where they were missing.

    Attributes:
        lacking: field → its value where it is missing.
        inside: field → the shape of the object in it, or of each object of its list.
    """

    lacking: Mapping[str, object] = field(default_factory=dict[str, object])
    inside: "Mapping[str, _Shape | _Kinds]" = field(default_factory=dict[str, Any])

    def filled(self, plain: object) -> object:
        """The object, or each object of a list, with all its fields; null stays null."""
        if isinstance(plain, list):
            return [self.filled(one) for one in cast(list[object], plain)]
        if not isinstance(plain, dict):
            return plain
        whole = {**self.lacking, **cast(dict[str, object], plain)}
        for name, shape in self.inside.items():
            if name in whole:
                whole[name] = shape.filled(whole[name])
        return whole


@dataclass(frozen=True)
class _Kinds:
    """Objects of several shapes, told apart by their "kind"."""

    shapes: Mapping[str, _Shape]

    def filled(self, plain: object) -> object:
        """See _Shape."""
        if isinstance(plain, list):
            return [self.filled(one) for one in cast(list[object], plain)]
        if not isinstance(plain, dict):
            return plain
        named = cast(dict[str, object], plain)
        shape = self.shapes.get(str(named.get("kind")))
        return named if shape is None else shape.filled(named)


_PLAN = _Shape({"edited": False})
_TALLY = _Shape({"winner": None, "tied": []})
_USAGE = _Shape(
    {
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "completion_tokens": 0,
        "calls": 0,
        "first_text_s": None,
        "total_s": 0.0,
        "prompt_bytes": 0,
    }
)
_SETTINGS = _Shape(
    {
        "vote_s": 3600,
        "sentences": 20,
        "rule": "approval",
        "quorum": 1,
        "notify_role": None,
        "moderator_role": None,
    }
)
_FACT = _Shape({"ends": [], "dropped": False})
_DRAFT = _Shape(
    {"usage": {}, "decided": None, "calls": 0},
    {"plan": _PLAN, "usage": _USAGE, "decided": _TALLY},
)
_BRIEF = _Shape({"genre": "", "style": "", "language": "English", "title": "", "outline": ""})
_PAUSE = _Shape({"vote_left_s": None, "until": None, "withdrawn": False})
_OUTBOX = _Kinds(
    {
        "notice": _Shape({"after": 0, "withdraw_after": None}),
        "refresh ballot": _Shape({"after": None}),
        "whole text": _Shape({}, {"draft": _DRAFT}),
    }
)
_STATE = _Shape(
    {
        "closes_at": None,
        "extended": False,
        "offers": 0,
        "tries": 0,
        "lineage": [],
        "head": None,
        "draft": None,
        "pause": None,
        "outbox": [],
        "said": 0,
        "created_at": 0.0,
        "bytes_per_token": 4.0,
        "warned": [],
    },
    {"brief": _BRIEF, "draft": _DRAFT, "pause": _PAUSE, "outbox": _OUTBOX},
)
_TURN = _Shape(
    {
        "recalled": [],
        "usage": {},
        "written_at": 0.0,
        "reflection": None,
        "pieces": [],
        "ballot": None,
        "staged_at": None,
        "plans": [],
        "tally": None,
        "rules": None,
        "memory": None,
        "parts": [],
        "forgotten": False,
        "decided": None,
    },
    {
        "plan": _PLAN,
        "recalled": _Shape({"kind": "summary", "key": 0, "about": "", "first": 0}),
        "usage": _USAGE,
        "reflection": _Shape({"facts": [], "chapter": ""}, {"plans": _PLAN, "facts": _FACT}),
        "plans": _PLAN,
        "tally": _TALLY,
        "rules": _SETTINGS,
        "decided": _TALLY,
    },
)
_CHANGE = _Shape(
    {
        "before": "",
        "after": "",
        "number": 0,
        "turn_id": "",
        "place": 0,
        "road": None,
        "undoes": None,
        "was": None,
    },
    {"was": _Shape({"facts": [], "chapter": ""}, {"facts": _FACT})},
)


def _story_2(record: dict[str, bytes], _: VectorSpace | None) -> dict[str, bytes]:
    whole = {"turns_v": b"0", **record}
    for name, shape in (("state", _STATE), ("plans", _PLAN), ("settings", _SETTINGS)):
        whole[name] = _dumped(shape.filled(_loaded(whole[name])))
    return whole


def _turn_2(record: dict[str, bytes], _: VectorSpace | None) -> dict[str, bytes]:
    return {**record, "turn": _dumped(_TURN.filled(_loaded(record["turn"])))}


def _change_2(record: dict[str, bytes], _: VectorSpace | None) -> dict[str, bytes]:
    return {**record, "change": _dumped(_CHANGE.filled(_loaded(record["change"])))}


def _entry_2(record: dict[str, bytes], made_by: VectorSpace | None) -> dict[str, bytes]:
    whole = {"kind": b"summary", "key": b"0", "about": b"", "ends": b"", "first": b"0", **record}
    told = f"{whole['about'].decode()} {whole['text'].decode()}"
    whole.setdefault("words", " ".join(search_words(told)).encode())
    vector = whole.pop("vector", b"")
    known = made_by is not None and made_by.holds(vector)
    whole["embedder"] = made_by.tag.encode() if made_by and known else b""
    return {**whole, made_by.field: vector} if made_by and known else whole


STEPS: Mapping[Kind, tuple[Step, ...]] = {
    Kind.STORY: (_story_2,),
    Kind.TURN: (_turn_2,),
    Kind.ENTRY: (_entry_2,),
    Kind.CHANGE: (_change_2,),
}
"""By kind, the steps from format 1 to 2, from 2 to 3 and so on."""


def _loaded(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise RecordError(f"It holds something that isn't JSON: {error}.") from error


def _dumped(plain: object) -> bytes:
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")
