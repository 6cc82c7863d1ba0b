"""A claimed story on its way: what a worker may take for its own."""

from dataclasses import replace

import pytest

from core.domain.audit import Moderator
from core.domain.story import Phase
from core.errors import FencedError
from core.services.lease import Lease
from core.services.run import Run
from tests.core.services.house import CHANNEL, House


async def a_run(house: House) -> Run:
    """A worker that holds the house's story."""
    clock, schedule = house.clock, house.stations.schedule
    until = clock.now() + 9.0
    story = await schedule.claim(house.story().id, clock.now(), until, force=True)
    lease = Lease(schedule, clock, story.id, story.epoch, 9.0, clock.monotonic(), until)
    return Run(house.stations, lease, story)


async def test_a_worker_that_reads_a_state_of_another_epoch_knows_that_it_is_fenced() -> None:
    """It must not take the new epoch for its own: every guard would let it pass."""
    house = House()
    async with house:
        await house.begin()
    run = await a_run(house)
    await a_run(house)
    with pytest.raises(FencedError, match="taken over"):
        await run.reload()


async def test_a_worker_reads_edits_that_kept_its_epoch() -> None:
    house = House()
    async with house:
        await house.begin()
    run = await a_run(house)
    house.edit_memory("A moderator was here.")
    await run.reload()
    assert run.story.memory.text == "A moderator was here."


async def test_no_act_on_the_stage_begins_once_somebody_else_has_the_story() -> None:
    house = House()
    async with house:
        await house.begin()
    run = await a_run(house)
    house.clock.jump(10.0)
    await a_run(house)
    ballot = house.stage.ballots(CHANNEL)[0]
    before = list(house.stage.calls)
    for act in (
        run.at.stage.send(CHANNEL, ballot, "nonce"),
        run.at.stage.edit(CHANNEL, 1, replace(ballot, extended=True)),
        run.at.stage.delete(CHANNEL, 1),
        run.at.stage.own_messages(CHANNEL, 0),
        run.at.stage.votes(CHANNEL, 1, 3),
        run.at.stage.signal(CHANNEL),
    ):
        with pytest.raises(FencedError, match="taken over"):
            await act
    assert house.stage.calls == before


async def test_the_newest_turns_are_those_that_lead_to_the_head() -> None:
    """Newest first, as many as there are; a turn that was taken back isn't among them."""
    house = House()
    async with house:
        await house.begin()
        for _ in range(3):
            await house.turn_over()
        gone = house.lineage()[3]
        await house.direction.rewind(CHANNEL, Moderator(5, "Ada"), 2)
        await house.until(Phase.VOTING, number=2)
        await house.turn_over()
    run = await a_run(house)
    told = house.lineage()
    assert await run.newest(2) == [told[2], told[1]]
    assert await run.newest(9) == told[::-1]
    assert await run.newest(0) == []
    assert gone not in await run.newest(9)
