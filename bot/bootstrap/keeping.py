"""What deletes and erases, over one Redis: beside a bot, or without one."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.bootstrap.parts import database_of
from bot.settings import BotSettings
from core.adapters.redis_archive import RedisArchive
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_departures import RedisDepartures
from core.adapters.redis_erasure import RedisErasure
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.system_clock import SystemClock
from core.ports import (
    Clock,
    Departures,
    StoryStore,
)
from core.services.privacy import Privacy
from core.services.purging import Purging

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What deletes and erases, over one Redis.

    Attributes:
        schedule, departures: ports that others need too.
        purging, privacy: the services.
    """

    schedule: RedisSchedule
    departures: Departures
    purging: Purging
    privacy: Privacy

    @classmethod
    def of(
        cls,
        redis: RedisDatabase,
        store: StoryStore,
        clock: Clock,
        departures: Departures | None = None,
    ) -> "Keeping":
        """Over a prepared database, which remembers what was lost unless somebody else does."""
        schedule, erasure = RedisSchedule(redis), RedisErasure(redis)
        departures = departures or RedisDepartures(redis)
        purging = Purging(
            store=store,
            schedule=schedule,
            archive=RedisArchive(redis),
            erasure=erasure,
            departures=departures,
            clock=clock,
        )
        privacy = Privacy(
            store=store, schedule=schedule, erasure=erasure, purging=purging, clock=clock
        )
        return cls(schedule, departures, purging, privacy)


@asynccontextmanager
async def keeping(settings: BotSettings) -> AsyncGenerator[Keeping | None]:
    """What deletes and erases, without a bot; None for a database that no bot has used yet.

    Raises:
        StartError: Redis can't be worked with.
    """
    async with AsyncExitStack() as stack:
        redis = database_of(settings, stack)
        made_for = await redis.recorded_embedder()
        if made_for is None:
            yield None
            return
        for warning in (await redis.prepare(made_for.name, made_for.dims)).warnings:
            log.warning("Redis: %s", warning)
        yield Keeping.of(redis, RedisStoryStore(redis, made_for.dims), SystemClock())
