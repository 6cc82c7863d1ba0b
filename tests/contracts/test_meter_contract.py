"""What every Meter promises, held by the fake and by the daily meter over both ledgers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pytest

from core.errors import BudgetSpentError
from core.ports import Meter
from core.services.budget import DailyMeter
from tests.contracts.store_samples import Doors
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter

CAP = 100


@dataclass(frozen=True, slots=True)
class Desk:
    """A meter with a cap, the time it lives in, and what it has counted of the current day.

    Attributes:
        wait_until: lets time pass until then; the fake, which has no clock, is told.
    """

    meter: Meter
    now: Callable[[], float]
    spent: Callable[[], Awaitable[int]]
    wait_until: Callable[[float], None]


NewDesk = Callable[[int | None], Desk]
"""Makes the meter under test, with a cap, or with None for no cap."""


def fake_desk(cap: int | None) -> Desk:
    clock, meter = FakeClock(), FakeMeter(cap)

    async def spent() -> int:
        return meter.spent_today

    def wait_until(time: float) -> None:
        clock.advance(time - clock.now())
        meter.turn_day()

    return Desk(meter, clock.now, spent, wait_until)


def daily_desk(doors: Doors, cap: int | None) -> Desk:
    clock = FakeClock()

    async def spent() -> int:
        return await doors.ledger.spent(datetime.fromtimestamp(clock.now(), UTC).date().isoformat())

    def wait_until(time: float) -> None:
        clock.advance(time - clock.now())

    return Desk(DailyMeter(doors.ledger, clock, cap), clock.now, spent, wait_until)


async def refusal(meter: Meter) -> BudgetSpentError:
    """What the meter refuses a request with."""
    with pytest.raises(BudgetSpentError) as caught:
        await meter.admit()
    return caught.value


class MeterContract:
    """Subclasses give the fixture ``new_desk``."""

    async def test_requests_pass_below_the_cap(self, new_desk: NewDesk) -> None:
        """Up to one token below the cap every request is let through, also side by side."""
        meter = new_desk(CAP).meter
        await meter.admit()
        await meter.charge(CAP - 1)
        await asyncio.gather(*(meter.admit() for _ in range(5)))

    async def test_asking_costs_nothing(self, new_desk: NewDesk) -> None:
        """A request that was admitted counts only once it is charged."""
        desk = new_desk(CAP)
        for _ in range(3):
            await desk.meter.admit()
        assert await desk.spent() == 0

    async def test_requests_are_refused_at_the_cap(self, new_desk: NewDesk) -> None:
        """From the cap on each is refused, with a sentence and a time that is still to come."""
        desk = new_desk(CAP)
        await desk.meter.charge(CAP - 1)
        await desk.meter.charge(1)
        for error in (await refusal(desk.meter), await refusal(desk.meter)):
            assert error.until > desk.now()
            assert str(error).endswith(".")
        assert await desk.spent() == CAP

    async def test_a_cap_of_nothing_admits_nothing(self, new_desk: NewDesk) -> None:
        """0 is a cap, not the lack of one."""
        await refusal(new_desk(0).meter)

    async def test_no_cap_never_refuses(self, new_desk: NewDesk) -> None:
        """Without a cap spending is counted all the same."""
        desk = new_desk(None)
        await desk.meter.charge(10**9)
        await desk.meter.admit()
        assert await desk.spent() == 10**9

    async def test_what_was_sent_counts_beyond_the_cap(self, new_desk: NewDesk) -> None:
        """The request that crossed the cap is charged whole, and so are those beside it."""
        desk = new_desk(CAP)
        await asyncio.gather(*(desk.meter.charge(CAP - 10) for _ in range(3)))
        assert await desk.spent() == 3 * (CAP - 10)
        await refusal(desk.meter)

    async def test_equal_costs_are_counted_each(self, new_desk: NewDesk) -> None:
        """Two requests that cost the same are two, and one that cost nothing is no fault."""
        desk = new_desk(CAP)
        for tokens in (7, 7, 0):
            await desk.meter.charge(tokens)
        assert await desk.spent() == 14

    async def test_nothing_gives_tokens_back(self, new_desk: NewDesk) -> None:
        """A negative cost is refused and changes nothing."""
        desk = new_desk(CAP)
        await desk.meter.charge(5)
        with pytest.raises(ValueError, match="-1"):
            await desk.meter.charge(-1)
        assert await desk.spent() == 5

    async def test_requests_pass_again_when_the_refusal_said(self, new_desk: NewDesk) -> None:
        """At ``until`` spending starts from nothing, and the next refusal names a later time."""
        desk = new_desk(CAP)
        await desk.meter.charge(CAP)
        first = await refusal(desk.meter)
        desk.wait_until(first.until)
        await desk.meter.admit()
        assert await desk.spent() == 0
        await desk.meter.charge(CAP)
        assert (await refusal(desk.meter)).until > first.until


class TestFakeMeter(MeterContract):
    @pytest.fixture
    def new_desk(self) -> NewDesk:
        return fake_desk


class TestDailyMeter(MeterContract):
    """Once over the fake ledger, once over the real one."""

    @pytest.fixture
    def new_desk(self, doors: Doors) -> NewDesk:
        return partial(daily_desk, doors)
