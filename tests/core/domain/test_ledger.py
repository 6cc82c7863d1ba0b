"""What is remembered of a turn as whoever amends it writes it: which line is which fact."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import ledger
from core.domain.entries import Fact
from core.domain.ledger import TurnMemory, amended, kept_facts, line, lines, told_no_more
from core.domain.recurrence import FACTS
from core.domain.story import Reflection
from core.errors import InputError
from tests.fakes.stories import a_turn

KEY = Fact(1, "Mira", "Mira has the brass key.", ("t0/2",))
HAND = Fact(2, "Mira", "She is left-handed.")
GATE = Fact(3, "the gate", "It has been locked since the storm.", ("t0/1",))
OLD = Fact(4, "Corvin", "Corvin waits on the quay.", dropped=True)
EVERY = (KEY, HAND, GATE, OLD)


def written(*said: str) -> str:
    """Lines as a form sends them."""
    return "\n".join(said)


def test_what_was_shown_comes_back_as_the_same_facts() -> None:
    """Outer white space and empty lines are nothing; the dropped fact stays dropped."""
    text = lines(EVERY)
    assert text == written(line(KEY), line(HAND), line(GATE))
    assert amended(EVERY, text) == EVERY
    assert amended(EVERY, f"\r\n  {line(KEY)} \n\n{line(HAND)}\n\t{line(GATE)}\n") == EVERY


def test_an_order_of_lines_changes_nothing() -> None:
    assert amended(EVERY, written(line(GATE), line(KEY), line(HAND))) == EVERY


def test_a_changed_line_keeps_the_key_and_the_ends_of_the_one_it_replaces() -> None:
    text = written("Mira: Corvin has the brass key.", line(HAND), line(GATE))
    assert amended(EVERY, text) == (replace(KEY, text="Corvin has the brass key."), *EVERY[1:])


def test_a_changed_line_is_known_by_its_words_wherever_it_moved() -> None:
    """Nothing stands any more where it stood."""
    text = written(line(GATE), "Mira: Mira has the silver key.")
    after = amended(EVERY, text)
    assert after == (
        replace(KEY, text="Mira has the silver key."),
        replace(HAND, dropped=True),
        GATE,
        OLD,
    )


def test_a_line_that_says_something_else_is_a_new_fact_which_nothing_has_ended() -> None:
    """Wherever it stands: what ended the fact that stood there was said of that one."""
    text = written(line(KEY), "Brackwater: The town has no doctor.", line(GATE))
    after = amended(EVERY, text)
    new = Fact(5, "Brackwater", "The town has no doctor.")
    assert after == (KEY, replace(HAND, dropped=True), GATE, OLD, new)


def test_a_new_fact_ends_what_facts_about_the_same_had_ended_that_went() -> None:
    """What was over stays over, however differently it is told; of a fact that stands it is not."""
    after = amended(EVERY, written(line(KEY), line(HAND), "The gate: Nobody can pass."))
    assert after[-1] == Fact(5, "The gate", "Nobody can pass.", GATE.ends)
    assert amended(EVERY, written(*map(line, (KEY, HAND, GATE)), "the gate: Red."))[-1].ends == ()


def test_a_new_line_gets_the_next_key() -> None:
    """Dropped facts keep theirs, so that nobody gets what was said of another one."""
    text = written(line(KEY), line(HAND), line(GATE), "The sea: It is salt.", "Bo: Bo is a dog.")
    assert amended(EVERY, text) == (
        *EVERY,
        Fact(5, "The sea", "It is salt."),
        Fact(6, "Bo", "Bo is a dog."),
    )
    assert amended((), "The sea: It is salt.") == (Fact(1, "The sea", "It is salt."),)


def test_a_line_that_is_gone_is_dropped_and_the_same_line_revives_it() -> None:
    without = amended(EVERY, written(line(KEY), line(GATE)))
    assert without == (KEY, replace(HAND, dropped=True), GATE, OLD)
    assert lines(without) == written(line(KEY), line(GATE))
    assert amended(without, lines(EVERY)) == EVERY
    assert amended(EVERY, "") == tuple(replace(fact, dropped=True) for fact in EVERY)


def test_a_revived_line_takes_no_others_place() -> None:
    """What stood there before it is gone; the new line behind it is new."""
    text = written(line(KEY), line(HAND), line(OLD), "The sea: It is salt.")
    assert amended(EVERY, text) == (
        KEY,
        HAND,
        replace(GATE, dropped=True),
        replace(OLD, dropped=False),
        Fact(5, "The sea", "It is salt."),
    )
    assert amended((KEY, OLD), line(OLD)) == (
        replace(KEY, dropped=True),
        replace(OLD, dropped=False),
    )


def test_a_name_with_a_colon_stays_whole() -> None:
    fact = Fact(1, "Ship: Ormsay", "She leaks badly.")
    said = replace(fact, text="She leaks a little.")
    assert amended((fact,), line(said)) == (said,)
    assert amended((fact,), "Ship: She leaks a little.") == (replace(said, about="Ship"),)


def test_a_colon_of_another_script_parts_too() -> None:
    assert amended((), "米拉：她有钥匙。") == (Fact(1, "米拉", "她有钥匙。"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Mira has the key.", r"Line 1 \(“Mira has the key.”\) isn't a fact"),
        ("Mira: a\n: b", r"Line 2 \(“: b”\) isn't a fact"),
        ("Mira:", r"Line 1 \(“Mira:”\) isn't a fact"),
        ("a" * 61 + ": b", "what it is about has 61 characters; it may have at most 60"),
        ("Mira: " + "b" * 301, "it has 301 characters; it may have at most 300"),
        ("\n".join(f"Mira: {n}" for n in range(9)), "There are 9 facts; a turn may have at most 8"),
    ],
)
def test_what_is_no_fact_is_refused_with_its_line_and_numbers(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        amended(EVERY, text)


NAMES = st.sampled_from(["Mira", "Corvin", "the gate", "Ship: Ormsay"])
TEXTS = st.sampled_from(["She waits.", "She waits no more.", "It is locked.", "It is open."])
SAID = st.lists(st.builds("{}: {}".format, NAMES, TEXTS), max_size=FACTS)


@given(st.lists(SAID, max_size=4))
def test_any_edits_leave_each_line_a_fact_and_each_fact_a_key(edits: list[list[str]]) -> None:
    """What is shown afterwards is what was written; keys are unique and never forgotten."""
    facts = EVERY
    for said in edits:
        after = amended(facts, "\n".join(said))
        assert sorted(lines(after).split("\n")) == sorted(said or [""])
        keys = [fact.key for fact in after]
        assert keys == sorted(set(keys))
        assert {fact.key for fact in facts} <= set(keys)
        ends = {fact.key: fact.ends for fact in facts}
        known = {id_ for fact in facts for id_ in fact.ends}
        assert all(fact.ends == ends.get(fact.key, fact.ends) for fact in after)
        assert all(set(fact.ends) <= known for fact in after)
        assert amended(after, lines(after)) == after
        facts = after


def test_what_is_remembered_of_a_turn_reads_as_one_text() -> None:
    reflection = Reflection("Why.", "Memory.", "It rained.", (), EVERY, "Ten days of rain.")
    turn = a_turn(reflection=reflection)
    held = ledger.memory_of(turn)
    assert str(held) == (
        "It rained.\n\nFacts:\n"
        "Mira: Mira has the brass key.\nMira: She is left-handed.\n"
        "the gate: It has been locked since the storm.\n\n"
        "Chapter:\nTen days of rain."
    )
    assert str(TurnMemory("It rained.", (OLD,))) == "It rained.", "as before there were facts"
    assert ledger.with_memory(replace(reflection, facts=(), chapter=""), held) == reflection
    assert ledger.memory_of(a_turn(reflection=None)) == TurnMemory("")


def test_what_is_taken_back_gives_no_key_a_second_time() -> None:
    """A fact of a later turn may have ended the one that had it."""
    was = TurnMemory("It rained.", EVERY)
    new = Fact(5, "the sea", "The sea is salt.")
    now = TurnMemory("It poured.", amended(EVERY, written(line(HAND), line(GATE), line(new))))
    back = ledger.restored(was, now)
    assert str(back) == str(was)
    assert back.facts == (*EVERY, replace(new, dropped=True))
    another = amended(back.facts, written(lines(EVERY), "Ola: Ola is at sea."))
    assert another[-1].key == 6
    assert ledger.restored(was, was) == was


def test_another_reflection_on_a_turn_gives_its_facts_keys_of_their_own() -> None:
    first = (Fact(1, "Mira", "She sails."), Fact(2, "Mira", "She is tired."))
    again = ledger.reflected_again(first, (Fact(1, "Mira", "She has sailed."),))
    assert again == (
        *(replace(fact, dropped=True) for fact in first),
        Fact(3, "Mira", "She has sailed."),
    )
    assert ledger.reflected_again((), first) == first


def test_what_is_told_no_more_is_found_sentence_by_sentence() -> None:
    was = TurnMemory("It rained. Mira slept.", EVERY, "Ten days. The sea rose.")
    now = TurnMemory(
        "It rained. Mira woke.",
        (KEY, replace(HAND, dropped=True), replace(GATE, text="It is open."), OLD),
        "The sea rose. Ten days of it.",
    )
    assert told_no_more(was, now) == ["Mira slept.", line(HAND), line(GATE), "Ten days."]
    assert told_no_more(was, was) == []
    assert kept_facts(was, now) == {1}
