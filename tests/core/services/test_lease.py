"""The right to act on a story: kept by renewals, lost by silence, by force, by a stopped clock."""

import asyncio

import pytest

from core.domain.story import Phase, StoryId
from core.errors import (
    ChannelGoneError,
    FencedError,
    StageForbiddenError,
    StoreUnavailableError,
)
from core.ports import Announcement
from core.services.lease import Lease, LeasedStage
from tests.fakes.stage import FakeStage
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.store import FakeSchedule, FakeStoryStore, StoreWorld, When
from tests.fakes.stories import a_story

STORY = StoryId(900, 1)
LENGTH_S = 9.0


class Holding:
    """A story claimed by one worker on a stepped clock."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.world = StoreWorld()
        self.schedule = FakeSchedule(self.world)

    async def claim(self, *, force: bool = False) -> Lease:
        if not self.world.stories:
            begun = a_story(phase=Phase.WRITING, due=0.0)
            assert await FakeStoryStore(self.world).create(begun, "made")
        asked_at, until = self.clock.monotonic(), self.clock.now() + LENGTH_S
        story = await self.schedule.claim(STORY, self.clock.now(), until, force)
        return Lease(self.schedule, self.clock, STORY, story.epoch, LENGTH_S, asked_at, until)


async def test_a_held_lease_outlives_its_first_length() -> None:
    holding = Holding()
    lease = await holding.claim()
    async with lease.held():
        await holding.clock.run_for(10 * LENGTH_S)
        lease.check()
    assert holding.world.stories[STORY].due == pytest.approx(lease.until)


async def test_a_lease_that_nobody_renews_runs_out() -> None:
    holding = Holding()
    lease = await holding.claim()
    lease.check()
    holding.clock.jump(LENGTH_S)
    with pytest.raises(FencedError, match="ran out"):
        lease.check()


async def test_a_worker_whose_story_is_taken_by_force_ends_with_the_fence() -> None:
    """It isn't merely cancelled: whoever waits for it learns why."""
    holding = Holding()
    lease = await holding.claim()

    async def work() -> None:
        async with lease.held():
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await holding.clock.settle()
    await holding.claim(force=True)
    await holding.clock.run_until(working.done, LENGTH_S)
    with pytest.raises(FencedError, match="900:1"):
        await working


async def test_a_cancelled_worker_stays_cancelled() -> None:
    holding = Holding()
    lease = await holding.claim()

    async def work() -> None:
        async with lease.held():
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await holding.clock.settle()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_two_lost_renewals_are_survived() -> None:
    holding = Holding()
    lease = await holding.claim()
    lost = [StoreUnavailableError("Redis is away.")] * 2

    def lose(call: str, when: When) -> None:
        if call == "renew" and when is When.BEFORE and lost:
            raise lost.pop()

    holding.world.interrupt = lose
    async with lease.held():
        await holding.clock.run_for(3 * LENGTH_S)
        lease.check()
    assert not lost


async def test_a_stopped_lease_lets_no_further_act_begin() -> None:
    holding = Holding()
    lease = await holding.claim()
    lease.stop()
    with pytest.raises(FencedError):
        lease.check()


@pytest.mark.parametrize("error", [StageForbiddenError("no"), ChannelGoneError("gone")])
async def test_a_channel_that_refused_is_asked_nothing_more(
    error: StageForbiddenError | ChannelGoneError,
) -> None:
    """The breaker: the same refusal, without a request; but for the one last word."""
    holding = Holding()
    stage = FakeStage(holding.clock)
    lease = await holding.claim()
    leased = LeasedStage(stage, lease)
    stage.fail = lambda _name: error
    with pytest.raises(type(error)):
        await leased.signal(9)
    stage.fail = lambda _name: None
    for act in (
        lambda: leased.signal(9),
        lambda: leased.send(9, Announcement("x"), "n"),
        lambda: leased.edit(9, 1, Announcement("x")),
        lambda: leased.delete(9, 1),
        lambda: leased.own_messages(9, 0),
        lambda: leased.votes(9, 1, 3),
    ):
        with pytest.raises(type(error)):
            await act()
    assert stage.calls == ["typing"]
    await leased.last_word(9, Announcement("Why."), "n")
    assert stage.said(9) == ["Why."]
    lease.stop()
    with pytest.raises(FencedError):
        await leased.last_word(9, Announcement("More."), "m")
