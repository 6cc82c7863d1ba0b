"""The wheel's patience: how long a story that failed is left alone, and when it is given up."""

import logging

import pytest

from core.domain.lifecycle import AT_ONCE
from core.domain.story import Phase
from core.errors import RecordError, StageUnavailableError, TalewheelError
from core.services.wheel import GIVE_UP_AFTER, UNREADABLE_WAIT_S
from tests.core.services.house import CHANNEL, House
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.store import When


class TwoClocks(SteppedClock):
    """A wall clock that can be set, beside a monotonic one."""

    set_by_s = 0.0

    def now(self) -> float:
        return super().now() + self.set_by_s


async def test_a_wall_clock_that_is_set_back_makes_no_wait_longer() -> None:
    clock = TwoClocks()
    async with House(clock=clock) as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        failed: list[str] = []

        def fail(name: str) -> TalewheelError | None:
            if name == "typing" and not failed:
                failed.append(name)
                return StageUnavailableError("503")
            return None

        house.stage.fail = fail
        await house.when(lambda: bool(failed) and house.story().due == AT_ONCE)
        clock.set_by_s = -3600.0
        await clock.run_for(60)
        assert (house.story().phase, house.story().head_number) == (Phase.VOTING, 2)


async def test_outages_do_not_count_as_faults_of_the_program() -> None:
    """Four outages and one fault in between are no reason to give a story up."""
    async with House() as house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        tries: list[str] = []

        def fail(name: str) -> TalewheelError | None:
            if name == "typing":
                tries.append(name)
                if len(tries) == GIVE_UP_AFTER:
                    raise RuntimeError("one single fault")
                if len(tries) < 2 * GIVE_UP_AFTER:
                    return StageUnavailableError("503")
            return None

        house.stage.fail = fail
        await house.until(Phase.VOTING, number=2)
        assert house.stage.said(CHANNEL) == []


async def test_a_story_that_cannot_be_read_is_left_alone_for_long_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with House() as house:
        await house.begin()
        claims: list[float] = []

        def unreadable(name: str, when: When) -> None:
            if (name, when) == ("claim", When.AFTER):
                claims.append(house.clock.now())
                raise RecordError("The record is of a newer format.")

        house.world.interrupt = unreadable
        caplog.set_level(logging.INFO)
        await house.clock.run_for(1.5 * UNREADABLE_WAIT_S)
        assert len(claims) == 4, "a claim and a try to pause it, twice"
        said = [r for r in caplog.records if "newer format" in r.getMessage()]
        assert [(r.levelname, r.exc_info) for r in said] == [("ERROR", None)]


async def test_a_story_whose_turn_cannot_be_read_is_paused_with_a_sentence() -> None:
    async with House() as house:
        story = await house.begin()
        assert story.head is not None
        turn = house.world.turns.pop((story.id, story.head))
        await house.until(Phase.PAUSED)
        assert "can't read" in house.stage.said(CHANNEL)[-1]
        house.world.turns[story.id, story.head] = turn
        await house.teller.resume(CHANNEL)
        await house.turn_over()
        house.check_told_once()
