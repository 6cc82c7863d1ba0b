"""The services as commands see them: they remember what was asked and answer what a test sets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.client import TalewheelBot
from bot.cogs.requests import StartRules
from bot.services import Services
from core.domain.story import Brief, Outcome, Recalled, Settings, Story, Tally, Turn
from core.ports import Stage
from tests.fakes.stories import a_story, a_turn

RULES = StartRules(frozenset(), Settings(), "English")


@dataclass
class Seen:
    """What status or memory answer."""

    story: Story
    turn: Turn | None = None
    summaries: int = 0


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


@dataclass
class FakeLibrary:
    """Implements bot.services.Remembering."""

    story: Story = field(default_factory=a_story)
    summaries: int = 0
    hits: list[Recalled] = field(default_factory=list[Recalled])
    error: Exception | None = None

    async def memory(self, channel: int, guild: int) -> Seen:
        if self.error is not None:
            raise self.error
        return Seen(self.story, summaries=self.summaries)

    async def find(self, channel: int, query: str, guild: int) -> list[Recalled]:
        if self.error is not None:
            raise self.error
        return self.hits[:5]


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
    library: FakeLibrary = field(default_factory=FakeLibrary)
    registered: FakeCommandMemory = field(default_factory=FakeCommandMemory)
    rules: StartRules = RULES
    stages: list[Stage] = field(default_factory=list[Stage])

    def bot(self, stop_s: float = 1.0, catch_up_s: float = 0.01) -> TalewheelBot:
        """A bot over the fakes, not connected."""

        def compose(stage: Stage) -> Services:
            self.stages.append(stage)
            return Services(self.storyteller, self.library)

        return TalewheelBot(
            compose, self.rules, self.registered, stop_s=stop_s, catch_up_s=catch_up_s
        )
