"""Rush hour: votes of very many stories that end within one second.

Each story must be told on exactly once. The wheel is the real one; model, Discord and embedding
cost nothing, or what a variant says.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.recurrence import StepContext
from core.domain.story import Phase, Reflection, StoryId, Usage
from core.ports import Clock, Commit, Embedder, Written
from core.services.run import Stations
from core.services.storyteller import Storyteller
from tests.bench import places
from tests.bench.figures import Figure, quantile
from tests.bench.places import CountingDatabase, InstantNarrator, SkippingClock

BENCH = "rush hour"
SECONDS = 20.0
GUILDS = 20
AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Rush:
    """What is behind the stories.

    Attributes:
        name: of the variant.
        latency_s: how long the model takes for each call.
        at_once: how many calls the model takes at once; None for any number.
        embedder: what turns texts into vectors; None for one that costs nothing.
    """

    name: str
    latency_s: float = 0.0
    at_once: int | None = None
    embedder: Embedder | None = None


class SlowNarrator(InstantNarrator):
    """Answers after a while, and so many calls at a time."""

    def __init__(self, clock: Clock, rush: Rush) -> None:
        super().__init__(clock)
        self._latency_s = rush.latency_s
        self._room = asyncio.Semaphore(rush.at_once or 10**6)

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        async with self._room:
            await asyncio.sleep(self._latency_s)
            return await super().write(context, on_text)

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        async with self._room:
            await asyncio.sleep(self._latency_s)
            return await super().reflect(context, paragraph)


async def measure(folder: Path, stories: int, rush: Rush) -> list[Figure]:
    """So many stories whose votes end within a second."""
    async with places.redis(folder) as database:
        clock = SkippingClock()
        starts_at = clock.now() + 5.0
        noise = random.Random(1)
        for first in range(1, stories + 1, AT_A_TIME):
            some = range(first, min(first + AT_A_TIME, stories + 1))
            await asyncio.gather(
                *(
                    places.told(
                        database,
                        StoryId(number, 1),
                        3,
                        starts_at + noise.random(),
                        guild=number % GUILDS + 1,
                    )
                    for number in some
                )
            )
        stations = places.stations(database, clock, SlowNarrator(clock, rush))
        if rush.embedder is not None:
            stations = replace(stations, embedder=rush.embedder)
        return await _rushed(database, stations, stories, starts_at, rush)


class _Watched:
    """A store that notes when each story came to rest in its next vote."""

    def __init__(self, stations: Stations, expected: int) -> None:
        self.at = stations.store
        self.done: dict[StoryId, float] = {}
        self.guilds: dict[StoryId, int] = {}
        self.staged: dict[StoryId, int] = {}
        self.all = asyncio.Event()
        self._expected = expected

    def __getattr__(self, name: str) -> object:
        return getattr(self.at, name)

    async def commit(self, change: Commit) -> None:
        await self.at.commit(change)
        story = change.story
        if change.holds and story.phase is Phase.VOTING and story.head_number == 4:
            if story.id not in self.done:
                self.done[story.id] = time.time()
                self.guilds[story.id] = story.guild
            if len(self.done) == self._expected:
                self.all.set()


async def _rushed(
    database: CountingDatabase, stations: Stations, stories: int, starts_at: float, rush: Rush
) -> list[Figure]:
    watched = _Watched(stations, stories)
    teller = Storyteller(replace(stations, store=watched))  # type: ignore[arg-type]
    await asyncio.sleep(max(0.0, starts_at - time.time()))
    wheel = asyncio.create_task(teller.run())
    try:
        async with asyncio.timeout(1_800):
            await watched.all.wait()
    finally:
        wheel.cancel()
        await asyncio.gather(wheel, return_exceptions=True)
        await teller.aclose()
    await _check_once(stations, stories)
    return _figures(watched, stories, starts_at, rush)


async def _check_once(stations: Stations, stories: int) -> None:
    """None lost, none twice: each story has exactly one turn more."""
    for number in range(1, stories + 1):
        story = await stations.store.load(StoryId(number, 1))
        assert (story.phase, story.head_number) == (Phase.VOTING, 4), story
        head = await stations.store.turn(story.id, story.head or "")
        before = await stations.store.turn(story.id, head.parent or "")
        assert (head.number, before.number) == (4, 3)


def _figures(watched: _Watched, stories: int, starts_at: float, rush: Rush) -> list[Figure]:
    took = [at - starts_at for at in watched.done.values()]
    by_guild: dict[int, list[float]] = {}
    for story, at in watched.done.items():
        by_guild.setdefault(watched.guilds[story], []).append(at - starts_at)
    means = [sum(values) / len(values) for values in by_guild.values()]
    target: tuple[str, bool | None] = ("", None)
    if rush.latency_s == 0 and rush.embedder is None:
        target = (f"under {SECONDS:g} s", max(took) < SECONDS)
    name = f"{stories:,} votes within a second, {rush.name}"
    return [
        Figure(BENCH, f"{name}: until all are staged", max(took), "s", 1, "", None, *target),
        Figure(BENCH, f"{name}: p99 of a story", quantile(took, 0.99), "s", stories),
        Figure(
            BENCH,
            f"{name}: slowest server's mean",
            max(means),
            "s",
            len(means),
            "fastest server's",
            min(means),
        ),
    ]
