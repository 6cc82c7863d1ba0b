"""What every Embedder promises; test_embedder_contract runs it on the fake and the real ones."""

import struct

import pytest

from core.domain.story import Vector
from core.ports import Embedder

TEXTS = (
    "The keeper found a ledger under the iron stair.",
    "Rain.",
    "A long line of lanterns crossed the harbour, one after another, until the last was gone.",
    "守灯人在铁梯下发现了一本账册。",
)


def numbers(vector: Vector) -> list[float]:
    """The vector's numbers."""
    return list(struct.unpack(f"<{len(vector) // 4}f", vector))


def cosine(one: Vector, other: Vector) -> float:
    """Similarity of two vectors of length 1."""
    return sum(a * b for a, b in zip(numbers(one), numbers(other), strict=True))


class EmbedderContract:
    """Subclasses give the fixture ``embedder``, ready to embed."""

    async def test_gives_one_vector_of_dims_float32_per_text(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(TEXTS)
        assert [len(vector) for vector in vectors] == [embedder.dims * 4] * len(TEXTS)

    async def test_every_vector_has_length_1(self, embedder: Embedder) -> None:
        for vector in await embedder.embed([*TEXTS, "", " ", "\ud800", "x " * 3000]):
            assert cosine(vector, vector) == pytest.approx(1.0, abs=1e-5)

    async def test_no_texts_give_no_vectors(self, embedder: Embedder) -> None:
        assert await embedder.embed([]) == []

    async def test_a_text_has_one_vector_whatever_stands_beside_it(
        self, embedder: Embedder
    ) -> None:
        together = await embedder.embed(TEXTS)
        for text, vector in zip(TEXTS, together, strict=True):
            (alone,) = await embedder.embed([text])
            assert numbers(alone) == pytest.approx(numbers(vector), abs=1e-5)

    async def test_the_order_of_the_texts_is_the_order_of_the_vectors(
        self, embedder: Embedder
    ) -> None:
        forth = await embedder.embed(TEXTS)
        back = await embedder.embed(TEXTS[::-1])
        for one, other in zip(forth, back[::-1], strict=True):
            assert numbers(one) == pytest.approx(numbers(other), abs=1e-5)

    async def test_different_texts_have_different_vectors(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(TEXTS)
        assert len(set(vectors)) == len(TEXTS)

    async def test_more_texts_than_fit_one_pass_are_all_embedded(self, embedder: Embedder) -> None:
        texts = [f"lantern {number}" for number in range(150)]
        vectors = await embedder.embed(texts)
        (hundredth,) = await embedder.embed([texts[100]])
        assert len(vectors) == len(texts)
        assert numbers(vectors[100]) == pytest.approx(numbers(hundredth), abs=1e-5)

    async def test_it_says_whether_it_reads_a_language(self, embedder: Embedder) -> None:
        """Of any name that a brief can hold, and always the same."""
        for language in ("English", "Deutsch", "中文", "", " ", "x" * 60):
            assert embedder.reads(language) is embedder.reads(language)
            assert isinstance(embedder.reads(language), bool)

    async def test_it_has_a_name(self, embedder: Embedder) -> None:
        assert embedder.name
