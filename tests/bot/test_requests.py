"""What commands were given: every bad value is a sentence, and nothing is trusted."""

from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.cogs.requests import (
    PREMISE_LENGTH,
    StartRules,
    brief_of,
    require_allowed,
    require_mentionable,
    require_own_permissions,
    settings_of,
)
from core.domain.story import Settings, VotingRule
from core.errors import InputError, RefusedError

RULES = StartRules(frozenset({7}), Settings(900, 12, VotingRule.SINGLE, 3), "Deutsch")


def test_what_is_not_said_comes_from_the_rules() -> None:
    brief = brief_of("  A lamp. ", "", "", "", RULES)
    assert (brief.premise, brief.language, brief.title) == ("A lamp.", "Deutsch", "")
    assert settings_of(None, None, None, RULES) == RULES.settings


def test_what_is_said_wins() -> None:
    assert brief_of("p", "noir", "dry", "English", RULES).genre == "noir"
    settings = settings_of(5, 3, 99, RULES)
    assert settings == Settings(5, 3, VotingRule.SINGLE, 3, 99)


@pytest.mark.parametrize("premise", ["", " \n ", "x" * (PREMISE_LENGTH + 1), "x" * 5000])
def test_a_premise_is_one_to_two_thousand_characters(premise: str) -> None:
    with pytest.raises(InputError, match="premise") as caught:
        brief_of(premise, "", "", "", RULES)
    assert f"{PREMISE_LENGTH:,}" in str(caught.value)


@pytest.mark.parametrize(
    ("vote", "sentences", "named"),
    [
        (4, None, "vote_seconds is 4"),
        (604_801, None, "604800"),
        (-1, None, "-1"),
        (None, 2, "sentences is 2"),
        (None, 41, "from 3 to 40"),
    ],
)
def test_numbers_out_of_range_are_refused_with_the_range(
    vote: int | None, sentences: int | None, named: str
) -> None:
    with pytest.raises(InputError, match=named):
        settings_of(vote, sentences, None, RULES)


def test_only_allowed_guilds_may_start_and_an_empty_list_allows_all() -> None:
    require_allowed(7, RULES)
    require_allowed(8, StartRules(frozenset(), Settings(), "English"))
    with pytest.raises(RefusedError, match="8"):
        require_allowed(8, RULES)


def test_each_missing_permission_is_named() -> None:
    with pytest.raises(RefusedError) as caught:
        require_own_permissions(discord.Permissions(send_messages=True), thread=False)
    for name in ("View Channel", "Read Message History", "Add Reactions"):
        assert name in str(caught.value)
    assert "Send Messages" not in str(caught.value)


def test_a_thread_asks_for_its_own_permission() -> None:
    held = discord.Permissions(
        view_channel=True, send_messages=True, read_message_history=True, add_reactions=True
    )
    require_own_permissions(held, thread=False)
    with pytest.raises(RefusedError, match="Send Messages in Threads"):
        require_own_permissions(held, thread=True)


def test_an_administrator_lacks_nothing() -> None:
    require_own_permissions(discord.Permissions(administrator=True), thread=True)


def a_role(guild: int, **fields: object) -> discord.Role:
    """A role as Discord resolves it for a command."""
    data: dict[str, object] = {
        "id": "5",
        "name": "r",
        "permissions": "0",
        "position": 1,
        "colors": {},
        **fields,
    }
    place = SimpleNamespace(id=guild)
    return discord.Role(guild=cast(Any, place), state=cast(Any, None), data=cast(Any, data))


def test_only_who_may_mention_a_role_has_the_bot_mention_it() -> None:
    """Else a moderator had the bot, which may mention more, ring where they may not."""
    nothing, everything = discord.Permissions(), discord.Permissions(mention_everyone=True)
    require_mentionable(a_role(1, mentionable=True), nothing)
    require_mentionable(a_role(1), everything)
    require_mentionable(a_role(1), discord.Permissions(administrator=True))
    for role, given, why in (
        (a_role(1), nothing, "can't be mentioned"),
        (a_role(5, mentionable=True), everything, "@everyone"),
        (discord.Object(5), everything, "no role of this server"),
    ):
        with pytest.raises(InputError, match=why):
            require_mentionable(role, given)
