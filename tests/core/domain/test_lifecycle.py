"""The table of phases: what it lists happens, everything else is refused with a sentence."""

from itertools import product

import pytest

from core.domain.lifecycle import (
    AT_ONCE,
    LIVE,
    WORKING,
    Event,
    describe,
    due_at_rest,
    is_shut_out,
    next_phase,
    pausing,
)
from core.domain.story import Notice, Pause, PauseCause, Phase
from core.errors import PhaseError
from tests.fakes.stories import a_story

P, E = Phase, Event

LISTED = {
    (P.WRITING, E.TEXT_FINISHED): P.REFLECTING,
    (P.REFLECTING, E.REFLECTED): P.PUBLISHING,
    (P.PUBLISHING, E.STAGED): P.VOTING,
    (P.VOTING, E.WON): P.WRITING,
    (P.VOTING, E.EXTENDED): P.VOTING,
    (P.VOTING, E.FELL_ASLEEP): P.ASLEEP,
    (P.ASLEEP, E.WOKEN): P.VOTING,
    (P.WRITING, E.PAUSED): P.PAUSED,
    (P.REFLECTING, E.PAUSED): P.PAUSED,
    (P.PUBLISHING, E.PAUSED): P.PAUSED,
    (P.VOTING, E.PAUSED): P.PAUSED,
    (P.ASLEEP, E.PAUSED): P.PAUSED,
    (P.PAUSED, E.HELD): P.PAUSED,
    (P.VOTING, E.RETRIED): P.WRITING,
    (P.ASLEEP, E.RETRIED): P.WRITING,
    (P.PAUSED, E.RETRIED): P.WRITING,
    (P.WRITING, E.RETRIED): P.WRITING,
    (P.REFLECTING, E.RETRIED): P.WRITING,
    (P.VOTING, E.REFLECTED_ANEW): P.REFLECTING,
    (P.ASLEEP, E.REFLECTED_ANEW): P.REFLECTING,
    (P.PAUSED, E.REFLECTED_ANEW): P.REFLECTING,
    (P.WRITING, E.REWOUND): P.PUBLISHING,
    (P.REFLECTING, E.REWOUND): P.PUBLISHING,
    (P.PUBLISHING, E.REWOUND): P.PUBLISHING,
    (P.VOTING, E.REWOUND): P.PUBLISHING,
    (P.ASLEEP, E.REWOUND): P.PUBLISHING,
    (P.PAUSED, E.REWOUND): P.PUBLISHING,
    (P.WRITING, E.ENDED): P.ENDED,
    (P.REFLECTING, E.ENDED): P.ENDED,
    (P.PUBLISHING, E.ENDED): P.ENDED,
    (P.VOTING, E.ENDED): P.ENDED,
    (P.ASLEEP, E.ENDED): P.ENDED,
    (P.PAUSED, E.ENDED): P.ENDED,
}
"""design.md's table, written out a second time by hand."""


@pytest.mark.parametrize(("phase", "event"), list(product(Phase, Event)))
def test_every_pair_is_listed_or_refused(phase: Phase, event: Event) -> None:
    """Each of the pairs leads where the design says, or is refused."""
    if (phase, event) in LISTED:
        assert next_phase(phase, event) is LISTED[phase, event]
    else:
        with pytest.raises(PhaseError, match=describe(phase)):
            next_phase(phase, event)


@pytest.mark.parametrize("kept", sorted(LIVE - {Phase.PAUSED}))
def test_resuming_goes_back_to_the_kept_phase(kept: Phase) -> None:
    assert next_phase(Phase.PAUSED, Event.RESUMED, kept) is kept


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.PAUSED}))
def test_only_a_paused_story_can_be_resumed(phase: Phase) -> None:
    with pytest.raises(PhaseError):
        next_phase(phase, Event.RESUMED, Phase.VOTING)


def test_a_pause_can_be_held_while_it_would_end_by_itself() -> None:
    waiting = Pause(Phase.WRITING, PauseCause.FAULT, "…", until=99.0)
    assert pausing(a_story(phase=Phase.PAUSED, pause=waiting)) is Event.HELD
    stopped = Pause(Phase.WRITING, PauseCause.FAULT, "…")
    assert pausing(a_story(phase=Phase.PAUSED, pause=stopped)) is Event.PAUSED
    assert pausing(a_story()) is Event.PAUSED


def test_a_refusal_says_what_was_asked_and_where_the_story_stands() -> None:
    with pytest.raises(PhaseError) as refusal:
        next_phase(Phase.VOTING, Event.WOKEN)
    assert str(refusal.value) == "The story can't be woken now: a vote is running."


@pytest.mark.parametrize("phase", sorted(WORKING))
def test_work_is_due_at_once(phase: Phase) -> None:
    assert due_at_rest(a_story(phase=phase)) == AT_ONCE


def test_a_vote_is_due_at_its_deadline() -> None:
    assert due_at_rest(a_story(phase=Phase.VOTING, closes_at=77.0)) == 77.0


@pytest.mark.parametrize("until", [None, 99.0])
def test_a_pause_is_due_when_it_ends_by_itself(until: float | None) -> None:
    pause = Pause(Phase.WRITING, PauseCause.BUDGET, "…", until=until)
    assert due_at_rest(a_story(phase=Phase.PAUSED, pause=pause)) == until


@pytest.mark.parametrize("phase", [Phase.ASLEEP, Phase.ENDED])
def test_sleep_and_the_end_wait_for_somebody_to_ask(phase: Phase) -> None:
    assert due_at_rest(a_story(phase=phase)) is None


@pytest.mark.parametrize("cause", list(PauseCause))
def test_only_a_story_that_is_shut_out_lets_what_it_owes_wait(cause: PauseCause) -> None:
    pause = Pause(Phase.VOTING, cause, "…", until=None)
    story = a_story(phase=Phase.PAUSED, pause=pause, outbox=(Notice("n", "…"),))
    waits = cause in {PauseCause.CHANNEL, PauseCause.ABSENT}
    assert is_shut_out(story) is waits
    assert due_at_rest(story) == (None if waits else AT_ONCE)


@pytest.mark.parametrize("phase", list(Phase))
def test_what_the_channel_is_owed_is_due_at_once_in_every_phase(phase: Phase) -> None:
    assert due_at_rest(a_story(phase=phase, outbox=(Notice("n", "…"),))) == AT_ONCE
