"""What is compared: ways to bring back of a story's past what the next prompt needs.

Each has the same embedder, the same store and the same tokens for what it brings back; only the
original, which knows no budget, takes its two paragraphs whole (arXiv 2305.13304; k = 2, the plan
as the query). The steps between it and what is built add one thing each.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core.domain.entries import EntryKind, Recalled
from core.domain.retrieval import Answer, fused
from core.domain.story import Plan, Story
from core.domain.tokens import BUDGET, Budget
from core.ports import Embedder, MemorySearch
from core.services.recall import HOW, How, recall

SUMMARIES = frozenset({EntryKind.SUMMARY})
ORIGINAL_K = 2
TOGETHER = Budget(recalled=BUDGET.recalled + BUDGET.ledger)
"""For methods without a ledger: what it would take is theirs."""
UNBOUNDED = Budget(recalled=10_000)


class Shelf:
    """Names of the stories in which one synthetic story is stored."""

    MARKED = "marked"
    """Facts name those that they end, as a reflection that sees them would."""
    UNMARKED = "unmarked"
    """No fact names another."""
    PARAGRAPHS = "paragraphs"
    """Whole paragraphs instead of entries: the original's memory."""


Ask = Callable[[MemorySearch, Embedder, Story, Plan], Awaitable[Sequence[Recalled]]]


@dataclass(frozen=True, slots=True)
class Method:
    """One way.

    Attributes:
        name: in the table.
        shelf: what it searches.
        budget: of the prompt.
        ask: gives what it brings back, best first.
    """

    name: str
    shelf: str
    budget: Budget
    ask: Ask


def _asking(how: How) -> Ask:
    async def ask(
        search: MemorySearch, embedder: Embedder, story: Story, plan: Plan
    ) -> Sequence[Recalled]:
        return await recall(search, embedder, story, plan, how)

    return ask


async def _original(
    search: MemorySearch, embedder: Embedder, story: Story, plan: Plan
) -> Sequence[Recalled]:
    [vector] = await embedder.embed([whole(plan)])
    return await search.nearest(story.id, story.lineage, vector, ORIGINAL_K)


async def _by_words(
    search: MemorySearch, embedder: Embedder, story: Story, plan: Plan
) -> Sequence[Recalled]:
    del embedder
    found = await search.matching(story.id, story.lineage, whole(plan), HOW.limit, SUMMARIES)
    return fused(Answer((), found), 1.0)


def whole(plan: Plan) -> str:
    """A plan as one question."""
    return f"{plan.title}. {plan.text}"


def _how(*, by_sentence: bool, words: float | None, chapters: bool = False) -> Ask:
    kinds = SUMMARIES | {EntryKind.CHAPTER} if chapters else SUMMARIES
    return _asking(How(by_sentence=by_sentence, words=words, kinds=kinds))


METHODS: Sequence[Method] = (
    Method("original", Shelf.PARAGRAPHS, UNBOUNDED, _original),
    Method("vector", Shelf.UNMARKED, TOGETHER, _how(by_sentence=False, words=0.0)),
    Method("BM25", Shelf.UNMARKED, TOGETHER, _by_words),
    Method("fused", Shelf.UNMARKED, TOGETHER, _how(by_sentence=False, words=0.3)),
    Method("+ questions", Shelf.UNMARKED, TOGETHER, _how(by_sentence=True, words=None)),
    Method("+ questions, fused", Shelf.UNMARKED, TOGETHER, _how(by_sentence=True, words=0.3)),
    Method(
        "+ chapters", Shelf.UNMARKED, TOGETHER, _how(by_sentence=True, words=None, chapters=True)
    ),
    Method("+ ledger, no marks", Shelf.UNMARKED, BUDGET, _asking(HOW)),
    Method("whole", Shelf.MARKED, BUDGET, _asking(HOW)),
)
"""In the order in which they were built; the last is what the bot does."""
