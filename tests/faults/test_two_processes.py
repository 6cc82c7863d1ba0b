"""Two processes with one token by mistake, and a process that is stopped and wakes too late.

Both are the unmodified bot. No turn is told or paid for twice, nothing old covers anything new on
stage, and whoever lost a story leaves it alone.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.bot_process import BotProcess
from tests.faults.discord_server import Answer, Call
from tests.faults.process_house import PATIENCE_S, Moments, ProcessHouse
from tests.faults.redis_house import some_of

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

HOUSES = 3
"""A sweep is shared out: so many pairs of bots, each with its own servers, at a time."""


class Pair(ProcessHouse):
    """Two bots with one token over the same Redis and the same Discord.

    Attributes:
        bot, other: the two; which one works on a story is up to them.
    """

    other: BotProcess

    async def start_both(self) -> None:
        """Start one after the other."""
        await self.start_bot()
        await self.other.start()
        await self.server.wait_connected(2, PATIENCE_S)

    def change_over(self) -> None:
        """The other one is from now on the bot."""
        self.bot, self.other = self.other, self.bot

    def check_logs(self) -> None:
        """Neither of them said anything that asks for a look."""
        for _ in range(2):
            self.check_log()
            self.change_over()


@asynccontextmanager
async def pair(folder: Path, **said: str) -> AsyncGenerator[Pair]:
    """A house with two bots that aren't started yet."""
    async with Pair(folder, None, nursery=None, **said) as house:
        (folder / "other").mkdir()
        second = house.other = BotProcess(folder / "other", house.environment())
        try:
            yield house
        finally:
            await second.kill()  # by whichever name it goes by now


# ── two at once ──────────────────────────────────────────────────────────────────────────────────


async def test_two_processes_tell_every_turn_once(tmp_path: Path) -> None:
    """Several stories, closed by time and by command; then both end in good order."""
    async with pair(tmp_path / "pair") as house:
        await house.start_both()
        channels = [house.channel, house.new_channel(), house.new_channel()]
        for number, house.channel in enumerate(channels):
            await house.moderator.command(
                house.channel,
                "story start",
                premise="A keeper hears the sea.",
                vote_seconds=600 if number else 5,
            )
        for house.channel in channels:
            await house.rests_at(1)
        for turn in (2, 3):
            for house.channel in channels:
                house.vote((turn - 1) % 3)
            for house.channel in channels[1:]:
                told = (await house.moderator.command(house.channel, "story close")).text
                assert " won " in told, told
            for house.channel in channels:
                await house.rests_at(turn)
        for house.channel in channels:
            await house.check_told_once()
        assert set(house.endpoint.asked.values()) == {len(channels)}, "nothing was paid for twice"
        doubled = house.bot.output + house.other.output
        assert "is the bot running twice?" in doubled, "the operator is told"
        house.check_logs()
        for _ in range(2):
            code, _took_s = await house.bot.stop()
            assert code == 0
            house.change_over()


# ── stopped and woken ────────────────────────────────────────────────────────────────────────────


class Stops(Moments):
    """Moments at which the process at work is stopped, until the test wakes it.

    A request that it had sent by then reaches Discord only when it wakes, behind everything that
    the other one did: the worst that a network can do with it.
    """

    def __init__(self, house: ProcessHouse) -> None:
        super().__init__(house)
        self._stopping = house
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Let what was held go its way."""
        self._awake.set()

    async def _passed(self, name: str) -> bool:
        self._counts[name] += 1
        moment = f"{name} {self._counts[name]}"
        self.seen.append(moment)
        if moment == self.at:
            self.at = None
            self._awake = asyncio.Event()
            self._stopping.bot.freeze()
            self.died.set()
            if name.startswith("before"):
                await self._awake.wait()
        return False


async def moments_of_a_turn(folder: Path) -> list[str]:
    """Every moment of the second turn, in order."""
    async with ProcessHouse(folder) as house:
        stops = Stops(house)
        await house.start_bot()
        house.ask_for_story()
        await house.rests_at(1)
        stops.watch()
        await house.turn_over()
        return list(stops.seen)


async def test_a_process_that_is_stopped_at_any_moment_of_a_turn_wakes_too_late(
    tmp_path: Path,
) -> None:
    """Another one takes the story over and finishes the turn; the first then changes nothing."""
    moments = await moments_of_a_turn(tmp_path / "undisturbed")
    assert len(moments) > 25, "a turn's calls to Discord and to the model"
    async with asyncio.TaskGroup() as sweep:
        for first in range(HOUSES):
            share = some_of(moments)[first::HOUSES]
            sweep.create_task(_stopped_once_a_turn(tmp_path / f"{first}", share))


async def _stopped_once_a_turn(folder: Path, share: list[str]) -> None:
    """One of the two works and the other one sleeps; after each stop they change places."""
    async with pair(folder, LEASE_SECONDS="1") as house:
        stops = Stops(house)
        await house.start_both()
        house.other.freeze()
        house.ask_for_story()
        await house.rests_at(1)
        for number, moment in enumerate(share, 2):
            try:
                await _stop_and_change_over(house, stops, number, moment)
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"stopped in turn {number} at {moment}: {error}") from error
        house.other.thaw()
        house.check_logs()


async def _stop_and_change_over(house: Pair, stops: Stops, number: int, moment: str) -> None:
    stopped = house.bot
    fences = stopped.output.count("taken over")
    compares = _compares(stopped)
    house.vote((number - 1) % 3)
    stops.watch(moment)
    house.ask_to_close()
    async with asyncio.timeout(PATIENCE_S):
        await stops.died.wait()
    house.change_over()
    house.bot.thaw()
    # Whoever wakes reads a command that the other one was given: it is answered, or it is done.
    if (await house.story()).head_number < number:
        house.ask_to_close()
    await house.rests_at(number)

    stopped.thaw()
    stops.wake()

    async def noticed() -> bool:
        begun, done = _compares(stopped)
        return stopped.output.count("taken over") > fences and begun == done

    await house.until(noticed, f"the one that woke notices; it said {stopped.output[-2000:]}")
    assert _compares(stopped) >= compares
    await house.rests_at(number)
    await house.check_told_once()
    stopped.freeze()


def _compares(bot: BotProcess) -> tuple[int, int]:
    """How often it has begun and ended to compare the stage with what is stored."""
    said = bot.output
    return said.count("the stage is compared"), said.count("is on stage as it is stored")


async def test_a_request_that_was_held_back_is_not_sent_by_who_wakes_too_late(
    tmp_path: Path,
) -> None:
    """It waited for a rate limit when its process was stopped: it was allowed then, not now."""
    async with pair(tmp_path / "pair", LEASE_SECONDS="1") as house:
        await house.start_both()
        house.other.freeze()
        house.ask_for_story()
        await house.rests_at(1)
        stopped, limited = house.bot, asyncio.Event()

        async def limit(call: Call) -> Answer | None:
            if limited.is_set() or "at time 1" not in str(call.fields.get("content")):
                return None
            limited.set()
            stopped.freeze()
            body = {"message": "Slow down.", "retry_after": 0.5, "global": False}
            return Answer(429, body, {"Via": "1.1 local", "Retry-After": "1"})

        house.server.before("PATCH /channels/*/messages/*", limit)
        house.vote(1)
        house.ask_to_close()
        async with asyncio.timeout(PATIENCE_S):
            await limited.wait()
        house.change_over()
        house.bot.thaw()
        await house.rests_at(2)
        calls = len(house.server.calls)
        stopped.thaw()

        async def noticed() -> bool:
            return "taken over" in stopped.output

        await house.until(noticed, "the one that woke notices")
        await house.check_told_once()
        late = [call for call in list(house.server.calls)[calls:] if call.method == "PATCH"]
        assert not [call for call in late if "at time 1" in str(call.fields.get("content"))]
        house.check_logs()
