"""The local Discord's rate limits, its count of invalid requests, and its ready-made faults.

Asked over plain HTTP with a clock that a test sets forward; the last tests have unmodified
discord.py keep the limits by itself, on the machine's own clock.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.faults.discord_probe import point_discord_at, running
from tests.faults.discord_server import (
    Bucket,
    Channel,
    DiscordServer,
    Guild,
    Limits,
    Member,
    Rate,
    RateLimits,
    faults,
)
from tests.faults.discord_wire import Clock, Wire

POSTS = "POST /channels/*/messages"
ECHO: dict[str, Any] = {"name": "echo", "description": "Say it back", "options": []}


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(clock=clock, limits=Limits(rates=RateLimits())) as server:
        yield server


def messages(channel: Channel) -> str:
    return f"/channels/{channel.id}/messages"


async def asked(wire: Wire, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
    """Send a request; gives status, body and headers of the answer."""
    url, headers = wire.server.api_url + path, {"Authorization": f"Bot {wire.token}"}
    async with wire.session.request(method, url, json=body, headers=headers) as response:
        return response.status, await response.json(), response.headers


# Buckets


async def test_a_bucket_says_what_is_left_and_refuses_when_nothing_is(
    wire: Wire, channel: Channel, clock: Clock
) -> None:
    """Five messages in five seconds; the sixth is refused, and has no effect, until then."""
    for left in (4, 3, 2, 1, 0):
        status, _, headers = await asked(wire, "POST", messages(channel), {"content": "x"})
        assert (status, headers["X-RateLimit-Limit"]) == (200, "5")
        assert headers["X-RateLimit-Remaining"] == str(left)
        clock.now_s += 0.5
    status, body, headers = await asked(wire, "POST", messages(channel), {"content": "x"})
    assert (status, body["global"], body["retry_after"]) == (429, False, 2.5)
    assert (headers["Via"], headers["X-RateLimit-Scope"]) == ("1.1 google", "user")
    assert headers["X-RateLimit-Reset-After"] == "2.500"
    assert len(channel.messages) == 5
    clock.now_s += 2.5
    assert (await wire("POST", messages(channel), {"content": "x"}))[0] == 200


async def test_each_channel_and_each_kind_of_request_has_its_own_bucket(
    server: DiscordServer, wire: Wire, guild: Guild, channel: Channel
) -> None:
    """But changes of reactions share one; what has no bucket says nothing of any."""
    other = server.world.create_channel(guild, "other")
    for _ in range(4):
        await wire("POST", messages(channel), {"content": "x"})
    _, sent, posting = await asked(wire, "POST", messages(channel), {"content": "x"})
    assert (await wire("POST", messages(other), {"content": "x"}))[0] == 200
    one = f"{messages(channel)}/{sent['id']}"
    _, _, editing = await asked(wire, "PATCH", one, {"content": "y"})
    assert editing["X-RateLimit-Bucket"] != posting["X-RateLimit-Bucket"]
    assert (await wire("PUT", f"{one}/reactions/👍/@me"))[0] == 204
    status, _, removing = await asked(wire, "DELETE", f"{one}/reactions/👍/@me")
    assert (status, removing["X-RateLimit-Limit"]) == (429, "1")
    for path in (messages(channel), f"{one}/reactions/👍"):
        _, _, reading = await asked(wire, "GET", path)
        assert "X-RateLimit-Bucket" not in reading


async def test_fifty_requests_a_second_are_let_through_whatever_they_are(
    server: DiscordServer, wire: Wire, channel: Channel, mira: Member, clock: Clock
) -> None:
    """Answers to interactions alone are not counted; buckets are untouched by what is refused."""
    await wire("POST", f"/applications/{server.platform.application_id}/commands", ECHO)
    for _ in range(49):
        assert (await wire("GET", "/users/@me"))[0] == 200
        clock.now_s += 0.01
    status, body, headers = await asked(wire, "POST", messages(channel), {"content": "x"})
    assert (status, body["global"]) == (429, True)
    assert body["retry_after"] == pytest.approx(0.51)
    assert (headers["X-RateLimit-Scope"], headers["X-RateLimit-Global"]) == ("global", "true")
    assert "X-RateLimit-Bucket" not in headers
    asked_for = mira.begin_command(channel, "echo")
    answer = {"type": 4, "data": {"content": "x"}}
    path = f"/interactions/{asked_for.id}/{asked_for.token}/callback"
    assert (await wire("POST", path, answer))[0] == 204
    clock.now_s += 0.52
    _, _, headers = await asked(wire, "POST", messages(channel), {"content": "x"})
    assert headers["X-RateLimit-Remaining"] == "4"
    assert server.calls.peak() == 51


async def test_limits_are_what_a_test_says(clock: Clock) -> None:
    rates = RateLimits(Rate(9, 1.0), (Bucket(("GET /users/*",), Rate(2, 60.0)),))
    async with (
        DiscordServer(clock=clock, limits=Limits(rates=rates)) as server,
        aiohttp.ClientSession() as session,
    ):
        wire = Wire(server, session)
        assert [(await wire("GET", "/users/@me"))[0] for _ in range(3)] == [200, 200, 429]


async def test_without_limits_nothing_is_refused(clock: Clock) -> None:
    async with DiscordServer(clock=clock) as server, aiohttp.ClientSession() as session:
        wire = Wire(server, session)
        for _ in range(60):
            assert (await wire("GET", "/users/@me"))[0] == 200


async def test_invalid_requests_are_counted_for_ten_minutes(
    server: DiscordServer, wire: Wire, channel: Channel, clock: Clock
) -> None:
    """401, 403 and 429, but not a 429 on what others use up as well; and no other refusal."""
    assert (await wire("GET", "/channels/1"))[0] == 404
    server.script("GET /users/*", faults.rate_limited(scope="shared"))
    assert (await wire("GET", "/users/@me"))[0] == 429
    assert server.invalid_requests == 0
    server.script("GET /users/*", faults.rate_limited(scope="global"))
    assert (await wire("GET", "/users/@me"))[0] == 429
    server.world.deny_bot(channel, 1 << 11)
    assert await wire.refusal("POST", messages(channel), {"content": "x"}) == (403, 50013)
    clock.now_s += 300
    wire.token = "wrong"
    assert (await wire("GET", "/users/@me"))[0] == 401
    assert server.invalid_requests == 3
    clock.now_s += 300
    assert server.invalid_requests == 1


# Faults


@pytest.mark.parametrize("fault", faults.ALL, ids=lambda fault: fault.name)
async def test_a_scripted_fault_meets_as_many_requests_as_said(
    server: DiscordServer, wire: Wire, channel: Channel, fault: faults.Fault
) -> None:
    """And leaves the world as it says; the request behind them is answered as always."""
    scripted = server.script(POSTS, fault, times=2)
    for _ in range(2):
        url, headers = server.api_url + messages(channel), {"Authorization": f"Bot {wire.token}"}
        said = {"content": "x", "nonce": "n", "enforce_nonce": True}
        try:
            async with wire.session.post(url, json=said, headers=headers) as response:
                assert response.status == int(fault.name.split()[0])
        except aiohttp.ClientOSError:
            assert fault in (faults.RESET, faults.DIED)
    assert len(scripted.hit) == 2
    assert len(channel.messages) == fault.takes_effect
    assert (await wire("POST", messages(channel), {"content": "y"}))[0] == 200
    assert len(scripted.hit) == 2


async def test_a_fault_without_end_is_stopped(server: DiscordServer, wire: Wire) -> None:
    scripted = server.script("GET /gateway", faults.status(502), times=None)
    url = f"{server.api_url}/gateway"
    for status in (502, 502, 502, 200):
        if status == 200:
            scripted.stop()
        async with wire.session.get(url) as response:
            assert response.status == status


async def test_an_applied_fault_may_be_an_answer(
    server: DiscordServer, wire: Wire, channel: Channel
) -> None:
    server.script(POSTS, faults.status(502, takes_effect=True))
    url, headers = server.api_url + messages(channel), {"Authorization": f"Bot {wire.token}"}
    async with wire.session.post(url, json={"content": "x"}, headers=headers) as response:
        assert response.status == 502
    assert len(channel.messages) == 1


# discord.py


@pytest.fixture
def discord_as_before() -> Iterator[None]:
    """Point discord.py afterwards where it pointed."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    point_discord_at(base, str(gateway))


@pytest.mark.usefixtures("discord_as_before")
async def test_discord_py_keeps_within_a_bucket_and_waits_out_a_429() -> None:
    """It reads the headers: nothing is refused but what was scripted."""
    rates = RateLimits(buckets=(Bucket((POSTS,), Rate(2, 0.5)),))
    async with DiscordServer(limits=Limits(rates=rates)) as server:
        point_discord_at(server.api_url, server.gateway_ws_url)
        guild = server.world.create_guild("Harbour")
        channels = [server.world.create_channel(guild, f"tale-{n}") for n in range(4)]
        async with running(server) as bot:
            busy, first, second, third = [bot.get_partial_messageable(c.id) for c in channels]
            await busy.send("first")
            await asyncio.gather(*(busy.send(f"{number}") for number in range(4)))
            assert server.invalid_requests == 0
            for place, scope in ((first, "user"), (second, "global")):
                server.script(POSTS, faults.rate_limited(0.05, scope))
                await place.send(scope)
            assert server.invalid_requests == 2
            server.script(POSTS, faults.status(503))
            with pytest.raises(discord.DiscordServerError):
                await third.send("refused")
    assert [len(channel.messages) for channel in channels] == [5, 1, 1, 0]
