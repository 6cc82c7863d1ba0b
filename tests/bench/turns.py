"""What a turn costs without model, Discord and embedding, and how soon its first words are seen.

The services and Redis are the real ones (the embedded server, over its socket, with its append-only
file and WAITAOF); narrator, stage and embedder cost nothing.
"""

import asyncio
import random
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.system_clock import SystemClock
from core.domain.recurrence import StepContext
from core.domain.story import Brief, Settings, StoryId, Usage, Vector, Votes
from core.ports import Clock, Content, MessageKind, Posted, Written
from core.services.lease import Lease
from core.services.run import Run, Stations
from core.services.storyteller import Storyteller
from core.services.turns import advance
from core.services.wheel import LEASE_S
from tests.bench.figures import Figure
from tests.fakes.narrator import FakeNarrator

DIMS = 384
CHANNEL = 900
TOKENS_PER_S = 40
"""A middling model."""
PARAGRAPH = "The lamp had not turned since the ferry left, and the stair below it hummed. " * 20


class InstantNarrator(FakeNarrator):
    """Gives a paragraph of the usual length at once."""

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        on_text(PARAGRAPH)
        return Written(PARAGRAPH, Usage())


class StreamingNarrator(FakeNarrator):
    """Gives the same paragraph word by word, as a model streams, and notes when it began."""

    began: float = 0.0

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        words = PARAGRAPH.split()
        self.began = time.monotonic()
        for length in range(1, 61):
            on_text(" ".join(words[:length]))
            await asyncio.sleep(1 / TOKENS_PER_S)
        return Written(PARAGRAPH, Usage())


class SkippingClock(SystemClock):
    """The machine's clock, which can skip a vote's window."""

    skipped_s: float = 0.0

    def now(self) -> float:
        return super().now() + self.skipped_s

    def skip(self, by_s: float) -> None:
        """Let that much time have passed."""
        self.skipped_s += by_s


class FreeStage:
    """A channel that takes everything at once; notes when the first piece of prose was posted."""

    def __init__(self, clock: Clock) -> None:
        self.first_piece: float | None = None
        self._clock = clock
        self._last = 1

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
        if self.first_piece is None:
            self.first_piece = time.monotonic()
        self._last += 1
        return Posted(self._last, self._clock.now(), MessageKind.PROSE)

    async def edit(self, channel: int, message: int, content: Content) -> None:
        """Shown."""

    async def delete(self, channel: int, message: int) -> None:
        """Gone."""

    async def own_messages(self, channel: int, after: int) -> list[Posted]:
        return []

    async def votes(self, channel: int, message: int, options: int) -> Votes:
        return {0: frozenset({1})}

    async def signal(self, channel: int, ballot: int | None = None, options: int = 0) -> None:
        """Seen."""


class FreeEmbedder:
    """Vectors of the right length that cost nothing and differ."""

    name = "free"
    dims = DIMS

    def __init__(self) -> None:
        self._noise = random.Random(1)

    def reads(self, language: str) -> bool:
        """Its vectors mean nothing."""
        return False

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [Vector(struct.pack("<f", self._noise.random()) * DIMS) for _ in texts]


async def measure(folder: Path, turns: int, openings: int) -> list[Figure]:
    """Play ``turns`` turns without a model, and ``openings`` openings with a streaming one."""
    async with EmbeddedRedis(folder) as server:
        database = RedisDatabase(server.url)
        try:
            await database.prepare(FreeEmbedder.name, DIMS)
            pings = [await _timed_ping(database) for _ in range(turns)]
            overhead = await _turns(database, turns)
            seen = await _openings(database, openings)
        finally:
            await database.close()
    return [
        Figure("Redis PING", pings),
        Figure("turn, our part and Redis", overhead, target_s=0.010, beside="Redis PING"),
        Figure("first token to first visible text", seen, target_s=1.5),
    ]


async def _turns(database: RedisDatabase, turns: int) -> list[float]:
    clock = SkippingClock()
    stations = _stations(database, InstantNarrator(clock), clock)
    story = await _begin(stations, CHANNEL)
    await _advance(stations, story)
    samples: list[float] = []
    for _ in range(turns):
        clock.skip(Settings().vote_s + 1)
        began = time.perf_counter()
        await _advance(stations, story)
        samples.append(time.perf_counter() - began)
    return samples


async def _openings(database: RedisDatabase, openings: int) -> list[float]:
    samples: list[float] = []
    for number in range(openings):
        narrator = StreamingNarrator(SystemClock())
        stations = _stations(database, narrator, SystemClock())
        stage = stations.stage
        assert isinstance(stage, FreeStage)
        story = await _begin(stations, CHANNEL + 1 + number)
        await _advance(stations, story)
        assert stage.first_piece is not None
        samples.append(stage.first_piece - narrator.began)
    return samples


def _stations(database: RedisDatabase, narrator: FakeNarrator, clock: Clock) -> Stations:
    narrator.delay_s = 0.0
    return Stations(
        store=RedisStoryStore(database, DIMS),
        schedule=RedisSchedule(database),
        search=RedisMemorySearch(database, DIMS),
        narrator=narrator,
        embedder=FreeEmbedder(),
        stage=FreeStage(clock),
        clock=clock,
    )


async def _begin(stations: Stations, channel: int) -> StoryId:
    brief = Brief("A lighthouse keeper finds a door below the tide line.", title="", outline="")
    teller = Storyteller(stations)
    return (await teller.start(channel, 1, brief, Settings(), after=1)).id


async def _advance(stations: Stations, story: StoryId) -> None:
    """What the wheel does with a story that is due: from its claim to its rest."""
    clock = stations.clock
    asked_at, until = clock.monotonic(), clock.now() + LEASE_S
    claimed = await stations.schedule.claim(story, clock.now(), until)
    lease = Lease(stations.schedule, clock, story, claimed.epoch, LEASE_S, asked_at, until)
    async with lease.held():
        await advance(Run(stations, lease, claimed))


async def _timed_ping(database: RedisDatabase) -> float:
    began = time.perf_counter()
    await database.ping()
    return time.perf_counter() - began
