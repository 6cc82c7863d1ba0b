"""Plays a synthetic story into Redis and asks every method for what its plans need.

Store, search, recall, the assembly of the prompt and its words are the real ones. A fact counts as
there when one of the sentences that tell it stands in the prompt.
"""

import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.minilm_embedder import DIMS, MODEL_NAME
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.entries import EntryKind, entry_id, fact_line
from core.domain.prompts import paragraph_messages
from core.domain.recurrence import CHAPTER_TURNS, StepContext, assemble, ends_chapter
from core.domain.sentences import sentences
from core.domain.story import Brief, Draft, Memory, Phase, Settings, Story, StoryId, Stretch, Vector
from core.domain.tokens import estimate_tokens
from core.ports import Commit, MemoryEntry
from core.services.recall import questions
from tests.eval.families import CHANGING
from tests.eval.methods import METHODS, Method, Shelf, whole
from tests.eval.stories import Overlap, Probe, SyntheticStory
from tests.eval.vectors import KnownVectors

SHELVES = (Shelf.MARKED, Shelf.UNMARKED, Shelf.PARAGRAPHS)
AT_ONCE = 100
"""Turns whose entries are stored in one commit."""
CHAPTER_SENTENCES = 6
EARLY = 50
"""The turn whose prompt a late one's length is compared with."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one method's prompt held for one probe.

    Attributes:
        there: whether the needed fact stood in it.
        outdated: whether a superseded state stood in it.
        precision: share of the tokens brought back that told the needed fact.
        tokens: of the whole prompt.
    """

    probe: Probe
    there: bool
    outdated: bool
    precision: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Result:
    """All probes of one story under one method; ``early_tokens``: the prompt at turn EARLY."""

    method: str
    turns: int
    found: Sequence[Found]
    early_tokens: int

    def share(self, overlap: Overlap | None = None) -> float:
        """How many of the needed facts were there, in [0, 1]."""
        hits = [one.there for one in self.found if overlap in (None, one.probe.overlap)]
        return sum(hits) / len(hits)

    @property
    def newest(self) -> float:
        """The same of states that change: whether the newest one was there."""
        hits = [one.there for one in self.found if one.probe.kind in CHANGING]
        return sum(hits) / len(hits)

    @property
    def outdated(self) -> float:
        """How many prompts held a superseded state, of those that could."""
        seen = [one.outdated for one in self.found if one.probe.kind in CHANGING]
        return sum(seen) / len(seen)

    @property
    def precision(self) -> float:
        """The mean over all probes."""
        return sum(one.precision for one in self.found) / len(self.found)

    @property
    def tokens(self) -> float:
        """The mean length of a prompt."""
        return sum(one.tokens for one in self.found) / len(self.found)


async def measure(
    story: SyntheticStory, vectors: KnownVectors, methods: Sequence[Method] = METHODS
) -> list[Result]:
    """Ask every method for every probe of a story."""
    wanted = {method.shelf for method in methods}
    entries = {shelf: list(_entries(story, shelf)) for shelf in SHELVES if shelf in wanted}
    vectors.prepare(_texts(story, entries))
    async with _stored(story, vectors, entries) as search:
        return [await _measured(story, method, search, vectors) for method in methods]


async def _measured(
    story: SyntheticStory, method: Method, search: RedisMemorySearch, vectors: KnownVectors
) -> Result:
    found = [await _probed(story, probe, method, search, vectors) for probe in story.probes]
    first = story.probes[0]
    early = replace(first, number=EARLY)
    length = (await _probed(story, early, method, search, vectors)).tokens
    return Result(method.name, len(story.turns), found, length)


async def _probed(
    story: SyntheticStory,
    probe: Probe,
    method: Method,
    search: RedisMemorySearch,
    vectors: KnownVectors,
) -> Found:
    state = _state(story, method.shelf, probe)
    brought = await method.ask(search, vectors, state, probe.plan)
    previous = story.turns[probe.number - 2].paragraph
    context = assemble(state, previous, brought, method.budget)
    prompt = "\n".join(message.content for message in paragraph_messages(context))
    return Found(
        probe,
        any(told in prompt for told in probe.needed),
        any(told in prompt for told in probe.outdated),
        _precision(context, probe),
        estimate_tokens(prompt),
    )


def _precision(context: StepContext, probe: Probe) -> float:
    """Of what was brought back, the share that tells what was needed."""
    texts = [entry.text for entry in (*context.recalled, *context.ledger)]
    telling = [text for text in texts if any(told in text for told in probe.needed)]
    return sum(map(len, telling)) / max(1, sum(map(len, texts)))


def _state(story: SyntheticStory, shelf: str, probe: Probe) -> Story:
    """The story as it stands before the probe's turn is written."""
    last = probe.number - 1
    return Story(
        id=_story_id(shelf),
        guild=1,
        phase=Phase.WRITING,
        epoch=0,
        due=None,
        brief=Brief(story.wordings.premise, language=story.wordings.language, title="The Tale"),
        settings=Settings(),
        lineage=(Stretch("main", 1, last),),
        head=_turn_id(last),
        draft=Draft("next", probe.number, 1, probe.plan, 0),
        memory=Memory(probe.memory),
    )


# ── what is stored ───────────────────────────────────────────────────────────────────────────────


def _entries(story: SyntheticStory, shelf: str) -> Iterator[MemoryEntry]:
    """Every entry of a story on one shelf, without its vector."""
    chance = Random(story.wordings.premise)
    none = Vector(b"")
    for turn in story.turns:
        own = (_turn_id(turn.number), turn.number, "main")
        if shelf == Shelf.PARAGRAPHS:
            yield MemoryEntry(*own, turn.paragraph, none, 0.0)
            continue
        yield MemoryEntry(*own, turn.summary, none, 0.0)
        for key, noted in enumerate(turn.noted, start=1):
            marked = shelf == Shelf.MARKED and noted.ends is not None
            # What a turn tells of is the first that it notes.
            ends = (entry_id(EntryKind.FACT, _turn_id(noted.ends or 0), 1),) if marked else ()
            fact = (EntryKind.FACT, key, noted.about, ends)
            yield MemoryEntry(*own, noted.text, none, 0.0, *fact)
        if ends_chapter(turn.number):
            first = turn.number - CHAPTER_TURNS + 1
            told = [
                sentence
                for one in story.turns[first - 1 : turn.number]
                for sentence in sentences(one.summary)
            ]
            kept = sorted(chance.sample(range(len(told)), min(CHAPTER_SENTENCES, len(told))))
            text = " ".join(told[place] for place in kept)
            yield MemoryEntry(*own, text, none, 0.0, EntryKind.CHAPTER, first=first)


def _texts(story: SyntheticStory, entries: dict[str, list[MemoryEntry]]) -> Iterator[str]:
    """Every text that is embedded in a run."""
    for shelf in entries.values():
        yield from (fact_line(entry.about, entry.text) for entry in shelf)
    for probe in story.probes:
        yield from (whole(probe.plan), *questions(probe.plan))


@asynccontextmanager
async def _stored(
    story: SyntheticStory, vectors: KnownVectors, entries: dict[str, list[MemoryEntry]]
) -> AsyncGenerator[RedisMemorySearch]:
    """The story in a server of its own, once for each shelf."""
    with tempfile.TemporaryDirectory(prefix="talewheel-eval-") as folder:
        async with EmbeddedRedis(Path(folder)) as server:
            database = RedisDatabase(server.url)
            try:
                await database.prepare(MODEL_NAME, DIMS)
                store = RedisStoryStore(database, DIMS)
                for shelf, shelved in entries.items():
                    await _store(store, story, shelf, shelved, vectors)
                yield RedisMemorySearch(database, DIMS)
            finally:
                await database.close()


async def _store(
    store: RedisStoryStore,
    story: SyntheticStory,
    shelf: str,
    entries: Sequence[MemoryEntry],
    vectors: KnownVectors,
) -> None:
    state = _state(story, shelf, story.probes[0])
    assert await store.create(state, f"create-{shelf}")
    for at in range(0, len(entries), AT_ONCE):
        some = entries[at : at + AT_ONCE]
        made = await vectors.embed([fact_line(entry.about, entry.text) for entry in some])
        whole = tuple(
            replace(entry, vector=vector) for entry, vector in zip(some, made, strict=True)
        )
        await store.commit(Commit(f"{shelf}-{at}", state, entries=whole))


def _turn_id(number: int) -> str:
    return f"t{number}"


def _story_id(shelf: str) -> StoryId:
    return StoryId(1 + SHELVES.index(shelf), 1)
