"""The evaluation itself, at a small size: that it finds what is there, and misses what isn't."""

from collections.abc import Sequence

import pytest

from core.domain.entries import Recalled
from core.domain.story import Plan, Story
from core.domain.tokens import Budget
from core.ports import Embedder, MemorySearch
from tests.eval.__main__ import table
from tests.eval.measuring import measure
from tests.eval.methods import METHODS, Method, Shelf
from tests.eval.picture import draw
from tests.eval.stories import make_story
from tests.eval.tuned_words import TUNED
from tests.eval.vectors import KnownVectors

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]


async def test_every_method_is_measured_and_neither_all_nor_nothing_is_taken_for_found() -> None:
    story = make_story(TUNED, 60, 1, per_kind=1)
    roomy = Budget(recalled=100_000, ledger=100_000)
    *_, whole = METHODS

    async def everything(
        search: MemorySearch, _embedder: Embedder, state: Story, _plan: Plan
    ) -> Sequence[Recalled]:
        [vector] = await vectors.embed(["all"])
        return await search.nearest(state.id, state.lineage, vector, 1000)

    async def nothing(
        _search: MemorySearch, _embedder: Embedder, _state: Story, _plan: Plan
    ) -> Sequence[Recalled]:
        return ()

    vectors = KnownVectors()
    results = await measure(
        story,
        vectors,
        [
            Method("everything", Shelf.MARKED, roomy, everything),
            Method("nothing", Shelf.MARKED, roomy, nothing),
            whole,
        ],
    )
    all_of_it, none, built = results
    assert all_of_it.share() == 1
    assert none.share() < 0.5, "but for what the previous paragraph and the memory hold"
    assert none.share() < built.share() <= 1
    assert none.precision == 0
    assert len(table(results).splitlines()) == 4


def test_the_picture_has_a_line_for_each_method_and_labels_apart() -> None:
    rows = [
        {"set": "reported", "turns": turns, "method": method, "there": 0.5}
        for turns in (100, 1000)
        for method in ("original", "whole")
    ]
    drawn = draw(rows)
    assert drawn.count("<polyline") == 2
    assert "1,000 turns" in drawn
