"""ContentFilter over an endpoint that speaks the OpenAI API's /moderations.

The one layer that retries such a request: the client must have been made with ``max_retries=0``.
Nothing it answers is believed before it was checked: a result for each part, each with a flag and
with categories that are flags. What categories mean is content's business, what errors mean
openai_errors'; texts are quoted nowhere.
"""

import asyncio
import re
from collections.abc import Sequence

from openai import AsyncOpenAI

from core.adapters.openai_errors import FOREIGN, Callee, Fault, classify, garbled, reported
from core.adapters.openai_json import fields, items
from core.domain.content import Verdict, judged
from core.domain.text import split
from core.errors import FilterRefusedError, FilterUnavailableError
from core.ports import Clock

_PATH = "/moderations"
_PAUSES_S = (0.5, 2.0)
"""Waits between attempts, unless the endpoint asks for another one: three attempts in all."""
_LONGEST_PAUSE_S = 20.0
"""An endpoint that asks for more than this counts as down: the caller decides when to return."""
REQUEST_S = 15.0
"""OpenAI's own answers within half a second; a small classifier on a processor takes some."""
PART_UNITS = 4000
"""What is looked at as one text. A paragraph of the usual length stays whole; OpenAI says that long
texts are judged worse, and small classifiers have windows of about a thousand tokens."""
PARTS_PER_REQUEST = 16
"""The longest paragraph that is let through is seven parts, so one request is the rule."""
_UNNAMED = "unnamed"
"""The category of a text that is flagged without one."""
_ODD = re.compile(r"[^\w/ -]")
_NAME_LENGTH = 40


class OpenAIContentFilter:
    """Implements core.ports.ContentFilter with one model of an endpoint."""

    def __init__(
        self, client: AsyncOpenAI, model: str, clock: Clock, request_s: float = REQUEST_S
    ) -> None:
        """Ask nothing yet.

        Args:
            client: with ``max_retries=0``; whoever made it closes it.
            model: the value of MODERATION_MODEL.
            clock: waits between attempts.
            request_s: how long one request may take.
        """
        self._client = client
        self._model = model
        self._clock = clock
        self._request_s = request_s
        self._callee = Callee(
            "The content filter",
            model,
            "MODERATION_MODEL",
            key=client.api_key,
            key_setting="MODERATION_API_KEY (or OPENAI_API_KEY, where that is empty)",
            address_setting="MODERATION_BASE_URL",
        )

    async def check(self) -> None:
        """Show it two harmless words: an endpoint that takes one text at a time is found out."""
        await self._flags(["lamp", "door"])

    async def judge(self, texts: Sequence[str], *, adults: bool) -> Verdict:
        """See the port. Texts are joined, and cut into parts at the best places."""
        parts = split("\n\n".join(map(_sendable, texts)), PART_UNITS)
        flagged: set[str] = set()
        for start in range(0, len(parts), PARTS_PER_REQUEST):
            flagged |= await self._flags(parts[start : start + PARTS_PER_REQUEST])
        return judged(flagged, adults=adults)

    async def _flags(self, parts: Sequence[str]) -> set[str]:
        """The categories that any of the parts is flagged with, in at most three attempts."""
        pauses = iter(_PAUSES_S)
        while True:
            answer = await self._request(parts)
            if not isinstance(answer, Fault):
                return answer
            if answer.final:
                raise FilterRefusedError(answer.sentence, answer.said)
            pause_s = next(pauses, None)
            if pause_s is not None and answer.retry_after_s is not None:
                pause_s = answer.retry_after_s
            if pause_s is None or pause_s > _LONGEST_PAUSE_S:
                raise FilterUnavailableError(answer.sentence, answer.said)
            await self._clock.sleep(pause_s)

    async def _request(self, parts: Sequence[str]) -> set[str] | Fault:
        body = {"model": self._model, "input": list(parts)}
        try:
            async with asyncio.timeout(self._request_s):
                answer = await self._client.post(_PATH, cast_to=object, body=body)
        except (*FOREIGN, TimeoutError) as error:
            return classify(error, self._callee, self._clock.now())
        said = fields(answer)
        if error := said.get("error"):
            return reported(error, self._callee, body)
        flags = [_flags_of(result) for result in items(said.get("results"))]
        if len(flags) != len(parts) or None in flags:
            return garbled(self._callee)
        return {name for found in flags if found for name in found}


def _flags_of(result: object) -> list[str] | None:
    """The categories that a result flags; None where it is no result."""
    said = fields(result)
    flagged, categories = said.get("flagged"), said.get("categories")
    named = fields(categories)
    # Models without a category answer null for it.
    plain = all(value is None or isinstance(value, bool) for value in named.values())
    if not isinstance(flagged, bool) or not isinstance(categories, dict) or not plain:
        return None
    names = [_ODD.sub("", name)[:_NAME_LENGTH] for name, value in named.items() if value]
    return names or ([_UNNAMED] if flagged else [])


def _sendable(text: str) -> str:
    """The text as UTF-8 can carry it."""
    return text.encode("utf-8", "replace").decode()
