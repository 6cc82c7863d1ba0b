"""The StoryImports port on Redis: a story's records first, the story itself last.

While a story is imported a mark stands in for it (redis_keys.importing), and no story begins in
its place. Every script checks that the mark is still this run's; the last one sets the story's own
hash, moves the channel's pointer and removes the mark at once. So a worker sees the whole story or
none of it, whenever the import is killed; what a killed one left is found by its marks. A story
that is replaced goes in the script that sets the mark: who holds it is fenced off from then on.

What comes from where, and what may be replaced, isn't decided here.
"""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from core.adapters import redis_keys as keys
from core.adapters.redis_archive import BATCH
from core.adapters.redis_database import Part, RedisDatabase, Script
from core.adapters.redis_schema import (
    VERSIONED,
    Record,
    blind_entry_fields,
    encode_change,
    entry_core,
    entry_fields,
    identity_fields,
    state_fields,
    turn_fields,
    versioned_fields,
)
from core.adapters.redis_vectors import check_length
from core.archive_ports import Remembered, Seen, StoryItem
from core.domain.audit import Change
from core.domain.story import Phase, Story, StoryId, Turn
from core.errors import FencedError
from core.ports import MemoryEntry

# KEYS: the mark, the story. ARGV: the run; the fields that the story must have, and their values.
# Without any, there must be no story.
_BEGIN = Script("""
if redis.call('EXISTS', KEYS[2]) == 0 then
  if #ARGV > 1 and redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
else
  if #ARGV == 1 then return 0 end
  local due = redis.call('HEXISTS', KEYS[2], 'due')
  if redis.call('HLEN', KEYS[2]) - due ~= (#ARGV - 1) / 2 then return 0 end
  for place = 2, #ARGV, 2 do
    if redis.call('HGET', KEYS[2], ARGV[place]) ~= ARGV[place + 1] then return 0 end
  end
  redis.call('DEL', KEYS[2])
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
""")

# KEYS: the mark, the records. ARGV: the run; each record's number of fields, and these.
_PUT = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local at = 2
for place = 2, #KEYS do
  local fields, last = {}, at + 2 * tonumber(ARGV[at])
  for part = at + 1, last do fields[part - at] = ARGV[part] end
  redis.call('HSET', KEYS[place], unpack(fields))
  at = last + 1
end
return 1
""")

# KEYS: the mark, the log. ARGV: the run, how long the log is before, what is appended.
_LOG = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local length = redis.call('LLEN', KEYS[2])
if length == tonumber(ARGV[2]) + #ARGV - 2 then return 1 end
if length ~= tonumber(ARGV[2]) then return 0 end
for place = 3, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[place]) end
return 1
""")

# KEYS: the mark, the story, the channel's pointer. ARGV: the run, who made it, its serial, whether
# it has ended, what stands before a serial in the keys of the channel's stories (of the same slot),
# its fields. Of a channel's stories only the newest may live.
_FINISH = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  if redis.call('HGET', KEYS[2], 'created_by') == ARGV[2] then
    redis.call('HSET', KEYS[2], 'created_by', ARGV[2])
    return 1
  end
  return -1
end
local newest, serial = tonumber(redis.call('GET', KEYS[3]) or '0'), tonumber(ARGV[3])
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if ARGV[4] == '0' and newest > serial then return 0 end
if newest ~= serial and newest > 0 and newest < serial then
  local phase = redis.call('HGET', ARGV[5] .. newest, 'phase')
  if phase and phase ~= 'ended' then return 0 end
end
local fields = {}
for place = 6, #ARGV do fields[place - 5] = ARGV[place] end
redis.call('HSET', KEYS[2], 'created_by', ARGV[2], unpack(fields))
if newest < serial then redis.call('SET', KEYS[3], serial) end
redis.call('DEL', KEYS[1])
return 1
""")

# KEYS: the mark, the story. ARGV: the run that takes over. Whose mark it was can put nothing more,
# before anything of it is removed. A story that is there itself is whole, and isn't touched.
_TAKE_OVER = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
""")

# KEYS: the mark, the turns by their place, the log. ARGV: the run.
_CLEAN = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2], KEYS[3])
return 1
""")

# KEYS: the mark, the channel's pointer. ARGV: the run, the story's serial, what stands before a
# serial in the keys of the channel's stories, which are of the same slot. Where the story was to
# replace one that is gone by now, the pointer goes back to the newest that is left: else no story
# could begin there any more.
_LEAVE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 1 end
local serial = tonumber(ARGV[2])
while serial > 0 and redis.call('EXISTS', ARGV[3] .. serial) == 0 do serial = serial - 1 end
if serial > 0 then redis.call('SET', KEYS[2], serial) else redis.call('DEL', KEYS[2]) end
return 1
""")


class RedisImports:
    """Imports into one database.

    Args:
        database: prepared; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def clear(self) -> int:
        """See StoryImports."""
        pages = self._database.matching(f"{keys.IMPORT_PREFIX}*", BATCH)
        marked = {keys.named_story(mark) async for page in pages for mark in page}
        cleared, run = 0, uuid4().hex
        for story in sorted(filter(None, marked)):
            own = [keys.importing(story), keys.story(story)]
            if await self._script(_TAKE_OVER, own, [run], "take over an import"):
                await self.abandon(story, run)
                cleared += 1
        return cleared

    async def begin(self, story: StoryId, run: str, replaces: Seen | None = None) -> bool:
        """See StoryImports."""
        marks = replaces.marks if replaces else ()
        pairs = [part for pair in marks for part in pair]
        own = [keys.importing(story), keys.story(story)]
        begun = await self._script(_BEGIN, own, [run, *pairs], f"begin to import story {story}")
        if begun and replaces:
            await self._clean(story, run)
        return bool(begun)

    async def put(self, story: StoryId, run: str, items: Sequence[Turn | MemoryEntry]) -> None:
        """See StoryImports."""
        records: dict[str, Record] = {}
        for item in items:
            if isinstance(item, MemoryEntry) and item.vector:
                check_length(item.vector, self._database.vectors.dims)
            for key, record in self._records(story, item).items():
                records[key] = {**records.get(key, {}), **record}
        arguments: list[Part] = [run]
        for record in records.values():
            arguments += [len(record), *(part for pair in record.items() for part in pair)]
        marked = [keys.importing(story), *records]
        _check(story, await self._script(_PUT, marked, arguments, f"import story {story}"))

    async def log(self, story: StoryId, run: str, first: int, changes: Sequence[Change]) -> None:
        """See StoryImports."""
        arguments: list[Part] = [run, first - 1, *map(encode_change, changes)]
        own = [keys.importing(story), keys.changes(story)]
        _check(story, await self._script(_LOG, own, arguments, f"import story {story}"))

    async def finish(self, story: Story, run: str, made_by: str) -> bool:
        """See StoryImports."""
        record = {**identity_fields(story), **state_fields(story)}
        for name in VERSIONED:
            record |= versioned_fields(story, name)
        key, serial = keys.story(story.id), story.id.serial
        arguments: list[Part] = [
            *(run, made_by, serial, int(story.phase is Phase.ENDED)),
            key.removesuffix(str(serial)),
            *(part for pair in record.items() for part in pair),
        ]
        answer = await self._database.script(
            _FINISH,
            [keys.importing(story.id), key, keys.current(story.id.channel)],
            arguments,
            doing=f"import story {story.id}",
            on_disk=True,
        )
        if answer == -1:
            raise _fenced(story.id)
        return answer == 1

    async def abandon(self, story: StoryId, run: str) -> None:
        """See StoryImports."""
        _check(story, await self._clean(story, run))
        own = [keys.importing(story), keys.current(story.channel)]
        before = keys.story(story).removesuffix(str(story.serial))
        await self._script(_LEAVE, own, [run, story.serial, before], "end an import")

    def _records(self, story: StoryId, item: Turn | MemoryEntry) -> Mapping[str, Record]:
        """What is stored of a turn or an entry: key → fields."""
        if isinstance(item, Turn):
            return _turn_records(story, item)
        if item.vector:
            fields = entry_fields(story, item, self._database.vectors)
        else:
            fields = blind_entry_fields(story, item)
        return {keys.memory(story, item.id): fields}

    async def _clean(self, story: StoryId, run: str) -> int:
        """Remove what there is of a story that isn't there itself."""
        own = [keys.importing(story), keys.turns(story), keys.changes(story)]
        done = await self._script(_CLEAN, own, [run], f"clear the place of story {story}")
        if done:
            parts = keys.parts_of(story)
            async for found in self._database.matching(keys.everything_of(story.channel), BATCH):
                await self._database.remove([key for key in found if key.startswith(parts)])
        return done

    async def _script(
        self, script: Script, touched: Sequence[str], arguments: Sequence[Part], doing: str
    ) -> int:
        answer = await self._database.script(script, touched, arguments, doing=doing)
        if not isinstance(answer, int):
            raise TypeError(f"the script answered {answer!r}")
        return answer


def _turn_records(story: StoryId, turn: Turn) -> Mapping[str, Record]:
    place = keys.turn_place(turn.branch, turn.number)
    return {
        keys.turn(story, turn.id): turn_fields(turn),
        keys.turns(story): {place: turn.id.encode()},
    }


def check_item(story: StoryId, item: StoryItem) -> None:
    """See that a record that was read can also be stored. Raises ValueError."""
    match item:
        case Change():
            encode_change(item)
        case Remembered():
            keys.memory(story, item.entry.id)
            entry_core(story, item.entry)
        case Turn():
            _turn_records(story, item)


def _check(story: StoryId, answer: int) -> None:
    if answer != 1:
        raise _fenced(story)


def _fenced(story: StoryId) -> FencedError:
    return FencedError(
        f"Another import has begun and took over story {story}: only one may run at a time."
    )
