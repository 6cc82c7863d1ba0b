"""What calls to models cost: prices, what was spent, and the caps that it is held against.

Money is counted in whole micro-dollars (a millionth of a dollar), so that sums are exact. A price
in dollars for a million tokens is the same number of micro-dollars for one token.
"""

from dataclasses import dataclass
from math import ceil

from core.domain.story import Usage

MICROS = 1_000_000
"""Micro-dollars in a dollar."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost, in dollars for a million of them (as endpoints list it).

    Attributes:
        prompt: of tokens that are sent.
        completion: of tokens that come back; 0 for a model that only reads.
        cached: of sent tokens that the endpoint still knew.
    """

    prompt: float
    completion: float = 0.0
    cached: float = 0.0

    def of(self, usage: Usage) -> int:
        """What calls cost, in micro-dollars, rounded up."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        return ceil(
            fresh * self.prompt
            + usage.cached_tokens * self.cached
            + usage.completion_tokens * self.completion
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls came to.

    Attributes:
        tokens: sent and received.
        micros: micro-dollars.
    """

    tokens: int = 0
    micros: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.micros + other.micros)


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be spent in a UTC day; None: no cap.

    Attributes:
        tokens: sent and received.
        micros: micro-dollars.
    """

    tokens: int | None = None
    micros: int | None = None
