"""What METRICS_PORT costs: turns of a story whose stations are measured, beside one's that aren't.

Both are told in alternation, so that they meet the same machine; and what a scrape takes then.
"""

import time
from pathlib import Path

from prometheus_client import generate_latest

from bot.measured import measured
from bot.metrics import Metrics
from core.domain.story import StoryId
from tests.bench import places
from tests.bench.figures import Figure, quantile
from tests.bench.places import VOTE_S, SkippingClock
from tests.bench.turns import advanced

BENCH = "metrics"
LENGTH = 10
DEARER = 1.05
"""A turn should take at most so many times as long."""


async def measure(folder: Path, turns: int) -> list[Figure]:
    """Play so many turns of each story."""
    metrics = Metrics()
    async with places.redis(folder) as database:
        clock = SkippingClock()
        plain = places.stations(database, clock)
        watched = measured(places.stations(database, clock), metrics)
        told = [(plain, StoryId(801, 1)), (watched, StoryId(802, 1))]
        wall: tuple[list[float], list[float]] = ([], [])
        used: tuple[list[float], list[float]] = ([], [])
        for _, story in told:
            await places.told(database, story, LENGTH, clock.now() + 1)
        for _ in range(turns):
            clock.skip(VOTE_S + 2)
            for place, (stations, story) in enumerate(told):
                began, spent = time.perf_counter(), time.process_time()
                await advanced(stations, story)
                wall[place].append(time.perf_counter() - began)
                used[place].append(time.process_time() - spent)
    began = time.perf_counter()
    generate_latest(metrics.registry)
    scrape_s = time.perf_counter() - began
    return [
        _beside("turn, p50", *wall),
        _beside("processor of a turn, p50", *used),
        Figure(BENCH, "a scrape", scrape_s * 1000, "ms"),
    ]


def _beside(name: str, plain: list[float], watched: list[float]) -> Figure:
    without, with_them = quantile(plain, 0.5), quantile(watched, 0.5)
    return Figure(
        BENCH,
        name,
        with_them * 1000,
        "ms",
        len(watched),
        "without",
        without * 1000,
        f"within {DEARER:g} times",
        with_them <= DEARER * without,
    )
