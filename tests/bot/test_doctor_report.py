"""A report as people and as machines read it."""

import json

from bot.doctor.examination import Report, Skipped
from bot.doctor.report import WIDTH, as_json, as_text, veiled, worst
from core.domain.checkup import Area, Topic, Verdict

SERVER = Topic(Area.REDIS, "server")
FULL = Report(
    findings=(
        Topic(Area.SETTINGS, "other server").warning("w " * 60, "r " * 60),
        Topic(Area.DISCORD, "token").ok("accepted"),
        SERVER.fault("can't be reached", "Start Redis there."),
    ),
    skipped=(
        Skipped(Area.REDIS, "speed", "Redis doesn't answer"),
        Skipped(Area.REDIS, "index", "Redis doesn't answer"),
    ),
    seconds=1.26,
    tokens=1234,
    invite="https://discord.com/oauth2/authorize?client_id=1&scope=bot&permissions=274877975616",
)


def test_everything_is_said_within_80_columns() -> None:
    """But for the address, which must be copied whole."""
    text = as_text(FULL, "1.2.3", colour=False)
    lines = text.splitlines()
    assert max(len(line) for line in lines if not line.startswith("https://")) <= WIDTH
    assert FULL.invite in lines


def test_a_page_reads_as_it_should() -> None:
    report = Report(FULL.findings[1:], FULL.skipped, 1.26, 1234)
    assert as_text(report, "1.2.3", colour=False).splitlines() == [
        "talewheel 1.2.3 · doctor",
        "",
        "Discord",
        "  ok       token        accepted",
        "",
        "Redis",
        "  FAULT    server       can't be reached",
        "                      → Start Redis there.",
        "  skipped  speed, index: Redis doesn't answer",
        "",
        "1 ok · 0 warnings · 1 fault · 2 skipped · 1.3 s",
        "The two short answers of the model cost about 1,234 tokens.",
        "Mend the faults first; then look again. Nothing was changed.",
    ]


def test_colour_adds_nothing_but_colour() -> None:
    coloured = as_text(FULL, "1", colour=True)
    plain = as_text(FULL, "1", colour=False)
    assert "\x1b[" not in plain
    for code in ("\x1b[32m", "\x1b[33m", "\x1b[1;31m", "\x1b[0m"):
        assert code in coloured
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_a_machine_gets_one_document() -> None:
    document = json.loads(as_json(FULL, "1.2.3"))
    assert document["findings"][2] == {
        "area": "redis",
        "check": "server",
        "verdict": "fault",
        "found": "can't be reached",
        "remedy": "Start Redis there.",
    }
    del document["findings"]
    assert document == {
        "version": "1.2.3",
        "verdict": "fault",
        "skipped": [
            {"area": "redis", "check": "speed", "why": "Redis doesn't answer"},
            {"area": "redis", "check": "index", "why": "Redis doesn't answer"},
        ],
        "summary": {
            "ok": 1,
            "warning": 1,
            "fault": 1,
            "skipped": 2,
            "seconds": 1.3,
            "tokens": 1234,
        },
        "invite": FULL.invite,
    }


def test_the_worst_of_all_is_what_it_comes_to() -> None:
    ok, warning = SERVER.ok("x"), SERVER.warning("x", "y")
    assert worst(Report(())) is Verdict.OK
    assert worst(Report((ok, warning, ok))) is Verdict.WARNING
    assert worst(FULL) is Verdict.FAULT


def test_whatever_is_shown_is_veiled_and_stays_on_its_line() -> None:
    """A name or a server's words may hold a secret, or ends of lines."""
    report = Report(
        (SERVER.fault("found s3cret\n  FAULT", "do s3cret"),),
        (Skipped(Area.REDIS, "speed", "why s3cret"),),
    )
    seen = veiled(report, lambda text: text.replace("s3cret", "(hidden)"))
    [finding], [skipped] = seen.findings, seen.skipped
    assert (finding.found, finding.remedy) == ("found (hidden) FAULT", "do (hidden)")
    assert skipped.why == "why (hidden)"
