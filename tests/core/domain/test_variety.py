"""Which plans are one plan, and which paragraphs were told before."""

import pytest

from core.domain.story import Plan, Vector
from core.domain.variety import (
    ECHO_SHARE,
    NEAR_IN_LETTERS,
    NEAR_IN_MEANING,
    Offer,
    echo,
    echoed,
    nearness,
)
from tests.contracts.store_samples import at_angle
from tests.fakes.plans import BARGAIN, BOOK, DOWN, DOWN_AGAIN, FERRY, FLOOD, FOX

LAMP = (
    "The lamp had not turned since the ferry left. Mira counted the dark, and came to nine. Below "
    "her the stair rang once, as it rang when somebody heavy set a foot on its lowest step."
)


def vectors(*degrees: float) -> list[Vector]:
    return [at_angle(angle) for angle in degrees]


# ── plans ────────────────────────────────────────────────────────────────────────────────────────


def test_plans_are_near_by_their_letters_in_any_language() -> None:
    assert nearness(DOWN, DOWN, None) == pytest.approx(1 / NEAR_IN_LETTERS)
    assert nearness(DOWN, DOWN_AGAIN, None) >= 1
    assert nearness(DOWN, BOOK, None) < 0.5
    down = Plan("走下铁梯", "米拉循着潮线下的嗡鸣声走下去。")
    assert nearness(down, Plan("走下铁梯子", "米拉循着潮线下的嗡鸣声走去。"), None) >= 1


def test_plans_are_near_by_their_meaning_where_the_embedder_reads_them() -> None:
    one, same, other = vectors(0, 30, 50)
    assert nearness(DOWN, BOOK, (one, same)) == pytest.approx(0.8660254 / NEAR_IN_MEANING)
    assert nearness(DOWN, BOOK, (one, other)) < 1
    assert nearness(DOWN, DOWN_AGAIN, (one, other)) >= 1, "their letters count all the same"


def test_plans_that_differ_have_no_fault() -> None:
    assert Offer((DOWN, BOOK, FERRY), (FOX, FLOOD, BARGAIN), []).faults() == []
    assert Offer((DOWN, BOOK, FERRY), (), []).faults() == []


def test_a_fault_names_the_plans_that_lead_to_the_same_place() -> None:
    assert Offer((DOWN, BOOK, DOWN_AGAIN), (), []).faults() == [
        "plan_1 and plan_3 lead to the same place."
    ]
    alike = vectors(0, 90, 5)
    assert Offer((DOWN, BOOK, FERRY), (), alike).faults() == [
        "plan_1 and plan_3 lead to the same place."
    ]


def test_a_fault_names_the_earlier_plan_that_a_plan_is_nearest_to() -> None:
    offer = Offer((FERRY, DOWN, BOOK), (FOX, DOWN_AGAIN), [])
    assert offer.faults() == [
        "plan_2 leads where an earlier vote could: “Down the iron stairs”.",
    ]
    by_meaning = Offer((FERRY, DOWN, BOOK), (FOX, FLOOD), vectors(0, 60, 170, 115, 168))
    assert by_meaning.faults() == ["plan_3 leads where an earlier vote could: “Open the sluice”."]


def test_earlier_plans_are_not_held_against_each_other() -> None:
    assert Offer((FERRY, BOOK, FLOOD), (DOWN, DOWN_AGAIN), []).faults() == []


def test_of_plans_that_came_once_all_stand() -> None:
    assert Offer((DOWN, DOWN_AGAIN, BOOK), (), []).most_distinct() == (DOWN, DOWN_AGAIN, BOOK)


def test_the_most_distinct_plans_keep_one_for_each_role() -> None:
    """The first of a role stands unless another one is farther from all the rest."""
    first, second = (DOWN, DOWN_AGAIN, FERRY), (FOX, FLOOD, BARGAIN)
    chosen = Offer((*first, *second), (), []).most_distinct()
    assert all(plan in (first[role], second[role]) for role, plan in enumerate(chosen))
    assert Offer(chosen, (), []).faults() == []
    assert not {DOWN, DOWN_AGAIN} <= set(chosen)


def test_the_most_distinct_plans_keep_away_from_earlier_ones() -> None:
    first, second = (DOWN, BOOK, FERRY), (FOX, FLOOD, BARGAIN)
    chosen = Offer((*first, *second), (DOWN_AGAIN,), []).most_distinct()
    assert chosen[0] == FOX


def test_where_nothing_differs_the_first_plans_stand() -> None:
    same = tuple(Plan(DOWN.title, DOWN.text, edited=bool(place // 3)) for place in range(6))
    assert Offer(same, (), []).most_distinct() == same[:3]


# ── paragraphs ───────────────────────────────────────────────────────────────────────────────────


def test_a_paragraph_that_goes_on_is_no_echo() -> None:
    share, passage = echo("Mira went down with the lantern unlit. Nine steps, then water.", LAMP)
    assert (share, passage) == (0.0, "")


def test_an_echo_is_told_by_its_share_and_its_passage() -> None:
    paragraph = (
        "She slept badly. Again, below her the stair rang once, as it rang when somebody came. "
        "Then the rain began, and the gulls went quiet one after another until only one was left."
    )
    share, passage = echo(paragraph, LAMP)
    assert 0 < share < 1
    assert passage == (
        "Below her the stair rang once, as it rang when somebody heavy set a foot on its lowest "
        "step."
    )


def test_of_earlier_paragraphs_the_one_that_is_told_again_is_named() -> None:
    """And none where less is shared than makes an echo."""
    other = "Nobody on the island remembers who first lit the fire on the northern rock."
    assert echoed(LAMP, [other, LAMP]) == LAMP
    assert echoed(LAMP, [other]) == ""
    assert echoed(LAMP, []) == ""
    strange = " ".join(f"Word{n} word{n}a word{n}b." for n in range(40))
    barely = f"The lamp had not turned since the ferry left. {strange}"
    assert 0 < echo(barely, LAMP)[0] < ECHO_SHARE
    assert echoed(barely, [LAMP]) == ""


def test_the_same_paragraph_is_an_echo_as_a_whole() -> None:
    share, passage = echo(LAMP.upper(), LAMP)
    assert share == 1.0 > ECHO_SHARE
    assert passage == LAMP


def test_an_echo_of_short_sentences_shows_all_of_them() -> None:
    """None of them has five words, and all of them together are told again."""
    told = "He ran. She hid. It rained. Nobody came."
    assert echo(told, told) == (1.0, told)


@pytest.mark.parametrize("paragraph", ["", "…", "He ran.", "He ran and she hid, together."])
def test_a_paragraph_that_is_too_short_to_be_told_again_is_none(paragraph: str) -> None:
    assert echo(paragraph, LAMP) == (0.0, "")
    assert echo(LAMP, paragraph) == (0.0, "")


def test_an_echo_is_found_where_words_are_written_without_spaces() -> None:
    book = "守灯人在铁梯下发现了一本账册"
    share, passage = echo(f"夜深了。{book}，然后点上了灯。", f"{book}。海在门后低声哼唱。")
    assert share >= ECHO_SHARE
    assert passage == f"{book}。"
