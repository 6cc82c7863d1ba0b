"""What a look at the set-up found: findings, each with its verdict, its figures and what to do.

Whoever looks (at Redis, at an endpoint, at Discord) words its own findings; here is what they
consist of, and the rules that several of them share. Nothing is looked at here.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import TalewheelError


class Verdict(StrEnum):
    """How a thing stands, from well to worst."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Area(StrEnum):
    """What a finding is about, in the order in which people read them."""

    SETTINGS = "settings"
    DISCORD = "discord"
    REDIS = "redis"
    STORIES = "stories"
    MODEL = "model"
    EMBEDDINGS = "embeddings"
    MODERATION = "moderation"
    CLOCK = "clock"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        area, check: what was looked at.
        verdict: how it stands.
        found: what was found, with its figures; a sentence or part of one.
        remedy: what to do; empty where it is well.
    """

    area: Area
    check: str
    verdict: Verdict
    found: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if (self.verdict is Verdict.OK) == bool(self.remedy):
            raise ValueError(f"only what isn't well needs a remedy, and always: {self}")


@dataclass(frozen=True, slots=True)
class Topic:
    """Words the findings of one check."""

    area: Area
    check: str

    def ok(self, found: str) -> Finding:
        """It is well."""
        return Finding(self.area, self.check, Verdict.OK, found)

    def warning(self, found: str, remedy: str) -> Finding:
        """It works, and may cost something."""
        return Finding(self.area, self.check, Verdict.WARNING, found, remedy)

    def fault(self, found: str, remedy: str) -> Finding:
        """It doesn't work, or a promise to members isn't kept."""
        return Finding(self.area, self.check, Verdict.FAULT, found, remedy)


class NotLookedAtError(TalewheelError):
    """Something can't be looked at, and why; what is wrong is told by another check."""


def many(number: int, one: str, more: str = "") -> str:
    """A number of things in words: "1 server", "2 servers"; ``more`` where an s isn't enough."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


# ── clocks ───────────────────────────────────────────────────────────────────────────────────────

SKEW_S = 2.0
"""People don't see less, and the one second of an HTTP date hides as much."""
SKEW_FAULT_S = 30.0
"""Votes close that much early or late. From two minutes on, a bot whose clock is ahead would begin
the look for its own messages too late."""


def skew(topic: Topic, whose: str, ahead_s: float, doubt_s: float, *, decisive: bool) -> Finding:
    """How far another clock is from this machine's.

    Args:
        topic: the finding's.
        whose: the other clock, as in "Discord's".
        ahead_s: how far this machine's clock is ahead of it; below 0 it is behind.
        doubt_s: by how much that may be wrong.
        decisive: whether stories go by that clock; by others one only sees which is wrong.
    """
    sure_s = abs(ahead_s) - doubt_s
    if sure_s <= SKEW_S:
        return topic.ok(f"agrees with {whose} (within {max(abs(ahead_s), doubt_s):.1f} s)")
    side = "ahead of" if ahead_s > 0 else "behind"
    found = f"this machine's clock is {_duration(abs(ahead_s))} {side} {whose}"
    if not decisive:
        return topic.warning(found, "Set whichever of the two is wrong (NTP).")
    remedy = "Set this machine's clock (NTP): votes close by it, and members see Discord's."
    return (topic.fault if sure_s > SKEW_FAULT_S else topic.warning)(found, remedy)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
