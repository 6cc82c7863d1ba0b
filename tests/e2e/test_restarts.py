"""The bot dies in each phase of a story, and the next one carries on: every turn once.

How it dies is `World.die`'s business; votes and time go on while no bot is there.
"""

import asyncio

import pytest

from core.domain.story import Phase
from core.ports import MessageKind
from tests.e2e.endpoint import Kind, plan_title
from tests.e2e.world import LEASE_S, World, text_of

pytestmark = pytest.mark.redis

PREMISE = "Ormsay keeps a lighthouse."
WINDOW_S = 3600


async def _carries_on(world: World, number: int) -> None:
    """The next process takes over and tells turn ``number`` and one more."""
    await world.live_again()
    await world.rests(Phase.VOTING, number)
    await world.check_told_once()
    await world.turn_over(1)
    await world.check_told_once()


async def _begin_second_turn(world: World, **options: int) -> None:
    """One turn is told, and the count of its vote is on its way."""
    await world.start(PREMISE, **options)
    await world.vote(2, world.members[0])
    await world.ask(world.mira, "story close")


async def test_before_the_title_is_known(world: World) -> None:
    """Nothing was shown yet: the story opens as if nothing had been."""
    held = world.endpoint.hold(Kind.OPENING, 1)
    await world.ask(world.mira, "story start", premise=PREMISE)
    await held.reached.wait()
    await world.die()
    held.release()
    world.clock.leap(LEASE_S)
    await _carries_on(world, 1)
    assert len(world.endpoint.of("Ormsay", Kind.OPENING)) == 2


async def test_while_a_paragraph_is_written(world: World) -> None:
    """The same attempt begins anew in the very messages that stand there, over several of them."""
    held = world.endpoint.hold(Kind.PARAGRAPH, 2, sentences=36)
    await _begin_second_turn(world, sentences=40)
    await held.reached.wait()
    # Two messages of the first turn, two of the second, whose end is missing.
    await world.until(lambda: len(world.shown(kind=MessageKind.PROSE)) == 4)
    half = world.shown(kind=MessageKind.PROSE)
    await world.die()
    assert "day 2, stone 37" not in world.told()[-1]
    held.release()
    world.clock.leap(LEASE_S)
    await _carries_on(world, 2)
    assert [m.id for m in world.shown(kind=MessageKind.PROSE)][:4] == [m.id for m in half]
    assert [len(turn.pieces) for turn in await world.lineage()] == [2, 2, 2]
    plans = [asked.part("plan") for asked in world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)]
    assert len(plans) == 2
    assert all(plan.startswith(plan_title("Ormsay", 1, 2)) for plan in plans)


async def test_while_it_is_reflected_on(world: World) -> None:
    """The paragraph that members have read is neither paid nor written again."""
    held = world.endpoint.hold(Kind.REFLECTION, 2)
    await _begin_second_turn(world)
    await held.reached.wait()
    await world.until(lambda: len(world.told()) == 2)
    read = world.told()[-1]
    await world.die()
    held.release()
    world.clock.leap(LEASE_S)
    await _carries_on(world, 2)
    assert world.told()[1] == read
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 1
    assert len(world.endpoint.of("Ormsay", Kind.REFLECTION, 2)) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/channels/*/messages"), ("PUT", "*/reactions/*")],
    ids=["no ballot", "no reactions"],
)
async def test_while_it_is_published(world: World, method: str, path: str) -> None:
    """With and without a ballot in the channel: one ballot in the end, and a window of its own."""
    held = world.endpoint.hold(Kind.REFLECTION, 2)
    await _begin_second_turn(world)
    await held.reached.wait()
    await world.until(lambda: len(world.told()) == 2)
    world.env.inject_error(method, path, status=500, times=None)
    held.release()
    await world.until(lambda: any("Discord failed" in r.getMessage() for r in world.log.records))
    await world.die()
    assert (await world.story()).phase is Phase.PUBLISHING
    assert len(world.ballots()) == (1 if method == "POST" else 2)
    world.env.backend.faults.clear()
    world.clock.leap(WINDOW_S)
    since = world.clock.now()
    await world.live_again()
    story = await world.rests(Phase.VOTING, 2)
    assert story.closes_at is not None
    assert story.closes_at >= since + WINDOW_S, "an outage takes no vote's time"
    await world.check_told_once()
    await world.turn_over(1)
    await world.check_told_once()
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 1


async def test_while_members_vote(world: World) -> None:
    """Votes that were cast, changed and withdrawn while no bot was there count as they stand."""
    await world.start(PREMISE)
    ann, ben, cem = world.members
    await world.vote(0, ann)
    await world.vote(0, ben)
    await world.die()
    [ballot] = world.ballots()
    await ben.unreact(ballot, "1️⃣")
    await world.vote(1, ben)
    await world.vote(1, cem)
    world.clock.leap(WINDOW_S + LEASE_S)
    await world.live_again()
    await world.rests(Phase.VOTING, 2)
    [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
    assert written.part("plan").startswith(plan_title("Ormsay", 1, 1))
    assert "2️⃣ won · 3 voters" in text_of(world.ballots()[0])
    await world.check_told_once()


async def test_while_members_vote_and_the_deadline_is_far(world: World) -> None:
    """The deadline stays what the ballot says."""
    await world.start(PREMISE)
    before = await world.story()
    await world.die()
    await world.live_again()
    await world.vote(1, world.members[0])
    await asyncio.sleep(0.2)
    after = await world.rests(Phase.VOTING, 1)
    assert after.closes_at == before.closes_at
    await world.turn_over(1)
    await world.check_told_once()


async def _asleep(world: World) -> None:
    await world.start(PREMISE)
    world.clock.leap(WINDOW_S)
    await world.until(lambda: "extended once" in text_of(world.ballots()[0]))
    await world.rests(Phase.VOTING, 1)
    world.clock.leap(WINDOW_S)
    await world.rests(Phase.ASLEEP, 1)


async def test_while_it_sleeps_and_somebody_votes(world: World) -> None:
    """A vote that no bot saw wakes the story once there is one, for a full window."""
    await _asleep(world)
    await world.die()
    await world.vote(2, world.members[0])
    world.clock.leap(24 * 3600)
    since = world.clock.now()
    await world.live_again()
    story = await world.rests(Phase.VOTING, 1)
    assert story.closes_at is not None
    assert since + WINDOW_S <= story.closes_at <= world.clock.now() + WINDOW_S
    world.clock.leap(WINDOW_S)
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()


async def test_while_it_sleeps_and_nobody_votes(world: World) -> None:
    """It sleeps on; a reaction to the new bot wakes it."""
    await _asleep(world)
    await world.die()
    await world.live_again()
    await asyncio.sleep(0.3)
    await world.rests(Phase.ASLEEP, 1)
    await world.vote(2, world.members[0])
    await world.rests(Phase.VOTING, 1)
    await world.turn_over(2)
    await world.check_told_once()


async def test_while_it_is_paused(world: World) -> None:
    """It stays paused, with the time that the vote had left, until a moderator resumes it."""
    await world.start(PREMISE)
    closes_at = (await world.story()).closes_at
    assert closes_at is not None
    world.clock.leap(3000)
    most = closes_at - world.clock.now()
    await world.ask(world.mira, "story pause")
    least = closes_at - world.clock.now()
    await world.rests(Phase.PAUSED, 1)
    await world.die()
    world.clock.leap(24 * 3600)
    await world.live_again()
    await asyncio.sleep(0.2)
    await world.rests(Phase.PAUSED, 1)
    since = world.clock.now()
    await world.ask(world.mira, "story resume")
    story = await world.rests(Phase.VOTING, 1)
    assert story.closes_at is not None
    assert since + least <= story.closes_at <= world.clock.now() + most
    await world.turn_over(1)
    await world.check_told_once()


async def test_again_and_again(world: World) -> None:
    """Three deaths in one turn, in three phases, leave one turn."""
    writing = world.endpoint.hold(Kind.PARAGRAPH, 2)
    await _begin_second_turn(world)
    await writing.reached.wait()
    await world.until(lambda: len(world.told()) == 2)
    await world.die()
    world.clock.leap(LEASE_S)
    reflecting = world.endpoint.hold(Kind.REFLECTION, 2)
    await world.live_again()
    await reflecting.reached.wait()
    await world.die()
    world.clock.leap(LEASE_S)
    world.env.inject_error("PUT", "*/reactions/*", status=500, times=None)
    await world.live_again()
    await world.until(lambda: any("Discord failed" in r.getMessage() for r in world.log.records))
    await world.die()
    world.env.backend.faults.clear()
    world.clock.leap(LEASE_S)
    await _carries_on(world, 2)


async def test_a_stop_in_good_order_hands_the_story_on_at_once(world: World) -> None:
    """After SIGTERM nobody waits for a lease to run out."""
    held = world.endpoint.hold(Kind.PARAGRAPH, 2)
    await _begin_second_turn(world)
    await held.reached.wait()
    await world.until(lambda: len(world.told()) == 2)
    await world.stop()
    held.release()
    story = await world.story()
    assert story.phase is Phase.WRITING
    assert story.due is not None
    assert story.due <= world.clock.now()
    await _carries_on(world, 2)
