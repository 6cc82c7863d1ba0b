"""The ring from recall to vote, what members and moderators can ask, and every fault on the way."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from core.domain.story import Outcome, PauseCause, Phase, VotingRule
from core.errors import (
    BudgetSpentError,
    EmbedderUnavailableError,
    MessageGoneError,
    NarratorRefusedError,
    NarratorUnavailableError,
    NoStoryError,
    PhaseError,
    RefusedError,
    StageError,
    StageUnavailableError,
    StoreError,
    StoreUnavailableError,
    TalewheelError,
)
from core.ports import BallotState, MessageKind, Prose
from core.services.storyteller import Storyteller
from core.services.turns import OUTAGE_WAITS_S
from core.services.wheel import GIVE_UP_AFTER
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House
from tests.fakes.store import When


async def test_a_story_is_told_over_three_turns() -> None:
    """Start, vote, three turns: each plan steers the next paragraph, everything stands once."""
    async with House() as house:
        await house.begin()
        await house.turn_over(option=1)
        await house.turn_over(option=2)
        house.check_told_once()
        plans = [turn.plan.title if turn.plan else None for turn in house.lineage()]
        assert plans == [None, "Way 1b", "Way 2c"]
        assert house.story().brief.title == "The Salt Clock"
        assert [ballot.state for ballot in house.stage.ballots(CHANNEL)] == [
            BallotState.CLOSED,
            BallotState.CLOSED,
            BallotState.OPEN,
        ]


async def test_the_model_is_told_memory_previous_text_plan_and_recall() -> None:
    async with House() as house:
        await house.begin()
        await house.turn_over()
        await house.turn_over()
        last = house.narrator.contexts[-1]
        assert last.number == 3
        assert last.memory == "Turn 1 was told. Turn 2 was told."
        assert last.previous.startswith("Turn 2 follows Way 1a.")
        assert last.plan is not None
        assert last.plan.title == "Way 2a"
        assert [hit.number for hit in last.recalled] == [1], "turn 2 stands there as a whole"
        assert house.lineage()[-1].recalled == last.recalled


async def test_the_reflection_reads_the_very_words_that_members_read() -> None:
    async with House() as house:
        await house.begin()
        [(context, paragraph)] = house.narrator.reflected
        assert paragraph == house.stage.story(CHANNEL)[0]
        assert context == house.narrator.contexts[0]


async def test_what_a_turn_cost_is_stored_with_it() -> None:
    async with House() as house:
        await house.begin()
        [turn] = house.lineage()
        assert (turn.usage.prompt_tokens, turn.usage.calls) == (100 + 1000 + 1200, 3)


async def test_text_streams_by_whole_sentences_into_one_message_with_paced_edits() -> None:
    async with House() as house:
        house.narrator.delay_s = 1.0
        await house.begin(sentences=10)
        [message] = house.stage.shown(CHANNEL, MessageKind.PROSE)
        assert 3 <= len(message.edits) <= 10
        texts = [content.text for content in message.edits if isinstance(content, Prose)]
        assert all(text.endswith(".") for text in texts[1:]), "the first words alone do not wait"


async def test_a_long_paragraph_stands_in_several_messages_in_order() -> None:
    async with House() as house:
        await house.begin(sentences=120)
        pieces = house.stage.shown(CHANNEL, MessageKind.PROSE)
        assert len(pieces) > 1
        [turn] = house.lineage()
        assert " ".join(house.stage.story(CHANNEL)) == turn.paragraph
        assert turn.pieces == tuple(message.id for message in pieces)
        titles = [message.content.title for message in pieces]  # type: ignore[union-attr]
        assert titles == ["The Salt Clock", *[None] * (len(pieces) - 1)]


async def test_the_messages_of_a_turn_are_looked_for_three_times() -> None:
    """What a worker has posted it knows; only its predecessor's messages are looked for."""
    async with House() as house:
        await house.begin()
        house.stage.calls.clear()
        await house.turn_over()
        assert house.stage.calls.count("own_messages") == 3


async def test_the_notice_of_a_narrator_is_said_first() -> None:
    async with House(notice="No model is at work here.") as house:
        await house.begin()
        first = house.stage.shown(CHANNEL)[0]
        assert first.kind is MessageKind.ANNOUNCEMENT
        assert house.stage.said(CHANNEL) == ["No model is at work here."]


# ── votes ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_result_is_in_the_old_ballot_before_the_next_paragraph_begins() -> None:
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 2)
        house.stage.calls.clear()
        await house.until(Phase.VOTING, number=2)
        calls = [call for call in house.stage.calls if call in ("votes", "edit", "send")]
        assert calls[:3] == ["votes", "edit", "send"]


async def test_a_tie_is_drawn_and_says_so() -> None:
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        house.stage.vote(CHANNEL, 2, 2)
        await house.until(Phase.VOTING, number=2)
        closed = house.stage.ballots(CHANNEL)[0]
        assert closed.tally is not None
        assert closed.tally.tied == (0, 2)
        assert closed.message_id is not None


async def test_silence_extends_the_deadline_once_then_the_story_sleeps_and_costs_nothing() -> None:
    async with House() as house:
        story = await house.begin()
        first = story.closes_at
        assert first is not None
        await house.when(lambda: house.story().extended and not house.story().outbox)
        assert house.story().closes_at == pytest.approx(first + 60, abs=2)
        await house.until(Phase.ASLEEP)
        assert house.stage.ballots(CHANNEL)[-1].state is BallotState.ASLEEP
        written = len(house.narrator.contexts)
        await house.clock.run_for(7200)
        assert house.story().phase is Phase.ASLEEP
        assert len(house.narrator.contexts) == written


async def test_a_reaction_wakes_a_sleeping_story_for_a_full_window() -> None:
    async with House() as house:
        await house.begin()
        await house.until(Phase.ASLEEP)
        ballot = house.stage.vote(CHANNEL, 5, 1)
        await house.teller.reacted(CHANNEL, ballot)
        await house.until(Phase.VOTING)
        assert house.story().closes_at == pytest.approx(house.clock.now() + 60, abs=2)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_reaction_to_another_message_wakes_nobody() -> None:
    async with House() as house:
        await house.begin()
        await house.until(Phase.ASLEEP)
        await house.teller.reacted(CHANNEL, 1)
        await house.clock.run_for(10)
        assert house.story().phase is Phase.ASLEEP


async def test_votes_that_came_while_the_bot_was_away_wake_a_sleeping_story() -> None:
    house = House()
    async with house:
        await house.begin()
        await house.until(Phase.ASLEEP)
    house.stage.vote(CHANNEL, 5, 1)
    async with house.restarted() as again:
        await again.finish(again.teller.reconcile())
        await again.until(Phase.VOTING, number=2)
        again.check_told_once()


async def test_a_missed_quorum_is_no_result() -> None:
    async with House() as house:
        await house.begin(quorum=3)
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.ASLEEP)
        assert house.story().head_number == 1


async def test_close_counts_now_and_one_vote_is_enough() -> None:
    async with House() as house:
        await house.begin(quorum=3, vote_s=3600)
        house.stage.vote(CHANNEL, 1, 1)
        tally = await house.teller.close(CHANNEL)
        assert (tally.outcome, tally.winner) == (Outcome.WON, 1)
        await house.until(Phase.VOTING, number=2)
        assert house.clock.now() - house.lineage()[0].written_at < 60
        house.check_told_once()


async def test_close_without_a_vote_is_refused_and_the_vote_runs_on() -> None:
    async with House() as house:
        story = await house.begin(vote_s=3600)
        with pytest.raises(RefusedError, match="No vote counts"):
            await house.teller.close(CHANNEL)
        await house.clock.run_for(30)
        assert house.story().closes_at == story.closes_at
        assert house.story().due == story.closes_at


async def test_single_votes_are_counted_by_the_storys_rule() -> None:
    async with House() as house:
        await house.begin(rule=VotingRule.SINGLE)
        for member, option in ((1, 0), (1, 1), (2, 2)):
            house.stage.vote(CHANNEL, member, option)
        await house.until(Phase.VOTING, number=2)
        assert house.lineage()[-1].plan == house.lineage()[0].plans[2]


async def test_a_deleted_ballot_is_posted_anew_for_the_same_turn() -> None:
    async with House() as house:
        await house.begin()
        house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].deleted = True
        await house.clock.run_for(90)
        assert house.story().phase is Phase.VOTING
        [ballot] = house.stage.ballots(CHANNEL)
        assert ballot.number == 1
        await house.turn_over()
        house.check_told_once()


async def test_a_result_that_the_ballot_cannot_take_becomes_a_message() -> None:
    async with House() as house:
        await house.begin()
        ballot = house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1]
        house.stage.vote(CHANNEL, 1, 0)

        def refuse(name: str) -> TalewheelError | None:
            ballot.deleted = ballot.deleted or name == "edit"
            return None

        house.stage.fail = refuse
        await house.when(lambda: len(house.stage.said(CHANNEL)) > 0)
        assert house.stage.said(CHANNEL) == [
            "The vote of turn 1 is closed: “Way 1a” won with 1 vote."
        ]


# ── requests ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_second_story_in_a_channel_is_refused_while_the_first_lives() -> None:
    async with House() as house:
        await house.begin()
        with pytest.raises(PhaseError, match="runs in this channel already: a vote is running"):
            await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        assert house.story().id.serial == 1


async def test_after_an_end_a_new_story_begins_with_an_empty_memory() -> None:
    async with House() as house:
        await house.begin()
        await house.turn_over()
        await house.teller.end(CHANNEL, "Mo")
        await house.until(Phase.ENDED)
        assert house.stage.said(CHANNEL)[-1].startswith("Mo ended the story after 2 turns.")
        assert house.stage.ballots(CHANNEL)[-1].state is BallotState.ENDED
        house.narrator.contexts.clear()
        story = await house.begin()
        assert story.id.serial == 2
        assert house.narrator.contexts[0].memory == ""
        await house.turn_over()
        assert house.narrator.contexts[-1].recalled == ()


async def test_two_channels_never_see_each_others_memory() -> None:
    async with House() as house:
        await house.begin(channel=1, guild=1)
        await house.begin(channel=2, guild=2)
        for _ in range(2):
            for channel in (1, 2):
                house.stage.vote(channel, 1, channel)
            for channel in (1, 2):
                number = house.story(channel).head_number
                await house.until(Phase.VOTING, channel, max(2, number))
        for channel in (1, 2):
            house.check_told_once(channel)
            own = {turn.id for turn in house.lineage(channel)}
            recalled = {hit.turn_id for turn in house.lineage(channel) for hit in turn.recalled}
            assert recalled <= own


async def test_requests_to_a_channel_without_a_story_are_refused() -> None:
    async with House() as house:
        for request in (
            house.teller.status(5),
            house.teller.close(5),
            house.teller.pause(5, "Mo"),
            house.teller.resume(5),
            house.teller.end(5, "Mo"),
        ):
            with pytest.raises(NoStoryError, match="/story start"):
                await request


async def test_a_pause_keeps_the_vote_time_and_resume_gives_it_back() -> None:
    async with House() as house:
        await house.begin(vote_s=600)
        await house.clock.run_for(100)
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        assert house.stage.ballots(CHANNEL)[-1].state is BallotState.PAUSED
        assert house.stage.said(CHANNEL)[-1] == "Mo paused the story. /story resume goes on."
        await house.clock.run_for(5000)
        assert house.story().phase is Phase.PAUSED
        story = await house.teller.resume(CHANNEL)
        assert story.closes_at == pytest.approx(house.clock.now() + 500, abs=5)
        await house.until(Phase.VOTING)
        assert house.stage.ballots(CHANNEL)[-1].state is BallotState.OPEN


async def test_a_pause_while_a_paragraph_is_written_takes_it_back_and_resume_writes_it() -> None:
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        assert len(house.stage.story(CHANNEL)) == 1, "the half-written paragraph is gone"
        assert house.stage.said(CHANNEL) == ["Mo paused the story. /story resume goes on."]
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_ending_a_story_while_a_paragraph_is_written_stops_the_writer() -> None:
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
        await house.teller.end(CHANNEL, "Mo")
        await house.until(Phase.ENDED)
        await house.clock.run_for(600)
        assert len(house.stage.story(CHANNEL)) == 1
        assert house.story().head_number == 1


async def test_a_ballot_that_was_half_staged_is_paused_and_ended_like_any_other() -> None:
    """Nobody is left with an open ballot that no turn will ever count."""
    async with House() as house:
        house.stage.fail = lambda call: StageUnavailableError("…") if call == "signal" else None
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.when(lambda: bool(house.stage.ballots(CHANNEL)))
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        assert [ballot.state for ballot in house.stage.ballots(CHANNEL)] == [BallotState.PAUSED]
        await house.teller.resume(CHANNEL)
        await house.when(lambda: house.stage.ballots(CHANNEL)[0].state is BallotState.OPEN)
        await house.teller.end(CHANNEL, "Mo")
        await house.until(Phase.ENDED)
        assert [ballot.state for ballot in house.stage.ballots(CHANNEL)] == [BallotState.ENDED]


async def test_a_second_pause_within_a_minute_is_said_too() -> None:
    """The same words as before, but another sentence: the first isn't taken for it."""
    async with House() as house:
        await house.begin()
        for _ in range(2):
            await house.teller.pause(CHANNEL, "Mo")
            await house.until(Phase.PAUSED)
            await house.teller.resume(CHANNEL)
            await house.until(Phase.VOTING)
        assert house.stage.said(CHANNEL) == ["Mo paused the story. /story resume goes on."] * 2


async def test_pausing_twice_is_refused_with_a_sentence() -> None:
    async with House() as house:
        await house.begin()
        await house.teller.pause(CHANNEL, "Mo")
        with pytest.raises(PhaseError, match="it is paused"):
            await house.teller.pause(CHANNEL, "Mo")


async def test_resume_wakes_a_sleeping_story() -> None:
    async with House() as house:
        await house.begin()
        await house.until(Phase.ASLEEP)
        story = await house.teller.resume(CHANNEL)
        assert story.phase is Phase.VOTING


async def test_status_shows_the_story_and_its_newest_turn() -> None:
    async with House() as house:
        await house.begin()
        status = await house.teller.status(CHANNEL)
        assert status.story.phase is Phase.VOTING
        assert status.turn is not None
        assert status.turn.ballot == house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].id


async def test_memory_can_be_read_and_searched() -> None:
    async with House() as house:
        await house.begin()
        await house.turn_over()
        view = await house.library.memory(CHANNEL)
        assert (view.story.memory.text, view.summaries) == ("Turn 1 was told. Turn 2 was told.", 2)
        found = await house.library.find(CHANNEL, "In turn 2 Way 1a began")
        assert found[0].recalled.number == 2
        for bad in ("  ", "x" * 1001):
            with pytest.raises(RefusedError, match="1 to 1000"):
                await house.library.find(CHANNEL, bad)


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


def once(error: TalewheelError, name: str) -> Callable[[str], TalewheelError | None]:
    """Fail the first call of that name."""
    left = [error]

    def fail(called: str) -> TalewheelError | None:
        return left.pop() if called == name and left else None

    return fail


async def test_a_model_that_fails_for_good_pauses_the_story_and_resume_tries_again() -> None:
    async with House() as house:
        await house.begin()
        house.narrator.fail = once(NarratorRefusedError("The key was refused."), "write")
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        pause = house.story().pause
        assert pause is not None
        assert (pause.kept, pause.cause, pause.until) == (Phase.WRITING, PauseCause.FAULT, None)
        said = "The key was refused. /story resume tries again."
        assert house.stage.said(CHANNEL) == [said]
        assert len(house.stage.story(CHANNEL)) == 1
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_failed_reflection_keeps_the_text_and_only_reflecting_is_repeated() -> None:
    async with House() as house:
        await house.begin()
        house.narrator.fail = once(NarratorRefusedError("No valid answer."), "reflect")
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        text = house.stage.story(CHANNEL)[1]
        assert house.story().memory.version == 1, "nothing else changed"
        written = len(house.narrator.contexts)
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        assert house.stage.story(CHANNEL)[1] == text
        assert len(house.narrator.contexts) == written, "the paragraph was paid for once"
        house.check_told_once()


async def test_an_outage_is_waited_out_and_said_once() -> None:
    async with House() as house:
        await house.begin()
        left = [NarratorUnavailableError("The endpoint is down.")] * 3
        house.narrator.fail = lambda name: left.pop() if name == "write" and left else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.VOTING, number=2)
        assert len(house.stage.said(CHANNEL)) == 1
        assert "tries again by itself" in house.stage.said(CHANNEL)[0]
        house.check_told_once()


async def test_tries_during_an_outage_are_bounded() -> None:
    async with House() as house:
        await house.begin()
        down = NarratorUnavailableError("The endpoint is down.")
        house.narrator.fail = lambda name: down if name == "write" else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.clock.run_for(sum(OUTAGE_WAITS_S) * 3)
        assert len(house.narrator.contexts) == 1 + 1 + len(OUTAGE_WAITS_S)
        assert house.stage.said(CHANNEL)[-1] == "The endpoint is down. /story resume tries again."


async def test_a_spent_budget_pauses_until_the_day_turns_and_then_goes_on_by_itself() -> None:
    async with House() as house:
        await house.begin()
        spent = BudgetSpentError("Today's tokens are spent.", until=house.clock.now() + 5000)
        house.narrator.fail = once(spent, "write")
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        pause = house.story().pause
        assert pause is not None
        assert (pause.cause, pause.until) == (PauseCause.BUDGET, spent.until)
        await house.until(Phase.VOTING, number=2)
        assert house.clock.now() >= spent.until
        house.check_told_once()


async def test_an_embedder_that_is_down_is_an_outage_too() -> None:
    async with House() as house:
        await house.begin()
        house.embedder.error = EmbedderUnavailableError("Embeddings are down.")
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        house.embedder.error = None
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_forbidden_channel_pauses_before_a_paragraph_is_paid_for() -> None:
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.teller.close(CHANNEL)
        written = len(house.narrator.contexts)
        house.stage.forbidden.add(CHANNEL)
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        pause = house.story().pause
        assert pause is not None
        assert "Send Messages" in pause.reason
        assert len(house.narrator.contexts) == written
        await house.clock.run_for(3600)
        house.stage.calls.clear()
        await house.clock.run_for(3600)
        assert house.stage.calls == [], "a channel that forbids everything is left alone"
        house.stage.forbidden.clear()
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)


@pytest.mark.parametrize("seed", range(5))
async def test_discord_failing_at_random_loses_nothing_and_says_nothing_twice(seed: int) -> None:
    async with House() as house:
        await house.begin()
        chance = Random(seed)

        def flaky(_name: str) -> TalewheelError | None:
            return StageUnavailableError("503") if chance.random() < 0.15 else None

        house.stage.fail = flaky
        house.stage.fail_after = flaky
        for number in (2, 3, 4):
            house.stage.vote(CHANNEL, 1, 0)
            await house.until(Phase.VOTING, number=number)
        house.stage.fail = house.stage.fail_after = lambda _name: None
        house.check_told_once()


@pytest.mark.parametrize("seed", range(5))
async def test_redis_failing_at_random_loses_nothing(seed: int) -> None:
    async with House() as house:
        await house.begin()
        chance = Random(seed)

        def flaky(_name: str, _when: When) -> None:
            if chance.random() < 0.1:
                raise StoreUnavailableError("Redis is away.")

        house.world.interrupt = flaky
        for number in (2, 3, 4):
            house.stage.vote(CHANNEL, 1, 0)
            await house.until(Phase.VOTING, number=number)
        house.world.interrupt = lambda _name, _when: None
        house.check_told_once()


async def test_a_message_deleted_while_it_streams_is_posted_again() -> None:
    async with House() as house:
        house.narrator.delay_s = 2.0
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
        house.stage.shown(CHANNEL, MessageKind.PROSE)[-1].deleted = True
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_an_edit_of_the_memory_during_a_reflection_is_reflected_on() -> None:
    """A moderator's edit is neither lost nor does it kill the turn."""
    async with House() as house:
        await house.begin()
        edited = [False]

        def edit(name: str) -> TalewheelError | None:
            if name == "reflect" and not edited[0]:
                edited[0] = True
                house.edit_memory("The moderator was here.")
            return None

        house.narrator.fail = edit
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.VOTING, number=2)
        assert house.story().memory.text == "The moderator was here. Turn 2 was told."
        house.check_told_once()


async def test_a_worker_that_lost_its_story_stops_and_changes_nothing() -> None:
    """Two processes with one token: the epoch decides, the late one is fenced off."""
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
        other = house.restarted()
        house.clock.jump(30)
        async with other:
            await other.until(Phase.VOTING, number=2)
            other.check_told_once()


async def test_a_lost_channel_message_error_is_never_taken_for_success() -> None:
    async with House() as house:
        await house.begin()
        house.stage.fail = lambda name: MessageGoneError("gone") if name == "typing" else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        pause = house.story().pause
        assert pause is not None
        assert pause.reason.startswith("gone")


async def test_a_stop_hands_the_story_back_at_once() -> None:
    """After SIGTERM the next process needn't wait for the lease to run out."""
    house = House()
    async with house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
        await house.finish(house.teller.aclose())
        due = house.story().due
        assert due is not None
        assert due <= house.clock.now()
    stopped_at = house.clock.now()
    async with house.restarted() as again:
        await again.until(Phase.VOTING, number=2)
        again.check_told_once()
        assert again.clock.now() - stopped_at < 10


async def test_a_send_under_way_finishes_before_a_pause_takes_the_paragraph_back() -> None:
    """A message that appeared after the look through the channel would stay there for ever."""
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        house.stage.send_s = 3.0
        await house.when(lambda: house.stage.sending)
        pausing = asyncio.create_task(house.teller.pause(CHANNEL, "Mo"))
        await house.when(pausing.done)
        await house.until(Phase.PAUSED)
        await house.clock.run_for(60)
        assert len(house.stage.story(CHANNEL)) == 1


async def test_a_worker_stopped_before_its_first_step_leaves_the_story_workable() -> None:
    """Whatever loop turn a request comes in, the story is never stranded."""
    for offset in range(60):
        async with House() as house:
            await house.begin()
            house.stage.vote(CHANNEL, 1, 0)
            closing = asyncio.create_task(house.teller.close(CHANNEL))
            for _ in range(offset):
                await asyncio.sleep(0)
            pausing = asyncio.create_task(house.teller.pause(CHANNEL, "Mo"))
            await house.when(lambda one=closing, other=pausing: one.done() and other.done())
            await asyncio.gather(closing, pausing, return_exceptions=True)
            await house.until(Phase.PAUSED)
            await house.teller.resume(CHANNEL)
            await house.turn_over()
            assert house.story().head_number >= 2


async def test_a_vote_between_the_last_count_and_sleep_is_not_lost() -> None:
    async with House() as house:
        await house.begin()

        def vote_late(name: str, when: When) -> None:
            counted_twice = house.stage.calls.count("votes") == 2
            if (name, when) == ("commit", When.BEFORE) and counted_twice:
                house.stage.vote(CHANNEL, 7, 1)

        house.world.interrupt = vote_late
        await house.until(Phase.VOTING, number=2)
        assert house.stage.calls.count("votes") > 2
        house.check_told_once()


async def test_a_refusal_of_discord_that_nobody_foresaw_pauses_the_story() -> None:
    """It is told, and nothing is paid for again and again."""
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        refusal = StageError("Discord refuses the message.")
        house.stage.fail = lambda name: refusal if name == "signal" else None
        await house.until(Phase.PAUSED)
        assert house.stage.said(CHANNEL)[-1].startswith("Discord refuses the message.")
        house.stage.fail = lambda _name: None
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_fault_of_the_program_ends_in_a_pause_not_in_endless_spending() -> None:
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        house.world.interrupt = _broken_commit_of_a_reflection(house)
        await house.until(Phase.PAUSED)
        reflections = len(house.narrator.reflected)
        assert reflections <= 1 + GIVE_UP_AFTER
        assert "again and again" in house.stage.said(CHANNEL)[-1]
        await house.clock.run_for(3600)
        assert len(house.narrator.reflected) == reflections


def _broken_commit_of_a_reflection(house: House) -> Callable[[str, When], None]:
    def broken(name: str, when: When) -> None:
        moment = (name, when, house.story().phase)
        if moment == ("commit", When.BEFORE, Phase.REFLECTING):
            broken_commits.append(house.clock.now())
            if len(broken_commits) <= GIVE_UP_AFTER:
                raise StoreError("a bug")

    broken_commits: list[float] = []
    return broken


async def test_an_unreadable_sleeper_does_not_keep_the_others_asleep() -> None:
    house = House()
    async with house:
        for channel in (1, 2):
            await house.begin(channel=channel)
            await house.until(Phase.ASLEEP, channel)
    house.stage.vote(2, 5, 1)
    async with house.restarted() as again:
        head = again.story(1).head
        assert head is not None
        del again.world.turns[again.story(1).id, head]
        await again.finish(again.teller.reconcile())
        await again.until(Phase.VOTING, 2, number=2)


async def test_a_notice_is_said_once_even_if_the_process_dies_and_discord_forgets_its_nonce() -> (
    None
):
    house = House()
    async with house:
        await house.begin()
        await house.clock.run_for(10)
        house.stage.fail_after = lambda name: (
            StageUnavailableError("cut") if name == "send" else None
        )
        await house.teller.pause(CHANNEL, "Mo")
        await house.when(lambda: len(house.stage.said(CHANNEL)) == 1)
        house.stage.fail_after = lambda _name: None
    house.clock.jump(3600)
    async with house.restarted() as again:
        await again.until(Phase.PAUSED)
        assert len(again.stage.said(CHANNEL)) == 1


async def test_a_sleeping_story_whose_ballot_is_gone_wakes_with_a_fresh_one() -> None:
    async with House() as house:
        await house.begin()
        await house.until(Phase.ASLEEP)
        house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].deleted = True
        await house.teller.resume(CHANNEL)
        resumed_at = house.clock.now()
        await house.when(lambda: len(house.stage.ballots(CHANNEL)) == 1)
        assert house.clock.now() - resumed_at < 10, "not only once a window has passed in vain"
        await house.turn_over()
        house.check_told_once()


async def test_a_story_paused_in_its_sleep_is_woken_by_one_resume() -> None:
    async with House() as house:
        await house.begin()
        await house.until(Phase.ASLEEP)
        await house.teller.pause(CHANNEL, "Mo")
        assert (await house.teller.resume(CHANNEL)).phase is Phase.VOTING


async def test_what_goes_on_beside_the_wheel_ends_with_it() -> None:
    """It begins when the wheel turns, and a stop doesn't wait for it."""
    async with House() as house:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def beside() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        teller = Storyteller(house.stations, beside=[beside])
        wheel = asyncio.create_task(teller.run())
        await house.when(begun.is_set)
        await teller.aclose()
        assert ended.is_set()
        wheel.cancel()
        await asyncio.gather(wheel, return_exceptions=True)
