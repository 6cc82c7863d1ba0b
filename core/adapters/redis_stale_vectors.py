"""The StaleVectors port on Redis: entries that the index tells apart by a tag, and new vectors.

A vector is put in by a script that compares first: only the entry that still says what the vector
is of gets it, so what was amended keeps what it was given and what was forgotten doesn't come back.
Nothing waits for the disk: a vector that a crash of the server takes back is made again.

The index is made for one embedder at a time. A process whose embedder isn't the index's any more
was followed by another one, with other settings; it must not turn back what that one does.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import cast

from redisvl.query import CountQuery, FilterQuery
from redisvl.query.filter import FilterExpression

from core.adapters import redis_keys as keys
from core.adapters.redis_database import Part, RedisDatabase
from core.adapters.redis_schema import (
    RECALLED_FIELDS,
    differing,
    matching,
    read_recalled,
    read_story_id,
)
from core.adapters.redis_script import Script
from core.adapters.redis_vectors import VECTOR_PREFIX, check_length
from core.domain.story import StoryId, Vector
from core.errors import FencedError, RecordError
from core.ports import StaleEntry

log = logging.getLogger(__name__)

# KEYS: the entries. ARGV: what names of vectors' fields begin with, the field and the tag of the
# embedder; for each entry what it is about, its text, the vector.
_RENEW = Script("""
local given = {}
for place, key in ipairs(KEYS) do
  local at = 3 * place
  local stored = redis.call('HMGET', key, 'about', 'text')
  if stored[1] == ARGV[at + 1] and stored[2] == ARGV[at + 2] then
    for _, name in ipairs(redis.call('HKEYS', key)) do
      if string.sub(name, 1, #ARGV[1]) == ARGV[1] then redis.call('HDEL', key, name) end
    end
    redis.call('HSET', key, ARGV[2], ARGV[at + 3], 'embedder', ARGV[3])
    given[place] = 1
  else
    given[place] = 0
  end
end
return given
""")


class RedisStaleVectors:
    """Entries of another embedder than the database was prepared for.

    Args:
        database: prepared; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database
        self._unreadable: set[str] = set()

    async def count(self) -> int:
        """See StaleVectors."""
        return await self._database.count(keys.MEMORY_INDEX, CountQuery(self._stale()))

    async def some(self, story: StoryId | None, limit: int) -> list[StaleEntry]:
        """See StaleVectors. A record that can't be read is passed over, and named once."""
        if limit <= 0:
            return []
        await self._check_owner()
        stale = self._stale()
        limit += len(self._unreadable)
        query = FilterQuery(
            stale if story is None else stale & matching("story", str(story)),
            return_fields=["story", *RECALLED_FIELDS],
            num_results=limit,
            sort_by=("number", "DESC"),
        )
        hits = await self._database.search(keys.MEMORY_INDEX, query)
        return [entry for hit in hits if (entry := self._entry(hit)) is not None]

    async def renew(self, entries: Sequence[tuple[StaleEntry, Vector]]) -> list[StaleEntry]:
        """See StaleVectors."""
        by_channel: defaultdict[int, list[tuple[StaleEntry, Vector]]] = defaultdict(list)
        for entry, vector in entries:
            check_length(vector, self._database.vectors.dims)
            by_channel[entry.story.channel].append((entry, vector))
        await self._check_owner()
        return [
            entry for group in by_channel.values() for entry in await self._renew_of_channel(group)
        ]

    async def _renew_of_channel(
        self, group: Sequence[tuple[StaleEntry, Vector]]
    ) -> list[StaleEntry]:
        """All entries of a channel's stories at once; gives those that read differently."""
        vectors = self._database.vectors
        parts: list[Part] = [VECTOR_PREFIX, vectors.field, vectors.tag]
        for entry, vector in group:
            parts += [entry.about.encode(), entry.text.encode(), vector]
        answer = await self._database.script(
            _RENEW,
            [keys.memory(entry.story, entry.id) for entry, _ in group],
            parts,
            doing="put new vectors into the long-term memory",
        )
        given = cast(list[int], answer)
        return [entry for (entry, _), done in zip(group, given, strict=True) if not done]

    async def _check_owner(self) -> None:
        """Raises FencedError once the index was made for another embedder."""
        recorded = await self._database.recorded_vectors()
        if recorded is not None and recorded != self._database.vectors:
            raise FencedError(
                f"The long-term memory is searched by {recorded} now: another process was started"
                f" with it, and this one still has {self._database.vectors}."
            )

    def _stale(self) -> FilterExpression:
        return differing("embedder", self._database.vectors.tag)

    def _entry(self, hit: Mapping[str, str]) -> StaleEntry | None:
        key = hit.get("id", "")
        try:
            story, recalled = read_story_id(hit.get("story", "")), read_recalled(hit)
        except RecordError as error:
            if key not in self._unreadable:
                self._unreadable.add(key)
                log.warning("a memory entry gets no vector: %s", error)
            return None
        return StaleEntry(story, recalled.id, recalled.about, recalled.text)
