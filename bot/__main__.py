"""The command line: `talewheel run`, `talewheel play` and so on (or `python -m bot …`).

Each command is one entry of ``COMMANDS``. Whatever only the operator can mend ends with one line
each on standard error and exit code 2. Only the standard library is imported before a command is
chosen.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.moving_options import export_options, import_options
from bot.purge_options import purge_options

FAULT = 1
MISTAKE = 2
"""Exit codes: the program's own fault, and something that the operator can mend."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code."""
    chosen = _parser().parse_args(arguments)
    from core.errors import StartError

    try:
        return COMMANDS[chosen.command].run(chosen)
    except StartError as error:
        for line in str(error).splitlines():
            print(f"talewheel: {line}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return 0


def _run(_: Namespace) -> int:
    """Serve Discord until a signal."""
    import asyncio
    import logging

    from bot import logs
    from bot.settings import BotSettings, environment
    from core.errors import StartError

    settings = BotSettings.read(environment(Path.cwd()))
    logs.set_up(settings.log_level, settings.log_format, settings.secrets)

    async def served() -> None:
        from bot.bootstrap.app import build

        app = await build(settings)
        await app.run()

    try:
        asyncio.run(served())
    except StartError as error:
        # It may quote what a server said, and stands on standard error beside the log.
        raise StartError(logs.hidden(str(error), settings.secrets)) from None
    except Exception:  # the outermost handler of the process
        logging.getLogger(__name__).critical("ended by a fault of its own", exc_info=True)
        return FAULT
    return 0


def _doctor(chosen: Namespace) -> int:
    """Look at everything that the bot needs."""
    from bot.doctor.command import examined

    if sys.stderr.isatty() and not chosen.json:
        print("Looking; this takes half a minute at most …", file=sys.stderr)
    try:
        shown = examined(Path.cwd(), _version(), json=chosen.json, skip_model=chosen.skip_model)
    except KeyboardInterrupt:
        return FAULT  # Nobody knows that all is well.
    print(shown.text)
    return FAULT if shown.at_fault else 0


def _doctor_options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a page")
    parser.add_argument(
        "--skip-model",
        action="store_true",
        help="ask the model for no answer: the two short ones are all that it costs",
    )


def _play(_: Namespace) -> int:
    """Open the playground."""
    from bot.playground.play import main as play

    return play()


def _health(_: Namespace) -> int:
    """Ask the running bot; a bot without a port can't be asked, and nothing is known against it."""
    from bot.probe import probe
    from bot.settings import BotSettings, environment

    settings = BotSettings.inspect(environment(Path.cwd())).settings
    if settings.metrics_port is None:
        print("METRICS_PORT is empty: there is nobody to ask")
        return 0
    is_well, said = probe(settings.metrics_host, settings.metrics_port)
    print(said)
    return 0 if is_well else FAULT


def _export(chosen: Namespace) -> int:
    """Write stories into an archive."""
    from bot.moving import export

    return export(chosen, _version())


def _import(chosen: Namespace) -> int:
    """Bring stories in from an archive."""
    from bot.moving import import_

    return import_(chosen)


def _purge(chosen: Namespace) -> int:
    """Delete what is kept."""
    from bot.purge import purge

    return purge(chosen)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the command line.

    Attributes:
        help: one line on what it does.
        run: does it; gives the exit code.
        options: adds its options to its parser.
    """

    help: str
    run: Callable[[Namespace], int]
    options: Callable[[ArgumentParser], object] = lambda _: None


COMMANDS = {
    "run": Command("serve Discord until SIGTERM or Ctrl-C", _run),
    "health": Command("ask the running bot at METRICS_PORT whether it is well", _health),
    "doctor": Command(
        "look at everything the bot needs, change nothing, say what to do", _doctor, _doctor_options
    ),
    "play": Command("play a story in a local page, without any account", _play),
    "export": Command(
        "write stories into an archive, for a backup or a move", _export, export_options
    ),
    "import": Command("bring stories in from an archive", _import, import_options),
    "purge": Command(
        "delete all that is kept of a server, channel, story or moderator", _purge, purge_options
    ),
}


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="talewheel",
        description="A Discord bot that keeps one story per channel, steered by votes.",
        epilog="Settings are read from the environment and from .env in the current folder.",
    )
    parser.add_argument("--version", action="version", version=f"talewheel {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        command.options(commands.add_parser(name, help=command.help, description=command.help))
    return parser


def _version() -> str:
    try:
        return version("talewheel")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
