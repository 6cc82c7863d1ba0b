"""INTERACTION_CREATE as the gateway sends it, and the metadata that answers carry.

Pure functions from an interaction and its data to payloads.
"""

from typing import Any

from . import payloads
from .entities import Channel, Guild, User
from .interactions import COMMAND, Interaction
from .permissions import permissions_of

ATTACHMENT_SIZE_LIMIT = 10 * 1024 * 1024
"""Bytes an answer's file may have without boosts (API reference, "Interaction Structure")."""


def interaction_create(
    of: Interaction, data: dict[str, Any], guild: Guild, bot: User, base_url: str
) -> dict[str, Any]:
    """Return the data of INTERACTION_CREATE.

    Args:
        of: The interaction.
        data: Its `data` field, which depends on its kind.
        guild: Where it happened.
        bot: The application's bot.
        base_url: Where attachments are served.
    """
    member = payloads.member(guild.members[of.user.id])
    member["permissions"] = str(permissions_of(guild, of.user.id, of.channel))
    payload: dict[str, Any] = {
        "id": str(of.id),
        "application_id": str(bot.id),
        "type": of.kind,
        "token": of.token,
        "version": 1,
        "data": data,
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "channel_id": str(of.channel.id),
        "channel": _channel(of.channel, of.user),
        "member": member,
        "app_permissions": str(permissions_of(guild, bot.id, of.channel)),
        "locale": of.user.locale,
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": {"0": str(guild.id)},
        "context": 0,
        "attachment_size_limit": ATTACHMENT_SIZE_LIMIT,
    }
    if of.source is not None:
        payload["message"] = payloads.message(of.source, bot.id, base_url)
    return payload


def _channel(channel: Channel, user: User) -> dict[str, Any]:
    permissions = 0 if channel.guild is None else permissions_of(channel.guild, user.id, channel)
    return payloads.channel(channel) | {"permissions": str(permissions)}


def metadata(of: Interaction) -> dict[str, Any]:
    """Return the `interaction_metadata` of a message that answers an interaction."""
    guild = of.channel.guild
    payload: dict[str, Any] = {
        "id": str(of.id),
        "type": of.kind,
        "user": payloads.user(of.user),
        "authorizing_integration_owners": {} if guild is None else {"0": str(guild.id)},
    }
    if of.kind == COMMAND:
        payload["name"] = of.name
        payload["command_type"] = 1
    elif of.opened_by is not None:
        payload["triggering_interaction_metadata"] = metadata(of.opened_by)
    elif of.source is not None:
        payload["interacted_message_id"] = str(of.source.id)
    return payload
