"""From the model's first token to the first words that members can see, and how many edits follow.

The paragraph streams at the pace of a middling model; edits are paced as Discord's limits ask.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.adapters.system_clock import SystemClock
from core.domain.recurrence import StepContext
from core.domain.story import Brief, Settings, Usage
from core.ports import Clock, Content, MessageKind, Posted, Prose, Written
from core.services.storyteller import Storyteller
from tests.bench import places
from tests.bench.figures import Figure, quantile
from tests.bench.places import CountingDatabase, FreeStage, InstantNarrator
from tests.bench.turns import advanced

BENCH = "first text"
TOKENS_PER_S = 40
SECONDS = 1.5
EDITS_PER_S = 1.0
"""Five edits in five seconds are what Discord was seen to allow in a channel."""


class StreamingNarrator(InstantNarrator):
    """Gives a paragraph word by word, as a model streams, and notes when it began and ended."""

    began = ended = 0.0

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        words = places.prose(random.Random(context.number), 20).split()
        self.began = time.monotonic()
        for length in range(1, len(words) + 1):
            on_text(" ".join(words[:length]))
            await asyncio.sleep(1 / TOKENS_PER_S)
        self.ended = time.monotonic()
        return Written(" ".join(words), Usage())


class WatchedStage(FreeStage):
    """Notes when prose was first posted, and when it was edited."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.first: float | None = None
        self.edits: list[float] = []

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
        if isinstance(content, Prose) and self.first is None:
            self.first = time.monotonic()
        posted = await super().send(channel, content, nonce, after)
        return replace(posted, kind=MessageKind.PROSE)

    async def edit(self, channel: int, message: int, content: Content) -> None:
        self.edits.append(time.monotonic())


async def measure(folder: Path, openings: int) -> list[Figure]:
    """So many openings, side by side."""
    async with places.redis(folder) as database:
        seen = await asyncio.gather(*(_opening(database, n) for n in range(1, openings + 1)))
    waits = [first - narrator.began for narrator, first, _ in seen]
    edits = [[at for at in stage.edits if at <= narrator.ended] for narrator, _, stage in seen]
    longest = max(narrator.ended - narrator.began for narrator, _, _ in seen)
    pace = max(len(times) for times in edits) / longest
    p50 = quantile(waits, 0.5)
    return [
        Figure(
            BENCH,
            "first token to first visible text, p50",
            p50,
            "s",
            openings,
            target=f"under {SECONDS:g} s",
            met=p50 < SECONDS,
        ),
        Figure(BENCH, "edits of a paragraph, at most", max(map(len, edits)), "edits", openings),
        Figure(
            BENCH,
            "edits a second while it is written, at most",
            pace,
            "a second",
            openings,
            target=f"at most {EDITS_PER_S:g}",
            met=pace <= EDITS_PER_S,
        ),
    ]


async def _opening(
    database: CountingDatabase, channel: int
) -> tuple[StreamingNarrator, float, WatchedStage]:
    clock = SystemClock()
    narrator, stage = StreamingNarrator(clock), WatchedStage(clock)
    stations = replace(places.stations(database, clock, narrator), stage=stage)
    brief = Brief("A lighthouse keeper finds a door below the tide line.")
    story = await Storyteller(stations).start(channel, 1, brief, Settings(), after=1)
    await advanced(stations, story.id)
    assert stage.first is not None
    return narrator, stage.first, stage
