"""Waking up: a start with very many stories in voting, until the wheel knows when each is due."""

import asyncio
import gc
import time
import tracemalloc
from pathlib import Path

from core.domain.story import Phase, StoryId
from core.services.storyteller import Storyteller
from tests.bench import places
from tests.bench.figures import Figure
from tests.bench.places import CountingDatabase, SkippingClock

BENCH = "wake-up"
SECONDS = 3.0
BYTES = 4_000
AT_A_TIME = 50
GUILDS = 100


async def measure(folder: Path, stories: int) -> list[Figure]:
    """A process that starts with so many stories whose votes are open."""
    async with places.redis(folder) as database:
        clock = SkippingClock()
        for first in range(1, stories + 1, AT_A_TIME):
            some = range(first, min(first + AT_A_TIME, stories + 1))
            await asyncio.gather(*(_plant(database, number, clock.now()) for number in some))
        woken = CountingDatabase(database.url)
        try:
            return await _woken(woken, clock, stories)
        finally:
            await woken.close()


async def _plant(database: CountingDatabase, number: int, now: float) -> None:
    await places.told(database, StoryId(number, 1), 1, now + 3_600, guild=number % GUILDS + 1)


async def _woken(database: CountingDatabase, clock: SkippingClock, stories: int) -> list[Figure]:
    seconds, _ = await _start(database, clock, stories)
    trips = database.round_trips
    gc.collect()
    tracemalloc.start()
    _, held = await _start(database, clock, stories)
    tracemalloc.stop()
    return [
        Figure(
            BENCH,
            f"{stories:,} stories in voting, until all are scheduled",
            seconds,
            "s",
            target=f"under {SECONDS:g} s",
            met=seconds < SECONDS,
        ),
        Figure(
            BENCH,
            "memory held by the process for each",
            held / stories,
            "bytes",
            stories,
            target=f"under {BYTES:,} bytes",
            met=held / stories < BYTES,
        ),
        Figure(BENCH, "waits for Redis", trips, "in all"),
    ]


async def _start(
    database: CountingDatabase, clock: SkippingClock, stories: int
) -> tuple[float, int]:
    """What a start does up to a turning wheel; gives seconds, and bytes held where traced."""
    began = time.perf_counter()
    await database.prepare(places.FreeEmbedder.name, places.DIMS)
    stations = places.stations(database, clock)
    teller = Storyteller(stations)
    await teller.compare(frozenset(range(1, GUILDS + 1)), lambda _: True)
    wheel = asyncio.create_task(teller.run())
    await teller.reconcile()
    assert await stations.schedule.next_due() is not None
    seconds = time.perf_counter() - began
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0
    wheel.cancel()
    await asyncio.gather(wheel, return_exceptions=True)
    await teller.aclose()
    assert len(await stations.schedule.in_phase(Phase.VOTING, None, stories + 1)) == stories
    return seconds, held
