"""The one way in which a story's records change: a guarded write, whole or not at all.

A script compares what must not have moved, writes all records and marks the operation as applied,
in one transaction: a memory entry is found by search from the moment its turn is stored. A change
whose mark exists isn't applied again, so it may be repeated when an answer was lost. The mark is
then renewed: a write of this connection for WAITAOF to wait for, which reaches the disk after the
change itself.

What the guards and records are is the adapters' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.adapters import redis_keys as keys
from core.adapters.redis_database import Part, RedisDatabase, Script
from core.adapters.redis_schema import Record

# KEYS: the story, the operation's mark, the records to write, lists to append to, keys that go.
# ARGV: lifetime of the mark; guards (field, value); fields that go; number of records, for each
# whether it takes the place of all that stood there (1 or 0), its fields and values; number of
# lists, what to append to each.
# Guards come first in their order and the epoch first of all: its refusal outranks the others.
_GUARDED = Script("""
local at = 0
local function take() at = at + 1 return ARGV[at] end
local lifetime = take()
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('EXPIRE', KEYS[2], lifetime)
  return {'applied'}
end
for _ = 1, tonumber(take()) do
  local field, wanted = take(), take()
  local actual = redis.call('HGET', KEYS[1], field)
  if actual ~= wanted then return {'refused', field, actual or ''} end
end
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then return {'refused', 'epoch', ''} end
local gone = {}
for place = 1, tonumber(take()) do gone[place] = take() end
local place = 3
for _ = 1, tonumber(take()) do
  local fields = {}
  if take() == '1' then redis.call('DEL', KEYS[place]) end
  for number = 1, 2 * tonumber(take()) do fields[number] = take() end
  redis.call('HSET', KEYS[place], unpack(fields))
  place = place + 1
end
for _ = 1, tonumber(take()) do
  redis.call('RPUSH', KEYS[place], take())
  place = place + 1
end
for last = place, #KEYS do redis.call('DEL', KEYS[last]) end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
redis.call('SET', KEYS[2], epoch, 'EX', lifetime)
return {'applied'}
""")

# KEYS: the channel's pointer, its last story (or the new one, for the first), the new story, the
# marks that one of the two is being imported. ARGV: its serial, the operation, its fields and
# values.
_CREATE = Script("""
local maker = redis.call('HGET', KEYS[3], 'created_by')
if maker then
  if maker ~= ARGV[2] then return {'refused'} end
  redis.call('HSET', KEYS[3], 'created_by', maker)
  return {'applied'}
end
if redis.call('EXISTS', KEYS[4], KEYS[5]) > 0 then return {'refused'} end
if tonumber(redis.call('GET', KEYS[1]) or '0') + 1 ~= tonumber(ARGV[1]) then return {'refused'} end
local phase = redis.call('HGET', KEYS[2], 'phase')
if phase and phase ~= 'ended' then return {'refused'} end
local fields = {}
for place = 3, #ARGV do fields[place - 2] = ARGV[place] end
redis.call('HSET', KEYS[3], 'created_by', ARGV[2], unpack(fields))
redis.call('SET', KEYS[1], ARGV[1])
return {'applied'}
""")


@dataclass(frozen=True, slots=True)
class GuardedWrite:
    """One change of one story's records.

    Attributes:
        story: key of the story.
        operation: key of the mark.
        guards: field of the story → the value it must have, in the order of their importance.
        records: key → fields to set, the story's own among them.
        replaced: keys of those of them that are set as a whole: no other field stays.
        gone: fields that the story loses.
        appended: key of a list → what is appended to it.
        deleted: keys that go.
    """

    story: str
    operation: str
    guards: Mapping[str, bytes]
    records: Mapping[str, Record]
    gone: tuple[str, ...] = field(default=())
    appended: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    deleted: tuple[str, ...] = field(default=())
    replaced: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Moved:
    """The guard that refused a change, and what its field holds; None for a story that is gone."""

    field: str
    actual: str | None


async def apply(database: RedisDatabase, write: GuardedWrite, doing: str) -> Moved | None:
    """Write, or say what had moved. When this returns None the change is on disk.

    Raises:
        StoreUnavailableError: see RedisDatabase.script.
    """
    guards = [part for pair in write.guards.items() for part in pair]
    arguments: list[Part] = [keys.OPERATION_LIFETIME_S, len(write.guards), *guards]
    arguments += [len(write.gone), *write.gone, len(write.records)]
    for key, record in write.records.items():
        arguments += [int(key in write.replaced), len(record)]
        arguments += [part for pair in record.items() for part in pair]
    arguments += [len(write.appended), *write.appended.values()]
    touched = [
        *(write.story, write.operation, *write.records),
        *(*write.appended, *write.deleted),
    ]
    answer = await database.script(_GUARDED, touched, arguments, doing=doing, on_disk=True)
    match answer:
        case [b"applied"]:
            return None
        case [b"refused", bytes(name), bytes(actual)]:
            return Moved(name.decode(), actual.decode() or None)
        case _:
            raise AssertionError(f"the guarded write answered {answer!r}")


async def create(
    database: RedisDatabase,
    *,
    pointer: str,
    last: str,
    story: str,
    importing: tuple[str, str],
    serial: int,
    operation: str,
    record: Record,
) -> bool:
    """Store a new story if its channel is free, and point to it.

    The story itself keeps the operation that made it, so this is known for as long as the story.

    Args:
        database: where.
        pointer: key of the channel's current serial.
        last: key of the story that this serial belongs to, which must be ended or gone.
        story: key of the new one.
        importing: keys of the marks that the last or the new one is being imported.
        serial: the new one's serial, one above the pointer's.
        operation: id of this change.
        record: the new story's fields.

    Raises:
        StoreUnavailableError: see RedisDatabase.script.
    """
    fields = [part for pair in record.items() for part in pair]
    answer = await database.script(
        _CREATE,
        [pointer, last, story, *importing],
        [serial, operation, *fields],
        doing=f"create {story}",
        on_disk=True,
    )
    return answer == [b"applied"]
