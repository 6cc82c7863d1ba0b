"""Reading a story's memory: what it holds, what a search finds, why a turn came out as it did.

Whoever asks says from which server (``guild``): a story of another one isn't there for them.

Nothing is changed here. What is shown of the next prompt is assembled by the very code that makes
it, so what moderators see is what the model will see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.domain.legible import legible
from core.domain.lineage import branch_of
from core.domain.prompts import RULES
from core.domain.recurrence import StepContext, assemble, estimate_tokens
from core.domain.retrieval import cosine
from core.domain.story import Draft, Recalled, Story, Turn
from core.domain.text import sentences
from core.errors import InputError, NoStoryError, RecordError
from core.ports import Archive, Embedder, MemorySearch, StoryStore

QUERY_CHARACTERS = 1000
"""More than any embedder of ours reads of one text."""
RECAP_TURNS = 20
RECAP_MOST = 100
"""Turns of a recap: as many as are asked for, up to what somebody may still want to read."""
STILL_SAID_SCORE = 0.45
"""Cosine similarity from which on two texts probably tell of the same thing (MiniLM)."""
STILL_SAID = 5
"""Places that are listed at most after an amendment."""


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One part of the next prompt and about how many tokens it takes."""

    name: str
    tokens: int


@dataclass(frozen=True, slots=True)
class MemoryView:
    """A story with everything that it remembers in plain language.

    Attributes:
        story: its short-term memory and canon are what the next prompt will hold.
        summaries: entries of the long-term memory that recall can find.
        prompt: the parts of the next prompt that are known before the vote is.
    """

    story: Story
    summaries: int
    prompt: tuple[PromptPart, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """What a search found, and the turn it belongs to (None when its record can't be read)."""

    recalled: Recalled
    turn: Turn | None


@dataclass(frozen=True, slots=True)
class StillSaid:
    """A place that still tells what was amended or forgotten.

    Attributes:
        where: "memory", "canon", "summary" or "paragraph".
        text: the sentence, fact or summary.
        number: the turn of a summary or paragraph, else 0.
        score: how near it is in meaning, in [-1, 1].
    """

    where: str
    text: str
    number: int
    score: float


async def channel_story(store: StoryStore, channel: int, guild: int | None = None) -> Story:
    """The channel's newest story, live or ended; ``guild`` is None where the bot itself asks.

    Raises:
        NoStoryError: there is none, or none of that server's.
    """
    story = await store.current(channel)
    if story is None or guild not in (None, story.guild):
        raise NoStoryError("There is no story in this channel yet: /story start begins one.")
    return story


async def told_turn(archive: Archive, story: Story, number: int) -> Turn:
    """A turn of the story by its number.

    Raises:
        InputError: the story has no such turn (yet, or any more).
    """
    return await archive.turn_at(story.id, branch_with(story, number), number)


def branch_with(story: Story, number: int) -> str:
    """The branch that a turn of the story stands on. Raises InputError, see ``told_turn``."""
    branch = branch_of(story.lineage, number)
    if branch is None:
        told = story.head_number
        raise InputError(
            f"There is no turn {number}: this story has turns 1 to {told}."
            if told
            else "This story has no finished turn yet."
        )
    return branch


class Library:
    """Answers questions about the story of a channel."""

    def __init__(
        self, *, store: StoryStore, archive: Archive, search: MemorySearch, embedder: Embedder
    ) -> None:
        self._store = store
        self._archive = archive
        self._search = search
        self._embedder = embedder

    async def story(self, channel: int, guild: int | None = None) -> Story:
        """The channel's newest story. Raises NoStoryError."""
        return await channel_story(self._store, channel, guild)

    async def memory(self, channel: int, guild: int | None = None) -> MemoryView:
        """Short-term memory, canon, the size of the long-term memory, the next prompt's parts."""
        story = await self.story(channel, guild)
        summaries = await self._search.count(story.id, story.lineage)
        return MemoryView(story, summaries, await self._next_prompt(story))

    async def find(
        self, channel: int, query: str, guild: int | None = None, limit: int = 5
    ) -> list[Hit]:
        """The summaries nearest in meaning to a query, nearest first.

        Raises:
            NoStoryError: the channel has no story.
            InputError: the query is empty or longer than QUERY_CHARACTERS.
        """
        words = legible(query).strip()
        if not words or len(words) > QUERY_CHARACTERS:
            raise InputError(
                f"Say in 1 to {QUERY_CHARACTERS} characters what to look for; "
                f"this has {len(words)}."
            )
        story = await self.story(channel, guild)
        [vector] = await self._embedder.embed([words])
        found = await self._search.nearest(story.id, story.lineage, vector, limit)
        return [Hit(hit, await self._turn_or_none(story, hit.turn_id)) for hit in found]

    async def turn(self, channel: int, number: int, guild: int | None = None) -> tuple[Story, Turn]:
        """A turn by its number. Raises NoStoryError, InputError."""
        story = await self.story(channel, guild)
        return story, await self._told(story, number)

    async def head(self, channel: int) -> tuple[Story, Turn]:
        """The newest finished turn. Raises NoStoryError, InputError."""
        story = await self.story(channel)
        return story, await self._told(story, story.head_number)

    async def recap(
        self, channel: int, turns: int = RECAP_TURNS, guild: int | None = None
    ) -> tuple[Story, list[Turn]]:
        """The newest turns that were told, oldest first.

        Args:
            channel: whose story.
            turns: how many, 1 to RECAP_MOST.
        """
        if not 1 <= turns <= RECAP_MOST:
            raise InputError(f"turns is {turns}; it must be from 1 to {RECAP_MOST}.")
        story = await self.story(channel, guild)
        first = max(1, story.head_number - turns + 1)
        return story, [await self._told(story, n) for n in range(first, story.head_number + 1)]

    async def still_said(self, channel: int, text: str, number: int) -> list[StillSaid]:
        """Places that still tell what a turn's summary told, nearest in meaning first.

        Args:
            channel: whose story.
            text: what the summary said before it was amended or forgotten.
            number: that turn.
        """
        story = await self.story(channel)
        told = await self._told(story, number)
        places = [("memory", line) for line in sentences(story.memory.text)]
        places += [("canon", fact) for fact in story.canon.entries]
        places += [("paragraph", told.paragraph)]
        vector, *vectors = await self._embedder.embed([text, *(line for _, line in places)])
        near = [
            StillSaid(where, line, number if where == "paragraph" else 0, cosine(vector, other))
            for (where, line), other in zip(places, vectors, strict=True)
        ]
        found = await self._search.nearest(story.id, story.lineage, vector, STILL_SAID + 1)
        near += [
            StillSaid("summary", hit.text, hit.number, hit.score)
            for hit in found
            if hit.number != number
        ]
        close = [place for place in near if place.score >= STILL_SAID_SCORE]
        return sorted(close, key=lambda place: -place.score)[:STILL_SAID]

    async def _next_prompt(self, story: Story) -> tuple[PromptPart, ...]:
        """What the next step will hold whatever wins; what it recalls depends on the vote."""
        head = await self._store.turn(story.id, story.head) if story.head else None
        draft = story.draft or Draft("next", story.head_number + 1, 1, None, 0)
        context = assemble(replace(story, draft=draft), head.paragraph if head else "", ())
        return tuple(PromptPart(name, estimate_tokens(text)) for name, text in _parts(context))

    async def _told(self, story: Story, number: int) -> Turn:
        return await told_turn(self._archive, story, number)

    async def _turn_or_none(self, story: Story, turn_id: str) -> Turn | None:
        try:
            return await self._store.turn(story.id, turn_id)
        except RecordError:
            return None


def _parts(context: StepContext) -> Sequence[tuple[str, str]]:
    """The parts of a prompt that stand before the vote decides, by the names that prompts give."""
    brief = context.brief
    return (
        ("rules", RULES),
        ("premise", brief.premise),
        ("title, genre, style, language", f"{brief.title} {brief.genre} {brief.style}"),
        ("outline", brief.outline),
        ("canon", "\n".join(context.canon)),
        ("memory", context.memory),
        ("previous", context.previous),
    )
