"""The Archive port on Redis: turns by their number, the log of changes, and the end of a story.

What stands in the records is redis_schema's business; they are written by redis_commit alone.
"""

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase, Script
from core.adapters.redis_schema import read_change, read_turn
from core.adapters.redis_story_store import texts
from core.domain.audit import Logged
from core.domain.story import Phase, StoryId, Turn
from core.errors import PhaseError, RecordError

BATCH = 500
"""Keys that are removed by one command, so that nobody waits for it."""
LOOKED_AT = 2000
"""Keys that are looked at by one command: a walk through half a million takes 250 of them."""

# KEYS: the story, the channel's pointer, its turns, its changes. ARGV: the story's serial, and what
# stands before a serial in the keys of the channel's stories, which are of the same slot.
# The pointer goes back to the newest story that is left, so that the channel can begin another.
_PURGE = Script("""
redis.call('UNLINK', KEYS[1], KEYS[3], KEYS[4])
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 1 end
local serial = tonumber(ARGV[1]) - 1
while serial > 0 and redis.call('EXISTS', ARGV[2] .. serial) == 0 do serial = serial - 1 end
if serial > 0 then redis.call('SET', KEYS[2], serial) else redis.call('DEL', KEYS[2]) end
return 1
""")

# KEYS: the channel's pointer, marks of changes and claims. Without a story nobody asks for them.
_UNMARK = Script("""
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('UNLINK', unpack(KEYS, 2))
return 1
""")


class RedisArchive:
    """Reads what stories leave behind, and removes it.

    Args:
        database: prepared; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def turn_at(self, story: StoryId, branch: str, number: int) -> Turn:
        """See Archive."""
        [turn] = await self.turns_at(story, branch, number, number)
        return turn

    async def turns_at(self, story: StoryId, branch: str, first: int, last: int) -> list[Turn]:
        """See Archive."""
        places = [keys.turn_place(branch, number) for number in range(first, last + 1)]
        if not places:
            return []
        ids = await self._database.fields(keys.turns(story), places)
        names: list[str] = []
        for place, turn_id in zip(places, ids, strict=True):
            if turn_id is None:
                raise RecordError(f"{keys.turns(story)} has no turn {place!r}.")
            names.append(keys.turn(story, turn_id.decode()))
        records = await self._database.hashes(names)
        for key, record in zip(names, records, strict=True):
            if not record:
                raise RecordError(f"There is no record {key}.")
        return [read_turn(key, texts(record)) for key, record in zip(names, records, strict=True)]

    async def changes(self, story: StoryId, before: int | None, limit: int) -> list[Logged]:
        """See Archive."""
        if limit <= 0 or (before is not None and before <= 1):
            return []
        key = keys.changes(story)
        newest = await self._database.length(key)
        last = newest if before is None else min(newest, before - 1)
        first = max(1, last - limit + 1)
        return (await self._range(story, first, last))[::-1]

    async def changes_since(self, story: StoryId, number: int) -> list[Logged]:
        """See Archive."""
        return await self._range(story, number, None) if number >= 1 else []

    async def _range(self, story: StoryId, first: int, last: int | None) -> list[Logged]:
        """Changes ``first`` to ``last``, both included; None: to the newest."""
        if last is not None and last < first:
            return []
        key = keys.changes(story)
        end = -1 if last is None else last - 1
        found = await self._database.items(key, first - 1, end)
        return [Logged(first + at, read_change(key, data)) for at, data in enumerate(found)]

    async def purge(self, story: StoryId) -> None:
        """See Archive. The story's own hash goes last: until then a purge can be repeated.

        With a channel's last story its marks go too; those that are missed end within the hour.
        """
        phase = await self._database.field(keys.story(story), "phase")
        if phase is not None and phase.decode() != Phase.ENDED:
            raise PhaseError("Only an ended story can be deleted: somebody may still work on it.")
        marks = await self._remove_parts(story)
        await self._database.script(
            _PURGE,
            [
                *(keys.story(story), keys.current(story.channel)),
                *(keys.turns(story), keys.changes(story)),
            ],
            [story.serial, keys.story(story).removesuffix(str(story.serial))],
            doing=f"delete story {story}",
            on_disk=True,
        )
        for first in range(0, len(marks), BATCH):
            await self._database.script(
                _UNMARK,
                [keys.current(story.channel), *marks[first : first + BATCH]],
                [],
                doing=f"delete the marks of channel {story.channel}",
                on_disk=True,
            )

    async def _remove_parts(self, story: StoryId) -> list[str]:
        """Remove a story's turns and memory; gives the marks of its channel."""
        parts, marks = keys.parts_of(story), keys.operations_of(story.channel)
        marked: list[str] = []
        async for found in self._database.matching(keys.everything_of(story.channel), LOOKED_AT):
            going = [key for key in found if key.startswith(parts)]
            for first in range(0, len(going), BATCH):
                await self._database.remove(going[first : first + BATCH])
            marked += [key for key in found if key.startswith(marks)]
        return marked
