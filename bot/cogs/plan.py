"""/plan: the plans of a running vote."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs import forms
from bot.cogs.answers import open_form
from bot.cogs.requests import moderated
from bot.services import Services
from core.errors import InputError, PhaseError
from core.services.direction import is_voted_on


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class PlanCog(commands.GroupCog, name="plan", description="The plans that are voted on"):
    """Commands about the plans on the ballot."""

    def __init__(self, services: Services) -> None:
        self._at = services
        super().__init__()

    @app_commands.command(description="Change one of the plans while it is voted on (moderators)")
    @app_commands.describe(option="Which plan: 1, 2 or 3")
    async def edit(
        self, interaction: discord.Interaction, option: app_commands.Range[int, 1, 3]
    ) -> None:
        """Open the form with a plan."""
        _, story = await moderated(interaction, self._at.library)
        if not is_voted_on(story):
            raise PhaseError("No plan is voted on just now: try again when the ballot is up.")
        if not 1 <= option <= len(story.plans.options):
            raise InputError(f"option is {option}; it must be from 1 to 3.")
        await open_form(interaction, forms.plan_form(story, option - 1))
