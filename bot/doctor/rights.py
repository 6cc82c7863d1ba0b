"""What a member may do in a channel, computed from what Discord's REST says of guild and channel.

Pure: JSON in, permissions out, by the rules of Discord's documentation ("Permission Hierarchy").
discord.py computes the same only for what its gateway cache holds, and nothing is connected here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import discord

Json = Mapping[str, Any]
_TIMED_OUT = discord.Permissions(view_channel=True, read_message_history=True)
"""All that is left to a member in time-out."""


@dataclass(frozen=True, slots=True)
class Membership:
    """The bot in one guild.

    Attributes:
        guild: as GET /guilds/{id} gives it, with its roles.
        member: as GET /guilds/{id}/members/{user} gives it.
        user: the bot's id.
        now: UTC seconds, to know whether a time-out still runs.
    """

    guild: Json
    member: Json
    user: int
    now: float

    @property
    def timed_out(self) -> bool:
        """Whether a moderator has silenced the bot for now."""
        until = self.member.get("communication_disabled_until")
        return bool(until) and datetime.fromisoformat(str(until)) > datetime.fromtimestamp(
            self.now, UTC
        )

    def in_guild(self) -> discord.Permissions:
        """What the roles give, before any channel's overwrites; all of it for an administrator."""
        if str(self.user) == str(self.guild["owner_id"]):
            return discord.Permissions.all()
        held = {str(self.guild["id"]), *map(str, self.member["roles"])}
        roles: Sequence[Json] = self.guild["roles"]
        bits = 0
        for role in roles:
            if str(role["id"]) in held:
                bits |= int(role["permissions"])
        given = discord.Permissions(bits)
        return discord.Permissions.all() if given.administrator else given

    def in_channel(self, channel: Json) -> discord.Permissions:
        """What the bot may do in a channel; of a thread, hand in its parent."""
        given = self.in_guild()
        if given.administrator:
            return given
        bits = given.value
        overwrites: Mapping[str, Json] = {
            str(one["id"]): one for one in channel.get("permission_overwrites") or ()
        }
        layers = ([str(self.guild["id"])], map(str, self.member["roles"]), [str(self.user)])
        for layer in layers:
            chosen = [overwrites[target] for target in layer if target in overwrites]
            for one in chosen:
                bits &= ~int(one["deny"])
            for one in chosen:
                bits |= int(one["allow"])
        given = discord.Permissions(bits)
        if not given.view_channel:
            return discord.Permissions.none()
        return given & _TIMED_OUT if self.timed_out else given
