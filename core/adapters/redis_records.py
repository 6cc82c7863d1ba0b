"""The StoryRecords port on Redis: all records of a story, in bulk, as an archive needs them.

Nothing is written, and no index is needed: a database that is only looked at needn't be prepared.
What was stored in an earlier format is brought up to date while it is read.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_migrations import Kind, NewerFormatError, upgraded, upgraded_change
from core.adapters.redis_schema import (
    Record,
    read_change,
    read_entry,
    read_story,
    read_turn,
)
from core.adapters.redis_story_store import texts
from core.adapters.redis_vectors import VectorSpace
from core.archive_ports import Remembered, Seen
from core.domain.audit import Change
from core.domain.story import Story, StoryId, Turn, Vector
from core.errors import RecordError

_HELD = frozenset({"due"})
"""What a worker that holds a story goes on changing without changing the story."""

_PAGE = 1000
"""Keys that are looked through at once."""


class RedisRecords:
    """Reads whole stories.

    Args:
        database: open; stays open.
        vectors: whose vectors are read; None where none were ever made.
    """

    def __init__(self, database: RedisDatabase, vectors: VectorSpace | None) -> None:
        self._database = database
        self._vectors = vectors

    async def stories(self, channel: int | None = None) -> list[StoryId]:
        """See StoryRecords."""
        of = "*" if channel is None else f"{{{channel}}}:*"
        pages = self._database.matching(f"{keys.STORY_PREFIX}{of}", _PAGE)
        found = {keys.named_story(key) async for page in pages for key in page}
        return sorted(filter(None, found))

    async def seen(self, story: StoryId) -> Seen | None:
        """See StoryRecords."""
        record = texts(await self._database.hash(keys.story(story)))
        if not record:
            return None
        turns = await self._database.size(keys.turns(story))
        changes = await self._database.length(keys.changes(story))
        state, fault = _read_state(story, record)
        if state is not None and state.head is not None:
            # A story that is being deleted loses its turns before anything else.
            there = await self._database.field(keys.turn(story, state.head), "format")
            turns = turns if there else 0
        marks = tuple(sorted((n, value) for n, value in record.items() if n not in _HELD))
        made_by = record.get("created_by", b"").decode("utf-8", "replace")
        return Seen(state, made_by, turns, changes, marks, fault)

    async def turn_ids(self, story: StoryId) -> list[str]:
        """See StoryRecords."""
        places = await self._database.hash(keys.turns(story))
        found: list[tuple[int, str, str]] = []
        for place, turn_id in places.items():
            branch, _, number = place.decode().rpartition(" ")
            found.append((int(number), branch, turn_id.decode()))
        return [turn_id for _, _, turn_id in sorted(found)]

    async def turns(self, story: StoryId, ids: Sequence[str]) -> list[Turn]:
        """See StoryRecords."""
        named = [keys.turn(story, turn_id) for turn_id in ids]
        found = await self._database.hashes(named)
        return [_read_turn(key, texts(record)) for key, record in zip(named, found, strict=True)]

    async def entries(self, story: StoryId, ids: Collection[str]) -> list[Remembered]:
        """See StoryRecords."""
        named = [keys.memory(story, entry_id) for entry_id in sorted(ids)]
        found = await self._database.hashes(named)
        there = zip(named, map(texts, found), strict=True)
        return [self._remembered(key, record) for key, record in there if record]

    async def changes(self, story: StoryId, first: int, limit: int) -> list[Change]:
        """See StoryRecords."""
        key = keys.changes(story)
        found = await self._database.items(key, first - 1, first + limit - 2) if limit else []
        return [read_change(key, upgraded_change(data)) for data in found]

    def _remembered(self, key: str, record: Record) -> Remembered:
        present, space = upgraded(Kind.ENTRY, record, self._vectors), self._vectors
        vector = Vector(present.get(space.field, b"")) if space else Vector(b"")
        return Remembered(read_entry(key, present, vector), space.name if space and vector else "")


def _read_state(story: StoryId, record: Record) -> tuple[Story | None, str]:
    """The story, or what is wrong with its record. Raises RecordError for a newer format."""
    key = keys.story(story)
    try:
        return replace(read_story(key, upgraded(Kind.STORY, record)), due=None), ""
    except NewerFormatError as error:
        raise NewerFormatError(f"The record {key} can't be read. {error}") from error
    except RecordError as error:
        return None, str(error)


def _read_turn(key: str, record: Record) -> Turn:
    if not record:
        raise RecordError(f"There is no record {key}.")
    return read_turn(key, upgraded(Kind.TURN, record))
