"""A process that dies at any call to Redis or Discord, before or after it took effect.

Each call of a story's first three turns, with a pause while the second is being written, is such
a moment once. After the restart the story is
played on, and every turn must stand on stage exactly once, with the words that Redis holds.
"""

import asyncio
from collections.abc import Callable

import pytest

from core.domain.story import Phase
from core.errors import TalewheelError
from tests.core.services.house import CHANNEL, House
from tests.fakes.store import When

TURNS = 3
MOMENTS = 8
"""The sweep runs in so many parts, so that both cores share it."""


def watch(house: House, on_call: Callable[[str], None]) -> None:
    """Have ``on_call`` see the moments before and after each call to Redis and Discord."""

    def stage_call(moment: str) -> Callable[[str], TalewheelError | None]:
        return lambda name: on_call(f"{moment} stage.{name}")

    house.world.interrupt = lambda name, when: on_call(f"{when.name} store.{name}")
    house.stage.fail = stage_call(When.BEFORE.name)
    house.stage.fail_after = stage_call(When.AFTER.name)


async def play(house: House) -> None:
    """Play to the third turn, however far the story is; the same votes each time."""
    if not house.world.stories:
        await house.begin()
    while house.story().head_number < TURNS or house.story().phase is not Phase.VOTING:
        number = house.story().head_number
        if house.story().phase is Phase.VOTING:
            house.stage.vote(CHANNEL, 1, number % 3)
            if number == 1 and not house.stage.said(CHANNEL):
                await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
                await house.teller.pause(CHANNEL, "Mo")
                await house.until(Phase.PAUSED)
        if house.story().phase is Phase.PAUSED and not house.story().outbox:
            await house.teller.resume(CHANNEL)
        if house.story().phase is Phase.PAUSED:
            await house.until(Phase.PAUSED)
        elif house.story().phase is Phase.VOTING:
            await house.until(Phase.VOTING, number=number + 1)
        else:
            await house.until(Phase.VOTING)


async def moments() -> list[str]:
    """Every moment of an undisturbed play, in order."""
    seen: list[str] = []
    async with House() as house:
        watch(house, seen.append)
        await play(house)
    return seen


async def die_at(moment: int) -> tuple[str, House]:
    """Play until the process dies at its n-th moment; gives what it was doing, and the remains."""
    house = House()
    countdown = iter(range(moment, -1, -1))
    died = asyncio.Event()
    name: list[str] = []

    def on_call(call: str) -> None:
        if next(countdown, 0) == 0:
            name.append(call)
            died.set()
            raise asyncio.CancelledError

    await house.__aenter__()
    watch(house, on_call)
    playing = asyncio.create_task(play(house))
    dying = asyncio.create_task(died.wait())
    await asyncio.wait({playing, dying}, return_when=asyncio.FIRST_COMPLETED)
    await house.kill()
    await asyncio.gather(playing, return_exceptions=True)
    return name[0] if name else "", house


@pytest.mark.parametrize("part", range(MOMENTS))
async def test_a_death_at_any_moment_loses_nothing_and_tells_nothing_twice(part: int) -> None:
    """Killed once at every moment; after the restart all is as if nothing had happened."""
    count = len(await moments())
    assert count > 300, "the sweep sees every call of three turns"
    for moment in range(part, count, MOMENTS):
        name, remains = await die_at(moment)
        house = remains.restarted()
        async with house:
            try:
                await play(house)
                house.check_told_once()
            except AssertionError as error:
                raise AssertionError(
                    f"after a death at moment {moment}, {name}: {error}"
                ) from error
        said = house.stage.said(CHANNEL)
        assert len(said) <= 1, f"moment {moment}, {name}: the pause was said {len(said)} times"
        paid = len(house.narrator.contexts)
        assert paid <= TURNS + 2, f"moment {moment}, {name}: {paid} paragraphs were paid for"
