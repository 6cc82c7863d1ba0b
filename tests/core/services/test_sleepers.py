"""Sleeping stories: whatever fails between a vote and its story, the vote wakes it in the end."""

import pytest

from core.domain.story import Phase
from core.errors import (
    StageForbiddenError,
    StageUnavailableError,
    StoreUnavailableError,
    TalewheelError,
)
from core.services.sleepers import AGAIN_S, SURVEY_S
from tests.core.services.house import CHANNEL, House
from tests.fakes.store import When


def lost(house: House, call: str, when: When, times: int = 1) -> list[str]:
    """Redis fails at a call once a story sleeps and is owed nothing; gives what failed."""
    failed: list[str] = []

    def blip(name: str, at: When) -> None:
        story = house.story()
        at_rest = story.phase is Phase.ASLEEP and not story.outbox and story.due is None
        if at_rest and (name, at) == (call, when) and len(failed) < times:
            failed.append(name)
            raise StoreUnavailableError("Redis is away.")

    house.world.interrupt = blip
    return failed


@pytest.mark.parametrize(
    ("call", "when"),
    [("turn", When.BEFORE), ("commit", When.AFTER)],
    ids=["the ballot could not be read", "the answer to the last commit was lost"],
)
async def test_a_story_that_fell_asleep_unnoticed_is_found_and_wakes_by_a_vote(
    call: str, when: When
) -> None:
    async with House() as house:
        await house.begin()
        failed = lost(house, call, when)
        await house.when(lambda: house.story().phase is Phase.ASLEEP and bool(failed))
        await house.clock.run_for(SURVEY_S + 60)
        ballot = house.stage.vote(CHANNEL, 5, 1)
        await house.teller.reacted(CHANNEL, ballot)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_vote_on_a_ballot_that_nobody_knew_of_is_found_without_an_event() -> None:
    async with House() as house:
        await house.begin()
        failed = lost(house, "commit", When.AFTER)
        await house.when(lambda: house.story().phase is Phase.ASLEEP and bool(failed))
        house.stage.vote(CHANNEL, 5, 1)
        await house.until(Phase.VOTING, number=2)


async def test_a_reaction_that_meets_an_outage_of_redis_wakes_the_story_afterwards() -> None:
    """Below the quorum too: a reaction wakes, whatever it decides."""
    async with House() as house:
        await house.begin(quorum=3)
        await house.until(Phase.ASLEEP)
        failed = lost(house, "claim", When.BEFORE)
        await house.teller.reacted(CHANNEL, house.stage.vote(CHANNEL, 5, 1))
        assert failed == ["claim"]
        assert house.story().phase is Phase.ASLEEP
        await house.until(Phase.VOTING)


async def test_a_look_after_falling_asleep_is_repeated_until_discord_answers() -> None:
    """The vote came between the last count and sleep, and then Discord was away."""
    async with House() as house:
        await house.begin()

        def vote_late(name: str, when: When) -> None:
            counted_twice = house.stage.calls.count("votes") == 2
            if (name, when) == ("commit", When.BEFORE) and counted_twice:
                house.stage.vote(CHANNEL, 7, 1)

        def away(name: str) -> TalewheelError | None:
            looks = house.stage.calls.count("votes") - 2
            return StageUnavailableError("503") if name == "votes" and 0 < looks < 4 else None

        house.world.interrupt = vote_late
        house.stage.fail = away
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def asleep_through_votes(*channels: int) -> House:
    """A new process over stories on whose sleeping ballots somebody voted meanwhile."""
    house = House()
    async with house:
        for channel in channels:
            await house.begin(channel=channel)
            await house.until(Phase.ASLEEP, channel)
    for channel in channels:
        house.stage.vote(channel, 5, 1)
    return house.restarted()


@pytest.mark.parametrize("fault", [StageUnavailableError("503"), KeyError("a fault of ours")])
async def test_one_look_that_fails_keeps_no_story_asleep(fault: Exception) -> None:
    async with await asleep_through_votes(1, 2, 3) as house:
        left = [fault]

        def fail(name: str) -> TalewheelError | None:
            if name == "votes" and left:
                raise left.pop()
            return None

        house.stage.fail = fail
        await house.teller.reconcile()
        for channel in (1, 2, 3):
            await house.until(Phase.VOTING, channel, number=2)


async def test_looks_that_fail_become_rare_and_never_end() -> None:
    async with await asleep_through_votes(1) as house:
        house.stage.fail = lambda name: StageUnavailableError("503") if name == "votes" else None
        house.stage.calls.clear()
        await house.teller.reconcile()
        await house.clock.run_for(sum(AGAIN_S) + 3 * AGAIN_S[-1] + 60)
        assert house.stage.calls.count("votes") == len(AGAIN_S) + 4
        house.stage.fail = lambda _name: None
        await house.until(Phase.VOTING, 1, number=2)


async def test_a_channel_that_forbids_is_not_looked_at_again_by_itself() -> None:
    async with await asleep_through_votes(1) as house:
        house.stage.forbidden.add(1)
        house.stage.calls.clear()
        await house.teller.reconcile()
        await house.clock.run_for(7200)
        assert house.stage.calls == ["votes"]


async def test_redis_away_at_the_survey_is_raised_to_whoever_asked_for_it() -> None:
    async with await asleep_through_votes(1) as house:

        def away(name: str, when: When) -> None:
            if (name, when) == ("load", When.BEFORE):
                raise StoreUnavailableError("Redis is away.")

        house.world.interrupt = away
        with pytest.raises(StoreUnavailableError):
            await house.teller.reconcile()


async def test_a_survey_that_meets_an_outage_comes_again() -> None:
    async with await asleep_through_votes(1) as house:

        def away(name: str, when: When) -> None:
            if (name, when) == ("in_phase", When.BEFORE) and house.clock.now() < since + SURVEY_S:
                raise StoreUnavailableError("Redis is away.")

        since = house.clock.now() + 10
        house.world.interrupt = away
        await house.until(Phase.VOTING, 1, number=2)


async def test_a_story_that_woke_meanwhile_is_owed_no_look() -> None:
    async with House() as house:
        await house.begin()
        await house.until(Phase.ASLEEP)
        await house.teller.reconcile()
        await house.teller.resume(CHANNEL)
        house.stage.calls.clear()
        await house.clock.run_for(30)
        assert "votes" not in house.stage.calls


async def test_forbidden_stays_forbidden(caplog: pytest.LogCaptureFixture) -> None:
    """What can't be looked at is said once, however often it is met."""
    async with await asleep_through_votes(1) as house:
        refusal = StageForbiddenError("no")
        house.stage.fail = lambda name: refusal if name == "votes" else None
        for _ in range(2):
            await house.teller.reconcile()
            await house.clock.run_for(30)
    said = [r for r in caplog.records if "left out" in r.message and r.levelname == "WARNING"]
    assert len(said) == 1
