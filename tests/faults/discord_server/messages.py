"""Creating and editing the bot's messages from request bodies: the one way they are made.

Channel sends, interaction answers and followups differ in who may and where; what a body means is
the same and is written here. Checks are those of `validation`.
"""

import re
from typing import Any

from . import errors
from .calls import Call, Upload
from .entities import COMPONENTS_V2, EPHEMERAL, LOADING, Attachment, Channel, Message
from .interaction_payloads import metadata
from .interactions import COMMAND, Interaction
from .permissions import Permission
from .platform import Platform
from .validation import SETTABLE_FLAGS, check_look, check_new_message, number_components
from .wire import ids, items, strings, text

CHAT_INPUT_COMMAND, REPLY = 20, 19
"""Message types (API reference, "Message Types")."""


def create(
    platform: Platform,
    channel: Channel,
    body: dict[str, Any],
    files: list[Upload],
    interaction: Interaction | None = None,
) -> Message:
    """Make a message of the bot's from a request body and put it where it belongs.

    Args:
        platform: The platform.
        channel: Where to.
        body: The message's fields as sent.
        files: Its uploads.
        interaction: What it answers, if it is no channel send.

    Raises:
        ApiError: The body is refused.
    """
    check_new_message(body, has_files=bool(files), may_be_ephemeral=interaction is not None)
    message = _blank(platform, channel, interaction)
    message.flags = body.get("flags") or 0
    message.nonce = body.get("nonce")
    message.reference_id = _reference(channel, body)
    if message.reference_id is not None:
        message.type = REPLY
    _fill(platform, message, body, files)
    return platform.world.add_message(message)


def create_loading(platform: Platform, interaction: Interaction, flags: int) -> Message:
    """Make the loading state of a deferred answer."""
    message = _blank(platform, interaction.channel, interaction)
    message.flags = LOADING | (flags & EPHEMERAL)
    return platform.world.add_message(message)


def _blank(platform: Platform, channel: Channel, interaction: Interaction | None) -> Message:
    world = platform.world
    message = Message(world.snowflakes.next(), channel, world.bot)
    if interaction is not None:
        message.type = CHAT_INPUT_COMMAND if interaction.kind == COMMAND else 0
        message.application_id = message.webhook_id = platform.application_id
        message.interaction = metadata(interaction)
        message.visible_to = interaction.user.id
    return message


def _reference(channel: Channel, body: dict[str, Any]) -> int | None:
    reference = body.get("message_reference")
    if not reference:
        return None
    message_id = int(reference["message_id"])
    if message_id in channel.messages:
        return message_id
    if reference.get("fail_if_not_exists", True):
        raise errors.invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return None


def edit(platform: Platform, message: Message, call: Call) -> None:
    """Change a message by the body of a request; fields that are absent stay.

    Raises:
        ApiError: The message would not be allowed to look like that.
    """
    edit_with(platform, message, call.fields, call.files)


def edit_with(
    platform: Platform, message: Message, body: dict[str, Any], files: list[Upload]
) -> None:
    """Change a message by a body; see `edit`."""
    flags = message.flags & ~LOADING
    if body.get("flags") is not None:
        if flags & COMPONENTS_V2 and not body["flags"] & COMPONENTS_V2:
            raise errors.invalid_form(
                "flags",
                "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG",
                "The IS_COMPONENTS_V2 flag cannot be removed.",
            )
        flags = (flags & ~SETTABLE_FLAGS) | (body["flags"] & SETTABLE_FLAGS)
    kept = _kept_attachments(message, body)
    check_look(
        flags,
        text({"content": message.content} | body, "content"),
        items({"embeds": message.embeds} | body, "embeds"),
        items({"components": message.components} | body, "components"),
        has_files=bool(kept or files),
    )
    message.flags = flags
    message.attachments = kept
    _fill(platform, message, body, files)
    platform.world.message_changed(message)


def _kept_attachments(message: Message, body: dict[str, Any]) -> list[Attachment]:
    if "attachments" not in body:
        return message.attachments
    wanted = {str(entry.get("id")) for entry in items(body, "attachments")}
    return [entry for entry in message.attachments if str(entry.id) in wanted]


def _fill(platform: Platform, message: Message, body: dict[str, Any], files: list[Upload]) -> None:
    if "content" in body:
        message.content = text(body, "content")
    if "embeds" in body:
        message.embeds = [{"type": "rich", **embed} for embed in items(body, "embeds")]
    if "components" in body:
        message.components = number_components(items(body, "components"))
    _set_mentions(platform, message, body.get("allowed_mentions"))
    message.attachments += [
        Attachment(platform.world.snowflakes.next(), file.filename, file.content_type, file.data)
        for file in files
    ]


def _set_mentions(platform: Platform, message: Message, allowed: dict[str, Any] | None) -> None:
    """Work out whom a message pings: everybody named in it whom `allowed_mentions` lets through."""
    users, guild = platform.world.users, message.channel.guild
    roles = {} if guild is None else guild.roles
    named = _named(message.text, r"<@!?(\d+)>", allowed, "users")
    message.mentions = [users[user_id] for user_id in named if user_id in users]
    named = _named(message.text, r"<@&(\d+)>", allowed, "roles")
    message.role_mention_ids = [role_id for role_id in named if role_id in roles]
    may_ping_all = platform.bot_permissions(message.channel) & Permission.MENTION_EVERYONE
    let_through = allowed is None or "everyone" in strings(allowed, "parse")
    said = re.search(r"@(everyone|here)\b", message.text) is not None
    message.mentions_everyone = bool(said and let_through and may_ping_all)


def _named(written: str, pattern: str, allowed: dict[str, Any] | None, kind: str) -> list[int]:
    found = {int(snowflake) for snowflake in re.findall(pattern, written)}
    if allowed is not None and kind not in strings(allowed, "parse"):
        found &= ids(allowed, kind)
    return sorted(found)
