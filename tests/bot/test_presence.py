"""Whether the bot is in a server and a channel exists, asked of the local Discord server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest

from bot.client import TalewheelBot, point_at
from bot.presence import DiscordPresence
from core.errors import StageUnavailableError
from tests.bot.fake_services import Cast
from tests.faults.discord_server import USUAL, Answer, Channel, DiscordServer, Guild

TOKEN = "local-token"


@pytest.fixture
async def server() -> AsyncGenerator[DiscordServer]:
    async with DiscordServer(token=TOKEN) as server:
        point_at(server.api_url, server.gateway_ws_url)
        yield server


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.world.create_guild("Harbour", bot_permissions=USUAL)


@pytest.fixture
def channel(server: DiscordServer, guild: Guild) -> Channel:
    return server.world.create_channel(guild, "tale")


@pytest.fixture
async def bot(server: DiscordServer, channel: Channel) -> AsyncGenerator[TalewheelBot]:
    """A connected bot."""
    del channel
    async with Cast().bot() as bot:
        task = asyncio.create_task(bot.start(TOKEN))
        await server.wait_connected()
        await bot.wait_until_ready()
        yield bot
        await bot.close()
        with suppress(asyncio.CancelledError):
            await task


async def test_what_the_gateway_names_is_there_without_a_request(
    server: DiscordServer, bot: TalewheelBot, guild: Guild, channel: Channel
) -> None:
    presence, asked = DiscordPresence(bot), len(server.calls)
    assert await presence.in_guild(guild.id)
    assert await presence.has_channel(channel.id)
    assert len(server.calls) == asked


async def test_what_neither_the_gateway_nor_discord_knows_is_gone(bot: TalewheelBot) -> None:
    presence = DiscordPresence(bot)
    assert not await presence.in_guild(4711)
    assert not await presence.has_channel(4712)


@pytest.mark.parametrize(
    ("route", "status", "code"),
    [
        ("GET /guilds/*", 404, 10004),
        ("GET /guilds/*", 403, 50001),
        ("GET /channels/*", 404, 10003),
    ],
)
async def test_only_discords_own_words_say_that_a_place_is_gone(
    server: DiscordServer, bot: TalewheelBot, route: str, status: int, code: int
) -> None:
    """The codes that mean it."""
    said = Answer(status, {"code": code, "message": "no"})
    server.before(route, lambda _call: said, times=1)
    presence = DiscordPresence(bot)
    asking = presence.in_guild if "guilds" in route else presence.has_channel
    assert not await asking(4711)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418])
async def test_any_other_answer_is_no_answer(
    server: DiscordServer, bot: TalewheelBot, status: int
) -> None:
    """A page of a proxy, a wrong token, a block: nothing may be deleted for it."""
    presence = DiscordPresence(bot)
    for route in ("GET /guilds/*", "GET /channels/*"):
        server.before(route, lambda _call: Answer(status, {"message": "no"}), times=1)
    with pytest.raises(StageUnavailableError):
        await presence.in_guild(4711)
    with pytest.raises(StageUnavailableError):
        await presence.has_channel(4711)


async def test_a_channel_that_may_not_be_seen_exists(
    server: DiscordServer, bot: TalewheelBot
) -> None:
    refusal = Answer(403, {"code": 50001, "message": "Missing Access"})
    server.before("GET /channels/*", lambda _call: refusal, times=1)
    assert await DiscordPresence(bot).has_channel(4711)


async def test_a_client_without_a_connection_knows_nothing(bot: TalewheelBot) -> None:
    """Its picture may be old, and Discord isn't asked past it."""
    presence = DiscordPresence(bot)
    await bot.close()
    with pytest.raises(StageUnavailableError):
        await presence.in_guild(4711)
    with pytest.raises(StageUnavailableError):
        await DiscordPresence(Cast().bot()).has_channel(4711)
