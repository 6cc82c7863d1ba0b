"""The local Discord's gateway: sessions that outlive their connection, and what ends one.

Asked over a plain WebSocket; the last tests have unmodified discord.py come back by itself.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.faults.discord_probe import Probe, point_discord_at, running
from tests.faults.discord_server import Channel, DiscordServer, Intent, Limits, Member
from tests.faults.discord_wire import Clock, Wire, identify, opened

WANTED = int(Intent.GUILD_MESSAGES | Intent.GUILD_MESSAGE_REACTIONS)
"""Not GUILDS: so the first event after READY is what a test made happen."""


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[DiscordServer]:
    limits = Limits(heartbeat_s=0.1, resume_s=60.0, replay_events=5)
    async with DiscordServer(clock=clock, limits=limits) as server:
        yield server


async def identified(wire: Wire) -> tuple[Any, str]:
    """A socket with a new session on it, and the session's id."""
    socket = await opened(wire.server, wire.session)
    await socket.send_json(identify(intents=WANTED))
    ready = await socket.receive_json()
    return socket, ready["d"]["session_id"]


async def resuming(wire: Wire, session: str, seen: int, token: str = "local-token") -> Any:
    """A socket on which a session was asked for."""
    socket = await opened(wire.server, wire.session)
    await socket.send_json({"op": 6, "d": {"token": token, "session_id": session, "seq": seen}})
    return socket


# RESUME


async def test_a_resumed_session_hears_what_it_missed_and_goes_on(
    wire: Wire, channel: Channel, mira: Member
) -> None:
    """Each event once, in order, under its own number; then RESUMED; then what is new."""
    socket, session = await identified(wire)
    mira.say(channel, "heard")
    assert (await socket.receive_json())["s"] == 2
    wire.server.gateway.cut()
    await wire.server.wait_disconnected()
    for text in ("missed", "missed too"):
        mira.say(channel, text)
    again = await resuming(wire, session, 2)
    told = [await again.receive_json() for _ in range(3)]
    assert [event["s"] for event in told] == [3, 4, 5]
    assert [event["t"] for event in told] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]
    mira.say(channel, "new")
    assert (await again.receive_json())["s"] == 6
    await again.close()


async def test_a_session_can_be_resumed_more_than_once(
    wire: Wire, channel: Channel, mira: Member
) -> None:
    """What the client has not acknowledged by its own number is told again."""
    socket, session = await identified(wire)
    mira.say(channel, "one")
    await socket.close(code=4000)
    for _ in range(2):
        await wire.server.wait_disconnected()
        again = await resuming(wire, session, 1)
        assert (await again.receive_json())["s"] == 2
        await again.close(code=4000)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_client_that_says_goodbye_ends_its_session(wire: Wire, code: int) -> None:
    socket, session = await identified(wire)
    await socket.close(code=code)
    again = await resuming(wire, session, 1)
    assert await again.receive_json() == {"op": 9, "d": False}
    await again.close()


async def test_a_server_that_closes_keeps_the_session(wire: Wire) -> None:
    socket, session = await identified(wire)
    wire.server.gateway.close(1000)
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    again = await resuming(wire, session, 1)
    assert (await again.receive_json())["t"] == "RESUMED"
    await again.close()


async def test_a_session_that_is_too_old_or_whose_events_are_gone_must_identify_anew(
    wire: Wire, channel: Channel, mira: Member, clock: Clock
) -> None:
    server = wire.server
    for spoil in ("nothing", "age", "many events", "forgotten", "unknown"):
        socket, session = await identified(wire)
        await socket.close(code=4000)
        await server.wait_disconnected()
        if spoil == "age":
            clock.now_s += 61
        elif spoil == "many events":
            for number in range(6):
                mira.say(channel, f"{number}")
        elif spoil == "forgotten":
            server.gateway.forget()
        elif spoil == "unknown":
            session = "another"
        again = await resuming(wire, session, 1)
        answer = await again.receive_json()
        if spoil == "nothing":
            assert answer["t"] == "RESUMED"
        else:
            assert answer == {"op": 9, "d": False}, spoil
            await again.send_json(identify(intents=WANTED))
            assert (await again.receive_json())["t"] == "READY"
        await again.close()
        await server.wait_disconnected()


async def test_a_resume_that_makes_no_sense_is_closed_with_its_code(wire: Wire) -> None:
    """A number that was never told, a wrong token, a connection that has a session already."""
    socket, session = await identified(wire)
    for seen, token, code in ((7, "local-token", 4007), (1, "wrong", 4004)):
        again = await resuming(wire, session, seen, token)
        await again.receive()
        assert again.close_code == code
    await socket.send_json({"op": 6, "d": {"token": "", "session_id": session, "seq": 1}})
    await socket.receive()
    assert socket.close_code == 4005


# What Discord may do by itself


async def test_a_client_is_asked_to_reconnect_or_told_that_its_session_is_invalid(
    wire: Wire,
) -> None:
    """With true the session can be resumed, with false it cannot."""
    socket, session = await identified(wire)
    wire.server.gateway.reconnect()
    assert await socket.receive_json() == {"op": 7, "d": None}
    wire.server.gateway.invalidate(resumable=True)
    assert await socket.receive_json() == {"op": 9, "d": True}
    await socket.close(code=4000)
    socket = await resuming(wire, session, 1)
    assert (await socket.receive_json())["t"] == "RESUMED"
    wire.server.gateway.invalidate(resumable=False)
    assert await socket.receive_json() == {"op": 9, "d": False}
    await socket.close(code=4000)
    again = await resuming(wire, session, 1)
    assert await again.receive_json() == {"op": 9, "d": False}
    await again.close()


async def test_a_half_open_connection_is_silent_and_its_session_can_be_resumed(
    wire: Wire, channel: Channel, mira: Member
) -> None:
    """No heartbeat is acknowledged, no event arrives; a resume takes the session off it."""
    socket, session = await identified(wire)
    wire.server.gateway.freeze()
    await socket.send_json({"op": 1, "d": 1})
    mira.say(channel, "does anybody hear?")
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=0.1)
    again = await resuming(wire, session, 1)
    told = [await again.receive_json() for _ in range(2)]
    assert [event["t"] for event in told] == ["MESSAGE_CREATE", "RESUMED"]
    await again.send_json({"op": 1, "d": 1})
    assert await again.receive_json() == {"op": 11}
    assert len(wire.server.gateway.sessions) == 1
    await again.close()


async def test_the_heartbeat_that_is_asked_for_is_the_limits(wire: Wire) -> None:
    socket = await wire.session.ws_connect(wire.server.gateway_ws_url)
    assert (await socket.receive_json())["d"]["heartbeat_interval"] == 100
    await socket.close()


# discord.py


@pytest.fixture
def discord_here(server: DiscordServer) -> Iterator[None]:
    """Point discord.py here, and afterwards where it pointed."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    point_discord_at(server.api_url, server.gateway_ws_url)
    yield
    point_discord_at(base, str(gateway))


@pytest.mark.usefixtures("discord_here")
@pytest.mark.parametrize("way", ["cut", "reconnect", "invalid, resumable", "closed"])
async def test_discord_py_resumes_its_session(
    server: DiscordServer, channel: Channel, mira: Member, way: str
) -> None:
    async with running(server) as bot:
        (session,) = server.gateway.sessions
        if way == "cut":
            server.gateway.cut()
            await server.wait_disconnected()
            mira.say(channel, "does anybody hear?")
        elif way == "reconnect":
            server.gateway.reconnect()
        elif way == "invalid, resumable":
            server.gateway.invalidate(resumable=True)
        else:
            server.gateway.close(4000)
        missed = ["message"] if way == "cut" else []
        await heard(bot, [*missed, "resumed"])
        assert server.gateway.sessions == [session]
        mira.say(channel, "hello again")
        await heard(bot, [*missed, "resumed", "message"])


@pytest.mark.usefixtures("discord_here")
async def test_discord_py_gives_a_half_open_connection_up(
    server: DiscordServer, channel: Channel, mira: Member
) -> None:
    """After its own patience, which is a minute unless it is told otherwise."""
    async with running(server, heartbeat_timeout=0.5) as bot:
        server.gateway.freeze()
        mira.say(channel, "does anybody hear?")
        await heard(bot, ["message", "resumed"])


@pytest.mark.usefixtures("discord_here")
async def test_discord_py_identifies_anew_when_its_session_is_invalid(
    server: DiscordServer, channel: Channel, mira: Member
) -> None:
    async with running(server) as bot:
        before = server.gateway.sessions
        server.gateway.invalidate(resumable=False)
        await server.wait_for(
            lambda: server.gateway.sessions and server.gateway.sessions != before, 15.0
        )
        mira.say(channel, "hello again")
        await heard(bot, ["message"])


async def heard(bot: Probe, names: list[str]) -> None:
    """Wait until the bot has heard just these events, one after the other."""
    patience_s = 40.0
    await bot.changes.wait_for(
        lambda: [name for name, _ in bot.heard] == names, patience_s, f"{names} heard"
    )
