"""/memory: what the story remembers, to be seen by everyone and changed by moderators."""

import discord
from discord import app_commands
from discord.ext import commands

from bot import desk_texts
from bot.cogs import forms
from bot.cogs.answers import answer, defer, open_form
from bot.cogs.choices import changes, entry_of, pinned, turns
from bot.cogs.cooldowns import require_rested
from bot.cogs.desk import after_change, open_turn, show_facts, show_history, show_memory
from bot.cogs.requests import moderated, moderator_of, place_of
from bot.services import Services
from core.errors import InputError, UncheckedError


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class MemoryCog(commands.GroupCog, name="memory", description="What the story remembers"):
    """Commands about the memory of the channel's story."""

    def __init__(self, services: Services) -> None:
        self._at = services
        super().__init__()

    @app_commands.command(
        description="Show what the story remembers and what its next prompt holds"
    )
    async def show(self, interaction: discord.Interaction) -> None:
        """Show what the story remembers."""
        place = place_of(interaction)
        await defer(interaction)
        await show_memory(interaction, self._at, place)

    @app_commands.command(description="The ledger: what holds of the cast and the world")
    @app_commands.describe(about="Who or what it should be about; all of it if you don't say")
    async def facts(self, interaction: discord.Interaction, about: str | None = None) -> None:
        """List the facts of the ledger."""
        place = place_of(interaction)
        if about is None:
            await defer(interaction)
            await show_facts(interaction, self._at, place)
            return
        require_rested(interaction)
        await defer(interaction)
        hits = await self._at.library.facts_about(place.channel, about, place.guild)
        story = await self._at.library.story(place.channel, place.guild)
        await answer(interaction, *desk_texts.fact_pages(story, hits))

    @app_commands.command(description="Search all that has happened, by meaning and by words")
    @app_commands.describe(query="What to look for, in your own words")
    async def search(self, interaction: discord.Interaction, query: str) -> None:
        """Search the long-term memory."""
        place = place_of(interaction)
        require_rested(interaction)
        await defer(interaction)
        hits = await self._at.library.find(place.channel, query, place.guild)
        story = await self._at.library.story(place.channel, place.guild)
        await answer(interaction, *desk_texts.hit_pages(story, hits))

    @app_commands.command(description="Change the short-term memory (moderators)")
    async def edit(self, interaction: discord.Interaction) -> None:
        """Open the form with the short-term memory."""
        _, story = await moderated(interaction, self._at.library)
        await open_form(interaction, forms.memory_form(story))

    @app_commands.command(description="Change the summary, facts, chapter of a turn (moderators)")
    @app_commands.describe(turn="Which turn")
    @app_commands.autocomplete(turn=turns)
    async def amend(self, interaction: discord.Interaction, turn: int) -> None:
        """Open the form with what is remembered of a turn."""
        place, _ = await moderated(interaction, self._at.library)
        require_rested(interaction)  # The form that comes with it costs once it is sent.
        await open_turn(interaction, self._at, place.channel, turn)

    @app_commands.command(description="Take a turn out of recall (moderators)")
    @app_commands.describe(turn="Which turn")
    @app_commands.autocomplete(turn=turns)
    async def forget(self, interaction: discord.Interaction, turn: int) -> None:
        """Take a turn out of recall."""
        place, _ = await moderated(interaction, self._at.library)
        await defer(interaction)
        made = await self._at.moderation.forget(place.channel, moderator_of(interaction), turn)
        await after_change(interaction, self._at, place.channel, made)

    @app_commands.command(description="Pin a fact to every prompt (moderators)")
    @app_commands.describe(text="A fact that no rewriting may drop")
    async def pin(self, interaction: discord.Interaction, text: str) -> None:
        """Pin a fact."""
        place, _ = await moderated(interaction, self._at.library)
        await defer(interaction)
        try:
            made = await self._at.moderation.pin(place.channel, moderator_of(interaction), text)
        except (InputError, UncheckedError) as refused:
            await answer(interaction, *desk_texts.refused_pages(str(refused), text))
        else:
            await answer(interaction, desk_texts.done(made))

    @app_commands.command(description="Unpin a fact (moderators)")
    @app_commands.describe(entry="Which fact")
    @app_commands.autocomplete(entry=pinned)
    async def unpin(self, interaction: discord.Interaction, entry: str) -> None:
        """Unpin a fact."""
        place, story = await moderated(interaction, self._at.library)
        await defer(interaction)
        fact = entry_of(story, entry)
        made = await self._at.moderation.unpin(place.channel, moderator_of(interaction), fact)
        await answer(interaction, desk_texts.done(made))

    @app_commands.command(description="Show what moderators have changed")
    async def history(self, interaction: discord.Interaction) -> None:
        """Show the log of changes."""
        await moderated(interaction, self._at.library)
        await defer(interaction)
        await show_history(interaction, self._at, place_of(interaction))

    @app_commands.command(description="Take a change back (moderators)")
    @app_commands.describe(entry="The number of the change")
    @app_commands.autocomplete(entry=changes)
    async def undo(self, interaction: discord.Interaction, entry: int) -> None:
        """Take a change back."""
        place, _ = await moderated(interaction, self._at.library)
        await defer(interaction)
        made = await self._at.history.undo(place.channel, moderator_of(interaction), entry)
        await answer(interaction, f"Change {entry} is taken back. {desk_texts.done(made)}")
