"""A whole Talewheel without Discord, Redis or a model: the services over fakes."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, NoReturn, Self

from core.domain.story import Brief, Memory, Phase, Settings, Story, Turn
from core.ports import MessageKind
from core.services.direction import Direction
from core.services.history import History
from core.services.library import Library
from core.services.moderation import Moderation
from core.services.privacy import Privacy
from core.services.purging import Purging
from core.services.remembering import remembered_ids
from core.services.run import Stations
from core.services.screening import Screening
from core.services.storyteller import Storyteller
from core.services.sweeper import Sweeper
from tests.fakes.content_filter import FakeAudience, FakeContentFilter
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.erasure import FakeDepartures, FakeErasure
from tests.fakes.narrator import FakeNarrator
from tests.fakes.stage import FakeStage
from tests.fakes.stepped_clock import RightClock, SteppedClock
from tests.fakes.store import (
    FakeArchive,
    FakeMemorySearch,
    FakeSchedule,
    FakeStoryStore,
    StoreWorld,
)
from tests.fakes.witness import FakeWitness

CHANNEL, GUILD = 900, 10
BRIEF = Brief("A lighthouse keeper finds a door below the tide line.", "mystery", "quiet")
SETTINGS = Settings(vote_s=60, sentences=6)


class House:
    """One process; ``restarted`` gives the next one over the same Redis and the same Discord."""

    def __init__(
        self,
        before: "House | None" = None,
        notice: str | None = None,
        clock: SteppedClock | None = None,
        *,
        filtered: bool = False,
    ) -> None:
        self.clock = before.clock if before else clock or SteppedClock()
        self.world = before.world if before else StoreWorld(dims=16)
        self.stage = before.stage if before else FakeStage(RightClock(self.clock))
        self.narrator = before.narrator if before else FakeNarrator(self.clock, notice)
        self.embedder = FakeEmbedder(dims=16)
        self.audience = before.audience if before else FakeAudience()
        self.filtered = before.filtered if before else filtered
        self.content_filter = before.content_filter if before else FakeContentFilter(self.clock)
        screening = Screening(self.audience, self.content_filter if self.filtered else None)
        self.store = FakeStoryStore(self.world)
        self.witness = FakeWitness()
        search = FakeMemorySearch(self.world)
        self.stations = Stations(
            store=self.store,
            schedule=FakeSchedule(self.world),
            search=search,
            narrator=self.narrator,
            embedder=self.embedder,
            stage=self.stage,
            clock=self.clock,
            witness=self.witness,
            screening=screening,
            departures=FakeDepartures(self.world),
        )
        self.teller = Storyteller(self.stations)
        archive = FakeArchive(self.world)
        self.library = Library(
            store=self.store, archive=archive, search=search, embedder=self.embedder
        )
        self.moderation = Moderation(
            store=self.store,
            archive=archive,
            embedder=self.embedder,
            clock=self.clock,
            screening=screening,
        )
        self.direction = Direction(
            requests=self.teller.requests,
            store=self.store,
            archive=archive,
            clock=self.clock,
            screening=screening,
        )
        self.history = History(
            store=self.store,
            archive=archive,
            moderation=self.moderation,
            direction=self.direction,
        )
        erasure, departures = FakeErasure(self.world), FakeDepartures(self.world)
        schedule = self.stations.schedule
        self.purging = Purging(
            store=self.store,
            schedule=schedule,
            archive=archive,
            erasure=erasure,
            departures=departures,
            clock=self.clock,
        )
        self.privacy = Privacy(
            store=self.store,
            schedule=schedule,
            erasure=erasure,
            purging=self.purging,
            clock=self.clock,
        )
        self.sweeper = Sweeper(
            purging=self.purging, departures=departures, clock=self.clock, after_days=30
        )
        self._wheel: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._wheel = asyncio.create_task(self.teller.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def compare(self, *away: int) -> None:
        """What happens at each connect; from some servers the bot was sent away."""
        here = frozenset(story.guild for story in self.world.stories.values()) - frozenset(away)
        await self.teller.compare(here, self.looks_open)

    def looks_open(self, channel: int) -> bool:
        """What the client's picture says of a channel."""
        return channel not in self.stage.muted | self.stage.forbidden | self.stage.blind

    async def kill(self) -> None:
        """End this process without a goodbye: nothing more reaches Redis or Discord."""
        doomed = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        self._silence()
        for task in doomed:
            task.cancel()
        await asyncio.gather(*doomed, return_exceptions=True)
        self._speak()

    async def stop(self) -> None:
        """End this process as SIGTERM does."""
        await self.teller.aclose()

    async def finish(self, doing: Coroutine[Any, Any, object]) -> None:
        """Let time pass until something that sleeps is done."""
        task = asyncio.create_task(doing)
        await self.clock.run_until(task.done)
        await task

    def restarted(self) -> "House":
        return House(self)

    async def begin(self, channel: int = CHANNEL, guild: int = GUILD, **settings: Any) -> Story:
        """Start a story with some settings changed, and let it come to its first vote."""
        rules = replace(SETTINGS, **settings)
        await self.teller.start(channel, guild, BRIEF, rules, self.stage.snowflake())
        await self.until(Phase.VOTING, channel)
        return self.story(channel)

    async def until(self, phase: Phase, channel: int = CHANNEL, number: int | None = None) -> None:
        """Let time pass until the story rests in a phase (of a turn)."""

        def there() -> bool:
            story = self.story(channel)
            rests = not story.outbox and story.phase is phase
            return rests and number in (None, story.head_number)

        await self.clock.run_until(there)

    async def turn_over(self, option: int = 0, channel: int = CHANNEL) -> None:
        """One member votes, the window passes, and the next ballot is up."""
        number = self.story(channel).head_number
        self.stage.vote(channel, 1, option)
        await self.until(Phase.VOTING, channel, number + 1)

    async def when(self, done: Callable[[], bool]) -> None:
        """Let time pass until ``done``."""
        await self.clock.run_until(done)

    def story(self, channel: int = CHANNEL) -> Story:
        """The newest story of a channel as Redis holds it."""
        return max(
            (story for id_, story in self.world.stories.items() if id_.channel == channel),
            key=lambda story: story.id.serial,
        )

    def lineage(self, channel: int = CHANNEL) -> list[Turn]:
        """The turns that led to the head, oldest first."""
        story = self.story(channel)
        turns: list[Turn] = []
        at = story.head
        while at is not None:
            turns.append(self.world.turns[story.id, at])
            at = turns[-1].parent
        return turns[::-1]

    def check_told_once(self, channel: int = CHANNEL) -> None:
        """Every turn stands on stage exactly once, in order, with the words that Redis holds."""
        told = self.lineage(channel)
        assert [turn.number for turn in told] == list(range(1, len(told) + 1))
        assert self.stage.story(channel) == [turn.paragraph for turn in told]
        ballots = self.stage.ballots(channel)
        assert [ballot.number for ballot in ballots] == [turn.number for turn in told]
        assert all(ballot.tally for ballot in ballots[:-1]), "each old ballot shows its result"
        offered = [m.offered for m in self.stage.shown(channel, MessageKind.BALLOT)]
        assert offered == [3] * len(told)
        story = self.story(channel)
        entries = {id_ for owner, id_ in self.world.entries if owner == story.id}
        assert entries == set().union(*map(remembered_ids, told)), "memory and lineage agree"
        assert story.memory.text == told[-1].reflection.memory  # type: ignore[union-attr]

    def _silence(self) -> None:
        def dead(_name: str, *_: object) -> NoReturn:
            raise asyncio.CancelledError

        self.world.interrupt = dead
        self.stage.fail = self.stage.fail_after = dead

    def _speak(self) -> None:
        self.world.interrupt = lambda _name, _when: None
        self.stage.fail = self.stage.fail_after = lambda _name: None

    def edit_memory(self, text: str) -> None:
        """What a moderator's edit does: the memory moves, the epoch doesn't."""
        story = self.story()
        memory = Memory(text, story.memory.version + 1)
        self.world.stories[story.id] = replace(story, memory=memory)
