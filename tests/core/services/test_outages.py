"""Redis away while stories are told, and a stage that something old has reached."""

import pytest

from core.domain.story import Phase
from core.errors import StoreUnavailableError
from core.ports import MessageKind, Prose
from core.services.lease import Lease
from core.services.publishing import restage
from core.services.run import PATIENCE_S, Run
from core.services.wheel import LONGEST_STORE_WAIT_S
from tests.core.services.house import CHANNEL, House
from tests.fakes.store import When


class Away:
    """Some calls of the store fail, until it is back."""

    def __init__(self, house: House, *calls: str) -> None:
        self._house = house
        self._calls = calls
        self.failed = 0
        house.world.interrupt = self._fail

    def back(self) -> None:
        self._house.world.interrupt = lambda _call, _when: None

    def _fail(self, call: str, when: When) -> None:
        if when is When.BEFORE and (call in self._calls or not self._calls):
            self.failed += 1
            raise StoreUnavailableError("Redis is away.")


@pytest.mark.parametrize("away_s", [1.0, 60.0, PATIENCE_S / 2])
async def test_a_paragraph_that_was_paid_for_waits_for_redis(away_s: float) -> None:
    """It is committed as it was read, however much longer than its lease that takes."""
    house = House()
    async with house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
        away = Away(house)
        await house.clock.run_for(away_s)
        away.back()
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()
        assert len(house.narrator.contexts) == 2


async def test_all_stories_go_on_as_soon_as_redis_takes_changes_again() -> None:
    """Nobody waits out a pause that grew during the outage; and few ask meanwhile."""
    house = House()
    channels = range(CHANNEL, CHANNEL + 20)
    async with house:
        for channel in channels:
            await house.begin(channel)
        for channel in channels:
            house.stage.vote(channel, 1, 0)
        away = Away(house, "claim")
        await house.clock.run_for(3600.0)
        assert away.failed <= len(channels) * (3600 / LONGEST_STORE_WAIT_S + 5)
        away.back()
        before = house.clock.monotonic()
        for channel in channels:
            await house.until(Phase.VOTING, channel, 2)
            house.check_told_once(channel)
        assert house.clock.monotonic() - before < 3 * LONGEST_STORE_WAIT_S


async def test_a_request_during_an_outage_is_answered_at_once() -> None:
    """It doesn't wait for Redis as a worker does: somebody waits for the answer."""
    house = House()
    async with house:
        await house.begin()
        Away(house, "commit")
        before = house.clock.monotonic()
        with pytest.raises(StoreUnavailableError):
            await house.teller.pause(CHANNEL, "Mo")
        assert house.clock.monotonic() - before < 1.0


async def taken(house: House) -> Run:
    """A worker that has taken the house's story by force."""
    clock, schedule = house.clock, house.stations.schedule
    until = clock.now() + 9.0
    story = await schedule.claim(house.story().id, clock.now(), until, force=True)
    lease = Lease(schedule, clock, story.id, story.epoch, 9.0, clock.monotonic(), until)
    return Run(house.stations, lease, story)


async def test_a_stage_that_old_acts_have_reached_is_made_as_it_is_stored() -> None:
    """Old words over new ones, a ballot of before, a message that no turn knows."""
    house = House()
    async with house:
        await house.begin()
        await house.turn_over()
        await house.turn_over()
    shown = house.stage.shown(CHANNEL)
    ballots = house.stage.shown(CHANNEL, MessageKind.BALLOT)
    words = [message for message in shown if message.kind is MessageKind.PROSE]
    await house.stage.edit(CHANNEL, words[1].id, Prose("An old half of it."))
    await house.stage.edit(CHANNEL, words[2].id, Prose("An old half of it."))
    await house.stage.edit(CHANNEL, ballots[1].id, ballots[1].edits[0])
    await house.stage.send(CHANNEL, Prose("It comes too late."), "late")
    with pytest.raises(AssertionError):
        house.check_told_once()
    await restage(await taken(house), since=2)
    house.check_told_once()


async def test_a_stage_is_compared_no_further_back_than_asked_for() -> None:
    house = House()
    async with house:
        await house.begin()
        await house.turn_over()
    first = house.stage.shown(CHANNEL, MessageKind.PROSE)[0]
    await house.stage.edit(CHANNEL, first.id, Prose("Another text."))
    await restage(await taken(house), since=2)
    assert house.stage.story(CHANNEL)[0] == "Another text."


async def test_what_a_story_at_work_shows_is_left_to_whoever_works_on_it() -> None:
    house = House()
    async with house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
    before = house.stage.story(CHANNEL)
    run = await taken(house)
    assert run.story.phase is Phase.WRITING
    await restage(run, since=1)
    assert house.stage.story(CHANNEL) == before
