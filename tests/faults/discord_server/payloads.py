"""The world's records as they look on the wire, field for field as the API reference names them.

Pure functions from `entities` to JSON-ready dicts; ids are strings, times ISO 8601. What depends on
who looks is an argument. Interactions have their own payloads in `interaction_payloads`.
"""

from collections.abc import Iterable
from typing import Any

from .entities import (
    CATEGORY,
    DIRECT,
    FORUM,
    Attachment,
    Channel,
    Guild,
    Membership,
    Message,
    Overwrite,
    Reaction,
    Role,
    User,
)
from .permissions import permissions_of
from .snowflakes import iso, moment

Payload = dict[str, Any]
"""One JSON object."""


def user(who: User) -> Payload:
    """Return a user object."""
    return {
        "id": str(who.id),
        "username": who.name if who.bot else who.name.lower().replace(" ", "_"),
        "discriminator": "0",
        "global_name": None if who.bot else who.name,
        "avatar": None,
        "avatar_decoration_data": None,
        "bot": who.bot,
        "public_flags": 0,
    }


def member(of: Membership, *, with_user: bool = True) -> Payload:
    """Return a member object; messages and reactions to them leave the user out."""
    payload: Payload = {
        "roles": [str(role_id) for role_id in sorted(of.role_ids)],
        "joined_at": iso(of.joined_at),
        "deaf": False,
        "mute": False,
        "flags": 0,
        "nick": None,
        "avatar": None,
        "banner": None,
        "pending": False,
        "premium_since": None,
        "communication_disabled_until": None,
    }
    if with_user:
        payload["user"] = user(of.user)
    return payload


def role(of: Role) -> Payload:
    """Return a role object."""
    payload: Payload = {
        "id": str(of.id),
        "name": of.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": of.position,
        "permissions": str(of.permissions),
        "managed": of.managed_by is not None,
        "mentionable": False,
        "flags": 0,
    }
    if of.managed_by is not None:
        payload["tags"] = {"bot_id": str(of.managed_by)}
    return payload


def channel(of: Channel, *, viewer_id: int | None = None) -> Payload:
    """Return a channel object of any type.

    Args:
        of: The channel.
        viewer_id: For whom; a thread tells its member whether they joined it.
    """
    if of.type == DIRECT:
        return _direct_channel(of)
    if of.is_thread:
        return _thread(of, viewer_id)
    payload: Payload = {
        "id": str(of.id),
        "type": of.type,
        "guild_id": str(_guild_of(of).id),
        "name": of.name,
        "position": of.position,
        "parent_id": None if of.parent is None else str(of.parent.id),
        "permission_overwrites": [_overwrite(entry) for entry in of.overwrites.values()],
        "flags": 0,
    }
    if of.type != CATEGORY:
        payload |= {
            "topic": of.topic,
            "nsfw": of.nsfw,
            "rate_limit_per_user": 0,
            "last_message_id": _optional(of.last_message_id),
        }
    if of.type == FORUM:
        payload |= {
            "available_tags": [],
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
        }
    return payload


def _direct_channel(of: Channel) -> Payload:
    return {
        "id": str(of.id),
        "type": of.type,
        "last_message_id": _optional(of.last_message_id),
        "recipients": [user(recipient) for recipient in of.recipients],
        "flags": 0,
    }


def _thread(of: Channel, viewer_id: int | None) -> Payload:
    created = moment(of.id)
    payload: Payload = {
        "id": str(of.id),
        "type": of.type,
        "guild_id": str(_guild_of(of).id),
        "parent_id": None if of.parent is None else str(of.parent.id),
        "owner_id": _optional(of.owner_id),
        "name": of.name,
        "last_message_id": _optional(of.last_message_id),
        "message_count": len(of.messages),
        "total_message_sent": len(of.messages),
        "member_count": len(of.thread_member_ids),
        "rate_limit_per_user": 0,
        "flags": 0,
        "thread_metadata": {
            "archived": of.archived,
            "locked": of.locked,
            "auto_archive_duration": of.auto_archive_minutes,
            "archive_timestamp": iso(of.archived_changed_at or created),
            "create_timestamp": iso(created),
        },
    }
    if viewer_id in of.thread_member_ids:
        payload["member"] = thread_member(of, viewer_id)
    return payload


def thread_member(of: Channel, user_id: int) -> Payload:
    """Return a thread member object."""
    return {
        "id": str(of.id),
        "user_id": str(user_id),
        "join_timestamp": iso(moment(of.id)),
        "flags": 0,
    }


def _overwrite(entry: Overwrite) -> Payload:
    return {
        "id": str(entry.target_id),
        "type": int(entry.for_member),
        "allow": str(entry.allow),
        "deny": str(entry.deny),
    }


def guild(of: Guild) -> Payload:
    """Return a guild object as GET /guilds/{id} gives it."""
    return {
        "id": str(of.id),
        "name": of.name,
        "owner_id": str(of.owner_id),
        "preferred_locale": of.locale,
        "roles": [role(entry) for entry in of.roles.values()],
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "emojis": [],
        "stickers": [],
        "features": [],
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "vanity_url_code": None,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "max_members": 500_000,
        "max_presences": None,
        "incidents_data": None,
    }


def own_guild(of: Guild, viewer_id: int) -> Payload:
    """Return a guild as it stands in the list of the viewer's own."""
    return {
        "id": str(of.id),
        "name": of.name,
        "icon": None,
        "banner": None,
        "owner": of.owner_id == viewer_id,
        "permissions": str(permissions_of(of, viewer_id)),
        "features": [],
    }


def guild_create(of: Guild, viewer_id: int, threads: Iterable[Channel]) -> Payload:
    """Return the data of GUILD_CREATE.

    Of the members it holds the viewer alone, as Discord does for clients without presences.

    Args:
        of: The guild.
        viewer_id: The bot that connects.
        threads: The active threads that the viewer may see.
    """
    viewer = of.members[viewer_id]
    return guild(of) | {
        "joined_at": iso(viewer.joined_at),
        "large": len(of.members) >= 250,
        "unavailable": False,
        "member_count": len(of.members),
        "members": [member(viewer)],
        "channels": [channel(entry) for entry in of.channels.values() if not entry.is_thread],
        "threads": [channel(thread, viewer_id=viewer_id) for thread in threads],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def emoji(written: str) -> Payload:
    """Return a partial emoji: unicode by name, a custom one written `name:id`."""
    name, separator, emoji_id = written.partition(":")
    if separator:
        return {"id": emoji_id, "name": name, "animated": False}
    return {"id": None, "name": written}


def reaction(of: Reaction, viewer_id: int) -> Payload:
    """Return a reaction object with its counters, and `me` for the viewer."""
    return {
        "emoji": emoji(of.emoji),
        "count": of.count,
        "count_details": {"normal": len(of.normal), "burst": len(of.burst)},
        "me": viewer_id in of.normal,
        "me_burst": viewer_id in of.burst,
        "burst_colors": ["#ff8b21"] if of.burst else [],
    }


def attachment(of: Attachment, base_url: str) -> Payload:
    """Return an attachment object; its url is served by this server."""
    url = f"{base_url}/attachments/{of.id}/{of.filename}"
    return {
        "id": str(of.id),
        "filename": of.filename,
        "size": len(of.data),
        "content_type": of.content_type,
        "url": url,
        "proxy_url": url,
    }


def message(of: Message, viewer_id: int, base_url: str) -> Payload:
    """Return a message object as REST gives it (no guild, no member).

    Args:
        of: The message.
        viewer_id: For whom `me` in the reactions is meant.
        base_url: Where attachments are served.
    """
    payload: Payload = {
        "id": str(of.id),
        "channel_id": str(of.channel.id),
        "type": of.type,
        "author": user(of.author),
        "content": of.content,
        "timestamp": iso(of.created_at),
        "edited_timestamp": None if of.edited_at is None else iso(of.edited_at),
        "tts": False,
        "mention_everyone": of.mentions_everyone,
        "mentions": [user(who) for who in of.mentions],
        "mention_roles": [str(role_id) for role_id in of.role_mention_ids],
        "attachments": [attachment(entry, base_url) for entry in of.attachments],
        "embeds": of.embeds,
        "components": of.components,
        "pinned": False,
        "flags": of.flags,
    }
    if of.reactions:
        payload["reactions"] = [reaction(entry, viewer_id) for entry in of.reactions.values()]
    return payload | _rare_fields(of, viewer_id, base_url)


def _rare_fields(of: Message, viewer_id: int, base_url: str) -> Payload:
    payload: Payload = {}
    if of.nonce is not None:
        payload["nonce"] = of.nonce
    if of.application_id is not None:
        payload["application_id"] = str(of.application_id)
    if of.webhook_id is not None:
        payload["webhook_id"] = str(of.webhook_id)
    if of.interaction is not None:
        payload["interaction_metadata"] = of.interaction
    if of.reference_id is not None:
        payload["message_reference"] = {
            "type": 0,
            "message_id": str(of.reference_id),
            "channel_id": str(of.channel.id),
        }
        original = of.channel.messages.get(of.reference_id)
        known = original is not None and original.reference_id is None
        payload["referenced_message"] = (
            message(original, viewer_id, base_url) if original and known else None
        )
    return payload


def hide_content(payload: Payload) -> Payload:
    """Return a message payload as clients without the message content intent get it."""
    return payload | {"content": "", "embeds": [], "attachments": [], "components": []}


def _optional(snowflake: int | None) -> str | None:
    return None if snowflake is None else str(snowflake)


def _guild_of(of: Channel) -> Guild:
    if of.guild is None:
        raise TypeError(f"channel {of.id} of type {of.type} belongs to no guild")
    return of.guild
