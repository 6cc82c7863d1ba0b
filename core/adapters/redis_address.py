"""REDIS_URL: read once, checked, and shown without its password.

The options that the rest of the store relies on (RESP2, bytes, database 0) can't be changed by the
URL. Nothing here connects.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from redis.asyncio.connection import parse_url

from core.errors import StartError

_EXAMPLE = "redis://127.0.0.1:6379/0"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where the database is.

    Attributes:
        shown: the URL with its password masked: for people and logs.
        options: how redis-py connects to it (``path`` or ``host`` and ``port``, the password …).
    """

    shown: str
    options: Mapping[str, Any]


def read_address(url: str) -> RedisAddress:
    """Check a URL: redis:// or rediss:// (TLS) with host and port, or unix:// with a path.

    Raises:
        StartError: it can't be used; one line with the masked value and what would be right.
    """
    shown = mask(url)
    try:
        options = dict(cast(Mapping[str, Any], parse_url(url)))
        asked = parse_qs(urlsplit(url).query).keys()
    except ValueError as error:
        raise StartError(
            f"REDIS_URL {shown} is no address of a Redis server ({error}): write it like"
            f" {_EXAMPLE} or unix:///path/to/redis.sock."
        ) from error
    if "path" not in options and urlsplit(url).scheme == "unix":
        raise StartError(f"REDIS_URL {shown} names no socket: write unix:///path/to/redis.sock.")
    if str(options.pop("db", 0)) != "0":
        raise StartError(
            f"REDIS_URL {shown} asks for another database than 0, and search works in database 0"
            " only: end it with /0 or with the port."
        )
    if odd := sorted(name for name in asked if name != "db" and not name.startswith("ssl_")):
        raise StartError(
            f"REDIS_URL {shown} has the option {odd[0]}, which Talewheel sets itself: remove it"
            " (only ssl_… can be set)."
        )
    return RedisAddress(shown, options)


def mask(url: str) -> str:
    """The URL with its password replaced, also where the URL is broken.

    Rather too much than too little: everything from the first colon to the last @ goes.
    """
    shown = re.sub(r"(://[^:@]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"(password)=[^&]*", r"\1=***", shown)
