"""What a commit promised outlives restarts, SIGKILL, a full memory and a wiped database."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.story import Memory, Story, StoryId
from core.errors import FencedError, NoStoryError, StoreUnavailableError
from core.ports import Commit
from tests.adapters.redis_raw import raw_client
from tests.contracts.store_samples import (
    DIMS,
    EVERYTHING,
    a_story,
    a_turn,
    an_entry,
    at_angle,
)

pytestmark = pytest.mark.redis


def full_commit(story: Story, number: int) -> Commit:
    """A change with all that a step writes; the parts name each other."""
    return Commit(
        f"op-{number}",
        replace(story, head=f"t{number}", memory=Memory(f"Memory {number}.", number)),
        writes=frozenset({"memory"}),
        turn=a_turn(f"t{number}", number, f"Paragraph {number}."),
        entries=(an_entry(f"t{number}", number, at_angle(number)),),
    )


@pytest_asyncio.fixture
async def own_server() -> AsyncIterator[EmbeddedRedis]:
    """A server that the test may kill."""
    async with EmbeddedRedis() as server:
        yield server


async def test_a_restart_goes_unnoticed(own_server: EmbeddedRedis) -> None:
    """The same objects carry on: scripts are sent again, the index is there, nothing is lost."""
    database = RedisDatabase(own_server.url)
    await database.prepare("test-embedder", DIMS)
    store, memory = RedisStoryStore(database, DIMS), RedisMemorySearch(database, DIMS)
    await store.create(a_story(), "create")
    await store.commit(full_commit(a_story(), 1))
    restarting = asyncio.create_task(own_server.restart())
    await store.commit(full_commit(a_story(), 2))
    await restarting
    stored = await store.load(a_story().id)
    assert stored == full_commit(a_story(), 2).story
    assert await memory.count(stored.id, EVERYTHING) == 2
    (found,) = await memory.nearest(stored.id, EVERYTHING, at_angle(2), 1)
    assert found.turn_id == "t2"
    await database.close()


async def test_what_a_commit_returned_for_survives_kill_9(own_server: EmbeddedRedis) -> None:
    """Twelve writers until the server is killed: every returned commit is there, none is torn."""
    database = RedisDatabase(own_server.url, repeats_s=())
    await database.prepare("test-embedder", DIMS)
    async with raw_client(own_server.url) as client:
        await client.config_set("appendfsync", "always")
    store = RedisStoryStore(database, DIMS)
    stories = [a_story(channel) for channel in range(1, 13)]
    returned = dict.fromkeys((story.id for story in stories), 0)

    async def write(story: Story) -> None:
        await store.create(story, "create")
        for number in range(1, 10_000):
            await store.commit(full_commit(story, number))
            returned[story.id] = number

    writers = [asyncio.create_task(write(story)) for story in stories]
    async with asyncio.timeout(20):
        while min(returned.values()) < 5:  # noqa: ASYNC110 - a look from outside
            await asyncio.sleep(0.01)
    await own_server.kill()
    ends = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(end, StoreUnavailableError) for end in ends)
    await own_server.restart()
    await check_whole(RedisDatabase(own_server.url), returned)
    await database.close()


async def check_whole(database: RedisDatabase, returned: dict[StoryId, int]) -> None:
    """Every story is at its last returned commit or one further, with all parts of each."""
    assert (await database.prepare("test-embedder", DIMS)).durable
    store, memory = RedisStoryStore(database, DIMS), RedisMemorySearch(database, DIMS)
    for story, number in returned.items():
        stored = await store.load(story)
        last = stored.memory.version
        assert number <= last <= number + 1
        assert (stored.head, stored.memory.text) == (f"t{last}", f"Memory {last}.")
        assert await memory.count(story, EVERYTHING) == last
        for one in range(1, last + 1):
            assert (await store.turn(story, f"t{one}")).paragraph == f"Paragraph {one}."
    await database.close()


async def test_a_full_memory_stores_nothing_and_is_said_at_once(
    empty_redis: EmbeddedRedis, database: RedisDatabase
) -> None:
    """Out of memory is worth another try later, isn't repeated now, and leaves no half change."""
    store = RedisStoryStore(database, DIMS)
    await store.create(a_story(), "create")
    async with raw_client(empty_redis.url) as client:
        await client.config_set("maxmemory", 1)
        before = asyncio.get_running_loop().time()
        with pytest.raises(StoreUnavailableError):
            await store.commit(full_commit(a_story(), 1))
        assert asyncio.get_running_loop().time() - before < 1
        await client.config_set("maxmemory", 0)
        assert await store.load(a_story().id) == a_story()
        assert await client.keys("tw:turn:*") == await client.keys("tw:op:*") == []
    await store.commit(full_commit(a_story(), 1))


async def test_a_read_only_server_is_worth_another_try(
    empty_redis: EmbeddedRedis, database: RedisDatabase
) -> None:
    """A server that became a replica refuses the change as unavailable; readings go on."""
    store = RedisStoryStore(database, DIMS)
    await store.create(a_story(), "create")
    async with raw_client(empty_redis.url) as client:
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            with pytest.raises(StoreUnavailableError):
                await store.commit(full_commit(a_story(), 1))
            assert await store.load(a_story().id) == a_story()
        finally:
            await client.execute_command("REPLICAOF", "NO", "ONE")


async def test_an_append_only_file_that_was_turned_off_is_noticed(
    own_server: EmbeddedRedis,
) -> None:
    """A commit that can't reach the disk fails, until the operator was told at a start."""
    database = RedisDatabase(own_server.url, repeats_s=(0.0,))
    await database.prepare("test-embedder", DIMS)
    store = RedisStoryStore(database, DIMS)
    await store.create(a_story(), "create")
    async with raw_client(own_server.url) as client:
        await client.config_set("appendonly", "no")
    with pytest.raises(StoreUnavailableError, match="on its disk"):
        await store.commit(full_commit(a_story(), 1))
    readiness = await database.prepare("test-embedder", DIMS)
    assert not readiness.durable
    assert "appendonly" in readiness.warnings[0]
    await store.commit(full_commit(a_story(), 1))
    await database.close()


async def test_a_stopped_server_is_unavailable(own_server: EmbeddedRedis) -> None:
    """Readings, changes and searches all say so; the ping too."""
    database = RedisDatabase(own_server.url, repeats_s=())
    await database.prepare("test-embedder", DIMS)
    store, schedule = RedisStoryStore(database, DIMS), RedisSchedule(database)
    await own_server.stop()
    for call in (
        store.load(a_story().id),
        store.create(a_story(), "create"),
        schedule.due(1.0, 1),
        database.ping(),
    ):
        with pytest.raises(StoreUnavailableError):
            await call
    await database.close()


@pytest.mark.parametrize("taken_over", [False, True])
async def test_a_server_that_hangs_is_given_up(own_server: EmbeddedRedis, taken_over: bool) -> None:
    """A commit ends in time, and what the server does with it later can't hurt.

    It was applied once when it is repeated; or whoever claimed the story meanwhile keeps it.
    """
    patient = RedisDatabase(own_server.url)
    await patient.prepare("test-embedder", DIMS)
    store = RedisStoryStore(patient, DIMS)
    await store.create(a_story(), "create")
    hasty = RedisDatabase(own_server.url, repeats_s=(0.0,), reply_timeout_s=0.3)
    await hasty.prepare("test-embedder", DIMS)
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(3):
            with pytest.raises(StoreUnavailableError):
                await RedisStoryStore(hasty, DIMS).commit(full_commit(a_story(), 1))
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    if taken_over:
        claimed = await RedisSchedule(patient).claim(a_story().id, 1.0, 31.0, force=True)
        with suppress(FencedError):
            await store.commit(full_commit(a_story(), 1))
        assert await store.load(a_story().id) == claimed
    else:
        await store.commit(full_commit(a_story(), 1))
        assert await store.load(a_story().id) == full_commit(a_story(), 1).story
    await hasty.close()
    await patient.close()


async def test_indexes_come_back_after_the_database_was_wiped(
    empty_redis: EmbeddedRedis, database: RedisDatabase
) -> None:
    """FLUSHDB drops index definitions: the next search makes them again and finds what is new."""
    store, schedule = RedisStoryStore(database, DIMS), RedisSchedule(database)
    await store.create(a_story(due=1.0), "create")
    async with raw_client(empty_redis.url) as client:
        await client.flushdb()
    with pytest.raises(NoStoryError):
        await store.load(a_story().id)
    assert await schedule.due(5.0, 10) == []
    await store.create(a_story(due=1.0), "create-again")
    await store.commit(full_commit(a_story(due=1.0), 1))
    assert await schedule.due(5.0, 10) == [a_story().id]
    assert await RedisMemorySearch(database, DIMS).count(a_story().id, EVERYTHING) == 1
