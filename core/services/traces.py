"""What else tells a thing that was amended or forgotten: the places that somebody may want to mend.

Looked for is only what went, sentence by sentence and fact by fact: what was left as it was tells
nothing that shouldn't be told.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from core.domain import ledger
from core.domain.audit import Change
from core.domain.entries import EntryKind, Recalled, entry_id, fact_line
from core.domain.ledger import TurnMemory, memory_of
from core.domain.retrieval import cosine
from core.domain.story import Story, Turn, Vector
from core.domain.text import sentences
from core.ports import Embedder, MemorySearch

STILL_SAID_SCORE = 0.45
"""Cosine similarity from which on two texts probably tell of the same thing (MiniLM)."""
STILL_SAID = 5
"""Places that are listed at most after an amendment."""
MOST_GONE = 12
"""Sentences and facts that went at once, and are looked for elsewhere."""


@dataclass(frozen=True, slots=True)
class StillSaid:
    """A place that still tells what was amended or forgotten.

    Attributes:
        where: "memory", "canon" or "paragraph", or the kind of an entry.
        text: the sentence, the fact, or the entry.
        number: the turn of an entry or paragraph, else 0.
        score: how near it is in meaning, in [-1, 1].
    """

    where: str
    text: str
    number: int
    score: float


async def held_until(
    search: MemorySearch, story: Story, found: Sequence[Recalled]
) -> dict[str, int]:
    """Ids of the facts among some entries that hold no longer, each with the turn that said so."""
    facts = [hit.id for hit in found if hit.kind is EntryKind.FACT]
    until: dict[str, int] = {}
    for id_, later in await search.ending(story.id, story.lineage, facts):
        until[id_] = min(later.number, until.get(id_, later.number))
    return until


async def still_said(
    search: MemorySearch, embedder: Embedder, story: Story, told: Turn, change: Change
) -> list[StillSaid]:
    """Places that still tell what a change took away, nearest in meaning first.

    Args:
        search, embedder: of the long-term memory.
        story: as it stands.
        told: the turn that was amended or forgotten, as it stands.
        change: as it is logged.

    Raises:
        EmbedderError, StoreError: as the ports raise them.
    """
    was, now = _sides(told, change)
    gone = ledger.told_no_more(was, now)[:MOST_GONE]
    if not gone:
        return []
    places = [("memory", line) for line in sentences(story.memory.text)]
    places += [("canon", fact) for fact in story.canon.entries]
    places += [("paragraph", told.paragraph)]
    vectors = await embedder.embed([*gone, *(line for _, line in places)])
    asked, others = vectors[: len(gone)], vectors[len(gone) :]
    near = [
        StillSaid(where, line, told.number if where == "paragraph" else 0, _nearest(other, asked))
        for (where, line), other in zip(places, others, strict=True)
    ]
    without = _new_entries(told, was, now)
    remembered = [
        *await _near(search, story, asked, without),
        *await _near_by_words(search, embedder, story, gone, asked, without),
    ]
    until = await held_until(search, story, remembered)
    near += [
        StillSaid(hit.kind, fact_line(hit.about, hit.text), hit.number, hit.score)
        for hit in remembered
        if hit.id not in until  # Facts that hold no longer tell nothing any more.
    ]
    close = [place for place in near if place.score >= STILL_SAID_SCORE]
    return sorted(close, key=lambda place: -place.score)[:STILL_SAID]


async def _near(
    search: MemorySearch, story: Story, asked: Sequence[Vector], without: Collection[str]
) -> list[Recalled]:
    """Entries near to one of the vectors."""
    limit = STILL_SAID + len(without)
    found: dict[str, Recalled] = {}
    for vector in asked:
        for hit in await search.nearest(story.id, story.lineage, vector, limit):
            if hit.id not in without and (hit.id not in found or hit.score > found[hit.id].score):
                found[hit.id] = hit
    return list(found.values())


async def _near_by_words(
    search: MemorySearch,
    embedder: Embedder,
    story: Story,
    gone: Sequence[str],
    asked: Sequence[Vector],
    without: Collection[str],
) -> list[Recalled]:
    """The same of those that meaning can't find yet: words bring them up, and they are compared."""
    place = (story.id, story.lineage)
    if not await search.stale(*place):
        return []
    limit = STILL_SAID + len(without)
    found = {
        hit.id: hit
        for text in gone
        for hit in await search.matching(*place, text, limit, stale=True)
        if hit.id not in without
    }
    vectors = await embedder.embed([fact_line(hit.about, hit.text) for hit in found.values()])
    return [
        replace(hit, score=_nearest(vector, asked))
        for hit, vector in zip(found.values(), vectors, strict=True)
    ]


def _nearest(vector: Vector, asked: Sequence[Vector]) -> float:
    return max(cosine(vector, one) for one in asked)


def _sides(told: Turn, change: Change) -> tuple[TurnMemory, TurnMemory]:
    """What the long-term memory held of a turn before a change, and what it holds now."""
    now = memory_of(told)
    if told.forgotten:
        # Its chapter tells of other turns too: every one of them would still tell it.
        return now, TurnMemory("", (), now.chapter)
    return change.was or replace(now, summary=change.before), now


def _new_entries(told: Turn, was: TurnMemory, now: TurnMemory) -> frozenset[str]:
    """Ids of the entries of a turn that a change wrote: they are what it says instead."""
    kept = ledger.kept_facts(was, now)
    new = {
        entry_id(EntryKind.FACT, told.id, fact.key) for fact in now.facts if fact.key not in kept
    }
    if now.summary != was.summary:
        new.add(entry_id(EntryKind.SUMMARY, told.id))
    if now.chapter != was.chapter:
        new.add(entry_id(EntryKind.CHAPTER, told.id))
    return frozenset(new)
