"""One step: what goes in under which budget, and what must come out."""

from dataclasses import replace
from typing import Any

import pytest

from core.domain.recurrence import (
    MEMORY_SENTENCES,
    MEMORY_UNITS,
    PLAN_TEXT_UNITS,
    PLAN_TITLE_UNITS,
    SUMMARY_UNITS,
    TITLE_UNITS,
    Budget,
    UnusableAnswerError,
    assemble,
    check_opening,
    check_paragraph,
    check_reflection,
    estimate_tokens,
    longest_paragraph,
)
from core.domain.story import Canon, Memory, Phase, Plan, Recalled, Story
from core.domain.text import sentences, split, utf16_length
from tests.fakes.stories import PLANS, a_draft, a_story

THAI = "ชายชราเดินไปที่ประภาคารและเปิดประตู "
"""The old man walks to the lighthouse and opens the door; Thai writes no full stops."""
TIGHT = Budget(premise=12, outline=6, canon=12, memory=12, recalled=12, previous=12, plan=12)


def writing(**changes: Any) -> Story:
    return a_story(phase=Phase.WRITING, draft=a_draft(), **changes)


def hit(number: int, text: str, score: float = 0.5) -> Recalled:
    return Recalled(f"t{number}", number, text, score)


# ── what goes in ─────────────────────────────────────────────────────────────────────────────────


def test_a_step_knows_the_brief_memory_canon_recall_previous_text_and_plan() -> None:
    story = writing(memory=Memory("Mira is the keeper.", 3), canon=Canon(("Gulls talk.",), 1))
    context = assemble(story, "The lamp was out.", [hit(1, "A door opened.")])
    assert context.brief == story.brief
    assert (context.number, context.sentences) == (2, 20)
    assert (context.memory, context.canon) == ("Mira is the keeper.", ("Gulls talk.",))
    assert (context.previous, context.plan) == ("The lamp was out.", PLANS[0])
    assert [entry.text for entry in context.recalled] == ["A door opened."]


def test_an_opening_has_no_plan() -> None:
    story = writing()
    assert story.draft is not None
    opening = replace(story, draft=replace(story.draft, plan=None, number=1))
    assert assemble(opening, "", []).plan is None


def test_a_step_needs_a_draft() -> None:
    with pytest.raises(ValueError, match="draft"):
        assemble(a_story(), "", [])


def test_a_long_memory_loses_its_oldest_sentences() -> None:
    memory = "Old fact one here. Middle fact two here. New fact three here."
    context = assemble(writing(memory=Memory(memory, 1)), "", [], TIGHT)
    assert context.memory == "Middle fact two here. New fact three here."


def test_a_long_paragraph_keeps_its_end() -> None:
    context = assemble(writing(), "First things first. Then came rain. Then she left.", [], TIGHT)
    assert context.previous == "Then came rain. Then she left."


def test_a_single_sentence_over_the_budget_is_clipped() -> None:
    context = assemble(writing(), "word " * 200, [], TIGHT)
    assert context.previous
    assert estimate_tokens(context.previous) <= 12


@pytest.mark.parametrize("phrase", [THAI, "and then the keeper walked on, ", "😀"])
def test_of_a_text_without_sentences_the_end_is_kept(phrase: str) -> None:
    text = f"oldest {phrase * 200} newest"
    context = assemble(writing(memory=Memory(text, 1)), text, [], TIGHT)
    for part in (context.memory, context.previous):
        assert part.endswith("newest")
        assert "oldest" not in part
        assert 6 <= estimate_tokens(part) <= 12, "and the budget is used"


def test_of_a_long_premise_outline_and_plan_the_start_is_kept() -> None:
    plan = Plan("Down", "They go down now. " * 9)
    story = writing()
    assert story.draft is not None
    story = replace(
        story,
        draft=replace(story.draft, plan=plan),
        brief=replace(story.brief, premise="A door opens. " * 9, outline="It begins. " * 9),
    )
    context = assemble(story, "", [], TIGHT)
    assert context.brief.premise.startswith("A door opens. A door")
    assert context.brief.outline == "It begins. It begins."
    assert context.plan is not None
    assert context.plan.text.startswith("They go down now.")
    assert estimate_tokens(context.brief.premise) <= 12
    assert estimate_tokens(context.plan.text) <= 12


def test_the_worst_hits_are_dropped_and_the_rest_stand_in_the_order_of_their_turns() -> None:
    found = [hit(7, "x" * 20, 0.9), hit(2, "y" * 20, 0.8), hit(3, "z" * 20, 0.7)]
    context = assemble(writing(), "", found, TIGHT)
    assert [entry.number for entry in context.recalled] == [2, 7]


def test_a_hit_too_long_for_what_is_left_does_not_shut_out_a_shorter_one() -> None:
    found = [hit(7, "x" * 24, 0.9), hit(2, "y" * 90, 0.8), hit(3, "z" * 20, 0.7)]
    context = assemble(writing(), "", found, TIGHT)
    assert [entry.number for entry in context.recalled] == [3, 7]


def test_of_too_many_pinned_facts_the_newest_stand() -> None:
    canon = Canon(("a" * 20, "b" * 20, "c" * 20), 1)
    assert assemble(writing(canon=canon), "", [], TIGHT).canon == ("b" * 20, "c" * 20)


def test_a_context_does_not_grow_with_what_it_is_made_of() -> None:
    """Ten times the memory, recall and text give a prompt of the same size."""

    def tokens(times: int) -> int:
        story = writing(memory=Memory("A fact of the sea stands here. " * times, 1))
        recalled = [hit(n, f"In turn {n} the tide came in early.") for n in range(1, times)]
        context = assemble(story, "The sea rose again. " * times, recalled)
        parts = [context.memory, context.previous, *(entry.text for entry in context.recalled)]
        return sum(map(estimate_tokens, parts))

    assert tokens(10_000) <= tokens(1_000) * 1.01


# ── what comes out ───────────────────────────────────────────────────────────────────────────────


def test_a_finished_paragraph_is_trimmed_and_kept() -> None:
    assert check_paragraph("  The door opened.\n") == "The door opened."


@pytest.mark.parametrize(("text", "fault"), [(" \n ", "empty"), ("The door was", "breaks off")])
def test_an_empty_or_broken_off_paragraph_is_refused(text: str, fault: str) -> None:
    with pytest.raises(UnusableAnswerError, match=fault):
        check_paragraph(text)


_LAMP = (
    "The lamp had not turned since the ferry left. Mira counted the dark, and came to nine. Below "
    "her the stair rang once, as it rang when somebody heavy set a foot on its lowest step. She "
    "put the ledger down open on the page with the names, and took the lantern off its hook."
)


@pytest.mark.parametrize(
    "again",
    [
        _LAMP,
        _LAMP.replace("Mira", "Corvin").replace("nine", "ten"),
        f"{_LAMP} She waited.",
        _LAMP.upper(),
    ],
    ids=["the same", "other names", "a few words more", "louder"],
)
def test_a_paragraph_that_repeats_the_previous_one_is_refused(again: str) -> None:
    with pytest.raises(UnusableAnswerError, match="repeats the previous one"):
        check_paragraph(again, _LAMP)


@pytest.mark.parametrize(
    "next_",
    [
        "Mira went down the stair with the lantern unlit. Nine steps, and then water.",
        f"{_LAMP} At the third landing she heard it breathe, close to the wall, and did not look.",
        "Mira counted the dark, and came to nine.",
    ],
    ids=["it goes on", "half of it goes on", "an echo"],
)
def test_a_paragraph_that_only_echoes_the_previous_one_is_kept(next_: str) -> None:
    assert check_paragraph(next_, _LAMP) == next_


def test_a_long_paragraph_that_repeats_is_told_from_the_end_that_a_prompt_holds() -> None:
    long = " ".join(f"On day {n} Mira wrote {n * n} names into the book." for n in range(200))
    previous = assemble(writing(), long, []).previous
    assert len(previous) < len(long)
    with pytest.raises(UnusableAnswerError, match="repeats"):
        check_paragraph(long, previous)


def test_a_paragraph_that_does_not_end_is_refused() -> None:
    longest = longest_paragraph(20)
    assert check_paragraph("The sea sang. " * (longest // 14), longest=longest)
    with pytest.raises(UnusableAnswerError, match=f"more than {longest:,} characters"):
        check_paragraph("The sea sang. " * longest, longest=longest)


def test_a_paragraph_may_be_four_times_as_long_as_asked_or_a_page() -> None:
    assert longest_paragraph(40) > 4 * 40 * 130
    assert longest_paragraph(3) == longest_paragraph(10) > longest_paragraph(0) - 1
    assert len(split("The sea sang. " * (longest_paragraph(40) // 14), 1800)) < 20


def test_an_opening_needs_title_and_outline() -> None:
    assert check_opening({"title": " The\nSalt  Clock ", "outline": " Tides. "}) == (
        "The Salt Clock",
        "Tides.",
    )
    with pytest.raises(UnusableAnswerError) as refusal:
        check_opening({"title": "", "outline": 3})
    assert len(refusal.value.faults) == 2


def test_a_long_title_is_clipped() -> None:
    title, _ = check_opening({"title": "word " * 60, "outline": "x"})
    assert utf16_length(title) <= TITLE_UNITS


def answer(**changes: object) -> dict[str, object]:
    """A reflection as a model answers it, with ``changes`` made."""
    plans = {
        f"plan_{n}": {"title": plan.title, "text": plan.text} for n, plan in enumerate(PLANS, 1)
    }
    fixed = {"rationale": "Because.", "memory": "Mira is here.", "summary": "She came."}
    return {**fixed, **plans, **changes}


def test_a_right_answer_becomes_a_reflection() -> None:
    reflection = check_reflection(answer())
    assert reflection.plans == PLANS
    assert (reflection.rationale, reflection.memory) == ("Because.", "Mira is here.")


def test_a_memory_of_sixty_sentences_keeps_its_twenty_newest() -> None:
    memory = " ".join(f"Fact number {n} stands." for n in range(60))
    kept = sentences(check_reflection(answer(memory=memory)).memory)
    assert len(kept) == MEMORY_SENTENCES
    assert kept[-1] == "Fact number 59 stands."


@pytest.mark.parametrize("fact", [THAI, "and then the keeper walked on, "])
def test_a_memory_without_sentences_keeps_its_newest_words(fact: str) -> None:
    """Twenty sentences are no bound where nothing says that a sentence ends."""
    memory = check_reflection(answer(memory=fact * 300 + "newest")).memory
    assert utf16_length(memory) <= MEMORY_UNITS
    assert memory.endswith("newest")
    assert utf16_length(memory) > MEMORY_UNITS // 2


def test_a_memory_of_twenty_long_sentences_loses_its_oldest_ones_whole() -> None:
    facts = [f"Fact {n}: {'the tide came in ' * 20}again." for n in range(20)]
    kept = check_reflection(answer(memory=" ".join(facts))).memory
    assert utf16_length(kept) <= MEMORY_UNITS
    assert " ".join(facts).endswith(kept)
    assert kept.startswith("Fact ")


def test_a_long_summary_is_clipped() -> None:
    reflection = check_reflection(answer(summary="She came home. " * 400))
    assert utf16_length(reflection.summary) <= SUMMARY_UNITS


@pytest.mark.parametrize("part", ["rationale", "memory", "summary"])
@pytest.mark.parametrize("value", ["", "   ", None, 7, ["x"]])
def test_a_missing_or_empty_part_is_refused_by_name(part: str, value: object) -> None:
    with pytest.raises(UnusableAnswerError, match=part):
        check_reflection(answer(**{part: value}))


def test_two_plans_instead_of_three_are_refused() -> None:
    two = answer()
    del two["plan_3"]
    with pytest.raises(UnusableAnswerError, match="plan_3"):
        check_reflection(two)


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        ({"title": "", "text": "x"}, "plan_2.title"),
        ({"title": "x"}, "plan_2.text"),
        ({"title": "x" * (PLAN_TITLE_UNITS + 1), "text": "y"}, "at most 60"),
        ({"title": "x", "text": "🦀" * (PLAN_TEXT_UNITS // 2 + 1)}, "at most 900"),
        ("go", "plan_2"),
        ({"title": PLANS[0].title.upper() + "!", "text": "Other."}, "plan_2 and plan_1"),
        ({"title": "Other", "text": PLANS[0].text}, "plan_2 and plan_1"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused_with_what_to_mend(plan: object, fault: str) -> None:
    with pytest.raises(UnusableAnswerError, match=fault):
        check_reflection(answer(plan_2=plan))


def test_plans_at_their_limits_are_accepted() -> None:
    plan = {"title": "x" * PLAN_TITLE_UNITS, "text": "y" * PLAN_TEXT_UNITS}
    assert check_reflection(answer(plan_1=plan)).plans[0].title == "x" * PLAN_TITLE_UNITS


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(UnusableAnswerError) as refusal:
        check_reflection({})
    assert len(refusal.value.faults) == 6


def test_tokens_are_estimated_by_bytes() -> None:
    assert [estimate_tokens(text) for text in ("", "abcd", "abcde", "海の時計")] == [0, 1, 2, 3]


def test_white_space_between_sentences_costs_nothing_that_is_kept() -> None:
    text = "Rain came." + "\n" * 60 + "She left."
    assert assemble(writing(), text, [], TIGHT).previous == "Rain came. She left."
