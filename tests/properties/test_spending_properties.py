"""Whatever is repeated and in whatever order it arrives, sums are those of the calls.

The same plays run on Redis in tests/contracts/test_spend_interleavings.py.
"""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from core.domain.budgets import cap_in_dollars, dollars
from core.domain.spending import ANSWER_SHARE, Price
from core.domain.story import Usage
from tests.contracts.spend_plays import Play, act_out, plays
from tests.fakes.spend_ledger import FakeSpendLedger
from tests.fakes.store import StoreWorld


@given(plays())
def test_any_interleaving_leaves_the_sum_of_the_calls(play: Play) -> None:
    asyncio.run(act_out(play, FakeSpendLedger(StoreWorld())))


amounts = st.integers(0, 10**12)


@given(amounts)
def test_amounts_read_back_to_the_cent(micros: int) -> None:
    told = dollars(micros).removeprefix("$").replace(",", "")
    if told.startswith("less"):
        assert 0 < micros < 100
        return
    assert abs(float(told) * 1_000_000 - micros) <= 5_000
    assert (float(told) == 0) is (micros == 0)


@given(amounts)
def test_caps_read_back_exactly(micros: int) -> None:
    whole, part = cap_in_dollars(micros).removeprefix("$").replace(",", "").split(".")
    assert int(whole) * 1_000_000 + int(part.ljust(6, "0")) == micros
    assert len(part) >= 2


prices = st.builds(Price, st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))


@given(prices, st.integers(0, 10**6))
def test_what_is_set_aside_covers_an_answer_of_its_share(price: Price, tokens: int) -> None:
    """Whatever the prices are; so it also covers a request that brings no answer at all."""
    answer = int(tokens * ANSWER_SHARE)
    without_cache = Usage(tokens - answer, 0, answer)
    if price.completion >= price.prompt:
        assert price.expected(tokens) >= price.of(without_cache) - 1
    assert price.expected(tokens) >= price.of(Usage(tokens)) - 1
