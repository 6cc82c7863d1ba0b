"""Reading a story's memory: what it holds, what a search of it finds. Nothing is changed here.

Whoever asks says from which server (``guild``): a story of another one isn't there for them.
"""

from dataclasses import dataclass

from core.domain.legible import legible
from core.domain.story import Recalled, Story
from core.errors import InputError, NoStoryError
from core.ports import Embedder, MemorySearch, StoryStore

QUERY_CHARACTERS = 1000
"""More than any embedder of ours reads of one text."""


@dataclass(frozen=True, slots=True)
class MemoryView:
    """A story with everything that it remembers in plain language.

    Attributes:
        story: its short-term memory and canon are what the next prompt will hold.
        summaries: entries of the long-term memory that recall can find.
    """

    story: Story
    summaries: int


class Library:
    """Answers questions about the story of a channel."""

    def __init__(self, *, store: StoryStore, search: MemorySearch, embedder: Embedder) -> None:
        self._store = store
        self._search = search
        self._embedder = embedder

    async def memory(self, channel: int, guild: int | None = None) -> MemoryView:
        """Short-term memory, canon and the size of the long-term memory. Raises NoStoryError."""
        story = await self._story(channel, guild)
        return MemoryView(story, await self._search.count(story.id, story.lineage))

    async def find(
        self, channel: int, query: str, guild: int | None = None, limit: int = 5
    ) -> list[Recalled]:
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
        story = await self._story(channel, guild)
        [vector] = await self._embedder.embed([words])
        return await self._search.nearest(story.id, story.lineage, vector, limit)

    async def _story(self, channel: int, guild: int | None) -> Story:
        story = await self._store.current(channel)
        if story is None or guild not in (None, story.guild):
            raise NoStoryError("There is no story in this channel yet: /story start begins one.")
        return story
