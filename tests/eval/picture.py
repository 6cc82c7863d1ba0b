"""The picture of docs/memory.md: what was needed and there, against the length of the story.

python -m tests.eval.picture figures.jsonl docs/pictures/memory.svg
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT = 820, 430
LEFT, RIGHT, TOP, BOTTOM = 64, 290, 28, 62
LINES = {
    "original": ("#8a8f98", "the original: 2 paragraphs, one question"),
    "BM25": ("#b7791f", "words alone (BM25)"),
    "vector": ("#5b7fb5", "meaning, one question"),
    "+ questions": ("#2f9e8f", "a question for each sentence"),
    "+ ledger, no marks": ("#7a5bb5", "and the ledger"),
    "whole": ("#c2410c", "whole: and what superseded what"),
}
"""What is drawn, in which colour, and what stands beside it."""


def main() -> None:
    """Draw the figures of one file into another."""
    figures, picture = map(Path, sys.argv[1:3])
    rows = [json.loads(line) for line in figures.read_text().splitlines()]
    picture.write_text(draw([row for row in rows if row["set"] == "reported"]))


def draw(rows: Sequence[Mapping[str, object]]) -> str:
    """An SVG of one line for each method."""
    lengths = sorted({int(str(row["turns"])) for row in rows})
    look = 'font-family="system-ui, sans-serif" font-size="13" fill="#333"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {look}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-weight="600">Needed facts that stand in the prompt</text>',
    ]
    for share in range(0, 101, 25):
        y = _y(share / 100)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share} %</text>')
    for turns in lengths:
        x = _x(turns, lengths)
        label = f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 44}" text-anchor="middle">'
        parts.append(f"{label}{turns:,} turns</text>")
    ends: list[tuple[float, str, str]] = []
    for method, (colour, words) in LINES.items():
        points = [
            (_x(int(str(row["turns"])), lengths), _y(float(str(row["there"]))))
            for row in sorted(rows, key=lambda row: int(str(row["turns"])))
            if row["method"] == method
        ]
        if not points:
            continue
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        width = 3 if method == "whole" else 2
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        ends.append((points[-1][1], colour, words))
    y = -math.inf
    for wanted, colour, words in sorted(ends):
        y = max(wanted, y + 17)  # labels never lie on one another
        place = f'x="{WIDTH - RIGHT + 12}" y="{y + 4:.1f}" font-size="11.5"'
        parts.append(f'<text {place} fill="{colour}">{words}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _x(turns: int, lengths: Sequence[int]) -> float:
    low, high = math.log10(lengths[0]), math.log10(lengths[-1])
    share = (math.log10(turns) - low) / ((high - low) or 1)
    return LEFT + 12 + share * (WIDTH - LEFT - RIGHT - 24)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM) + 8


if __name__ == "__main__":
    main()
