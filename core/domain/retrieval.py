"""What the long-term memory is asked, and ranking what it answers.

Each sentence of a plan is a question of its own: one question of them all would be near to much and
nearest to nothing. A question is asked by meaning (cosine similarity) and by words (BM25); the two
answers are fused into one ranking. The rankings of all questions are dealt in turn, so that each
question gets its best entries into the prompt, however well others were answered. A fact that holds
no longer gives its place to the fact that ended it. How many tokens the result may take is decided
where the prompt is assembled (recurrence).
"""

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import ceil
from operator import mul

from core.domain.entries import Recalled
from core.domain.story import Plan, Vector
from core.domain.text import folded, sentences

PASSAGE_SENTENCES = 3
"""A paragraph is looked at in passages of so many sentences, each with a meaning of its own."""
MOST_QUESTIONS = 16
"""How many sentences of a plan, or passages of a paragraph, are asked for: a plan has about five
sentences, a paragraph of 40 has 14 passages. A longer one is looked at in longer passages."""


def questions(plan: Plan, *, by_sentence: bool = True) -> list[str]:
    """What a step that follows a plan asks: each of its sentences, or the whole of it."""
    steps = sentences(plan.text)[:MOST_QUESTIONS] if by_sentence else ()
    return list(dict.fromkeys(steps)) or [f"{plan.title}. {plan.text}"]


def passages(paragraph: str) -> list[str]:
    """What a finished paragraph is asked about, in order; together they are all of it."""
    told = sentences(paragraph)
    size = max(PASSAGE_SENTENCES, ceil(len(told) / MOST_QUESTIONS))
    return [" ".join(told[at : at + size]) for at in range(0, len(told), size)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a story's memory answered to one question, each list best first.

    Attributes:
        by_meaning: scored by cosine similarity.
        by_words: scored by BM25, at least 0.
    """

    by_meaning: Sequence[Recalled]
    by_words: Sequence[Recalled] = ()


def cosine(one: Vector, other: Vector) -> float:
    """How near two vectors are, in [-1, 1]: they have length 1, so their product is the cosine."""
    a, b = array("f", one), array("f", other)
    if len(a) != len(b):
        raise ValueError(f"vectors of {len(a)} and {len(b)} numbers can't be compared")
    return min(1.0, max(-1.0, sum(map(mul, a, b))))


def fused(answer: Answer, weight: float) -> list[Recalled]:
    """One ranking of the two answers to a question, best first.

    An entry's score is its similarity plus ``weight`` times its share of the best BM25. One that
    only its words brought up gets the least similarity that any entry was found with: nearer it
    can't be, or meaning would have found it too.

    Args:
        answer: to one question.
        weight: of the words, at least 0.
    """
    floor = min((hit.score for hit in answer.by_meaning), default=0.0)
    best = max((hit.score for hit in answer.by_words), default=0.0) or 1.0
    shares = {hit.id: hit.score / best for hit in answer.by_words}
    found = {hit.id: replace(hit, score=floor) for hit in answer.by_words}
    found |= {hit.id: hit for hit in answer.by_meaning}
    scored = [
        replace(hit, score=hit.score + weight * shares.get(id_, 0.0)) for id_, hit in found.items()
    ]
    return sorted(scored, key=_rank)


def dealt(rankings: Iterable[Sequence[Recalled]], without: Collection[str]) -> list[Recalled]:
    """One ranking out of several: the best of each, then the second of each, and so on.

    Each entry stands once, and of entries that say the same only the first stays.

    Args:
        rankings: best first.
        without: ids of entries that the prompt holds anyway.
    """
    stands: dict[str, Recalled] = {}
    said: set[str] = set()
    for row in zip_longest(*rankings):
        for hit in sorted((one for one in row if one is not None), key=_rank):
            text = folded(hit.text)
            if hit.id not in without and hit.id not in stands and text not in said:
                stands[hit.id] = hit
                said.add(text)
    return list(stands.values())


def brought_up_to_date(
    ranking: Sequence[Recalled], ended: Mapping[str, Recalled]
) -> list[Recalled]:
    """A ranking in which every fact that holds no longer gives its place to what it became.

    Args:
        ranking: best first.
        ended: id of a fact → the fact that ended it, itself perhaps ended by another.
    """
    stands: dict[str, Recalled] = {}
    for hit in ranking:
        now, seen = hit, {hit.id}
        while (later := ended.get(now.id)) is not None and later.id not in seen:
            seen.add(later.id)
            now = replace(later, score=hit.score)
        stands.setdefault(now.id, now)
    return list(stands.values())


def _rank(hit: Recalled) -> tuple[float, int, str]:
    """Best first; of equally good ones the newest: what is told later is right."""
    return -hit.score, -hit.number, hit.id
