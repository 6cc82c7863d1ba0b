"""What the channel is owed: given once, whatever fails, and never at the cost of something else."""

import asyncio

import pytest

from core.domain.story import Phase
from core.errors import RefusedError, StageUnavailableError
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House

AWAY = StageUnavailableError("503")


async def half_written(house: House) -> None:
    """A story whose second paragraph is being written."""
    await house.begin(vote_s=3600)
    house.stage.vote(CHANNEL, 1, 0)
    await house.teller.close(CHANNEL)
    await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)


# ── an end that isn't told yet ───────────────────────────────────────────────────────────────────


async def test_a_new_story_begins_behind_what_the_last_one_takes_back() -> None:
    """Else a withdrawal that comes late would take the new story's paragraphs back."""
    async with House() as house:
        await half_written(house)
        house.stage.fail = lambda _name: AWAY
        await house.teller.end(CHANNEL, "Mo")
        await house.clock.run_for(60)
        with pytest.raises(RefusedError, match="try again in a minute"):
            await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        house.stage.fail = lambda _name: None
        await house.begin()
        assert len(house.stage.said(CHANNEL)) == 1
        assert len(house.stage.story(CHANNEL)) == 2, "a turn of each story"
        await house.clock.run_for(3600)
        assert len(house.stage.story(CHANNEL)) == 2
        assert house.story().id.serial == 2


async def test_a_process_that_died_at_an_end_takes_nothing_from_the_next_story() -> None:
    house = House()
    async with house:
        await half_written(house)

        def dies(_name: str, _when: object) -> None:
            if house.story().phase is Phase.ENDED:
                raise asyncio.CancelledError

        house.world.interrupt = dies
        ending = asyncio.create_task(house.teller.end(CHANNEL, "Mo"))
        await house.when(lambda: house.story().phase is Phase.ENDED)
        await house.kill()
        await asyncio.gather(ending, return_exceptions=True)
    async with house.restarted() as again:
        await again.clock.run_for(2)
        await again.begin()
        await again.clock.run_for(30)
        pieces = again.lineage()[-1].pieces
        assert pieces
        assert all(again.stage.find(CHANNEL, piece) for piece in pieces)
        assert len(again.stage.story(CHANNEL)) == 2
