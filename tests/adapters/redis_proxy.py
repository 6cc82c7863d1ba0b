"""Stands between a client and the server and does to their connections what networks do.

It loses requests or replies, answers in the server's place, answers slowly, or lets connections die
without a word. A lost reply is the case that matters most: the server has applied a change, and
nobody tells the client.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
HEAD_BYTES = 600
"""So much of each request is kept: enough to tell what it was."""


class Loss(Enum):
    """Where a connection is cut."""

    REQUEST = auto()
    """Before the server has seen the request."""
    REPLY = auto()
    """After the server has answered, before the client has heard it."""


@dataclass
class _Cut:
    """A cut to come: at the request with the marker that follows ``passing`` others."""

    loss: Loss
    marker: bytes
    passing: int


@dataclass(eq=False)
class _Line:
    """One connection. Half open: it looks alive, and nothing comes through any more."""

    half_open: bool = False
    hold_s: float = 0.0


class LossyProxy:
    """Forwards every connection to the server at ``url`` until it is told to disturb something.

    Attributes:
        cuts: connections cut so far.
        after_cut: awaited after a reply was lost, before the client can notice.
        delay_s: how long each answer takes longer.
        requests: the beginnings of all requests so far.
    """

    def __init__(self, url: str, *, tcp: bool = False) -> None:
        """See the class.

        Args:
            url: of the server, a Unix socket.
            tcp: listen on a port of loopback and not on a socket.
        """
        self._target = url.removeprefix("unix://")
        self._tcp = tcp
        self._folder = tempfile.TemporaryDirectory(prefix="tw-proxy-")
        self._path = Path(self._folder.name, "p.sock")
        self._losses: list[_Cut] = []
        self._slow: list[tuple[bytes, float]] = []
        self._canned: list[tuple[bytes, bytes]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: set[_Line] = set()
        self.cuts = 0
        self.after_cut: Callable[[], Awaitable[None]] | None = None
        self.delay_s = 0.0
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        """The address for the client."""
        if self._tcp:
            return f"redis://{HOST}:{self._server.sockets[0].getsockname()[1]}/0"
        return f"unix://{self._path}"

    def count(self, marker: bytes) -> int:
        """How many requests so far had the marker in their beginning."""
        return sum(marker in request for request in self.requests)

    def lose(self, loss: Loss, marker: bytes, times: int = 1, passing: int = 0) -> None:
        """Cut the connection at the next requests that contain the marker.

        Args:
            loss: where.
            marker: in the request.
            times: how many requests in a row.
            passing: so many requests with the marker go through before.
        """
        self._losses += [_Cut(loss, marker, passing) for _ in range(times)]

    def answer_instead(self, marker: bytes, reply: bytes, times: int) -> None:
        """Answer the next requests that contain the marker in the server's place."""
        self._canned += [(marker, reply)] * times

    def answer_late(self, marker: bytes, delay_s: float) -> None:
        """Hold back the answer to the next request that contains the marker."""
        self._slow.append((marker, delay_s))

    def let_die(self) -> None:
        """Let nothing through any more on the connections of now; new ones are well."""
        for line in self._lines:
            line.half_open = True

    def undisturbed(self) -> None:
        """Forget every disturbance that is still to come."""
        self._losses.clear()
        self._canned.clear()
        self._slow.clear()
        self.delay_s = 0.0

    async def __aenter__(self) -> Self:
        if self._tcp:
            self._server = await asyncio.start_server(self._accept, HOST, 0)
        else:
            self._server = await asyncio.start_unix_server(self._accept, self._path)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._folder.cleanup()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        line = _Line()
        self._lines.add(line)
        try:
            await self._serve(line, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._lines.discard(line)
            self._tasks.discard(task)
            writer.close()

    async def _serve(
        self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._target)
        back = asyncio.create_task(self._pour(line, from_server, writer))
        self._tasks.add(back)
        back.add_done_callback(self._tasks.discard)
        try:
            while request := await reader.read(1 << 20):
                if line.half_open:
                    continue
                self.requests.append(request[:HEAD_BYTES])
                if self._canned and self._canned[0][0] in request:
                    writer.write(self._canned.pop(0)[1])
                    continue
                loss = self._due(request)
                if loss is Loss.REQUEST:
                    break
                if loss is Loss.REPLY:
                    back.cancel()
                    await asyncio.wait([back])
                    to_server.write(request)
                    assert await from_server.read(1 << 20)
                    if self.after_cut is not None:
                        await self.after_cut()
                    break
                if self._slow and self._slow[0][0] in request:
                    line.hold_s = self._slow.pop(0)[1]
                to_server.write(request)
                await to_server.drain()
        finally:
            # Without waiting: this task may be cancelled here once more.
            back.cancel()
            to_server.close()

    async def _pour(
        self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while reply := await reader.read(1 << 20):
            if self.delay_s or line.hold_s:
                held_s, line.hold_s = line.hold_s, 0.0
                await asyncio.sleep(self.delay_s + held_s)
            if not line.half_open:
                writer.write(reply)
                await writer.drain()
        writer.close()

    def _due(self, request: bytes) -> Loss | None:
        for place, cut in enumerate(self._losses):
            if cut.marker in request:
                if cut.passing:
                    for other in self._losses:
                        other.passing -= other.marker == cut.marker
                    return None
                del self._losses[place]
                self.cuts += 1
                return cut.loss
        return None
