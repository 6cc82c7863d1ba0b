"""What the measurements put around the real services: parts that cost nothing, and told stories.

The services and Redis are the real ones (the embedded server over its socket, with its append-only
file and WAITAOF). A told story is written into Redis in bulk, as its turns would have left it.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_departures import RedisDepartures
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_schema import entry_fields, turn_fields
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.system_clock import SystemClock
from core.domain.entries import Fact
from core.domain.recurrence import CHAPTER_TURNS, StepContext
from core.domain.story import (
    Brief,
    Memory,
    Phase,
    Plan,
    Plans,
    Reflection,
    Settings,
    Story,
    StoryId,
    Stretch,
    Turn,
    Usage,
    Vector,
    Votes,
)
from core.ports import Clock, Commit, Content, MessageKind, Posted, Written
from core.services.remembering import remember
from core.services.run import Stations
from core.services.screening import Screening
from tests.fakes.content_filter import FakeAudience
from tests.fakes.narrator import REFLECT_USAGE, WRITE_USAGE, FakeNarrator

DIMS = 384
FACTS_A_TURN = 3
"""Facts that a turn leaves, of the 8 that it may: what narrators were seen to give."""
BATCH = 50
VOTE_S = 3600

T = TypeVar("T")
_WORDS = tuple((Path(__file__).parent / "words.txt").read_text("utf-8").split())


def prose(noise: random.Random, sentences: int) -> str:
    """Sentences of 15 words drawn at random: no two texts are alike."""
    told = [" ".join(noise.choices(_WORDS, k=15)) for _ in range(sentences)]
    return " ".join(f"{one.capitalize()}." for one in told)


def plans(noise: random.Random) -> tuple[Plan, ...]:
    """Three plans of five sentences each."""
    return tuple(Plan(prose(noise, 1)[:50], prose(noise, 5)) for _ in range(3))


def reflection(noise: random.Random, number: int) -> Reflection:
    """What a turn of the usual size leaves."""
    facts = tuple(
        Fact(key, f"Person {noise.randrange(30)}", prose(noise, 1))
        for key in range(1, FACTS_A_TURN + 1)
    )
    chapter = prose(noise, 8) if number % CHAPTER_TURNS == 0 else ""
    return Reflection(
        prose(noise, 2), prose(noise, 15), prose(noise, 4), plans(noise), facts, chapter
    )


class CountingDatabase(RedisDatabase):
    """A database that counts how often it is asked something and waits for the answer.

    Attributes:
        url: where it is.
        round_trips: how often so far.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url
        self.round_trips = 0

    @property
    def client(self) -> Any:
        """redis-py's client, for what no service asks of a database."""
        return self._client

    async def _attempts(self, attempt: Callable[[], Awaitable[T]]) -> T:
        self.round_trips += 1
        return await super()._attempts(attempt)


class InstantNarrator(FakeNarrator):
    """Gives a paragraph and a reflection of the usual size at once."""

    def __init__(self, clock: Clock, seed: int = 1) -> None:
        super().__init__(clock)
        self._noise = random.Random(seed)

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        paragraph = prose(self._noise, 20)
        on_text(paragraph)
        return Written(paragraph, WRITE_USAGE)

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        return reflection(self._noise, context.number), REFLECT_USAGE


class SkippingClock(SystemClock):
    """The machine's clock, which can skip a vote's window."""

    skipped_s: float = 0.0

    def now(self) -> float:
        return super().now() + self.skipped_s

    def skip(self, by_s: float) -> None:
        """Let that much time have passed."""
        self.skipped_s += by_s


class FreeStage:
    """A channel that takes everything at once, and where one member votes for the first plan."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 1

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
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
    """Vectors of length 1 that cost next to nothing and differ."""

    name = "free"
    dims = DIMS

    def __init__(self, seed: int = 1) -> None:
        self._noise = np.random.default_rng(seed)

    def reads(self, language: str) -> bool:
        """It is searched by meaning alone, as English is with MiniLM."""
        return True

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        return self.vectors(len(texts))

    def vectors(self, count: int) -> list[Vector]:
        """So many vectors, float32[count, dims]."""
        drawn = self._noise.standard_normal((count, DIMS), dtype=np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        return [Vector(row.tobytes()) for row in drawn]


@asynccontextmanager
async def redis(folder: Path) -> AsyncGenerator[CountingDatabase]:
    """A prepared database on a server of its own."""
    async with EmbeddedRedis(folder) as server:
        database = CountingDatabase(server.url)
        try:
            await database.prepare(FreeEmbedder.name, DIMS)
            yield database
        finally:
            await database.close()


def stations(
    database: RedisDatabase, clock: Clock, narrator: FakeNarrator | None = None
) -> Stations:
    """The real store, schedule and search; all else costs nothing."""
    return Stations(
        store=RedisStoryStore(database, DIMS),
        schedule=RedisSchedule(database),
        search=RedisMemorySearch(database, DIMS),
        narrator=narrator or InstantNarrator(clock),
        embedder=FreeEmbedder(),
        stage=FreeStage(clock),
        clock=clock,
        screening=Screening(FakeAudience()),
        departures=RedisDepartures(database),
    )


async def told(
    database: CountingDatabase, story_id: StoryId, turns: int, closes_at: float, guild: int = 1
) -> None:
    """A story of so many turns, in an open vote that closes then."""
    noise, embedder = random.Random(story_id.channel), FreeEmbedder(story_id.channel)
    store = RedisStoryStore(database, DIMS)
    story = _story(story_id, guild, turns, closes_at, noise)
    await store.create(story, f"op{story_id}")
    for first in range(1, turns + 1, BATCH):
        pipe: Any = database.client.pipeline(transaction=False)
        async with pipe:
            for number in range(first, min(first + BATCH, turns + 1)):
                one = turn(number, noise)
                pipe.hset(keys.turn(story_id, one.id), mapping=turn_fields(one))
                pipe.hset(keys.turns(story_id), keys.turn_place("main", number), one.id)
                for entry in await remember(one, embedder):
                    record = entry_fields(story_id, entry, database.vectors)
                    pipe.hset(keys.memory(story_id, entry.id), mapping=record)
            await pipe.execute()
        await asyncio.sleep(0)
    await store.commit(Commit(f"done{story_id}", story))


def _story(
    story_id: StoryId, guild: int, turns: int, closes_at: float, noise: random.Random
) -> Story:
    return Story(
        id=story_id,
        guild=guild,
        phase=Phase.VOTING,
        epoch=0,
        due=closes_at,
        brief=Brief("A keeper hears the sea.", title="The Keeper", outline="It asks for an hour."),
        settings=Settings(vote_s=VOTE_S),
        closes_at=closes_at,
        lineage=(Stretch("main", 1, turns),),
        head=_turn_id(turns),
        memory=Memory(prose(noise, 15), 1),
        plans=Plans(plans(noise), 1),
    )


def _turn_id(number: int) -> str:
    return f"{number:032x}"


def turn(number: int, noise: random.Random) -> Turn:
    return Turn(
        id=_turn_id(number),
        number=number,
        parent=_turn_id(number - 1) if number > 1 else None,
        branch="main",
        plan=plans(noise)[0],
        paragraph=prose(noise, 20),
        reflection=reflection(noise, number),
        pieces=(number,),
        ballot=number,
        staged_at=float(number),
    )
