"""The tree of turns and the ways back in it: what stays, what leaves, what the channel is owed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import edits, lineage, moves, ways_back
from core.domain.story import (
    Notice,
    Outcome,
    Phase,
    Plan,
    RefreshBallot,
    RefreshProse,
    RetireBallot,
    Stretch,
    Tally,
)
from core.domain.text import joined, split
from core.errors import InputError
from tests.fakes.stories import PLANS, a_draft, a_story, a_turn

SAID = Notice("n", "It goes back.")


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.data())
def test_a_cut_lineage_holds_what_stays_and_grows_on_a_new_branch(
    lengths: list[int], data: st.DataObject
) -> None:
    """Every turn up to the cut stays on its branch, none behind it, and the next begins another."""
    stretches, first = list[Stretch](), 1
    for name, length in enumerate(lengths):
        stretches.append(Stretch(f"b{name}", first, first + length - 1))
        first += length
    whole, newest = tuple(stretches), first - 1
    last = data.draw(st.integers(0, newest))
    kept = lineage.cut(whole, last, "fresh")
    assert kept[-1].last == last
    assert lineage.newest_branch(kept) == "fresh"
    for number in range(1, newest + 1):
        there = lineage.branch_of(whole, number) if number <= last else None
        assert lineage.branch_of(kept, number) == there
        turn = a_turn(branch=lineage.branch_of(whole, number), number=number)
        assert lineage.holds(kept, turn) is (number <= last)
    grown = lineage.extended(kept, last + 1)
    assert lineage.branch_of(grown, last + 1) == "fresh"


def test_an_empty_lineage_grows_on_the_main_branch() -> None:
    assert lineage.newest_branch(()) == lineage.MAIN_BRANCH
    assert lineage.extended((), 1) == (Stretch(lineage.MAIN_BRANCH, 1, 1),)


def test_a_rewind_owes_the_sentence_first_then_the_marks() -> None:
    """Turns that leave are marked, the head that stays behind is closed, the target is voted on."""
    target, leaving = a_turn(), a_turn(id="t2", number=2, pieces=(700,), ballot=701)
    story = a_story(lineage=(Stretch("main", 1, 2),), head="t2", epoch=9)
    back = ways_back.rewound(
        story, target, (Stretch("main", 1, 1),), (leaving,), 701, SAID, now=0.0
    )
    assert (back.phase, back.head, back.head_number) == (Phase.PUBLISHING, "t1", 1)
    assert back.outbox == (
        SAID,
        RetireBallot("t1", 601),
        RefreshProse("t1"),
        RefreshProse("t2"),
        RefreshBallot("t2"),
    )
    assert back.draft is not None
    assert (back.draft.after, back.draft.attempt) == (701, 9)
    assert back.plans.options == target.offered


def test_a_head_that_stays_behind_the_target_is_voted_on_no_longer() -> None:
    story = a_story(head="t1", lineage=(Stretch("main", 1, 1),))
    target = a_turn(id="t2", number=2, tally=Tally(Outcome.WON, (1, 0, 0), 1, 0))
    ahead = ways_back.rewound(
        story, target, (Stretch("main", 1, 2),), (target,), 701, SAID, now=0.0
    )
    assert ahead.outbox == (SAID, RefreshProse("t2"), RefreshBallot("t1"))


def test_what_nobody_could_vote_on_is_taken_out_of_the_channel() -> None:
    story = a_story(phase=Phase.REFLECTING, draft=a_draft(after=500))
    again = ways_back.retried(story, a_turn(), None, "t9", SAID, now=0.0)
    [said] = again.outbox
    assert isinstance(said, Notice)
    assert said.withdraw_after == 500
    assert again.draft == a_draft(turn_id="t9", after=500)
    assert again.head == "t1", "the head was not what is written anew"


def test_a_story_without_what_is_asked_back_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no turn to write anew"):
        ways_back.retried(a_story(), None, None, "t9", SAID, now=0.0)
    with pytest.raises(ValueError, match="without a draft"):
        ways_back.retried(a_story(phase=Phase.WRITING), None, None, "t9", SAID, now=0.0)
    with pytest.raises(ValueError, match="without a winner"):
        moves.won(a_story(), Tally(Outcome.SILENCE, (0, 0, 0), 0), "t2", 601, now=0.0)


@given(st.text("ab. \n", max_size=400).filter(str.strip), st.integers(20, 80))
def test_parts_that_are_joined_have_all_words_in_order(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert "".join(joined(parts).split()) == "".join(text.split())


def test_ideographs_are_joined_without_a_space() -> None:
    assert joined(["雨が降る。", "灯台は"]) == "雨が降る。灯台は"
    assert joined(["It rained.", "He left."]) == "It rained. He left."
    assert joined([]) == ""


@pytest.mark.parametrize(
    ("title", "text", "says"),
    [
        ("", "They go.", "title is empty"),
        ("x" * 61, "They go.", "61 characters; it may have at most 60"),
        ("Way", " ", "text is empty"),
        ("Way", "x" * 901, "901 characters; it may have at most 900"),
    ],
)
def test_a_plan_out_of_its_range_is_refused_with_the_number(
    title: str, text: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        edits.plan(title, text)


def test_two_plans_that_say_the_same_are_refused() -> None:
    edits.check_distinct(PLANS)
    with pytest.raises(InputError, match="the same"):
        edits.check_distinct((*PLANS[:2], Plan(PLANS[0].title.upper(), "Other.")))
