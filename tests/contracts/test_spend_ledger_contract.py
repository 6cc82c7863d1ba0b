"""What every SpendLedger promises, held by the fake and by the real thing."""

import asyncio

import pytest

from tests.contracts.store_samples import Doors

TODAY, TOMORROW = "2026-11-23", "2026-11-24"


async def test_a_new_day_has_spent_nothing(doors: Doors) -> None:
    """Before the first call of a day its sum is 0."""
    assert await doors.ledger.spent(TODAY) == 0


async def test_calls_add_up_per_day(doors: Doors) -> None:
    """Every call counts for its own day and for no other."""
    await doors.ledger.record(TODAY, "call-1", 100)
    await doors.ledger.record(TODAY, "call-2", 23)
    await doors.ledger.record(TOMORROW, "call-3", 7)
    assert await doors.ledger.spent(TODAY) == 123
    assert await doors.ledger.spent(TOMORROW) == 7


async def test_a_call_counts_once(doors: Doors) -> None:
    """However often a call is recorded, also at the same moment, its first record counts."""
    await asyncio.gather(*(doors.ledger.record(TODAY, "call-1", 100) for _ in range(10)))
    await doors.ledger.record(TODAY, "call-1", 999)
    assert await doors.ledger.spent(TODAY) == 100


async def test_a_call_named_like_the_sum_is_a_call(doors: Doors) -> None:
    """No id of a call collides with what the ledger keeps for itself."""
    await doors.ledger.record(TODAY, "total", 5)
    await doors.ledger.record(TODAY, "a", 6)
    assert await doors.ledger.spent(TODAY) == 11


async def test_concurrent_calls_all_count(doors: Doors) -> None:
    """50 calls recorded at once are 50 calls."""
    await asyncio.gather(*(doors.ledger.record(TODAY, f"c{n}", n) for n in range(50)))
    assert await doors.ledger.spent(TODAY) == sum(range(50))


async def test_a_negative_cost_is_refused(doors: Doors) -> None:
    """Nothing gives tokens back."""
    with pytest.raises(ValueError, match="-1"):
        await doors.ledger.record(TODAY, "call-1", -1)
    assert await doors.ledger.spent(TODAY) == 0
