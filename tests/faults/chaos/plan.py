"""Which deaths a campaign consists of, drawn by a seed; what a crowd does to make one come soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bot.failpoints import FAILPOINTS, Failpoint
from tests.faults.chaos.crowd import Act

LONGEST_DELAY_S = 5.0
"""A random death comes at most so long after the process is connected."""
PASSINGS = 4
"""A step that each turn has is let pass up to three times, so that it is met elsewhere too."""

WISHES = {
    "create story": Act.END,
    "commit titled": Act.END,
    "commit ended": Act.END,
    "commit extended": Act.SILENCE,
    "commit asleep": Act.SILENCE,
    "commit woken": Act.SILENCE,
    "commit paused": Act.PAUSE,
    "commit resumed": Act.PAUSE,
    "commit settled": Act.PAUSE,
    "send announcement": Act.PAUSE,
    "commit restaged": Act.TEAR,
    "delete message": Act.HALT,
}
"""What leads to the steps that no ordinary turn has."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a process is to die: at a failpoint of its own, or by a kill a while after its start."""

    point: Failpoint | None = None
    delay_s: float | None = None

    @property
    def wish(self) -> Act | None:
        """What members do to make it come; None for what comes in any turn."""
        return WISHES.get(step_of(self.point)) if self.point else None

    def __str__(self) -> str:
        return str(self.point) if self.point else f"random, after {self.delay_s:.2f} s"


def step_of(point: Failpoint) -> str:
    """The step that a failpoint stands before or behind."""
    return point.name.partition(" ")[2]


def draw(seed: int, kills: int, random_kills: int) -> list[Death]:
    """So many deaths at every failpoint and so many at random moments, in a random order."""
    chance = Random(seed)
    deaths = [
        Death(point=Failpoint(name, _passing(chance, name)))
        for name in FAILPOINTS
        for _ in range(kills)
    ]
    deaths += [Death(delay_s=chance.uniform(0.0, LONGEST_DELAY_S)) for _ in range(random_kills)]
    chance.shuffle(deaths)
    return deaths


def deal(deaths: Sequence[Death], houses: int) -> list[list[Death]]:
    """The deaths shared out among houses."""
    return [list(deaths[first::houses]) for first in range(houses)]


def _passing(chance: Random, name: str) -> int:
    return 1 if name.partition(" ")[2] in WISHES else chance.randint(1, PASSINGS)
