"""A look at Redis: what it says of each misconfiguration, and that it changes nothing."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_checkup import RedisCheckup
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_keeping import keeping
from core.adapters.redis_records_checkup import RedisRecordsCheckup, Remembered
from core.adapters.redis_schema import FORMAT
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.redis_vectors import VectorSpace
from core.domain.checkup import Finding, NotLookedAtError, Verdict
from core.domain.spending import Budgets, Caps, Price, day_of
from core.domain.story import Phase, StoryId
from core.errors import StoreUnavailableError
from core.ports import Commit
from tests.adapters.redis_proxy import Loss, LossyProxy
from tests.adapters.redis_raw import raw_client
from tests.contracts.store_samples import DIMS, a_story, an_entry
from tests.findings import all_of, amiss
from tests.leak_watch import WRONG_SECRET

OWN = 4242
OWNER = "application"
VECTORS = VectorSpace("test-embedder", DIMS)
GIGA = 1024**3
WELL = {
    "aof_enabled": 1,
    "maxmemory_policy": "noeviction",
    "used_memory": 2 * 1024**2,
    "maxmemory": 0,
    "total_system_memory": 16 * GIGA,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "rdb_last_bgsave_status": "ok",
}


async def own() -> int:
    return OWN


@asynccontextmanager
async def a_look(url: str) -> AsyncGenerator[tuple[RedisCheckup, RedisRecordsCheckup], None]:
    redis = RedisCheckup(url)
    try:
        yield redis, RedisRecordsCheckup(redis)
    finally:
        await redis.close()


@pytest.fixture
async def looks(
    empty_redis: EmbeddedRedis,
) -> AsyncIterator[tuple[RedisCheckup, RedisRecordsCheckup]]:
    async with a_look(empty_redis.url) as both:
        yield both


async def everything(
    redis: RedisCheckup, records: RedisRecordsCheckup, budgets: Budgets | None = None
) -> list[Finding]:
    """All that can be looked at."""
    found: list[Finding] = []
    looks = (redis.server, redis.keeping, redis.speed, redis.clock)
    looks += (records.indexes, records.format)
    for look in looks:
        found += await all_of(look())
    for more in (
        records.stories(),
        records.owner(OWNER, own),
        records.spending(budgets or Budgets()),
    ):
        try:
            found += await all_of(more)
        except NotLookedAtError:
            continue
    return found


async def contents(url: str) -> dict[bytes, object]:
    """Every key with its value and its lifetime."""
    async with raw_client(url) as client:
        keys = sorted([key async for key in client.scan_iter(count=1000)])
        return {key: (await client.dump(key), await client.expiretime(key)) for key in keys}


async def fill(database: RedisDatabase) -> None:
    """Two stories, one of them due an hour ago, and one memory entry."""
    store = RedisStoryStore(database, DIMS)
    await store.create(a_story(5, due=time.time() - 3600), "create")
    await store.create(a_story(6, phase=Phase.ASLEEP, due=None), "create")
    await store.commit(Commit("entry", a_story(5, due=time.time() - 3600), entries=(an_entry(),)))


# ── the server ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.redis
async def test_a_server_as_it_should_be_has_nothing_amiss(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], database: RedisDatabase
) -> None:
    findings = await everything(*looks)
    assert amiss(findings) == []
    told = {one.check: one.found for one in findings}
    assert told["server"].startswith("Valkey 9.")
    assert told["search"] == "search module 2.10.5"
    assert told["durability"] == "appendonly yes, appendfsync always"
    assert "median of 20" in told["speed"]


@pytest.mark.redis
async def test_looking_changes_nothing(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    database: RedisDatabase,
    empty_redis: EmbeddedRedis,
) -> None:
    """No key, no value, no lifetime, and no command that could."""
    await fill(database)
    before = await contents(empty_redis.url)
    assert len(before) > 4
    async with raw_client(empty_redis.url) as client:
        await client.execute_command("CONFIG", "RESETSTAT")
        await everything(*looks)
        await looks[1].places()
        await looks[1].remembers("commands:4242")
        await looks[1].memory(VECTORS)
        sent = {name.lower().removeprefix("cmdstat_") for name in await client.info("commandstats")}
    assert await contents(empty_redis.url) == before
    assert sent <= {
        *("ping", "info", "time", "client|setinfo", "config|get", "config|resetstat"),
        *("module|list", "hget", "hmget", "hgetall", "exists"),
        *("ft._list", "ft.info", "ft.search", "ft.aggregate"),
    }


@pytest.mark.redis
async def test_an_empty_database_is_no_fault(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], empty_redis: EmbeddedRedis
) -> None:
    """So is everything before the first start; looking makes neither index nor record."""
    redis, records = looks
    assert amiss(await everything(redis, records)) == []
    with pytest.raises(NotLookedAtError, match="no story was ever told here"):
        await records.places()
    assert await records.memory(VECTORS) is None
    assert await contents(empty_redis.url) == {}
    async with raw_client(empty_redis.url) as client:
        assert await client.execute_command("FT._LIST") == []


async def test_a_server_that_is_not_there(unused_tcp_port: int, tmp_path: Path) -> None:
    """One fault, without the password; the others have nothing to look at."""
    async with a_look(f"redis://:{WRONG_SECRET}@127.0.0.1:{unused_tcp_port}/0") as (redis, records):
        [fault] = await all_of(redis.server())
        assert fault.verdict is Verdict.FAULT
        assert fault.found.startswith(f"REDIS_URL redis://:***@127.0.0.1:{unused_tcp_port}/0 can't")
        assert fault.remedy == "Start Redis there, or correct the address."
        for look in (redis.keeping, redis.speed, redis.clock, records.indexes, records.stories):
            with pytest.raises(NotLookedAtError, match="Redis doesn't answer"):
                await all_of(look())
    async with a_look("redis://host/0?protocol=3") as (redis, _):
        [fault] = await all_of(redis.server())
        assert "has the option protocol" in fault.found


@pytest.mark.redis
@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (("on", f">{WRONG_SECRET}"), "doesn't let this user work"),
        (("on", ">another", "+@all"), "refuses the user or the password"),
    ],
)
async def test_a_user_that_may_not_is_named(rules: tuple[str, ...], says: str) -> None:
    async with EmbeddedRedis() as server:
        async with raw_client(server.url) as client:
            await client.execute_command("ACL", "SETUSER", "bot", *rules)
        address = server.url.replace("unix://", f"unix://bot:{WRONG_SECRET}@")
        async with a_look(address) as (redis, _):
            [fault] = await all_of(redis.server())
            assert says in fault.found
            assert WRONG_SECRET not in fault.found


@pytest.mark.redis
async def test_a_server_that_still_loads_is_looked_at_later(empty_redis: EmbeddedRedis) -> None:
    async with LossyProxy(empty_redis.url) as proxy:
        proxy.answer_instead(b"PING", b"-LOADING Redis is loading the dataset\r\n", times=1)
        async with a_look(proxy.url) as (redis, _):
            [finding] = await all_of(redis.server())
    assert (finding.verdict, finding.remedy) == (
        Verdict.WARNING,
        "Look again when it has done so.",
    )


@pytest.mark.redis
async def test_a_server_without_search(empty_redis: EmbeddedRedis) -> None:
    async with LossyProxy(empty_redis.url) as proxy:
        proxy.answer_instead(b"FT._LIST", b"-ERR unknown command 'FT._LIST'\r\n", times=2)
        async with a_look(proxy.url) as (redis, records):
            _, finding = await all_of(redis.server())
            assert (finding.verdict, finding.found) == (Verdict.FAULT, "it has no search module")
            assert "redis:8" in finding.remedy
            with pytest.raises(NotLookedAtError, match="can't search"):
                await all_of(records.indexes())


def reply(text: str) -> bytes:
    """A bulk string of the protocol."""
    return f"${len(text.encode())}\r\n{text}\r\n".encode()


@pytest.mark.redis
@pytest.mark.parametrize(
    ("info", "verdict", "says"),
    [
        ("redis_version:8.2.1\r\nuptime_in_seconds:200000", Verdict.OK, "Redis 8.2.1, up for 2 d"),
        ("redis_version:7.0.15", Verdict.FAULT, "it has no WAITAOF"),
        ("redis_version:8.0.0\r\nredis_mode:cluster", Verdict.FAULT, "as a cluster"),
    ],
)
async def test_versions_that_lack_what_stories_need(
    empty_redis: EmbeddedRedis, info: str, verdict: Verdict, says: str
) -> None:
    async with LossyProxy(empty_redis.url) as proxy:
        proxy.answer_instead(b"\nINFO", reply(info), times=1)
        async with a_look(proxy.url) as (redis, _):
            version, _ = await all_of(redis.server())
    assert version.verdict is verdict
    assert says in version.found


@pytest.mark.redis
async def test_a_search_module_that_is_too_old(empty_redis: EmbeddedRedis) -> None:
    listed = b"*1\r\n*4\r\n$4\r\nname\r\n$6\r\nsearch\r\n$3\r\nver\r\n:20809\r\n"
    async with LossyProxy(empty_redis.url) as proxy:
        proxy.answer_instead(b"MODULE", listed, times=1)
        async with a_look(proxy.url) as (redis, _):
            _, search = await all_of(redis.server())
    assert (search.verdict, search.found) == (Verdict.WARNING, "search module 2.8.9")


# ── how it keeps data ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("info", "flush", "saves", "expected"),
    [
        ({}, "always", "", []),
        ({}, None, None, []),
        ({"maxmemory_policy": "allkeys-lru"}, "always", "", [("eviction", Verdict.WARNING)]),
        (
            {"maxmemory_policy": "volatile-ttl", "maxmemory": GIGA},
            *("always", ""),
            [("eviction", Verdict.FAULT)],
        ),
        ({"aof_enabled": 0}, "always", "3600 1", [("durability", Verdict.WARNING)]),
        ({"aof_enabled": 0}, None, None, [("durability", Verdict.WARNING)]),
        ({"aof_enabled": 0}, "always", "", [("durability", Verdict.FAULT)]),
        ({}, "everysec", "", [("durability", Verdict.WARNING)]),
        ({}, "no", "", [("durability", Verdict.WARNING)]),
        ({"aof_last_write_status": "err"}, "always", "", [("disk", Verdict.FAULT)]),
        ({"aof_last_bgrewrite_status": "err"}, "always", "", [("disk", Verdict.FAULT)]),
        ({"rdb_last_bgsave_status": "err"}, "always", "", [("disk", Verdict.FAULT)]),
        (
            {"maxmemory": GIGA, "used_memory": int(0.95 * GIGA)},
            *("always", ""),
            [("memory", Verdict.FAULT)],
        ),
        ({"used_memory": 9 * GIGA}, "always", "", [("memory", Verdict.WARNING)]),
        ({"maxmemory": 17 * GIGA}, "always", "", [("memory", Verdict.WARNING)]),
        ({"total_system_memory": 0}, "always", "", []),
    ],
)
def test_each_way_to_lose_stories_has_its_line(
    info: dict[str, Any],
    flush: str | None,
    saves: str | None,
    expected: list[tuple[str, Verdict]],
) -> None:
    findings = keeping(WELL | info, flush, saves)
    assert [(check, verdict) for check, verdict, _ in amiss(findings)] == expected


def test_figures_are_told_with_their_limits() -> None:
    memory = next(one for one in keeping(WELL, "always", "") if one.check == "memory")
    assert memory.found == "2 MB used; the machine has 16.0 GB"


@pytest.mark.redis
async def test_what_the_server_really_says_is_read(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], empty_redis: EmbeddedRedis
) -> None:
    """Each setting is changed for real, and looked at."""
    redis, _ = looks
    async with raw_client(empty_redis.url) as client:
        for name, bad, good, verdict in (
            ("maxmemory-policy", "allkeys-lru", "noeviction", Verdict.WARNING),
            ("appendfsync", "everysec", "always", Verdict.WARNING),
            ("appendonly", "no", "yes", Verdict.FAULT),
        ):
            await client.config_set(name, bad)
            try:
                [(_, found, says)] = amiss(await all_of(redis.keeping()))
            finally:
                await client.config_set(name, good)
            assert found is verdict, name
            assert f"{name} {bad}" in says


@pytest.mark.redis
async def test_a_server_that_says_nothing_of_itself(empty_redis: EmbeddedRedis) -> None:
    async with LossyProxy(empty_redis.url) as proxy:
        proxy.answer_instead(b"\nINFO", b"-ERR no permission\r\n", times=1)
        async with a_look(proxy.url) as (redis, _):
            [finding] = await all_of(redis.keeping())
    assert (finding.verdict, finding.remedy) == (Verdict.WARNING, "Allow this user INFO.")


@pytest.mark.redis
@pytest.mark.parametrize(
    ("stored", "verdict", "says"),
    [
        (FORMAT, Verdict.OK, f"all have format {FORMAT}"),
        ("1", Verdict.WARNING, "some are of an earlier version"),
        (None, Verdict.WARNING, "some are of an earlier version"),
        ("99", Verdict.FAULT, f"they have format 99, and this version reads {FORMAT}"),
    ],
)
async def test_records_of_other_versions_are_told(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    database: RedisDatabase,
    empty_redis: EmbeddedRedis,
    stored: str | None,
    verdict: Verdict,
    says: str,
) -> None:
    async with raw_client(empty_redis.url) as client:
        await client.delete("tw:meta:format")
        if stored:
            await client.hset("tw:meta:format", "format", stored)
    [finding] = await all_of(looks[1].format())
    assert finding.verdict is verdict
    assert says in finding.found


@pytest.mark.redis
async def test_entries_without_a_vector_of_the_present_embedder_are_counted(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], database: RedisDatabase
) -> None:
    await fill(database)
    assert await looks[1].memory(VECTORS) == Remembered(VECTORS, 1, 0)
    other = VectorSpace("another", DIMS)
    assert await looks[1].memory(other) == Remembered(VECTORS, 1, 1)


@pytest.mark.redis
async def test_an_index_of_an_earlier_version_tells_whose_vectors_it_has(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    database: RedisDatabase,
    empty_redis: EmbeddedRedis,
) -> None:
    """Its entries don't say so themselves."""
    await fill(database)
    async with raw_client(empty_redis.url) as client:
        await client.execute_command("FT.DROPINDEX", "tw-memory")
        await client.execute_command(
            *("FT.CREATE", "tw-memory", "PREFIX", 1, "tw:memory:", "SCHEMA", "story", "TAG")
        )
        async with asyncio.timeout(5):
            # The server tells nobody when the index is filled.
            while await looks[1].memory(VECTORS) == Remembered(VECTORS, 0, 0):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert await looks[1].memory(VECTORS) == Remembered(VECTORS, 1, 0)
    other = VectorSpace("another", DIMS)
    assert await looks[1].memory(other) == Remembered(VECTORS, 1, 1)


# ── indexes and stories ──────────────────────────────────────────────────────────────────────────


@pytest.mark.redis
async def test_records_that_no_search_finds_are_counted_with_an_example(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    database: RedisDatabase,
    empty_redis: EmbeddedRedis,
) -> None:
    """A vector of another length is stored, and silently not indexed."""
    await fill(database)
    async with raw_client(empty_redis.url) as client:
        [entry] = [key async for key in client.scan_iter("tw:memory:*")]
        record = await client.hgetall(entry)
        [vector] = [name for name, value in record.items() if len(value) == 4 * DIMS]
        await client.hset("tw:memory:{5}:1:odd", mapping=record | {vector: b"1234"})
    [(check, verdict, says)] = amiss(await all_of(looks[1].indexes()))
    assert (check, verdict) == ("index", Verdict.FAULT)
    assert "tw-memory can't take 1 of 2 records" in says
    assert "tw:memory:{5}:1:odd" in says


@pytest.mark.redis
async def test_an_index_that_is_gone_is_told_and_stays_gone(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    database: RedisDatabase,
    empty_redis: EmbeddedRedis,
) -> None:
    await fill(database)
    async with raw_client(empty_redis.url) as client:
        await client.execute_command("FT.DROPINDEX", "tw-stories")
        [(_, verdict, says)] = amiss(await all_of(looks[1].indexes()))
        assert verdict is Verdict.WARNING
        assert says.startswith("tw-stories is gone")
        with pytest.raises(NotLookedAtError):
            await all_of(looks[1].stories())
        assert b"tw-stories" not in await client.execute_command("FT._LIST")


@pytest.mark.redis
async def test_stories_are_counted_and_overdue_ones_told(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], database: RedisDatabase
) -> None:
    """A story that nobody takes up tells that nothing turns the wheel."""
    await fill(database)
    phases, wheel = await all_of(looks[1].stories())
    assert phases.found == "2 live: 1 writing, 1 asleep; 0 ended"
    assert wheel.verdict is Verdict.WARNING
    assert wheel.found == "overdue: 1, the first (story 5:1) for 60 minutes"


@pytest.mark.redis
async def test_a_story_that_was_just_due_is_not_overdue(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], database: RedisDatabase
) -> None:
    await RedisStoryStore(database, DIMS).create(a_story(5, due=time.time() - 30), "create")
    _, wheel = await all_of(looks[1].stories())
    assert wheel.verdict is Verdict.OK


@pytest.mark.redis
async def test_places_are_those_of_stories_that_have_not_ended(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    database: RedisDatabase,
    empty_redis: EmbeddedRedis,
) -> None:
    """A record that can't be read is passed over."""
    await fill(database)
    await RedisStoryStore(database, DIMS).create(a_story(8, phase=Phase.ENDED, due=None), "create")
    async with raw_client(empty_redis.url) as client:
        await client.hset("tw:story:{9}:1", mapping={"story": "nonsense", "phase": "voting"})
    guild = a_story().guild
    found = sorted(await looks[1].places(), key=lambda place: place[1].channel)
    assert found == [(guild, StoryId(5, 1)), (guild, StoryId(6, 1))]


@pytest.mark.redis
@pytest.mark.parametrize(
    ("stored", "verdict", "says"),
    [
        (None, Verdict.OK, "nobody's yet"),
        (str(OWN), Verdict.OK, "this bot's"),
        ("77", Verdict.FAULT, "told by another bot (application 77; DISCORD_TOKEN is of 4242)"),
    ],
)
async def test_whose_the_database_is(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    empty_redis: EmbeddedRedis,
    stored: str | None,
    verdict: Verdict,
    says: str,
) -> None:
    if stored:
        async with raw_client(empty_redis.url) as client:
            await client.hset("tw:meta:application", "digest", stored)
    [finding] = await all_of(looks[1].owner(OWNER, own))
    assert finding.verdict is verdict
    assert says in finding.found


@pytest.mark.redis
async def test_whose_it_is_cannot_be_said_without_a_token(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], empty_redis: EmbeddedRedis
) -> None:
    async def nobody() -> int:
        raise NotLookedAtError("no token")

    async with raw_client(empty_redis.url) as client:
        await client.hset("tw:meta:application", "digest", "77")
    with pytest.raises(NotLookedAtError, match="no token"):
        await all_of(looks[1].owner(OWNER, nobody))


@pytest.mark.redis
async def test_commands_that_were_registered_are_known(
    looks: tuple[RedisCheckup, RedisRecordsCheckup], empty_redis: EmbeddedRedis
) -> None:
    assert not await looks[1].remembers("commands:4242")
    async with raw_client(empty_redis.url) as client:
        await client.hset(f"tw:meta:commands:{OWN}", "digest", "x")
    assert await looks[1].remembers("commands:4242")
    assert not await looks[1].remembers("commands:4243")


@pytest.mark.redis
@pytest.mark.parametrize(
    ("budgets", "verdict", "says"),
    [
        (Budgets(), Verdict.OK, "900 tokens spent today (UTC)"),
        (Budgets(Caps(1000)), Verdict.OK, "900 of 1,000 tokens spent today (UTC)"),
        (Budgets(Caps(900)), Verdict.WARNING, "the day's budget is spent"),
        (
            Budgets(Caps(None, 3_000_000), prices={"m": Price(1.0)}),
            Verdict.OK,
            "900 tokens, $1.25 of $3.00 spent today (UTC)",
        ),
        (Budgets(prices={"m": Price(1.0)}), Verdict.OK, "900 tokens, $1.25 spent today (UTC)"),
    ],
)
async def test_what_the_day_has_cost(
    looks: tuple[RedisCheckup, RedisRecordsCheckup],
    empty_redis: EmbeddedRedis,
    budgets: Budgets,
    verdict: Verdict,
    says: str,
) -> None:
    async with raw_client(empty_redis.url) as client:
        day = f"tw:spend:{{{day_of(time.time())}}}"
        await client.hset(day, mapping={"total": 900, "total:micros": 1_250_000})
    [finding] = await all_of(looks[1].spending(budgets))
    assert finding.verdict is verdict
    assert says in finding.found


Ask = Callable[[RedisCheckup, RedisRecordsCheckup], Awaitable[object]]
ASKS: list[tuple[bytes, Ask]] = [
    (b"TIME", lambda redis, _: all_of(redis.clock())),
    (b"FT._LIST", lambda _, records: all_of(records.indexes())),
    (b"FT._LIST", lambda _, records: records.places()),
    (b"EXISTS", lambda _, records: records.remembers("commands:4242")),
    (b"HGETALL", lambda _, records: records.memory(VECTORS)),
]


@pytest.mark.redis
@pytest.mark.parametrize(("marker", "ask"), ASKS)
async def test_a_server_that_goes_while_it_is_looked_at(
    empty_redis: EmbeddedRedis, marker: bytes, ask: Ask
) -> None:
    """Nothing of redis-py's gets out."""
    async with LossyProxy(empty_redis.url) as proxy:
        proxy.lose(Loss.REQUEST, marker)
        async with a_look(proxy.url) as both:
            with pytest.raises(StoreUnavailableError, match="Redis couldn't"):
                await ask(*both)
