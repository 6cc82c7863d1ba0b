"""The start: what a server must be like, what is said of others, and how indexes are kept."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.playground.embedded_redis import EmbeddedRedis, server_binary
from core.adapters.redis_address import mask, read_address
from core.adapters.redis_database import RedisDatabase, Script
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_story_store import RedisStoryStore
from core.errors import StartError
from core.ports import Commit
from tests.adapters.redis_proxy import LossyProxy
from tests.adapters.redis_raw import raw_client
from tests.contracts.store_samples import (
    DIMS,
    EVERYTHING,
    a_story,
    a_turn,
    an_entry,
    at_angle,
    turn_ids,
    unit,
)

SECRET = "geheim"


async def start(url: str, embedder: str, dims: int) -> None:
    """Open, prepare and close a database."""
    database = RedisDatabase(url)
    try:
        await database.prepare(embedder, dims)
    finally:
        await database.close()


async def start_fault(url: str, embedder: str = "test-embedder", dims: int = DIMS) -> str:
    """The line with which a start on this server ends."""
    with pytest.raises(StartError) as caught:
        await start(url, embedder, dims)
    line = str(caught.value)
    assert "\n" not in line
    assert SECRET not in line
    assert SECRET not in repr(caught.value.__cause__)
    return line


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no address of a Redis server"),
        ("localhost:6379", "no address of a Redis server"),
        ("http://localhost", "no address of a Redis server"),
        ("redis://localhost:port", "no address of a Redis server"),
        ("unix://", "names no socket"),
        ("redis://localhost:6379/1", "another database than 0"),
        ("redis://localhost:6379?db=2", "another database than 0"),
        ("unix:///tmp/x.sock?db=3", "another database than 0"),
        ("redis://localhost:6379?protocol=3", "the option protocol"),
        ("redis://localhost?decode_responses=yes", "the option decode_responses"),
    ],
)
async def test_an_address_that_cannot_be_used_is_named(url: str, says: str) -> None:
    """Each fault of REDIS_URL is told before anything is connected."""
    line = await start_fault(url)
    assert line.startswith("REDIS_URL ")
    assert says in line


@pytest.mark.parametrize(
    "url", ["redis://h:6379/0", "redis://h", "rediss://h:1/", "unix:///s.sock", "unix:///s?db=0"]
)
def test_an_address_of_database_0_is_taken(url: str) -> None:
    """Every way to say database 0, or not to say it, is right."""
    assert "db" not in read_address(url).options


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"redis://:{SECRET}@host:6379/0", "redis://:***@host:6379/0"),
        (f"rediss://bot:{SECRET}@host", "rediss://bot:***@host"),
        (f"unix://:{SECRET}@/run/r.sock", "unix://:***@/run/r.sock"),
        (f"redis://bot:a@b/{SECRET}@host", "redis://bot:***@host"),
        (f"redis://host?password={SECRET}&db=0", "redis://host?password=***&db=0"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    """Also not when it holds characters that belong into a URL only escaped."""
    assert mask(url) == shown


async def test_an_unreachable_server_is_named(tmp_path: Path, unused_tcp_port: int) -> None:
    """A refused port and a missing socket end the start with the masked address and a way out."""
    line = await start_fault(f"redis://:{SECRET}@127.0.0.1:{unused_tcp_port}/0")
    assert f"REDIS_URL redis://:***@127.0.0.1:{unused_tcp_port}/0 can't be reached" in line
    assert re.search(r"[^.]\): start Redis there", line), "one sentence"
    assert "can't be reached" in await start_fault(f"unix://{tmp_path}/no.sock")


@pytest.mark.redis
async def test_a_wrong_password_is_named() -> None:
    """A wrong one and a missing one, neither shown."""
    async with EmbeddedRedis() as server:
        async with raw_client(server.url) as client:
            await client.config_set("requirepass", "right")
        wrong = server.url.replace("unix://", f"unix://:{SECRET}@")
        assert "refuses the user or the password" in await start_fault(wrong)
        assert "refuses the user or the password" in await start_fault(server.url)
        right = RedisDatabase(server.url.replace("unix://", "unix://:right@"))
        assert (await right.prepare("test-embedder", DIMS)).durable
        await right.close()


@pytest.mark.redis
async def test_a_user_without_rights_is_named() -> None:
    """What the user isn't allowed stands in the line."""
    async with EmbeddedRedis() as server:
        async with raw_client(server.url) as client:
            await client.execute_command("ACL", "SETUSER", "bot", "on", f">{SECRET}", "+ping")
        line = await start_fault(server.url.replace("unix://", f"unix://bot:{SECRET}@"))
        assert "doesn't let this user work" in line


@pytest.mark.redis
async def test_a_server_that_still_loads_is_waited_for(empty_redis: EmbeddedRedis) -> None:
    """A server that was started with the bot reads its data first; that is no fault."""
    async with LossyProxy(empty_redis.url) as proxy:
        loading = b"-LOADING Redis is loading the dataset in memory\r\n"
        proxy.answer_instead(b"PING", loading, times=2)
        database = RedisDatabase(proxy.url)
        assert (await database.prepare("test-embedder", DIMS)).durable
        await database.close()


def start_process(command: list[str | Path]) -> subprocess.Popen[bytes]:
    """A process of the test's own."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


@pytest_asyncio.fixture
async def plain_server(tmp_path: Path, redis_server: EmbeddedRedis) -> AsyncIterator[str]:
    """A server without the search module (skipped where there is no server at all)."""
    folder = Path(redis_server.url.removeprefix("unix://")).parent
    socket = folder / "plain.sock"
    command = [server_binary(), "--port", "0", "--unixsocket", socket, "--dir", tmp_path]
    with start_process(command) as process:
        try:
            async with asyncio.timeout(10):
                while not socket.exists():  # noqa: ASYNC110 - nothing tells when it is there
                    await asyncio.sleep(0.02)
            yield f"unix://{socket}"
        finally:
            process.kill()
            process.wait()
            socket.unlink(missing_ok=True)


@pytest.mark.redis
async def test_a_server_without_search_is_named(plain_server: str) -> None:
    """The line says which image has it."""
    line = await start_fault(plain_server)
    assert "has no search module" in line
    assert "redis:8" in line


@pytest.mark.redis
async def test_a_server_as_it_should_be_gets_no_warning(empty_redis: EmbeddedRedis) -> None:
    """Append-only, flushed always, nothing evicted: durable and silent."""
    database = RedisDatabase(empty_redis.url)
    readiness = await database.prepare("test-embedder", DIMS)
    assert readiness.durable
    assert readiness.warnings == ()
    await database.close()


@pytest.mark.redis
@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
        ("appendfsync", "everysec", "always"),
    ],
)
async def test_a_setting_that_loses_stories_or_time_is_warned_of(
    empty_redis: EmbeddedRedis, name: str, bad: str, good: str
) -> None:
    """The warning names the setting, its value and the right one, and the start goes on."""
    database = RedisDatabase(empty_redis.url)
    async with raw_client(empty_redis.url) as client:
        await client.config_set(name, bad)
        try:
            readiness = await database.prepare("test-embedder", DIMS)
        finally:
            await client.config_set(name, good)
    assert len(readiness.warnings) == 1
    assert f"{name} {bad}" in readiness.warnings[0]
    assert f"{name} {good}" in readiness.warnings[0]
    await database.close()


async def fill(database: RedisDatabase) -> None:
    """One due story with one memory entry."""
    store = RedisStoryStore(database, DIMS)
    await store.create(a_story(due=1.0), "create")
    await store.commit(Commit("entry", a_story(due=1.0), entries=(an_entry(),)))


async def check_found(database: RedisDatabase) -> None:
    """What ``fill`` stored is found by both indexes."""
    found = await RedisMemorySearch(database, DIMS).nearest(
        a_story().id, EVERYTHING, at_angle(0), 5
    )
    assert turn_ids(found) == ["t1"]
    assert await RedisSchedule(database).due(1.0, 5) == [a_story().id]


@pytest.mark.redis
async def test_a_second_start_leaves_the_indexes_alone(
    empty_redis: EmbeddedRedis, database: RedisDatabase
) -> None:
    """Nothing is dropped or made again when nothing has changed."""
    await fill(database)
    async with raw_client(empty_redis.url) as client:
        await client.execute_command("CONFIG", "RESETSTAT")
        await database.prepare("test-embedder", DIMS)
        commands = {name.lower() for name in await client.info("commandstats")}
    assert "cmdstat_ft._list" in commands
    assert not {name for name in commands if "ft.create" in name or "ft.drop" in name}
    await check_found(database)


@pytest.mark.redis
async def test_a_changed_schema_makes_the_index_again_and_keeps_the_records(
    empty_redis: EmbeddedRedis, database: RedisDatabase
) -> None:
    """Indexes of an older version, with fewer fields, are replaced; every record is found."""
    await fill(database)
    async with raw_client(empty_redis.url) as client:
        for index, prefix in (("tw-memory", "tw:memory:"), ("tw-stories", "tw:story:")):
            await client.execute_command("FT.DROPINDEX", index)
            await client.execute_command(
                *("FT.CREATE", index, "PREFIX", 1, prefix, "SCHEMA", "story", "TAG")
            )
            await client.hset(f"tw:meta:{index}", "schema", "of an older version")
    assert (await database.prepare("test-embedder", DIMS)).warnings == ()
    await check_found(database)


@pytest.mark.redis
async def test_a_missing_index_is_made_over_what_is_there(
    empty_redis: EmbeddedRedis, database: RedisDatabase
) -> None:
    """A dropped definition costs nothing but the time to fill it."""
    await fill(database)
    async with raw_client(empty_redis.url) as client:
        await client.execute_command("FT.DROPINDEX", "tw-memory")
        await client.execute_command("FT.DROPINDEX", "tw-stories")
    await database.prepare("test-embedder", DIMS)
    await check_found(database)


@pytest.mark.redis
@pytest.mark.parametrize(
    ("embedder", "dims"), [("test-embedder", DIMS * 2), ("other-embedder", DIMS), ("other", 16)]
)
async def test_another_embedder_is_taken_and_the_records_stay(
    empty_redis: EmbeddedRedis, database: RedisDatabase, embedder: str, dims: int
) -> None:
    """Its index has every entry, by words for now; set back at once, everything is as it was."""
    await fill(database)
    await start(empty_redis.url, embedder, dims)
    changed = RedisDatabase(empty_redis.url)
    assert (await changed.prepare(embedder, dims)).warnings == ()
    search = RedisMemorySearch(changed, dims)
    by_words = await search.matching(a_story().id, EVERYTHING, "climbed", 5)
    assert turn_ids(by_words) == ["t1"]
    assert await search.nearest(a_story().id, EVERYTHING, unit(1, dims=dims), 5) == []
    await changed.close()
    await database.prepare("test-embedder", DIMS)
    await check_found(database)


@pytest.mark.redis
async def test_records_that_no_search_finds_are_warned_of(
    empty_redis: EmbeddedRedis, database: RedisDatabase
) -> None:
    """A vector of a wrong length is stored by Redis without a word; the start tells of it."""
    async with raw_client(empty_redis.url) as client:
        bad = {"story": "1:1", database.vectors.field: b"\0" * 12}
        await client.hset("tw:memory:{1}:1:bad", mapping=bad)
    readiness = await database.prepare("test-embedder", DIMS)
    assert [text for text in readiness.warnings if "tw-memory" in text and "1 record" in text]


@pytest.mark.redis
async def test_more_calls_than_connections_wait_for_their_turn(database: RedisDatabase) -> None:
    """300 readings at once are answered over at most 50 connections."""
    store = RedisStoryStore(database, DIMS)
    await store.create(a_story(), "create")
    loaded = await asyncio.gather(*(store.load(a_story().id) for _ in range(300)))
    assert loaded == [a_story()] * 300


@pytest.mark.redis
async def test_a_cancelled_call_leaves_no_answer_for_the_next(database: RedisDatabase) -> None:
    """Calls that are cancelled at any moment never hand their reply to another call."""
    store = RedisStoryStore(database, DIMS)
    stories = [a_story(channel) for channel in range(1, 21)]
    for story in stories:
        await store.create(story, "create")
    for delay_ms in range(20):
        calls = [asyncio.create_task(store.load(story.id)) for story in stories]
        await asyncio.sleep(delay_ms / 5000)
        for call in calls[::2]:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert ended[1::2] == stories[1::2]
        assert await asyncio.gather(*(store.load(one.id) for one in stories)) == stories


@pytest.mark.redis
async def test_cancelled_changes_leave_every_connection_fit_for_use(
    database: RedisDatabase,
) -> None:
    """400 commits cancelled at any moment: none keeps a connection, none is half applied."""
    store = RedisStoryStore(database, DIMS)
    stories = [a_story(channel) for channel in range(1, 21)]
    for story in stories:
        await store.create(story, "create")
    for attempt in range(20):
        changes = [
            Commit(
                f"c{attempt}", story, turn=a_turn(f"t{attempt}"), entries=(an_entry(f"t{attempt}"),)
            )
            for story in stories
        ]
        calls = [asyncio.create_task(store.commit(change)) for change in changes]
        await asyncio.sleep(attempt / 2000)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    loaded = await asyncio.gather(*(store.load(one.id) for one in stories * 10))
    assert loaded == stories * 10
    search = RedisMemorySearch(database, DIMS)
    for story in stories:
        found = turn_ids(await search.nearest(story.id, EVERYTHING, at_angle(0), 100))
        for turn_id in found:
            assert (await store.turn(story.id, turn_id)).id == turn_id


async def test_one_broken_record_does_not_keep_the_others_from_being_due(
    database: RedisDatabase, empty_redis: EmbeddedRedis
) -> None:
    """The wheel of all stories must not stand still for one of them."""
    story = a_story(77, due=5.0)
    assert await RedisStoryStore(database, DIMS).create(story, "made")
    async with raw_client(empty_redis.url) as client:
        await client.hset("tw:story:{78}:1", mapping={"story": "nonsense", "due": 1})
    assert await RedisSchedule(database).due(now=10.0, limit=5) == [story.id]


async def test_a_cancellation_is_never_lost(empty_redis: EmbeddedRedis) -> None:
    """Whoever is told to end ends at the latest with the answer, at whichever moment it is told."""
    database = RedisDatabase(empty_redis.url)
    script = Script("return 1")
    told = False

    async def ask() -> None:
        while not told:
            await database.string("anything")
            await database.script(script, ["anything"], [], doing="ask")

    for moments in range(300):
        told = False
        asking = asyncio.create_task(ask())
        for _ in range(moments):
            await asyncio.sleep(0)
        told = asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await database.close()
