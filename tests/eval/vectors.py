"""Vectors of all texts of an evaluation, made ahead by MiniLM in every core.

What was made can be kept in a file, so that a change of the recall is measured again in a minute.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from core.adapters.minilm_embedder import DIMS, MODEL_NAME, find_model
from core.adapters.minilm_model import MiniLMModel
from core.domain.story import Vector

_CHUNK = 256
_KEPT_BYTES = 16
"""Of a text's SHA-256, by which its vector is known."""


class KnownVectors:
    """An Embedder that knows the vectors of many texts, and makes the others itself.

    Args:
        kept: a file to read vectors from and to keep them in; None keeps none.
    """

    name = MODEL_NAME
    dims = DIMS

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._known: dict[bytes, Vector] = dict(_read(kept)) if kept and kept.exists() else {}

    def reads(self, language: str) -> bool:
        """See MiniLMEmbedder."""
        return language == "English"

    def prepare(self, texts: Iterable[str]) -> None:
        """Make the vectors of texts that aren't known yet, one process for each core."""
        # Texts of about the same length share a pass: sorted, they waste the least on padding.
        wanted = {_key(text): text for text in texts if _key(text) not in self._known}
        ordered = sorted(wanted.values(), key=len)
        chunks = [ordered[at : at + _CHUNK] for at in range(0, len(ordered), _CHUNK)]
        if not chunks:
            return
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            for chunk, rows in zip(chunks, pool.map(_encode, chunks), strict=True):
                self._known |= {_key(text): row for text, row in zip(chunk, rows, strict=True)}
        if self._kept:
            _write(self._kept, self._known)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See Embedder."""
        unknown = [text for text in texts if _key(text) not in self._known]
        if unknown:
            rows = _encode(unknown)
            self._known |= {_key(text): row for text, row in zip(unknown, rows, strict=True)}
        return [self._known[_key(text)] for text in texts]


@cache
def _model() -> MiniLMModel:
    """One for each process, loaded by its first chunk."""
    return MiniLMModel(find_model())


def _encode(texts: Sequence[str]) -> list[Vector]:
    return [Vector(row.tobytes()) for row in _model().encode(texts).astype("<f4", copy=False)]


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_KEPT_BYTES]


def _read(file: Path) -> Iterator[tuple[bytes, Vector]]:
    with np.load(file) as kept:
        for key, row in zip(kept["keys"], kept["rows"], strict=True):
            yield key.tobytes(), Vector(row.tobytes())


def _write(file: Path, known: dict[bytes, Vector]) -> None:
    keys = np.array([np.frombuffer(key, np.uint8) for key in known])
    rows = np.array([np.frombuffer(row, "<f4") for row in known.values()])
    np.savez(file, keys=keys, rows=rows)
