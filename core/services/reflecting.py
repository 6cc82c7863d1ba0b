"""The step of phase REFLECTING: show the text whole, reflect on it, commit what follows from it."""

from dataclasses import replace

from core.domain import moves
from core.domain.recurrence import assemble
from core.domain.story import Turn
from core.errors import ConflictError, StageUnavailableError
from core.ports import MemoryEntry
from core.services.run import Run

ROUNDS = 3
"""How often one reflection is made; again only because moderators edited the memory meanwhile."""


async def reflect(run: Run) -> None:
    """Reflect on the committed paragraph; memory, plans, summary, vector and head are one commit.

    Raises:
        ModelError, BudgetSpentError, AllowanceSpentError: nothing changed but the count of calls;
            only this step is repeated.
        ConflictError: the memory was edited during each of ROUNDS reflections.
    """
    turn = await run.drafted()
    await _show(run, turn)
    head = await run.head()
    for round_ in range(1, ROUNDS + 1):
        await run.call()
        context = assemble(run.story, head.paragraph if head else "", turn.recalled)
        reflection, usage = await run.at.narrator.reflect(context, turn.paragraph)
        turn = replace(
            turn,
            usage=turn.usage + usage,
            reflection=reflection,
            memory=None,
            plans=(),
            forgotten=False,
        )
        [vector] = await run.at.embedder.embed([reflection.summary])
        entry = MemoryEntry(
            turn.id, turn.number, turn.branch, reflection.summary, vector, turn.written_at
        )
        try:
            await run.commit(
                moves.reflected(run.story, reflection),
                writes=frozenset({"memory", "plans"}),
                expects={"canon": run.story.canon.version},
                turn=turn,
                entry=entry,
            )
            return
        except ConflictError:
            if round_ == ROUNDS:
                raise
            await run.reload()


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
