"""Health: only what a restart could mend is ill; what goes on by itself waits."""

import asyncio
from dataclasses import replace

import pytest

from bot.health import GATEWAY_S, WHEEL_S, Connection, Health, State, Vitals, judge, told
from core.errors import StoreUnavailableError
from core.services.wheel import Pulse

WELL = Vitals(ready=True, away_s=None, redis=True, turned_s=0.4)
CONNECTED = Connection(ready=True, shards=2, connected=2, latency_s=0.04, servers=3)


@pytest.mark.parametrize(
    ("found", "state", "healthy"),
    [
        (WELL, State.OK, True),
        (replace(WELL, ready=False, turned_s=None), State.STARTING, False),
        (replace(WELL, redis=False), State.WAITING, True),
        (replace(WELL, redis=False, turned_s=None), State.WAITING, True),
        (replace(WELL, away_s=0.0), State.WAITING, True),
        (replace(WELL, away_s=GATEWAY_S - 1), State.WAITING, True),
        (replace(WELL, away_s=GATEWAY_S), State.STUCK, False),
        (replace(WELL, turned_s=WHEEL_S - 1), State.OK, True),
        (replace(WELL, turned_s=WHEEL_S), State.STUCK, False),
        (replace(WELL, turned_s=WHEEL_S, redis=False), State.STUCK, False),
    ],
)
def test_each_state_follows_from_what_was_found(found: Vitals, state: State, healthy: bool) -> None:
    """Redis alone never makes the process ill, however long it is away."""
    assert judge(found) is state
    assert state.is_healthy is healthy


def test_the_answer_says_what_is_wrong() -> None:
    """In a few words for each part."""
    assert told(WELL) == {
        "status": "ok",
        "discord": "connected",
        "redis": "answers",
        "wheel": "turns",
    }
    assert told(Vitals(ready=False, away_s=None, redis=False, turned_s=None)) == {
        "status": "starting",
        "discord": "not connected yet",
        "redis": "away",
        "wheel": "not turning yet",
    }
    ill = told(Vitals(ready=True, away_s=75.4, redis=True, turned_s=130.0))
    assert ill["discord"] == "a shard is away for 75 s"
    assert ill["wheel"] == "stands still for 130 s"


@pytest.mark.parametrize(
    ("connection", "whole"),
    [
        (CONNECTED, True),
        (replace(CONNECTED, connected=1), False),
        (replace(CONNECTED, ready=False), False),
        (Connection(ready=True, shards=0, connected=0, latency_s=None, servers=0), False),
    ],
)
def test_a_connection_is_whole_when_every_shard_is_there(
    connection: Connection, whole: bool
) -> None:
    assert connection.whole is whole


class Parts:
    """The parts of a process as a test sets them."""

    def __init__(self) -> None:
        self.connection = CONNECTED
        self.pulse = Pulse(0.4, 0.0, 0)
        self.now = 100.0
        self.redis: Exception | None = None
        self.answering = asyncio.Event()
        self.answering.set()
        self.health = Health(
            lambda: self.connection, lambda: self.pulse, self.ping, lambda: self.now
        )

    async def ping(self) -> None:
        await self.answering.wait()
        if self.redis is not None:
            raise self.redis


async def test_a_process_whose_parts_are_well_is_found_well() -> None:
    assert await Parts().health.look() == WELL


async def test_a_shard_counts_as_away_since_the_first_look_that_missed_it() -> None:
    """And from nothing again once all were there."""
    parts = Parts()
    parts.connection = replace(CONNECTED, connected=1)
    assert (await parts.health.look()).away_s == 0.0
    parts.now += 90.0
    assert (await parts.health.look()).away_s == 90.0
    parts.connection = CONNECTED
    assert (await parts.health.look()).away_s is None
    parts.connection = replace(CONNECTED, connected=0)
    assert (await parts.health.look()).away_s == 0.0


async def test_before_the_first_connection_no_shard_is_away() -> None:
    parts = Parts()
    parts.connection = Connection(ready=False, shards=0, connected=0, latency_s=None, servers=0)
    found = await parts.health.look()
    assert (found.ready, found.away_s) == (False, None)


async def test_a_redis_that_fails_or_is_silent_is_away() -> None:
    """Silent for a second: whoever asks isn't kept waiting any longer."""
    parts = Parts()
    parts.redis = StoreUnavailableError("Redis is away")
    assert not (await parts.health.look()).redis
    parts.answering.clear()
    began = asyncio.get_running_loop().time()
    assert not (await parts.health.look()).redis
    assert asyncio.get_running_loop().time() - began < 3.0


async def test_a_fault_of_our_own_is_not_taken_for_an_outage() -> None:
    parts = Parts()
    parts.redis = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await parts.health.look()
