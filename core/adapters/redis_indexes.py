"""Keeps the two search indexes: made where missing, made again where their schema changed.

Documents are never touched: an index is dropped and built anew over the same records. What each
was made from stands in a record of its own (redis_keys.meta): a digest of the schema and, for the
memory index, the embedder. Another embedder's index is made over its own field of the entries
(redis_vectors): who has no vector there is found by words until it gets one.

Foreign errors pass through: the caller translates them. What is asked of an index stands in the
adapters; its fields in redis_schema.
"""

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, cast

from redisvl.index import AsyncSearchIndex
from redisvl.schema import IndexSchema

from core.adapters import redis_keys as keys
from core.adapters.redis_schema import Schema, memory_schema, stories_schema
from core.adapters.redis_vectors import VectorSpace

_INDEXING_LIMIT_S = 60.0
_INDEXING_PAUSE_S = 0.05


class RedisIndexes:
    """Both indexes of a database.

    Args:
        client: redis-py's client.
        vectors: those that the memory is searched by.
    """

    def __init__(self, client: Any, vectors: VectorSpace) -> None:
        self._client = client
        self._vectors = vectors
        self._schemas = (stories_schema(), memory_schema(vectors))
        self._indexes = {name_of(one): self._index(one) for one in self._schemas}

    def named(self, index: str) -> Any:
        """redisvl's index of that name."""
        return self._indexes[index]

    async def missing(self) -> bool:
        """Whether the server lacks one of the indexes."""
        present = await self._client.execute_command("FT._LIST")
        return any(index.encode() not in present for index in self._indexes)

    async def are_as_wanted(self) -> bool:
        """Whether both are there, made as this version makes them."""
        present = await self._client.execute_command("FT._LIST")
        return all([await self._is_as_wanted(schema, present) for schema in self._schemas])

    async def ensure(self) -> list[str]:
        """Make or re-make what isn't as it should be and wait until it is filled.

        Returns:
            Sentences for the operator about records that can't be found by search.
        """
        present = await self._client.execute_command("FT._LIST")
        for schema in self._schemas:
            if await self._is_as_wanted(schema, present):
                continue
            index = name_of(schema)
            await self._indexes[index].create(overwrite=True, drop=False)
            await self._client.hset(keys.meta(index), mapping=self._origin(schema))
        return [text for index in self._indexes for text in await self._filled(index)]

    async def _is_as_wanted(self, schema: Schema, present: Collection[bytes]) -> bool:
        index = name_of(schema)
        made_from = await self._client.hgetall(keys.meta(index))
        return index.encode() in present and made_from == self._origin(schema)

    def _index(self, schema: Schema) -> Any:
        return cast(Any, AsyncSearchIndex)(
            cast(Any, IndexSchema).from_dict(dict(schema)), redis_client=self._client
        )

    def _origin(self, schema: Schema) -> dict[bytes, bytes]:
        """What an index made now is made from."""
        text = json.dumps(schema, sort_keys=True)
        origin = {b"schema": hashlib.sha256(text.encode()).hexdigest().encode()}
        if name_of(schema) == keys.MEMORY_INDEX:
            origin[b"embedder"] = self._vectors.name.encode()
            origin[b"dims"] = str(self._vectors.dims).encode()
        return origin

    async def _filled(self, index: str) -> list[str]:
        """Wait until every record is in the index; sentences about those that aren't."""
        try:
            async with asyncio.timeout(_INDEXING_LIMIT_S):
                # The server tells nobody when it has finished.
                while _is_filling(info := await self._indexes[index].info()):  # noqa: ASYNC110
                    await asyncio.sleep(_INDEXING_PAUSE_S)
        except TimeoutError:
            return [f"Redis still fills its index {index}: until then searches find a part only."]
        if failures := int(info.get("hash_indexing_failures", 0)):
            return [
                f"Redis can't take {failures} records into its index {index}: no search finds them."
            ]
        return []


def name_of(schema: Schema) -> str:
    """The name of a schema's index."""
    return schema["index"]["name"]


def _is_filling(info: Mapping[str, Any]) -> bool:
    return float(info.get("indexing", 0)) != 0 or float(info.get("percent_indexed", 1)) < 1
