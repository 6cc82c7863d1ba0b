"""What holds for every ranking of recalled memories."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.domain.recurrence import Budget, assemble, estimate_tokens
from core.domain.retrieval import merge
from core.domain.story import Phase, Recalled
from tests.fakes.stories import a_draft, a_story


def a_hit(number: int, score: float) -> Recalled:
    """A hit on a turn; one turn has one text."""
    return Recalled(f"t{number}", number, f"In turn {number} " * number, score)


HITS = st.builds(
    a_hit,
    st.integers(1, 9),
    st.floats(-1, 1, allow_nan=False),
)
SEARCHES = st.lists(st.lists(HITS, max_size=6), max_size=3)


@given(SEARCHES, st.randoms())
def test_the_order_of_searches_makes_no_difference(
    found: list[list[Recalled]], random: Random
) -> None:
    shuffled = random.sample(found, len(found))
    assert merge(found, ()) == merge(shuffled, ())


@given(SEARCHES, st.sets(st.sampled_from([f"t{n}" for n in range(1, 10)])))
def test_a_ranking_is_sorted_without_repeats_and_without_what_is_left_out(
    found: list[list[Recalled]], without: set[str]
) -> None:
    merged = merge(found, without)
    assert list(merged) == sorted(merged, key=lambda hit: (-hit.score, hit.number, hit.turn_id))
    turns = [hit.turn_id for hit in merged]
    assert len(turns) == len(set(turns))
    assert not without & set(turns)


@given(st.lists(HITS, max_size=12), st.integers(1, 60))
def test_recall_keeps_to_its_budget(found: Sequence[Recalled], tokens: int) -> None:
    story = a_story(phase=Phase.WRITING, draft=a_draft())
    context = assemble(story, "", merge([found], ()), Budget(recalled=tokens))
    assert sum(estimate_tokens(hit.text) for hit in context.recalled) <= tokens
    numbers = [hit.number for hit in context.recalled]
    assert numbers == sorted(numbers)
