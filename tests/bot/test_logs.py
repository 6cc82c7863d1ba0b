"""Logs: text for people, JSON for machines, and no secret in either."""

import io
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote, unquote

import pytest

from bot.logs import hidden, set_up
from bot.setting_table import LogFormat, LogLevel
from core.services.work import Work, working_on


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


def written(
    form: LogFormat, level: LogLevel = LogLevel.INFO, secrets: tuple[str, ...] = ("s3cret",)
) -> io.StringIO:
    stream = io.StringIO()
    set_up(level, form, secrets, stream)
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


GUILD, CHANNEL = 81384788765712384, 112233445566778899


def test_json_says_where_and_what_the_line_is_about() -> None:
    """Ids as text: as numbers they are longer than what most readers keep exactly."""
    stream = written(LogFormat.JSON)
    log = logging.getLogger("bot.x")
    with working_on(Work(GUILD, CHANNEL, f"{CHANNEL}:2", 7)):
        log.info("of a turn", extra={"incident": "ab12cd34"})
    with working_on(Work(GUILD, CHANNEL)):
        log.info("of a command")
    log.info("of nobody")
    turn, command, nobody = map(json.loads, stream.getvalue().splitlines())
    names = ("guild", "channel", "story", "turn", "incident")
    assert [turn[name] for name in names] == [
        str(GUILD),
        str(CHANNEL),
        f"{CHANNEL}:2",
        7,
        "ab12cd34",
    ]
    assert {name: command[name] for name in names if name in command} == {
        "guild": str(GUILD),
        "channel": str(CHANNEL),
    }
    assert not set(names) & set(nobody)


def test_text_says_it_in_brackets_behind_the_message() -> None:
    """The story's name begins with its channel, which isn't said twice; a trace follows below."""
    stream = written(LogFormat.TEXT)
    log = logging.getLogger("bot.x")
    with working_on(Work(GUILD, CHANNEL, f"{CHANNEL}:2", 7)):
        log.error("broken", exc_info=ValueError("why"))
    with working_on(Work(0, CHANNEL)):
        log.info("of a channel")
    log.info("of nobody")
    lines = [line for line in stream.getvalue().splitlines() if not line.startswith("    ")]
    assert lines[0].endswith(f"bot.x: broken [guild={GUILD} story={CHANNEL}:2 turn=7]")
    assert lines[1].endswith(f"bot.x: of a channel [channel={CHANNEL}]")
    assert lines[2].endswith("bot.x: of nobody")


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


FORGED = "Ada\n2026-11-25T12:00:00.000Z CRITICAL bot: forged\r\x1b[2J\x9b31m\u2028\u202e\x00\ud800"


@pytest.mark.parametrize("form", list(LogFormat))
def test_no_text_makes_a_line_of_its_own_or_speaks_to_a_terminal(form: LogFormat) -> None:
    """Neither in a message nor in an error nor in an extra: one line, and the trace is indented."""
    stream = written(form)
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("bot.x").exception("by %s", FORGED, extra={"name_": FORGED})
    text = stream.getvalue()
    text.encode()
    assert all(character.isprintable() or character == "\n" for character in text)
    lines = text.removesuffix("\n").split("\n")
    assert [line for line in lines if not line.startswith("    ")] == lines[:1]
    if form is LogFormat.JSON:
        entry = json.loads(lines[0])
        assert entry["message"] == f"by {FORGED}"
        assert entry["name_"] == FORGED


def test_a_call_stack_is_indented_as_well() -> None:
    stream = written(LogFormat.TEXT)
    logging.getLogger("bot.x").warning("here", stack_info=True)
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("bot.x: here")
    assert rest
    assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize("form", list(LogFormat))
@pytest.mark.parametrize("secret", ["p%40ss%2Fword", 'qu"ot\\ed', "it's", "long-secret-long"])
def test_a_secret_is_hidden_however_it_is_spelt(form: LogFormat, secret: str) -> None:
    """As it stands in an address, decoded, in JSON, in Python; also where another is part of it."""
    stream = written(form, secrets=("secret", secret))
    plain = unquote(secret)
    log = logging.getLogger("bot.x")
    spelt = [secret, plain, quote(plain, safe=""), repr(plain), json.dumps({"k": plain})]
    for text in spelt:
        log.warning("%s", text, extra={"more": [text]})
    shown = stream.getvalue()
    assert not [text for text in (secret, plain, quote(plain, safe="")) if text in shown]
    assert json.dumps(plain)[1:-1] not in shown
    assert shown.count("(hidden)") >= len(spelt)
    assert hidden(f"at redis://:{secret}@host", (secret,)) == "at redis://:(hidden)@host"
