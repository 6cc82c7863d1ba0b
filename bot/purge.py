"""`talewheel purge`: what will go is said, asked about, and deleted for good.

What belongs to what, and how it is deleted under the hands of a running bot, is the core's
business.
"""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path

from bot import logs
from bot import setting_table as table
from bot.bootstrap.keeping import Keeping, keeping
from bot.setting_table import LogLevel
from bot.settings import BotSettings, SettingsError, environment
from core.domain.story import StoryId
from core.errors import StartError, TalewheelError
from core.services.purging import Kept

DONE, INCOMPLETE = 0, 1
"""Exit codes: nothing of it is left; something may be. See __main__."""
LEFT = (
    "Redis' own files hold the old records until it writes them anew: redis-cli BGREWRITEAOF does "
    "that now. Backups and archives that you made are yours to delete."
)


def purge(chosen: Namespace) -> int:
    """Run `talewheel purge`; gives the exit code. Raises StartError."""
    settings = _settings()
    try:
        question = asyncio.run(_looked(settings, chosen))
        # Between two loops: in one, a Ctrl-C would wait until something is typed.
        if question and not _agreed(question, sure=chosen.yes):
            _say("nothing was changed.")
            return DONE
        return asyncio.run(_purged(settings, chosen))
    except KeyboardInterrupt:
        _say("stopped: what wasn't deleted yet is left. The same command finishes it.")
        return INCOMPLETE
    except TalewheelError as error:
        raise StartError(logs.hidden(str(error), settings.secrets)) from error


def _settings() -> BotSettings:
    """The settings, of which REDIS_URL alone must be right. Raises SettingsError."""
    found = BotSettings.inspect(environment(Path.cwd()), playground=True)
    if faults := [fault for fault in found.faults if fault.startswith(f"{table.REDIS_URL.name}:")]:
        raise SettingsError(faults)
    level = max(found.settings.log_level, LogLevel.WARNING, key=list(LogLevel).index)
    logs.set_up(level, found.settings.log_format, found.secrets)
    return found.settings


# ── looking ──────────────────────────────────────────────────────────────────────────────────────


async def _looked(settings: BotSettings, chosen: Namespace) -> str:
    """What will be done, to be asked about; empty where there is nothing to lose."""
    if chosen.moderator is not None:
        return (
            f"the name and id of Discord's user {chosen.moderator} will leave the logs of all "
            "servers for good. What they changed stays, by “a moderator”."
        )
    async with keeping(settings) as at:
        found = await _found(at, chosen) if at else Kept()
    if not found.stories:
        return ""
    return f"{_named(chosen)}: {counted(found)}. All of it will be deleted for good."


def _named(chosen: Namespace) -> str:
    """What was asked for, in words."""
    if chosen.guild is not None:
        return f"server {chosen.guild}"
    if chosen.channel is not None:
        return f"channel {chosen.channel}"
    return f"story {StoryId(*chosen.story)}"


async def _found(at: Keeping, chosen: Namespace) -> Kept:
    """What there is of it."""
    if chosen.guild is not None:
        return await at.purging.kept_of_guild(chosen.guild)
    if chosen.channel is not None:
        return await at.purging.kept_of_channel(chosen.channel)
    return await at.purging.kept_of_story(StoryId(*chosen.story))


def counted(found: Kept) -> str:
    """How much it is, for people."""
    parts = (
        (len(found.stories), "story", "stories"),
        (found.turns, "turn", "turns"),
        (found.changes, "change by moderators", "changes by moderators"),
    )
    return ", ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in parts)


def _agreed(question: str, *, sure: bool) -> bool:
    """Say what will be done; whether whoever gave the command means it.

    Raises:
        StartError: nobody is there to be asked.
    """
    _say(question)
    if sure:
        return True
    if not sys.stdin.isatty():
        raise StartError("nobody can be asked here whether that is meant: add --yes")
    try:
        return input("Type yes to go on: ").strip().lower() == "yes"
    except EOFError:
        return False


# ── deleting ─────────────────────────────────────────────────────────────────────────────────────


async def _purged(settings: BotSettings, chosen: Namespace) -> int:
    async with keeping(settings) as at:
        if at is None:
            _say("nothing is kept in this database: no bot has used it yet.")
            return DONE
        if chosen.moderator is not None:
            return await _unnamed(at, chosen.moderator)
        found = await _found(at, chosen)
        await _delete(at, chosen)
    if found.stories:
        _say(f"deleted: {counted(found)}. Messages in Discord stay. {LEFT}")
    else:
        _say(f"nothing is kept of {_named(chosen)}.")
    return DONE


async def _delete(at: Keeping, chosen: Namespace) -> None:
    """Also where there is no story: that a place was lost is remembered too."""
    if chosen.guild is not None:
        await at.purging.guild(chosen.guild)
    elif chosen.channel is not None:
        await at.purging.channel(chosen.channel)
    else:
        await at.purging.story(StoryId(*chosen.story))


async def _unnamed(at: Keeping, moderator: int) -> int:
    """Take a moderator's name out of all logs."""
    done = await at.privacy.erase(moderator, None)
    for story in done.unread:
        _say(f"story {story} couldn't be read whole: a name may be left in its log.")
    if done.changes:
        _say(f"erased: the name in {done.changes:,} changes of {done.stories:,} stories. {LEFT}")
    else:
        _say(f"no log has the name of Discord's user {moderator}.")
    return INCOMPLETE if done.unread else DONE


def _say(sentence: str) -> None:
    print(f"talewheel: {sentence}", flush=True)
