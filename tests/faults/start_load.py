"""A start with very many stories waiting, against a Discord whose rate limits are on.

    python -m tests.faults.start_load --open 1000 --asleep 1000

plants them, starts the unmodified bot, waits until all of them were looked at, and prints what
Discord saw: requests, refusals, the busiest second. test_start_stop runs the same with fewer.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

from core.domain.story import Phase
from tests.faults.discord_server import Limits, RateLimits
from tests.faults.process_house import ProcessHouse
from tests.faults.seeded_stories import Seed, SeedBed, seed_bed
from tests.faults.story_endpoint import Asked

AT_A_TIME = 50
"""Stories that are planted at a time."""


@dataclass(frozen=True, slots=True)
class Load:
    """What waits for the bot.

    Attributes:
        won: Votes that are overdue, and have a winner.
        silent: Votes that are overdue, and nobody voted.
        silent_again: The same, of those that were extended already.
        running: Votes whose time has not come.
        asleep: Sleeping stories that nobody voted on.
        asleep_voted: Sleeping stories that somebody voted on meanwhile.
    """

    won: int
    silent: int
    silent_again: int
    running: int
    asleep: int
    asleep_voted: int

    @classmethod
    def of(cls, open_votes: int, asleep: int) -> "Load":
        """Two fifths of the votes are overdue, half of these with a winner; sleepers: 2 % voted."""
        won, silent, voted = open_votes // 5, open_votes // 10, max(1, asleep // 50)
        running = open_votes - won - 2 * silent
        return cls(won, silent, silent, running, asleep - voted, voted)


@dataclass(frozen=True, slots=True)
class Figures:
    """What Discord saw.

    Attributes:
        requests: All of them.
        too_many: Answers 429.
        invalid: Requests that count towards a ban, of the last ten minutes.
        busiest_second: The most requests within any second.
        overdue_done_s: From the start of the process until no vote was overdue.
        all_done_s: Until every sleeping story was looked at as well.
    """

    requests: int
    too_many: int
    invalid: int
    busiest_second: int
    overdue_done_s: float
    all_done_s: float


class StartLoad:
    """Stories that wait, and what becomes of them.

    Args:
        bed: In a house whose bot isn't started.
        load: How many.
    """

    def __init__(self, bed: SeedBed, load: Load) -> None:
        self._bed = bed
        self._house = bed.house
        self._load = load
        self.won: list[Seed] = []
        self.silent: list[Seed] = []
        self.silent_again: list[Seed] = []
        self.running: list[Seed] = []
        self.asleep: list[Seed] = []
        self.asleep_voted: list[Seed] = []

    async def plant(self) -> None:
        """Put all of them on stage and into Redis; those that sleep with votes come last."""
        plant, load, overdue = self._bed.plant, self._load, -5.0
        for place, count, one in (
            (self.won, load.won, lambda: plant(votes=3, closes_in_s=overdue)),
            (self.silent, load.silent, lambda: plant(closes_in_s=overdue)),
            (
                self.silent_again,
                load.silent_again,
                lambda: plant(extended=True, closes_in_s=overdue),
            ),
            (self.running, load.running, lambda: plant(votes=1, closes_in_s=36_000.0)),
            (self.asleep, load.asleep, lambda: plant(Phase.ASLEEP)),
            (self.asleep_voted, load.asleep_voted, lambda: plant(Phase.ASLEEP, votes=2)),
        ):
            while len(place) < count:
                some = range(min(AT_A_TIME, count - len(place)))
                place.extend(await asyncio.gather(*(one() for _ in some)))

    async def run(self, patience_s: float) -> Figures:
        """Start the bot and wait until all is done.

        Raises:
            TimeoutError: something wasn't done in time.
        """
        began = time.monotonic()
        await self._house.start_bot()
        async with asyncio.timeout(patience_s):
            await self._wait(self.won, Phase.VOTING, 2)
            await self._wait(self.silent, Phase.VOTING, 1, extended=True)
            await self._wait(self.silent_again, Phase.ASLEEP, 1)
            overdue_done_s = time.monotonic() - began
            await self._wait_looked_at()
            await self._wait(self.asleep_voted, Phase.VOTING, 1)
        server = self._house.server
        return Figures(
            requests=len(server.calls),
            too_many=sum(call.status == 429 for call in server.calls),
            invalid=server.invalid_requests,
            busiest_second=server.calls.peak(),
            overdue_done_s=round(overdue_done_s, 1),
            all_done_s=round(time.monotonic() - began, 1),
        )

    async def check(self) -> None:
        """Nothing was told twice, nothing that waits was touched."""
        for seed in self.won:
            await self._bed.check_grown_once(seed)
        for seed in (*self.silent, *self.silent_again, *self.asleep_voted):
            assert len(self._house.server.bot_messages(seed.channel)) == 2
        for seed in self.silent:
            assert "extended once" in seed.ballot.text
        for seed in self.silent_again:
            assert "asleep: a vote wakes the story" in seed.ballot.text
        for seed in self.asleep_voted:
            assert "closes <t:" in seed.ballot.text
        for seed in (*self.running, *self.asleep):
            assert len(seed.ballot.revisions) == 1
            story = await self._bed.store.load(seed.story)
            assert story.epoch == 0, "nobody had to claim it"

    async def _wait(
        self, seeds: list[Seed], phase: Phase, number: int, *, extended: bool = False
    ) -> None:
        for seed in seeds:
            while True:
                story = await self._bed.store.load(seed.story)
                if (
                    (story.phase, story.head_number) == (phase, number)
                    and story.extended >= extended
                    and not story.outbox
                ):
                    break
                await asyncio.sleep(0.2)

    async def _wait_looked_at(self) -> None:
        """Every sleeping ballot was read."""
        server = self._house.server
        ballots = {
            f"/channels/{seed.channel.id}/messages/{seed.ballot.id}"
            for seed in (*self.asleep, *self.asleep_voted)
        }
        while ballots - {call.path for call in server.calls if call.method == "GET"}:  # noqa: ASYNC110 - a bell for each of thousands of requests would cost more
            await asyncio.sleep(0.5)


async def at_once(_moment: str, _asked: Asked) -> None:
    """The model doesn't wait for what members see: it streams as fast as it can."""


def house_for_load(folder: Path) -> ProcessHouse:
    """A house whose Discord has its rate limits on."""
    return ProcessHouse(folder, Limits(rates=RateLimits()), LEASE_SECONDS="10")


async def loaded(house: ProcessHouse, load: Load, patience_s: float) -> Figures:
    """Plant, run and check."""
    house.endpoint.hook = at_once
    async with seed_bed(house) as bed:
        start = StartLoad(bed, load)
        await start.plant()
        figures = await start.run(patience_s)
        await start.check()
    return figures


async def _main(load: Load, patience_s: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with house_for_load(Path(folder) / "bot") as house:
            sys.stdout.write(f"{load}\n")
            figures = await loaded(house, load, patience_s)
            for field in fields(figures):
                sys.stdout.write(f"{field.name}: {getattr(figures, field.name)}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=1000)
    parser.add_argument("--asleep", type=int, default=1000)
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds")
    asked = parser.parse_args()
    asyncio.run(_main(Load.of(asked.open, asked.asleep), asked.patience))
