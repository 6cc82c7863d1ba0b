"""Looks at a Redis without changing anything in it: the server, how it keeps data, how quick it is.

What its records and indexes are like, redis_records_checkup looks at; what a server must be like is
redis_greeting's and redis_keeping's knowledge. Only commands that read are sent, each at most once
in a moment, on connections of its own: the bot may be at work beside.
"""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from functools import wraps
from statistics import median
from typing import Any, ParamSpec, cast

from redis import exceptions as foreign
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.adapters.redis_address import mask, read_address
from core.adapters.redis_errors import root_of, translated
from core.adapters.redis_greeting import explain, figures
from core.adapters.redis_keeping import keeping
from core.domain.checkup import Area, Finding, NotLookedAtError, Topic, skew
from core.errors import StartError

Findings = AsyncGenerator[Finding, None]
FAILURES = (foreign.RedisError, OSError)

_OLDEST = (7, 2)
"""WAITAOF came with 7.2; Valkey calls itself that, whatever its own version."""
_OLDEST_SEARCH = 21_000
"""2.10, as its MODULE LIST writes it: older ones were never tried."""
_CONNECT_S = 2.0
_REPLY_S = 4.0
_PINGS = 20
_SLOW_MS = 10.0
"""A turn makes a few dozen round trips, one after the other."""
_WAITED = "cmdstat_waitaof"
_MICRO = 1_000_000


P = ParamSpec("P")


def asking(doing: str) -> Callable[[Callable[P, Findings]], Callable[P, Findings]]:
    """Have a look's foreign errors translated: "Redis couldn't {doing}: …"."""

    def wrap(look: Callable[P, Findings]) -> Callable[P, Findings]:
        @wraps(look)
        async def looking(*args: P.args, **kwargs: P.kwargs) -> Findings:
            with translated(doing):
                async with aclosing(look(*args, **kwargs)) as findings:
                    async for finding in findings:
                        yield finding

        return looking

    return wrap


class RedisCheckup:
    """Looks at one server; opens nothing before the first look. Who made it closes it.

    Args:
        url: REDIS_URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Any = None

    @asking("be looked at")
    async def server(self) -> Findings:
        """Whether it answers, which version it is, and whether it can search."""
        topic = Topic(Area.REDIS, "server")
        try:
            client = self.client()
            await client.ping()
            info = await client.info("server")
        except StartError as error:
            yield topic.fault(str(error), "Correct it; .env.example has the form.")
            return
        except FAILURES as error:
            yield _unanswered(topic, mask(self._url), root_of(error))
            return
        yield _version(topic, info)
        yield await _search(client)

    @asking("say how it keeps data")
    async def keeping(self) -> Findings:
        """Whether it keeps what it is given."""
        client = await self.answering()
        try:
            info, flush, saves = await figures(client)
        except foreign.ResponseError as error:
            yield Topic(Area.REDIS, "durability").warning(
                f"it doesn't say how it keeps data ({error})", "Allow this user INFO."
            )
            return
        for finding in keeping(info, flush, saves):
            yield finding
        if waited := await _waits(client, flush):
            yield Topic(Area.REDIS, "disk").ok(waited)

    @asking("answer pings")
    async def speed(self) -> Findings:
        """How long an answer takes."""
        client = await self.answering()
        topic = Topic(Area.REDIS, "speed")
        took: list[float] = []
        for _ in range(_PINGS):
            began = time.perf_counter()
            await client.ping()
            took.append((time.perf_counter() - began) * 1000)
        found = (
            f"an answer takes {median(took):.1f} ms (median of {_PINGS}, longest {max(took):.0f})"
        )
        if median(took) > _SLOW_MS:
            yield topic.warning(found, "Bring Redis nearer: the same machine, or the same network.")
        else:
            yield topic.ok(found)

    @asking("say what time it is")
    async def clock(self) -> Findings:
        """How far its clock is from this machine's."""
        client = await self.answering()
        sent_at = time.time()
        seconds, micros = await client.time()
        came_at = time.time()
        ahead_s = (sent_at + came_at) / 2 - (int(seconds) + int(micros) / _MICRO)
        doubt_s = (came_at - sent_at) / 2
        yield skew(Topic(Area.CLOCK, "Redis"), "Redis's", ahead_s, doubt_s, decisive=False)

    async def answering(self) -> Any:
        """A client whose server answers. Raises NotLookedAtError; ``server`` says what is wrong."""
        try:
            client = self.client()
            await client.ping()
        except (StartError, *FAILURES) as error:
            raise NotLookedAtError("Redis doesn't answer") from error
        return client

    def client(self) -> Any:
        """A client. Raises StartError for an address that can't be used."""
        if self._client is None:
            options = {
                **read_address(self._url).options,
                "db": 0,
                "protocol": 2,
                "decode_responses": False,
                "max_connections": 4,
                "timeout": _REPLY_S,
                "socket_timeout": _REPLY_S,
                "socket_connect_timeout": _CONNECT_S,
                "retry": Retry(NoBackoff(), 0),
            }
            pool = cast(Any, BlockingConnectionPool)(**options)
            self._client = cast(Any, Redis).from_pool(pool)
        return self._client

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()


def _unanswered(topic: Topic, shown: str, error: Exception) -> Finding:
    if isinstance(error, foreign.BusyLoadingError):
        return topic.warning(
            f"REDIS_URL {shown} still loads its data", "Look again when it has done so."
        )
    what, remedy = explain(error)
    return topic.fault(f"REDIS_URL {shown} {what}", _sentence(remedy))


def _version(topic: Topic, info: Mapping[str, Any]) -> Finding:
    spoken = str(info.get("redis_version", "0"))
    name = "Valkey" if info.get("server_name") == "valkey" else "Redis"
    own = str(info.get("valkey_version", spoken))
    found = f"{name} {own}, up for {_span(int(info.get('uptime_in_seconds', 0)))}"
    if info.get("redis_mode") == "cluster":
        return topic.fault(f"{found}, as a cluster", "Use a single server: search needs all of it.")
    parts = [int(part) for part in spoken.split(".")[:2] if part.isdecimal()]
    if tuple(parts) < _OLDEST:
        return topic.fault(
            f"{found}: it has no WAITAOF, which every step of a story needs",
            "Use 7.2 or later; the image redis:8 has all it takes (docker compose up -d redis).",
        )
    return topic.ok(found)


async def _search(client: Any) -> Finding:
    """Whether it can search; the module's version where it tells one."""
    topic = Topic(Area.REDIS, "search")
    try:
        await client.execute_command("FT._LIST")
    except FAILURES as error:
        what, remedy = explain(root_of(error))
        return topic.fault(f"it {what}", _sentence(remedy))
    number = await _module_version(client)
    if number is None:
        return topic.ok("it can search; the module's version isn't told to this user")
    major, rest = divmod(number, 10_000)
    found = f"search module {major}.{rest // 100}.{rest % 100}"
    if number < _OLDEST_SEARCH:
        return topic.warning(found, "Use 2.10 or later: older ones were never tried.")
    return topic.ok(found)


async def _module_version(client: Any) -> int | None:
    with suppress(foreign.ResponseError):
        for module in await client.execute_command("MODULE", "LIST"):
            told = dict(zip(module[::2], module[1::2], strict=False))
            if told.get(b"name") in {b"search", b"searchlight"}:
                return int(told[b"ver"])
    return None


async def _waits(client: Any, flush: str | None) -> str | None:
    """How long steps of stories have waited for the disk so far, where that is to be seen."""
    if flush in {None, "always"}:
        return None  # With always a step waits inside its own answer, and nothing counts it.
    with suppress(foreign.ResponseError):
        waited = (await client.info("commandstats")).get(_WAITED)
        if waited:
            mean_ms = float(waited["usec_per_call"]) / 1000
            return f"{int(waited['calls']):,} steps waited {mean_ms:.1f} ms on average for the disk"
    return None


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _span(seconds: int) -> str:
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"
