"""A loopback HTTP server that answers byte for byte as a test says, where llmock can't.

Each request takes the next answer of the script (the last one for ever). An answer is a sequence
of steps: bytes to send, seconds to pause, HANG (send nothing until the client goes away) or DROP
(reset the connection). Bodies go out chunked: a dropped connection can't be taken for an end.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain, repeat
from types import TracebackType
from typing import Any


class Stop(Enum):
    """How an answer stops without ending."""

    HANG = "hang"
    DROP = "drop"


HANG, DROP = Stop.HANG, Stop.DROP
Step = bytes | float | Stop


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    """Status, headers and the steps of a body."""

    steps: Iterable[Step]
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def gives(body: object, status: int = 200, **headers: str) -> Reply:
    """A JSON answer."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply([json.dumps(body).encode()], status, headers=named)


def says(text: str, content_type: str = "text/html", status: int = 200) -> Reply:
    """An answer that is no JSON."""
    return Reply([text.encode()], status, content_type)


def error(message: str, code: str | None = None) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


def completion(
    content: object, finish: str | None = "stop", **message: object
) -> dict[str, object]:
    """A whole chat completion, with figures."""
    said = {"role": "assistant", "content": content, **message}
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def chunk(content: object = None, finish: str | None = None, **delta: object) -> bytes:
    """One event of a stream; without content and finish a chunk that carries other fields only."""
    fields = dict(delta) if content is None else {"content": content, **delta}
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


def event(body: object) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


def figures(prompt: int, completion_: int, cached: int = 0) -> bytes:
    """The chunk behind a stream's end, which has no choices."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion_,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return event({"choices": [], "usage": usage})


PING = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"


def streams(*steps: Step) -> Reply:
    return Reply(steps, content_type="text/event-stream")


def for_ever(*steps: Step) -> Reply:
    return Reply(chain.from_iterable(repeat(steps)), content_type="text/event-stream")


class RawLLMServer:
    """The server; use as an async context manager.

    Attributes:
        requests: what came, in order.
        hung_up: set when a client went away during HANG or while an answer was sent.
    """

    def __init__(self, *script: Reply) -> None:
        self._script: Sequence[Reply] = script
        self._server: asyncio.Server | None = None
        self.requests: list[Request] = []
        self.hung_up = asyncio.Event()

    @property
    def base_url(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}/v1"

    async def __aenter__(self) -> "RawLLMServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error_: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await _read_request(reader))
            reply = self._script[min(len(self.requests), len(self._script)) - 1]
            await self._send(reply, reader, writer)
        except ConnectionError:
            self.hung_up.set()
        finally:
            writer.close()

    async def _send(
        self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write("".join(_head(reply)).encode())
        for step in reply.steps:
            if step is DROP:
                writer.transport.abort()
                return
            if step is HANG:
                await reader.read()
                self.hung_up.set()
                return
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif isinstance(step, bytes):
                writer.write(b"%x\r\n%b\r\n" % (len(step), step))
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def _head(reply: Reply) -> Iterator[str]:
    yield f"HTTP/1.1 {reply.status} Scripted\r\n"
    yield f"content-type: {reply.content_type}\r\n"
    yield "transfer-encoding: chunked\r\nconnection: close\r\n"
    for name, value in reply.headers:
        yield f"{name}: {value}\r\n"
    yield "\r\n"


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(raw) if raw else None)
