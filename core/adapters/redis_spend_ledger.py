"""The SpendLedger port on Redis: a hash per day, a field per call, so that none counts twice."""

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase, Script

_TOTAL = "total"

# KEYS: the day. ARGV: the call's field, its tokens, the field of the total, lifetime.
_RECORD = Script("""
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[1], ARGV[3], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
return 1
""")


class RedisSpendLedger:
    """Tokens per day in Redis.

    Args:
        database: open; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database

    async def spent(self, day: str) -> int:
        """See SpendLedger."""
        return int(await self._database.field(keys.spend(day), _TOTAL) or 0)

    async def record(self, day: str, call: str, tokens: int) -> None:
        """See SpendLedger."""
        if tokens < 0:
            raise ValueError(f"a call can't cost {tokens} tokens")
        await self._database.script(
            _RECORD,
            [keys.spend(day)],
            [f"call:{call}", tokens, _TOTAL, keys.SPEND_LIFETIME_S],
            doing="record what was spent",
        )
