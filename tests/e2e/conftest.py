"""What the end-to-end tests share: one embedder, loaded once, and worlds over an emptied Redis."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.minilm_embedder import MiniLMEmbedder, find_model
from core.errors import EmbedderRefusedError
from tests.e2e.world import World, opened

Opener = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
def minilm() -> Iterator[MiniLMEmbedder]:
    """The real model."""
    try:
        embedder = MiniLMEmbedder(find_model())
    except EmbedderRefusedError as error:
        pytest.skip(str(error))
    yield embedder
    embedder.close()


@pytest.fixture
def world_of(empty_redis: EmbeddedRedis, minilm: MiniLMEmbedder) -> Opener:
    """Makes a world; settings are given by the names of the environment."""
    return partial(opened, empty_redis, minilm)


@pytest.fixture
async def world(world_of: Opener) -> AsyncGenerator[World]:
    """A world as it is usually."""
    async with world_of() as opened_world:
        yield opened_world
