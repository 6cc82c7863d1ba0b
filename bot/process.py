"""One run of the bot as a process: until a signal, or until it can't go on.

What ends it is sorted here: a refusal by Discord becomes a line for the operator, anything else
stays what it is.
"""

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager

import aiohttp
import discord
from discord.http import Route

from bot.client import TalewheelBot
from core.errors import StartError, TalewheelError


async def serve(bot: TalewheelBot, token: str) -> None:
    """Run the bot until SIGTERM or SIGINT, then let it leave in good order.

    Raises:
        StartError: Discord refuses or can't be reached, worded for the operator.
        BaseException: whatever else ended it, such as a fault of the wheel.
    """
    asked = asyncio.Event()
    with _signals(asked):
        async with bot:
            running = asyncio.create_task(bot.start(token), name="connection")
            stopping = asyncio.create_task(asked.wait(), name="stop signal")
            try:
                await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
                failure = running.exception() if running.done() else None
            finally:
                await bot.close()
                for task in (running, stopping):
                    task.cancel()
                await asyncio.wait({running, stopping})
    failure = failure or bot.failure
    if failure is not None:
        if line := start_line(failure):
            raise StartError(line) from failure
        raise failure


def start_line(failure: BaseException) -> str | None:
    """A line for the operator about why the bot can't run; None when that is our own fault."""
    # 4004: the gateway's word for a wrong token.
    match failure:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):
            return (
                "DISCORD_TOKEN: Discord refuses this token; copy the bot's token again from the "
                "developer portal (Bot › Reset Token)"
            )
        case discord.PrivilegedIntentsRequired():
            return (
                "Discord: refuses the intents that the bot asks for (guilds, guild reactions); "
                "look at the bot's page in the developer portal"
            )
        case discord.ConnectionClosed():
            return f"Discord: closed the connection with code {failure.code}; start the bot again"
        case discord.HTTPException() | discord.GatewayNotFound():
            return f"Discord: refused the start at {Route.BASE} ({failure}); try again later"
        case aiohttp.ClientError() | OSError():
            return (
                f"Discord: can't be reached at {Route.BASE} ({failure}); check the network, "
                "and DISCORD_API_URL if it is set"
            )
        case _:
            return str(failure) if isinstance(failure, TalewheelError) else None


@contextmanager
def _signals(asked: asyncio.Event) -> Generator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, asked.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
