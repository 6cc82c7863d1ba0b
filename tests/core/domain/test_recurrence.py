"""One step: what goes in under which budget, and what must come out."""

from dataclasses import replace
from typing import Any

import pytest

from core.domain.entries import EntryKind, Fact, Recalled, fact_line
from core.domain.recurrence import (
    ABOUT_UNITS,
    CHAPTER_TURNS,
    CHAPTER_UNITS,
    FACT_UNITS,
    FACTS,
    MEMORY_SENTENCES,
    MEMORY_UNITS,
    PLAN_TEXT_UNITS,
    PLAN_TITLE_UNITS,
    SUMMARY_UNITS,
    TITLE_UNITS,
    UnusableAnswerError,
    assemble,
    avoiding,
    check_opening,
    check_paragraph,
    check_plans,
    check_reflection,
    ends_chapter,
    label,
    longest_paragraph,
    looked_back,
)
from core.domain.story import Brief, Canon, Memory, Phase, Plan, Story, Usage
from core.domain.text import sentences, split, utf16_length
from core.domain.tokens import (
    LEAST_BYTES_PER_TOKEN,
    MOST_BYTES_PER_TOKEN,
    Budget,
    corrected,
    estimate_tokens,
    pinned_tokens,
)
from tests.fakes.stories import PLANS, a_draft, a_story

THAI = "ชายชราเดินไปที่ประภาคารและเปิดประตู "
"""The old man walks to the lighthouse and opens the door; Thai writes no full stops."""
TIGHT = Budget(premise=12, outline=6, canon=12, memory=12, recalled=26, previous=12, plan=12)


def writing(**changes: Any) -> Story:
    return a_story(phase=Phase.WRITING, draft=a_draft(), **changes)


def hit(number: int, text: str, score: float = 0.5) -> Recalled:
    return Recalled(f"t{number}", number, text, score)


def fact(number: int, text: str, about: str = "Mira", key: int = 1) -> Recalled:
    return Recalled(f"t{number}", number, text, 0.5, EntryKind.FACT, key, about)


def chapter(number: int, text: str) -> Recalled:
    return Recalled(f"t{number}", number, text, 0.5, EntryKind.CHAPTER, first=number - 9)


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


def test_facts_stand_apart_from_what_happened() -> None:
    """Each in the order of its turns; a chapter stands where its last turn does."""
    found = [
        *(chapter(20, "They crossed the sea."), hit(7, "Mira fell."), fact(9, "She limps.")),
        *(hit(20, "They landed."), fact(3, "She owns the lamp."), fact(3, "She swore.", key=0)),
    ]
    context = assemble(writing(), "", found)
    stands = [(entry.number, entry.first) for entry in context.recalled]
    assert stands == [(7, 0), (20, 0), (20, 11)]
    assert [(entry.number, entry.key) for entry in context.ledger] == [(3, 0), (3, 1), (9, 1)]
    assert context.known_facts == context.ledger


@pytest.mark.parametrize("bytes_per_token", [1.0, 2.6, 4.0, 6.0])
def test_facts_and_what_happened_have_budgets_of_their_own(bytes_per_token: float) -> None:
    """Many facts crowd out no summary, and many summaries no fact."""
    story = writing(bytes_per_token=bytes_per_token)
    facts = [fact(n, "She owns the lamp by the sea.", key=n) for n in range(1, 200)]
    told = [hit(n, "In this turn the tide came in over the wall.") for n in range(1, 200)]
    context = assemble(story, "", [*facts, *told])
    assert context.ledger == assemble(story, "", facts).ledger
    assert context.recalled == assemble(story, "", told).recalled
    for kept, budget in ((context.ledger, Budget().ledger), (context.recalled, Budget().recalled)):
        said = sum(len(fact_line(entry.about, entry.text)) for entry in kept)
        assert 0.5 * budget < said / bytes_per_token <= budget
        assert kept == tuple(sorted(kept, key=lambda entry: entry.number))


def test_a_finer_tokenizer_leaves_less_room() -> None:
    """The same budget of tokens holds half the text where a token is half as long."""
    memory = Memory("A fact of the sea stands here. " * 400, 1)
    coarse, fine = (
        assemble(writing(memory=memory, bytes_per_token=size), memory.text, []) for size in (4, 2)
    )
    assert len(fine.memory) == pytest.approx(len(coarse.memory) / 2, rel=0.05)
    assert len(fine.previous) == pytest.approx(len(coarse.previous) / 2, rel=0.05)


def test_what_stands_in_every_prompt_is_cut_where_it_is_longer_than_can_be_entered() -> None:
    """What members can enter stays whole; nothing else is let through."""
    entered = Brief("A sea.", "g" * 100, "s" * 300, "l" * 60, "t" * 100, "It begins.")
    assert assemble(writing(brief=entered), "", []).brief == entered
    longer = Brief("A sea.", *("word " * 1000 for _ in range(5)))
    kept = assemble(writing(brief=longer), "", []).brief
    for name in ("genre", "style", "language", "title", "outline"):
        assert estimate_tokens(getattr(kept, name)) <= getattr(Budget(), name)
        assert longer.genre.startswith(getattr(kept, name).removesuffix("…"))


def test_a_plans_title_and_text_share_its_budget() -> None:
    plan = Plan("Down the iron stair", "They go down. They come up again. They go down once more.")
    story = writing()
    assert story.draft is not None
    story = replace(story, draft=replace(story.draft, plan=plan))
    kept = assemble(story, "", [], TIGHT).plan
    assert kept == Plan("Down the iron stair", "They go down.")
    assert estimate_tokens(str(kept)) <= TIGHT.plan
    nothing = assemble(story, "", [], Budget(plan=0)).plan
    assert nothing == Plan("", ""), "no budget holds nothing"


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


def test_a_passage_that_came_too_close_is_named_within_its_budget() -> None:
    context = assemble(writing(), "", [])
    assert avoiding(context, "The lamp was out.", 4.0) == replace(
        context, avoid="The lamp was out."
    )
    long = avoiding(context, "The lamp was out. " * 1000, 2.5).avoid
    assert long.startswith("The lamp was out.")
    assert Budget().avoid * 0.8 < estimate_tokens(long, 2.5) <= Budget().avoid


def test_a_reflection_looks_back_on_facts_that_its_prompt_did_not_hold() -> None:
    context = assemble(writing(), "", [fact(3, "She owns the lamp.")])
    touched = [fact(3, "She owns the lamp."), fact(9, "She limps."), fact(4, "She swore.")]
    looking = looked_back(context, touched, [], 4.0)
    assert [entry.number for entry in looking.touched] == [4, 9]
    assert [entry.number for entry in looking.known_facts] == [3, 4, 9]
    assert looking == replace(context, touched=looking.touched), "nothing else is changed"


def test_what_is_looked_back_on_keeps_to_its_budgets() -> None:
    """The best facts that fit; of the chapter's summaries all, each with an equal share."""
    facts = [fact(n, "She owns the lamp by the sea.", key=n) for n in range(1, 100)]
    stretch = [hit(n, f"In turn {n} the tide came in. " * 90) for n in range(1, 30)]
    for size in (1.0, 2.6, 4.0):
        looking = looked_back(assemble(writing(), "", []), facts, stretch, size)
        assert [entry.number for entry in looking.stretch] == list(range(20, 30))
        said = sum(estimate_tokens(entry.text, size) for entry in looking.stretch)
        assert Budget().stretch * 0.6 < said <= Budget().stretch
        assert looking.touched == tuple(facts[: len(looking.touched)])
        said = sum(estimate_tokens(entry.text, size) for entry in looking.touched)
        assert 0 < said <= Budget().touched


def test_every_tenth_turn_ends_a_chapter() -> None:
    assert [number for number in range(1, 31) if ends_chapter(number)] == [10, 20, 30]
    assert CHAPTER_TURNS == 10


def test_a_fact_says_what_it_is_about_once() -> None:
    assert fact_line("the lamp", "The lamp is green.") == "The lamp is green."
    assert fact_line("Mira", "She limps.") == "Mira: She limps."
    assert fact_line("", "It rains.") == "It rains."


def test_a_pinned_fact_counts_with_the_line_that_it_stands_on() -> None:
    assert pinned_tokens("x" * 9) == estimate_tokens("- xxxxxxxxx\n") == 3
    assert pinned_tokens("x" * 9, 1.0) == 12


# ── how long a token is ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("real", [1.5, 2.9, 4.6])
def test_the_measure_of_a_token_comes_close_to_what_is_reported(real: float) -> None:
    measure = 4.0
    for _ in range(15):
        measure = corrected(measure, Usage(1000, prompt_bytes=int(1000 * real)))
    assert measure == pytest.approx(real, rel=0.01)


def test_one_report_moves_the_measure_a_part_of_the_way() -> None:
    assert corrected(4.0, Usage(1000, prompt_bytes=2000)) == pytest.approx(3.4)


@pytest.mark.parametrize(
    ("usage", "bound"),
    [
        (Usage(10**9, prompt_bytes=1), LEAST_BYTES_PER_TOKEN),
        (Usage(1, prompt_bytes=10**9), MOST_BYTES_PER_TOKEN),
    ],
)
def test_no_report_moves_the_measure_beyond_what_tokenizers_do(usage: Usage, bound: float) -> None:
    measure = 4.0
    for _ in range(50):
        measure = corrected(measure, usage)
        assert LEAST_BYTES_PER_TOKEN <= measure <= MOST_BYTES_PER_TOKEN
    assert measure == pytest.approx(bound, abs=1e-6)


@pytest.mark.parametrize("usage", [Usage(), Usage(1000), Usage(prompt_bytes=4000)])
def test_without_a_report_the_measure_stays(usage: Usage) -> None:
    assert corrected(3.1, usage) == 3.1


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
    return {**fixed, "facts": [], **plans, **changes}


def one_fact(**changes: object) -> dict[str, object]:
    """A fact as a model answers it, with ``changes`` made."""
    return {"about": "Mira", "fact": "Mira owns the lamp.", "ends": [], **changes}


def test_a_right_answer_becomes_a_reflection() -> None:
    reflection = check_reflection(answer())
    assert reflection.plans == PLANS
    assert (reflection.rationale, reflection.memory) == ("Because.", "Mira is here.")
    assert (reflection.facts, reflection.chapter) == ((), "")


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


def test_facts_are_numbered_trimmed_and_clipped() -> None:
    facts = [
        one_fact(about=" Mira \n Vale ", fact=" She owns\nthe lamp. "),
        one_fact(about="x" * 200, fact="The sea. " * 200),
    ]
    first, second = check_reflection(answer(facts=facts)).facts
    assert first == Fact(1, "Mira Vale", "She owns the lamp.")
    assert second.key == 2
    assert utf16_length(second.about) <= ABOUT_UNITS
    assert utf16_length(second.text) <= FACT_UNITS


def test_of_too_many_facts_the_first_stand() -> None:
    facts = [one_fact(fact=f"Mira owns lamp {n}.") for n in range(1, 20)]
    facts[FACTS:] = [{"nonsense": "is not looked at"}]
    kept = check_reflection(answer(facts=facts)).facts
    assert [entry.key for entry in kept] == list(range(1, FACTS + 1))
    assert kept[-1].text == f"Mira owns lamp {FACTS}."


def test_labels_of_facts_become_their_ids_and_made_up_ones_nothing() -> None:
    ends = ["F2", " f1 ", "F2", "F4", "F0", "F", "2", "t5/1", 1, None, ["F3"], {"F3": 1}]
    reflection = check_reflection(answer(facts=[one_fact(ends=ends)]), ["t5/1", "t7/3", "t8/1"])
    assert reflection.facts[0].ends == ("t7/3", "t5/1")
    assert check_reflection(answer(facts=[one_fact(ends=["F1"])])).facts[0].ends == ()
    assert [label(place) for place in (0, 1, 19)] == ["F1", "F2", "F20"]


@pytest.mark.parametrize("ends", [None, "F1", {"F1": True}, 1])
def test_labels_that_are_no_list_end_nothing(ends: object) -> None:
    """What they were meant to end isn't worth another request."""
    assert check_reflection(answer(facts=[one_fact(ends=ends)]), ["t5/1"]).facts[0].ends == ()
    bare = {"about": "Mira", "fact": "Mira owns the lamp."}
    assert check_reflection(answer(facts=[bare]), ["t5/1"]).facts[0].ends == ()


@pytest.mark.parametrize("facts", [None, "none", {}, {"about": "Mira", "fact": "She is."}, 3])
def test_facts_that_are_no_list_are_refused(facts: object) -> None:
    with pytest.raises(UnusableAnswerError, match='"facts" is missing: it must be an array'):
        check_reflection(answer(facts=facts))
    with pytest.raises(UnusableAnswerError, match="facts"):
        check_reflection({name: part for name, part in answer().items() if name != "facts"})


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ("Mira owns the lamp.", '"facts\\[2\\]" must be an object with "about", "fact" and "ends"'),
        (None, '"facts\\[2\\]" must be an object'),
        ({"fact": "x"}, '"facts\\[2\\].about" is missing or empty'),
        (one_fact(about=" "), '"facts\\[2\\].about" is missing or empty'),
        (one_fact(fact="\u200b"), '"facts\\[2\\].fact" is missing or empty'),
        (one_fact(fact=["x"]), '"facts\\[2\\].fact" is missing or empty'),
    ],
)
def test_a_fact_without_its_parts_is_refused_by_its_place(broken: object, fault: str) -> None:
    with pytest.raises(UnusableAnswerError, match=fault):
        check_reflection(answer(facts=[one_fact(), broken]))


def test_a_chapter_is_taken_exactly_when_one_is_asked_for() -> None:
    told = answer(chapter=" They crossed the sea. ")
    assert check_reflection(told, chapter=True).chapter == "They crossed the sea."
    assert check_reflection(told).chapter == ""
    long = check_reflection(answer(chapter="They crossed the sea. " * 400), chapter=True)
    assert utf16_length(long.chapter) <= CHAPTER_UNITS


@pytest.mark.parametrize("value", ["", "  ", None, 7, ["x"]])
def test_a_missing_chapter_is_refused_where_one_is_asked_for(value: object) -> None:
    with pytest.raises(UnusableAnswerError, match='"chapter" is missing or empty'):
        check_reflection(answer(chapter=value), chapter=True)
    with pytest.raises(UnusableAnswerError, match='"chapter" is missing or empty'):
        check_reflection(answer(), chapter=True)


def test_plans_alone_are_taken_as_those_of_a_reflection() -> None:
    assert check_plans(answer()) == PLANS
    twice = {"title": PLANS[0].title, "text": "Other."}
    with pytest.raises(UnusableAnswerError, match="plan_2 and plan_1 are the same"):
        check_plans(answer(plan_2=twice))
    with pytest.raises(UnusableAnswerError) as refusal:
        check_plans({})
    assert len(refusal.value.faults) == 3


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
        check_reflection({}, chapter=True)
    assert len(refusal.value.faults) == 8


def test_tokens_are_estimated_by_bytes() -> None:
    assert [estimate_tokens(text) for text in ("", "abcd", "abcde", "海の時計")] == [0, 1, 2, 3]
    assert [estimate_tokens("海の時計", size) for size in (1.0, 2.5, 6.0)] == [12, 5, 2]


def test_white_space_between_sentences_costs_nothing_that_is_kept() -> None:
    text = "Rain came." + "\n" * 60 + "She left."
    assert assemble(writing(), text, [], TIGHT).previous == "Rain came. She left."
