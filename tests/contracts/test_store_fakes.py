"""What the fakes of the store offer beyond their contracts: interruptions at two moments."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.domain.story import Story
from core.errors import StoreUnavailableError
from core.ports import Commit
from tests.contracts.store_samples import a_story
from tests.fakes.store import FakeSchedule, FakeStoryStore, StoreWorld, When


def fail_once(call: str, when: When) -> Callable[[str, When], None]:
    """An interruption of the first such call."""
    pending = {when}

    def interrupt(named: str, at: When) -> None:
        if named == call and at in pending:
            pending.remove(at)
            raise StoreUnavailableError(f"{call} was interrupted")

    return interrupt


async def head_after(when: When) -> tuple[Story, Story]:
    """The story after an interrupted commit, and after its repetition."""
    world = StoreWorld()
    store = FakeStoryStore(world)
    await store.create(a_story(), "create")
    change = Commit("op", replace(a_story(), head="t1"))
    world.interrupt = fail_once("commit", when)
    with pytest.raises(StoreUnavailableError):
        await store.commit(change)
    interrupted = await store.load(a_story().id)
    await store.commit(change)
    return interrupted, await store.load(a_story().id)


async def test_a_commit_that_was_interrupted_before_did_nothing() -> None:
    """The change is missing, and its repetition applies it."""
    interrupted, repeated = await head_after(When.BEFORE)
    assert (interrupted.head, repeated.head) == (None, "t1")


async def test_a_commit_whose_answer_was_lost_is_applied() -> None:
    """The change is there, and its repetition is harmless."""
    interrupted, repeated = await head_after(When.AFTER)
    assert (interrupted.head, repeated.head) == ("t1", "t1")


async def test_a_claim_whose_answer_was_lost_is_taken() -> None:
    """Nobody hears of the new epoch, and the story isn't due until that lease ends."""
    world = StoreWorld()
    store, schedule = FakeStoryStore(world), FakeSchedule(world)
    await store.create(a_story(due=1.0), "create")
    world.interrupt = fail_once("claim", When.AFTER)
    with pytest.raises(StoreUnavailableError):
        await schedule.claim(a_story().id, 1.0, 31.0)
    assert (await store.load(a_story().id)).epoch == 1
    assert await schedule.due(30.0, 5) == []
