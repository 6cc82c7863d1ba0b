"""Dealing patterns and words so that nothing comes back soon, without remembering what was dealt.

A deck is a seeded order of a pool; which card is dealt depends on the turn's number alone. Every
round through the pool has an order of its own, but a card stays in its half of the round, so at
least half a pool lies between two of its appearances. The round's number tells how often the whole
pool has been used: a pattern that comes back takes other words with it.
"""

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

_Card = TypeVar("_Card")


def stable_hash(*parts: object) -> int:
    """The same number for the same parts, in every process."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")


def seeded(*parts: object) -> random.Random:
    """A generator whose sequence depends on the parts alone."""
    return random.Random(stable_hash(*parts))  # noqa: S311 - chance for prose, not for secrets


def deal(pool: Sequence[_Card], seed: str, place: int) -> tuple[_Card, int]:
    """The card at a place of the endless sequence of rounds, and the number of its round."""
    round_number, position = divmod(place, len(pool))
    cards = list(range(len(pool)))
    seeded(seed).shuffle(cards)
    half = len(cards) // 2
    halves = cards[:half], cards[half:]
    order: list[int] = []
    for number, part in enumerate(halves):
        seeded(seed, number, round_number).shuffle(part)
        order += part
    return pool[order[position]], round_number


def deal_in_order(pool: Sequence[_Card], seed: str, place: int) -> _Card:
    """The card at a place when every round has the same order: a whole pool lies between two."""
    cards = list(pool)
    seeded(seed).shuffle(cards)
    return cards[place % len(cards)]
