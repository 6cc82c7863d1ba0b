"""A database of an earlier version is brought up to date at the start, whatever happens."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from redis.exceptions import ConnectionError as Cut

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_archive import RedisArchive
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_schema import FORMAT
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.redis_upgrade import ROUNDS, RedisUpgrade
from core.domain.story import StoryId, Vector
from core.errors import FencedError, RecordError, StartError
from core.ports import Commit
from tests.adapters.redis_proxy import Loss, LossyProxy
from tests.adapters.redis_raw import raw_client
from tests.adapters.stored_records import AGES, MADE_BY, stored
from tests.contracts.store_samples import EVERYTHING, turn_ids, unit

pytestmark = pytest.mark.redis

STORY = StoryId(123, 2)
STORY_KEY, TURN_KEY, LOG_KEY = "tw:story:{123}:2", "tw:turn:{123}:2:t2", "tw:changes:{123}:2"
ENTRY_KEY = "tw:memory:{123}:2:t2"
NEAR = Vector(unit(1, dims=4))


@pytest_asyncio.fixture
async def raw(empty_redis: EmbeddedRedis) -> AsyncIterator[Any]:
    """A client beside the database."""
    async with raw_client(empty_redis.url) as client:
        yield client


@pytest_asyncio.fixture
async def opened(empty_redis: EmbeddedRedis) -> AsyncIterator[RedisDatabase]:
    """A database that nobody prepared yet."""
    database = RedisDatabase(empty_redis.url)
    yield database
    await database.close()


async def fill(client: Any, age: str = "format_1_last", copies: int = 0) -> None:
    """Store what a version stored, with its index and with copies under other channels."""
    held = stored(age)
    for copy in range(copies):
        held |= {key.replace("{123}", f"{{{900 + copy}}}"): one for key, one in stored(age).items()}
    for key, one in held.items():
        if isinstance(one, list):
            await client.rpush(key, *one)
        else:
            await client.hset(key, mapping=one)
    await client.execute_command(
        *("FT.CREATE", "tw-memory", "PREFIX", 1, "tw:memory:", "SCHEMA", "story", "TAG"),
        *("vector", "VECTOR", "FLAT", 6, "TYPE", "FLOAT32", "DIM", 4, "DISTANCE_METRIC", "COSINE"),
    )
    made_from = {"schema": "of that version", "embedder": MADE_BY.name, "dims": MADE_BY.dims}
    await client.hset("tw:meta:tw-memory", mapping=made_from)


async def prepare(database: RedisDatabase) -> tuple[str, ...]:
    """Start; gives what the operator is told."""
    return (await database.prepare(MADE_BY.name, MADE_BY.dims)).warnings


async def formats(client: Any) -> dict[str, int]:
    """How many records, elements of lists among them, have which format."""
    found: dict[str, int] = {}
    async for key in client.scan_iter(match="tw:*"):
        kind = key.split(b":")[1]
        if kind == b"changes":
            forms = [one[11:12].decode() for one in await client.lrange(key, 0, -1)]
        elif kind in {b"story", b"turn", b"memory"}:
            forms = [(await client.hget(key, "format")).decode()]
        else:
            continue
        for form in forms:
            found[form] = found.get(form, 0) + 1
    return found


class Meddled:
    """A client with somebody else at work just before each write.

    Attributes:
        meddle: what the other does.
    """

    def __init__(self, client: Any, meddle: Callable[[], Awaitable[object]]) -> None:
        self._client = client
        self.meddle = meddle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def script_load(self, text: str) -> str:
        """Called before each write."""
        await self.meddle()
        return await self._client.script_load(text)


@pytest.mark.parametrize("age", AGES)
async def test_stories_of_every_age_go_on(raw: Any, opened: RedisDatabase, age: str) -> None:
    """After the start each record is read, found by meaning, by words and by its due time."""
    await fill(raw, age)
    assert await prepare(opened) == ()
    held = stored(age)
    store, archive = RedisStoryStore(opened, 4), RedisArchive(opened)
    if STORY_KEY in held:
        story = await store.load(STORY)
        assert story.memory.text == "Mira wartet. 海"
        assert await RedisSchedule(opened).due(2e9, 5) == [STORY]
    if TURN_KEY in held:
        assert (await store.turn(STORY, "t2")).summary == "It rained on."
    if LOG_KEY in held:
        assert len(await archive.changes(STORY, None, 9)) == len(held[LOG_KEY])
    if ENTRY_KEY in held:
        search = RedisMemorySearch(opened, 4)
        assert "t2" in turn_ids(await search.nearest(STORY, EVERYTHING, NEAR, 9))
        assert turn_ids(await search.matching(STORY, EVERYTHING, "lamp", 9)) == ["t2"]
        assert await search.count(STORY, EVERYTHING) == 1
    assert set(await formats(raw)) == {FORMAT}


async def test_a_second_start_does_not_walk(raw: Any, opened: RedisDatabase) -> None:
    """Everything has the format, and that is remembered."""
    await fill(raw)
    await prepare(opened)
    await raw.execute_command("CONFIG", "RESETSTAT")
    await prepare(opened)
    assert "cmdstat_scan" not in await raw.info("commandstats")


async def test_a_database_in_which_an_earlier_version_was_at_work_is_walked_again(
    raw: Any, opened: RedisDatabase
) -> None:
    """It has left its own indexes, and records that this version couldn't read."""
    await prepare(opened)
    await raw.execute_command("FT.DROPINDEX", "tw-memory")
    await fill(raw)
    await prepare(opened)
    assert set(await formats(raw)) == {FORMAT}


@pytest.mark.parametrize("loss", list(Loss))
async def test_a_start_that_is_killed_goes_on_at_the_next(
    raw: Any, empty_redis: EmbeddedRedis, loss: Loss
) -> None:
    """Cut at the first write, then at the second and so on, until one comes to its end."""
    await fill(raw, copies=4)
    before = await formats(raw)
    async with LossyProxy(empty_redis.url) as proxy:
        for passing in range(100):
            proxy.undisturbed()
            proxy.lose(loss, b"EVALSHA", passing=passing % 3)
            async with raw_client(proxy.url) as client:
                try:
                    assert await RedisUpgrade(client, batch=1).run() == []
                    break
                except Cut:
                    assert not await RedisUpgrade(raw).is_done()
    assert proxy.cuts > 5
    assert await RedisUpgrade(raw).is_done()
    assert before == {"1": 36}
    assert await formats(raw) == {FORMAT: 36}
    assert await raw.hget(STORY_KEY, "epoch") == b"10", "raised once, however often it was begun"


async def test_two_processes_bring_a_database_up_to_date_side_by_side(
    raw: Any, empty_redis: EmbeddedRedis
) -> None:
    """Each record is written once, by either."""
    await fill(raw, copies=30)
    async with raw_client(empty_redis.url) as other:
        both = (RedisUpgrade(raw, batch=3), RedisUpgrade(other, batch=5))
        assert await asyncio.gather(*(one.run() for one in both)) == [[], []]
    assert set(await formats(raw)) == {FORMAT}
    for channel in (123, *range(900, 930)):
        assert await raw.hget(f"tw:story:{{{channel}}}:2", "epoch") == b"10"


async def test_what_changes_meanwhile_is_not_lost(raw: Any, opened: RedisDatabase) -> None:
    """A record that reads differently just before it is written is read again."""
    await fill(raw)
    changed = False

    async def meddle() -> None:
        nonlocal changed
        if not changed:
            changed = True
            await raw.hset(STORY_KEY, mapping={"memory": b'"Mira left."', "memory_v": b"5"})

    await RedisUpgrade(Meddled(raw, meddle)).run()
    await prepare(opened)
    assert (await RedisStoryStore(opened, 4).load(STORY)).memory.text == "Mira left."


async def test_an_earlier_version_that_is_at_work_ends_the_start(raw: Any) -> None:
    """It would write what this version can't read; the sentence says what to do."""
    await fill(raw)
    times = 0

    async def meddle() -> None:
        nonlocal times
        times += 1
        await raw.hset(STORY_KEY, "due", times)

    with pytest.raises(StartError, match=r"earlier version.*stop it and start again"):
        await RedisUpgrade(Meddled(raw, meddle)).run()
    assert times == ROUNDS
    assert await raw.hget(STORY_KEY, "due") == str(ROUNDS).encode()


async def test_a_worker_of_an_earlier_version_is_fenced_off(
    raw: Any, opened: RedisDatabase
) -> None:
    """What it held before the records changed under it, it can't commit any more."""
    await fill(raw)
    await prepare(opened)
    store = RedisStoryStore(opened, 4)
    held = replace(await store.load(STORY), epoch=9)
    with pytest.raises(FencedError, match="taken over"):
        await store.commit(Commit("late", held))


async def test_a_record_that_cannot_be_read_is_named_and_left(
    raw: Any, opened: RedisDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """The start goes on with the others; a repaired one is brought up to date at the next."""
    await fill(raw, copies=1)
    sound = await raw.hget(STORY_KEY, "state")
    await raw.hset(STORY_KEY, "state", '{"brief":7}')
    await raw.rpush(LOG_KEY, "no change")
    await raw.set("tw:turn:{1}:1:x", "no record")
    await raw.set("tw:changes:{1}:1", "no list")
    before = await raw.hgetall(STORY_KEY)
    with caplog.at_level(logging.ERROR):
        (warning,) = await prepare(opened)
    assert "4 records can't be brought to format 2" in warning
    for named in (STORY_KEY, f"{LOG_KEY} can't be brought to format 2: No. 3", "tw:turn:{1}:1:x"):
        assert named in caplog.text
    assert await raw.hgetall(STORY_KEY) == before
    store = RedisStoryStore(opened, 4)
    with pytest.raises(RecordError, match=r"has format 1.*log of the last start says why"):
        await store.load(STORY)
    assert (await store.load(StoryId(900, 2))).epoch == 10

    await raw.hset(STORY_KEY, "state", sound)
    await raw.rpop(LOG_KEY)
    await raw.delete("tw:turn:{1}:1:x", "tw:changes:{1}:1")
    assert await prepare(opened) == ()
    assert (await store.load(STORY)).epoch == 10


async def test_records_of_a_newer_version_are_left_to_it(raw: Any, opened: RedisDatabase) -> None:
    """They are counted for the operator; a story of them says what to do."""
    await fill(raw)
    await raw.hset(STORY_KEY, "format", "9")
    await raw.rpush(LOG_KEY, '{"format":"9","change":{}}')
    before = await raw.hgetall(STORY_KEY)
    (warning,) = await prepare(opened)
    assert "2 records were written by a newer version" in warning
    assert await raw.hgetall(STORY_KEY) == before
    with pytest.raises(RecordError, match=r"has format 9.*or a newer one"):
        await RedisStoryStore(opened, 4).load(STORY)


async def test_a_long_log_is_brought_up_to_date_element_by_element(raw: Any) -> None:
    """Over the borders of batches, and whether an element was brought there already or not."""
    await fill(raw)
    (amended, rewound) = stored("format_1_last")[LOG_KEY]
    (newest, _) = stored(f"format_{FORMAT}")[LOG_KEY]
    await raw.rpush(LOG_KEY, *[amended, newest, rewound] * 7)
    await RedisUpgrade(raw, batch=4).run()
    assert await formats(raw) == {FORMAT: 6 + 2 + 21}
    assert await raw.lindex(LOG_KEY, 3) == newest
