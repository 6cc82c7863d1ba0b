"""Commands in a simulated Discord, over fake services: what is asked, what is answered, to whom.

SimCord keeps members from values that Discord would refuse, so ranges of numbers are tried in
test_requests; it has no nonces, no pages of reactions and no rate limits (test_stage has).
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import discord
import pytest
import simcord

from bot.cogs import forms
from bot.cogs.answers import Tree
from bot.cogs.requests import StartRules
from core.domain.spending import (
    PROCESS,
    Budgets,
    Caps,
    Price,
    Reservation,
    Spent,
    day_of,
    guild_account,
    story_account,
)
from core.domain.story import Brief, Memory, Settings
from core.errors import (
    BudgetSpentError,
    InputError,
    PhaseError,
    RefusedError,
    StoreUnavailableError,
    UncheckedError,
)
from tests.bot.fake_services import Cast, FakeStoryteller
from tests.fakes.spend_ledger import FakeSpendLedger
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.stories import a_story, a_turn

MODERATOR = discord.Permissions(manage_messages=True)


class World:
    """One server with one channel, a moderator and a member, around a bot over fakes."""

    def __init__(self, cast: Cast, env: simcord.Env) -> None:
        self.cast = cast
        self.env = env
        self.guild = env.create_guild("Harbour")
        cast.store.guild = self.guild.id
        self.channel = self.guild.create_text_channel("tale")
        role = self.guild.create_role("mods", permissions=MODERATOR, mentionable=True)
        self.mods = role
        self.mira = self.guild.add_member(env.create_user("mira"), roles=[role])
        self.ann = self.guild.add_member(env.create_user("ann"))

    @property
    def storyteller(self) -> FakeStoryteller:
        return self.cast.storyteller


@asynccontextmanager
async def playing(cast: Cast | None = None) -> AsyncGenerator[World]:
    """A world around a cast. Not a fixture: SimCord's clock belongs to the test's own context."""
    cast = cast or Cast()
    # Its check of errors takes every refusal for a fault of the bot.
    async with simcord.run(cast.bot(), shard_count=1, check_errors=False) as env:
        yield World(cast, env)


def said(result: simcord.InteractionResult) -> str:
    """The whole ephemeral answer; fails when anything of it was public."""
    shown = [message for message in (result.response, *result.followups) if message is not None]
    assert shown, "no answer"
    assert all(message.ephemeral for message in shown)
    return "\n".join(message.content for message in shown)


async def test_start_hands_on_what_was_asked() -> None:
    async with playing() as world:
        result = await world.mira.slash(
            world.channel,
            "story start",
            premise="A lighthouse.",
            genre="mystery",
            style="dry",
            language="Deutsch",
            vote_seconds=60,
            sentences=5,
            notify_role=world.mods,
        )
        assert "begins" in said(result)
        [(_, channel, guild, brief, settings, after)] = world.storyteller.asked("start")
        assert (channel, guild) == (world.channel.id, world.guild.id)
        assert brief == Brief("A lighthouse.", "mystery", "dry", "Deutsch")
        assert settings == Settings(60, 5, notify_role=world.mods.id)
        assert isinstance(after, int)
        assert after > world.channel.id


async def test_start_without_options_takes_the_operators_defaults() -> None:
    rules = StartRules(frozenset(), Settings(900, 7), "Deutsch")
    async with playing(Cast(rules=rules)) as world:
        await world.mira.slash(world.channel, "story start", premise="A lamp.")
        [(_, _, _, brief, settings, _)] = world.storyteller.asked("start")
        assert settings == Settings(900, 7)
        assert isinstance(brief, Brief)
        assert brief.language == "Deutsch"


@pytest.mark.parametrize("command", ["start", "close", "pause", "resume", "end"])
async def test_what_changes_a_story_is_for_moderators(command: str) -> None:
    async with playing() as world:
        options = {"premise": "A lamp."} if command == "start" else {}
        result = await world.ann.slash(world.channel, f"story {command}", **options)
        assert "Manage Messages" in said(result)
        assert world.storyteller.asked(command) == []


@pytest.mark.parametrize("premise", [" ", "x" * 5000])
async def test_a_bad_premise_is_told_and_changes_nothing(premise: str) -> None:
    async with playing() as world:
        result = await world.mira.slash(world.channel, "story start", premise=premise)
        assert "premise" in said(result)
        assert world.storyteller.asked("start") == []


@pytest.mark.parametrize(
    "refusal", [InputError("It can't be told here."), UncheckedError("It can't be checked.")]
)
async def test_a_premise_that_is_refused_is_handed_back(refusal: RefusedError) -> None:
    """Whoever wrote it needn't write it again; nobody else reads it."""
    async with playing() as world:
        world.storyteller.error = refusal
        result = await world.mira.slash(world.channel, "story start", premise="A lamp.")
        assert said(result) == f"{refusal} Nothing was changed.\n\n**You wrote**\nA lamp."
        assert world.channel.history() == []


async def test_a_server_that_is_not_allowed_is_told_its_id() -> None:
    async with playing(Cast(rules=StartRules(frozenset({1}), Settings(), "English"))) as world:
        result = await world.mira.slash(world.channel, "story start", premise="A lamp.")
        assert str(world.guild.id) in said(result)
        assert world.storyteller.asked("start") == []


async def test_each_permission_that_the_bot_lacks_is_named() -> None:
    async with playing() as world:
        me = world.guild.me
        assert me is not None
        closed = world.guild.create_text_channel(
            "closed",
            overwrites={
                world.guild.default_role: discord.PermissionOverwrite(
                    add_reactions=False, read_message_history=False
                )
            },
        )
        result = await world.mira.slash(closed, "story start", premise="A lamp.")
        assert "Read Message History, Add Reactions" in said(result)
        assert world.storyteller.asked("start") == []


async def test_a_refusal_is_shown_in_its_own_words() -> None:
    async with playing() as world:
        world.storyteller.error = PhaseError("A story runs in this channel already.")
        result = await world.mira.slash(world.channel, "story start", premise="A lamp.")
        assert said(result) == "A story runs in this channel already."


async def test_a_fault_is_an_incident_that_the_log_knows(caplog: pytest.LogCaptureFixture) -> None:
    async with playing() as world:
        world.storyteller.error = ValueError("secret detail")
        with caplog.at_level(logging.ERROR):
            result = await world.mira.slash(world.channel, "story pause")
        answer = said(result)
        assert "secret detail" not in answer
        incident = answer.rstrip(".").split()[-1]
        assert len(incident) == 8
        [record] = [record for record in caplog.records if incident in record.getMessage()]
        assert record.exc_info is not None
        assert "secret detail" in str(record.exc_info[1])


async def test_an_outage_says_to_try_again() -> None:
    async with playing() as world:
        world.storyteller.error = StoreUnavailableError("Redis is away")
        result = await world.ann.slash(world.channel, "story status")
        assert "try again in a minute" in said(result)


async def test_status_is_for_everyone() -> None:
    async with playing() as world:
        shown = said(await world.ann.slash(world.channel, "story status"))
        assert "The Salt Clock" in shown
        assert "A vote is running." in shown


async def test_moderators_close_pause_resume_and_end() -> None:
    async with playing() as world:
        assert "1️⃣ won (3 voters)" in said(await world.mira.slash(world.channel, "story close"))
        assert "Paused" in said(await world.mira.slash(world.channel, "story pause"))
        assert "a vote is running" in said(await world.mira.slash(world.channel, "story resume"))
        assert "ended" in said(await world.mira.slash(world.channel, "story end"))
        channel = world.channel.id
        assert [
            call
            for call in world.storyteller.calls
            if call[0] not in {"run", "compare", "reconcile", "changed"}
        ] == [
            ("close", channel),
            ("pause", channel, "mira"),
            ("resume", channel),
            ("end", channel, "mira"),
        ]


async def test_a_long_memory_comes_in_pages_with_buttons() -> None:
    """Each page stands alone; the buttons lead on, and what they name is served by the press."""
    async with playing() as world:
        text = " ".join(f"Fact number {n} is remembered." for n in range(150))
        world.cast.store.story = replace(a_story(), memory=Memory(text, 1))
        result = await world.ann.slash(world.channel, "memory show")
        assert "Fact number 0 " in said(result)
        assert "Fact number 149 " not in said(result)


async def test_a_search_of_an_empty_memory_says_so() -> None:
    async with playing() as world:
        assert "empty" in said(await world.ann.slash(world.channel, "memory search", query="door"))


async def test_only_a_turn_that_ends_a_chapter_shows_one() -> None:
    story = a_story()
    assert len(forms.turn_form(story, a_turn(number=9)).children) == 2
    assert len(forms.turn_form(story, a_turn(number=10)).children) == 3


async def test_an_empty_ledger_says_so() -> None:
    async with playing() as world:
        shown = said(await world.ann.slash(world.channel, "memory facts"))
        assert shown == "The ledger has no facts of turn 1."
        shown = said(await world.ann.slash(world.channel, "memory facts", about="Mira"))
        assert shown == "The ledger is empty so far."


async def test_no_story_is_a_sentence() -> None:
    async with playing() as world:
        world.cast.store.story = None
        assert "no story" in said(await world.ann.slash(world.channel, "memory show"))
        assert "no story" in said(await world.mira.slash(world.channel, "memory edit"))
        assert "Manage Messages" in said(await world.ann.slash(world.channel, "memory edit"))


async def test_threads_and_forum_posts_have_stories_of_their_own() -> None:
    async with playing() as world:
        bot_channel = world.env.bot.get_channel(world.channel.id)
        assert isinstance(bot_channel, discord.TextChannel)
        await bot_channel.create_thread(name="aside", type=discord.ChannelType.public_thread)
        [thread] = world.channel.threads
        await world.mira.slash(thread, "story start", premise="A lamp.")
        [(_, channel, *_)] = world.storyteller.asked("start")
        assert channel == thread.id


async def test_commands_that_come_during_a_stop_are_turned_away() -> None:
    async with playing() as world:
        tree = world.env.bot.tree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        assert isinstance(tree, Tree)
        tree.stopping = True
        result = await world.ann.slash(world.channel, "story status")
        assert "restarting" in said(result)
        assert world.storyteller.asked("status") == []


async def test_presses_that_come_during_a_stop_are_turned_away() -> None:
    """A button that would take a story does nothing any more."""
    async with playing() as world:
        question = await world.mira.slash(world.channel, "story delete")
        assert question.response is not None
        tree = world.env.bot.tree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        assert isinstance(tree, Tree)
        tree.stopping = True
        pressed = await world.mira.click(question.response.message, label="Delete it for good")
        assert "restarting" in said(pressed)
        assert world.cast.world.stories


async def test_status_tells_what_today_has_cost() -> None:
    """In dollars where models have prices; nothing where nothing is paid for."""
    prices = {"writer": Price(2, 8)}
    cast = Cast(budgets=Budgets(story=Caps(None, 500_000), prices=prices))
    async with playing(cast) as world:
        story = world.storyteller.story
        paid = (PROCESS, guild_account(story.guild), story_account(str(story.id)))
        made = Reservation("call", "writer", Spent(), day_of(SteppedClock().now()), paid)
        ledger = FakeSpendLedger(cast.world)
        await ledger.settle(made, Spent(12_400, 31_000), Budgets())
        shown = said(await world.ann.slash(world.channel, "story status"))
        assert shown.splitlines()[2] == (
            "Today (UTC): this story 12,400 tokens, about $0.03 of $0.50; this server 12,400 "
            "tokens, about $0.03."
        )
    async with playing() as world:
        assert "Today" not in said(await world.ann.slash(world.channel, "story status"))


async def test_a_change_is_told_as_made_though_its_traces_cant_be_looked_for() -> None:
    """The budget ends between the change and the look for what else tells the same."""
    async with playing() as world:
        form = await world.mira.slash(world.channel, "memory amend", turn=1)

        def spent(_texts: Sequence[str]) -> None:
            if len(world.cast.embedder.asked) > 1:
                raise BudgetSpentError("This server has spent its budget.", 1.8e9)

        world.cast.embedder.fail = spent
        fields = {"text": "They met at the lamp.", "facts": ""}
        shown = said(await world.mira.submit_modal(form, fields))
        assert shown.splitlines() == [
            "What is remembered of turn 1 is changed: recall finds it so.",
            "Where else it is told can't be looked up now: This server has spent its budget.",
        ]
