"""A meter that the test owns: it counts, and refuses when it is told to."""

from core.errors import BudgetSpentError

_DAY_S = 86_400.0


class FakeMeter:
    """Fake of the Meter port.

    Attributes:
        admitted: requests that were let through.
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
        self._spent_before = 0
        self.admitted = 0
        self.charged: list[int] = []

    @property
    def spent(self) -> int:
        """Tokens of all requests together."""
        return sum(self.charged)

    @property
    def spent_today(self) -> int:
        """Tokens since the day last turned: what the cap is about."""
        return self.spent - self._spent_before

    def turn_day(self) -> None:
        """Be a day later: spending starts from nothing, and ends a day later than before."""
        self._spent_before = self.spent
        self._until += _DAY_S

    async def admit(self) -> None:
        if self._cap is not None and self.spent_today >= self._cap:
            raise BudgetSpentError("The day's tokens are spent.", self._until)
        self.admitted += 1

    async def charge(self, tokens: int) -> None:
        if tokens < 0:
            raise ValueError(f"a call can't cost {tokens} tokens")
        self.charged.append(tokens)
