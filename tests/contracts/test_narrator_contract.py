"""What every Narrator promises, held by the fake, the offline narrator and one over an endpoint.

The endpoint is a loopback server whose answers follow from what it is asked, so that the same
question has the same answer there as it has with the other two.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from core.adapters.offline_narrator import OfflineNarrator
from core.adapters.openai_client import Models, openai_client
from core.adapters.openai_narrator import OpenAINarrator
from core.domain.recurrence import (
    MEMORY_SENTENCES,
    TITLE_UNITS,
    StepContext,
    check_paragraph,
    check_reflection,
)
from core.domain.story import Brief, Plan, Recalled, Reflection, Usage
from core.domain.text import sentences, utf16_length
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


def as_answer(reflection: Reflection) -> dict[str, object]:
    """A reflection in the form in which a model answers it."""
    plans = {
        f"plan_{number}": {"title": plan.title, "text": plan.text}
        for number, plan in enumerate(reflection.plans, start=1)
    }
    return {
        "rationale": reflection.rationale,
        "memory": reflection.memory,
        "summary": reflection.summary,
        **plans,
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


async def three_calls(desk: Desk) -> AsyncIterator[tuple[Usage, float]]:
    """What opening, writing and reflecting say they cost, each with the clock's time for it."""
    began = desk.clock.monotonic()
    yield (await desk.narrator.open(BRIEF))[1], desk.clock.monotonic() - began
    began = desk.clock.monotonic()
    written = await desk.narrator.write(LATER, lambda _text: None)
    yield written.usage, desk.clock.monotonic() - began
    began = desk.clock.monotonic()
    yield (await desk.narrator.reflect(LATER, "It rained."))[1], desk.clock.monotonic() - began


async def test_a_call_counts_what_it_cost(desk: Desk) -> None:
    """A model: one request, and tokens both ways. No model: no request and no token."""
    async for usage, _ in three_calls(desk):
        if desk.has_model:
            assert usage.calls == 1
            assert usage.completion_tokens > 0
            assert 0 <= usage.cached_tokens <= usage.prompt_tokens != 0
        else:
            assert (usage.calls, usage.tokens, usage.cached_tokens) == (0, 0, 0)


async def test_a_call_counts_how_long_it_took(desk: Desk) -> None:
    """No call took longer than the clock says, nor its first text longer than the call."""
    async for usage, elapsed_s in three_calls(desk):
        assert 0 <= (usage.first_text_s or 0.0) <= usage.total_s <= elapsed_s


async def test_only_a_paragraph_has_a_first_text(desk: Desk) -> None:
    """What doesn't stream has none: the first of a sum must be a time that members waited."""
    timed = [usage.first_text_s is not None async for usage, _ in three_calls(desk)]
    assert timed == [False, True, False]


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
