"""What the tests of the shell share: discord.py is pointed at nothing else after each of them."""

from collections.abc import Iterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.client import point_at


@pytest.fixture(autouse=True)
def discord_as_before() -> Iterator[None]:
    """Put back where discord.py connects to; it keeps that on classes of its own."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    point_at(base, str(gateway))
