"""What holds for every ranking of recalled memories."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.domain.entries import Recalled
from core.domain.recurrence import assemble
from core.domain.retrieval import Answer, dealt, fused
from core.domain.story import Phase
from core.domain.tokens import Budget, estimate_tokens
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
def test_the_order_of_questions_makes_no_difference(
    found: list[list[Recalled]], random: Random
) -> None:
    rankings = [fused(Answer(hits), 0.0) for hits in found]
    shuffled = random.sample(rankings, len(rankings))
    assert dealt(rankings, ()) == dealt(shuffled, ())


@given(SEARCHES, st.sets(st.sampled_from([f"t{n}" for n in range(1, 10)])))
def test_a_ranking_has_everything_once_and_nothing_that_is_left_out(
    found: list[list[Recalled]], without: set[str]
) -> None:
    ids = [hit.id for hit in dealt([fused(Answer(hits), 0.0) for hits in found], without)]
    assert len(ids) == len(set(ids))
    assert set(ids) == {hit.id for hits in found for hit in hits} - without


@given(SEARCHES, SEARCHES, st.floats(0, 2))
def test_a_fused_ranking_is_sorted_and_loses_nothing(
    meant: list[list[Recalled]], worded: list[list[Recalled]], weight: float
) -> None:
    for by_meaning, by_words in zip(meant, worded, strict=False):
        ranked = fused(
            Answer(by_meaning, [replace(hit, score=hit.score + 1) for hit in by_words]), weight
        )
        assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)
        assert {hit.id for hit in ranked} == {hit.id for hit in (*by_meaning, *by_words)}


@given(st.lists(HITS, max_size=12), st.integers(1, 60))
def test_recall_keeps_to_its_budget(found: Sequence[Recalled], tokens: int) -> None:
    story = a_story(phase=Phase.WRITING, draft=a_draft())
    context = assemble(story, "", dealt([found], ()), Budget(recalled=tokens))
    assert sum(estimate_tokens(hit.text) for hit in context.recalled) <= tokens
    numbers = [hit.number for hit in context.recalled]
    assert numbers == sorted(numbers)
