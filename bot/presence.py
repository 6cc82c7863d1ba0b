"""The Presence port on Discord: is the bot in a server, does a channel exist.

Records are deleted by what is said here, for good. So both witnesses must agree, the gateway's
picture and an answer of Discord that says it by its own code; anything else is "not known".
"""

import aiohttp
import discord

from core.errors import StageUnavailableError

_MISSING_ACCESS = 50001
_UNKNOWN_GUILD = 10004
_UNKNOWN_CHANNEL = 10003
"""Codes of Discord (discord.com/developers/docs/topics/opcodes-and-status-codes)."""


class DiscordPresence:
    """Implements core.ports.Presence with the bot's own client."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def in_guild(self, guild: int) -> bool:
        """See Presence."""
        if self._pictured().get_guild(guild) is not None:
            return True
        try:
            await self._client.http.get_guild(guild, with_counts=False)
        except discord.HTTPException as error:
            if error.code in {_MISSING_ACCESS, _UNKNOWN_GUILD}:
                return False
            raise _unknown(f"server {guild}", error) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _unknown(f"server {guild}", error) from error
        return True

    async def has_channel(self, channel: int) -> bool:
        """See Presence. One that the bot may not see exists."""
        if self._pictured().get_channel(channel) is not None:
            return True
        try:
            await self._client.http.get_channel(channel)
        except discord.HTTPException as error:
            if error.code == _UNKNOWN_CHANNEL:
                return False
            if error.code == _MISSING_ACCESS:
                return True
            raise _unknown(f"channel {channel}", error) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _unknown(f"channel {channel}", error) from error
        return True

    def _pictured(self) -> discord.Client:
        """The client, if it has a picture of all its servers; one that is old only keeps more."""
        if not self._client.is_ready() or self._client.is_closed():
            raise StageUnavailableError("The bot isn't connected to Discord.")
        return self._client


def _unknown(what: str, error: Exception) -> StageUnavailableError:
    return StageUnavailableError(f"Whether {what} is there isn't known: {error}")
