"""A whole Talewheel whose way to Redis leads through a proxy, and what must hold between the two.

Everything else is process_house's. Here is what disturbs Redis under a running bot, and what the
channel shows compared with what is stored.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.adapters.redis_proxy import LossyProxy
from tests.adapters.redis_raw import raw_client
from tests.faults.discord_server import Channel
from tests.faults.process_house import PATIENCE_S, ProcessHouse

T = TypeVar("T")

EVERY_MOMENT = bool(os.environ.get("EVERY_MOMENT"))
"""Whether sweeps try all that they could: set it for the long form."""
AWAY = "Redis is away"
BACK = "Redis is back"
COMMITS = b"tw:op:"
"""In the keys of every change of a story: the mark of its operation, or of a claim."""
_TURN = re.compile(r"· turn (\d+)\n")
_OPTION = re.compile(r"Way (\d+)a")


class RedisHouse(ProcessHouse):
    """One bot behind a proxy.

    Attributes:
        proxy: between the bot and its Redis.
    """

    proxy: LossyProxy

    async def start_bot(self, **more: str) -> None:
        """Start the process behind the proxy."""
        await super().start_bot(REDIS_URL=self.proxy.url, **more)

    def raw(self) -> Any:
        """A client past the proxy; closes with ``async with``."""
        return raw_client(self.redis.url)

    async def begin(self, channels: int = 1) -> list[Channel]:
        """A bot that waits for the votes of the first turn in so many channels; the last is now."""
        await self.start_bot()
        begun: list[Channel] = []
        for _ in range(channels):
            begun.append(self.channel if not begun else self.new_channel())
            self.ask_for_story()
        for self.channel in begun:
            await self.rests_at(1)
        return begun

    def said(self, words: str) -> int:
        """How many lines the bot has logged with these words."""
        return sum(words in line for line in self.bot.output.splitlines())

    async def says(self, words: str, times: int = 1) -> None:
        """Wait until the bot has logged something so many times."""

        async def there() -> bool:
            return self.said(words) >= times

        await self.until(there, f"{times} times {words!r} in the log")

    async def close_told(self) -> str:
        """Close the vote; gives what the moderator was told."""
        async with asyncio.timeout(PATIENCE_S):
            return (await self.moderator.command(self.channel, "story close")).text

    async def check_on_disk(self) -> None:
        """What the channel shows at this moment is what Redis holds.

        A paragraph that still grows isn't stored; the draft is, which writes it into its messages.
        """
        story = await self.story()
        told = {turn.number: turn for turn in await self.told()}
        everything = " ".join(" ".join(message.text.split()) for message in self.shown())
        for message in self.shown():
            if heading := _TURN.search(message.text):
                number = int(heading[1])
                drafted = story.draft is not None and story.draft.number == number
                assert number in told or drafted, f"turn {number} is shown and not stored"
            elif option := _OPTION.search(message.text):
                number = int(option[1])
                assert number in told, f"the ballot of turn {number} is shown and not stored"
                assert " ".join(told[number].paragraph.split()) in everything
                closed = told[number].tally is not None
                assert closed or " won " not in message.text, f"the result of turn {number}"
                plans = told[number].plans if closed else story.plans.options
                assert all(plan.title in message.text for plan in plans)


def some_of(moments: Sequence[T], first: int = 0) -> list[T]:
    """Every third of a sweep's moments; all of them in the long form."""
    return list(moments if EVERY_MOMENT else moments[first::3])


@asynccontextmanager
async def redis_house(
    folder: Path, *, tcp: bool = False, **said: str
) -> AsyncGenerator[RedisHouse]:
    """A house with its proxy; the bot isn't started yet."""
    async with (
        RedisHouse(folder, None, nursery=None, **said) as house,
        LossyProxy(house.redis.url, tcp=tcp) as house.proxy,
    ):
        try:
            yield house
        finally:
            await house.bot.kill()
