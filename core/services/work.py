"""What this process is doing just now, for whoever counts or logs it: which server, story, turn.

The value belongs to the running task and is inherited by the tasks that it starts, so that nobody
between a story and a log line (or a request to a model) has to hand it on. Nothing decides by it
what a story does next.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from core.domain.story import Story


@dataclass(frozen=True, slots=True)
class Work:
    """What is being worked on.

    Attributes:
        guild, channel: where; 0 where that isn't known yet.
        story: "<channel>:<serial>"; empty while only the place is known.
        turn: number of the turn being made, or else of the newest; 0 for none.
    """

    guild: int
    channel: int
    story: str = ""
    turn: int = 0


_CURRENT: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work | None:
    """What the running task works on; None where it is nothing of a server's."""
    return _CURRENT.get()


def begin(work: Work) -> None:
    """Say what the running task works on, from here to its end."""
    _CURRENT.set(work)


@contextmanager
def working_on(work: Work) -> Generator[None]:
    """Say what the running task works on, within a block."""
    token = _CURRENT.set(work)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def on(story: Story) -> Work:
    """Work on a story as it stands."""
    number = story.draft.number if story.draft else story.head_number
    return Work(story.guild, story.id.channel, str(story.id), number)
