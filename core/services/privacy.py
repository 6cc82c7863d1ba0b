"""What is kept about people, and taking a moderator's name out of it.

The only people whose names are kept are moderators: in the log of their changes and, until it is
said, in a sentence that a channel is owed. An erasure leaves what was changed, when and how, and
takes out who did it. What was said in channels is Discord's.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import uuid4

from core.domain import moves
from core.domain.audit import Change, unsigned
from core.domain.lifecycle import due_at_rest
from core.domain.story import Story, StoryId
from core.errors import FencedError, NoStoryError, RecordError
from core.ports import Clock, Commit, Erasure, Schedule, StoryStore
from core.services.purging import HOLD_S, TAKINGS, Kept, Purging, stories_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to.

    Attributes:
        changes: entries of logs that name somebody no longer.
        stories: in how many stories.
        unread: stories that couldn't be read whole: a name may be left in them.
    """

    changes: int = 0
    stories: int = 0
    unread: tuple[StoryId, ...] = ()


class Privacy:
    """What members and operators may ask about what is kept."""

    def __init__(
        self,
        *,
        store: StoryStore,
        schedule: Schedule,
        erasure: Erasure,
        purging: Purging,
        clock: Clock,
    ) -> None:
        self._store = store
        self._schedule = schedule
        self._erasure = erasure
        self._purging = purging
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def kept(self, channel: int, guild: int) -> Kept:
        """What is kept of a channel of a server."""
        return await self._purging.kept_of_channel(channel, guild)

    async def erase(self, moderator: int, guild: int | None, names: Collection[str] = ()) -> Erased:
        """Take a moderator's name and id out of the logs of a server; of all for None.

        It can be repeated: what was changed since is then taken in too.

        Args:
            moderator: Discord's id.
            guild: whose stories.
            names: what the moderator is called now; earlier names are known from the logs.

        Raises:
            StoreUnavailableError: Redis is away; a part may be done.
        """
        # It reads every log of a server: many who ask at once wait for each other.
        async with self._one_at_a_time:
            stories = [story async for story in stories_of(self._schedule, guild)]
            called, erased = set(names), Erased()
            for story in stories:
                erased = await self._unsign(story, moderator, called, erased)
            for story in stories:
                await self._unname(story, called)
            return erased

    async def _unsign(
        self, story: StoryId, moderator: int, called: set[str], erased: Erased
    ) -> Erased:
        """The story's log; the names that stood there are added to ``called``."""

        def rewriting(change: Change) -> Change:
            if change.by.id == moderator:
                called.add(change.by.name)
            return unsigned(change, moderator)

        try:
            changes = await self._erasure.rewrite(story, rewriting)
        except RecordError as error:
            log.warning("a name may be left in story %s: %s", story, error)
            return replace(erased, unread=(*erased.unread, story))
        return replace(
            erased, changes=erased.changes + changes, stories=erased.stories + (changes > 0)
        )

    async def _unname(self, story: StoryId, called: Collection[str]) -> None:
        """The story's state: why it is paused, and what its channel is still owed."""
        for _ in range(TAKINGS):
            try:
                state = await self._store.load(story)
                if moves.unsigned(state, called) == state:
                    return
                now = self._clock.now()
                held = await self._schedule.claim(story, now, now + HOLD_S, force=True)
                await self._store.commit(Commit(uuid4().hex, _at_rest(held, called)))
            except FencedError as error:
                log.info("story %s is taken once more for a name: %s", story, error)
            except NoStoryError:
                return
            except RecordError as error:
                log.warning("a name may be left in story %s: %s", story, error)
                return
            else:
                return
        log.warning("a name may be left in story %s: it was changed all the time", story)


def _at_rest(story: Story, called: Collection[str]) -> Story:
    """Without the names, and free for the next worker."""
    told = moves.unsigned(story, called)
    return replace(told, due=due_at_rest(told))
