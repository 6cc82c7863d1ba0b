"""One figure, its baseline, and how both are printed: a table for people, JSON lines for tools."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured in this run.

    Attributes:
        name: what was measured.
        values_s: every sample, seconds.
        target_s: what its p50 should stay under, or None.
        beside: name of the figure that this one is compared with, if any.
    """

    name: str
    values_s: Sequence[float]
    target_s: float | None = None
    beside: str | None = None

    @property
    def p50_s(self) -> float:
        """The median."""
        return statistics.median(self.values_s)

    @property
    def p99_s(self) -> float:
        """The slowest but one in a hundred."""
        ordered = sorted(self.values_s)
        return ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]


def report(figures: Sequence[Figure]) -> str:
    """The table, then one JSON line per figure."""
    known = {figure.name: figure for figure in figures}
    rows = [("figure", "p50 ms", "p99 ms", "n", "target ms", "ratio")]
    lines: list[str] = []
    for figure in figures:
        baseline = known.get(figure.beside or "")
        ratio = f"{figure.p50_s / baseline.p50_s:.1f} × {baseline.name}" if baseline else ""
        target = "" if figure.target_s is None else f"{figure.target_s * 1000:g}"
        p50, p99 = f"{figure.p50_s * 1000:.2f}", f"{figure.p99_s * 1000:.2f}"
        rows.append((figure.name, p50, p99, str(len(figure.values_s)), target, ratio))
        lines.append(
            json.dumps(
                {
                    "figure": figure.name,
                    "p50_s": round(figure.p50_s, 6),
                    "p99_s": round(figure.p99_s, 6),
                    "n": len(figure.values_s),
                    "target_s": figure.target_s,
                    "beside": figure.beside,
                }
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*table, "", *lines])
