"""`make bench`: every measurement, in one run, as a table and as JSON lines.

BENCH='--only turn,cost' takes some of them, BENCH='--small' small sizes.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Figure, report
from tests.bench.sizes import FULL, MEASUREMENTS, SMALL


async def main() -> None:
    """Run the measurements that were asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", help="names of measurements, with commas between them")
    parser.add_argument("--small", action="store_true", help="small sizes: does it run at all")
    parser.add_argument("--json", type=Path, help="a file for the JSON lines")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else list(MEASUREMENTS)
    if unknown := set(names) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    for name in names:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="talewheel-bench-") as folder:
            figures += await MEASUREMENTS[name](Path(folder), SMALL if asked.small else FULL)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    table, _, lines = report(figures).partition("\n\n")
    print(table if asked.json else f"{table}\n\n{lines}")
    if asked.json:
        asked.json.write_text(f"{lines}\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
