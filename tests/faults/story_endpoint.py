"""A model that isn't one, behind an OpenAI-compatible endpoint on loopback.

It answers outlines, paragraphs, reflections, other plans and embeddings with text that depends on
the turn and on how often it was asked, so that a paragraph that was written twice is told from one
that was told twice. Each answer has moments, before it, in its middle, behind it, at which a test
can look, wait or kill. It can be down, refuse a key, lack a model and talk nonsense.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

MODEL = "paper-and-ink"
EMBEDDING_MODEL = "paper-vectors"
DIMS = 16
TITLE = "The Salt Clock"
SENTENCES = 40
"""Of a paragraph: about 2,400 characters, which is more than one message carries."""

_SUBJECTS = (
    "the sea and its {} clocks",
    "brass wheels under {} piers",
    "a ledger with {} names",
    "how the fog came inland, {}",
)
"""Two turns must not read alike: a paragraph that repeats the last one is refused, and one that
shares many runs of five words with an earlier one is asked for once more. So each ends with the
number of its turn, or next to it."""
_WAYS = (
    *("They row to the wreck", "They ask the miller's widow", "They burn the old ledger"),
    *("They climb the north tower", "They feed the harbour cat", "They sell a brass clock"),
    *("They dig below the chapel", "They follow the tall stranger", "They forge a captain's seal"),
    *("They wait for the fog", "They free the caged heron", "They drink with the bailiff"),
)
"""Nor may plans of three turns in a row be alike."""

_NUMBER = re.compile(r"Write paragraph (\d+) of the story")
_PLAN = re.compile(r"<plan>\n(.+)\n")
_PREMISE = re.compile(r"<premise>\n(.+?)\n</premise>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request to the model was for.

    Attributes:
        what: "outline", "paragraph", "reflection" or "plans" (other ones).
        number: of the turn.
        plan: title of the plan that the turn follows; empty for the opening.
        premise: of the story, by which one is told from another.
    """

    what: str
    number: int
    plan: str
    premise: str = ""


Hook = Callable[[str, Asked], Awaitable[None]]
"""Called with a moment: "before", "early", "late" (both inside a stream) or "after"."""


async def _nothing(_moment: str, _asked: Asked) -> None:
    return


class StoryEndpoint:
    """The endpoint; use as an async context manager, or ``start`` and ``close``.

    Attributes:
        hook: called at each moment of each answer.
        asked: how often the model was asked for what of which turn, in all stories together.
        asked_of: the same of each story, by its premise.
        key: the only key that is accepted; None accepts every one.
        models: what the endpoint lists.
        nonsense: whether it answers everything with a web page.
        echo: when set, everything is refused with what it makes of the authorization and the body.
        heard: the bodies of all requests, as text.
        dims: numbers per vector.
    """

    def __init__(self, *, key: str | None = None, models: tuple[str, ...] = (MODEL,)) -> None:
        self.hook: Hook = _nothing
        self.asked: Counter[tuple[str, int]] = Counter()
        self.asked_of: Counter[tuple[str, str, int]] = Counter()
        self.key = key
        self.models = models
        self.nonsense = False
        self.echo: Callable[[str, str], str] | None = None
        self.heard: list[str] = []
        self.dims = DIMS
        self.port = 0
        self.failures: list[Exception] = []
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """The value of OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        """Serve on a free port; after a ``close`` on the same one again."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/embeddings", self._embed)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def close(self) -> None:
        """Be down. Raises ExceptionGroup when something failed in here or in a hook."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self.failures:
            raise ExceptionGroup("faults inside the endpoint", self.failures)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self.heard.append(await request.text())
        if self.echo is not None:
            sent = self.echo(request.headers.get("Authorization", ""), self.heard[-1])
            return web.json_response({"error": {"message": sent}}, status=422)
        if self.nonsense:
            return web.Response(text="<html>Welcome!</html>", content_type="text/html")
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            said = {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}
            return web.json_response(said, status=401)
        try:
            return await handler(request)
        except ConnectionError:
            return web.Response(status=500)  # to nobody: the caller was killed
        except Exception as fault:
            self.failures.append(fault)
            raise

    async def _list_models(self, _request: web.Request) -> web.Response:
        listed = [{"id": name, "object": "model"} for name in self.models]
        return web.json_response({"object": "list", "data": listed})

    async def _embed(self, request: web.Request) -> web.Response:
        texts: list[str] = (await request.json())["input"]
        await self.hook("before", Asked("embedding", 0, ""))
        rows = [
            {"object": "embedding", "index": index, "embedding": _vector(text, self.dims)}
            for index, text in enumerate(texts)
        ]
        return web.json_response({"object": "list", "data": rows, "model": EMBEDDING_MODEL})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = await request.json()
        if len(body["messages"]) == 1:  # no step of a story: somebody tries the endpoint out
            return await self._tried(request, stream=bool(body.get("stream")))
        asked = _understand(body)
        self.asked[asked.what, asked.number] += 1
        self.asked_of[asked.premise, asked.what, asked.number] += 1
        time = self.asked_of[asked.premise, asked.what, asked.number]
        await self.hook("before", asked)
        if asked.what == "paragraph":
            return await self._stream(request, asked, time)
        answer = _answer(asked, time)
        await self.hook("after", asked)
        choice = {"index": 0, "finish_reason": "stop", "message": {"content": json.dumps(answer)}}
        return web.json_response({"choices": [choice], "usage": _usage()})

    async def _tried(self, request: web.Request, *, stream: bool) -> web.StreamResponse:
        if stream:
            return await self._send(request, _words("The lamp turns all night."))
        message = {"content": json.dumps({"colour": "blue"})}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return web.json_response({"choices": [choice], "usage": _usage()})

    async def _stream(self, request: web.Request, asked: Asked, time: int) -> web.StreamResponse:
        return await self._send(request, self._pieces(asked, time))

    async def _send(self, request: web.Request, pieces: AsyncIterator[str]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for piece in pieces:
            await response.write(_event({"delta": {"content": piece}, "finish_reason": None}))
        await response.write(_event({"delta": {}, "finish_reason": "stop"}))
        figures = json.dumps({"choices": [], "usage": _usage()})
        await response.write(f"data: {figures}\n\ndata: [DONE]\n\n".encode())
        await response.write_eof()
        return response

    async def _pieces(self, asked: Asked, time: int) -> AsyncIterator[str]:
        """The paragraph word by word; the hook may hold it after two sentences and after ten."""
        for index, sentence in enumerate(told(asked, time)):
            for word in sentence.split():
                yield word + " "
            if index in (1, 9):
                await self.hook("early" if index == 1 else "late", asked)
        await self.hook("after", asked)


async def _words(sentence: str) -> AsyncIterator[str]:
    for word in sentence.split():
        yield word + " "


def told(asked: Asked, time: int) -> list[str]:
    """The sentences of a turn's paragraph, as the model writes it for the n-th time."""
    follows = asked.plan or "nothing yet"
    subject = _SUBJECTS[asked.number % 4].format(asked.number)
    first = f"Turn {asked.number} follows {follows}, written for time {time}."
    rest = [
        f"Sentence {index} of {asked.number} at time {time} tells of {subject}."
        for index in range(2, SENTENCES + 1)
    ]
    return [first, *rest]


def _understand(body: dict[str, Any]) -> Asked:
    """What a request is for, told as a model would tell it: from its form and its words."""
    task: str = body["messages"][1]["content"]
    found = _NUMBER.search(task)
    number = int(found[1]) if found else 1
    plan = _PLAN.search(task)
    title = plan[1] if plan else ""
    told_of = _PREMISE.search(task)
    premise = told_of[1] if told_of else ""
    if body.get("stream"):
        return Asked("paragraph", number, title, premise)
    form: str = body["response_format"]["json_schema"]["name"]
    what = {"opening": "outline", "reflection": "reflection", "plans": "plans"}[form]
    return Asked(what, number, title, premise)


def _answer(asked: Asked, time: int) -> dict[str, object]:
    match asked.what:
        case "outline":
            return _outline()
        case "plans":
            return _plans(asked.number, time, "xyz")
        case _:
            return _reflection(asked.number, time)


def _outline() -> dict[str, object]:
    return {"title": TITLE, "outline": "A keeper hears the sea count the hours. It asks for one."}


def _reflection(number: int, time: int) -> dict[str, object]:
    lines = [f"Turn {turn} was told." for turn in range(1, number + 1)]
    return {
        "rationale": f"Turn {number} is kept.",
        "memory": " ".join([*lines, f"Kept at time {time}."]),
        "summary": f"In turn {number} the sea was told of, at time {time}.",
        "facts": [
            {"about": "the sea", "fact": f"The sea is {number} miles away.", "ends": ["F1"]},
            {"about": "the keeper", "fact": f"The keeper wrote line {number}.", "ends": []},
        ],
        "chapter": f"Up to turn {number} the sea was told of, at time {time}.",
        **_plans(number, time, "abc"),
    }


def _plans(number: int, time: int, letters: str) -> dict[str, object]:
    return {
        f"plan_{index + 1}": {
            "title": f"Way {number}{letter}",
            "text": f"{_WAYS[(3 * number + index) % 12]}, out of turn {number}, at time {time}.",
        }
        for index, letter in enumerate(letters)
    }


def _vector(text: str, dims: int) -> list[float]:
    digest = hashlib.shake_128(text.encode()).digest(dims)
    return [byte / 255 - 0.5 for byte in digest]


def _usage() -> dict[str, int]:
    return {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def _event(choice: dict[str, object]) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, **choice}]})}\n\n".encode()
