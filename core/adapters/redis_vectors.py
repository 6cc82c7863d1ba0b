"""Whose vectors stand in which field: what keeps vectors of two models apart in one database.

Vectors of two models mean nothing to one another, and may differ in length. So an entry's vector
stands in a field that is named after its embedder, the index is made over the field of the present
one alone, and a tag of the entry says whose it is. An entry that has no vector of the present
embedder is in the index all the same, and is found by everything but its meaning (ran: RediSearch
2.10 takes a record that lacks the field, and silently leaves out one whose vector has another
length).

Making the missing vectors is the business of core/services/reembedding.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from core.adapters import redis_keys as keys
from core.errors import StoreError

BYTES_PER_NUMBER = 4
VECTOR_PREFIX = "vector_"
"""What the name of every vector's field begins with; nothing else in an entry does."""
_TAG_LENGTH = 12


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """Vectors that can be compared: those of one embedder.

    Attributes:
        name: of the model that makes them.
        dims: numbers per vector.
    """

    name: str
    dims: int

    @property
    def tag(self) -> str:
        """Stands for it in tags and names of fields, which a model's name has too many signs for.

        The length is part of it: an endpoint may serve another model under an old name.
        """
        text = f"{self.dims} {self.name}".encode("utf-8", "replace")
        return hashlib.sha256(text).hexdigest()[:_TAG_LENGTH]

    @property
    def field(self) -> str:
        """The field of an entry that has its vector."""
        return f"{VECTOR_PREFIX}{self.tag}"

    def holds(self, vector: bytes) -> bool:
        """Whether a vector is as long as these are."""
        return len(vector) == self.dims * BYTES_PER_NUMBER

    def __str__(self) -> str:
        return f"{self.name} ({self.dims} numbers per vector)"


async def recorded_embedder(client: Any) -> VectorSpace | None:
    """Whose vectors the memory index was made for; None where none was made yet.

    Args:
        client: redis-py's client; its errors pass through.
    """
    made_from = await client.hgetall(keys.meta(keys.MEMORY_INDEX))
    if not made_from:
        return None
    return VectorSpace(made_from[b"embedder"].decode(), int(made_from[b"dims"]))


def check_length(vector: bytes, dims: int) -> None:
    """A vector of another length would be stored and never found.

    Raises:
        StoreError: it isn't float32[dims].
    """
    if len(vector) != dims * BYTES_PER_NUMBER:
        raise StoreError(
            f"A vector of {len(vector)} bytes isn't one of {dims} numbers"
            f" ({dims * BYTES_PER_NUMBER} bytes): the index was made for another embedder."
        )
