"""What calls cost, to the micro-dollar; who pays; when a budget is spent."""

from datetime import UTC, datetime

import pytest

from core.domain.spending import (
    PROCESS,
    Budgets,
    Caps,
    Price,
    Reservation,
    Scope,
    Spent,
    day_ends,
    day_of,
    guild_account,
    reached,
    story_account,
)
from core.domain.story import Usage


def test_a_price_for_a_million_tokens_is_as_many_micro_dollars_a_token() -> None:
    assert Price(2, 8, 2).of(Usage(1_000, 0, 100)) == 2_800


def test_cached_tokens_have_a_price_of_their_own() -> None:
    assert Price(2, 8, 0.5).of(Usage(1_000, 400, 100)) == 1_200 + 200 + 800


def test_a_part_of_a_micro_dollar_counts_as_one() -> None:
    assert Price(0.02).of(Usage(1)) == 1
    assert Price(0.02).of(Usage()) == 0


def test_a_quarter_of_what_is_set_aside_is_taken_to_be_an_answer() -> None:
    """Where answers cost nothing, as of a model that only reads, all of it is sent."""
    assert Price(2, 8).expected(1_000) == 1_500 + 2_000
    assert Price(2).expected(1_000) == 2_000


def test_what_was_spent_adds_up() -> None:
    assert Spent(3, 5) + Spent(10, 20) == Spent(13, 25)


@pytest.mark.parametrize("amounts", [(-1, 0), (0, -1)])
def test_nothing_is_spent_below_nothing(amounts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="-1"):
        Spent(*amounts)


@pytest.mark.parametrize(
    ("spent", "caps", "percent", "told"),
    [
        (Spent(10**9, 10**9), Caps(), 100, False),
        (Spent(99, 10**9), Caps(100), 100, False),
        (Spent(100), Caps(100), 100, True),
        (Spent(10**9, 99), Caps(None, 100), 100, False),
        (Spent(0, 100), Caps(None, 100), 100, True),
        (Spent(0, 100), Caps(100, 100), 100, True),
        (Spent(79), Caps(100), 80, False),
        (Spent(80), Caps(100), 80, True),
        (Spent(), Caps(0), 100, True),
    ],
)
def test_a_budget_is_spent_when_either_of_its_caps_is_reached(
    spent: Spent, caps: Caps, percent: int, told: bool
) -> None:
    assert reached(spent, caps, percent) is told


def test_each_scope_has_caps_of_its_own() -> None:
    process, guild, story = Caps(1), Caps(2), Caps(None, 3)
    budgets = Budgets(process, guild, story)
    assert [budgets.caps(scope) for scope in Scope] == [process, guild, story]


def test_budgets_are_limited_by_any_cap() -> None:
    assert not Budgets(prices={"writer": Price(1)}).limited
    for capped in (Budgets(Caps(1)), Budgets(guild=Caps(None, 1)), Budgets(story=Caps(1))):
        assert capped.limited


def test_a_model_that_has_no_price_costs_tokens_alone() -> None:
    budgets = Budgets(prices={"writer": Price(2, 8)})
    assert budgets.cost("writer", Usage(10, 0, 1)) == Spent(11, 28)
    assert budgets.expected("writer", 100) == Spent(100, 350)
    assert budgets.cost("other", Usage(10, 0, 1)) == Spent(11, 0)


def test_a_story_tells_of_its_budget_and_its_servers_and_a_process_of_its_own() -> None:
    guild, story = guild_account(10), story_account("900:1")
    whole = Reservation("call", "m", Spent(), "2026-11-23", (PROCESS, guild, story), "p1")
    assert [whole.teller(payer) for payer in whole.payers] == ["p1", story.name, story.name]
    without = Reservation("call", "m", Spent(), "2026-11-23", (PROCESS, guild), "p1")
    assert (without.story, without.teller(guild)) == ("", "")


def test_days_are_those_of_utc() -> None:
    last = datetime(2026, 12, 31, 23, 59, 59, 900_000, tzinfo=UTC).timestamp()
    midnight = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    assert (day_of(last), day_ends(last)) == ("2026-12-31", midnight)
    assert (day_of(midnight), day_ends(midnight)) == ("2027-01-01", midnight + 86_400)


def test_a_storys_account_is_its_own_and_doesnt_hold_its_id() -> None:
    """Its spending outlives it by days, and must not tell where it was told."""
    one, other = story_account("900:1"), story_account("900:2")
    assert one == story_account("900:1") != other
    assert "900" not in one.name
