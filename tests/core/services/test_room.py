"""A server has room for so many stories: they are counted before another begins."""

import asyncio
from dataclasses import replace

import pytest

from core.domain.story import Phase, StoryId
from core.errors import PhaseError, RefusedError
from core.services.room import Room
from core.services.storyteller import Storyteller
from tests.contracts.store_samples import a_story
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House
from tests.fakes.store import FakeCensus


def full_house(most: int) -> House:
    """A house whose servers have room for so many stories."""
    house = House()
    house.teller = Storyteller(house.stations, room=Room(FakeCensus(house.world), most))
    return house


async def start(house: House, channel: int, guild: int = GUILD) -> None:
    await house.teller.start(channel, guild, BRIEF, SETTINGS, house.stage.snowflake())


async def refusal(house: House, channel: int, guild: int = GUILD) -> str:
    with pytest.raises(RefusedError) as caught:
        await start(house, channel, guild)
    return str(caught.value)


async def test_a_full_server_takes_no_story_until_one_ends() -> None:
    """Others take theirs; the sentence says how many run and what makes room."""
    async with full_house(2) as house:
        await start(house, CHANNEL)
        await start(house, 901)
        assert await refusal(house, 902) == (
            "2 stories run in this server (sleeping and paused ones count), and this bot tells no "
            "more in one. /story end in one of their channels makes room."
        )
        assert house.world.newest.get(902) is None, "nothing of it is kept"
        await start(house, 903, GUILD + 1)
        await house.teller.end(CHANNEL, "Mo")
        await start(house, 902)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.ENDED])
async def test_every_story_that_goes_on_takes_room(phase: Phase) -> None:
    house = full_house(1)
    house.world.stories[StoryId(5, 1)] = replace(a_story(5, phase=phase), guild=GUILD)
    assert (await refusal(house, 901)).startswith("1 story runs in this server (")
    house.world.stories[StoryId(5, 1)] = replace(a_story(5, phase=Phase.ENDED), guild=GUILD)
    await start(house, 901)


async def test_of_starts_at_the_same_moment_only_as_many_as_fit_slip_past() -> None:
    house = full_house(3)
    starts = [start(house, channel) for channel in range(901, 911)]
    results = await asyncio.gather(*starts, return_exceptions=True)
    assert results.count(None) == 3
    assert all(isinstance(one, RefusedError) for one in results if one is not None)
    assert len(house.world.stories) == 3


async def test_a_channel_that_is_taken_says_so_first() -> None:
    house = full_house(1)
    await start(house, CHANNEL)
    with pytest.raises(PhaseError, match="runs in this channel already"):
        await start(house, CHANNEL)
