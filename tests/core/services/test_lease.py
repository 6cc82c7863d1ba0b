"""The right to act on a story: kept by renewals, lost by silence, by force, by a stopped clock."""

import asyncio
from contextlib import suppress

import pytest

from core.domain.story import Phase, StoryId
from core.errors import (
    ChannelGoneError,
    FencedError,
    StageForbiddenError,
    StoreUnavailableError,
)
from core.ports import Announcement
from core.services.lease import Lease, LeasedStage, acting_under, finished
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


class DeafSchedule(FakeSchedule):
    """Takes no notice of a cancellation, as a library may."""

    def __init__(self, world: StoreWorld) -> None:
        super().__init__(world)
        self.asked = asyncio.Event()

    async def renew(self, story: StoryId, epoch: int, until: float) -> None:
        self.asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await super().renew(story, epoch, until)


async def test_a_held_lease_outlives_its_first_length() -> None:
    holding = Holding()
    lease = await holding.claim()
    async with lease.held():
        await holding.clock.run_for(10 * LENGTH_S)
        await lease.check()
    assert holding.world.stories[STORY].due == pytest.approx(lease.until)


async def test_a_lease_that_ran_out_is_taken_up_again_while_nobody_else_took_the_story() -> None:
    """A stop, or an outage of Redis, that was longer than the lease costs nothing."""
    holding = Holding()
    lease = await holding.claim()
    holding.clock.jump(LENGTH_S)
    assert lease.over
    await lease.check()
    assert not lease.over
    assert holding.world.stories[STORY].due == pytest.approx(lease.until)


async def test_a_lease_that_ran_out_is_lost_once_somebody_took_the_story() -> None:
    """And what was theirs stays: their lease isn't moved."""
    holding = Holding()
    lease = await holding.claim()
    holding.clock.jump(LENGTH_S)
    theirs = await holding.claim()
    with pytest.raises(FencedError, match="taken over"):
        await lease.check()
    assert holding.world.stories[STORY].due == theirs.until


async def test_while_redis_is_away_a_lease_that_ran_out_allows_nothing() -> None:
    holding = Holding()
    lease = await holding.claim()

    def lose(_call: str, _when: When) -> None:
        raise StoreUnavailableError("Redis is away.")

    holding.world.interrupt = lose
    await lease.check()
    holding.clock.jump(LENGTH_S)
    with pytest.raises(StoreUnavailableError):
        await lease.check()


async def test_an_act_that_ends_after_the_lease_is_known_to_have_overstepped() -> None:
    holding = Holding()
    lease = await holding.claim()
    async with lease.act():
        assert acting_under.get() is lease, "what sends the request can ask once more"
        holding.clock.jump(LENGTH_S / 2)
    assert acting_under.get() is None
    assert not lease.overstepped
    async with lease.act():
        holding.clock.jump(LENGTH_S)
    assert lease.overstepped


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


async def test_a_renewal_that_swallows_its_cancellation_keeps_no_lease() -> None:
    """The worker is done, so nobody else may be kept from the story, whatever a library does."""
    holding = Holding()
    holding.schedule = deaf = DeafSchedule(holding.world)
    lease = await holding.claim()

    async def work() -> None:
        async with lease.held():
            await deaf.asked.wait()

    worker = asyncio.create_task(work())
    await holding.clock.run_until(worker.done, 10 * LENGTH_S)
    await worker


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
        await lease.check()
    assert not lost


async def test_a_stopped_lease_lets_no_further_act_begin() -> None:
    holding = Holding()
    lease = await holding.claim()
    lease.stop()
    with pytest.raises(FencedError):
        await lease.check()


async def test_what_must_not_be_left_half_done_outlasts_every_cancellation() -> None:
    """A worker that stops is cancelled by whoever takes its story and by its lease, one by one."""
    clock = SteppedClock()
    ended: list[str] = []

    async def act() -> None:
        await clock.sleep(5.0)
        ended.append("whole")

    acting = asyncio.create_task(finished(act()))
    await clock.settle()
    for _ in range(3):
        acting.cancel()
        await clock.settle()
        assert not acting.done()
    await clock.run_until(acting.done)
    assert acting.cancelled()
    assert ended == ["whole"]


async def test_what_failed_after_a_cancellation_is_still_a_cancellation() -> None:
    clock = SteppedClock()

    async def act() -> None:
        await clock.sleep(5.0)
        raise StoreUnavailableError("Nobody waits for this any more.")

    acting = asyncio.create_task(finished(act()))
    await clock.settle()
    acting.cancel()
    await clock.run_until(acting.done)
    assert acting.cancelled()


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
