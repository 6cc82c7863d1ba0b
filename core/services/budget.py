"""The process's cap on tokens per day, asked before every request to a model."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from core.domain.story import Vector
from core.domain.tokens import estimate_tokens
from core.errors import BudgetSpentError, StoreUnavailableError
from core.ports import Clock, Embedder, Meter, SpendLedger


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
        self._uncounted: list[tuple[str, str, int]] = []

    async def admit(self) -> None:
        """Raises BudgetSpentError from the moment the day's cap is reached until the day turns."""
        if self._cap is None:
            return
        await self._count()
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
        """Count one request's tokens on the day on which it ended.

        An answer that was paid for is never lost because its cost can't be written down just now.
        """
        self._uncounted.append((_name(self._today()), uuid4().hex, tokens))
        with suppress(StoreUnavailableError):
            await self._count()

    async def _count(self) -> None:
        """Write down what is still uncounted; a call is known by its id and counts once."""
        while self._uncounted:
            charged = self._uncounted[0]
            await self._ledger.record(*charged)
            if charged in self._uncounted:  # Others may have counted it meanwhile.
                self._uncounted.remove(charged)

    def _today(self) -> datetime:
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        return now.replace(hour=0, minute=0, second=0, microsecond=0)


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
        await self._meter.admit()
        vectors = await self._embedder.embed(texts)
        await self._meter.charge(sum(map(estimate_tokens, texts)))
        return vectors


def _name(day: datetime) -> str:
    return day.strftime("%Y-%m-%d")
