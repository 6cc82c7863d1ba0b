"""Permissions as Discord computes them: roles, then a channel's overwrites, then what is implied.

Pure functions of a guild, a member and a channel. Whether a request is refused, and with which
code, is decided by the routes.
"""

from enum import IntFlag

from .entities import PRIVATE_THREAD, Channel, Guild, Overwrite


class Permission(IntFlag):
    """The bits this server looks at (API reference, "Bitwise Permission Flags")."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


ALL = (1 << 53) - 1
"""Every bit in use."""

USUAL = int(
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)
"""What @everyone of a new guild may do, as far as this server looks."""

MODERATOR = USUAL | int(Permission.MANAGE_MESSAGES)
"""`USUAL` and the right to manage messages."""


def permissions_of(guild: Guild, user_id: int, channel: Channel | None = None) -> int:
    """Return the effective permissions of a member; 0 for somebody who is no member.

    Args:
        guild: The guild.
        user_id: Whose permissions.
        channel: Where; None gives those of the guild as a whole. A thread takes its parent's.
    """
    if guild.owner_id == user_id:
        return ALL
    member = guild.members.get(user_id)
    if member is None:
        return 0
    granted = guild.everyone.permissions
    for role_id in member.role_ids:
        granted |= guild.roles[role_id].permissions
    if granted & Permission.ADMINISTRATOR:
        return ALL
    if channel is None:
        return granted
    granted = _overwritten(granted, guild, member.role_ids, user_id, channel)
    return _implied(granted, user_id, channel)


def _overwritten(
    granted: int, guild: Guild, role_ids: set[int], user_id: int, channel: Channel
) -> int:
    holder = channel.parent if channel.is_thread and channel.parent else channel
    overwrites = holder.overwrites
    for layer in ({guild.id}, role_ids, {user_id}):
        chosen = [overwrites[target] for target in layer if target in overwrites]
        granted = _apply(granted, chosen)
    return granted


def _apply(granted: int, layer: list[Overwrite]) -> int:
    for overwrite in layer:
        granted &= ~overwrite.deny
    for overwrite in layer:
        granted |= overwrite.allow
    return granted


def _implied(granted: int, user_id: int, channel: Channel) -> int:
    if not granted & Permission.VIEW_CHANNEL:
        return 0
    hidden_thread = channel.type == PRIVATE_THREAD and user_id not in channel.thread_member_ids
    if hidden_thread and not granted & Permission.MANAGE_THREADS:
        return 0
    if not granted & sending(channel):
        granted &= ~(Permission.EMBED_LINKS | Permission.ATTACH_FILES | Permission.MENTION_EVERYONE)
    return granted


def sending(channel: Channel) -> Permission:
    """Return the permission that sending into this channel needs."""
    if channel.is_thread:
        return Permission.SEND_MESSAGES_IN_THREADS
    return Permission.SEND_MESSAGES
