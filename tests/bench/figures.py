"""One figure, what it stands beside, and how both are printed: a table, and JSON lines for tools.

Every baseline was measured in the same run: what a machine is worth on a day cancels out of the
ratios. A target is said with the figure, and whether it was met.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured in this run.

    Attributes:
        bench: the measurement that it is part of.
        name: what was measured.
        value: what came out.
        unit: of the value and the baseline.
        n: samples behind it.
        beside: what the baseline is.
        baseline: what that came to, in this run.
        target: what the value should be, in words; empty for none.
        met: whether it is; None without a target.
    """

    bench: str
    name: str
    value: float
    unit: str
    n: int = 1
    beside: str = ""
    baseline: float | None = None
    target: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """The value over the baseline."""
        return self.value / self.baseline if self.baseline else None


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample that ``share`` of all are no greater than."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def report(figures: Sequence[Figure]) -> str:
    """The table, then one JSON line per figure."""
    rows = [("measurement", "figure", "value", "n", "beside", "ratio", "target")]
    rows += [_row(figure) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines = [json.dumps({**asdict(figure), "ratio": figure.ratio}) for figure in figures]
    return "\n".join([*table, "", *lines])


def _row(figure: Figure) -> tuple[str, ...]:
    beside = ratio = ""
    if figure.baseline is not None and figure.ratio is not None:
        beside = f"{figure.beside} {_number(figure.baseline)} {figure.unit}"
        ratio = f"{figure.ratio:.3g}"
    met = {None: "", True: "met", False: "MISSED"}[figure.met]
    value = f"{_number(figure.value)} {figure.unit}"
    target = f"{figure.target}: {met}" if figure.target else ""
    return figure.bench, figure.name, value, str(figure.n), beside, ratio, target


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
