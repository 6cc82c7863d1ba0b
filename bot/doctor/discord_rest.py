"""Reads of Discord over REST, without a client: what it says, its date, and why it doesn't answer.

A connected client would count as a start of the bot and take events from it; this only reads. The
pace is the bot's own, and a refusal that names a pause is waited for once it is short. What answers
mean is the checks' business.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, cast

import aiohttp
from discord.http import Route

from bot.request_pace import RequestPace
from core.errors import StageUnavailableError

_TRIES = 4
_LONGEST_PAUSE_S = 3.0
_TIMEOUT_S = 8.0
_PER_S = 8.0
_AT_ONCE = 2
"""Of the 50 a second that Discord takes the bot uses up to 45, and may be at work beside."""
_AGENT = "DiscordBot (talewheel doctor, 1)"
_PAUSE_S = 1.0
"""Where a refusal names none."""
_OK = 200
_TOO_MANY = 429


class DiscordReadError(StageUnavailableError):
    """Discord didn't give what was asked.

    Attributes:
        status: of its answer; 0 where there was none.
        code: Discord's own, such as 50001 (missing access); 0 for none.
    """

    def __init__(self, message: str, status: int = 0, code: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Told:
    """An answer.

    Attributes:
        body: its JSON.
        date: the server's UTC seconds, whole ones; None where it told none.
        sent_at, came_at: UTC seconds of this machine.
    """

    body: Any
    date: float | None
    sent_at: float
    came_at: float


class DiscordReader:
    """A session with Discord's REST server; use as an async context manager.

    Args:
        token: the bot's.
        base: DISCORD_API_URL; empty for Discord's own.
    """

    def __init__(self, token: str, base: str = "") -> None:
        self._base = base or Route.BASE
        self._headers = {"Authorization": f"Bot {token}", "User-Agent": _AGENT}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
            trace_configs=[RequestPace(_PER_S, _AT_ONCE).trace()],
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **query: int | str) -> Any:
        """The JSON of an answer. Raises DiscordReadError."""
        return (await self.ask(path, **query)).body

    async def ask(self, path: str, **query: int | str) -> Told:
        """An answer with its date. Raises DiscordReadError."""
        for _ in range(_TRIES):
            told, pause_s = await self._once(path, query)
            if told is not None:
                return told
            if pause_s > _LONGEST_PAUSE_S:
                break
            await asyncio.sleep(pause_s)
        raise DiscordReadError("Discord asks to come back later (too many requests)", _TOO_MANY)

    async def _once(self, path: str, query: Mapping[str, int | str]) -> tuple[Told | None, float]:
        """An answer, or None and how long to wait first."""
        if self._session is None:
            raise RuntimeError("the session isn't open yet")
        sent_at = time.time()
        try:
            async with self._session.get(self._base + path, params=dict(query)) as response:
                body = await _json(response)
                came_at = time.time()
        except TimeoutError as error:
            raise DiscordReadError(f"Discord doesn't answer within {_TIMEOUT_S:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise DiscordReadError(f"Discord can't be reached ({error})") from error
        if response.status == _TOO_MANY:
            return None, _pause(body, response.headers)
        if response.status != _OK or body is None:
            raise _refusal(response.status, body)
        return Told(body, _date(response.headers), sent_at, came_at), 0.0


async def _json(response: aiohttp.ClientResponse) -> Any:
    """The body; None where it is no JSON."""
    with suppress(aiohttp.ClientPayloadError, ValueError):
        return await response.json(content_type=None)
    return None


def _refusal(status: int, body: Any) -> DiscordReadError:
    said = _fields(body)
    if status == _OK or not said:
        return DiscordReadError(f"Discord gives no answer of its API (status {status})", status)
    code = said.get("code")
    return DiscordReadError(
        f"Discord answers with status {status} ({said.get('message')})",
        status,
        code if isinstance(code, int) else 0,
    )


def _pause(body: Any, headers: Mapping[str, str]) -> float:
    asked = _fields(body).get("retry_after") or headers.get("Retry-After") or _PAUSE_S
    try:
        return max(0.0, float(asked))
    except (TypeError, ValueError):
        return _PAUSE_S


def _fields(body: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", body) if isinstance(body, dict) else {}


def _date(headers: Mapping[str, str]) -> float | None:
    with suppress(KeyError, ValueError):
        return parsedate_to_datetime(headers["Date"]).timestamp()
    return None
