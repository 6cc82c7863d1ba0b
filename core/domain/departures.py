"""Places that the bot lost, and when what is kept of them is deleted. Values only.

A server is lost when the bot is removed from it, a channel when it is deleted. Whether a place is
really gone is asked of Discord, by whoever acts on this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

DAY_S = 86_400.0


class PlaceKind(StrEnum):
    """What can be lost."""

    GUILD = "guild"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A server or a channel (or thread).

    Attributes:
        kind: which of them.
        id: Discord's id of it.
    """

    kind: PlaceKind
    id: int

    def __str__(self) -> str:
        named = "server" if self.kind is PlaceKind.GUILD else "channel"
        return f"{named} {self.id}"


def a_guild(guild: int) -> Place:
    """A server."""
    return Place(PlaceKind.GUILD, guild)


def a_channel(channel: int) -> Place:
    """A channel or thread."""
    return Place(PlaceKind.CHANNEL, channel)


def overdue(lost: Mapping[Place, float], now: float, after_days: int) -> list[Place]:
    """The places that were lost at least so many days ago, the longest lost first.

    Args:
        lost: place → since when.
        now: UTC seconds.
        after_days: the grace.
    """
    due = now - after_days * DAY_S
    return sorted((place for place, at in lost.items() if at <= due), key=lambda p: (lost[p], p))
