"""Recall: puts the questions of a step to the long-term memory.

A question is asked by meaning; by words as well where the embedder doesn't read the story's
language (where it does, words brought up more than they helped). After a change of the embedder
there are entries that meaning can't find yet: they are asked for by words, as a ranking of their
own. What is asked and how the answers are ranked are retrieval's rules. What was tried and what
each step gained: docs/memory.md (`make eval`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from core.domain.entries import EntryKind, Recalled
from core.domain.retrieval import (
    Answer,
    brought_up_to_date,
    dealt,
    fused,
    passages,
    questions,
)
from core.domain.story import Plan, Story
from core.ports import Embedder, MemorySearch

CHANGES_FOLLOWED = 8
"""How often in a row it is asked what became of facts."""
WORDS_WHERE_UNREAD = 1.0
"""Weight of BM25 beside the similarity of an embedder that doesn't read the language. From 1 on
nothing changes any more: then words decide, and similarity orders what they don't tell apart."""
RECALLED_KINDS = frozenset({EntryKind.SUMMARY, EntryKind.FACT})
"""Chapters aren't recalled: beside the summaries of their turns they brought nothing up."""


@dataclass(frozen=True, slots=True)
class How:
    """How recall asks. The defaults are what is built; the evaluation compares others with it.

    Attributes:
        by_sentence: whether each sentence of the plan is a question of its own.
        words: weight of BM25 beside similarity, 0 for meaning alone; None leaves it to what the
            embedder reads.
        kinds: which entries may be found.
        limit: entries asked for per question and kind; how many stand in the prompt is decided by
            its budget.
    """

    by_sentence: bool = True
    words: float | None = None
    kinds: frozenset[EntryKind] = RECALLED_KINDS
    limit: int = 40


HOW = How()


async def recall(
    search: MemorySearch, embedder: Embedder, story: Story, plan: Plan, how: How = HOW
) -> list[Recalled]:
    """Entries that a step which follows a plan may need, best first, of each kind.

    The head turn is left out: its paragraph stands in the prompt.

    Raises:
        EmbedderError, StoreError: as the ports raise them.
    """
    asked = questions(plan, by_sentence=how.by_sentence)
    return await _asked(search, embedder, story, asked, how, {story.head or ""})


async def touched(
    search: MemorySearch, embedder: Embedder, story: Story, paragraph: str, how: How = HOW
) -> list[Recalled]:
    """Facts that a finished paragraph touches on, and may have ended, best first."""
    facts = replace(how, kinds=frozenset({EntryKind.FACT}))
    return await _asked(search, embedder, story, passages(paragraph), facts, ())


async def _asked(
    search: MemorySearch,
    embedder: Embedder,
    story: Story,
    asked: Sequence[str],
    how: How,
    without: Collection[str],
) -> list[Recalled]:
    place = (story.id, story.lineage)
    words, stale = how.words, 0
    if words is None:
        words = 0.0 if embedder.reads(story.brief.language) else WORDS_WHERE_UNREAD
        stale = 0 if words else await search.stale(*place)
    vectors = await embedder.embed(asked)
    found: list[Recalled] = []
    # Facts are short and many, and have a budget of their own: they aren't to crowd out the rest.
    for kinds in filter(None, (how.kinds & {EntryKind.FACT}, how.kinds - {EntryKind.FACT})):
        rankings: list[list[Recalled]] = []
        for question, vector in zip(asked, vectors, strict=True):
            answer = Answer(
                await search.nearest(*place, vector, how.limit, kinds),
                await search.matching(*place, question, how.limit, kinds) if words else (),
            )
            rankings.append(fused(answer, words))
            if stale:
                left = await search.matching(*place, question, how.limit, kinds, stale=True)
                rankings.append(fused(Answer((), left), WORDS_WHERE_UNREAD))
        found += dealt(rankings, without)
    return await _up_to_date(search, story, found)


async def _up_to_date(
    search: MemorySearch, story: Story, found: Sequence[Recalled]
) -> list[Recalled]:
    """Follow what became of facts until they are those that hold."""
    ended: dict[str, Recalled] = {}
    open_ids = {hit.id for hit in found if hit.kind is EntryKind.FACT}
    for _ in range(CHANGES_FOLLOWED):
        if not open_ids:
            break
        endings = await search.ending(story.id, story.lineage, open_ids)
        for id_, later in endings:
            known = ended.get(id_)
            if known is None or later.number > known.number:
                ended[id_] = later
        open_ids = {later.id for _, later in endings} - ended.keys()
    return brought_up_to_date(found, ended)
