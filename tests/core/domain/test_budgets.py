"""What people read of budgets: whose it is, how much, when it goes on; amounts as people write."""

import pytest

from core.domain.budgets import (
    Today,
    cap_in_dollars,
    dollars,
    nearly_sentence,
    spent_sentence,
    today_sentence,
)
from core.domain.spending import (
    PROCESS,
    Account,
    Budgets,
    Caps,
    Price,
    Spent,
    Standing,
    guild_account,
    story_account,
)

PRICES = {"writer": Price(2, 8)}


@pytest.mark.parametrize(
    ("micros", "told"),
    [
        (0, "$0.00"),
        (3, "less than $0.0001"),
        (123, "$0.00012"),
        (4_200, "$0.0042"),
        (9_999, "$0.01"),
        (31_234, "$0.03"),
        (2_500_000, "$2.50"),
        (1_234_567_890, "$1,234.57"),
    ],
)
def test_small_amounts_arent_told_as_nothing(micros: int, told: str) -> None:
    assert dollars(micros) == told


@pytest.mark.parametrize(
    ("micros", "told"),
    [(500_000, "$0.50"), (125_000, "$0.125"), (1, "$0.000001"), (5_000_000_000, "$5,000.00")],
)
def test_a_cap_is_told_as_it_was_set(micros: int, told: str) -> None:
    assert cap_in_dollars(micros) == told


def test_the_cap_that_is_reached_is_the_one_that_is_named() -> None:
    """Of two caps, money may end first, or tokens."""
    standing = Standing(story_account("900:1"), Spent(900, 510_000))
    for caps, amount in (
        (Caps(1000, 500_000), "$0.51 of $0.50"),
        (Caps(900, 900_000), "900 of 900 tokens"),
        (Caps(None, 500_000), "$0.51 of $0.50"),
    ):
        assert f"today ({amount}): it goes on" in spent_sentence(standing, caps)


@pytest.mark.parametrize(
    ("account", "begins", "ends"),
    [
        (PROCESS, "The bot has spent", "every story pauses until the UTC day turns, at 00:00."),
        (
            guild_account(10),
            "For moderators: the stories of this server have spent",
            "they pause until the UTC day turns, at 00:00.",
        ),
        (
            story_account("900:1"),
            "For moderators: this story has spent",
            "it pauses until the UTC day turns, at 00:00.",
        ),
    ],
)
def test_who_is_warned_reads_how_much_is_gone_and_what_comes_then(
    account: Account, begins: str, ends: str
) -> None:
    standing = Standing(account, Spent(84_300))
    sentence = nearly_sentence(standing, Caps(100_000))
    assert sentence == (
        f"{begins} 84 % of its budget for today (84,300 of 100,000 tokens). "
        f"When all of it is spent, {ends}"
    )


@pytest.mark.parametrize(
    ("account", "whose", "then"),
    [
        (PROCESS, "The bot has", "Every story"),
        (guild_account(10), "For moderators: the stories of this server have", "Each"),
        (story_account("900:1"), "For moderators: this story has", "It"),
    ],
)
def test_what_is_spent_already_isnt_told_as_nearly_spent(
    account: Account, whose: str, then: str
) -> None:
    """The request that crossed the cap was finished, and the ballot is up."""
    assert nearly_sentence(Standing(account, Spent(130)), Caps(100)) == (
        f"{whose} spent its budget for today (130 of 100 tokens). {then} pauses before it goes on, "
        "until the UTC day turns, at 00:00."
    )


def test_today_is_told_in_tokens_where_nothing_has_a_price() -> None:
    today = Today(Spent(12_400, 5), Spent(40_100, 9), Budgets(story=Caps(50_000)))
    assert today_sentence(today) == (
        "Today (UTC): this story 12,400 of 50,000 tokens; this server 40,100 tokens."
    )


def test_what_nobody_limited_is_told_as_it_is() -> None:
    today = Today(Spent(), Spent(1_000, 5_000), Budgets(prices=PRICES))
    assert today_sentence(today) == (
        "Today (UTC): this story 0 tokens, about $0.00; this server 1,000 tokens, about $0.005."
    )


def test_today_is_told_in_dollars_where_models_have_prices() -> None:
    budgets = Budgets(guild=Caps(100_000, 2_000_000), story=Caps(None, 500_000), prices=PRICES)
    today = Today(Spent(12_400, 31_000), Spent(40_100, 110_000), budgets)
    assert today_sentence(today) == (
        "Today (UTC): this story 12,400 tokens, about $0.03 of $0.50; this server 40,100 of "
        "100,000 tokens, about $0.11 of $2.00."
    )
