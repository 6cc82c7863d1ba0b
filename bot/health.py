"""Whether the process is well, and what a container should do about it.

Health here is what only a restart could mend. A process that waits for Redis or for Discord is in
order: it goes on by itself when they are back, and meanwhile it may hold paragraphs that are paid
for and stored nowhere yet, which a restart would throw away only to wait all the same. So an outage
of Redis, however long, is told and is no reason to be ended. These are: it never came up, its wheel
stands still, or its connection to Discord has been gone for so long that discord.py, which connects
again by itself within a minute or two, must have given up.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from core.errors import TalewheelError
from core.services.wheel import Pulse

REDIS_S = 1.0
"""Within this Redis answers a ping, or counts as away."""
GATEWAY_S = 600.0
"""How long a shard may be without a connection: Discord's own troubles are mostly over by then."""
WHEEL_S = 120.0
"""The wheel looks every second; the longest that one look can take while Redis fails is 40 s."""


class State(StrEnum):
    """How the process is."""

    OK = "ok"
    STARTING = "starting"
    """It has never been connected."""
    WAITING = "waiting"
    """For Redis or for Discord; it goes on by itself."""
    STUCK = "stuck"
    """A restart could help."""

    @property
    def is_healthy(self) -> bool:
        """Whether it should be left running."""
        return self in (State.OK, State.WAITING)


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection to Discord's gateway.

    Attributes:
        ready: whether it was complete once since the start.
        shards: how many there are to be; 0 while that isn't known.
        connected: how many are connected.
        latency_s: the slowest shard's last heartbeat, there and back; None before the first.
        servers: how many the bot is in.
    """

    ready: bool
    shards: int
    connected: int
    latency_s: float | None
    servers: int

    @property
    def whole(self) -> bool:
        """Whether every shard is connected."""
        return self.ready and 0 < self.shards <= self.connected


@dataclass(frozen=True, slots=True)
class Vitals:
    """What was found at a look.

    Attributes:
        ready: whether Discord was connected once since the start.
        away_s: how long some shard has been without a connection; None where all have one.
        redis: whether Redis answered in time.
        turned_s: seconds since the wheel last looked; None before it first did.
    """

    ready: bool
    away_s: float | None
    redis: bool
    turned_s: float | None


def judge(vitals: Vitals) -> State:
    """How the process is by what was found."""
    if not vitals.ready:
        return State.STARTING
    if (vitals.away_s or 0.0) >= GATEWAY_S or (vitals.turned_s or 0.0) >= WHEEL_S:
        return State.STUCK
    if vitals.away_s is not None or not vitals.redis or vitals.turned_s is None:
        return State.WAITING
    return State.OK


def told(vitals: Vitals) -> dict[str, str]:
    """State and parts in a few words each, for people and for machines."""
    discord = "connected"
    if not vitals.ready:
        discord = "not connected yet"
    elif vitals.away_s is not None:
        discord = f"a shard is away for {vitals.away_s:.0f} s"
    wheel = "turns"
    if vitals.turned_s is None:
        wheel = "not turning yet"
    elif vitals.turned_s >= WHEEL_S:
        wheel = f"stands still for {vitals.turned_s:.0f} s"
    return {
        "status": judge(vitals).value,
        "discord": discord,
        "redis": "answers" if vitals.redis else "away",
        "wheel": wheel,
    }


class Health:
    """Looks at the parts of the running process."""

    def __init__(
        self,
        connection: Callable[[], Connection],
        pulse: Callable[[], Pulse],
        ping: Callable[[], Awaitable[None]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """See the class.

        Args:
            connection: how the gateway is connected at this moment.
            pulse: how the wheel turns at this moment.
            ping: asks Redis; raises an error of core.errors when it doesn't answer.
            now: seconds that never jump.
        """
        self.connection = connection
        self.pulse = pulse
        self._ping = ping
        self._now = now
        self._incomplete_since: float | None = None

    async def look(self) -> Vitals:
        """Find out how everything is, within REDIS_S."""
        connection, pulse = self.connection(), self.pulse()
        away_s = self._away_s(connection)
        redis = await self.ping_s() is not None
        return Vitals(connection.ready, away_s, redis, pulse.turned_s)

    async def ping_s(self) -> float | None:
        """How long Redis took to answer; None when it didn't within REDIS_S."""
        began = self._now()
        try:
            async with asyncio.timeout(REDIS_S):
                await self._ping()
        except (TimeoutError, TalewheelError):
            return None
        return self._now() - began

    def _away_s(self, connection: Connection) -> float | None:
        """Since when somebody looked and not every shard was there; the looks come often enough."""
        if connection.whole or not connection.ready:
            self._incomplete_since = None
            return None
        if self._incomplete_since is None:
            self._incomplete_since = self._now()
        return self._now() - self._incomplete_since
