"""A narrator that writes what it was told about, so that a test can read what reached the model."""

from collections.abc import Callable
from dataclasses import replace

from core.domain.recurrence import StepContext, check_reflection
from core.domain.story import Brief, Opening, Reflection, Usage
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
        delay_s: how long the clock runs between two sentences of a paragraph.
    """

    def __init__(self, clock: Clock, notice: str | None = None) -> None:
        self._clock = clock
        self.notice = notice
        self.contexts: list[StepContext] = []
        self.reflected: list[tuple[StepContext, str]] = []
        self.openings: list[Brief] = []
        self.fail: Callable[[str], TalewheelError | None] = lambda _name: None
        self.delay_s = 0.5

    async def check(self) -> None:
        self._enter("check")

    async def open(self, brief: Brief) -> tuple[Opening, Usage]:
        self.openings.append(brief)
        self._enter("open")
        return Opening("The Salt Clock", "A clock runs on tides."), OPEN_USAGE

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        self.contexts.append(context)
        plan = context.plan.title if context.plan else "nothing yet"
        told = [f"Turn {context.number} follows {plan}."]
        told += [f"Sentence {n} of turn {context.number}." for n in range(2, context.sentences + 1)]
        start = self._clock.monotonic()
        for length in range(1, len(told) + 1):
            on_text(" ".join(told[:length]))
            await self._clock.sleep(self.delay_s)
            if length == min(2, len(told)):
                self._enter("write")
        total_s = self._clock.monotonic() - start
        return Written(" ".join(told), replace(WRITE_USAGE, first_text_s=0.0, total_s=total_s))

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        self.reflected.append((context, paragraph))
        start = self._clock.monotonic()
        await self._clock.sleep(self.delay_s)
        self._enter("reflect")
        usage = replace(REFLECT_USAGE, total_s=self._clock.monotonic() - start)
        return check_reflection(_answer(context)), usage

    def _enter(self, name: str) -> None:
        if error := self.fail(name):
            raise error


def _answer(context: StepContext) -> dict[str, object]:
    """The memory with a sentence more, and three plans that are named after the turn."""
    number = context.number
    plans = {
        f"plan_{place}": {"title": f"Way {number}{way}", "text": f"They go {way}."}
        for place, way in enumerate("abc", start=1)
    }
    return {
        "rationale": f"Turn {number} is new.",
        "memory": f"{context.memory} Turn {number} was told.".strip(),
        "summary": f"In turn {number} {context.plan.title if context.plan else 'it'} began.",
        **plans,
    }
