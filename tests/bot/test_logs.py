"""Logs: text for people, JSON for machines, and no secret in either."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot.logs import set_up
from bot.settings import LogFormat, LogLevel


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Give pytest its handlers back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("discord", "httpx", "httpx2", "openai", "redisvl", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, least in levels.items():
        logging.getLogger(name).setLevel(least)


def written(form: LogFormat, level: LogLevel = LogLevel.INFO) -> io.StringIO:
    stream = io.StringIO()
    set_up(level, form, ("s3cret",), stream)
    return stream


def test_text_has_time_level_name_and_message() -> None:
    stream = written(LogFormat.TEXT)
    logging.getLogger("bot.x").warning("hello %s", "there")
    line = stream.getvalue()
    assert "Z WARNING bot.x: hello there\n" in line


def test_json_is_one_object_per_line_with_extras_and_the_error() -> None:
    stream = written(LogFormat.JSON)
    try:
        raise ValueError("broken\nin two lines")
    except ValueError:
        logging.getLogger("bot.x").exception("oh", extra={"channel": 5})
    [line] = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["level"] == "ERROR"
    assert entry["message"] == "oh"
    assert entry["channel"] == 5
    assert "ValueError: broken" in entry["error"]
    assert entry["at"].endswith("Z")


@pytest.mark.parametrize("form", list(LogFormat))
def test_secrets_are_hidden_wherever_they_turn_up(form: LogFormat) -> None:
    stream = written(form)
    try:
        raise ValueError("s3cret in an error")
    except ValueError:
        logging.getLogger("bot.x").exception("s3cret in a message: %s", "s3cret")
    assert "s3cret" not in stream.getvalue()
    assert stream.getvalue().count("(hidden)") == 4  # message, argument, source line, error


def test_warnings_about_voice_are_left_out() -> None:
    stream = written(LogFormat.TEXT)
    log = logging.getLogger("discord.client")
    log.warning("%s is not installed, voice will NOT be supported", "PyNaCl")
    log.warning("the gateway is slow")
    assert [line[-19:] for line in stream.getvalue().splitlines()] == ["the gateway is slow"]


def test_payloads_of_the_libraries_stay_out_even_at_debug() -> None:
    """discord.py logs whole messages at DEBUG."""
    stream = written(LogFormat.TEXT, LogLevel.DEBUG)
    logging.getLogger("discord.http").debug("a member's words")
    logging.getLogger("bot.x").debug("ours")
    assert "words" not in stream.getvalue()
    assert "ours" in stream.getvalue()
