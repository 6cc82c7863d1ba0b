"""Brings a whole database to the present format, at the start, before anything else reads it.

It walks through all records in batches and writes each by a script that compares first: only a
record that is still as it was read is replaced, as a whole; of a list each element by itself. So it
can be killed at any point and goes on at the next start, and two processes may be at it side by
side. A record of the database remembers that everything has a format, so that later starts don't
walk. A record that can't be brought up to date is named in the log and left as it is; then every
start walks, and finds what was repaired.

A story's epoch rises with its format: a worker of an earlier version that still holds it is fenced
off before it writes what this version couldn't read.

What a step changes is redis_migrations' business. Foreign errors pass through: the caller
translates them.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from core.adapters import redis_keys as keys
from core.adapters.redis_migrations import Kind, NewerFormatError, upgraded, upgraded_change
from core.adapters.redis_schema import (
    FORMAT,
    RECALLED_FIELDS,
    Record,
    read_change,
    read_recalled,
    read_story,
    read_turn,
)
from core.adapters.redis_script import Script
from core.adapters.redis_vectors import VectorSpace, recorded_embedder
from core.errors import RecordError, StartError

log = logging.getLogger(__name__)

BATCH = 500
"""Records read and written in one go: some megabytes, and nobody waits for them."""
ROUNDS = 5
"""How often a record is read again because somebody changed it between reading and writing."""
REPORT_S = 10.0
"""How often the log says how far it is."""
NAMED = 100
"""Records that are named in the log; of a database full of foreign ones the rest are counted."""

# KEYS: the record. ARGV: whether its epoch rises (1 or 0); how many fields it had, their names, a
# digest of their values; how many fields are set, their names and values; the fields that go.
_REPLACE = Script("""
local at = 0
local function take() at = at + 1 return ARGV[at] end
local rises = take()
local count = tonumber(take())
if redis.call('HLEN', KEYS[1]) ~= count then return 0 end
local values = {}
for number = 1, count do
  local value = redis.call('HGET', KEYS[1], take())
  if not value then return 0 end
  values[number] = #value .. ':' .. value
end
if redis.sha1hex(table.concat(values)) ~= take() then return 0 end
local fields = {}
for number = 1, 2 * tonumber(take()) do fields[number] = take() end
redis.call('HSET', KEYS[1], unpack(fields))
while at < #ARGV do redis.call('HDEL', KEYS[1], take()) end
if rises == '1' then redis.call('HINCRBY', KEYS[1], 'epoch', 1) end
return 1
""")

# KEYS: the list. ARGV: index, element as it was, as it is to be; and so on.
# A list only grows, or goes as a whole, so an index stays where it is.
_REPLACE_ELEMENTS = Script("""
local written = 0
for at = 1, #ARGV, 3 do
  if redis.call('LINDEX', KEYS[1], ARGV[at]) == ARGV[at + 1] then
    redis.call('LSET', KEYS[1], ARGV[at], ARGV[at + 2])
    written = written + 1
  end
end
return written
""")

_Hash = dict[bytes, bytes]
_KINDS = {
    keys.STORY_PREFIX: Kind.STORY,
    keys.TURN_PREFIX: Kind.TURN,
    keys.MEMORY_PREFIX: Kind.ENTRY,
    keys.CHANGES_PREFIX: Kind.CHANGE,
}


@dataclass
class Counts:
    """What was found.

    Attributes:
        looked_at: records.
        brought: records, and elements of lists, that were brought up to date.
        left: records that can't be, and were left as they are.
        newer: records of a newer format.
    """

    looked_at: int = 0
    brought: int = 0
    left: int = 0
    newer: int = 0


class RedisUpgrade:
    """The walk through one database.

    Args:
        client: redis-py's client.
        batch: records read and written in one go.
    """

    def __init__(self, client: Any, batch: int = BATCH) -> None:
        self._client = client
        self._batch = batch
        self._counts = Counts()
        self._made_by: VectorSpace | None = None
        self._began = self._reported = 0.0

    async def is_done(self) -> bool:
        """Whether a walk came to its end in which everything got the present format."""
        return await self._client.hget(keys.meta(keys.FORMAT_META), "format") == FORMAT.encode()

    async def run(self) -> list[str]:
        """Bring everything up to date.

        Returns:
            Sentences for the operator about what couldn't be.

        Raises:
            StartError: an earlier version is running on this database.
        """
        self._made_by = await recorded_embedder(self._client)
        self._began = self._reported = time.monotonic()
        cursor: int | bytes = 0
        while True:
            cursor, found = await self._client.scan(cursor, match="tw:*", count=self._batch)
            await self._bring(cast(list[bytes], found))
            await self._report()
            if cursor == 0:
                break
        counts = self._counts
        if counts.brought:
            log.info(
                "brought %d records to format %s in %.1f s",
                *(counts.brought, FORMAT, time.monotonic() - self._began),
            )
        if not counts.left:
            await self._client.hset(keys.meta(keys.FORMAT_META), "format", FORMAT)
        return _sentences(counts)

    async def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < REPORT_S:
            return
        self._reported = now
        log.info(
            "records are brought to format %s: looked at %d of about %d, changed %d",
            *(FORMAT, self._counts.looked_at, await self._client.dbsize(), self._counts.brought),
        )

    async def _bring(self, found: Sequence[bytes]) -> None:
        """Bring a batch of keys up to date; keys of other kinds have no format."""
        kinds = {key: kind for key in found if (kind := _kind_of(key)) is not None}
        self._counts.looked_at += len(kinds)
        hashes = {key: kind for key, kind in kinds.items() if kind is not Kind.CHANGE}
        for _ in range(ROUNDS):
            hashes = await self._bring_hashes(hashes)
            if not hashes:
                break
        else:
            raise StartError(
                "Another process, of an earlier version, changes the stories in this database: stop"
                " it and start again. What was brought up to date stays so."
            )
        for key, kind in kinds.items():
            if kind is Kind.CHANGE:
                await self._bring_list(key)

    async def _bring_hashes(self, kinds: Mapping[bytes, Kind]) -> dict[bytes, Kind]:
        """Write what isn't up to date; gives those that somebody changed meanwhile."""
        read = await self._together([("HGETALL", key) for key in kinds])
        changes: dict[bytes, tuple[object, ...]] = {}
        for (key, kind), answer in zip(kinds.items(), read, strict=True):
            if isinstance(answer, Exception):
                self._leave_foreign(key, kind, answer)
            elif answer and (change := self._change(key, kind, cast(_Hash, answer))) is not None:
                changes[key] = change
        written = await self._scripts(_REPLACE, changes)
        self._counts.brought += sum(answer == 1 for answer in written.values())
        return {key: kinds[key] for key, answer in written.items() if answer != 1}

    def _change(self, key: bytes, kind: Kind, stored: _Hash) -> tuple[object, ...] | None:
        """The arguments of _REPLACE for a record; None where nothing is to be done."""
        record = {name.decode(errors="replace"): value for name, value in stored.items()}
        try:
            now = upgraded(kind, record, self._made_by)
            if now == record:
                return None
            _CHECKS[kind](key.decode(errors="replace"), now)
        except NewerFormatError:
            self._counts.newer += 1
            return None
        except RecordError as error:
            self._leave(key, kind, str(error))
            return None
        values = b"".join(b"%d:%b" % (len(value), value) for value in stored.values())
        digest = hashlib.sha1(values, usedforsecurity=False).hexdigest()
        new = {name: value for name, value in now.items() if value != record.get(name)}
        fields = [part for pair in new.items() for part in pair]
        gone = [name for name in record if name not in now]
        rises = int(kind is Kind.STORY)
        return (rises, len(stored), *stored, digest, len(new), *fields, *gone)

    async def _bring_list(self, key: bytes) -> None:
        """Bring a list of changes up to date, a stretch of elements at a time."""
        first = 0
        while True:
            (answer,) = await self._together([("LRANGE", key, first, first + self._batch - 1)])
            if isinstance(answer, Exception):
                return self._leave_foreign(key, Kind.CHANGE, answer)
            elements = cast(list[bytes], answer)
            await self._bring_elements(key, first, elements)
            if len(elements) < self._batch:
                return None
            first += self._batch

    async def _bring_elements(self, key: bytes, first: int, data: Sequence[bytes]) -> None:
        """Write the elements that aren't up to date.

        One that reads differently by now was brought up to date by somebody else: that is all that
        ever happens to an element.
        """
        arguments: list[object] = []
        for at, one in enumerate(data, first):
            try:
                now = upgraded_change(one)
                read_change(key.decode(errors="replace"), now)
            except NewerFormatError:
                self._counts.newer += 1
            except RecordError as error:
                self._leave(key, Kind.CHANGE, f"No. {at + 1}: {error}")
            else:
                arguments += (at, one, now) if now != one else ()
        if arguments:
            written = await self._scripts(_REPLACE_ELEMENTS, {key: tuple(arguments)})
            self._counts.brought += cast(int, written[key])

    def _leave_foreign(self, key: bytes, kind: Kind, error: Exception) -> None:
        """Leave a key that holds something else. Raises what else the server may answer."""
        if not str(error).startswith("WRONGTYPE"):
            raise error
        self._leave(key, kind, "It is no record at all.")

    def _leave(self, key: bytes, kind: Kind, why: str) -> None:
        self._counts.left += 1
        if self._counts.left <= NAMED:
            shown = key.decode(errors="replace")
            log.error("the %s %s can't be brought to format %s: %s", kind, shown, FORMAT, why)

    async def _scripts(
        self, script: Script, arguments: Mapping[bytes, tuple[object, ...]]
    ) -> dict[bytes, object]:
        """Run a script once for each key. Raises what the server answers but a number."""
        if not arguments:
            return {}
        await self._client.script_load(script.text)
        commands = [("EVALSHA", script.sha, 1, key, *parts) for key, parts in arguments.items()]
        answers = await self._together(commands)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return dict(zip(arguments, answers, strict=True))

    async def _together(self, commands: Sequence[tuple[object, ...]]) -> list[object]:
        """Send commands in one go; an error stands in the place of its answer."""
        async with self._client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute(raise_on_error=False)


def _kind_of(key: bytes) -> Kind | None:
    """What a key holds, if it has a format."""
    name = key.decode(errors="replace")
    return next((kind for prefix, kind in _KINDS.items() if name.startswith(prefix)), None)


def _check_entry(key: str, record: Record) -> None:
    """Raises RecordError for an entry that a search couldn't give."""
    hit = {name: record[name].decode("utf-8", "replace") for name in RECALLED_FIELDS}
    read_recalled({"id": key, **hit})


_CHECKS: Mapping[Kind, Callable[[str, Record], object]] = {
    Kind.STORY: read_story,
    Kind.TURN: read_turn,
    Kind.ENTRY: _check_entry,
}


def _sentences(counts: Counts) -> list[str]:
    """What the operator should know of records that aren't of the present format."""
    said: list[str] = []
    if counts.left:
        said.append(
            f"{counts.left} records can't be brought to format {FORMAT} and were left as they are"
            " (the log names them): a story that needs one rests, and says so."
        )
    if counts.newer:
        said.append(
            f"{counts.newer} records were written by a newer version of Talewheel: a story that"
            " needs one rests until that version is started again."
        )
    return said
