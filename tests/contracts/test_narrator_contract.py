"""What every Narrator promises, held by the fake, the offline narrator and one over an endpoint.

The endpoint is a loopback server whose answers follow from what it is asked, so that the same
question has the same answer there as it has with the other two.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from core.adapters.offline_narrator import OfflineNarrator
from core.adapters.openai_client import Models, openai_client
from core.adapters.openai_narrator import OpenAINarrator
from core.domain.entries import EntryKind, Recalled
from core.domain.recurrence import (
    CHAPTER_UNITS,
    FACTS,
    MEMORY_SENTENCES,
    TITLE_UNITS,
    StepContext,
    check_paragraph,
    check_plans,
    check_reflection,
    label,
)
from core.domain.story import Brief, Plan, Reflection, Usage
from core.domain.text import same_text, sentences, utf16_length
from core.domain.variety import ECHO_SHARE, echo
from core.ports import Clock, Narrator, Written
from tests.e2e.endpoint import MODEL, Kind, StoryEndpoint
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.fakes.narrator import FakeNarrator

HELD = 9
"""The turn whose paragraph the endpoint leaves hanging in its middle."""
SLOWEST_S = 20.0
"""Real seconds after which a test gives up waiting."""

BRIEF = Brief("Mira keeps the last lighthouse, and one night its lamp stays dark.", "mystery")
OPENING = StepContext(BRIEF, number=1, sentences=6)
LATER = StepContext(
    replace(BRIEF, title="The Dark Lamp", outline="A keeper looks for a light. It looks for her."),
    number=7,
    sentences=8,
    canon=("The ferry comes once a year.",),
    memory="Mira keeps the lamp. The lamp is dark. The stair goes below the tide.",
    recalled=(Recalled("t2", 2, "Mira found a ledger under the stair.", 0.8),),
    previous="The stair hummed. She put her hand on the rail and it was warm.",
    plan=Plan("Down the iron stair", "Mira goes down. She counts the steps."),
)
FULL = replace(
    LATER,
    number=30,
    memory=" ".join(f"Mira remembers lamp {n}." for n in range(1, MEMORY_SENTENCES + 1)),
)
"""A late turn, whose short-term memory has no room left."""

KNOWN = replace(
    LATER,
    ledger=(
        Recalled("t2", 2, "Mira owns a brass key.", 0.9, EntryKind.FACT, 1, "Mira"),
        Recalled("t3", 3, "The stair is flooded.", 0.8, EntryKind.FACT, 2, "stair"),
    ),
    touched=(Recalled("t4", 4, "Corvin is blind.", 0.7, EntryKind.FACT, 1, "Corvin"),),
)
"""A turn with facts in its prompt, and with one that its paragraph touches on."""
ENDING = replace(
    KNOWN,
    number=20,
    stretch=tuple(
        Recalled(f"t{n}", n, f"In turn {n} Mira found lamp {n}.", 0.0) for n in range(11, 20)
    ),
)
"""A turn that ends a chapter."""

CONTEXTS = [pytest.param(OPENING, id="opening"), pytest.param(LATER, id="later")]


@dataclass(frozen=True, slots=True)
class Desk:
    """A narrator, the clock it measures by, what it is, and how its hanging answer is let go."""

    narrator: Narrator
    clock: Clock
    has_model: bool
    let_go: Callable[[], None] = lambda: None


@pytest.fixture(scope="module")
def offline() -> OfflineNarrator:
    """One for all tests: between calls it keeps nothing but its repertoires, slow to lay out."""
    return OfflineNarrator(FakeClock(), tokens_per_s=None)


@pytest.fixture(params=["fake", "fake with a notice", "offline", "openai"])
async def desk(request: pytest.FixtureRequest, offline: OfflineNarrator) -> AsyncIterator[Desk]:
    """What the suite runs on; the fake counts tokens as if it had a model."""
    clock = FakeClock()
    match request.param:
        case "fake":
            yield Desk(FakeNarrator(clock), clock, has_model=True)
        case "fake with a notice":
            yield Desk(FakeNarrator(clock, "I am not a model."), clock, has_model=True)
        case "offline":
            yield Desk(offline, clock, has_model=False)
        case _:
            async with (
                StoryEndpoint() as endpoint,
                openai_client(None, endpoint.base_url) as client,
            ):
                held = endpoint.hold(Kind.PARAGRAPH, HELD)
                models = Models(MODEL, MODEL)
                narrator = OpenAINarrator(client, models, FakeMeter(), clock)
                yield Desk(narrator, clock, has_model=True, let_go=held.release)


class Screen:
    """What ``on_text`` was given, and when it first was."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.lit = asyncio.Event()

    def show(self, text: str) -> None:
        self.shown.append(text)
        self.lit.set()


async def watched(narrator: Narrator, context: StepContext) -> tuple[Written, list[str]]:
    """A paragraph and every text that was shown on the way to it."""
    screen = Screen()
    return await narrator.write(context, screen.show), screen.shown


def plans_answer(plans: Sequence[Plan]) -> dict[str, object]:
    """Plans in the form in which a model answers them."""
    return {
        f"plan_{number}": {"title": plan.title, "text": plan.text}
        for number, plan in enumerate(plans, start=1)
    }


def as_answer(reflection: Reflection, known: Sequence[str] = ()) -> dict[str, object]:
    """A reflection in the form in which a model answers it that was shown these facts."""
    facts = [
        {
            "about": fact.about,
            "fact": fact.text,
            "ends": [label(known.index(ended)) for ended in fact.ends],
        }
        for fact in reflection.facts
    ]
    return {
        "rationale": reflection.rationale,
        "memory": reflection.memory,
        "summary": reflection.summary,
        "facts": facts,
        "chapter": reflection.chapter,
        **plans_answer(reflection.plans),
    }


async def settled(done: Callable[[], bool]) -> None:
    """Wait until ``done``, for at most SLOWEST_S."""
    async with asyncio.timeout(SLOWEST_S):
        while not done():  # noqa: ASYNC110 - there is no event for "this task is gone"
            await asyncio.sleep(0.005)


async def test_a_narrator_that_works_passes_its_check(desk: Desk) -> None:
    """A check says nothing when all is well, however often it is asked."""
    await desk.narrator.check()
    await desk.narrator.check()


async def test_the_notice_is_a_sentence_or_none(desk: Desk) -> None:
    """There is nothing to say, or something that can stand in the channel as it is."""
    notice = desk.narrator.notice
    assert notice is None or (notice == notice.strip() and notice.endswith("."))


async def test_an_opening_has_a_title_and_an_outline(desk: Desk) -> None:
    """The title is one line of at most TITLE_UNITS, and neither part is empty."""
    opening, _ = await desk.narrator.open(BRIEF)
    assert opening.title.strip()
    assert "\n" not in opening.title
    assert utf16_length(opening.title) <= TITLE_UNITS
    assert opening.outline.strip()


@pytest.mark.parametrize("context", CONTEXTS)
async def test_a_paragraph_passes_the_rules(desk: Desk, context: StepContext) -> None:
    """With and without anything before it, what is written is whole and needs no trimming."""
    written = await desk.narrator.write(context, lambda _text: None)
    assert check_paragraph(written.text) == written.text


@pytest.mark.parametrize("context", [*CONTEXTS, pytest.param(replace(OPENING, sentences=1))])
async def test_the_text_grows_until_it_is_the_paragraph(desk: Desk, context: StepContext) -> None:
    """Each text shown begins with the one before and is longer; the last has the result's words."""
    written, shown = await watched(desk.narrator, context)
    assert shown[0].strip()
    for before, after in pairwise(shown):
        assert after.startswith(before)
        assert len(after) > len(before)
    assert shown[-1].split() == written.text.split()


@pytest.mark.parametrize("context", [*CONTEXTS, pytest.param(FULL, id="full")])
async def test_a_reflection_passes_the_rules(desk: Desk, context: StepContext) -> None:
    """Nothing is empty, too long or there twice, also where the memory had no room left."""
    written = await desk.narrator.write(context, lambda _text: None)
    reflection, _ = await desk.narrator.reflect(context, written.text)
    assert check_reflection(as_answer(reflection)) == reflection
    assert len(sentences(reflection.memory)) <= MEMORY_SENTENCES


async def test_a_paragraph_by_somebody_else_is_reflected(desk: Desk) -> None:
    """What is reflected is the text that members read, which a moderator may have rewritten."""
    reflection, _ = await desk.narrator.reflect(LATER, "A moderator wrote this. It rained.")
    assert check_reflection(as_answer(reflection)) == reflection


@pytest.mark.parametrize("context", [LATER, KNOWN, ENDING], ids=["later", "known", "ending"])
async def test_the_facts_of_a_reflection_end_only_what_it_was_shown(
    desk: Desk, context: StepContext
) -> None:
    """Each is a line about something, told from the others by its key; they may be none."""
    written = await desk.narrator.write(context, lambda _text: None)
    reflection, _ = await desk.narrator.reflect(context, written.text)
    known = [fact.id for fact in context.known_facts]
    assert len(reflection.facts) <= FACTS
    assert len({fact.key for fact in reflection.facts}) == len(reflection.facts)
    for fact in reflection.facts:
        assert fact.about == fact.about.strip() != ""
        assert fact.text == fact.text.strip() != ""
        assert "\n" not in fact.about + fact.text
        assert set(fact.ends) <= set(known)
        assert not fact.dropped
    answer = as_answer(reflection, known)
    assert check_reflection(answer, known, chapter=bool(context.stretch)) == reflection


async def test_a_chapter_is_told_exactly_when_a_stretch_is_looked_back_on(desk: Desk) -> None:
    """It is text of its own, neither the summary again nor the list that it condenses."""
    ending, _ = await desk.narrator.reflect(ENDING, "It rained on the stair. Mira went home.")
    assert ending.chapter == ending.chapter.strip() != ""
    assert ending.chapter != ending.summary
    assert utf16_length(ending.chapter) <= CHAPTER_UNITS
    other, _ = await desk.narrator.reflect(KNOWN, "It rained on the stair. Mira went home.")
    assert other.chapter == ""


@pytest.mark.parametrize("context", [*CONTEXTS, pytest.param(KNOWN, id="known")])
async def test_other_plans_are_three_and_none_of_the_refused(
    desk: Desk, context: StepContext
) -> None:
    """They pass the rules of plans, and say something else than those that could not stand."""
    paragraph = "It rained on the stair. Mira went home."
    reflection, _ = await desk.narrator.reflect(context, paragraph)
    faults = ["plan_1 and plan_2 lead to the same place."]
    others, _ = await desk.narrator.replan(context, paragraph, reflection.plans, faults)
    assert check_plans(plans_answer(others)) == others
    for refused in reflection.plans:
        assert not [plan for plan in others if same_text(plan.text, refused.text)]


async def test_a_paragraph_that_keeps_away_from_a_passage_is_another_one(desk: Desk) -> None:
    """And passes the rules like any other; the fake says whatever a test has it say."""
    first = await desk.narrator.write(LATER, lambda _text: None)
    again = await desk.narrator.write(replace(LATER, avoid=first.text), lambda _text: None)
    assert check_paragraph(again.text) == again.text
    if not desk.has_model:
        assert echo(again.text, first.text)[0] < ECHO_SHARE


async def all_calls(desk: Desk) -> AsyncIterator[tuple[Usage, float]]:
    """What opening, writing, reflecting and replanning cost, each with the clock's time for it."""
    began = desk.clock.monotonic()
    yield (await desk.narrator.open(BRIEF))[1], desk.clock.monotonic() - began
    began = desk.clock.monotonic()
    written = await desk.narrator.write(LATER, lambda _text: None)
    yield written.usage, desk.clock.monotonic() - began
    began = desk.clock.monotonic()
    yield (await desk.narrator.reflect(LATER, "It rained."))[1], desk.clock.monotonic() - began
    began = desk.clock.monotonic()
    plans = [Plan("Down", "She goes down."), Plan("Down there", "She goes."), Plan("Up", "Up.")]
    again = await desk.narrator.replan(LATER, "It rained.", plans, ["They are alike."])
    yield again[1], desk.clock.monotonic() - began


async def test_a_call_counts_what_it_cost(desk: Desk) -> None:
    """A model: one request, and tokens both ways. No model: no request and no token."""
    async for usage, _ in all_calls(desk):
        if desk.has_model:
            assert usage.calls == 1
            assert usage.completion_tokens > 0
            assert 0 <= usage.cached_tokens <= usage.prompt_tokens != 0
        else:
            assert (usage.calls, usage.tokens, usage.cached_tokens) == (0, 0, 0)


async def test_a_call_counts_how_long_it_took(desk: Desk) -> None:
    """No call took longer than the clock says, nor its first text longer than the call."""
    async for usage, elapsed_s in all_calls(desk):
        assert 0 <= (usage.first_text_s or 0.0) <= usage.total_s <= elapsed_s


async def test_only_a_paragraph_has_a_first_text(desk: Desk) -> None:
    """What doesn't stream has none: the first of a sum must be a time that members waited."""
    timed = [usage.first_text_s is not None async for usage, _ in all_calls(desk)]
    assert timed == [False, True, False, False]


async def test_a_cancelled_paragraph_ends_at_once_and_whole(desk: Desk) -> None:
    """It raises CancelledError, shows nothing more, leaves no task, and the next one is written."""
    context, screen = replace(LATER, number=HELD), Screen()
    before = asyncio.all_tasks()
    writing = asyncio.create_task(desk.narrator.write(context, screen.show))
    async with asyncio.timeout(SLOWEST_S):
        await screen.lit.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    shown = len(screen.shown)
    desk.let_go()
    await settled(lambda: asyncio.all_tasks() <= before)
    assert len(screen.shown) == shown
    written, _ = await watched(desk.narrator, context)
    assert check_paragraph(written.text)


async def test_paragraphs_that_are_written_side_by_side_do_not_mix(desk: Desk) -> None:
    """Each story gets, and shows on the way, what it gets when it is written alone."""
    contexts = [
        replace(LATER, number=number, brief=Brief(premise), plan=Plan(f"Way {number}", "Go on."))
        for number, premise in ((2, "Ada mends clocks."), (3, "Wolves come."), (4, "A ship hums."))
    ]
    alone = [await watched(desk.narrator, context) for context in contexts]
    together = await asyncio.gather(*(watched(desk.narrator, context) for context in contexts))
    assert [one.text for one, _ in together] == [one.text for one, _ in alone]
    assert len({one.text for one, _ in together}) == len(contexts)
    for written, shown in together:
        assert all(written.text.startswith(text.rstrip()) for text in shown)
