"""What becomes of a story when its channel refuses, vanishes, or the bot is sent away: over fakes.

How often the channel was spoken to is read from the fake stage's list of calls.
"""

from collections.abc import Awaitable, Callable
from typing import NoReturn

import pytest

from core.domain.moves import MOST_OFFERS
from core.domain.story import PauseCause, Phase, RefreshBallot
from core.errors import (
    NarratorUnavailableError,
    RefusedError,
    StageUnavailableError,
    StoreUnavailableError,
)
from core.ports import BallotState, MessageKind
from core.services.channels import CLEARED, LOOK_S, SETTLE_S, TRY_WAITS_S
from core.services.publishing import GONE
from tests.core.services.house import CHANNEL, GUILD, SETTINGS, House

LONG_S = 600.0
"""Longer than any vote, lease or pause between tries."""

Change = Callable[[House], None]
Stand = Callable[[House], Awaitable[None]]


def mute(house: House) -> None:
    house.stage.muted.add(CHANNEL)


def blind(house: House) -> None:
    house.stage.blind.add(CHANNEL)


def hide(house: House) -> None:
    house.stage.forbidden.add(CHANNEL)


def open_(house: House) -> None:
    for closed in (house.stage.muted, house.stage.blind, house.stage.forbidden):
        closed.discard(CHANNEL)


async def nothing_is_asked(house: House, for_s: float = LONG_S) -> None:
    """Time passes, and not one request is made."""
    house.stage.calls.clear()
    await house.clock.run_for(for_s)
    assert house.stage.calls == []


def pause_of(house: House) -> tuple[PauseCause, Phase]:
    pause = house.story().pause
    assert pause is not None
    return pause.cause, pause.kept


async def streaming(house: House) -> None:
    """A story whose second paragraph is half on stage."""
    await house.begin()
    house.stage.vote(CHANNEL, 1, 0)
    await house.teller.close(CHANNEL)
    await house.when(lambda: len(house.stage.shown(CHANNEL, MessageKind.PROSE)) == 2)


async def voting(house: House) -> None:
    await house.begin()
    house.stage.vote(CHANNEL, 1, 0)


async def asleep(house: House) -> None:
    await house.begin()
    await house.until(Phase.ASLEEP)


# ── a channel that refuses ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("shut", "kept"), [(mute, Phase.WRITING), (blind, Phase.VOTING), (hide, Phase.VOTING)]
)
async def test_a_vote_in_a_channel_that_refuses_is_counted_once_it_is_open(
    shut: Change, kept: Phase
) -> None:
    """Two refused requests at most, then silence; an event opens it again, and no vote is lost."""
    async with House() as house:
        await voting(house)
        shut(house)
        house.stage.calls.clear()
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        assert pause_of(house) == (PauseCause.CHANNEL, kept)
        assert house.stage.refused <= 2
        await nothing_is_asked(house)
        open_(house)
        await house.teller.changed(GUILD, house.looks_open)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()
        assert house.lineage()[0].tally is not None


@pytest.mark.parametrize("shut", [mute, blind, hide])
async def test_a_channel_that_refuses_in_the_middle_of_a_paragraph_keeps_what_was_paid(
    shut: Change,
) -> None:
    """The paragraph is committed and told once it is open; the model isn't asked again for it."""
    async with House() as house:
        await streaming(house)
        shut(house)
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        written = len(house.narrator.contexts)
        assert house.stage.refused <= 2, "the stream's edit and its typing sign"
        await nothing_is_asked(house)
        open_(house)
        await house.teller.changed(GUILD, house.looks_open)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()
        assert len(house.narrator.contexts) == written


async def test_where_it_can_still_speak_the_channel_is_told_once() -> None:
    """Also when the process dies between the sentence and the commit."""
    async with House() as house:
        await voting(house)
        blind(house)
        house.world.interrupt = lambda call, _when: (
            _die() if call == "commit" and house.stage.said(CHANNEL) else None
        )
        await house.when(lambda: len(house.stage.said(CHANNEL)) == 1)
        await house.clock.run_for(30)
        house.world.interrupt = lambda _call, _when: None
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        [said] = house.stage.said(CHANNEL)
        assert said.startswith("The bot lacks Read Message History.")
        assert "/story resume" in said
        status = await house.teller.status(CHANNEL)
        assert status.story.pause is not None
        assert status.story.pause.reason == said


async def test_what_the_channel_is_owed_waits_until_it_is_open() -> None:
    """A result that could not be drawn is drawn then; one request is spent until then."""
    async with House() as house:
        await voting(house)
        await house.teller.close(CHANNEL)
        hide(house)
        house.stage.calls.clear()
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        await house.clock.run_for(LONG_S)
        assert house.stage.calls == ["edit"]
        assert house.story().outbox == (RefreshBallot(house.lineage()[0].id),)
        open_(house)
        await house.teller.changed(GUILD, house.looks_open)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_an_event_that_changes_nothing_costs_nothing() -> None:
    """While the client's picture says that permissions are missing, no request is spent."""
    async with House() as house:
        await voting(house)
        hide(house)
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        house.stage.calls.clear()
        for _ in range(20):
            await house.teller.changed(GUILD, house.looks_open)
            await house.clock.run_for(60)
        assert house.stage.calls == []


async def test_tries_that_are_refused_again_and_again_become_rare() -> None:
    """Four events a minute for hours, in a channel that only looks open: two requests an hour."""
    async with House() as house:
        await voting(house)
        hide(house)
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        house.stage.calls.clear()
        hours = 3
        for _ in range(hours * 60):
            for _ in range(4):
                await house.teller.changed(GUILD, lambda _channel: True)
            await house.clock.run_for(60)
        bound = len(TRY_WAITS_S) + hours * 3600 / TRY_WAITS_S[-1]
        assert len(TRY_WAITS_S) <= len(house.stage.calls) <= bound
        open_(house)
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_story_that_went_on_is_tried_soon_again() -> None:
    """Taken away and given back over and over: each time it goes on after the shortest pause."""
    async with House() as house:
        await voting(house)
        for number in range(2, 9):
            hide(house)
            await house.when(lambda: house.story().phase is Phase.PAUSED)
            open_(house)
            since = house.clock.now()
            await house.teller.changed(GUILD, house.looks_open)
            await house.when(lambda: house.story().phase is not Phase.PAUSED)
            assert house.clock.now() - since <= TRY_WAITS_S[0] + 1
            await house.until(Phase.VOTING, number=number)
            house.stage.vote(CHANNEL, 1, 0)


async def test_other_pauses_and_other_servers_are_left_alone() -> None:
    async with House() as house:
        await house.begin()
        await house.begin(channel=CHANNEL + 1, guild=GUILD + 1)
        await house.teller.pause(CHANNEL, "Ada")
        await house.until(Phase.PAUSED)
        house.stage.vote(CHANNEL + 1, 1, 0)
        house.stage.forbidden.add(CHANNEL + 1)
        await house.when(lambda: house.story(CHANNEL + 1).phase is Phase.PAUSED)
        house.stage.calls.clear()
        await house.teller.changed(GUILD, lambda _channel: True)
        await nothing_is_asked(house)
        assert pause_of(house) == (PauseCause.MODERATOR, Phase.VOTING)


async def test_what_a_stopped_story_owes_a_channel_that_refuses_is_given_up() -> None:
    """A moderator ends it where nothing can be said: they are answered, the channel is left."""
    async with House() as house:
        await house.begin()
        hide(house)
        house.stage.calls.clear()
        await house.teller.end(CHANNEL, "Ada")
        await house.until(Phase.ENDED)
        assert len(house.stage.calls) == 1
        await nothing_is_asked(house)


async def test_a_close_that_cant_count_says_why_and_rests() -> None:
    async with House() as house:
        await voting(house)
        hide(house)
        with pytest.raises(RefusedError, match=r"can't be counted\. The bot lacks View Channel"):
            await house.teller.close(CHANNEL)
        assert pause_of(house) == (PauseCause.CHANNEL, Phase.VOTING)
        house.stage.closed.add(CHANNEL)
        await house.teller.resume(CHANNEL)
        await house.until(Phase.ENDED)


# ── deleted ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stand", [voting, streaming, asleep])
@pytest.mark.parametrize("heard", [True, False])
async def test_a_deleted_channel_ends_its_story_in_silence(stand: Stand, heard: bool) -> None:
    """Told by an event: without one request. Not told: by the first one."""
    async with House() as house:
        await stand(house)
        house.stage.closed.add(CHANNEL)
        house.stage.calls.clear()
        if heard:
            await house.teller.deleted(CHANNEL)
            await house.until(Phase.ENDED)
            assert house.stage.calls == []
        elif house.story().phase is Phase.ASLEEP:
            await house.teller.resume(CHANNEL)
            await house.until(Phase.ENDED)
        else:
            await house.until(Phase.ENDED)
            assert house.stage.refused <= 2
        await nothing_is_asked(house)
        await house.teller.deleted(CHANNEL)
        await house.teller.deleted(CHANNEL + 1)


@pytest.mark.parametrize("by", ["moderator", "refusal"])
async def test_a_deleted_channel_ends_a_paused_story_too(by: str) -> None:
    async with House() as house:
        await voting(house)
        if by == "moderator":
            await house.teller.pause(CHANNEL, "Ada")
        else:
            hide(house)
        await house.when(lambda: house.story().phase is Phase.PAUSED)
        await house.clock.settle()
        house.stage.closed.add(CHANNEL)
        house.stage.calls.clear()
        await house.teller.deleted(CHANNEL)
        await house.until(Phase.ENDED)
        assert house.stage.calls == []


async def test_a_deleted_ballot_is_found_when_somebody_asks_for_the_status() -> None:
    """Looked for once in ten seconds; a fresh one comes, and the channel is told why."""
    async with House() as house:
        await voting(house)
        house.stage.calls.clear()
        for _ in range(5):
            assert (await house.teller.status(CHANNEL)).story.phase is Phase.VOTING
        assert house.stage.calls == ["votes"]
        house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].deleted = True
        assert (await house.teller.status(CHANNEL)).story.phase is Phase.VOTING
        await house.clock.run_for(LOOK_S)
        assert (await house.teller.status(CHANNEL)).story.phase is Phase.PUBLISHING
        await house.until(Phase.VOTING)
        assert house.stage.said(CHANNEL) == [GONE]
        [ballot] = house.stage.ballots(CHANNEL)
        assert ballot.state is BallotState.OPEN


async def test_a_status_tells_what_the_channel_refuses_and_survives_an_outage() -> None:
    async with House() as house:
        await voting(house)
        house.stage.fail = lambda _name: StageUnavailableError("down")
        assert (await house.teller.status(CHANNEL)).story.phase is Phase.VOTING
        house.stage.fail = lambda _name: None
        await house.clock.run_for(LOOK_S)
        hide(house)
        status = await house.teller.status(CHANNEL)
        assert status.story.pause is not None
        assert "View Channel" in status.story.pause.reason


async def test_a_ballot_that_was_deleted_while_asleep_comes_fresh_when_it_is_woken() -> None:
    async with House() as house:
        await asleep(house)
        house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].deleted = True
        await house.finish(house.teller.reconcile())
        assert house.story().phase is Phase.ASLEEP, "nobody asked for it"
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING)
        assert len(house.stage.ballots(CHANNEL)) == 1


# ── the bot sent away ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stand", [voting, streaming, asleep])
async def test_a_bot_that_is_sent_away_rests_and_goes_on_when_invited(
    stand: Stand,
) -> None:
    """Not one request meanwhile, though a vote's time passes; then all goes on as it stood."""
    async with House() as house:
        await stand(house)
        before = house.story()
        kept = before.phase
        left_s = None if before.closes_at is None else before.closes_at - house.clock.now()
        await house.teller.left(GUILD)
        hide(house)
        assert pause_of(house) == (PauseCause.ABSENT, kept)
        await nothing_is_asked(house)
        open_(house)
        await house.teller.changed(GUILD, lambda _channel: False)
        await house.when(lambda: house.story().phase is not Phase.PAUSED)
        if kept is Phase.VOTING:
            await house.clock.settle()
            closes_at = house.story().closes_at
            assert closes_at is not None
            assert left_s is not None
            assert closes_at - house.clock.now() == pytest.approx(left_s, abs=1)
        if kept is Phase.ASLEEP:
            await house.until(Phase.ASLEEP)
            house.stage.vote(CHANNEL, 1, 0)
            await house.teller.reacted(CHANNEL, house.stage.shown(CHANNEL)[-1].id)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_sent_away_and_invited_while_the_process_was_down() -> None:
    """The start compares servers: no request to one that is gone, a full window afterwards."""
    house = House()
    async with house:
        await voting(house)
    house.clock.jump(1000)
    hide(house)
    again = house.restarted()
    await again.compare(GUILD)
    async with again:
        assert pause_of(again) == (PauseCause.ABSENT, Phase.VOTING)
        await nothing_is_asked(again)
    open_(house)
    back = house.restarted()
    await back.compare()
    async with back:
        await back.when(lambda: back.story().phase is Phase.VOTING)
        closes_at = back.story().closes_at
        assert closes_at is not None
        assert closes_at - back.clock.now() == pytest.approx(SETTINGS.vote_s, abs=1)
        await back.until(Phase.VOTING, number=2)
        back.check_told_once()


async def test_a_pause_that_would_end_by_itself_waits_for_the_invitation() -> None:
    """An outage of the model that is over doesn't make the bot speak where it isn't any more."""
    async with House() as house:
        await voting(house)
        house.narrator.fail = lambda _name: NarratorUnavailableError("down")
        await house.teller.close(CHANNEL)
        await house.until(Phase.PAUSED)
        house.narrator.fail = lambda _name: None
        await house.teller.left(GUILD)
        assert pause_of(house) == (PauseCause.ABSENT, Phase.WRITING)
        await nothing_is_asked(house)
        await house.teller.changed(GUILD, house.looks_open)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_moderators_pause_outlives_a_kick() -> None:
    async with House() as house:
        await house.begin()
        await house.teller.pause(CHANNEL, "Ada")
        await house.until(Phase.PAUSED)
        await house.teller.left(GUILD)
        await house.teller.changed(GUILD, house.looks_open)
        await house.clock.run_for(100)
        assert pause_of(house) == (PauseCause.MODERATOR, Phase.VOTING)


async def test_what_happens_to_a_channel_while_redis_is_away_is_made_up_for() -> None:
    """Nothing raises out of an event, and the next start does it."""
    house = House()
    async with house:
        await voting(house)
        house.world.interrupt = lambda call, _when: _away() if call == "current" else None
        await house.teller.deleted(CHANNEL)
        await house.teller.left(GUILD)
        assert house.story().phase is Phase.VOTING
        house.world.interrupt = lambda _call, _when: None
        await house.compare(GUILD)
        assert pause_of(house) == (PauseCause.ABSENT, Phase.VOTING)


# ── reactions ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("paused", [False, True])
async def test_cleared_reactions_are_put_back_and_it_is_said_that_votes_are_lost(
    paused: bool,
) -> None:
    """Three emojis cleared one by one are one clearing; a paused ballot gets them too."""
    async with House() as house:
        await voting(house)
        if paused:
            await house.teller.pause(CHANNEL, "Ada")
            await house.until(Phase.PAUSED)
        ballot = clear(house)
        for _ in range(3):
            await house.teller.cleared(CHANNEL, ballot, votes_lost=True)
        await house.clock.run_for(SETTLE_S + 1)
        assert house.stage.find(CHANNEL, ballot).offered == 3
        assert house.stage.said(CHANNEL)[-1] == CLEARED
        assert house.story().offers == 1
        if not paused:
            house.stage.vote(CHANNEL, 2, 1)
            await house.until(Phase.VOTING, number=2)
            assert house.lineage()[1].plan is not None
            house.check_told_once()


async def test_our_own_reaction_alone_comes_back_without_a_word() -> None:
    async with House() as house:
        await voting(house)
        ballot = house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1]
        ballot.offered = 2
        await house.teller.cleared(CHANNEL, ballot.id, votes_lost=False)
        await house.clock.run_for(SETTLE_S + 1)
        assert ballot.offered == 3
        assert house.stage.said(CHANNEL) == []


async def test_clearing_again_and_again_starts_no_fight() -> None:
    """Three times for one ballot, the last one says so; the next ballot has its own three."""
    async with House() as house:
        await house.begin(vote_s=3600)
        for _ in range(MOST_OFFERS + 3):
            await house.teller.cleared(CHANNEL, clear(house), votes_lost=True)
            await house.clock.run_for(200)
        said = house.stage.said(CHANNEL)
        assert len(said) == MOST_OFFERS
        assert "last time" in said[-1]
        assert "last time" not in said[-2]
        assert house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].offered == 0
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.VOTING, number=2)
        assert house.story().offers == 0


async def test_reactions_of_other_messages_are_nobodys_business() -> None:
    """Not the paragraph's, not an old ballot's, not of an ended story, not where there is none."""
    async with House() as house:
        await voting(house)
        old = house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].id
        await house.until(Phase.VOTING, number=2)
        house.stage.calls.clear()
        await house.teller.cleared(CHANNEL, old, votes_lost=True)
        await house.teller.cleared(CHANNEL, 1, votes_lost=True)
        await house.teller.cleared(CHANNEL + 1, 1, votes_lost=True)
        await house.clock.run_for(SETTLE_S + 1)
        assert house.stage.calls == []
        await house.teller.end(CHANNEL, "Ada")
        await house.until(Phase.ENDED)
        house.stage.calls.clear()
        await house.teller.cleared(CHANNEL, clear(house), votes_lost=True)
        await house.clock.run_for(SETTLE_S + 1)
        assert house.stage.calls == []


async def test_reactions_cleared_while_nobody_listened_come_back_with_the_extension() -> None:
    """Silence may mean that there was nothing to press."""
    async with House() as house:
        await house.begin()
        ballot = clear(house)
        await house.when(lambda: house.story().extended)
        await house.until(Phase.VOTING)
        assert house.stage.find(CHANNEL, ballot).offered == 3
        assert house.stage.said(CHANNEL) == []


async def test_a_ballot_deleted_while_its_reactions_are_put_back_comes_fresh() -> None:
    async with House() as house:
        await voting(house)
        ballot = clear(house)
        await house.teller.cleared(CHANNEL, ballot, votes_lost=True)
        house.stage.find(CHANNEL, ballot).deleted = True
        await house.clock.run_for(SETTLE_S + 1)
        await house.until(Phase.VOTING)
        [fresh] = house.stage.shown(CHANNEL, MessageKind.BALLOT)
        assert fresh.id > ballot
        assert fresh.offered == 3


def clear(house: House) -> int:
    """A moderator clears all reactions of the newest ballot; gives its message id."""
    ballot = house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1]
    ballot.votes.clear()
    ballot.offered = 0
    return ballot.id


def _die() -> NoReturn:
    raise StoreUnavailableError("the answer was lost")


def _away() -> NoReturn:
    raise StoreUnavailableError("Redis is away")
