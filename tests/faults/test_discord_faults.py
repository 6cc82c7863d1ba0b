"""The unmodified bot under Discord's faults, at every kind of request and of a session's end.

Each fault of the list meets each kind of request that a turn makes, once a turn; after every turn
all stands on stage once. Kills are test_process's, what the local Discord does is its own tests'.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.render import OPTION_EMOJI
from core.domain.story import Phase
from tests.faults.discord_server import faults
from tests.faults.discord_server.faults import Fault
from tests.faults.process_house import PATIENCE_S, ProcessHouse
from tests.faults.seeded_stories import Seed, SeedBed, seed_bed
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
LONG = "TALEWHEEL_LONG" in os.environ
"""Everything, and not only what stands for the rest: TALEWHEEL_LONG=1."""
SHORT = (
    faults.status(503),
    faults.rate_limited(scope="global"),
    faults.RESET,
    faults.DIED,
)
"""500 and 502 are repeated by discord.py as a 429 is, which is quicker to wait out."""
AT_A_TIME = 4
"""Bots, each with its own servers: more would only take turns with one another."""
RESETS = (faults.RESET.name, faults.DIED.name)


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
    room = asyncio.Semaphore(AT_A_TIME)

    async def met(number: int, fault: Fault) -> None:
        async with room:
            await _met_everywhere(tmp_path / f"{number}", fault)

    async with asyncio.TaskGroup() as sweep:
        for number, fault in enumerate(faults.ALL if LONG else SHORT):
            sweep.create_task(met(number, fault))


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
    repeats = pattern.split(maxsplit=1)[0] in {"GET", "PUT", "DELETE"} and fault.name in RESETS
    scripted = house.server.script(pattern, fault, times=2 if repeats else 1)
    closed = await house.moderator.command(house.channel, "story close")
    if pattern.startswith("GET") and "try again in a minute" in closed.text:
        # The count itself met the fault; an answer that meets one is given all the same.
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
    scripted = house.server.script(DELETE, fault, times=2 if fault.name in RESETS else 1)
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


# ── the gateway ──────────────────────────────────────────────────────────────────────────────────


Loss = Callable[[ProcessHouse], Awaitable[None]]
"""Takes the bot's session away from it; while this runs, what members do is heard by nobody."""


async def cut(house: ProcessHouse) -> None:
    """The network fails; the session can be resumed."""
    house.server.gateway.cut()
    await house.server.wait_disconnected()


async def reconnect(house: ProcessHouse) -> None:
    """Discord asks for another connection; the session can be resumed."""
    house.server.gateway.reconnect()
    await house.server.wait_disconnected()


async def invalid_for_now(house: ProcessHouse) -> None:
    """Discord declares the session invalid, and lets it be resumed."""
    house.server.gateway.invalidate(resumable=True)
    await house.server.wait_disconnected()


async def forgotten(house: ProcessHouse) -> None:
    """The network fails for so long that the session is gone."""
    house.server.gateway.forget()
    await cut(house)


async def invalid(house: ProcessHouse) -> None:
    """Discord declares the session invalid for good."""
    house.server.gateway.invalidate(resumable=False)
    await house.server.wait_disconnected()


async def test_what_members_do_while_the_gateway_is_away_is_not_lost(tmp_path: Path) -> None:
    """Whether the session can be resumed or not; nothing is doubled, and nothing starts twice."""
    async with asyncio.TaskGroup() as side_by_side:
        side_by_side.create_task(_sessions_are_resumed(tmp_path / "resumed"))
        side_by_side.create_task(_sessions_are_lost(tmp_path / "lost"))


async def _sessions_are_resumed(folder: Path) -> None:
    """A command closes the vote and a sleeping story wakes, both told by the replay."""
    losses: tuple[Loss, ...] = (cut, reconnect, invalid_for_now)
    async with ProcessHouse(folder) as house, seed_bed(house) as bed:
        sleepers = [await bed.plant(Phase.ASLEEP) for _ in losses]
        await begun(house)
        (session,) = house.server.gateway.sessions
        for number, (lose, sleeper) in enumerate(zip(losses, sleepers, strict=True), 1):
            house.vote(number % 3)
            await lose(house)
            house.members[0].react(sleeper.ballot, OPTION_EMOJI[0])
            closing = house.moderator.begin_command(house.channel, "story close")
            assert "won (3 voters)" in (await closing.completed(PATIENCE_S)).text, lose.__name__
            await house.rests_at(number + 1)
            await _awake(house, bed, sleeper)
            assert house.server.gateway.sessions == [session], lose.__name__
            await house.check_told_once()
        assert house.bot.output.count("bot.client: ready") == 1


async def _sessions_are_lost(folder: Path) -> None:
    """The bot is ready anew; sleeping ballots are read again, by one look through them at a time.

    A command of such a time is lost at Discord itself, whose member is told so.
    """
    losses: tuple[Loss, ...] = (forgotten, invalid)
    async with ProcessHouse(folder) as house, seed_bed(house) as bed:
        sleepers = [await bed.plant(Phase.ASLEEP) for _ in losses]
        await begun(house)
        for number, (lose, sleeper) in enumerate(zip(losses, sleepers, strict=True), 1):
            await house.server.wait_for(lambda at=sleeper: looks(house, at), PATIENCE_S)
            await lose(house)
            house.vote(number % 3)
            house.members[0].react(sleeper.ballot, OPTION_EMOJI[0])
            await house.server.wait_connected(timeout_s=PATIENCE_S)
            await _awake(house, bed, sleeper)
            house.ask_to_close()
            await house.rests_at(number + 1)
            await house.check_told_once()
        assert house.bot.output.count("bot.client: ready") == 1 + len(losses)
        assert set(house.endpoint.asked.values()) == {1}, "one wheel"
        at_s = sorted(
            call.at_s
            for sleeper in sleepers
            for call in house.server.calls.to(f"GET /channels/{sleeper.channel.id}/messages/*")
        )
        assert at_s[-1] - at_s[0] > 0.9 * (len(at_s) - 1), "one after the other, a second apart"


@pytest.mark.skipif(not LONG, reason="takes a minute: TALEWHEEL_LONG=1 runs it")
async def test_a_half_open_socket_is_given_up_after_a_minute(tmp_path: Path) -> None:
    """A vote of that minute wakes its story; a command of it is too old, and is not carried out."""
    async with ProcessHouse(tmp_path / "bot") as house, seed_bed(house) as bed:
        sleeper = await bed.plant(Phase.ASLEEP)
        await begun(house)
        await house.server.wait_for(lambda: looks(house, sleeper), PATIENCE_S)
        house.vote(1)
        (session,) = house.server.gateway.sessions
        half_open = session.connection
        house.server.gateway.freeze()
        house.members[0].react(sleeper.ballot, OPTION_EMOJI[0])
        house.ask_to_close()
        await house.server.wait_for(
            lambda: session.connection not in (None, half_open), 60.0 + PATIENCE_S
        )
        await _awake(house, bed, sleeper)
        await house.server.wait_for(
            lambda: (
                [call.status for call in house.server.calls.to("POST /interactions/*/*/*")][-1:]
                == [404]
            ),
            PATIENCE_S,
        )
        assert (await house.story()).head_number == 1
        house.ask_to_close()
        await house.rests_at(2)
        await house.check_told_once()
        house.check_log()


def looks(house: ProcessHouse, sleeper: Seed) -> int:
    """How often a sleeping ballot was read."""
    path = f"/channels/{sleeper.channel.id}/messages/{sleeper.ballot.id}"
    return len(house.server.calls.to(f"GET {path}"))


async def _awake(house: ProcessHouse, bed: SeedBed, sleeper: Seed) -> None:
    """Wait until a sleeping story has woken, and its ballot says so."""

    async def voting() -> bool:
        story = await bed.store.load(sleeper.story)
        return story.phase is Phase.VOTING and not story.outbox

    await house.until(voting, "the sleeping story to wake")
    assert "closes <t:" in sleeper.ballot.text
