"""What recall asks of the long-term memory, and what of the answers reaches a step."""

from collections.abc import Collection

import pytest

from core.domain.audit import Moderator
from core.domain.entries import EntryKind, Recalled
from core.domain.lineage import cut
from core.domain.recurrence import label
from core.domain.retrieval import MOST_QUESTIONS, questions
from core.domain.story import Lineage, Memory, Phase, Plan, StoryId, Stretch
from core.ports import ALL_KINDS, MemoryEntry
from core.services.recall import CHANGES_FOLLOWED, HOW, How, recall, touched
from tests.core.services.house import CHANNEL, House
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.store import FakeMemorySearch, StoreWorld
from tests.fakes.stories import a_story

PLAN = Plan("Down the iron stair", "Mira goes down. She counts the steps. The sea answers her.")
MEMORY = "Mira keeps the lamp. Corvin is blind. The stair hums."
STORY = a_story(memory=Memory(MEMORY, 1), head="t9", lineage=(Stretch("main", 1, 99),))


class NotedSearch(FakeMemorySearch):
    """A search that notes what it is asked for."""

    def __init__(self, world: StoreWorld) -> None:
        super().__init__(world)
        self.asked: list[tuple[str, frozenset[EntryKind]]] = []

    async def matching(
        self,
        story: StoryId,
        lineage: Lineage,
        words: str,
        limit: int,
        kinds: Collection[EntryKind] = ALL_KINDS,
        *,
        stale: bool = False,
    ) -> list[Recalled]:
        self.asked.append((words, frozenset(kinds)))
        return await super().matching(story, lineage, words, limit, kinds, stale=stale)


class Shelf:
    """A memory to search, with the embedder that it was filled with."""

    def __init__(self) -> None:
        self.world = StoreWorld(dims=16)
        self.search = NotedSearch(self.world)
        self.embedder = FakeEmbedder(dims=16)
        self.calls: list[str] = []
        self.world.interrupt = lambda call, _when: self.calls.append(call)

    async def put(
        self,
        kind: EntryKind,
        number: int,
        text: str,
        key: int = 0,
        ends: tuple[str, ...] = (),
        branch: str = "main",
    ) -> str:
        """Remember something of a turn; gives its id."""
        [vector] = await self.embedder.embed([text])
        entry = MemoryEntry(f"t{number}", number, branch, text, vector, 0.0, kind, key, "", ends)
        self.world.entries[STORY.id, entry.id] = entry
        self.embedder.asked.clear()
        return entry.id

    async def fact(self, number: int, text: str, *ends: str, branch: str = "main") -> str:
        return await self.put(EntryKind.FACT, number, text, 1, ends, branch)

    async def recall(self, how: How = HOW, lineage: Lineage = STORY.lineage) -> list[Recalled]:
        story = a_story(memory=STORY.memory, head=STORY.head, lineage=lineage)
        return await recall(self.search, self.embedder, story, PLAN, how)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


# ── what is asked ────────────────────────────────────────────────────────────────────────────────


def test_each_sentence_of_the_plan_is_a_question() -> None:
    assert questions(PLAN) == ["Mira goes down.", "She counts the steps.", "The sea answers her."]
    assert questions(PLAN, by_sentence=False) == [f"{PLAN.title}. {PLAN.text}"]


def test_what_is_asked_already_is_no_question_and_a_plan_without_words_asks_by_its_title() -> None:
    assert questions(Plan("Stay", "They stay. They stay.")) == ["They stay."]
    assert questions(Plan("Stay", "")) == ["Stay. "]


def test_a_plan_of_many_short_sentences_asks_a_bounded_number_of_questions() -> None:
    plan = Plan("On", " ".join(f"Step {number}." for number in range(200)))
    assert len(questions(plan)) == MOST_QUESTIONS


async def test_each_question_is_asked_for_facts_and_for_the_rest(shelf: Shelf) -> None:
    """By words as well only where the embedder doesn't read the story's language."""
    await shelf.recall()
    asked = questions(PLAN)
    assert shelf.embedder.asked == [tuple(asked)], "embedded together"
    facts, summaries = frozenset({EntryKind.FACT}), frozenset({EntryKind.SUMMARY})
    assert shelf.search.asked == [
        (question, kinds) for kinds in (facts, summaries) for question in asked
    ]
    assert shelf.calls.count("nearest") == shelf.calls.count("matching") == 2 * len(asked)
    shelf.search.asked.clear()
    shelf.embedder.languages = frozenset({STORY.brief.language})
    await shelf.recall()
    assert shelf.search.asked == []
    assert shelf.calls.count("nearest") == 4 * len(asked)


async def test_a_kind_that_is_not_wanted_is_not_asked_for(shelf: Shelf) -> None:
    summaries = How(kinds=frozenset({EntryKind.SUMMARY}))
    await shelf.put(EntryKind.SUMMARY, 1, "The sea answered.")
    await shelf.fact(2, "The sea is deep.")
    assert [hit.kind for hit in await shelf.recall(summaries)] == [EntryKind.SUMMARY]
    assert {kinds for _, kinds in shelf.search.asked} == {summaries.kinds}
    shelf.search.asked.clear()
    await shelf.recall(How(words=0.0))
    assert shelf.search.asked == [], "without weight words aren't asked for"


# ── what comes back ──────────────────────────────────────────────────────────────────────────────


async def test_many_facts_crowd_out_no_summary(shelf: Shelf) -> None:
    """Each kind has rankings of its own, however near the others are."""
    for number in range(10, 90):
        await shelf.fact(number, f"Mira goes down. She counts the steps. Stone {number}.")
    await shelf.put(EntryKind.SUMMARY, 3, "Gulls were sold for copper.")
    found = await shelf.recall(How(limit=5))
    assert (EntryKind.SUMMARY, 3) in {(hit.kind, hit.number) for hit in found}
    facts = [hit for hit in found if hit.kind is EntryKind.FACT]
    assert 5 <= len(facts) <= 5 * 2 * len(questions(PLAN))


async def test_chapters_stand_beside_the_summaries_and_are_not_recalled(shelf: Shelf) -> None:
    await shelf.put(EntryKind.CHAPTER, 10, "The sea answers her.")
    assert await shelf.recall() == []


async def test_the_turn_whose_paragraph_stands_in_the_prompt_is_not_recalled(shelf: Shelf) -> None:
    """What it made true is: a fact of it may have ended another one."""
    await shelf.put(EntryKind.SUMMARY, 9, "The sea answered.")
    await shelf.put(EntryKind.SUMMARY, 8, "Mira counted.")
    await shelf.fact(9, "The sea is deep.")
    assert [hit.id for hit in await shelf.recall()] == ["t9/1", "t8"]


async def test_a_fact_that_holds_no_longer_is_replaced_by_what_it_became(shelf: Shelf) -> None:
    """However often it changed, and though the newest is far from every question."""
    first = await shelf.fact(2, "The sea answers Mira.")
    second = await shelf.fact(5, "Silence since Tuesday.", first)
    third = await shelf.fact(8, "Nobody speaks of it.", second)
    await shelf.fact(3, "The stair hums.")
    found = await shelf.recall(How(limit=1))
    assert third in [hit.id for hit in found]
    assert not {first, second} & {hit.id for hit in found}
    [vector] = await shelf.embedder.embed(["The sea answers her."])
    [nearest] = await shelf.search.nearest(STORY.id, STORY.lineage, vector, 1)
    assert nearest.id == first, "and yet the old one is what the question finds"


async def test_of_two_facts_that_ended_one_the_later_stands(shelf: Shelf) -> None:
    first = await shelf.fact(2, "The sea answers Mira.")
    later = await shelf.fact(8, "Nobody speaks of it.", first)
    await shelf.fact(5, "Silence since Tuesday.", first)
    assert [hit.id for hit in await shelf.recall(How(limit=1, words=0.0))][:1] == [later]


async def test_behind_a_rewind_the_old_fact_holds_again(shelf: Shelf) -> None:
    """What ended it is of no branch that leads to the head any more; another road may end it."""
    first = await shelf.fact(2, "The sea answers Mira.")
    await shelf.fact(5, "Silence since Tuesday.", first)
    back = cut(STORY.lineage, 4, "b")
    assert [hit.id for hit in await shelf.recall(lineage=back)] == [first]
    other = await shelf.fact(6, "She owns the sea.", first, branch="b")
    grown = (*back[:-1], Stretch("b", 5, 6))
    assert [hit.id for hit in await shelf.recall(lineage=grown)] == [other]


async def test_what_became_of_facts_is_asked_a_bounded_number_of_times(shelf: Shelf) -> None:
    """Facts that end one another in a ring end nothing else."""
    ring = [f"t{number}/1" for number in range(1, 40)]
    for number, ended in enumerate([ring[-1], *ring[:-1]], start=1):
        await shelf.fact(number, f"The sea answers Mira, {number}.", ended)
    assert await shelf.recall(How(limit=1))
    assert 1 <= shelf.calls.count("ending") <= CHANGES_FOLLOWED


# ── what a paragraph touches ─────────────────────────────────────────────────────────────────────


async def test_a_paragraph_is_looked_at_in_passages_for_facts_alone(shelf: Shelf) -> None:
    await shelf.fact(9, "The sea is deep.")
    await shelf.put(EntryKind.SUMMARY, 3, "The sea is deep and cold.")
    told = [f"Mira counts step {number} by the sea." for number in range(1, 8)]
    found = await touched(shelf.search, shelf.embedder, STORY, " ".join(told))
    assert [hit.id for hit in found] == ["t9/1"], "of the newest turn too"
    [passages] = shelf.embedder.asked
    assert passages == (" ".join(told[:3]), " ".join(told[3:6]), told[6])
    assert {kinds for _, kinds in shelf.search.asked} == {frozenset({EntryKind.FACT})}


async def test_a_long_paragraph_is_looked_at_in_longer_passages(shelf: Shelf) -> None:
    told = [f"Step {number}." for number in range(1, 500)]
    await touched(shelf.search, shelf.embedder, STORY, " ".join(told))
    [passages] = shelf.embedder.asked
    assert len(passages) <= MOST_QUESTIONS
    assert " ".join(passages).split() == " ".join(told).split()


async def test_a_paragraph_brings_facts_up_to_date_too(shelf: Shelf) -> None:
    first = await shelf.fact(2, "The sea answers Mira.")
    later = await shelf.fact(5, "Silence since Tuesday.", first)
    found = await touched(shelf.search, shelf.embedder, STORY, "The sea answers Mira.")
    assert [hit.id for hit in found] == [later]


# ── in a whole story ─────────────────────────────────────────────────────────────────────────────


async def test_a_rewind_behind_a_change_lets_what_was_true_before_hold_again() -> None:
    """A fact of turn 2, ended by turn 4, holds in the turn that follows a rewind to turn 3."""
    async with House() as house:

        def facts(context_number: int, shown: list[str]) -> list[dict[str, object]]:
            lamp = "The lamp is whole."
            if context_number == 2:
                return [{"about": "lamp", "fact": lamp, "ends": []}]
            if context_number == 4 and lamp in shown:
                ends = [label(shown.index(lamp))]
                return [{"about": "lamp", "fact": "The lamp is broken.", "ends": ends}]
            return []

        house.narrator.facts = lambda context: facts(
            context.number, [fact.text for fact in context.known_facts]
        )
        await house.begin()
        for _ in range(4):
            await house.turn_over()
        assert [hit.text for hit in house.narrator.contexts[-1].ledger] == ["The lamp is broken."]
        house.narrator.facts = lambda _context: []
        await house.direction.rewind(CHANNEL, Moderator(5, "Ada"), 3)
        await house.until(Phase.VOTING, number=3)
        await house.turn_over()
        assert [hit.text for hit in house.narrator.contexts[-1].ledger] == ["The lamp is whole."]
        assert house.narrator.contexts[-1].number == 4


# ── while the embedder is changed ────────────────────────────────────────────────────────────────


async def test_what_has_no_vector_yet_is_found_by_words(shelf: Shelf) -> None:
    """Beside what meaning finds, as a ranking of its own."""
    shelf.embedder.languages = frozenset({"English"})
    old = await shelf.fact(1, "The iron stair counts 90 steps.")
    lost = await shelf.fact(2, "Bo barks.")
    shelf.world.change_embedder("other", 16)
    new = await shelf.fact(3, "Corvin hums.")
    shelf.world.made_by[STORY.id, new] = "other"
    found = [hit.id for hit in await shelf.recall()]
    assert set(found) == {new, old}
    assert lost not in found


async def test_words_are_asked_only_while_something_has_no_vector(shelf: Shelf) -> None:
    """Where meaning finds everything, they would bring up less of what is needed."""
    shelf.embedder.languages = frozenset({"English"})
    await shelf.fact(1, "The iron stair counts 90 steps.")
    await shelf.recall()
    assert shelf.search.asked == []
    assert shelf.calls.count("stale") == 1
    shelf.world.change_embedder("other", 16)
    await shelf.recall()
    assert shelf.search.asked


async def test_what_a_paragraph_touches_on_is_found_by_words_too(shelf: Shelf) -> None:
    """Else a reflection wouldn't know which facts it ends."""
    shelf.embedder.languages = frozenset({"English"})
    old = await shelf.fact(1, "The lamp is cold.")
    shelf.world.change_embedder("other", 16)
    story = a_story(memory=STORY.memory, head=STORY.head, lineage=STORY.lineage)
    found = await touched(shelf.search, shelf.embedder, story, "She lights the lamp.")
    assert [hit.id for hit in found] == [old]
