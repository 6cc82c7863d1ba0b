"""The Departures port on Redis: one hash, a field per place with the time when it was lost."""

from collections.abc import Collection

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase, Script
from core.adapters.redis_schema import time_field
from core.domain.departures import Place, PlaceKind

# KEYS: the hash. ARGV: the place, since when. The first time counts, so it may be run twice.
_NOTE = Script("redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) return 1")
# KEYS: the hash. ARGV: the places that go.
_FORGET = Script("redis.call('HDEL', KEYS[1], unpack(ARGV)) return 1")

_BATCH = 1000
"""Places that one script takes: Lua's stack has room for some thousands."""


class RedisDepartures:
    """What was lost, in Redis.

    Args:
        database: open; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def note(self, place: Place, at: float) -> None:
        """See Departures."""
        await self._database.script(
            _NOTE,
            [keys.meta(keys.DEPARTURES)],
            [_field(place), time_field(at)],
            doing=f"remember that {place} is gone",
            on_disk=True,
        )

    async def forget(self, places: Collection[Place]) -> None:
        """See Departures."""
        fields = [_field(place) for place in sorted(places)]
        for first in range(0, len(fields), _BATCH):
            await self._database.script(
                _FORGET,
                [keys.meta(keys.DEPARTURES)],
                fields[first : first + _BATCH],
                doing="forget that places were gone",
                on_disk=True,
            )

    async def lost(self) -> dict[Place, float]:
        """See Departures."""
        found = await self._database.hash(keys.meta(keys.DEPARTURES))
        places = ((_place(field.decode()), float(at)) for field, at in found.items())
        return {place: at for place, at in places if place is not None}


def _field(place: Place) -> str:
    return f"{place.kind}:{place.id}"


def _place(field: str) -> Place | None:
    """The place that a field names; None for what another version noted: it is left alone."""
    kind, _, number = field.partition(":")
    try:
        return Place(PlaceKind(kind), int(number))
    except ValueError:
        return None
