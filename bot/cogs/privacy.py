"""/privacy: what is kept, and the button that takes one's own name out of it. For everyone."""

import logging

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot import privacy_texts
from bot.cogs import forms
from bot.cogs.answers import answer, defer
from bot.cogs.requests import Asked, place_of
from bot.handles import Handle, Purpose
from bot.privacy_texts import PrivacyNote
from bot.services import Services

log = logging.getLogger(__name__)


class PrivacyCog(commands.Cog):
    """The command about what is kept."""

    def __init__(self, services: Services, note: PrivacyNote) -> None:
        self._at = services
        self._note = note
        self._owner = ""

    @app_commands.command(description="What this bot keeps about you and this channel")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def privacy(self, interaction: discord.Interaction) -> None:
        """Tell what is kept, where it goes and for how long."""
        place = place_of(interaction)
        await defer(interaction)
        kept = await self._at.privacy.kept(place.channel, place.guild)
        owner = "" if self._note.contact else await self._owned_by(interaction.client)
        view = forms.buttons((Handle(Purpose.UNNAME, 0), privacy_texts.UNNAME), danger=True)
        await answer(interaction, privacy_texts.privacy(self._note, kept, owner), view=view)

    async def _owned_by(self, client: discord.Client) -> str:
        """Who owns the bot at Discord, asked until it is known."""
        if not self._owner:
            try:
                about = await client.application_info()
                self._owner = about.team.name if about.team else about.owner.name
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                log.info("who owns the bot isn't known just now: %s", error)
        return self._owner


async def take_name_out(interaction: Asked, at: Services) -> None:
    """What the button does: the name of whoever pressed it leaves the server's log."""
    place, user = place_of(interaction), interaction.user
    await defer(interaction)
    names = {user.name, user.display_name, user.global_name or user.name}
    done = await at.privacy.erase(user.id, place.guild, names)
    await answer(interaction, privacy_texts.erased(done))
