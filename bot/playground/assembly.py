"""The bot as the playground runs it: the real one, with what stands in for the services of others.

The memory's server is the embedded one, empty on each run, or REDIS_URL's; the narrator is the
offline one unless an endpoint is named; Discord's commands are registered anew on each run, since
the simulated Discord is a new one. Everything else is bootstrap's. The page is live's business.
"""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

from redisvl.query import CountQuery
from redisvl.query.filter import Tag

from bot.bootstrap.app import App, build
from bot.playground.embedded_redis import EmbeddedRedis
from bot.playground.live import GUILD_ID
from bot.settings import BotSettings
from core.adapters import redis_keys as keys
from core.adapters.offline_narrator import OfflineNarrator
from core.adapters.redis_database import RedisDatabase
from core.adapters.system_clock import SystemClock
from core.domain.departures import Place
from core.domain.story import Phase
from core.errors import StartError


class _Forgetful:
    """A CommandMemory of one run."""

    async def get(self, name: str) -> str | None:
        """Nothing was registered yet."""
        return None

    async def put(self, name: str, value: str) -> None:
        """Nobody will ask."""


class _Nowhere:
    """Departures of one run: this Discord knows one server, so no other may be taken for lost."""

    async def note(self, place: Place, at: float) -> None:
        """Nothing is lost here."""

    async def forget(self, places: Collection[Place]) -> None:
        """Nothing was."""

    async def lost(self) -> dict[Place, float]:
        """Nothing: so nothing is ever deleted for it."""
        return {}


@asynccontextmanager
async def application(
    settings: BotSettings, redis_url: str, *, own: bool = False
) -> AsyncGenerator[App]:
    """The playground's bot, ready for its page; closed with all that is behind it on leaving.

    Args:
        settings: the playground's.
        redis_url: the memory's server.
        own: whether that is the player's, which may hold what isn't the playground's.

    Raises:
        StartError: something that only the player can mend, in one line.
    """
    database = RedisDatabase(redis_url)
    try:
        narrator = None if settings.has_endpoint else OfflineNarrator(SystemClock())
        app = await build(
            settings,
            database=database,
            narrator=narrator,
            registered=_Forgetful(),
            departures=_Nowhere(),
        )
        async with aclosing(app):
            if own:
                await _refuse_strangers(database)
            yield app
    finally:
        await database.close()


@asynccontextmanager
async def server(redis_url: str = "") -> AsyncGenerator[str]:
    """The address of the memory's server.

    Args:
        redis_url: one of the player's own, nothing of which is ever removed; empty: the embedded
            one.

    Raises:
        EmbeddedRedisError: the embedded server can't run here.
    """
    if redis_url:
        yield redis_url
        return
    async with EmbeddedRedis() as server:
        yield server.url


async def _refuse_strangers(database: RedisDatabase) -> None:
    """A wheel turns every story that it finds, and from here it could only break others' stories.

    Raises:
        StartError: stories of another Discord live in this database.
    """
    guild, phase = cast(Any, Tag)("guild"), cast(Any, Tag)("phase")
    strangers = (guild != str(GUILD_ID)) & (phase != Phase.ENDED.value)
    if found := await database.count(keys.STORIES_INDEX, CountQuery(strangers)):
        live = (
            "a story of a real server lives"
            if found == 1
            else f"{found} stories of real servers live"
        )
        raise StartError(
            f"REDIS_URL {database.shown}: {live} there, and the playground would take over what it "
            "can't go on with: give it a database of its own."
        )
