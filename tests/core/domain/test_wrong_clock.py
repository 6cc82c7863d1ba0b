"""How far ahead a due time may lie, and what becomes of one that a wrong clock has set."""

from dataclasses import replace

from core.domain import moves
from core.domain.lifecycle import LONGEST_PAUSE_S, longest_wait
from core.domain.story import Pause, PauseCause, Phase, RefreshBallot, Settings
from tests.fakes.stories import a_draft, a_story

PAUSE = Pause(Phase.WRITING, PauseCause.FAULT, "The model is away.", until=90_000.0)


def test_a_due_time_lies_no_further_ahead_than_what_it_waits_for_is_long() -> None:
    """A window for a vote, a day for a pause, a lease for work; a lease can hold any of them."""
    voting = a_story(settings=Settings(vote_s=600))
    assert longest_wait(voting, 10.0) == 600.0
    assert longest_wait(replace(voting, settings=Settings(vote_s=5)), 10.0) == 10.0
    assert longest_wait(a_story(phase=Phase.PAUSED, pause=PAUSE), 10.0) == LONGEST_PAUSE_S
    assert longest_wait(a_story(phase=Phase.WRITING, draft=a_draft()), 10.0) == 10.0


def test_a_vote_that_a_wrong_clock_held_open_runs_a_full_window() -> None:
    """And its ballot says so, once."""
    story = a_story(settings=Settings(vote_s=600), closes_at=90_000.0)
    redated = moves.redated(moves.redated(story, 1000.0), 1000.0)
    assert redated.closes_at == 1600.0
    assert redated.outbox == (RefreshBallot("t1"),)


def test_a_pause_that_a_wrong_clock_held_is_over() -> None:
    paused = a_story(phase=Phase.PAUSED, pause=PAUSE)
    redated = moves.redated(paused, 1000.0)
    assert redated.pause is not None
    assert redated.pause.until == 1000.0


def test_what_waits_for_nothing_stays_as_it_is() -> None:
    """Work, and a pause that only somebody's word ends: taking the story is all it needs."""
    writing = a_story(phase=Phase.WRITING, draft=a_draft())
    assert moves.redated(writing, 1000.0) == writing
    paused = a_story(phase=Phase.PAUSED, pause=replace(PAUSE, until=None))
    assert moves.redated(paused, 1000.0) == paused
