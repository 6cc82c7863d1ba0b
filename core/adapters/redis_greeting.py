"""The first words with a Redis server: does it answer, know us, search, and keep what it is given.

Every fault that ends the start is said here in one line: REDIS_URL, its value without the password,
what is wrong and what to do. Runs once, at the start; what goes wrong later is redis_errors'
business.
"""

import asyncio
from typing import Any

from redis import exceptions as foreign

from core.adapters.redis_errors import root_of
from core.adapters.redis_keeping import is_durable, keeping
from core.domain.checkup import Verdict
from core.errors import StartError

LOADING_LIMIT_S = 60.0
"""A server that was just started reads its data first: 100,000 memory entries take 2 to 3 s."""
_LOADING_PAUSE_S = 0.25


async def greet(client: Any, shown: str) -> None:
    """See that the server can be worked with.

    Args:
        client: redis-py's client.
        shown: its URL without the password.

    Raises:
        StartError: it can't; one line.
    """
    try:
        await _until_loaded(client)
        await client.execute_command("FT._LIST")
    except (foreign.RedisError, OSError) as error:
        what, remedy = explain(root_of(error))
        line = f"REDIS_URL {shown} {what}: {remedy}."
        raise StartError(" ".join(line.split())) from error


def explain(error: Exception) -> tuple[str, str]:
    """What is wrong, as it follows the server's address, and what to do."""
    match error:
        case foreign.AuthenticationError() | foreign.AuthorizationError():
            return f"refuses the user or the password ({error})", "correct them"
        case foreign.NoPermissionError():
            return f"doesn't let this user work ({error})", "allow it the keys tw:* and FT commands"
        case foreign.BusyLoadingError():
            return f"still loads its data after {LOADING_LIMIT_S:.0f} s", "start again later"
        case foreign.ResponseError() if "unknown command" in str(error).lower():
            return "has no search module", "use the image redis:8 (docker compose up -d redis)"
        case foreign.ResponseError():
            return f"refuses to work ({error})", "look at the server"
        case _:
            said = str(error).rstrip(".")
            return f"can't be reached ({said})", "start Redis there, or correct the address"


async def look_at_settings(client: Any) -> tuple[bool, list[str]]:
    """Whether the server keeps what it is given (INFO tells it also where CONFIG is forbidden).

    Returns:
        Whether it has an append-only file to wait for, and sentences for the operator.
    """
    try:
        info, flush, saves = await figures(client)
    except foreign.ResponseError as error:
        silent = (
            f"Redis doesn't say how it keeps data ({error}), so nothing waits for its disk: allow"
            " this user INFO."
        )
        return False, [silent]
    amiss = [one for one in keeping(info, flush, saves) if one.verdict is not Verdict.OK]
    return is_durable(info), [f"{one.found}. {one.remedy}" for one in amiss]


async def figures(client: Any) -> tuple[dict[str, Any], str | None, str | None]:
    """What ``keeping`` judges: INFO's figures, appendfsync, and when snapshots are written."""
    info = {**await client.info("memory"), **await client.info("persistence")}
    try:
        told = {**await client.config_get("appendfsync"), **await client.config_get("save")}
    except foreign.ResponseError:
        return info, None, None
    return info, told.get("appendfsync"), told.get("save")


async def _until_loaded(client: Any) -> None:
    """Wait while the server reads its data; after LOADING_LIMIT_S its own answer is the error."""
    for _ in range(int(LOADING_LIMIT_S / _LOADING_PAUSE_S)):
        try:
            return await client.ping()
        except foreign.ConnectionError as error:
            if not isinstance(root_of(error), foreign.BusyLoadingError):
                raise
        await asyncio.sleep(_LOADING_PAUSE_S)
    return await client.ping()
