"""How an OpenAI-compatible endpoint is spoken to: the client, its limits, the form of a request.

Everything that differs between endpoints stands here as a value; nothing is read from the
environment (the SDK would, so it is told everything) and nothing is sent from here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from openai import AsyncOpenAI, Timeout

from core.domain.prompts import AnswerForm, Message

OPENAI_URL = "https://api.openai.com/v1"
"""Where requests go when no OPENAI_BASE_URL is set."""

_NO_KEY = "none"
"""Local servers ask for no key, but the SDK insists on one."""

_CONNECT_S = 5.0
_READ_S = 3600.0
"""Above every deadline of ``Limits``: those decide, this only keeps a lost call from staying."""


@dataclass(frozen=True, slots=True)
class Models:
    """The models' names: NARRATOR_MODEL writes, REFLECTOR_MODEL (often the same) reflects."""

    narrator: str
    reflector: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often a call may try. Seconds.

    Attributes:
        first_text_s: from a request until its first visible text.
        idle_s: between two growths of the text; keep-alive signs and thoughts don't count.
        write_s: for one request for a paragraph, whole.
        reflect_s: for one request for an outline or a reflection, whole.
        bill_s: for the figures that come behind a finished paragraph; they are worth no more.
        check_s: for the list of models.
        write_attempts: requests for one paragraph.
        reflect_attempts: requests for one outline or reflection, whatever each was spent on.
        pause_s: before the second attempt; doubled before each further one.
        longest_pause_s: an endpoint that asks for more counts as down.
    """

    first_text_s: float = 20.0
    idle_s: float = 15.0
    write_s: float = 120.0
    reflect_s: float = 90.0
    bill_s: float = 5.0
    check_s: float = 15.0
    write_attempts: int = 2
    reflect_attempts: int = 4
    pause_s: float = 1.0
    longest_pause_s: float = 60.0

    def patient(self, factor: int) -> "Limits":
        """The same, with that many times the patience for the model itself."""
        return replace(
            self,
            first_text_s=self.first_text_s * factor,
            idle_s=self.idle_s * factor,
            write_s=self.write_s * factor,
            reflect_s=self.reflect_s * factor,
        )


class TokenLimit(StrEnum):
    """What an endpoint calls the cap on an answer's length; newer models refuse the older name."""

    NONE = ""
    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"


class AnswerMode(IntEnum):
    """How an endpoint is made to answer in JSON, from the strictest to none."""

    SCHEMA = 0
    OBJECT = 1
    WORDS = 2

    @property
    def plainer(self) -> "AnswerMode | None":
        """The next one to try where this one is refused."""
        return AnswerMode(self + 1) if self < AnswerMode.WORDS else None


@dataclass(frozen=True, slots=True)
class Profile:
    """What an endpoint is sent besides the messages. By default nothing that any of them refuses.

    Attributes:
        token_limit: under which name answers are capped; NONE sends no cap.
        write_tokens, reflect_tokens: the caps. A model that thinks spends them on thoughts too.
        temperature: None sends none (newer models refuse it).
        stream_usage: whether to ask for the figures at a stream's end.
    """

    token_limit: TokenLimit = TokenLimit.NONE
    write_tokens: int = 4000
    reflect_tokens: int = 6000
    temperature: float | None = None
    stream_usage: bool = True

    def stream_body(self, model: str, messages: Sequence[Message]) -> dict[str, object]:
        """The request for a paragraph."""
        body = self._body(model, messages, self.write_tokens) | {"stream": True}
        if self.stream_usage:
            body["stream_options"] = {"include_usage": True}
        return body

    def answer_body(
        self, model: str, messages: Sequence[Message], form: AnswerForm, mode: AnswerMode
    ) -> dict[str, object]:
        """The request for an answer in JSON; the messages already say its shape in words."""
        body = self._body(model, messages, self.reflect_tokens)
        if mode is AnswerMode.SCHEMA:
            schema = {"name": form.name, "schema": form.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif mode is AnswerMode.OBJECT:
            body["response_format"] = {"type": "json_object"}
        return body

    def _body(self, model: str, messages: Sequence[Message], tokens: int) -> dict[str, object]:
        said = [{"role": message.role, "content": message.content} for message in messages]
        body: dict[str, object] = {"model": model, "messages": said}
        if self.token_limit:
            body[self.token_limit.value] = tokens
        if self.temperature is not None:
            body["temperature"] = self.temperature
        return body


def openai_client(api_key: str | None, base_url: str | None) -> AsyncOpenAI:
    """A client that tries each request once: retries are the narrator's and the embedder's.

    Args:
        api_key: the value of OPENAI_API_KEY; None or empty for servers that ask for none.
        base_url: the value of OPENAI_BASE_URL; None or empty for OpenAI's own.

    Returns:
        The client; whoever made it closes it.
    """
    key = api_key or _NO_KEY
    client = AsyncOpenAI(
        api_key=key,
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        base_url=base_url or OPENAI_URL,
        timeout=Timeout(_READ_S, connect=_CONNECT_S),
        max_retries=0,
        # Said outright, or an Authorization in the environment's OPENAI_CUSTOM_HEADERS would win.
        default_headers={"Authorization": f"Bearer {key}"},
    )
    # The empty values kept the environment out; as headers they would be refused.
    client.organization = client.project = None
    return client
