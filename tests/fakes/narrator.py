"""A narrator that writes what it was told about, so that a test can read what reached the model."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.domain.content import FOR_EVERYONE, Bounds
from core.domain.recurrence import StepContext, check_plans, check_reflection
from core.domain.story import Brief, Opening, Plan, Reflection, Usage
from core.domain.text import sentences
from core.errors import TalewheelError
from core.ports import Clock, Written

OPEN_USAGE = Usage(100, 0, 50, 1)
WRITE_USAGE = Usage(1000, 500, 300, 1)
REFLECT_USAGE = Usage(1200, 900, 400, 1)
"""What each call costs, but for its times: those are the clock's."""


class FakeNarrator:
    """Implements ports.Narrator.

    Attributes:
        contexts: every context that ``write`` was given.
        reflected: every (context, paragraph) that ``reflect`` was given.
        fail: asked at each call with its name; what it returns is raised.
        opened_within: the bounds that every ``open`` was given; ``outline`` is what it answers.
        replanned: the faults that every ``replan`` was given, ``replanned_within`` its bounds.
        refused: the plans that every ``replan`` was given.
        paragraphs: what each paragraph says.
        facts: what each reflection adds to the ledger.
        plans: what each reflection offers, and ``others`` what each ``replan`` offers.
        written: what each paragraph costs, but for its times.
        delay_s: how long the clock runs between two sentences of a paragraph.
    """

    def __init__(self, clock: Clock, notice: str | None = None) -> None:
        self._clock = clock
        self.notice = notice
        self.contexts: list[StepContext] = []
        self.reflected: list[tuple[StepContext, str]] = []
        self.openings: list[Brief] = []
        self.opened_within: list[Bounds] = []
        self.outline: Callable[[Bounds], str] = lambda _bounds: "A clock runs on tides."
        self.replanned: list[tuple[str, ...]] = []
        self.replanned_within: list[Bounds] = []
        self.refused: list[tuple[Plan, ...]] = []
        self.paragraphs: Callable[[StepContext], str] = paragraph_of
        self.facts: Callable[[StepContext], list[dict[str, object]]] = lambda _context: []
        self.plans: Callable[[int], Sequence[Plan]] = lambda number: _plans(number, "abc")
        self.others: Callable[[int], Sequence[Plan]] = lambda number: _plans(number, "xyz")
        self.written = WRITE_USAGE
        self.fail: Callable[[str], TalewheelError | None] = lambda _name: None
        self.delay_s = 0.5

    async def check(self) -> None:
        self._enter("check")

    async def open(self, brief: Brief, bounds: Bounds = FOR_EVERYONE) -> tuple[Opening, Usage]:
        self.openings.append(brief)
        self.opened_within.append(bounds)
        self._enter("open")
        return Opening("The Salt Clock", self.outline(bounds)), OPEN_USAGE

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        self.contexts.append(context)
        told = sentences(self.paragraphs(context))
        start = self._clock.monotonic()
        for length in range(1, len(told) + 1):
            on_text(" ".join(told[:length]))
            await self._clock.sleep(self.delay_s)
            if length == min(2, len(told)):
                self._enter("write")
        total_s = self._clock.monotonic() - start
        return Written(" ".join(told), replace(self.written, first_text_s=0.0, total_s=total_s))

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        self.reflected.append((context, paragraph))
        start = self._clock.monotonic()
        await self._clock.sleep(self.delay_s)
        self._enter("reflect")
        usage = replace(REFLECT_USAGE, total_s=self._clock.monotonic() - start)
        answer = _answer(context) | {"facts": self.facts(context)}
        answer |= _as_answered(self.plans(context.number))
        known = [fact.id for fact in context.known_facts]
        return check_reflection(answer, known, chapter=bool(context.stretch)), usage

    async def replan(
        self, context: StepContext, paragraph: str, refused: Sequence[Plan], faults: Sequence[str]
    ) -> tuple[tuple[Plan, ...], Usage]:
        del paragraph
        self.replanned.append(tuple(faults))
        self.replanned_within.append(context.bounds)
        self.refused.append(tuple(refused))
        self._enter("replan")
        return check_plans(_as_answered(self.others(context.number))), REFLECT_USAGE

    def _enter(self, name: str) -> None:
        if error := self.fail(name):
            raise error


def paragraph_of(context: StepContext) -> str:
    """What it was told about the turn, in as many sentences as were asked for."""
    plan = context.plan.title if context.plan else "nothing yet"
    told = [f"Turn {context.number} follows {plan}."]
    told += [f"Sentence {n} of turn {context.number}." for n in range(2, context.sentences + 1)]
    return " ".join(told)


def _answer(context: StepContext) -> dict[str, object]:
    """The memory with a sentence more, a summary and a chapter that are named after the turn."""
    number = context.number
    return {
        "rationale": f"Turn {number} is new.",
        "memory": f"{context.memory} Turn {number} was told.".strip(),
        "summary": f"In turn {number} {context.plan.title if context.plan else 'it'} began.",
        "chapter": f"Up to turn {number} all went on.",
    }


def _plans(number: int, ways: str) -> list[Plan]:
    """Three plans that are named after the turn."""
    return [Plan(f"Way {number}{way}", way_of(number, way)) for way in ways]


def _as_answered(plans: Sequence[Plan]) -> dict[str, object]:
    return {
        f"plan_{place}": {"title": plan.title, "text": plan.text}
        for place, plan in enumerate(plans, start=1)
    }


def way_of(number: int, way: str) -> str:
    """A plan's text: no two have much in common, by letters or by words."""
    digest = hashlib.sha256(f"{number}{way}".encode()).hexdigest()
    return f"They go {way}: {digest[:6]} {digest[6:12]} {digest[12:18]} {digest[18:24]}."
