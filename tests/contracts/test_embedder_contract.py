"""The Embedder's contract, on the fake, on MiniLM and on an OpenAI-compatible endpoint."""

from collections.abc import AsyncIterator, Iterator

import pytest
from llmock.pytest_plugin import LLMock
from openai import AsyncOpenAI

from core.adapters.minilm_embedder import MiniLMEmbedder
from core.adapters.openai_embedder import OpenAIEmbedder
from core.ports import Embedder
from tests.contracts.embedder_contract import EmbedderContract
from tests.fakes.clock import FakeClock
from tests.fakes.embedder import FakeEmbedder


class TestFakeEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return FakeEmbedder()


class TestMiniLMEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Iterator[Embedder]:
        embedder = MiniLMEmbedder()
        yield embedder
        embedder.close()


class TestOpenAIEmbedder(EmbedderContract):
    @pytest.fixture
    async def embedder(self, llmock: LLMock) -> AsyncIterator[Embedder]:
        client = AsyncOpenAI(base_url=llmock.base_url(), api_key="any", max_retries=0)
        async with client:
            embedder = OpenAIEmbedder(client, "text-embedding-3-small", FakeClock())
            await embedder.probe()
            yield embedder
