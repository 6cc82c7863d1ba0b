"""Looks at many things side by side: each within its own time, none able to take others down.

What a check looks at is its own business. Here its findings are gathered as they come, so that one
that runs out of time loses only what it hadn't found yet.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.domain.checkup import Area, Finding, NotLookedAtError, Topic, Verdict
from core.errors import TalewheelError

T = TypeVar("T")
Look = Callable[[], AsyncGenerator[Finding, None]]
"""Gives findings one after the other. Raises NotLookedAtError where looking has no point."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        area, name: what it is.
        look: looks.
        limit_s: how long that may take.
    """

    area: Area
    name: str
    look: Look
    limit_s: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that wasn't made, and why."""

    area: Area
    check: str
    why: str


@dataclass(slots=True)
class _Seen:
    """What one check has come to so far."""

    findings: list[Finding] = field(default_factory=list[Finding])
    skipped: list[Skipped] = field(default_factory=list[Skipped])


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order in which people read it.

    Attributes:
        findings: by area, then as the checks were listed.
        skipped: what wasn't looked at.
        seconds: how long it took.
        tokens: what the calls to models came to.
        invite: the address that invites the bot; None where the application isn't known.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...] = ()
    seconds: float = 0.0
    tokens: int = 0
    invite: str | None = None

    def count(self, verdict: Verdict) -> int:
        """How many findings have a verdict."""
        return sum(finding.verdict is verdict for finding in self.findings)


async def examine(checks: Sequence[Check]) -> Report:
    """Make all checks, side by side; takes as long as the longest of their limits at most."""
    began = time.monotonic()
    seen = await asyncio.gather(*map(_made, checks))
    order = list(Area)
    findings = [finding for one in seen for finding in one.findings]
    skipped = [skip for one in seen for skip in one.skipped]
    return Report(
        tuple(sorted(findings, key=lambda finding: order.index(finding.area))),
        tuple(sorted(skipped, key=lambda skip: order.index(skip.area))),
        time.monotonic() - began,
    )


async def _made(check: Check) -> _Seen:
    seen = _Seen()
    topic = Topic(check.area, check.name)
    limit = asyncio.timeout(check.limit_s)
    try:
        async with limit, aclosing(check.look()) as findings:
            async for finding in findings:
                seen.findings.append(finding)
    except NotLookedAtError as why:
        seen.skipped.append(Skipped(check.area, check.name, str(why)))
    except TalewheelError as error:
        if error.retryable:
            seen.findings.append(topic.warning(str(error), "Look again later."))
        else:
            seen.findings.append(topic.fault(str(error), "Mend that, and look again."))
    except Exception as fault:  # noqa: BLE001 - the outermost handler of a check
        if limit.expired():
            found, remedy = f"not done within {check.limit_s:.0f} s", "Look again; it is too slow."
        else:
            found = f"the check itself failed ({type(fault).__name__}: {fault})"
            remedy = "Report this: it is a fault of Talewheel's own."
        seen.findings.append(topic.fault(found, remedy))
    return seen


class Shared(Generic[T]):
    """Something that several checks need, looked up once, by whichever comes first.

    Args:
        look_up: raises for all of them what it raises.
    """

    def __init__(self, look_up: Callable[[], Awaitable[T]]) -> None:
        self._look_up = look_up
        self._task: asyncio.Future[T] | None = None

    async def get(self) -> T:
        """What was found; a caller that runs out of time doesn't end the look-up for the others."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._look_up())
        return await asyncio.shield(self._task)

    async def aclose(self) -> None:
        """End a look-up that is still under way."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
