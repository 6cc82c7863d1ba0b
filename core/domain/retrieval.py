"""Ranking and trimming what a search of the long-term memory brought back.

Several searches (one per query) are merged; what the prompt holds anyway is left out. How many
tokens the result may take is decided where the prompt is assembled (recurrence).
"""

from array import array
from collections.abc import Collection, Sequence
from math import fsum

from core.domain.story import Recalled, Vector
from core.domain.text import folded


def cosine(one: Vector, other: Vector) -> float:
    """How near two vectors are, in [-1, 1]: they have length 1, so their product is the cosine."""
    a, b = array("f", one), array("f", other)
    return min(1.0, max(-1.0, fsum(x * y for x, y in zip(a, b, strict=True))))


def merge(found: Sequence[Sequence[Recalled]], without: Collection[str]) -> tuple[Recalled, ...]:
    """One ranking out of several.

    Each turn stands once, with the best score that any search gave it; of summaries that say the
    same only the best stays. The order of the searches makes no difference.

    Args:
        found: hits per search.
        without: ids of turns that the prompt holds anyway.

    Returns:
        Best first; equal scores in the order of their turns.
    """
    best: dict[str, Recalled] = {}
    for hit in (hit for hits in found for hit in hits):
        known = best.get(hit.turn_id)
        if hit.turn_id not in without and (known is None or hit.score > known.score):
            best[hit.turn_id] = hit
    ranked: dict[str, Recalled] = {}
    for hit in sorted(best.values(), key=lambda hit: (-hit.score, hit.number, hit.turn_id)):
        ranked.setdefault(folded(hit.text), hit)
    return tuple(ranked.values())
