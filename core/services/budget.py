"""The budgets of a day, asked before every request to a model: of the process, a server, a story.

Reserve, then settle: what a request may cost is set aside before it is sent, where all processes
see it, and replaced by what it came to. So nothing is lost when a process dies in between, and
nothing counts twice. How it is kept is the ledger's business, who is told of it alerts'.
"""

from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

from core.domain.budgets import Today
from core.domain.spending import (
    PROCESS,
    Account,
    Budgets,
    Reservation,
    Spent,
    day_ends,
    day_of,
    guild_account,
    story_account,
)
from core.domain.story import Story, Usage, Vector
from core.domain.tokens import estimate_tokens
from core.errors import BudgetSpentError, EmbedderError, StoreUnavailableError, TalewheelError
from core.ports import Clock, Embedder, Meter, SpendLedger
from core.services.alerts import Alerts
from core.services.work import Work, current


class DailyMeter:
    """A Meter over the ledger: admits requests until a budget of the UTC day is spent.

    The request that crosses a cap is finished; the next one isn't sent. What is set aside counts
    like what was spent, so requests that run side by side don't cross a cap together.
    """

    def __init__(
        self,
        ledger: SpendLedger,
        clock: Clock,
        budgets: Budgets,
        alerts: Alerts | None = None,
    ) -> None:
        """See the class.

        Args:
            ledger: where spending is kept.
            clock: says which day it is.
            budgets: what may be spent, and what models cost.
            alerts: has people told when a budget comes to its end; None: nobody is.
        """
        self._ledger = ledger
        self._clock = clock
        self._budgets = budgets
        self._alerts = alerts or Alerts(budgets)
        self._process = uuid4().hex
        self._unsettled: list[tuple[Reservation, Spent]] = []

    async def admit(self, model: str, tokens: int) -> Reservation:
        """See Meter.

        Where there is no cap, a ledger that is away holds nothing up: the cost is counted later.

        Raises:
            BudgetSpentError: from the moment a budget is spent until the day turns.
            StoreUnavailableError: nobody knows what is spent.
        """
        now = self._clock.now()
        expected = self._budgets.expected(model, tokens)
        reservation = Reservation(
            uuid4().hex, model, expected, day_of(now), payers(current()), self._process
        )
        try:
            await self._catch_up()
            await self._reserve(reservation, day_ends(now))
        except StoreUnavailableError:
            if self._budgets.limited:
                raise
        return reservation

    async def charge(self, reservation: Reservation, usage: Usage) -> None:
        """See Meter. It counts for the day on which it was admitted.

        An answer that was paid for is never lost because its cost can't be written down just now.
        """
        cost = self._budgets.cost(reservation.model, usage)
        try:
            await self._settle(reservation, cost)
        except BaseException as error:
            self._unsettled.append((reservation, cost))
            if not isinstance(error, StoreUnavailableError):
                raise

    async def _reserve(self, reservation: Reservation, until: float) -> None:
        try:
            ruling = await self._ledger.reserve(reservation, self._budgets)
        except BaseException as error:
            # It may have been set aside. What isn't sent comes to nothing; without caps it is sent
            # all the same, and its charge says what it came to.
            if self._budgets.limited or not isinstance(error, StoreUnavailableError):
                self._unsettled.append((reservation, Spent()))
            raise
        if ruling.refused is not None:
            others = [one for one in ruling.standings if one != ruling.refused]
            self._alerts.nearly_spent(reservation, others)
            raise BudgetSpentError(self._alerts.spent(reservation, ruling.refused), until)
        self._alerts.nearly_spent(reservation, ruling.standings)

    async def _settle(self, reservation: Reservation, cost: Spent) -> None:
        standings = await self._ledger.settle(reservation, cost, self._budgets)
        self._alerts.nearly_spent(reservation, standings)

    async def _catch_up(self) -> None:
        """Write down what couldn't be written down before; a call counts once."""
        while self._unsettled:
            first = self._unsettled[0]
            await self._settle(*first)
            if first in self._unsettled:  # Others may have settled it meanwhile.
                self._unsettled.remove(first)


def payers(work: Work | None) -> tuple[Account, ...]:
    """The accounts that pay for what is being worked on; the process pays for everything."""
    if work is None or not work.guild:
        return (PROCESS,)
    guild = guild_account(work.guild)
    return (PROCESS, guild, story_account(work.story)) if work.story else (PROCESS, guild)


class Spending:
    """What today has cost, for whoever asks."""

    def __init__(self, ledger: SpendLedger, clock: Clock, budgets: Budgets) -> None:
        self._ledger = ledger
        self._clock = clock
        self._budgets = budgets

    async def today(self, story: Story) -> Today:
        """What a story and its server have spent since the UTC day began."""
        accounts = (story_account(str(story.id)), guild_account(story.guild))
        own, guild = await self._ledger.spent(day_of(self._clock.now()), accounts)
        return Today(own, guild, self._budgets)


class MeteredEmbedder:
    """An Embedder of an endpoint whose texts count for the day like all that a model is sent.

    Not every endpoint says what embeddings cost, so they count by an estimate.
    """

    def __init__(self, embedder: Embedder, meter: Meter) -> None:
        self._embedder = embedder
        self._meter = meter

    @property
    def name(self) -> str:
        """See Embedder."""
        return self._embedder.name

    @property
    def dims(self) -> int:
        """See Embedder."""
        return self._embedder.dims

    def reads(self, language: str) -> bool:
        """See Embedder."""
        return self._embedder.reads(language)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See Embedder. Raises BudgetSpentError before anything is sent."""
        if not texts:
            return []
        tokens = sum(map(estimate_tokens, texts))
        reservation = await self._meter.admit(self._embedder.name, tokens)
        spent = Usage(tokens, calls=1)
        try:
            vectors = await self._embedder.embed(texts)
        except EmbedderError:
            # Endpoints charge for vectors, and none came.
            await self._meter.charge(reservation, Usage())
            raise
        except BaseException:
            # Cancelled: it may have been answered. What ended it is what matters.
            with suppress(TalewheelError):
                await self._meter.charge(reservation, spent)
            raise
        await self._meter.charge(reservation, spent)
        return vectors
