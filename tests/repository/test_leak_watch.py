"""The watch over secrets in logs and output really fails a run, in a worker too."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.leak_watch import DISCORD_TOKEN, ENDPOINT_KEY, REDIS_PASSWORD, SECRETS, check, leaked
from tests.repository.root import ROOT

LEAKS = f"""
import logging, subprocess, sys

def test_logged_at_debug():
    logging.getLogger("bot.x").debug("token %s", {DISCORD_TOKEN!r})

def test_logged_with_an_error():
    try:
        raise ValueError({ENDPOINT_KEY!r})
    except ValueError:
        logging.getLogger("other").exception("oh")

def test_printed():
    print({REDIS_PASSWORD!r})

def test_printed_by_a_process():
    subprocess.run([sys.executable, "-c", "print({DISCORD_TOKEN!r})"], check=True)

def test_innocent():
    logging.getLogger("bot.x").info("token (hidden)")
    print("sk-something")
"""


def test_a_leak_fails_the_run_whatever_the_test_says(tmp_path: Path) -> None:
    """What leaked is named; the innocent test passes."""
    file = tmp_path / "test_leaks.py"
    file.write_text(LEAKS)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.leak_watch", "-p", "no:cacheprovider"),
            *("-n", "1", "-rA", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")),
            str(file),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = ran.stdout
    assert ran.returncode == 1, told + ran.stderr
    summary = {
        (line.split()[0], line.split("::")[1].split()[0])
        for line in told.splitlines()
        if line.startswith(("PASSED ", "FAILED ", "ERROR ")) and "::" in line
    }
    assert summary == {
        ("FAILED", "test_printed"),
        ("FAILED", "test_printed_by_a_process"),
        ("PASSED", "test_logged_at_debug"),
        ("ERROR", "test_logged_at_debug"),  # what is logged is looked at when a test is over
        ("PASSED", "test_logged_with_an_error"),
        ("ERROR", "test_logged_with_an_error"),
        ("PASSED", "test_innocent"),
    }
    for name in ("the bot's token", "the endpoint's key", "Redis's password"):
        assert f"({name})" in told


def test_no_secret_is_part_of_what_is_harmless() -> None:
    """Each is long, and told apart from the others' names."""
    for name, secret in SECRETS.items():
        assert len(secret) > 10
        assert not leaked(name)
    with pytest.raises(
        pytest.fail.Exception, match=r"the bot's token in here: a \(the bot's token\) b"
    ):
        check(f"a {DISCORD_TOKEN} b", "here")
