"""Stands between a client and the server on a Unix socket and loses requests or replies.

A lost reply is the case that matters: the server has applied a change, and nobody tells the client.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Self


class Loss(Enum):
    """Where a connection is cut."""

    REQUEST = auto()
    """Before the server has seen the request."""
    REPLY = auto()
    """After the server has answered, before the client has heard it."""


class LossyProxy:
    """Forwards every connection to the server at ``url`` until it is told to lose something.

    Attributes:
        cuts: connections cut so far.
        after_cut: awaited after a reply was lost, before the client can notice.
    """

    def __init__(self, url: str) -> None:
        self._target = url.removeprefix("unix://")
        self._folder = tempfile.TemporaryDirectory(prefix="tw-proxy-")
        self._path = Path(self._folder.name, "p.sock")
        self._losses: list[tuple[Loss, bytes]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0
        self._canned: list[tuple[bytes, bytes]] = []
        self.after_cut: Callable[[], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        """The address for the client."""
        return f"unix://{self._path}"

    def lose(self, loss: Loss, marker: bytes, times: int = 1) -> None:
        """Cut the connection at the next requests that contain the marker."""
        self._losses += [(loss, marker)] * times

    def answer_instead(self, marker: bytes, reply: bytes, times: int) -> None:
        """Answer the next requests that contain the marker in the server's place."""
        self._canned += [(marker, reply)] * times

    async def __aenter__(self) -> Self:
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
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._target)
        back = asyncio.create_task(_pour(from_server, writer))
        self._tasks.add(back)
        back.add_done_callback(self._tasks.discard)
        try:
            while request := await reader.read(1 << 20):
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
                to_server.write(request)
                await to_server.drain()
        finally:
            # Without waiting: this task may be cancelled here once more.
            back.cancel()
            to_server.close()

    def _due(self, request: bytes) -> Loss | None:
        for place, (loss, marker) in enumerate(self._losses):
            if marker in request:
                del self._losses[place]
                self.cuts += 1
                return loss
        return None


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while reply := await reader.read(1 << 20):
        writer.write(reply)
        await writer.drain()
    writer.close()
