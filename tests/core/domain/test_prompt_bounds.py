"""Who reads along stands in the rules, and a second try is told what to leave out."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.domain.content import Bounds
from core.domain.prompts import (
    OUTLINE_FORM,
    RULES,
    RULES_FOR_ADULTS,
    Message,
    outline_messages,
    paragraph_messages,
    reflection_messages,
    replan_messages,
)
from core.domain.recurrence import StepContext
from core.domain.story import Brief, Plan

BRIEF = Brief("A keeper hears the sea speak.", title="The Lamp", outline="Mira keeps the lamp.")
STEP = StepContext(BRIEF, number=4, sentences=6, previous="It rained.", plan=Plan("Down", "Go."))
TOLD = "She went down."
GORE = Bounds(leave_out=("violence in gory detail", "self-harm"))
SAID = "because of violence in gory detail and self-harm. Answer otherwise"

Ask = Callable[[Bounds], list[Message]]
ASKS: dict[str, Ask] = {
    "outline": lambda bounds: outline_messages(BRIEF, bounds),
    "paragraph": lambda bounds: paragraph_messages(replace(STEP, bounds=bounds)),
    "reflection": lambda bounds: reflection_messages(replace(STEP, bounds=bounds), TOLD),
    "replan": lambda bounds: replan_messages(
        replace(STEP, bounds=bounds), TOLD, [Plan("a", "b")], ["They are alike."]
    ),
}
EVERY = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)


@EVERY
def test_the_rules_say_that_everybody_reads_along(ask: Ask) -> None:
    assert ask(Bounds())[0] == Message("system", RULES)
    assert "13 years and older" in RULES


@EVERY
def test_the_rules_say_that_adults_alone_read_along(ask: Ask) -> None:
    assert ask(Bounds(adults=True))[0] == Message("system", RULES_FOR_ADULTS)
    assert "Adults alone." in RULES_FOR_ADULTS
    assert "13" not in RULES_FOR_ADULTS


def test_both_rules_forbid_what_is_told_nowhere() -> None:
    """Nothing sexual with minors, no hatred, no instructions, whoever reads along."""
    assert "nothing sexual" in RULES
    assert "under 18" in RULES_FOR_ADULTS
    for rules in (RULES, RULES_FOR_ADULTS):
        assert "no hatred of a group" in rules
        assert "no instructions that would do harm" in rules


def test_the_two_rules_begin_alike_up_to_who_reads_along() -> None:
    """What endpoints cache of one is of use for the other."""
    border = RULES.index("WHO READS IT")
    assert RULES[:border] == RULES_FOR_ADULTS[:border]
    assert border > 0.8 * len(RULES)


@EVERY
def test_nothing_but_the_rules_differs_for_adults(ask: Ask) -> None:
    assert ask(Bounds(adults=True))[1:] == ask(Bounds())[1:]


@pytest.mark.parametrize("what", ["outline", "paragraph", "reflection"])
def test_a_second_try_is_told_what_to_leave_out_once_and_at_the_end(what: str) -> None:
    first, second = ASKS[what](Bounds()), ASKS[what](GORE)
    assert SAID not in str(first)
    assert str(second).count(SAID) == 1
    assert first[:-1] == second[:-1], "what was asked before stays as it was"
    head = first[-1].content.removesuffix(OUTLINE_FORM.words)
    if what == "outline":
        assert second[-1].content.startswith(head)
        assert second[-1].content.endswith(OUTLINE_FORM.words)
    if what == "paragraph":
        assert second[-1].content.startswith(head)


def test_a_paragraph_can_keep_away_from_a_passage_and_leave_something_out() -> None:
    [_, asked] = paragraph_messages(replace(STEP, bounds=GORE, avoid="It rained once."))
    assert "<passage>" in asked.content
    assert SAID in asked.content
