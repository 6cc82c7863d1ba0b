"""Checks of the machine that the process runs on, and of the bot that runs there."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping

from bot.probe import TIMEOUT_S, probe
from bot.setting_table import Embeddings
from bot.settings import BotSettings
from core.domain.checkup import Area, Finding, Topic, many

_THREADS = "OPENBLAS_NUM_THREADS"


def machine_findings(
    settings: BotSettings, environ: Mapping[str, str], python: str, system: str, processors: int
) -> Iterator[Finding]:
    """What it is, and what slows it down.

    Args:
        settings: as far as they can be read.
        environ: the process's environment.
        python: the interpreter's version.
        system: the operating system and the kind of machine.
        processors: how many it has.
    """
    yield Topic(Area.MACHINE, "system").ok(
        f"Python {python} on {system}, {many(processors, 'processor')}"
    )
    if settings.embeddings is Embeddings.MINILM and processors > 1 and environ.get(_THREADS) != "1":
        yield Topic(Area.MACHINE, "threads").warning(
            f"{_THREADS} isn't 1: MiniLM's threads wait for one another, and on a busy machine a "
            "vector takes three times as long or more",
            f"Set {_THREADS}=1 in the process's environment (not in .env, which is read too late).",
        )


async def running(
    host: str, port: int, timeout_s: float = TIMEOUT_S
) -> AsyncGenerator[Finding, None]:
    """Whether a bot runs beside this process, and what it says of itself.

    Args:
        host: METRICS_HOST.
        port: METRICS_PORT.
        timeout_s: after so long it isn't well.
    """
    topic = Topic(Area.STORIES, "bot")
    well, said = await asyncio.to_thread(probe, host, port, timeout_s)
    if well:
        yield topic.ok(f"it runs, and says of itself: {said}")
    elif said.startswith("no answer") and "timed out" not in said:
        yield topic.ok(f"none runs on this machine, or in this container ({said})")
    else:
        yield topic.fault(f"it runs and isn't well: {said}", "Look at its log, and restart it.")
