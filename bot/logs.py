"""How the process logs: one handler on the root, as text for people or one JSON object per line.

Secrets are masked in whatever passes through. What members and models write must not be logged at
INFO or above; the libraries' own DEBUG lines hold such text, so they are kept out.
"""

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

from bot.settings import LogFormat, LogLevel

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
_VOICE = "voice will NOT be supported"
"""discord.py's warning, at each start, about packages for what this bot never does."""
_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""Attributes that every record has; any other came in by ``extra``."""


class _Masking(logging.Formatter):
    """Hides secrets in what it formats."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", style="{")
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(self._line(record))

    def _line(self, record: logging.LogRecord) -> str:
        return super().format(record)

    def _mask(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "(hidden)")
        return line

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the standard library's name
        at = datetime.fromtimestamp(record.created, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Json(_Masking):
    """One JSON object per line: at, level, logger, message, what came by ``extra``, error."""

    def _line(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {k: v for k, v in record.__dict__.items() if k not in _PLAIN}
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


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
    handler.setFormatter(_Json(secrets) if form is LogFormat.JSON else _Masking(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.value)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelNamesMapping()[level.value]))
