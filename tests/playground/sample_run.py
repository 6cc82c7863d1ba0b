"""The sample bot, its server and its page as a program of its own, to be stopped by signals."""

import asyncio
import sys

from bot.playground.embedded_redis import EmbeddedRedis
from bot.playground.live import live_preview, stop_signals
from tests.playground.sample_bot import SampleBot


async def main() -> None:
    """Serve until told to stop; says the server's process id, then the page's address."""
    with stop_signals() as stop:
        async with EmbeddedRedis() as server:
            say(str(server.pid))
            async with live_preview(SampleBot()) as preview:
                say(preview.url)
                await preview.until_stopped(stop)


def say(line: str) -> None:
    """Tell whoever started the program."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
