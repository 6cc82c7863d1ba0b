"""`make bench`: every measurement, in one run, as a table and as JSON lines."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.bench import turns
from tests.bench.figures import report


def main() -> None:
    """Run the measurements with the sizes asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--turns", type=int, default=300, help="turns without a model")
    parser.add_argument("--openings", type=int, default=10, help="openings with a streaming model")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="talewheel-bench-") as folder:
        figures = asyncio.run(turns.measure(Path(folder), asked.turns, asked.openings))
    print(report(figures))


if __name__ == "__main__":
    main()
