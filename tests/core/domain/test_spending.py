"""What calls cost, to the micro-dollar."""

from core.domain.spending import Price, Spent
from core.domain.story import Usage


def test_a_price_for_a_million_tokens_is_as_many_micro_dollars_a_token() -> None:
    assert Price(2, 8, 2).of(Usage(1_000, 0, 100)) == 2_800


def test_cached_tokens_have_a_price_of_their_own() -> None:
    assert Price(2, 8, 0.5).of(Usage(1_000, 400, 100)) == 1_200 + 200 + 800


def test_a_part_of_a_micro_dollar_counts_as_one() -> None:
    assert Price(0.02).of(Usage(1)) == 1
    assert Price(0.02).of(Usage()) == 0


def test_what_was_spent_adds_up() -> None:
    assert Spent(3, 5) + Spent(10, 20) == Spent(13, 25)
