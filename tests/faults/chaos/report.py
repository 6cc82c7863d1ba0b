"""What a campaign tried, what it hit and what it found, in a table and in lines of JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from bot.failpoints import FAILPOINTS
from tests.faults.chaos.campaign import CHANNELS, Fall


class Report:
    """Gathers falls.

    Attributes:
        falls: all of them, in the order in which they came.
    """

    def __init__(self) -> None:
        self.falls: list[Fall] = []

    @property
    def kills(self) -> Counter[str]:
        """How often the process died at each failpoint; "" for a random moment."""
        return Counter(fall.point for fall in self.falls if fall.came)

    @property
    def phases(self) -> Counter[str]:
        """In which phase the stories were when their process died."""
        return Counter(phase for fall in self.falls if fall.came for phase in fall.phases)

    @property
    def violations(self) -> list[str]:
        """What was wrong, each with the death of the process in whose life it was found."""
        return [f"{fall.death}: {wrong}" for fall in self.falls for wrong in fall.violations]

    def missing(self, kills: int, random_kills: int) -> list[str]:
        """Where the process died less often than it should have."""
        wanted = {**dict.fromkeys(FAILPOINTS, kills), "": random_kills}
        return [
            f"{name or 'random moments'}: {self.kills[name]} of {number}"
            for name, number in wanted.items()
            if self.kills[name] < number
        ]

    def write_lines(self, lines: TextIO) -> None:
        """A line of JSON for each fall."""
        lines.writelines(
            json.dumps(fall.as_json(), ensure_ascii=False) + "\n" for fall in self.falls
        )

    def read_lines(self, file: Path) -> None:
        """Take the falls that another process wrote."""
        for line in file.read_text(encoding="utf-8").splitlines():
            self.falls.append(Fall(**json.loads(line)))

    def table(self) -> str:
        """All of it for people."""
        kills, phases = self.kills, self.phases
        whole = [fall for fall in self.falls if fall.checked == CHANNELS]
        tried = f"{kills.total() - kills['']} at failpoints, {kills['']} at random moments"
        looked_at = f"{sum(fall.checked for fall in self.falls)} channels found right, {len(whole)}"
        lines = [
            f"{kills.total()} kills: {tried}",
            f"{looked_at} times all {CHANNELS} of a house between a restart and the next kill",
            "",
            "phases of the stories at the moment after each kill",
            *_bars(phases),
            "",
            "kills at each failpoint",
            *(f"  {name:<26} {kills[name]:>4}" for name in FAILPOINTS),
            "",
            f"violations: {len(self.violations)}",
            *(f"  {one}" for one in self.violations),
        ]
        return "\n".join(lines)


def _bars(counts: Counter[str]) -> Sequence[str]:
    most = max(counts.values(), default=1)
    return [
        f"  {name:<26} {count:>4} {'■' * max(1, round(30 * count / most))}"
        for name, count in sorted(counts.items())
    ]
