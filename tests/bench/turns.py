"""What a turn costs besides the model, Discord and embedding, by the length of its story.

Measured from the claim of a story whose vote is over to its rest in the next vote: our code, and
Redis over its socket, with its disk.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from core.domain.story import StoryId
from core.services.lease import Lease
from core.services.run import Run, Stations
from core.services.turns import advance
from core.services.wheel import LEASE_S
from tests.bench import places
from tests.bench.figures import Figure, quantile
from tests.bench.places import VOTE_S, CountingDatabase, SkippingClock

BENCH = "turn"
TARGET_S = 0.005
TARGET_TURNS = 1_000
GROWTH = 1.5
GROWN = 10_000


async def measure(folder: Path, lengths: Sequence[int], turns: int) -> list[Figure]:
    """Play so many turns of a story of each length."""
    async with places.redis(folder) as database:
        clock = SkippingClock()
        stations = places.stations(database, clock)
        ping_s = quantile([await _timed_ping(database) for _ in range(turns)], 0.5)
        samples = {
            length: await _turns(database, stations, clock, length, turns) for length in lengths
        }
    shortest = quantile(samples[lengths[0]][0], 0.5)
    figures = [Figure(BENCH, "a ping of Redis, p50", ping_s * 1000, "ms", turns)]
    for length, (seconds, trips) in samples.items():
        figures += _figures(length, seconds, trips, shortest)
    return figures


def _figures(length: int, seconds: Sequence[float], trips: int, shortest: float) -> list[Figure]:
    p50, n = quantile(seconds, 0.5), len(seconds)
    name = f"story of {length:,} turns"
    target: tuple[str, bool | None] = ("", None)
    if length == TARGET_TURNS:
        target = (f"under {TARGET_S * 1000:g} ms", p50 < TARGET_S)
    if length == GROWN:
        target = (f"within {GROWTH:g} times", p50 <= GROWTH * shortest)
    return [
        Figure(
            BENCH,
            f"{name}, p50",
            p50 * 1000,
            "ms",
            n,
            "shortest",
            shortest * 1000,
            *target,
        ),
        Figure(BENCH, f"{name}, p99", quantile(seconds, 0.99) * 1000, "ms", n),
        Figure(BENCH, f"{name}, waits for Redis", trips, "a turn", n),
    ]


async def _turns(
    database: CountingDatabase, stations: Stations, clock: SkippingClock, length: int, turns: int
) -> tuple[list[float], int]:
    """Seconds of each turn, and how often the last one waited for Redis."""
    story = StoryId(900 + length, 1)
    await places.told(database, story, length, clock.now() + 1)
    samples: list[float] = []
    before = 0
    for _ in range(turns):
        clock.skip(VOTE_S + 2)
        before, began = database.round_trips, time.perf_counter()
        await advanced(stations, story)
        samples.append(time.perf_counter() - began)
    return samples, database.round_trips - before


async def advanced(stations: Stations, story: StoryId) -> None:
    """What the wheel does with a story that is due: from its claim to its rest."""
    clock = stations.clock
    asked_at, until = clock.monotonic(), clock.now() + LEASE_S
    claimed = await stations.schedule.claim(story, clock.now(), until)
    lease = Lease(stations.schedule, clock, story, claimed.epoch, LEASE_S, asked_at, until)
    async with lease.held():
        await advance(Run(stations, lease, claimed))


async def _timed_ping(database: CountingDatabase) -> float:
    began = time.perf_counter()
    await database.ping()
    return time.perf_counter() - began
