"""Every exception that a call to an endpoint can raise has a reading."""

import asyncio
import inspect
import json
import math
import ssl
from collections.abc import Iterator

import httpx2
import openai
import pytest

from core.adapters.openai_errors import FOREIGN, Callee, classify

CALLEE = Callee("The narrator", "tiny", "NARRATOR_MODEL", "sk-secret")
REQUEST = httpx2.Request("POST", "http://endpoint.test/v1")


def classes(module: object, root: type[Exception]) -> Iterator[type[Exception]]:
    for _, value in inspect.getmembers(module, inspect.isclass):
        if issubclass(value, root):
            yield value


def status_error(kind: type[openai.APIStatusError]) -> openai.APIStatusError:
    status = getattr(kind, "status_code", 500)
    response = httpx2.Response(status if isinstance(status, int) else 500, request=REQUEST)
    return kind("sk-secret", response=response, body={"message": "sk-secret"})


def instances() -> Iterator[Exception]:
    """One of every kind; kinds of other parts of the SDK (web hooks, sockets) made as they come."""
    response = httpx2.Response(200, request=REQUEST)
    for kind in classes(openai, openai.OpenAIError):
        match kind:
            case openai.OAuthError:
                yield openai.OAuthError(response=httpx2.Response(401, request=REQUEST), body=None)
            case _ if issubclass(kind, openai.APIStatusError):
                yield status_error(kind)
            case openai.APIResponseValidationError:
                yield openai.APIResponseValidationError(response, None)
            case openai.APITimeoutError:
                yield openai.APITimeoutError(REQUEST)
            case openai.APIConnectionError:
                yield openai.APIConnectionError(request=REQUEST)
            case openai.APIError:
                yield openai.APIError("sk-secret", REQUEST, body=None)
            case _:
                error = kind.__new__(kind)
                Exception.__init__(error, "sk-secret")
                yield error
    for kind in classes(httpx2, httpx2.HTTPError):
        error = kind.__new__(kind)
        Exception.__init__(error, "sk-secret")
        yield error
    yield httpx2.InvalidURL("sk-secret")
    yield ssl.SSLError("sk-secret")
    yield json.JSONDecodeError("sk-secret", "", 0)
    yield UnicodeDecodeError("utf-8", b"\xff", 0, 1, "sk-secret")
    yield TimeoutError()


@pytest.mark.parametrize("error", list(instances()), ids=lambda error: type(error).__name__)
def test_an_error_has_a_sentence_and_keeps_the_key_to_itself(error: Exception) -> None:
    assert isinstance(error, (*FOREIGN, TimeoutError))
    fault = classify(error, CALLEE, now=0.0)
    assert fault.sentence.endswith(".")
    assert "sk-secret" not in fault.sentence + fault.said
    assert "sk-secret" not in repr(CALLEE)


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), asyncio.QueueFull()])
def test_a_fault_of_our_own_is_not_taken_for_the_endpoints(error: Exception) -> None:
    assert not isinstance(error, FOREIGN)
    with pytest.raises(TypeError):
        classify(error, CALLEE, now=0.0)


def test_a_connection_that_was_never_made_cost_nothing() -> None:
    error = openai.APITimeoutError(REQUEST)
    error.__cause__ = httpx2.ConnectTimeout("late")
    assert not classify(error, CALLEE, now=0.0).sent
    assert classify(openai.APITimeoutError(REQUEST), CALLEE, now=0.0).sent


@pytest.mark.parametrize(
    ("cause", "sent"),
    [
        (httpx2.ConnectError("refused"), False),
        (httpx2.ProxyError("no way"), False),
        (httpx2.ReadError("reset"), True),
        (httpx2.RemoteProtocolError("closed without an answer"), True),
    ],
)
def test_a_connection_that_broke_later_may_have_cost(cause: Exception, sent: bool) -> None:
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = cause
    assert classify(error, CALLEE, now=0.0).sent is sent


@pytest.mark.parametrize(
    ("status", "sent"), [(429, False), (500, False), (503, False), (504, True)]
)
def test_a_status_tells_whether_the_prompt_was_worked_on(status: int, sent: bool) -> None:
    response = httpx2.Response(status, request=REQUEST)
    error = openai.APIStatusError("?", response=response, body=None)
    assert classify(error, CALLEE, now=0.0).sent is sent


def test_no_word_of_the_endpoint_stands_in_the_sentence() -> None:
    said = "<b>Traceback</b> http://me:pw@host"
    for status in (400, 401, 402, 404, 413, 418, 429, 500):
        response = httpx2.Response(status, request=REQUEST)
        error = openai.APIStatusError(said, response=response, body={"message": said})
        fault = classify(error, CALLEE, now=0.0)
        assert not any(part in fault.sentence for part in ("<", "Traceback", "me:pw"))
        assert fault.said in ("", said)


@pytest.mark.parametrize(
    ("headers", "asked_s"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, math.inf),
        ({"retry-after": "Mon, 01 Jan 1968 00:00:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
    ],
)
def test_every_way_to_ask_for_a_pause_is_understood(
    headers: dict[str, str], asked_s: float | None
) -> None:
    response = httpx2.Response(429, headers=headers, request=REQUEST)
    error = openai.RateLimitError("busy", response=response, body=None)
    assert classify(error, CALLEE, now=10.0).retry_after_s == asked_s


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("Unknown field: reasoning_effort", True),
        ("Too long: MIRA goes down the --- iron stair", False),
        ("Mira goes", True),
        ('{"input": ["She reads the ledger aloud."]}', False),
        ("can't embed: 'She reads the ledger aloud.'", False),
    ],
)
@pytest.mark.parametrize("inside_200", [False, True])
def test_an_answer_that_repeats_the_story_is_not_quoted(
    said: str, quoted: bool, inside_200: bool
) -> None:
    """What members write stands in no log: a piece of a prompt is told from plain advice."""
    sent = {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Mira goes down the iron stair."}],
        "input": ["She reads the ledger aloud."],
        "reasoning_effort": "low",
    }
    request = httpx2.Request("POST", "http://endpoint.test/v1", json=sent)
    body = {"message": said}
    if inside_200:
        fault = classify(openai.APIError("failed", request, body=body), CALLEE, now=0.0)
    else:
        response = httpx2.Response(422, request=request)
        error = openai.UnprocessableEntityError("failed", response=response, body=body)
        fault = classify(error, CALLEE, now=0.0)
    assert (fault.said == said) is quoted
    assert said not in fault.sentence, "members read that one"
