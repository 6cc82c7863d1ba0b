"""A clock that the test owns: time moves only when somebody sleeps or the test advances it."""

import asyncio


class FakeClock:
    """Fake of the Clock port.

    Attributes:
        slept: every sleep in seconds, in order.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, delay_s: float) -> None:
        """Over at once, but others get their turn."""
        self.slept.append(delay_s)
        self.advance(delay_s)
        await asyncio.sleep(0)

    def advance(self, delay_s: float) -> None:
        """Let time pass without anybody sleeping."""
        self._now += delay_s
        self._monotonic += delay_s
