"""The unmodified bot, and a Redis that is restarted, cut off, full, read-only, slow or emptied.

Each time the bot says so once, waits and carries on; every turn is told and paid for once; what
the channel has seen is on disk.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.render import OPTION_EMOJI
from core.adapters import redis_keys as keys
from core.domain.story import Phase
from tests.adapters.redis_proxy import Loss
from tests.faults.discord_server import Call
from tests.faults.process_house import ROUTES
from tests.faults.redis_house import AWAY, BACK, COMMITS, RedisHouse, redis_house, some_of
from tests.faults.story_endpoint import Asked

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

HOUSES = 3
"""A sweep is shared out: so many bots, each with its own servers, at a time."""
AWAY_S = 3.0
"""Longer than a lease."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[RedisHouse]:
    async with redis_house(tmp_path / "bot") as house:
        yield house


def check_calm(house: RedisHouse, lines: int) -> None:
    """No error, and not more than so many lines that ask for a look."""
    house.check_log()
    lines_said = house.bot.output.splitlines()
    # Discord.py's line about a late heartbeat is about this machine's load.
    asking = [line for line in lines_said if " WARNING " in line and "keep up" not in line]
    assert len(asking) <= lines, "\n".join(asking)


# ── restarted ────────────────────────────────────────────────────────────────────────────────────


class Gate:
    """Holds all stories at one place of a turn until it is opened."""

    def __init__(self, house: RedisHouse) -> None:
        self._house = house
        self._in_step = house.endpoint.hook
        self._held = 0
        self._open = asyncio.Event()
        self._place = ""
        house.endpoint.hook = self._asked
        house.server.before("PUT /channels/*/messages/*/reactions/*/@me", self._react)

    def at(self, place: str) -> None:
        """Close at a place: "early paragraph", "before reflection" or "reaction"."""
        self._held, self._place, self._open = 0, place, asyncio.Event()

    async def holds(self, stories: int) -> None:
        """Wait until so many stand before it."""

        async def there() -> bool:
            return self._held >= stories

        await self._house.until(there, f"{stories} stories at {self._place}")

    def open(self) -> None:
        """Let them all go on."""
        self._place = ""
        self._open.set()

    async def _asked(self, moment: str, asked: Asked) -> None:
        if asked.what != "paragraph":
            await self._in_step(moment, asked)
        await self._pass(f"{moment} {asked.what}")

    async def _react(self, _call: Call) -> None:
        await self._pass("reaction")

    async def _pass(self, place: str) -> None:
        if place == self._place:
            self._held += 1
            await self._open.wait()


async def test_stories_in_every_phase_outlive_restarts_of_redis(house: RedisHouse) -> None:
    """Writing, reflecting, staging, voting, paused, falling asleep: ended in order and killed."""
    gate = Gate(house)
    *working, paused = await house.begin(4)
    await house.moderator.command(paused, "story pause")
    sleeper = house.new_channel()
    await house.moderator.command(sleeper, "story start", premise="Nobody votes.", vote_seconds=5)
    await house.rests_at(1)
    places = ("early paragraph", "before reflection", "reaction")
    for number, place in enumerate(places, 2):
        gate.at(place)
        for house.channel in working:
            house.vote((number - 1) % 3)
            house.ask_to_close()
        await gate.holds(len(working))
        await (house.redis.kill() if number % 2 else house.redis.stop())
        # This takes longer than what may be repeated is repeated, so that everybody notices.
        assert "try again in a minute" in await house.close_told()
        gate.open()
        await house.redis.restart()
        await house.says(BACK, times=number - 1)
        for house.channel in working:
            await house.rests_at(number)
    for house.channel in working:
        await house.check_told_once()
    wanted = {**dict.fromkeys(range(2, 5), len(working)), 1: len(working) + 2}
    for what in ("paragraph", "reflection"):
        assert {number: house.endpoint.asked[what, number] for number in wanted} == wanted
    assert house.said(AWAY) == house.said(BACK) == len(places)

    house.channel = paused
    [ballot, _said] = house.shown()[-2:]
    await house.moderator.command(paused, "story resume")
    house.members[0].react(ballot, OPTION_EMOJI[1])
    await house.close_told()
    await house.rests_at(2)
    house.channel = sleeper

    async def asleep() -> bool:
        return (await house.story()).phase is Phase.ASLEEP

    await house.until(asleep, "asleep")
    house.vote(1)
    await house.rests_at(2)
    await house.check_told_once()
    check_calm(house, 2 * len(places) + 3)


# ── cut off ──────────────────────────────────────────────────────────────────────────────────────


async def commits_of_a_turn(folder: Path) -> int:
    """How many changes of the store a turn consists of, claims included."""
    async with redis_house(folder) as house:
        await house.begin()
        before = house.proxy.count(COMMITS)
        await house.turn_over()
        return house.proxy.count(COMMITS) - before


REPEATED_OUT = 4
"""So many cuts, and the adapter has repeated a change as often as it does."""


async def test_a_connection_cut_at_any_commit_applies_it_once(tmp_path: Path) -> None:
    """Before the server saw it and behind its being applied; once, and until the bot gives up."""
    commits = await commits_of_a_turn(tmp_path / "undisturbed")
    assert commits >= 6, "two claims, the close, the text, the reflection, the ballot"
    places = [(loss, commit) for commit in range(commits) for loss in Loss]
    cuts = [(loss, commit, 1) for loss, commit in places]
    cuts += [(loss, commit, REPEATED_OUT) for loss, commit in some_of(places, first=2)]
    async with asyncio.TaskGroup() as sweep:
        for first in range(HOUSES):
            sweep.create_task(_cut_once_a_turn(tmp_path / f"{first}", cuts[first::HOUSES]))


async def _cut_once_a_turn(folder: Path, share: list[tuple[Loss, int, int]]) -> None:
    async with redis_house(folder, tcp=True) as house:
        await house.begin()
        for number, (loss, commit, times) in enumerate(share, 2):
            epoch, cuts = (await house.story()).epoch, house.proxy.cuts
            house.vote((number - 1) % 3)
            house.proxy.lose(loss, COMMITS, times, passing=commit)
            told = await house.close_told()
            if " won " not in told:
                # The command itself was cut for good; the vote is still open, or closed already.
                assert "try again" in told.lower()
                house.ask_to_close()

            async def cut(until: int = cuts + times) -> bool:
                return house.proxy.cuts == until

            await house.until(cut, f"the last of {times} cuts: {loss} at commit {commit}")
            await house.rests_at(number)
            await house.check_told_once()
            if times == 1:
                assert (await house.story()).epoch == epoch + 2, "each claim was granted once"
            house.proxy.undisturbed()
        asked = house.endpoint.asked
        assert set(asked.values()) == {1}, f"paid for once each: {asked}"
        check_calm(house, 4 * sum(times > 1 for _, _, times in share))


# ── disturbed in other ways, each in a house of its own at the same time ─────────────────────────


async def test_whatever_redis_does_is_said_waited_out_and_costs_nothing(tmp_path: Path) -> None:
    """Dead connections, slow answers, refusals, lost indexes, and everything gone."""
    async with asyncio.TaskGroup() as houses:
        for disturbed in (
            connections_that_died_without_a_word,
            slow_answers,
            refusals,
            a_refusal_in_the_middle_of_a_turn,
            indexes_that_vanished,
            an_emptied_redis,
        ):
            houses.create_task(_in_its_house(tmp_path / disturbed.__name__, disturbed))


async def _in_its_house(folder: Path, disturbed: Callable[[RedisHouse], Awaitable[None]]) -> None:
    async with redis_house(folder) as house:
        await disturbed(house)


async def connections_that_died_without_a_word(house: RedisHouse) -> None:
    """They look open and nothing comes back; a turn under way goes on over new ones."""
    gate = Gate(house)
    await house.begin()
    gate.at("early paragraph")
    house.vote(1)
    house.ask_to_close()
    await gate.holds(1)
    house.proxy.let_die()
    gate.open()
    await house.rests_at(2)
    await house.check_told_once()
    assert set(house.endpoint.asked.values()) == {1}
    check_calm(house, 2)


async def slow_answers(house: RedisHouse) -> None:
    """Each one late by 200 ms; and one so late that its connection is given up before."""
    await house.begin()
    house.proxy.delay_s = 0.2
    await house.turn_over()
    house.proxy.delay_s = 0.0
    house.vote(2)
    await house.close_told()
    house.proxy.answer_late(COMMITS, 20.0)
    await house.rests_at(3)
    await house.check_told_once()
    assert set(house.endpoint.asked.values()) == {1}
    check_calm(house, 0)


async def refusals(house: RedisHouse) -> None:
    """Read-only, out of memory, a disk that can't be written, still loading: then it goes on."""
    begun = await house.begin(3)
    for number, refuse in enumerate((read_only, out_of_memory, misconfigured, loading), 2):
        for house.channel in begun:
            house.vote((number - 1) % 3)
        before = [await stored_state(house, channel.id) for channel in begun]
        lift = await refuse(house)
        told = await house.close_told()
        assert "try again in a minute" in told, f"{refuse.__name__}: {told}"
        assert [await stored_state(house, channel.id) for channel in begun] == before
        await lift()
        assert house.said(AWAY) == number - 1, refuse.__name__
        for house.channel in begun:
            house.ask_to_close()
        for house.channel in begun:
            await house.rests_at(number)
            await house.check_told_once()
    assert house.said(BACK) == house.said(AWAY)
    asked = house.endpoint.asked
    assert set(asked.values()) == {len(begun)}, "nothing was paid for twice"
    check_calm(house, 3 * 4)


async def a_refusal_in_the_middle_of_a_turn(house: RedisHouse) -> None:
    """Longer than the lease: what was written waits in the process until Redis takes it.

    What it cost does so too.
    """
    gate = Gate(house)
    await house.begin()
    gate.at("early paragraph")
    house.vote(1)
    await house.close_told()
    await gate.holds(1)
    lift = await read_only(house)
    gate.open()
    await house.says(AWAY)
    await asyncio.sleep(AWAY_S)
    await lift()
    await house.rests_at(2)
    await house.check_told_once()
    assert set(house.endpoint.asked.values()) == {1}, "nothing was paid for twice"
    assert house.said(AWAY) == house.said(BACK) == 1
    check_calm(house, 2)


Lift = Callable[[], Awaitable[None]]


async def read_only(house: RedisHouse) -> Lift:
    """The server becomes somebody's replica."""

    async def lift() -> None:
        async with house.raw() as client:
            await client.execute_command("REPLICAOF", "NO", "ONE")

    async with house.raw() as client:
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")
    return lift


async def out_of_memory(house: RedisHouse) -> Lift:
    """Its memory is full."""

    async def lift() -> None:
        async with house.raw() as client:
            await client.config_set("maxmemory", 0)

    async with house.raw() as client:
        await client.config_set("maxmemory", 1)
    return lift


async def misconfigured(house: RedisHouse) -> Lift:
    """It can't write its append-only file."""
    reply = b"-MISCONF Errors writing to the AOF file: No space left on device\r\n" * 2
    house.proxy.answer_instead(b"EVALSHA", reply, 1000)

    async def lift() -> None:
        house.proxy.undisturbed()

    return lift


async def loading(house: RedisHouse) -> Lift:
    """It reads its data, and answers nothing else meanwhile."""
    reply = b"-LOADING Redis is loading the dataset in memory\r\n"
    house.proxy.answer_instead(b"*", reply, 1000)

    async def lift() -> None:
        house.proxy.undisturbed()

    return lift


async def stored_state(house: RedisHouse, channel: int) -> object:
    """Everything that is stored of a channel."""
    async with house.raw() as client:
        found = [key async for key in client.scan_iter(match=f"tw:*{{{channel}}}*")]
        return {key: await client.dump(key) for key in found}


async def indexes_that_vanished(house: RedisHouse) -> None:
    """They come back: while a vote runs that its time closes, and in the middle of a paragraph."""
    await house.start_bot()
    await house.moderator.command(
        house.channel, "story start", premise="A keeper hears the sea.", vote_seconds=5
    )
    await house.rests_at(1)
    gate = Gate(house)
    for number in (2, 3):
        if number == 2:
            house.vote(1)
            await drop_indexes(house)
        else:
            gate.at("early paragraph")
            house.vote(2)
            await house.close_told()
            await gate.holds(1)
            await drop_indexes(house)
            gate.open()
        await house.rests_at(number)
        # An index is made again by whoever searches next; so is the one that the check looks into.
        await house.moderator.command(house.channel, "memory search", query="the sea")
        await house.check_told_once()
    assert house.said("lost its search indexes") == 2
    check_calm(house, 2)
    recalled = (await house.told())[-1].recalled
    assert recalled, "the third turn remembers the first"


async def drop_indexes(house: RedisHouse) -> None:
    async with house.raw() as client:
        for index in (keys.STORIES_INDEX, keys.MEMORY_INDEX):
            await client.execute_command("FT.DROPINDEX", index)


async def an_emptied_redis(house: RedisHouse) -> None:
    """In the middle of a paragraph; what was told is lost, and another story can begin there."""
    gate = Gate(house)
    await house.begin()
    gate.at("early paragraph")
    house.vote(1)
    await house.close_told()
    await gate.holds(1)
    async with house.raw() as client:
        await client.flushall()
    gate.open()
    await house.says("lost its search indexes")
    assert "no story in this channel" in await house.close_told()
    left = len(house.shown())
    house.ask_for_story()
    await house.rests_at(1)
    turn = (await house.told())[0]
    assert [message.id for message in house.shown()[left:]] == [*turn.pieces, turn.ballot]
    check_calm(house, 1)


# ── on disk ──────────────────────────────────────────────────────────────────────────────────────


async def test_what_the_channel_has_seen_is_on_disk(tmp_path: Path) -> None:
    """Redis is killed right behind each message and edit of a turn, and starts from its file."""
    async with redis_house(tmp_path / "undisturbed") as house:
        seen = Seen(house)
        await house.begin()
        seen.count = 0
        await house.turn_over()
        acts = seen.count
    assert acts >= 9, "the result, the pieces and their edits, the ballot, three reactions"
    async with asyncio.TaskGroup() as sweep:
        for first in range(HOUSES):
            share = some_of(range(acts))[first::HOUSES]
            sweep.create_task(_killed_behind_each(tmp_path / f"{first}", share))


async def _killed_behind_each(folder: Path, share: list[int]) -> None:
    async with redis_house(folder) as house:
        seen = Seen(house)
        await house.begin()
        for number, act in enumerate(share, 2):
            seen.kill_behind(act)
            await house.turn_over()
            assert seen.killed == number - 1, f"turn {number} has an act {act}"
            await house.check_told_once()
        assert set(house.endpoint.asked.values()) == {1}, "nothing was paid for twice"
        house.check_log()


class Seen:
    """What the channel sees, act by act; Redis can be killed behind one of them."""

    def __init__(self, house: RedisHouse) -> None:
        self._house = house
        self._at: int | None = None
        self.count = 0
        self.killed = 0
        for route in ROUTES:
            house.server.after(route, self._after)

    def kill_behind(self, act: int) -> None:
        """Kill Redis behind the act of that number from now on."""
        self.count, self._at = 0, act

    async def _after(self, call: Call) -> None:
        if call.method == "GET" or call.path.endswith("/typing"):
            return
        act, self.count = self.count, self.count + 1
        if act != self._at:
            return
        self._at = None
        # The bot stands still, so that nothing is stored that wasn't when the channel saw it.
        self._house.bot.freeze()
        try:
            await self._house.redis.kill()
            await self._house.redis.restart()
            await self._house.check_on_disk()
            self.killed += 1
        finally:
            self._house.bot.thaw()
