"""A client of redis-py as it is, to look at what the adapters have stored and to disturb them."""

from typing import Any, cast

from redis.asyncio import Redis


def raw_client(url: str) -> Any:
    """Untyped, since redis-py's types are of both protocols. Closes with ``async with``.

    Without a time limit: with one, redis-py sends through asyncio.wait_for, which loses a
    cancellation now and then (before Python 3.12).
    """
    return cast(Any, Redis).from_url(url, protocol=2, decode_responses=False, socket_timeout=None)
