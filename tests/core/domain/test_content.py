"""What may be told where: the table of categories, and verdicts in words."""

import pytest

from core.domain.content import (
    RULES,
    UNKNOWN,
    Bounds,
    Verdict,
    as_read,
    judged,
    listed,
    rule_of,
)

MURDER = ("violence", "harassment", "harassment/threatening")
"""What a gothic story is flagged with: a killing, a threat, an insult."""
NOWHERE = (
    "sexual/minors",
    "hate",
    "hate/threatening",
    "self-harm/instructions",
    "illicit",
    "illicit/violent",
)
ADULTS_ONLY = ("sexual", "self-harm", "self-harm/intent", "violence/graphic")


@pytest.mark.parametrize("adults", [False, True])
def test_a_murder_may_be_told_everywhere(adults: bool) -> None:
    assert judged(MURDER, adults=adults).fine


@pytest.mark.parametrize("category", ADULTS_ONLY)
def test_what_is_for_adults_may_be_told_among_them_alone(category: str) -> None:
    assert judged([category], adults=True).fine
    refused = judged([category], adults=False)
    assert refused == Verdict((category,))
    assert refused.fit_for_adults


@pytest.mark.parametrize("category", NOWHERE)
@pytest.mark.parametrize("adults", [False, True])
def test_what_does_harm_outside_the_story_may_be_told_nowhere(category: str, adults: bool) -> None:
    refused = judged([category], adults=adults)
    assert not refused.fine
    assert not refused.fit_for_adults


def test_nothing_with_minors_passes_beside_what_would() -> None:
    """Among adults the one category is enough, and the refusal is about it alone."""
    refused = judged(["sexual", "sexual/minors", "violence"], adults=True)
    assert refused.kinds == ("sexual content with minors",)


def test_every_category_of_the_table_has_been_decided_on() -> None:
    """Each name stands in one of the three lists here, which say it a second time."""
    assert set(RULES) == {*MURDER, *NOWHERE, *ADULTS_ONLY}
    assert len({rule.kind for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_rule_is_milder_to_everybody_than_to_adults(rule: object) -> None:
    assert not (rule.adults and not rule.everyone)  # type: ignore[attr-defined]


@pytest.mark.parametrize("adults", [False, True])
def test_a_category_that_nobody_has_judged_is_refused(adults: bool) -> None:
    refused = judged(["witchcraft"], adults=adults)
    assert refused.kinds == (UNKNOWN.kind,)
    assert refused.refused == ("witchcraft",), "the log names it"


@pytest.mark.parametrize(
    "name", ["self_harm_instructions", "Self-Harm/Instructions", "SELFHARMINSTRUCTIONS"]
)
def test_endpoints_may_write_a_name_in_their_own_way(name: str) -> None:
    assert rule_of(name) is RULES["self-harm/instructions"]


def test_a_verdict_names_each_kind_once_and_in_one_order() -> None:
    """Whatever the order in which they were flagged; two names of one kind are one kind."""
    one = judged(["violence/graphic", "hate", "self_harm", "self-harm"], adults=False)
    other = judged({"self-harm", "self_harm", "hate", "violence/graphic"}, adults=False)
    assert one == other
    assert one.kinds == ("hatred of a group of people", "self-harm", "violence in gory detail")


def test_nothing_flagged_is_fine() -> None:
    assert judged([], adults=False) == Verdict()
    assert Verdict().fine


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("It rained.", "It rained."),
        ("It\u200b ra\u00adin\u2060ed\ufe0f.", "It rained."),
        (
            "\uff29\uff54 r\U0001d41a\U0001d422\U0001d427\U0001d41e\U0001d41d.",
            "It rained.",
        ),
        ("Es regnete auf die Stra\u00dfe, \u96e8\u304c\u964d\u3063\u305f\u3002", None),
        ("Caf\u0065\u0301", "Caf\u00e9"),
        ("", ""),
    ],
)
def test_a_filter_is_shown_the_letters_that_people_read(text: str, read: str | None) -> None:
    """Whatever they are dressed in; plain text of any script stays as it is."""
    assert as_read(text) == (text if read is None else read)


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
    ],
)
def test_kinds_are_listed_in_words(kinds: list[str], words: str) -> None:
    assert listed(kinds) == words


def test_bounds_are_those_of_everybody_unless_said_otherwise() -> None:
    """Where nothing is known about a channel, nobody is taken for an adult."""
    assert Bounds() == Bounds(adults=False, leave_out=())
