"""The Clock port over the machine's clock and asyncio's timers."""

import asyncio
import time

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine is suspended, where the system has such a clock (Linux): a lease must
not seem to run after a sleep of hours."""


class SystemClock:
    """Real time. Implements core.ports.Clock."""

    def now(self) -> float:
        """UTC seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        return time.clock_gettime(_SINCE_BOOT)

    async def sleep(self, delay_s: float) -> None:
        """Let ``delay_s`` seconds pass."""
        await asyncio.sleep(delay_s)
