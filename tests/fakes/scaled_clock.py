"""A clock that runs faster than the machine's, and can be set forward while nobody is at work."""

import asyncio
import time


class ScaledClock:
    """Implements ports.Clock: ``speed`` seconds pass in one of the machine's.

    Attributes:
        speed: how much faster it runs.
    """

    def __init__(self, speed: float = 10.0, start: float = 1_790_000_000.0) -> None:
        self.speed = speed
        self._start = start
        self._began = time.monotonic()

    def now(self) -> float:
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self.speed

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s / self.speed)

    def leap(self, by_s: float) -> None:
        """Set the time of day forward; sleepers sleep on, as over a change of the wall clock."""
        self._start += by_s
