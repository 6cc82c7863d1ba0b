"""An Embedder of hashed words: deterministic, instant, and texts that share words are near."""

import hashlib
import math
import re
import struct
from collections.abc import Sequence

from core.domain.story import Vector
from core.errors import EmbedderError


class FakeEmbedder:
    """Every word adds its own direction; a text's vector is the sum of its words, of length 1.

    Attributes:
        error: raised by every embed while it is set.
        asked: the texts of every call, in order.
    """

    def __init__(self, dims: int = 16, name: str = "hashed-words") -> None:
        self._dims = dims
        self._name = name
        self.error: EmbedderError | None = None
        self.asked: list[tuple[str, ...]] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def dims(self) -> int:
        return self._dims

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.asked.append(tuple(texts))
        if self.error is not None:
            raise self.error
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Vector:
        # A constant direction stands in for a text without words.
        sums = [1e-3] * self._dims
        for word in re.findall(r"\w+", text.casefold()):
            for place, number in enumerate(self._direction(word)):
                sums[place] += number
        length = math.hypot(*sums)
        return Vector(struct.pack(f"<{self._dims}f", *(number / length for number in sums)))

    def _direction(self, word: str) -> list[float]:
        digest = hashlib.shake_128(word.encode("utf-8", "replace")).digest(self._dims)
        return [byte / 127.5 - 1.0 for byte in digest]
