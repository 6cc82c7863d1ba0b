"""What Discord tells of servers, channels, threads and reactions, passed on as plain ids.

Heard with the intents guilds and guild_reactions alone: deleted messages are not among it. What an
event means for a story is the services' business; a fault is logged, since every event is made up
for at the next start or by a command.
"""

import logging
from collections.abc import Callable, Coroutine

import discord
from discord.ext import commands

from bot.permissions import looks_open
from bot.render import OPTION_EMOJI
from bot.services import Telling
from core.errors import TalewheelError

log = logging.getLogger(__name__)


class ChannelCog(commands.Cog):
    """Listens for what happens to the places where stories are told."""

    def __init__(self, client: discord.Client, storyteller: Telling) -> None:
        self._client = client
        self._storyteller = storyteller

    def looks_open(self, channel: int) -> bool:
        """Whether a try in a channel is worth a request."""
        return looks_open(self._client, channel)

    # ── servers ──────────────────────────────────────────────────────────────────────────────────

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Kicked, banned, asked to leave, or the server was deleted."""
        await self._pass_on(self._storyteller.left(guild.id))

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Invited, perhaps again."""
        await self._changed(guild.id)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Described anew, after an outage of the server or a lost session."""
        await self._changed(guild.id)

    # ── permissions ──────────────────────────────────────────────────────────────────────────────

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, _before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """Overwrites may have changed, for the channel and its threads.

        Whose an archived thread is the client doesn't know: it may be one of them.
        """

        def touched(channel: int) -> bool:
            place = self._client.get_channel(channel)
            parent = place.parent_id if isinstance(place, discord.Thread) else channel
            return place is None or parent == after.id

        await self._changed(after.guild.id, touched)

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """A role grants something else; its name and place don't matter."""
        if before.permissions != after.permissions:
            await self._changed(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """What channels denied to that role is denied no more."""
        await self._changed(role.guild.id)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Discord tells of our own membership alone: our roles, or a time-out."""
        await self._changed(after.guild.id)

    @commands.Cog.listener()
    async def on_raw_thread_update(self, event: discord.RawThreadUpdateEvent) -> None:
        """Archived, locked, or back: that changes nothing for any other."""
        await self._changed(event.guild_id, lambda channel: channel == event.thread_id)

    # ── gone ─────────────────────────────────────────────────────────────────────────────────────

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Of its threads the library tells one by one."""
        await self._pass_on(self._storyteller.deleted(channel.id))

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """A thread or a forum's post."""
        await self._pass_on(self._storyteller.deleted(event.thread_id))

    # ── reactions ────────────────────────────────────────────────────────────────────────────────

    @commands.Cog.listener()
    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        """All reactions were taken off a message."""
        await self._cleared(event.channel_id, event.message_id, votes_lost=True)

    @commands.Cog.listener()
    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        """All reactions with one emoji were."""
        if str(event.emoji) in OPTION_EMOJI:
            await self._cleared(event.channel_id, event.message_id, votes_lost=True)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Our own reaction was; what members take back is their business."""
        own = self._client.user
        if own is not None and event.user_id == own.id:
            await self._cleared(event.channel_id, event.message_id, votes_lost=False)

    async def _cleared(self, channel: int, message: int, *, votes_lost: bool) -> None:
        await self._pass_on(self._storyteller.cleared(channel, message, votes_lost=votes_lost))

    async def _changed(
        self, guild: int, touched: Callable[[int], bool] = lambda _channel: True
    ) -> None:
        def is_open(channel: int) -> bool:
            return touched(channel) and self.looks_open(channel)

        await self._pass_on(self._storyteller.changed(guild, is_open))

    async def _pass_on(self, telling: Coroutine[None, None, None]) -> None:
        try:
            await telling
        except TalewheelError as error:
            log.warning("what happened to a channel wasn't taken in: %s", error)
