"""The unmodified bot where a channel refuses, vanishes or is locked, or the bot is sent away.

What is counted here is what Discord counts: every request, and how many of them were refused
(10,000 refused ones in ten minutes ban an address). docs/channels.md states what is held.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from core.domain.story import PauseCause, Phase, Story
from tests.faults.discord_server import Call, Channel, Permission
from tests.faults.process_house import LEASE_S, PATIENCE_S, ProcessHouse
from tests.faults.story_endpoint import Asked

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

REFUSALS = 2
"""Refused requests that one act may spend: those under way when the channel begins to refuse."""
QUIET_S = LEASE_S * 1.25
"""How long it is watched that nothing is asked: a lost lease would show within that."""

NAMES = {
    Permission.VIEW_CHANNEL: "View Channel",
    Permission.SEND_MESSAGES: "Send Messages",
    Permission.READ_MESSAGE_HISTORY: "Read Message History",
    Permission.ADD_REACTIONS: "Add Reactions",
    Permission.SEND_MESSAGES_IN_THREADS: "Send Messages in Threads",
}


def asked_of(house: ProcessHouse, channel: Channel) -> list[Call]:
    """Everything that was asked about a channel."""
    return [call for call in house.server.calls if f"/channels/{channel.id}/" in f"{call.path}/"]


def refused(house: ProcessHouse) -> int:
    """How many requests Discord has counted against the bot."""
    return sum(call.status in {401, 403, 429} for call in house.server.calls)


async def left_alone(house: ProcessHouse, *channels: Channel) -> None:
    """For a while, nothing at all is asked about some channels."""
    before = [len(asked_of(house, channel)) for channel in channels]
    await asyncio.sleep(QUIET_S)
    assert [len(asked_of(house, channel)) for channel in channels] == before


async def begun(house: ProcessHouse, channel: Channel) -> None:
    """A story whose first vote is running, with three votes cast."""
    house.channel = channel
    house.ask_for_story(_premise(channel))
    await house.rests_at(1)
    house.vote(1)


def _premise(channel: Channel) -> str:
    """By this the model's side knows which channel's story it is asked for."""
    return f"A keeper hears the sea in {channel.name}."


async def at_once(_moment: str, _asked: Asked) -> None:
    """The model's pace where several stories are written side by side: it waits for no channel."""


async def stands(house: ProcessHouse, phase: Phase) -> Story:
    async def there() -> bool:
        story = await house.story_or_none()
        return story is not None and story.phase is phase

    await house.until(there, f"phase {phase}")
    return await house.story()


async def shut_out(house: ProcessHouse, cause: PauseCause, words: str) -> Story:
    story = await stands(house, Phase.PAUSED)
    assert story.pause is not None
    assert story.pause.cause is cause
    assert words in story.pause.reason
    return story


def take_down_sentences(house: ProcessHouse) -> list[str]:
    """What the bot said beside the story; what is left is the story alone."""
    small = [message for message in house.shown() if message.text.startswith("-# ")]
    for message in small:
        house.server.world.delete_message(message)
    return [message.text for message in small]


async def lost_during_a_vote(house: ProcessHouse) -> None:
    """See _permissions_taken_away."""
    await _permissions_taken_away(house, streaming=False)


async def lost_mid_stream(house: ProcessHouse) -> None:
    """See _permissions_taken_away."""
    await _permissions_taken_away(house, streaming=True)


async def _permissions_taken_away(house: ProcessHouse, *, streaming: bool) -> None:
    """Each of the five; refused requests are bounded, and once it is back all is told once."""
    owner = house.server.owner(house.guild)
    tales = {permission: house.new_channel() for permission in NAMES}
    threads = Permission.SEND_MESSAGES_IN_THREADS
    tales[threads] = owner.open_thread(tales[threads], "aside")
    for tale in tales.values():
        await begun(house, tale)

    denials = {
        tale: partial(owner.deny_bot, tale, permission) for permission, tale in tales.items()
    }
    if streaming:
        house.endpoint.hook = _when_it_streams(house, denials)
    else:
        house.endpoint.hook = at_once
        for deny in denials.values():
            deny()
    before = refused(house)
    for tale in tales.values():
        owner.begin_command(tale, "story close")
    for permission, tale in tales.items():
        house.channel = tale
        await shut_out(house, PauseCause.CHANNEL, NAMES[permission])
    await left_alone(house, *tales.values())
    for tale in tales.values():
        owner.deny_bot(tale, 0)
    for permission, tale in tales.items():
        house.channel = tale
        if not streaming and permission in _UNREADABLE:
            await house.rests_at(1)  # there the count was refused, and the vote goes on
            owner.begin_command(tale, "story close")
        await house.rests_at(2)
        said = take_down_sentences(house)
        assert len(said) <= 1, said
        assert all(NAMES[permission] in sentence for sentence in said), said
        await house.check_told_once()
    counted = [(call.method, call.path) for call in house.server.calls if call.status == 403]
    assert refused(house) - before <= REFUSALS * len(NAMES), counted
    paid = house.endpoint.asked
    assert set(paid.values()) == {len(NAMES)}, f"nothing is paid for twice: {paid}"


_UNREADABLE = {Permission.VIEW_CHANNEL, Permission.READ_MESSAGE_HISTORY}


def _when_it_streams(
    house: ProcessHouse, acts: dict[Channel, Callable[[], None]]
) -> Callable[[str, Asked], Awaitable[None]]:
    """A hook: acts on each channel once the second paragraph of its story is half on stage.

    Each story by itself: one that waited for the slowest could be silent for so long that its
    paragraph is asked for again (discord.py may hold a request for up to 30 s).
    """
    told_in = {_premise(channel): channel for channel in acts}

    async def hook(moment: str, asked: Asked) -> None:
        if (moment, asked.what) != ("early", "paragraph"):
            return
        channel = told_in[asked.premise]

        def streams() -> bool:
            return "Turn 2 follows" in house.server.bot_messages(channel)[-1].text

        await house.server.wait_for(streams, PATIENCE_S, f"the paragraph of {channel.name}")
        acts[channel]()

    return hook


async def kicked_and_invited(house: ProcessHouse) -> None:
    """In the middle of a vote and of a paragraph; without a request; also over a restart."""
    owner = house.server.owner(house.guild)
    vote, stream = house.new_channel(), house.new_channel()
    await begun(house, vote)
    await begun(house, stream)
    in_step, half, kicked = house.endpoint.hook, asyncio.Event(), asyncio.Event()

    async def hold(moment: str, asked: Asked) -> None:
        await in_step(moment, asked)
        if moment == "early":
            half.set()
            await kicked.wait()

    house.endpoint.hook = hold
    house.ask_to_close()
    async with asyncio.timeout(PATIENCE_S):
        await half.wait()
    before = refused(house)
    owner.kick_bot()
    for channel in (vote, stream):
        house.channel = channel
        await shut_out(house, PauseCause.ABSENT, "isn't in this server")
    kicked.set()
    house.endpoint.hook = in_step
    await left_alone(house, vote, stream)
    assert refused(house) - before <= REFUSALS, "what was under way"

    await house.kill_bot()
    calls = len(house.server.calls)
    await house.start_bot()
    await left_alone(house, vote, stream)
    assert not [c for c in list(house.server.calls)[calls:] if c.path.startswith("/channels/")]
    owner.invite_bot()
    house.channel = stream
    await house.rests_at(2)
    await house.check_told_once()
    house.channel = vote
    await house.rests_at(1)
    await house.turn_over()
    await house.check_told_once()
    assert refused(house) - before <= REFUSALS


async def kicked_and_invited_while_down(house: ProcessHouse) -> None:
    """Servers are compared before anything is worked on: not even one request is refused."""
    owner = house.server.owner(house.guild)
    tale = house.channel
    await begun(house, tale)
    before = refused(house)
    await house.kill_bot()
    owner.kick_bot()
    await house.start_bot()
    await shut_out(house, PauseCause.ABSENT, "isn't in this server")
    await left_alone(house, tale)
    await house.kill_bot()
    owner.invite_bot()
    await house.start_bot()
    await house.rests_at(1)
    await house.turn_over()
    await house.check_told_once()
    assert refused(house) == before


async def deleted(house: ProcessHouse) -> None:
    """Heard: no request. Deleted while the process is down: one, which is answered 404."""
    owner = house.server.owner(house.guild)
    heard, forum, unheard = house.new_channel(), house.new_channel(), house.new_channel()
    thread = owner.open_thread(forum, "a tale")
    for tale in (heard, thread, unheard):
        await begun(house, tale)
    asked = {tale: len(asked_of(house, tale)) for tale in (heard, thread)}
    owner.delete_channel(heard)
    owner.delete_channel(forum)
    for tale in (heard, thread):
        house.channel = tale
        await stands(house, Phase.ENDED)

    died = asyncio.Event()

    async def die(moment: str, asked: Asked) -> None:
        if (moment, asked.what) == ("before", "paragraph"):
            await house.kill_bot()
            died.set()
            raise ConnectionResetError("the process that asked is dead")

    house.endpoint.hook = die
    house.channel = unheard
    house.ask_to_close()
    async with asyncio.timeout(PATIENCE_S):
        await died.wait()
    owner.delete_channel(unheard)
    asked[unheard] = len(asked_of(house, unheard)) + 1
    await house.start_bot()
    await stands(house, Phase.ENDED)
    await left_alone(house, *asked)
    assert {tale: len(asked_of(house, tale)) for tale in asked} == asked


@dataclass(frozen=True)
class Closed:
    """What was done to a thread during its vote, and whether a member brings it back before."""

    archived: bool
    locked: bool
    reopened: bool = False


async def archived_or_locked(house: ProcessHouse) -> None:
    """Archived: it is counted and goes on. Locked, archived or not: it waits until it is unlocked.

    In a text channel's threads and in a forum's posts.
    """
    owner = house.server.owner(house.guild)
    place, forum = house.new_channel(), house.server.world.create_channel(house.guild, "tales", 15)
    closings = (Closed(True, False), Closed(True, False, True), Closed(False, True))
    tales = {owner.open_thread(place, "aside"): closing for closing in closings}
    tales[owner.post(forum, "one tale", "Here.")] = Closed(True, False)
    tales[owner.post(forum, "a tale", "Here.")] = Closed(True, True)
    for tale in tales:
        await begun(house, tale)
    house.endpoint.hook = at_once
    before = refused(house)
    for tale, closing in tales.items():
        house.server.world.archive_thread(tale, archived=closing.archived, locked=closing.locked)
        if closing.reopened:
            owner.reopen(tale)
        owner.begin_command(tale, "story close")
    locked = [tale for tale, closing in tales.items() if closing.locked]
    for tale in locked:
        house.channel = tale
        await shut_out(house, PauseCause.CHANNEL, "locked")
    await left_alone(house, *locked)
    assert refused(house) - before <= REFUSALS * len(locked)
    for tale in locked:
        owner.lock(tale, locked=False)
    for tale in tales:
        house.channel = tale
        await house.rests_at(2)
        await house.check_told_once()
        assert not tale.archived
    assert refused(house) - before <= REFUSALS * len(locked)


# ── played ───────────────────────────────────────────────────────────────────────────────────────

Scenario = Callable[[ProcessHouse], Awaitable[None]]


@pytest.mark.parametrize(
    "scenarios",
    [
        (lost_during_a_vote, lost_mid_stream, archived_or_locked),
        (kicked_and_invited, kicked_and_invited_while_down, deleted),
    ],
    ids=["a channel refuses", "a channel or the bot is gone"],
)
async def test_what_happens_to_a_channel(tmp_path: Path, scenarios: tuple[Scenario, ...]) -> None:
    """The scenarios above, each with a bot of its own, side by side: they wait more than work."""
    async with asyncio.TaskGroup() as playing:
        for scenario in scenarios:
            playing.create_task(_played(tmp_path, scenario))


async def _played(folder: Path, scenario: Scenario) -> None:
    name = scenario.__name__
    async with ProcessHouse(folder / name) as house:
        try:
            await house.start_bot()
            await scenario(house)
            house.check_log()
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{name}: {error}\n{house.bot.output[-3000:]}") from error
