"""The connection to Redis: opens, checks, closes it, and asks it for everything that adapters need.

One blocking pool without automatic retries serves all of them: redis-py's own would send a change
a second time without knowing whether the first was applied. What may be repeated is repeated here,
in one place: readings, and scripts, which are written so that running them twice changes nothing
more (redis_commit says how). Foreign errors end here (redis_errors), and so do redis-py's loose
types.

Keys, records and rules aren't known here; how indexes are kept is redis_indexes' business, what a
server must be like redis_greeting's.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

from redis import exceptions as foreign
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redisvl.query import BaseQuery, CountQuery

from core.adapters.redis_address import read_address
from core.adapters.redis_errors import is_missing_index, passes_soon, translate, translated
from core.adapters.redis_greeting import greet, look_at_settings
from core.adapters.redis_indexes import RedisIndexes
from core.adapters.redis_outage import Kind, Outage
from core.adapters.redis_script import Script
from core.adapters.redis_upgrade import RedisUpgrade
from core.adapters.redis_vectors import VectorSpace, recorded_embedder
from core.errors import StartError, StoreError, StoreUnavailableError

log = logging.getLogger(__name__)

T = TypeVar("T")
Part: TypeAlias = str | bytes | int | float
"""One part of a command."""
Reply: TypeAlias = "bytes | int | list[Reply] | None"
"""What RESP2 answers, undecoded."""

CONNECTIONS = 50
"""At most this many at once; who comes later waits."""
CONNECT_TIMEOUT_S = 2.0
REPLY_TIMEOUT_S = 4.0
"""Longer than any of our commands takes, waiting for the disk included."""
DISK_TIMEOUT_MS = 2500
"""With appendfsync always a flush is done when the answer comes; with everysec it is up to a second
away, and the server postpones it once when the disk is busy."""
REPEATS_S = (0.1, 0.4, 1.5)
"""Pauses before what may be repeated is sent again: a restart of the server is over by then."""
SEARCH_TIMEOUT_MS = 10_000
"""Longer than REPLY_TIMEOUT_S: the server answers a search that ran out of time with what it has so
far, and nothing in that answer tells so. This way the connection gives up first, with an error."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What ``prepare`` found.

    Attributes:
        durable: whether the server keeps an append-only file, so that a commit can wait for it.
        warnings: sentences for the operator; empty when everything is as it should be.
    """

    durable: bool
    warnings: tuple[str, ...]


class RedisDatabase:
    """One Redis. Nothing is opened before the first command; who made it closes it.

    Args:
        url: REDIS_URL.
        repeats_s: pauses before each repetition of what may be repeated.
        reply_timeout_s: how long one answer may take.

    Raises:
        StartError: the URL can't be used.
    """

    def __init__(
        self,
        url: str,
        repeats_s: Sequence[float] = REPEATS_S,
        reply_timeout_s: float = REPLY_TIMEOUT_S,
    ) -> None:
        address = read_address(url)
        self.shown = address.shown
        self._repeats_s = tuple(repeats_s)
        self._durable = True
        self._pool = cast(Any, BlockingConnectionPool)(
            **{
                **address.options,
                "db": 0,
                "protocol": 2,
                "decode_responses": False,
                "max_connections": CONNECTIONS,
                "timeout": reply_timeout_s,
                "socket_timeout": reply_timeout_s,
                "socket_connect_timeout": CONNECT_TIMEOUT_S,
                "retry": Retry(NoBackoff(), 0),
            }
        )
        self._client: Any = cast(Any, Redis)(connection_pool=self._pool)
        self._indexes: RedisIndexes | None = None
        self._vectors: VectorSpace | None = None
        self._mending = asyncio.Lock()
        self._outage = Outage()

    async def prepare(self, embedder: str, dims: int) -> Readiness:
        """See that the server can be worked with; bring records up to date, and the indexes.

        Args:
            embedder: name of the model that makes the vectors.
            dims: numbers per vector.

        Raises:
            StartError: unreachable, a wrong password, no search, or an earlier version at work;
                one line that says what to do.
        """
        await greet(self._client, self.shown)
        self._vectors = VectorSpace(embedder, dims)
        self._indexes = RedisIndexes(self._client, self._vectors)
        try:
            with translated("be made ready"):
                self._durable, warnings = await look_at_settings(self._client)
                warnings += await self._upgraded(self._indexes)
                warnings += await self._indexes.ensure()
        except StoreError as error:
            raise StartError(f"REDIS_URL {self.shown}: {error}") from error
        return Readiness(self._durable, tuple(warnings))

    @property
    def vectors(self) -> VectorSpace:
        """Whose vectors it was prepared for. Raises StoreError before that."""
        if self._vectors is None:
            raise StoreError("Redis was not prepared: whose vectors it holds isn't known")
        return self._vectors

    async def recorded_vectors(self) -> VectorSpace | None:
        """Whose vectors the memory index was last made for, by whichever process."""
        return await self._read(
            "say what its memory is searched by", lambda: recorded_embedder(self._client)
        )

    async def recorded_embedder(self) -> VectorSpace | None:
        """What ``prepare`` was last given; None in a database that was never prepared.

        Raises:
            StartError: the server can't be worked with, as in ``prepare``.
        """
        await greet(self._client, self.shown)
        try:
            with translated("say what its memory was made with"):
                return await recorded_embedder(self._client)
        except StoreError as error:
            raise StartError(f"REDIS_URL {self.shown}: {error}") from error

    async def ping(self) -> None:
        """Raises StoreUnavailableError when the server doesn't answer."""
        with translated("answer a ping"):
            await self._client.ping()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def hash(self, key: str) -> dict[bytes, bytes]:
        """All fields of a hash; none for a key that isn't there."""
        return await self._read(f"read {key}", lambda: self._client.hgetall(key))

    async def field(self, key: str, name: str) -> bytes | None:
        """One field of a hash."""
        return await self._read(f"read {key}", lambda: self._client.hget(key, name))

    async def fields(self, key: str, names: Sequence[str]) -> list[bytes | None]:
        """Some fields of a hash, in the order of their names; at least one."""
        return await self._read(f"read {key}", lambda: self._client.hmget(key, names))

    async def hashes(self, keys: Sequence[str]) -> list[dict[bytes, bytes]]:
        """All fields of some hashes of one slot, in one go; none for a key that isn't there."""
        if not keys:
            return []
        doing = f"read {keys[0]} and {len(keys) - 1} others"

        async def ask() -> Any:
            async with self._client.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.hgetall(key)
                return await pipe.execute()

        return await self._read(doing, ask)

    async def string(self, key: str) -> bytes | None:
        """The value of a plain key."""
        return await self._read(f"read {key}", lambda: self._client.get(key))

    async def length(self, key: str) -> int:
        """How many items a list has; 0 for a key that isn't there."""
        return await self._read(f"read {key}", lambda: self._client.llen(key))

    async def size(self, key: str) -> int:
        """How many fields a hash has; 0 for a key that isn't there."""
        return await self._read(f"read {key}", lambda: self._client.hlen(key))

    async def items(self, key: str, first: int, last: int) -> list[bytes]:
        """Items of a list, counted from 0, both ends included; -1 is the last one."""
        return await self._read(f"read {key}", lambda: self._client.lrange(key, first, last))

    async def matching(self, pattern: str, batch: int) -> AsyncGenerator[list[str]]:
        """The keys that a pattern matches, in batches, some perhaps twice.

        It walks through all keys; one that comes meanwhile may be missed.
        """
        cursor: int | bytes = 0
        while True:
            cursor, found = cast(
                tuple[int, list[bytes]],
                await self._read(
                    f"look for {pattern}",
                    lambda at=cursor: self._client.scan(at, match=pattern, count=batch),
                ),
            )
            if found:
                yield [key.decode() for key in found]
            if cursor == 0:
                return

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove keys; those that are gone already don't matter."""
        if keys:
            await self._read("remove records", lambda: self._client.unlink(*keys))

    async def search(self, index: str, query: BaseQuery) -> list[dict[str, str]]:
        """The hits of a query, with the fields that it asks for.

        An index that is gone is made again, once: FLUSHDB drops its definition with the data.
        """
        return cast(list[dict[str, str]], await self._search(index, query))

    async def count(self, index: str, query: CountQuery) -> int:
        """How many records a query finds."""
        return cast(int, await self._search(index, query))

    async def script(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Part],
        *,
        doing: str,
        on_disk: bool = False,
    ) -> Reply:
        """Run a script that may be run twice; repeated when its answer is lost.

        Args:
            script: must recognise that it was applied already.
            keys: every key that it touches, all of one slot.
            arguments: its other arguments.
            doing: what is being done, for the error's sentence.
            on_disk: return only after its changes are on the server's disk (WAITAOF, sent behind
                it on the same connection), where the server keeps an append-only file at all.

        Raises:
            StoreUnavailableError: no answer, or not on disk in time. It may have been applied and
                may still be: repeat the same change, or take the story's epoch first.
        """
        call = (len(keys), *keys, *arguments)
        return await self._repeated(
            Kind.CHANGE, lambda: self._run(script, call, doing, on_disk=on_disk)
        )

    async def _run(
        self, script: Script, call: tuple[Part, ...], doing: str, *, on_disk: bool
    ) -> Reply:
        wait: list[tuple[Part, ...]] = []
        if on_disk and self._durable:
            wait = [("WAITAOF", 1, 0, DISK_TIMEOUT_MS)]
        answers = await self._pipeline([("EVALSHA", script.sha, *call), *wait], doing)
        if isinstance(answers[0], foreign.NoScriptError):
            answers = await self._pipeline([("EVAL", script.text, *call), *wait], doing)
        if isinstance(answers[0], Exception):
            raise translate(answers[0], doing) from answers[0]
        if wait:
            _check_flushed(answers[1], doing)
        return cast(Reply, answers[0])

    async def _upgraded(self, indexes: RedisIndexes) -> list[str]:
        """Bring all records up to date, unless they are.

        An earlier version that was at work here since has left indexes of its own, and records.
        """
        upgrade = RedisUpgrade(self._client)
        if await upgrade.is_done() and await indexes.are_as_wanted():
            return []
        return await upgrade.run()

    async def _pipeline(self, commands: Sequence[tuple[Part, ...]], doing: str) -> list[object]:
        """Send several commands in one go; an error that answers one stands in its place."""
        with translated(doing):
            async with self._client.pipeline(transaction=False) as pipe:
                for command in commands:
                    pipe.execute_command(*command)
                return await pipe.execute(raise_on_error=False)

    async def _search(self, index: str, query: BaseQuery) -> object:
        if self._indexes is None:
            raise StoreError("Redis can't be searched before it was prepared")
        searched = self._indexes.named(index)
        query.timeout(SEARCH_TIMEOUT_MS)
        doing = f"search {index}"
        async with self._mending:
            pass  # An index that is being made again has only a part of what there is.
        try:
            return await self._read(doing, lambda: searched.query(query))
        except StoreError as error:
            if not is_missing_index(error):
                raise
        async with self._mending:  # Searches that fail together make them once, one after another.
            with translated("make its indexes again"):
                if await self._indexes.missing():
                    log.warning("Redis has lost its search indexes; they are made again")
                    await self._indexes.ensure()
        return await self._read(doing, lambda: searched.query(query))

    async def _read(self, doing: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        async def once() -> Any:
            with translated(doing):
                return await ask()

        return await self._repeated(Kind.READING, once)

    async def _repeated(self, kind: Kind, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            done = await self._attempts(attempt)
        except StoreUnavailableError as error:
            self._outage.failed(kind, error)
            raise
        self._outage.answered(kind)
        return done

    async def _attempts(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for pause_s in self._repeats_s:
            try:
                return await _heedful(attempt())
            except StoreUnavailableError as error:
                if not passes_soon(error):
                    raise
            await asyncio.sleep(pause_s)
        return await _heedful(attempt())


async def _heedful(asking: Awaitable[T]) -> T:
    """Await what redis-py does without losing a cancellation.

    It sends through asyncio.wait_for, which before Python 3.12 swallows a cancellation that comes
    just when it is done: a worker or a renewal that was told to end would go on for good.
    """
    task = asyncio.current_task()
    asked = task.cancelling() if task else 0
    try:
        return await asking
    finally:
        if task and task.cancelling() > asked:
            raise asyncio.CancelledError


def _check_flushed(answer: object, doing: str) -> None:
    """Raises StoreUnavailableError unless WAITAOF answered that this server's disk has it."""
    if isinstance(answer, Exception):
        raise StoreUnavailableError(f"Redis couldn't {doing} on its disk: {answer}") from answer
    if cast(list[int], answer)[0] < 1:
        raise StoreUnavailableError(
            f"Redis couldn't {doing} on its disk within {DISK_TIMEOUT_MS} ms"
        )
