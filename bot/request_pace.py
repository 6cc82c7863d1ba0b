"""Discord's limit over all requests, kept before it is met: each is given a moment to leave at.

discord.py knows the limits of single routes from their headers, but of the one over everything only
by being refused; when hundreds of stories are due at once, hundreds of refusals come at once, and
10,000 of them in ten minutes ban the address. Which requests there are, and what becomes of a
refused one, is not decided here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import aiohttp
import yarl

REQUESTS_PER_S = 40.0
AT_ONCE = 5
"""Discord takes 50 a second; so there are never more than 45, and the rest is for those that the
network brings closer together (discord.com/developers/docs/topics/rate-limits, "Global Rate
Limit")."""
_EXEMPT = ("/interactions/", "/webhooks/")
"""Answers to commands aren't counted by Discord, and members wait for them (the same place)."""


class RequestPace:
    """Gives each request a moment to leave at.

    Args:
        per_s: requests a second.
        at_once: how many may leave together after a quiet time.
        now: monotonic seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        per_s: float = REQUESTS_PER_S,
        at_once: int = AT_ONCE,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._apart_s = 1 / per_s
        self._credit_s = (at_once - 1) / per_s
        self._now = now
        self._sleep = sleep
        self._free_at = now() - self._credit_s
        self._next = asyncio.Lock()

    async def wait(self, url: yarl.URL) -> None:
        """Return when a request may leave; first come, first served."""
        if url.scheme in ("ws", "wss") or any(part in url.path for part in _EXEMPT):
            return
        async with self._next:
            early_s = self._free_at - self._now()
            if early_s > 0:
                await self._sleep(early_s)
            # Counted from when it really leaves: a process that was late makes up for little of it.
            earliest = self._now() - self._credit_s
            self._free_at = max(self._free_at, earliest) + self._apart_s

    def trace(self) -> aiohttp.TraceConfig:
        """What makes a client's session keep the pace, repeated requests included."""

        async def before(
            _session: aiohttp.ClientSession,
            _context: SimpleNamespace,
            request: aiohttp.TraceRequestStartParams,
        ) -> None:
            await self.wait(request.url)

        config = aiohttp.TraceConfig()
        config.on_request_start.append(before)
        return config
