"""The command `talewheel doctor`: reads the settings, looks round, gives what is shown."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from bot import logs
from bot.doctor.report import as_json, as_text, veiled, worst
from bot.doctor.rounds import Room, look_round
from bot.setting_table import LogFormat, LogLevel
from bot.settings import BotSettings, Inspected, SettingsError, named_in, process_environment
from core.domain.checkup import Verdict
from core.domain.legible import legible


@dataclass(frozen=True, slots=True)
class Shown:
    """What the command prints, and whether anything is at fault."""

    text: str
    at_fault: bool


def examined(folder: Path, version: str, *, json: bool, skip_model: bool) -> Shown:
    """Look at everything that the bot of a folder needs.

    Args:
        folder: where .env would be.
        version: Talewheel's.
        json: for machines instead of people.
        skip_model: ask the endpoint for no answer.
    """
    environ = process_environment()
    named, unreadable = _file(folder)
    read = BotSettings.inspect(named | environ)
    read = Inspected(read.settings, (*unreadable, *read.faults), read.secrets)
    # Libraries' warnings go to standard error; what they are about is told in the report.
    logs.set_up(LogLevel.ERROR, LogFormat.TEXT, read.secrets)
    report = asyncio.run(look_round(Room(read, tuple(named), environ, skip_model)))
    seen = veiled(report, lambda text: legible(logs.hidden(text, read.secrets)))
    colour = sys.stdout.isatty() and not environ.get("NO_COLOR")
    text = as_json(seen, version) if json else as_text(seen, version, colour=colour)
    return Shown(text, worst(seen) is Verdict.FAULT)


def _file(folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """What .env says, and why it can't be read."""
    try:
        return named_in(folder), ()
    except SettingsError as error:
        return {}, error.faults
