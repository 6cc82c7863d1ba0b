"""SpendLedger in memory; a test can interrupt its calls like those of the store's other fakes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.domain.spending import (
    NEARLY,
    WHOLE,
    Account,
    Budgets,
    Reservation,
    Ruling,
    Spent,
    Standing,
    reached,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A call as the ledger holds it."""

    spent: Spent
    payers: tuple[Account, ...]
    settled: bool


@dataclass
class Day:
    """What a ledger holds of a day."""

    calls: dict[str, Entry] = field(default_factory=dict[str, Entry])
    tellers: dict[tuple[int, Account], str] = field(default_factory=dict[tuple[int, Account], str])

    def spent(self, account: Account) -> Spent:
        """What an account has spent: the sum of the calls it paid for."""
        paid = (entry.spent for entry in self.calls.values() if account in entry.payers)
        return sum(paid, Spent())


class World(Protocol):
    """What the fake acts on; see tests.fakes.store.StoreWorld."""

    days: dict[str, Day]

    async def before(self, call: str) -> None: ...

    def after(self, call: str) -> None: ...


class FakeSpendLedger:
    """SpendLedger in memory."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def reserve(self, reservation: Reservation, budgets: Budgets) -> Ruling:
        await self._world.before("reserve")
        day = self._day(reservation)
        fresh = reservation.call not in day.calls
        refused = self._refusing(day, reservation, budgets) if fresh else None
        standings = _standings(day, reservation, budgets, refused)
        if fresh and refused is None:
            entry = Entry(reservation.spent, reservation.payers, settled=False)
            day.calls[reservation.call] = entry
        self._world.after("reserve")
        return Ruling(standings, next((one for one in standings if one.account == refused), None))

    async def settle(
        self, reservation: Reservation, cost: Spent, budgets: Budgets
    ) -> tuple[Standing, ...]:
        await self._world.before("settle")
        day = self._day(reservation)
        known = day.calls.get(reservation.call)
        if known is None or not known.settled:
            day.calls[reservation.call] = Entry(cost, reservation.payers, settled=True)
        standings = _standings(day, reservation, budgets, None)
        self._world.after("settle")
        return standings

    async def spent(self, day: str, accounts: Sequence[Account]) -> list[Spent]:
        await self._world.before("spent")
        held = self._world.days.get(day, Day())
        return [held.spent(account) for account in accounts]

    def _day(self, reservation: Reservation) -> Day:
        return self._world.days.setdefault(reservation.day, Day())

    def _refusing(self, day: Day, reservation: Reservation, budgets: Budgets) -> Account | None:
        for payer in reservation.payers:
            if reached(day.spent(payer), budgets.caps(payer.scope)):
                return payer
        return None


def _standings(
    day: Day, reservation: Reservation, budgets: Budgets, refused: Account | None
) -> tuple[Standing, ...]:
    found: list[Standing] = []
    for payer in reservation.payers:
        spent, percent = day.spent(payer), WHOLE if payer == refused else NEARLY
        teller = reservation.teller(payer)
        if teller and reached(spent, budgets.caps(payer.scope), percent):
            teller = day.tellers.setdefault((percent, payer), teller)
        else:
            teller = ""
        found.append(Standing(payer, spent, teller))
    return tuple(found)
