"""An Embedder of hashed words: deterministic, instant, and texts that share words are near."""

import hashlib
import math
import re
import struct
from collections.abc import Callable, Sequence

from core.domain.story import Vector
from core.errors import EmbedderError


class FakeEmbedder:
    """Every word adds its own direction; a text's vector is the sum of its words, of length 1.

    Attributes:
        error: raised by every embed while it is set.
        fail: asked at each embed with its texts; what it returns is raised.
        asked: the texts of every call, in order.
        languages: what it reads; nothing, unless a test is about plans that are alike.
    """

    def __init__(self, dims: int = 16, name: str = "hashed-words") -> None:
        self._dims = dims
        self._name = name
        self.error: EmbedderError | None = None
        self.fail: Callable[[Sequence[str]], EmbedderError | None] = lambda _texts: None
        self.asked: list[tuple[str, ...]] = []
        self.languages: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self._name

    @property
    def dims(self) -> int:
        return self._dims

    def reads(self, language: str) -> bool:
        return language in self.languages

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.asked.append(tuple(texts))
        if error := self.error or self.fail(texts):
            raise error
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
