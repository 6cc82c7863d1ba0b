"""Everything that goes wrong with a model: each fault is the answer to a request it would spoil.

A fault answers all four calls: a title and outline, a reflection or other plans in JSON, a
paragraph in a stream. Whatever an endpoint says for itself holds what no channel may ever show
(``SECRETS``). What becomes of a fault stands in test_model_table.
"""

import json
from collections.abc import Callable, Mapping
from itertools import chain, repeat

from tests.adapters.raw_llm_server import (
    DONE,
    DROP,
    HANG,
    PING,
    Reply,
    Step,
    chunk,
    completion,
    error,
    event,
    gives,
    says,
    streams,
)
from tests.e2e.endpoint import Asked, Kind, answer_of, plan_title, told_for

Fault = Callable[[Asked], Reply]

KEY = "sk-simulated"
_PAGE = (
    "<html><h1>Bad gateway</h1><pre>Traceback (most recent call last):\n"
    f'  File "/srv/model.py", line 7\nat http://admin:hunter2@10.0.0.7/v1 with {KEY}</pre></html>'
)
SECRETS = (
    KEY,
    "<html",
    "<pre",
    "<think",
    "Bad gateway",
    "Traceback",
    "model.py",
    "://",
    "hunter2",
    "tool_calls",
)
"""Parts of what the faults say."""
REPEATS = "the previous paragraph again"
SLOW_S = 0.3
"""How long the slow but good answer waits."""


def _json_of(asked: Asked) -> dict[str, object]:
    return dict(answer_of(asked))


def _text_of(asked: Asked) -> str:
    return told_for(asked) if asked.kind is Kind.PARAGRAPH else json.dumps(_json_of(asked))


def _answer(asked: Asked, text: str, finish: str | None = "stop") -> Reply:
    """A text as the request wants it: streamed word by word, or whole."""
    if asked.kind is not Kind.PARAGRAPH:
        return gives(completion(text, finish))
    words = [chunk(word) for word in text.split(" ")[:1]]
    words += [chunk(f" {word}") for word in text.split(" ")[1:]]
    ends = [chunk("", finish)] if finish else []
    return streams(*words, *ends, DONE)


def _status(status: int, code: str | None = None, **headers: str) -> Fault:
    return lambda _asked: gives(error(_PAGE, code), status, **headers)


def _says(wrap: Callable[[str], str] = lambda text: text, finish: str | None = "stop") -> Fault:
    """The good text, dressed or cut short somehow."""
    return lambda asked: _answer(asked, wrap(_text_of(asked)), finish)


def _breaks(*end: Step) -> Fault:
    """Half of an answer, then this."""

    def fault(asked: Asked) -> Reply:
        if asked.kind is Kind.PARAGRAPH:
            words = told_for(asked).split(" ")
            return streams(*(chunk(f"{word} ") for word in words[: len(words) // 2]), *end)
        body = json.dumps(completion(_text_of(asked))).encode()
        return Reply([body[: len(body) // 2], *end])

    return fault


def _only(*steps: Step) -> Fault:
    """Nothing but this."""
    return lambda asked: streams(*steps) if asked.kind is Kind.PARAGRAPH else Reply(steps)


def _keeps_alive(asked: Asked) -> Reply:
    """Comments in a stream; blanks before a JSON answer, as proxies send them."""
    sign = PING if asked.kind is Kind.PARAGRAPH else b" "
    steps = chain.from_iterable(repeat((sign, 0.05)))
    return Reply(steps, content_type="text/event-stream" if sign is PING else "application/json")


def _slowly(asked: Asked) -> Reply:
    good = _answer(asked, _text_of(asked))
    return Reply([SLOW_S, *good.steps], good.status, good.content_type)


def _reports(asked: Asked) -> Reply:
    if asked.kind is Kind.PARAGRAPH:
        return streams(chunk("Then "), event(error(_PAGE)), DONE)
    return gives(error(_PAGE))


def _refuses(asked: Asked) -> Reply:
    if asked.kind is Kind.PARAGRAPH:
        return streams(chunk(refusal=_PAGE), chunk(finish="stop"), DONE)
    return gives(completion(None, refusal=_PAGE))


def _reflects(change: Callable[[dict[str, object]], Mapping[str, object]]) -> Fault:
    """A reflection with a change."""
    return lambda asked: _answer(asked, json.dumps(change(_json_of(asked))))


def sixty_sentences(word: str) -> str:
    """A memory that is three times as long as one may be."""
    return " ".join(f"{word} remembers stone {place}." for place in range(1, 61))


def _long_memory(asked: Asked) -> Reply:
    return _reflects(lambda good: good | {"memory": sixty_sentences(asked.word)})(asked)


def _without_plan(good: dict[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in good.items() if name != "plan_3"}


def _repeats(asked: Asked) -> Reply:
    """The paragraph that the request shows as the previous one, with a word of its own."""
    previous = asked.part("previous") or told_for(asked)
    return _answer(asked, previous.replace("On day", "So on day", 1))


def alike(asked: Asked) -> Reply:
    """A reflection whose first two plans are nearly one, so that others are asked for."""
    twins = {
        f"plan_{place}": {
            "title": plan_title(asked.word, asked.number, place - 1),
            "text": f"{asked.word} waits at the stair of day {asked.number} until somebody comes.",
        }
        for place in (1, 2)
    }
    twins["plan_2"]["text"] += " It rains."
    return _reflects(lambda good: good | twins)(asked)


def _a_fact(text: str, *ends: object) -> dict[str, object]:
    return {"about": "Mira", "fact": text, "ends": list(ends)}


def _facts(*facts: object) -> Fault:
    """A reflection with these facts."""
    return _reflects(lambda good: good | {"facts": list(facts)})


FAULTS: Mapping[str, Fault] = {
    "429": _status(429),
    "429, Retry-After a moment": _status(429, retry_after="0.2"),
    "429, Retry-After an hour": _status(429, retry_after="3600"),
    "429, Retry-After nonsense": _status(429, retry_after="when it rains"),
    "429, Retry-After a date gone by": _status(429, retry_after="Mon, 01 Jan 2024 00:00:00 GMT"),
    "429, Retry-After a date far off": _status(429, retry_after="Fri, 01 Jan 2100 00:00:00 GMT"),
    "429, no quota": _status(429, "insufficient_quota"),
    "401, key refused": _status(401, "invalid_api_key"),
    "400": _status(400),
    "500": _status(500),
    "502": _status(502),
    "503": _status(503),
    "504": _status(504),
    "not a byte": _only(HANG),
    "only keep-alives": _keeps_alive,
    "stall half-way": _breaks(HANG),
    "slow first text": _slowly,
    "no answer but a reset": _only(DROP),
    "disconnect half-way": _breaks(DROP),
    "silent end": _says(finish=None),
    "ends for tool calls": _says(finish="tool_calls"),
    "cut off at its length": _says(lambda text: text[: len(text) // 2], finish="length"),
    "breaks off in a sentence": _says(lambda text: text[: len(text) // 2]),
    "error inside a 200": _reports,
    "HTML with 200": lambda _asked: says(_PAGE),
    "corrupt chunk": _breaks(b"data: {broken\n\n"),
    "content filter": _says(finish="content_filter"),
    "refusal": _refuses,
    "empty text": lambda asked: _answer(asked, ""),
    "in fences": _says(lambda text: f"```\n{text}\n```"),
    "with thoughts": _says(lambda text: f"<think>{{Is {KEY} mine?}}</think>\n{text}"),
    "two plans": _reflects(_without_plan),
    "memory of 60 sentences": _long_memory,
    "no facts": _reflects(lambda good: good | {"facts": None}),
    "facts in a sentence": _reflects(lambda good: good | {"facts": "Mira limps."}),
    "a fact without words": _facts(_a_fact(" ")),
    "a fact that is no object": _facts("Mira limps."),
    "facts that end what nobody knows": _facts(
        _a_fact("Mira limps.", "F77", 3, None), _a_fact("Mira is tall.") | {"ends": "F1"}
    ),
    "too many facts": _facts(*(_a_fact(f"Mira owns lamp {n}.") for n in range(40))),
    REPEATS: _repeats,
}
