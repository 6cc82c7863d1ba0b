"""Any order of reservations and settlements, repeated and side by side, against a ledger.

What it must hold in the end is known from the calls alone: each counts with what it came to, or
with what was set aside for it while that isn't known. The plays know nothing of how a ledger is
made.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from core.domain.spending import (
    PROCESS,
    Budgets,
    Reservation,
    Spent,
    guild_account,
    story_account,
)
from core.ports import SpendLedger

DAYS = ("2026-11-23", "2026-11-24")
GUILDS = (guild_account(10), guild_account(11))
STORIES = (story_account("900:1"), story_account("901:1"))
PAYERS = (
    (PROCESS,),
    (PROCESS, GUILDS[0]),
    (PROCESS, GUILDS[0], STORIES[0]),
    (PROCESS, GUILDS[1], STORIES[1]),
)
EVERYBODY = (PROCESS, *GUILDS, *STORIES)


@dataclass(frozen=True)
class Call:
    """A request: what is set aside for it, and what it comes to."""

    reservation: Reservation
    cost: Spent


@dataclass(frozen=True)
class Arrival:
    """What reaches the ledger at one moment: which calls are reserved, which settled."""

    reserved: frozenset[int]
    settled: frozenset[int]


@dataclass(frozen=True)
class Play:
    """Calls by their number, and arrivals in their order."""

    calls: tuple[Call, ...]
    arrivals: tuple[Arrival, ...]

    def left(self, settled_too: bool) -> list[Spent]:
        """What every account must have spent on each day."""
        reserved = frozenset[int]().union(*(one.reserved for one in self.arrivals))
        settled = frozenset[int]().union(*(one.settled for one in self.arrivals))
        if settled_too:
            settled |= reserved
        counted = {n: self.calls[n].reservation.spent for n in reserved}
        counted |= {n: self.calls[n].cost for n in settled}
        return [
            sum(
                (
                    spent
                    for n, spent in counted.items()
                    if self.calls[n].reservation.day == day
                    and account in self.calls[n].reservation.payers
                ),
                Spent(),
            )
            for day in DAYS
            for account in EVERYBODY
        ]


_AMOUNTS = st.builds(Spent, st.integers(0, 5000), st.integers(0, 5000))


@st.composite
def plays(draw: st.DrawFn, calls: int = 5) -> Play:
    """Any play of a few calls."""
    made = tuple(
        Call(
            Reservation(
                f"call-{number}",
                "model",
                draw(_AMOUNTS),
                draw(st.sampled_from(DAYS)),
                draw(st.sampled_from(PAYERS)),
                "p1",
            ),
            draw(_AMOUNTS),
        )
        for number in range(calls)
    )
    some = st.frozensets(st.integers(0, calls - 1), max_size=3)
    arrivals = draw(st.lists(st.builds(Arrival, some, some), max_size=12))
    return Play(made, tuple(arrivals))


async def act_out(play: Play, ledger: SpendLedger) -> None:
    """Let everything arrive; in the end settle what was reserved. Sums must be right throughout."""
    for arrival in play.arrivals:
        reserving = [ledger.reserve(play.calls[n].reservation, Budgets()) for n in arrival.reserved]
        await asyncio.gather(*reserving, *_settling(play, ledger, arrival.settled))
    assert await _held(ledger) == play.left(settled_too=False)
    everything = frozenset[int]().union(*(one.reserved for one in play.arrivals))
    await asyncio.gather(*_settling(play, ledger, everything))
    assert await _held(ledger) == play.left(settled_too=True)


def _settling(play: Play, ledger: SpendLedger, numbers: frozenset[int]) -> list[Awaitable[object]]:
    return [
        ledger.settle(play.calls[n].reservation, play.calls[n].cost, Budgets()) for n in numbers
    ]


async def _held(ledger: SpendLedger) -> Sequence[Spent]:
    return [spent for day in DAYS for spent in await ledger.spent(day, EVERYBODY)]
