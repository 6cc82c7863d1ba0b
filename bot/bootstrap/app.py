"""A bot put together: settings in, a bot that can run out.

Every dependency can be handed in instead (tests, the playground); what is made here is also closed
here, in the opposite order. Nothing is decided beyond which adapter a setting means.
"""

import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.bootstrap.keeping import Keeping
from bot.bootstrap.parts import (
    check_filter,
    check_narrator,
    content_filter_of,
    database_of,
    embedder_of,
    narrator_of,
)
from bot.client import CommandMemory, TalewheelBot, point_at
from bot.cogs.requests import StartRules
from bot.failpoints import armed
from bot.health import Health
from bot.measured import MeasuredMeter, counted, log_counted, measured, watched
from bot.metrics import Metrics
from bot.monitor import Monitor, known, listening
from bot.privacy_texts import PrivacyNote
from bot.process import serve
from bot.request_pace import RequestPace
from bot.services import Composer, Services
from bot.setting_table import (
    Embeddings,
)
from bot.settings import BotSettings
from core.adapters.epub_book import EpubBook
from core.adapters.markdown_book import MarkdownBook
from core.adapters.openai_client import Limits
from core.adapters.redis_archive import RedisArchive
from core.adapters.redis_census import RedisCensus
from core.adapters.redis_command_memory import RedisCommandMemory
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_spend_ledger import RedisSpendLedger
from core.adapters.redis_stale_vectors import RedisStaleVectors
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.system_clock import SystemClock
from core.ports import (
    Audience,
    BookFormat,
    Clock,
    ContentFilter,
    Departures,
    Embedder,
    Meter,
    Narrator,
    Stage,
)
from core.services.alerts import Alerts
from core.services.budget import DailyMeter, MeteredEmbedder, Spending
from core.services.direction import Direction
from core.services.history import History
from core.services.library import Library
from core.services.moderation import Moderation
from core.services.press import Press
from core.services.reembedding import Reembedding
from core.services.room import Room
from core.services.run import Stations
from core.services.screening import Screening
from core.services.storyteller import Storyteller
from core.services.sweeper import Sweeper

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """A bot with everything behind it. Whoever built it closes it.

    Attributes:
        bot: not connected yet.
        token: Discord's token.
        resources: what was opened for it.
    """

    bot: TalewheelBot
    token: str
    resources: AsyncExitStack

    async def run(self) -> None:
        """Serve until a signal; see bot.process.serve. Closes everything afterwards."""
        async with self.resources:
            await serve(self.bot, self.token)

    async def aclose(self) -> None:
        """Close the bot and what was opened for it."""
        async with self.resources:
            await self.bot.close()


async def build(
    settings: BotSettings,
    *,
    clock: Clock | None = None,
    database: RedisDatabase | None = None,
    embedder: Embedder | None = None,
    narrator: Narrator | None = None,
    limits: Limits | None = None,
    registered: CommandMemory | None = None,
    content_filter: ContentFilter | None = None,
    departures: Departures | None = None,
) -> App:
    """Put a bot together and look at everything it will need.

    Args:
        settings: what the operator said.
        clock: the machine's when None.
        database: not prepared yet, closed by whoever made it; REDIS_URL's when None.
        embedder: closed by whoever made it; what EMBEDDINGS says when None.
        narrator: the endpoint's when None.
        limits: how long and how often the endpoint's narrator may try; by the settings when None.
        registered: remembers the commands that Discord knows; in the database when None.
        content_filter: MODERATION_MODEL's when None, where there is one.
        departures: remembers what was lost, and is then deleted; in the database when None.

    Raises:
        StartError: something is wrong that only the operator can mend, in one line.
    """
    async with AsyncExitStack() as stack:
        time = clock or SystemClock()
        redis = database or database_of(settings, stack)
        vectors = embedder or await embedder_of(settings, time, redis, stack)
        for warning in (await redis.prepare(vectors.name, vectors.dims)).warnings:
            log.warning("Redis: %s", warning)

        def tell(sentence: str) -> None:
            # The bot is made further down, long before a token is spent.
            bot.tell_owner(sentence)

        alerts = Alerts(settings.budgets, tell)
        metrics = Metrics(settings.prices) if settings.metrics_port else None
        ledger = RedisSpendLedger(redis)
        meter: Meter = DailyMeter(ledger, time, settings.budgets, alerts)
        meter = MeasuredMeter(meter, metrics) if metrics else meter
        embeds = embedder is None and settings.embeddings is Embeddings.OPENAI
        if embeds:
            vectors = MeteredEmbedder(vectors, meter)
        paid = embeds or narrator is None
        spending = Spending(ledger, time, settings.budgets) if paid else None
        patience = limits or Limits().patient(settings.model_patience)
        writer = narrator or narrator_of(settings, meter, time, patience, stack)
        await check_narrator(writer)
        looks = content_filter or content_filter_of(settings, time, stack)
        if looks is not None:
            await check_filter(looks)
            looks = watched(looks, "filter", metrics) if metrics else looks
        point_at(settings.discord_api_url, settings.discord_gateway_url)
        bot = TalewheelBot(
            _composer(
                *(settings, redis, writer, vectors, looks, time, metrics, alerts, spending),
                departures,
            ),
            StartRules(settings.allowed_guilds, settings.story, settings.language),
            registered or RedisCommandMemory(redis),
            note=_note(settings),
            gateway=settings.discord_gateway_url,
            trace=counted(RequestPace().trace(), metrics) if metrics else None,
            cooldown_s=settings.cooldown_s if paid else 0,
        )
        if metrics:
            await _monitored(settings, metrics, bot, redis, stack)
        return App(bot, settings.discord_token, stack.pop_all())
    raise AssertionError("unreachable: the stack swallows nothing")


def _composer(
    settings: BotSettings,
    redis: RedisDatabase,
    narrator: Narrator,
    embedder: Embedder,
    content_filter: ContentFilter | None,
    clock: Clock,
    metrics: Metrics | None,
    alerts: Alerts,
    spending: Spending | None,
    departures: Departures | None,
) -> Composer:
    """The services over everything but the stage and its audience, which only the client knows."""
    archive = RedisArchive(redis)
    room = Room(RedisCensus(redis), settings.stories_per_guild)
    kept = Keeping.of(redis, RedisStoryStore(redis, embedder.dims), clock, departures)

    def compose(stage: Stage, audience: Audience) -> Services:
        screening = Screening(audience, content_filter)
        at = Stations(
            store=RedisStoryStore(redis, embedder.dims),
            schedule=kept.schedule,
            search=RedisMemorySearch(redis, embedder.dims),
            narrator=narrator,
            embedder=embedder,
            stage=stage,
            clock=clock,
            screening=screening,
            alerts=alerts,
            departures=kept.departures,
        )
        at = measured(at, metrics) if metrics else at
        store, search, vectors = at.store, at.search, at.embedder
        reembedding = Reembedding(RedisStaleVectors(redis), at.schedule, vectors, clock)
        if metrics:
            metrics.live("entries_to_embed", lambda: known(reembedding.left))
        teller = Storyteller(
            armed(at, settings.failpoint),
            lease_s=settings.lease_s,
            room=room,
            beside=[reembedding.run],
        )
        moderation = Moderation(
            store=store, archive=archive, embedder=vectors, clock=clock, screening=screening
        )
        direction = Direction(
            requests=teller.requests,
            store=store,
            archive=archive,
            clock=clock,
            screening=screening,
        )
        return Services(
            teller,
            Library(store=store, archive=archive, search=search, embedder=vectors),
            moderation,
            direction,
            History(store=store, archive=archive, moderation=moderation, direction=direction),
            Press(
                store=store,
                archive=archive,
                clock=clock,
                binders={BookFormat.EPUB: EpubBook(), BookFormat.MARKDOWN: MarkdownBook()},
            ),
            kept.privacy,
            Sweeper(
                purging=kept.purging,
                departures=kept.departures,
                clock=clock,
                after_days=settings.purge_after_days,
            ),
            spending=spending,
        )

    return compose


async def _monitored(
    settings: BotSettings,
    metrics: Metrics,
    bot: TalewheelBot,
    redis: RedisDatabase,
    stack: AsyncExitStack,
) -> None:
    """Serve what monitoring asks for, until the stack ends. Raises StartError."""
    health = Health(lambda: bot.connection, lambda: bot.services.storyteller.pulse, redis.ping)
    monitor = Monitor(metrics, health, RedisCensus(redis))
    stack.enter_context(log_counted(metrics))
    port = settings.metrics_port or 0
    await stack.enter_async_context(listening(monitor, settings.metrics_host, port))


def _note(settings: BotSettings) -> PrivacyNote:
    return PrivacyNote(
        has_model=settings.has_endpoint,
        embeds_elsewhere=settings.embeddings is Embeddings.OPENAI,
        is_moderated=bool(settings.moderation_model),
        purge_after_days=settings.purge_after_days,
        contact=settings.privacy_contact,
    )
