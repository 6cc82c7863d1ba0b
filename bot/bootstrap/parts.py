"""The adapters that a setting means, each made in one place and tried out where that is cheap.

What is opened is closed by the stack that is handed in. Who uses them is decided by the other
modules of this package.
"""

import logging
from contextlib import AsyncExitStack

from bot.setting_table import (
    OPENAI_BASE_URL,
    Embeddings,
)
from bot.settings import BotSettings
from core.adapters.minilm_embedder import MiniLMEmbedder
from core.adapters.openai_client import OPENAI_URL, Limits, Models, openai_client
from core.adapters.openai_content_filter import OpenAIContentFilter
from core.adapters.openai_embedder import OpenAIEmbedder
from core.adapters.openai_narrator import OpenAINarrator
from core.adapters.redis_database import RedisDatabase
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
    Clock,
    ContentFilter,
    Embedder,
    Meter,
    Narrator,
)

log = logging.getLogger(__name__)


def database_of(settings: BotSettings, stack: AsyncExitStack) -> RedisDatabase:
    """REDIS_URL's database, not prepared yet."""
    database = RedisDatabase(settings.redis_url)
    stack.push_async_callback(database.close)
    return database


async def embedder_of(
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


def narrator_of(
    settings: BotSettings, meter: Meter, clock: Clock, limits: Limits, stack: AsyncExitStack
) -> Narrator:
    """The endpoint's narrator."""
    client = openai_client(settings.openai_api_key, settings.openai_base_url)
    stack.push_async_callback(client.close)
    models = Models(settings.narrator_model, settings.reflector_model)
    return OpenAINarrator(client, models, meter, clock, limits)


async def check_narrator(narrator: Narrator) -> None:
    """An endpoint that refuses us is the operator's to mend; one that is down is an outage."""
    try:
        await narrator.check()
    except NarratorRefusedError as error:
        raise StartError(error.in_full) from error
    except NarratorUnavailableError as error:
        log.warning(
            "the narrator's endpoint isn't available yet, stories will wait: %s", error.in_full
        )


def content_filter_of(
    settings: BotSettings, clock: Clock, stack: AsyncExitStack
) -> ContentFilter | None:
    """MODERATION_MODEL's filter; None where none is set."""
    if not settings.moderation_model:
        if settings.moderation_base_url or settings.moderation_api_key:
            log.warning("no text is checked: a moderation endpoint is set, but no MODERATION_MODEL")
        return None
    client = openai_client(settings.moderation_api_key, settings.moderation_base_url)
    stack.push_async_callback(client.close)
    return OpenAIContentFilter(client, settings.moderation_model, clock)


async def check_filter(content_filter: ContentFilter) -> None:
    """Like the narrator's: a refusal is the operator's to mend, an outage is waited out."""
    try:
        await content_filter.check()
    except FilterRefusedError as error:
        raise StartError(error.in_full) from error
    except FilterUnavailableError as error:
        log.warning("the content filter isn't available yet, stories will wait: %s", error.in_full)
