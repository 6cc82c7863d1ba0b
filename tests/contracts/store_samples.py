"""Stories, turns and memory entries for the tests of the store."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.domain.entries import EntryKind
from core.domain.story import Brief, Phase, Settings, Story, StoryId, Stretch, Turn, Vector
from core.ports import (
    Archive,
    Census,
    Departures,
    Erasure,
    MemoryEntry,
    MemorySearch,
    Schedule,
    SpendLedger,
    StoryStore,
)

DIMS = 8
EVERYTHING = (Stretch("main", 1, 1_000_000),)


@dataclass(frozen=True, slots=True)
class Doors:
    """The ports of one store, fake or real."""

    stories: StoryStore
    schedule: Schedule
    memory: MemorySearch
    ledger: SpendLedger
    archive: Archive
    census: Census
    erasure: Erasure
    departures: Departures


def a_story(
    channel: int = 1_200_000_000_000_000_001,
    serial: int = 1,
    *,
    phase: Phase = Phase.WRITING,
    due: float | None = None,
    guild: int = 77,
) -> Story:
    """A new story."""
    return Story(
        id=StoryId(channel, serial),
        guild=guild,
        phase=phase,
        epoch=0,
        due=due,
        brief=Brief("A lighthouse hums below the tide line."),
        settings=Settings(),
        created_at=1_700_000_000.25,
    )


def a_turn(turn_id: str = "t1", number: int = 1, paragraph: str = "The lamp turned.") -> Turn:
    """A turn whose text is finished."""
    return Turn(turn_id, number, None, "main", None, paragraph)


def unit(*numbers: float, dims: int = DIMS) -> Vector:
    """A vector of length 1 that begins with these numbers."""
    padded = [*numbers, *[0.0] * (dims - len(numbers))]
    length = math.hypot(*padded)
    return Vector(struct.pack(f"<{dims}f", *(number / length for number in padded)))


def at_angle(degrees: float) -> Vector:
    """A vector at this angle from ``at_angle(0)``."""
    return unit(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))


def an_entry(
    turn_id: str = "t1",
    number: int = 1,
    vector: Vector | None = None,
    *,
    branch: str = "main",
    text: str = "They climbed down.",
) -> MemoryEntry:
    """A memory entry: a summary."""
    return MemoryEntry(turn_id, number, branch, text, vector or at_angle(0), 1_700_000_000.5)


def a_fact(
    turn_id: str = "t1",
    number: int = 1,
    key: int = 1,
    vector: Vector | None = None,
    *,
    branch: str = "main",
    about: str = "lamp",
    text: str = "The lamp is cold.",
    ends: tuple[str, ...] = (),
) -> MemoryEntry:
    """A memory entry: a fact."""
    entry = an_entry(turn_id, number, vector, branch=branch, text=text)
    return replace(entry, kind=EntryKind.FACT, key=key, about=about, ends=ends)


def a_chapter(
    turn_id: str = "t10",
    number: int = 10,
    vector: Vector | None = None,
    *,
    branch: str = "main",
    text: str = "They crossed the sea.",
) -> MemoryEntry:
    """A memory entry: a chapter of ten turns."""
    entry = an_entry(turn_id, number, vector, branch=branch, text=text)
    return replace(entry, kind=EntryKind.CHAPTER, first=number - 9)


def turn_ids(found: Sequence[object]) -> list[str]:
    """The turns that a search found, in its order."""
    return [getattr(one, "turn_id") for one in found]  # noqa: B009
