"""What an endpoint may answer about a text, and what becomes of it."""

import contextlib
from collections.abc import AsyncGenerator

import pytest

from core.adapters.openai_client import openai_client
from core.adapters.openai_content_filter import (
    PART_UNITS,
    PARTS_PER_REQUEST,
    REQUEST_S,
    OpenAIContentFilter,
)
from core.errors import FilterRefusedError, FilterUnavailableError
from tests.adapters.raw_llm_server import DROP, HANG, RawLLMServer, Reply, error, gives, says
from tests.e2e.moderation_endpoint import MODEL, result_of
from tests.fakes.clock import FakeClock

KEY = "sk-secret"
TEXT = "She opened the door that no house in this street has."


def results(*flagged: set[str]) -> Reply:
    """An answer with a result for each set of flagged categories."""
    return gives({"id": "m", "model": MODEL, "results": [result_of(one) for one in flagged]})


def answers(*found: object) -> Reply:
    """An answer with these things for results."""
    return gives({"results": list(found)})


class Desk:
    """A filter over a scripted endpoint, and the clock that it waits by."""

    def __init__(self, server: RawLLMServer, content_filter: OpenAIContentFilter) -> None:
        self.server = server
        self.filter = content_filter
        self.clock = FakeClock()

    async def flagged(self, *texts: str) -> tuple[str, ...]:
        return (await self.filter.judge(texts or (TEXT,), adults=False)).refused


@contextlib.asynccontextmanager
async def scripted(*script: Reply, request_s: float = REQUEST_S) -> AsyncGenerator[Desk]:
    async with RawLLMServer(*script) as server, openai_client(KEY, server.base_url) as client:
        clock = FakeClock()
        desk = Desk(server, OpenAIContentFilter(client, MODEL, clock, request_s))
        desk.clock = clock
        yield desk


async def test_it_posts_the_model_and_the_text_with_the_key_and_nothing_else() -> None:
    async with scripted(results(set())) as desk:
        assert await desk.flagged() == ()
        [request] = desk.server.requests
        assert (request.method, request.path) == ("POST", "/v1/moderations")
        assert request.body == {"model": MODEL, "input": [TEXT]}
        assert request.headers["authorization"] == f"Bearer {KEY}"


async def test_a_usual_paragraph_is_one_request_with_one_part() -> None:
    """Twenty sentences, as arXiv 2305.13304 has them."""
    async with scripted(results(set())) as desk:
        await desk.flagged(
            "The lamp had not turned since the ferry left the stone pier, and Mira "
            "counted the dark hours aloud to keep herself awake. " * 20
        )
        assert [len(request.body["input"]) for request in desk.server.requests] == [1]


async def test_long_texts_are_cut_at_sentences_into_parts_of_few_requests() -> None:
    script = [results(*[set[str]()] * PARTS_PER_REQUEST), results({"sexual"})]
    async with scripted(*script) as desk:
        sentence = "It rained on the roof. "
        told = sentence * (PART_UNITS // len(sentence) * (PARTS_PER_REQUEST + 1))
        assert await desk.flagged(told) == ("sexual",)
        sent = [request.body["input"] for request in desk.server.requests]
        assert [len(parts) for parts in sent] == [PARTS_PER_REQUEST, 1]
        parts = [part for one in sent for part in one]
        assert all(len(part) <= PART_UNITS and part.endswith(".") for part in parts)
        assert " ".join(parts) == told.strip()


async def test_what_is_flagged_in_any_part_counts() -> None:
    async with scripted(results({"hate"}, set(), {"sexual", "violence"})) as desk:
        assert await desk.flagged("It rained. " * 800) == ("hate", "sexual")


async def test_categories_without_a_judgement_are_not_flagged() -> None:
    """Models without a category answer null for it."""
    plain = {"flagged": False, "categories": {"illicit": None, "sexual": False}}
    async with scripted(answers(plain)) as desk:
        assert await desk.flagged() == ()


async def test_a_flag_without_a_category_is_refused() -> None:
    """Something is wrong with the text, and nobody says what: that isn't told."""
    async with scripted(answers({"flagged": True, "categories": {"sexual": False}})) as desk:
        assert await desk.flagged() == ("unnamed",)


async def test_a_category_counts_whatever_the_flag_says() -> None:
    async with scripted(answers({"flagged": False, "categories": {"hate": True}})) as desk:
        assert await desk.flagged() == ("hate",)


async def test_a_name_of_the_endpoints_own_is_kept_short_and_plain() -> None:
    """It stands in the log."""
    name = "\x1b[31m" + "witchcraft\n" * 40
    async with scripted(answers({"flagged": True, "categories": {name: True}})) as desk:
        [found] = await desk.flagged()
        assert found.startswith("31mwitchcraft")
        assert len(found) <= 40
        assert found.isalnum()


NONSENSE: dict[str, Reply] = {
    "no JSON": says("<html>hello</html>"),
    "broken JSON": says('{"results": [', "application/json"),
    "no results": gives({}),
    "results that are none": gives({"results": "fine"}),
    "too few results": answers(),
    "too many results": results(set(), set()),
    "a result that is none": answers("fine"),
    "a flag that is a word": answers({"flagged": "no", "categories": {}}),
    "no flag": answers({"categories": {"sexual": False}}),
    "no categories": answers({"flagged": False}),
    "categories in a list": answers({"flagged": False, "categories": ["sexual"]}),
    "a category that is a number": answers({"flagged": False, "categories": {"sexual": 0.01}}),
    "a category that is a word": answers({"flagged": False, "categories": {"sexual": "false"}}),
    "a list": gives([]),
    "null": gives(None),
}


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_never_passes_for_a_verdict(reply: Reply) -> None:
    """It is an outage, tried three times."""
    async with scripted(reply) as desk:
        with pytest.raises(FilterUnavailableError, match="MODERATION_BASE_URL") as caught:
            await desk.flagged()
        assert len(desk.server.requests) == 3
        assert desk.clock.slept == [0.5, 2.0]
        assert "OPENAI_BASE_URL" not in str(caught.value)


OUTAGES: dict[str, Reply] = {
    "too many requests": gives(error("slow down"), 429),
    "a fault": gives(error("oops"), 500),
    "overload": gives(error("busy"), 503),
    "a gateway's page": says("<html>Bad gateway</html>", status=502),
    "an error inside a 200": gives(error("no")),
    "a connection that breaks": Reply([b'{"res', DROP]),
    "no answer at all": Reply([DROP]),
}


@pytest.mark.parametrize("reply", OUTAGES.values(), ids=OUTAGES)
async def test_an_outage_is_tried_three_times(reply: Reply) -> None:
    async with scripted(reply) as desk:
        with pytest.raises(FilterUnavailableError) as caught:
            await desk.flagged()
        assert len(desk.server.requests) == 3
        assert caught.value.retryable


@pytest.mark.parametrize("reply", [*OUTAGES.values(), *NONSENSE.values()])
async def test_an_attempt_that_succeeds_is_enough(reply: Reply) -> None:
    async with scripted(reply, results({"sexual"})) as desk:
        assert await desk.flagged() == ("sexual",)
        assert len(desk.server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "says_what"),
    [
        (gives(error("no", "invalid_api_key"), 401), "MODERATION_API_KEY"),
        (gives(error("no"), 403), "MODERATION_API_KEY"),
        (gives(error("no", "insufficient_quota"), 429), "MODERATION_API_KEY"),
        (gives(error("no", "model_not_found"), 404), "MODERATION_MODEL"),
        (gives(error("no"), 404), "MODERATION_BASE_URL"),
        (gives(error("no"), 400), "MODERATION_MODEL"),
        (gives(error("no", "context_length_exceeded"), 400), "MODERATION_MODEL"),
        (gives(error("no"), 413), "MODERATION_MODEL"),
    ],
)
async def test_a_final_refusal_is_said_at_once_and_names_the_setting(
    reply: Reply, says_what: str
) -> None:
    async with scripted(reply) as desk:
        with pytest.raises(FilterRefusedError, match=says_what) as caught:
            await desk.flagged()
        assert len(desk.server.requests) == 1
        assert not caught.value.retryable


async def test_neither_the_key_nor_the_text_stands_in_an_error() -> None:
    """Endpoints like to quote what they were sent."""
    quoting = gives(error(f"bad key {KEY} for input: {TEXT}"), 500)
    async with scripted(quoting) as desk:
        with pytest.raises(FilterUnavailableError) as caught:
            await desk.flagged()
        assert KEY not in caught.value.in_full
        assert TEXT not in caught.value.in_full


async def test_a_wait_that_the_endpoint_asks_for_is_kept() -> None:
    busy = gives(error("busy"), 429, retry_after="7")
    async with scripted(busy, results(set())) as desk:
        assert await desk.flagged() == ()
        assert desk.clock.slept == [7.0]


async def test_a_wait_that_is_too_long_ends_the_attempts() -> None:
    async with scripted(gives(error("busy"), 429, retry_after="3600")) as desk:
        with pytest.raises(FilterUnavailableError):
            await desk.flagged()
        assert desk.clock.slept == []
        assert len(desk.server.requests) == 1


async def test_an_answer_that_does_not_come_is_an_outage() -> None:
    """Each attempt ends at its limit, and the endpoint isn't kept busy by it."""
    async with scripted(Reply([HANG]), request_s=0.1) as desk:
        with pytest.raises(FilterUnavailableError, match="did not answer in time"):
            await desk.flagged()
        assert len(desk.server.requests) == 3
        await desk.server.hung_up.wait()


async def test_an_endpoint_where_nobody_listens_is_an_outage(unused_tcp_port: int) -> None:
    async with openai_client(KEY, f"http://127.0.0.1:{unused_tcp_port}/v1") as client:
        with pytest.raises(FilterUnavailableError, match="connection"):
            await OpenAIContentFilter(client, MODEL, FakeClock()).judge([TEXT], adults=True)


async def test_a_check_finds_an_endpoint_out_that_takes_one_text_at_a_time() -> None:
    async with scripted(results(set())) as desk:
        with pytest.raises(FilterUnavailableError, match="no answer of the OpenAI API"):
            await desk.filter.check()


async def test_a_check_passes_whatever_is_thought_of_its_words() -> None:
    async with scripted(results({"hate"}, set())) as desk:
        await desk.filter.check()


async def test_a_part_that_is_not_shown_is_never_fine() -> None:
    """The second request of a long text fails: the whole text has no verdict."""
    script = [results(*[set[str]()] * PARTS_PER_REQUEST), gives(error("no"), 401)]
    async with scripted(*script) as desk:
        with pytest.raises(FilterRefusedError):
            await desk.flagged("It rained on the roof. " * 4000)
