"""`make eval`: how much of what was told a story's prompts still know, as a table and JSON lines.

One run, no network: synthetic stories, the real store, search, recall and prompts, and the original
algorithm beside them. docs/memory.md explains the figures.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.eval import likeness
from tests.eval.families import Wordings
from tests.eval.measuring import Result, measure
from tests.eval.methods import METHODS
from tests.eval.stories import Overlap, make_story
from tests.eval.vectors import KnownVectors

SETS = ("reported", "chinese", "tuned")
LENGTHS = (100, 1_000, 10_000)
PER_KIND = {100: 3, 1_000: 12, 10_000: 14}
"""Facts of each kind that are planted and asked for."""


def main() -> None:
    """Measure the sets and lengths asked for."""
    parser = argparse.ArgumentParser(prog="make eval", description=__doc__)
    parser.add_argument("--sets", default="reported,chinese", help="of: reported, chinese, tuned")
    parser.add_argument("--turns", default="100,1000,10000", help="lengths of the English stories")
    parser.add_argument("--methods", help="only these, by their names, parted by semicolons")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vectors", type=Path, help="keeps vectors there (.npz) for the next run")
    parser.add_argument("--json", type=Path, help="writes the JSON lines there too")
    asked = parser.parse_args()
    lines: list[str] = []
    vectors = KnownVectors(asked.vectors)
    chosen = asked.methods.split(";") if asked.methods else [method.name for method in METHODS]
    methods = [method for method in METHODS if method.name in chosen]
    for name in asked.sets.split(","):
        lengths = [1_000] if name == "chinese" else list(map(int, asked.turns.split(",")))
        for turns in lengths:
            began = time.monotonic()
            story = make_story(_words(name), turns, asked.seed, per_kind=_per_kind(turns))
            results = asyncio.run(measure(story, vectors, methods))
            print(f"\n{name}, {turns:,} turns, {len(story.probes)} facts needed")
            print(table(results))
            print(f"({time.monotonic() - began:.0f} s)", flush=True)
            lines += [_line(name, result) for result in results]
        if not asked.methods:
            print(_likeness(name, vectors))
    print("\n" + "\n".join(lines))
    if asked.json:
        asked.json.write_text("\n".join(lines) + "\n")


def _likeness(name: str, vectors: KnownVectors) -> str:
    """How often repeats are told, and what is none is taken for one."""
    rows = [("planted repeat", "word for word", "1 word in 10 changed")]
    rows += [
        (what, _percent(exact), _percent(changed))
        for what, exact, changed in likeness.echoes(_words(name))
    ]
    alike = [("two plans", "too near")]
    alike += [
        (what, _percent(share))
        for what, share in asyncio.run(likeness.plans(_words(name), vectors))
    ]
    return f"\n{name}: alarms\n{_aligned(rows)}\n\n{_aligned(alike)}"


def table(results: Sequence[Result]) -> str:
    """Results as lines of text, one for each method."""
    rows = [("method", "there", *Overlap, "newest state", "outdated", "precision", "tokens", "×50")]
    rows += [
        (
            result.method,
            _percent(result.share()),
            *(_percent(result.share(overlap)) for overlap in Overlap),
            _percent(result.newest),
            _percent(result.outdated),
            _percent(result.precision),
            f"{result.tokens:.0f}",
            f"{result.tokens / result.early_tokens:.2f}",
        )
        for result in results
    ]
    return _aligned(rows)


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _line(name: str, result: Result) -> str:
    return json.dumps(
        {
            "set": name,
            "turns": result.turns,
            "method": result.method,
            "needed": len(result.found),
            "there": round(result.share(), 4),
            **{overlap.name.lower(): round(result.share(overlap), 4) for overlap in Overlap},
            "newest": round(result.newest, 4),
            "outdated": round(result.outdated, 4),
            "precision": round(result.precision, 4),
            "tokens": round(result.tokens),
            "early_tokens": result.early_tokens,
        }
    )


def _per_kind(turns: int) -> int:
    return PER_KIND.get(turns, max(1, min(14, turns // 40)))


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _words(name: str) -> Wordings:
    match name:
        case "reported":
            from tests.eval.reported_words import REPORTED

            return REPORTED
        case "tuned":
            from tests.eval.tuned_words import TUNED

            return TUNED
        case "chinese":
            from tests.eval.chinese_words import CHINESE

            return CHINESE
        case _:
            sys.exit(f"There is no set {name!r}: {', '.join(SETS)} are.")


if __name__ == "__main__":
    main()
