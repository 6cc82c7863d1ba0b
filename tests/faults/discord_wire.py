"""A client that knows nothing of Discord: what the server's own rules are asked with.

Plain HTTP and a plain WebSocket, and a clock that a test sets forward.
"""

import json
from typing import Any

import aiohttp

from tests.faults.discord_server import DiscordServer, Intent


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Wire:
    """A client that knows nothing of Discord."""

    def __init__(self, server: DiscordServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.token = "local-token"

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request; return the status and the JSON of the answer, or None."""
        headers = {"Authorization": f"Bot {self.token}"}
        url = self.server.api_url + path
        async with self.session.request(method, url, json=body, headers=headers) as response:
            raw = await response.read()
            assert not raw or response.headers["Content-Type"] == "application/json"
            return response.status, json.loads(raw) if raw else None

    async def refusal(self, method: str, path: str, body: Any = None) -> tuple[int, int]:
        """Send a request that must be refused; return status and code."""
        status, answer = await self(method, path, body)
        assert status >= 400, answer
        assert answer["message"]
        return status, answer["code"]


async def opened(server: DiscordServer, session: aiohttp.ClientSession) -> Any:
    """Open the gateway without compression and read its greeting."""
    socket = await session.ws_connect(server.gateway_ws_url + "?v=10&encoding=json")
    assert (await socket.receive_json())["op"] == 10
    return socket


def identify(**fields: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"token": "local-token", "intents": int(Intent.GUILDS)}
    return {"op": 2, "d": known | fields}
