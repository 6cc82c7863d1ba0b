"""A clock whose time passes only when the test says so, and then from one sleeper to the next."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, cast


class RightClock:
    """Implements ports.Clock: the time that the rest of the world has, whatever was leapt."""

    def __init__(self, stepped: "SteppedClock") -> None:
        self._stepped = stepped

    def now(self) -> float:
        return self._stepped.monotonic()

    def monotonic(self) -> float:
        return self._stepped.monotonic()

    async def sleep(self, delay_s: float) -> None:
        await self._stepped.sleep(delay_s)


class SteppedClock:
    """Implements ports.Clock; ``run_until`` wakes sleepers in the order of their times."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now
        self._ahead_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> float:
        return self._now + self._ahead_s

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, delay_s: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + delay_s, next(self._order), woken))
        await woken

    def leap(self, by_s: float) -> None:
        """Set the time of day on or back; no time passes, and the world's own clock stays right."""
        self._ahead_s += by_s

    def jump(self, by_s: float) -> None:
        """Let time pass without waking anybody, as a stopped process sees it."""
        self._now += by_s

    async def settle(self) -> None:
        """Let every task run until it waits for this clock or for another task."""
        ready = cast(Any, asyncio.get_running_loop())._ready  # the one way to see idleness
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110 - there is no event for "nobody else has anything to do"
            await asyncio.sleep(0)

    async def run_until(self, done: Callable[[], bool], limit_s: float = 100_000.0) -> None:
        """Let time pass until ``done``; fails the test after ``limit_s`` of it."""
        end = self._now + limit_s
        await self.settle()
        while not done():
            if not self._sleepers:
                raise AssertionError("nobody sleeps, and what is waited for has not come")
            at, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            if at > end:
                raise AssertionError(f"not within {limit_s} s of the stepped clock")
            self._now = max(self._now, at)
            woken.set_result(None)
            await self.settle()

    async def run_for(self, length_s: float) -> None:
        """Let that much time pass."""
        end = self._now + length_s
        ticking = asyncio.create_task(self.sleep(length_s))
        await self.run_until(ticking.done, length_s)
        self._now = max(self._now, end)
