"""Stories that sleep: which ballots they sleep on, and which of these must still be looked at.

A vote on a sleeping ballot wakes its story. Events get lost (nobody listened; Redis or Discord
failed at that moment; the answer to a commit never came), so none is relied on: a ballot that is to
be looked at stands in a list and leaves it once it was looked at. The list is filled whenever
something may have been missed, and from time to time by what Redis says. Both it and the index of
ballots live in memory: a restart fills them again.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import NamedTuple

from core.domain.ballot import count
from core.domain.story import Outcome, Phase, Story, StoryId, Turn
from core.errors import (
    NoStoryError,
    PhaseError,
    RefusedError,
    StageUnavailableError,
    StoreUnavailableError,
    TalewheelError,
)
from core.services.run import Stations

log = logging.getLogger(__name__)

SLOWLY_S = 1.0
"""Pause between two sleeping ballots that are looked at: a trickle of requests."""
IDLE_S = 5.0
"""The same while none is to be looked at."""
AGAIN_S = (5.0, 60.0, 600.0, 3600.0)
"""When a look that failed is repeated, by how often in a row it failed."""
SURVEY_S = 600.0
"""How often Redis is asked for sleepers that nobody told of."""
PAGE = 100


class _Owed(NamedTuple):
    """A look that is owed to a story.

    Attributes:
        at: not before this moment (monotonic).
        failed: how often in a row it failed.
        voted: a vote is known of, so the story wakes however the count stands.
    """

    at: float
    failed: int = 0
    voted: bool = False


class Sleepers:
    """The sleeping ballots that this process knows of, and the looks that they are owed."""

    def __init__(self, stations: Stations, wake: Callable[[int], Awaitable[object]]) -> None:
        """See the class.

        Args:
            stations: where stories and votes are read.
            wake: wakes the story of a channel.
        """
        self._at = stations
        self._wake = wake
        self._asleep: dict[int, tuple[StoryId, int]] = {}
        self._owed: dict[StoryId, _Owed] = {}
        self._left_out: set[StoryId] = set()

    def sleeps_on(self, channel: int, message: int) -> StoryId | None:
        """The story whose sleeping ballot a message is, if it is one."""
        story, ballot = self._asleep.get(channel, (None, None))
        return story if ballot == message else None

    async def note(self, story: Story) -> None:
        """Remember the ballot of a story that sleeps, so that a vote on it is noticed.

        Where Redis fails at this moment, the story is looked at later.
        """
        try:
            ballot = await self._ballot(story)
        except StoreUnavailableError as error:
            log.info("whether story %s sleeps is looked at later: %s", story.id, error)
            self.ask(story.id)
            return
        if ballot is None:
            self._asleep.pop(story.id.channel, None)
        else:
            self._asleep[story.id.channel] = (story.id, ballot)

    def ask(self, story: StoryId, *, voted: bool = False) -> None:
        """Have a story looked at soon, and again for as long as that fails."""
        self._owed[story] = _Owed(self._at.clock.monotonic(), voted=voted)

    async def reconcile(self) -> None:
        """Learn which ballots are asleep, and have each looked at: votes may have been missed.

        Raises:
            StoreUnavailableError: Redis is away; call it again.
        """
        async for story, _ in self._survey():
            self.ask(story)

    async def watch(self) -> None:
        """Look at what is owed a look, slowly, and survey from time to time; until cancelled."""
        clock = self._at.clock
        survey_at = clock.monotonic() + SURVEY_S
        while True:
            await clock.sleep(SLOWLY_S if self._owed else IDLE_S)
            try:
                await self._look_at_next()
                if clock.monotonic() >= survey_at:
                    survey_at = clock.monotonic() + SURVEY_S
                    await self._find_unheard_of()
            except StoreUnavailableError as error:
                log.info("sleeping stories are surveyed later: %s", error)
            except Exception:
                log.exception("looking at sleeping stories met a fault, and goes on")

    async def _find_unheard_of(self) -> None:
        async for story, is_news in self._survey():
            if is_news:
                self.ask(story)

    async def _survey(self) -> AsyncGenerator[tuple[StoryId, bool]]:
        """Every sleeping story, and whether it is news that it sleeps on its ballot.

        From now on a vote on that is noticed. A record that can't be read is left out.
        """
        after: StoryId | None = None
        while page := await self._at.schedule.in_phase(Phase.ASLEEP, after, PAGE):
            for story in page:
                known = self._asleep.get(story.channel)
                try:
                    await self.note(await self._at.store.load(story))
                except StoreUnavailableError:
                    raise
                except TalewheelError as error:
                    self._leave_out(story, error)
                else:
                    yield story, self._asleep.get(story.channel) != known
            after = page[-1]

    async def _look_at_next(self) -> None:
        """Look at the story that has waited longest, if the time for one has come."""
        now = self._at.clock.monotonic()
        story, owed = min(self._owed.items(), key=lambda item: item[1].at, default=(None, None))
        if story is None or owed is None or owed.at > now:
            return
        wait_s = AGAIN_S[min(owed.failed, len(AGAIN_S) - 1)]
        # Owed until it is done, and one that is asked for meanwhile isn't taken for this one.
        again = self._owed[story] = owed._replace(at=now + wait_s, failed=owed.failed + 1)
        if await self._looked_at(story, owed) and self._owed.get(story) is again:
            del self._owed[story]

    async def _looked_at(self, story: StoryId, owed: _Owed) -> bool:
        """Wake a story that would be decided by the votes it has by now; whether that was clear."""
        try:
            if owed.voted or await self._is_decided(story):
                await self._wake(story.channel)
        except (PhaseError, NoStoryError):
            pass  # It woke, or ended, by itself.
        except (RefusedError, StoreUnavailableError, StageUnavailableError) as error:
            level = logging.INFO if owed.failed else logging.WARNING
            log.log(level, "sleeping story %s is looked at again later: %s", story, error)
            return False
        except TalewheelError as error:
            self._leave_out(story, error)
        return True

    def _leave_out(self, story: StoryId, error: TalewheelError) -> None:
        """A story that can't be looked at: no second look mends that, and it is said once."""
        level = logging.INFO if story in self._left_out else logging.WARNING
        self._left_out.add(story)
        log.log(level, "sleeping story %s is left out: %s", story, error)

    async def _is_decided(self, story_id: StoryId) -> bool:
        story = await self._at.store.load(story_id)
        turn = await self._sleeps_at(story)
        if turn is None or turn.ballot is None:
            return False
        self._asleep[story_id.channel] = (story_id, turn.ballot)
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
