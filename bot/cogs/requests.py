"""What a command was given, checked: who asks, where, and whether each value is in its range.

Discord checks ranges too, but its word is not relied on: what arrives is checked here, and every
fault is a sentence for whoever asked. No service is called here.
"""

from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.permissions import missing
from bot.setting_table import LANGUAGE_LENGTH, QUORUM_RANGE, SENTENCES_RANGE, VOTE_SECONDS_RANGE
from core.domain.audit import Moderator
from core.domain.legible import is_blank, legible
from core.domain.story import Brief, Settings, Story, VotingRule
from core.errors import InputError, NoStoryError, RefusedError
from core.services.library import Library

Asked = discord.Interaction[Any]
"""A command, a press, a submit or an autocomplete."""

PREMISE_LENGTH = 2000
"""Characters: what a message may have; more would crowd the story out of its own prompts."""
GENRE_LENGTH = 100
STYLE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command was given."""

    guild: int
    channel: int


@dataclass(frozen=True, slots=True)
class StartRules:
    """What a new story starts with where nothing is said, and where one may start.

    Attributes:
        allowed_guilds: ids of the servers; empty means all.
        settings: the rules of a story that says nothing else.
        language: of a story that says nothing else.
    """

    allowed_guilds: frozenset[int]
    settings: Settings
    language: str


def place_of(interaction: Asked) -> Place:
    """The server and channel (or thread) of a command. Raises RefusedError outside of servers."""
    if interaction.guild_id is None or interaction.channel_id is None:
        raise RefusedError("Stories live in servers: give this command in a channel.")
    return Place(interaction.guild_id, interaction.channel_id)


def require_moderator(interaction: Asked, role: int | None = None) -> None:
    """Raises RefusedError unless whoever asks is a moderator of the story.

    Args:
        interaction: a command, press, submit or autocomplete.
        role: the story's moderator role, if it has one.
    """
    given = interaction.permissions
    if given.manage_messages or given.administrator:
        return
    member = interaction.user
    if role is not None and isinstance(member, discord.Member) and member.get_role(role):
        return
    raise RefusedError(
        "Only moderators can do this: it needs the permission Manage Messages in this channel"
        f"{', or the role that the story names' if role else ''}."
    )


async def moderated(interaction: Asked, library: Library) -> tuple[Place, Story]:
    """Where a moderator asks, and the story there.

    Raises:
        RefusedError: outside of servers, without a story, or without the right.
    """
    place = place_of(interaction)
    try:
        story = await library.story(place.channel, place.guild)
    except NoStoryError:
        # Whoever may do nothing anyway is told that first.
        require_moderator(interaction)
        raise
    require_moderator(interaction, story.settings.moderator_role)
    return place, story


def moderator_of(interaction: Asked) -> Moderator:
    """Who asks, for the log."""
    return Moderator(interaction.user.id, interaction.user.display_name)


def require_allowed(guild: int, rules: StartRules) -> None:
    """Raises RefusedError where no story may start."""
    if rules.allowed_guilds and guild not in rules.allowed_guilds:
        raise RefusedError(
            "This bot tells no stories in this server: whoever runs it has to add the server's id "
            f"{guild} to ALLOWED_GUILDS."
        )


def require_role(name: str, role: object) -> discord.Role:
    """Raises InputError unless it is a role that members have or haven't, of this server.

    An id that Discord doesn't resolve to a role of the server arrives as a bare object.
    """
    if not isinstance(role, discord.Role):
        raise InputError(f"{name} is no role of this server: choose one from the list.")
    if role.is_default():
        raise InputError(f"{name} is @everyone: choose a role that members asked for.")
    return role


def require_mentionable(role: object, given: discord.Permissions) -> None:
    """Raises InputError unless it is a role that whoever asks could mention themselves.

    The bot may be allowed to mention more than they are: it must not do it for them.
    """
    role = require_role("notify_role", role)
    if not (role.mentionable or given.mention_everyone or given.administrator):
        raise InputError(
            "notify_role is a role that can't be mentioned: choose another one, or allow everyone "
            "to mention it in the server's settings."
        )


def require_own_permissions(given: discord.Permissions, *, thread: bool) -> None:
    """Raises RefusedError that names each permission the bot itself lacks in the channel."""
    if lacks := missing(given, thread=thread):
        raise RefusedError(
            f"The bot lacks permissions in this channel: {', '.join(lacks)}. "
            "Grant them and start again."
        )


def brief_of(premise: str, genre: str, style: str, language: str, rules: StartRules) -> Brief:
    """What a story was asked to be. Raises InputError."""
    return Brief(
        premise=_text("premise", premise, PREMISE_LENGTH, least=1),
        genre=_text("genre", genre, GENRE_LENGTH),
        style=_text("style", style, STYLE_LENGTH),
        language=_text("language", language, LANGUAGE_LENGTH) or rules.language,
    )


def settings_of(
    vote_seconds: int | None, sentences: int | None, notify_role: int | None, rules: StartRules
) -> Settings:
    """The rules of a new story. Raises InputError."""
    start = rules.settings
    return replace(
        start,
        vote_s=_number("vote_seconds", vote_seconds, VOTE_SECONDS_RANGE, start.vote_s),
        sentences=_number("sentences", sentences, SENTENCES_RANGE, start.sentences),
        notify_role=notify_role,
    )


def changed_settings(
    now: Settings,
    *,
    vote_seconds: int | None,
    sentences: int | None,
    quorum: int | None,
    voting: str | None,
    notify_role: int | None,
    moderator_role: int | None,
    clear: str | None,
) -> Settings:
    """The settings with what was given changed. Raises InputError."""
    if voting is not None and voting not in set(VotingRule):
        raise InputError(f"voting is {voting!r}; it must be {' or '.join(VotingRule)}.")
    if clear is not None and clear not in CLEARABLE:
        raise InputError(f"clear is {clear!r}; it must be {' or '.join(CLEARABLE)}.")
    new = replace(
        now,
        vote_s=_number("vote_seconds", vote_seconds, VOTE_SECONDS_RANGE, now.vote_s),
        sentences=_number("sentences", sentences, SENTENCES_RANGE, now.sentences),
        quorum=_number("quorum", quorum, QUORUM_RANGE, now.quorum),
        rule=now.rule if voting is None else VotingRule(voting),
        notify_role=now.notify_role if notify_role is None else notify_role,
        moderator_role=now.moderator_role if moderator_role is None else moderator_role,
    )
    return new if clear is None else replace(new, **{clear: None})


CLEARABLE = ("notify_role", "moderator_role")
"""Settings that can be taken back to nothing."""


def _text(name: str, given: str, limit: int, least: int = 0) -> str:
    shown = legible(given)
    text = "" if is_blank(shown) else shown.strip()
    if least <= len(text) <= limit:
        return text
    if not text:
        raise InputError(f"The {name} is empty: say in up to {limit:,} characters what it is.")
    raise InputError(f"The {name} has {len(text):,} characters; it may have at most {limit:,}.")


def _number(name: str, given: int | None, within: range, default: int) -> int:
    if given is None:
        return default
    if given not in within:
        raise InputError(f"{name} is {given}; it must be from {within.start} to {within.stop - 1}.")
    return given
