"""One WebSocket of the gateway: its compression, the order of what is written, its end.

What is said on it is the gateway's business, and what outlives it is `sessions`'.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from .sessions import Session


@dataclass(frozen=True, slots=True)
class _Close:
    code: int


class Connection:
    """One WebSocket, written by one task so that events keep their order.

    Attributes:
        session: What was identified or resumed on it.
        frozen: Half open: nothing is written any more.
        closed_here: Whether this side closed it.

    Args:
        socket: The prepared socket.
        compressed: Whether the client asked for zlib-stream. A client that asked for zstd-stream
            gets plain text, which discord.py reads as well.
    """

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self._socket = socket
        self._deflate = zlib.compressobj() if compressed else None
        self._outbox: asyncio.Queue[dict[str, Any] | _Close] = asyncio.Queue()
        self.session: Session | None = None
        self.frozen = False
        self.closed_here = False

    def send(self, payload: dict[str, Any]) -> None:
        """Queue a payload."""
        if not self.frozen:
            self._outbox.put_nowait(payload)

    def close(self, code: int) -> None:
        """Queue the end of the connection, behind what is queued already."""
        self.closed_here = True
        self._outbox.put_nowait(_Close(code))

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        while not self._socket.closed:
            item = await self._outbox.get()
            try:
                if isinstance(item, _Close):
                    await self._socket.close(code=item.code)
                else:
                    await self._write(json.dumps(item))
            except ConnectionResetError:
                return

    async def _write(self, text: str) -> None:
        if self._deflate is None:
            await self._socket.send_str(text)
            return
        data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self._socket.send_bytes(data)
