"""What Discord was told, and by which application, in Redis, so that a restart knows it."""

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase, Script

DIGEST = "digest"
"""The field of a record that has the value."""

# KEYS: the record. ARGV: its field, the value.
_PUT = Script("return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])")


class RedisCommandMemory:
    """Values under names, for good.

    Args:
        database: open; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """What was put under a name, or None."""
        value = await self._database.field(keys.meta(name), DIGEST)
        return None if value is None else value.decode()

    async def put(self, name: str, value: str) -> None:
        """Remember a value under a name."""
        await self._database.script(
            _PUT, [keys.meta(name)], [DIGEST, value], doing="remember what Discord was told"
        )
