"""Facts and chapters on the moderators' desk: what holds, what is amended, what comes back."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.entries import EntryKind, Fact, entry_id
from core.domain.identity import fingerprint
from core.domain.ledger import TurnMemory, lines, memory_of
from core.domain.recurrence import StepContext, label
from core.domain.story import Phase, Turn
from core.domain.tokens import Budget
from core.errors import InputError, RefusedError, StaleError
from core.services.library import LEDGER_TURNS, Chapter
from tests.core.services.house import CHANNEL, House

ADA, JONAS = Moderator(5, "Ada"), Moderator(6, "Jonas")


def facts_of(context: StepContext) -> list[dict[str, object]]:
    """Where Mira is, which ends where she was; and what Corvin lit, which ends nothing."""
    known = enumerate(context.known_facts)
    ends = [label(place) for place, fact in known if fact.about == "Mira"]
    number = context.number
    return [
        {"about": "Mira", "fact": f"Mira waits at stone {number}.", "ends": ends},
        {"about": "Corvin", "fact": f"Corvin lit lamp {number}.", "ends": []},
    ]


async def begun(house: House, turns: int) -> None:
    """A story whose turns leave facts, in its vote."""
    house.narrator.facts = facts_of
    house.narrator.delay_s = 0.0
    await house.begin(sentences=2)
    for _ in range(turns - 1):
        await house.turn_over()


async def turn_of(house: House, number: int) -> Turn:
    _, turn = await house.library.turn(CHANNEL, number)
    return turn


async def amended(house: House, number: int, **parts: str) -> None:
    """What a form sends that shows what stands, with some of its parts changed."""
    held = memory_of(await turn_of(house, number))
    shown = {"text": held.summary, "facts": lines(held.facts), "chapter": held.chapter}
    await house.moderation.amend(
        *(CHANNEL, ADA, number), seen=fingerprint(str(held)), **(shown | parts)
    )


async def ledger(house: House) -> dict[str, int]:
    """The newest facts, each with the turn until which it held; 0 holds."""
    page = await house.library.facts(CHANNEL)
    return {hit.recalled.text: hit.until for hit in page.facts}


async def holding(house: House) -> list[str]:
    return [text for text, until in (await ledger(house)).items() if not until]


def entries(house: House, kind: EntryKind) -> Iterator[tuple[int, str]]:
    """What stands in the index, by turn."""
    story = house.story()
    for (owner, _), entry in sorted(house.world.entries.items(), key=lambda one: one[1].number):
        if owner == story.id and entry.kind is kind:
            yield entry.number, entry.text


def check_restored(now: TurnMemory, was: TurnMemory) -> None:
    """All is as it was, to the last field; beside it are only facts that are struck out."""
    keys = {fact.key for fact in was.facts}
    more = [fact for fact in now.facts if fact.key not in keys]
    assert replace(now, facts=tuple(fact for fact in now.facts if fact.key in keys)) == was
    assert all(fact.dropped for fact in more)
    assert len({fact.key for fact in now.facts}) == len(now.facts)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_memory_counts_what_holds_and_says_what_a_prompt_may_hold() -> None:
    async with House() as house:
        await begun(house, 11)
        view = await house.library.memory(CHANNEL)
        assert (view.summaries, view.facts, view.superseded, view.chapters) == (11, 22, 10, 1)
        assert {part.name: part.tokens for part in view.prompt if part.most} == {
            "recalled summaries": Budget().recalled,
            "ledger: facts that matter then": Budget().ledger,
            "plan": Budget().plan,
        }


async def test_the_prompts_parts_are_measured_as_the_storys_endpoint_counts() -> None:
    async with House() as house:
        await begun(house, 1)
        before = {part.name: part.tokens for part in (await house.library.memory(CHANNEL)).prompt}
        story = house.story()
        house.world.stories[story.id] = replace(story, bytes_per_token=story.bytes_per_token / 2)
        after = {part.name: part.tokens for part in (await house.library.memory(CHANNEL)).prompt}
        assert after["rules"] == pytest.approx(before["rules"] * 2, abs=1)


async def test_what_a_moderator_writes_is_measured_so_too() -> None:
    """700 tokens of English are too many where a token is two bytes."""
    async with House() as house:
        await begun(house, 1)
        text, story = "x" * 2800, house.story()
        await house.moderation.edit_memory(CHANNEL, ADA, text, fingerprint(story.memory.text))
        story = house.story()
        house.world.stories[story.id] = replace(story, bytes_per_token=2.0)
        with pytest.raises(InputError, match="about 1401 tokens"):
            await house.moderation.edit_memory(CHANNEL, ADA, f"{text}x", fingerprint(text))
        await house.moderation.pin(CHANNEL, ADA, "a" * 290)
        await house.moderation.pin(CHANNEL, ADA, "b" * 290)
        with pytest.raises(InputError, match="at most 400"):
            await house.moderation.pin(CHANNEL, ADA, "c" * 290)


async def test_the_ledger_is_listed_from_its_newest_turn_with_what_holds_no_longer() -> None:
    async with House() as house:
        await begun(house, 3)
        page = await house.library.facts(CHANNEL)
        assert (page.first, page.last) == (1, 3)
        told = [(hit.recalled.number, hit.recalled.text, hit.until) for hit in page.facts]
        assert told == [
            (3, "Mira waits at stone 3.", 0),
            (3, "Corvin lit lamp 3.", 0),
            (2, "Mira waits at stone 2.", 3),
            (2, "Corvin lit lamp 2.", 0),
            (1, "Mira waits at stone 1.", 2),
            (1, "Corvin lit lamp 1.", 0),
        ]
        assert all(hit.turn and hit.turn.pieces for hit in page.facts), "each has its message"


async def test_the_ledger_is_paged_by_turns_and_reads_no_more_than_a_page() -> None:
    """Each page goes on where the last one ended, and none is longer than its limits."""
    async with House() as house:
        await begun(house, 25)
        asked: list[str] = []
        house.world.interrupt = lambda name, _when: asked.append(name)
        seen, before = list[str](), None
        while before != 1:
            asked.clear()
            page = await house.library.facts(CHANNEL, before)
            assert asked.count("turn_at") <= LEDGER_TURNS
            assert page.last == (25 if before is None else before - 1)
            seen += [hit.recalled.text for hit in page.facts]
            before = page.first
        assert len(seen) == len(set(seen)) == 50
        assert (await house.library.facts(CHANNEL, 1)).last == 0, "nothing is older than turn 1"


async def test_a_ledger_without_facts_is_looked_through_page_by_page() -> None:
    async with House() as house:
        await begun(house, 1)
        house.narrator.facts = lambda _context: []
        for _ in range(LEDGER_TURNS):
            await house.turn_over()
        page = await house.library.facts(CHANNEL)
        assert (page.first, page.last, page.facts) == (2, LEDGER_TURNS + 1, ())
        assert len((await house.library.facts(CHANNEL, page.first)).facts) == 2


async def test_facts_about_somebody_are_found_and_nothing_else() -> None:
    async with House() as house:
        await begun(house, 3)
        found = await house.library.facts_about(CHANNEL, "Mira waits")
        assert {hit.recalled.about for hit in found[:3]} == {"Mira"}
        assert {hit.recalled.kind for hit in found} == {EntryKind.FACT}
        assert {hit.recalled.number: hit.until for hit in found[:3]} == {1: 2, 2: 3, 3: 0}


async def test_a_search_finds_every_kind_and_marks_what_holds_no_longer() -> None:
    async with House() as house:
        await begun(house, 10)
        found = await house.library.find(CHANNEL, "Up to turn 10 all went on.", limit=50)
        assert found[0].recalled.kind is EntryKind.CHAPTER
        assert (found[0].recalled.first, found[0].recalled.number) == (1, 10)
        assert {hit.recalled.kind for hit in found} == set(EntryKind)
        [old] = [hit for hit in found if hit.recalled.text == "Mira waits at stone 4."]
        assert old.until == 5


async def test_a_turn_knows_which_facts_stood_in_its_prompt() -> None:
    async with House() as house:
        await begun(house, 3)
        turn, told = await turn_of(house, 3), house.narrator.contexts[-1]
        assert told.ledger
        assert turn.recalled == (*told.recalled, *told.ledger)


# ── amending ─────────────────────────────────────────────────────────────────────────────────────


async def test_amended_facts_are_what_the_next_prompt_holds() -> None:
    """The changed one as it reads now, the new one too, the dropped one nowhere."""
    async with House() as house:
        await begun(house, 2)
        old = memory_of(await turn_of(house, 1)).facts
        await amended(house, 1, facts="Corvin: Corvin lit lamp 7.\nThe bell: It hangs askew.")
        assert memory_of(await turn_of(house, 1)).facts == (
            replace(old[0], dropped=True),
            replace(old[1], text="Corvin lit lamp 7."),
            Fact(3, "The bell", "It hangs askew."),
        )
        await house.turn_over()
        held = {fact.text for fact in house.narrator.contexts[-1].ledger}
        assert {"Corvin lit lamp 7.", "It hangs askew."} <= held
        assert not held & {"Corvin lit lamp 1.", "Mira waits at stone 1."}
        assert "Mira waits at stone 1." not in await ledger(house)


async def test_a_fact_that_is_amended_still_ends_what_it_ended() -> None:
    """Though it says so little of what it said that it is another one."""
    async with House() as house:
        await begun(house, 2)
        await amended(house, 2, facts="Mira: Mira sails to Ormsay.\nCorvin: Corvin lit lamp 2.")
        facts = memory_of(await turn_of(house, 2)).facts
        [fact] = [fact for fact in facts if fact.text == "Mira sails to Ormsay."]
        assert fact.ends == (entry_id(EntryKind.FACT, (await turn_of(house, 1)).id, 1),)
        assert (await ledger(house))["Mira waits at stone 1."] == 2


async def test_a_fact_that_was_struck_out_ends_nothing_any_more() -> None:
    """What it had ended holds again, until the same line brings it back."""
    async with House() as house:
        await begun(house, 2)
        shown = lines(memory_of(await turn_of(house, 2)).facts)
        await amended(house, 2, facts="Corvin: Corvin lit lamp 2.")
        assert "Mira waits at stone 1." in await holding(house)
        await amended(house, 2, facts=shown)
        assert (await ledger(house))["Mira waits at stone 1."] == 2


async def test_an_amended_chapter_is_what_recall_finds() -> None:
    async with House() as house:
        await begun(house, 10)
        await amended(house, 10, chapter="Ten days of rain drowned Ormsay.")
        assert list(entries(house, EntryKind.CHAPTER)) == [(10, "Ten days of rain drowned Ormsay.")]
        await amended(house, 10, chapter="")
        assert list(entries(house, EntryKind.CHAPTER)) == []


async def test_what_a_form_doesnt_show_stays_as_it_is() -> None:
    """A form of before there were facts sends a summary alone."""
    async with House() as house:
        await begun(house, 10)
        held = memory_of(await turn_of(house, 10))
        seen = fingerprint(str(held))
        await house.moderation.amend(CHANNEL, ADA, 10, "Mira slept.", seen)
        assert memory_of(await turn_of(house, 10)) == replace(held, summary="Mira slept.")


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"facts": "Mira waits."}, "Line 1"),
        ({"facts": "\n".join(f"Mira: {n}" for n in range(9))}, "9 facts.*at most 8"),
        ({"chapter": "Ten days."}, "Turn 1 ends no chapter: every 10th turn does"),
        ({"text": " "}, "summary is empty"),
        ({}, "Turn 1 reads so already"),
    ],
)
async def test_what_cannot_stand_is_refused_whole(parts: dict[str, str], says: str) -> None:
    async with House() as house:
        await begun(house, 1)
        before = await turn_of(house, 1)
        with pytest.raises(InputError, match=says):
            await amended(house, 1, **({"text": "Another one."} | parts if parts else {}))
        assert await turn_of(house, 1) == before
        assert await house.history.page(CHANNEL) == []


async def test_a_fact_that_was_changed_meanwhile_is_not_overwritten() -> None:
    """The form shows facts too, so its fingerprint covers them; both texts are handed back."""
    async with House() as house:
        await begun(house, 1)
        held = memory_of(await turn_of(house, 1))
        await amended(house, 1, facts="Mira: Mira sails to Ormsay.")
        with pytest.raises(StaleError, match="record of turn 1 was changed") as stale:
            await house.moderation.amend(
                *(CHANNEL, JONAS, 1, "Mira slept.", fingerprint(str(held))),
                facts=lines(held.facts),
            )
        assert stale.value.theirs == f"{held.summary}\n\nFacts:\nMira: Mira sails to Ormsay."


async def test_amendments_of_two_turns_at_once_both_stand() -> None:
    async with House() as house:
        await begun(house, 2)
        await asyncio.gather(
            amended(house, 1, facts="Mira: Mira sails."), amended(house, 2, facts="Bo: Bo barks.")
        )
        assert set(await ledger(house)) == {"Mira sails.", "Bo barks."}


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_log_holds_both_sides_of_an_amendment_as_one_text() -> None:
    async with House() as house:
        await begun(house, 1)
        await amended(house, 1, text="It rained.", facts="Mira: Mira sails.")
        [logged] = await house.history.page(CHANNEL)
        assert logged.change.before == (
            "In turn 1 it began.\n\n"
            "Facts:\nMira: Mira waits at stone 1.\nCorvin: Corvin lit lamp 1."
        )
        assert logged.change.after == "It rained.\n\nFacts:\nMira: Mira sails."


async def test_an_amendment_is_taken_back_exactly() -> None:
    """Keys, ends and what was dropped before: to the last field, and forth again.

    What came since stays struck out, so that nobody gets its key.
    """
    async with House() as house:
        await begun(house, 10)
        await amended(house, 10, facts="Corvin: Corvin lit lamp 10.")
        before = memory_of(await turn_of(house, 10))
        index = set(house.world.entries.values())
        await amended(
            *(house, 10),
            text="It rained.",
            facts="Bo: Bo barks.\nMira: Mira waits at stone 10.",
            chapter="Ten days.",
        )
        after = memory_of(await turn_of(house, 10))
        await house.history.undo(CHANNEL, JONAS, 2)
        check_restored(memory_of(await turn_of(house, 10)), before)
        assert set(house.world.entries.values()) == index
        await house.history.undo(CHANNEL, ADA, 3)
        check_restored(memory_of(await turn_of(house, 10)), after)
        await house.history.undo(CHANNEL, ADA, 4)
        await house.history.undo(CHANNEL, ADA, 1)
        assert "Mira waits at stone 10." in await holding(house)


async def test_an_amendment_that_others_built_on_says_why_it_stays() -> None:
    async with House() as house:
        await begun(house, 1)
        await amended(house, 1, facts="Mira: Mira sails.")
        await amended(house, 1, facts="Mira: Mira sails.\nBo: Bo barks.")
        before = await turn_of(house, 1)
        with pytest.raises(RefusedError, match=r"reads differently by now[^$]*Corvin lit lamp 1"):
            await house.history.undo(CHANNEL, ADA, 1)
        assert await turn_of(house, 1) == before


async def test_an_amendment_takes_back_nothing_but_what_it_amended() -> None:
    """A reflection that was made again meanwhile keeps its memory and its plans."""
    async with House() as house:
        await begun(house, 2)
        written = await turn_of(house, 2)
        await amended(house, 2, facts="Mira: Mira sails.")
        house.narrator.facts = lambda _context: [{"about": "Mira", "fact": "Mira sails."}]
        await house.direction.reflect_again(CHANNEL, ADA)
        await house.until(Phase.VOTING, number=2)
        turn = await turn_of(house, 2)
        house.world.turns[house.story().id, turn.id] = replace(
            turn, reflection=turn.reflection and replace(turn.reflection, memory="Another memory.")
        )
        await house.history.undo(CHANNEL, ADA, 1)
        turn = await turn_of(house, 2)
        check_restored(memory_of(turn), memory_of(written))
        assert turn.reflection
        assert turn.reflection.memory == "Another memory."


async def test_an_amendment_of_before_there_were_facts_is_taken_back_as_a_summary() -> None:
    async with House() as house:
        await begun(house, 1)
        held = memory_of(await turn_of(house, 1))
        await amended(house, 1, text="It rained.")
        turn = await turn_of(house, 1)
        log = house.world.changes[house.story().id]
        log[0] = Change(
            ChangeKind.SUMMARY, 1.0, ADA, held.summary, "It rained.", 1, turn_id=turn.id
        )
        await amended(house, 1, facts="Mira: Mira sails.")
        await house.history.undo(CHANNEL, ADA, 1)
        now = memory_of(await turn_of(house, 1))
        assert now.summary == held.summary
        assert lines(now.facts) == "Mira: Mira sails."
        with pytest.raises(RefusedError, match="taken back already"):
            await house.history.undo(CHANNEL, ADA, 1)


# ── forgetting and going back ────────────────────────────────────────────────────────────────────


async def test_a_forgotten_turn_takes_its_facts_and_its_chapter_along() -> None:
    """The fact that it had superseded holds again; undo brings all of it back."""
    async with House() as house:
        await begun(house, 10)
        before = await ledger(house)
        assert before["Mira waits at stone 9."] == 10
        await house.moderation.forget(CHANNEL, ADA, 10)
        after = await ledger(house)
        assert after.keys() == {text for text in before if "10" not in text}
        assert after["Mira waits at stone 9."] == 0
        view = await house.library.memory(CHANNEL)
        assert (view.summaries, view.facts, view.superseded, view.chapters) == (9, 18, 8, 0)
        kinds = {h.recalled.kind for h in await house.library.find(CHANNEL, "turn 10", limit=50)}
        assert kinds == {EntryKind.SUMMARY, EntryKind.FACT}
        await house.turn_over()
        told = house.narrator.contexts[-1]
        assert "Mira waits at stone 9." in [fact.text for fact in told.ledger]
        assert 10 not in [fact.number for fact in (*told.ledger, *told.recalled)]
        await house.history.undo(CHANNEL, ADA, 1)
        assert (await ledger(house))["Mira waits at stone 9."] == 10
        assert len(list(entries(house, EntryKind.CHAPTER))) == 1


async def test_a_rewind_lets_the_older_fact_hold_again() -> None:
    async with House() as house:
        await begun(house, 3)
        await house.direction.rewind(CHANNEL, ADA, 1)
        await house.until(Phase.VOTING, number=1)
        assert await ledger(house) == {"Mira waits at stone 1.": 0, "Corvin lit lamp 1.": 0}
        await house.turn_over()
        assert "Mira waits at stone 1." in [f.text for f in house.narrator.contexts[-1].ledger]
        await house.history.undo(CHANNEL, ADA, 1)
        await house.until(Phase.VOTING, number=3)
        assert (await ledger(house))["Mira waits at stone 1."] == 2
        assert (await ledger(house))["Mira waits at stone 2."] == 3


# ── what still tells it ──────────────────────────────────────────────────────────────────────────


async def test_facts_and_chapters_that_still_tell_an_amended_thing_are_named() -> None:
    """Those of the same turn that weren't amended too; not what was written instead of it."""
    async with House() as house:
        await begun(house, 1)
        seal = "Mira keeps the brass seal of Ormsay"
        await amended(house, 1, text=f"{seal}.", facts=f"Mira: {seal}!")
        house.narrator.facts = lambda _context: []
        for _ in range(9):
            await house.turn_over()
        await amended(house, 10, chapter=f"{seal} for long.")
        await amended(house, 1, text=f"{seal} no more.")
        [logged, *_] = await house.history.page(CHANNEL)
        places = await house.library.still_said(CHANNEL, logged.change)
        assert ("fact", 1, f"{seal}!") in [(p.where, p.number, p.text) for p in places]
        assert ("chapter", 10) in [(p.where, p.number) for p in places]
        assert ("summary", 1) not in [(p.where, p.number) for p in places]


async def test_of_a_fact_that_went_the_summary_that_tells_it_is_named() -> None:
    async with House() as house:
        await begun(house, 2)
        await amended(house, 1, text="Corvin lit lamp 1.")
        await amended(house, 1, facts="Mira: Mira waits at stone 1.")
        [logged, *_] = await house.history.page(CHANNEL)
        places = await house.library.still_said(CHANNEL, logged.change)
        assert ("summary", "Corvin lit lamp 1.") in [(place.where, place.text) for place in places]


async def test_what_holds_no_longer_tells_nothing() -> None:
    async with House() as house:
        await begun(house, 3)
        await house.moderation.forget(CHANNEL, ADA, 2)
        [logged] = await house.history.page(CHANNEL)
        places = await house.library.still_said(CHANNEL, logged.change)
        assert ("fact", "Corvin lit lamp 1.") in [(place.where, place.text) for place in places]
        await house.history.undo(CHANNEL, ADA, 1)
        await house.moderation.forget(CHANNEL, ADA, 3)
        [logged, *_] = await house.history.page(CHANNEL)
        told = [place.text for place in await house.library.still_said(CHANNEL, logged.change)]
        assert "Mira waits at stone 1." not in told


async def test_what_has_no_vector_yet_is_named_all_the_same() -> None:
    """The embedder was changed: words bring it up, and then it is compared."""
    async with House() as house:
        await begun(house, 2)
        house.world.change_embedder("other", 16)
        await amended(house, 1, text="Corvin lit lamp 1.")
        await amended(house, 1, facts="Mira: Mira waits at stone 1.")
        house.world.made_by = {}
        [logged, *_] = await house.history.page(CHANNEL)
        places = await house.library.still_said(CHANNEL, logged.change)
        assert ("summary", "Corvin lit lamp 1.") in [(place.where, place.text) for place in places]


async def test_a_search_finds_what_has_no_vector_yet() -> None:
    """By its words, beside what meaning finds."""
    async with House() as house:
        await begun(house, 2)
        house.embedder.languages = frozenset({"English"})
        house.world.change_embedder("other", 16)
        await house.turn_over()
        found = [hit.recalled.text for hit in await house.library.find(CHANNEL, "stone 1")]
        assert "Mira waits at stone 1." in found
        assert "Mira waits at stone 3." in found


async def test_what_was_only_added_is_looked_for_nowhere() -> None:
    async with House() as house:
        await begun(house, 1)
        shown = lines(memory_of(await turn_of(house, 1)).facts)
        await amended(house, 1, facts=f"{shown}\nBo: Bo barks.")
        [logged] = await house.history.page(CHANNEL)
        house.embedder.asked.clear()
        assert await house.library.still_said(CHANNEL, logged.change) == []
        assert house.embedder.asked == []


# ── the story so far ─────────────────────────────────────────────────────────────────────────────


async def told_so_far(house: House, turns: int | None = None, last: int | None = None) -> list[str]:
    """A recap in short: "1-10" is a chapter, "11" a turn."""
    recap = await house.library.recap(CHANNEL, turns, last=last)
    return [
        f"{part.begins.number}-{part.ends.number}"
        if isinstance(part, Chapter)
        else str(part.number)
        for part in recap.parts
    ]


async def test_a_recap_is_told_in_chapters_and_behind_them_turn_by_turn() -> None:
    async with House() as house:
        await begun(house, 22)
        assert await told_so_far(house) == ["1-10", "11-20", "21", "22"]
        assert await told_so_far(house, 13) == ["10", "11-20", "21", "22"]
        assert await told_so_far(house, 2) == ["21", "22"]
        assert await told_so_far(house, 100) == ["1-10", "11-20", "21", "22"]
        assert await told_so_far(house, last=19) == ["1-10", *map(str, range(11, 20))]
        for turns in (0, 101):
            with pytest.raises(InputError, match="from 1 to 100"):
                await house.library.recap(CHANNEL, turns)


async def test_a_recap_reads_of_a_chapter_its_first_and_last_turn_alone() -> None:
    async with House() as house:
        await begun(house, 21)
        asked: list[str] = []
        house.world.interrupt = lambda name, _when: asked.append(name)
        await told_so_far(house)
        assert asked.count("turn_at") == 5


async def test_where_no_chapter_is_a_recap_tells_every_turn() -> None:
    """One that was forgotten, or a story of before there were chapters."""
    async with House() as house:
        await begun(house, 21)
        await house.moderation.forget(CHANNEL, ADA, 10)
        assert await told_so_far(house) == [*map(str, range(1, 11)), "11-20", "21"]
        await amended(house, 20, chapter="")
        assert await told_so_far(house) == [str(n) for n in range(1, 22)]


async def test_a_recap_names_what_goes_before_and_after_it() -> None:
    """Whole chapters each, nothing left out between them."""
    async with House() as house:
        await begun(house, 64)
        recap = await house.library.recap(CHANNEL)
        assert (recap.first, recap.last, recap.neighbours) == (11, 64, (10,))
        earlier = await house.library.recap(CHANNEL, last=10)
        assert (earlier.first, earlier.last, earlier.neighbours) == (1, 10, (60,))
        assert (await house.library.recap(CHANNEL, last=60)).first <= 11


async def test_before_the_first_turn_there_is_nothing_to_tell() -> None:
    async with House() as house:
        await begun(house, 1)
        story = house.story()
        house.world.stories[story.id] = replace(story, lineage=(), head=None)
        recap = await house.library.recap(CHANNEL)
        assert (recap.first, recap.last, recap.parts, recap.neighbours) == (0, 0, (), ())
        assert (await house.library.facts(CHANNEL)).last == 0


async def test_facts_that_were_pinned_under_a_longer_token_are_seen_to_have_no_room() -> None:
    """What /memory show calls part of every prompt is part of it, or says that it isn't."""
    async with House() as house:
        await begun(house, 1)
        facts = [f"Fact {n}: " + "x" * 240 for n in range(5)]
        for fact in facts:
            await house.moderation.pin(CHANNEL, ADA, fact)
        assert (await house.library.memory(CHANNEL)).left_out == ()
        stored = house.story()
        house.world.stories[stored.id] = replace(stored, bytes_per_token=1.0)
        assert (await house.library.memory(CHANNEL)).left_out == tuple(facts[:4])
