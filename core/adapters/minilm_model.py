"""The arithmetic of all-MiniLM-L6-v2: six layers of BERT, mean pooling, length 1; numpy float32.

Texts go in, vectors come out. It blocks for tens of milliseconds per text and keeps about 130 MB;
threads, errors for people and the search for the files are minilm_embedder's business. Importing
this module imports numpy, tokenizers and safetensors, so it is imported when the model is needed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType] - untyped PathLike
from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]

_BATCH_TOKENS = 2048
"""Most token positions (padding included) in one pass: bounds the memory of the attention."""
# Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: erf to within 1.5e-7.
_ERF_P = np.float32(0.3275911)
_ERF_A = tuple(
    np.float32(a) for a in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What config.json and sentence_bert_config.json say about the model."""

    layers: int
    heads: int
    dims: int
    epsilon: float
    max_tokens: int


class MiniLMModel:
    """The loaded model. Not to be used by two threads at once: the tokenizer is shared."""

    def __init__(self, folder: Path) -> None:
        """Load it from a folder in sentence-transformers' layout; takes about 0.2 s.

        Raises:
            OSError, KeyError, ValueError: a file is missing or isn't what it should be.
        """
        self.shape = _read_shape(folder)
        self._weights = _read_weights(folder / "model.safetensors")
        self._tokenizer = _read_tokenizer(folder / "tokenizer.json")
        # The file asks for 128 tokens and pads to them; the model was published with 256.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
            self.shape.max_tokens
        )

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row of length 1 per text, in order: float32[len(texts), dims].

        Texts of about the same length share a pass, so that little is computed for padding.
        """
        tokens = [self._tokenize(text) for text in texts]
        vectors = np.empty((len(texts), self.shape.dims), np.float32)
        for rows in _batches([len(ids) for ids in tokens]):
            vectors[rows] = self._forward([tokens[row] for row in rows])
        return vectors

    def tokens(self, text: str) -> int:
        """How many tokens of a text are read."""
        return len(self._tokenize(text))

    def _tokenize(self, text: str) -> list[int]:
        # A lone surrogate can't be handed to the tokenizer; it says nothing anyway.
        return self._tokenizer.encode(text.encode("utf-8", "replace").decode()).ids

    def _forward(self, batch: Sequence[Sequence[int]]) -> Floats:
        width = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), width), np.int64)
        real = np.zeros((len(batch), width), np.float32)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            real[row, : len(tokens)] = 1.0
        hidden = self._embed(ids)
        # Padding gets the lowest score, so that no token attends to it.
        barred = ((1.0 - real) * np.finfo(np.float32).min)[:, None, None, :].astype(np.float32)
        for number in range(self.shape.layers):
            hidden = self._layer(hidden, barred, f"encoder.layer.{number}.")
        mean = (hidden * real[:, :, None]).sum(axis=1) / real.sum(axis=1, keepdims=True)
        return (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)

    def _embed(self, ids: npt.NDArray[np.int64]) -> Floats:
        word = self._weights["embeddings.word_embeddings.weight"][ids]
        position = self._weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        segment = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._normalise(word + position + segment, "embeddings.LayerNorm")

    def _layer(self, hidden: Floats, barred: Floats, name: str) -> Floats:
        attended = self._dense(
            self._attend(hidden, barred, name + "attention.self."), name + "attention.output.dense"
        )
        hidden = self._normalise(hidden + attended, name + "attention.output.LayerNorm")
        inner = _gelu(self._dense(hidden, name + "intermediate.dense"))
        return self._normalise(
            hidden + self._dense(inner, name + "output.dense"), name + "output.LayerNorm"
        )

    def _attend(self, hidden: Floats, barred: Floats, name: str) -> Floats:
        batch, width, dims = hidden.shape
        size = dims // self.shape.heads

        def heads(part: str) -> Floats:
            split = self._dense(hidden, name + part).reshape(batch, width, self.shape.heads, size)
            return split.transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(size**0.5)
        mixed = _softmax(scores + barred) @ heads("value")
        return mixed.transpose(0, 2, 1, 3).reshape(batch, width, dims)

    def _dense(self, hidden: Floats, name: str) -> Floats:
        return hidden @ self._weights[name + ".weight"].T + self._weights[name + ".bias"]

    def _normalise(self, hidden: Floats, name: str) -> Floats:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + self.shape.epsilon)
        return centred / spread * self._weights[name + ".weight"] + self._weights[name + ".bias"]


def _read_shape(folder: Path) -> Shape:
    config = _read_object(folder / "config.json")
    limits = _read_object(folder / "sentence_bert_config.json")
    return Shape(
        layers=int(str(config["num_hidden_layers"])),
        heads=int(str(config["num_attention_heads"])),
        dims=int(str(config["hidden_size"])),
        epsilon=float(str(config["layer_norm_eps"])),
        max_tokens=int(str(limits["max_seq_length"])),
    )


def _read_object(path: Path) -> Mapping[str, object]:
    return json.loads(path.read_text("utf-8"))


def _read_tokenizer(path: Path) -> Tokenizer:
    text = path.read_text("utf-8")
    json.loads(text)  # The tokenizer would raise a bare Exception for a damaged file.
    return Tokenizer.from_str(text)


def _read_weights(path: Path) -> dict[str, Floats]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Indices of texts, shortest first, in groups of at most _BATCH_TOKENS padded positions."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= _BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _gelu(x: Floats) -> Floats:
    """Each number times the normal distribution's cumulative function, by erf, as BERT has it."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + _ERF_P * z)
    series = np.zeros_like(t)
    for coefficient in _ERF_A:
        series = (series + coefficient) * t
    erf = np.copysign(1 - series * np.exp(-z * z), x)
    return np.float32(0.5) * x * (1 + erf)
