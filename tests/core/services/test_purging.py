"""Deleting everything of a story, a channel, a server: whatever it is doing, killed anywhere."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from core.domain.departures import a_channel, a_guild
from core.domain.story import Phase, StoryId
from core.errors import RefusedError, StoreUnavailableError
from core.ports import MessageKind
from core.services.purging import Kept
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House
from tests.core.services.test_privacy import ADA, OTHER_CHANNEL, OTHER_GUILD, pinned
from tests.fakes.store import When


async def two_servers(house: House) -> None:
    """A server with three stories, one of them over, and another server with one."""
    await house.begin()
    await pinned(house, ADA)
    await house.teller.end(CHANNEL, "Ada")
    await house.until(Phase.ENDED)
    await house.begin()
    await house.turn_over()
    await house.begin(CHANNEL + 5)
    await house.begin(OTHER_CHANNEL, OTHER_GUILD)
    await pinned(house, ADA, channel=OTHER_CHANNEL)


def holds(house: House) -> dict[str, object]:
    """What the store has of the other server, and whether it has anything of the first."""
    other = StoryId(OTHER_CHANNEL, 1)
    world = house.world
    assert set(world.stories) == {other}
    assert set(world.newest) == {OTHER_CHANNEL}
    for records in (world.turns, world.entries, world.places):
        assert {key[0] for key in records} == {other}
    return {"changes": dict(world.changes), "story": world.stories[other]}


async def test_a_server_is_deleted_whole_and_its_neighbour_not_touched() -> None:
    """Live stories and ended ones, with all their records; a mark of its loss goes too."""
    async with House() as house:
        await two_servers(house)
        await house.stations.departures.note(a_guild(GUILD), 1.0)
        await house.stations.departures.note(a_guild(OTHER_GUILD), 1.0)
        before = house.world.stories[StoryId(OTHER_CHANNEL, 1)]
        assert (await house.purging.kept_of_guild(GUILD)).turns == 4
        assert await house.purging.guild(GUILD) == 3
        assert holds(house) == {
            "changes": {before.id: house.world.changes[before.id]},
            "story": before,
        }
        assert house.world.lost == {a_guild(OTHER_GUILD): 1.0}
        assert await house.purging.guild(GUILD) == 0
        assert await house.purging.kept_of_guild(GUILD) == Kept()
        await house.turn_over(channel=OTHER_CHANNEL)


async def test_a_purge_that_was_killed_anywhere_is_finished_by_the_next() -> None:
    """Before and after every single call."""
    for stop in range(1, 200):
        async with House() as house:
            await two_servers(house)
            await house.stations.departures.note(a_guild(GUILD), 1.0)
            passed = 0

            def interrupt(_call: str, _when: When, stop: int = stop) -> None:
                nonlocal passed
                passed += 1
                if passed == stop:
                    raise StoreUnavailableError("killed here")

            # The wheel calls the store as well; here only the purge is to be killed.
            await house.stop()
            house.world.interrupt = interrupt
            try:
                await house.purging.guild(GUILD)
            except StoreUnavailableError:
                killed = True
            else:
                killed = False
            house.world.interrupt = lambda _call, _when: None
            if killed:
                left = [one for one in house.world.stories.values() if one.guild == GUILD]
                assert not left or a_guild(GUILD) in house.world.lost, "its mark goes last"
                await house.purging.guild(GUILD)
            holds(house)
            assert house.world.lost == {}
            if not killed:
                assert stop > 10, "it was killed at many places"
                return
    raise AssertionError("it never came to its end")


Stand = Callable[[House], Awaitable[None]]


async def streaming(house: House) -> None:
    """A paragraph is being written."""
    await house.begin()
    house.stage.vote(CHANNEL, 1, 0)
    await house.teller.close(CHANNEL)
    await house.when(lambda: len(house.stage.shown(CHANNEL, MessageKind.PROSE)) == 2)


async def asleep(house: House) -> None:
    await house.begin()
    await house.until(Phase.ASLEEP)


async def paused(house: House) -> None:
    await house.begin()
    await house.teller.pause(CHANNEL, "Ada")
    await house.until(Phase.PAUSED)


async def voting(house: House) -> None:
    await house.begin()


@pytest.mark.parametrize("stand", [streaming, asleep, paused, voting])
async def test_a_story_is_deleted_under_the_hands_of_a_running_bot(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    """Its worker is fenced and does nothing more; votes wake nobody; another story can begin."""
    async with House() as house:
        await stand(house)
        ballot = house.stage.shown(CHANNEL, MessageKind.BALLOT)[0].id
        await house.purging.story(house.story().id)
        shown = len(house.stage.shown(CHANNEL))
        house.stage.vote(CHANNEL, 1, 0)
        await house.teller.reacted(CHANNEL, ballot)
        await house.clock.run_for(600.0)
        assert house.world.stories == {}
        assert house.world.turns == {}
        assert len(house.stage.shown(CHANNEL)) == shown, "nothing was said any more"
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.until(Phase.VOTING)
        await house.turn_over()
        assert [turn.number for turn in house.lineage()] == [1, 2]
    faults = [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]
    assert not faults


async def test_a_story_that_others_take_at_the_same_moment_is_taken_again() -> None:
    """A moderator's command in between costs one more try, not the purge."""
    async with House() as house:
        story = await house.begin()
        once = asyncio.Event()

        def interrupt(call: str, when: When) -> None:
            if (call, when) == ("claim", When.AFTER) and not once.is_set():
                once.set()
                stored = house.world.stories[story.id]
                house.world.stories[story.id] = replace(stored, epoch=stored.epoch + 1)

        house.world.interrupt = interrupt
        await house.purging.story(story.id)
        assert house.world.stories == {}


async def test_a_channel_is_deleted_with_every_story_it_had() -> None:
    """And no other channel of its server."""
    async with House() as house:
        await two_servers(house)
        await house.stations.departures.note(a_channel(CHANNEL), 1.0)
        assert (await house.purging.kept_of_channel(CHANNEL)).changes == 1
        assert await house.purging.channel(CHANNEL) == 2
        assert {story.channel for story in house.world.stories} == {CHANNEL + 5, OTHER_CHANNEL}
        assert house.world.lost == {}


async def test_one_story_is_deleted_and_the_channel_points_to_what_is_left() -> None:
    """The newest story that is left is the channel's again."""
    async with House() as house:
        await two_servers(house)
        newest = house.story().id
        assert (await house.purging.kept_of_story(newest)).stories == (newest,)
        await house.purging.story(newest)
        assert await house.purging.kept_of_story(newest) == Kept()
        left = await house.store.current(CHANNEL)
        assert left is not None
        assert left.id == StoryId(CHANNEL, 1)
        await house.purging.story(newest)


async def test_a_server_where_stories_begin_all_the_time_is_given_up_with_a_sentence() -> None:
    """It doesn't run for ever."""
    async with House() as house:
        await house.begin()

        def interrupt(call: str, when: When) -> None:
            if (call, when) == ("purge", When.AFTER):
                story = last[0]
                house.world.stories[story.id] = story
                house.world.newest[story.id.channel] = story.id.serial

        last = [house.story()]
        house.world.interrupt = interrupt
        with pytest.raises(RefusedError, match="remove the bot from it first"):
            await house.purging.guild(GUILD)


async def test_a_worker_that_was_stopped_in_an_act_finds_its_story_deleted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What it showed can be compared with nothing, and that is no fault."""
    caplog.set_level(logging.INFO)
    async with House() as house:
        await streaming(house)

        def stopped(name: str) -> None:
            if name == "edit" and house.world.stories:
                house.clock.jump(60.0)
                house.world.stories.clear()
                house.world.newest.clear()

        house.stage.fail_after = stopped
        await house.clock.run_for(60.0)
        await house.clock.run_for(60.0)
    said = [record.getMessage() for record in caplog.records]
    assert any("was taken over in the middle of an act" in line for line in said)
    assert any("was deleted: there is nothing to compare" in line for line in said)
