"""/story: everything about the course of the channel's story."""

import discord
from discord import app_commands
from discord.ext import commands

from bot import desk_texts, render
from bot.cogs import forms
from bot.cogs.answers import answer, defer
from bot.cogs.books import formats_of, hand_over
from bot.cogs.choices import turns
from bot.cogs.cooldowns import require_rested
from bot.cogs.desk import open_part
from bot.cogs.requests import (
    CLEARABLE,
    StartRules,
    brief_of,
    changed_settings,
    moderated,
    moderator_of,
    place_of,
    require_allowed,
    require_mentionable,
    require_moderator,
    require_own_permissions,
    require_role,
    settings_of,
)
from bot.handles import Handle, Purpose
from bot.services import Services
from core.domain.budgets import today_sentence
from core.domain.story import VotingRule
from core.errors import InputError, PhaseError, UncheckedError
from core.ports import BookFormat
from core.services.direction import is_voted_on
from core.services.library import branch_with

VoteSeconds = app_commands.Range[int, 5, 604_800]
Sentences = app_commands.Range[int, 3, 40]
Quorum = app_commands.Range[int, 1, 1000]
VOTING = [app_commands.Choice(name=rule.value, value=rule.value) for rule in VotingRule]
FORMATS = [app_commands.Choice(name=kind.value, value=kind.value) for kind in BookFormat]
CLEAR = [app_commands.Choice(name=name, value=name) for name in CLEARABLE]


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
class StoryCog(commands.GroupCog, name="story", description="The story of this channel"):
    """Commands about the channel's story."""

    def __init__(self, services: Services, rules: StartRules) -> None:
        self._at = services
        self._storyteller = services.storyteller
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
        require_rested(interaction)
        await defer(interaction)
        try:
            await self._storyteller.start(
                place.channel, place.guild, brief, settings, after=interaction.id
            )
        except (InputError, UncheckedError) as refused:
            await answer(interaction, *desk_texts.refused_pages(str(refused), brief.premise))
            return
        advice = self._storyteller.advice(brief)
        begins = "The story begins: its first paragraph is on its way."
        await answer(interaction, f"{begins} {advice}".strip())

    @app_commands.command(description="Show where the story stands")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show phase, turn, deadline, what today has cost, and links."""
        place = place_of(interaction)
        await defer(interaction)
        view = await self._storyteller.status(place.channel, place.guild)
        spending, today = self._at.spending, ""
        if spending is not None:
            today = today_sentence(await spending.today(view.story))
        await answer(interaction, render.status(view.story, view.turn, today))

    @app_commands.command(description="The story so far as a book, with its votes: EPUB, Markdown")
    @app_commands.describe(kind="epub for e-readers, markdown for any editor; otherwise both")
    @app_commands.rename(kind="format")
    @app_commands.choices(kind=FORMATS)
    async def export(self, interaction: discord.Interaction, kind: str | None = None) -> None:
        """Hand over the story so far."""
        place, formats = place_of(interaction), formats_of(kind)
        require_rested(interaction)
        await defer(interaction)
        await hand_over(interaction, self._at.press, place, formats)

    @app_commands.command(description="Close the vote now and count it (moderators)")
    async def close(self, interaction: discord.Interaction) -> None:
        """Count the running vote."""
        place, _ = await moderated(interaction, self._at.library)
        await defer(interaction)
        tally = await self._storyteller.close(place.channel, place.guild)
        await answer(interaction, render.count(tally))

    @app_commands.command(description="Pause the story (moderators)")
    async def pause(self, interaction: discord.Interaction) -> None:
        """Pause the story."""
        place, _ = await moderated(interaction, self._at.library)
        await defer(interaction)
        await self._storyteller.pause(place.channel, interaction.user.display_name, place.guild)
        await answer(interaction, "Paused. /story resume goes on from here.")

    @app_commands.command(description="Go on with a paused story, or wake one (moderators)")
    async def resume(self, interaction: discord.Interaction) -> None:
        """Go on with the story."""
        place, _ = await moderated(interaction, self._at.library)
        await defer(interaction)
        story = await self._storyteller.resume(place.channel, place.guild)
        await answer(interaction, render.resumed(story))

    @app_commands.command(description="End the story; it stays readable (moderators)")
    async def end(self, interaction: discord.Interaction) -> None:
        """End the story."""
        place, _ = await moderated(interaction, self._at.library)
        await defer(interaction)
        await self._storyteller.end(place.channel, interaction.user.display_name, place.guild)
        await answer(interaction, "The story has ended. /story start begins another one.")

    @app_commands.command(description="Change the text of the newest paragraph (moderators)")
    @app_commands.describe(part="Which of its messages, from the top; 1 if you don't say")
    async def edit(
        self, interaction: discord.Interaction, part: app_commands.Range[int, 1, 20] = 1
    ) -> None:
        """Open the form with a part of the newest paragraph."""
        place, story = await moderated(interaction, self._at.library)
        if not is_voted_on(story):
            raise PhaseError("The paragraph can be changed once its ballot is up.")
        await open_part(interaction, self._at, place.channel, part - 1)

    @app_commands.command(description="Have the newest turn written anew (moderators)")
    async def retry(self, interaction: discord.Interaction) -> None:
        """Have the newest turn written anew from the same plan."""
        place, _ = await moderated(interaction, self._at.library)
        require_rested(interaction)
        await defer(interaction)
        made = await self._at.direction.retry(place.channel, moderator_of(interaction))
        await answer(interaction, desk_texts.done(made))

    @app_commands.command(description="Take the story back to a turn (moderators)")
    @app_commands.describe(turn="The turn whose vote begins again")
    @app_commands.autocomplete(turn=turns)
    async def rewind(self, interaction: discord.Interaction, turn: int) -> None:
        """Ask whether the story shall go back."""
        _, story = await moderated(interaction, self._at.library)
        told = story.head_number
        branch_with(story, turn)
        handle = Handle(Purpose.REWIND, story.id.serial, turn, told)
        view = forms.buttons((handle, f"Go back to turn {turn}"), danger=True)
        await answer(interaction, desk_texts.rewind_question(turn, told), view=view)

    @app_commands.command(description="Change the story's rules from the next vote (moderators)")
    @app_commands.describe(
        vote_seconds="How long each vote lasts, from 5 seconds to a week",
        sentences="How long a paragraph is: 3 to 40 sentences",
        quorum="Voters without whom a ballot doesn't count: 1 to 1000",
        voting="approval: every reaction counts; single: who picks several counts for none",
        notify_role="A role that wants to be mentioned with each vote",
        moderator_role="A role whose members may do what moderators may",
        clear="A role to take back",
    )
    @app_commands.choices(voting=VOTING, clear=CLEAR)
    async def settings(
        self,
        interaction: discord.Interaction,
        vote_seconds: VoteSeconds | None = None,
        sentences: Sentences | None = None,
        quorum: Quorum | None = None,
        voting: str | None = None,
        notify_role: discord.Role | None = None,
        moderator_role: discord.Role | None = None,
        clear: str | None = None,
    ) -> None:
        """Change the rules of the story."""
        place, _ = await moderated(interaction, self._at.library)
        if notify_role is not None:
            require_mentionable(notify_role, interaction.permissions)
        if moderator_role is not None:
            require_role("moderator_role", moderator_role)
        await defer(interaction)
        made = await self._at.moderation.change_settings(
            place.channel,
            moderator_of(interaction),
            lambda now: changed_settings(
                now,
                vote_seconds=vote_seconds,
                sentences=sentences,
                quorum=quorum,
                voting=voting,
                notify_role=notify_role.id if notify_role else None,
                moderator_role=moderator_role.id if moderator_role else None,
                clear=clear,
            ),
        )
        await answer(interaction, desk_texts.done(made))

    @app_commands.command(description="Delete everything that is kept of the story (moderators)")
    async def delete(self, interaction: discord.Interaction) -> None:
        """Ask whether everything of the story shall go."""
        _, story = await moderated(interaction, self._at.library)
        handle = Handle(Purpose.DELETE, story.id.serial)
        view = forms.buttons((handle, "Delete it for good"), danger=True)
        await answer(interaction, desk_texts.delete_question(story), view=view)
