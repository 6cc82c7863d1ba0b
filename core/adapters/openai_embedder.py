"""Embedder over an endpoint that speaks the OpenAI API.

The one layer that retries an embedding request: the client must have been made with
``max_retries=0``. Nothing an endpoint answers is believed before it was checked: number of vectors,
their order, their length, that they are numbers. What its errors mean, openai_errors knows.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
from openai import AsyncOpenAI
from openai.types import CreateEmbeddingResponse

from core.adapters.openai_errors import FOREIGN, Callee, Fault, classify
from core.domain.story import Vector
from core.errors import EmbedderError, EmbedderRefusedError, EmbedderUnavailableError
from core.ports import Clock

ATTEMPTS = 3
_PAUSES_S = (0.5, 2.0)
"""Waits between attempts, unless the endpoint asks for another one."""
_LONGEST_PAUSE_S = 20.0
"""An endpoint that asks for more than this counts as down: the caller decides when to return."""
_REQUEST_TIMEOUT_S = 30.0
_TEXTS_PER_REQUEST = 64
"""OpenAI takes 2,048 texts and 300,000 tokens; many local servers far less."""


class OpenAIEmbedder:
    """Texts to the vectors of one model of an endpoint.

    How long its vectors are is learned from the first answer, or said in advance; from then on an
    answer with another length is refused, because the two can't stand in one index.
    """

    def __init__(
        self, client: AsyncOpenAI, model: str, clock: Clock, dims: int | None = None
    ) -> None:
        """Ask nothing yet.

        Args:
            client: with ``max_retries=0``; whoever made it closes it.
            model: the value of EMBEDDING_MODEL.
            clock: waits between attempts.
            dims: numbers per vector, or None to learn it by ``probe`` or the first ``embed``.
        """
        self._client = client
        self._model = model
        self._clock = clock
        self._callee = Callee(
            "The embeddings endpoint", model, "EMBEDDING_MODEL", key=client.api_key
        )
        self._dims = dims

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    @property
    def dims(self) -> int:
        """Numbers per vector. Raises EmbedderUnavailableError while it isn't known."""
        if self._dims is None:
            raise EmbedderUnavailableError(
                f"The embedding model {self._model!r} hasn't answered yet, "
                "so the length of its vectors isn't known."
            )
        return self._dims

    async def probe(self) -> int:
        """Embed one word: shows that key and model are accepted, and gives the vectors' length."""
        await self.embed(["probe"])
        return self.dims

    def reads(self, language: str) -> bool:
        """Any language: what a model of an endpoint reads is its operator's choice."""
        return bool(language)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One normalised vector per text, in order.

        Raises:
            EmbedderUnavailableError: no usable answer in ATTEMPTS attempts.
            EmbedderRefusedError: key, model, quota or text refused, or vectors of another length.
        """
        vectors: list[Vector] = []
        for start in range(0, len(texts), _TEXTS_PER_REQUEST):
            vectors += await self._embed_batch(texts[start : start + _TEXTS_PER_REQUEST])
        return vectors

    async def _embed_batch(self, texts: Sequence[str]) -> list[Vector]:
        attempt = 1
        while True:
            try:
                return await self._request(texts)
            except EmbedderUnavailableError as error:
                if attempt == ATTEMPTS:
                    raise
                asked_s = error.retry_after_s if isinstance(error, _BusyError) else None
                pause_s = _PAUSES_S[attempt - 1] if asked_s is None else asked_s
                if pause_s > _LONGEST_PAUSE_S:
                    raise
            await self._clock.sleep(pause_s)
            attempt += 1

    async def _request(self, texts: Sequence[str]) -> list[Vector]:
        try:
            # Float said outright: without it the SDK asks for base64, which some servers ignore
            # and others refuse.
            answer: object = await self._client.embeddings.create(
                model=self._model,
                input=[_sendable(text) for text in texts],
                encoding_format="float",
                timeout=_REQUEST_TIMEOUT_S,
            )
        except FOREIGN as error:
            raise self._translate(error) from error
        return self._check(answer, len(texts))

    def _check(self, answer: object, count: int) -> list[Vector]:
        # The SDK doesn't validate: HTML comes as str, an error inside a 200 as an object of Nones.
        data = answer.data if isinstance(answer, CreateEmbeddingResponse) else None
        found = cast("Sequence[object] | None", data)
        if not isinstance(found, list) or len(found) != count:
            raise self._nonsense(f"not {count} vectors")
        rows: dict[int, Vector] = {}
        for position, item in enumerate(found):
            index = getattr(item, "index", None)
            where = index if isinstance(index, int) else position
            rows[where] = self._normalise(getattr(item, "embedding", None))
        if set(rows) != set(range(count)):
            raise self._nonsense("vectors numbered wrongly")
        return [rows[index] for index in range(count)]

    def _normalise(self, numbers: object) -> Vector:
        try:
            row = np.asarray(numbers, np.float64)
        except (TypeError, ValueError) as error:
            raise self._nonsense("a vector that isn't numbers") from error
        length = float(np.linalg.norm(row)) if row.ndim == 1 else 0.0
        if not np.isfinite(length) or length == 0.0:
            raise self._nonsense("a vector that isn't numbers")
        self._check_length(row.size)
        return Vector((row / length).astype("<f4").tobytes())

    def _check_length(self, size: int) -> None:
        if self._dims is None:
            self._dims = size
        elif size != self._dims:
            raise EmbedderRefusedError(
                f"The embedding model {self._model!r} answered with {size} numbers per vector, "
                f"and the memory is searched by vectors of {self._dims}. If the model was changed, "
                "start the bot again: the memory is then re-embedded."
            )

    def _nonsense(self, what: str) -> EmbedderUnavailableError:
        return EmbedderUnavailableError(
            f"The endpoint answered {what} for the embedding model {self._model!r}."
        )

    def _translate(self, error: Exception) -> EmbedderError:
        fault = classify(error, self._callee, self._clock.now())
        if fault.final:
            return EmbedderRefusedError(fault.sentence, fault.said)
        return _BusyError(fault)


class _BusyError(EmbedderUnavailableError):
    """Carries how long the endpoint asks to wait, in seconds, to the loop that retries."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence, fault.said)
        self.retry_after_s = fault.retry_after_s


def _sendable(text: str) -> str:
    """The text as UTF-8 can carry it; an empty one is refused by OpenAI, so a space stands in."""
    return text.encode("utf-8", "replace").decode() or " "
