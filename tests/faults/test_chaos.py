"""Crash everywhere, the short form: killed once at every failpoint and at some random moments.

`make chaos` is the long form. What a check looks at is tried here too: each lie that a channel or
Redis could tell must be seen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.failpoints import FAILPOINTS
from core.adapters import redis_keys as keys
from tests.adapters.redis_raw import raw_client
from tests.faults.bot_nursery import Nursery
from tests.faults.chaos import campaign, plan
from tests.faults.chaos.ledger import Ledger
from tests.faults.chaos.report import Report
from tests.faults.process_house import ProcessHouse

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

SEED = 20
"""Any would do; a fixed one has the same deaths in the same order each time."""
RANDOM_KILLS = 8
HOUSES = 5


async def test_killed_at_every_failpoint_nothing_is_lost_and_nothing_told_twice(
    tmp_path: Path,
) -> None:
    """Busy houses of several channels each; after each restart every channel is looked at."""
    report = Report()
    shares = plan.deal(plan.draw(SEED, 1, RANDOM_KILLS), HOUSES)
    async with Nursery() as nursery, asyncio.TaskGroup() as houses:
        for number, share in enumerate(shares):
            told, place = report.falls.append, tmp_path / f"{number}"
            houses.create_task(campaign.run(place, nursery, SEED + number, share, told))
    assert not report.violations, f"seed {SEED}:\n{report.table()}"
    assert not report.missing(1, RANDOM_KILLS), f"seed {SEED}:\n{report.table()}"
    assert report.kills.total() == len(FAILPOINTS) + RANDOM_KILLS


# ── the checks can fail ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ProcessHouse]:
    """A story in the vote of its second turn, whose bot is gone: nobody mends anything."""
    async with ProcessHouse(tmp_path / "bot") as house:
        await house.start_bot()
        house.ask_for_story()
        await house.rests_at(1)
        await house.turn_over()
        await house.kill_bot()
        yield house


async def test_every_lie_is_seen(house: ProcessHouse) -> None:
    """What is shown twice, missing, changed, unanswered or paid for again fails the check."""
    story, ledger = await house.story(), Ledger(house, house.channel)
    first, rest, closed, *_, opened = house.shown()
    world, bot = house.server.world, house.server.world.bot.id
    asked = house.endpoint.asked_of
    cost = (story.brief.premise, "paragraph", 2)
    head = keys.turn(story.id, story.head or "")

    async def refused(why: str) -> None:
        with pytest.raises(AssertionError, match=why):
            await ledger.verify(story)

    def changed(message_content: str) -> Callable[[], None]:
        before, first.content = first.content, message_content
        return lambda: setattr(first, "content", before)

    assert await ledger.verify(story)

    undo = changed(first.content.replace("Sentence 2", "Sentence two"))
    await refused("members read")
    undo()

    orphan = world.add_message(type(rest)(world.snowflakes.next(), rest.channel, rest.author, "…"))
    await refused("nothing more, nothing less")
    world.delete_message(orphan)

    orphan = world.add_message(
        type(rest)(world.snowflakes.next(), rest.channel, rest.author, "-# Hm")
    )
    await refused("each sentence once")
    world.delete_message(orphan)

    opened.reactions["2️⃣"].normal.discard(bot)
    await refused("three reactions")
    opened.reactions["2️⃣"].normal.add(bot)

    votes = closed.reactions["2️⃣"].normal
    voters = set(votes)
    votes.clear()
    votes.add(bot)
    await refused("turn 1: ")
    votes |= voters

    asked[cost] += 1
    await refused("was asked for 2 times")
    asked[cost] -= 1

    async with raw_client(house.redis.url) as client:
        record = await client.hget(head, "turn")
        await client.hset(head, "turn", record.replace(b"Sentence 2", b"Sentence 3", 1))
        await refused("shown is")
        await client.hset(head, "turn", record)

        entry = keys.memory(story.id, story.head or "")
        await client.hset(entry, "story", "somebody-else")
        await refused("found")
        await client.hset(entry, "story", str(story.id))

        await client.delete(entry)
        await refused("an entry for each turn")
