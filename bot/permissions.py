"""What the bot needs where it tells, and what of it is missing, as Discord last told us.

The client's picture of servers, roles and channels is kept by gateway events and may be a moment
behind: it words refusals and decides whether a try is worth a request; Discord alone decides what
may be done.
"""

from collections.abc import Mapping
from types import MappingProxyType

import discord

_ANYWHERE: Mapping[str, discord.Permissions] = MappingProxyType(
    {
        "View Channel": discord.Permissions(view_channel=True),
        "Read Message History": discord.Permissions(read_message_history=True),
        "Add Reactions": discord.Permissions(add_reactions=True),
    }
)
"""What the bot needs wherever it tells, by the names that Discord's settings show."""
_SENDING = MappingProxyType({"Send Messages": discord.Permissions(send_messages=True)})
_SENDING_IN_THREADS = MappingProxyType(
    {"Send Messages in Threads": discord.Permissions(send_messages_in_threads=True)}
)
SPEAKING = frozenset({"View Channel", *_SENDING, *_SENDING_IN_THREADS})
"""Without one of these nothing can be said."""
_SCOPES = ("bot", "applications.commands")


def needed() -> discord.Permissions:
    """Exactly what the bot needs, in channels and in threads."""
    everything = discord.Permissions.none()
    for flag in (*_ANYWHERE.values(), *_SENDING.values(), *_SENDING_IN_THREADS.values()):
        everything |= flag
    return everything


def invite_url(application: int) -> str:
    """The address that invites the bot to a server with just these permissions."""
    return discord.utils.oauth_url(application, permissions=needed(), scopes=_SCOPES)


def missing(given: discord.Permissions, *, thread: bool) -> list[str]:
    """The names of what is needed and not given."""
    if given.administrator:
        return []
    needed = {**_ANYWHERE, **(_SENDING_IN_THREADS if thread else _SENDING)}
    return [name for name, flag in needed.items() if not flag <= given]


def lacking(client: discord.Client, channel: int) -> list[str] | None:
    """What the bot lacks in a channel; None where the client doesn't know it."""
    place = client.get_channel(channel)
    if not isinstance(place, discord.abc.GuildChannel | discord.Thread):
        return None
    us = place.guild.get_member(client.user.id) if client.user else None
    if us is None:
        return None
    try:
        given = place.permissions_for(us)
    except discord.ClientException:
        return None  # a thread whose channel isn't known
    if not given.view_channel:
        return ["View Channel"]  # What else there is doesn't count then, and isn't told.
    return missing(given, thread=isinstance(place, discord.Thread))


def looks_open(client: discord.Client, channel: int) -> bool:
    """Whether a channel looks as if the bot could tell there; True where the client can't know."""
    place = client.get_channel(channel)
    if isinstance(place, discord.Thread) and place.locked:
        return False
    return not lacking(client, channel)
