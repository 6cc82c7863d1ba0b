"""The Erasure port on Redis: names out of the log, stories that can't be read out of the way.

A log is a list to which commits append; a change in it is replaced only where the very bytes that
were read still stand in its place, so that neither a commit nor another erasure is run over.
"""

from collections.abc import Callable, Collection, Mapping

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase, Script
from core.adapters.redis_schema import encode_change, read_change
from core.domain.audit import Change
from core.domain.story import Phase, StoryId
from core.errors import RecordError

PAGE = 200
"""Changes that are read at once; each may hold a few texts of thousands of characters."""
_SERIALS = 200
"""Serials that are looked at by one script."""

# KEYS: the log. ARGV: a place in it, what was read there, what takes its place; and so on.
# Gives 1 for each place where the new one stands now, and 0 for each that reads differently.
_REPLACE = Script("""
local stands = {}
for at = 1, #ARGV, 3 do
  local now = redis.call('LINDEX', KEYS[1], ARGV[at])
  if now == ARGV[at + 1] then redis.call('LSET', KEYS[1], ARGV[at], ARGV[at + 2]) end
  stands[#stands + 1] = (now == ARGV[at + 1] or now == ARGV[at + 2]) and 1 or 0
end
return stands
""")

# KEYS: the story. ARGV: the phase of one that is over.
# It may be run twice: the second time it only raises the epoch again.
_SEAL = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'phase', ARGV[1])
redis.call('HDEL', KEYS[1], 'due')
return 1
""")

# KEYS: stories. Gives 1 for each that is there and 0 for each that isn't.
_PRESENT = Script("""
local present = {}
for place = 1, #KEYS do present[place] = redis.call('EXISTS', KEYS[place]) end
return present
""")


class RedisErasure:
    """Takes people out of what Redis keeps.

    Args:
        database: open; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def kept(self, channel: int) -> list[StoryId]:
        """See Erasure."""
        newest = int(await self._database.string(keys.current(channel)) or 0)
        found: list[StoryId] = []
        for first in range(1, newest + 1, _SERIALS):
            last = min(newest, first + _SERIALS - 1)
            stories = [StoryId(channel, serial) for serial in range(first, last + 1)]
            present = await self._database.script(
                _PRESENT, [keys.story(story) for story in stories], [], doing="look for stories"
            )
            there = present if isinstance(present, list) else []
            found += [story for story, is_there in zip(stories, there, strict=True) if is_there]
        return found

    async def rewrite(self, story: StoryId, rewriting: Callable[[Change], Change]) -> int:
        """See Erasure."""
        key, first, rewritten, unreadable = keys.changes(story), 0, 0, 0
        while page := await self._database.items(key, first, first + PAGE - 1):
            again = dict(enumerate(page, first))
            first += len(page)
            # What was replaced at the same moment is read once more; what is gone, with its story,
            # is left alone.
            while again:
                wanted, broken = _rewritten(key, again, rewriting)
                unreadable += broken
                stand = await self._replace(key, again, wanted)
                rewritten += len(stand)
                again = await self._differing(key, again, wanted.keys() - stand)
        if unreadable:
            raise RecordError(
                f"{unreadable} changes in {key} can't be read, and were left as they are: start "
                "the version of Talewheel that wrote them, or a newer one."
            )
        return rewritten

    async def _replace(
        self, key: str, read: Mapping[int, bytes], wanted: Mapping[int, bytes]
    ) -> set[int]:
        """Replace what reads as it was read; gives the places where the new one stands."""
        if not wanted:
            return set()
        stand = await self._database.script(
            _REPLACE,
            [key],
            [part for place, data in wanted.items() for part in (place, read[place], data)],
            doing=f"rewrite changes in {key}",
            on_disk=True,
        )
        flags = stand if isinstance(stand, list) else []
        return {place for place, stands in zip(wanted, flags, strict=True) if stands}

    async def _differing(
        self, key: str, read: Mapping[int, bytes], places: Collection[int]
    ) -> dict[int, bytes]:
        """What stands in these places now, where that is something else."""
        found = {place: await self._database.items(key, place, place) for place in places}
        return {place: data[0] for place, data in found.items() if data and data[0] != read[place]}

    async def seal(self, story: StoryId) -> None:
        """See Erasure."""
        await self._database.script(
            _SEAL,
            [keys.story(story)],
            [Phase.ENDED.value],
            doing=f"end story {story}",
            on_disk=True,
        )


def _rewritten(
    key: str, read: Mapping[int, bytes], rewriting: Callable[[Change], Change]
) -> tuple[dict[int, bytes], int]:
    """What is to stand in which place instead, and how many changes can't be read."""
    wanted: dict[int, bytes] = {}
    unreadable = 0
    for place, data in read.items():
        try:
            change = read_change(key, data)
        except RecordError:
            unreadable += 1
            continue
        if (other := rewriting(change)) != change:
            wanted[place] = encode_change(other)
    return wanted, unreadable
