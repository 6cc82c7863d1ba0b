"""The step of phase PUBLISHING: the paragraph whole, its ballot, the reactions, the deadline.

And its repair, should something old have reached the channel behind it.
"""

from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from core.domain import moves
from core.domain.identity import nonce
from core.domain.lifecycle import WORKING
from core.domain.lineage import holds
from core.domain.story import Phase, Story, Turn
from core.errors import MessageGoneError
from core.ports import Ballot, BallotState, MessageKind, Posted
from core.services.milestones import note_told
from core.services.pieces import laid_out, post
from core.services.run import Run

REPAIRED_TURNS = 10
"""At most so many turns are drawn again: a process that was stopped knew the first of them."""

_STATES = {
    Phase.VOTING: BallotState.OPEN,
    Phase.PUBLISHING: BallotState.OPEN,
    Phase.ASLEEP: BallotState.ASLEEP,
    Phase.PAUSED: BallotState.PAUSED,
    Phase.ENDED: BallotState.ENDED,
}


GONE = "The ballot was deleted, and the votes with it: vote on the fresh one."


async def publish(run: Run) -> None:
    """Stage the reflected turn; afterwards members can vote.

    Raises:
        StageError: as the stage raises it; staging again is always right.
    """
    turn = replace(await run.drafted(), rules=run.story.settings)
    is_new = turn.ballot is None
    if is_new:
        pieces = await run.pieces()
        # The reflection took its time: meanwhile a message may have been deleted, or have appeared.
        await pieces.find()
        await pieces.show(turn.paragraph)
        turn = replace(turn, pieces=pieces.messages)
    ballot, opened_at = await _ballot(run, turn)
    await run.at.stage.signal(run.channel, ballot.id, len(run.story.plans.options))
    turn = replace(turn, ballot=ballot.id, staged_at=ballot.at)
    edits = {"turns": run.story.turns_version}
    await run.commit(moves.staged(run.story, opened_at), expects=edits, turn=turn)
    if is_new:
        note_told(run.at.witness, run.story, turn, run.at.clock.monotonic() - run.began_at)


async def restage(run: Run, since: int) -> None:
    """Compare what is on stage with what is stored, from turn ``since`` on, and make it the same.

    For a story at rest, after an act that may have come behind somebody else's: whatever it showed
    anew is drawn again as it is stored, and a message of the story that no turn knows is deleted.

    Raises:
        StageError: as the stage raises it.
    """
    turns = [turn for turn in await _newest(run, since) if turn.ballot is not None]
    if not turns or run.story.phase in WORKING:
        return
    known = {id_ for turn in turns for id_ in (*turn.pieces, turn.ballot)}
    kept = run.story.pause.kept if run.story.pause else run.story.phase
    if kept in {Phase.VOTING, Phase.ASLEEP}:
        # Turns that were taken back stay in the channel: below the newest ballot, in such a story.
        lowest = min(id_ for id_ in known if id_) - 1
        after = lowest if len(run.story.lineage) == 1 else turns[0].ballot or lowest
        own = await run.at.stage.own_messages(run.channel, after)
        for posted in own:
            if posted.kind is not MessageKind.ANNOUNCEMENT and posted.id not in known:
                await run.at.stage.delete(run.channel, posted.id)
    for turn in turns:
        await _draw(run, turn)


async def _newest(run: Run, since: int) -> list[Turn]:
    turns: list[Turn] = []
    at = run.story.head
    while at is not None and len(turns) < REPAIRED_TURNS:
        turn = await run.turn(at)
        if turn.number < since:
            break
        turns.append(turn)
        at = turn.parent
    return turns


async def _draw(run: Run, turn: Turn) -> None:
    """Show a staged turn in the messages that carry it; one that a moderator deleted stays gone."""
    shown = laid_out(turn, run.story.brief.title)
    ballot = ballot_of(run.story, turn)
    for message, content in zip(turn.pieces, shown, strict=False):
        with suppress(MessageGoneError):
            await run.at.stage.edit(run.channel, message, content)
    if turn.ballot is not None:
        with suppress(MessageGoneError):
            await run.at.stage.edit(run.channel, turn.ballot, ballot)


async def stage_anew(run: Run, gone: int) -> None:
    """The ballot that members vote on was deleted: a fresh one is staged next, and they are told.

    Args:
        gone: the message id of the ballot that is gone.
    """
    now, named = run.at.clock.now(), nonce(uuid4().hex)
    await run.commit(moves.balloted_anew(run.story, gone, GONE, now=now, notice_nonce=named))


def ballot_of(story: Story, turn: Turn) -> Ballot:
    """The ballot of a turn as it stands in the story's phase."""
    closed = turn.tally is not None or turn.id != story.head
    state = BallotState.CLOSED if closed else _STATES[story.phase]
    return Ballot(
        number=turn.number,
        plans=turn.offered if closed else story.plans.options,
        settings=turn.rules or story.settings,
        state=state if holds(story.lineage, turn) else BallotState.DROPPED,
        closes_at=None if closed else story.closes_at,
        extended=not closed and story.extended,
        tally=turn.tally,
        message_id=turn.ballot,
    )


async def _ballot(run: Run, turn: Turn) -> tuple[Posted, float]:
    """The turn's ballot message, and when its window began.

    A new one counts from its own time stamp. One that an earlier worker posted, and could not
    finish, counts from now and says so: members shall not lose the time that an outage took.
    """
    now = run.at.clock.now()
    content = ballot_of(replace(run.story, closes_at=now + run.story.settings.vote_s), turn)
    for posted in await run.at.stage.own_messages(run.channel, run.draft.after):
        if posted.kind is MessageKind.PROSE and turn.ballot is None:
            if posted.id not in turn.pieces:
                # Sent by a worker that was fenced off, after this one had looked.
                await run.at.stage.delete(run.channel, posted.id)
        elif posted.kind is MessageKind.BALLOT:
            try:
                await run.at.stage.edit(run.channel, posted.id, content)
                return posted, now
            except MessageGoneError:
                continue
    name = f"{turn.id}/{run.draft.attempt}/ballot"
    posted = await post(run.at.stage, run.channel, content, name)
    return posted, posted.at
