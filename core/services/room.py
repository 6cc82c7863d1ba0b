"""How many stories a server may have at once: asked before another begins.

Every story that hasn't ended counts, also one that sleeps or is paused. Starts in one process are
let in one after another; two processes can each let in one at the same moment.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from core.domain.lifecycle import LIVE
from core.errors import RefusedError
from core.ports import Census


class Room:
    """The room that servers have for stories."""

    def __init__(self, census: Census, most: int) -> None:
        """See the class.

        Args:
            census: counts the stories.
            most: stories that may run at once in one server.
        """
        self._census = census
        self._most = most
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def for_another(self, guild: int) -> AsyncGenerator[None]:
        """Keep a place free in a server for the story that is begun inside.

        Raises:
            RefusedError: there is none; the sentence says what to do.
        """
        lock = self._locks.setdefault(guild, asyncio.Lock())
        async with lock:
            running = await self._census.count(LIVE, guild)
            if running >= self._most:
                raise RefusedError(_full(running))
            yield


def _full(running: int) -> str:
    run = "1 story runs" if running == 1 else f"{running:,} stories run"
    return (
        f"{run} in this server (sleeping and paused ones count), and this bot tells no more in "
        "one. /story end in one of their channels makes room."
    )
