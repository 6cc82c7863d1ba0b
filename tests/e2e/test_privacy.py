"""What is kept of people, on the real thing: /privacy, its button, votes, servers that are gone."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.handles import Handle, Purpose
from bot.privacy_texts import UNNAME
from core.adapters import redis_keys as keys
from core.domain.departures import DAY_S
from core.domain.story import Phase
from tests.adapters.redis_dump import dump, keys_with
from tests.adapters.redis_raw import raw_client
from tests.bot.test_purge import purge
from tests.e2e.endpoint import Kind
from tests.e2e.test_desk import begun, labels, pressed, said
from tests.e2e.world import World

pytestmark = pytest.mark.redis


class _Heard(logging.Handler):
    """Every line that is logged, however quietly, with all its values and traces."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def heard_at(level: int) -> Generator[_Heard]:
    """What our own loggers say at a level."""
    handler, loggers = _Heard(), [logging.getLogger(name) for name in ("bot", "core")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(level)
    try:
        yield handler
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(was)


async def test_privacy_is_told_to_everyone_and_its_button_outlives_a_restart(world: World) -> None:
    """A moderator's own name goes, of this server alone; nobody needs a right or a story for it."""
    ann = world.members[0]
    shown = await ann.slash(world.channel, "privacy")
    await world.until(lambda: labels(shown))
    assert "Nothing is kept of it." in said(shown)
    assert labels(shown) == [UNNAME]
    await begun(world)
    await world.ask(world.mira, "memory pin", text="The lamp is cold.")
    told = await world.ask(ann, "privacy")
    assert "1 story with 1 turn, and 1 change by moderators." in told
    assert "Ask whoever runs this bot" in told
    by_mira = await world.mira.slash(world.channel, "privacy")
    await world.until(lambda: labels(by_mira))
    await world.stop()
    await world.live_again()
    nothing = await pressed(world, ann, shown, UNNAME)
    assert said(nothing) == "Your name stands in no change of this server's stories."
    assert " · mira · " in await world.ask(world.mira, "memory history")
    done = await pressed(world, world.mira, by_mira, UNNAME)
    assert said(done).startswith("Done: your name and id are out of 1 change in 1 story.")
    assert " · a moderator · " in await world.ask(world.mira, "memory history")
    held = await dump(world.redis.url)
    assert keys_with(held, "mira", str(world.mira.id)) == set()
    await world.ask(world.mira, "memory undo", entry=1)
    assert (await world.story()).canon.entries == ()


async def test_who_voted_is_kept_nowhere(world: World) -> None:
    """However it is voted, counted, extended or slept on: no key and no line of the log has it."""
    with heard_at(logging.DEBUG) as heard:
        await begun(world)
        people = [*world.members, world.mira]
        for option, who in enumerate(world.members):
            await world.vote(option, who)
        await world.vote(0, world.members[1])
        at_vote = await dump(world.redis.url)
        await world.ask(world.mira, "story close")
        await world.rests(Phase.VOTING, 2)
        await world.vote(2, world.members[2])
        await world.turn_over(1)
        await world.stop()
        await world.vote(1, world.members[0])
        await world.live_again()
        await world.ask(world.mira, "story status")
        await world.ask(world.mira, "story close")
        await world.rests(Phase.VOTING, 4)
        counted = await dump(world.redis.url)
    ids = [str(person.id) for person in people]
    assert keys_with(at_vote, *ids) == set()
    assert keys_with(counted, *ids) == set()
    assert not [line for line in heard.lines if any(id_ in line for id_ in ids)]
    assert any("voting" in line for line in heard.lines), "the log was listened to"
    tallies = [turn.tally for turn in await world.lineage()]
    assert tallies[0] is not None
    assert (tallies[0].counts, tallies[0].voters) == ((2, 1, 1), 3)


async def test_a_server_that_was_left_long_ago_is_deleted_and_no_other(world: World) -> None:
    """The bot is removed while it runs; when the days are over, the next start deletes."""
    await begun(world)
    town = world.settle("Fenmark")
    other = town.guild.create_text_channel("tale")
    await world.start("Ormsay keeps a ferry.", other)
    left = world.guild.id
    world.kick_bot()
    await world.rests_paused()
    lost = await _lost(world)
    assert set(lost) == {f"guild:{left}"}
    await world.stop()
    before = await dump(world.redis.url)
    await world.live_again()
    assert keys_with(await dump(world.redis.url), str(left)) == keys_with(before, str(left))
    await world.stop()
    async with raw_client(world.redis.url) as client:
        long_ago = lost[f"guild:{left}"] - 31 * DAY_S
        await client.hset(keys.meta(keys.DEPARTURES), f"guild:{left}", repr(long_ago))
    await world.live_again()

    async def swept() -> bool:
        return not await _lost(world)

    await world.until_it(swept)
    after = await dump(world.redis.url)
    # What was spent counts against the day's caps, and goes with the day, three days later.
    spent = {key for key in after if key.startswith("tw:spend:")}
    assert keys_with(after, str(left), str(world.channel.id)) <= spent
    await world.turn_over(0, other)


async def _lost(world: World) -> dict[str, float]:
    async with raw_client(world.redis.url) as client:
        held = await client.hgetall(keys.meta(keys.DEPARTURES))
        return {place.decode(): float(at) for place, at in held.items()}


def test_the_button_is_of_no_story() -> None:
    """Its name holds nothing but what it is for."""
    assert str(Handle(Purpose.UNNAME, 0)) == "tw:unname:0:0:0:"


async def test_a_purge_beside_the_running_bot_takes_the_story_out_of_its_hands(
    world: World, tmp_path: Path
) -> None:
    """Another process, in the middle of a paragraph; then another story begins in the channel."""
    await begun(world)
    held = world.endpoint.hold(Kind.PARAGRAPH, 2)
    await world.vote(0, world.members[0])
    await world.ask(world.mira, "story close")
    await held.reached.wait()
    channel = str(world.channel.id)
    code, said_there = await purge(tmp_path, world.redis.url, "--channel", channel, "--yes")
    assert code == 0, said_there
    held.release()

    async def left_alone() -> bool:
        return keys_with(await dump(world.redis.url), channel) == set()

    await world.until_it(left_alone)
    assert "There is no story in this channel" in await world.ask(world.mira, "story status")
    await world.start("Ormsay keeps a ferry.")
    await world.turn_over(0)
    assert len(await world.lineage()) == 2
