"""Ranking what searches brought back."""

import pytest

from core.domain.entries import EntryKind, Recalled
from core.domain.retrieval import Answer, brought_up_to_date, cosine, dealt, fused
from core.domain.story import Vector


def hit(number: int, score: float, text: str | None = None) -> Recalled:
    return Recalled(f"t{number}", number, text or f"Turn {number} happened.", score)


def fact(number: int, score: float = 0.5) -> Recalled:
    return Recalled(f"t{number}", number, f"State {number}.", score, EntryKind.FACT, 1, "Mira")


def numbers(found: list[Recalled]) -> list[int]:
    return [one.number for one in found]


def test_words_lift_what_meaning_ranks_lower() -> None:
    answer = Answer([hit(1, 0.60), hit(2, 0.55), hit(3, 0.20)], [hit(2, 9.0), hit(3, 3.0)])
    assert [(one.number, round(one.score, 2)) for one in fused(answer, 0.3)] == [
        (2, 0.85),
        (1, 0.6),
        (3, 0.3),
    ]
    assert numbers(fused(answer, 0.0)) == [1, 2, 3]


def test_what_only_its_words_brought_up_counts_as_near_as_the_farthest_that_was_found() -> None:
    found = fused(Answer([hit(1, 0.6), hit(2, 0.2)], [hit(7, 4.0)]), 0.3)
    assert [(one.number, round(one.score, 2)) for one in found] == [(1, 0.6), (7, 0.5), (2, 0.2)]


def test_words_alone_are_a_ranking_too() -> None:
    assert numbers(fused(Answer([], [hit(1, 2.0), hit(2, 8.0)]), 0.3)) == [2, 1]
    assert fused(Answer([], []), 0.3) == []


def test_each_question_gets_its_best_before_any_gets_its_second() -> None:
    loud = [hit(1, 0.9), hit(2, 0.8), hit(3, 0.7)]
    quiet = [hit(4, 0.2), hit(2, 0.1)]
    assert numbers(dealt([quiet, loud], without=())) == [1, 4, 2, 3]


def test_what_the_prompt_holds_anyway_is_left_out() -> None:
    assert dealt([[hit(1, 0.9), hit(2, 0.1)]], without={"t1"}) == [hit(2, 0.1)]


def test_of_entries_that_say_the_same_one_stays() -> None:
    same = [hit(1, 0.7, "The lamp went out."), hit(4, 0.7, "the lamp went out")]
    assert numbers(dealt([same[:1], same[1:]], ())) == [4], "of equally good ones the newest"


def test_a_fact_that_holds_no_longer_gives_its_place_to_what_it_became() -> None:
    ended = {"t2/1": fact(5), "t5/1": fact(9)}
    found = brought_up_to_date([fact(2, 0.8), hit(3, 0.6), fact(9, 0.1), fact(4, 0.05)], ended)
    assert [(one.number, one.score) for one in found] == [(9, 0.8), (3, 0.6), (4, 0.05)]


def test_facts_that_end_one_another_are_followed_once() -> None:
    ended = {"t2/1": fact(5), "t5/1": fact(2)}
    assert numbers(brought_up_to_date([fact(2)], ended)) == [5]


def test_vectors_of_two_lengths_are_never_compared() -> None:
    """They are of two models, and would be near by chance alone."""
    with pytest.raises(ValueError, match="vectors of 2 and 1 numbers"):
        cosine(Vector(bytes(8)), Vector(bytes(4)))
