"""The machine's clock is UTC seconds, and its sleep really waits."""

import time
from datetime import UTC, datetime

from core.adapters.system_clock import SystemClock


async def test_now_is_utc_and_sleep_lets_monotonic_time_pass() -> None:
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC).timestamp()) < 5
    before = clock.monotonic()
    await clock.sleep(0.02)
    assert 0.015 < clock.monotonic() - before < 5
    assert clock.monotonic() <= time.monotonic()
