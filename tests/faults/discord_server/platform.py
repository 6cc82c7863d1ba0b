"""What the routes and the gateway share: the world, the application, the clock and the limits.

No behaviour beyond looking things up for the bot and refusing with Discord's codes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import errors
from .commands import CommandRegistry
from .entities import DIRECT, Channel, Guild, Message
from .interactions import Interactions
from .payloads import hide_content
from .permissions import Permission, permissions_of
from .rate_limits import RateLimits
from .world import Intent, World


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much, in seconds where nothing else is said.

    Attributes:
        nonce_s: How long a nonce is remembered; Discord says "the past few minutes".
        first_response_s: For the first answer to an interaction.
        interaction_token_s: For everything after it.
        heartbeat_s: Between two heartbeats of a client.
        resume_s: How long a session without a connection can be resumed; Discord names no figure.
        replay_events: How many events are kept for that; Discord names no figure.
        rates: How many requests are let through; None lets all through.
    """

    nonce_s: float = 300.0
    first_response_s: float = 3.0
    interaction_token_s: float = 900.0
    heartbeat_s: float = 41.25
    resume_s: float = 120.0
    replay_events: int = 5000
    rates: RateLimits | None = None


@dataclass(slots=True, eq=False)
class Platform:
    """The simulated Discord behind its two doors, REST and gateway.

    Attributes:
        world: The state.
        token: The bot's valid token; a test may replace it, as an operator does who resets it.
        clock: Unix time in seconds.
        privileged_intents: Those switched on for the application.
        shards: What /gateway/bot recommends.
        gateway_url: Where clients are sent.
        limits: How long and how much.
    """

    world: World
    token: str
    clock: Callable[[], float]
    limits: Limits
    commands: CommandRegistry
    interactions: Interactions
    privileged_intents: Intent = Intent.NONE
    shards: int = 1
    gateway_url: str = ""
    nonces: dict[tuple[int, str], tuple[float, Message]] = field(
        default_factory=dict[tuple[int, str], tuple[float, Message]]
    )

    @property
    def application_id(self) -> int:
        """The application's id, which is that of its bot."""
        return self.world.bot.id

    def application_flags(self) -> int:
        """Return the flags that say which privileged intents are on (limited variants)."""
        flags = 0
        for intent, bit in (
            (Intent.GUILD_PRESENCES, 13),
            (Intent.GUILD_MEMBERS, 15),
            (Intent.MESSAGE_CONTENT, 19),
        ):
            if self.privileged_intents & intent:
                flags |= 1 << bit
        return flags

    def bot_permissions(self, channel: Channel) -> int:
        """Return what the bot may do in a channel; everything in a direct conversation."""
        if channel.guild is None:
            return ~0
        return permissions_of(channel.guild, self.world.bot.id, channel)

    def guild(self, guild_id: int) -> Guild:
        """Return a guild of the bot's.

        Raises:
            ApiError: 10004 or 50001.
        """
        guild = self.world.guilds.get(guild_id)
        if guild is None:
            raise errors.unknown_guild()
        if self.world.bot.id not in guild.members:
            raise errors.missing_access()
        return guild

    def channel(self, channel_id: int) -> Channel:
        """Return a channel that the bot can see.

        Raises:
            ApiError: 10003 or 50001.
        """
        channel = self.world.channels.get(channel_id)
        if channel is None:
            raise errors.unknown_channel()
        if not self.bot_permissions(channel) & Permission.VIEW_CHANNEL:
            raise errors.missing_access()
        return channel

    def message(self, channel: Channel, message_id: int) -> Message:
        """Return a message of a channel.

        Raises:
            ApiError: 10008.
        """
        message = channel.messages.get(message_id)
        if message is None:
            raise errors.unknown_message()
        return message

    def require(self, channel: Channel, needed: Permission) -> None:
        """Refuse if the bot lacks a permission.

        Raises:
            ApiError: 50013.
        """
        if not self.bot_permissions(channel) & needed:
            raise errors.missing_permissions()

    def check_unlocked(self, channel: Channel) -> None:
        """Refuse if a thread is locked and the bot may not manage threads.

        Raises:
            ApiError: 50083 if it is archived as well, else 160005.
        """
        if channel.locked and not self.bot_permissions(channel) & Permission.MANAGE_THREADS:
            raise errors.thread_is_archived() if channel.archived else errors.thread_is_locked()

    def shows_content(self, message: Message) -> bool:
        """Whether the bot may read a message without the content intent being switched on."""
        bot = self.world.bot
        return message.author is bot or bot in message.mentions or message.channel.type == DIRECT

    def message_payload(self, message: Message) -> dict[str, Any]:
        """Return a message as the bot reads it over REST."""
        payload = self.world.message_payload(message)
        if self.privileged_intents & Intent.MESSAGE_CONTENT or self.shows_content(message):
            return payload
        return hide_content(payload)
