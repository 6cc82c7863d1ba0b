"""Whether a channel is age-restricted is what Discord said last; one it never named isn't."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

import discord
import pytest

from bot.audience import ClientAudience
from bot.client import point_at
from tests.faults.discord_server import USUAL, Channel, DiscordServer, Guild
from tests.faults.discord_server.entities import FORUM, User

TOKEN = "local-token"


@dataclass
class Place:
    """A server that a connected client is in."""

    server: DiscordServer
    guild: Guild
    audience: ClientAudience
    client: discord.Client

    @property
    def owner(self) -> User:
        return self.server.world.users[self.guild.owner_id]

    async def told(self, channel: Channel, adults: bool) -> None:
        """Wait until the client has heard what a channel is."""
        await until(lambda: self.audience.adults_only(channel.id) is adults)

    def mark(self, channel: Channel, *, nsfw: bool) -> None:
        """Somebody changes in Discord whether a channel is age-restricted."""
        channel.nsfw = nsfw
        self.server.world.rename_channel(channel, channel.name)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - the client knows no event for it
            await asyncio.sleep(0.01)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with DiscordServer(token=TOKEN) as server:
        point_at(server.api_url, server.gateway_ws_url)
        guild = server.world.create_guild("Harbour", bot_permissions=USUAL)
        async with discord.AutoShardedClient(intents=discord.Intents(guilds=True)) as client:
            running = asyncio.create_task(client.start(TOKEN))
            await server.wait_connected()
            await client.wait_until_ready()
            yield Place(server, guild, ClientAudience(client), client)
            await client.close()
            with suppress(asyncio.CancelledError):
                await running


async def test_a_channel_is_what_it_was_last_said_to_be(place: Place) -> None:
    """Both ways, while the bot runs."""
    channel = place.server.world.create_channel(place.guild, "tale", nsfw=True)
    await place.told(channel, adults=True)
    place.mark(channel, nsfw=False)
    await place.told(channel, adults=False)
    place.mark(channel, nsfw=True)
    await place.told(channel, adults=True)


async def test_a_thread_is_what_its_channel_is(place: Place) -> None:
    """Also when that changes."""
    channel = place.server.world.create_channel(place.guild, "tale", nsfw=True)
    thread = place.server.world.create_thread(channel, "aside", place.owner)
    await place.told(thread, adults=True)
    place.mark(channel, nsfw=False)
    await place.told(thread, adults=False)


async def test_a_post_is_what_its_forum_is(place: Place) -> None:
    forum = place.server.world.create_channel(place.guild, "tales", channel_type=FORUM, nsfw=True)
    post = place.server.world.create_post(forum, "a tale", place.owner, "Here.")
    await place.told(post, adults=True)


async def test_what_is_not_known_is_for_everybody(place: Place) -> None:
    """A channel that the client never heard of, and a thread that was archived before it was."""
    assert not place.audience.adults_only(1234)
    channel = place.server.world.create_channel(place.guild, "tale", nsfw=True)
    thread = place.server.world.create_thread(channel, "aside", place.owner)
    place.server.world.archive_thread(thread, archived=True)
    await until(lambda: place.client.get_channel(thread.id) is None)
    assert not place.audience.adults_only(thread.id)
    place.server.world.archive_thread(thread, archived=False)
    await place.told(thread, adults=True)


async def test_a_category_tells_no_stories(place: Place) -> None:
    assert not place.audience.adults_only(place.guild.id)


async def test_a_thread_that_was_archived_is_what_its_channel_is(place: Place) -> None:
    """The client forgets it then, and only the story's next paragraph brings it back."""
    channel = place.server.world.create_channel(place.guild, "tale", nsfw=True)
    thread = place.server.world.create_thread(channel, "aside", place.owner)
    await place.told(thread, adults=True)
    place.server.world.archive_thread(thread, archived=True)
    await until(lambda: place.client.get_channel(thread.id) is None)
    assert place.audience.adults_only(thread.id)
    place.mark(channel, nsfw=False)
    await place.told(thread, adults=False)
