"""One request to Chat Completions, streamed or whole: timed, metered, and read without trust.

The SDK's types promise what nobody checked (an error inside a 200 has ``choices=None``, HTML comes
as ``str``), so answers are taken as plain JSON and every part is looked at. A request either gives
an Answer that ended by the model's own will or at a length limit, or raises CallFailedError. No
retries and no judging of content here: the narrator does both.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from openai import AsyncOpenAI, AsyncStream

from core.adapters.openai_client import Limits
from core.adapters.openai_errors import (
    FOREIGN,
    Callee,
    Fault,
    classify,
    garbled,
    refusal,
    reported,
    unfinished,
)
from core.adapters.openai_json import count, fields, items, text
from core.adapters.openai_text import VisibleText
from core.domain.story import Usage
from core.domain.tokens import estimate_tokens
from core.errors import NarratorError, TalewheelError
from core.ports import Clock, Meter

_PATH = "/chat/completions"
_COMPLETE = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence"})
"""How endpoints say that the model came to its end ("stop" by the book)."""
_CUT_OFF = frozenset({"length", "max_tokens"})
_MESSAGE_TOKENS = 4
"""What a message takes besides its text, in the chat formats of current models."""
EXPECTED_ANSWER_TOKENS = 1000
"""What is set aside for an answer before it comes: a paragraph takes about 550 tokens, a reflection
1,000; a model that thinks first takes more, which counts once it is known."""


class CallFailedError(NarratorError):
    """One request failed.

    Attributes:
        fault: why, and whether another try can help.
        usage: what it cost nevertheless.
    """

    def __init__(self, fault: Fault, usage: Usage) -> None:
        super().__init__(fault.sentence, fault.said)
        self.fault = fault
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        raw: all of it, as it came.
        text: what of it is visible.
        cut_off: it ended at a length limit.
        usage: what the request cost.
    """

    raw: str
    text: str
    cut_off: bool
    usage: Usage


class ChatCalls:
    """Sends single requests through one client, under one meter and clock."""

    def __init__(self, client: AsyncOpenAI, meter: Meter, clock: Clock, limits: Limits) -> None:
        self._client = client
        self._meter = meter
        self._clock = clock
        self._limits = limits

    async def stream(
        self,
        callee: Callee,
        body: dict[str, object],
        on_text: Callable[[str], None],
        longest: int,
    ) -> Answer:
        """Stream an answer, under the limits for first text, idleness and the whole.

        One that grows too long is cut off there; what is too much of it is never shown.

        Args:
            callee: whom to name in faults.
            body: the request, with ``stream`` set.
            on_text: called with the whole visible text each time it grew (or began anew).
            longest: characters that the visible text may have.

        Raises:
            CallFailedError: no complete answer.
            BudgetSpentError: from the meter; nothing was sent.
        """

        async def exchange(reading: "_Reading") -> None:
            async with (
                asyncio.timeout(self._limits.write_s),
                asyncio.timeout(self._limits.first_text_s) as quiet,
                await self._open(body) as stream,
            ):
                reading.begun = True
                await self._follow(stream, reading, quiet, on_text, longest)

        return await self._settle(callee, _Reading(body, self._clock), exchange)

    async def complete(self, callee: Callee, body: dict[str, object]) -> Answer:
        """Get an answer whole, under the limit for reflections. Raises like ``stream``."""

        async def exchange(reading: "_Reading") -> None:
            async with asyncio.timeout(self._limits.reflect_s):
                reading.take(await self._client.post(_PATH, cast_to=object, body=body))

        return await self._settle(callee, _Reading(body, self._clock), exchange)

    async def _open(self, body: dict[str, object]) -> AsyncStream[object]:
        return await self._client.post(
            _PATH, cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object]
        )

    async def _follow(
        self,
        stream: AsyncStream[object],
        reading: "_Reading",
        quiet: asyncio.Timeout,
        on_text: Callable[[str], None],
        longest: int,
    ) -> None:
        if "json" in stream.response.headers.get("content-type", ""):
            # Not a stream after all: an error under status 200, or a server that can't stream.
            reading.take(json.loads(await stream.response.aread()))
            if reading.text and len(reading.text) <= longest:
                on_text(reading.text)
            return
        # Nothing may raise in this loop: the SDK's generator closes cleanly only at its own end.
        async for chunk in stream:
            finished = reading.finish is not None
            if reading.take(chunk):
                if len(reading.text) > longest:
                    reading.cut_off()
                    _rearm(quiet, 0.0)
                    continue
                _rearm(quiet, self._limits.idle_s)
                on_text(reading.text)
            if reading.finish is not None and not finished:
                _rearm(quiet, self._limits.bill_s)

    async def _settle(
        self, callee: Callee, reading: "_Reading", exchange: Callable[["_Reading"], Awaitable[None]]
    ) -> Answer:
        """One admitted request, charged exactly once however it ends."""
        reservation = await self._meter.admit(
            callee.model, reading.prompt_tokens + EXPECTED_ANSWER_TOKENS
        )
        reading.start()
        fault: Fault | None = None
        try:
            await exchange(reading)
        except (*FOREIGN, TimeoutError) as error:
            # A finished answer isn't thrown away because the figures behind it never came.
            if reading.finish is None:
                fault = classify(error, callee, self._clock.now())
        except BaseException:
            # Cancelled: what was spent counts, but what ended the call is what matters.
            reading.stop(sent=True)
            with suppress(TalewheelError):
                await self._meter.charge(reservation, reading.usage)
            raise
        fault = fault or reading.fault(callee)
        reading.stop(sent=fault is None or fault.sent)
        await self._meter.charge(reservation, reading.usage)
        if fault is not None:
            raise CallFailedError(fault, reading.usage) from None
        return reading.answer()


def _rearm(quiet: asyncio.Timeout, delay_s: float) -> None:
    quiet.reschedule(asyncio.get_running_loop().time() + delay_s)


class _Reading:
    """What came so far of one answer.

    Attributes:
        begun: the endpoint accepted the request, so the prompt is spent.
        finish: why the answer ended, as the endpoint says; None until it says it.
        text: the visible text.
        usage: what the request cost; set by ``stop``.
    """

    def __init__(self, body: Mapping[str, object], clock: Clock) -> None:
        self._body = body
        self._clock = clock
        self._visible = VisibleText()
        self._raw: list[str] = []
        self._thoughts: list[str] = []
        self._refusal = ""
        self._error: object = None
        self._understood = False
        self._reported: Usage | None = None
        self._first_text_s: float | None = None
        self._started = 0.0
        self.begun = False
        self.finish: str | None = None
        self.text = ""
        self.usage = Usage()

    @property
    def prompt_tokens(self) -> int:
        """What is sent, by estimate."""
        return sum(_MESSAGE_TOKENS + estimate_tokens(told) for told in self._prompt())

    def start(self) -> None:
        """The request goes out now."""
        self._started = self._clock.monotonic()

    def take(self, body: object) -> bool:
        """Take a chunk of a stream or a whole completion; tells whether the text changed."""
        said = fields(body)
        if usage := _usage(said.get("usage")):
            self._reported = usage
        self._error = self._error or said.get("error")
        choices = items(said.get("choices"))
        # Some endpoints send chunks without a choice (figures, content filters' verdicts).
        if not choices:
            return False
        self._understood = True
        return self._take_choice(fields(choices[0]))

    def cut_off(self) -> None:
        """Nothing more is wanted: it ends here as at a limit of the endpoint's."""
        self.finish = "length"

    def fault(self, callee: Callee) -> Fault | None:
        """Why what came is no complete answer; None when it is one."""
        if self._refusal or self.finish == "content_filter":
            return Fault(final=True, sentence=refusal(callee), sent=True)
        if self.finish in _COMPLETE | _CUT_OFF:
            return None
        if self._error:
            return reported(self._error, callee, self._body)
        if not self._understood:
            return garbled(callee)
        return unfinished(self.finish, callee)

    def stop(self, *, sent: bool) -> None:
        """The request is over; ``sent`` when its prompt is spent even if no word came back."""
        total_s = self._clock.monotonic() - self._started
        cost = self._measured() or (self._estimate() if sent or self.begun else Usage())
        self.usage = cost + Usage(calls=1, first_text_s=self._first_text_s, total_s=total_s)

    def answer(self) -> Answer:
        """What came, once it is known to be complete."""
        return Answer(
            "".join(self._raw), self._visible.finish(), self.finish in _CUT_OFF, self.usage
        )

    def _take_choice(self, choice: Mapping[str, object]) -> bool:
        said = fields(choice.get("delta")) or fields(choice.get("message"))
        self._refusal += text(said.get("refusal"))
        self._thoughts.append(text(said.get("reasoning_content")) or text(said.get("reasoning")))
        self.finish = text(choice.get("finish_reason")) or self.finish
        piece = text(said.get("content"))
        self._raw.append(piece)
        before, self.text = self.text, self._visible.feed(piece)
        if self.text and self._first_text_s is None and self._body.get("stream"):
            self._first_text_s = self._clock.monotonic() - self._started
        return self.text != before

    def _measured(self) -> Usage | None:
        """What the endpoint reported, beside the bytes that it reported it of."""
        if self._reported is None or not self._reported.prompt_tokens:
            return self._reported
        size = sum(len(told.encode("utf-8", "surrogatepass")) for told in self._prompt())
        return replace(self._reported, prompt_bytes=size)

    def _prompt(self) -> list[str]:
        return [text(fields(one).get("content")) for one in items(self._body.get("messages"))]

    def _estimate(self) -> Usage:
        answer = estimate_tokens("".join([*self._thoughts, *self._raw]))
        return Usage(self.prompt_tokens, 0, answer)


def _usage(value: object) -> Usage | None:
    """Reported figures; None where there are none (zeros are what some servers send for none)."""
    said = fields(value)
    prompt, completion = count(said.get("prompt_tokens")), count(said.get("completion_tokens"))
    details = fields(said.get("prompt_tokens_details"))
    cached = count(details.get("cached_tokens")) or count(said.get("prompt_cache_hit_tokens"))
    return Usage(prompt, min(cached, prompt), completion) if prompt + completion else None
