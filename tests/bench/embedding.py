"""MiniLM by numpy, beside its matrix products alone and beside sentence-transformers where it is.

The products are the very ones of the forward pass, on the same weights and lengths, with nothing
between them: what no arrangement of the rest can go below.
"""

import importlib.util
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from core.adapters.minilm_embedder import find_model
from core.adapters.minilm_model import MiniLMModel
from tests.bench import places
from tests.bench.figures import Figure, quantile

BENCH = "embedding"
TIMES = 2.0
SENTENCES = 4
"""Of 15 words: a summary of 60 words."""
BATCH = 32


def measure(rounds: int) -> list[Figure]:
    """So many rounds of one summary, and of a batch of them."""
    model, noise = MiniLMModel(find_model()), random.Random(1)
    one = [places.prose(noise, SENTENCES)]
    many = [places.prose(noise, SENTENCES) for _ in range(BATCH)]
    products = _Products(model, one[0])
    alone = _median(products.run, rounds)
    single = _median(lambda: model.encode(one), rounds)
    batch = _median(lambda: model.encode(many), max(1, rounds // 8)) / BATCH
    figures = [
        Figure(
            BENCH,
            f"a summary of {SENTENCES * 15} words ({products.width} tokens), p50",
            single * 1000,
            "ms",
            rounds,
            "its matrix products",
            alone * 1000,
            f"within {TIMES:g} times",
            single <= TIMES * alone,
        ),
        Figure(
            BENCH,
            f"the same in batches of {BATCH}, each",
            batch * 1000,
            "ms",
            rounds,
            "one by one",
            single * 1000,
        ),
    ]
    return figures + _beside_torch(one, rounds, single)


def _beside_torch(texts: list[str], rounds: int, single: float) -> list[Figure]:
    if importlib.util.find_spec("sentence_transformers") is None:
        return []
    package: Any = importlib.import_module("sentence_transformers")
    model = package.SentenceTransformer(str(find_model()))
    torch = _median(lambda: model.encode(texts), rounds)
    return [
        Figure(
            BENCH,
            "the same summary",
            single * 1000,
            "ms",
            rounds,
            "sentence-transformers",
            torch * 1000,
        )
    ]


class _Products:
    """The matrix products of one text's forward pass.

    Attributes:
        width: tokens of the text.
    """

    def __init__(self, model: MiniLMModel, text: str) -> None:
        shape, dims = model.shape, model.shape.dims
        self.width = model.tokens(text)
        noise = np.random.default_rng(1)

        def random_floats(*sizes: int) -> Any:
            return noise.standard_normal(sizes, dtype=np.float32)

        self._layers = shape.layers
        self._hidden = random_floats(self.width, dims)
        self._square = [random_floats(dims, dims).T for _ in range(4)]
        self._wide, self._narrow = random_floats(4 * dims, dims).T, random_floats(dims, 4 * dims).T
        self._inner = random_floats(self.width, 4 * dims)
        self._heads = random_floats(shape.heads, self.width, dims // shape.heads)
        self._scores = random_floats(shape.heads, self.width, self.width)

    def run(self) -> None:
        """All of them once."""
        for _ in range(self._layers):
            for weights in self._square:
                np.matmul(self._hidden, weights)
            np.matmul(self._heads, self._heads.transpose(0, 2, 1))
            np.matmul(self._scores, self._heads)
            np.matmul(self._hidden, self._wide)
            np.matmul(self._inner, self._narrow)


def _median(work: Callable[[], object], rounds: int) -> float:
    work()
    samples: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        samples.append(time.perf_counter() - began)
    return quantile(samples, 0.5)
