"""What the running task works on: inherited by what it starts, and by nobody else."""

import asyncio

from core.services.work import Work, begin, current, working_on

HERE, THERE = Work(1, 2), Work(3, 4, "4:1", 7)


async def test_a_block_says_what_it_works_on_and_its_end_takes_that_back() -> None:
    assert current() is None
    with working_on(HERE):
        with working_on(THERE):
            assert current() == THERE
        assert current() == HERE
    assert current() is None


async def test_a_task_inherits_it_and_changes_only_its_own() -> None:
    async def child() -> Work | None:
        inherited = current()
        begin(THERE)
        return inherited

    with working_on(HERE):
        assert await asyncio.create_task(child()) == HERE
        assert current() == HERE
