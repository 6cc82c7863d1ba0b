"""What a turn leaves in the long-term memory, made from its record alone."""

from dataclasses import replace

from core.domain.entries import EntryKind, Fact
from core.services.remembering import remember, remembered_ids
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.stories import a_reflection, a_turn

REFLECTION = replace(
    a_reflection(20),
    facts=(
        Fact(1, "Mira", "She limps."),
        Fact(2, "lamp", "The lamp is cold.", ends=("t4/1", "t7/3")),
        Fact(5, "Corvin", "He is blind.", dropped=True),
    ),
    chapter="They crossed the sea.",
)
TURN = a_turn(id="t20", number=20, branch="b", written_at=70.0, reflection=REFLECTION)


async def test_a_turn_leaves_its_summary_its_facts_and_the_chapter_that_it_ends() -> None:
    """All with the turn's place and time, so that a lineage finds them or not."""
    entries = await remember(TURN, FakeEmbedder())
    assert [(entry.kind, entry.key, entry.text) for entry in entries] == [
        (EntryKind.SUMMARY, 0, "Turn 20 happened."),
        (EntryKind.FACT, 1, "She limps."),
        (EntryKind.FACT, 2, "The lamp is cold."),
        (EntryKind.CHAPTER, 0, "They crossed the sea."),
    ]
    assert {(one.turn_id, one.number, one.branch, one.written_at) for one in entries} == {
        ("t20", 20, "b", 70.0)
    }
    assert [entry.about for entry in entries] == ["", "Mira", "lamp", ""]
    assert [entry.ends for entry in entries] == [(), (), ("t4/1", "t7/3"), ()]
    assert [entry.first for entry in entries] == [0, 0, 0, 11]


async def test_a_vector_is_of_what_an_entry_says_and_of_whom() -> None:
    """Asked for together; a fact that doesn't name what it is about is found by that too."""
    embedder = FakeEmbedder()
    entries = await remember(TURN, embedder)
    said = ("Turn 20 happened.", "Mira: She limps.", "The lamp is cold.", "They crossed the sea.")
    assert embedder.asked == [said]
    assert [entry.vector for entry in entries] == await embedder.embed(said)


async def test_a_turn_without_a_reflection_or_forgotten_leaves_nothing() -> None:
    embedder = FakeEmbedder()
    for turn in (replace(TURN, reflection=None), replace(TURN, forgotten=True)):
        assert await remember(turn, embedder) == ()
        assert remembered_ids(turn) == frozenset()


async def test_the_ids_are_those_of_the_entries() -> None:
    entries = await remember(TURN, FakeEmbedder())
    assert remembered_ids(TURN) == {entry.id for entry in entries}
    assert remembered_ids(TURN) == {"t20", "t20/1", "t20/2", "t20/chapter"}
