"""The MemorySearch port on Redis: the nearest summaries of one story's lineage, exactly.

A query is fenced twice: to the story, and to the stretches of turns that lead to its head. Neither
fence can be empty: an empty tag would match every story, an empty lineage has nothing to find.
"""

from redisvl.query import CountQuery, VectorQuery
from redisvl.query.filter import FilterExpression, Num

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_schema import matching, read_recalled
from core.adapters.redis_story_store import check_length
from core.domain.story import Lineage, Recalled, StoryId, Stretch, Vector


class RedisMemorySearch:
    """Semantic search in the memory index.

    Args:
        database: prepared; stays open.
        dims: numbers per vector, as the index was made.
    """

    def __init__(self, database: RedisDatabase, dims: int) -> None:
        self._database = database
        self._dims = dims

    async def nearest(
        self, story: StoryId, lineage: Lineage, query: Vector, limit: int
    ) -> list[Recalled]:
        """See MemorySearch. Equally near ones come in the order of their turns."""
        check_length(query, self._dims)
        told = _told(lineage)
        if not told or limit <= 0:
            return []
        wanted = VectorQuery(
            vector=query,
            vector_field_name="vector",
            return_fields=["turn", "number", "text"],
            filter_expression=_fence(story, told),
            num_results=limit,
        )
        hits = await self._database.search(keys.MEMORY_INDEX, wanted)
        found = [read_recalled(hit) for hit in hits]
        return sorted(found, key=lambda one: (-one.score, one.number))

    async def count(self, story: StoryId, lineage: Lineage) -> int:
        """See MemorySearch."""
        told = _told(lineage)
        if not told:
            return 0
        return await self._database.count(keys.MEMORY_INDEX, CountQuery(_fence(story, told)))


def _told(lineage: Lineage) -> Lineage:
    """The stretches that hold a turn: one that just began, after a rewind, holds none."""
    return tuple(stretch for stretch in lineage if stretch.first <= stretch.last)


def _fence(story: StoryId, lineage: Lineage) -> FilterExpression:
    """Entries of this story within one of the stretches."""
    own = matching("story", str(story))
    # Written out flat: redisvl nests what is joined by |, and a long lineage would nest too deep.
    stretches = " | ".join(f"({_within(stretch)})" for stretch in lineage)
    return FilterExpression(f"({own} ({stretches}))")


def _within(stretch: Stretch) -> str:
    branch = matching("branch", stretch.branch)
    return f"{branch} {Num('number').between(stretch.first, stretch.last)}"
