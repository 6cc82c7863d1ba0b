"""Faults of Discord, ready to be scripted: what a request meets instead of its answer.

A fault either keeps a request from having any effect, or lets it have its effect and keeps the
caller from knowing. Which requests meet it, and how often, is said where it is scripted
(`DiscordServer.script`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from .calls import Answer, Call, Hook
from .errors import DropConnection
from .rate_limits import too_many


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    Attributes:
        name: For a test's report.
        takes_effect: Whether the request is applied all the same.
        hook: What happens then.
    """

    name: str
    takes_effect: bool
    hook: Hook


@dataclass(slots=True, eq=False)
class Scripted:
    """A fault that is under way.

    Attributes:
        hit: The requests that met it so far.
        stop: Lets no further request meet it.
    """

    hit: list[Call] = field(default_factory=list[Call])
    stop: Callable[[], None] = lambda: None


def status(code: int, *, takes_effect: bool = False) -> Fault:
    """An answer by Discord's edge, with a page instead of JSON."""

    def answer(_call: Call) -> Answer:
        page = f"<html><title>{code}</title></html>".encode()
        return Answer(code, page, {"Content-Type": "text/html"})

    said = f"{code}, applied" if takes_effect else f"{code}"
    return Fault(said, takes_effect, answer)


def rate_limited(retry_after_s: float = 0.3, scope: str = "user") -> Fault:
    """A 429 that no header announced."""
    return Fault(f"429 {scope}", False, lambda _call: too_many(retry_after_s, scope))


def _reset(_call: Call) -> None:
    raise DropConnection(reset=True)


RESET = Fault("reset", False, _reset)
"""The connection is reset before anything happened."""

DIED = Fault("applied, then reset", True, _reset)
"""The request was applied, then the connection died: the message is there, and nobody knows."""

ALL = (
    status(500),
    status(502),
    status(503),
    rate_limited(),
    rate_limited(scope="global"),
    RESET,
    DIED,
)
"""One of each."""
