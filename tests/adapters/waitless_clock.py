"""A clock on which every sleep is over at once; it records how long each was."""

import asyncio


class WaitlessClock:
    """Time moves only by sleeping.

    Attributes:
        slept: every sleep in seconds, in order.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        self._now += delay_s
        await asyncio.sleep(0)
