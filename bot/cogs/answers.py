"""Answering commands: always ephemeral, never a mention, and a sentence whatever goes wrong.

The tree's error handler is the outermost one of every command: a refusal is shown in its own words,
anything else as an incident whose id stands in the log next to the cause. Which words an answer has
is render's and the errors' business.
"""

import logging
import secrets
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.render import remark
from core.errors import BudgetSpentError, RefusedError, TalewheelError
from core.services.work import Work, begin

log = logging.getLogger(__name__)

_LOST = (aiohttp.ClientError, OSError)
"""A connection that died: what was asked may have reached Discord or not."""
RESTARTING = "The bot is restarting: try again in a minute."

_ANSWERED = 40060
"""Discord's code for an interaction that has its first answer already."""
_EXPIRED = 10062
"""Discord's code for one whose first three seconds are over."""

if TYPE_CHECKING:
    _Tree = app_commands.CommandTree[commands.AutoShardedBot]
else:
    _Tree = app_commands.CommandTree


class Tree(_Tree):
    """Talewheel's commands with their two rules: only in servers, and every error is answered."""

    stopping = False
    """Set once the process is about to end: commands that come now are turned away."""

    async def interaction_check(
        self, interaction: discord.Interaction[commands.AutoShardedBot], /
    ) -> bool:
        """Turn away what can't be served: from outside of servers, and anything during a stop."""
        sentence = ""
        if self.stopping:
            sentence = RESTARTING
        elif not comes_from_its_channel(interaction):
            sentence = "Stories live in servers: give this command in a channel."
        note_work(interaction)
        if sentence and interaction.type is not discord.InteractionType.autocomplete:
            await answer(interaction, sentence)
        return not sentence

    async def on_error(
        self,
        interaction: discord.Interaction[commands.AutoShardedBot],
        error: app_commands.AppCommandError,
        /,
    ) -> None:
        """Answer a failed command and log what isn't a plain refusal."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        name = interaction.command.qualified_name if interaction.command else "unknown"
        await failed(interaction, cause, f"/{name}")


async def failed(interaction: discord.Interaction[Any], cause: Exception, what: str) -> None:
    """The one place where an error becomes a sentence for whoever asked.

    Args:
        interaction: answered or not.
        cause: what was raised.
        what: the command, button or form, for the log.
    """
    if _answered(cause):
        log.warning("a command was answered by another process: is the bot running twice?")
        return
    if isinstance(cause, discord.HTTPException) and cause.code == _EXPIRED:
        # Told after a gap in the connection. It wasn't carried out, and its member knows.
        log.info("a command came too late to be answered")
        return
    match cause:
        case RefusedError() | BudgetSpentError():
            pages = [remark(str(cause))]
        case app_commands.AppCommandError():
            # Not logged whole: it quotes what was given.
            log.warning("a command was given in another form: %s", type(cause).__name__)
            pages = ["This command has changed: restart Discord, then give it again."]
        case _:
            pages = [_incident(interaction, cause, what)]
    if interaction.type is not discord.InteractionType.autocomplete:  # takes no words
        await _try_to_answer(interaction, *pages)


async def _try_to_answer(interaction: discord.Interaction[Any], *pages: str) -> None:
    try:
        await answer(interaction, *pages)
    except (discord.HTTPException, *_LOST) as failure:
        # Mostly an interaction that ran out while Discord was slow: nobody is left to tell.
        log.warning("an answer couldn't be given: %s", failure)


def note_work(interaction: discord.Interaction[Any]) -> None:
    """Say where the running task works, for whoever counts or logs it: each has one of its own."""
    begin(Work(interaction.guild_id or 0, interaction.channel_id or 0))


def require_running(interaction: discord.Interaction[Any]) -> None:
    """Raises RefusedError once the process is about to end."""
    tree: object = interaction.client.tree
    if isinstance(tree, Tree) and tree.stopping:
        raise RefusedError(RESTARTING)


def comes_from_its_channel(interaction: discord.Interaction[Any]) -> bool:
    """Whether a member of a server asks in one of its channels, as far as the bot knows them.

    Discord vouches for what it sends; should it ever be wrong, no server reaches into another.
    """
    if interaction.guild_id is None or not isinstance(interaction.user, discord.Member):
        return False
    known = interaction.client.get_channel(interaction.channel_id or 0)
    if isinstance(known, discord.abc.GuildChannel | discord.Thread):
        return known.guild.id == interaction.guild_id
    return known is None


def _incident(interaction: discord.Interaction[Any], cause: Exception, what: str) -> str:
    incident = secrets.token_hex(4)
    told = f"incident {incident}: {what} in channel {interaction.channel_id} failed"
    if isinstance(cause, _LOST) or (isinstance(cause, TalewheelError) and cause.retryable):
        log.warning("%s: %s", told, cause, extra={"incident": incident})
        return f"That didn't work just now: try again in a minute (incident {incident})."
    log.error("%s", told, exc_info=cause, extra={"incident": incident})
    return f"That didn't work. The bot's log says why, at incident {incident}."


async def defer(interaction: discord.Interaction[Any]) -> None:
    """Tell Discord within its three seconds that an answer will come."""
    try:
        await interaction.response.defer(ephemeral=True, thinking=True)
    except _LOST:
        # Once more, or the command would be lost; it may have arrived, and only its answer not.
        try:
            await interaction.response.defer(ephemeral=True, thinking=True)
        except discord.HTTPException as refusal:
            if not _answered(refusal):
                raise


async def answer(
    interaction: discord.Interaction[Any], *pages: str, view: discord.ui.View | None = None
) -> None:
    """Say something to whoever asked, and to nobody else.

    Args:
        interaction: answered or not.
        pages: contents of messages, in order.
        view: buttons under the last of them.
    """
    for number, page in enumerate(pages, 1):
        under = view if view is not None and number == len(pages) else discord.utils.MISSING
        try:
            await _say(interaction, page, under)
        except _LOST:
            # The command is done, so nothing else will say so; read twice is better than never.
            await _say(interaction, page, under)
    if view is not None:
        view.stop()  # Its buttons are served by their names (desk); discord.py need not keep it.


async def open_form(interaction: discord.Interaction[Any], form: discord.ui.Modal) -> None:
    """Open a form for whoever asked; what is submitted is served by its name (desk)."""
    await interaction.response.send_modal(form)
    form.stop()


async def _say(interaction: discord.Interaction[Any], page: str, under: discord.ui.View) -> None:
    nobody = discord.AllowedMentions.none()
    if not interaction.response.is_done():
        try:
            await interaction.response.send_message(
                page, ephemeral=True, allowed_mentions=nobody, suppress_embeds=True, view=under
            )
        except discord.HTTPException as refusal:
            if not _answered(refusal):
                raise
        else:
            return
    await interaction.followup.send(
        page, ephemeral=True, allowed_mentions=nobody, suppress_embeds=True, view=under
    )


def _answered(error: Exception) -> bool:
    """Whether Discord says that an interaction has its first answer already."""
    return isinstance(error, discord.HTTPException) and error.code == _ANSWERED
