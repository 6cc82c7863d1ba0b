"""Narrator over any endpoint that speaks OpenAI's Chat Completions.

A bounded number of requests per call, pauses that grow or that the endpoint asks for, one more
request that shows the model what was wrong with its answer: Tries and JsonAnswers of openai_answers
are the one layer that retries. What a single request does is openai_calls' business, what its
failures mean openai_errors', what an answer must hold recurrence's.
"""

from collections.abc import Callable, Mapping, Sequence

from openai import AsyncOpenAI

from core.adapters.openai_answers import JsonAnswers, Tries, unusable
from core.adapters.openai_calls import Answer, CallFailedError, ChatCalls
from core.adapters.openai_client import Limits, Models, Profile
from core.adapters.openai_errors import Callee, Fault, unknown_model
from core.adapters.openai_models import listed_models, offers
from core.domain import prompts
from core.domain.content import FOR_EVERYONE, Bounds
from core.domain.prompts import OUTLINE_FORM, PLANS_FORM
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
from core.errors import BudgetSpentError, NarratorRefusedError
from core.ports import Clock, Meter, Written


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
        self._answers = JsonAnswers(self._calls, clock, limits, profile)

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
        names = await listed_models(self._client, self._narrator, self._clock, self._limits.check_s)
        for callee in (self._narrator, self._reflector):
            if names is not None and not offers(names, callee.model):
                raise NarratorRefusedError(unknown_model(callee))

    async def open(self, brief: Brief, bounds: Bounds = FOR_EVERYONE) -> tuple[Opening, Usage]:
        """Title and outline for a new story, by the narrator's model."""
        messages = prompts.outline_messages(brief, bounds)
        found, usage = await self._answers.ask(
            self._narrator, messages, OUTLINE_FORM, check_opening
        )
        return Opening(*found), usage

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        """The next paragraph, streamed; see the port."""
        callee, longest = self._narrator, longest_paragraph(context.sentences)
        messages = asked = prompts.paragraph_messages(context)
        tries = Tries(self._limits.write_attempts, self._limits, self._clock)
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
                tries.spend(Fault(final=False, sentence=unusable(callee, "paragraph", error)))
                asked = prompts.rewrite_messages(messages, error.faults)

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        """What follows from the final paragraph, by the reflector's model; see the port."""
        messages = prompts.reflection_messages(context, paragraph)
        form = prompts.reflection_form(context)
        known = [fact.id for fact in context.known_facts]

        def check(answer: Mapping[str, object]) -> Reflection:
            return check_reflection(answer, known, chapter=bool(context.stretch))

        return await self._answers.ask(self._reflector, messages, form, check)

    async def replan(
        self, context: StepContext, paragraph: str, refused: Sequence[Plan], faults: Sequence[str]
    ) -> tuple[tuple[Plan, ...], Usage]:
        """Three other plans, by the reflector's model; see the port."""
        messages = prompts.replan_messages(context, paragraph, refused, faults)
        return await self._answers.ask(self._reflector, messages, PLANS_FORM, check_plans)


def _callee(client: AsyncOpenAI, model: str, setting: str) -> Callee:
    return Callee("The narrator", model, setting, client.api_key)


def _paragraph(answer: Answer, previous: str, longest: int) -> str:
    if answer.cut_off and len(answer.text) <= longest:
        raise UnusableAnswerError(["It was cut off at the endpoint's limit of length."])
    return check_paragraph(answer.text, previous, longest)
