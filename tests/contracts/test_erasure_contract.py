"""What every Erasure promises: names out of a log, and stories out of the way."""

from dataclasses import replace

import pytest

from core.domain.audit import SOMEBODY, Change, ChangeKind, Moderator, unsigned
from core.domain.story import Phase, Story, StoryId
from core.errors import FencedError
from core.ports import Commit
from tests.contracts.store_samples import Doors, a_story

ADA, MO = Moderator(2**63, "Ada"), Moderator(2**63 - 1, "Mo")
STORY = a_story()
CHANNEL = STORY.id.channel


async def logged(doors: Doors, *by: Moderator, story: Story = STORY) -> None:
    """A story that some moderators changed, one after another."""
    await doors.stories.create(story, f"begin {story.id}".replace(" ", "-"))
    await add(doors, *by, story=story)


async def add(doors: Doors, *by: Moderator, story: Story = STORY) -> None:
    so_far = len(await doors.archive.changes(story.id, None, 1000))
    for number, moderator in enumerate(by, so_far + 1):
        change = Change(ChangeKind.PINNED, float(number), moderator, "", f"fact {number}")
        await doors.stories.commit(Commit(f"edit-{number}", story, change=change, holds=False))


async def signatures(doors: Doors, story: StoryId = STORY.id) -> list[Moderator]:
    return [log.change.by for log in await doors.archive.changes_since(story, 1)]


async def erase(doors: Doors, moderator: Moderator = ADA, story: StoryId = STORY.id) -> int:
    return await doors.erasure.rewrite(story, lambda change: unsigned(change, moderator.id))


async def test_one_moderators_name_leaves_the_log_and_nothing_else_does(doors: Doors) -> None:
    """Numbers, texts and other names stay; ids that differ in their last digit are two people's."""
    await logged(doors, ADA, MO, ADA)
    before = await doors.archive.changes_since(STORY.id, 1)
    assert await erase(doors) == 2
    after = await doors.archive.changes_since(STORY.id, 1)
    assert [log.change.by for log in after] == [SOMEBODY, MO, SOMEBODY]
    assert [replace(log.change, by=ADA) for log in after] == [
        replace(log.change, by=ADA) for log in before
    ]


async def test_a_second_erasure_changes_nothing_and_later_changes_are_signed(doors: Doors) -> None:
    """It can be repeated, and takes in what came since."""
    await logged(doors, ADA)
    assert (await erase(doors), await erase(doors)) == (1, 0)
    await add(doors, ADA, MO)
    assert await signatures(doors) == [SOMEBODY, ADA, MO]
    assert await erase(doors) == 1


async def test_a_log_of_any_length_is_gone_through(doors: Doors) -> None:
    """Longer than what is read at once."""
    await logged(doors, *[ADA, MO] * 230)
    assert await erase(doors) == 230
    assert set(await signatures(doors)) == {SOMEBODY, MO}


async def test_other_stories_and_stories_that_are_gone_are_left_alone(doors: Doors) -> None:
    """A log belongs to one story; one that isn't there has none."""
    neighbour = a_story(CHANNEL + 1)
    await logged(doors, ADA)
    await logged(doors, ADA, story=neighbour)
    assert await erase(doors) == 1
    assert await signatures(doors, neighbour.id) == [ADA]
    assert await erase(doors, story=StoryId(CHANNEL, 9)) == 0


async def test_the_stories_of_a_channel_are_those_that_are_stored(doors: Doors) -> None:
    """Oldest first, without those that were purged, and of no other channel."""
    assert await doors.erasure.kept(CHANNEL) == []
    for serial in (1, 2, 3):
        story = a_story(serial=serial)
        assert await doors.stories.create(story, f"begin-{serial}")
        await doors.stories.commit(Commit(f"end-{serial}", replace(story, phase=Phase.ENDED)))
    await doors.stories.create(a_story(CHANNEL + 1), "begin-4")
    await doors.archive.purge(StoryId(CHANNEL, 2))
    assert await doors.erasure.kept(CHANNEL) == [StoryId(CHANNEL, 1), StoryId(CHANNEL, 3)]


async def test_a_sealed_story_is_over_for_whoever_worked_on_it(doors: Doors) -> None:
    """Its worker is fenced, nobody is due to come, and it can be purged."""
    await doors.stories.create(a_story(due=5.0), "begin")
    held = await doors.schedule.claim(STORY.id, 5.0, 35.0)
    await doors.erasure.seal(STORY.id)
    with pytest.raises(FencedError):
        await doors.stories.commit(Commit("late", held))
    with pytest.raises(FencedError):
        await doors.schedule.renew(STORY.id, held.epoch, 70.0)
    assert await doors.schedule.due(1e12, 5) == []
    assert (await doors.stories.load(STORY.id)).phase is Phase.ENDED
    await doors.archive.purge(STORY.id)
    await doors.erasure.seal(STORY.id)
    assert await doors.erasure.kept(CHANNEL) == [], "sealing what is gone brings nothing back"
