"""What exports stories and imports them: needs a Redis, and neither Discord nor a narrator."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.bootstrap.parts import database_of, embedder_of
from bot.client import OWNER
from bot.setting_table import (
    Embeddings,
)
from bot.settings import BotSettings
from core.adapters.archive_file import ArchiveWriter, checked_archive, new_archive
from core.adapters.openai_client import openai_client
from core.adapters.openai_embedder import OpenAIEmbedder
from core.adapters.redis_command_memory import RedisCommandMemory
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_import import RedisImports
from core.adapters.redis_records import RedisRecords
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.system_clock import SystemClock
from core.archive_ports import ArchiveHeader, StoryRecords
from core.domain.moving import Places
from core.errors import (
    StartError,
)
from core.ports import (
    Clock,
    Embedder,
)
from core.services.exporting import Export, Progress
from core.services.importing import Hall, Import

log = logging.getLogger(__name__)


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
        redis, clock = database_of(settings, stack), SystemClock()
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
        redis, clock = database_of(settings, stack), SystemClock()
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
        return await embedder_of(settings, clock, redis, stack)
    if not settings.has_endpoint:
        raise StartError(
            "EMBEDDINGS=openai: no endpoint is named; set OPENAI_API_KEY or OPENAI_BASE_URL"
        )
    if header.embedder != settings.embedding_model or header.dims is None:
        return await embedder_of(settings, clock, redis, stack)
    client = openai_client(settings.openai_api_key, settings.openai_base_url)
    stack.push_async_callback(client.close)
    return OpenAIEmbedder(client, settings.embedding_model, clock, header.dims)
