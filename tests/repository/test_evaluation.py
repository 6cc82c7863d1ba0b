"""The stories that the memory is measured on: what their figures rest on."""

import re
from collections.abc import Iterator

import pytest

from core.domain.words import STOP_WORDS, search_words
from tests.eval.chinese_words import CHINESE
from tests.eval.families import CHANGING, Family, Kind, Wordings
from tests.eval.reported_words import REPORTED
from tests.eval.stories import Overlap, make_story
from tests.eval.tuned_words import TUNED

SETS = pytest.mark.parametrize("words", [TUNED, REPORTED, CHINESE], ids=lambda one: one.premise[:9])
_SLOT = re.compile(r"\{(\w+)\}")
_NAMES = {
    **dict.fromkeys(Kind, "A"),
    **dict.fromkeys((Kind.PROMISED, Kind.KIN, Kind.VOW, Kind.SECRET, Kind.ALIKE), "AB"),
    Kind.HID: "AP",
    **dict.fromkeys((Kind.CONDITION, Kind.HOLDER), ""),
}
"""The names that a fact of each kind has."""


def _told(family: Family) -> tuple[str, ...]:
    return (*family.paragraph, *family.summary, *family.ledger)


def _asked(family: Family) -> tuple[str, ...]:
    return (*family.named, *family.half, *family.nameless)


def _sentences(words: Wordings) -> Iterator[str]:
    for family in words.families:
        yield from (*_told(family), *_asked(family))
        yield from (phrase for thing in family.things for phrase in (thing.said, thing.meant))
    yield from (*words.deeds, *words.moods, *words.intents, *words.people, *words.places)


def test_what_is_tuned_on_and_what_is_reported_share_no_wording_no_thing_and_no_name() -> None:
    folded = [{one.casefold() for one in _sentences(words)} for words in (TUNED, REPORTED)]
    assert not folded[0] & folded[1]


@SETS
def test_every_kind_has_a_family_and_every_wording_its_slots(words: Wordings) -> None:
    assert [family.kind for family in words.families] == list(Kind)
    for family in words.families:
        state = {"state"} if family.kind in CHANGING else set[str]()
        for wording in _told(family):
            assert set(_SLOT.findall(wording)) == {"x", *_NAMES[family.kind], *state}, wording
        for wording in family.nameless:
            assert set(_SLOT.findall(wording)) == {"x"}, wording
        for wording in (*family.named, *family.half):
            slots = set(_SLOT.findall(wording))
            assert "x" in slots, wording
            assert "state" not in slots, wording
        for thing in (*family.things, *family.distractors):
            assert len(thing.states) == (3 if family.kind in CHANGING else 0), thing


@SETS
def test_a_plan_calls_a_thing_by_other_words_than_its_fact(words: Wordings) -> None:
    """No word of one phrase stands in the other, nor another form of it."""
    for family in words.families:
        for thing in family.things:
            assert _stems(thing.meant), thing
            assert not _stems(thing.said) & _stems(thing.meant), thing
            assert thing.said not in {other.said for other in family.distractors}


def _stems(phrase: str) -> set[str]:
    """Its words, as far as forms of one word agree; pairs of characters in Chinese."""
    return {word[:5] for word in search_words(phrase) if word not in STOP_WORDS | {"s"}}


@SETS
def test_a_needed_fact_is_told_in_its_turn_and_nowhere_before_it(words: Wordings) -> None:
    story = make_story(words, 100, 7, per_kind=3)
    assert {probe.kind for probe in story.probes} == set(Kind)
    assert {probe.overlap for probe in story.probes} == set(Overlap)
    for probe in story.probes:
        turn = story.turns[probe.planted - 1]
        told = (turn.paragraph, turn.summary, *(noted.text for noted in turn.noted))
        assert sum(any(one in text for one in probe.needed) for text in told) == 3
        assert probe.planted < probe.number, "it is needed later"
        assert not any(one in probe.plan.text for one in probe.needed), "the plan doesn't tell it"
        for other in story.turns[: probe.planted - 1]:
            assert not any(one in other.summary for one in probe.needed)


def test_the_same_seed_makes_the_same_story_and_another_one_another() -> None:
    assert make_story(TUNED, 80, 1, per_kind=2) == make_story(TUNED, 80, 1, per_kind=2)
    assert make_story(TUNED, 80, 1, per_kind=2) != make_story(TUNED, 80, 2, per_kind=2)


def test_states_that_change_are_superseded_in_order() -> None:
    story = make_story(REPORTED, 200, 3, per_kind=3)
    changing = [probe for probe in story.probes if probe.kind in CHANGING]
    assert changing
    for probe in changing:
        chain = [probe.planted]
        while (ends := story.turns[chain[-1] - 1].noted[0].ends) is not None:
            assert ends < chain[-1]
            chain.append(ends)
        assert len(chain) == 3
        assert probe.outdated
        assert not probe.outdated & probe.needed
