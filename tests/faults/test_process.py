"""The unmodified bot as a process: told to the third turn, killed at every moment, asked to end.

Discord, Redis and the model's endpoint are real servers on loopback and outlive it. The same sweep
over fakes, which sees every call to Redis as well, is tests/core/services/test_crashes.py.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.domain.story import Phase
from tests.faults.discord_server import Call
from tests.faults.process_house import PATIENCE_S, Moments, ProcessHouse
from tests.faults.story_endpoint import Asked

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

HOUSES = 5
"""The sweep over all moments is shared out: so many bots, each with its own servers, at a time."""
STOP_S = 10.0
"""What Docker gives a process between SIGTERM and SIGKILL."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ProcessHouse]:
    async with ProcessHouse(tmp_path / "bot") as house:
        yield house


async def begun(house: ProcessHouse) -> None:
    """A bot that waits for the votes of a story's first turn."""
    await house.start_bot()
    house.ask_for_story()
    await house.rests_at(1)


async def test_three_turns_are_told_and_sigterm_ends_it(house: ProcessHouse) -> None:
    """Closed by time and by a moderator; each turn stands once, each old ballot has its result."""
    await house.start_bot()
    started = await house.moderator.command(
        house.channel, "story start", premise="A keeper hears the sea.", vote_seconds=5
    )
    assert "The story begins" in started.text
    assert started.ephemeral
    await house.rests_at(1)
    opened = house.shown()[-1].created_at.timestamp()
    house.vote(1)
    await house.rests_at(2)
    assert house.shown()[3].created_at.timestamp() - opened >= 5, "the window was kept"
    house.vote(2)
    closed = await house.moderator.command(house.channel, "story close")
    assert "3️⃣ won (3 voters)" in closed.text
    await house.rests_at(3)
    await house.check_told_once()
    assert set(house.endpoint.asked.values()) == {1}, "nothing was paid for twice"

    code, took_s = await house.bot.stop()
    assert code == 0
    assert took_s < STOP_S
    await house.server.wait_disconnected()
    house.check_log()


# ── killed ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_kill_at_any_moment_of_a_turn_loses_nothing_and_tells_nothing_twice(
    tmp_path: Path,
) -> None:
    """From the close to the last reaction; after the restart all is as if nothing had happened."""
    moments = await undisturbed(tmp_path / "undisturbed")
    assert len(moments) > 25, "a turn's calls to Discord and to the model"
    shares = [moments[first::HOUSES] for first in range(HOUSES)]
    async with asyncio.TaskGroup() as sweep:
        for number, share in enumerate(shares):
            sweep.create_task(_killed_once_a_turn(tmp_path / f"{number}", share))


async def undisturbed(folder: Path) -> list[str]:
    """Every moment of the second turn, in order."""
    async with ProcessHouse(folder) as house:
        moments = Moments(house)
        await begun(house)
        moments.watch()
        await house.turn_over()
        return list(moments.seen)


async def _killed_once_a_turn(folder: Path, share: list[str]) -> None:
    """A story that is killed in each turn, at another moment, and at last while it waits."""
    async with ProcessHouse(folder) as house:
        watch = Moments(house)
        await begun(house)
        for number, moment in enumerate(share, 2):
            try:
                await _die_and_go_on(house, watch, moment)
                await house.check_told_once()
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"killed in turn {number} at {moment}: {error}") from error
        await house.kill_bot()
        await house.start_bot()
        await house.turn_over()
        await house.check_told_once()
        house.check_log()


async def _die_and_go_on(house: ProcessHouse, watch: Moments, *deaths: str) -> None:
    """Vote and close; die at each of the moments in turn; wait for the next ballot.

    What was committed is never paid for again, and what a death lost is paid for once more.
    """
    number = (await house.story()).head_number
    asked, owed = house.endpoint.asked, dict[str, int]()
    house.vote(number % 3)
    watch.watch(deaths[0])
    house.ask_to_close()
    for following in (*deaths[1:], None):
        async with asyncio.timeout(PATIENCE_S):
            await watch.died.wait()
        story = await house.story()
        left = story.phase if story.head_number == number else None
        owed = {
            "paragraph": asked["paragraph", number + 1] + (left in _UNWRITTEN),
            "reflection": asked["reflection", number + 1] + (left in _UNREFLECTED),
        }
        watch.watch(following)
        await house.start_bot()
        if left is Phase.VOTING:
            house.ask_to_close()
    await house.rests_at(number + 1)
    assert {what: asked[what, number + 1] for what in owed} == owed, "requests to the model"
    assert asked["outline", 1] == 1


_UNWRITTEN = {Phase.VOTING, Phase.WRITING}
_UNREFLECTED = {*_UNWRITTEN, Phase.REFLECTING}


async def test_a_turn_that_is_killed_at_each_of_its_steps_is_told_once(
    house: ProcessHouse,
) -> None:
    """Five kills in one turn, each in the work of the process that came after the last."""
    watch = Moments(house)
    await begun(house)
    await _die_and_go_on(
        house,
        watch,
        "after PATCH /channels/*/messages/* 1",  # the result stands in the old ballot
        "early paragraph 1",  # the first sentences are on stage
        "after POST /channels/*/messages 1",  # the rest of the text: its second message
        "after reflection 1",
        "after PUT /channels/*/messages/*/reactions/*/@me 2",
    )
    await house.check_told_once()
    assert house.endpoint.asked["paragraph", 2] == 2
    assert house.endpoint.asked["reflection", 2] == 2
    house.check_log()


@pytest.mark.parametrize("moment", ["before outline 1", "after outline 1"])
async def test_an_opening_that_is_killed_at_its_outline_is_told_once(
    house: ProcessHouse, moment: str
) -> None:
    watch = Moments(house)
    await house.start_bot()
    watch.watch(moment)
    house.ask_for_story()
    async with asyncio.timeout(PATIENCE_S):
        await watch.died.wait()
    await house.start_bot()
    await house.rests_at(1)
    await house.check_told_once()
    assert house.endpoint.asked["outline", 1] == 2
    assert house.endpoint.asked["paragraph", 1] == 1
    house.check_log()


async def test_votes_that_come_while_it_is_down_count(house: ProcessHouse) -> None:
    """Even when the deadline passes meanwhile: the next start counts them."""
    await house.start_bot(VOTE_SECONDS="5")
    house.ask_for_story()
    await house.rests_at(1)
    await house.kill_bot()
    house.vote(1)
    await asyncio.sleep(((await house.story()).closes_at or 0) - time.time())
    await house.start_bot()
    await house.rests_at(2)
    await house.check_told_once()


# ── slow answers ─────────────────────────────────────────────────────────────────────────────────


async def test_an_edit_that_discord_takes_slowly_never_hides_the_finished_text(
    house: ProcessHouse,
) -> None:
    """The paragraph ends while an edit with a part of it is under way; the whole text stays."""
    await begun(house)
    in_step, under_way = house.endpoint.hook, asyncio.Event()

    async def slowly(call: Call) -> None:
        if "Sentence 9 of 2 " in str(call.fields.get("content")):
            under_way.set()
            await asyncio.sleep(1.0)

    async def hold(moment: str, asked: Asked) -> None:
        if moment == "late":
            await under_way.wait()
        else:
            await in_step(moment, asked)

    house.endpoint.hook = hold
    house.server.before("PATCH /channels/*/messages/*", slowly, times=2)  # the first: the result
    house.vote(1)
    house.ask_to_close()
    await house.rests_at(2)
    await asyncio.sleep(1.0)  # whatever is still under way has arrived then
    await house.check_told_once()


# ── asked to end ─────────────────────────────────────────────────────────────────────────────────


async def test_sigterm_in_the_middle_of_a_paragraph_hands_the_story_on(tmp_path: Path) -> None:
    """It ends in time; the next one goes on at once, though the lease would have run a minute."""
    async with ProcessHouse(tmp_path / "bot", LEASE_SECONDS="60") as house:
        await begun(house)
        in_step, streaming, ended = house.endpoint.hook, asyncio.Event(), asyncio.Event()

        async def hold(moment: str, asked: Asked) -> None:
            await in_step(moment, asked)
            if moment == "late" and not ended.is_set():
                streaming.set()
                await ended.wait()

        house.endpoint.hook = hold
        house.vote(1)
        house.ask_to_close()
        async with asyncio.timeout(PATIENCE_S):
            await streaming.wait()
        assert "Sentence 9 of 2 at time 1" in house.shown()[-1].text, "members read it already"
        code, took_s = await house.bot.stop()
        ended.set()
        assert code == 0
        assert took_s < STOP_S

        await house.start_bot()
        again = time.monotonic()
        await house.rests_at(2)
        assert time.monotonic() - again < PATIENCE_S / 2
        await house.check_told_once()
        assert "at time 2" in house.shown()[3].text, "written anew, into the same messages"
        assert house.endpoint.asked["paragraph", 2] == 2
        house.check_log()
