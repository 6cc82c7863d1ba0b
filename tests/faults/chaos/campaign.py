"""One house of a campaign: its bot dies one planned death after the other, and is started again.

After each start every channel comes to rest and is held against its ledger before its people go on;
a process that dies before that is one more death inside a recovery, and the next one is looked at.
At last the bot lives, every channel is looked at once more, and SIGTERM ends it.
"""

import asyncio
import signal
import time
import traceback
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from tests.faults.bot_nursery import Nursery
from tests.faults.chaos.crowd import PATIENCE_S, Act, Crowd
from tests.faults.chaos.plan import Death
from tests.faults.discord_server.platform import Limits
from tests.faults.process_house import ProcessHouse
from tests.faults.story_endpoint import Asked

CHANNELS = 4
LIFE_S = 90.0
"""How long a process is given to reach its failpoint."""
TRIES = 3
"""How often a death is tried that did not come in that time."""
APPLIED_S = 0.1
"""What the dead process had sent has arrived after this."""
PACES_S = (0.0, 0.0, 0.1, 0.4, 1.4)
"""How long the model may pause in the middle of a paragraph; the last shows in an edit."""


@dataclass(slots=True)
class Fall:
    """One kill, and what was found.

    Attributes:
        death: what was planned.
        point: the failpoint it died at; empty for a kill from outside.
        came: whether it died there.
        after_s: seconds from the start of the process.
        phases: of each channel's story, as Redis held it just after: the phase, "+ owed" when the
            channel had not got everything.
        checked: channels that were found right between this restart and the next kill.
        violations: what was wrong.
    """

    death: str
    point: str = ""
    came: bool = True
    after_s: float = 0.0
    phases: list[str] = field(default_factory=list[str])
    checked: int = 0
    violations: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, object]:
        """For a line of the report."""
        return asdict(self)


async def run(
    folder: Path,
    nursery: Nursery,
    seed: int,
    deaths: Sequence[Death],
    told: Callable[[Fall], None],
) -> None:
    """Play one house to the end of its deaths; each fall is told at once."""
    async with ProcessHouse(folder, nursery=nursery, VOTE_SECONDS="5") as house:
        campaign = Campaign(house, Random(seed))
        for death in deaths:
            for _ in range(TRIES):
                fall = await campaign.fall(death)
                told(fall)
                if fall.came:
                    break
        told(await campaign.farewell())


class Campaign:
    """A house and its crowds."""

    def __init__(self, house: ProcessHouse, chance: Random) -> None:
        self._house = house
        self._chance = chance
        house.server.platform.limits = Limits(first_response_s=PATIENCE_S)
        house.endpoint.hook = self._paced
        self._crowds = [Crowd(house, Random(chance.random())) for _ in range(CHANNELS)]

    async def fall(self, death: Death) -> Fall:
        """Start the process and have it die."""
        fall = Fall(str(death), death.point.name if death.point else "")
        began = time.monotonic()
        await self._house.bot.start(**({"FAILPOINT": str(death.point)} if death.point else {}))
        people = asyncio.create_task(self._busy(death.wish, fall))
        try:
            fall.came = await self._dies(death)
            fall.after_s = round(time.monotonic() - began, 2)
            await self._house.bot_is_gone()
        finally:
            people.cancel()
            (ended,) = await asyncio.gather(people, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
        await asyncio.sleep(APPLIED_S)
        for crowd in self._crowds:
            await self._attempt(self._note(crowd, fall), crowd, fall)
        return fall

    async def farewell(self) -> Fall:
        """Start it once more without a death, look at every channel, and end it by SIGTERM."""
        fall = Fall("farewell", came=False)
        await self._house.start_bot()
        async with asyncio.TaskGroup() as people:
            for crowd in self._crowds:
                people.create_task(self._attempt(self._recover(crowd, fall), crowd, fall))
        code, _ = await self._house.bot.stop()
        if code != 0:
            fall.violations.append(f"SIGTERM ended it with {code}")
        try:
            self._house.check_log()
        except AssertionError as error:
            fall.violations.append(f"the log asks for a look: {error}")
        return fall

    async def _dies(self, death: Death) -> bool:
        """Wait for the process's end, or bring it; gives whether it was the planned one."""
        bot = self._house.bot
        if death.delay_s is None:
            try:
                return await bot.ended(LIFE_S) == -signal.SIGKILL
            except TimeoutError:
                await bot.kill()
                return False
        await self._house.server.wait_connected(timeout_s=PATIENCE_S)
        await asyncio.sleep(death.delay_s)
        lived = bot.running
        await bot.kill()
        return lived

    async def _busy(self, wish: Act | None, fall: Fall) -> None:
        """All channels at once, until cancelled."""
        await self._house.server.wait_connected(timeout_s=PATIENCE_S)
        async with asyncio.TaskGroup() as people:
            for crowd in self._crowds:
                people.create_task(self._attempt(self._live(crowd, wish, fall), crowd, fall))

    async def _live(self, crowd: Crowd, wish: Act | None, fall: Fall) -> None:
        await self._recover(crowd, fall)
        await crowd.go_on(wish)

    async def _recover(self, crowd: Crowd, fall: Fall) -> None:
        await crowd.recover()
        fall.checked += 1

    async def _note(self, crowd: Crowd, fall: Fall) -> None:
        """What the dead process left behind in a channel."""
        story = await crowd.ledger.interrupted()
        if story is not None:
            fall.phases.append(story.phase.value + (" + owed" if story.outbox else ""))

    async def _attempt(self, doing: Coroutine[None, None, None], crowd: Crowd, fall: Fall) -> None:
        """Do something in a channel; one in which something is wrong is left for another."""
        try:
            await doing
        except AssertionError as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            fall.violations.append(f"{crowd.name}: {error} ({where.name}, line {where.lineno})")
            crowd.move()

    async def _paced(self, moment: str, _asked: Asked) -> None:
        """The model takes its time in the middle of a paragraph, so that parts of it are seen."""
        if moment in {"early", "late"}:
            await asyncio.sleep(self._chance.choice(PACES_S))
