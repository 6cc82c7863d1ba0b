"""Any interleaving of reservations and settlements leaves Redis right, as it does the fake.

Fewer examples than on the fake (tests/properties): each step is a handful of real commands.
"""

import asyncio

import pytest
from hypothesis import given, settings

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_spend_ledger import RedisSpendLedger
from tests.adapters.redis_raw import raw_client
from tests.contracts.spend_plays import Play, act_out, plays

pytestmark = pytest.mark.redis


def test_any_interleaving_leaves_the_sum_of_the_calls_in_redis(
    redis_server: EmbeddedRedis,
) -> None:
    @settings(max_examples=40)
    @given(plays())
    def played(play: Play) -> None:
        asyncio.run(_on_redis(play, redis_server.url))

    played()


async def _on_redis(play: Play, url: str) -> None:
    async with raw_client(url) as client:
        await client.flushall()
    database = RedisDatabase(url)
    try:
        await act_out(play, RedisSpendLedger(database))
    finally:
        await database.close()
