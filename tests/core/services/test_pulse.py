"""How the wheel says that it turns: when it last did, how late it is, how many it works on."""

from core.domain.story import Phase
from core.errors import RecordError, StageUnavailableError, StoreUnavailableError
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House


async def test_a_wheel_that_never_turned_says_so() -> None:
    pulse = House().teller.pulse
    assert (pulse.turned_s, pulse.workers) == (None, 0)


async def test_a_turning_wheel_looks_every_second_and_is_not_late() -> None:
    async with House() as house:
        await house.begin()
        await house.clock.run_for(5.0)
        pulse = house.teller.pulse
        assert pulse.turned_s is not None
        assert 0.0 <= pulse.turned_s <= 1.0
        assert (pulse.late_s, pulse.workers) == (0.0, 0)


async def test_stories_that_are_worked_on_are_counted() -> None:
    async with House() as house:
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.teller.start(CHANNEL + 1, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.when(lambda: len(house.narrator.contexts) == 2)
        assert house.teller.pulse.workers == 2


async def test_without_redis_the_wheel_still_turns() -> None:
    """It looks, and gets no answer: that is Redis's fault and is seen there."""
    async with House() as house:
        await house.begin()

        def away(_name: str, *_: object) -> None:
            raise StoreUnavailableError("Redis is away")

        house.world.interrupt = away
        await house.clock.run_for(30.0)
        pulse = house.teller.pulse
        assert pulse.turned_s is not None
        assert pulse.turned_s <= 1.0


async def test_a_wheel_that_is_held_up_shows_it() -> None:
    async with House() as house:
        await house.begin()
        house.clock.jump(300.0)
        assert house.teller.pulse.turned_s == 300.0


async def test_a_vote_that_should_have_been_counted_long_ago_makes_it_late() -> None:
    """A story that fails at each try is overdue by its deadline, and is left alone meanwhile."""
    async with House() as house:
        story = await house.begin()
        assert story.closes_at is not None
        house.stage.fail = lambda _name: StageUnavailableError("Discord is away")
        await house.clock.run_for(story.closes_at - house.clock.now() + 600.0)
        late_s = house.teller.pulse.late_s
        assert late_s > 0.0
        house.stage.fail = lambda _name: None
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.VOTING, number=2)
        await house.clock.run_for(2.0)
        assert house.teller.pulse.late_s == 0.0


async def test_what_is_due_at_once_is_late_since_it_was_first_seen() -> None:
    """Such a story names no time, so the wheel's own first look at it counts."""
    async with House() as house:

        def unreadable(name: str, *_: object) -> None:
            if name == "claim":
                raise RecordError("its state can't be read")

        house.world.interrupt = unreadable
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.clock.run_for(100.0)
        assert 90.0 <= house.teller.pulse.late_s <= 101.0
