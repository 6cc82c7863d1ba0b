"""The step of phase PUBLISHING: the paragraph whole, its ballot, the reactions, the deadline."""

from dataclasses import replace
from uuid import uuid4

from core.domain import moves
from core.domain.identity import nonce
from core.domain.story import Phase, Story, Turn
from core.errors import MessageGoneError
from core.ports import Ballot, BallotState, MessageKind, Posted
from core.services.pieces import post
from core.services.run import Run

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
    turn = await run.drafted()
    if turn.ballot is None:
        pieces = await run.pieces()
        await pieces.find_missing()
        await pieces.show(turn.paragraph)
        turn = replace(turn, pieces=pieces.messages)
    ballot, opened_at = await _ballot(run, turn)
    await run.at.stage.signal(run.channel, ballot.id, len(run.story.plans.options))
    turn = replace(turn, ballot=ballot.id, staged_at=ballot.at)
    await run.commit(moves.staged(run.story, opened_at), turn=turn)


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
    return Ballot(
        number=turn.number,
        plans=turn.plans if closed else story.plans.options,
        settings=story.settings,
        state=BallotState.CLOSED if closed else _STATES[story.phase],
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
        if posted.kind is MessageKind.BALLOT:
            try:
                await run.at.stage.edit(run.channel, posted.id, content)
                return posted, now
            except MessageGoneError:
                continue
    name = f"{turn.id}/{run.draft.attempt}/ballot"
    posted = await post(run.at.stage, run.channel, content, name)
    return posted, posted.at
