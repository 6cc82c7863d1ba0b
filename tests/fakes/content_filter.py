"""A content filter that flags what a test says, and an audience that a test changes at will."""

from collections.abc import Callable, Collection, Sequence

from core.domain.content import Verdict, judged
from core.errors import FilterError
from core.ports import Clock


class FakeContentFilter:
    """Implements ports.ContentFilter.

    Attributes:
        flags: the categories of a text.
        fail: asked at each call with its name; what it returns is raised.
        seen: what it was shown, each time: the texts, and whether for adults alone.
        checks: how often ``check`` was called.
        delay_s: how long a look takes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.flags: Callable[[str], Collection[str]] = lambda _text: ()
        self.fail: Callable[[str], FilterError | None] = lambda _name: None
        self.seen: list[tuple[tuple[str, ...], bool]] = []
        self.checks = 0
        self.delay_s = 0.0

    async def check(self) -> None:
        self.checks += 1
        self._enter("check")

    async def judge(self, texts: Sequence[str], *, adults: bool) -> Verdict:
        self.seen.append((tuple(texts), adults))
        if self.delay_s:
            await self._clock.sleep(self.delay_s)
        self._enter("judge")
        return judged({flag for text in texts for flag in self.flags(text)}, adults=adults)

    def _enter(self, name: str) -> None:
        if error := self.fail(name):
            raise error


class FakeAudience:
    """Implements ports.Audience.

    Attributes:
        restricted: the age-restricted channels.
    """

    def __init__(self) -> None:
        self.restricted: set[int] = set()

    def adults_only(self, channel: int) -> bool:
        return channel in self.restricted
