"""Reads what a look at the set-up gives, for tests."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from core.domain.checkup import Finding, NotLookedAtError, Verdict


async def all_of(look: AsyncGenerator[Finding, None]) -> list[Finding]:
    """Every finding of a look."""
    return [finding async for finding in look]


async def until_skipped(look: AsyncGenerator[Finding, None]) -> tuple[list[Finding], str]:
    """What a look found before it gave up, and why it did."""
    found: list[Finding] = []
    try:
        async for finding in look:
            found.append(finding)  # noqa: PERF401 - what came before the error is wanted
    except NotLookedAtError as why:
        return found, str(why)
    pytest.fail("it was looked at to the end")


def amiss(findings: Sequence[Finding]) -> list[tuple[str, Verdict, str]]:
    """Check, verdict and words of what isn't well."""
    return [
        (one.check, one.verdict, one.found) for one in findings if one.verdict is not Verdict.OK
    ]
