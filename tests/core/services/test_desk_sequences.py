"""Whatever members and moderators do, in any order: lineage, recall, memory and log agree."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import edits
from core.domain.audit import Moderator
from core.domain.entries import EntryKind, entry_id
from core.domain.identity import fingerprint
from core.domain.ledger import lines, memory_of
from core.domain.lineage import holds
from core.domain.recurrence import StepContext, label
from core.domain.story import Phase
from core.errors import RefusedError
from core.ports import BallotState, MessageKind
from tests.core.services.house import CHANNEL, House

SEQUENCES = int(os.environ.get("SEQUENCES", "300"))
"""`make chaos` asks for more."""
ADA = Moderator(5, "Ada")

Act = tuple[str, int]
ACTS = (
    *("tell", "tell", "memory", "pin", "unpin", "amend", "facts", "forget", "part", "plan"),
    *("settings", "reflect", "retry", "rewind", "rewind", "undo", "undo", "undo"),
)


async def act(house: House, name: str, number: int) -> None:
    """Do one thing; ``number`` says to which turn, fact or change, as far as there is one."""
    story = house.story()
    told = [turn.number for turn in house.lineage()]
    turn = house.lineage()[number % len(told)]
    assert turn.reflection is not None
    plan, held = story.plans.options[number % 3], memory_of(turn)
    desk, course = house.moderation, house.direction
    doing: dict[str, Callable[[], Awaitable[object]]] = {
        "tell": lambda: house.turn_over(number % 3),
        "memory": lambda: desk.edit_memory(
            CHANNEL, ADA, f"Memory {number}.", fingerprint(story.memory.text)
        ),
        "pin": lambda: desk.pin(CHANNEL, ADA, f"Fact {number}."),
        "unpin": lambda: desk.unpin(CHANNEL, ADA, f"Fact {number}."),
        "amend": lambda: desk.amend(
            *(CHANNEL, ADA, turn.number, f"Summary {number}.", fingerprint(str(held)))
        ),
        "facts": lambda: desk.amend(
            *(CHANNEL, ADA, turn.number, held.summary, fingerprint(str(held))),
            facts=edited(lines(held.facts), number),
        ),
        "forget": lambda: desk.forget(CHANNEL, ADA, turn.number),
        "part": lambda: course.edit_part(
            CHANNEL, ADA, 0, f"Text {number}.", fingerprint(house.lineage()[-1].paragraph)
        ),
        "plan": lambda: course.edit_plan(
            *(CHANNEL, ADA, number % 3, edits.plan(f"Title {number}", f"Plan {number}.")),
            fingerprint(f"{plan.title}\n{plan.text}"),
        ),
        "settings": lambda: desk.change_settings(
            CHANNEL, ADA, lambda rules: replace(rules, vote_s=60 + number)
        ),
        "reflect": lambda: course.reflect_again(CHANNEL, ADA),
        "retry": lambda: course.retry(CHANNEL, ADA),
        "rewind": lambda: course.rewind(CHANNEL, ADA, turn.number),
        "undo": lambda: house.history.undo(CHANNEL, ADA, number + 1),
    }
    await doing[name]()
    await house.until(Phase.VOTING)


async def check(house: House) -> None:
    """Everything that must hold whenever the story rests in its vote."""
    story, told = house.story(), house.lineage()
    assert [turn.number for turn in told] == list(range(1, len(told) + 1))
    assert story.head == told[-1].id
    assert story.head_number == told[-1].number
    turns = [turn for (owner, _), turn in house.world.turns.items() if owner == story.id]
    assert {turn.id for turn in turns if holds(story.lineage, turn)} == {turn.id for turn in told}
    assert story.memory.text == told[-1].remembered
    assert story.plans.options == told[-1].offered
    # Recall finds what the turns of the lineage left, as it is written there, and nothing else.
    found = await house.library.find(CHANNEL, "turn", limit=200)
    known = [(turn.id, memory_of(turn)) for turn in told if not turn.forgotten]
    ledger = {
        entry_id(EntryKind.FACT, id_, fact.key): fact
        for id_, memory in known
        for fact in memory.facts
        if not fact.dropped
    }
    assert {hit.recalled.id: hit.recalled.text for hit in found} == {
        **{id_: memory.summary for id_, memory in known},
        **{id_: fact.text for id_, fact in ledger.items()},
        **{
            entry_id(EntryKind.CHAPTER, id_): memory.chapter
            for id_, memory in known
            if memory.chapter
        },
    }
    # A fact holds until one that is part of the story as well ends it.
    ended = {id_ for fact in ledger.values() for id_ in fact.ends}
    assert {hit.recalled.id for hit in found if hit.until} == ended & ledger.keys()
    # What the channel shows of the story is what the records say, each ballot in its state.
    shown = {message.id: message for message in house.stage.shown(CHANNEL, MessageKind.PROSE)}
    for turn in turns:
        if turn.pieces and turn.pieces[0] in shown:
            content = shown[turn.pieces[0]].content
            assert getattr(content, "dropped", None) is (not holds(story.lineage, turn))
    open_ballots = [b for b in house.stage.ballots(CHANNEL) if b.state is BallotState.OPEN]
    assert len(open_ballots) == 1
    assert open_ballots[0].plans == story.plans.options
    assert house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].id == told[-1].ballot
    # The log grows by whole numbers, and whatever was taken back is there.
    log = house.world.changes.get(story.id, [])
    assert all(change.undoes is None or change.undoes <= len(log) for change in log)


def edited(facts: str, number: int) -> str:
    """A line more, and for odd numbers one less."""
    return "\n".join([*facts.split("\n")[number % 2 :], f"Bo: Bo sees {number}."])


def facts_of(context: StepContext) -> list[dict[str, object]]:
    """One or two facts, of which the first ends the last one that the model saw."""
    known, number = context.known_facts, context.number
    ends = [label(len(known) - 1)] if known else []
    facts: list[dict[str, object]] = [
        {"about": "Mira", "fact": f"Mira is at stone {number}.", "ends": ends},
        {"about": "Bo", "fact": f"Bo barked {number}."},
    ]
    return facts[: 1 + len(known) % 2]


async def played(acts: list[Act]) -> None:
    async with House() as house:
        house.narrator.delay_s = 0.0
        house.narrator.facts = facts_of
        await house.begin(sentences=2)
        for name, number in acts:
            before = len(house.world.changes.get(house.story().id, []))
            try:
                await act(house, name, number)
            except RefusedError:
                after = len(house.world.changes.get(house.story().id, []))
                assert after == before, "what is refused leaves nothing in the log"
            else:
                after = len(house.world.changes.get(house.story().id, []))
                assert after == before + (name != "tell"), "one entry for one change"
            await check(house)
        await house.turn_over()
        assert house.narrator.contexts[-1].canon == house.story().canon.entries


@settings(max_examples=SEQUENCES, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 7)), min_size=3, max_size=12))
def test_any_sequence_of_changes_leaves_everything_in_agreement(acts: list[Act]) -> None:
    """Edits, pins, forgets, new writings, rewinds and undos in any order."""
    asyncio.run(played(acts))
