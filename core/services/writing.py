"""The step of phase WRITING: outline once, recall, stream the paragraph, commit its text.

A paragraph that tells an earlier passage again is written once more, with that passage named;
whatever comes then stands. Where there is a content filter, members see no word of a paragraph
before it was looked at, and none is committed that was refused.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from core.domain import moves
from core.domain.content import Bounds
from core.domain.entries import EntryKind, Recalled
from core.domain.lineage import newest_branch
from core.domain.recurrence import StepContext, assemble, avoiding
from core.domain.story import Turn, Usage
from core.domain.variety import echoed
from core.errors import (
    AllowanceSpentError,
    BudgetSpentError,
    EmbedderError,
    ModelError,
    StoreError,
    StoreUnavailableError,
)
from core.ports import Written
from core.services.pieces import Pieces
from core.services.recall import recall
from core.services.run import Run
from core.services.second_try import tellable

log = logging.getLogger(__name__)

ECHO_CANDIDATES = 4
"""Earlier turns, nearest in meaning, that a paragraph is compared with beside the last ones."""
LAST_TURNS = 3


async def write(run: Run) -> None:
    """Write the draft's paragraph and commit it; words that members may have read are never lost.

    Raises:
        ModelError, BudgetSpentError, AllowanceSpentError: nothing was committed but the outline
            and the count of calls.
        StageForbiddenError: the channel can't be written to; no paragraph was paid for.
    """
    # Before anything is paid for: a channel that forbids even the typing sign forbids the rest.
    await run.at.stage.signal(run.channel)
    if run.story.tries:
        await run.at.screening.ready()
    if not run.story.brief.title:
        await run.call()
        opening, usage = await tellable(
            run,
            "title or outline",
            partial(run.at.narrator.open, run.story.brief),
            lambda opening: [opening.title, opening.outline],
            _otherwise(run),
        )
        await run.commit(moves.titled(run.story, opening, usage))
    pieces = await run.pieces()
    head = await run.head()
    await run.call()
    recalled = await _recall(run)
    context = assemble(run.story, head.paragraph if head else "", recalled)

    async def told(bounds: Bounds) -> tuple[str, Usage]:
        written = await _told_once(run, replace(context, bounds=bounds), pieces, head)
        return written.text, written.usage

    async with pieces.growing(hidden=run.at.screening.on):
        paragraph, usage = await tellable(
            run, "paragraph", told, lambda text: [text], _otherwise(run)
        )
    turn = Turn(
        id=run.draft.turn_id,
        number=run.draft.number,
        parent=head.id if head else None,
        branch=newest_branch(run.story.lineage),
        plan=run.draft.plan,
        paragraph=paragraph,
        recalled=(*context.recalled, *context.ledger),
        usage=run.draft.usage + usage,
        written_at=run.at.clock.now(),
        decided=run.draft.decided,
    )
    await run.commit(moves.text_finished(run.story), turn=turn)


async def _recall(run: Run) -> Sequence[Recalled]:
    if run.story.head is None or run.draft.plan is None:
        return ()
    return await recall(run.at.search, run.at.embedder, run.story, run.draft.plan)


def _otherwise(run: Run) -> str:
    """What a moderator can do about a text that may not be told."""
    if run.story.head is None:
        return "/story end, then /story start begins with another premise."
    return (
        f"/story rewind opens the vote of turn {run.story.head_number} again, whose plans "
        "/plan edit can change."
    )


async def _told_once(run: Run, context: StepContext, pieces: Pieces, head: Turn | None) -> Written:
    """A paragraph, or another one where it was an echo of an earlier passage."""
    written = await run.at.narrator.write(context, pieces.feed)
    passage = await _echoed(run, head, written.text)
    if not passage:
        return written
    try:
        await run.call()
        otherwise = avoiding(context, passage, run.story.bytes_per_token)
        again = await run.at.narrator.write(otherwise, pieces.feed)
    except (ModelError, BudgetSpentError, AllowanceSpentError, StoreUnavailableError) as error:
        # What was written and paid for is a paragraph all the same.
        log.warning(
            "story %s: an echo stays, since it couldn't be rewritten: %s", run.story.id, error
        )
        return written
    return replace(again, usage=written.usage + again.usage)


async def _echoed(run: Run, head: Turn | None, paragraph: str) -> str:
    """The passage of an earlier turn that a paragraph tells again; empty where it tells none."""
    if head is None:
        return ""
    try:
        earlier = await _candidates(run, head, paragraph)
    except (EmbedderError, BudgetSpentError, StoreError) as error:
        # The paragraph is paid for and half read: it isn't held back for a look at others. What
        # fails here is said by the steps that can't do without it.
        log.info("story %s: not compared with earlier turns: %s", run.story.id, error)
        return ""
    return echoed(paragraph, [turn.paragraph for turn in earlier])


async def _candidates(run: Run, head: Turn, paragraph: str) -> list[Turn]:
    """The last turns, and those whose summaries are nearest in meaning, or in words."""
    [vector] = await run.at.embedder.embed([paragraph])
    near = await run.at.search.nearest(
        run.story.id, run.story.lineage, vector, ECHO_CANDIDATES, {EntryKind.SUMMARY}
    )
    near += await run.at.search.matching(
        *(run.story.id, run.story.lineage, paragraph, ECHO_CANDIDATES, {EntryKind.SUMMARY}),
        stale=True,
    )
    turns = await run.newest(LAST_TURNS)
    known = {turn.id for turn in turns}
    return turns + [await run.turn(hit.turn_id) for hit in near if hit.turn_id not in known]
