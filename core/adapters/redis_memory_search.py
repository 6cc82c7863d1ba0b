"""The MemorySearch port on Redis: what one story's lineage holds, by meaning and by words, exactly.

A query is fenced twice: to the story, and to the stretches of turns that lead to its head. Neither
fence can be empty: an empty tag would match every story, an empty lineage has nothing to find. A
fact that a later one ended is found like any other; which ones those are is asked by ``ending``, of
the same lineage, so that a rewind behind the later fact lets the earlier one hold again.
"""

from collections.abc import Collection

from redisvl.query import BaseQuery, CountQuery, FilterQuery, TextQuery, VectorQuery
from redisvl.query.filter import FilterExpression, Num

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_schema import (
    RECALLED_FIELDS,
    any_of,
    differing,
    matching,
    read_ends,
    read_recalled,
)
from core.adapters.redis_vectors import check_length
from core.domain.entries import EntryKind, Recalled
from core.domain.story import Lineage, StoryId, Stretch, Vector
from core.domain.words import STOP_WORDS, search_words
from core.ports import ALL_KINDS

MOST_WORDS = 64
"""Different words of a text that are looked for: more than a plan has."""
MOST_ENDINGS = 1000
"""Facts that may have ended one of those asked for: more than ever come up together."""
MOST_COUNTED = 1000
"""Facts that are looked at to tell how many hold: those of some hundred turns, in 0.1 s."""


class RedisMemorySearch:
    """Search in the memory index.

    Args:
        database: prepared; stays open.
        dims: numbers per vector, as the index was made.
    """

    def __init__(self, database: RedisDatabase, dims: int) -> None:
        self._database = database
        self._dims = dims

    async def nearest(
        self,
        story: StoryId,
        lineage: Lineage,
        query: Vector,
        limit: int,
        kinds: Collection[EntryKind] = ALL_KINDS,
    ) -> list[Recalled]:
        """See MemorySearch. Equally near ones come in the order of their turns."""
        check_length(query, self._dims)
        told = _told(lineage)
        if not told or limit <= 0 or not kinds:
            return []
        return await self._found(
            VectorQuery(
                vector=query,
                vector_field_name=self._database.vectors.field,
                return_fields=list(RECALLED_FIELDS),
                filter_expression=_fence(story, told, kinds),
                num_results=limit,
            )
        )

    async def matching(
        self,
        story: StoryId,
        lineage: Lineage,
        words: str,
        limit: int,
        kinds: Collection[EntryKind] = ALL_KINDS,
        *,
        stale: bool = False,
    ) -> list[Recalled]:
        """See MemorySearch. Equally good ones come in the order of their turns."""
        told = _told(lineage)
        wanted = [word for word in dict.fromkeys(search_words(words)) if word not in STOP_WORDS]
        if not told or limit <= 0 or not wanted or not kinds:
            return []
        fence = _fence(story, told, kinds)
        return await self._found(
            TextQuery(
                text=" ".join(wanted[:MOST_WORDS]),
                text_field_name="words",
                text_scorer="BM25STD",
                filter_expression=fence & self._of_another_embedder() if stale else fence,
                return_fields=list(RECALLED_FIELDS),
                num_results=limit,
                stopwords=None,
            )
        )

    async def ending(
        self, story: StoryId, lineage: Lineage, ids: Collection[str]
    ) -> list[tuple[str, Recalled]]:
        """See MemorySearch."""
        told = _told(lineage)
        if not told or not ids:
            return []
        fence = _fence(story, told, {EntryKind.FACT}) & any_of("ends", sorted(ids))
        hits = await self._database.search(
            keys.MEMORY_INDEX,
            FilterQuery(fence, return_fields=list(RECALLED_FIELDS), num_results=MOST_ENDINGS),
        )
        return [(id_, read_recalled(hit)) for hit in hits for id_ in read_ends(hit) & set(ids)]

    async def count(
        self, story: StoryId, lineage: Lineage, kind: EntryKind = EntryKind.SUMMARY
    ) -> int:
        """See MemorySearch."""
        told = _told(lineage)
        if not told:
            return 0
        return await self._database.count(
            keys.MEMORY_INDEX, CountQuery(_fence(story, told, {kind}))
        )

    async def stale(self, story: StoryId, lineage: Lineage) -> int:
        """See MemorySearch."""
        told = _told(lineage)
        if not told:
            return 0
        fence = _fence(story, told, ALL_KINDS)
        return await self._database.count(
            keys.MEMORY_INDEX, CountQuery(fence & self._of_another_embedder())
        )

    async def superseded(self, story: StoryId, lineage: Lineage) -> int | None:
        """See MemorySearch."""
        told = _told(lineage)
        facts = await self.count(story, told, EntryKind.FACT)
        if not 0 < facts <= MOST_COUNTED:
            return None if facts else 0
        query = FilterQuery(
            _fence(story, told, {EntryKind.FACT}),
            return_fields=list(RECALLED_FIELDS),
            num_results=MOST_COUNTED,
        )
        hits = await self._database.search(keys.MEMORY_INDEX, query)
        ended = {id_ for hit in hits for id_ in read_ends(hit)}
        return len(ended & {read_recalled(hit).id for hit in hits})

    def _of_another_embedder(self) -> FilterExpression:
        return differing("embedder", self._database.vectors.tag)

    async def _found(self, query: BaseQuery) -> list[Recalled]:
        found = [
            read_recalled(hit) for hit in await self._database.search(keys.MEMORY_INDEX, query)
        ]
        return sorted(found, key=lambda one: (-one.score, one.number))


def _told(lineage: Lineage) -> Lineage:
    """The stretches that hold a turn: one that just began, after a rewind, holds none."""
    return tuple(stretch for stretch in lineage if stretch.first <= stretch.last)


def _fence(story: StoryId, lineage: Lineage, kinds: Collection[EntryKind]) -> FilterExpression:
    """Entries of this story and of these kinds, within one of the stretches."""
    own = matching("story", str(story))
    # Written out flat: redisvl nests what is joined by |, and a long lineage would nest too deep.
    stretches = " | ".join(f"({_within(stretch)})" for stretch in lineage)
    return FilterExpression(f"({own} ({stretches}) {_of(kinds)})")


def _of(kinds: Collection[EntryKind]) -> str:
    return str(any_of("kind", sorted(kinds)))


def _within(stretch: Stretch) -> str:
    branch = matching("branch", stretch.branch)
    return f"{branch} {Num('number').between(stretch.first, stretch.last)}"
