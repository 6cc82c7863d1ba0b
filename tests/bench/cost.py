"""What a turn costs in tokens, by part of its prompt, and in bytes of Redis; by the story's length.

Tokens are estimated as the prompt's budgets are (bytes over four).
"""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from core.domain import prompts
from core.domain.recurrence import StepContext
from core.domain.story import StoryId
from core.domain.tokens import estimate_tokens
from tests.bench import places
from tests.bench.figures import Figure
from tests.bench.places import VOTE_S, CountingDatabase, InstantNarrator, SkippingClock
from tests.bench.turns import advanced

BENCH = "cost"
TURNS = 20
"""Turns that are played to measure what one leaves in Redis."""


async def measure(folder: Path, lengths: Sequence[int]) -> list[Figure]:
    """The prompts of a turn at each length, and the bytes that a turn leaves."""
    figures: list[Figure] = []
    async with places.redis(folder) as database:
        shortest: dict[str, float] = {}
        for length in lengths:
            parts = await _parts(database, length)
            shortest = shortest or parts
            figures += [
                Figure(
                    BENCH,
                    f"turn {length:,}: {name}",
                    tokens,
                    "tokens",
                    1,
                    "first",
                    shortest.get(name),
                )
                for name, tokens in parts.items()
            ]
        figures.append(await _bytes(database))
    return figures


async def _parts(database: CountingDatabase, length: int) -> dict[str, float]:
    clock = SkippingClock()
    narrator = _Listening(clock)
    stations = places.stations(database, clock, narrator)
    story = StoryId(2_000 + length, 1)
    await places.told(database, story, length, clock.now() + 1)
    clock.skip(VOTE_S)
    await advanced(stations, story)
    context = narrator.heard
    assert context is not None
    writing = sum(estimate_tokens(m.content) for m in prompts.paragraph_messages(context))
    told = _tokens_by_part(context)
    return {"prompt of the paragraph": float(writing), **told}


class _Listening(InstantNarrator):
    """Notes the context of the paragraph."""

    heard: StepContext | None = None

    async def write(self, context: StepContext, on_text: Any) -> Any:
        self.heard = context
        return await super().write(context, on_text)


def _tokens_by_part(context: StepContext) -> dict[str, float]:
    """Tokens of each part that a step's context has."""
    return {
        f"… its {field.name}": float(tokens)
        for field in fields(context)
        if (tokens := _tokens(getattr(context, field.name)))
    }


def _tokens(part: object) -> int:
    if isinstance(part, str):
        return estimate_tokens(part)
    if isinstance(part, tuple):
        return sum(_tokens(item) for item in part)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    text = getattr(part, "text", "")
    return estimate_tokens(text) if isinstance(text, str) else 0


async def _bytes(database: CountingDatabase) -> Figure:
    """Memory that Redis uses for a turn, indexes included."""
    clock = SkippingClock()
    stations = places.stations(database, clock)
    story = StoryId(2_000, 1)
    await places.told(database, story, 1, clock.now() + 1)
    before = await _used(database)
    for _ in range(TURNS):
        clock.skip(VOTE_S + 2)
        await advanced(stations, story)
    used = (await _used(database) - before) / TURNS
    return Figure(BENCH, "a turn in Redis, indexes included", used, "bytes", TURNS)


async def _used(database: CountingDatabase) -> int:
    return int((await database.client.info("memory"))["used_memory"])
