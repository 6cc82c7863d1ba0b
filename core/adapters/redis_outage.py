"""Says once that Redis is away and once that it is back, however many ask for it meanwhile.

Readings and changes are told apart: a replica and a server whose memory is full answer the one and
refuse the other, and neither is well while that lasts. What is asked again, and when, is
redis_database's business.
"""

import logging
from enum import Enum, auto

from core.errors import StoreUnavailableError

log = logging.getLogger(__name__)


class Kind(Enum):
    """What was asked of the server."""

    READING = auto()
    CHANGE = auto()


class Outage:
    """What the server fails to do at the moment."""

    def __init__(self) -> None:
        self._failing: set[Kind] = set()

    def failed(self, kind: Kind, error: StoreUnavailableError) -> None:
        """Something wasn't answered, or was refused for the time being."""
        if not self._failing:
            log.warning("Redis is away, or takes nothing; stories wait for it: %s", error)
        self._failing.add(kind)

    def answered(self, kind: Kind) -> None:
        """Something was done."""
        if kind in self._failing:
            # A server that takes changes also answers; the other way round it isn't sure.
            self._failing -= {kind, Kind.READING}
            if not self._failing:
                log.warning("Redis is back; stories go on")
