"""The turn protocol: carries a claimed story on, step by step, until somebody else must act.

Each step ends in a commit and can be run again from its start after a crash at any instruction:
what is sent to the channel is named by nonces computed from committed values, what was sent before
is found again in the channel, and what the channel is owed stands in the outbox until it is done.
No step knows which step came before it in this process.

    WRITING     outline (once) → recall → stream the paragraph → commit its text
    REFLECTING  show it whole → reflect → commit memory, plans, summary and vector, head
    PUBLISHING  show it whole → ballot → reactions → commit their ids and the deadline
    VOTING      when due: count afresh → commit the result and the next draft, or extend, or sleep

A fault of the model becomes a pause with a sentence. So does a channel that refuses; the rest waits
until something changes there (see channels). A story whose channel was deleted ends. A fault of
Redis or an outage of Discord leaves the state as it was, for the next worker. However often steps
are run again, the calls to models that a turn may make are counted in its draft and bounded there.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from core.domain import moves
from core.domain.departures import a_channel
from core.domain.identity import nonce
from core.domain.lifecycle import due_at_rest, is_shut_out
from core.domain.lineage import holds
from core.domain.spending import day_of
from core.domain.story import (
    Draft,
    Effect,
    Notice,
    OfferVotes,
    PauseCause,
    Phase,
    RefreshBallot,
    RefreshProse,
    RetireBallot,
    Turn,
    WholeText,
)
from core.domain.warned import warned
from core.errors import (
    AllowanceSpentError,
    BudgetSpentError,
    ChannelGoneError,
    ConflictError,
    FilterError,
    MessageGoneError,
    ModelError,
    RecordError,
    StageError,
    StageForbiddenError,
    StageUnavailableError,
)
from core.ports import Announcement, BallotState, MessageKind
from core.services.pieces import laid_out, post
from core.services.publishing import ballot_of, publish, stage_anew
from core.services.reflecting import reflect
from core.services.run import Run
from core.services.voting import count, result_sentence
from core.services.writing import write

log = logging.getLogger(__name__)

OUTAGE_WAITS_S = (60.0, 120.0, 240.0, 480.0, 960.0, 1800.0)
"""How long a story waits before each automatic try during an outage: an hour in all."""
OUTAGE = (
    "The model that writes this story can't be reached, or gave no usable answer. "
    "The story waits and tries again by itself; nothing is lost."
)
"""What members read; what exactly failed stands in the log."""
UNCHECKED = (
    "What checks this story's texts before they are shown can't be reached. "
    "The story waits and tries again by itself; nothing is lost."
)
SHUT_OUT = "When that has changed, the story goes on by itself; /story resume tries at once."
CONFLICTS = 5
"""How often a step is taken again because moderators changed what it had read."""

_STEPS: Mapping[Phase, Callable[[Run], Awaitable[None]]] = {
    Phase.WRITING: write,
    Phase.REFLECTING: reflect,
    Phase.PUBLISHING: publish,
    Phase.VOTING: count,
}


async def advance(run: Run) -> None:
    """Carry a story on until it rests: voting, asleep, paused or ended, with nothing owed.

    Raises:
        FencedError: somebody else took over; nothing more was done.
        StoreError, StageUnavailableError: nothing was lost; run it again later.
    """
    conflicts = 0
    while True:
        try:
            await _settle(run)
            log.debug("story %s epoch %d: %s", run.story.id, run.story.epoch, run.story.phase)
            step = _next_step(run)
            if step is None:
                if await _warn(run):
                    continue
                return
            await step(run)
        except ConflictError:
            conflicts += 1
            if conflicts > CONFLICTS:
                raise
            await run.reload()
        except (ModelError, BudgetSpentError, AllowanceSpentError) as error:
            await _wait_or_stop(run, error)
        except StageUnavailableError:
            raise
        except (StageForbiddenError, ChannelGoneError) as error:
            await refused(run, error)
        except StageError as error:
            await pause(run, PauseCause.FAULT, f"{error} Then /story resume goes on.")


def _next_step(run: Run) -> Callable[[Run], Awaitable[None]] | None:
    """What is to be done now, if anything."""
    story = run.story
    due = due_at_rest(story)
    if due is None or due > run.at.clock.now():
        return None if story.due == due else _rest
    return _resume if story.phase is Phase.PAUSED else _STEPS[story.phase]


async def _warn(run: Run) -> bool:
    """Owe the channel what it must know of budgets, once its paragraph and ballot stand there."""
    now = run.at.clock.now()
    alerts = run.at.alerts.take(str(run.story.id), day_of(now))
    following = warned(run.story, alerts, now, lambda _: nonce(uuid4().hex))
    if following is run.story:
        return False
    await run.commit(following)
    return True


async def _rest(run: Run) -> None:
    """Nothing is to be done: let the due time say so (a claim had moved it)."""
    await run.commit(run.story)


async def _resume(run: Run) -> None:
    """A pause that ends by itself."""
    await run.commit(moves.resumed(run.story, run.at.clock.now(), by_itself=True))


async def _wait_or_stop(
    run: Run, error: ModelError | BudgetSpentError | AllowanceSpentError
) -> None:
    """No answer of a model is to be had now: the story goes on by itself, or on request."""
    match error:
        case BudgetSpentError():
            if not error.sent:
                run.not_called()
            await pause(run, PauseCause.BUDGET, str(error), until=error.until)
        case AllowanceSpentError():
            await pause(run, PauseCause.FAULT, str(error))
        case ModelError():
            await _wait_for_model(run, error)


async def _wait_for_model(run: Run, error: ModelError) -> None:
    """The model failed: try again by itself after a while, or wait for ``resume``."""
    tries = run.story.tries
    log.warning("story %s: try %d failed: %s", run.story.id, tries + 1, error.in_full)
    if not error.retryable or tries >= len(OUTAGE_WAITS_S):
        await pause(run, PauseCause.FAULT, f"{error} /story resume tries again.")
        return
    until = run.at.clock.now() + OUTAGE_WAITS_S[tries]
    said = UNCHECKED if isinstance(error, FilterError) else OUTAGE
    await pause(run, PauseCause.FAULT, said, until=until, say=tries == 0)


async def pause(
    run: Run, cause: PauseCause, reason: str, *, until: float | None = None, say: bool = True
) -> None:
    """Stop a story where it stands, with a sentence to its channel unless that was said before."""
    log.warning("story %s paused in %s: %s", run.story.id, run.story.phase, reason)
    await run.commit(
        moves.paused(
            run.story,
            cause,
            reason,
            now=run.at.clock.now(),
            notice_nonce=nonce(uuid4().hex) if say else None,
            until=until,
        )
    )


async def refused(run: Run, error: StageForbiddenError | ChannelGoneError) -> None:
    """The channel refuses: rest until something changes there, or end with it.

    Where only something else is refused, the channel is told; /story status and the log tell it in
    any case. Nothing that was refused is tried again by itself.
    """
    story = run.story
    if isinstance(error, ChannelGoneError):
        log.info("story %s ends with its channel: %s", story.id, error)
        await run.at.departures.note(a_channel(run.channel), run.at.clock.now())
        await run.commit(moves.vanished(story))
        return
    reason = f"{error} {SHUT_OUT}"
    log.warning("story %s is shut out in %s: %s", story.id, story.phase, error)
    following = moves.shut_out(story, PauseCause.CHANNEL, reason, run.at.clock.now())
    if following == story:
        await run.commit(moves.unheard(story))
        return
    if not error.speechless:
        # Before the commit: afterwards nobody speaks here. Its name lets a repetition find it.
        place = story.draft.turn_id if story.draft else story.head
        await run.last_word(reason, f"{story.id}/{place}/{error}")
    await run.commit(following)


async def _settle(run: Run) -> None:
    """Give the channel what it is owed, oldest first; while it refuses, that waits."""
    while run.story.outbox and not is_shut_out(run.story):
        effect = run.story.outbox[0]
        said: int | None = None
        try:
            said = await _perform(run, effect)
        except (StageUnavailableError, StageForbiddenError, ChannelGoneError):
            raise
        except (StageError, RecordError) as error:
            # Impossible for good: the state must not wait for it, and the log says what is missing.
            what = type(effect).__name__  # not its words: they quote members
            log.warning("story %s: the channel did not get a %s: %s", run.story.id, what, error)
        run.settled(effect, said)
        if isinstance(effect, Notice):
            # A ballot drawn twice shows the same: that it is done is committed with the next step.
            await run.commit(run.story)


async def _perform(run: Run, effect: Effect) -> int | None:
    """Do it; gives the message of a sentence."""
    match effect:
        case Notice():
            return await _say(run, effect)
        case RefreshBallot():
            await _refresh(run, effect)
            return None
        case RefreshProse():
            await _redraw(run, await run.turn(effect.turn_id))
            return None
        case RetireBallot():
            await _retire(run, effect)
            return None
        case WholeText():
            await _show_whole(run, effect.draft)
            return None
        case OfferVotes():
            await _offer(run, effect)
            return None


async def _say(run: Run, notice: Notice) -> int | None:
    """Take back what is half written, then post the sentence."""
    if notice.withdraw_after is not None:
        for message in reversed(await _half_written(run, notice.withdraw_after)):
            await run.at.stage.delete(run.channel, message)
        run.withdrawn()
    if notice.nonce is None:
        return None
    # Above the last sentence: an equal one of a minute ago is another one.
    after = max(notice.after, run.story.said)
    content = Announcement(notice.text)
    return (await run.at.stage.send(run.channel, content, notice.nonce, after)).id


async def _half_written(run: Run, after: int) -> list[int]:
    """The messages that carry what is to be taken back, in order."""
    own = await run.at.stage.own_messages(run.channel, after)
    return [posted.id for posted in own if posted.kind is not MessageKind.ANNOUNCEMENT]


async def _redraw(run: Run, turn: Turn) -> None:
    """Draw a told paragraph again; a message of it that is gone stays gone."""
    dropped = not holds(run.story.lineage, turn)
    parts = laid_out(turn, run.story.brief.title, dropped=dropped)
    for message, part in zip(turn.pieces, parts, strict=False):
        with suppress(MessageGoneError):
            await run.at.stage.edit(run.channel, message, part)


async def _retire(run: Run, effect: RetireBallot) -> None:
    turn = await run.turn(effect.turn_id)
    ballot = replace(ballot_of(run.story, turn), state=BallotState.REPLACED, tally=None)
    with suppress(MessageGoneError):
        await run.at.stage.edit(run.channel, effect.message, ballot)


async def _show_whole(run: Run, draft: Draft) -> None:
    """Show a finished text whole; one that was staged stands there already."""
    turn = await run.turn(draft.turn_id)
    if turn.ballot is None:
        await (await run.pieces_of(draft)).show(turn.paragraph)


async def _refresh(run: Run, effect: RefreshBallot) -> None:
    """Draw a ballot again; a result that the ballot can't take becomes a message."""
    turn = await run.turn(effect.turn_id)
    message = turn.ballot if effect.after is None else await _unfinished(run, effect.after)
    if message is None:
        return
    ballot = ballot_of(run.story, turn)
    try:
        await run.at.stage.edit(run.channel, message, ballot)
    except (StageUnavailableError, StageForbiddenError, ChannelGoneError):
        raise
    except MessageGoneError:
        if ballot.state is BallotState.OPEN:
            # Nobody can vote on what isn't there: the window begins again with a fresh ballot.
            await stage_anew(run, message)
        await _say_result(run, ballot.state, turn)
    except StageError:
        await _say_result(run, ballot.state, turn)


async def _unfinished(run: Run, after: int) -> int | None:
    """The ballot that a pause or an end found half staged; None too where it is staged further."""
    if run.story.phase is Phase.PUBLISHING:
        return None
    own = await run.at.stage.own_messages(run.channel, after)
    return next((posted.id for posted in own if posted.kind is MessageKind.BALLOT), None)


async def _offer(run: Run, effect: OfferVotes) -> None:
    """Put our reactions on a ballot that is still voted on."""
    turn = await run.turn(effect.turn_id)
    if turn.ballot is None or turn.tally is not None:
        return
    try:
        await run.at.stage.signal(run.channel, turn.ballot, len(run.story.plans.options))
    except MessageGoneError:
        if run.story.phase is Phase.VOTING:
            await stage_anew(run, turn.ballot)


async def _say_result(run: Run, state: BallotState, turn: Turn) -> None:
    if state is BallotState.CLOSED:
        sentence = Announcement(result_sentence(turn))
        # It was said after the close, if at all: the next draft knows a bound for that.
        after = run.story.draft.after if run.story.draft else turn.ballot
        await post(run.at.stage, run.channel, sentence, f"{turn.id}/result", after)
