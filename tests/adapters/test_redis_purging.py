"""What a purge leaves in a real Redis, key by key; erasing beside commits; records nobody reads."""

import asyncio
from dataclasses import replace

import pytest

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters import redis_keys as keys
from core.adapters.redis_archive import RedisArchive
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_departures import RedisDepartures
from core.adapters.redis_erasure import RedisErasure
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.system_clock import SystemClock
from core.domain.audit import SOMEBODY, Change, ChangeKind, Moderator, unsigned
from core.domain.departures import a_channel, a_guild
from core.domain.story import Phase, Story, StoryId
from core.errors import RecordError
from core.ports import Commit
from core.services.privacy import Privacy
from core.services.purging import Purging
from tests.adapters.redis_dump import dump, keys_with
from tests.adapters.redis_raw import raw_client
from tests.contracts.store_samples import DIMS, a_story, a_turn, an_entry

pytestmark = pytest.mark.redis

ADA = Moderator(1_300_000_000_000_000_005, "Ada")
GONE, STAYS = 1_400_000_000_000_000_001, 1_400_000_000_000_000_011
"""Ids that differ in their last digit, or in their length alone."""
CHANNELS = {
    GONE: (1_200_000_000_000_000_001, 1_200_000_000_000_000_002),
    STAYS: (1_200_000_000_000_000_003, 120_000_000_000_000_000),
}


class FilledRedis:
    """The adapters and services over one database."""

    def __init__(self, database: RedisDatabase) -> None:
        self.store = RedisStoryStore(database, DIMS)
        self.schedule = RedisSchedule(database)
        self.archive = RedisArchive(database)
        self.erasure = RedisErasure(database)
        self.departures = RedisDepartures(database)
        clock = SystemClock()
        self.purging = Purging(
            store=self.store,
            schedule=self.schedule,
            archive=self.archive,
            erasure=self.erasure,
            departures=self.departures,
            clock=clock,
        )
        self.privacy = Privacy(
            store=self.store,
            schedule=self.schedule,
            erasure=self.erasure,
            purging=self.purging,
            clock=clock,
        )

    async def fill(self, guild: int) -> None:
        """Two channels, one with two stories, each with a turn, an entry, a change, a claim."""
        for channel in CHANNELS[guild]:
            story = a_story(channel, guild=guild)
            await self._told(story)
            await self.departures.note(a_channel(channel), 1.0)
        await self.store.commit(Commit(f"end-{guild}", await self._ended(CHANNELS[guild][0])))
        await self._told(a_story(CHANNELS[guild][0], 2, guild=guild))
        await self.departures.note(a_guild(guild), 1.0)

    async def _ended(self, channel: int) -> Story:
        held = await self.schedule.claim(StoryId(channel, 1), 1.0, 2.0, force=True)
        return replace(held, phase=Phase.ENDED, due=None)

    async def _told(self, story: Story) -> None:
        assert await self.store.create(story, f"begin-{story.id}".replace(":", "-"))
        turn = replace(a_turn(), id=f"t{story.id.serial}")
        entry = an_entry(turn.id)
        pinned = Change(ChangeKind.PINNED, 1.0, ADA, "", "The lamp is cold.")
        change = Commit(
            f"tell-{story.id.serial}", story, turn=turn, entries=(entry,), change=pinned
        )
        await self.store.commit(change)


@pytest.fixture
def redis(database: RedisDatabase) -> FilledRedis:
    return FilledRedis(database)


async def test_nothing_of_a_purged_server_is_left_and_nothing_of_another_is_touched(
    redis: FilledRedis, empty_redis: EmbeddedRedis
) -> None:
    """Every key before and after: not one names the server or a channel of it."""
    await redis.fill(STAYS)
    alone = await dump(empty_redis.url)
    await redis.fill(GONE)
    both = await dump(empty_redis.url)
    marks = [str(GONE), *map(str, CHANNELS[GONE])]
    kinds = {key.split(":")[1] for key in keys_with(both, *marks)}
    assert kinds == {"story", "current", "turn", "turns", "memory", "changes", "op", "meta"}
    assert await redis.purging.guild(GONE) == 3
    after = await dump(empty_redis.url)
    assert keys_with(after, *marks) == set()
    assert after == alone


async def test_a_purge_leaves_the_marks_of_a_channel_that_has_another_story(
    redis: FilledRedis, empty_redis: EmbeddedRedis
) -> None:
    """Whoever repeats a change of that one must still be told that it was applied."""
    await redis.fill(GONE)
    channel = CHANNELS[GONE][0]
    mark = keys.operation(channel, "tell-2")
    await redis.purging.story(StoryId(channel, 1))
    assert mark in await dump(empty_redis.url)
    await redis.purging.story(StoryId(channel, 2))
    held = await dump(empty_redis.url)
    assert {key for key in held if str(channel) in key} == set()
    assert keys_with(held, str(channel)) == {keys.meta(keys.DEPARTURES)}


async def test_names_leave_a_log_to_which_others_append_at_the_same_moment(
    redis: FilledRedis,
) -> None:
    """No change is lost, none is doubled, and none stands where another was."""
    story = a_story(guild=GONE)
    await redis.store.create(story, "begin")

    async def append(number: int) -> None:
        change = Change(ChangeKind.PINNED, float(number), ADA, "", f"fact {number}")
        await redis.store.commit(Commit(f"edit-{number}", story, change=change, holds=False))

    for number in range(20):
        await append(number)
    await asyncio.gather(
        *(append(number) for number in range(20, 60)),
        *(redis.privacy.erase(ADA.id, GONE) for _ in range(2)),
        *(redis.erasure.rewrite(story.id, lambda change: unsigned(change, ADA.id)) for _ in "ab"),
    )
    log = await redis.archive.changes_since(story.id, 1)
    assert sorted(one.change.at for one in log) == [float(number) for number in range(60)]
    assert all(one.change.by == SOMEBODY for one in log[:20])
    await redis.privacy.erase(ADA.id, GONE)
    log = await redis.archive.changes_since(story.id, 1)
    assert {one.change.by for one in log} == {SOMEBODY}
    assert len(log) == 60


async def test_a_change_that_cannot_be_read_keeps_no_other_from_being_rewritten(
    redis: FilledRedis, empty_redis: EmbeddedRedis
) -> None:
    """Of another version, say: what is left is said, and the rest is done."""
    await redis.fill(GONE)
    story = StoryId(CHANNELS[GONE][1], 1)
    async with raw_client(empty_redis.url) as client:
        await client.lpush(keys.changes(story), b'{"format":"99"}')
    with pytest.raises(RecordError, match="1 changes"):
        await redis.erasure.rewrite(story, lambda change: unsigned(change, ADA.id))
    done = await redis.privacy.erase(ADA.id, GONE)
    assert (done.changes, done.unread) == (2, (story,))
    held = await dump(empty_redis.url)
    assert keys_with(held, str(ADA.id), "Ada") == set()


async def test_a_story_that_cannot_be_read_is_deleted_all_the_same(
    redis: FilledRedis, empty_redis: EmbeddedRedis
) -> None:
    """A wish to be deleted doesn't wait for the version that wrote it."""
    await redis.fill(GONE)
    story = StoryId(CHANNELS[GONE][1], 1)
    async with raw_client(empty_redis.url) as client:
        await client.hset(keys.story(story), "state", b"{")
    assert (await redis.purging.kept_of_guild(GONE)).stories[-1] == story
    assert await redis.purging.guild(GONE) == 3
    assert keys_with(await dump(empty_redis.url), str(story.channel)) == set()
