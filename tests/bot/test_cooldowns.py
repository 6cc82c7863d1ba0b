"""The pause between a member's commands that cost, and where it is asked for."""

import pytest

from bot.cogs.cooldowns import Cooldowns
from tests.bot.fake_services import Cast
from tests.bot.test_cogs import playing, said

WAIT = "This costs a little each time, so there is a pause in between: try again in "


class TestCooldowns:
    def test_who_was_just_there_waits_the_rest(self) -> None:
        cooldowns = Cooldowns(5)
        assert cooldowns.take(1, 7, 100.0) == 0
        assert cooldowns.take(1, 7, 101.5) == 3.5
        assert cooldowns.take(1, 7, 104.5) == 0.5, "asking in vain makes it no longer"
        assert cooldowns.take(1, 7, 105.5) == 0
        assert cooldowns.take(1, 7, 106.0) == 4.5

    def test_each_member_of_each_server_has_a_pause_of_their_own(self) -> None:
        cooldowns = Cooldowns(5)
        assert [cooldowns.take(*who, 100.0) for who in ((1, 7), (1, 8), (2, 7))] == [0, 0, 0]

    def test_without_a_pause_nobody_waits(self) -> None:
        cooldowns = Cooldowns(0)
        assert [cooldowns.take(1, 7, 100.0) for _ in range(3)] == [0, 0, 0]

    def test_pauses_that_are_over_are_forgotten(self) -> None:
        cooldowns = Cooldowns(5)
        for member in range(1000):
            cooldowns.take(1, member, 100.0 + member)
        assert len(cooldowns.pauses) <= 6


COSTLY: dict[str, tuple[str, dict[str, object]]] = {
    "start": ("story start", {"premise": "A lamp."}),
    "retry": ("story retry", {}),
    "search": ("memory search", {"query": "lamp"}),
    "facts about": ("memory facts", {"about": "lamp"}),
    "amend": ("memory amend", {"turn": 1}),
    "export": ("story export", {}),
}


@pytest.mark.parametrize("named", COSTLY)
async def test_a_command_that_costs_is_refused_for_a_while_after_another(named: str) -> None:
    """Whichever came first; a member beside them needn't wait."""
    command, options = COSTLY[named]
    async with playing(Cast(cooldown_s=60)) as world:
        first = await world.mira.slash(world.channel, "memory search", query="lamp")
        assert WAIT not in said(first)
        result = await world.mira.slash(world.channel, command, **options)
        assert said(result).startswith(WAIT)
        assert said(result).removeprefix(WAIT).split(" ")[1] == "seconds."
        assert world.storyteller.asked("start") == []
        other = await world.ann.slash(world.channel, "memory search", query="lamp")
        assert WAIT not in said(other)


@pytest.mark.parametrize("named", ["search", "retry"])
async def test_a_command_that_costs_begins_a_pause(named: str) -> None:
    command, options = COSTLY[named]
    async with playing(Cast(cooldown_s=60)) as world:
        await world.mira.slash(world.channel, command, **options)
        again = await world.mira.slash(world.channel, "memory search", query="lamp")
        assert said(again).startswith(WAIT)


async def test_what_costs_nothing_neither_waits_nor_makes_wait() -> None:
    async with playing(Cast(cooldown_s=60)) as world:
        free: list[tuple[str, dict[str, object]]] = [
            ("story status", {}),
            ("memory show", {}),
            ("memory facts", {}),
            ("recap", {}),
            ("memory pin", {"text": "The lamp is cold."}),
        ]
        for _ in range(2):
            for command, options in free:
                result = await world.mira.slash(world.channel, command, **options)
                assert WAIT not in said(result), command
        result = await world.mira.slash(world.channel, "memory search", query="lamp")
        assert WAIT not in said(result)
        for command, options in free[:2]:
            assert WAIT not in said(await world.mira.slash(world.channel, command, **options))


async def test_who_mistyped_something_or_may_not_needn_t_wait() -> None:
    async with playing(Cast(cooldown_s=60)) as world:
        await world.mira.slash(world.channel, "story start", premise=" ")
        result = await world.mira.slash(world.channel, "story start", premise="A lamp.")
        assert "begins" in said(result)
        await world.ann.slash(world.channel, "story retry")
        assert WAIT not in said(await world.ann.slash(world.channel, "memory search", query="a"))
