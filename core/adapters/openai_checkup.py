"""Looks at an endpoint the way the narrator uses it: its models, one streamed and one whole answer.

The two answers are a sentence each and the only thing of a look at the set-up that costs anything;
what they cost is counted here. They go through the same requests, fallbacks and translations as the
narrator's, so what works here works there, but for the length of a story's prompts.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from email.utils import parsedate_to_datetime

import openai
from openai import AsyncOpenAI

from core.adapters.openai_answers import JsonAnswers
from core.adapters.openai_calls import Answer, CallFailedError, ChatCalls
from core.adapters.openai_client import AnswerMode, Limits, Models, Profile
from core.adapters.openai_errors import FOREIGN, Callee
from core.adapters.openai_models import listed_models, offers
from core.domain.checkup import Area, Finding, NotLookedAtError, Topic, Verdict, skew
from core.domain.prompts import AnswerForm, Message
from core.domain.recurrence import UnusableAnswerError
from core.domain.spending import Reservation, Spent
from core.domain.story import Usage
from core.errors import (
    ModelError,
    NarratorError,
    NarratorRefusedError,
    NarratorUnavailableError,
)
from core.ports import Clock

Findings = AsyncGenerator[Finding, None]

_ASKED = [Message("user", "Write one short sentence about a lighthouse.")]
_FORM = AnswerForm(
    "answer",
    {
        "type": "object",
        "properties": {"colour": {"type": "string"}},
        "required": ["colour"],
        "additionalProperties": False,
    },
    'Answer with one JSON object and nothing before or after it: {"colour": "…"}',
)
_ASKED_WHOLE = [Message("user", f"Which colour has the sea at noon? {_FORM.words}")]
_LONGEST = 4000
"""Characters of a sentence about a lighthouse: more is a model that doesn't stop."""
_NAMED = 6
_HOW = {
    AnswerMode.SCHEMA: "takes a JSON schema",
    AnswerMode.OBJECT: "takes no JSON schema, but gives JSON objects",
    AnswerMode.WORDS: "takes no response_format, and gives JSON when told to in words",
}
_LOOK_AGAIN = "Look again; if that goes on, look at the endpoint."


class _Count:
    """A Meter that only counts: nothing is written down, and no cap is asked."""

    def __init__(self) -> None:
        self.tokens = 0

    async def admit(self, model: str, tokens: int) -> Reservation:
        """Everything is admitted."""
        return Reservation("", model, Spent(tokens), "")

    async def charge(self, reservation: Reservation, usage: Usage) -> None:
        """Count a request."""
        self.tokens += usage.tokens


class OpenAICheckup:
    """Looks at one endpoint.

    Args:
        client: one try per request; whoever made it closes it.
        models: which models write and reflect.
        clock: measures.
        limits: how long and how often a call may try.
        shown: the endpoint's address as it may be shown.
    """

    def __init__(
        self, client: AsyncOpenAI, models: Models, clock: Clock, limits: Limits, shown: str
    ) -> None:
        self._client = client
        self._clock = clock
        self._limits = limits
        self._shown = shown
        self._count = _Count()
        self._calls = ChatCalls(client, self._count, clock, limits)
        self._narrator = Callee("The model", models.narrator, "NARRATOR_MODEL", client.api_key)
        self._reflector = Callee("The model", models.reflector, "REFLECTOR_MODEL", client.api_key)

    @property
    def tokens(self) -> int:
        """What the answers have cost so far."""
        return self._count.tokens

    async def look(self, *, answers: bool = True) -> Findings:
        """Whether it has the models, then one streamed answer, then one that must be an object.

        Args:
            answers: whether it is asked for answers, which cost something.
        """
        try:
            listed = await self._listed()
        except NarratorRefusedError as error:
            yield failed(Topic(Area.MODEL, "models"), f"{self._shown}: ", error)
            raise NotLookedAtError("the endpoint refuses") from error
        yield listed
        if not answers:
            return
        refused = False
        try:
            yield await self._streamed()
        except CallFailedError as error:
            if listed.verdict is Verdict.FAULT and not error.fault.sent:
                raise NotLookedAtError("the endpoint doesn't answer") from error
            yield failed(Topic(Area.MODEL, "stream"), "", error)
            refused = error.fault.final and self._narrator.model == self._reflector.model
        if refused:
            raise NotLookedAtError("the same model refused to stream")
        yield await self._whole()

    async def clock(self) -> Findings:
        """How far its clock is from this machine's."""
        sent_at = time.time()
        try:
            async with asyncio.timeout(self._limits.check_s):
                answer = await self._client.models.with_raw_response.list()
            headers = answer.headers
        except openai.APIStatusError as error:
            headers = error.response.headers
        except (*FOREIGN, TimeoutError) as error:
            raise NotLookedAtError("the endpoint doesn't answer") from error
        came_at = time.time()
        try:
            date = parsedate_to_datetime(headers.get("date", "")).timestamp()
        except ValueError as error:
            raise NotLookedAtError("the endpoint tells no time") from error
        # It is cut to whole seconds, so half of one is added and may be wrong either way.
        ahead_s = (sent_at + came_at) / 2 - (date + 0.5)
        doubt_s = (came_at - sent_at) / 2 + 0.5
        yield skew(
            Topic(Area.CLOCK, "endpoint"), "the endpoint's", ahead_s, doubt_s, decisive=False
        )

    async def _listed(self) -> Finding:
        topic = Topic(Area.MODEL, "models")
        try:
            names = await listed_models(
                self._client, self._narrator, self._clock, self._limits.check_s
            )
        except NarratorUnavailableError as error:
            return failed(topic, f"{self._shown}: ", error)
        if names is None:
            return topic.ok(
                f"{self._shown} lists no models; the answers below show whether yours is there"
            )
        for callee in (self._narrator, self._reflector):
            if not offers(names, callee.model):
                return topic.fault(
                    f"{self._shown} doesn't list {callee.model_setting} {callee.model!r}",
                    f"Set it to one of its {len(names)}: {_some(names)}.",
                )
        return topic.ok(f"{self._shown} lists {len(names)}, yours among them")

    async def _streamed(self) -> Finding:
        topic = Topic(Area.MODEL, "stream")
        body = Profile().stream_body(self._narrator.model, _ASKED)
        answer = await self._calls.stream(self._narrator, body, lambda _: None, _LONGEST)
        if not answer.text:
            return topic.fault(
                f"{self._narrator.model} answered without a word", "Set NARRATOR_MODEL to another."
            )
        found = f"{self._narrator.model}: {_told(answer)}"
        if answer.cut_off:
            return topic.warning(
                f"{found}; it was cut off at a limit of length",
                "Have the server allow longer answers: a paragraph takes some 800 tokens.",
            )
        return topic.ok(found)

    async def _whole(self) -> Finding:
        topic = Topic(Area.MODEL, "structured")
        model = self._reflector.model
        answers = JsonAnswers(self._calls, self._clock, self._limits, Profile())
        try:
            _, usage = await answers.ask(self._reflector, _ASKED_WHOLE, _FORM, _colour)
        except NarratorError as error:
            return failed(topic, "", error)
        mode = answers.mode(model)
        found = f"{model} {_HOW[mode]}; {_figures(usage)}"
        if mode is AnswerMode.WORDS:
            return topic.warning(
                found, "Expect answers that must be asked for twice; other servers have less of it."
            )
        return topic.ok(found)


def failed(topic: Topic, where: str, error: ModelError) -> Finding:
    """A finding out of an error of an endpoint, whose sentence says what to do behind its colon."""
    what, _, remedy = str(error).partition(": ")
    said = f' (it said: "{error.said}")' if error.said else ""
    remedy = remedy or _LOOK_AGAIN
    return topic.fault(f"{where}{what.rstrip('.')}{said}", f"{remedy[:1].upper()}{remedy[1:]}")


def _colour(answer: Mapping[str, object]) -> str:
    colour = answer.get("colour")
    if not isinstance(colour, str) or not colour:
        raise UnusableAnswerError(['"colour" is missing or no text.'])
    return colour


def _told(answer: Answer) -> str:
    first_s = answer.usage.first_text_s or 0.0
    return f"first word after {first_s:.1f} s, {_figures(answer.usage)}"


def _figures(usage: Usage) -> str:
    found = (
        f"done in {usage.total_s:.1f} s, {usage.prompt_tokens} + {usage.completion_tokens} tokens"
    )
    # Bytes are noted beside the endpoint's own figures only.
    return found if usage.prompt_bytes else f"{found} (estimated: it reports none)"


def _some(names: frozenset[str]) -> str:
    listed = sorted(names)
    more = ", …" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more
