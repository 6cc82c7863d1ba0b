"""The Clock port over the machine's clock and asyncio's timers."""

import asyncio
import time


class SystemClock:
    """Real time. Implements core.ports.Clock."""

    def now(self) -> float:
        """UTC seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Let ``delay_s`` seconds pass."""
        await asyncio.sleep(delay_s)
