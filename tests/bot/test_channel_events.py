"""What Discord tells of places reaches the services as plain ids; what is missing is named."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import discord
import pytest

from bot.client import TalewheelBot, point_at
from bot.permissions import lacking, looks_open, missing
from bot.render import OPTION_EMOJI
from core.errors import StoreUnavailableError
from tests.bot.fake_services import Cast
from tests.faults.discord_server import (
    USUAL,
    DiscordServer,
    Message,
    Permission,
)

TOKEN = "local-token"
Asked = tuple[object, ...]


class Harbour:
    """A connected bot over fake services in a server with a channel, and its owner."""

    def __init__(self, server: DiscordServer, cast: Cast, bot: TalewheelBot) -> None:
        self.server, self.cast, self.bot = server, cast, bot
        [self.guild] = server.world.guilds.values()
        [self.channel] = self.guild.channels.values()
        self.owner = server.owner(self.guild)

    async def hears(self, *calls: Asked) -> None:
        """These calls, and no others, come of what has happened since the last time."""
        heard = self.cast.storyteller.calls
        async with asyncio.timeout(5):
            while len(heard) < len(calls):  # noqa: ASYNC110 - the fake knows no events
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert sorted(heard, key=str) == sorted(calls, key=str)
        heard.clear()

    async def ballot(self) -> Message:
        """A message of the bot's with its three reactions."""
        ours = await self.bot.get_partial_messageable(self.channel.id).send("a ballot")
        for emoji in OPTION_EMOJI:
            await ours.add_reaction(emoji)
        return self.server.bot_messages(self.channel)[-1]


@pytest.fixture
async def harbour() -> AsyncIterator[Harbour]:
    async with DiscordServer(token=TOKEN) as server:
        point_at(server.api_url, server.gateway_ws_url)
        guild = server.world.create_guild("Harbour", bot_permissions=USUAL)
        server.world.create_channel(guild, "tale")
        cast = Cast()
        async with cast.bot() as bot:
            task = asyncio.create_task(bot.start(TOKEN))
            await server.wait_connected()
            await bot.wait_until_ready()
            async with asyncio.timeout(5):
                while ("reconcile",) not in cast.storyteller.calls:  # noqa: ASYNC110 - see above
                    await asyncio.sleep(0.01)
            cast.storyteller.calls.clear()
            yield Harbour(server, cast, bot)
            await bot.close()
            with suppress(asyncio.CancelledError):
                await task


async def test_kicked_and_invited(harbour: Harbour) -> None:
    guild = harbour.guild.id
    harbour.owner.kick_bot()
    await harbour.hears(("left", guild))
    harbour.owner.invite_bot()
    await harbour.hears(("changed", guild))


async def test_permissions_that_change(harbour: Harbour) -> None:
    """Of a channel, of a role, of the bot's own roles; a role's new name is nobody's business."""
    world, guild, changed = harbour.server.world, harbour.guild, ("changed", harbour.guild.id)
    harbour.owner.deny_bot(harbour.channel, Permission.SEND_MESSAGES)
    await harbour.hears(changed)
    role = world.create_role(guild, "quiet", 0)
    world.set_role_permissions(guild, role, 0)
    await harbour.hears()
    world.set_role_permissions(guild, role, USUAL)
    await harbour.hears(changed)


async def test_threads_that_are_archived_locked_or_deleted(harbour: Harbour) -> None:
    """Also those that the client has forgotten because they were archived."""
    changed = ("changed", harbour.guild.id)
    thread = harbour.owner.open_thread(harbour.channel, "aside")
    harbour.owner.archive(thread)
    await harbour.hears(changed)
    harbour.owner.lock(thread)
    await harbour.hears(changed)
    harbour.owner.delete_channel(thread)
    await harbour.hears(("deleted", thread.id))


async def test_what_changed_elsewhere_is_no_reason_to_try(harbour: Harbour) -> None:
    """A channel's change is its own and its threads'; a thread's is its own."""
    changed, told = ("changed", harbour.guild.id), harbour.cast.storyteller
    other = harbour.server.world.create_channel(harbour.guild, "other")
    aside = harbour.owner.open_thread(harbour.channel, "aside")
    archived = harbour.owner.open_thread(other, "archived")
    harbour.owner.archive(archived)
    await harbour.hears(changed)
    assert told.is_open is not None
    places = (harbour.channel.id, other.id, aside.id, archived.id)
    assert [told.is_open(place) for place in places] == [False, False, False, True]
    harbour.owner.deny_bot(harbour.channel, 0)
    await harbour.hears(changed)
    assert [told.is_open(place) for place in places] == [True, False, True, True]


async def test_a_deleted_channel_takes_its_threads_with_it(harbour: Harbour) -> None:
    thread = harbour.owner.open_thread(harbour.channel, "aside")
    await asyncio.sleep(0.05)
    harbour.owner.delete_channel(harbour.channel)
    await harbour.hears(("deleted", harbour.channel.id), ("deleted", thread.id))


async def test_reactions_that_are_cleared(harbour: Harbour) -> None:
    """All, one of ours, our own alone; what members add and take back isn't among it."""
    ballot = await harbour.ballot()
    world, where = harbour.server.world, (harbour.channel.id, ballot.id)
    await harbour.hears()
    harbour.owner.react(ballot, "🎉")
    harbour.owner.clear_reactions(ballot, "🎉")
    harbour.owner.react(ballot, OPTION_EMOJI[0])
    harbour.owner.unreact(ballot, OPTION_EMOJI[0])
    await harbour.hears(("reacted", *where))
    world.remove_reaction(ballot, world.bot, OPTION_EMOJI[2])
    await harbour.hears(("cleared", *where, False))
    harbour.owner.clear_reactions(ballot, OPTION_EMOJI[1])
    await harbour.hears(("cleared", *where, True))
    harbour.owner.clear_reactions(ballot)
    await harbour.hears(("cleared", *where, True))


async def test_an_event_that_cant_be_taken_in_does_no_harm(harbour: Harbour) -> None:
    harbour.cast.storyteller.error = StoreUnavailableError("Redis is away")
    harbour.owner.kick_bot()
    await harbour.hears(("left", harbour.guild.id))
    assert not harbour.bot.is_closed()


@pytest.mark.parametrize(
    ("denied", "names"),
    [
        (0, []),
        (Permission.SEND_MESSAGES, ["Send Messages"]),
        (
            Permission.ADD_REACTIONS | Permission.READ_MESSAGE_HISTORY,
            ["Read Message History", "Add Reactions"],
        ),
        (Permission.VIEW_CHANNEL, ["View Channel"]),
        (Permission.SEND_MESSAGES_IN_THREADS, []),
    ],
)
async def test_what_is_missing_is_known_from_what_discord_told(
    harbour: Harbour, denied: int, names: list[str]
) -> None:
    """A try is worth a request only where nothing is missing."""
    harbour.owner.deny_bot(harbour.channel, denied)
    await harbour.hears(("changed", harbour.guild.id))
    assert lacking(harbour.bot, harbour.channel.id) == names
    assert harbour.cast.storyteller.is_open is not None
    assert harbour.cast.storyteller.is_open(harbour.channel.id) is not bool(names)


async def test_threads_have_a_permission_of_their_own_and_may_be_locked(harbour: Harbour) -> None:
    """One that the client doesn't know, because it is archived, is worth a try."""
    thread = harbour.owner.open_thread(harbour.channel, "aside")
    await until(lambda: harbour.bot.get_channel(thread.id) is not None)
    assert lacking(harbour.bot, thread.id) == []
    harbour.owner.deny_bot(harbour.channel, Permission.SEND_MESSAGES_IN_THREADS)
    await until(lambda: lacking(harbour.bot, thread.id) == ["Send Messages in Threads"])
    assert not looks_open(harbour.bot, thread.id)
    harbour.owner.deny_bot(harbour.channel, 0)
    harbour.owner.lock(thread)
    await until(lambda: lacking(harbour.bot, thread.id) == [])
    await until(lambda: not looks_open(harbour.bot, thread.id))
    harbour.owner.archive(thread, locked=True)
    await until(lambda: looks_open(harbour.bot, thread.id))
    assert lacking(harbour.bot, thread.id) is None


def test_an_administrator_lacks_nothing_and_others_each_by_its_name() -> None:
    assert missing(discord.Permissions(administrator=True), thread=True) == []
    assert missing(discord.Permissions.none(), thread=False) == [
        "View Channel",
        "Read Message History",
        "Add Reactions",
        "Send Messages",
    ]


async def until(done: Callable[[], object]) -> None:
    """Wait for something that the gateway brings."""
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.01)
