"""The daily cap: asked before every request, counted after it, forgotten when the day turns."""

from datetime import UTC, datetime

import pytest

from core.errors import BudgetSpentError, StoreUnavailableError
from core.services.budget import DailyMeter, MeteredEmbedder
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.store import FakeSpendLedger, StoreWorld, When

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC).timestamp()


def metered(cap: int | None) -> tuple[DailyMeter, SteppedClock, list[str]]:
    clock, told = SteppedClock(NOON), list[str]()
    ledger = FakeSpendLedger(StoreWorld())
    return DailyMeter(ledger, clock, cap, told.append), clock, told


async def test_requests_are_admitted_until_the_cap_is_reached() -> None:
    meter, _, _ = metered(cap=1000)
    await meter.admit()
    await meter.charge(999)
    await meter.admit()
    await meter.charge(1)
    with pytest.raises(BudgetSpentError, match="1,000 tokens are spent") as refusal:
        await meter.admit()
    assert refusal.value.until == MIDNIGHT


async def test_the_next_day_has_tokens_of_its_own() -> None:
    meter, clock, _ = metered(cap=10)
    await meter.charge(10)
    clock.jump(MIDNIGHT - NOON)
    await meter.admit()


async def test_the_owner_is_told_once_a_day() -> None:
    meter, clock, told = metered(cap=10)
    for _ in range(2):
        await meter.charge(10)
        for _ in range(3):
            with pytest.raises(BudgetSpentError):
                await meter.admit()
        clock.jump(86_400)
    assert len(told) == 2


async def test_without_a_cap_spending_is_counted_and_never_refused() -> None:
    meter, _, told = metered(cap=None)
    await meter.charge(10**9)
    await meter.admit()
    assert told == []


async def test_what_a_request_cost_is_counted_once_the_ledger_is_back() -> None:
    """The answer isn't lost; nothing new is sent while nobody knows what is spent."""
    world, clock = StoreWorld(), SteppedClock(NOON)
    ledger = FakeSpendLedger(world)
    meter = DailyMeter(ledger, clock, 100)

    def away(_call: str, _when: When) -> None:
        raise StoreUnavailableError("Redis is away.")

    await meter.admit()
    world.interrupt = away
    await meter.charge(70)
    await meter.charge(40)
    with pytest.raises(StoreUnavailableError):
        await meter.admit()
    world.interrupt = lambda _call, _when: None
    with pytest.raises(BudgetSpentError, match="110 used"):
        await meter.admit()


async def test_what_is_embedded_counts_and_stops_at_the_cap() -> None:
    """By four bytes a token; beyond the cap nothing is sent."""
    meter, _, _ = metered(cap=10)
    inner = FakeEmbedder()
    embedder = MeteredEmbedder(inner, meter)
    assert (embedder.name, embedder.dims) == (inner.name, inner.dims)
    inner.languages = frozenset({"English"})
    assert (embedder.reads("English"), embedder.reads("Deutsch")) == (True, False)
    assert len(await embedder.embed(["x" * 20, "y" * 20])) == 2
    with pytest.raises(BudgetSpentError, match="10 used"):
        await embedder.embed(["z"])
    assert inner.asked == [("x" * 20, "y" * 20)]
