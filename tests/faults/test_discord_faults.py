"""The unmodified bot under Discord's faults, at every kind of request and of a session's end.

Each fault of the list meets each kind of request that a turn makes, once a turn; after every turn
all stands on stage once. Kills are test_process's, what the local Discord does is its own tests'.
"""

import asyncio
from pathlib import Path

import pytest

from core.domain.story import Phase
from tests.faults.discord_server import faults
from tests.faults.discord_server.faults import Fault
from tests.faults.process_house import PATIENCE_S, ProcessHouse
from tests.faults.story_endpoint import Asked

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

REQUESTS = (
    (
        "POST /channels/{}/messages",
        "PUT /channels/{}/messages/*/reactions/*/@me",
        "GET /channels/{}/messages/*",
    ),
    (
        "PATCH /channels/{}/messages/*",
        "GET /channels/{}/messages",
        "GET /channels/{}/messages/*/reactions/*",
    ),
    (
        "POST /channels/{}/typing",
        "POST /interactions/*/*/callback",
        "POST /webhooks/*/*",
    ),
)
"""Everything that a turn asks of Discord, shared out among three stories that are told at a time.
Deleting, which only a paused turn does, is apart."""
DELETE = "DELETE /channels/*/messages/*"
RESETS = (faults.RESET, faults.DIED)


async def begun(house: ProcessHouse) -> None:
    """A bot that waits for the votes of a story's first turn."""
    await house.start_bot()
    await begun_here(house)


async def begun_here(house: ProcessHouse) -> None:
    """The same, of a bot that runs already."""
    house.ask_for_story()
    await house.rests_at(1)


async def test_each_fault_at_each_kind_of_request_loses_nothing_and_tells_nothing_twice(
    tmp_path: Path,
) -> None:
    """And the moderator who closed the vote is told the result, however late."""
    async with asyncio.TaskGroup() as sweep:
        for number, fault in enumerate(faults.ALL):
            sweep.create_task(_met_everywhere(tmp_path / f"{number}", fault))


async def _met_everywhere(folder: Path, fault: Fault) -> None:
    async with ProcessHouse(folder) as house:
        await house.start_bot()
        async with asyncio.TaskGroup() as side_by_side:
            for patterns in REQUESTS:
                side_by_side.create_task(_met_at(house.next_door(), patterns, fault))
        await begun_here(house)
        await _paused_with(house, fault)
        house.check_log()


async def _met_at(house: ProcessHouse, patterns: tuple[str, ...], fault: Fault) -> None:
    """A story in whose turns each kind of request meets the fault, one after the other."""
    await begun_here(house)
    for pattern in patterns:
        try:
            await _turn_with(house, pattern.format(house.channel.id), fault)
            await house.check_told_once()
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{fault.name} at {pattern}: {error}") from error


async def _turn_with(house: ProcessHouse, pattern: str, fault: Fault) -> None:
    """One turn in which a request meets the fault."""
    number = (await house.story()).head_number
    house.vote(number % 3)
    # aiohttp repeats by itself what may be repeated, once, when a connection that it kept dies.
    repeats = pattern.split(maxsplit=1)[0] in {"GET", "PUT", "DELETE"} and fault in RESETS
    scripted = house.server.script(pattern, fault, times=2 if repeats else 1)
    closed = await house.moderator.command(house.channel, "story close")
    if "try again in a minute" in closed.text:  # the count itself met the fault
        closed = await house.moderator.command(house.channel, "story close")
    assert "won (3 voters)" in closed.text
    await house.rests_at(number + 1)
    assert scripted.hit, "no such request"


async def _paused_with(house: ProcessHouse, fault: Fault) -> None:
    """A pause in the middle of a paragraph: taking back what is half written meets the fault."""
    number = (await house.story()).head_number
    in_step, written, go_on = house.endpoint.hook, asyncio.Event(), asyncio.Event()

    async def hold(moment: str, asked: Asked) -> None:
        await in_step(moment, asked)
        if moment == "late" and not go_on.is_set():
            written.set()
            await go_on.wait()

    house.endpoint.hook = hold
    scripted = house.server.script(DELETE, fault, times=2 if fault in RESETS else 1)
    house.vote(number % 3)
    house.ask_to_close()
    async with asyncio.timeout(PATIENCE_S):
        await written.wait()
    await house.server.wait_for(lambda: "Sentence 9 of" in house.shown()[-1].text, PATIENCE_S)
    await house.moderator.command(house.channel, "story pause")

    async def rests() -> bool:
        story = await house.story()
        return story.phase is Phase.PAUSED and not story.outbox

    await house.until(rests, "the pause to be said")
    (said,) = [message for message in house.shown() if "Ada paused the story" in message.text]
    house.server.owner(house.guild).delete(said)  # what is left must be turns alone
    go_on.set()
    house.endpoint.hook = in_step
    await house.moderator.command(house.channel, "story resume")
    await house.rests_at(number + 1)
    await house.check_told_once()
    assert scripted.hit
