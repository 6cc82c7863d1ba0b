"""The HTTP door: turns requests into calls, runs the hooks round them, answers as Discord does.

Authorization, the log and the form of answers are here; what a route does is in `rest_*`.
"""

import json
import socket
import struct
from dataclasses import replace
from typing import Any, NoReturn

from aiohttp import BodyPartReader, web

from . import errors
from .calls import Answer, Call, CallLog, Hooks, Upload
from .changes import Changes
from .errors import ApiError, DropConnection
from .platform import Platform
from .rate_limits import InvalidRequests, RateLimiter
from .rest_account import AccountRoutes
from .rest_commands import CommandRoutes
from .rest_interactions import InteractionRoutes
from .rest_messages import MessageRoutes
from .rest_reactions import ReactionRoutes
from .routing import Router

PREFIX = "/api/v10"
"""Where the API lives."""

OPEN_PATHS = ("/interactions/", "/webhooks/", "/gateway")
"""Paths that carry their own key or need none; /gateway/bot is checked all the same."""


class RestApi:
    """Serves the REST API of a platform.

    Attributes:
        before: Hooks that run before a request is applied.
        after: Hooks that run after it was applied and before it is answered.
        log: Every request.
        invalid: The refusals that Discord counts against an address.
        failures: Faults inside the server or a test's hooks, which no answer can tell.
    """

    def __init__(self, platform: Platform, changes: Changes) -> None:
        self.before = Hooks()
        self.after = Hooks()
        self.log = CallLog()
        self.invalid = InvalidRequests()
        self.failures: list[Exception] = []
        rates = platform.limits.rates
        self._limiter = RateLimiter(rates) if rates else None
        self._platform = platform
        self._changes = changes
        self._router = Router(
            AccountRoutes(platform).routes(),
            CommandRoutes(platform).routes(),
            MessageRoutes(platform).routes(),
            ReactionRoutes(platform).routes(),
            InteractionRoutes(platform).routes(),
        )

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one HTTP request."""
        call = await self._read(request)
        self.log.append(call)
        self._changes.ring()
        try:
            answer = await self._limited(call)
        except DropConnection as drop:
            self._cut(request, drop)
        except Exception as fault:  # noqa: BLE001 - outermost: kept, and raised when the test ends
            self.failures.append(fault)
            # 400 because clients repeat a 500 several times before they give up.
            answer = Answer(400, {"code": 0, "message": "?"})
        self.invalid.note(answer, self._platform.clock())
        call.status, call.answer_body = answer.status, answer.body
        self._changes.ring()
        return _respond(answer)

    async def _limited(self, call: Call) -> Answer:
        if self._limiter is None:
            return await self._answer(call)
        verdict = self._limiter.judge(call)
        answer = verdict.refusal or await self._answer(call)
        return replace(answer, headers=verdict.headers | answer.headers)

    async def _answer(self, call: Call) -> Answer:
        try:
            replaced = await self.before.run(call)
            if replaced is not None:
                return replaced
            answer = await self._apply(call)
        except ApiError as error:
            answer = Answer(error.status, error.body())
        self._changes.ring()
        try:
            return await self.after.run(call) or answer
        except ApiError as error:
            return Answer(error.status, error.body())

    async def _apply(self, call: Call) -> Answer:
        handler = self._router.find(call)
        is_open = call.path.startswith(OPEN_PATHS) and call.path != "/gateway/bot"
        if not is_open and call.token != self._platform.token:
            raise errors.unauthorized()
        return await handler(call)

    async def _read(self, request: web.Request) -> Call:
        body, files = await _read_body(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return Call(
            method=request.method,
            path=request.path.removeprefix(PREFIX),
            query=dict(request.query),
            body=body,
            files=files,
            token=token if scheme == "Bot" else None,
            at_s=self._platform.clock(),
        )

    @staticmethod
    def _cut(request: web.Request, drop: DropConnection) -> NoReturn:
        transport = request.transport
        if transport is not None:
            if drop.reset:
                raw: socket.socket = transport.get_extra_info("socket")
                # A linger time of zero makes the kernel end the connection by RST.
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        raise ConnectionResetError("connection dropped on purpose")


async def _read_body(request: web.Request) -> tuple[Any, list[Upload]]:
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    text = await request.text()
    return (json.loads(text) if text else {}), []


async def _read_multipart(request: web.Request) -> tuple[Any, list[Upload]]:
    body: Any = {}
    files: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "payload_json":
            body = json.loads(await part.text())
        elif part.filename is not None:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            files.append(Upload(part.filename, kind, bytes(await part.read())))
    return body, files


def _respond(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    body = answer.body
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    # discord.py reads a body as JSON only if the type is this, without a charset.
    headers = {"Content-Type": "application/json"} | answer.headers
    return web.Response(status=answer.status, body=raw, headers=headers)
