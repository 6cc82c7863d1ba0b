"""The moderators' desk over the services: what changes, what the model sees, what comes back."""

from collections.abc import Awaitable
from dataclasses import replace

import pytest

from core.domain import edits
from core.domain.audit import ChangeKind, Moderator
from core.domain.identity import fingerprint
from core.domain.story import Phase, Plan
from core.errors import InputError, NoStoryError, PhaseError, RefusedError, StaleError
from core.ports import BallotState, MessageKind, Prose
from tests.core.services.house import CHANNEL, House

ADA, JONAS = Moderator(5, "Ada"), Moderator(6, "Jonas")


async def begun(house: House, turns: int = 1) -> None:
    """A story with some turns, in its vote."""
    await house.begin()
    for _ in range(turns - 1):
        await house.turn_over()


def summaries(house: House) -> list[tuple[int, str]]:
    """What recall can find, by turn."""
    story = house.story()
    return sorted(
        (entry.number, entry.text)
        for (owner, _), entry in house.world.entries.items()
        if owner == story.id
    )


async def recalled(house: House) -> list[int]:
    """The turns that a search finds now."""
    return sorted(
        hit.recalled.number for hit in await house.library.find(CHANNEL, "turn", limit=50)
    )


# ── memory and canon ─────────────────────────────────────────────────────────────────────────────


async def test_an_edited_memory_is_what_the_next_prompt_holds() -> None:
    async with House() as house:
        await begun(house)
        seen = fingerprint(house.story().memory.text)
        await house.moderation.edit_memory(CHANNEL, ADA, "  Mira has the key. ", seen)
        await house.turn_over()
        assert house.narrator.contexts[-1].memory == "Mira has the key."
        assert house.story().memory.text == "Mira has the key. Turn 2 was told."


async def test_an_edit_while_a_paragraph_is_written_reaches_its_reflection() -> None:
    """The paragraph isn't stopped, and what follows from it is made from the edited memory."""
    async with House() as house:
        await begun(house)
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: house.story().phase is Phase.WRITING)
        seen = fingerprint(house.story().memory.text)
        done = await house.moderation.edit_memory(CHANNEL, ADA, "Mira has the key.", seen)
        assert done.while_writing
        await house.until(Phase.VOTING, number=2)
        assert house.narrator.reflected[-1][0].memory == "Mira has the key."
        assert house.story().memory.text == "Mira has the key. Turn 2 was told."
        assert len(house.narrator.contexts) == 2, "no paragraph was written twice"


async def test_of_two_edits_of_one_memory_the_second_gets_both_texts() -> None:
    async with House() as house:
        await begun(house)
        seen = fingerprint(house.story().memory.text)
        await house.moderation.edit_memory(CHANNEL, ADA, "Mira has the key.", seen)
        with pytest.raises(StaleError) as stale:
            await house.moderation.edit_memory(CHANNEL, JONAS, "Corvin has the key.", seen)
        assert stale.value.theirs == "Mira has the key."
        assert house.story().memory.text == "Mira has the key."
        again = fingerprint(stale.value.theirs)
        await house.moderation.edit_memory(CHANNEL, JONAS, "Corvin has the key.", again)
        assert house.story().memory.text == "Corvin has the key."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("  ", "empty"),
        ("It rained. " * 21, "21 sentences; it may have at most 20"),
        ("The rain fell on the long grey quay of Ormsay " * 100 + ".", "tokens of the prompt"),
    ],
)
async def test_a_memory_that_cannot_stand_in_the_prompt_is_refused(text: str, says: str) -> None:
    async with House() as house:
        await begun(house)
        before = house.story()
        with pytest.raises(InputError, match=says):
            await house.moderation.edit_memory(CHANNEL, ADA, text, fingerprint(before.memory.text))
        assert house.story() == before


async def test_pinned_facts_stand_in_every_prompt_until_they_are_unpinned() -> None:
    async with House() as house:
        await begun(house)
        await house.moderation.pin(CHANNEL, ADA, "The sea is\nsalt.")
        await house.moderation.pin(CHANNEL, JONAS, "Mira is left-handed.")
        await house.turn_over()
        assert house.narrator.contexts[-1].canon == ("The sea is salt.", "Mira is left-handed.")
        with pytest.raises(InputError, match="pinned already"):
            await house.moderation.pin(CHANNEL, ADA, "the sea is salt")
        await house.moderation.unpin(CHANNEL, ADA, "The sea is salt.")
        with pytest.raises(InputError, match="isn't pinned"):
            await house.moderation.unpin(CHANNEL, ADA, "The sea is salt.")
        await house.turn_over()
        assert house.narrator.contexts[-1].canon == ("Mira is left-handed.",)


async def test_a_full_canon_takes_no_fact_that_the_prompt_would_drop() -> None:
    async with House() as house:
        await begun(house)
        pin = house.moderation.pin
        for number in range(6):
            await pin(CHANNEL, ADA, f"Fact {number}: " + "it rains " * 25)
        with pytest.raises(InputError, match="at most 400"):
            await pin(CHANNEL, ADA, "One fact more: " + "it rains " * 25)
        story = house.story()
        await house.turn_over()
        assert house.narrator.contexts[-1].canon == story.canon.entries, "none was dropped"


# ── the long-term memory ─────────────────────────────────────────────────────────────────────────


async def test_an_amended_summary_is_what_recall_finds() -> None:
    async with House() as house:
        await begun(house, 3)
        _, turn = await house.library.turn(CHANNEL, 1)
        assert turn.reflection is not None
        old = turn.reflection.summary
        await house.moderation.amend(CHANNEL, ADA, 1, "Mira stole the boat.", fingerprint(old))
        assert (1, "Mira stole the boat.") in summaries(house)
        [hit] = await house.library.find(CHANNEL, "Mira stole the boat", limit=1)
        assert (hit.recalled.number, hit.recalled.text) == (1, "Mira stole the boat.")
        await house.turn_over()
        told = [hit.text for hit in house.narrator.contexts[-1].recalled]
        assert "Mira stole the boat." in told
        assert old not in told
        with pytest.raises(StaleError) as stale:
            await house.moderation.amend(CHANNEL, ADA, 1, "Another.", fingerprint(old))
        assert stale.value.theirs == "Mira stole the boat."


async def test_a_forgotten_turn_is_out_of_recall_and_comes_back() -> None:
    async with House() as house:
        await begun(house, 3)
        await house.moderation.forget(CHANNEL, ADA, 1)
        assert await recalled(house) == [2, 3]
        with pytest.raises(InputError, match="forgotten already"):
            await house.moderation.forget(CHANNEL, ADA, 1)
        with pytest.raises(InputError, match="was forgotten"):
            await house.moderation.amend(CHANNEL, ADA, 1, "Another.", fingerprint("x"))
        await house.turn_over()
        assert 1 not in [hit.number for hit in house.narrator.contexts[-1].recalled]
        await house.history.undo(CHANNEL, JONAS, 1)
        assert await recalled(house) == [1, 2, 3, 4]


async def test_what_still_tells_an_amended_thing_is_named() -> None:
    """The memory still says it, and the paragraph that the summary was made from."""
    async with House() as house:
        await begun(house, 2)
        old = house.lineage()[0].summary
        await house.moderation.amend(CHANNEL, ADA, 1, "Turn 1 was told.", fingerprint(old))
        old = house.lineage()[0].summary
        await house.moderation.amend(CHANNEL, ADA, 1, "Another.", fingerprint(old))
        [logged, _] = await house.history.page(CHANNEL)
        places = await house.library.still_said(CHANNEL, logged.change)
        assert ("memory", "Turn 1 was told.") in [(place.where, place.text) for place in places]


@pytest.mark.parametrize("number", [0, -1, 3, 99])
async def test_a_turn_that_was_never_told_is_refused_by_its_number(number: int) -> None:
    async with House() as house:
        await begun(house, 2)
        asked: list[Awaitable[object]] = [
            house.moderation.forget(CHANNEL, ADA, number),
            house.moderation.amend(CHANNEL, ADA, number, "Other.", "x"),
            house.direction.rewind(CHANNEL, ADA, number),
            house.library.turn(CHANNEL, number),
        ]
        before = house.story()
        for asking in asked:
            with pytest.raises(InputError, match=rf"no turn {number}.*turns 1 to 2"):
                await asking
        assert house.story() == before


# ── what stands in the channel ───────────────────────────────────────────────────────────────────


async def test_an_edited_paragraph_follows_in_message_record_and_prompt() -> None:
    async with House() as house:
        await begun(house)
        old = house.lineage()[-1].paragraph
        await house.direction.edit_part(CHANNEL, ADA, 0, "Mira slept.", fingerprint(old))
        await house.until(Phase.VOTING)
        assert house.stage.story(CHANNEL) == ["Mira slept."]
        assert house.lineage()[-1].paragraph == "Mira slept."
        await house.turn_over()
        assert house.narrator.contexts[-1].previous == "Mira slept."
        house.check_told_once()


async def test_an_edited_plan_stands_in_the_ballot_and_its_votes_too() -> None:
    async with House() as house:
        await begun(house)
        ballot = house.stage.vote(CHANNEL, 1, 1)
        old = house.story().plans.options[1]
        plan = edits.plan("The  iron stair", "Mira climbs down.")
        seen = fingerprint(f"{old.title}\n{old.text}")
        await house.direction.edit_plan(CHANNEL, ADA, 1, plan, seen)
        await house.until(Phase.VOTING)
        [shown] = house.stage.ballots(CHANNEL)
        assert shown.plans[1] == Plan("The iron stair", "Mira climbs down.", edited=True)
        assert house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].id == ballot
        await house.until(Phase.VOTING, number=2)
        assert house.narrator.contexts[-1].plan == plan
        house.check_told_once()
        other, _, mine = house.story().plans.options
        twin, seen = edits.plan(other.title, "x"), fingerprint(f"{mine.title}\n{mine.text}")
        with pytest.raises(InputError, match="the same"):
            await house.direction.edit_plan(CHANNEL, ADA, 2, twin, seen)


async def test_a_plan_is_called_edited_unless_it_reads_as_the_model_wrote_it() -> None:
    async with House() as house:
        await begun(house)
        written = house.story().plans.options[0]
        seen = written
        for text in ("Mira climbs.", "Mira falls."):
            changed = edits.plan("The iron stair", text)
            await house.direction.edit_plan(CHANNEL, ADA, 0, changed, fingerprint(str(seen)))
            seen = changed
        await house.history.undo(CHANNEL, ADA, 2)
        again = house.story().plans.options[0]
        assert again == Plan("The iron stair", "Mira climbs.", edited=True)
        await house.history.undo(CHANNEL, ADA, 1)
        assert house.story().plans.options[0] == written
        assert not written.edited


async def test_settings_hold_from_the_next_ballot() -> None:
    async with House() as house:
        await begun(house)
        await house.moderation.change_settings(
            CHANNEL, ADA, lambda rules: replace(rules, quorum=2, vote_s=120)
        )
        await house.turn_over()
        assert [turn.rules.quorum for turn in house.lineage() if turn.rules] == [1, 2]
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: house.story().extended)
        with pytest.raises(InputError, match="already"):
            await house.moderation.change_settings(CHANNEL, ADA, lambda rules: rules)


async def test_a_new_reflection_makes_memory_and_plans_from_the_edited_text() -> None:
    async with House() as house:
        await begun(house, 2)
        house.stage.vote(CHANNEL, 1, 0)
        old = house.lineage()[-1].paragraph
        await house.direction.edit_part(CHANNEL, ADA, 0, "Mira slept.", fingerprint(old))
        await house.direction.reflect_again(CHANNEL, ADA)
        await house.until(Phase.VOTING, number=2)
        context, paragraph = house.narrator.reflected[-1]
        assert paragraph == "Mira slept."
        assert context.memory == "Turn 1 was told.", "from the memory before the turn"
        states = [ballot.state for ballot in house.stage.ballots(CHANNEL)]
        assert states == [BallotState.CLOSED, BallotState.REPLACED, BallotState.OPEN]
        assert house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].votes == {}, "old votes are old"
        assert summaries(house)[-1][0] == 2
        assert len(summaries(house)) == 2
        await house.turn_over(1)
        assert house.narrator.contexts[-1].previous == "Mira slept."


# ── the ways back ────────────────────────────────────────────────────────────────────────────────


async def test_a_turn_written_anew_follows_the_same_plan_and_the_old_one_is_marked() -> None:
    async with House() as house:
        await begun(house, 2)
        old = house.lineage()[-1]
        await house.direction.retry(CHANNEL, ADA)
        await house.until(Phase.VOTING, number=2)
        new = house.lineage()[-1]
        assert (new.number, new.plan) == (2, old.plan)
        assert new.id != old.id
        assert house.world.turns[house.story().id, old.id].paragraph == old.paragraph
        assert house.narrator.contexts[-1].memory == "Turn 1 was told."
        prose = [
            content
            for content in (m.content for m in house.stage.shown(CHANNEL, MessageKind.PROSE))
            if isinstance(content, Prose)
        ]
        assert [piece.dropped for piece in prose] == [False, True, False]
        states = [ballot.state for ballot in house.stage.ballots(CHANNEL)]
        assert states == [BallotState.CLOSED, BallotState.DROPPED, BallotState.OPEN]
        assert await recalled(house) == [1, 2]
        assert "had turn 2 written anew" in house.stage.said(CHANNEL)[-1]


@pytest.mark.parametrize("phase", [Phase.WRITING, Phase.REFLECTING])
async def test_a_turn_that_is_being_made_can_be_written_anew(phase: Phase) -> None:
    async with House() as house:
        await begun(house)
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: house.story().phase is phase)
        await house.direction.retry(CHANNEL, ADA)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_an_opening_can_be_written_anew() -> None:
    async with House() as house:
        await begun(house)
        await house.direction.retry(CHANNEL, ADA)
        await house.until(Phase.VOTING, number=1)
        assert house.narrator.contexts[-1].memory == ""
        assert len(house.lineage()) == 1
        assert await recalled(house) == [1]
        await house.turn_over()
        assert house.narrator.contexts[-1].number == 2


async def test_a_rewind_takes_the_memory_back_and_can_be_taken_back() -> None:
    """What was told is in recall or out of it as a whole; votes of old ballots never count."""
    async with House() as house:
        await begun(house, 4)
        told = [turn.id for turn in house.lineage()]
        await house.direction.rewind(CHANNEL, ADA, 2)
        await house.until(Phase.VOTING, number=2)
        assert house.story().memory.text == "Turn 1 was told. Turn 2 was told."
        assert await recalled(house) == [1, 2]
        assert [turn.id for turn in house.lineage()] == told[:2]
        fresh = house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1]
        assert house.lineage()[-1].ballot == fresh.id
        assert fresh.votes == {}
        wanted = house.story().plans.options[2]
        await house.turn_over(2)
        assert house.narrator.contexts[-1].plan == wanted
        assert await recalled(house) == [1, 2, 3]
        assert house.lineage()[-1].id not in told

        await house.history.undo(CHANNEL, JONAS, 1)
        await house.until(Phase.VOTING, number=4)
        assert [turn.id for turn in house.lineage()] == told
        assert await recalled(house) == [1, 2, 3, 4]
        assert house.story().memory.text.endswith("Turn 4 was told.")
        await house.turn_over()
        assert [turn.number for turn in house.lineage()] == [1, 2, 3, 4, 5]
        assert await recalled(house) == [1, 2, 3, 4, 5]


async def test_an_edit_of_the_memory_goes_and_comes_with_its_turn() -> None:
    async with House() as house:
        await begun(house)
        seen = fingerprint(house.story().memory.text)
        await house.moderation.edit_memory(CHANNEL, ADA, "Mira has the key.", seen)
        await house.turn_over()
        await house.direction.rewind(CHANNEL, ADA, 1)
        await house.until(Phase.VOTING, number=1)
        assert house.story().memory.text == "Mira has the key."


@pytest.mark.parametrize("phase", [Phase.WRITING, Phase.REFLECTING, Phase.PUBLISHING])
async def test_a_rewind_works_while_the_bot_is_at_work(phase: Phase) -> None:
    """What was under way leaves the channel; the fresh ballot stands below everything."""
    async with House() as house:
        await begun(house, 2)
        house.stage.send_s = 1.0
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: house.story().phase is phase)
        await house.finish(house.direction.rewind(CHANNEL, ADA, 1))
        await house.until(Phase.VOTING, number=1)
        assert [turn.number for turn in house.lineage()] == [1]
        assert house.lineage()[-1].ballot == house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].id
        assert await recalled(house) == [1]
        assert len(house.stage.story(CHANNEL)) == 2, "turn 1, and turn 2 that is marked"
        await house.turn_over()
        assert await recalled(house) == [1, 2]


async def test_a_turn_written_anew_can_be_taken_back() -> None:
    async with House() as house:
        await begun(house, 2)
        old = house.lineage()[-1]
        await house.direction.retry(CHANNEL, ADA)
        await house.until(Phase.VOTING, number=2)
        await house.history.undo(CHANNEL, ADA, 1)
        await house.until(Phase.VOTING, number=2)
        assert house.lineage()[-1].id == old.id


async def test_a_deleted_story_leaves_nothing() -> None:
    async with House() as house:
        await begun(house, 2)
        assert await house.direction.delete(CHANNEL) == 2
        for records in (house.world.stories, house.world.turns, house.world.entries):
            assert not records
        with pytest.raises(NoStoryError):
            await house.library.memory(CHANNEL)
        await begun(house)
        assert await recalled(house) == [1]


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


async def test_every_change_is_logged_with_who_and_what() -> None:
    async with House() as house:
        await begun(house, 2)
        await house.moderation.pin(CHANNEL, ADA, "The sea is salt.")
        await house.moderation.forget(CHANNEL, JONAS, 1)
        await house.direction.retry(CHANNEL, ADA)
        log = await house.history.page(CHANNEL)
        assert [(one.number, one.change.kind, one.change.by.name) for one in log] == [
            (3, ChangeKind.RETRIED, "Ada"),
            (2, ChangeKind.FORGOTTEN, "Jonas"),
            (1, ChangeKind.PINNED, "Ada"),
        ]
        assert log[2].change.after == "The sea is salt."
        assert log[0].change.before.startswith("Turn 2 follows")


async def test_a_change_is_taken_back_once_and_can_be_made_again() -> None:
    async with House() as house:
        await begun(house)
        await house.moderation.pin(CHANNEL, ADA, "The sea is salt.")
        await house.history.undo(CHANNEL, JONAS, 1)
        assert house.story().canon.entries == ()
        with pytest.raises(RefusedError, match="already, by change 2"):
            await house.history.undo(CHANNEL, JONAS, 1)
        await house.history.undo(CHANNEL, ADA, 2)
        assert house.story().canon.entries == ("The sea is salt.",)
        await house.history.undo(CHANNEL, ADA, 1)
        assert house.story().canon.entries == ()
        with pytest.raises(InputError, match="no change 9"):
            await house.history.undo(CHANNEL, ADA, 9)


async def test_a_change_that_others_built_on_says_why_it_stays() -> None:
    async with House() as house:
        await begun(house)
        old = house.story().memory.text
        await house.moderation.edit_memory(CHANNEL, ADA, "Mira has the key.", fingerprint(old))
        await house.turn_over()
        with pytest.raises(RefusedError, match=f"differently by now(?s:.*){old}"):
            await house.history.undo(CHANNEL, ADA, 1)
        await house.moderation.forget(CHANNEL, ADA, 2)
        await house.direction.rewind(CHANNEL, ADA, 1)
        with pytest.raises(RefusedError, match="isn't part of the story any more"):
            await house.history.undo(CHANNEL, ADA, 2)


async def test_settings_paragraphs_plans_and_summaries_are_taken_back() -> None:
    async with House() as house:
        await begun(house, 2)
        before = house.story()
        head = house.lineage()[-1]
        assert head.reflection is not None
        await house.moderation.change_settings(
            CHANNEL, ADA, lambda rules: replace(rules, quorum=3, notify_role=9)
        )
        await house.direction.edit_part(CHANNEL, ADA, 0, "No.", fingerprint(head.paragraph))
        old = before.plans.options[0]
        await house.direction.edit_plan(
            CHANNEL, ADA, 0, edits.plan("Other", "Else."), fingerprint(f"{old.title}\n{old.text}")
        )
        seen = fingerprint(head.reflection.summary)
        await house.moderation.amend(CHANNEL, ADA, 2, "Nothing happened.", seen)
        for number in (4, 3, 2, 1):
            await house.history.undo(CHANNEL, JONAS, number)
        await house.until(Phase.VOTING)
        after = house.story()
        assert after.settings == before.settings
        assert [(plan.title, plan.text) for plan in after.plans.options] == [
            (plan.title, plan.text) for plan in before.plans.options
        ]
        assert house.stage.story(CHANNEL)[-1] == head.paragraph
        assert (2, head.reflection.summary) in summaries(house)


async def test_nothing_of_an_ended_story_is_changed() -> None:
    async with House() as house:
        await begun(house)
        await house.teller.end(CHANNEL, "Ada")
        asked: list[Awaitable[object]] = [
            house.moderation.pin(CHANNEL, ADA, "Late."),
            house.moderation.edit_memory(CHANNEL, ADA, "Late.", "x"),
            house.moderation.forget(CHANNEL, ADA, 1),
            house.direction.edit_part(CHANNEL, ADA, 0, "Late.", "x"),
            house.direction.retry(CHANNEL, ADA),
            house.direction.rewind(CHANNEL, ADA, 1),
            house.history.undo(CHANNEL, ADA, 1),
        ]
        for asking in asked:
            with pytest.raises(PhaseError):
                await asking
