"""In-memory fakes of Erasure, Departures and Presence."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from core.domain.audit import Change
from core.domain.departures import Place
from core.domain.story import Phase, StoryId
from core.errors import StageUnavailableError
from tests.fakes.store import StoreWorld


class FakeErasure:
    """Erasure in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def kept(self, channel: int) -> list[StoryId]:
        await self._world.before("kept")
        return sorted(story for story in self._world.stories if story.channel == channel)

    async def rewrite(self, story: StoryId, rewriting: Callable[[Change], Change]) -> int:
        await self._world.before("rewrite")
        log = self._world.changes.get(story, [])
        rewritten = [rewriting(change) for change in log]
        differing = sum(one != other for one, other in zip(log, rewritten, strict=True))
        log[:] = rewritten
        self._world.after("rewrite")
        return differing

    async def seal(self, story: StoryId) -> None:
        await self._world.before("seal")
        if (stored := self._world.stories.get(story)) is not None:
            self._world.stories[story] = replace(
                stored, epoch=stored.epoch + 1, phase=Phase.ENDED, due=None
            )
        self._world.after("seal")


class FakeDepartures:
    """Departures in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def note(self, place: Place, at: float) -> None:
        await self._world.before("note")
        self._world.lost.setdefault(place, at)
        self._world.after("note")

    async def forget(self, places: Collection[Place]) -> None:
        await self._world.before("forget")
        for place in places:
            self._world.lost.pop(place, None)
        self._world.after("forget")

    async def lost(self) -> dict[Place, float]:
        await self._world.before("lost")
        return dict(self._world.lost)


@dataclass
class FakePresence:
    """Presence as a test sets it.

    Attributes:
        guilds: the servers that the bot is in.
        gone: the channels that were deleted.
        down: whether Discord can't be asked.
        asked: what was asked about, in order.
    """

    guilds: set[int] = field(default_factory=set[int])
    gone: set[int] = field(default_factory=set[int])
    down: bool = False
    asked: list[int] = field(default_factory=list[int])

    async def in_guild(self, guild: int) -> bool:
        self._ask(guild)
        return guild in self.guilds

    async def has_channel(self, channel: int) -> bool:
        self._ask(channel)
        return channel not in self.gone

    def _ask(self, place: int) -> None:
        self.asked.append(place)
        if self.down:
            raise StageUnavailableError("Discord is down.")
