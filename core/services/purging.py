"""Deleting all that is kept: of a story, a channel, a server.

A story that goes on is taken by force, so that whoever works on it is fenced, and ended by the
rules; then its records go. Nothing is said to its channel: it may be gone, and what it would be
told is being deleted. Every step can be repeated, and a purge that was killed in the middle is
finished by the next one. Whether something may be deleted is the caller's to know.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from core.domain import moves
from core.domain.departures import a_channel, a_guild
from core.domain.story import Phase, StoryId
from core.errors import FencedError, NoStoryError, RecordError, RefusedError
from core.ports import Archive, Clock, Commit, Departures, Erasure, Schedule, StoryStore

log = logging.getLogger(__name__)

PAGE = 100
HOLD_S = 60.0
"""How long a story is held while it is ended; a purge that dies leaves it to others then."""
TAKINGS = 5
"""How often a story is taken that others take at the same moment."""
ROUNDS = 10
"""How often a server is gone through: new stories may begin there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept of something.

    Attributes:
        stories: ids, in order.
        turns: of all of them together, as far as they can be read.
        changes: entries of their logs.
    """

    stories: tuple[StoryId, ...] = ()
    turns: int = 0
    changes: int = 0


async def _always() -> bool:
    return True


class Purging:
    """Deletes what is kept, for good."""

    def __init__(
        self,
        *,
        store: StoryStore,
        schedule: Schedule,
        archive: Archive,
        erasure: Erasure,
        departures: Departures,
        clock: Clock,
    ) -> None:
        self._store = store
        self._schedule = schedule
        self._archive = archive
        self._erasure = erasure
        self._departures = departures
        self._clock = clock

    # ── looking ──────────────────────────────────────────────────────────────────────────────────

    async def kept_of_guild(self, guild: int) -> Kept:
        """What is kept of a server."""
        return await self._kept([story async for story in stories_of(self._schedule, guild)])

    async def kept_of_channel(self, channel: int, guild: int | None = None) -> Kept:
        """What is kept of a channel; of a server's, if ``guild`` is given."""
        return await self._kept(await self._erasure.kept(channel), guild)

    async def kept_of_story(self, story: StoryId) -> Kept:
        """What is kept of a story: nothing, if there is no such story."""
        return await self._kept(
            [one for one in await self._erasure.kept(story.channel) if one == story]
        )

    async def _kept(self, stories: Sequence[StoryId], guild: int | None = None) -> Kept:
        found: list[StoryId] = []
        turns = changes = 0
        for story in sorted(stories):
            try:
                state = await self._store.load(story)
            except NoStoryError:
                continue
            except RecordError as error:
                log.info("how much is kept of story %s isn't known: %s", story, error)
                state = None
            if state is not None and guild in (None, state.guild):
                turns += state.head_number
                changes += await self._changes(story)
            if guild is None or (state is not None and guild == state.guild):
                found.append(story)
        return Kept(tuple(found), turns, changes)

    async def _changes(self, story: StoryId) -> int:
        try:
            newest = await self._archive.changes(story, None, 1)
        except RecordError:
            return 0
        return newest[0].number if newest else 0

    # ── deleting ─────────────────────────────────────────────────────────────────────────────────

    async def guild(self, guild: int, goes_on: Callable[[], Awaitable[bool]] = _always) -> int:
        """Delete everything of a server, and at last that it, and channels of it, were lost.

        Args:
            guild: its id.
            goes_on: asked before each story; False stops it there.

        Returns:
            How many stories were deleted.

        Raises:
            RefusedError: stories begin there faster than they can be deleted.
        """
        deleted: list[StoryId] = []
        for _ in range(ROUNDS):
            stories = [story async for story in stories_of(self._schedule, guild)]
            if not stories:
                channels = {a_channel(story.channel) for story in deleted}
                await self._departures.forget({a_guild(guild), *channels})
                return len(deleted)
            for story in stories:
                if not await goes_on():
                    return len(deleted)
                await self.story(story)
                deleted.append(story)
        raise RefusedError(
            f"Stories begin in server {guild} while they are being deleted: remove the bot from it "
            "first, or forbid them there by ALLOWED_GUILDS."
        )

    async def channel(self, channel: int) -> int:
        """Delete every story of a channel, and at last that it was lost; gives how many."""
        stories = await self._erasure.kept(channel)
        for story in stories:
            await self.story(story)
        await self._departures.forget({a_channel(channel)})
        return len(stories)

    async def story(self, story: StoryId) -> None:
        """Delete one story; done when it is gone."""
        await self._end(story)
        await self._archive.purge(story)

    async def _end(self, story: StoryId) -> None:
        """End a story that goes on."""
        for _ in range(TAKINGS):
            try:
                if (await self._store.load(story)).phase is Phase.ENDED:
                    return
                now = self._clock.now()
                held = await self._schedule.claim(story, now, now + HOLD_S, force=True)
                over = replace(moves.vanished(held), due=None)
                await self._store.commit(Commit(uuid4().hex, over))
            except FencedError as error:
                log.info("story %s is taken once more to be deleted: %s", story, error)
            except NoStoryError:
                return
            except RecordError as error:
                log.warning("story %s is deleted unread: %s", story, error)
                await self._erasure.seal(story)
                return
            else:
                return
        raise RefusedError(f"Story {story} is being changed all the time: try again in a minute.")


async def stories_of(schedule: Schedule, guild: int | None) -> AsyncGenerator[StoryId]:
    """Every story of a server, live or ended; of all servers for None."""
    after: StoryId | None = None
    while page := await schedule.in_phase(None, after, PAGE, guild):
        for story in page:
            yield story
        after = page[-1]
