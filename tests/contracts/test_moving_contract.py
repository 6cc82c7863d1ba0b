"""Stories that travel: what reading in bulk and importing promise, on the fake and on Redis."""

from dataclasses import dataclass, replace

import pytest

from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_import import RedisImports
from core.adapters.redis_records import RedisRecords
from core.archive_ports import StoryImports, StoryRecords
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.story import Phase, StoryId, Vector
from core.errors import FencedError, RecordError
from core.ports import Commit
from tests.conftest import fake_doors, redis_doors
from tests.contracts.store_samples import (
    DIMS,
    Doors,
    a_chapter,
    a_fact,
    a_story,
    a_turn,
    an_entry,
    at_angle,
)
from tests.fakes.moving import FakeImports, FakeRecords
from tests.fakes.store import StoreWorld

CHANNEL = 1_200_000_000_000_000_001
PINNED = Change(ChangeKind.PINNED, 1.5, Moderator(5, "Ada"), after="The lamp is cold.")


@dataclass(frozen=True, slots=True)
class Yard:
    """A store with both doors for travellers."""

    doors: Doors
    records: StoryRecords
    imports: StoryImports


@pytest.fixture(params=["fake", pytest.param("redis", marks=pytest.mark.redis)])
def yard(request: pytest.FixtureRequest) -> Yard:
    if request.param == "redis":
        database: RedisDatabase = request.getfixturevalue("database")
        imports = RedisImports(database)
        return Yard(redis_doors(database), RedisRecords(database, database.vectors), imports)
    world = StoreWorld(DIMS)
    return Yard(fake_doors(world), FakeRecords(world, "test-embedder"), FakeImports(world))


async def told(yard: Yard, serial: int = 1, phase: Phase = Phase.WRITING) -> StoryId:
    """A story of two turns with an entry each, and a pinned fact."""
    story = a_story(CHANNEL, serial)
    assert await yard.doors.stories.create(story, f"create-{serial}")
    for number in (2, 1):
        turn, entry = a_turn(f"t{number}", number), an_entry(f"t{number}", number)
        story = replace(story, head=turn.id, phase=phase)
        own = f"{serial}-{number}"
        await yard.doors.stories.commit(Commit(own, story, turn=turn, entries=(entry,)))
    await yard.doors.stories.commit(Commit(f"pin-{serial}", story, change=PINNED))
    return story.id


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


async def test_stories_are_listed_in_order(yard: Yard) -> None:
    """All of them, or a channel's, also one whose id ends alike."""
    ids = [StoryId(CHANNEL, 1), StoryId(CHANNEL, 2), StoryId(CHANNEL * 10 + 1, 1), StoryId(1, 1)]
    for story in ids:
        ended = a_story(story.channel, story.serial, phase=Phase.ENDED)
        assert await yard.doors.stories.create(ended, "create")
    assert await yard.records.stories() == sorted(ids)
    assert await yard.records.stories(CHANNEL) == ids[:2]
    assert await yard.records.stories(7) == []


async def test_all_records_of_a_story_are_read(yard: Yard) -> None:
    """By number, whenever they were written; entries that aren't there are left out."""
    story = await told(yard)
    seen = await yard.records.seen(story)
    assert seen is not None
    assert seen.story is not None
    assert (seen.made_by, seen.turns, seen.changes) == ("create-1", 2, 1)
    assert replace(await yard.doors.stories.load(story), due=None) == seen.story
    assert await yard.records.turn_ids(story) == ["t1", "t2"]
    assert [turn.number for turn in await yard.records.turns(story, ["t2", "t1"])] == [2, 1]
    [one, two] = await yard.records.entries(story, {"t2", "t1", "t3"})
    assert (one.entry, one.embedder) == (an_entry("t1", 1), "test-embedder")
    assert two.entry == an_entry("t2", 2)
    assert await yard.records.changes(story, 1, 5) == [PINNED]
    assert await yard.records.changes(story, 2, 5) == []
    assert await yard.records.entries(story, set()) == []
    assert await yard.records.seen(StoryId(CHANNEL, 9)) is None


async def test_every_kind_of_entry_is_read_as_it_was_written(yard: Yard) -> None:
    story = await told(yard)
    state = await yard.doors.stories.load(story)
    entries = (
        a_fact("t1", 1, 3, at_angle(20), about="Mira", ends=("t0/1", "t0/2")),
        a_chapter("t2", 10, at_angle(40)),
    )
    await yard.doors.stories.commit(Commit("more", state, entries=entries))
    found = await yard.records.entries(story, {one.id for one in entries})
    assert [one.entry for one in found] == sorted(entries, key=lambda one: one.id)


async def test_a_turn_that_is_missing_is_said(yard: Yard) -> None:
    story = await told(yard)
    with pytest.raises(RecordError, match="t7"):
        await yard.records.turns(story, ["t1", "t7"])


async def test_two_looks_are_equal_until_something_is_changed(yard: Yard) -> None:
    """A lease that is renewed changes nothing; a commit and a claim do."""
    story = await told(yard)
    before = await yard.records.seen(story)
    claimed = await yard.doors.schedule.claim(story, 10.0, 20.0, force=True)
    taken = await yard.records.seen(story)
    assert taken != before
    await yard.doors.schedule.renew(story, claimed.epoch, 30.0)
    assert await yard.records.seen(story) == taken
    await yard.doors.stories.commit(Commit("on", replace(claimed, tries=1)))
    assert await yard.records.seen(story) != taken


# ── importing ────────────────────────────────────────────────────────────────────────────────────


async def imported(yard: Yard, serial: int = 1, phase: Phase = Phase.VOTING) -> bool:
    story = a_story(CHANNEL, serial, phase=phase, due=5.0)
    assert await yard.imports.begin(story.id, "run")
    await yard.imports.put(story.id, "run", [a_turn("t1"), an_entry("t1")])
    await yard.imports.log(story.id, "run", 1, [PINNED])
    if done := await yard.imports.finish(story, "run", "import-1"):
        return done
    await yard.imports.abandon(story.id, "run")
    return done


async def test_a_story_is_there_with_its_last_record(yard: Yard) -> None:
    """Until then nobody finds it, and afterwards it is like any other."""
    story = a_story(CHANNEL, phase=Phase.VOTING, due=5.0)
    assert await yard.imports.begin(story.id, "run")
    await yard.imports.put(story.id, "run", [a_turn("t1"), an_entry("t1", vector=at_angle(9))])
    await yard.imports.log(story.id, "run", 1, [PINNED, PINNED])
    assert await yard.doors.schedule.due(10.0, 9) == []
    assert await yard.doors.stories.current(CHANNEL) is None
    assert await yard.records.stories() == []
    assert await yard.imports.finish(story, "run", "import-1")
    assert await yard.doors.schedule.due(10.0, 9) == [story.id]
    assert await yard.doors.stories.current(CHANNEL) == story
    assert await yard.doors.stories.turn(story.id, "t1") == a_turn("t1")
    assert await yard.doors.archive.turn_at(story.id, "main", 1) == a_turn("t1")
    assert [one.number for one in await yard.doors.archive.changes(story.id, None, 9)] == [2, 1]
    seen = await yard.records.seen(story.id)
    assert seen is not None
    assert seen.made_by == "import-1"
    claimed = await yard.doors.schedule.claim(story.id, 10.0, 20.0)
    await yard.doors.stories.commit(Commit("on", replace(claimed, tries=1)))


async def test_every_step_of_an_import_can_be_repeated(yard: Yard) -> None:
    """Its answer may have been lost."""
    story = a_story(CHANNEL, phase=Phase.VOTING)
    for _ in range(2):
        assert await yard.imports.begin(story.id, "run")
    for _ in range(2):
        await yard.imports.put(story.id, "run", [a_turn("t1"), an_entry("t1")])
    for _ in range(2):
        await yard.imports.log(story.id, "run", 1, [PINNED])
    for _ in range(2):
        assert await yard.imports.finish(story, "run", "import-1")
    assert len(await yard.doors.archive.changes(story.id, None, 9)) == 1


async def test_no_story_begins_where_one_is_being_imported(yard: Yard) -> None:
    """Neither in its place nor behind it."""
    assert await yard.imports.begin(StoryId(CHANNEL, 1), "run")
    assert not await yard.doors.stories.create(a_story(CHANNEL), "create")
    await yard.imports.abandon(StoryId(CHANNEL, 1), "run")
    assert await yard.doors.stories.create(a_story(CHANNEL, phase=Phase.ENDED), "create")
    seen = await yard.records.seen(StoryId(CHANNEL, 1))
    assert await yard.imports.begin(StoryId(CHANNEL, 1), "run", seen)
    assert not await yard.doors.stories.create(a_story(CHANNEL, 2), "again")


async def test_what_is_there_stays(yard: Yard) -> None:
    """A story is replaced only as it was seen."""
    story = await told(yard)
    assert not await yard.imports.begin(story, "run")
    seen = await yard.records.seen(story)
    state = await yard.doors.stories.load(story)
    await yard.doors.stories.commit(Commit("on", replace(state, tries=1)))
    assert not await yard.imports.begin(story, "run", seen)
    assert (await yard.doors.stories.load(story)).tries == 1
    assert len(await yard.records.turn_ids(story)) == 2


async def test_who_holds_a_story_that_is_replaced_is_fenced_off(yard: Yard) -> None:
    """At once, and after the new one is there, and nothing of the old one is left."""
    story = await told(yard)
    held = await yard.doors.schedule.claim(story, 10.0, 20.0, force=True)
    assert await yard.imports.begin(story, "run", await yard.records.seen(story))
    with pytest.raises(FencedError):
        await yard.doors.stories.commit(Commit("late", replace(held, tries=1)))
    with pytest.raises(FencedError):
        await yard.doors.schedule.renew(story, held.epoch, 30.0)
    await yard.imports.put(story, "run", [a_turn("t9", 9)])
    new = replace(a_story(CHANNEL, phase=Phase.VOTING), epoch=held.epoch + 1)
    assert await yard.imports.finish(new, "run", "import-1")
    with pytest.raises(FencedError):
        await yard.doors.stories.commit(Commit("later", replace(held, tries=1)))
    assert await yard.records.turn_ids(story) == ["t9"]
    assert await yard.records.entries(story, {"t1", "t2"}) == []
    assert await yard.records.changes(story, 1, 9) == []


async def test_an_import_that_was_killed_leaves_nothing_behind(yard: Yard) -> None:
    """The next one clears it away, and whatever still runs of it is refused."""
    story = StoryId(CHANNEL, 1)
    assert await yard.imports.begin(story, "killed")
    await yard.imports.put(story, "killed", [a_turn("t1"), an_entry("t1")])
    await yard.imports.log(story, "killed", 1, [PINNED])
    assert await yard.imports.clear() == 1
    assert await yard.imports.clear() == 0
    assert await yard.records.turn_ids(story) == []
    assert await yard.records.entries(story, {"t1"}) == []
    assert await yard.records.changes(story, 1, 9) == []
    with pytest.raises(FencedError):
        await yard.imports.put(story, "killed", [a_turn("t1")])
    with pytest.raises(FencedError):
        await yard.imports.log(story, "killed", 1, [PINNED])
    with pytest.raises(FencedError):
        await yard.imports.finish(a_story(CHANNEL), "killed", "import-1")
    with pytest.raises(FencedError):
        await yard.imports.abandon(story, "killed")
    assert await yard.doors.stories.create(a_story(CHANNEL), "create")


async def test_a_story_that_was_to_be_replaced_and_is_not_leaves_its_channel_free(
    yard: Yard,
) -> None:
    """It is gone, as the archive knows all of it; whoever doesn't repeat the import can begin."""
    story = await told(yard)
    assert await yard.imports.begin(story, "run", await yard.records.seen(story))
    await yard.imports.abandon(story, "run")
    assert await yard.doors.stories.current(CHANNEL) is None
    assert await yard.doors.stories.create(a_story(CHANNEL), "create")


async def test_an_entry_may_come_without_a_vector(yard: Yard) -> None:
    """Its text was refused by the embedder: it is there, and lacks nothing else."""
    story, entry = a_story(CHANNEL, phase=Phase.VOTING), replace(an_entry("t1"), vector=Vector(b""))
    assert await yard.imports.begin(story.id, "run")
    await yard.imports.put(story.id, "run", [a_turn("t1"), entry])
    assert await yard.imports.finish(story, "run", "import-1")
    [there] = await yard.records.entries(story.id, {entry.id})
    assert there.entry == entry


async def test_of_a_channels_stories_only_the_newest_may_live(yard: Yard) -> None:
    """Ended ones may come below it, and none behind a live one."""
    await told(yard, 1, Phase.ENDED)
    assert await imported(yard, 3)
    assert not await imported(yard, 2), "a live one below"
    assert not await imported(yard, 4), "a live one behind"
    assert not await imported(yard, 4, Phase.ENDED)
    assert await imported(yard, 2, Phase.ENDED)
    current = await yard.doors.stories.current(CHANNEL)
    assert current is not None
    assert current.id.serial == 3
    assert await yard.records.stories(CHANNEL) == [StoryId(CHANNEL, n) for n in (1, 2, 3)]
