"""The step of phase WRITING: outline once, recall, stream the paragraph, commit its text."""

from core.domain import moves, retrieval
from core.domain.lineage import newest_branch
from core.domain.recurrence import assemble
from core.domain.story import Plan, Recalled, Story, Turn
from core.domain.text import sentences
from core.services.run import Run

RECALL_LIMIT = 12
"""Hits asked for per query; how many stand in the prompt is decided by its token budget."""
MEMORY_LINES = 2
"""Newest sentences of the short-term memory that are searched for beside the plan."""


async def write(run: Run) -> None:
    """Write the draft's paragraph and commit it; words that members may have read are never lost.

    Raises:
        ModelError, BudgetSpentError, AllowanceSpentError: nothing was committed but the outline
            and the count of calls.
        StageForbiddenError: the channel can't be written to; no paragraph was paid for.
    """
    # Before anything is paid for: a channel that forbids even the typing sign forbids the rest.
    await run.at.stage.signal(run.channel)
    if not run.story.brief.title:
        await run.call()
        opening, usage = await run.at.narrator.open(run.story.brief)
        await run.commit(moves.titled(run.story, opening, usage))
    pieces = await run.pieces()
    head = await run.head()
    await run.call()
    recalled = await _recall(run, head)
    context = assemble(run.story, head.paragraph if head else "", recalled)
    async with pieces.growing():
        written = await run.at.narrator.write(context, pieces.feed)
    turn = Turn(
        id=run.draft.turn_id,
        number=run.draft.number,
        parent=head.id if head else None,
        branch=newest_branch(run.story.lineage),
        plan=run.draft.plan,
        paragraph=written.text,
        recalled=context.recalled,
        usage=run.draft.usage + written.usage,
        written_at=run.at.clock.now(),
        decided=run.draft.decided,
    )
    await run.commit(moves.text_finished(run.story), turn=turn)


async def _recall(run: Run, head: Turn | None) -> tuple[Recalled, ...]:
    queries = _queries(run.story, run.draft.plan)
    if head is None or not queries:
        return ()
    found = [
        await run.at.search.nearest(run.story.id, run.story.lineage, vector, RECALL_LIMIT)
        for vector in await run.at.embedder.embed(queries)
    ]
    return retrieval.merge(found, without={head.id})


def _queries(story: Story, plan: Plan | None) -> list[str]:
    """What to search for: where the story goes, and what was on its mind last."""
    lines = sentences(story.memory.text)[-MEMORY_LINES:]
    return [
        text for text in (f"{plan.title}. {plan.text}" if plan else "", " ".join(lines)) if text
    ]
