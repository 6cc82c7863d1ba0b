"""/memory: show and search."""

import discord
from discord import app_commands
from discord.ext import commands

from bot import render
from bot.cogs.answers import answer, defer
from bot.cogs.requests import place_of
from bot.services import Remembering


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class MemoryCog(commands.GroupCog, name="memory", description="What the story remembers"):
    """Commands about the memory of the channel's story."""

    def __init__(self, library: Remembering) -> None:
        self._library = library
        super().__init__()

    @app_commands.command(description="Show the short-term memory, the canon and what is kept")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show what the story remembers."""
        place = place_of(interaction)
        await defer(interaction)
        view = await self._library.memory(place.channel, place.guild)
        await answer(interaction, *render.memory_pages(view.story, view.summaries))

    @app_commands.command(description="Search everything that has happened, by meaning")
    @app_commands.describe(query="What to look for, in your own words")
    async def search(self, interaction: discord.Interaction, query: str) -> None:
        """Search the long-term memory."""
        place = place_of(interaction)
        await defer(interaction)
        hits = await self._library.find(place.channel, query, place.guild)
        await answer(interaction, *render.hit_pages(hits))
