"""What endpoints do to a narrator, and what becomes of it: one test per trap, over real sockets.

llmock plays the endpoint where it can, a raw loopback server where bytes matter. Pauses between
attempts are the fake clock's; deadlines are real and short.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import httpx2
import pytest
from llmock.pytest_plugin import LLMock
from llmock.scenarios import Reply as Scripted
from openai import AsyncOpenAI

from core.adapters.openai_calls import EXPECTED_ANSWER_TOKENS
from core.adapters.openai_client import Limits, Models, Profile, TokenLimit, openai_client
from core.adapters.openai_narrator import OpenAINarrator
from core.domain.entries import EntryKind, Recalled
from core.domain.prompts import (
    CHAPTER_FORM,
    PLANS_FORM,
    REFLECTION_FORM,
    paragraph_messages,
    reflection_messages,
)
from core.domain.recurrence import StepContext
from core.domain.story import Brief, Opening, Plan, Reflection, Usage
from core.domain.tokens import estimate_tokens
from core.errors import (
    BudgetSpentError,
    NarratorError,
    NarratorRefusedError,
    NarratorUnavailableError,
)
from core.ports import Narrator, Written
from tests.adapters.raw_llm_server import (
    DONE,
    DROP,
    HANG,
    PING,
    RawLLMServer,
    Reply,
    chunk,
    completion,
    error,
    event,
    figures,
    for_ever,
    gives,
    says,
    streams,
)
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter

KEY = "sk-very-secret-key"
MODEL = "gpt-4o"
TEXT = "The lamp had not turned since the ferry left. Mira counted the dark, and came to nine."
CONTEXT = StepContext(
    brief=Brief("A lighthouse at the end of the season.", title="The Lamp"),
    number=2,
    sentences=5,
    memory="Mira keeps the lamp.",
    previous="The ferry left.",
    plan=Plan("Down the stair", "Mira goes down the iron stair."),
)
ANSWER: dict[str, Any] = {
    "rationale": "The ferry matters no more; the dark lamp does.",
    "memory": "Mira keeps the lamp. The lamp is dark.",
    "summary": "Mira found the lamp dark and counted to nine.",
    "facts": [{"about": "lamp", "fact": "The lamp is dark.", "ends": ["F2"]}],
    "plan_1": {"title": "The keeper's ledger", "text": "Mira reads the last page."},
    "plan_2": {"title": "Signal the ferry", "text": "She lights the lamp by hand."},
    "plan_3": {"title": "The ninth dark", "text": "The dark counts back at her."},
}
TWINS = ANSWER | {"plan_3": ANSWER["plan_1"]}
PLANS = {name: plan for name, plan in ANSWER.items() if name.startswith("plan_")}
REFUSED = [Plan(f"Down {n}", f"She goes down the iron stair by way {n}.") for n in (1, 2, 3)]
LOOKING_BACK = replace(
    CONTEXT,
    number=10,
    ledger=(Recalled("t3", 3, "The lamp is lit.", 0.9, EntryKind.FACT, 4, "lamp"),),
    touched=(Recalled("t5", 5, "The lamp has oil.", 0.8, EntryKind.FACT, 1, "lamp"),),
    stretch=(Recalled("t9", 9, "The ferry left.", 0.0),),
)
"""The context of a reflection with facts to end and a chapter to tell."""
SHORT_SILENCE = Limits(first_text_s=0.4)
SHORT_IDLE = Limits(idle_s=0.2)
SHORT_WHOLE = Limits(write_s=0.6)


class Bench:
    """A narrator with everything that surrounds it."""

    def __init__(self, base_url: str) -> None:
        self.clock = FakeClock()
        self.meter = FakeMeter()
        self.shown: list[str] = []
        self.client = openai_client(KEY, base_url)
        self.narrator = self.make()

    def make(
        self,
        models: Models | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        profile: Profile = Profile(),  # noqa: B008 - frozen
    ) -> OpenAINarrator:
        models = models or Models(MODEL, MODEL)
        self.narrator = OpenAINarrator(self.client, models, self.meter, self.clock, limits, profile)
        return self.narrator

    async def write(self) -> Written:
        return await self.narrator.write(CONTEXT, self.shown.append)

    async def reflect(self) -> tuple[Reflection, Usage]:
        return await self.narrator.reflect(CONTEXT, TEXT)

    async def replan(self) -> tuple[tuple[Plan, ...], Usage]:
        return await self.narrator.replan(CONTEXT, TEXT, REFUSED, ["They lead to one place."])

    async def fails(self, kind: type[NarratorError], call: Callable[[], Awaitable[object]]) -> str:
        """What a call fails with, in full; it says no key, and its sentence is all ours."""
        with pytest.raises(kind) as caught:
            await call()
        error = caught.value
        assert KEY not in error.in_full
        assert str(error).endswith(".")
        assert "\n" not in error.in_full
        assert not error.said or error.said not in str(error)
        return error.in_full


@pytest.fixture
async def mocked(llmock: LLMock) -> AsyncIterator[Bench]:
    """A narrator before llmock."""
    bench = Bench(llmock.base_url())
    async with bench.client:
        yield bench


def bodies(llmock: LLMock) -> list[Any]:
    return [request.body for request in llmock.requests]


class Raw:
    """A narrator before a raw server; an async context manager."""

    def __init__(self, *script: Reply) -> None:
        self.server = RawLLMServer(*script)

    async def __aenter__(self) -> tuple[Bench, RawLLMServer]:
        await self.server.__aenter__()
        self.bench = Bench(self.server.base_url)
        return self.bench, self.server

    async def __aexit__(self, *_: object) -> None:
        await self.bench.client.close()
        await self.server.__aexit__(None, None, None)


def prompt_tokens() -> int:
    return sum(4 + estimate_tokens(message.content) for message in paragraph_messages(CONTEXT))


def reflection_tokens() -> int:
    return sum(
        4 + estimate_tokens(message.content) for message in reflection_messages(CONTEXT, TEXT)
    )


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_paragraph_streams_and_its_reported_cost_is_counted(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.reply(TEXT)
    written = await mocked.write()
    assert written.text == TEXT
    assert mocked.shown[-1] == TEXT
    assert all(TEXT.startswith(text) for text in mocked.shown)
    assert len(mocked.shown) > 10
    usage = written.usage
    assert usage.calls == 1
    assert usage.prompt_tokens > 100
    assert usage.completion_tokens > 10
    assert usage.first_text_s is not None
    assert (mocked.meter.admitted, mocked.meter.charged) == (1, [usage.tokens])


async def test_a_request_carries_the_prompt_and_no_sampling_parameter(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.reply(TEXT)
    await mocked.write()
    [body] = bodies(llmock)
    said = [{"role": m.role, "content": m.content} for m in paragraph_messages(CONTEXT)]
    assert body == {
        "model": MODEL,
        "messages": said,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_a_profile_decides_caps_temperature_and_figures(
    mocked: Bench, llmock: LLMock
) -> None:
    profile = Profile(TokenLimit.MAX_COMPLETION_TOKENS, 700, 900, 0.5, stream_usage=False)
    mocked.make(profile=profile)
    llmock.reply(TEXT).reply(json.dumps(ANSWER))
    await mocked.write()
    await mocked.reflect()
    writing, reflecting = bodies(llmock)
    assert (writing["max_completion_tokens"], reflecting["max_completion_tokens"]) == (700, 900)
    assert (writing["temperature"], reflecting["temperature"]) == (0.5, 0.5)
    assert "stream_options" not in writing
    assert "max_tokens" not in writing


async def test_seconds_to_first_text_and_in_all_are_measured() -> None:
    async with Raw(streams(chunk(""), chunk(TEXT), chunk(finish="stop"), DONE)) as (bench, _):

        def on_text(_text: str) -> None:
            bench.clock.advance(2.0)

        written = await bench.narrator.write(CONTEXT, on_text)
        assert written.usage.first_text_s == 0.0
        assert written.usage.total_s == 2.0


@pytest.mark.parametrize("fault", ["truncate", "disconnect", "corrupt"])
async def test_a_stream_that_breaks_once_is_written_again(
    mocked: Bench, llmock: LLMock, fault: str
) -> None:
    llmock.reply(TEXT, times=2)
    getattr(llmock, fault)(after_chunks=6)
    written = await mocked.write()
    assert written.text == TEXT
    assert len(llmock.requests) == 2
    assert written.usage.calls == 2
    # The broken one was surely paid for: its prompt and what came of it.
    broken, whole = mocked.meter.charged
    assert broken > prompt_tokens()
    assert broken + whole == written.usage.tokens
    assert mocked.clock.slept == [1.0]


@pytest.mark.parametrize(
    ("fault", "says_so"),
    [
        ("truncate", "ended before its end, without saying why"),
        ("disconnect", "The connection to the narrator failed"),
        ("corrupt", "no answer of the OpenAI API"),
    ],
)
async def test_a_stream_that_breaks_twice_is_an_outage(
    mocked: Bench, llmock: LLMock, fault: str, says_so: str
) -> None:
    llmock.reply(TEXT, times=2)
    getattr(llmock, fault)(after_chunks=3, times=2)
    assert says_so in await mocked.fails(NarratorUnavailableError, mocked.write)
    assert len(llmock.requests) == 2
    assert len(mocked.meter.charged) == 2
    assert min(mocked.meter.charged) >= prompt_tokens()


async def test_a_stream_that_stalls_is_given_up_after_the_idle_limit(
    mocked: Bench, llmock: LLMock
) -> None:
    mocked.make(limits=SHORT_IDLE)
    llmock.reply(TEXT, times=2).stall(after_chunks=4, seconds=5, times=2)
    sentence = await mocked.fails(NarratorUnavailableError, mocked.write)
    assert "did not answer in time (NARRATOR_MODEL 'gpt-4o')" in sentence
    assert mocked.meter.admitted == 2
    assert min(mocked.meter.charged) > prompt_tokens()


async def test_a_first_text_that_is_late_is_given_up(mocked: Bench, llmock: LLMock) -> None:
    mocked.make(limits=SHORT_SILENCE)
    llmock.reply(TEXT, times=2).slow_first_token(5, times=2)
    assert "in time" in await mocked.fails(NarratorUnavailableError, mocked.write)
    assert mocked.meter.charged == [prompt_tokens()] * 2
    assert mocked.shown == []


async def test_keep_alive_comments_do_not_feed_the_watchdog() -> None:
    pings = for_ever(PING, 0.02)
    async with Raw(pings) as (bench, server):
        bench.make(limits=SHORT_SILENCE)
        async with asyncio.timeout(5):
            assert "in time" in await bench.fails(NarratorUnavailableError, bench.write)
        assert len(server.requests) == 2


async def test_thoughts_do_not_feed_the_watchdog() -> None:
    thinking = for_ever(chunk(reasoning_content="hm "), 0.02)
    async with Raw(thinking) as (bench, _):
        bench.make(limits=SHORT_SILENCE)
        async with asyncio.timeout(5):
            assert "in time" in await bench.fails(NarratorUnavailableError, bench.write)
        assert bench.shown == []
        assert min(bench.meter.charged) > prompt_tokens()


async def test_text_that_never_ends_meets_the_deadline_of_the_whole() -> None:
    async with Raw(for_ever(chunk("on and "), 0.02)) as (bench, server):
        bench.make(limits=SHORT_WHOLE)
        async with asyncio.timeout(5):
            assert "in time" in await bench.fails(NarratorUnavailableError, bench.write)
        assert len(server.requests) == 2
        assert len(bench.shown[-1]) > len("on and ") * 5


async def test_an_answer_cut_off_at_its_length_is_unusable(mocked: Bench, llmock: LLMock) -> None:
    llmock.add(Scripted(text=TEXT, finish_reason="length", times=2))
    sentence = await mocked.fails(NarratorUnavailableError, mocked.write)
    assert "gave no usable paragraph: It was cut off" in sentence
    assert len(llmock.requests) == len(mocked.meter.charged) == 2


async def test_a_paragraph_that_breaks_off_is_written_again(mocked: Bench, llmock: LLMock) -> None:
    llmock.reply("Mira opened the door and").reply(TEXT)
    written = await mocked.write()
    assert (written.text, written.usage.calls) == (TEXT, 2)


async def test_a_paragraph_that_repeats_is_asked_for_once_more_with_the_reason(
    mocked: Bench, llmock: LLMock
) -> None:
    context = replace(CONTEXT, previous=TEXT)
    llmock.reply(TEXT).reply("Down the stair it was warm.")
    written = await mocked.narrator.write(context, mocked.shown.append)
    assert written.text == mocked.shown[-1] == "Down the stair it was warm."
    assert written.usage.calls == 2
    first, second = (body["messages"] for body in bodies(llmock))
    assert [message["role"] for message in second] == ["system", "user"]
    assert second[1]["content"].startswith(first[1]["content"])
    assert "- The paragraph repeats the previous one" in second[1]["content"]
    assert sum(mocked.meter.charged) == written.usage.tokens


async def test_a_paragraph_that_repeats_twice_is_unusable(mocked: Bench, llmock: LLMock) -> None:
    context = replace(CONTEXT, previous=TEXT)
    llmock.reply(TEXT, times=None)
    sentence = await mocked.fails(
        NarratorUnavailableError, lambda: mocked.narrator.write(context, mocked.shown.append)
    )
    assert "gave no usable paragraph: The paragraph repeats the previous one" in sentence
    assert len(llmock.requests) == 2


async def test_an_empty_paragraph_is_unusable(mocked: Bench, llmock: LLMock) -> None:
    llmock.add(Scripted(text="  \n", times=2))
    assert "The paragraph is empty." in await mocked.fails(NarratorUnavailableError, mocked.write)
    assert len(llmock.requests) == 2


async def test_a_content_filter_is_final(mocked: Bench, llmock: LLMock) -> None:
    llmock.add(Scripted(text="Mira", finish_reason="content_filter"))
    sentence = await mocked.fails(NarratorRefusedError, mocked.write)
    assert "refused this content: change the plan" in sentence
    assert len(llmock.requests) == 1
    assert len(mocked.meter.charged) == 1
    assert mocked.meter.spent > 0


async def test_a_refusal_in_a_stream_is_final() -> None:
    refusal = streams(chunk(refusal="I can't write that."), chunk(finish="stop"), DONE)
    async with Raw(refusal) as (bench, server):
        assert "refused this content" in await bench.fails(NarratorRefusedError, bench.write)
        assert len(server.requests) == 1
        assert bench.shown == []


async def test_a_content_policy_error_is_final(mocked: Bench, llmock: LLMock) -> None:
    llmock.fail(400, code="content_policy_violation", message="Flagged.")
    assert "refused this content" in await mocked.fails(NarratorRefusedError, mocked.write)
    assert (len(llmock.requests), mocked.meter.charged) == (1, [0])


async def test_an_end_for_an_unknown_reason_is_no_end() -> None:
    tools = streams(chunk(TEXT), chunk(finish="tool_calls"), DONE)
    async with Raw(tools) as (bench, server):
        sentence = await bench.fails(NarratorUnavailableError, bench.write)
        assert "for a reason of its own ('gpt-4o'). It said: \"tool_calls\"." in sentence
        assert len(server.requests) == 2


async def test_an_error_inside_a_stream_is_read() -> None:
    overloaded = streams(chunk("Mira"), event(error("overloaded")), DONE)
    async with Raw(overloaded, streams(event(error("none left", "insufficient_quota")))) as (
        bench,
        server,
    ):
        sentence = await bench.fails(NarratorRefusedError, bench.write)
        assert "no credit left" in sentence
        assert len(server.requests) == 2
        assert bench.meter.charged[0] > prompt_tokens()


async def test_an_error_inside_a_200_instead_of_a_stream_is_read() -> None:
    async with Raw(gives(error("GPU fell off"))) as (bench, server):
        sentence = await bench.fails(NarratorUnavailableError, bench.write)
        assert 'reported an error instead of an answer. It said: "GPU fell off".' in sentence
        assert len(server.requests) == 2


async def test_a_server_that_does_not_stream_is_taken_whole() -> None:
    async with Raw(gives(completion(TEXT))) as (bench, _):
        written = await bench.write()
        assert (written.text, bench.shown) == (TEXT, [TEXT])
        assert bench.meter.charged == [120]


@pytest.mark.parametrize(
    "reply",
    [
        says("<html>Sign in</html>"),
        says("<html>Sign in</html>", "application/json"),
        streams(event([1, 2]), event("?"), event(None), DONE),
        gives(None),
        streams(b"data: \xff\xfe\n\n"),
    ],
    ids=["html", "html as json", "json of no meaning", "null", "bytes that are no text"],
)
async def test_nonsense_instead_of_a_stream_is_an_outage(reply: Reply) -> None:
    async with Raw(reply) as (bench, server):
        sentence = await bench.fails(NarratorUnavailableError, bench.write)
        assert "no answer of the OpenAI API: if this goes on, check OPENAI_BASE_URL" in sentence
        assert len(server.requests) == len(bench.meter.charged) == 2


async def test_chunks_without_choices_are_skipped_and_cached_tokens_counted() -> None:
    verdict = event({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]})
    reply = streams(verdict, chunk(TEXT), chunk(finish="stop"), figures(900, 40, 768), DONE)
    async with Raw(reply) as (bench, _):
        usage = (await bench.write()).usage
        assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (900, 768, 40)
        assert bench.meter.charged == [940]


async def test_reported_tokens_come_with_the_bytes_of_their_prompt() -> None:
    """As they were sent: what a token's size is told by."""
    reply = streams(chunk(TEXT), chunk(finish="stop"), figures(900, 40), DONE)
    context = replace(CONTEXT, memory="守灯人 \ud800 keeps the lamp.")
    async with Raw(reply, gives(completion(json.dumps(ANSWER)))) as (bench, server):
        written = await bench.narrator.write(context, bench.shown.append)
        _, reflected = await bench.narrator.reflect(context, TEXT)
        for usage, request in zip((written.usage, reflected), server.requests, strict=True):
            sent = [message["content"] for message in request.body["messages"]]
            assert usage.prompt_bytes == sum(len(content.encode()) for content in sent)


@pytest.mark.parametrize(
    "end",
    [
        (),
        (event({"choices": [], "usage": None}),),
        (figures(0, 0),),
        (figures(0, 40),),
        (event({"choices": [], "usage": {"completion_tokens": 40}}),),
        (event({"choices": [], "usage": {"prompt_tokens": "900", "completion_tokens": 40}}),),
    ],
    ids=["no figures", "null", "zeros", "no prompt", "one half", "text"],
)
async def test_where_no_tokens_of_the_prompt_are_reported_its_bytes_are_not_either(
    end: tuple[bytes, ...],
) -> None:
    """An estimate must not correct itself."""
    async with Raw(streams(chunk(TEXT), chunk(finish="stop"), *end, DONE)) as (bench, _):
        assert (await bench.write()).usage.prompt_bytes == 0


async def test_a_try_without_figures_makes_the_whole_call_no_measurement() -> None:
    """Its tokens are in the sum, so the bytes of the other try would belong to too many."""
    broken = streams(chunk("The lamp "), DROP)
    whole = streams(chunk(TEXT), chunk(finish="stop"), figures(900, 40), DONE)
    async with Raw(broken, whole) as (bench, _):
        usage = (await bench.write()).usage
        assert (usage.calls, usage.prompt_bytes) == (2, 0)
        assert usage.prompt_tokens == 900 + prompt_tokens()
    async with Raw(whole, whole) as (bench, _):
        usage = (await bench.write()).usage + (await bench.write()).usage
        assert (usage.prompt_tokens, usage.prompt_bytes > 0) == (1800, True)


async def test_where_no_figures_come_the_cost_is_estimated() -> None:
    reply = streams(chunk(reasoning_content="hm" * 100), chunk(TEXT), chunk(finish="stop"), DONE)
    async with Raw(reply) as (bench, _):
        usage = (await bench.write()).usage
        assert usage.prompt_tokens == prompt_tokens()
        assert usage.completion_tokens == estimate_tokens("hm" * 100 + TEXT)
        assert bench.meter.charged == [usage.tokens]


@pytest.mark.parametrize("end", [HANG, DROP, b"data: {broken\n\n"], ids=["hang", "drop", "corrupt"])
async def test_a_finished_paragraph_is_kept_when_its_figures_never_come(end: Any) -> None:
    async with Raw(streams(chunk(TEXT), chunk(finish="stop"), 0.05, end)) as (bench, server):
        bench.make(limits=Limits(bill_s=0.1))
        assert (await bench.write()).text == TEXT
        assert len(server.requests) == 1
        assert bench.meter.spent > prompt_tokens()


async def test_thoughts_and_fences_are_never_shown() -> None:
    parts = [
        "<th",
        "ink>Let me",
        " see</thi",
        "nk>\n``",
        "`text\n",
        TEXT[:9],
        TEXT[9:],
        "\n``",
        "`",
    ]
    reply = streams(*map(chunk, parts), chunk(finish="stop"), DONE)
    async with Raw(reply) as (bench, _):
        assert (await bench.write()).text == TEXT
        assert bench.shown == [TEXT[:9].strip(), TEXT]


async def test_content_in_parts_is_text_without_its_thoughts() -> None:
    parts = [{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": TEXT}]
    async with Raw(streams(chunk(parts), chunk(finish="stop"), DONE)) as (bench, _):
        assert (await bench.write()).text == TEXT


async def test_a_character_cut_in_two_is_joined() -> None:
    halves = "It shone \ud83c", "\udf1f there."
    async with Raw(streams(*map(chunk, halves), chunk(finish="stop"), DONE)) as (bench, _):
        assert (await bench.write()).text == "It shone 🌟 there."
        assert bench.shown == ["It shone", "It shone 🌟 there."]


async def test_cancelling_closes_the_stream_and_counts_what_was_spent() -> None:
    async with Raw(streams(chunk("The lamp "), HANG)) as (bench, server):
        begun = asyncio.Event()
        task = asyncio.ensure_future(bench.narrator.write(CONTEXT, lambda _: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await server.hung_up.wait()
        assert bench.meter.charged == [prompt_tokens() + estimate_tokens("The lamp ")]


# ── failures that every call shares ──────────────────────────────────────────────────────────────


async def test_retry_after_is_obeyed(mocked: Bench, llmock: LLMock) -> None:
    llmock.rate_limit(retry_after=7).reply(TEXT)
    written = await mocked.write()
    assert (written.text, written.usage.calls) == (TEXT, 2)
    assert mocked.clock.slept == [7.0]
    assert mocked.meter.charged[0] == 0
    assert len(llmock.requests) == 2


async def test_retry_after_may_be_a_date() -> None:
    date = formatdate(FakeClock().now() + 30, usegmt=True)
    ok = streams(chunk(TEXT), chunk(finish="stop"), DONE)
    async with Raw(gives(error("busy"), 429, retry_after=date), ok) as (bench, _):
        await bench.write()
        assert bench.clock.slept == [30.0]


async def test_a_retry_after_beyond_the_cap_counts_as_an_outage(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.rate_limit(retry_after=61, times=None)
    sentence = await mocked.fails(NarratorUnavailableError, mocked.write)
    assert "has too many requests (status 429)" in sentence
    assert (len(llmock.requests), mocked.clock.slept) == (1, [])


async def test_pauses_between_attempts_double(mocked: Bench, llmock: LLMock) -> None:
    llmock.outage(status=500)
    sentence = await mocked.fails(NarratorUnavailableError, mocked.reflect)
    assert "The narrator failed (status 500)" in sentence
    assert len(llmock.requests) == 4
    assert mocked.clock.slept == [1.0, 2.0, 4.0]
    assert mocked.meter.charged == [0, 0, 0, 0]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_an_overloaded_endpoint_is_asked_again(
    mocked: Bench, llmock: LLMock, status: int
) -> None:
    llmock.fail(status).reply(TEXT)
    assert (await mocked.write()).text == TEXT
    assert len(llmock.requests) == len(mocked.meter.charged) == 2


@pytest.mark.parametrize(
    ("status", "code", "message", "says_so"),
    [
        (401, "invalid_api_key", f"Wrong key {KEY}", "refused the key: check OPENAI_API_KEY"),
        (403, None, f"Wrong key {KEY}", "refused the key: check OPENAI_API_KEY"),
        (400, None, f"API key not valid: {KEY}", "refused the key: check OPENAI_API_KEY"),
        (429, "insufficient_quota", "Quota exceeded", "no credit left: top it up"),
        (402, None, "Pay", "no credit left: top it up"),
        (404, "model_not_found", "?", "not know the model 'gpt-4o': set NARRATOR_MODEL"),
        (404, None, "The model `x` does not exist", "not know the model 'gpt-4o'"),
        (400, None, "model 'x' not found", "not know the model 'gpt-4o': set NARRATOR_MODEL"),
        (404, None, "Not Found", "nothing at this address (status 404): check OPENAI_BASE_URL"),
        (400, "context_length_exceeded", "?", "can't take a text this long: set NARRATOR_MODEL"),
        (400, None, "exceeds the context size", "can't take a text this long"),
        (
            400,
            None,
            f"Odd {KEY} \n thing",
            "check NARRATOR_MODEL 'gpt-4o' and OPENAI_BASE_URL. It said: \"Odd … thing\".",
        ),
    ],
)
async def test_what_no_retry_mends_is_final(
    mocked: Bench, llmock: LLMock, status: int, code: str | None, message: str, says_so: str
) -> None:
    llmock.fail(status, code=code, message=message, times=None)
    assert says_so in await mocked.fails(NarratorRefusedError, mocked.write)
    assert len(llmock.requests) == 1
    assert mocked.meter.charged == [0]
    assert mocked.clock.slept == []


async def test_an_endpoint_that_is_not_there_is_an_outage(unused_tcp_port: int) -> None:
    bench = Bench(f"http://127.0.0.1:{unused_tcp_port}/v1")
    async with bench.client:
        sentence = await bench.fails(NarratorUnavailableError, bench.write)
        assert "The connection to the narrator failed: if this goes on, check OPENAI" in sentence
        assert "It said: " in sentence
        assert bench.meter.charged == [0, 0]


async def test_an_address_without_a_scheme_is_a_mistake() -> None:
    bench = Bench("localhost:8000/v1")
    async with bench.client:
        sentence = await bench.fails(NarratorRefusedError, bench.write)
        assert "OPENAI_BASE_URL must be an address that begins with http:// or https://" in sentence


@pytest.mark.parametrize(
    "reply",
    [
        Reply([DROP]),
        Reply([b'{"choices": [{"mess', DROP]),
        gives(error("gateway time-out"), 504),
        says("<html>", status=524),
    ],
    ids=["reset before a byte", "reset half-way", "504", "524"],
)
async def test_an_answer_that_was_lost_is_counted_as_spent(reply: Reply) -> None:
    """The endpoint may have worked on the prompt: the day's cap counts it by estimate."""
    async with Raw(reply) as (bench, _):
        await bench.fails(NarratorUnavailableError, bench.reflect)
        assert bench.meter.charged == [reflection_tokens()] * 4
        await bench.fails(NarratorUnavailableError, bench.write)
        assert bench.meter.charged[4:] == [prompt_tokens()] * 2


async def test_an_error_whose_body_never_comes_is_an_outage() -> None:
    async with Raw(Reply([b'{"error"', HANG], 500)) as (bench, server):
        client = AsyncOpenAI(
            api_key=KEY, base_url=server.base_url, max_retries=0, timeout=httpx2.Timeout(0.1)
        )
        async with client:
            narrator = OpenAINarrator(client, Models(MODEL, MODEL), bench.meter, bench.clock)
            await bench.fails(
                NarratorUnavailableError, lambda: narrator.write(CONTEXT, bench.shown.append)
            )
        assert len(server.requests) == 2


async def test_nothing_is_sent_once_the_budget_is_spent(mocked: Bench, llmock: LLMock) -> None:
    mocked.meter = FakeMeter(cap=0)
    narrator = mocked.make()
    for call in (mocked.write, mocked.reflect, lambda: narrator.open(CONTEXT.brief)):
        with pytest.raises(BudgetSpentError):
            await call()
    assert llmock.requests == []


@pytest.mark.parametrize("attempts_before", [0, 1])
async def test_a_budget_spent_says_whether_the_call_had_sent_anything(
    mocked: Bench, llmock: LLMock, attempts_before: int
) -> None:
    mocked.meter = FakeMeter(cap=attempts_before)
    mocked.make()
    llmock.truncate(after_chunks=1, times=None).reply(json.dumps(TWINS), times=None)
    for call in (mocked.write, mocked.reflect):
        mocked.meter.turn_day()
        with pytest.raises(BudgetSpentError) as caught:
            await call()
        assert caught.value.sent == bool(attempts_before)


async def test_what_a_request_may_cost_is_set_aside_for_its_model(
    mocked: Bench, llmock: LLMock
) -> None:
    """Prompt and an answer of about a reflection's length, under the name that has a price."""
    llmock.reply(TEXT).reply(json.dumps(ANSWER))
    await mocked.write()
    await mocked.reflect()
    assert mocked.meter.models == [MODEL, MODEL]
    assert mocked.meter.expected == [
        prompt_tokens() + EXPECTED_ANSWER_TOKENS,
        reflection_tokens() + EXPECTED_ANSWER_TOKENS,
    ]


async def test_the_budget_is_asked_before_every_attempt(mocked: Bench, llmock: LLMock) -> None:
    mocked.meter = FakeMeter(cap=1)
    mocked.make()
    llmock.reply(TEXT).truncate(after_chunks=3)
    with pytest.raises(BudgetSpentError):
        await mocked.write()
    assert len(llmock.requests) == 1


# ── reflecting ───────────────────────────────────────────────────────────────────────────────────


async def test_a_reflection_is_asked_by_strict_schema_and_counted(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.reply(json.dumps(ANSWER))
    reflection, usage = await mocked.reflect()
    assert reflection.memory == ANSWER["memory"]
    assert [plan.title for plan in reflection.plans] == [
        ANSWER[f"plan_{n}"]["title"] for n in (1, 2, 3)
    ]
    [body] = bodies(llmock)
    assert body["response_format"]["json_schema"] == {
        "name": "reflection",
        "schema": REFLECTION_FORM.schema,
        "strict": True,
    }
    assert "stream" not in body
    assert (usage.calls, usage.first_text_s) == (1, None)
    assert mocked.meter.charged == [usage.tokens]


async def test_a_reflection_goes_on_from_the_messages_of_the_paragraph(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.reply(TEXT).reply(json.dumps(ANSWER))
    await mocked.write()
    await mocked.reflect()
    writing, reflecting = (body["messages"] for body in bodies(llmock))
    assert reflecting[: len(writing)] == writing
    assert reflecting[len(writing)] == {"role": "assistant", "content": TEXT}


async def test_a_chapter_and_facts_are_asked_for_and_their_labels_resolved(
    mocked: Bench, llmock: LLMock
) -> None:
    """By the facts that the prompt showed, those first that the paragraph was written with."""
    told = {"chapter": "The season ended."}
    llmock.reply(json.dumps(ANSWER | told))
    reflection, _ = await mocked.narrator.reflect(LOOKING_BACK, TEXT)
    assert reflection.chapter == "The season ended."
    assert [fact.ends for fact in reflection.facts] == [("t5/1",)]
    [body] = bodies(llmock)
    assert body["response_format"]["json_schema"]["schema"] == CHAPTER_FORM.schema
    assert "F2 (since turn 5) The lamp has oil." in body["messages"][-1]["content"]


async def test_a_missing_chapter_is_asked_for_once_more(mocked: Bench, llmock: LLMock) -> None:
    llmock.reply(json.dumps(ANSWER)).reply(json.dumps(ANSWER | {"chapter": "The season ended."}))
    reflection, usage = await mocked.narrator.reflect(LOOKING_BACK, TEXT)
    assert (reflection.chapter, usage.calls) == ("The season ended.", 2)
    assert '"chapter" is missing' in bodies(llmock)[1]["messages"][-1]["content"]


async def test_where_no_chapter_is_asked_for_none_is_taken(mocked: Bench, llmock: LLMock) -> None:
    llmock.reply(json.dumps(ANSWER | {"chapter": "The season ended."}))
    reflection, _ = await mocked.reflect()
    assert reflection.chapter == ""
    schema = bodies(llmock)[0]["response_format"]["json_schema"]["schema"]
    assert "chapter" not in schema["properties"]


@pytest.mark.parametrize(
    ("facts", "says_so"),
    [
        (None, '"facts" is missing'),
        ("The lamp is dark.", '"facts" is missing'),
        (["The lamp is dark."], '"facts[1]" must be an object'),
        ([{"about": "lamp"}], '"facts[1].fact" is missing or empty'),
    ],
)
async def test_facts_with_faults_are_asked_for_once_more(
    mocked: Bench, llmock: LLMock, facts: object, says_so: str
) -> None:
    llmock.reply(json.dumps(ANSWER | {"facts": facts})).reply(json.dumps(ANSWER))
    reflection, usage = await mocked.reflect()
    assert [fact.text for fact in reflection.facts] == ["The lamp is dark."]
    assert usage.calls == 2
    assert says_so in bodies(llmock)[1]["messages"][-1]["content"]


# ── other plans ──────────────────────────────────────────────────────────────────────────────────


async def test_other_plans_are_asked_of_the_reflector_by_strict_schema_and_counted(
    mocked: Bench, llmock: LLMock
) -> None:
    mocked.make(Models(MODEL, "gpt-4o-mini"))
    llmock.reply(json.dumps(PLANS))
    plans, usage = await mocked.replan()
    assert [plan.title for plan in plans] == [plan["title"] for plan in PLANS.values()]
    [body] = bodies(llmock)
    assert body["model"] == "gpt-4o-mini"
    assert body["response_format"]["json_schema"] == {
        "name": "plans",
        "schema": PLANS_FORM.schema,
        "strict": True,
    }
    assert "stream" not in body
    asked = body["messages"][-1]["content"]
    assert "1. Down 1 She goes down the iron stair by way 1." in asked
    assert "- They lead to one place." in asked
    assert (usage.calls, usage.first_text_s) == (1, None)
    assert mocked.meter.charged == [usage.tokens]


async def test_other_plans_go_on_from_the_messages_of_the_paragraph(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.reply(json.dumps(ANSWER)).reply(json.dumps(PLANS))
    await mocked.reflect()
    await mocked.replan()
    reflecting, replanning = (body["messages"] for body in bodies(llmock))
    assert replanning[:-1] == reflecting[:-1]


async def test_other_plans_with_faults_are_asked_for_once_more_and_then_given_up(
    mocked: Bench, llmock: LLMock
) -> None:
    twins = {**PLANS, "plan_3": PLANS["plan_1"]}
    llmock.reply(json.dumps(twins)).reply(json.dumps(PLANS))
    _, usage = await mocked.replan()
    assert usage.calls == 2
    llmock.reply(json.dumps(twins), times=None)
    sentence = await mocked.fails(NarratorUnavailableError, mocked.replan)
    assert "gave no usable plans: plan_3 and plan_1 are the same" in sentence
    assert len(llmock.requests) == 4


async def test_the_plainest_form_that_worked_is_remembered_for_other_plans(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.fail(400, message="response_format is not supported")
    llmock.reply(json.dumps(ANSWER)).reply(json.dumps(PLANS))
    await mocked.reflect()
    await mocked.replan()
    kinds = [body["response_format"]["type"] for body in bodies(llmock)]
    assert kinds == ["json_schema", "json_object", "json_object"]


async def test_the_reflector_may_be_another_model(mocked: Bench, llmock: LLMock) -> None:
    mocked.make(Models(MODEL, "gpt-4o-mini"))
    llmock.reply(json.dumps(ANSWER))
    await mocked.reflect()
    assert bodies(llmock)[0]["model"] == "gpt-4o-mini"
    llmock.fail(404, code="model_not_found")
    sentence = await mocked.fails(NarratorRefusedError, mocked.reflect)
    assert "'gpt-4o-mini': set REFLECTOR_MODEL" in sentence


@pytest.mark.parametrize("status", [400, 422, 501])
async def test_an_endpoint_without_schemas_is_asked_ever_more_plainly_and_remembered(
    mocked: Bench, llmock: LLMock, status: int
) -> None:
    llmock.fail(status, times=2, message="response_format is not supported")
    llmock.reply(json.dumps(ANSWER), times=2)
    await mocked.reflect()
    await mocked.reflect()
    kinds = [body.get("response_format", {}).get("type") for body in bodies(llmock)]
    assert kinds == ["json_schema", "json_object", None, None]
    assert mocked.clock.slept == []
    assert mocked.meter.charged[:2] == [0, 0]


async def test_an_endpoint_that_takes_objects_only_is_remembered_so(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.fail(400, message="json_schema is unsupported").reply(json.dumps(ANSWER), times=2)
    await mocked.reflect()
    await mocked.reflect()
    kinds = [body["response_format"]["type"] for body in bodies(llmock)]
    assert kinds == ["json_schema", "json_object", "json_object"]


async def test_a_refusal_of_every_form_is_final_and_not_remembered(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.fail(400, times=3, message="Bad weather").reply(json.dumps(ANSWER))
    sentence = await mocked.fails(NarratorRefusedError, mocked.reflect)
    assert "refused the request (status 400)" in sentence
    assert sentence.endswith('It said: "Bad weather".')
    assert len(llmock.requests) == 3
    await mocked.reflect()
    assert bodies(llmock)[-1]["response_format"]["type"] == "json_schema"


async def test_other_refusals_do_not_make_the_form_plainer(mocked: Bench, llmock: LLMock) -> None:
    llmock.context_overflow()
    assert "a text this long" in await mocked.fails(NarratorRefusedError, mocked.reflect)
    assert len(llmock.requests) == 1


@pytest.mark.parametrize(
    "dressing",
    ["{}", "```json\n{}\n```", "<think>{{a}}</think>{}", "Here it is:\n\n{}\nDone {{really}}!"],
    ids=["bare", "fenced", "thought about", "chatty"],
)
async def test_the_object_is_found_in_what_models_wrap_round_it(
    mocked: Bench, llmock: LLMock, dressing: str
) -> None:
    llmock.reply(dressing.format(json.dumps(ANSWER, indent=1)))
    reflection, _ = await mocked.reflect()
    assert reflection.summary == ANSWER["summary"]
    assert len(llmock.requests) == 1


async def test_an_answer_with_faults_is_asked_for_once_more_with_them(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.reply(json.dumps(TWINS)).reply(json.dumps(ANSWER))
    _, usage = await mocked.reflect()
    first, second = (body["messages"] for body in bodies(llmock))
    assert second[: len(first)] == first
    answer, task = second[len(first) :]
    assert (answer["role"], json.loads(answer["content"])) == ("assistant", TWINS)
    assert task["role"] == "user"
    assert "plan_3 and plan_1 are the same" in task["content"]
    assert usage.calls == 2
    assert sum(mocked.meter.charged) == usage.tokens


@pytest.mark.parametrize(
    ("answer", "says_so"),
    [
        (json.dumps(TWINS), "plan_3 and plan_1 are the same"),
        (json.dumps(ANSWER)[:-9], "is not valid JSON"),
        ("I would rather not.", "holds no JSON object"),
        (json.dumps(ANSWER | {"memory": ["a", "b"]}), '"memory" is missing or empty'),
        ('{"rationale": ' + "[" * 100_000, "is not valid JSON"),
    ],
    ids=["twins", "broken off", "prose", "wrong kind", "endless nesting"],
)
async def test_an_answer_with_faults_twice_ends_the_call(
    mocked: Bench, llmock: LLMock, answer: str, says_so: str
) -> None:
    llmock.reply(answer, times=None)
    sentence = await mocked.fails(NarratorUnavailableError, mocked.reflect)
    assert "The narrator's model 'gpt-4o' gave no usable reflection: " in sentence
    assert says_so in sentence
    assert len(llmock.requests) == len(mocked.meter.charged) == 2


async def test_json_cut_off_at_its_length_is_not_even_parsed(mocked: Bench, llmock: LLMock) -> None:
    llmock.add(Scripted(text=json.dumps(ANSWER), finish_reason="length"))
    llmock.reply(json.dumps(ANSWER))
    _, usage = await mocked.reflect()
    assert usage.calls == 2
    first, second = (body["messages"] for body in bodies(llmock))
    # Not shown again, only told: the roles still take turns.
    assert len(second) == len(first)
    assert "write every part shorter" in second[-1]["content"]


async def test_a_server_that_cannot_parse_its_own_output_is_asked_again(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.fail(500, message="Failed to parse input at pos 17").reply(json.dumps(ANSWER))
    await mocked.reflect()
    assert len(llmock.requests) == 2
    assert mocked.clock.slept == [1.0]


async def test_all_faults_of_a_reflection_share_one_limit(mocked: Bench, llmock: LLMock) -> None:
    llmock.fail(400, times=2).fail(503, times=2).reply(json.dumps(ANSWER))
    await mocked.fails(NarratorUnavailableError, mocked.reflect)
    assert len(llmock.requests) == 4


@pytest.mark.parametrize(
    ("reply", "kind", "says_so", "requests"),
    [
        (gives(error("no GPU")), NarratorUnavailableError, 'an answer. It said: "no GPU".', 4),
        (gives(error("", "insufficient_quota")), NarratorRefusedError, "no credit left", 1),
        (gives({"choices": None, "error": None}), NarratorUnavailableError, "no answer of the", 4),
        (says("<html></html>"), NarratorUnavailableError, "check OPENAI_BASE_URL", 4),
        (says("{", "application/json"), NarratorUnavailableError, "no answer of the OpenAI API", 4),
        (gives(completion("{}", None)), NarratorUnavailableError, "without saying why", 4),
        (gives(completion(None, refusal="No.")), NarratorRefusedError, "refused this content", 1),
    ],
    ids=["error", "quota", "no choices", "html", "half", "no finish", "refusal"],
)
async def test_nonsense_with_status_200_is_told_apart(
    reply: Reply, kind: type[NarratorError], says_so: str, requests: int
) -> None:
    async with Raw(reply) as (bench, server):
        assert says_so in await bench.fails(kind, bench.reflect)
        assert len(server.requests) == len(bench.meter.charged) == requests


async def test_a_reflection_that_hangs_is_given_up_and_costs_its_prompt() -> None:
    async with Raw(Reply([HANG])) as (bench, server):
        bench.make(limits=Limits(reflect_s=0.2))
        assert "in time" in await bench.fails(NarratorUnavailableError, bench.reflect)
        assert len(server.requests) == 4
        assert bench.meter.charged == [reflection_tokens()] * 4


# ── opening ──────────────────────────────────────────────────────────────────────────────────────


async def test_an_opening_gives_title_and_outline(mocked: Bench, llmock: LLMock) -> None:
    llmock.reply(json.dumps({"title": " The\nLamp ", "outline": "Mira keeps a lamp."}))
    opening, usage = await mocked.narrator.open(CONTEXT.brief)
    assert opening == Opening("The Lamp", "Mira keeps a lamp.")
    assert bodies(llmock)[0]["response_format"]["json_schema"]["name"] == "opening"
    assert mocked.meter.charged == [usage.tokens]


async def test_an_opening_without_a_title_is_asked_for_once_more(
    mocked: Bench, llmock: LLMock
) -> None:
    llmock.reply(json.dumps({"title": "", "outline": "x"}), times=2)
    sentence = await mocked.fails(
        NarratorUnavailableError, lambda: mocked.narrator.open(CONTEXT.brief)
    )
    assert 'no usable opening: "title" is missing or empty' in sentence
    assert len(llmock.requests) == 2


# ── the check at the start ───────────────────────────────────────────────────────────────────────


async def test_a_good_key_and_model_pass_and_cost_nothing(mocked: Bench, llmock: LLMock) -> None:
    await mocked.narrator.check()
    assert [request.path for request in llmock.requests] == ["/v1/models"]
    assert (mocked.meter.admitted, mocked.meter.charged) == (0, [])


@pytest.mark.parametrize(
    ("models", "says_so"),
    [
        (Models("gpt-9", MODEL), "does not know the model 'gpt-9': set NARRATOR_MODEL"),
        (Models(MODEL, "gpt-9"), "does not know the model 'gpt-9': set REFLECTOR_MODEL"),
    ],
)
async def test_a_model_that_is_not_listed_is_a_mistake(
    mocked: Bench, models: Models, says_so: str
) -> None:
    narrator = mocked.make(models)
    assert says_so in await mocked.fails(NarratorRefusedError, narrator.check)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_a_mistake(mocked: Bench, llmock: LLMock, status: int) -> None:
    llmock.fail(status, message=f"bad {KEY}")
    sentence = await mocked.fails(NarratorRefusedError, mocked.narrator.check)
    assert "refused the key: check OPENAI_API_KEY" in sentence
    assert len(llmock.requests) == 1


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_an_endpoint_without_a_list_of_models_passes(
    mocked: Bench, llmock: LLMock, status: int
) -> None:
    llmock.fail(status)
    await mocked.narrator.check()
    assert len(llmock.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        gives({"object": "list", "data": []}),
        gives({"data": [{"id": "gpt-4o:latest"}]}),
        gives({"data": [{"id": "models/gpt-4o"}, {}, None]}),
        gives(error("Missing scopes: api.model.read"), 403),
    ],
    ids=["empty list", "tagged", "in a folder", "key that may not list"],
)
async def test_lists_that_say_nothing_against_a_model_pass(reply: Reply) -> None:
    async with Raw(reply) as (bench, server):
        await bench.narrator.check()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        says("<html></html>"),
        gives([1]),
        gives({"data": None}),
        says("{", "application/json"),
        gives(error("restarting")),
        gives(error("restarting"), 503),
        Reply([DROP]),
    ],
    ids=["html", "list", "no data", "half", "error in 200", "503", "drop"],
)
async def test_an_endpoint_that_is_down_or_talks_nonsense_is_an_outage(reply: Reply) -> None:
    async with Raw(reply) as (bench, server):
        await bench.fails(NarratorUnavailableError, bench.narrator.check)
        assert len(server.requests) == 1


async def test_a_list_of_models_that_never_comes_is_an_outage() -> None:
    async with Raw(Reply([HANG])) as (bench, server):
        bench.make(limits=Limits(check_s=0.2))
        sentence = await bench.fails(NarratorUnavailableError, bench.narrator.check)
        assert "in time" in sentence
        assert len(server.requests) == 1


# ── the client ───────────────────────────────────────────────────────────────────────────────────


async def test_the_client_reads_nothing_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Raw(gives({"data": []})) as (bench, server):
        for name in ("API_KEY", "ADMIN_KEY", "BASE_URL", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
            monkeypatch.setenv(f"OPENAI_{name}", "http://stray.test")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer stray")
        async with openai_client(KEY, server.base_url) as client:
            bench.client = client
            await bench.make().check()
        [request] = server.requests
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert "stray" not in json.dumps(request.headers)
        assert not {"openai-organization", "openai-project"} & set(request.headers)


async def test_a_local_server_needs_no_key() -> None:
    async with Raw(gives({"data": []})) as (bench, server):
        async with openai_client(None, server.base_url) as client:
            bench.client = client
            await bench.make().check()
        assert server.requests[0].headers["authorization"] == "Bearer none"


def test_without_an_address_requests_go_to_openai_and_are_tried_once() -> None:
    client = openai_client(KEY, None)
    assert str(client.base_url) == "https://api.openai.com/v1/"
    assert client.max_retries == 0


async def test_a_narrator_over_an_endpoint_has_nothing_to_say_at_the_start(mocked: Bench) -> None:
    narrator: Narrator = mocked.narrator
    assert narrator.notice is None


def test_patience_lengthens_what_the_model_itself_needs_and_nothing_else() -> None:
    usual, patient = Limits(), Limits().patient(6)
    assert (patient.first_text_s, patient.idle_s) == (120, 90)
    assert (patient.write_s, patient.reflect_s) == (720, 540)
    assert replace(patient, first_text_s=20, idle_s=15, write_s=120, reflect_s=90) == usual
