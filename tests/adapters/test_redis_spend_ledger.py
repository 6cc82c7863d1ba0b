"""What the ledger keeps in Redis: how long, beside what older versions left, in how few trips."""

import pytest

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_spend_ledger import RedisSpendLedger
from core.domain.spending import (
    PROCESS,
    Budgets,
    Caps,
    Reservation,
    Spent,
    guild_account,
    story_account,
)
from tests.adapters.redis_raw import raw_client

pytestmark = pytest.mark.redis

DAY = "2026-11-23"
PAYERS = (PROCESS, guild_account(10), story_account("900:1"))
ASIDE = Reservation("call-1", "model", Spent(100, 50), DAY, PAYERS, "p1")


async def test_what_an_older_version_spent_counts_for_the_process(
    database: RedisDatabase,
) -> None:
    """It kept a sum and a field per call, in tokens alone; the two may even run side by side."""
    ledger = RedisSpendLedger(database)
    async with raw_client(database.shown) as client:
        await client.hset(keys.spend(DAY), mapping={"total": 500, "call:old": 500})
        assert await ledger.spent(DAY, PAYERS) == [Spent(500), Spent(), Spent()]
        assert (await ledger.reserve(ASIDE, Budgets(process=Caps(501)))).refused is None
        await client.hincrby(keys.spend(DAY), "total", 7)
    await ledger.settle(ASIDE, Spent(40, 20), Budgets())
    assert await ledger.spent(DAY, PAYERS) == [Spent(547, 20), Spent(40, 20), Spent(40, 20)]


async def test_a_day_is_forgotten_after_a_few(database: RedisDatabase) -> None:
    """Also one in which everything was refused."""
    ledger = RedisSpendLedger(database)
    for day, budgets in ((DAY, Budgets()), ("2026-11-24", Budgets(process=Caps(0)))):
        made = Reservation("call-1", "model", Spent(1), day, PAYERS, "p1")
        await ledger.reserve(made, budgets)
        async with raw_client(database.shown) as client:
            assert 0 < await client.ttl(keys.spend(day)) <= keys.SPEND_LIFETIME_S


async def test_a_request_takes_two_trips_to_redis(database: RedisDatabase) -> None:
    """One before it and one after it, whoever pays and whatever caps there are."""
    ledger, caps = RedisSpendLedger(database), Caps(10**6, 10**6)
    budgets = Budgets(caps, caps, caps)
    await ledger.settle(Reservation("first", "model", Spent(), DAY, PAYERS), Spent(), budgets)
    await ledger.reserve(Reservation("first", "model", Spent(), DAY, PAYERS), budgets)
    async with raw_client(database.shown) as client:
        before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
        await ledger.reserve(ASIDE, budgets)
        await ledger.settle(ASIDE, Spent(40, 20), budgets)
        stats = await client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == before + 2
