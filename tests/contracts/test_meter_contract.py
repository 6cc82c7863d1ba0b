"""What every Meter promises, held by the fake and by the daily meter over both ledgers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import pytest

from core.domain.spending import PROCESS, Budgets, Caps, Reservation, day_of
from core.domain.story import Usage
from core.errors import BudgetSpentError
from core.ports import Meter
from core.services.budget import DailyMeter
from tests.contracts.store_samples import Doors
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter

CAP, MODEL = 100, "model-1"


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

    async def spend(self, tokens: int, expected: int = 1) -> Reservation:
        """A request from its admission to its cost."""
        reservation = await self.meter.admit(MODEL, expected)
        await self.meter.charge(reservation, Usage(tokens))
        return reservation


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
        [found] = await doors.ledger.spent(day_of(clock.now()), [PROCESS])
        return found.tokens

    def wait_until(time: float) -> None:
        clock.advance(time - clock.now())

    meter = DailyMeter(doors.ledger, clock, Budgets(process=Caps(cap)))
    return Desk(meter, clock.now, spent, wait_until)


async def refusal(meter: Meter) -> BudgetSpentError:
    """What the meter refuses a request with."""
    with pytest.raises(BudgetSpentError) as caught:
        await meter.admit(MODEL, 1)
    return caught.value


class MeterContract:
    """Subclasses give the fixture ``new_desk``."""

    async def test_requests_pass_below_the_cap(self, new_desk: NewDesk) -> None:
        """Up to one token below the cap a request is let through."""
        desk = new_desk(CAP)
        await desk.spend(CAP - 1)
        await desk.meter.admit(MODEL, 500)

    async def test_what_is_expected_counts_until_the_cost_is_known(self, new_desk: NewDesk) -> None:
        """So requests side by side don't cross the cap together; afterwards the cost counts."""
        desk = new_desk(CAP)
        reservation = await desk.meter.admit(MODEL, CAP)
        assert (reservation.model, reservation.spent.tokens) == (MODEL, CAP)
        assert await desk.spent() == CAP
        await refusal(desk.meter)
        await desk.meter.charge(reservation, Usage(30, 0, 12))
        assert await desk.spent() == 42
        await desk.meter.admit(MODEL, 1)

    async def test_a_reservation_is_charged_once(self, new_desk: NewDesk) -> None:
        """However often it is repeated, and whatever the later ones say."""
        desk = new_desk(CAP)
        reservation = await desk.spend(40)
        await asyncio.gather(*(desk.meter.charge(reservation, Usage(50)) for _ in range(3)))
        assert await desk.spent() == 40

    async def test_each_admission_is_another_call(self, new_desk: NewDesk) -> None:
        """Also of the same model, for the same amount, at the same moment."""
        desk = new_desk(None)
        made = await asyncio.gather(*(desk.meter.admit(MODEL, 5) for _ in range(4)))
        assert len({reservation.call for reservation in made}) == 4
        assert await desk.spent() == 20

    async def test_requests_are_refused_at_the_cap(self, new_desk: NewDesk) -> None:
        """From the cap on each is refused, with a sentence and a time that is still to come."""
        desk = new_desk(CAP)
        await desk.spend(CAP - 1)
        await desk.spend(1)
        for error in (await refusal(desk.meter), await refusal(desk.meter)):
            assert error.until > desk.now()
            assert str(error).endswith(".")
        assert await desk.spent() == CAP, "asking costs nothing"

    async def test_a_cap_of_nothing_admits_nothing(self, new_desk: NewDesk) -> None:
        """0 is a cap, not the lack of one."""
        await refusal(new_desk(0).meter)

    async def test_no_cap_never_refuses(self, new_desk: NewDesk) -> None:
        """Without a cap spending is counted all the same."""
        desk = new_desk(None)
        await desk.spend(10**9)
        await desk.spend(1)
        assert await desk.spent() == 10**9 + 1

    async def test_what_was_sent_counts_beyond_the_cap(self, new_desk: NewDesk) -> None:
        """The request that crossed the cap is charged whole, and so are those beside it."""
        desk = new_desk(CAP)
        admitted = [await desk.meter.admit(MODEL, 1) for _ in range(3)]
        await asyncio.gather(*(desk.meter.charge(one, Usage(CAP - 10)) for one in admitted))
        assert await desk.spent() == 3 * (CAP - 10)
        await refusal(desk.meter)

    async def test_equal_costs_are_counted_each(self, new_desk: NewDesk) -> None:
        """Two requests that cost the same are two, and one that cost nothing is no fault."""
        desk = new_desk(CAP)
        for tokens in (7, 7, 0):
            await desk.spend(tokens)
        assert await desk.spent() == 14

    async def test_nothing_gives_tokens_back(self, new_desk: NewDesk) -> None:
        """A negative cost is refused and changes nothing."""
        desk = new_desk(CAP)
        reservation = await desk.meter.admit(MODEL, 5)
        with pytest.raises(ValueError, match="-1"):
            await desk.meter.charge(reservation, Usage(-1))
        assert await desk.spent() == 5

    async def test_requests_pass_again_when_the_refusal_said(self, new_desk: NewDesk) -> None:
        """At ``until`` spending starts from nothing, and the next refusal names a later time."""
        desk = new_desk(CAP)
        await desk.spend(CAP)
        first = await refusal(desk.meter)
        desk.wait_until(first.until)
        assert await desk.spent() == 0
        await desk.spend(CAP)
        assert (await refusal(desk.meter)).until > first.until

    async def test_a_request_counts_for_the_day_on_which_it_was_admitted(
        self, new_desk: NewDesk
    ) -> None:
        """However long it takes: the next day's budget is whole."""
        desk = new_desk(CAP)
        await desk.spend(CAP - 1)
        late = await desk.meter.admit(MODEL, 1)
        desk.wait_until((await refusal(desk.meter)).until)
        await desk.meter.charge(late, Usage(70))
        assert await desk.spent() == 0


class TestFakeMeter(MeterContract):
    @pytest.fixture
    def new_desk(self) -> NewDesk:
        return fake_desk


class TestDailyMeter(MeterContract):
    """Once over the fake ledger, once over the real one."""

    @pytest.fixture
    def new_desk(self, doors: Doors) -> NewDesk:
        return partial(daily_desk, doors)
