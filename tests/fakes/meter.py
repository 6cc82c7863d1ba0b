"""A meter that the test owns: it counts, and refuses when it is told to."""

from core.domain.spending import Reservation, Spent
from core.domain.story import Usage
from core.errors import BudgetSpentError

_DAY_S = 86_400.0


class FakeMeter:
    """Fake of the Meter port.

    Attributes:
        expected: what each request that was let through was expected to take, in tokens, in order.
        models: the models that they went to, in order.
        charged: tokens of every request that was charged, in order.
    """

    def __init__(self, cap: int | None = None, until: float = 1_700_086_400.0) -> None:
        """Make a meter.

        Args:
            cap: tokens from which requests are refused; None never refuses.
            until: what a refusal says about when spending is possible again, UTC seconds.
        """
        self._cap = cap
        self._until = until
        self._day = 0
        self._counted: dict[str, dict[str, int]] = {}
        self._settled: set[str] = set()
        self.expected: list[int] = []
        self.models: list[str] = []
        self.charged: list[int] = []

    @property
    def admitted(self) -> int:
        """Requests that were let through."""
        return len(self.expected)

    @property
    def spent(self) -> int:
        """Tokens of all requests that were charged."""
        return sum(self.charged)

    @property
    def spent_today(self) -> int:
        """Tokens since the day last turned, set aside or charged: what the cap is about."""
        return sum(self._counted.get(str(self._day), {}).values())

    def turn_day(self) -> None:
        """Be a day later: spending starts from nothing, and ends a day later than before."""
        self._day += 1
        self._until += _DAY_S

    async def admit(self, model: str, tokens: int) -> Reservation:
        if self._cap is not None and self.spent_today >= self._cap:
            raise BudgetSpentError("The day's tokens are spent.", self._until)
        self.expected.append(tokens)
        self.models.append(model)
        call, day = f"call-{self.admitted}", str(self._day)
        self._counted.setdefault(day, {})[call] = tokens
        return Reservation(call, model, Spent(tokens), day)

    async def charge(self, reservation: Reservation, usage: Usage) -> None:
        cost = Spent(usage.tokens)
        if reservation.call in self._settled:
            return
        self._settled.add(reservation.call)
        self._counted.setdefault(reservation.day, {})[reservation.call] = cost.tokens
        self.charged.append(cost.tokens)
