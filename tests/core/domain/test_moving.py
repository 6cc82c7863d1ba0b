"""What becomes of a story on its way: to the same channel, to another one, to another bot."""

from dataclasses import replace

import pytest

from core.domain.identity import id_before
from core.domain.lifecycle import AT_ONCE
from core.domain.moves import resumed
from core.domain.moving import (
    MOVED,
    Places,
    Totals,
    arrived,
    needed_turns,
    same_state,
    uprooted_turn,
    would_lose,
)
from core.domain.story import (
    Canon,
    Memory,
    Notice,
    Outcome,
    Pause,
    PauseCause,
    Phase,
    RefreshBallot,
    Settings,
    StoryId,
    Tally,
)
from tests.fakes.stories import PLANS, a_draft, a_story, a_turn

NOW, EPOCH = 1_800_000_000.0, 1_800_000_001
HOME = Places()
ELSEWHERE = Places(channels={900: 950}, guilds={10: 20})
ANEW = Places(anew=True)
AFTER = id_before(NOW)
TALLY = Tally(Outcome.WON, (0, 2, 0), 2, 1)


def test_totals_add_up() -> None:
    assert Totals(1, 2, 3, 4) + Totals(1, 1, 1, 1) == Totals(2, 3, 4, 5)


def test_a_story_that_comes_home_goes_on_where_it_was() -> None:
    """All but who holds it: its due time is told from the rest."""
    voting = a_story(closes_at=50.0, due=3.0, outbox=(RefreshBallot("t1"),))
    come = arrived(voting, HOME, 1, EPOCH, NOW)
    assert come == replace(voting, epoch=EPOCH, due=AT_ONCE)
    assert same_state(voting, come)
    assert arrived(replace(voting, outbox=()), HOME, 1, EPOCH, NOW).due == 50.0


def test_one_that_comes_elsewhere_waits_with_its_newest_paragraph_and_a_fresh_ballot() -> None:
    """Whatever it was doing with its vote; no id of the old channel is left in it."""
    writing = a_story(phase=Phase.WRITING, draft=a_draft())
    voting = a_story(closes_at=50.0, extended=True, offers=2, said=700)
    kept = Pause(Phase.ASLEEP, PauseCause.FAULT, "A fault.", until=60.0)
    paused = a_story(phase=Phase.PAUSED, pause=kept, outbox=(Notice("n", "Hush."),))
    for story in (writing, voting, paused, a_story(phase=Phase.ASLEEP)):
        come = arrived(story, ELSEWHERE, 3, EPOCH, NOW)
        assert (come.id, come.guild, come.epoch, come.due) == (StoryId(950, 3), 20, EPOCH, None)
        assert come.pause == Pause(Phase.PUBLISHING, PauseCause.MODERATOR, MOVED)
        assert come.draft is not None
        assert (come.draft.turn_id, come.draft.number, come.draft.plan) == ("t1", 1, None)
        assert (come.draft.after, come.draft.attempt, come.said) == (AFTER, EPOCH, AFTER)
        assert (come.outbox, come.closes_at, come.extended, come.offers) == ((), None, False, 0)
        on = resumed(come, NOW)
        assert (on.phase, on.plans, on.memory) == (Phase.PUBLISHING, story.plans, story.memory)


@pytest.mark.parametrize("phase", [Phase.REFLECTING, Phase.PUBLISHING])
def test_a_text_that_no_ballot_follows_yet_is_shown_first(phase: Phase) -> None:
    draft = a_draft(attempt=2, calls=7)
    come = arrived(a_story(phase=phase, draft=draft), ANEW, 1, EPOCH, NOW)
    assert come.id == StoryId(900, 1)
    assert come.pause is not None
    assert come.pause.kept is phase
    assert come.draft == replace(draft, attempt=EPOCH, after=AFTER, calls=0)


def test_a_story_without_a_first_turn_writes_it_where_it_comes_to() -> None:
    opening = a_story(head=None, lineage=(), phase=Phase.WRITING, draft=a_draft(number=1))
    come = arrived(opening, ELSEWHERE, 1, EPOCH, NOW)
    assert come.pause is not None
    assert come.pause.kept is Phase.WRITING
    assert come.draft == a_draft(number=1, attempt=EPOCH, after=AFTER)
    with pytest.raises(ValueError, match="neither a head nor a draft"):
        arrived(replace(opening, draft=None), ELSEWHERE, 1, EPOCH, NOW)


def test_an_ended_story_stays_ended() -> None:
    owed = a_story(phase=Phase.ENDED, outbox=(RefreshBallot("t1"),))
    come = arrived(owed, ELSEWHERE, 1, EPOCH, NOW)
    assert (come.phase, come.outbox, come.due, come.pause) == (Phase.ENDED, (), None, None)


def test_roles_stay_with_their_server() -> None:
    """In another server they would name nobody, or somebody else."""
    story = a_story(settings=Settings(quorum=2, notify_role=5, moderator_role=6))
    assert arrived(story, ELSEWHERE, 1, EPOCH, NOW).settings == Settings(quorum=2)
    assert arrived(story, Places({900: 950}), 1, EPOCH, NOW).settings == story.settings


def test_a_turn_leaves_its_messages_behind() -> None:
    """The one that is voted on next is open again, with the plans that it offered."""
    turn = a_turn(tally=TALLY, rules=Settings(), parts=("The lamp.",), decided=TALLY)
    come = arrived(a_story(), ELSEWHERE, 1, EPOCH, NOW)
    head = uprooted_turn(turn, come)
    assert (head.pieces, head.ballot, head.staged_at, head.parts) == ((), None, None, ())
    assert (head.tally, head.rules, head.plans, head.decided) == (None, None, PLANS, TALLY)
    older = uprooted_turn(replace(turn, id="t0"), come)
    assert (older.tally, older.rules, older.ballot) == (TALLY, Settings(), None)
    ended = arrived(a_story(phase=Phase.ENDED), ELSEWHERE, 1, EPOCH, NOW)
    assert uprooted_turn(turn, ended).tally == TALLY


def test_what_a_replacement_would_lose_is_named() -> None:
    here = a_story()
    assert not would_lose(here, here, 0, 0)
    assert would_lose(here, here, 1, 0) == "1 turn"
    assert would_lose(here, here, 3, 1) == "3 turns and 1 change by moderators"
    assert would_lose(here, here, 0, 2) == "2 changes by moderators"
    ended = a_story(phase=Phase.ENDED)
    assert would_lose(ended, here, 0, 0) == "its end"
    assert not would_lose(here, ended, 0, 0)
    assert not would_lose(ended, ended, 0, 0)
    newer = a_story(memory=Memory("More.", 1))
    assert would_lose(newer, here, 0, 0) == "newer memory, plans or settings"
    assert not would_lose(here, newer, 0, 0)
    assert would_lose(a_story(canon=Canon(("It rains.",), 1)), here, 0, 0)


def test_the_turns_that_a_story_needs_to_go_on() -> None:
    assert needed_turns(a_story()) == {"t1"}
    assert needed_turns(a_story(phase=Phase.WRITING, draft=a_draft())) == {"t1"}
    assert needed_turns(a_story(phase=Phase.REFLECTING, draft=a_draft())) == {"t1", "t2"}
    kept = Pause(Phase.PUBLISHING, PauseCause.MODERATOR, "Wait.")
    paused = a_story(phase=Phase.PAUSED, pause=kept, head=None, draft=a_draft())
    assert needed_turns(paused) == {"t2"}
