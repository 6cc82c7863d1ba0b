"""Ranking what searches brought back."""

from core.domain.retrieval import merge
from core.domain.story import Recalled


def hit(number: int, score: float, text: str | None = None) -> Recalled:
    return Recalled(f"t{number}", number, text or f"Turn {number} happened.", score)


def test_a_turn_found_twice_stands_once_with_its_best_score() -> None:
    merged = merge([[hit(1, 0.3), hit(2, 0.6)], [hit(1, 0.8)]], without=())
    assert [(found.number, found.score) for found in merged] == [(1, 0.8), (2, 0.6)]


def test_what_the_prompt_holds_anyway_is_left_out() -> None:
    assert merge([[hit(1, 0.9), hit(2, 0.1)]], without={"t1"}) == (hit(2, 0.1),)


def test_of_summaries_that_say_the_same_the_best_stays() -> None:
    merged = merge([[hit(1, 0.2, "The lamp went out."), hit(4, 0.7, "the lamp went out")]], ())
    assert [found.number for found in merged] == [4]


def test_equal_scores_stand_in_the_order_of_their_turns() -> None:
    merged = merge([[hit(9, 0.5), hit(3, 0.5)]], without=())
    assert [found.number for found in merged] == [3, 9]


def test_nothing_found_is_nothing() -> None:
    assert merge([], without=()) == ()
