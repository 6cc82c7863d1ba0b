"""`make play`: the whole bot in a local page, without any account.

The command itself: its settings, its words in the terminal, its end by a signal or a fault. Votes
last a minute by default, the log is quiet, and what only Discord needs is neither asked for nor
looked at. What the bot is made of is assembly's business, how the page works live's; nothing that
the channel shows is written here.
"""

import asyncio
import logging
import signal
import sys
import threading
import webbrowser
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bot import logs
from bot import setting_table as table
from bot.playground.embedded_redis import EmbeddedRedisError, search_module, server_binary
from bot.render import duration
from bot.setting_table import Embeddings
from bot.settings import BotSettings, environment
from core.errors import StartError

if TYPE_CHECKING:
    from bot.client import TalewheelBot
    from bot.playground.live import LivePreview

_DEFAULTS = {table.VOTE_SECONDS.name: "60", table.LOG_LEVEL.name: "WARNING"}
"""Whoever plays alone waits for no hour, and looks for the address in no log."""
_OF_DISCORD = (
    table.DISCORD_TOKEN,
    table.DISCORD_API_URL,
    table.DISCORD_GATEWAY_URL,
    table.ALLOWED_GUILDS,
)
_REDIS = table.REDIS_URL.name
_UNHEARD = {
    "bot.bootstrap.app": "Redis: ",  # how a server that is only played on should keep its data
    "discord.state": "Guilds intent seems to be disabled",  # a client that SimCord tries things on
}
"""Warnings that don't concern players: logger → how they begin."""
_LOOK_S = 1.0
"""How often the bot is asked whether it still runs."""


def main() -> int:
    """Serve the playground until Ctrl-C, SIGTERM or "Stop the playground".

    Returns:
        The exit code, 0.

    Raises:
        StartError: something that only the player can mend, one line each.
    """
    # Until the loop listens to both, either is a KeyboardInterrupt, and that ends with 0 too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    environ = environment(Path.cwd())
    chosen, redis_url = read_settings(environ), environ.get(_REDIS, "").strip()
    _check_packages(needs_server=not redis_url)
    logs.set_up(chosen.log_level, chosen.log_format, chosen.secrets)
    for name, beginning in _UNHEARD.items():
        logging.getLogger(name).addFilter(partial(_concerns_players, beginning))
    try:
        asyncio.run(_serve(chosen, redis_url, browser=wants_browser(environ)))
    except EmbeddedRedisError as error:
        raise StartError(str(error)) from error
    except StartError as error:
        if redis_url and str(error).startswith(_REDIS):
            hint = f"Without {_REDIS} (look into .env too) the playground brings its own server."
            raise StartError(f"{error}\n{hint}") from error
        raise
    return 0


def read_settings(environ: Mapping[str, str]) -> BotSettings:
    """The settings as the playground takes them: defaults of its own, nothing of Discord's.

    Raises:
        SettingsError: with a line for each fault.
    """
    ignored = {setting.name for setting in _OF_DISCORD}
    taken = {n: text for n, text in environ.items() if text.strip() and n not in ignored}
    chosen = BotSettings.read(_DEFAULTS | taken, playground=True)
    # Where no endpoint is named, nobody is there to be asked for vectors.
    return chosen if chosen.has_endpoint else replace(chosen, embeddings=Embeddings.MINILM)


def wants_browser(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a browser would open in front of whoever started this.

    Args:
        environ: the environment. BROWSER says yes; CI, a remote shell, no screen say no.
        platform: as in sys.platform.
    """
    if environ.get("CI"):
        return False
    if environ.get("BROWSER"):
        return True
    if platform == "linux":
        return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    return not environ.get("SSH_CONNECTION")


def greeting(url: str, chosen: BotSettings, embedded: str = "") -> str:
    """What the terminal says once the page can be opened.

    Args:
        url: the page's address.
        chosen: the playground's settings.
        embedded: the embedded server's address; empty where REDIS_URL's server is used.
    """
    at = f" at {chosen.openai_base_url}" if chosen.openai_base_url else ""
    writer = (
        f"The paragraphs are written by {chosen.narrator_model}{at}."
        if chosen.has_endpoint
        else "No model writes, but a grammar of templates; OPENAI_API_KEY or OPENAI_BASE_URL "
        "brings a model."
    )
    kept = (
        "Nothing is kept, unless you save it before, in another terminal:\n"
        f"  {_REDIS}={embedded} {_command()} export tales.jsonl"
        if embedded
        else "The story's records stay in REDIS_URL's server; the page starts empty again."
    )
    window = duration(chosen.story.vote_s)
    return (
        f"\n  Talewheel's playground: {url}\n\n"
        "  1. Type /story start, press Enter, say what the story is about, press Enter.\n"
        "  2. Vote with the numbers under the plans. “Play as” makes you somebody else.\n"
        f"  3. After {window} the vote is counted and the story goes on (/story close: at once).\n"
        f"\n  {writer}\n"
        f"  Ctrl-C ends the playground. {kept}\n"
    )


def _command() -> str:
    """How whoever started this can run talewheel from here."""
    beside = Path(sys.executable).with_name("talewheel")
    if not beside.is_file():
        return "talewheel"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def _check_packages(*, needs_server: bool) -> None:
    """Say at once what isn't installed, or can't be on this platform."""
    if find_spec("simcord") is None:
        raise StartError("The playground's packages are not installed: `make play` installs them.")
    if not needs_server:
        return
    try:
        server_binary()
        search_module()
    except EmbeddedRedisError as error:
        example = f"make play {_REDIS}={table.REDIS_URL.default}"
        raise StartError(f"{error}\nWith a server of your own: {example}") from error


def _concerns_players(unheard: str, record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(unheard)


async def _serve(chosen: BotSettings, redis_url: str, *, browser: bool) -> None:
    # Imported here because it takes a second, in which a signal is a KeyboardInterrupt already.
    from bot.playground.assembly import application, server
    from bot.playground.live import live_preview, stop_signals

    with stop_signals() as stop:
        async with (
            server(redis_url) as memory,
            application(chosen, memory, own=bool(redis_url)) as app,
            live_preview(app.bot) as preview,
        ):
            if not stop.is_set():
                embedded = "" if redis_url else memory
                print(greeting(preview.url, chosen, embedded), flush=True)
                if browser:
                    _open(preview.url)
            await until_over(preview, app.bot, stop)


async def until_over(preview: "LivePreview", bot: "TalewheelBot", stop: asyncio.Event) -> None:
    """Wait until somebody ends the playground, or the bot ended by itself.

    Raises:
        BaseException: what ended the bot.
    """
    over = asyncio.ensure_future(preview.until_stopped(stop))
    while not over.done() and not bot.is_closed():
        await asyncio.wait({over}, timeout=_LOOK_S)
    over.cancel()
    if bot.failure is not None:
        raise bot.failure


def _open(url: str) -> None:
    # In a thread that nobody waits for: a BROWSER in the terminal returns when it is left.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
