"""The people: what a member of a guild does in their own Discord client, as methods for tests.

A member's client hides what the member may not do, so such an attempt raises `MemberActionError`
instead of reaching the bot. The world is changed through `world`; the bot hears of it by
gateway.
"""

from __future__ import annotations

from typing import Any

from .commands import read_input
from .entities import Channel, Guild, Message, User, walk
from .errors import MemberActionError
from .interaction_payloads import interaction_create
from .interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction
from .permissions import USUAL, Permission, permissions_of, sending
from .platform import Platform
from .validation import BUTTON, TEXT_INPUT, length
from .wire import items
from .world import Event, Intent

SELECT_TYPES = frozenset({3, 5, 6, 7, 8})
"""String, user, role, mentionable and channel selects (API reference, "Component Types")."""


class Member:
    """A user in one guild.

    Args:
        platform: The platform.
        guild: The guild.
        user: The account; already a member of the guild.
    """

    def __init__(self, platform: Platform, guild: Guild, user: User) -> None:
        self._platform = platform
        self.guild = guild
        self.user = user

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id

    def _require(self, channel: Channel, needed: Permission) -> None:
        granted = permissions_of(self.guild, self.user.id, channel)
        if not granted & Permission.VIEW_CHANNEL or not granted & needed:
            raise MemberActionError(f"{self.user.name} lacks {needed.name} in #{channel.name}")

    # Messages and reactions

    def say(self, channel: Channel, text: str) -> Message:
        """Write a message."""
        self._require(channel, sending(channel))
        self._check_unlocked(channel)
        if not 1 <= length(text) <= 2000:
            raise MemberActionError(f"a message has 1 to 2000 characters, not {length(text)}")
        world = self._platform.world
        message = Message(world.snowflakes.next(), channel, self.user, text)
        message.mentions = [user for user in (world.bot,) if f"<@{user.id}>" in text]
        return world.add_message(message)

    def delete(self, message: Message) -> None:
        """Delete a message of one's own, or anybody's as a moderator."""
        if message.author is not self.user:
            self._require(message.channel, Permission.MANAGE_MESSAGES)
        self._platform.world.delete_message(message)

    def react(self, message: Message, emoji: str, *, burst: bool = False) -> None:
        """React to a message; `burst` makes it a super reaction."""
        self._check_open(message)
        self._require(message.channel, Permission.READ_MESSAGE_HISTORY)
        if emoji not in message.reactions:
            self._require(message.channel, Permission.ADD_REACTIONS)
        self._platform.world.add_reaction(message, self.user, emoji, burst=burst)

    def unreact(self, message: Message, emoji: str, *, burst: bool = False) -> None:
        """Take a reaction back."""
        self._check_open(message)
        if not self._platform.world.remove_reaction(message, self.user, emoji, burst=burst):
            raise MemberActionError(f"{self.user.name} did not react with {emoji}")

    def clear_reactions(self, message: Message, emoji: str | None = None) -> None:
        """Remove everybody's reactions, as a moderator."""
        self._require(message.channel, Permission.MANAGE_MESSAGES)
        self._platform.world.clear_reactions(message, emoji)

    def _check_unlocked(self, channel: Channel) -> None:
        if channel.locked:
            self._require(channel, Permission.MANAGE_THREADS)

    def _check_open(self, message: Message) -> None:
        if message.deleted:
            raise MemberActionError(f"message {message.id} is deleted")
        if message.channel.archived:
            raise MemberActionError(f"thread {message.channel.name} is archived")

    # Channels, threads, and the bot itself

    def open_thread(self, channel: Channel, name: str) -> Channel:
        """Open a thread in a text channel."""
        self._require(channel, Permission.CREATE_PUBLIC_THREADS)
        return self._platform.world.create_thread(channel, name, self.user)

    def post(self, forum: Channel, name: str, text: str) -> Channel:
        """Write a post in a forum; returns the post, which is a thread."""
        self._require(forum, Permission.SEND_MESSAGES)
        return self._platform.world.create_post(forum, name, self.user, text)

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Close a thread of one's own, or anybody's as a moderator; `locked` needs a moderator."""
        if locked or thread.owner_id != self.user.id:
            self._require(thread, Permission.MANAGE_THREADS)
        self._platform.world.archive_thread(thread, archived=True, locked=locked or thread.locked)

    def reopen(self, thread: Channel) -> None:
        """Bring an archived thread back; a locked one needs a moderator, and stays locked."""
        self._require(thread, sending(thread))
        self._check_unlocked(thread)
        self._platform.world.archive_thread(thread, archived=False, locked=thread.locked)

    def lock(self, thread: Channel, *, locked: bool = True) -> None:
        """Lock a thread or unlock it, as a moderator; it stays as archived as it was."""
        self._require(thread, Permission.MANAGE_THREADS)
        self._platform.world.archive_thread(thread, archived=thread.archived, locked=locked)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel or a thread with everything in it."""
        thread, text = Permission.MANAGE_THREADS, Permission.MANAGE_CHANNELS
        self._require(channel, thread if channel.is_thread else text)
        self._platform.world.delete_channel(channel)

    def deny_bot(self, channel: Channel, denied: int) -> None:
        """Take permissions from the bot in one channel (of a thread: its parent); 0 gives back."""
        self._require(channel, Permission.MANAGE_ROLES)
        self._platform.world.deny_bot(channel, denied)

    def kick_bot(self) -> None:
        """Throw the bot out of the guild."""
        self._require_in_guild(Permission.KICK_MEMBERS)
        self._platform.world.remove_member(self.guild, self._platform.world.bot)

    def invite_bot(self, permissions: int = USUAL) -> None:
        """Have the bot join the guild again."""
        self._require_in_guild(Permission.MANAGE_GUILD)
        self._platform.world.invite_bot(self.guild, permissions)

    def _require_in_guild(self, needed: Permission) -> None:
        if not permissions_of(self.guild, self.user.id) & needed:
            raise MemberActionError(f"{self.user.name} lacks {needed.name} in {self.guild.name}")

    # Slash commands

    async def command(self, channel: Channel, name: str, **options: object) -> Interaction:
        """Use a slash command and wait for the finished answer.

        Args:
            channel: Where.
            name: The command with its subcommands: "story start".
            options: Values by name; users, channels and roles as records.

        Raises:
            MemberActionError: The client would not send this.
            NoAnswerError: The bot did not answer in time.
        """
        return await self.begin_command(channel, name, **options).completed()

    def begin_command(self, channel: Channel, name: str, **options: object) -> Interaction:
        """Use a slash command without waiting for anything."""
        return self._use_command(COMMAND, channel, name, options, None)

    async def autocomplete(
        self, channel: Channel, name: str, focused: str, **options: object
    ) -> list[dict[str, Any]]:
        """Type into an option and return the suggestions {name, value}.

        Args:
            channel: Where.
            name: The command with its subcommands.
            focused: The option that is being typed.
            options: What is typed so far, that option included.
        """
        interaction = self._use_command(AUTOCOMPLETE, channel, name, options, focused)
        return (await interaction.acknowledged()).choices

    def _use_command(
        self,
        kind: int,
        channel: Channel,
        name: str,
        options: dict[str, object],
        focused: str | None,
    ) -> Interaction:
        root, *path = name.split()
        command = self._platform.commands.find(root, self.guild)
        self._check_may_use(command, channel)
        read = read_input(command, path, options, self.guild, focused=focused)
        data: dict[str, Any] = {
            "id": command["id"],
            "name": command["name"],
            "type": command["type"],
            "options": read.options,
        }
        if read.resolved:
            data["resolved"] = read.resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return self._send(kind, channel, name, data)

    def _check_may_use(self, command: dict[str, Any], channel: Channel) -> None:
        if self._platform.world.bot.id not in self.guild.members:
            raise MemberActionError(
                f"the bot is not in {self.guild.name}, and its commands neither"
            )
        self._require(channel, Permission.USE_APPLICATION_COMMANDS)
        self._check_unlocked(channel)
        needed = command.get("default_member_permissions")
        if needed is None:
            return
        granted = permissions_of(self.guild, self.user.id, channel)
        if granted & int(needed) != int(needed) or not int(needed):
            raise MemberActionError(f"/{command['name']} is hidden from {self.user.name}")

    # Components and modals

    async def click(self, message: Message, custom_id: str) -> Interaction:
        """Press a button and wait for the finished answer."""
        return await self.begin_click(message, custom_id).completed()

    def begin_click(self, message: Message, custom_id: str) -> Interaction:
        """Press a button without waiting for anything."""
        component = self._component(message, custom_id)
        if component["type"] != BUTTON:
            raise MemberActionError(f"{custom_id} is no button")
        return self._use_component(message, component, {})

    async def select(self, message: Message, custom_id: str, values: list[str]) -> Interaction:
        """Choose from a select menu and wait for the finished answer."""
        component = self._component(message, custom_id)
        if component["type"] not in SELECT_TYPES:
            raise MemberActionError(f"{custom_id} is no select menu")
        offered = [option["value"] for option in items(component, "options")]
        if component["type"] == 3 and not set(values) <= set(offered):
            raise MemberActionError(f"{values} are not all among {offered}")
        return await self._use_component(message, component, {"values": values}).completed()

    def _component(self, message: Message, custom_id: str) -> dict[str, Any]:
        if message.deleted or (message.ephemeral and message.visible_to != self.user.id):
            raise MemberActionError(f"{self.user.name} does not see message {message.id}")
        self._require(message.channel, Permission.VIEW_CHANNEL)
        found = [part for part in message.parts() if part.get("custom_id") == custom_id]
        if not found:
            known = [part["custom_id"] for part in message.parts() if part.get("custom_id")]
            raise MemberActionError(f"no component {custom_id!r}; there are {known}")
        if found[0].get("disabled"):
            raise MemberActionError(f"component {custom_id!r} is disabled")
        return found[0]

    def _use_component(
        self, message: Message, component: dict[str, Any], values: dict[str, Any]
    ) -> Interaction:
        custom_id: str = component["custom_id"]
        data = {
            "custom_id": custom_id,
            "component_type": component["type"],
            "id": component["id"],
        }
        return self._send(COMPONENT, message.channel, custom_id, data | values, source=message)

    async def submit(self, opened: Interaction, **values: str) -> Interaction:
        """Send the modal that answered an interaction, and wait for the finished answer."""
        return await self.begin_submit(opened, values).completed()

    def begin_submit(self, opened: Interaction, values: dict[str, str]) -> Interaction:
        """Send a modal without waiting for anything.

        Args:
            opened: The interaction that was answered by the modal.
            values: Texts by custom id; a field that is left out keeps what the modal prefilled.
        """
        if opened.modal is None:
            raise MemberActionError(f"{opened.name} opened no modal")
        components: list[dict[str, Any]] = opened.modal["components"]
        fields = {part["custom_id"] for part in walk(components) if part.get("custom_id")}
        if not set(values) <= fields:
            raise MemberActionError(f"fields {sorted(values)} are not all among {sorted(fields)}")
        custom_id: str = opened.modal["custom_id"]
        data: dict[str, Any] = {
            "custom_id": custom_id,
            "components": [_filled(component, values) for component in components],
        }
        return self._send(
            MODAL_SUBMIT, opened.channel, custom_id, data, source=opened.source, opened_by=opened
        )

    # Sending

    def _send(
        self,
        kind: int,
        channel: Channel,
        name: str,
        data: dict[str, Any],
        *,
        source: Message | None = None,
        opened_by: Interaction | None = None,
    ) -> Interaction:
        platform = self._platform
        interaction = platform.interactions.start(
            platform.world.snowflakes.next(),
            kind,
            self.user,
            channel,
            name,
            started_s=platform.clock(),
            first_response_s=platform.limits.first_response_s,
            source=source,
            opened_by=opened_by,
        )
        payload = interaction_create(
            interaction, data, self.guild, platform.world.bot, platform.world.base_url
        )
        platform.world.tell(Event("INTERACTION_CREATE", payload, Intent.NONE, self.guild))
        return interaction


def _filled(component: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """Return a modal's component as it is submitted."""
    sent: dict[str, Any] = {"type": component["type"], "id": component.get("id", 0)}
    if component.get("components"):
        sent["components"] = [_filled(part, values) for part in component["components"]]
    if component.get("component"):
        sent["component"] = _filled(component["component"], values)
    if component.get("custom_id"):
        sent["custom_id"] = component["custom_id"]
    if component["type"] == TEXT_INPUT:
        sent["value"] = _typed(component, values.get(component["custom_id"]))
    elif component["type"] in SELECT_TYPES:
        chosen = values.get(component["custom_id"])
        sent["values"] = [] if chosen is None else [chosen]
    return sent


def _typed(component: dict[str, Any], value: str | None) -> str:
    text = str(component.get("value") or "") if value is None else value
    shortest, longest = component.get("min_length") or 0, component.get("max_length") or 4000
    if not text and component.get("required", True):
        raise MemberActionError(f"field {component['custom_id']!r} is required")
    if text and not shortest <= length(text) <= longest:
        raise MemberActionError(
            f"field {component['custom_id']!r} takes {shortest} to {longest} characters"
        )
    return text
