"""An OpenAI-compatible endpoint on loopback whose answers follow from what it is asked.

Every story has a word of its own, the first of its premise, and all that is told about it carries
that word and the number of the turn: what stands in a prompt shows where it came from. Answers can
be held back half-way, any kind of request can be made to fail, and those of one story can be spoilt
with whatever answer a test makes up. Nothing is remembered between two requests but their list.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self, cast

from aiohttp import web

from tests.adapters.raw_llm_server import Reply, Stop

MODEL = "story-model"
PROMPT_TOKENS, COMPLETION_TOKENS = 100, 20
TOKENS = PROMPT_TOKENS + COMPLETION_TOKENS
"""What each answer costs."""

_THINGS = (
    "a brass key under the stove",
    "a drowned bell in the harbour",
    "a letter sewn into a coat",
    "a wolf asleep in the chapel",
    "a map drawn on an eggshell",
    "a debt owed to the miller",
)

_WAYS = (
    (
        "{word} waits at the ferry and asks who lit the lamp on day {number}.",
        "A storm tears the roof off the chapel, and {word} counts the slates: {number}.",
        "The miller offers {word} work for {number} winters. It costs a name.",
    ),
    (
        "{word} digs under the salt wall until the spade rings, {number} feet down.",
        "Somebody has painted door {number} red; {word} knocks.",
        "Twins sell {word} a dead man's coat with {number} buttons.",
    ),
    (
        "An owl leads {word} past {number} graves to the one that is open.",
        "{word} burns every letter but number {number} and reads that one aloud.",
        "The tide stays out for {number} hours, and {word} walks to the wreck.",
    ),
    (
        "{word} teaches {number} children to whistle the forbidden song.",
        "Fever takes {word}, who dreams of a corridor with {number} mirrors.",
        "The bailiff wants {number} crowns by noon; {word} hides in the clock.",
    ),
)
"""Where a story can go: no two plans of three turns in a row are alike, or others are asked for."""
_OTHER_WAYS = (
    "The smith gives {word} a hammer and {number} nails, and asks for a coffin.",
    "Behind the mirror {word} finds {number} stairs that nobody swept.",
    "It snows ash on day {number}. {word} follows the only footprints.",
)


class Kind(StrEnum):
    """What a request asks for."""

    OPENING = "opening"
    PARAGRAPH = "paragraph"
    REFLECTION = "reflection"
    PLANS = "plans"


@dataclass(frozen=True)
class Asked:
    """One request: what for, of which story and turn, in which form, and every word of it."""

    kind: Kind
    word: str
    number: int
    messages: tuple[tuple[str, str], ...]
    form: str | None = None

    @property
    def text(self) -> str:
        """All of it but the rules, which are the same for every story."""
        return "\n".join(content for role, content in self.messages if role != "system")

    def part(self, name: str) -> str:
        """What stands between the marks of a part; empty where there is none."""
        found = re.search(rf"<{name}>\n(.*?)\n</{name}>", self.text, re.DOTALL)
        return found[1] if found else ""


@dataclass
class Hold:
    """An answer that waits: ``reached`` once it is asked for, until ``release``."""

    wanted: Callable[[Asked], bool]
    sentences: int
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self._released.set()

    async def wait(self) -> None:
        self.reached.set()
        await self._released.wait()


@dataclass(frozen=True)
class Failure:
    """How requests fail: the status and the body of the answer."""

    status: int
    code: str
    message: str


@dataclass
class Spoiling:
    """Answers of a test's own for the requests of one story and kind, as often as it says."""

    word: str
    kind: Kind
    answer: Callable[[Asked], Reply]
    times: int | None


REFUSED_KEY = Failure(401, "invalid_api_key", "Incorrect API key provided.")
OUTAGE = Failure(503, "overloaded", "The engine is overloaded.")


# ── what it tells ────────────────────────────────────────────────────────────────────────────────


def title_of(word: str) -> str:
    return f"The Book of {word}"


def thing_of(number: int) -> str:
    return _THINGS[(number - 1) % len(_THINGS)]


def plan_title(word: str, number: int, option: int) -> str:
    """Of the plans made after turn ``number``; options count from 0, those of others from 3."""
    return f"{word} road {number}{'abcxyz'[option]}"


def summary_of(word: str, number: int) -> str:
    return f"In turn {number} {word} found {thing_of(number)}."


def fact_of(word: str, number: int) -> str:
    """What holds until the next turn; it is about the story's word."""
    return f"{word} carries {thing_of(number)}."


def facts_of(asked: Asked) -> list[Mapping[str, object]]:
    """What holds until the next turn, and what holds for good."""
    word, number = asked.word, asked.number
    ends = re.findall(rf"^(F\d+) \(.*\) {word} carries", asked.text, re.MULTILINE)
    return [
        {"about": word, "fact": fact_of(word, number), "ends": ends},
        {"about": "The ferryman", "fact": f"He is owed a song for day {number}.", "ends": []},
    ]


def chapter_of(word: str, number: int) -> str:
    """The ten turns up to one that ends a chapter."""
    return f"For ten days, up to day {number}, {word} looked for the sea."


def memory_of(word: str, number: int) -> str:
    return " ".join(
        f"{word} remembers day {day} and {thing_of(day)}." for day in range(1, number + 1)
    )


def paragraph_of(word: str, number: int, sentences: int, plan: str) -> str:
    first = f"On day {number} {word} followed {plan or 'nobody'}."
    rest = (
        # Two days must not read alike, not even in five words: an echo is written again.
        f"On day {number}, stone {place}, {word} saw {number} gulls and grew {number} years old."
        for place in range(2, sentences + 1)
    )
    return " ".join((first, *rest))


def opening_of(asked: Asked) -> Mapping[str, object]:
    return {"title": title_of(asked.word), "outline": f"{asked.word} sets out and is changed."}


def reflection_of(asked: Asked) -> Mapping[str, object]:
    word, number = asked.word, asked.number
    return {
        "rationale": f"Day {number} is new.",
        "memory": memory_of(word, number),
        "summary": summary_of(word, number),
        "facts": facts_of(asked),
        "chapter": chapter_of(word, number),
        **_plans_of(asked, _WAYS[number % len(_WAYS)], 0),
    }


def other_plans_of(asked: Asked) -> Mapping[str, object]:
    return _plans_of(asked, _OTHER_WAYS, 3)


def _plans_of(asked: Asked, ways: Sequence[str], first: int) -> Mapping[str, object]:
    word, number = asked.word, asked.number
    return {
        f"plan_{place + 1}": {
            "title": plan_title(word, number, first + place),
            "text": way.format(word=word, number=number),
        }
        for place, way in enumerate(ways)
    }


def answer_of(asked: Asked) -> Mapping[str, object]:
    """The object that a request for one is answered with."""
    match asked.kind:
        case Kind.OPENING:
            return opening_of(asked)
        case Kind.PLANS:
            return other_plans_of(asked)
        case _:
            return reflection_of(asked)


# ── the server ───────────────────────────────────────────────────────────────────────────────────


class StoryEndpoint:
    """The endpoint; use as an async context manager.

    Attributes:
        asked: every request for a completion, in order.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._holds: list[Hold] = []
        self._failures: dict[Kind, Failure] = {}
        self._spoilings: list[Spoiling] = []
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def of(self, word: str, kind: Kind | None = None, number: int | None = None) -> list[Asked]:
        """The requests of one story, of a kind, of a turn."""
        return [
            asked
            for asked in self.asked
            if asked.word == word and kind in (None, asked.kind) and number in (None, asked.number)
        ]

    def hold(self, kind: Kind, number: int, sentences: int = 2) -> Hold:
        """Hold the next answer of that kind for that turn; a paragraph after some sentences."""
        held = Hold(lambda asked: asked.kind is kind and asked.number == number, sentences)
        self._holds.append(held)
        return held

    def fail(self, kind: Kind, failure: Failure) -> None:
        """Let every request of that kind fail, until ``mend``."""
        self._failures[kind] = failure

    def spoil(
        self, word: str, kind: Kind, answer: Callable[[Asked], Reply], times: int | None = None
    ) -> None:
        """Answer a story's requests of a kind otherwise, until ``mend`` or ``times`` were so."""
        self._spoilings.append(Spoiling(word, kind, answer, times))

    def mend(self) -> None:
        """From now on every request gets the answer that it asks for."""
        self._failures.clear()
        self._spoilings.clear()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for held in self._holds:
            held.release()
        await self._runner.cleanup()

    async def _models(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked = _read(body)
        self.asked.append(asked)
        if failure := self._failures.get(asked.kind):
            error = {"message": failure.message, "code": failure.code, "type": "error"}
            return web.json_response({"error": error}, status=failure.status)
        if spoilt := self._spoilt(asked):
            return await _play(request, spoilt)
        held = next((hold for hold in self._holds if hold.wanted(asked)), None)
        if held:
            self._holds.remove(held)
        if asked.kind is Kind.PARAGRAPH:
            return await _stream(request, asked, held)
        if held:
            await held.wait()
        message = {"role": "assistant", "content": json.dumps(answer_of(asked))}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], **_USAGE})

    def _spoilt(self, asked: Asked) -> Reply | None:
        for spoiling in self._spoilings:
            if (spoiling.word, spoiling.kind) == (asked.word, asked.kind) and spoiling.times != 0:
                if spoiling.times is not None:
                    spoiling.times -= 1
                return spoiling.answer(asked)
        return None


_USAGE: Mapping[str, object] = {
    "usage": {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": COMPLETION_TOKENS,
        "total_tokens": TOKENS,
    }
}


def _read(body: dict[str, Any]) -> Asked:
    said = cast("list[dict[str, str]]", body["messages"])
    messages = tuple((message["role"], message["content"]) for message in said)
    asked = Asked(_kind(body), "", 1, messages)
    form = body["response_format"]["type"] if "response_format" in body else None
    number = re.search(r"^Write paragraph (\d+) of the story", asked.text, re.MULTILINE)
    word = asked.part("premise").split()[0]
    return Asked(asked.kind, word, int(number[1]) if number else 1, messages, form)


def _kind(body: dict[str, Any]) -> Kind:
    if body.get("stream"):
        return Kind.PARAGRAPH
    # From the words that ask: a request that was refused its form comes back without one.
    said = str(body["messages"])
    if "The story has not begun" in said:
        return Kind.OPENING
    return Kind.PLANS if "between the marks <refused>" in said else Kind.REFLECTION


def told_for(asked: Asked) -> str:
    """The paragraph that a request for one is answered with."""
    wanted = re.search(r"about (\d+) sentences", asked.messages[-1][1])
    assert wanted is not None
    plan = asked.part("plan").split("\n")[0]
    return paragraph_of(asked.word, asked.number, int(wanted[1]), plan)


async def _play(request: web.Request, reply: Reply) -> web.StreamResponse:
    """An answer of a test's own. Before its first byte not even its head is sent."""
    headers = {"content-type": reply.content_type, **dict(reply.headers)}
    response = web.StreamResponse(status=reply.status, headers=headers)
    # Whoever asked may be gone by now; that is nothing to complain about.
    with suppress(ConnectionError):
        for step in reply.steps:
            if step is Stop.DROP:
                assert request.transport is not None
                request.transport.abort()
                return response
            if step is Stop.HANG:
                await _hung_up(request)
                return response
            if isinstance(step, bytes):
                if not response.prepared:
                    await response.prepare(request)
                await response.write(step)
            elif isinstance(step, float):
                await asyncio.sleep(step)
        await response.write_eof()
    return response


async def _hung_up(request: web.Request) -> None:
    # A connection that goes away is no event here.
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def _stream(request: web.Request, asked: Asked, held: Hold | None) -> web.StreamResponse:
    words = told_for(asked).split(" ")
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    # Whoever asked may be gone by now; that is nothing to complain about.
    with suppress(ConnectionError):
        ended = 0
        for index, word in enumerate(words):
            if held and ended == held.sentences:
                await held.wait()
            ended += word.endswith(".")
            delta = {"content": word if not index else f" {word}"}
            await _send(response, {"choices": [{"index": 0, "delta": delta}]})
        last = {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}
        await _send(response, {"choices": [last]})
        await _send(response, {"choices": [], **_USAGE})
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
    return response


async def _send(response: web.StreamResponse, event: Mapping[str, object]) -> None:
    await response.write(f"data: {json.dumps(event)}\n\n".encode())
