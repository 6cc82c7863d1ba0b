"""What the shell asks of the core's services.

The turn protocol's doors are a Protocol, so that the client can be tried with a small fake; the
services that only read and write records are used as they are, over fakes of their ports.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.domain.story import Brief, Settings, Story, Tally, Turn
from core.ports import Stage
from core.services.direction import Direction
from core.services.history import History
from core.services.library import Library
from core.services.moderation import Moderation


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
    """The turn protocol's doors. Each refusal is a RefusedError whose words can be shown."""

    async def start(
        self, channel: int, guild: int, brief: Brief, settings: Settings, after: int
    ) -> Story:
        """Begin a story; its messages have ids above ``after``."""
        ...

    async def status(self, channel: int) -> StatusView:
        """Where the channel's story stands."""
        ...

    async def close(self, channel: int) -> Tally:
        """Count the running vote now."""
        ...

    async def pause(self, channel: int, by: str) -> Story:
        """Pause the story; ``by`` is the moderator's name, said in the channel."""
        ...

    async def resume(self, channel: int) -> Story:
        """Go on with a paused story, or wake a sleeping one."""
        ...

    async def end(self, channel: int, by: str) -> Story:
        """End the story; it stays readable."""
        ...

    async def reacted(self, channel: int, message: int) -> None:
        """A member reacted to one of our messages."""
        ...

    async def run(self) -> None:
        """Turn the wheel until cancelled."""
        ...

    async def reconcile(self) -> None:
        """Look for what happened while the bot was away."""
        ...

    async def aclose(self) -> None:
        """Stop the intake, let sends in flight finish, hand back leases."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one process."""

    storyteller: Telling
    library: Library
    moderation: Moderation
    direction: Direction
    history: History


Composer = Callable[[Stage], Services]
"""Makes the services over a stage; a client makes the stage, and needs the services itself."""
