"""The pace of requests: never more than so many in any second, whoever asks, and members first."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
import yarl

from bot.client import point_at
from bot.request_pace import RequestPace
from tests.bot.fake_services import Cast
from tests.faults.discord_server import DiscordServer, Limits, RateLimits, faults

MESSAGES = yarl.URL("https://discord.com/api/v10/channels/1/messages")


class SteppedTime:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def now(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        self.now_s += delay_s


async def leaving(pace: RequestPace, time: SteppedTime, url: yarl.URL = MESSAGES) -> float:
    """Ask for a request; gives when it leaves."""
    await pace.wait(url)
    return time.now_s


async def test_a_few_requests_leave_at_once_and_the_others_apart() -> None:
    time = SteppedTime()
    pace = RequestPace(10, 3, now=time.now, sleep=time.sleep)
    left = [await leaving(pace, time) for _ in range(6)]
    assert left == pytest.approx([100.0, 100.0, 100.0, 100.1, 100.2, 100.3])


async def test_a_quiet_time_earns_no_more_than_these_few() -> None:
    time = SteppedTime()
    pace = RequestPace(10, 3, now=time.now, sleep=time.sleep)
    for _ in range(9):
        await pace.wait(MESSAGES)
    time.now_s = 200.0
    left = [await leaving(pace, time) for _ in range(5)]
    assert left == pytest.approx([200.0, 200.0, 200.0, 200.1, 200.2])
    time.now_s = 200.35
    assert [await leaving(pace, time) for _ in range(3)] == pytest.approx([200.35, 200.4, 200.5])


async def test_who_gives_up_waiting_takes_nobodys_place() -> None:
    pace = RequestPace(20)
    async with asyncio.timeout(10):
        await pace.wait(MESSAGES)
        waiting = [asyncio.create_task(pace.wait(MESSAGES)) for _ in range(1000)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await pace.wait(MESSAGES)


@pytest.mark.parametrize(
    "url",
    [
        "https://discord.com/api/v10/interactions/1/token/callback",
        "https://discord.com/api/v10/webhooks/1/token",
        "wss://gateway.discord.gg/?v=10",
    ],
)
async def test_what_discord_doesn_t_count_waits_for_nobody(url: str) -> None:
    time = SteppedTime()
    pace = RequestPace(10, 1, now=time.now, sleep=time.sleep)
    for _ in range(20):
        await pace.wait(MESSAGES)
    assert await leaving(pace, time, yarl.URL(url)) == pytest.approx(101.9)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(limits=Limits(rates=RateLimits())) as server:
        point_at(server.api_url, server.gateway_ws_url)
        yield server


async def test_a_crowd_of_requests_of_the_client_is_never_refused(server: DiscordServer) -> None:
    """Ninety at once, in as many channels, are within Discord's fifty a second."""
    guild = server.world.create_guild("Harbour")
    channels = [server.world.create_channel(guild, f"tale-{number}") for number in range(90)]
    async with Cast().bot() as bot:
        await bot.login("local-token")
        places = [bot.get_partial_messageable(channel.id) for channel in channels]
        await asyncio.gather(*(place.send("x") for place in places))
    assert all(len(channel.messages) == 1 for channel in channels)
    assert server.invalid_requests == 0
    assert server.calls.peak() <= 50


async def test_requests_that_discord_py_repeats_keep_the_pace_too(server: DiscordServer) -> None:
    guild = server.world.create_guild("Harbour")
    channels = [server.world.create_channel(guild, f"tale-{number}") for number in range(40)]
    server.script("POST /channels/*/messages", faults.rate_limited(0.01, "global"), times=40)
    async with Cast().bot() as bot:
        await bot.login("local-token")
        places = [bot.get_partial_messageable(channel.id) for channel in channels]
        sends = (place.send("x") for place in places)
        done = await asyncio.gather(*sends, return_exceptions=True)
    assert not [failed for failed in done if not isinstance(failed, discord.Message)]
    assert server.calls.peak() <= 50
