"""The state of the simulated Discord and every change to it, each told as a gateway event.

The world lives in the process that made it, so it outlives any client. It checks nothing about
rights (the routes do that for the bot, `members` does it for members) and knows nothing of
connections: it tells events to subscribers, with the intent that lets a session hear them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from . import payloads
from .entities import (
    DIRECT,
    PUBLIC_THREAD,
    TEXT,
    Channel,
    Guild,
    Membership,
    Message,
    Overwrite,
    Reaction,
    Role,
    User,
)
from .permissions import USUAL, Permission, permissions_of
from .snowflakes import Snowflakes


class Intent(IntFlag):
    """Which events a session asked for (API reference, "List of Intents")."""

    NONE = 0
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
"""Intents that have to be switched on for an application before it may ask for them."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as the gateway says it.

    Attributes:
        name: For example MESSAGE_CREATE.
        data: The event's payload, taken at that moment.
        intent: Which intent hears it; NONE is heard by all.
        guild: Where; None for direct messages.
        channel: Where, if it concerns one channel: sessions that cannot see it hear nothing.
        message: The message whose content needs the message content intent, if there is one.
    """

    name: str
    data: dict[str, Any]
    intent: Intent
    guild: Guild | None = None
    channel: Channel | None = None
    message: Message | None = None


class World:
    """Guilds, channels, users, messages and reactions.

    Args:
        snowflakes: Where ids come from.
        bot_name: Name of the bot's own account.
        base_url: Where attachments are served; set by the server when it knows its port.
    """

    def __init__(self, snowflakes: Snowflakes, bot_name: str) -> None:
        self.snowflakes = snowflakes
        self.base_url = ""
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.bot = self.create_user(bot_name, bot=True)
        self.owner = self.create_user("Operator")
        self._subscribers: list[Callable[[Event], None]] = []

    def subscribe(self, subscriber: Callable[[Event], None]) -> None:
        """Have every later event told to `subscriber`."""
        self._subscribers.append(subscriber)

    def tell(self, event: Event) -> None:
        """Tell an event to every subscriber."""
        for subscriber in self._subscribers:
            subscriber(event)

    # Guilds and people

    def create_user(self, name: str, *, bot: bool = False) -> User:
        """Make an account."""
        user = User(self.snowflakes.next(), name, bot=bot)
        self.users[user.id] = user
        return user

    def create_guild(
        self, name: str, *, bot_permissions: int = USUAL, guild_id: int | None = None
    ) -> Guild:
        """Make a guild whose members are its owner and the bot.

        Args:
            name: Its name.
            bot_permissions: What the bot's own role grants; @everyone grants `permissions.USUAL`.
            guild_id: Its id, for tests that care which shard it falls to.
        """
        chosen = self.snowflakes.next() if guild_id is None else guild_id
        guild = Guild(chosen, name, self.create_user(f"{name} owner").id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", USUAL, position=0)
        self.guilds[guild.id] = guild
        owner = self.users[guild.owner_id]
        guild.members[owner.id] = Membership(owner, self.snowflakes.now())
        self.invite_bot(guild, bot_permissions)
        return guild

    def invite_bot(self, guild: Guild, permissions: int = USUAL) -> None:
        """Have the bot join a guild, with a role of its own that grants some permissions."""
        role = self._add_role(guild, self.bot.name, permissions, self.bot.id)
        guild.members[self.bot.id] = Membership(self.bot, self.snowflakes.now(), {role.id})
        data = payloads.guild_create(guild, self.bot.id, self.active_threads(guild))
        del data["unavailable"]  # absent tells the client that it was newly added to the guild
        self.tell(Event("GUILD_CREATE", data, Intent.GUILDS, guild))

    def active_threads(self, guild: Guild) -> list[Channel]:
        """Return the threads that the bot is told of with their guild: open ones that it sees."""
        return [
            thread
            for thread in guild.channels.values()
            if thread.is_thread
            and not thread.archived
            and permissions_of(guild, self.bot.id, thread) & Permission.VIEW_CHANNEL
        ]

    def _add_role(
        self, guild: Guild, name: str, permissions: int, managed_by: int | None = None
    ) -> Role:
        position = len(guild.roles)
        role = Role(self.snowflakes.next(), name, permissions, position, managed_by)
        guild.roles[role.id] = role
        return role

    def create_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """Add a role to a guild."""
        role = self._add_role(guild, name, permissions)
        data = {"guild_id": str(guild.id), "role": payloads.role(role)}
        self.tell(Event("GUILD_ROLE_CREATE", data, Intent.GUILDS, guild))
        return role

    def set_role_permissions(self, guild: Guild, role: Role, permissions: int) -> None:
        """Change what a role grants; `guild.everyone` is a role like any other."""
        role.permissions = permissions
        data = {"guild_id": str(guild.id), "role": payloads.role(role)}
        self.tell(Event("GUILD_ROLE_UPDATE", data, Intent.GUILDS, guild))

    def add_member(self, guild: Guild, user: User, roles: Sequence[Role] = ()) -> Membership:
        """Have a user join a guild."""
        membership = Membership(user, self.snowflakes.now(), {role.id for role in roles})
        guild.members[user.id] = membership
        data = payloads.member(membership) | {"guild_id": str(guild.id)}
        self.tell(Event("GUILD_MEMBER_ADD", data, Intent.GUILD_MEMBERS, guild))
        return membership

    def remove_member(self, guild: Guild, user: User) -> None:
        """Have a user leave a guild; the bot, when kicked, and its own role with it."""
        if user is self.bot:
            data: dict[str, Any] = {"id": str(guild.id)}
            self.tell(Event("GUILD_DELETE", data, Intent.GUILDS, guild))
            own = [role.id for role in guild.roles.values() if role.managed_by == user.id]
            for role_id in own:
                del guild.roles[role_id]
        else:
            data = {"guild_id": str(guild.id), "user": payloads.user(user)}
            self.tell(Event("GUILD_MEMBER_REMOVE", data, Intent.GUILD_MEMBERS, guild))
        del guild.members[user.id]

    # Channels

    def create_channel(
        self,
        guild: Guild,
        name: str,
        channel_type: int = TEXT,
        *,
        parent: Channel | None = None,
        nsfw: bool = False,
    ) -> Channel:
        """Add a channel that is no thread: text, announcement, forum or category."""
        channel = Channel(
            self.snowflakes.next(), channel_type, name, guild, parent=parent, nsfw=nsfw
        )
        channel.position = len(guild.channels)
        self._keep(channel)
        self._tell_channel("CHANNEL_CREATE", channel)
        return channel

    def create_thread(
        self, parent: Channel, name: str, owner: User, *, thread_type: int = PUBLIC_THREAD
    ) -> Channel:
        """Add a thread to a text channel, or a post to a forum; its owner joins it."""
        thread = Channel(
            self.snowflakes.next(), thread_type, name, parent.guild, parent, owner_id=owner.id
        )
        thread.thread_member_ids.add(owner.id)
        self._keep(thread)
        self._tell_channel("THREAD_CREATE", thread, newly_created=True)
        return thread

    def create_post(self, forum: Channel, name: str, owner: User, text: str) -> Channel:
        """Add a post to a forum: a thread with a first message, both with the same id."""
        thread = self.create_thread(forum, name, owner)
        self.add_message(Message(thread.id, thread, owner, text))
        return thread

    def direct_channel(self, user: User) -> Channel:
        """Return the bot's conversation with a user; it is made at its first use."""
        for channel in self.channels.values():
            if channel.type == DIRECT and channel.recipients == (user,):
                return channel
        channel = Channel(self.snowflakes.next(), DIRECT, "", recipients=(user,))
        self._keep(channel)
        return channel

    def _keep(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels[channel.id] = channel

    def set_overwrite(self, channel: Channel, overwrite: Overwrite) -> None:
        """Set what a channel allows and denies to one role or member."""
        channel.overwrites[overwrite.target_id] = overwrite
        self._tell_channel("CHANNEL_UPDATE", channel)

    def deny_bot(self, channel: Channel, denied: int) -> None:
        """Take permissions from the bot in one channel; 0 gives them back.

        For a thread this is said of the channel that it belongs to.
        """
        holder = channel.parent if channel.is_thread and channel.parent else channel
        self.set_overwrite(holder, Overwrite(self.bot.id, for_member=True, deny=denied))

    def rename_channel(self, channel: Channel, name: str) -> None:
        """Give a channel another name."""
        channel.name = name
        self._tell_channel("THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", channel)

    def archive_thread(self, thread: Channel, *, archived: bool, locked: bool = False) -> None:
        """Archive a thread or bring it back."""
        thread.archived, thread.locked = archived, locked
        thread.archived_changed_at = self.snowflakes.now()
        self._tell_channel("THREAD_UPDATE", thread)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel with its threads and messages."""
        for thread in [entry for entry in self.channels.values() if entry.parent is channel]:
            if thread.is_thread:
                self._forget(thread)
        self._tell_channel("THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel)
        self._forget(channel)

    def _forget(self, channel: Channel) -> None:
        del self.channels[channel.id]
        if channel.guild is not None:
            del channel.guild.channels[channel.id]

    def _tell_channel(self, name: str, channel: Channel, **more: object) -> None:
        data = payloads.channel(channel, viewer_id=self.bot.id) | more
        # Clients are told of every channel of their guilds, but only of threads they can see.
        where = channel if channel.is_thread else None
        self.tell(Event(name, data, Intent.GUILDS, channel.guild, where))

    # Messages

    def add_message(self, message: Message) -> Message:
        """Put a finished message into its channel; an ephemeral one is kept out of it."""
        message.record_revision(message.created_at)
        if message.ephemeral:
            return message
        channel = message.channel
        if channel.archived:
            self.archive_thread(channel, archived=False, locked=channel.locked)
        channel.messages[message.id] = message
        self._tell_message("MESSAGE_CREATE", message)
        return message

    def message_changed(self, message: Message) -> None:
        """Stamp a message as edited and tell its new look."""
        message.edited_at = self.snowflakes.now()
        message.record_revision(message.edited_at)
        if not message.ephemeral:
            self._tell_message("MESSAGE_UPDATE", message)

    def delete_message(self, message: Message) -> None:
        """Delete a message."""
        message.deleted = True
        if message.ephemeral:
            return
        del message.channel.messages[message.id]
        data = {"id": str(message.id)} | self._place(message.channel)
        self._tell_in_channel("MESSAGE_DELETE", data, message.channel, Intent.GUILD_MESSAGES)

    def message_payload(self, message: Message) -> dict[str, Any]:
        """Return a message as the bot reads it over REST."""
        return payloads.message(message, self.bot.id, self.base_url)

    def _tell_message(self, name: str, message: Message) -> None:
        guild = message.channel.guild
        data = self.message_payload(message)
        if guild is not None:
            data["guild_id"] = str(guild.id)
            author = guild.members.get(message.author.id)
            if author is not None:
                data["member"] = payloads.member(author, with_user=False)
        intent = Intent.GUILD_MESSAGES if guild else Intent.DIRECT_MESSAGES
        self.tell(Event(name, data, intent, guild, message.channel, message))

    # Reactions

    def add_reaction(
        self, message: Message, user: User, emoji: str, *, burst: bool = False
    ) -> bool:
        """Have a user react; False if they had already."""
        reaction = message.reactions.setdefault(emoji, Reaction(emoji))
        users = reaction.users(burst=burst)
        if user.id in users:
            return False
        users.add(user.id)
        data = self._reaction_data(message, user, emoji, burst=burst)
        data["message_author_id"] = str(message.author.id)
        guild = message.channel.guild
        if guild is not None and user.id in guild.members:
            data["member"] = payloads.member(guild.members[user.id])
        self._tell_reaction("MESSAGE_REACTION_ADD", data, message.channel)
        return True

    def remove_reaction(
        self, message: Message, user: User, emoji: str, *, burst: bool = False
    ) -> bool:
        """Take a user's reaction back; False if there was none."""
        reaction = message.reactions.get(emoji)
        if reaction is None or user.id not in reaction.users(burst=burst):
            return False
        reaction.users(burst=burst).remove(user.id)
        if not reaction.count:
            del message.reactions[emoji]
        data = self._reaction_data(message, user, emoji, burst=burst)
        self._tell_reaction("MESSAGE_REACTION_REMOVE", data, message.channel)
        return True

    def clear_reactions(self, message: Message, emoji: str | None = None) -> None:
        """Remove all reactions, or all of one emoji."""
        data: dict[str, Any] = {"message_id": str(message.id)} | self._place(message.channel)
        if emoji is None:
            message.reactions.clear()
            self._tell_reaction("MESSAGE_REACTION_REMOVE_ALL", data, message.channel)
        elif message.reactions.pop(emoji, None) is not None:
            data["emoji"] = payloads.emoji(emoji)
            self._tell_reaction("MESSAGE_REACTION_REMOVE_EMOJI", data, message.channel)

    def _reaction_data(
        self, message: Message, user: User, emoji: str, *, burst: bool
    ) -> dict[str, Any]:
        return self._place(message.channel) | {
            "user_id": str(user.id),
            "message_id": str(message.id),
            "emoji": payloads.emoji(emoji),
            "burst": burst,
            "type": int(burst),
        }

    def _tell_reaction(self, name: str, data: dict[str, Any], channel: Channel) -> None:
        self._tell_in_channel(name, data, channel, Intent.GUILD_MESSAGE_REACTIONS)

    def _tell_in_channel(
        self, name: str, data: dict[str, Any], channel: Channel, guild_intent: Intent
    ) -> None:
        # The intents for direct conversations are those for guilds, three bits up.
        intent = guild_intent if channel.guild else Intent(guild_intent << 3)
        self.tell(Event(name, data, intent, channel.guild, channel))

    @staticmethod
    def _place(channel: Channel) -> dict[str, Any]:
        place = {"channel_id": str(channel.id)}
        if channel.guild is not None:
            place["guild_id"] = str(channel.guild.id)
        return place
