"""Records of before there were facts, chapters and exact ways back: they are read as what they say.

Written out here as that version stored them. A change that can't read them loses stories' logs.
"""

from dataclasses import replace

from core.adapters.redis_codec import Codec
from core.adapters.redis_schema import FORMAT, encode_change, read_change, read_turn
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.entries import EntryKind, Fact, Recalled
from core.domain.ledger import TurnMemory, memory_of
from core.domain.story import Reflection

STORED_TURN = (
    b'{"id":"t3","number":3,"parent":"t2","branch":"main","plan":null,"paragraph":"It rained.",'
    b'"recalled":[{"turn_id":"t1","number":1,"text":"It began.","score":0.5}],'
    b'"usage":{"prompt_tokens":100,"cached_tokens":0,"completion_tokens":20,"calls":1,'
    b'"first_text_s":null,"total_s":1.5},"written_at":1.5,'
    b'"reflection":{"rationale":"Why.","memory":"It rains.","summary":"It rained.","plans":'
    b'[{"title":"Down","text":"They climb.","edited":false}]},"pieces":[600],"ballot":601,'
    b'"staged_at":2.5,"plans":[],"tally":null,"rules":null,"memory":null,"parts":[],'
    b'"forgotten":false,"decided":null}'
)
STORED_CHANGE = (
    b'{"format":"1","change":{"kind":"summary amended","at":1.5,"by":{"id":5,"name":"Ada"},'
    b'"before":"It rained.","after":"It snowed.","number":3,"turn_id":"t3","place":0,"road":null,'
    b'"undoes":null}}'
)


def test_a_turn_of_before_there_were_facts_has_none() -> None:
    turn = read_turn("key", {"format": FORMAT.encode(), "turn": STORED_TURN})
    assert memory_of(turn) == TurnMemory("It rained.")
    assert turn.recalled == (Recalled("t1", 1, "It began.", 0.5, EntryKind.SUMMARY),)
    assert turn.usage.prompt_bytes == 0


def test_a_change_of_before_there_were_exact_ways_back_has_none() -> None:
    change = read_change("key", STORED_CHANGE)
    assert (change.kind, change.before, change.after) == (
        *(ChangeKind.SUMMARY, "It rained."),
        "It snowed.",
    )
    assert change.was is None


def test_an_amendment_is_read_as_it_was_written() -> None:
    facts = (Fact(1, "Mira", "She waits.", ("t1/2",)), Fact(2, "Bo", "He barks.", dropped=True))
    was = TurnMemory("It rained. \ud800", facts, "Ten days.")
    change = Change(ChangeKind.SUMMARY, 1.5, Moderator(5, "Ada"), "a", "b", 3, "t3", was=was)
    assert read_change("key", encode_change(change)) == change


def test_a_reflection_keeps_the_facts_that_were_struck_out() -> None:
    facts = (Fact(1, "Mira", "She waits.", ("t1/2",), dropped=True), Fact(2, "Bo", "He barks."))
    stored = Codec({}).encode(replace(_REFLECTION, facts=facts, chapter="Ten days."))
    assert Codec({}).decode(Reflection, stored).facts == facts


_REFLECTION = Reflection("Why.", "It rains.", "It rained.", ())
