"""Looks at what Talewheel keeps in a Redis: its indexes, its stories, whose they are.

Only reads, and not through the adapters that the bot uses: those make an index again that is gone.
Everything is answered by the indexes and a few records of their own kind, so it costs the same
however many stories there are.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import exceptions as foreign

from core.adapters import redis_keys as keys
from core.adapters.redis_checkup import RedisCheckup, asking
from core.adapters.redis_command_memory import DIGEST
from core.adapters.redis_errors import translated
from core.adapters.redis_schema import FORMAT, differing, read_story_id
from core.adapters.redis_spend_ledger import fields_of
from core.adapters.redis_vectors import VectorSpace, recorded_embedder
from core.domain.checkup import Area, Finding, NotLookedAtError, Topic, many
from core.domain.spending import MICROS, PROCESS, Budgets, Spent, day_of, reached
from core.domain.story import Phase, StoryId
from core.errors import RecordError

Findings = AsyncGenerator[Finding, None]
Application = Callable[[], Awaitable[int]]
"""Whose token it is. Raises NotLookedAtError where that isn't known."""

OVERDUE_S = 60.0
"""A bot that runs takes a story up within a second; one that was just started, within a few."""
_PLACES = 1000
_QUERY_MS = 3000


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the long-term memory is made of.

    Attributes:
        made_by: whose vectors it is searched by.
        entries: how many there are.
        waiting: how many have no vector of the present embedder.
    """

    made_by: VectorSpace
    entries: int
    waiting: int


class RedisRecordsCheckup:
    """Looks at the records of one database.

    Args:
        redis: the server; stays open.
    """

    def __init__(self, redis: RedisCheckup) -> None:
        self._redis = redis

    @asking("say what its indexes are like")
    async def indexes(self) -> Findings:
        """Whether both are there, whole, and took every record."""
        client = await self._redis.answering()
        present = await self._indexes(client)
        for index in (keys.STORIES_INDEX, keys.MEMORY_INDEX):
            topic = Topic(Area.REDIS, "index")
            if index.encode() in present:
                yield _index(topic, index, _pairs(await client.execute_command("FT.INFO", index)))
            elif await client.exists(keys.meta(index)):
                yield topic.warning(
                    f"{index} is gone (FLUSHDB, or data of another server)",
                    "Start the bot: it makes it again from the records.",
                )
            else:
                yield topic.ok(f"no {index} yet; the bot makes it at its first start")

    @asking("say which format its records have")
    async def format(self) -> Findings:
        """Whether this version can read what is kept there."""
        client = await self._redis.answering()
        topic = Topic(Area.REDIS, "records")
        told = await client.hget(keys.meta(keys.FORMAT_META), "format")
        if told is None and not await client.exists(keys.meta(keys.STORIES_INDEX)):
            yield topic.ok("none yet")
        elif told is None or (told.isdigit() and int(told) < int(FORMAT)):
            yield topic.warning(
                "some are of an earlier version, or were when the bot last started",
                "Start the bot: it brings them up to date, and its log names what it can't.",
            )
        elif told.decode() == FORMAT:
            yield topic.ok(f"all have format {FORMAT}, which this version reads")
        else:
            yield topic.fault(
                f"they have format {told.decode()}, and this version reads {FORMAT}",
                "Start the version of Talewheel that wrote them, or a newer one.",
            )

    @asking("count the stories")
    async def stories(self) -> Findings:
        """How many there are in which phase, and whether somebody turns the wheel."""
        client = await self._with_stories()
        topic = Topic(Area.STORIES, "phases")
        counted = await _by_phase(client)
        ended = counted.pop(Phase.ENDED, 0)
        phases = ", ".join(f"{counted[phase]:,} {phase}" for phase in Phase if counted.get(phase))
        live = sum(counted.values())
        yield topic.ok(f"{live:,} live{f': {phases}' if phases else ''}; {ended:,} ended")
        yield await _overdue(client)

    @asking("say whose its stories are")
    async def owner(self, record: str, application: Application) -> Findings:
        """Whether the database is this bot's.

        Args:
            record: the name under which the application is remembered.
            application: this bot's.
        """
        client = await self._redis.answering()
        topic = Topic(Area.STORIES, "owner")
        told = await client.hget(keys.meta(record), DIGEST)
        if told is None:
            yield topic.ok("the database is nobody's yet; the first bot that starts takes it")
            return
        owner, own = told.decode(), str(await application())
        if owner == own:
            yield topic.ok("the database is this bot's")
        else:
            yield topic.fault(
                f"the stories in this database are told by another bot (application {owner}; "
                f"DISCORD_TOKEN is of {own})",
                "Give each bot a Redis of its own, or take the other bot's token.",
            )

    @asking("say what was spent")
    async def spending(self, budgets: Budgets) -> Findings:
        """What the whole process has spent today, and whether stories wait for the day to turn."""
        client = await self._redis.answering()
        topic = Topic(Area.STORIES, "spending")
        day = day_of(time.time())
        told = await client.hmget(keys.spend(day), *fields_of(PROCESS))
        spent = Spent(*(int(value or 0) for value in told))
        found = f"{spent.tokens:,} tokens"
        if budgets.process.tokens is not None:
            found = f"{spent.tokens:,} of {budgets.process.tokens:,} tokens"
        if budgets.prices:
            cap = budgets.process.micros
            dollars = f"${spent.micros / MICROS:.2f}"
            found += f", {dollars}" if cap is None else f", {dollars} of ${cap / MICROS:.2f}"
        found += " spent today (UTC)"
        if reached(spent, budgets.process):
            yield topic.warning(
                f"{found}: the day's budget is spent, and stories wait for the next day",
                "Raise DAILY_TOKEN_CAP or DAILY_COST_CAP, or wait.",
            )
        else:
            yield topic.ok(found)

    async def places(self) -> Sequence[tuple[int, StoryId]]:
        """Guild and id of stories that haven't ended, at most _PLACES of them.

        Raises:
            NotLookedAtError: Redis doesn't say.
        """
        client = await self._with_stories()
        with translated("say where stories are told"):
            _, *hits = await client.execute_command(
                *("FT.SEARCH", keys.STORIES_INDEX, str(differing("phase", Phase.ENDED.value))),
                *("RETURN", 2, "story", "guild", "LIMIT", 0, _PLACES),
                *("TIMEOUT", _QUERY_MS, "DIALECT", 2),
            )
        found = [_place(_pairs(fields)) for fields in hits[1::2]]
        return [place for place in found if place is not None]

    async def remembers(self, record: str) -> bool:
        """Whether something was put under a name; see RedisCommandMemory."""
        client = await self._redis.answering()
        with translated("say what it remembers"):
            return bool(await client.exists(keys.meta(record)))

    async def memory(self, vectors: VectorSpace) -> Remembered | None:
        """What the long-term memory is made of; None where there is none yet.

        Args:
            vectors: those of the present embedder.

        Raises:
            NotLookedAtError: Redis doesn't say.
        """
        client = await self._redis.answering()
        with translated("say what its memory was made with"):
            made_by = await recorded_embedder(client)
            if made_by is None or keys.MEMORY_INDEX.encode() not in await self._indexes(client):
                return None
            entries = await _number(client, "*")
            if await _has_field(client, "embedder"):
                waiting = await _number(client, str(differing("embedder", vectors.tag)))
            else:  # An earlier version's index: its entries don't say whose vector they have.
                waiting = 0 if made_by == vectors else entries
        return Remembered(made_by, entries, waiting)

    async def _with_stories(self) -> Any:
        client = await self._redis.answering()
        if keys.STORIES_INDEX.encode() not in await self._indexes(client):
            raise NotLookedAtError("no story was ever told here, or the index is gone")
        return client

    async def _indexes(self, client: Any) -> Sequence[bytes]:
        with translated("list its indexes"):
            try:
                return await client.execute_command("FT._LIST")
            except foreign.ResponseError as error:
                raise NotLookedAtError("Redis can't search") from error


def _index(topic: Topic, index: str, told: Mapping[str, Any]) -> Finding:
    documents = int(told.get("num_docs", 0))
    failures = int(told.get("hash_indexing_failures", 0))
    if failures:
        return topic.fault(
            f"{index} can't take {failures:,} of {documents + failures:,} records, and no search "
            f"finds them{_example(told)}",
            "Write it down and report it: a record isn't what it should be.",
        )
    part = float(told.get("percent_indexed", 1))
    if part < 1:
        return topic.warning(
            f"{index} is still being filled ({part:.0%}): searches find a part",
            "Look again in a minute.",
        )
    return topic.ok(f"{index} holds {many(documents, 'record')}, all of them")


def _example(told: Mapping[str, Any]) -> str:
    errors = _pairs(told.get("Index Errors") or ())
    key, why = errors.get("last indexing error key"), errors.get("last indexing error")
    if not isinstance(key, bytes) or not isinstance(why, bytes):
        return ""
    return f"; the last was {key.decode('utf-8', 'replace')}: {why.decode('utf-8', 'replace')}"


async def _has_field(client: Any, name: str) -> bool:
    """Whether the memory is indexed by a field."""
    told = _pairs(await client.execute_command("FT.INFO", keys.MEMORY_INDEX))
    return any(_pairs(field).get("identifier") == name.encode() for field in told["attributes"])


async def _number(client: Any, query: str) -> int:
    """How many entries of the memory a query finds."""
    found = await client.execute_command(
        *("FT.SEARCH", keys.MEMORY_INDEX, query, "LIMIT", 0, 0),
        *("TIMEOUT", _QUERY_MS, "DIALECT", 2),
    )
    return int(found[0])


async def _by_phase(client: Any) -> dict[Phase, int]:
    _, *groups = await client.execute_command(
        *("FT.AGGREGATE", keys.STORIES_INDEX, "*", "TIMEOUT", _QUERY_MS),
        *("GROUPBY", 1, "@phase", "REDUCE", "COUNT", 0, "AS", "stories"),
    )
    counted: dict[Phase, int] = {}
    for group in map(_pairs, groups):
        if isinstance(phase := group.get("phase"), bytes) and phase.decode() in set(Phase):
            counted[Phase(phase.decode())] = int(group["stories"])
    return counted


async def _overdue(client: Any) -> Finding:
    topic = Topic(Area.STORIES, "wheel")
    now = time.time()
    total, *hits = await client.execute_command(
        *("FT.SEARCH", keys.STORIES_INDEX, f"@due:[-inf {now - OVERDUE_S:.3f}]"),
        *("RETURN", 2, "story", "due", "SORTBY", "due", "LIMIT", 0, 1),
        *("TIMEOUT", _QUERY_MS, "DIALECT", 2),
    )
    if not total:
        return topic.ok("no story is overdue")
    first = _pairs(hits[1])
    minutes = (now - float(first["due"])) / 60
    return topic.warning(
        f"overdue: {total:,}, the first (story {first['story'].decode()}) for "
        f"{many(round(minutes), 'minute')}",
        "Start the bot (talewheel run); where it runs, look at its log.",
    )


def _place(fields: Mapping[str, Any]) -> tuple[int, StoryId] | None:
    try:
        return int(fields["guild"]), read_story_id(fields["story"].decode())
    except (KeyError, ValueError, RecordError):
        return None  # The bot passes over such a record too, and says so in its log.


def _pairs(reply: Any) -> dict[str, Any]:
    """Names and values by turns, as RESP2 has them."""
    names = [name.decode("utf-8", "replace") for name in reply[::2]]
    return dict(zip(names, reply[1::2], strict=False))
