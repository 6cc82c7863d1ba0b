"""What the shell asks of the core's services, as Protocols: commands can be tried with small fakes.

core.services.storyteller.Storyteller and core.services.library.Library are the real ones; bootstrap
hands them over, and the type checker compares them with these there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.domain.story import Brief, Recalled, Settings, Story, Tally, Turn
from core.ports import Stage


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

    async def reacted(self, channel: int, message: int) -> None:
        """A member reacted to one of our messages."""
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


class MemoryPicture(Protocol):
    """A story and the size of its long-term memory."""

    @property
    def story(self) -> Story:
        """The story's state."""
        ...

    @property
    def summaries(self) -> int:
        """Entries that recall can find."""
        ...


class Remembering(Protocol):
    """Reading of a story's memory."""

    async def memory(self, channel: int, guild: int) -> MemoryPicture:
        """What the channel's story remembers."""
        ...

    async def find(self, channel: int, query: str, guild: int) -> list[Recalled]:
        """Summaries nearest to a query, nearest first."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one process."""

    storyteller: Telling
    library: Remembering


Composer = Callable[[Stage], Services]
"""Makes the services over a stage; a client makes the stage, and needs the services itself."""
