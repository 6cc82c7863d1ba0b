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
from bot.services import Services
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
        kept = Keeping.of(redis, RedisStoryStore(redis, vectors.dims), time, departures)
        behind = _Behind(
            settings, redis, writer, vectors, looks, time, metrics, alerts, spending, kept
        )
        bot = TalewheelBot(
            behind.services,
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


@dataclass(frozen=True, slots=True)
class _Behind:
    """What stands behind a bot, but for the stage and its audience, which only the client knows.

    Attributes:
        settings: what the operator said.
        redis: prepared.
        narrator, embedder, content_filter, clock: as they are used; no filter where none is set.
        metrics: what counts and times; None where nobody asks.
        alerts, spending: of the budgets; no spending where nothing is paid for.
        kept: what deletes and erases.
    """

    settings: BotSettings
    redis: RedisDatabase
    narrator: Narrator
    embedder: Embedder
    content_filter: ContentFilter | None
    clock: Clock
    metrics: Metrics | None
    alerts: Alerts
    spending: Spending | None
    kept: Keeping

    def services(self, stage: Stage, audience: Audience) -> Services:
        """The services over all of it; a Composer."""
        screening = Screening(audience, self.content_filter)
        at = self._stations(stage, screening)
        teller = self._storyteller(at)
        store, clock, archive = at.store, self.clock, RedisArchive(self.redis)
        moderation = Moderation(
            store=store, archive=archive, embedder=at.embedder, clock=clock, screening=screening
        )
        direction = Direction(
            requests=teller.requests,
            store=store,
            archive=archive,
            clock=clock,
            screening=screening,
        )
        binders = {BookFormat.EPUB: EpubBook(), BookFormat.MARKDOWN: MarkdownBook()}
        return Services(
            teller,
            Library(store=store, archive=archive, search=at.search, embedder=at.embedder),
            moderation,
            direction,
            History(store=store, archive=archive, moderation=moderation, direction=direction),
            Press(store=store, archive=archive, clock=clock, binders=binders),
            self.kept.privacy,
            Sweeper(
                purging=self.kept.purging,
                departures=self.kept.departures,
                clock=clock,
                after_days=self.settings.purge_after_days,
            ),
            spending=self.spending,
        )

    def _stations(self, stage: Stage, screening: Screening) -> Stations:
        dims = self.embedder.dims
        at = Stations(
            store=RedisStoryStore(self.redis, dims),
            schedule=self.kept.schedule,
            search=RedisMemorySearch(self.redis, dims),
            narrator=self.narrator,
            embedder=self.embedder,
            stage=stage,
            clock=self.clock,
            screening=screening,
            alerts=self.alerts,
            departures=self.kept.departures,
        )
        return measured(at, self.metrics) if self.metrics else at

    def _storyteller(self, at: Stations) -> Storyteller:
        stale = RedisStaleVectors(self.redis)
        reembedding = Reembedding(stale, at.schedule, at.embedder, self.clock)
        if self.metrics:
            self.metrics.live("entries_to_embed", lambda: known(reembedding.left))
        return Storyteller(
            armed(at, self.settings.failpoint),
            lease_s=self.settings.lease_s,
            room=Room(RedisCensus(self.redis), self.settings.stories_per_guild),
            beside=[reembedding.run],
        )


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
