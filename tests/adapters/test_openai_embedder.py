"""What an embeddings endpoint may answer, and what becomes of it."""

import json
import struct
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from llmock.pytest_plugin import LLMock
from openai import AsyncOpenAI

from core.adapters.openai_embedder import ATTEMPTS, OpenAIEmbedder
from core.errors import EmbedderError, EmbedderRefusedError, EmbedderUnavailableError
from tests.fakes.clock import FakeClock

Answer = Callable[[httpx2.Request], httpx2.Response]


class Endpoint:
    """Answers each request with the next of its answers, the last for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.clock = FakeClock()

    def embedder(self, dims: int | None = None) -> OpenAIEmbedder:
        transport = httpx2.MockTransport(self._answer)
        client = AsyncOpenAI(
            base_url="http://endpoint.test/v1",
            api_key="sk-secret",
            max_retries=0,
            http_client=httpx2.AsyncClient(transport=transport),
        )
        return OpenAIEmbedder(client, "tiny", self.clock, dims)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)


def gives(*rows: object, order: list[int | None] | None = None) -> Answer:
    numbers = order if order is not None else list(range(len(rows)))
    data = [
        {"object": "embedding", "embedding": row} | ({} if index is None else {"index": index})
        for row, index in zip(rows, numbers, strict=True)
    ]
    return says(200, {"object": "list", "data": data, "model": "tiny"})


def says(status: int, body: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx2.Response(status, json=body, headers=named)


def fails(status: int, code: str | None = None, **headers: str) -> Answer:
    return says(status, {"error": {"message": "key sk-secret", "code": code}}, **headers)


def drops(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused", request=request)


def stalls(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ReadTimeout("slow", request=request)


def text(content: str, kind: str) -> Answer:
    return lambda _request: httpx2.Response(200, text=content, headers={"content-type": kind})


async def test_the_length_is_learned_by_a_probe() -> None:
    embedder = Endpoint(gives([3, 4, 0])).embedder()
    with pytest.raises(EmbedderUnavailableError, match="tiny"):
        _ = embedder.dims
    assert await embedder.probe() == 3
    assert embedder.dims == 3


@pytest.mark.parametrize("language", ["English", "Deutsch", "中文", "Klingon"])
async def test_a_model_of_an_endpoint_is_taken_to_read_every_language(language: str) -> None:
    assert Endpoint(gives([3, 4, 0])).embedder().reads(language)


async def test_vectors_are_normalised_float32() -> None:
    (vector,) = await Endpoint(gives([3, 4])).embedder().embed(["x"])
    assert struct.unpack("<2f", vector) == pytest.approx((0.6, 0.8))


async def test_vectors_are_put_into_the_order_of_their_index() -> None:
    endpoint = Endpoint(gives([0, 1], [1, 0], order=[1, 0]))
    vectors = await endpoint.embedder().embed(["first", "second"])
    assert [struct.unpack("<2f", vector) for vector in vectors] == [(1, 0), (0, 1)]


async def test_vectors_without_an_index_stay_in_the_order_they_came() -> None:
    endpoint = Endpoint(gives([0, 1], [1, 0], order=[None, None]))
    vectors = await endpoint.embedder().embed(["first", "second"])
    assert [struct.unpack("<2f", vector) for vector in vectors] == [(0, 1), (1, 0)]


@pytest.mark.parametrize("known", [None, 2])
async def test_a_vector_of_another_length_is_refused_at_once(known: int | None) -> None:
    endpoint = Endpoint(gives([1, 0]), gives([1, 0, 0]))
    embedder = endpoint.embedder(known)
    await embedder.embed(["x"])
    with pytest.raises(EmbedderRefusedError, match=r"3 numbers.*of 2\..*start the bot again"):
        await embedder.embed(["y"])
    assert len(endpoint.requests) == 2


async def test_it_asks_for_floats_and_never_for_an_empty_text() -> None:
    endpoint = Endpoint(gives([1, 0]))
    await endpoint.embedder().embed([""])
    body = json.loads(endpoint.requests[0].content)
    assert body == {"model": "tiny", "input": [" "], "encoding_format": "float"}


@pytest.mark.parametrize(
    ("answer", "says_what"),
    [
        (fails(401), "OPENAI_API_KEY"),
        (fails(403), "OPENAI_API_KEY"),
        (fails(404), "EMBEDDING_MODEL"),
        (fails(400), "EMBEDDING_MODEL"),
        (fails(429, "insufficient_quota"), "credit"),
    ],
)
async def test_a_final_refusal_is_said_at_once_and_without_the_key(
    answer: Answer, says_what: str
) -> None:
    endpoint = Endpoint(answer)
    with pytest.raises(EmbedderRefusedError, match=says_what) as caught:
        await endpoint.embedder().embed(["x"])
    assert len(endpoint.requests) == 1
    assert "sk-secret" not in str(caught.value)
    assert not caught.value.retryable


FAULTS: dict[str, Answer] = {
    "server error": fails(500),
    "overload": fails(503),
    "rate limit": fails(429),
    "connection refused": drops,
    "no answer in time": stalls,
    "a web page": text("<html>", "text/html"),
    "broken JSON": text('{"data": [', "application/json"),
    "an error inside a 200": says(200, {"error": {"message": "no"}}),
    "too few vectors": gives(),
    "too many vectors": gives([1, 0], [0, 1]),
    "a wrong index": gives([1, 0], order=[5]),
    "words for numbers": gives(["a", "b"]),
    "nothing for numbers": gives(None),
    "base64 although floats were asked for": gives("AACAPwAAAAA="),
    "ragged numbers": gives([[1], [2, 3]]),
    "zeros": gives([0, 0]),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_outage_or_nonsense_is_tried_three_times(fault: str) -> None:
    endpoint = Endpoint(FAULTS[fault])
    with pytest.raises(EmbedderUnavailableError) as caught:
        await endpoint.embedder().embed(["x"])
    assert len(endpoint.requests) == ATTEMPTS == 3
    assert endpoint.clock.slept == [0.5, 2.0]
    assert caught.value.retryable


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_attempt_that_succeeds_is_enough(fault: str) -> None:
    endpoint = Endpoint(FAULTS[fault], gives([1, 0]))
    assert len(await endpoint.embedder().embed(["x"])) == 1
    assert len(endpoint.requests) == 2


async def test_a_wait_that_the_endpoint_asks_for_is_kept() -> None:
    endpoint = Endpoint(fails(429, retry_after="7"), gives([1, 0]))
    await endpoint.embedder().embed(["x"])
    assert endpoint.clock.slept == [7.0]


async def test_a_wait_that_is_too_long_ends_the_attempts() -> None:
    endpoint = Endpoint(fails(429, retry_after="3600"))
    with pytest.raises(EmbedderUnavailableError):
        await endpoint.embedder().embed(["x"])
    assert endpoint.clock.slept == []
    assert len(endpoint.requests) == 1


class TestOverRealHTTP:
    @pytest.fixture
    async def embedder(self, llmock: LLMock) -> AsyncIterator[OpenAIEmbedder]:
        async with AsyncOpenAI(
            base_url=llmock.base_url(), api_key="sk-secret", max_retries=0
        ) as client:
            yield OpenAIEmbedder(client, "text-embedding-3-small", FakeClock())

    async def test_a_busy_endpoint_is_asked_again(
        self, llmock: LLMock, embedder: OpenAIEmbedder
    ) -> None:
        llmock.fail(503, times=2)
        assert await embedder.probe() == 1536
        assert len(llmock.requests) == 3

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, EmbedderRefusedError), (404, EmbedderRefusedError), (500, EmbedderUnavailableError)],
    )
    async def test_errors_are_ours(
        self,
        llmock: LLMock,
        embedder: OpenAIEmbedder,
        status: int,
        kind: type[EmbedderError],
    ) -> None:
        llmock.fail(status, times=None)
        with pytest.raises(kind):
            await embedder.probe()


async def test_an_endpoint_where_nobody_listens_is_an_outage(unused_tcp_port: int) -> None:
    async with AsyncOpenAI(
        base_url=f"http://127.0.0.1:{unused_tcp_port}/v1", api_key="any", max_retries=0
    ) as client:
        with pytest.raises(EmbedderUnavailableError, match="connection"):
            await OpenAIEmbedder(client, "tiny", FakeClock()).probe()
