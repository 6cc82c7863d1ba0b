"""Plans worth voting on, and paragraphs that aren't told twice: how near is too near.

Plans are compared by meaning, where their language is one that the embedder reads, and by their
letters in any case. Of a paragraph the passages are compared that it shares word for word with an
earlier one: what means the same in other words is a story going on, the same words are an echo.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations, product

from core.domain.retrieval import cosine
from core.domain.sentences import sentences
from core.domain.story import PLAN_COUNT, Plan, Vector
from core.domain.text import similarity
from core.domain.words import search_words

NEAR_IN_MEANING = 0.75
"""Cosine similarity from which two plans are one plan (MiniLM; docs/memory.md has the figures)."""
NEAR_IN_LETTERS = 0.7
"""Likeness by letters from which they are, in any language."""
SHINGLE_WORDS = 5
"""Words in a row that two paragraphs share: by chance they share fewer."""
ECHO_SHARE = 0.2
"""Share of a paragraph's shingles that an earlier one has, from which on it is an echo."""


def nearness(one: Plan, other: Plan, vectors: tuple[Vector, Vector] | None) -> float:
    """How near two plans are, 1 and more being too near.

    Args:
        vectors: of their texts; None where the embedder doesn't read their language.
    """
    by_letters = similarity(str(one), str(other)) / NEAR_IN_LETTERS
    by_meaning = cosine(*vectors) / NEAR_IN_MEANING if vectors else 0.0
    return max(by_letters, by_meaning)


class Offer:
    """Plans that may stand on a ballot, and those of the turns before it.

    Args:
        plans: PLAN_COUNT for each time that the model was asked, in the order of their roles.
        earlier: plans of recent turns.
        vectors: of all of them, ``plans`` first; empty where the embedder doesn't read them.
    """

    def __init__(
        self, plans: Sequence[Plan], earlier: Sequence[Plan], vectors: Sequence[Vector]
    ) -> None:
        self._plans = list(plans)
        self._all = [*plans, *earlier]
        self._vectors = vectors

    def faults(self) -> list[str]:
        """Which of the first three are too near to what; nothing where all can stand."""
        first = range(PLAN_COUNT)
        said = [
            f"plan_{one + 1} and plan_{other + 1} lead to the same place."
            for one, other in combinations(first, 2)
            if self._near(one, other) >= 1
        ]
        earlier = range(len(self._plans), len(self._all))
        for one in first:
            nearest = max(earlier, key=lambda other: self._near(one, other), default=None)
            if nearest is not None and self._near(one, nearest) >= 1:
                title = self._all[nearest].title
                said.append(f"plan_{one + 1} leads where an earlier vote could: “{title}”.")
        return said

    def most_distinct(self) -> tuple[Plan, ...]:
        """One plan for each role, so chosen that the nearest two of all are as far as can be."""
        rounds = range(0, len(self._plans), PLAN_COUNT)
        choices = product(*([start + role for start in rounds] for role in range(PLAN_COUNT)))
        best = min(choices, key=self._nearest_of)
        return tuple(self._plans[place] for place in best)

    def _nearest_of(self, chosen: Sequence[int]) -> float:
        earlier = range(len(self._plans), len(self._all))
        pairs = [*combinations(chosen, 2), *product(chosen, earlier)]
        return max(self._near(one, other) for one, other in pairs)

    def _near(self, one: int, other: int) -> float:
        vectors = (self._vectors[one], self._vectors[other]) if self._vectors else None
        return nearness(self._all[one], self._all[other], vectors)


def echoed(paragraph: str, earlier: Iterable[str]) -> str:
    """The passage of an earlier paragraph that this one tells again; empty where it is no echo."""
    own = _shingles(paragraph)
    share, passage = max((_echo(own, one) for one in earlier), default=(0.0, ""))
    return passage if share >= ECHO_SHARE else ""


def echo(paragraph: str, earlier: str) -> tuple[float, str]:
    """How much of a paragraph stands in an earlier one word for word, and the passage of that one.

    Returns:
        The share of the paragraph's shingles, in [0, 1]; the sentences of ``earlier`` that have
        them (all, where each is too short to have one by itself), empty where there are none.
    """
    return _echo(_shingles(paragraph), earlier)


def _echo(own: set[tuple[str, ...]], earlier: str) -> tuple[float, str]:
    shared = own & _shingles(earlier)
    if not shared:
        return 0.0, ""
    passage = " ".join(told for told in sentences(earlier) if _shingles(told) & shared)
    return len(shared) / len(own), passage or earlier


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = search_words(text)
    return {tuple(words[at : at + SHINGLE_WORDS]) for at in range(len(words) - SHINGLE_WORDS + 1)}
