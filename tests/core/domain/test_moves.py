"""What each event changes in a story beside its phase."""

from dataclasses import replace

import pytest

from core.domain import moves
from core.domain.identity import DISCORD_EPOCH_S, id_before
from core.domain.lifecycle import AT_ONCE, due_at_rest
from core.domain.story import (
    Notice,
    OfferVotes,
    Opening,
    Outcome,
    Pause,
    PauseCause,
    Phase,
    RefreshBallot,
    Settings,
    StoryId,
    Stretch,
    Tally,
    Usage,
    WholeText,
)
from core.domain.tokens import corrected
from core.errors import AllowanceSpentError, PhaseError
from tests.fakes.stories import BRIEF, PLANS, a_draft, a_reflection, a_story

BORN = DISCORD_EPOCH_S + 1e8
"""A moment whose ids are greater than those that the samples have."""


def test_a_new_story_is_due_at_once_and_owes_its_notice() -> None:
    notice = Notice("n", "No model is at work here.")
    story = moves.begun(
        StoryId(5, 1), 7, BRIEF, Settings(), now=3.0, turn_id="t", after=11, notice=notice
    )
    assert (story.phase, story.due, story.outbox) == (Phase.WRITING, AT_ONCE, (notice,))
    assert story.draft is not None
    assert (story.draft.number, story.draft.plan, story.draft.after) == (1, None, 11)


def test_a_new_story_without_a_notice_owes_nothing() -> None:
    story = moves.begun(
        StoryId(5, 1), 7, BRIEF, Settings(), now=3.0, turn_id="t", after=11, notice=None
    )
    assert story.outbox == ()


def test_the_opening_call_is_paid_by_the_first_turn() -> None:
    story = moves.titled(
        a_story(phase=Phase.WRITING, draft=a_draft()), Opening("T", "O"), Usage(5, 0, 3, 1)
    )
    assert (story.brief.title, story.brief.outline, story.brief.premise) == (
        "T",
        "O",
        BRIEF.premise,
    )
    assert story.draft is not None
    assert story.draft.usage.tokens == 8


def test_the_opening_call_needs_a_draft() -> None:
    with pytest.raises(ValueError, match="no draft"):
        moves.titled(a_story(), Opening("T", "O"), Usage())


def test_calls_are_counted_up_to_the_allowance_of_a_turn() -> None:
    story = a_story(phase=Phase.WRITING, draft=a_draft())
    for _ in range(moves.TURN_CALLS):
        story = moves.called(story)
    with pytest.raises(AllowanceSpentError, match="/story resume allows as many calls again"):
        moves.called(story)
    assert moves.called(moves.not_called(story)) == story


def test_who_resumes_allows_all_calls_and_tries_again_and_time_does_not() -> None:
    draft = a_draft(calls=moves.TURN_CALLS)
    story = a_story(phase=Phase.REFLECTING, draft=draft, tries=3)
    paused = moves.paused(story, PauseCause.FAULT, "…", now=1.0, notice_nonce="n", until=61.0)
    by_itself = moves.resumed(paused, now=61.0, by_itself=True)
    assert (by_itself.draft, by_itself.tries) == (draft, 4)
    by_a_person = moves.resumed(paused, now=2.0)
    assert (by_a_person.draft, by_a_person.tries) == (a_draft(), 0)


def test_reflecting_makes_the_draft_the_head_of_its_branch() -> None:
    before = a_story(phase=Phase.REFLECTING, draft=a_draft(), tries=2)
    story = moves.reflected(before, a_reflection(2), Usage())
    assert (story.head, story.lineage, story.tries) == ("t2", (Stretch("main", 1, 2),), 0)
    assert story.memory.version == before.memory.version + 1
    assert story.plans.version == before.plans.version + 1


def test_the_first_reflection_begins_the_main_branch() -> None:
    before = a_story(phase=Phase.REFLECTING, lineage=(), head=None, draft=a_draft(number=1))
    assert moves.reflected(before, a_reflection(), Usage()).lineage == (Stretch("main", 1, 1),)


def test_a_later_branch_grows_without_its_ancestors() -> None:
    lineage = (Stretch("main", 1, 4), Stretch("b", 5, 6))
    before = a_story(phase=Phase.REFLECTING, lineage=lineage, draft=a_draft(number=7))
    grown = moves.reflected(before, a_reflection(), Usage())
    assert grown.lineage == (lineage[0], Stretch("b", 5, 7))


def test_the_measure_of_a_token_moves_with_the_turn_and_not_within_it() -> None:
    """A reflection's prompt begins with the paragraph's, trimmed by the same measure."""
    writing = a_story(phase=Phase.WRITING, draft=a_draft(), tries=2)
    reflecting = moves.text_finished(writing)
    assert (reflecting.phase, reflecting.tries) == (Phase.REFLECTING, 0)
    assert reflecting.bytes_per_token == writing.bytes_per_token
    written = Usage(1000, 0, 300, 1, prompt_bytes=3000)
    told = moves.reflected(reflecting, a_reflection(2), written)
    assert told.bytes_per_token == corrected(writing.bytes_per_token, written) < 4.0


def test_the_deadline_counts_from_the_ballots_own_time_stamp() -> None:
    story = moves.staged(a_story(phase=Phase.PUBLISHING, draft=a_draft()), 1000.0)
    assert (story.phase, story.closes_at, story.draft) == (Phase.VOTING, 1000.0 + 3600, None)


def test_a_win_drafts_the_next_turn_and_owes_the_old_ballot_its_result() -> None:
    tally = Tally(Outcome.WON, (0, 2, 0), 2, winner=1)
    voting = a_story(closes_at=9.0, extended=True)
    story = moves.won(voting, tally, "t2", 601, now=0.0)
    assert story.outbox == (RefreshBallot("t1"),)
    assert (story.closes_at, story.extended) == (None, False)
    assert story.draft == a_draft(plan=PLANS[1], after=601, decided=tally)


def test_silence_extends_once_and_then_sends_to_sleep() -> None:
    extended = moves.undecided(a_story(closes_at=9.0), now=10.0)
    assert (extended.phase, extended.extended, extended.closes_at) == (Phase.VOTING, True, 3610.0)
    asleep = moves.undecided(extended, now=3610.0)
    assert (asleep.phase, asleep.closes_at) == (Phase.ASLEEP, None)
    assert asleep.outbox == (RefreshBallot("t1"),), "owed once, however often it was asked for"


def test_waking_opens_a_full_window_that_can_be_extended_again() -> None:
    story = moves.woken(a_story(phase=Phase.ASLEEP, extended=True), now=50.0)
    assert (story.phase, story.closes_at, story.extended) == (Phase.VOTING, 3650.0, False)


def test_a_pause_keeps_the_vote_time_that_was_left() -> None:
    paused = moves.paused(
        a_story(closes_at=1000.0), PauseCause.MODERATOR, "Mo paused.", now=400.0, notice_nonce="n"
    )
    assert paused.pause == Pause(Phase.VOTING, PauseCause.MODERATOR, "Mo paused.", 600.0)
    assert paused.outbox == (Notice("n", "Mo paused."), RefreshBallot("t1"))
    resumed = moves.resumed(paused, now=5000.0)
    assert (resumed.phase, resumed.closes_at, resumed.pause) == (Phase.VOTING, 5600.0, None)


def test_a_vote_paused_at_its_deadline_is_open_for_a_moment_once_resumed() -> None:
    paused = moves.paused(
        a_story(closes_at=1000.0), PauseCause.FAULT, "…", now=1007.0, notice_nonce="n"
    )
    assert moves.resumed(paused, now=2000.0).closes_at == 2000.0 + moves.LEAST_VOTE_S


def test_a_pause_while_writing_takes_back_what_is_half_written() -> None:
    paused = moves.paused(
        a_story(phase=Phase.WRITING, draft=a_draft()),
        PauseCause.MODERATOR,
        "Mo paused.",
        now=1.0,
        notice_nonce="n",
    )
    assert paused.outbox == (Notice("n", "Mo paused.", withdraw_after=500),)
    resumed = moves.resumed(paused, now=2.0)
    assert resumed.draft == a_draft(attempt=2), "the same turn, under new nonces"


def test_a_silent_pause_while_writing_still_takes_back_what_is_half_written() -> None:
    story = a_story(phase=Phase.WRITING, draft=a_draft())
    paused = moves.paused(story, PauseCause.FAULT, "…", now=1.0, notice_nonce=None, until=61.0)
    assert paused.outbox == (Notice(None, "…", withdraw_after=500),)


def test_a_silent_pause_says_nothing_where_nothing_is_half_written() -> None:
    story = a_story(closes_at=9.0)
    paused = moves.paused(story, PauseCause.FAULT, "…", now=1.0, notice_nonce=None, until=61.0)
    assert paused.outbox == (RefreshBallot("t1"),)


@pytest.mark.parametrize("phase", [Phase.REFLECTING, Phase.PUBLISHING])
def test_a_story_that_stops_with_a_finished_text_owes_the_whole_of_it(phase: Phase) -> None:
    """Nobody knows how much of it the channel has: what is stored is what members read."""
    story = a_story(phase=phase, draft=a_draft())
    paused = moves.paused(story, PauseCause.MODERATOR, "Mo paused.", now=1.0, notice_nonce="n")
    assert paused.outbox[:2] == (WholeText(a_draft()), Notice("n", "Mo paused."))
    ended = moves.ended(story, "The end.", now=1.0, notice_nonce="n")
    assert ended.outbox[:2] == (WholeText(a_draft()), Notice("n", "The end."))


@pytest.mark.parametrize("cause", [PauseCause.FAULT, PauseCause.BUDGET])
def test_a_moderator_stops_a_pause_from_ending_by_itself(cause: PauseCause) -> None:
    waiting = moves.paused(
        a_story(closes_at=1000.0), cause, "…", now=400.0, notice_nonce=None, until=460.0
    )
    held = moves.paused(waiting, PauseCause.MODERATOR, "Mo paused.", now=430.0, notice_nonce="n")
    assert held.pause == Pause(Phase.VOTING, PauseCause.MODERATOR, "Mo paused.", 600.0)
    assert (held.tries, due_at_rest(replace(held, outbox=()))) == (0, None)
    assert moves.resumed(held, now=5000.0).closes_at == 5600.0


def test_a_pause_without_an_end_of_its_own_is_not_paused_again() -> None:
    fault, moderator = PauseCause.FAULT, PauseCause.MODERATOR
    paused = moves.paused(a_story(), fault, "…", now=1.0, notice_nonce=None)
    with pytest.raises(PhaseError):
        moves.paused(paused, moderator, "Mo paused.", now=2.0, notice_nonce="n")
    waiting = moves.paused(a_story(), fault, "…", now=1.0, notice_nonce=None, until=61.0)
    with pytest.raises(PhaseError):
        moves.paused(waiting, fault, "…", now=2.0, notice_nonce=None)


def test_what_was_taken_back_is_not_sought_again_below_the_resumption() -> None:
    """A channel can say a great deal during a pause of days."""
    week = 7 * 86_400.0
    story = a_story(phase=Phase.WRITING, draft=a_draft())
    paused = moves.paused(story, PauseCause.MODERATOR, "Mo paused.", now=BORN, notice_nonce="n")
    owing = moves.resumed(paused, now=BORN + week)
    assert owing.draft == a_draft(attempt=2), "something of it may still stand there"
    clean = moves.resumed(moves.withdrawn(paused), now=BORN + week)
    assert clean.draft == a_draft(attempt=2, after=id_before(BORN + week))


def test_a_withdrawal_after_the_pause_changes_nothing() -> None:
    story = a_story(phase=Phase.WRITING, draft=a_draft())
    assert moves.withdrawn(story) == story


def test_waiting_out_an_outage_counts_as_a_try_and_other_pauses_do_not() -> None:
    story = a_story(phase=Phase.REFLECTING, draft=a_draft(), tries=2)
    fault, budget = PauseCause.FAULT, PauseCause.BUDGET
    assert moves.paused(story, fault, "…", now=1, notice_nonce="n", until=9).tries == 3
    assert moves.paused(story, fault, "…", now=1, notice_nonce="n").tries == 0
    assert moves.paused(story, budget, "…", now=1, notice_nonce="n", until=9).tries == 0


def test_text_that_is_finished_is_not_written_again_after_a_pause() -> None:
    story = moves.text_finished(a_story(phase=Phase.WRITING, draft=a_draft()))
    paused = moves.paused(story, PauseCause.FAULT, "…", now=1.0, notice_nonce="n")
    resumed = moves.resumed(paused, now=2.0)
    assert (resumed.phase, resumed.draft) == (Phase.REFLECTING, a_draft())


def test_a_story_that_is_not_paused_cannot_be_resumed() -> None:
    with pytest.raises(PhaseError):
        moves.resumed(a_story(), now=1.0)


def test_a_lost_ballot_is_staged_again_for_the_same_turn() -> None:
    voting = a_story(closes_at=5.0, extended=True)
    story = moves.balloted_anew(voting, 601, "Gone.", now=0.0, notice_nonce="n")
    assert story.phase is Phase.PUBLISHING
    assert not story.extended, "the fresh ballot was never extended"
    assert story.outbox == (Notice("n", "Gone."),)
    assert story.draft == a_draft(turn_id="t1", number=1, plan=None, after=601)


def test_a_ballot_that_is_staged_again_is_not_owed_a_drawing_too() -> None:
    """Paid after a crash, it would stage a second fresh ballot."""
    notice = Notice("n", "…")
    story = a_story(closes_at=5.0, outbox=(notice, RefreshBallot("t1")))
    anew = moves.balloted_anew(story, 601, "Gone.", now=0.0, notice_nonce="m")
    assert anew.outbox == (notice, Notice("m", "Gone."))


def test_without_a_head_there_is_no_ballot_to_stage_again() -> None:
    with pytest.raises(ValueError, match="no ballot"):
        moves.balloted_anew(a_story(head=None), 1, "Gone.", now=0.0, notice_nonce="n")


def test_ending_says_so_and_closes_the_ballot() -> None:
    story = moves.ended(a_story(closes_at=5.0), "The end.", now=0.0, notice_nonce="n")
    assert (story.phase, story.closes_at) == (Phase.ENDED, None)
    assert story.outbox == (Notice("n", "The end."), RefreshBallot("t1"))


def test_ending_a_pause_while_writing_takes_back_what_is_half_written() -> None:
    pause = Pause(Phase.WRITING, PauseCause.FAULT, "…")
    story = a_story(phase=Phase.PAUSED, pause=pause, draft=a_draft())
    ended = moves.ended(story, "The end.", now=0.0, notice_nonce="n")
    assert ended.outbox == (Notice("n", "The end.", withdraw_after=500),)
    assert (ended.draft, ended.pause) == (None, None)


def test_an_effect_that_is_done_is_owed_no_more() -> None:
    first, second = Notice("a", "…"), RefreshBallot("t1")
    story = moves.settled(a_story(outbox=(first, second)), first)
    assert story.outbox == (second,)


def test_a_sentence_that_was_said_is_remembered_by_its_message() -> None:
    """What is said next is looked for above it; a drawn ballot is no sentence."""
    notice, ballot = Notice("a", "…"), RefreshBallot("t1")
    story = moves.settled(a_story(outbox=(notice, ballot), said=5), notice, 700)
    assert story.said == 700
    assert moves.settled(story, ballot).said == 700


def test_a_ballot_that_may_be_half_staged_is_owed_with_where_to_look_for_it() -> None:
    story = a_story(phase=Phase.PUBLISHING, draft=a_draft(turn_id="t1", number=1, after=500))
    ended = moves.ended(story, "The end.", now=0.0, notice_nonce="n")
    assert ended.outbox[1:] == (Notice("n", "The end."), RefreshBallot("t1", after=500))


def test_before_the_first_turn_there_is_no_ballot_to_draw() -> None:
    draft = a_draft(number=1)
    story = a_story(phase=Phase.REFLECTING, head=None, lineage=(), draft=draft)
    ended = moves.ended(story, "The end.", now=0.0, notice_nonce="n")
    assert ended.outbox == (WholeText(draft), Notice("n", "The end."))


@pytest.mark.parametrize(
    ("cause", "closes_at", "left"),
    [
        (PauseCause.CHANNEL, 5.0, 3.0),
        (PauseCause.CHANNEL, 1.0, 0.0),
        (PauseCause.ABSENT, 5.0, 3.0),
        (PauseCause.ABSENT, 1.0, float(Settings().vote_s)),
    ],
)
def test_a_story_that_is_shut_out_keeps_its_time_and_what_it_owes(
    cause: PauseCause, closes_at: float, left: float
) -> None:
    """A vote whose time passed while the bot was away gets all of it again."""
    owed = (RefreshBallot("t1"),)
    story = moves.shut_out(a_story(closes_at=closes_at, outbox=owed), cause, "Why.", now=2.0)
    assert (story.phase, story.closes_at, story.outbox) == (Phase.PAUSED, None, owed)
    assert story.pause == Pause(Phase.VOTING, cause, "Why.", left)
    back = moves.let_in(story, now=10.0)
    assert (back.phase, back.closes_at) == (Phase.VOTING, 10.0 + max(left, moves.LEAST_VOTE_S))


def test_only_a_pause_that_would_end_by_itself_becomes_one_that_waits_for_the_channel() -> None:
    for pause, becomes in (
        (Pause(Phase.WRITING, PauseCause.MODERATOR, "…"), PauseCause.MODERATOR),
        (Pause(Phase.WRITING, PauseCause.BUDGET, "…", until=9.0), PauseCause.ABSENT),
        (Pause(Phase.WRITING, PauseCause.FAULT, "…", until=9.0), PauseCause.ABSENT),
    ):
        story = a_story(phase=Phase.PAUSED, pause=pause, draft=a_draft())
        shut = moves.shut_out(story, PauseCause.ABSENT, "Why.", now=1.0)
        assert shut.pause is not None
        assert (shut.pause.cause, shut.pause.kept, shut.pause.until) == (
            becomes,
            Phase.WRITING,
            None,
        )
        assert (moves.let_in(shut, now=1.0) == shut) is (becomes is PauseCause.MODERATOR)


def test_the_end_is_neither_shut_out_nor_ended_again() -> None:
    ended = a_story(phase=Phase.ENDED, outbox=(RefreshBallot("t1"),))
    assert moves.shut_out(ended, PauseCause.ABSENT, "…", now=1.0) == ended
    assert moves.vanished(ended) == ended
    assert moves.vanished(a_story(outbox=(RefreshBallot("t1"),))).outbox == ()


def test_reactions_are_put_back_where_members_vote_and_only_so_often() -> None:
    story = a_story(outbox=(OfferVotes("t1"),))
    for times in range(1, moves.MOST_OFFERS + 1):
        story = moves.offered_again(story, Notice("n", "…"))
        assert story.offers == times
        assert story.outbox == (OfferVotes("t1"), Notice("n", "…"))
    assert moves.offered_again(story) == story
    for still in (a_story(head=None), a_story(phase=Phase.WRITING)):
        assert moves.offered_again(still) == still
