"""A loopback endpoint that speaks /moderations, flags what a test says, and fails on demand."""

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Self, cast

from aiohttp import web

MODEL = "omni-moderation-latest"
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def result_of(flagged: Collection[str]) -> dict[str, object]:
    """A result in the form of OpenAI's newer models."""
    return {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in CATEGORIES},
        "category_scores": {name: 0.9 if name in flagged else 0.01 for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


class ModerationEndpoint:
    """The endpoint; use as an async context manager.

    Attributes:
        flags: the categories of a text.
        failing: the status with which every request fails; None: none does.
        asked: the texts of each request, in order.
        keys: the keys that came.
    """

    def __init__(self, flags: Callable[[str], Collection[str]] = lambda _text: ()) -> None:
        self.flags = flags
        self.failing: int | None = None
        self.asked: list[list[str]] = []
        self.keys: set[str] = set()
        app = web.Application()
        app.router.add_post("/v1/moderations", self._judge)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

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
        await self._runner.cleanup()

    async def _judge(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        texts = cast("list[str]", body["input"])
        self.asked.append(texts)
        self.keys.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if self.failing is not None:
            error = {"message": "No.", "type": "error", "code": None}
            return web.json_response({"error": error}, status=self.failing)
        results = [result_of(self.flags(text)) for text in texts]
        return web.json_response({"id": "modr-1", "model": body["model"], "results": results})
