"""Answers that must be a JSON object, from endpoints that differ in how they can be held to one.

A schema first; where the request's form is refused, any JSON object; then words alone. The
strictest way that worked is remembered per model. An answer of no use is asked for once more, with
what was wrong with it. Here is also how often one call may try, whatever each request failed of
(``Tries``). What an answer must hold is the caller's business, a single request openai_calls'.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from core.adapters.openai_calls import Answer, CallFailedError, ChatCalls
from core.adapters.openai_client import AnswerMode, Limits, Profile
from core.adapters.openai_errors import Callee, Fault
from core.adapters.openai_text import parse_object
from core.domain import prompts
from core.domain.prompts import AnswerForm, Message
from core.domain.recurrence import UnusableAnswerError
from core.domain.story import Usage
from core.errors import (
    BudgetSpentError,
    NarratorError,
    NarratorRefusedError,
    NarratorUnavailableError,
)
from core.ports import Clock

T = TypeVar("T")


class JsonAnswers:
    """Asks models for JSON objects."""

    def __init__(self, calls: ChatCalls, clock: Clock, limits: Limits, profile: Profile) -> None:
        """Ask nothing yet.

        Args:
            calls: sends single requests.
            clock: waits between attempts.
            limits: how long and how often a call may try.
            profile: what the endpoint is sent besides the messages.
        """
        self._calls = calls
        self._clock = clock
        self._limits = limits
        self._profile = profile
        self._modes: dict[str, AnswerMode] = {}

    def mode(self, model: str) -> AnswerMode:
        """How a model is held to JSON, as far as is known: the strictest way that worked."""
        return self._modes.get(model, AnswerMode.SCHEMA)

    async def ask(
        self,
        callee: Callee,
        messages: Sequence[Message],
        form: AnswerForm,
        check: Callable[[Mapping[str, object]], T],
    ) -> tuple[T, Usage]:
        """An answer in JSON that passes its check, and what all requests for it cost.

        Args:
            callee: whom to name in faults.
            messages: the request; it says the answer's shape in words too.
            form: what the answer must be.
            check: reads the object; raises UnusableAnswerError.

        Raises:
            NarratorUnavailableError, NarratorRefusedError, BudgetSpentError: see Narrator.
        """
        tries = Tries(self._limits.reflect_attempts, self._limits, self._clock)
        mode = self.mode(callee.model)
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
                fault = Fault(final=False, sentence=unusable(callee, form.name, error))
                if asked_again:
                    raise narrator_error(fault) from None
                tries.spend(fault)
                shown = "" if answer.cut_off else answer.text
                asked, asked_again = prompts.reask_messages(messages, shown, error.faults), True


class Tries:
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
            raise narrator_error(fault) from None
        self.spend(fault)
        pause_s = self._pause_s if fault.retry_after_s is None else fault.retry_after_s
        if pause_s > self._longest_pause_s:
            raise narrator_error(fault) from None
        self._pause_s *= 2
        await self._clock.sleep(pause_s)


def narrator_error(fault: Fault) -> NarratorError:
    """A fault as the port knows it."""
    kind = NarratorRefusedError if fault.final else NarratorUnavailableError
    return kind(fault.sentence, fault.said)


def unusable(callee: Callee, what: str, error: UnusableAnswerError) -> str:
    """The sentence for an answer that isn't what was asked for."""
    return f"{callee.what}'s model {callee.model!r} gave no usable {what}: {error}"


def _object(answer: Answer) -> dict[str, object]:
    """The JSON of an answer. One that was cut off isn't looked at: its half could look whole."""
    if answer.cut_off:
        raise UnusableAnswerError(
            ["It was too long and was cut off at the endpoint's limit: write every part shorter."]
        )
    return parse_object(answer.raw)
