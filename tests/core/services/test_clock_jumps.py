"""A wall clock that is set on or back while votes, leases and pauses run; Discord's stays right.

A deadline is a time of day: a clock that is set on closes a vote early, by as much, and one that is
set back keeps it open no longer than a whole window. Leases don't notice. Whatever the clock does,
no turn is told, counted or paid for twice.
"""

import pytest

from core.domain.story import Phase
from core.errors import StageUnavailableError
from tests.core.services.house import CHANNEL, House

MINUTES, HOUR, DAYS = 300.0, 3600.0, 3 * 86_400.0
JUMPS = pytest.mark.parametrize("by_s", [MINUTES, HOUR, DAYS, -MINUTES, -HOUR, -DAYS])
FORWARD = pytest.mark.parametrize("by_s", [MINUTES, HOUR, DAYS])
WINDOW_S = 60
SLACK_S = 10.0


async def writing(house: House) -> None:
    """The second turn's first words are on stage."""
    house.stage.vote(CHANNEL, 1, 0)
    await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)


def paid(house: House) -> int:
    """How many paragraphs were asked of the model."""
    return len(house.narrator.contexts)


@FORWARD
async def test_a_clock_set_on_closes_the_vote_at_once_and_once(by_s: float) -> None:
    """With the votes that are there; the next vote has its whole window again."""
    house = House()
    async with house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 2)
        house.clock.leap(by_s)
        before = house.clock.monotonic()
        await house.until(Phase.VOTING, number=2)
        assert house.clock.monotonic() - before < WINDOW_S
        house.check_told_once()
        tally = house.lineage()[0].tally
        assert tally is not None
        assert tally.winner == 2
        assert paid(house) == 2


@pytest.mark.parametrize("by_s", [-MINUTES, -HOUR, -DAYS])
async def test_a_clock_set_back_keeps_a_vote_open_for_a_window_at_most(by_s: float) -> None:
    """The ballot is drawn with the new deadline, and the turn is advanced once."""
    house = House()
    async with house:
        await house.begin()
        house.stage.vote(CHANNEL, 1, 1)
        before = house.clock.monotonic()
        house.clock.leap(by_s)
        await house.clock.run_for(2 * SLACK_S)
        assert house.story().closes_at == pytest.approx(
            house.clock.now() + WINDOW_S, abs=2 * SLACK_S
        )
        assert house.stage.ballots(CHANNEL)[0].closes_at == house.story().closes_at
        await house.until(Phase.VOTING, number=2)
        assert house.clock.monotonic() - before < 2 * WINDOW_S
        house.check_told_once()
        assert paid(house) == 2


@JUMPS
async def test_a_clock_that_is_set_disturbs_no_paragraph(by_s: float) -> None:
    """The lease is measured on another clock: whoever writes goes on, and nobody else begins."""
    house = House()
    async with house:
        await house.begin()
        await writing(house)
        epoch = house.story().epoch
        house.clock.leap(by_s)
        await house.when(lambda: len(house.stage.ballots(CHANNEL)) == 2)
        assert house.story().epoch == epoch
        assert paid(house) == 2


@JUMPS
async def test_a_second_process_with_the_same_clock_never_tells_twice(by_s: float) -> None:
    """It may take a lease for over that isn't, and then the first one is fenced off."""
    house = House()
    async with house:
        await house.begin()
        await writing(house)
        house.clock.leap(by_s)
        async with House(house) as other:
            await house.until(Phase.VOTING, number=2)
            await house.clock.run_for(3 * SLACK_S)
            assert other.story().head_number == 2
            house.check_told_once()
            assert paid(house) <= 3


@pytest.mark.parametrize("by_s", [-MINUTES, -HOUR, -DAYS])
async def test_a_lease_of_a_clock_that_was_ahead_strands_no_story(by_s: float) -> None:
    """Its holder was killed, the clock corrected; the next start finds it and goes on."""
    house = House()
    async with house:
        await house.begin()
        await writing(house)
    house.clock.leap(by_s)
    house = house.restarted()
    async with house:
        before = house.clock.monotonic()
        await house.until(Phase.VOTING, number=2)
        assert house.clock.monotonic() - before < WINDOW_S
        house.check_told_once()


async def test_a_deadline_that_a_wrong_clock_extended_comes_back() -> None:
    """Ahead by days when silence extended the vote: set right, it closes within a window."""
    house = House()
    async with house:
        await house.begin()
        house.clock.leap(DAYS)
        await house.when(lambda: house.story().extended)
        house.clock.leap(-DAYS)
        await house.clock.run_for(2 * SLACK_S)
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_story_that_failed_is_not_left_alone_for_longer() -> None:
    """The pause before another try doesn't grow by what the clock was set back."""
    house = House()
    async with house:
        await house.begin()
        house.stage.fail = lambda name: _outage() if name == "votes" else None
        await house.when(lambda: house.stage.calls.count("votes") >= 2)
        house.clock.leap(-HOUR)
        tried = house.stage.calls.count("votes")
        before = house.clock.monotonic()
        await house.when(lambda: house.stage.calls.count("votes") > tried)
        assert house.clock.monotonic() - before < 2 * WINDOW_S


def _outage() -> StageUnavailableError:
    return StageUnavailableError("Discord is away.")
