"""/recap and /why: the story so far, and why a turn came out as it did. For everyone."""

import discord
from discord import app_commands
from discord.ext import commands

from bot import desk_texts
from bot.cogs.answers import answer, defer
from bot.cogs.desk import show_recap
from bot.cogs.requests import place_of
from bot.services import Services


class ReadingCog(commands.Cog):
    """Commands that only read."""

    def __init__(self, services: Services) -> None:
        self._at = services

    @app_commands.command(description="The story so far")
    @app_commands.describe(turns="How many of the newest turns, 1 to 100; about 50 otherwise")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def recap(
        self, interaction: discord.Interaction, turns: app_commands.Range[int, 1, 100] | None = None
    ) -> None:
        """Tell what happened so far."""
        place = place_of(interaction)
        await defer(interaction)
        await show_recap(interaction, self._at, place, turns)

    @app_commands.command(description="Why a turn came out as it did: its plan and its memories")
    @app_commands.describe(turn="Which turn")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def why(self, interaction: discord.Interaction, turn: int) -> None:
        """Tell what was recalled for a turn, and the vote that it follows."""
        place = place_of(interaction)
        await defer(interaction)
        story, told = await self._at.library.turn(place.channel, turn, place.guild)
        await answer(interaction, *desk_texts.why_pages(story, told))
