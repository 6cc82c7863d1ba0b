"""Budgets, the room for stories and the pause between commands, on the whole bot."""

from datetime import UTC, datetime

import pytest

from core.adapters import redis_keys as keys
from core.domain.story import PauseCause, Phase
from tests.adapters.redis_raw import raw_client
from tests.e2e.conftest import Opener
from tests.e2e.endpoint import MODEL, TOKENS, Kind
from tests.e2e.test_desk import opened, pressed, said, submitted
from tests.e2e.world import World
from tests.fakes.scaled_clock import ScaledClock

pytestmark = pytest.mark.redis

PREMISE, OTHER = "Ormsay keeps a lighthouse.", "Quillon looks for a door."
EVENING = datetime(2026, 5, 4, 20, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 5, 5, tzinfo=UTC).timestamp()
DAY = "2026-05-04"
PRICES = f"{MODEL}=1/5"
"""A request of 100 tokens and 20 back costs 200 micro-dollars."""


def plain(sentence: str) -> str:
    """What members read of it."""
    return sentence.removeprefix("-# ").replace("\\", "")


async def vote_and_close(world: World) -> None:
    await world.vote(0, world.members[0])
    await world.ask(world.mira, "story close")


async def test_a_story_is_warned_pauses_with_its_budget_and_goes_on_at_midnight(
    world_of: Opener,
) -> None:
    """Its neighbour isn't touched; status tells what today has cost and of how much."""
    clock = ScaledClock(start=EVENING)
    settings = {"STORY_DAILY_COST_CAP": "0.0012", "PRICES": PRICES}
    async with world_of(clock=clock, **settings) as world:
        await world.start(PREMISE)
        assert world.said() == []
        await world.turn_over(0)
        await world.until(world.said)
        [warning] = world.said()
        assert plain(warning) == (
            "For moderators: this story has spent 83 % of its budget for today ($0.001 of "
            "$0.0012). When all of it is spent, it pauses until the UTC day turns, at 00:00."
        )
        await vote_and_close(world)
        story = await world.rests(Phase.PAUSED, 2)
        assert story.pause is not None
        assert (story.pause.cause, story.pause.until) == (PauseCause.BUDGET, MIDNIGHT)
        assert plain(world.said()[1]) == (
            "This story has spent its budget for today ($0.0012 of $0.0012): it goes on when the "
            "UTC day turns, at 00:00."
        )
        status = await world.ask(world.members[0], "story status")
        used = f"this story {6 * TOKENS} tokens, about $0.0012 of $0.0012"
        assert f"Today (UTC): {used}; this server {6 * TOKENS} tokens, about $0.0012." in status

        neighbour = world.guild.create_text_channel("second")
        await world.start(OTHER, neighbour)
        clock.leap(MIDNIGHT - clock.now())
        await world.rests(Phase.VOTING, 3)
        await world.check_told_once()
        status = await world.ask(world.members[0], "story status")
        assert f"Today (UTC): this story {TOKENS} tokens" in status


async def test_a_servers_budget_is_its_own(world_of: Opener) -> None:
    """Both of its stories pause; the one of another server is told on."""
    clock = ScaledClock(start=EVENING)
    async with world_of(clock=clock, GUILD_DAILY_TOKEN_CAP=str(6 * TOKENS)) as world:
        second = world.guild.create_text_channel("second")
        await world.start(PREMISE)
        await world.start(OTHER, second)
        elsewhere = world.settle("Elsewhere").guild.create_text_channel("tale")
        await world.start("Ormsay sails.", elsewhere)
        await vote_and_close(world)
        await world.rests(Phase.PAUSED, 1)
        assert "This server has spent its budget for today" in world.said()[-1]
        status = await world.ask(world.members[0], "story status", second)
        assert f"this server {6 * TOKENS} of {6 * TOKENS} tokens" in status
        await world.turn_over(0, elsewhere)


async def test_what_a_killed_process_had_asked_for_stays_counted(world_of: Opener) -> None:
    """Its request may have been answered; the paragraph is paid for once more beside it."""
    clock = ScaledClock(start=EVENING)
    async with world_of(clock=clock) as world:
        await world.start(PREMISE)
        held = world.endpoint.hold(Kind.PARAGRAPH, 2)
        await vote_and_close(world)
        await world.until(held.reached.is_set)
        await world.die()
        held.release()
        await world.live_again()
        await world.rests(Phase.VOTING, 2)
        async with raw_client(world.redis.url) as client:
            kept = await client.hgetall(keys.spend(DAY))
        calls = [value.split() for name, value in kept.items() if name.startswith(b"call:")]
        still_open = [int(tokens) for state, tokens, _ in calls if state == b"open"]
        assert len(still_open) == 1
        assert still_open[0] > 1000
        assert len(calls) == 6
        total = sum(int(tokens) for _, tokens, _ in calls)
        assert int(kept[b"total"]) == total == still_open[0] + 5 * TOKENS


async def test_a_server_that_is_full_takes_no_further_story(world_of: Opener) -> None:
    async with world_of(STORIES_PER_GUILD="1") as world:
        await world.start(PREMISE)
        second = world.guild.create_text_channel("second")
        answer = await world.ask(world.mira, "story start", second, premise=OTHER)
        assert answer.startswith("1 story runs in this server")
        assert "/story end in one of their channels makes room." in answer
        await world.ask(world.mira, "story end")
        await world.start(OTHER, second)


async def test_a_press_that_costs_waits_like_a_command(world_of: Opener) -> None:
    """The paragraph is edited, and reflected on again only when the pause is over."""
    async with world_of(COMMAND_COOLDOWN_SECONDS="3600") as world:
        await world.start(PREMISE)
        form = await opened(world, world.mira, "story edit")
        done = await submitted(world, world.mira, form, text="Ormsay slept through day 1.")
        refused = await pressed(world, world.mira, done, "Reflect on it again")
        assert "This costs a little each time" in said(refused)
        assert len(world.endpoint.of("Ormsay", Kind.REFLECTION, 1)) == 1
