"""The long form: a campaign in several processes at a time, so that every core is busy.

    python -m tests.faults.chaos --seed 7 --kills 20 --random 200

Each process plays some houses and writes its falls to a file; this one gathers them. What is
printed can be repeated by the seed: which deaths, in which order, and what the crowds draw. The
moments themselves are the machine's.
"""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from bot.failpoints import FAILPOINTS
from tests.faults.bot_nursery import Nursery
from tests.faults.chaos import campaign, plan
from tests.faults.chaos.campaign import Fall
from tests.faults.chaos.report import Report

HOUSES = 4
"""Played side by side by one process: while one waits, another works."""


def main() -> int:
    """Play a campaign; the exit code is 1 when something was found or missed."""
    said = _arguments()
    if said.part is not None:
        asyncio.run(_play_part(said))
        return 0
    sys.stdout.write(
        f"seed {said.seed}: {said.kills} kills at each of {len(FAILPOINTS)} failpoints and "
        f"{said.random} at random moments\n"
    )
    sys.stdout.flush()
    began = time.monotonic()
    report = asyncio.run(_gathered(said))
    with said.lines.open("w", encoding="utf-8") as lines:
        report.write_lines(lines)
    missing = report.missing(said.kills, said.random)
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write(f"{report.table()}\n\nmissing: {missing or 'nothing'}\n")
    sys.stdout.write(f"{minutes:.1f} minutes; each kill has a line in {said.lines}\n")
    return 1 if report.violations or missing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--kills", type=int, default=20, help="at each failpoint")
    parser.add_argument("--random", type=int, default=200, help="kills at random moments")
    parser.add_argument("--parts", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--lines", type=Path, default=Path("chaos.jsonl"), help="where falls go")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


async def _gathered(said: argparse.Namespace) -> Report:
    """Every part as a process of its own; their falls."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="talewheel-chaos-") as folder:
        files = [Path(folder) / f"{part}.jsonl" for part in range(said.parts)]
        async with asyncio.TaskGroup() as parts:
            for part, file in enumerate(files):
                parts.create_task(_run_part(said, part, file))
        for file in files:
            report.read_lines(file)
    return report


async def _run_part(said: argparse.Namespace, part: int, file: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.faults.chaos", "--seed", str(said.seed), "--kills", str(said.kills)),
        *("--random", str(said.random), "--parts", str(said.parts)),
        *("--part", str(part), "--lines", str(file)),
    )
    try:
        if code := await process.wait():
            raise RuntimeError(f"part {part} of the campaign ended with {code}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _play_part(said: argparse.Namespace) -> None:
    """This process's share of the deaths, dealt out among its houses."""
    shares = plan.deal(plan.draw(said.seed, said.kills, said.random), said.parts * HOUSES)
    report = Report()
    done = 0

    def told(fall: Fall) -> None:
        nonlocal done
        report.falls.append(fall)
        done += fall.came
        if fall.violations or done % 50 == 0:
            found = "".join(f"\n    {one}" for one in fall.violations)
            sys.stderr.write(f"part {said.part}: {done} kills, last {fall.death}{found}\n")

    with tempfile.TemporaryDirectory(prefix="talewheel-chaos-") as folder:
        async with Nursery() as nursery, asyncio.TaskGroup() as houses:
            for number, share in enumerate(shares[said.part :: said.parts]):
                place = Path(folder) / f"house-{number}"
                seed = said.seed * 1000 + said.part * HOUSES + number
                houses.create_task(campaign.run(place, nursery, seed, share, told))
    with said.lines.open("w", encoding="utf-8") as lines:
        report.write_lines(lines)


if __name__ == "__main__":
    sys.exit(main())
