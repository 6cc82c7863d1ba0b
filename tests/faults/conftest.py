"""What the tests of the local Discord have in common; each file brings its own ``server``."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.faults.discord_server import Channel, DiscordServer, Guild, Member
from tests.faults.discord_wire import Clock, Wire


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def wire(server: DiscordServer) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(server, session)


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.world.create_guild("Harbour")


@pytest.fixture
def channel(server: DiscordServer, guild: Guild) -> Channel:
    return server.world.create_channel(guild, "tale")


@pytest.fixture
def mira(server: DiscordServer, guild: Guild) -> Member:
    return server.join(guild, "Mira")
