"""What is deleted when the bot was removed long ago, and all that must never delete anything."""

import asyncio
from contextlib import suppress

from core.domain.departures import DAY_S, a_channel, a_guild
from core.domain.story import PauseCause, Phase, StoryId
from core.services.sweeper import SWEEP_S
from tests.core.services.house import CHANNEL, GUILD, House
from tests.core.services.test_privacy import OTHER_CHANNEL, OTHER_GUILD
from tests.fakes.erasure import FakePresence

DAYS_S = 30 * DAY_S


async def swept(house: House, presence: FakePresence) -> None:
    """One sweep."""
    await house.finish(house.sweeper.sweep(presence))


def channels(house: House) -> set[int]:
    """Where stories are kept."""
    return {story.channel for story in house.world.stories}


async def told(house: House) -> None:
    """Two servers with a story each."""
    await house.begin()
    await house.begin(OTHER_CHANNEL, OTHER_GUILD)


async def test_a_server_is_deleted_when_the_days_since_its_removal_are_over() -> None:
    """Not before; until then its story rests and can go on."""
    async with House() as house:
        await told(house)
        away = FakePresence({OTHER_GUILD})
        await house.teller.left(GUILD)
        house.clock.jump(DAYS_S - 3600.0)
        await swept(house, away)
        assert channels(house) == {CHANNEL, OTHER_CHANNEL}
        assert away.asked == [], "nothing is asked about before its time"
        house.clock.jump(3600.0)
        await swept(house, away)
        assert channels(house) == {OTHER_CHANNEL}
        assert house.world.lost == {}


async def test_an_invitation_within_the_days_keeps_everything() -> None:
    """The story goes on, and a later removal counts from then."""
    async with House() as house:
        await told(house)
        await house.teller.left(GUILD)
        house.clock.jump(20 * DAY_S)
        await house.teller.changed(GUILD, house.looks_open)
        await house.clock.run_for(5.0)
        assert house.story().pause is None or house.story().pause.cause is not PauseCause.ABSENT  # type: ignore[union-attr]
        await house.teller.left(GUILD)
        house.clock.jump(20 * DAY_S)
        await swept(house, FakePresence({OTHER_GUILD}))
        assert channels(house) == {CHANNEL, OTHER_CHANNEL}


async def test_a_removal_while_the_process_was_down_counts_from_the_next_start() -> None:
    """Also of a server whose only story has ended."""
    async with House() as house:
        await told(house)
        await house.teller.end(CHANNEL, "Ada")
        await house.until(Phase.ENDED)
        await house.compare(GUILD)
        assert set(house.world.lost) == {a_guild(GUILD)}
        first = house.world.lost[a_guild(GUILD)]
        house.clock.jump(DAY_S)
        await house.compare(GUILD)
        assert house.world.lost == {a_guild(GUILD): first}, "the first time counts"
        house.clock.jump(DAYS_S)
        await swept(house, FakePresence({OTHER_GUILD}))
        assert channels(house) == {OTHER_CHANNEL}


async def test_an_outage_that_looks_like_removal_from_all_deletes_nothing() -> None:
    """The gateway named no server at all for a month: Discord itself is asked before each one."""
    async with House() as house:
        await told(house)
        await house.compare(GUILD, OTHER_GUILD)
        house.clock.jump(DAYS_S + DAY_S)
        here = FakePresence({GUILD, OTHER_GUILD})
        here.down = True
        await swept(house, here)
        assert channels(house) == {CHANNEL, OTHER_CHANNEL}
        assert set(house.world.lost) == {a_guild(GUILD), a_guild(OTHER_GUILD)}
        here.down = False
        await swept(house, here)
        assert channels(house) == {CHANNEL, OTHER_CHANNEL}
        assert house.world.lost == {}, "they are struck off, and the days begin anew"


async def test_a_server_that_is_seen_again_at_a_start_is_struck_off() -> None:
    """Whoever invited the bot while it was down."""
    async with House() as house:
        await told(house)
        await house.teller.left(GUILD)
        house.clock.jump(DAYS_S)
        await house.compare()
        assert house.world.lost == {}


async def test_an_invitation_in_the_middle_of_a_purge_keeps_what_is_left() -> None:
    """It is asked before each story."""
    async with House() as house:
        await told(house)
        await house.begin(CHANNEL + 1)
        await house.teller.left(GUILD)
        house.clock.jump(DAYS_S)

        def interrupt(call: str, when: object) -> None:
            del when
            if call == "purge":
                house.world.lost.clear()

        house.world.interrupt = interrupt
        await swept(house, FakePresence({OTHER_GUILD}))
        assert channels(house) == {CHANNEL + 1, OTHER_CHANNEL}


async def test_one_place_that_discord_is_silent_about_holds_up_no_other() -> None:
    """What isn't known waits; the rest is deleted."""

    class Odd(FakePresence):
        async def in_guild(self, guild: int) -> bool:
            self.down = guild == GUILD
            return await super().in_guild(guild)

    async with House() as house:
        await told(house)
        await house.compare(GUILD, OTHER_GUILD)
        house.clock.jump(DAYS_S)
        await swept(house, Odd())
        assert channels(house) == {CHANNEL}
        assert set(house.world.lost) == {a_guild(GUILD)}


async def test_a_deleted_channel_is_deleted_after_the_same_days() -> None:
    """Told by an event, whether its story goes on or is over; and met by a worker."""
    async with House() as house:
        await told(house)
        await house.begin(CHANNEL + 1)
        await house.begin(CHANNEL + 2)
        await house.teller.end(CHANNEL + 1, "Ada")
        await house.until(Phase.ENDED, CHANNEL + 1)
        for channel in (CHANNEL, CHANNEL + 1, CHANNEL + 77):
            await house.teller.deleted(channel)
        house.stage.closed.add(CHANNEL + 2)
        await house.until(Phase.ENDED, CHANNEL + 2)
        lost = {a_channel(channel) for channel in (CHANNEL, CHANNEL + 1, CHANNEL + 2)}
        assert set(house.world.lost) == lost, "of a channel without a story nothing is remembered"
        house.clock.jump(DAYS_S)
        gone = FakePresence({GUILD, OTHER_GUILD}, gone={CHANNEL, CHANNEL + 1})
        await swept(house, gone)
        assert channels(house) == {CHANNEL + 2, OTHER_CHANNEL}, "one is there after all"
        assert house.world.lost == {}


async def test_it_sweeps_at_once_and_then_every_hour_whatever_fails() -> None:
    """An outage of Redis or a fault ends one sweep and not the errand."""
    async with House() as house:
        await told(house)
        away = FakePresence({OTHER_GUILD})
        await house.stations.departures.note(a_guild(GUILD), house.clock.now() - DAYS_S)
        faults: list[Exception] = [RuntimeError("a fault of ours")]

        def interrupt(call: str, when: object) -> None:
            del when
            if call == "lost" and faults:
                raise faults.pop()

        house.world.interrupt = interrupt
        sweeping = asyncio.create_task(house.sweeper.run(away))
        await house.clock.run_for(10.0)
        assert channels(house) == {CHANNEL, OTHER_CHANNEL}
        await house.clock.run_for(SWEEP_S)
        assert channels(house) == {OTHER_CHANNEL}
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        assert house.world.stories[StoryId(OTHER_CHANNEL, 1)].guild == OTHER_GUILD
