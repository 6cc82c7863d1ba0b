"""/story: start, status, close, pause, resume and end."""

import discord
from discord import app_commands
from discord.ext import commands

from bot import render
from bot.cogs.answers import answer, defer
from bot.cogs.requests import (
    StartRules,
    brief_of,
    place_of,
    require_allowed,
    require_mentionable,
    require_moderator,
    require_own_permissions,
    settings_of,
)
from bot.services import Telling

VoteSeconds = app_commands.Range[int, 5, 604_800]
Sentences = app_commands.Range[int, 3, 40]


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class StoryCog(commands.GroupCog, name="story", description="The story of this channel"):
    """Commands about the channel's story."""

    def __init__(self, storyteller: Telling, rules: StartRules) -> None:
        self._storyteller = storyteller
        self._rules = rules
        super().__init__()

    @app_commands.command(description="Start a story in this channel (moderators)")
    @app_commands.describe(
        premise="What the story is about, in up to 2,000 characters",
        genre="For example: gothic mystery",
        style="How it should sound, for example: dry, present tense",
        language="The language it is written in",
        vote_seconds="How long each vote lasts, from 5 seconds to a week",
        sentences="How long a paragraph is: 3 to 40 sentences",
        notify_role="A role that wants to be mentioned with each vote",
    )
    async def start(
        self,
        interaction: discord.Interaction,
        premise: str,
        genre: str = "",
        style: str = "",
        language: str = "",
        vote_seconds: VoteSeconds | None = None,
        sentences: Sentences | None = None,
        notify_role: discord.Role | None = None,
    ) -> None:
        """Start a story."""
        place = place_of(interaction)
        require_moderator(interaction)
        require_allowed(place.guild, self._rules)
        require_own_permissions(
            interaction.app_permissions, thread=isinstance(interaction.channel, discord.Thread)
        )
        brief = brief_of(premise, genre, style, language, self._rules)
        if notify_role is not None:
            require_mentionable(notify_role, interaction.permissions)
        role = notify_role.id if notify_role else None
        settings = settings_of(vote_seconds, sentences, role, self._rules)
        await defer(interaction)
        await self._storyteller.start(
            place.channel, place.guild, brief, settings, after=interaction.id
        )
        await answer(interaction, "The story begins: its first paragraph is on its way.")

    @app_commands.command(description="Show where the story stands")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show phase, turn, deadline and links."""
        place = place_of(interaction)
        await defer(interaction)
        view = await self._storyteller.status(place.channel, place.guild)
        await answer(interaction, render.status(view.story, view.turn))

    @app_commands.command(description="Close the vote now and count it (moderators)")
    async def close(self, interaction: discord.Interaction) -> None:
        """Count the running vote."""
        place = place_of(interaction)
        require_moderator(interaction)
        await defer(interaction)
        tally = await self._storyteller.close(place.channel, place.guild)
        await answer(interaction, render.count(tally))

    @app_commands.command(description="Pause the story (moderators)")
    async def pause(self, interaction: discord.Interaction) -> None:
        """Pause the story."""
        place = place_of(interaction)
        require_moderator(interaction)
        await defer(interaction)
        await self._storyteller.pause(place.channel, interaction.user.display_name, place.guild)
        await answer(interaction, "Paused. /story resume goes on from here.")

    @app_commands.command(description="Go on with a paused story, or wake one (moderators)")
    async def resume(self, interaction: discord.Interaction) -> None:
        """Go on with the story."""
        place = place_of(interaction)
        require_moderator(interaction)
        await defer(interaction)
        story = await self._storyteller.resume(place.channel, place.guild)
        await answer(interaction, render.resumed(story))

    @app_commands.command(description="End the story; it stays readable (moderators)")
    async def end(self, interaction: discord.Interaction) -> None:
        """End the story."""
        place = place_of(interaction)
        require_moderator(interaction)
        await defer(interaction)
        await self._storyteller.end(place.channel, interaction.user.display_name, place.guild)
        await answer(interaction, "The story has ended. /story start begins another one.")
