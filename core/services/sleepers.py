"""Stories that sleep: which ballots they sleep on, so that a vote on one of them wakes its story.

This is only an index of what Redis says, filled at the start and kept while the wheel turns. Votes
that came while nobody listened are found by a slow look at each sleeping ballot.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

from core.domain.ballot import count
from core.domain.story import Outcome, Phase, Story, StoryId, Turn
from core.errors import RefusedError, StoreUnavailableError, TalewheelError
from core.services.run import Stations

log = logging.getLogger(__name__)

SLOWLY_S = 1.0
"""Pause between two sleeping ballots that are looked at after a start: a trickle of requests."""
PAGE = 100


class Sleepers:
    """The sleeping ballots that this process knows of."""

    def __init__(self, stations: Stations, wake: Callable[[int], Awaitable[object]]) -> None:
        """See the class.

        Args:
            stations: where stories and votes are read.
            wake: wakes the story of a channel.
        """
        self._at = stations
        self._wake = wake
        self._asleep: dict[int, int] = {}

    def sleeps_on(self, channel: int, message: int) -> bool:
        """Whether a message is a ballot that its story sleeps on."""
        return self._asleep.get(channel) == message

    async def note(self, story: Story) -> None:
        """Remember the ballot of a story that sleeps, so that a vote on it is noticed."""
        ballot = await self._ballot(story)
        if ballot is None:
            self._asleep.pop(story.id.channel, None)
        else:
            self._asleep[story.id.channel] = ballot

    async def reconcile(self) -> None:
        """Learn which ballots are asleep, then wake those that were voted on meanwhile; slowly.

        A story that can't be looked at is left out, with a line in the log.

        Raises:
            StoreUnavailableError: Redis is away; call it again.
        """
        sleepers = [sleeper async for sleeper in self._all()]
        for story in sleepers:
            await self._at.clock.sleep(SLOWLY_S)
            await self.look_at(story)

    async def _all(self) -> AsyncGenerator[StoryId]:
        """All sleeping stories; from now on a vote on their ballots is noticed."""
        after: StoryId | None = None
        while page := await self._at.schedule.in_phase(Phase.ASLEEP, after, PAGE):
            for story in page:
                try:
                    await self.note(await self._at.store.load(story))
                except StoreUnavailableError:
                    raise
                except TalewheelError as error:
                    log.warning("sleeping story %s is left out: %s", story, error)
                else:
                    yield story
            after = page[-1]

    async def look_at(self, story_id: StoryId) -> None:
        """Wake a story whose sleeping ballot would be decided by the votes it has by now."""
        try:
            if await self._is_decided(story_id):
                await self._wake(story_id.channel)
        except RefusedError:
            pass  # It woke, or ended, by itself.
        except TalewheelError as error:
            log.warning("sleeping story %s could not be looked at: %s", story_id, error)

    async def _is_decided(self, story_id: StoryId) -> bool:
        story = await self._at.store.load(story_id)
        turn = await self._sleeps_at(story)
        if turn is None or turn.ballot is None:
            return False
        options, rules = len(story.plans.options), turn.rules or story.settings
        votes = await self._at.stage.votes(story_id.channel, turn.ballot, options)
        tally = count(votes, options, rules.rule, rules.quorum, turn.ballot)
        return tally.outcome is Outcome.WON

    async def _ballot(self, story: Story) -> int | None:
        """The message that a story sleeps on; None for one that doesn't sleep."""
        turn = await self._sleeps_at(story)
        return turn.ballot if turn else None

    async def _sleeps_at(self, story: Story) -> Turn | None:
        """The turn that a sleeping story waits at."""
        if story.phase is not Phase.ASLEEP or story.head is None:
            return None
        return await self._at.store.turn(story.id, story.head)
