"""The services as commands see them: they remember what was asked and answer what a test sets."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bot.client import TalewheelBot
from bot.cogs.requests import StartRules
from bot.services import Services
from core.adapters.epub_book import EpubBook
from core.adapters.markdown_book import MarkdownBook
from core.adapters.system_clock import SystemClock
from core.domain.spending import Budgets
from core.domain.story import Brief, Outcome, Settings, Story, StoryId, Tally, Turn
from core.ports import Audience, Bookbinder, BookFormat, Stage
from core.services.budget import Spending
from core.services.direction import Direction
from core.services.history import History
from core.services.library import Library
from core.services.moderation import Moderation
from core.services.press import Press
from core.services.privacy import Privacy
from core.services.purging import Purging
from core.services.run import Stations
from core.services.screening import Screening
from core.services.storyteller import Storyteller
from core.services.sweeper import Sweeper
from core.services.wheel import Pulse
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.erasure import FakeDepartures, FakeErasure
from tests.fakes.narrator import FakeNarrator
from tests.fakes.spend_ledger import FakeSpendLedger
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.store import (
    FakeArchive,
    FakeMemorySearch,
    FakeSchedule,
    FakeStoryStore,
    StoreWorld,
)
from tests.fakes.stories import a_story, a_turn

RULES = StartRules(frozenset(), Settings(), "English")


@dataclass
class Seen:
    """What status answers."""

    story: Story
    turn: Turn | None = None


@dataclass
class FakeStoryteller:
    """Implements bot.services.Telling."""

    calls: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    error: Exception | None = None
    wheel_error: Exception | None = None
    outages: list[Exception] = field(default_factory=list[Exception])
    """What the next calls of reconcile raise."""
    reconciling: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: reconcile takes its time."""
    early_outages: list[Exception] = field(default_factory=list[Exception])
    """What the next calls of compare raise."""
    story: Story = field(default_factory=a_story)
    turn: Turn | None = field(default_factory=a_turn)
    is_open: Callable[[int], bool] | None = None
    """What ``changed`` was last given."""
    stuck: bool = False
    asleep: bool = True
    """Whether every message is the ballot of a sleeping story."""
    pulse: Pulse = field(default_factory=lambda: Pulse(0.5, 0.0, 0))
    turning: bool = False

    def __post_init__(self) -> None:
        self.reconciling.set()

    def _called(self, *call: object) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error

    async def start(
        self, channel: int, guild: int, brief: Brief, settings: Settings, after: int
    ) -> Story:
        self._called("start", channel, guild, brief, settings, after)
        return self.story

    def advice(self, brief: Brief) -> str:
        return "" if brief.language == "English" else "It reads English only."

    async def status(self, channel: int, guild: int) -> Seen:
        self._called("status", channel)
        return Seen(self.story, self.turn)

    async def close(self, channel: int, guild: int) -> Tally:
        self._called("close", channel)
        return Tally(Outcome.WON, (2, 1, 0), 3, 0)

    async def pause(self, channel: int, by: str, guild: int) -> Story:
        self._called("pause", channel, by)
        return self.story

    async def resume(self, channel: int, guild: int) -> Story:
        self._called("resume", channel)
        return self.story

    async def end(self, channel: int, by: str, guild: int) -> Story:
        self._called("end", channel, by)
        return self.story

    def sleeps_on(self, channel: int, message: int) -> bool:
        del channel, message
        return self.asleep

    async def reacted(self, channel: int, message: int) -> None:
        self._called("reacted", channel, message)

    async def run(self) -> None:
        self.calls.append(("run",))
        if self.wheel_error is not None:
            raise self.wheel_error
        self.turning = True
        try:
            # Not an Event: SimCord knows that a sleeper is at rest.
            await asyncio.sleep(1_000_000)
        finally:
            self.turning = False

    async def compare(self, guilds: frozenset[int], is_open: Callable[[int], bool]) -> None:
        self.calls.append(("compare", guilds))
        if self.early_outages:
            raise self.early_outages.pop()

    async def reconcile(self) -> None:
        self.calls.append(("reconcile",))
        await self.reconciling.wait()
        if self.outages:
            raise self.outages.pop()

    async def left(self, guild: int) -> None:
        self._called("left", guild)

    async def changed(self, guild: int, is_open: Callable[[int], bool]) -> None:
        self.is_open = is_open
        self._called("changed", guild)

    async def deleted(self, channel: int) -> None:
        self._called("deleted", channel)

    async def cleared(self, channel: int, message: int, *, votes_lost: bool) -> None:
        self._called("cleared", channel, message, votes_lost)

    async def aclose(self) -> None:
        self.calls.append(("aclose",))
        if self.stuck:
            await asyncio.Event().wait()

    def asked(self, name: str) -> list[tuple[object, ...]]:
        """The calls of one name."""
        return [call for call in self.calls if call[0] == name]


class OneStoryStore(FakeStoryStore):
    """A store in which every channel has the same story, until it changes there."""

    def __init__(self, world: StoreWorld, story: Story) -> None:
        super().__init__(world)
        self._kept = world
        self.story: Story | None = story
        self.error: Exception | None = None
        self.guild = story.guild

    async def current(self, channel: int) -> Story | None:
        if self.error is not None:
            raise self.error
        if self.story is not None and channel not in self._kept.newest:
            here = StoryId(channel, 1)
            self._kept.stories[here] = replace(self.story, id=here, guild=self.guild)
            self._kept.newest[channel] = 1
            turn = a_turn()
            self._kept.turns[here, turn.id] = turn
            self._kept.places[here, turn.branch, turn.number] = turn.id
        return await super().current(channel)


@dataclass
class FakeCommandMemory:
    """Implements bot.client.CommandMemory."""

    kept: dict[str, str] = field(default_factory=dict[str, str])
    error: Exception | None = None

    async def get(self, name: str) -> str | None:
        if self.error is not None:
            raise self.error
        return self.kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self.kept[name] = value


@dataclass
class Cast:
    """Everything that stands behind a bot in a test."""

    storyteller: FakeStoryteller = field(default_factory=FakeStoryteller)
    world: StoreWorld = field(default_factory=lambda: StoreWorld(dims=16))
    registered: FakeCommandMemory = field(default_factory=FakeCommandMemory)
    rules: StartRules = RULES
    budgets: Budgets | None = None
    """What may be spent; None where nothing is paid for."""
    cooldown_s: int = 0
    binders: Mapping[BookFormat, Bookbinder] = field(
        default_factory=lambda: {BookFormat.EPUB: EpubBook(), BookFormat.MARKDOWN: MarkdownBook()}
    )
    stages: list[Stage] = field(default_factory=list[Stage])

    def __post_init__(self) -> None:
        self.store = OneStoryStore(self.world, a_story())
        self.embedder = FakeEmbedder(dims=16)

    def _services(self, stage: Stage, audience: Audience) -> Services:
        """The doors of the turn protocol are a fake; the rest is real, over fakes."""
        clock, embedder = SteppedClock(), self.embedder
        archive, search = FakeArchive(self.world), FakeMemorySearch(self.world)
        screening = Screening(audience)
        stations = Stations(
            store=self.store,
            schedule=FakeSchedule(self.world),
            search=search,
            narrator=FakeNarrator(clock),
            embedder=embedder,
            stage=stage,
            clock=clock,
            screening=screening,
            departures=FakeDepartures(self.world),
        )
        requests = Storyteller(stations).requests
        library = Library(store=self.store, archive=archive, search=search, embedder=embedder)
        moderation = Moderation(
            store=self.store, archive=archive, embedder=embedder, clock=clock, screening=screening
        )
        direction = Direction(
            requests=requests,
            store=self.store,
            archive=archive,
            clock=clock,
            screening=screening,
        )
        history = History(
            store=self.store, archive=archive, moderation=moderation, direction=direction
        )
        press = Press(store=self.store, archive=archive, clock=clock, binders=self.binders)
        spending = self.budgets and Spending(FakeSpendLedger(self.world), clock, self.budgets)
        erasure, departures = FakeErasure(self.world), FakeDepartures(self.world)
        purging = Purging(
            store=self.store,
            schedule=stations.schedule,
            archive=archive,
            erasure=erasure,
            departures=departures,
            clock=clock,
        )
        privacy = Privacy(
            store=self.store,
            schedule=stations.schedule,
            erasure=erasure,
            purging=purging,
            clock=clock,
        )
        # Not the stepped clock: SimCord knows that a sleeper is at rest.
        sweeper = Sweeper(
            purging=purging, departures=departures, clock=SystemClock(), after_days=30
        )
        return Services(
            self.storyteller,
            library,
            moderation,
            direction,
            history,
            press,
            privacy,
            sweeper,
            spending=spending,
        )

    def bot(self, stop_s: float = 1.0, catch_up_s: float = 0.01) -> TalewheelBot:
        """A bot over the fakes, not connected."""

        def compose(stage: Stage, audience: Audience) -> Services:
            self.stages.append(stage)
            return self._services(stage, audience)

        return TalewheelBot(
            compose,
            self.rules,
            self.registered,
            cooldown_s=self.cooldown_s,
            stop_s=stop_s,
            catch_up_s=catch_up_s,
        )
