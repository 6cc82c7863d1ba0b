"""The one place where everything is put together: settings in, a bot that can run out.

Every dependency can be handed in instead (tests, the playground); what is made here is also closed
here, in the opposite order. Nothing is decided beyond which adapter a setting means.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.client import OWNER, CommandMemory, TalewheelBot, point_at
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
    EMBEDDING_MODEL,
    EMBEDDINGS,
    MODERATION_API_KEY,
    MODERATION_BASE_URL,
    MODERATION_MODEL,
    NARRATOR_MODEL,
    OPENAI_API_KEY,
    OPENAI_BASE_URL,
    REDIS_URL,
    REFLECTOR_MODEL,
    Embeddings,
)
from bot.settings import BotSettings, Inspected
from core.adapters.archive_file import ArchiveWriter, checked_archive, new_archive
from core.adapters.embedder_checkup import EmbedderCheckup
from core.adapters.epub_book import EpubBook
from core.adapters.filter_checkup import FilterCheckup
from core.adapters.markdown_book import MarkdownBook
from core.adapters.minilm_embedder import MiniLMEmbedder
from core.adapters.openai_checkup import OpenAICheckup
from core.adapters.openai_client import OPENAI_URL, Limits, Models, openai_client
from core.adapters.openai_content_filter import OpenAIContentFilter
from core.adapters.openai_embedder import OpenAIEmbedder
from core.adapters.openai_narrator import OpenAINarrator
from core.adapters.redis_archive import RedisArchive
from core.adapters.redis_census import RedisCensus
from core.adapters.redis_checkup import RedisCheckup
from core.adapters.redis_command_memory import RedisCommandMemory
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_departures import RedisDepartures
from core.adapters.redis_erasure import RedisErasure
from core.adapters.redis_import import RedisImports
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_records import RedisRecords
from core.adapters.redis_records_checkup import RedisRecordsCheckup, Remembered
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_spend_ledger import RedisSpendLedger
from core.adapters.redis_stale_vectors import RedisStaleVectors
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.redis_vectors import VectorSpace
from core.adapters.system_clock import SystemClock
from core.archive_ports import ArchiveHeader, StoryRecords
from core.domain.checkup import NotLookedAtError
from core.domain.moving import Places
from core.errors import (
    EmbedderError,
    EmbedderUnavailableError,
    FilterRefusedError,
    FilterUnavailableError,
    NarratorRefusedError,
    NarratorUnavailableError,
    StartError,
)
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
    StoryStore,
)
from core.services.alerts import Alerts
from core.services.budget import DailyMeter, MeteredEmbedder, Spending
from core.services.direction import Direction
from core.services.exporting import Export, Progress
from core.services.history import History
from core.services.importing import Hall, Import
from core.services.library import Library
from core.services.moderation import Moderation
from core.services.press import Press
from core.services.privacy import Privacy
from core.services.purging import Purging
from core.services.reembedding import Reembedding
from core.services.room import Room
from core.services.run import Stations
from core.services.screening import Screening
from core.services.storyteller import Storyteller
from core.services.sweeper import Sweeper

log = logging.getLogger(__name__)

ENDPOINT_SETTINGS = frozenset(
    setting.name for setting in (OPENAI_API_KEY, OPENAI_BASE_URL, NARRATOR_MODEL, REFLECTOR_MODEL)
)
"""While one of these is wrong, there is no endpoint to look at."""
FILTER_SETTINGS = frozenset(
    setting.name for setting in (MODERATION_MODEL, MODERATION_BASE_URL, MODERATION_API_KEY)
)
"""The same of the moderation endpoint."""


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
        redis = database or _database(settings, stack)
        vectors = embedder or await _embedder(settings, time, redis, stack)
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
        writer = narrator or _narrator(settings, meter, time, patience, stack)
        await _check(writer)
        looks = content_filter or _content_filter(settings, time, stack)
        if looks is not None:
            await _check_filter(looks)
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
        redis = _database(settings, stack)
        made_for = await redis.recorded_embedder()
        if made_for is None:
            yield None
            return
        for warning in (await redis.prepare(made_for.name, made_for.dims)).warnings:
            log.warning("Redis: %s", warning)
        yield Keeping.of(redis, RedisStoryStore(redis, made_for.dims), SystemClock())


def _database(settings: BotSettings, stack: AsyncExitStack) -> RedisDatabase:
    database = RedisDatabase(settings.redis_url)
    stack.push_async_callback(database.close)
    return database


async def _embedder(
    settings: BotSettings, clock: Clock, redis: RedisDatabase, stack: AsyncExitStack
) -> Embedder:
    """The embedder of the settings, tried out: the index needs the length of its vectors."""
    try:
        if settings.embeddings is Embeddings.OPENAI:
            return await _endpoint_embedder(settings, clock, redis, stack)
        minilm = MiniLMEmbedder()
        stack.callback(minilm.close)
        await minilm.load()
        return minilm
    except EmbedderError as error:
        raise StartError(f"EMBEDDINGS={settings.embeddings}: {error.in_full}") from error


async def _endpoint_embedder(
    settings: BotSettings, clock: Clock, redis: RedisDatabase, stack: AsyncExitStack
) -> Embedder:
    """The endpoint's embedder; while that is down, with the length that the index was made for."""
    client = openai_client(settings.openai_api_key, settings.openai_base_url)
    stack.push_async_callback(client.close)
    model = settings.embedding_model
    endpoint = OpenAIEmbedder(client, model, clock)
    try:
        await endpoint.probe()
    except EmbedderUnavailableError as outage:
        known = await redis.recorded_embedder()
        if known is None or known.name != model:
            address = OPENAI_BASE_URL.shown(settings.openai_base_url or OPENAI_URL)
            raise EmbedderUnavailableError(
                f"{outage.in_full} How long the vectors of EMBEDDING_MODEL {model!r} are isn't "
                f"known before its first answer: start again when {address} answers, or set "
                "EMBEDDINGS=minilm."
            ) from outage
        log.warning(
            "the embeddings' endpoint isn't available yet, stories will wait: %s", outage.in_full
        )
        return OpenAIEmbedder(client, model, clock, known.dims)
    return endpoint


def _narrator(
    settings: BotSettings, meter: Meter, clock: Clock, limits: Limits, stack: AsyncExitStack
) -> Narrator:
    client = openai_client(settings.openai_api_key, settings.openai_base_url)
    stack.push_async_callback(client.close)
    models = Models(settings.narrator_model, settings.reflector_model)
    return OpenAINarrator(client, models, meter, clock, limits)


@dataclass(frozen=True, slots=True)
class Checkups:
    """What looks at the things behind the settings; None where a setting they need is wrong.

    Attributes:
        redis, records: at the server, and at what Talewheel keeps there.
        endpoint: at the models.
        embedder: at the vectors.
        content_filter: at the moderation model; None also where none is set.
    """

    redis: RedisCheckup | None
    records: RedisRecordsCheckup | None
    endpoint: OpenAICheckup | None
    embedder: EmbedderCheckup | None
    content_filter: FilterCheckup | None


def checkups(read: Inspected, stack: AsyncExitStack) -> Checkups:
    """Put together what looks at everything and changes nothing; asks nobody yet.

    Args:
        read: the settings as far as they can be read.
        stack: closes what is opened.
    """
    settings, clock = read.settings, SystemClock()
    redis = records = endpoint = None
    if REDIS_URL.name not in read.faulty:
        redis = RedisCheckup(settings.redis_url)
        stack.push_async_callback(redis.close)
        records = RedisRecordsCheckup(redis)
    if not read.faulty & ENDPOINT_SETTINGS:
        client = openai_client(settings.openai_api_key, settings.openai_base_url)
        stack.push_async_callback(client.close)
        models = Models(settings.narrator_model, settings.reflector_model)
        patience = Limits().patient(settings.model_patience)
        limits = replace(patience, check_s=8, pause_s=0.2, longest_pause_s=1)
        shown = OPENAI_BASE_URL.shown(settings.openai_base_url or OPENAI_URL).strip('"')
        endpoint = OpenAICheckup(client, models, clock, limits, shown)
    embedder = _embedder_checkup(read, records, stack)
    looks = None if read.faulty & FILTER_SETTINGS else _content_filter(settings, clock, stack)
    return Checkups(redis, records, endpoint, embedder, FilterCheckup(looks) if looks else None)


def _embedder_checkup(
    read: Inspected, records: RedisRecordsCheckup | None, stack: AsyncExitStack
) -> EmbedderCheckup | None:
    settings = read.settings
    memory = records.memory if records else _not_known
    if read.faulty & {EMBEDDINGS.name, EMBEDDING_MODEL.name}:
        return None
    if settings.embeddings is Embeddings.MINILM:
        minilm = MiniLMEmbedder()
        stack.callback(minilm.close)
        return EmbedderCheckup(minilm, memory)
    if read.faulty & ENDPOINT_SETTINGS:
        return None
    client = openai_client(settings.openai_api_key, settings.openai_base_url)
    stack.push_async_callback(client.close)
    embedder = OpenAIEmbedder(client, settings.embedding_model, SystemClock())
    return EmbedderCheckup(embedder, memory)


async def _not_known(_: VectorSpace) -> Remembered | None:
    raise NotLookedAtError("Redis can't be asked what the memory was made with")


async def _check(narrator: Narrator) -> None:
    """An endpoint that refuses us is the operator's to mend; one that is down is an outage."""
    try:
        await narrator.check()
    except NarratorRefusedError as error:
        raise StartError(error.in_full) from error
    except NarratorUnavailableError as error:
        log.warning(
            "the narrator's endpoint isn't available yet, stories will wait: %s", error.in_full
        )


def _content_filter(
    settings: BotSettings, clock: Clock, stack: AsyncExitStack
) -> ContentFilter | None:
    if not settings.moderation_model:
        if settings.moderation_base_url or settings.moderation_api_key:
            log.warning("no text is checked: a moderation endpoint is set, but no MODERATION_MODEL")
        return None
    client = openai_client(settings.moderation_api_key, settings.moderation_base_url)
    stack.push_async_callback(client.close)
    return OpenAIContentFilter(client, settings.moderation_model, clock)


async def _check_filter(content_filter: ContentFilter) -> None:
    """Like the narrator's: a refusal is the operator's to mend, an outage is waited out."""
    try:
        await content_filter.check()
    except FilterRefusedError as error:
        raise StartError(error.in_full) from error
    except FilterUnavailableError as error:
        log.warning("the content filter isn't available yet, stories will wait: %s", error.in_full)


# ── stories that travel ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Outbound:
    """What an export needs, opened.

    Attributes:
        export: writes stories into the archive.
        records: which stories there are.
        archive: what was written so far.
    """

    export: Export
    records: StoryRecords
    archive: ArchiveWriter


@asynccontextmanager
async def outbound(
    settings: BotSettings, name: str, version: str, *, vectors: bool, progress: Progress
) -> AsyncGenerator[Outbound]:
    """An export of REDIS_URL's stories; the archive is there once the block was left.

    Nothing but Redis is needed, and nothing in it is changed.

    Args:
        settings: what the operator said.
        name: of the file; "-" for standard output.
        version: this Talewheel's.
        vectors: whether the memory's vectors go with the stories.
        progress: told how far it is.

    Raises:
        StartError: something is wrong that only the operator can mend, in one line.
    """
    async with AsyncExitStack() as stack:
        redis, clock = _database(settings, stack), SystemClock()
        known = await redis.recorded_embedder()
        header = ArchiveHeader(
            at=datetime.fromtimestamp(clock.now(), UTC).isoformat(timespec="seconds"),
            version=version,
            embedder=known.name if known else None,
            dims=known.dims if known else None,
            application=await RedisCommandMemory(redis).get(OWNER),
        )
        archive = stack.enter_context(new_archive(name, header))
        records = RedisRecords(redis, known)
        export = Export(records, archive, clock, vectors=vectors, progress=progress)
        yield Outbound(export, records, archive)


@asynccontextmanager
async def inbound(
    settings: BotSettings, name: str, *, places: Places, replaces: bool, progress: Progress
) -> AsyncGenerator[Import]:
    """An import into REDIS_URL's database, of an archive that was checked to its end.

    Args:
        settings: what the operator said.
        name: of the file; "-" for standard input.
        places: which channels and servers the stories come to.
        replaces: whether stories that differ may be replaced.
        progress: told how far it is.

    Raises:
        StartError: something is wrong that only the operator can mend, in one line.
        ArchiveError: something is wrong with the file.
        RefusedError: another bot has its stories there.
    """
    async with AsyncExitStack() as stack:
        source = stack.enter_context(checked_archive(name))
        redis, clock = _database(settings, stack), SystemClock()
        embedder = await _importing_embedder(settings, clock, redis, source.header, stack)
        await _check_embedder(redis, embedder)
        for warning in (await redis.prepare(embedder.name, embedder.dims)).warnings:
            log.warning("Redis: %s", warning)
        owner = RedisCommandMemory(redis)
        hall = Hall(
            records=RedisRecords(redis, redis.vectors),
            store=RedisStoryStore(redis, embedder.dims),
            imports=RedisImports(redis),
            embedder=embedder,
            clock=clock,
            application=await owner.get(OWNER),
        )
        moving = Import(source, hall, places=places, replaces=replaces, progress=progress)
        if moving.application and hall.application is None:
            await owner.put(OWNER, moving.application)
        yield moving


async def _check_embedder(redis: RedisDatabase, embedder: Embedder) -> None:
    """An import changes nothing for the stories that are there, nor for a bot that runs.

    Raises:
        StartError: the database's memory is searched by another embedder.
    """
    known = await redis.recorded_embedder()
    if known and (known.name, known.dims) != (embedder.name, embedder.dims):
        raise StartError(
            f"The memory in this database is searched by {known}, and EMBEDDINGS and "
            f"EMBEDDING_MODEL name {embedder.name} ({embedder.dims}): set them as for the bot. To "
            "change the embedder start the bot with the other one first."
        )


async def _importing_embedder(
    settings: BotSettings,
    clock: Clock,
    redis: RedisDatabase,
    header: ArchiveHeader,
    stack: AsyncExitStack,
) -> Embedder:
    """The embedder of the settings; an endpoint whose vectors come along isn't asked for any."""
    if settings.embeddings is not Embeddings.OPENAI:
        return await _embedder(settings, clock, redis, stack)
    if not settings.has_endpoint:
        raise StartError(
            "EMBEDDINGS=openai: no endpoint is named; set OPENAI_API_KEY or OPENAI_BASE_URL"
        )
    if header.embedder != settings.embedding_model or header.dims is None:
        return await _embedder(settings, clock, redis, stack)
    client = openai_client(settings.openai_api_key, settings.openai_base_url)
    stack.push_async_callback(client.close)
    return OpenAIEmbedder(client, settings.embedding_model, clock, header.dims)
