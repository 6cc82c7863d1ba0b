"""The operator sets another embedding model, and the stories of before go on.

Each test starts the unmodified bot as its own process.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.adapters.redis_vectors import VectorSpace
from tests.adapters.redis_raw import raw_client
from tests.faults.process_house import ProcessHouse

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

DONE = "re-embedding is done; 0 entries stay without a vector"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ProcessHouse]:
    async with ProcessHouse(tmp_path / "bot") as house:
        yield house


async def told(house: ProcessHouse, turns: int) -> None:
    """A story of some turns by the first model; then the bot is stopped."""
    await house.start_bot()
    house.ask_for_story()
    await house.rests_at(1)
    for _ in range(turns - 1):
        await house.turn_over()
    await stopped(house)


async def stopped(house: ProcessHouse) -> None:
    """End the bot as a signal does."""
    assert (await house.bot.stop())[0] == 0
    await house.bot_is_gone()


async def vectors(house: ProcessHouse) -> set[str]:
    """The names of the fields in which entries have their vectors."""
    names: set[str] = set()
    async with raw_client(house.redis.url) as client:
        async for key in client.scan_iter(match="tw:memory:*"):
            names |= {name.decode() for name in await client.hkeys(key) if b"vector" in name}
    return names


async def done(house: ProcessHouse) -> bool:
    return DONE in house.bot.output


@pytest.mark.parametrize(
    ("model", "dims"), [("other-vectors", 16), ("other-vectors", 24), ("paper-vectors", 24)]
)
async def test_another_model_is_taken_and_every_entry_gets_its_vector(
    house: ProcessHouse, model: str, dims: int
) -> None:
    """Another name, another length, or both; the story goes on from where it was."""
    await told(house, 2)
    house.endpoint.dims = dims
    await house.start_bot(EMBEDDING_MODEL=model)
    await house.turn_over()
    await house.until(lambda: done(house), "the end of the re-embedding")
    assert f"have no vectors of {model}: they are found by words only" in house.bot.output
    assert await vectors(house) == {VectorSpace(model, dims).field}
    await house.turn_over()
    await house.check_told_once()


async def test_a_process_that_dies_meanwhile_leaves_the_rest_to_the_next(
    house: ProcessHouse,
) -> None:
    """What is done stays done, and the story is told on."""
    await told(house, 4)
    await house.bot.start(EMBEDDING_MODEL="other-vectors")
    await house.until(lambda: some(house), "the first new vectors")
    await house.kill_bot()
    await house.start_bot(EMBEDDING_MODEL="other-vectors")
    await house.turn_over()
    await house.until(lambda: all_of(house), "the end of the re-embedding")
    await house.check_told_once()


async def some(house: ProcessHouse) -> bool:
    return VectorSpace("other-vectors", 16).field in await vectors(house)


async def all_of(house: ProcessHouse) -> bool:
    return await vectors(house) == {VectorSpace("other-vectors", 16).field}


async def test_a_model_that_is_away_is_waited_for_once_it_was_known(house: ProcessHouse) -> None:
    """Its endpoint goes away after the start: the story waits, and all is done when it is back."""
    await told(house, 2)
    await house.start_bot(EMBEDDING_MODEL="other-vectors")
    await house.until(lambda: done(house), "the end of the re-embedding")
    await stopped(house)
    await house.endpoint.close()
    await house.start_bot(EMBEDDING_MODEL="other-vectors")
    await asyncio.sleep(0.2)
    assert "isn't available yet, stories will wait" in house.bot.output
