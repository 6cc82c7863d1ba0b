"""What every Archive promises, and what a commit by somebody who doesn't hold the story does."""

from dataclasses import replace

import pytest

from core.domain.audit import Change, ChangeKind, Logged, Moderator, Road
from core.domain.story import Memory, Phase, Story, StoryId, Stretch
from core.errors import ConflictError, FencedError, NoStoryError, PhaseError, RecordError
from core.ports import Commit
from tests.contracts.store_samples import EVERYTHING, Doors, a_story, a_turn, an_entry, at_angle

ADA = Moderator(5, "Ada")
STORY = a_story()


def a_change(text: str, kind: ChangeKind = ChangeKind.PINNED) -> Change:
    """A change with one text."""
    return Change(kind, 1_700_000_000.5, ADA, "", text)


async def begun(doors: Doors, *texts: str) -> None:
    """A story with a change for each text."""
    await doors.stories.create(STORY, "op-1")
    for number, text in enumerate(texts, 2):
        await doors.stories.commit(
            Commit(f"op-{number}", STORY, change=a_change(text), holds=False)
        )


def texts(found: list[Logged]) -> list[tuple[int, str]]:
    """Number and text of each change."""
    return [(logged.number, logged.change.after) for logged in found]


async def test_an_edit_needs_no_epoch_and_leaves_the_state_alone(doors: Doors) -> None:
    """Whoever doesn't hold the story writes the named values and nothing else of it."""
    await begun(doors)
    held = await doors.schedule.claim(STORY.id, 10.0, 40.0, force=True)
    stale = replace(STORY, phase=Phase.ENDED, head="elsewhere", memory=Memory("Mira waits.", 1))
    await doors.stories.commit(Commit("op-2", stale, writes=frozenset({"memory"}), holds=False))
    assert await doors.stories.load(STORY.id) == replace(held, memory=Memory("Mira waits.", 1))
    await doors.stories.commit(Commit("op-3", replace(held, phase=Phase.VOTING)))


async def test_an_edit_of_a_value_that_moved_is_refused_whole(doors: Doors) -> None:
    """Neither the value nor the turn nor the log follows."""
    await begun(doors)
    first = replace(STORY, memory=Memory("Mira waits.", 1))
    await doors.stories.commit(Commit("op-2", first, writes=frozenset({"memory"}), holds=False))
    with pytest.raises(ConflictError) as refused:
        await doors.stories.commit(
            Commit(
                "op-3",
                replace(STORY, memory=Memory("Corvin waits.", 1)),
                writes=frozenset({"memory"}),
                turn=a_turn(),
                change=a_change("lost"),
                holds=False,
            )
        )
    assert refused.value.field == "memory"
    assert (await doors.stories.load(STORY.id)).memory.text == "Mira waits."
    assert await doors.archive.changes(STORY.id, None, 10) == []
    with pytest.raises(RecordError):
        await doors.stories.turn(STORY.id, "t1")


async def test_an_edit_repeated_is_logged_once(doors: Doors) -> None:
    """The operation's mark covers the log too."""
    await begun(doors)
    change = Commit("op-2", STORY, change=a_change("once"), holds=False)
    await doors.stories.commit(change)
    await doors.stories.commit(change)
    assert texts(await doors.archive.changes(STORY.id, None, 10)) == [(1, "once")]


async def test_an_edit_of_a_story_that_is_gone_is_refused(doors: Doors) -> None:
    """Nothing is written for a story that isn't there."""
    with pytest.raises(FencedError):
        await doors.stories.commit(Commit("op-1", STORY, change=a_change("lost"), holds=False))
    assert await doors.archive.changes(STORY.id, None, 10) == []


async def test_a_forgotten_entry_leaves_recall_with_its_commit(doors: Doors) -> None:
    """The entry goes, the turn's record stays; writing the entry again brings it back."""
    await begun(doors)
    await doors.stories.commit(Commit("op-2", STORY, turn=a_turn(), entries=(an_entry(),)))
    assert await doors.memory.count(STORY.id, EVERYTHING) == 1
    forgotten = replace(a_turn(), forgotten=True)
    await doors.stories.commit(Commit("op-3", STORY, turn=forgotten, forgets=("t1",), holds=False))
    assert await doors.memory.nearest(STORY.id, EVERYTHING, at_angle(0), 5) == []
    assert await doors.stories.turn(STORY.id, "t1") == forgotten
    await doors.stories.commit(
        Commit("op-4", STORY, turn=a_turn(), entries=(an_entry(),), holds=False)
    )
    assert await doors.memory.count(STORY.id, EVERYTHING) == 1


async def test_turns_are_found_by_branch_and_number(doors: Doors) -> None:
    """Of several writings of one place the newest is found; other places have none."""
    await begun(doors)
    old, new = a_turn("t1", 3), a_turn("t2", 3)
    await doors.stories.commit(Commit("op-2", STORY, turn=old))
    await doors.stories.commit(Commit("op-3", STORY, turn=new))
    other = replace(a_turn("t3", 3), branch="b2")
    await doors.stories.commit(Commit("op-4", STORY, turn=other))
    assert await doors.archive.turn_at(STORY.id, "main", 3) == new
    assert await doors.archive.turn_at(STORY.id, "b2", 3) == other
    for branch, number in (("main", 2), ("b3", 3)):
        with pytest.raises(RecordError):
            await doors.archive.turn_at(STORY.id, branch, number)


async def test_a_run_of_turns_comes_in_order_whole_or_not_at_all(doors: Doors) -> None:
    """As one by one; a gap is refused, and a run that ends before it begins is empty."""
    await begun(doors)
    told = [a_turn(f"t{number}", number, f"Part {number}.") for number in (1, 2, 3, 5)]
    for number, turn in enumerate(told, 2):
        await doors.stories.commit(Commit(f"op-{number}", STORY, turn=turn))
    other = replace(a_turn("t9", 2), branch="b2")
    await doors.stories.commit(Commit("op-9", STORY, turn=other))
    archive = doors.archive
    assert await archive.turns_at(STORY.id, "main", 1, 3) == told[:3]
    assert await archive.turns_at(STORY.id, "main", 5, 5) == told[3:]
    assert await archive.turns_at(STORY.id, "main", 3, 2) == []
    for branch, first, last in (("main", 2, 5), ("main", 0, 1), ("b2", 1, 2), ("b3", 1, 1)):
        with pytest.raises(RecordError):
            await archive.turns_at(STORY.id, branch, first, last)


async def test_changes_are_paged_newest_first(doors: Doors) -> None:
    """Numbers count from 1, a page holds those below ``before``."""
    await begun(doors, *"abcde")
    every = [(5, "e"), (4, "d"), (3, "c"), (2, "b"), (1, "a")]
    archive = doors.archive
    assert texts(await archive.changes(STORY.id, None, 10)) == every
    assert texts(await archive.changes(STORY.id, None, 2)) == every[:2]
    assert texts(await archive.changes(STORY.id, 4, 2)) == every[2:4]
    assert texts(await archive.changes(STORY.id, 2, 5)) == every[4:]
    assert texts(await archive.changes(STORY.id, 99, 1)) == every[:1]
    for before, limit in ((1, 5), (0, 5), (None, 0), (None, -1)):
        assert await archive.changes(STORY.id, before, limit) == []


async def test_changes_since_one_come_in_order(doors: Doors) -> None:
    """The change itself first; nothing for one that isn't there."""
    await begun(doors, *"abc")
    assert texts(await doors.archive.changes_since(STORY.id, 2)) == [(2, "b"), (3, "c")]
    for number in (0, -3, 4):
        assert await doors.archive.changes_since(STORY.id, number) == []


async def test_a_change_comes_back_as_it_was_written(doors: Doors) -> None:
    """Every field, a lone surrogate in a text included."""
    await begun(doors)
    change = Change(
        ChangeKind.REWOUND,
        1_700_000_000.123,
        Moderator(2**63, "Zoë \ud800"),
        "before",
        "after",
        7,
        "t7",
        2,
        Road("t9", (Stretch("main", 1, 4), Stretch("b2", 5, 9))),
        undoes=3,
    )
    await doors.stories.commit(Commit("op-2", STORY, change=change, holds=False))
    assert await doors.archive.changes_since(STORY.id, 1) == [Logged(1, change)]


async def test_a_live_story_is_not_purged(doors: Doors) -> None:
    """Somebody may still work on it: refused, and everything stays."""
    await begun(doors, "kept")
    with pytest.raises(PhaseError):
        await doors.archive.purge(STORY.id)
    assert await doors.stories.load(STORY.id) == STORY
    assert texts(await doors.archive.changes(STORY.id, None, 10)) == [(1, "kept")]


async def test_a_purged_story_is_gone_and_its_neighbours_stay(doors: Doors) -> None:
    """Nothing of it is left, nothing of another story is touched, and it can be repeated."""
    await begun(doors, "gone")
    await doors.stories.commit(Commit("op-9", STORY, turn=a_turn(), entries=(an_entry(),)))
    neighbour = a_story(STORY.id.channel + 1)
    await doors.stories.create(neighbour, "op-1")
    await doors.stories.commit(
        Commit("op-2", neighbour, turn=a_turn(), entries=(an_entry(),), change=a_change("kept"))
    )
    await doors.stories.commit(Commit("op-10", replace(STORY, phase=Phase.ENDED)))
    for _ in range(2):
        await doors.archive.purge(STORY.id)
        assert await doors.stories.current(STORY.id.channel) is None
        with pytest.raises(NoStoryError):
            await doors.stories.load(STORY.id)
        assert await doors.archive.changes(STORY.id, None, 10) == []
        assert await doors.memory.count(STORY.id, EVERYTHING) == 0
        with pytest.raises(RecordError):
            await doors.archive.turn_at(STORY.id, "main", 1)
    assert await doors.stories.load(neighbour.id) == neighbour
    assert await doors.memory.count(neighbour.id, EVERYTHING) == 1
    assert texts(await doors.archive.changes(neighbour.id, None, 10)) == [(1, "kept")]


async def test_a_channel_whose_story_was_purged_can_begin_another(doors: Doors) -> None:
    """The channel points to the newest story that is left, and the next one follows that."""

    async def end(story: Story, operation: str) -> None:
        await doors.stories.commit(Commit(operation, replace(story, phase=Phase.ENDED)))

    await begun(doors)
    await end(STORY, "op-2")
    second, third = a_story(serial=2), a_story(serial=3)
    await doors.stories.create(second, "op-3")
    await end(second, "op-4")
    await doors.archive.purge(second.id)
    left = await doors.stories.current(STORY.id.channel)
    assert left is not None
    assert left.id == STORY.id
    again: StoryId = second.id
    assert not await doors.stories.create(third, "op-5")
    assert await doors.stories.create(replace(third, id=again), "op-6")
    found = await doors.stories.current(STORY.id.channel)
    assert found is not None
    assert found.id == again
