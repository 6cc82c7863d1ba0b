"""Ids as Discord makes them: time in the upper bits, strictly increasing.

An id is (milliseconds since 2015-01-01 UTC) << 22 plus a counter, so that the time of every object
can be read off its id, as clients do. Wire formats of time live here too, since they come from ids.
"""

from collections.abc import Callable
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000
"""Discord's epoch, 2015-01-01T00:00:00Z, in Unix milliseconds (API reference, "Snowflakes")."""

TIME_SHIFT = 22
"""Bits below the time stamp (API reference, "Snowflakes")."""


class Snowflakes:
    """Hands out ids that never repeat and never decrease, even if the clock stands or steps back.

    Args:
        clock: Unix time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return an id greater than every id before it."""
        fresh = (int(self._clock() * 1000) - EPOCH_MS) << TIME_SHIFT
        self._last = max(fresh, self._last + 1)
        return self._last

    def now(self) -> datetime:
        """Return the clock's time, UTC."""
        return datetime.fromtimestamp(self._clock(), UTC)


def moment(snowflake: int) -> datetime:
    """Return the UTC time stamp inside an id."""
    return datetime.fromtimestamp(((snowflake >> TIME_SHIFT) + EPOCH_MS) / 1000, UTC)


def iso(at: datetime) -> str:
    """Write a time as Discord does, with microseconds and offset."""
    return at.isoformat(timespec="microseconds")
