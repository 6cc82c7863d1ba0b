"""What every StaleVectors promises, and what a MemorySearch finds while an embedder is changed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_stale_vectors import RedisStaleVectors
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.entries import EntryKind
from core.domain.story import Phase, StoryId, Stretch
from core.errors import FencedError, StoreError
from core.ports import Commit, MemoryEntry, MemorySearch, StaleEntry, StaleVectors, StoryStore
from tests.adapters.redis_raw import raw_client
from tests.conftest import redis_doors
from tests.contracts.store_samples import (
    DIMS,
    EVERYTHING,
    a_chapter,
    a_fact,
    a_story,
    an_entry,
    at_angle,
    turn_ids,
    unit,
)
from tests.fakes.store import (
    FakeArchive,
    FakeMemorySearch,
    FakeStaleVectors,
    FakeStoryStore,
    StoreWorld,
)

STORY = a_story()
NEW_DIMS = 16
NEW = unit(1, dims=NEW_DIMS)


@dataclass
class Process:
    """One process with its embedder."""

    stories: StoryStore
    memory: MemorySearch
    stale: StaleVectors


class FakeHouse:
    """Processes over one store in memory; a new one ends the reign of the one before it."""

    def __init__(self) -> None:
        self.world = StoreWorld(DIMS)

    async def start(self, name: str, dims: int) -> Process:
        """A process with this embedder."""
        self.world.change_embedder(name, dims)
        stale = FakeStaleVectors(self.world)
        return Process(FakeStoryStore(self.world), FakeMemorySearch(self.world), stale)

    async def purge(self, story: StoryId) -> None:
        """Delete a story."""
        await FakeArchive(self.world).purge(story)

    async def overtaken(self, name: str, dims: int) -> None:
        """Another process starts with this embedder, while the one before it goes on."""
        self.world.taken_over = True
        del name, dims


class RedisHouse:
    """Processes over one Redis."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.opened: list[RedisDatabase] = []

    async def start(self, name: str, dims: int) -> Process:
        """A process with this embedder."""
        database = RedisDatabase(self._url)
        self.opened.append(database)
        await database.prepare(name, dims)
        return Process(
            RedisStoryStore(database, dims),
            RedisMemorySearch(database, dims),
            RedisStaleVectors(database),
        )

    async def purge(self, story: StoryId) -> None:
        """Delete a story."""
        await redis_doors(self.opened[-1]).archive.purge(story)

    async def overtaken(self, name: str, dims: int) -> None:
        """Another process starts with this embedder, while the one before it goes on."""
        await self.start(name, dims)


House = FakeHouse | RedisHouse


@pytest_asyncio.fixture
async def redis_house(empty_redis: EmbeddedRedis) -> AsyncIterator[RedisHouse]:
    """An empty Redis; what was opened is closed."""
    house = RedisHouse(empty_redis.url)
    yield house
    for database in house.opened:
        await database.close()


@pytest.fixture(params=["fake", pytest.param("redis", marks=pytest.mark.redis)])
def house(request: pytest.FixtureRequest) -> House:
    """An empty store."""
    return FakeHouse() if request.param == "fake" else request.getfixturevalue("redis_house")


SUMMARY = an_entry("t1", 1, text="They climbed down.")
FACT = a_fact("t2", 2, about="Mira", text="She waits.")


async def told(house: House, *entries: MemoryEntry) -> Process:
    """A story with entries of the first embedder, in a process that has it."""
    process = await house.start("first", DIMS)
    assert await process.stories.create(STORY, "create")
    await process.stories.commit(Commit("told", STORY, entries=entries))
    return process


async def changed(house: House, *entries: MemoryEntry, dims: int = NEW_DIMS) -> Process:
    """The same, and a process with another embedder."""
    await told(house, *entries)
    return await house.start("other", dims)


def as_stale(entry: MemoryEntry, story: StoryId = STORY.id) -> StaleEntry:
    """An entry, as it waits for its vector."""
    return StaleEntry(story, entry.id, entry.about, entry.text)


async def test_nothing_is_stale_before_a_change(house: House) -> None:
    """What a process writes itself, it finds by meaning."""
    process = await told(house, SUMMARY, FACT)
    assert await process.stale.count() == 0
    assert await process.stale.some(None, 9) == []
    assert await process.memory.stale(STORY.id, EVERYTHING) == 0
    assert await process.memory.matching(STORY.id, EVERYTHING, "climbed", 9, stale=True) == []


@pytest.mark.parametrize("dims", [NEW_DIMS, DIMS])
async def test_after_a_change_everything_is_found_by_words_alone(house: House, dims: int) -> None:
    """Vectors of two embedders are never compared, whether they are of one length or not."""
    process = await changed(house, SUMMARY, FACT, dims=dims)
    assert await process.stale.count() == 2
    assert await process.memory.stale(STORY.id, EVERYTHING) == 2
    assert await process.memory.nearest(STORY.id, EVERYTHING, unit(1, dims=dims), 9) == []
    for stale in (False, True):
        found = await process.memory.matching(STORY.id, EVERYTHING, "climbed", 9, stale=stale)
        assert turn_ids(found) == ["t1"]
    assert await process.memory.count(STORY.id, EVERYTHING) == 1


async def test_a_new_vector_lets_meaning_find_an_entry_again(house: House) -> None:
    """Entry by entry; the others wait."""
    process = await changed(house, SUMMARY, FACT)
    assert await process.stale.renew([(as_stale(FACT), NEW)]) == []
    assert await process.stale.count() == 1
    assert await process.memory.stale(STORY.id, EVERYTHING) == 1
    [found] = await process.memory.nearest(STORY.id, EVERYTHING, NEW, 9)
    assert (found.id, found.text, found.about, found.kind) == (
        *("t2/1", "She waits.", "Mira"),
        EntryKind.FACT,
    )
    assert found.score == pytest.approx(1.0)
    assert await process.memory.matching(STORY.id, EVERYTHING, "waits", 9, stale=True) == []
    assert turn_ids(await process.memory.matching(STORY.id, EVERYTHING, "waits", 9)) == ["t2"]


async def test_what_is_written_after_a_change_is_found_at_once(house: House) -> None:
    """Also an entry that was there before, and says something else now."""
    process = await changed(house, SUMMARY, FACT)
    amended = replace(FACT, text="She left.", vector=NEW)
    added = an_entry("t3", 3, NEW)
    await process.stories.commit(Commit("new", STORY, entries=(amended, added)))
    found = await process.memory.nearest(STORY.id, EVERYTHING, NEW, 9)
    assert sorted(turn_ids(found)) == ["t2", "t3"]
    assert await process.stale.some(None, 9) == [as_stale(SUMMARY)]


async def test_what_was_amended_meanwhile_keeps_its_own_vector(house: House) -> None:
    """A vector of the old text comes too late, and says so."""
    process = await changed(house, SUMMARY, FACT)
    page = await process.stale.some(None, 9)
    amended = replace(FACT, text="She left.", vector=NEW)
    renamed = replace(SUMMARY, about="Mira", vector=NEW)
    await process.stories.commit(Commit("amended", STORY, entries=(amended, renamed)))
    late = unit(0, 1, dims=NEW_DIMS)
    assert await process.stale.renew([(entry, late) for entry in page]) == page
    found = await process.memory.nearest(STORY.id, EVERYTHING, NEW, 9)
    assert [hit.score for hit in found] == pytest.approx([1.0, 1.0])


async def test_what_was_forgotten_does_not_come_back(house: House) -> None:
    """A vector for an entry that is gone makes no entry."""
    process = await changed(house, SUMMARY, FACT)
    page = await process.stale.some(None, 9)
    await process.stories.commit(Commit("forgotten", STORY, forgets=(SUMMARY.id,)))
    assert await process.stale.renew([(entry, NEW) for entry in page]) == [as_stale(SUMMARY)]
    assert await process.stale.count() == 0
    assert await process.memory.count(STORY.id, EVERYTHING) == 0
    assert await process.memory.matching(STORY.id, EVERYTHING, "climbed", 9) == []


async def test_a_story_that_was_deleted_does_not_come_back(house: House) -> None:
    """Nothing of it is stale, and a late vector changes nothing."""
    process = await changed(house, SUMMARY, FACT)
    page = await process.stale.some(None, 9)
    await process.stories.commit(Commit("end", replace(STORY, phase=Phase.ENDED)))
    await house.purge(STORY.id)
    assert await process.stale.count() == 0
    assert await process.stale.renew([(entry, NEW) for entry in page]) == page
    assert await process.stale.count() == 0


async def test_renewing_can_be_repeated(house: House) -> None:
    """A lost answer costs nothing."""
    process = await changed(house, SUMMARY, FACT)
    for _ in range(2):
        given = [(as_stale(FACT), NEW), (as_stale(SUMMARY), NEW)]
        assert await process.stale.renew(given) == []
    assert await process.stale.count() == 0
    assert await process.stale.renew([]) == []


async def test_the_newest_come_first_and_no_more_than_asked_for(house: House) -> None:
    """Of all stories, or of one."""
    entries = [an_entry(f"t{number}", number, text=f"No. {number}.") for number in range(1, 8)]
    process = await told(house, *entries, a_chapter("t9", 9))
    other = a_story(STORY.id.channel + 1)
    assert await process.stories.create(other, "create")
    await process.stories.commit(Commit("told", other, entries=(an_entry("t8", 8),)))
    process = await house.start("other", NEW_DIMS)
    numbers = [entry.id for entry in await process.stale.some(None, 4)]
    assert numbers == ["t9/chapter", "t8", "t7", "t6"]
    own = [entry.id for entry in await process.stale.some(STORY.id, 99)]
    assert own == ["t9/chapter", *(f"t{number}" for number in range(7, 0, -1))]
    assert await process.stale.some(other.id, 9) == [as_stale(an_entry("t8"), other.id)]
    assert await process.stale.some(StoryId(5, 1), 9) == []
    assert await process.stale.some(None, 0) == []


async def test_stale_are_those_of_the_lineage_for_a_search(house: House) -> None:
    """What a rewind dropped is no reason to look for words; it gets its vector all the same."""
    process = await changed(house, an_entry("t1", 1), an_entry("t2", 2), an_entry("t3", 3))
    assert await process.memory.stale(STORY.id, (Stretch("main", 1, 2),)) == 2
    assert await process.memory.stale(STORY.id, (Stretch("main", 1, 2), Stretch("b", 3, 2))) == 2
    assert await process.memory.stale(STORY.id, ()) == 0
    assert await process.memory.stale(StoryId(5, 1), EVERYTHING) == 0
    assert await process.stale.count() == 3


async def test_an_embedder_that_is_set_back_finds_what_nobody_touched(house: House) -> None:
    """And of what was given other vectors meanwhile, nothing."""
    process = await changed(house, SUMMARY, FACT)
    await process.stale.renew([(as_stale(FACT), NEW)])
    process = await house.start("first", DIMS)
    assert await process.stale.some(None, 9) == [as_stale(FACT)]
    assert turn_ids(await process.memory.nearest(STORY.id, EVERYTHING, at_angle(0), 9)) == ["t1"]


async def test_a_vector_of_another_length_is_refused(house: House) -> None:
    """It would be stored and never found."""
    process = await changed(house, SUMMARY)
    with pytest.raises(StoreError, match="numbers"):
        await process.stale.renew([(as_stale(SUMMARY), at_angle(0))])
    assert await process.stale.count() == 1


async def test_a_process_that_was_followed_by_another_one_gives_no_vectors(house: House) -> None:
    """Two that turn back each other's work would never come to an end, and pay for it."""
    process = await told(house, SUMMARY)
    await house.overtaken("other", NEW_DIMS)
    with pytest.raises(FencedError):
        await process.stale.some(None, 9)
    with pytest.raises(FencedError):
        await process.stale.renew([(as_stale(SUMMARY), at_angle(0))])


@pytest.mark.redis
async def test_no_vector_of_what_an_entry_said_before_is_left_behind(
    redis_house: RedisHouse, empty_redis: EmbeddedRedis
) -> None:
    """Neither when it gets a new one, nor when it is amended before that."""
    process = await changed(redis_house, SUMMARY, FACT)
    await process.stale.renew([(as_stale(SUMMARY), NEW)])
    amended = replace(FACT, text="She left.", vector=NEW)
    await process.stories.commit(Commit("amended", STORY, entries=(amended,)))
    own = redis_house.opened[-1].vectors.field.encode()
    async with raw_client(empty_redis.url) as client:
        for key in [key async for key in client.scan_iter(match="tw:memory:*")]:
            names = await client.hkeys(key)
            assert [name for name in names if name.startswith(b"vector")] == [own]
