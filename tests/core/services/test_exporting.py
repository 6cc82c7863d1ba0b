"""Exports: what an archive holds while others go on changing the stories."""

import json
from dataclasses import replace
from io import BytesIO

from core.adapters.archive_file import ArchiveReader
from core.archive_ports import Remembered
from core.domain.moving import Totals
from core.domain.story import StoryId, Turn
from core.services.exporting import PAUSE_S, TRIES
from tests.core.services.house import CHANNEL, House
from tests.core.services.travel import packed
from tests.fakes.clock import FakeClock
from tests.fakes.moving import FakeRecords
from tests.fakes.store import StoreWorld, When


async def told(turns: int = 3, channels: tuple[int, ...] = (CHANNEL,)) -> StoreWorld:
    """Stories of some turns, at rest."""
    async with House() as house:
        for channel in channels:
            await house.begin(channel)
            for _ in range(turns - 1):
                await house.turn_over(channel=channel)
        return house.world


def read(archive: bytes) -> ArchiveReader:
    return ArchiveReader(BytesIO(archive), "archive")


async def test_an_archive_holds_all_that_a_story_consists_of() -> None:
    world = await told(3, (CHANNEL, 901))
    archive, done = await packed(FakeRecords(world))
    source = read(archive)
    assert done.totals == Totals(2, 6, len(world.entries), 0)
    assert done.totals == sum((one.totals for one in source.sections), Totals())
    for section in source.sections:
        story, items = section.story.id, list(source.items(section))
        assert section.story == replace(world.stories[story], due=None)
        turns = [one for one in items if isinstance(one, Turn)]
        assert [turn.number for turn in turns] == [1, 2, 3]
        assert all(world.turns[story, turn.id] == turn for turn in turns)
        entries = {one.entry.id: one.entry for one in items if isinstance(one, Remembered)}
        assert entries == {id_: one for (of, id_), one in world.entries.items() if of == story}


async def test_vectors_can_be_left_out() -> None:
    world = await told(2)
    whole, _ = await packed(FakeRecords(world))
    small, _ = await packed(FakeRecords(world), vectors=False)
    assert whole.count(b'"vector"') == len(world.entries)
    assert b'"vector"' not in small
    assert len(small) < len(whole)
    [section] = read(small).sections
    entries = [one for one in read(small).items(section) if isinstance(one, Remembered)]
    assert all(not one.entry.vector and not one.embedder for one in entries)


async def test_a_story_that_changes_while_it_is_read_is_read_again() -> None:
    """The archive holds it as it stood at one moment, and not a word of the first reading."""
    world, clock = await told(2), FakeClock()
    story, changed = StoryId(CHANNEL, 1), 0

    def change(call: str, when: When) -> None:
        nonlocal changed
        if call == "entries" and not changed:
            changed = 1
            head = world.stories[story].head or ""
            world.turns[story, head] = replace(world.turns[story, head], paragraph="Anew.")
            world.stories[story] = replace(world.stories[story], turns_version=7)

    world.interrupt = change
    archive, done = await packed(FakeRecords(world), clock=clock)
    assert done.totals.stories == 1
    assert clock.slept == [PAUSE_S]
    source = read(archive)
    assert source.sections[0].story.turns_version == 7
    texts = [one.paragraph for one in source.items(source.sections[0]) if isinstance(one, Turn)]
    assert texts[-1] == "Anew."
    assert archive.count(b'"kind":"story"') == 1


async def test_a_story_that_never_rests_is_left_out_and_said() -> None:
    """Others are written all the same."""
    world, clock = await told(1, (CHANNEL, 901)), FakeClock()
    story = StoryId(CHANNEL, 1)

    def change(call: str, when: When) -> None:
        if call == "turns":
            world.stories[story] = replace(
                world.stories[story], epoch=world.stories[story].epoch + 1
            )

    world.interrupt = change
    archive, done = await packed(FakeRecords(world), clock=clock)
    assert len(clock.slept) == TRIES
    assert [one.story.id for one in read(archive).sections] == [StoryId(901, 1)]
    [sentence] = done.left_out
    assert "story 900:1 is left out" in sentence


async def test_a_story_that_is_deleted_meanwhile_is_left_out_without_a_word() -> None:
    """A deletion takes the turns first and the story last, and may be met in the middle."""
    world, story = await told(2), StoryId(CHANNEL, 1)

    def delete(call: str, when: When) -> None:
        if call == "entries":
            for key in [key for key in world.turns if key[0] == story]:
                del world.turns[key]

    world.interrupt = delete

    class Ending(FakeClock):
        """The deletion ends while the export waits."""

        async def sleep(self, delay_s: float) -> None:
            world.stories.pop(story, None)

    archive, done = await packed(FakeRecords(world), clock=Ending())
    assert (done.totals, done.left_out) == (Totals(), ())
    assert read(archive).sections == ()


async def test_a_story_that_lacks_an_entry_is_read_once_more_and_written() -> None:
    """It might have been a deletion under way; the import makes no entry of its own."""
    world, clock = await told(2), FakeClock()
    del world.entries[StoryId(CHANNEL, 1), world.stories[StoryId(CHANNEL, 1)].head or ""]
    archive, done = await packed(FakeRecords(world), clock=clock)
    assert clock.slept == [PAUSE_S]
    assert (done.totals.turns, done.totals.entries) == (2, len(world.entries))
    assert len(read(archive).sections) == 1


async def test_a_damaged_story_is_said_and_others_are_written() -> None:
    world = await told(1, (CHANNEL, 901, 902))
    records = FakeRecords(world)
    records.damaged.add(StoryId(CHANNEL, 1))
    del world.turns[StoryId(901, 1), world.stories[StoryId(901, 1)].head or ""]
    archive, done = await packed(records)
    assert [one.story.id for one in read(archive).sections] == [StoryId(902, 1)]
    assert ["900:1" in done.left_out[0], "901:1" in done.left_out[1]] == [True, True]


async def test_an_archive_tells_what_it_is() -> None:
    archive, _ = await packed(FakeRecords(StoreWorld()))
    first, last = (json.loads(line) for line in archive.splitlines())
    assert (first["kind"], first["archive"], first["talewheel"]) == ("archive", 1, "0.1.0")
    assert (last["kind"], last["stories"]) == ("end", 0)
