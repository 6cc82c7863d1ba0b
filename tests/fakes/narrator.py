"""A narrator that writes what it was told about, so that a test can read what reached the model."""

from collections.abc import Callable

from core.domain.recurrence import StepContext
from core.domain.story import Brief, Opening, Plan, Reflection, Usage
from core.errors import TalewheelError
from core.ports import Clock, Written

WRITE_USAGE = Usage(1000, 500, 300, 1, 0.5, 2.0)
REFLECT_USAGE = Usage(1200, 900, 400, 1, None, 3.0)


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
        return Opening("The Salt Clock", "A clock runs on tides."), Usage(100, 0, 50, 1, None, 1.0)

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        self.contexts.append(context)
        plan = context.plan.title if context.plan else "nothing yet"
        told = [f"Turn {context.number} follows {plan}."]
        told += [f"Sentence {n} of turn {context.number}." for n in range(2, context.sentences + 1)]
        for length in range(1, len(told) + 1):
            on_text(" ".join(told[:length]))
            await self._clock.sleep(self.delay_s)
            if length == 2:
                self._enter("write")
        return Written(" ".join(told), WRITE_USAGE)

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        self.reflected.append((context, paragraph))
        await self._clock.sleep(self.delay_s)
        self._enter("reflect")
        number = context.number
        memory = f"{context.memory} Turn {number} was told.".strip()
        plans = tuple(Plan(f"Way {number}{way}", f"They go {way}.") for way in "abc")
        summary = f"In turn {number} {context.plan.title if context.plan else 'it'} began."
        return Reflection(f"Turn {number} is new.", memory, summary, plans), REFLECT_USAGE

    def _enter(self, name: str) -> None:
        if error := self.fail(name):
            raise error
