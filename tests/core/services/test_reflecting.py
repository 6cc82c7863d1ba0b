"""What a reflection leaves: plans worth voting on, facts, and a chapter for every tenth turn."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.domain.audit import Moderator
from core.domain.entries import EntryKind
from core.domain.moves import TURN_CALLS
from core.domain.recurrence import CHAPTER_TURNS, FACTS
from core.domain.story import Phase, Plan
from core.errors import (
    BudgetSpentError,
    EmbedderError,
    EmbedderUnavailableError,
    NarratorUnavailableError,
    TalewheelError,
)
from core.ports import MemoryEntry
from tests.core.services.house import CHANNEL, House
from tests.fakes.narrator import WRITE_USAGE, way_of
from tests.fakes.plans import BARGAIN, BOOK, DOWN, DOWN_AGAIN, FLOOD, FOX

ADA = Moderator(5, "Ada")
MIRA_FOLLOWS = Plan("Stair iron the down", "Line tide the below humming the follows Mira.")
"""DOWN's words in another order: the fake embedder takes them for the same."""


def offers(house: House) -> list[str]:
    """Titles of the plans on the newest ballot."""
    return [plan.title for plan in house.stage.ballots(CHANNEL)[-1].plans]


def entries(house: House, kind: EntryKind) -> list[MemoryEntry]:
    """What the long-term memory holds of a kind, in the order of the turns."""
    found = [entry for entry in house.world.entries.values() if entry.kind is kind]
    return sorted(found, key=lambda entry: (entry.number, entry.key))


async def told_until(house: House, number: int) -> None:
    """Begin the story and tell it up to a turn."""
    await house.begin()
    for _ in range(number - 1):
        await house.turn_over()


# ── plans worth voting on ────────────────────────────────────────────────────────────────────────


async def test_plans_that_differ_are_asked_for_once() -> None:
    async with House() as house:
        await told_until(house, 3)
        assert house.narrator.replanned == []


async def test_plans_that_are_alike_are_asked_for_once_more_and_the_most_distinct_stand() -> None:
    """Each role keeps a plan of its own; what it cost belongs to the turn."""
    async with House() as house:
        house.narrator.plans = lambda _number: (DOWN, BOOK, DOWN_AGAIN)
        house.narrator.others = lambda _number: (FOX, FLOOD, BARGAIN)
        await house.begin()
        assert house.narrator.replanned == [("plan_1 and plan_3 lead to the same place.",)]
        assert house.narrator.refused == [(DOWN, BOOK, DOWN_AGAIN)]
        chosen = house.story().plans.options
        assert not {DOWN, DOWN_AGAIN} <= set(chosen)
        pairs = ((DOWN, FOX), (BOOK, FLOOD), (DOWN_AGAIN, BARGAIN))
        for plan, both in zip(chosen, pairs, strict=True):
            assert plan in both
        assert offers(house) == [plan.title for plan in chosen]
        [turn] = house.lineage()
        assert turn.reflection is not None
        assert turn.reflection.plans == chosen
        assert turn.usage.calls == 4
        house.check_told_once()


async def test_other_plans_that_are_alike_again_are_not_asked_for_a_third_time() -> None:
    async with House() as house:
        house.narrator.plans = lambda _number: (DOWN, DOWN_AGAIN, BOOK)
        house.narrator.others = lambda _number: (DOWN, DOWN_AGAIN, FOX)
        await house.begin()
        assert len(house.narrator.replanned) == 1
        assert len(house.story().plans.options) == 3


async def test_plans_of_the_last_two_ballots_are_not_offered_again() -> None:
    """Of the ballot before them they may be: a story comes back to where it was."""
    async with House() as house:
        await house.begin()
        offered = house.story().plans.options
        fresh = {
            number: [Plan(f"Road {number}{way}", way_of(number, way)) for way in "pqr"]
            for number in range(2, 9)
        }
        house.narrator.plans = lambda number: (offered[2], *fresh[number][1:])
        for _ in range(3):
            await house.turn_over()
        fault = f"plan_1 leads where an earlier vote could: “{offered[2].title}”."
        assert house.narrator.replanned == [(fault,), (fault,)]
        titles = [[plan.title for plan in turn.offered] for turn in house.lineage()]
        assert [offered[2].title in shown for shown in titles] == [True, False, False, True]


async def test_plans_are_compared_by_meaning_where_the_embedder_reads_their_language() -> None:
    for languages, asked in ((frozenset[str](), 0), (frozenset({"English"}), 1)):
        async with House() as house:
            house.embedder.languages = languages
            house.narrator.plans = lambda _number: (DOWN, MIRA_FOLLOWS, BOOK)
            house.narrator.others = lambda _number: (FOX, FLOOD, BARGAIN)
            await house.begin()
            assert len(house.narrator.replanned) == asked
            embedded = {text for texts in house.embedder.asked for text in texts}
            assert (str(DOWN) in embedded) is bool(asked), "else it isn't asked at all"
            shown = set(house.story().plans.options)
            assert ({DOWN, MIRA_FOLLOWS} <= shown) is not bool(asked)


@pytest.mark.parametrize("kind", ["narrator", "budget"])
async def test_other_plans_that_are_not_to_be_had_leave_the_first(kind: str) -> None:
    """They are paid for and can be voted on: the story neither waits nor says a word."""
    async with House() as house:
        house.narrator.plans = lambda _number: (DOWN, BOOK, DOWN_AGAIN)

        def fail(name: str) -> TalewheelError | None:
            if name != "replan":
                return None
            if kind == "budget":
                return BudgetSpentError("Spent.", house.clock.now() + 60)
            return NarratorUnavailableError("It is down.")

        house.narrator.fail = fail
        await house.begin()
        assert house.story().plans.options == (DOWN, BOOK, DOWN_AGAIN)
        assert house.stage.said(CHANNEL) == []
        assert house.lineage()[0].usage.calls == 3
        house.check_told_once()


@pytest.mark.parametrize("when", ["before other plans are asked for", "behind it"])
async def test_an_embedder_that_cannot_compare_plans_leaves_the_first(when: str) -> None:
    async with House() as house:
        house.embedder.languages = frozenset({"English"})
        house.narrator.plans = lambda _number: (DOWN, BOOK, DOWN_AGAIN)

        def fail(texts: Sequence[str]) -> EmbedderError | None:
            compares = str(DOWN) in texts and (len(texts) > 3) is (when == "behind it")
            return EmbedderUnavailableError("It is down.") if compares else None

        house.embedder.fail = fail
        await house.begin()
        assert house.story().plans.options == (DOWN, BOOK, DOWN_AGAIN)
        asked = len(house.narrator.replanned)
        assert asked == (when == "behind it")
        paid = house.lineage()[0].usage.completion_tokens
        assert paid == 50 + WRITE_USAGE.completion_tokens + 400 + 400 * asked


async def test_a_turn_that_may_call_no_more_keeps_the_plans_it_has() -> None:
    """What is left of its allowance is for what it can't do without."""
    house = House()
    async with house:
        await house.begin()
        house.narrator.plans = lambda _number: (DOWN, BOOK, DOWN_AGAIN)
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: house.story().phase is Phase.REFLECTING)
    story = house.story()
    assert story.draft is not None
    draft = replace(story.draft, calls=TURN_CALLS - 1)
    house.world.stories[story.id] = replace(story, draft=draft)
    async with house.restarted() as again:
        await again.until(Phase.VOTING, number=2)
        assert again.story().plans.options == (DOWN, BOOK, DOWN_AGAIN)
        assert again.narrator.replanned == []


# ── facts ────────────────────────────────────────────────────────────────────────────────────────


def a_fact(about: str, text: str, *ends: str) -> dict[str, object]:
    return {"about": about, "fact": text, "ends": list(ends)}


async def test_facts_are_stored_with_their_turn_and_found_by_the_next() -> None:
    """In the record, in the long-term memory, and under labels in the next prompt."""
    async with House() as house:
        house.narrator.facts = lambda context: (
            [a_fact("Mira", "She limps."), a_fact("lamp", "The lamp is cold.")]
            if context.number == 1
            else []
        )
        await told_until(house, 2)
        first, second = house.lineage()
        assert first.reflection is not None
        assert [(fact.key, fact.about) for fact in first.reflection.facts] == [
            (1, "Mira"),
            (2, "lamp"),
        ]
        stored = entries(house, EntryKind.FACT)
        assert [entry.id for entry in stored] == [f"{first.id}/1", f"{first.id}/2"]
        assert ("In turn 1 it began.", "Mira: She limps.", "The lamp is cold.") in (
            house.embedder.asked
        ), "embedded with what they are about"
        ledger = house.narrator.contexts[-1].ledger
        assert sorted(fact.text for fact in ledger) == ["She limps.", "The lamp is cold."]
        assert {hit.id for hit in second.recalled} == {entry.id for entry in stored}
        house.check_told_once()


async def test_a_fact_that_ends_another_names_it_by_its_id() -> None:
    async with House() as house:
        house.narrator.facts = lambda context: (
            [a_fact("lamp", f"The lamp is at {context.number}.", "F1", "F9")]
        )
        await told_until(house, 3)
        ids = [f"{turn.id}/1" for turn in house.lineage()]
        assert [entry.ends for entry in entries(house, EntryKind.FACT)] == [
            (),
            (ids[0],),
            (ids[1],),
        ]
        await house.turn_over()
        assert [fact.id for fact in house.narrator.contexts[-1].ledger] == [ids[2]]


async def test_a_reflection_sees_facts_that_its_paragraphs_prompt_had_no_room_for() -> None:
    """Those that the paragraph touches on, under labels of their own, so that it can end them."""
    async with House() as house:
        house.narrator.facts = lambda context: [
            a_fact(f"thing {context.number}{n}", f"It is {n} of turn {context.number} " + "x" * 200)
            for n in range(FACTS)
        ]
        await told_until(house, 5)
        context, _ = house.narrator.reflected[-1]
        held = {fact.id for fact in context.ledger}
        assert held
        assert context.touched
        assert not held & {fact.id for fact in context.touched}
        written = house.narrator.contexts[-1]
        assert context == replace(written, touched=context.touched)


async def test_a_turn_that_is_reflected_on_again_leaves_no_fact_of_the_first_time() -> None:
    """Of five facts and of two the second reflection's two are found."""
    async with House() as house:
        counts = {1: 0, 2: 5}
        house.narrator.facts = lambda context: [
            a_fact("sea", f"Fact {n} of {counts[context.number]}.")
            for n in range(counts[context.number])
        ]
        await told_until(house, 2)
        assert len(entries(house, EntryKind.FACT)) == 5
        counts[2] = 2
        await house.direction.reflect_again(CHANNEL, ADA)
        await house.when(lambda: len(house.narrator.reflected) == 3)
        await house.until(Phase.VOTING, number=2)
        assert [entry.text for entry in entries(house, EntryKind.FACT)] == [
            "Fact 0 of 2.",
            "Fact 1 of 2.",
        ]
        keys = [entry.key for entry in entries(house, EntryKind.FACT)]
        assert keys == [6, 7], "a key that somebody may have ended is given once"


# ── chapters ─────────────────────────────────────────────────────────────────────────────────────


async def test_every_tenth_turn_condenses_the_nine_before_it_and_itself() -> None:
    """It looks back on their summaries, oldest first; the chapter is found from then on."""
    async with House() as house:
        await told_until(house, CHAPTER_TURNS + 1)
        looked_back = {
            context.number: [entry.number for entry in context.stretch]
            for context, _ in house.narrator.reflected
        }
        assert looked_back.pop(CHAPTER_TURNS) == list(range(1, CHAPTER_TURNS))
        assert not any(looked_back.values())
        ending = next(c for c, _ in house.narrator.reflected if c.number == CHAPTER_TURNS)
        assert ending.stretch[0].text == "In turn 1 it began."
        [chapter] = entries(house, EntryKind.CHAPTER)
        tenth = house.lineage()[CHAPTER_TURNS - 1]
        assert (chapter.id, chapter.first) == (f"{tenth.id}/chapter", 1)
        assert chapter.text == "Up to turn 10 all went on."
        assert len(entries(house, EntryKind.SUMMARY)) == CHAPTER_TURNS + 1, "beside the summaries"
        house.check_told_once()


async def test_a_forgotten_turn_is_not_looked_back_on() -> None:
    async with House() as house:
        await told_until(house, 4)
        await house.moderation.forget(CHANNEL, ADA, 3)
        for _ in range(CHAPTER_TURNS - 4):
            await house.turn_over()
        ending, _ = house.narrator.reflected[-1]
        assert [entry.number for entry in ending.stretch] == [1, 2, 4, 5, 6, 7, 8, 9]


# ── the measure of a token ───────────────────────────────────────────────────────────────────────


async def test_a_reflection_is_asked_with_the_very_context_of_its_paragraph() -> None:
    """Though the paragraph's own cost tells that a token is shorter than was thought."""
    async with House() as house:
        house.narrator.written = replace(WRITE_USAGE, prompt_bytes=1500)
        house.narrator.facts = lambda context: [
            a_fact(f"thing {n}", f"It is {n} of turn {context.number} " + "x" * 150)
            for n in range(8)
        ]
        await told_until(house, 7)
        assert house.story().bytes_per_token < 2.0
        written = house.narrator.contexts
        reflected = [replace(context, touched=()) for context, _ in house.narrator.reflected]
        assert reflected == written
        rooms = [sum(len(fact.text) for fact in context.ledger) for context in written]
        assert rooms[-1] < max(rooms), "a shorter token leaves less room, from the next turn on"
