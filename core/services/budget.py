"""The process's cap on tokens per day, asked before every request to a model."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from core.errors import BudgetSpentError
from core.ports import Clock, SpendLedger


class DailyMeter:
    """A Meter over the ledger: admits requests until the UTC day's tokens reach the cap.

    The request that crosses the cap is finished and counted; the next one isn't sent. Requests that
    run side by side can so cross it together, each by its own cost.
    """

    def __init__(
        self,
        ledger: SpendLedger,
        clock: Clock,
        cap: int | None,
        on_reached: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """See the class.

        Args:
            ledger: where spending is kept.
            clock: says which day it is.
            cap: tokens a day; None for no cap.
            on_reached: called with a sentence once per day and process when the cap is reached.
        """
        self._ledger = ledger
        self._clock = clock
        self._cap = cap
        self._on_reached = on_reached
        self._told: str | None = None

    async def admit(self) -> None:
        """Raises BudgetSpentError from the moment the day's cap is reached until the day turns."""
        if self._cap is None:
            return
        today = self._today()
        spent = await self._ledger.spent(_name(today))
        if spent < self._cap:
            return
        sentence = (
            f"Today's {self._cap:,} tokens are spent ({spent:,} used, UTC day {_name(today)}); "
            "stories go on when the day turns."
        )
        if self._told != _name(today):
            self._told = _name(today)
            self._on_reached(sentence)
        raise BudgetSpentError(sentence, until=(today + timedelta(days=1)).timestamp())

    async def charge(self, tokens: int) -> None:
        """Count one request's tokens on the day on which it ended."""
        await self._ledger.record(_name(self._today()), uuid4().hex, tokens)

    def _today(self) -> datetime:
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _name(day: datetime) -> str:
    return day.strftime("%Y-%m-%d")
