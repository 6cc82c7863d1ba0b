"""The step of phase REFLECTING: show the text whole, reflect on it, commit what follows from it.

Plans that are too near to one another, or to what was offered lately, are asked for once more;
then the most distinct of all that came stand. Where there is a content filter, it looks at all that
members could read of a reflection before it is committed.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from core.domain import moves
from core.domain.content import Bounds
from core.domain.entries import Recalled
from core.domain.ledger import reflected_again
from core.domain.recurrence import CHAPTER_TURNS, StepContext, assemble, ends_chapter, looked_back
from core.domain.story import Plan, Reflection, Turn, Usage, Vector
from core.domain.variety import Offer
from core.errors import (
    AllowanceSpentError,
    BudgetSpentError,
    ConflictError,
    ModelError,
    StageUnavailableError,
    StoreUnavailableError,
)
from core.services.recall import touched
from core.services.remembering import remember, remembered_ids
from core.services.run import Run
from core.services.second_try import tellable

log = logging.getLogger(__name__)

ROUNDS = 3
"""How often one reflection is made; again only because moderators edited the memory meanwhile."""
RECENT_BALLOTS = 2
"""Turns whose plans new ones are compared with."""


async def reflect(run: Run) -> None:
    """Reflect on the committed paragraph; memory, plans, entries and head are one commit.

    Raises:
        ModelError, BudgetSpentError, AllowanceSpentError: nothing changed but the count of calls;
            only this step is repeated.
        ConflictError: the memory was edited during each of ROUNDS reflections.
    """
    written = turn = await run.drafted()
    await _show(run, turn)
    if run.story.tries:
        await run.at.screening.ready()
    for round_ in range(1, ROUNDS + 1):
        await run.call()
        context = await _context(run, turn)
        reflection, usage = await tellable(
            run,
            "reflection",
            partial(_reflected, run, context, turn.paragraph),
            _readable,
            "/story retry has the turn written anew.",
        )
        reflection, more = await _worth_voting_on(run, context, turn.paragraph, reflection)
        earlier = written.reflection.facts if written.reflection else ()
        facts = reflected_again(earlier, reflection.facts)
        reflection = replace(reflection, facts=facts)
        turn = replace(
            turn,
            usage=turn.usage + usage + more,
            reflection=reflection,
            memory=None,
            plans=(),
            forgotten=False,
        )
        entries = await remember(turn, run.at.embedder)
        try:
            await run.commit(
                moves.reflected(run.story, reflection, written.usage),
                writes=frozenset({"memory", "plans"}),
                expects={"canon": run.story.canon.version},
                turn=turn,
                entries=entries,
                # Of an earlier reflection on this turn, which may have had more of them.
                forgets=tuple(sorted(remembered_ids(written) - {entry.id for entry in entries})),
            )
            return
        except ConflictError:
            if round_ == ROUNDS:
                raise
            await run.reload()


async def _reflected(
    run: Run, context: StepContext, paragraph: str, bounds: Bounds
) -> tuple[Reflection, Usage]:
    return await run.at.narrator.reflect(replace(context, bounds=bounds), paragraph)


def _readable(reflection: Reflection) -> list[str]:
    """What members can read of a reflection: on the ballot, in /memory, /recap and /why."""
    facts = [f"{fact.about}: {fact.text}" for fact in reflection.facts]
    told = [reflection.memory, reflection.summary, reflection.chapter, reflection.rationale]
    return [*map(str, reflection.plans), *told, *facts]


async def _context(run: Run, turn: Turn) -> StepContext:
    """What the paragraph was written with, and what is looked back on."""
    head = await run.head()
    context = assemble(run.story, head.paragraph if head else "", turn.recalled)
    context = replace(context, bounds=run.at.screening.bounds(run.channel))
    if head is None:
        return context
    facts = await touched(run.at.search, run.at.embedder, run.story, turn.paragraph)
    stretch = await _stretch(run) if ends_chapter(turn.number) else ()
    return looked_back(context, facts, stretch, run.story.bytes_per_token)


async def _stretch(run: Run) -> list[Recalled]:
    """Summaries of the turns that the draft ends a chapter with, oldest first; not its own."""
    told = await run.newest(CHAPTER_TURNS - 1)
    return [
        Recalled(turn.id, turn.number, turn.summary, 0.0)
        for turn in reversed(told)
        if not turn.forgotten
    ]


async def _worth_voting_on(
    run: Run, context: StepContext, paragraph: str, reflection: Reflection
) -> tuple[Reflection, Usage]:
    """The reflection with plans that differ, as far as they can be had, and what that cost."""
    recent = [plan for turn in await run.newest(RECENT_BALLOTS) for plan in turn.offered]
    cost = Usage()
    try:
        offer = await _offer(run, reflection.plans, recent)
        faults = offer.faults()
        if not faults:
            return reflection, cost
        await run.call()
        others, cost = await run.at.narrator.replan(context, paragraph, reflection.plans, faults)
        if not (await run.at.screening.judge(run.channel, "plan", *map(str, others))).fine:
            return reflection, cost
        offer = await _offer(run, (*reflection.plans, *others), recent)
        return replace(reflection, plans=offer.most_distinct()), cost
    except (ModelError, BudgetSpentError, AllowanceSpentError, StoreUnavailableError) as error:
        # The reflection is paid for, and plans that are alike are plans all the same.
        log.warning("story %s: its plans stand as they came: %s", run.story.id, error)
        return reflection, cost


async def _offer(run: Run, plans: Sequence[Plan], recent: Sequence[Plan]) -> Offer:
    vectors: list[Vector] = []
    if run.at.embedder.reads(run.story.brief.language):
        vectors = await run.at.embedder.embed([str(plan) for plan in (*plans, *recent)])
    return Offer(plans, recent, vectors)


async def _show(run: Run, turn: Turn) -> None:
    """Show all of the text before the long reflection; staging makes sure of it in any case.

    A turn that was staged before, and is reflected on again, stands there already.
    """
    if turn.ballot is not None:
        return
    try:
        await (await run.pieces()).show(turn.paragraph)
    except StageUnavailableError:
        return
