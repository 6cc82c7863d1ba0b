"""Who may read a channel, as the client last heard of it: the Audience port on Discord.

Whether a channel is age-restricted is told by the gateway and may change at any moment, so it is
looked up each time; nothing is asked of Discord for it.
"""

import discord


class ClientAudience:
    """Implements core.ports.Audience with the bot's own client."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._parents: dict[int, int] = {}

    def adults_only(self, channel: int) -> bool:
        """Whether a channel is age-restricted; a thread is what the channel is that it belongs to.

        False where the client doesn't know the channel (or a thread's): what isn't known to be for
        adults is for everybody. A thread is forgotten by the client when it is archived, so whose
        it is is remembered here.
        """
        place = self._client.get_channel(channel)
        if isinstance(place, discord.Thread):
            self._parents[channel] = place.parent_id
        elif place is None:
            place = self._client.get_channel(self._parents.get(channel, 0))
        if not isinstance(
            place,
            discord.TextChannel
            | discord.VoiceChannel
            | discord.StageChannel
            | discord.ForumChannel
            | discord.Thread,
        ):
            return False
        return place.is_nsfw()
