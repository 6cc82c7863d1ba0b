"""What a turn leaves in the long-term memory: entries with their vectors, made in one place.

Whoever reflects, and whoever amends what was reflected, makes a turn's entries anew from its
record; which of them went is told by comparing ids.
"""

from collections.abc import Iterator
from dataclasses import replace

from core.domain.entries import EntryKind, fact_line
from core.domain.recurrence import CHAPTER_TURNS
from core.domain.story import Turn, Vector
from core.ports import Embedder, MemoryEntry


async def remember(turn: Turn, embedder: Embedder) -> tuple[MemoryEntry, ...]:
    """The entries of a turn; none of one without a reflection or that was forgotten.

    Raises:
        EmbedderError: as the embedder raises it.
    """
    entries = list(_entries(turn))
    vectors = await embedder.embed([fact_line(one.about, one.text) for one in entries])
    return tuple(
        replace(entry, vector=vector) for entry, vector in zip(entries, vectors, strict=True)
    )


def remembered_ids(turn: Turn) -> frozenset[str]:
    """Ids of the entries that ``remember`` makes."""
    return frozenset(entry.id for entry in _entries(turn))


def _entries(turn: Turn) -> Iterator[MemoryEntry]:
    if turn.reflection is None or turn.forgotten:
        return
    own = (turn.id, turn.number, turn.branch)
    none = Vector(b"")
    yield MemoryEntry(*own, turn.reflection.summary, none, turn.written_at)
    for fact in turn.reflection.facts:
        if not fact.dropped:
            yield MemoryEntry(
                *own,
                fact.text,
                none,
                turn.written_at,
                EntryKind.FACT,
                fact.key,
                fact.about,
                fact.ends,
            )
    if turn.reflection.chapter:
        first = turn.number - CHAPTER_TURNS + 1
        chapter = (turn.written_at, EntryKind.CHAPTER)
        yield MemoryEntry(*own, turn.reflection.chapter, none, *chapter, first=first)
