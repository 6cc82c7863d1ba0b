"""How a report is shown: for people in 80 columns, for machines as one JSON document.

Colour says nothing that words don't. Every text goes through ``veiled`` first: what a server says
or a guild is called may hold a secret, an end of a line or an escape.
"""

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from bot.doctor.examination import Report, Skipped
from core.domain.checkup import Area, Finding, Verdict, many

WIDTH = 80
_VERDICT = 9
_CHECK = 13
_INDENT = 2 + _VERDICT + _CHECK
_TITLES = {
    Area.SETTINGS: "Settings",
    Area.DISCORD: "Discord",
    Area.REDIS: "Redis",
    Area.STORIES: "Stories",
    Area.MODEL: "Model",
    Area.EMBEDDINGS: "Embeddings",
    Area.MODERATION: "Moderation",
    Area.CLOCK: "Clock",
    Area.MACHINE: "Machine",
}
_WORDS = {Verdict.OK: "ok", Verdict.WARNING: "warning", Verdict.FAULT: "FAULT"}
_COLOURS = {Verdict.OK: "32", Verdict.WARNING: "33", Verdict.FAULT: "1;31"}
_SKIPPED = "skipped"
_OUTCOME = {
    Verdict.OK: "All is well.",
    Verdict.WARNING: "The bot can work.",
    Verdict.FAULT: "Mend the faults first; then look again.",
}


def veiled(report: Report, hide: Callable[[str], str]) -> Report:
    """The report with every text passed through ``hide``, each on one line."""

    def plain(text: str) -> str:
        return " ".join(hide(text).split())

    return replace(
        report,
        findings=tuple(
            replace(one, found=plain(one.found), remedy=plain(one.remedy))
            for one in report.findings
        ),
        skipped=tuple(replace(one, why=plain(one.why)) for one in report.skipped),
    )


def as_text(report: Report, version: str, *, colour: bool) -> str:
    """The report for people.

    Args:
        report: veiled.
        version: Talewheel's.
        colour: whether verdicts are coloured.
    """
    lines = [f"talewheel {version} · doctor"]
    for area in Area:
        lines += _area(report, area, colour=colour)
    if report.invite:
        lines += ["", "Invite the bot, with exactly the permissions it needs:", report.invite]
    return "\n".join([*lines, "", *_summary(report)])


def as_json(report: Report, version: str) -> str:
    """The report for machines: one document.

    ``{version, verdict, findings: [{area, check, verdict, found, remedy}], skipped: [{area, check,
    why}], summary: {ok, warning, fault, skipped, seconds, tokens}, invite}``; ``verdict`` is the
    worst of all.

    Args:
        report: veiled.
        version: Talewheel's.
    """
    document = {
        "version": version,
        "verdict": worst(report).value,
        "findings": [
            {
                "area": one.area.value,
                "check": one.check,
                "verdict": one.verdict.value,
                "found": one.found,
                "remedy": one.remedy,
            }
            for one in report.findings
        ],
        "skipped": [
            {"area": one.area.value, "check": one.check, "why": one.why} for one in report.skipped
        ],
        "summary": {
            **{verdict.value: report.count(verdict) for verdict in Verdict},
            "skipped": len(report.skipped),
            "seconds": round(report.seconds, 1),
            "tokens": report.tokens,
        },
        "invite": report.invite,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def worst(report: Report) -> Verdict:
    """The worst verdict of a report."""
    return next(
        (verdict for verdict in (Verdict.FAULT, Verdict.WARNING) if report.count(verdict)),
        Verdict.OK,
    )


def _area(report: Report, area: Area, *, colour: bool) -> Iterator[str]:
    findings = [one for one in report.findings if one.area is area]
    skipped = [one for one in report.skipped if one.area is area]
    if not findings and not skipped:
        return
    yield ""
    yield _TITLES[area]
    for finding in findings:
        yield from _finding(finding, colour=colour)
    for why, checks in _by_reason(skipped).items():
        first, *more = _wrapped(f"{', '.join(checks)}: {why}", " " * (2 + _VERDICT))
        yield f"  {_SKIPPED:<{_VERDICT}}{first.strip()}"
        yield from more


def _finding(finding: Finding, *, colour: bool) -> Iterator[str]:
    word = f"{_WORDS[finding.verdict]:<{_VERDICT}}"
    if colour:
        word = f"\x1b[{_COLOURS[finding.verdict]}m{word}\x1b[0m"
    yield from _row(word, finding.check, finding.found)
    if finding.remedy:
        yield from _wrapped(finding.remedy, " " * (_INDENT - 2) + "→ ")


def _by_reason(skipped: Iterable[Skipped]) -> dict[str, list[str]]:
    """The checks that weren't made, by what kept them: often it is one thing for all."""
    checks: dict[str, list[str]] = {}
    for skip in skipped:
        checks.setdefault(skip.why, []).append(skip.check)
    return checks


def _row(word: str, check: str, text: str) -> Iterator[str]:
    first, *more = _wrapped(text, " " * _INDENT)
    yield f"  {word}{check:<{_CHECK}}{first.strip()}"
    yield from more


def _wrapped(text: str, first: str) -> list[str]:
    """Lines of at most WIDTH; an address that is longer stays whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def _summary(report: Report) -> Iterator[str]:
    counts = [
        f"{report.count(Verdict.OK)} ok",
        many(report.count(Verdict.WARNING), "warning"),
        many(report.count(Verdict.FAULT), "fault"),
        *([f"{len(report.skipped)} skipped"] if report.skipped else []),
        f"{report.seconds:.1f} s",
    ]
    yield " · ".join(counts)
    if report.tokens:
        yield f"The two short answers of the model cost about {report.tokens:,} tokens."
    yield f"{_OUTCOME[worst(report)]} Nothing was changed."
