"""Keeps the two search indexes: made where missing, made again where their schema changed.

Documents are never touched: an index is dropped and built anew over the same records. What each
was made from stands in a record of its own (redis_keys.meta): a digest of the schema and, for the
memory index, the embedder, since vectors of two models can't be compared.

Foreign errors pass through: the caller translates them. What is asked of an index stands in the
adapters; its fields in redis_schema.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from redisvl.index import AsyncSearchIndex
from redisvl.schema import IndexSchema

from core.adapters import redis_keys as keys
from core.adapters.redis_schema import Schema, memory_schema, stories_schema
from core.errors import StartError

BYTES_PER_NUMBER = 4
_INDEXING_LIMIT_S = 60.0
_INDEXING_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class RecordedEmbedder:
    """What the memory index was made for.

    Attributes:
        name: of the model that makes the vectors.
        dims: numbers per vector.
    """

    name: str
    dims: int


async def recorded_embedder(client: Any) -> RecordedEmbedder | None:
    """What the memory index was made for; None in a database that none was made in yet."""
    made_from = await client.hgetall(keys.meta(keys.MEMORY_INDEX))
    if not made_from:
        return None
    return RecordedEmbedder(made_from[b"embedder"].decode(), int(made_from[b"dims"]))


class RedisIndexes:
    """Both indexes of a database.

    Args:
        client: redis-py's client.
        embedder: name of the model that makes the vectors.
        dims: numbers per vector.
    """

    def __init__(self, client: Any, embedder: str, dims: int) -> None:
        self._client = client
        self._embedder = embedder
        self._dims = dims
        self._schemas = (stories_schema(), memory_schema(dims))
        self._indexes = {name_of(one): self._index(one) for one in self._schemas}

    def named(self, index: str) -> Any:
        """redisvl's index of that name."""
        return self._indexes[index]

    async def missing(self) -> bool:
        """Whether the server lacks one of the indexes."""
        present = await self._client.execute_command("FT._LIST")
        return any(index.encode() not in present for index in self._indexes)

    async def ensure(self) -> list[str]:
        """Make or re-make what isn't as it should be and wait until it is filled.

        Returns:
            Sentences for the operator about records that can't be found by search.

        Raises:
            StartError: there are memory entries of another embedder.
        """
        present = await self._client.execute_command("FT._LIST")
        for schema in self._schemas:
            index = name_of(schema)
            made_from = await self._client.hgetall(keys.meta(index))
            wanted = self._origin(schema)
            if index.encode() in present and made_from == wanted:
                continue
            if index == keys.MEMORY_INDEX:
                await self._refuse_foreign_vectors(made_from)
            await self._indexes[index].create(overwrite=True, drop=False)
            await self._client.hset(keys.meta(index), mapping=wanted)
        return [text for index in self._indexes for text in await self._filled(index)]

    def _index(self, schema: Schema) -> Any:
        return cast(Any, AsyncSearchIndex)(
            cast(Any, IndexSchema).from_dict(dict(schema)), redis_client=self._client
        )

    def _origin(self, schema: Schema) -> dict[bytes, bytes]:
        """What an index made now is made from."""
        text = json.dumps(schema, sort_keys=True)
        origin = {b"schema": hashlib.sha256(text.encode()).hexdigest().encode()}
        if name_of(schema) == keys.MEMORY_INDEX:
            origin[b"embedder"] = self._embedder.encode()
            origin[b"dims"] = str(self._dims).encode()
        return origin

    async def _refuse_foreign_vectors(self, made_from: Mapping[bytes, bytes]) -> None:
        """An entry of another model would be compared with vectors that mean something else."""
        entry = await self._any_entry()
        if entry is None:
            return
        dims = await self._client.hstrlen(entry, "vector") // BYTES_PER_NUMBER
        embedder = made_from.get(b"embedder", b"an unknown model").decode()
        same = made_from.get(b"embedder", self._embedder.encode()) == self._embedder.encode()
        if same and dims == self._dims:
            return
        raise StartError(
            f"The long-term memory in Redis was made by {embedder} ({dims} numbers per vector), and"
            f" EMBEDDINGS and EMBEDDING_MODEL now name {self._embedder} ({self._dims}): set them"
            " back, or start with an empty database (stories can't be moved to another model yet)."
        )

    async def _any_entry(self) -> bytes | None:
        async for key in self._client.scan_iter(match=f"{keys.MEMORY_PREFIX}*", count=1000):
            return key
        return None

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
