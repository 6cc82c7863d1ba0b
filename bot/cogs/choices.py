"""Suggestions while an option is typed. What arrives is checked again: anything can be sent.

A suggestion is made for moderators only, and a failure to make one suggests nothing.
"""

from typing import Any, cast

import discord
from discord import app_commands

from bot import desk_texts
from bot.cogs.requests import moderated
from bot.render import one_line
from bot.services import Services
from core.domain.identity import fingerprint
from core.domain.story import Story
from core.domain.text import clip
from core.errors import InputError, TalewheelError

MOST = 10
"""Suggestions at once: Discord takes 25, and each turn's costs two readings."""
NAME_UNITS = 100
"""Discord's limit for a suggestion's name."""

Whole = list[app_commands.Choice[int]]


def _services(interaction: discord.Interaction[Any]) -> Services:
    return cast(Services, interaction.client.services)


async def turns(interaction: discord.Interaction[Any], current: str) -> Whole:
    """The newest turns, or those whose number begins as typed."""
    at = _services(interaction)
    try:
        place, story = await moderated(interaction, at.library)
        told = [n for n in range(story.head_number, 0, -1) if str(n).startswith(current.strip())]
        found = [(await at.library.turn(place.channel, n))[1] for n in told[:MOST]]
    except TalewheelError:
        return []
    return [
        app_commands.Choice(
            name=clip(
                f"{turn.number} · " + one_line(turn.summary or turn.paragraph),
                NAME_UNITS,
            ),
            value=turn.number,
        )
        for turn in found
    ]


async def changes(interaction: discord.Interaction[Any], current: str) -> Whole:
    """The newest changes, or those whose number begins as typed."""
    at = _services(interaction)
    try:
        place, _ = await moderated(interaction, at.library)
        log = await at.history.page(place.channel)
    except TalewheelError:
        return []
    return [
        app_commands.Choice(name=desk_texts.choice_of(logged), value=logged.number)
        for logged in log
        if str(logged.number).startswith(current.strip())
    ][:MOST]


async def pinned(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Pinned facts that hold what is typed."""
    try:
        _, story = await moderated(interaction, _services(interaction).library)
    except TalewheelError:
        return []
    return [
        app_commands.Choice(name=clip(one_line(fact), NAME_UNITS), value=f"#{fingerprint(fact)}")
        for fact in story.canon.entries
        if current.casefold() in fact.casefold()
    ][:25]


def entry_of(story: Story, given: str) -> str:
    """The fact that was chosen, or typed out. Raises InputError."""
    for fact in story.canon.entries:
        if given in (f"#{fingerprint(fact)}", fact):
            return fact
    raise InputError("This fact isn't pinned (any more): choose one from the list.")
