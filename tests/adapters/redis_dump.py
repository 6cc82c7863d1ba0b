"""Everything that a Redis holds, as bytes: to compare two moments, or to look for a word."""

from typing import Any, cast

from tests.adapters.redis_raw import raw_client


async def dump(url: str) -> dict[str, bytes]:
    """Every key with all that it holds, names and values."""
    async with raw_client(url) as client:
        return {
            key.decode(): await _whole(client, key) async for key in client.scan_iter(count=1000)
        }


def keys_with(dumped: dict[str, bytes], *words: str) -> set[str]:
    """The keys in whose name or value one of these words stands."""
    wanted = [word.encode() for word in words]
    return {
        key for key, held in dumped.items() if any(word in key.encode() + held for word in wanted)
    }


async def _whole(client: Any, key: bytes) -> bytes:
    # Not DUMP: there a number is packed, and doesn't read as it is written.
    kind = cast(bytes, await client.type(key)).decode()
    if kind == "hash":
        pairs = sorted((await client.hgetall(key)).items())
        return b"\n".join(part for pair in pairs for part in pair)
    if kind == "list":
        return b"\n".join(await client.lrange(key, 0, -1))
    if kind == "set":
        return b"\n".join(sorted(await client.smembers(key)))
    if kind == "zset":
        pairs = await client.zrange(key, 0, -1, withscores=True)
        return b"\n".join(b"%b %r" % pair for pair in pairs)
    if kind == "none":
        return b""  # it ended meanwhile
    assert kind == "string", kind
    return cast(bytes, await client.get(key) or b"")
