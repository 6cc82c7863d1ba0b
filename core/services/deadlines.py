"""Due times that a wrong clock has set: found when the clock was set back, and at the start.

A due time is a time of day, since it must outlive the process. A clock that was ahead leaves due
times behind that come much too late once it is right again: a lease that nobody holds keeps its
story from everybody, a vote stays open for days. No due time rightly lies further ahead than what
it waits for is long (lifecycle.longest_wait), so those that do are set anew, from now.

A clock that is set on needs nothing here: leases are measured on the monotonic clock by whoever
holds them, and a deadline that has passed by the clock has passed.
"""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

from core.domain import moves
from core.domain.identity import CLOCK_SKEW_S
from core.domain.lifecycle import LIVE, longest_wait
from core.domain.story import Phase, StoryId
from core.errors import TalewheelError
from core.services.run import Run, Stations

log = logging.getLogger(__name__)

NOTABLE_S = 5.0
"""Smaller differences are how clocks are kept right."""
PAGE = 100


class Deadlines:
    """Watches the clock of one process, and mends what a wrong one has set."""

    def __init__(
        self,
        stations: Stations,
        lease_s: float,
        taken: Callable[[StoryId], AbstractAsyncContextManager[Run]],
    ) -> None:
        """See the class.

        Args:
            stations: where stories are read.
            lease_s: how long a claim lasts.
            taken: takes a story by force, for as long as the context lasts.
        """
        self._at = stations
        self._lease_s = lease_s
        self._taken = taken
        self._ahead_s: float | None = None

    def were_moved(self) -> bool:
        """Whether the clock was set back since this was asked last; the first time it may have."""
        ahead_s = self._at.clock.now() - self._at.clock.monotonic()
        before_s, self._ahead_s = self._ahead_s, ahead_s
        if before_s is None:
            return True
        by_s = ahead_s - before_s
        if abs(by_s) >= NOTABLE_S:
            log.warning("the clock was set %s by %.0f s", "back" if by_s < 0 else "on", abs(by_s))
        return by_s <= -NOTABLE_S

    async def mend(self) -> None:
        """Set anew what lies too far ahead. A story that can't be looked at is left out.

        After a lease's length: what somebody works on was renewed by the new clock until then.
        """
        await self._at.clock.sleep(self._lease_s)
        async for story in self._stories():
            try:
                if await self._is_too_late(story):
                    async with self._taken(story) as run:
                        now = self._at.clock.now()
                        await run.commit(moves.redated(run.story, now))
                    log.warning("story %s waited for a time that a wrong clock had set", story)
            except TalewheelError as error:
                log.warning("the due time of story %s couldn't be looked at: %s", story, error)

    async def _is_too_late(self, story: StoryId) -> bool:
        state = await self._at.store.load(story)
        longest_s = longest_wait(state, self._lease_s) + CLOCK_SKEW_S
        return state.due is not None and state.due > self._at.clock.now() + longest_s

    async def _stories(self) -> AsyncGenerator[StoryId]:
        for phase in sorted(LIVE - {Phase.ASLEEP}):
            after: StoryId | None = None
            while page := await self._at.schedule.in_phase(phase, after, PAGE):
                for story in page:
                    yield story
                after = page[-1]
