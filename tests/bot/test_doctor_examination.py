"""Checks side by side: what one does never costs another, and nothing found is lost."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from bot.doctor.examination import Check, Look, Shared, examine
from core.domain.checkup import Area, Finding, NotLookedAtError, Topic, Verdict
from core.errors import StoreError, StoreUnavailableError

HERE = Topic(Area.REDIS, "here")
Findings = AsyncGenerator[Finding, None]


def check(look: Look, area: Area = Area.REDIS, limit_s: float = 5.0) -> Check:
    return Check(area, "check", look, limit_s)


def finds(topic: Topic, after_s: float = 0.0) -> Look:
    async def look() -> Findings:
        await asyncio.sleep(after_s)
        yield topic.ok("found")

    return look


def fails(error: Exception) -> Look:
    async def look() -> Findings:
        yield HERE.ok("found first")
        raise error

    return look


async def test_findings_stand_in_the_order_of_areas_and_then_of_checks() -> None:
    """Not in the order in which they came."""
    clock, discord = Topic(Area.CLOCK, "a"), Topic(Area.DISCORD, "b")
    report = await examine(
        [
            check(finds(clock), Area.CLOCK),
            check(finds(discord, after_s=0.05), Area.DISCORD),
            check(finds(HERE)),
        ]
    )
    assert [one.area for one in report.findings] == [Area.DISCORD, Area.REDIS, Area.CLOCK]


async def test_checks_are_made_side_by_side() -> None:
    began = time.monotonic()
    await examine([check(finds(HERE, after_s=0.2)) for _ in range(20)])
    assert time.monotonic() - began < 2.0


async def test_a_check_that_takes_too_long_keeps_what_it_found() -> None:
    """Its end is a fault with a figure, and the others don't wait for it."""

    async def look() -> Findings:
        yield HERE.ok("found first")
        await asyncio.sleep(60)
        yield HERE.ok("never")

    report = await examine([check(look, limit_s=0.05), check(finds(HERE))])
    assert [one.found for one in report.findings] == ["found first", "not done within 0 s", "found"]
    assert report.count(Verdict.FAULT) == 1


@pytest.mark.parametrize(
    ("error", "verdict", "says"),
    [
        (StoreError("Redis couldn't do it"), Verdict.FAULT, "Redis couldn't do it"),
        (StoreUnavailableError("Redis is busy"), Verdict.WARNING, "Redis is busy"),
        (KeyError("id"), Verdict.FAULT, "the check itself failed (KeyError: 'id')"),
        (TimeoutError("of its own"), Verdict.FAULT, "the check itself failed (TimeoutError"),
    ],
)
async def test_a_check_that_fails_says_so_and_keeps_what_it_found(
    error: Exception, verdict: Verdict, says: str
) -> None:
    report = await examine([check(fails(error)), check(finds(HERE))])
    first, failure, other = report.findings
    assert (first.found, other.found) == ("found first", "found")
    assert failure.verdict is verdict
    assert failure.found.startswith(says)


async def test_what_could_not_be_looked_at_is_no_finding() -> None:
    report = await examine([check(fails(NotLookedAtError("nobody answers")))])
    assert [one.found for one in report.findings] == ["found first"]
    assert [(one.area, one.check, one.why) for one in report.skipped] == [
        (Area.REDIS, "check", "nobody answers")
    ]


async def test_what_several_checks_need_is_looked_up_once() -> None:
    """Also when the first that asks runs out of time before the answer."""
    asked = 0

    async def look_up() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.1)
        return 7

    shared = Shared(look_up)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await shared.get()
    assert await asyncio.gather(shared.get(), shared.get()) == [7, 7]
    assert asked == 1
    await shared.aclose()


async def test_a_failed_look_up_fails_for_everybody_and_can_be_closed() -> None:
    async def look_up() -> int:
        raise StoreError("gone")

    shared = Shared(look_up)
    for _ in range(2):
        with pytest.raises(StoreError):
            await shared.get()
    await shared.aclose()


async def test_a_look_up_that_still_runs_ends_with_its_owner() -> None:
    shared = Shared(lambda: asyncio.sleep(60))
    waiting = asyncio.create_task(shared.get())
    await asyncio.sleep(0)
    await shared.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await Shared(look_nowhere).aclose()


async def look_nowhere() -> int:
    raise AssertionError("nobody asked")
