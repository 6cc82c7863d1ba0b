"""A client of redis-py as it is, to look at what the adapters have stored and to disturb them."""

from typing import Any, cast

from redis.asyncio import Redis


def raw_client(url: str) -> Any:
    """Untyped, since redis-py's types are of both protocols. Closes with ``async with``."""
    return cast(Any, Redis).from_url(url, protocol=2, decode_responses=False)
