"""Narrator over any endpoint that speaks OpenAI's Chat Completions.

The one layer that retries: a bounded number of requests per call, pauses that grow or that the
endpoint asks for, one more request that shows the model what was wrong with its answer. Endpoints
differ in how they can be held to JSON; the strictest way that worked is remembered per model. What
a single request does is openai_calls' business, what its failures mean openai_errors', what an
answer must hold recurrence's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

import openai
from openai import AsyncOpenAI

from core.adapters.openai_calls import Answer, CallFailedError, ChatCalls
from core.adapters.openai_client import AnswerMode, Limits, Models, Profile
from core.adapters.openai_errors import (
    FOREIGN,
    Callee,
    Fault,
    classify,
    garbled,
    reported,
    unknown_model,
)
from core.adapters.openai_json import fields, items, text
from core.adapters.openai_text import parse_object
from core.domain import prompts
from core.domain.prompts import OUTLINE_FORM, PLANS_FORM, AnswerForm, Message
from core.domain.recurrence import (
    StepContext,
    UnusableAnswerError,
    check_opening,
    check_paragraph,
    check_plans,
    check_reflection,
    longest_paragraph,
)
from core.domain.story import Brief, Opening, Plan, Reflection, Usage
from core.errors import (
    BudgetSpentError,
    NarratorError,
    NarratorRefusedError,
    NarratorUnavailableError,
)
from core.ports import Clock, Meter, Written

T = TypeVar("T")

_LISTS_NO_MODELS = frozenset({400, 404, 405, 422, 501})
"""How endpoints say that they have no list of models; that is no fault."""


class OpenAINarrator:
    """Writes with one model and reflects with another (or the same), under one meter."""

    def __init__(
        self,
        client: AsyncOpenAI,
        models: Models,
        meter: Meter,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        profile: Profile = Profile(),  # noqa: B008 - frozen
    ) -> None:
        """Ask nothing yet.

        Args:
            client: from ``openai_client`` (one try per request); whoever made it closes it.
            models: which models write and reflect.
            meter: asked before every request, told of every cost.
            clock: measures calls and waits between attempts.
            limits: how long and how often a call may try.
            profile: what the endpoint is sent besides the messages.
        """
        self._client = client
        self._clock = clock
        self._limits = limits
        self._profile = profile
        self._calls = ChatCalls(client, meter, clock, limits)
        self._narrator = _callee(client, models.narrator, "NARRATOR_MODEL")
        same = models.reflector == models.narrator
        self._reflector = (
            self._narrator if same else _callee(client, models.reflector, "REFLECTOR_MODEL")
        )
        self._modes: dict[str, AnswerMode] = {}

    @property
    def notice(self) -> str | None:
        """None: a model needs no introduction."""
        return None

    async def check(self) -> None:
        """Ask for the list of models; a complete refusal is told from an outage.

        Raises:
            NarratorRefusedError: the key is refused, or the list doesn't hold one of the models.
            NarratorUnavailableError: the endpoint is down or answers nonsense.
        """
        try:
            async with asyncio.timeout(self._limits.check_s):
                listing = await self._client.get("/models", cast_to=object)
        except (*FOREIGN, TimeoutError) as error:
            if _lists_no_models(error):
                return
            raise _narrator_error(classify(error, self._narrator, self._clock.now())) from None
        names = _model_names(listing)
        if names is None:
            raise _narrator_error(_listing_fault(listing, self._narrator))
        for callee in (self._narrator, self._reflector):
            if names and not _offers(names, callee.model):
                raise NarratorRefusedError(unknown_model(callee))

    async def open(self, brief: Brief) -> tuple[Opening, Usage]:
        """Title and outline for a new story, by the narrator's model."""
        messages = prompts.outline_messages(brief)
        found, usage = await self._ask(self._narrator, messages, OUTLINE_FORM, check_opening)
        return Opening(*found), usage

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        """The next paragraph, streamed; see the port."""
        callee, longest = self._narrator, longest_paragraph(context.sentences)
        messages = asked = prompts.paragraph_messages(context)
        tries = _Tries(self._limits.write_attempts, self._limits, self._clock)
        while True:
            body = self._profile.stream_body(callee.model, asked)
            try:
                answer = await self._calls.stream(callee, body, on_text, longest)
            except CallFailedError as failed:
                await tries.recover(failed)
                continue
            except BudgetSpentError as spent:
                raise tries.ended_by(spent) from None
            tries.usage += answer.usage
            try:
                return Written(_paragraph(answer, context.previous, longest), tries.usage)
            except UnusableAnswerError as error:
                tries.spend(Fault(final=False, sentence=_unusable(callee, "paragraph", error)))
                asked = prompts.rewrite_messages(messages, error.faults)

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        """What follows from the final paragraph, by the reflector's model; see the port."""
        messages = prompts.reflection_messages(context, paragraph)
        form = prompts.reflection_form(context)
        known = [fact.id for fact in context.known_facts]

        def check(answer: Mapping[str, object]) -> Reflection:
            return check_reflection(answer, known, chapter=bool(context.stretch))

        return await self._ask(self._reflector, messages, form, check)

    async def replan(
        self, context: StepContext, paragraph: str, refused: Sequence[Plan], faults: Sequence[str]
    ) -> tuple[tuple[Plan, ...], Usage]:
        """Three other plans, by the reflector's model; see the port."""
        messages = prompts.replan_messages(context, paragraph, refused, faults)
        return await self._ask(self._reflector, messages, PLANS_FORM, check_plans)

    async def _ask(
        self,
        callee: Callee,
        messages: Sequence[Message],
        form: AnswerForm,
        check: Callable[[Mapping[str, object]], T],
    ) -> tuple[T, Usage]:
        """An answer in JSON that passes its check, and what all requests for it cost."""
        tries = _Tries(self._limits.reflect_attempts, self._limits, self._clock)
        mode = self._modes.get(callee.model, AnswerMode.SCHEMA)
        asked, asked_again = messages, False
        while True:
            body = self._profile.answer_body(callee.model, asked, form, mode)
            try:
                answer = await self._calls.complete(callee, body)
            except CallFailedError as failed:
                if failed.fault.form and mode.plainer is not None:
                    mode = mode.plainer
                    tries.usage += failed.usage
                    tries.spend(failed.fault)
                else:
                    await tries.recover(failed)
                continue
            except BudgetSpentError as spent:
                raise tries.ended_by(spent) from None
            self._modes[callee.model] = mode
            tries.usage += answer.usage
            try:
                return check(_object(answer)), tries.usage
            except UnusableAnswerError as error:
                fault = Fault(final=False, sentence=_unusable(callee, form.name, error))
                if asked_again:
                    raise _narrator_error(fault) from None
                tries.spend(fault)
                shown = "" if answer.cut_off else answer.text
                asked, asked_again = prompts.reask_messages(messages, shown, error.faults), True


class _Tries:
    """How many requests a call has left, and what those before have cost.

    Attributes:
        usage: the sum over all requests so far.
    """

    def __init__(self, allowed: int, limits: Limits, clock: Clock) -> None:
        self._left = allowed
        self._pause_s = limits.pause_s
        self._longest_pause_s = limits.longest_pause_s
        self._clock = clock
        self.usage = Usage()

    def spend(self, fault: Fault) -> None:
        """One request is gone. Raises NarratorUnavailableError when it was the last."""
        self._left -= 1
        if self._left <= 0:
            raise NarratorUnavailableError(fault.sentence, fault.said) from None

    def ended_by(self, spent: BudgetSpentError) -> BudgetSpentError:
        """The end of the budget, with whether this call had sent anything before."""
        spent.sent = self.usage.calls > 0
        return spent

    async def recover(self, failed: CallFailedError) -> None:
        """Wait until the next request makes sense.

        Raises:
            NarratorRefusedError: no request will.
            NarratorUnavailableError: it was the last one, or the endpoint asks to wait too long.
        """
        self.usage += failed.usage
        fault = failed.fault
        if fault.final:
            raise _narrator_error(fault) from None
        self.spend(fault)
        pause_s = self._pause_s if fault.retry_after_s is None else fault.retry_after_s
        if pause_s > self._longest_pause_s:
            raise _narrator_error(fault) from None
        self._pause_s *= 2
        await self._clock.sleep(pause_s)


def _callee(client: AsyncOpenAI, model: str, setting: str) -> Callee:
    return Callee("The narrator", model, setting, client.api_key)


def _narrator_error(fault: Fault) -> NarratorError:
    kind = NarratorRefusedError if fault.final else NarratorUnavailableError
    return kind(fault.sentence, fault.said)


def _paragraph(answer: Answer, previous: str, longest: int) -> str:
    if answer.cut_off and len(answer.text) <= longest:
        raise UnusableAnswerError(["It was cut off at the endpoint's limit of length."])
    return check_paragraph(answer.text, previous, longest)


def _object(answer: Answer) -> dict[str, object]:
    """The JSON of an answer. One that was cut off isn't looked at: its half could look whole."""
    if answer.cut_off:
        raise UnusableAnswerError(
            ["It was too long and was cut off at the endpoint's limit: write every part shorter."]
        )
    return parse_object(answer.raw)


def _unusable(callee: Callee, what: str, error: UnusableAnswerError) -> str:
    return f"{callee.what}'s model {callee.model!r} gave no usable {what}: {error}"


def _lists_no_models(error: Exception) -> bool:
    if not isinstance(error, openai.APIStatusError):
        return False
    # A restricted key may write without being allowed to list.
    unlisted = error.status_code == 403 and "scope" in error.message.lower()
    return unlisted or error.status_code in _LISTS_NO_MODELS


def _model_names(listing: object) -> set[str] | None:
    """The names in a list of models; None where it is no such list."""
    data = fields(listing).get("data")
    if not isinstance(data, list):
        return None
    return {text(fields(entry).get("id")) for entry in items(cast("object", data))} - {""}


def _offers(names: set[str], model: str) -> bool:
    """Whether a list holds a model; some list it with a tag or folder that calls may leave out."""
    return bool(names & {model, f"{model}:latest", f"models/{model}"})


def _listing_fault(listing: object, callee: Callee) -> Fault:
    return reported(listing, callee) if "error" in fields(listing) else garbled(callee)
