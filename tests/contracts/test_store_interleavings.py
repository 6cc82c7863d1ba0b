"""Any interleaving of workers and a moderator leaves Redis whole, as it does the fake.

Fewer examples than on the fake (tests/properties): each step is a handful of real commands.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_database import RedisDatabase
from tests.adapters.redis_raw import raw_client
from tests.conftest import redis_doors
from tests.contracts.store_machine import StoreMachine
from tests.contracts.store_samples import DIMS, Doors

pytestmark = pytest.mark.redis

FEW = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_any_interleaving_leaves_redis_whole(redis_server: EmbeddedRedis) -> None:
    """Epochs, versions, operations, lineage and indexes, by the model of the machine."""

    class RedisMachine(StoreMachine):
        """The machine over the adapters; each example begins with an empty server."""

        async def open(self) -> Doors:
            async with raw_client(redis_server.url) as client:
                await client.flushall()
                await client.config_set("appendfsync", "always")
            self.database = RedisDatabase(redis_server.url)
            await self.database.prepare("test-embedder", DIMS)
            return redis_doors(self.database)

        async def shut(self) -> None:
            await self.database.close()

    run_state_machine_as_test(RedisMachine, settings=FEW)
