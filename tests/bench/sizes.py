"""The measurements by name, and how large each is: in full, and small enough for a test."""

import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from core.adapters.minilm_embedder import MiniLMEmbedder
from tests.bench import (
    cost,
    embedding,
    first_text,
    measuring,
    memory_step,
    reactions,
    rush_hour,
    start_up,
    turns,
    wake_up,
)
from tests.bench.figures import Figure
from tests.bench.rush_hour import Rush


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large each measurement is.

    Attributes:
        lengths: turns of the stories whose next turn is measured.
        turns: turns measured of each.
        memories: entries of the memories whose step is measured.
        steps: steps measured of each.
        priced: turns whose prompts are weighed.
        openings: paragraphs that are streamed.
        waking: stories that a start finds in voting.
        rush: votes that end within a second.
        starts: starts of a process.
        rounds: summaries that are embedded one by one.
        votes: gateway events of each round.
        storm: votes on one ballot at once.
    """

    lengths: tuple[int, ...]
    turns: int
    memories: tuple[int, ...]
    steps: int
    priced: tuple[int, ...]
    openings: int
    waking: int
    rush: int
    starts: int
    rounds: int
    votes: int
    storm: int


FULL = Sizes(
    lengths=(10, 1_000, 10_000, 100_000),
    turns=100,
    memories=(100, 1_000, 5_000),
    steps=20,
    priced=(10, 100, 1_000, 10_000),
    openings=10,
    waking=10_000,
    rush=1_000,
    starts=5,
    rounds=40,
    votes=20_000,
    storm=5_000,
)
SMALL = Sizes(
    lengths=(2, 4),
    turns=2,
    memories=(2, 3),
    steps=1,
    priced=(2, 3),
    openings=1,
    waking=5,
    rush=5,
    starts=1,
    rounds=1,
    votes=10,
    storm=10,
)


async def _rush_hours(folder: Path, sizes: Sizes) -> list[Figure]:
    minilm = MiniLMEmbedder()
    await minilm.load()
    figures: list[Figure] = []
    try:
        for rush in (
            Rush("all free"),
            Rush("MiniLM", embedder=minilm),
            Rush("10 s a call, 50 at once", 10.0 if sizes is FULL else 0.01, 50),
        ):
            with tempfile.TemporaryDirectory(dir=folder) as own:
                figures += await rush_hour.measure(Path(own), sizes.rush, rush)
    finally:
        minilm.close()
    return figures


async def _embedded(_: Path, sizes: Sizes) -> list[Figure]:
    return embedding.measure(sizes.rounds)


async def _voted(_: Path, sizes: Sizes) -> list[Figure]:
    return await reactions.measure(sizes.votes, sizes.storm)


MEASUREMENTS: dict[str, Callable[[Path, Sizes], Awaitable[list[Figure]]]] = {
    "turn": lambda folder, sizes: turns.measure(folder, sizes.lengths, sizes.turns),
    "memory": lambda folder, sizes: memory_step.measure(folder, sizes.memories, sizes.steps),
    "embedding": _embedded,
    "reactions": _voted,
    "wake-up": lambda folder, sizes: wake_up.measure(folder, sizes.waking),
    "rush": _rush_hours,
    "first-text": lambda folder, sizes: first_text.measure(folder, sizes.openings),
    "metrics": lambda folder, sizes: measuring.measure(folder, sizes.turns),
    "cost": lambda folder, sizes: cost.measure(folder, sizes.priced),
    "start-up": lambda folder, sizes: start_up.measure(folder, sizes.starts),
}
