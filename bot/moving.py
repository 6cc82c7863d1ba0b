"""`talewheel export` and `talewheel import`: which stories, what is said on the way, how it ends.

Everything is said on standard error: standard output may be the archive. What a story's records are
and how they travel is the core's business.
"""

import asyncio
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Coroutine, Sequence, Set
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bot import logs
from bot import setting_table as table
from bot.bootstrap.travel import inbound, outbound
from bot.setting_table import LogLevel, Setting
from bot.settings import BotSettings, SettingsError, environment
from core.archive_ports import StoryRecords
from core.domain.moving import Places, Totals
from core.domain.story import StoryId
from core.errors import StartError, TalewheelError

DONE, INCOMPLETE, MISTAKE = 0, 1, 2
"""Exit codes: all of it; stopped, or something is missing in what was written; see __main__."""
_NAMED = 10
"""Stories that are named because nothing had to be done for them; others are counted."""
_SAID_S = 10.0
"""How often it is said how far a long story is."""


def export(chosen: Namespace, version: str) -> int:
    """Run `talewheel export`; gives the exit code."""
    settings = _settings({table.REDIS_URL})
    return _run(exported(settings, chosen, version), settings, "nothing was written")


def import_(chosen: Namespace) -> int:
    """Run `talewheel import`; gives the exit code."""
    endpoint = {table.OPENAI_API_KEY, table.OPENAI_BASE_URL, table.EMBEDDING_MODEL}
    settings = _settings({table.REDIS_URL, table.EMBEDDINGS, *endpoint})
    return _run(
        imported(settings, chosen), settings, "what was imported stays: run the same import again"
    )


def _settings(needed: Set[Setting[Any]]) -> BotSettings:
    """The settings; what isn't needed may be missing or wrong. Raises SettingsError."""
    found = BotSettings.inspect(environment(Path.cwd()), playground=True)
    names = {setting.name for setting in needed}
    if faults := [fault for fault in found.faults if fault.partition(":")[0] in names]:
        raise SettingsError(faults)
    settings = found.settings
    level = max(settings.log_level, LogLevel.WARNING, key=list(LogLevel).index)
    logs.set_up(level, settings.log_format, found.secrets)
    return settings


def _run(moving: Coroutine[None, None, int], settings: BotSettings, left: str) -> int:
    """Run until it is done or a signal stops it.

    Raises:
        StartError: what ended it, for the operator.
    """

    async def heeding_signals() -> int:
        task = asyncio.ensure_future(moving)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(heeding_signals())
    except asyncio.CancelledError:
        _say(f"stopped: {left}.")
        return INCOMPLETE
    except TalewheelError as error:
        said = error if isinstance(error, StartError) else f"{error} ({left})"
        raise StartError(logs.hidden(str(said), settings.secrets)) from error


# ── export ───────────────────────────────────────────────────────────────────────────────────────


async def exported(settings: BotSettings, chosen: Namespace, version: str) -> int:
    """Write the archive; gives the exit code. Raises StartError."""
    vectors = not chosen.without_vectors
    async with outbound(
        settings, chosen.file, version, vectors=vectors, progress=_Progress("reading")
    ) as out:
        stories = await _chosen(out.records, chosen)
        done = await out.export.run(stories)
        if not done.totals.stories:
            raise StartError("\n".join([*done.left_out, "there is no story to export"]))
    for sentence in done.left_out:
        _say(sentence)
    where, size = _named(chosen.file, "output"), out.archive.size / 1e6
    _say(f"exported {counted(done.totals)} to {where}, {size:,.1f} MB")
    return INCOMPLETE if done.left_out else DONE


async def _chosen(records: StoryRecords, chosen: Namespace) -> Sequence[StoryId]:
    """The stories that were asked for, in the order of their ids.

    Raises:
        StartError: one that was named isn't there.
    """
    named = [StoryId(*one) for one in chosen.story]
    if missing := [story for story in named if await records.seen(story) is None]:
        raise StartError(f"there is no story {missing[0]}")
    found = set(named)
    for channel in chosen.channel:
        found.update(await records.stories(channel))
    if chosen.guild:
        found.update(await _of_guilds(records, chosen.guild))
    elif not (chosen.story or chosen.channel):
        found.update(await records.stories())
    return sorted(found)


async def _of_guilds(records: StoryRecords, guilds: Sequence[int]) -> list[StoryId]:
    found: list[StoryId] = []
    for story in await records.stories():
        seen = await records.seen(story)
        if seen and seen.story and seen.story.guild in guilds:
            found.append(story)
    return found


# ── import ───────────────────────────────────────────────────────────────────────────────────────


async def imported(settings: BotSettings, chosen: Namespace) -> int:
    """Read the archive; gives the exit code. Raises TalewheelError."""
    _say(f"reading {_named(chosen.file, 'input')} to its end first")
    places = Places(
        MappingProxyType(dict(chosen.channel)), MappingProxyType(dict(chosen.guild)), chosen.anew
    )
    async with inbound(
        settings,
        chosen.file,
        places=places,
        replaces=chosen.replace,
        progress=_Progress("writing"),
    ) as moving:
        done = await moving.run()
    for sentence in done.passed[:_NAMED]:
        _say(sentence)
    if len(done.passed) > _NAMED:
        _say(f"so are {len(done.passed) - _NAMED:,} others")
    for sentence in done.refused:
        _say(sentence)
    embedded = f", {done.embedded:,} vectors made anew" if done.embedded else ""
    passed = f"; {len(done.passed):,} there already" if done.passed else ""
    refused = f"; {len(done.refused):,} refused" if done.refused else ""
    _say(f"imported {counted(done.totals)}{embedded}{passed}{refused}")
    return MISTAKE if done.refused else DONE


# ── what is said ─────────────────────────────────────────────────────────────────────────────────


def counted(totals: Totals) -> str:
    """How many of what, for people."""
    counts = {
        "story": (totals.stories, "stories"),
        "turn": (totals.turns, "turns"),
        "memory entry": (totals.entries, "memory entries"),
        "change by moderators": (totals.changes, "changes by moderators"),
    }
    story, *rest = [
        f"{number:,} {one if number == 1 else many}"
        for one, (number, many) in counts.items()
        if number or one == "story"
    ]
    return f"{story} ({', '.join(rest)})" if rest else story


def _named(file: str, standard: str) -> str:
    return f"standard {standard}" if file == "-" else file


class _Progress:
    """Says now and then how far a story is, so that a long one doesn't look stuck."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._said = time.monotonic()

    def __call__(self, story: StoryId, totals: Totals) -> None:
        """Say it, if nothing was said for a while."""
        if time.monotonic() - self._said >= _SAID_S:
            self._said = time.monotonic()
            _say(f"{self._doing} story {story}: {totals.turns:,} turns")


def _say(sentence: str) -> None:
    print(f"talewheel: {sentence}", file=sys.stderr, flush=True)
