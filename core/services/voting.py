"""The step of phase VOTING: count afresh, commit what follows: a turn, an extension, or sleep."""

from dataclasses import replace
from uuid import uuid4

from core.domain import ballot, moves
from core.domain.story import Outcome, Tally, Turn
from core.errors import MessageGoneError, RefusedError
from core.services.publishing import stage_anew
from core.services.run import Run


async def count(run: Run) -> None:
    """Count a ballot whose deadline has come."""
    await _decide(run)


async def count_now(run: Run) -> Tally:
    """Count a running ballot because a moderator asks; one vote is enough.

    Raises:
        RefusedError: no vote counts, and nothing was changed; or the ballot is gone from the
            channel, and a fresh one is on its way.
    """
    tally = await _decide(run, at_deadline=False)
    if tally is None:
        raise RefusedError("The ballot was deleted; a fresh one is on its way: vote there.")
    return tally


async def _decide(run: Run, *, at_deadline: bool = True) -> Tally | None:
    """Commit the result of the head's ballot, or None when the ballot is gone and staged anew.

    Args:
        at_deadline: ask for the quorum, and without a winner extend or fall asleep; else one vote
            is enough, and without any nothing is changed.
    """
    turn = await run.head()
    if turn is None or turn.ballot is None:
        raise ValueError(f"story {run.story.id} is voting without a ballot")
    plans, rules = run.story.plans.options, turn.rules or run.story.settings
    try:
        votes = await run.at.stage.votes(run.channel, turn.ballot, len(plans))
    except MessageGoneError:
        await stage_anew(run, turn.ballot)
        return None
    quorum = rules.quorum if at_deadline else 1
    tally = ballot.count(votes, len(plans), rules.rule, quorum, turn.ballot)
    if tally.winner is not None:
        closed = replace(turn, plans=plans, tally=tally)
        now = run.at.clock.now()
        following = moves.won(run.story, tally, uuid4().hex, turn.ballot, now)
        edits = {"plans": run.story.plans.version, "turns": run.story.turns_version}
        await run.commit(following, expects=edits, turn=closed)
    elif at_deadline:
        following = moves.undecided(run.story, run.at.clock.now())
        if len(votes) < len(plans):
            # Not even our own reactions are there: cleared while nobody listened.
            following = moves.offered_again(following)
        await run.commit(following)
    else:
        raise RefusedError("No vote counts so far, so there is nothing to decide.")
    return tally


def result_sentence(turn: Turn) -> str:
    """The result of a closed ballot in words, for where the ballot itself can't show it."""
    tally = turn.tally
    if tally is None or tally.outcome is not Outcome.WON or tally.winner is None:
        return f"The vote of turn {turn.number} is closed."
    votes = tally.counts[tally.winner]
    drawn = ", drawn among equals" if tally.tied else ""
    return (
        f"The vote of turn {turn.number} is closed: “{turn.plans[tally.winner].title}” won "
        f"with {votes} vote{'' if votes == 1 else 's'}{drawn}."
    )
