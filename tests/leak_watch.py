"""Every secret that the tests know, and a watch over all that is said while they run.

The watch is part of tests/conftest.py, so it runs with every test and in every worker: it reads
what is logged (what the bot itself says down to DEBUG) and what is printed, by the test's process
and by those that it starts without catching their output. What the bot's own processes print is
caught, and read by tests/faults/process_house. A test in which one of the secrets appears fails,
even if it would have passed.
"""

import logging
from collections.abc import Generator, Iterator

import pytest

DISCORD_TOKEN = "local-token"
ENDPOINT_KEY = "sk-known-to-the-tests-4f9c"
REDIS_PASSWORD = "p%40ss/known-to-the-tests"
"""As it is; in an address it must be quoted."""
WRONG_SECRET = "s3cret-s3cret"
"""For a token, key or password that is refused."""

SECRETS = {
    "the bot's token": DISCORD_TOKEN,
    "the endpoint's key": ENDPOINT_KEY,
    "Redis's password": REDIS_PASSWORD,
    "Redis's password, decoded": "p@ss/known-to-the-tests",
    "Redis's password, quoted": "p%2540ss%2Fknown-to-the-tests",
    "a secret that was refused": WRONG_SECRET,
}
_OURS = ("bot", "core")


def leaked(text: str) -> list[str]:
    """The names of the secrets that stand in a text."""
    return [name for name, secret in SECRETS.items() if secret in text]


def check(text: str, where: str) -> None:
    """Fail, with the line but not with its secret, when one stands in a text."""
    if fault := _fault(text, where):
        pytest.fail(fault, pytrace=False)


def _fault(text: str, where: str) -> str | None:
    names = leaked(text)
    if not names:
        return None
    line = next(line for line in text.splitlines() if leaked(line))
    for name in names:
        line = line.replace(SECRETS[name], f"({name})")
    return f"{', '.join(names)} in {where}: {line[:300]}"


class _Ear(logging.Handler):
    """Hears every record as it would be written, its error included."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if leaked(line):
            self.heard.append(f"{record.name}: {line}")


@pytest.fixture(autouse=True)
def no_secret_is_logged() -> Iterator[None]:
    """Fail a test while which a secret was logged."""
    ear, root = _Ear(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in _OURS}
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    before, lowest = root.level, min(root.level, logging.INFO)
    root.setLevel(lowest)
    root.addHandler(ear)
    yield
    root.removeHandler(ear)
    if root.level == lowest:
        root.setLevel(before)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    check("\n".join(ear.heard), "the log")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that printed a secret."""
    report = yield
    for title, text in report.sections:
        # Those of the earlier phases are there again; what is logged was heard already.
        now = title.endswith(report.when or "") and "log" not in title
        if now and (fault := _fault(text, title)):
            report.outcome, report.longrepr = "failed", fault
    return report
