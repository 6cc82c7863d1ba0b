"""What `talewheel doctor` looks with: everything that a bot would use, and that changes nothing."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from bot.bootstrap.parts import content_filter_of
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
from bot.settings import Inspected
from core.adapters.embedder_checkup import EmbedderCheckup
from core.adapters.filter_checkup import FilterCheckup
from core.adapters.minilm_embedder import MiniLMEmbedder
from core.adapters.openai_checkup import OpenAICheckup
from core.adapters.openai_client import OPENAI_URL, Limits, Models, openai_client
from core.adapters.openai_embedder import OpenAIEmbedder
from core.adapters.redis_checkup import RedisCheckup
from core.adapters.redis_records_checkup import RedisRecordsCheckup, Remembered
from core.adapters.redis_vectors import VectorSpace
from core.adapters.system_clock import SystemClock
from core.domain.checkup import NotLookedAtError

ENDPOINT_SETTINGS = frozenset(
    setting.name for setting in (OPENAI_API_KEY, OPENAI_BASE_URL, NARRATOR_MODEL, REFLECTOR_MODEL)
)
"""While one of these is wrong, there is no endpoint to look at."""
FILTER_SETTINGS = frozenset(
    setting.name for setting in (MODERATION_MODEL, MODERATION_BASE_URL, MODERATION_API_KEY)
)
"""The same of the moderation endpoint."""


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
    looks = None if read.faulty & FILTER_SETTINGS else content_filter_of(settings, clock, stack)
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
