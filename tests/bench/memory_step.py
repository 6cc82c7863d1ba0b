"""The memory's part of a step, beside the first implementation's way of doing it.

There (the code published with arXiv 2305.13304) the whole long-term memory was embedded again after
each step and searched by brute force. Here a step embeds what is new and asks Redis. Both with the
same MiniLM.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np

from core.adapters.minilm_embedder import MiniLMEmbedder
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.story import StoryId
from core.services.recall import recall, touched
from core.services.remembering import remember
from tests.bench import places
from tests.bench.figures import Figure, quantile
from tests.bench.places import DIMS, CountingDatabase

BENCH = "memory step"
TIMES = 500
AT = 1_000
NEAREST = 2
"""Entries that the first implementation recalled."""


async def measure(folder: Path, lengths: Sequence[int], steps: int) -> list[Figure]:
    """The memory's part of so many steps of a story of each length; the original's once each."""
    embedder = MiniLMEmbedder()
    await embedder.load()
    try:
        async with places.redis(folder) as database:
            figures: list[Figure] = []
            shortest = 0.0
            for length in lengths:
                ours = await _ours(database, embedder, length, steps)
                theirs = await _timed(lambda n=length: _theirs(embedder, n))
                shortest = shortest or ours
                figures += _figures(length, ours, theirs, shortest, steps)
            return figures
    finally:
        embedder.close()


def _figures(n: int, ours: float, theirs: float, shortest: float, steps: int) -> list[Figure]:
    target: tuple[str, bool | None] = ("", None)
    if n == AT:
        target = (f"{TIMES} times less", ours * TIMES <= theirs)
    return [
        Figure(
            BENCH,
            f"{n:,} entries, p50",
            ours * 1000,
            "ms",
            steps,
            "original",
            theirs * 1000,
            *target,
        ),
        Figure(BENCH, f"{n:,} entries, growth", ours / shortest, "times", steps),
    ]


async def _ours(
    database: CountingDatabase, embedder: MiniLMEmbedder, length: int, steps: int
) -> float:
    """What a step asks of the memory and puts into it: questions, passages, new entries."""
    story_id = StoryId(1_000 + length, 1)
    await places.told(database, story_id, length, time.time() + 1e6)
    store = RedisStoryStore(database, DIMS)
    search = RedisMemorySearch(database, DIMS)
    story, noise = await store.load(story_id), random.Random(length)

    async def step() -> None:
        [plan, *_] = places.plans(noise)
        await recall(search, embedder, story, plan)
        await touched(search, embedder, story, places.prose(noise, 20))
        await remember(places.turn(length + 1, noise), embedder)

    return quantile([await _timed(step) for _ in range(steps)], 0.5)


async def _theirs(embedder: MiniLMEmbedder, length: int) -> None:
    """Embed the whole memory again, the plan too, and look at every entry."""
    noise = random.Random(length)
    memory = [places.prose(noise, 20) for _ in range(length)]
    vectors = await embedder.embed([*memory, places.plans(noise)[0].text])
    rows = np.frombuffer(b"".join(vectors), np.float32).reshape(-1, embedder.dims)
    np.argsort(rows[:-1] @ rows[-1])[-NEAREST:]


async def _timed(step: Callable[[], Awaitable[None]]) -> float:
    await asyncio.sleep(0)
    began = time.perf_counter()
    await step()
    return time.perf_counter() - began
