"""Deletes what is kept of places that the bot lost long ago.

When a place was lost is remembered by channels and turns. A place is purged only if that was at
least so many days ago and Discord itself, asked just before, says that the bot isn't there: a
silence, an outage or an odd answer never deletes anything, and a place that is there again is
struck off. What is purged, and in which order, is purging's business.
"""

import logging

from core.domain.departures import Place, PlaceKind, a_guild, overdue
from core.errors import StoreUnavailableError, TalewheelError
from core.ports import Clock, Departures, Presence
from core.services.purging import Purging

log = logging.getLogger(__name__)

SWEEP_S = 3600.0
"""How often it looks."""
SLOWLY_S = 1.0
"""Pause before each place that Discord is asked about."""


class Sweeper:
    """The errand of one process that deletes what its time has come for."""

    def __init__(
        self, *, purging: Purging, departures: Departures, clock: Clock, after_days: int
    ) -> None:
        """See the class.

        Args:
            purging: deletes.
            departures: what was lost, and since when.
            clock: the time.
            after_days: the grace.
        """
        self._purging = purging
        self._departures = departures
        self._clock = clock
        self.after_days = after_days

    async def run(self, presence: Presence) -> None:
        """Sweep at once and then from time to time, until cancelled."""
        while True:
            try:
                await self.sweep(presence)
            except StoreUnavailableError as error:
                log.info("what is overdue is deleted later: %s", error)
            except Exception:
                log.exception("deleting what is overdue met a fault, and goes on")
            await self._clock.sleep(SWEEP_S)

    async def sweep(self, presence: Presence) -> None:
        """Purge every place whose time has come.

        Raises:
            StoreUnavailableError: the rest is done by the next sweep.
        """
        lost = await self._departures.lost()
        for place in overdue(lost, self._clock.now(), self.after_days):
            await self._clock.sleep(SLOWLY_S)
            try:
                await self._purge(place, presence)
            except StoreUnavailableError:
                raise
            except TalewheelError as error:
                log.warning("%s is deleted later: %s", place, error)

    async def _purge(self, place: Place, presence: Presence) -> None:
        if await self._is_there(place, presence):
            log.info("%s is there after all: nothing of it is deleted", place)
            await self._departures.forget({place})
            return
        if place.kind is PlaceKind.GUILD:
            deleted = await self._purging.guild(place.id, lambda: self._is_lost(place.id))
        else:
            deleted = await self._purging.channel(place.id)
        log.info("%s is gone for %d days: %d stories deleted", place, self.after_days, deleted)

    async def _is_there(self, place: Place, presence: Presence) -> bool:
        if place.kind is PlaceKind.GUILD:
            return await presence.in_guild(place.id)
        return await presence.has_channel(place.id)

    async def _is_lost(self, guild: int) -> bool:
        """Whether the server is still lost: an invitation strikes it off at once."""
        return a_guild(guild) in await self._departures.lost()
