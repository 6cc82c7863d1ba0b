"""How the process logs: one handler on the root, as text for people or one JSON object per line.

What a line is about (server, channel, story, turn) comes from the task that logs it, so that no
call has to say it: fields in JSON, and in brackets behind the text.

Secrets are masked in whatever passes through. What members and models write must not be logged at
INFO or above; the libraries' own DEBUG lines hold such text, so they are kept out. What quotes it
all the same (an error, an answer of a server) can't begin a line of its own, nor speak to a
terminal: what isn't printable is spelt out, and traces are indented.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import quote, unquote

from bot.setting_table import LogFormat, LogLevel
from core.services.work import current

_QUIET = {
    "discord": logging.INFO,  # at DEBUG: every payload
    "httpx": logging.WARNING,  # at INFO: a line per request
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,  # at DEBUG: ten lines per request
    "httpcore2": logging.WARNING,
    "openai": logging.WARNING,
    "redisvl": logging.WARNING,
    "asyncio": logging.WARNING,
}
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Controls, ends of lines, escapes to a terminal, what turns a line round, halves of characters."""
_VOICE = "voice will NOT be supported"
"""discord.py's warning, at each start, about packages for what this bot never does."""
_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""Attributes that every record has; any other came in by ``extra``."""


def _about() -> dict[str, str | int]:
    """What the running task works on, as far as it is known.

    Ids are texts: as numbers they are longer than what most readers of JSON keep exactly.
    """
    work = current()
    if work is None:
        return {}
    known: dict[str, str | int] = {
        "guild": str(work.guild or ""),
        "channel": str(work.channel or ""),
        "story": work.story,
        "turn": work.turn,
    }
    return {name: value for name, value in known.items() if value}


class _Text(logging.Formatter):
    """One line per record; the lines of a trace follow it, indented."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", style="{")
        self._spellings = _spellings(secrets)

    def format(self, record: logging.LogRecord) -> str:
        record.asctime = self.formatTime(record)
        record.message = _printable(self._mask(record.getMessage()))
        lines = [self.formatMessage(record) + self._brackets()]
        for trace in self._traces(record):
            lines += [f"    {_printable(line)}" for line in trace.split("\n")]
        return "\n".join(lines)

    def _brackets(self) -> str:
        about = _about()
        if "story" in about:
            del about["channel"]  # its first half
        named = " ".join(f"{name}={value}" for name, value in about.items())
        return f" [{named}]" if named else ""

    def _traces(self, record: logging.LogRecord) -> Iterator[str]:
        if record.exc_info:
            yield self._mask(self.formatException(record.exc_info))
        if record.stack_info:
            yield self._mask(record.stack_info)

    def _mask(self, text: str) -> str:
        return _masked(text, self._spellings)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the standard library's name
        at = datetime.fromtimestamp(record.created, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Json(_Text):
    """One JSON object per line: at, level, logger, message, what it is about, ``extra``, error."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_about(),
        }
        fields |= {k: v for k, v in record.__dict__.items() if k not in _PLAIN}
        if traces := "\n".join(self._traces(record)):
            fields["error"] = traces
        # What isn't printable stands in JSON's own spelling: only text has any.
        return _UNPRINTABLE.sub(
            lambda found: f"\\u{ord(found[0]):04x}",
            self._mask(json.dumps(fields, ensure_ascii=False, default=str)),
        )


def hidden(text: str, secrets: Sequence[str]) -> str:
    """The text with every secret in it masked, however it is spelt there."""
    return _masked(text, _spellings(secrets))


def _masked(text: str, spellings: Sequence[str]) -> str:
    for spelling in spellings:
        text = text.replace(spelling, "(hidden)")
    return text


def _spellings(secrets: Sequence[str]) -> list[str]:
    """Each secret as text, in JSON, in Python and in addresses; longest first.

    Shorter ones may be parts of longer ones.
    """
    spelt = {
        spelling
        for secret in secrets
        for plain in (secret, unquote(secret))
        for spelling in (plain, json.dumps(plain)[1:-1], repr(plain)[1:-1], quote(plain, safe=""))
    }
    return sorted(spelt - {""}, key=len, reverse=True)


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def set_up(
    level: LogLevel,
    form: LogFormat,
    secrets: Sequence[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send all logging of the process to one stream.

    Args:
        level: the least that is logged.
        form: text or JSON lines.
        secrets: texts to hide wherever they turn up.
        stream: standard error when None.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(lambda record: _VOICE not in record.getMessage())
    handler.setFormatter(_Json(secrets) if form is LogFormat.JSON else _Text(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.value)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelNamesMapping()[level.value]))
