"""The Census port on Redis: the index of stories counts, and no story is read."""

from collections.abc import Collection

from redisvl.query import CountQuery

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_schema import any_of, matching
from core.domain.story import Phase


class RedisCensus:
    """Counts the stories in Redis.

    Args:
        database: prepared; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def count(self, phases: Collection[Phase], guild: int | None = None) -> int:
        """See Census."""
        if not phases:
            return 0
        wanted = any_of("phase", sorted(phase.value for phase in phases))
        if guild is not None:
            wanted &= matching("guild", str(guild))
        return await self._database.count(keys.STORIES_INDEX, CountQuery(wanted))
