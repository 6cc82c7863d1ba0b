"""What the shell asks of the core's services.

The turn protocol's doors are a Protocol, so that the client can be tried with a small fake; the
services that only read and write records are used as they are, over fakes of their ports.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.domain.story import Brief, Settings, Story, Tally, Turn
from core.ports import Audience, Stage
from core.services.budget import Spending
from core.services.direction import Direction
from core.services.history import History
from core.services.library import Library
from core.services.moderation import Moderation
from core.services.press import Press
from core.services.privacy import Privacy
from core.services.sweeper import Sweeper
from core.services.wheel import Pulse


class StatusView(Protocol):
    """A story and its newest turn that has messages."""

    @property
    def story(self) -> Story:
        """The story's state."""
        ...

    @property
    def turn(self) -> Turn | None:
        """The turn, None before the first."""
        ...


class Telling(Protocol):
    """The turn protocol's doors. Each refusal is a RefusedError whose words can be shown.

    ``guild`` is the server that the request comes from: a story of another one isn't there for it.
    """

    async def start(
        self, channel: int, guild: int, brief: Brief, settings: Settings, after: int
    ) -> Story:
        """Begin a story; its messages have ids above ``after``."""
        ...

    def advice(self, brief: Brief) -> str:
        """What would let a story be remembered better; empty where there is nothing to say."""
        ...

    async def status(self, channel: int, guild: int) -> StatusView:
        """Where the channel's story stands."""
        ...

    async def close(self, channel: int, guild: int) -> Tally:
        """Count the running vote now."""
        ...

    async def pause(self, channel: int, by: str, guild: int) -> Story:
        """Pause the story; ``by`` is the moderator's name, said in the channel."""
        ...

    async def resume(self, channel: int, guild: int) -> Story:
        """Go on with a paused story, or wake a sleeping one."""
        ...

    async def end(self, channel: int, by: str, guild: int) -> Story:
        """End the story; it stays readable."""
        ...

    def sleeps_on(self, channel: int, message: int) -> bool:
        """Whether a message is the ballot of a sleeping story."""
        ...

    async def reacted(self, channel: int, message: int) -> None:
        """A member reacted to one of our messages."""
        ...

    @property
    def pulse(self) -> Pulse:
        """How the wheel turns at this moment."""
        ...

    async def run(self) -> None:
        """Turn the wheel until cancelled."""
        ...

    async def compare(self, guilds: frozenset[int], is_open: Callable[[int], bool]) -> None:
        """Find out which servers it came to or was sent away from; ``guilds`` are all it is in."""
        ...

    async def reconcile(self) -> None:
        """Look for what happened while the bot was away."""
        ...

    async def left(self, guild: int) -> None:
        """The bot was sent away from a server."""
        ...

    async def changed(self, guild: int, is_open: Callable[[int], bool]) -> None:
        """The bot came to a server, or something changed there that may let it speak again."""
        ...

    async def deleted(self, channel: int) -> None:
        """A channel or thread was deleted."""
        ...

    async def cleared(self, channel: int, message: int, *, votes_lost: bool) -> None:
        """Our own reactions were taken off a message, and perhaps members' too."""
        ...

    async def aclose(self) -> None:
        """Stop the intake, let sends in flight finish, hand back leases."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one process.

    Attributes:
        spending: what today has cost; None where nothing is paid for.
    """

    storyteller: Telling
    library: Library
    moderation: Moderation
    direction: Direction
    history: History
    press: Press
    privacy: Privacy
    sweeper: Sweeper
    spending: Spending | None = None


Composer = Callable[[Stage, Audience], Services]
"""Makes the services over a stage and who watches it; a client makes both, and needs the services
itself."""
