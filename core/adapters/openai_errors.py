"""What a failed call to an OpenAI-compatible endpoint means: one Fault, final or worth another try.

An adapter makes its own errors of a Fault. The sentence is all ours and names the setting to look
at: members read it. What an endpoint said stands beside it, for logs, and only where it can't be
about the key: on one line, shortened, and with the key cut out. Where it repeats the story it isn't
kept at all: what members write isn't logged. Nothing is retried here.
"""

import json
import math
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx2
import openai

from core.adapters.openai_json import fields, items, text
from core.domain.text import clip

FOREIGN = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    ssl.SSLError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)
"""Everything a call through the SDK can raise by itself: its own errors, transport errors that it
lets through (while it reads an error's body), and what can't be decoded."""

_QUOTA_CODES = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "insufficient_balance",
}
_MODEL_CODES = {"model_not_found", "invalid_model", "model_not_supported"}
_LENGTH_CODES = {"context_length_exceeded", "exceed_context_size_error"}
_CONTENT_CODES = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation"}
_KEY_CODES = {"invalid_api_key", "api_key_invalid"}
_LENGTH_WORDS = ("context length", "maximum context", "context size", "context window")
_FORM_STATUSES = {400, 422, 501}
_RETRYABLE_STATUSES = {408, 409, 425, 429}
_WORKED_ON_STATUSES = {504, 524}
"""A gateway gave up waiting for the model, which may have finished: an answer that was lost."""
_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
)
"""There was no connection that could have carried the request."""
_QUOTE_UNITS = 160
_ECHO_LETTERS = 16
"""So many letters of a request in a row are a piece of it: more than two or three words."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How a call failed.

    Attributes:
        final: no retry mends it.
        sentence: what failed, which setting, what to do; no word of the endpoint.
        said: the endpoint's words, or the connection's; "" for none.
        retry_after_s: how long the endpoint asks to wait, seconds; None where it says nothing.
        form: the endpoint may have refused the request's form (response_format, an option), not its
            content: a plainer request may succeed.
        sent: the endpoint may have worked on the prompt, whose answer was lost or is no answer: it
            counts as spent. An endpoint that refused, or was too busy, did no work.
    """

    final: bool
    sentence: str
    said: str = ""
    retry_after_s: float | None = None
    form: bool = False
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Callee:
    """Whom a call went to, in the words of its faults.

    Attributes:
        what: how a sentence calls it: "The narrator", "The embeddings endpoint".
        model: the model's name.
        model_setting: the setting that names it: "NARRATOR_MODEL".
        key: never shown; cut out of whatever is quoted.
        key_setting, address_setting: the settings with its key and its address.
    """

    what: str
    model: str
    model_setting: str
    key: str = field(default="", repr=False)
    key_setting: str = "OPENAI_API_KEY"
    address_setting: str = "OPENAI_BASE_URL"


def classify(error: Exception, callee: Callee, now: float) -> Fault:
    """What an exception of the SDK means.

    Args:
        error: one of FOREIGN, or TimeoutError.
        callee: whom the call went to.
        now: UTC seconds, to read a Retry-After that is a date.

    Raises:
        TypeError: the exception is none that a call can raise; it is a fault of our own.
    """
    match error:
        case openai.APIStatusError():
            reply = _Reply.of(error.status_code, error.body, _body_of(error.request))
            return _status_fault(reply, callee, _retry_after(error.response.headers, now))
        case openai.APITimeoutError() | TimeoutError() | httpx2.TimeoutException():
            return _late(callee, sent=_may_have_gone_out(error))
        case (
            openai.APIConnectionError() | httpx2.HTTPError() | httpx2.InvalidURL() | ssl.SSLError()
        ):
            return _connection_fault(error, callee)
        case openai.APIResponseValidationError():
            return garbled(callee)
        case openai.APIError():
            return reported(error.body, callee, _body_of(error.request))
        case openai.OpenAIError() | json.JSONDecodeError() | UnicodeDecodeError():
            return garbled(callee)
        case _:
            raise TypeError(f"not an endpoint's error: {error!r}") from error


def garbled(callee: Callee) -> Fault:
    """What came back isn't the protocol."""
    return Fault(
        final=False,
        sentence=f"{callee.what} answered with something that is no answer of the OpenAI API: if "
        f"this goes on, check {callee.address_setting} (it usually ends in /v1).",
        sent=True,
    )


def unfinished(reason: str | None, callee: Callee) -> Fault:
    """An answer that ended otherwise than by the model's will; ``reason`` is the endpoint's."""
    why = "for a reason of its own" if reason else "without saying why"
    return Fault(
        final=False,
        sentence=f"{callee.what}'s answer ended before its end, {why} ({callee.model!r}).",
        said=_one_line(reason or "", callee.key),
        sent=True,
    )


def reported(body: object, callee: Callee, sent: object = None) -> Fault:
    """An error that came inside a response with status 200, to a request with the body ``sent``."""
    reply = _Reply.of(200, body, sent)
    return _known_fault(reply, callee) or Fault(
        final=False,
        sentence=f"{callee.what} reported an error instead of an answer.",
        said=_said(reply, callee),
        sent=True,
    )


@dataclass(frozen=True, slots=True)
class _Reply:
    """An error's body, read warily: endpoints agree on little. Beside it, what had been asked."""

    status: int
    codes: frozenset[str]
    message: str
    asked: str

    @classmethod
    def of(cls, status: int, body: object, sent: object) -> "_Reply":
        said = fields(body)
        if inner := fields(said.get("error")):
            said = inner
        codes = (text(said.get(name)).lower() for name in ("code", "type", "status"))
        message = said.get("message") or said.get("error") or said.get("detail")
        asked = "".join(
            text(fields(part).get("content") or part)
            for name in ("messages", "input")
            for part in items(fields(sent).get(name))
        )
        return cls(status, frozenset(codes), text(message), _letters(asked))

    def says(self, *words: str) -> bool:
        message = self.message.lower()
        return any(word in message for word in words)

    def misses_model(self) -> bool:
        """Whether it says so in words; not every endpoint has a code for it."""
        return self.says("model") and self.says("not found", "not exist", "unknown")


def _status_fault(reply: _Reply, callee: Callee, retry_after_s: float | None) -> Fault:
    if known := _known_fault(reply, callee):
        return known
    if reply.status in _RETRYABLE_STATUSES or reply.status >= 500:
        busy = "has too many requests" if reply.status == 429 else "failed"
        return Fault(
            final=False,
            sentence=f"{callee.what} {busy} (status {reply.status}).",
            said=_said(reply, callee),
            retry_after_s=retry_after_s,
            form=reply.status == 501,
            sent=reply.status in _WORKED_ON_STATUSES,
        )
    return Fault(
        final=True,
        sentence=f"{callee.what} refused the request (status {reply.status}): check "
        f"{_model(callee)} and {callee.address_setting}.",
        said=_said(reply, callee),
        form=reply.status in _FORM_STATUSES,
    )


def _known_fault(reply: _Reply, callee: Callee) -> Fault | None:
    """The faults that somebody must act on, told by code where there is one, else by status."""
    if sentence := _final_sentence(reply, callee):
        return Fault(final=True, sentence=sentence)
    return None


def _final_sentence(reply: _Reply, callee: Callee) -> str | None:
    codes, status = reply.codes, reply.status
    sentence: str | None = None
    if codes & _QUOTA_CODES or status == 402:
        sentence = (
            f"{callee.what}'s account has no credit left: top it up, or change "
            f"{callee.key_setting}."
        )
    elif status in (401, 403) or codes & _KEY_CODES or (status == 400 and reply.says("api key")):
        sentence = (
            f"{callee.what} refused the key: check {callee.key_setting}, and that it may use "
            f"{_model(callee)}."
        )
    elif codes & _CONTENT_CODES:
        sentence = refusal(callee)
    elif codes & _LENGTH_CODES or status == 413 or (status == 400 and reply.says(*_LENGTH_WORDS)):
        sentence = (
            f"{callee.what}'s model {callee.model!r} can't take a text this long: set "
            f"{callee.model_setting} to a model with a longer context, or serve it with one."
        )
    elif codes & _MODEL_CODES or (status in (400, 404) and reply.misses_model()):
        sentence = unknown_model(callee)
    elif status in (404, 405):
        sentence = (
            f"{callee.what} has nothing at this address (status {status}): check "
            f"{callee.address_setting} (it usually ends in /v1) and {_model(callee)}."
        )
    return sentence


def unknown_model(callee: Callee) -> str:
    """The sentence for a model that the endpoint doesn't have."""
    return (
        f"{callee.what} does not know the model {callee.model!r}: set {callee.model_setting} to "
        "one that the endpoint offers."
    )


def refusal(callee: Callee) -> str:
    """The sentence for content that the model or its provider won't write."""
    return (
        f"{callee.what}'s model {callee.model!r} refused this content: change the plan or the last "
        f"paragraph, or set {callee.model_setting} to another model."
    )


def _late(callee: Callee, *, sent: bool) -> Fault:
    return Fault(
        final=False,
        sentence=f"{callee.what} did not answer in time ({_model(callee)}): it may be overloaded.",
        sent=sent,
    )


def _connection_fault(error: Exception, callee: Callee) -> Fault:
    causes = list(_causes(error))
    if any(isinstance(cause, httpx2.UnsupportedProtocol | httpx2.InvalidURL) for cause in causes):
        return Fault(
            final=True,
            sentence=f"{callee.what} can't be called: {callee.address_setting} must be an address "
            "that begins with http:// or https://.",
        )
    why = _one_line(str(causes[-1]), callee.key) or type(causes[-1]).__name__
    return Fault(
        final=False,
        sentence=f"The connection to {_lowered(callee.what)} failed: if this goes on, check "
        f"{callee.address_setting}.",
        said=why,
        sent=_may_have_gone_out(error),
    )


def _may_have_gone_out(error: Exception) -> bool:
    """Whether the endpoint may have got the request: only a connection never made says no."""
    return not any(isinstance(cause, _NEVER_SENT) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from: "Connection error." says little, the innermost most."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from any of the three ways endpoints say it; never negative."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            asked_s = float(headers[name]) * unit_s
            return None if math.isnan(asked_s) else max(0.0, asked_s)
    with suppress(KeyError, ValueError):
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - now)
    return None


def _said(reply: _Reply, callee: Callee) -> str:
    """What the endpoint said, unless it repeats what it was asked."""
    said = _one_line(reply.message, callee.key)
    return "" if _repeats(said, reply.asked) else said


def _repeats(said: str, asked: str) -> bool:
    """Whether a piece of what was asked stands in what was said."""
    letters = _letters(said)
    starts = range(len(letters) - _ECHO_LETTERS + 1)
    return any(letters[start : start + _ECHO_LETTERS] in asked for start in starts)


def _letters(words: str) -> str:
    return "".join(filter(str.isalnum, words)).casefold()


def _body_of(request: httpx2.Request) -> object:
    """The body of a request; empty where it isn't JSON (a list of models has none)."""
    try:
        return json.loads(request.content)
    except (httpx2.RequestNotRead, ValueError):
        return {}


def _one_line(text: str, key: str) -> str:
    flat = " ".join(text.split()).rstrip(".")
    return clip(flat.replace(key, "…") if key else flat, _QUOTE_UNITS)


def _model(callee: Callee) -> str:
    return f"{callee.model_setting} {callee.model!r}"


def _lowered(what: str) -> str:
    return what[:1].lower() + what[1:]
