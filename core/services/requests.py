"""Requests about a channel's story, one at a time: who takes the story for one, and for how long.

A request is checked against the table of phases before anybody is disturbed and again once the
story is taken (its epoch rises, a worker that is at it is stopped); then the story is let go.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from core.domain.lifecycle import Event, next_phase, pausing
from core.domain.story import Story
from core.errors import FencedError, RefusedError
from core.ports import StoryStore
from core.services.library import channel_story
from core.services.run import Run
from core.services.sleepers import Sleepers
from core.services.wheel import Wheel

log = logging.getLogger(__name__)

Check = Callable[[Story], None]


class Requests:
    """The door to the stories of one process for everybody who asks something of them."""

    def __init__(self, store: StoryStore, wheel: Wheel, sleepers: Sleepers) -> None:
        self._store = store
        self._wheel = wheel
        self._sleepers = sleepers
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def story(self, channel: int, guild: int | None = None) -> Story:
        """The channel's newest story, live or ended; ``guild`` is None where the bot itself asks.

        Raises:
            NoStoryError: there is none, or none of that server's.
        """
        return await channel_story(self._store, channel, guild)

    @asynccontextmanager
    async def taking(
        self, channel: int, check: Check = lambda _: None, guild: int | None = None
    ) -> AsyncGenerator[Run]:
        """Take the channel's story for a request; then let it go.

        Args:
            channel: whose story.
            check: raises a RefusedError for a story that the request isn't for.
            guild: the server where it is asked; None for the bot itself.

        Raises:
            NoStoryError, PhaseError: refused; nothing was disturbed.
            RefusedError: another process changed the story at the same moment.
        """
        lock = self._locks.setdefault(channel, asyncio.Lock())
        async with lock:
            story = await self.story(channel, guild)
            check(story)
            try:
                async with self._wheel.taken(story.id) as run:
                    check(run.story)
                    yield run
                    await self._sleepers.note(run.story)
            except FencedError as error:
                log.info("a request for story %s came to nothing: %s", story.id, error)
                raise RefusedError(
                    "The story changed at the same moment; nothing was done. Try again."
                ) from None
        self._wheel.look()


def allows(event: Event) -> Check:
    """The check that the table of phases lists an event for the story as it stands."""

    def check(story: Story) -> None:
        wanted = pausing(story) if event is Event.PAUSED else event
        next_phase(story.phase, wanted, story.pause.kept if story.pause else None)

    return check
