"""The unmodified bot asked to end at bad moments, and started with very many stories waiting.

SIGTERM in the middle of a paragraph is in test_process. The start with thousands of stories is
`python -m tests.faults.start_load`; here are as many as take half a minute.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from core.adapters import redis_keys as keys
from core.domain.story import Phase
from tests.adapters.redis_raw import raw_client
from tests.faults.discord_server import Call, faults
from tests.faults.process_house import PATIENCE_S, ProcessHouse
from tests.faults.start_load import Load, at_once, house_for_load, loaded
from tests.faults.story_endpoint import Asked

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

STOP_S = 10.0
"""What Docker gives a process between SIGTERM and SIGKILL; on a machine that has more to do than it
can, even the end of the interpreter takes seconds, so there the limit is as much longer."""
LONG = "TALEWHEEL_LONG" in os.environ
"""Every moment, and not only the worst ones: TALEWHEEL_LONG=1."""
AT_A_TIME = 4
"""Bots, each with its own servers: more would only take turns with one another."""
POST = "POST /channels/*/messages"
TYPING = "POST /channels/*/typing"


# ── asked to end ─────────────────────────────────────────────────────────────────────────────────


async def test_sigterm_at_a_bad_moment_ends_it_in_time_and_hands_the_story_on(
    tmp_path: Path,
) -> None:
    """With code 0 each time; the next process tells the turn to its end, and tells it once."""
    moments: tuple[Moment, ...] = (
        in_a_send_that_never_ends,
        in_a_rate_limit,
        while_redis_is_slow,
        while_redis_is_silent,
    )
    if LONG:
        moments += (in_a_slow_send, in_an_outage_of_discord, while_the_model_is_silent)
    room = asyncio.Semaphore(AT_A_TIME)

    async def stopped(moment: Moment) -> None:
        async with room:
            await _stopped_at(tmp_path / moment.__name__, moment)

    async with asyncio.TaskGroup() as side_by_side:
        for moment in moments:
            side_by_side.create_task(stopped(moment))


Moment = Callable[[ProcessHouse], Awaitable[None]]
"""Brings a house whose second turn is about to begin to where SIGTERM is to find it."""


async def _stopped_at(folder: Path, moment: Moment) -> None:
    # Of a lease that isn't handed back the next process would have to wait for a minute.
    async with ProcessHouse(folder, LEASE_SECONDS="60") as house:
        try:
            house.endpoint.hook = at_once
            await house.start_bot()
            house.ask_for_story()
            await house.rests_at(1)
            house.vote(1)
            await moment(house)
            await _ends_in_time(house)
            os.kill(house.redis.pid, signal.SIGCONT)
            house.server.forget_hooks()
            await house.server.wait_disconnected()
            story = await house.story()
            if moment is while_redis_is_silent:  # it could not be told of the lease
                await _lease_ends(house)
            else:
                assert (story.due or 0) <= time.time(), "the lease was handed back"
            await house.start_bot()
            if story.phase is Phase.VOTING:
                house.ask_to_close()
            await house.rests_at(2)
            await house.check_told_once()
            house.check_log()
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{moment.__name__}: {error}") from error


async def _ends_in_time(house: ProcessHouse) -> None:
    code, took_s = await house.bot.stop()
    assert code == 0, house.bot.output[-2000:]
    assert took_s < STOP_S * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


async def in_a_slow_send(house: ProcessHouse) -> None:
    """Discord takes two seconds for a message, which is time enough."""
    await _held(house, POST, 2.0)


async def in_a_send_that_never_ends(house: ProcessHouse) -> None:
    """Discord takes longer for a message than a process has; it arrives all the same, later."""
    await _held(house, POST, STOP_S + 2)


async def in_a_rate_limit(house: ProcessHouse) -> None:
    """The client sleeps until Discord lets it send again."""
    scripted = house.server.script(POST, faults.rate_limited(60.0))
    house.ask_to_close()
    await house.server.wait_for(lambda: scripted.hit, PATIENCE_S)


async def in_an_outage_of_discord(house: ProcessHouse) -> None:
    """The client repeats what Discord answers with 502."""
    scripted = house.server.script(POST, faults.status(502), times=None)
    house.ask_to_close()
    await house.server.wait_for(lambda: scripted.hit, PATIENCE_S)


async def while_redis_is_slow(house: ProcessHouse) -> None:
    """Redis stands still for two seconds while a turn is being made."""
    await _held(house, TYPING, 0.0)
    os.kill(house.redis.pid, signal.SIGSTOP)
    asyncio.get_running_loop().call_later(2.0, os.kill, house.redis.pid, signal.SIGCONT)


async def while_redis_is_silent(house: ProcessHouse) -> None:
    """Redis doesn't answer any more."""
    await _held(house, TYPING, 0.0)
    os.kill(house.redis.pid, signal.SIGSTOP)


async def while_the_model_is_silent(house: ProcessHouse) -> None:
    """The model was asked for a paragraph and says nothing."""
    asked = asyncio.Event()
    in_step = house.endpoint.hook

    async def hang(moment: str, what: Asked) -> None:
        await in_step(moment, what)
        if (moment, what.what) == ("before", "paragraph") and not asked.is_set():
            asked.set()
            await asyncio.sleep(STOP_S * 3)

    house.endpoint.hook = hang
    house.ask_to_close()
    async with asyncio.timeout(PATIENCE_S):
        await asked.wait()


async def _held(house: ProcessHouse, pattern: str, hold_s: float) -> None:
    """Close the vote, and return when Discord was asked for something that takes a while."""
    reached = asyncio.Event()

    async def hold(_call: Call) -> None:
        reached.set()
        await asyncio.sleep(hold_s)

    house.server.before(pattern, hold, times=1)
    house.ask_to_close()
    async with asyncio.timeout(PATIENCE_S):
        await reached.wait()


async def _lease_ends(house: ProcessHouse) -> None:
    """Move the end of the lease to now, as a minute would."""
    story = await house.story()
    async with raw_client(house.redis.url) as client:
        await client.hset(keys.story(story.id), "due", "0.0")


# ── while it connects ────────────────────────────────────────────────────────────────────────────


async def test_sigterm_while_it_connects_ends_it_in_time(tmp_path: Path) -> None:
    """With code 0: Discord has been asked for something, or its socket opened, and says nothing."""
    async with asyncio.TaskGroup() as side_by_side:
        for number, request in enumerate(("GET /users/@me", "GET /gateway/bot", None)):
            side_by_side.create_task(_stopped_before(tmp_path / f"{number}", request))


async def _stopped_before(folder: Path, request: str | None) -> None:
    """Held at a request, or at the gateway's first word."""
    async with ProcessHouse(folder) as house:
        reached = asyncio.Event()

        async def hold(_call: Call) -> None:
            reached.set()
            await asyncio.sleep(STOP_S * 2)

        if request is not None:
            house.server.before(request, hold, times=1)
        house.server.gateway.mute = True
        await house.bot.start()
        await house.server.wait_for(
            lambda: reached.is_set() if request else house.server.gateway.connected, PATIENCE_S
        )
        await _ends_in_time(house)


# ── started ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_start_with_many_stories_waiting_keeps_within_discords_limits(
    tmp_path: Path,
) -> None:
    """All that is overdue is done, sleepers with votes wake, and not one request is refused."""
    # So many at once are far above fifty requests a second, were they sent as they come.
    load = Load(won=10, silent=5, silent_again=5, running=80, asleep=6, asleep_voted=2)
    async with house_for_load(tmp_path / "bot") as house:
        figures = await loaded(house, load, patience_s=PATIENCE_S * 5)
        assert (figures.too_many, figures.invalid) == (0, 0)
        assert figures.busiest_second <= 50
        house.check_log()
