"""What every StoryStore promises, held by the fake and by the real thing."""

import asyncio
from dataclasses import replace

import pytest

from core.domain.story import (
    Canon,
    Draft,
    Memory,
    Notice,
    Pause,
    PauseCause,
    Phase,
    Plan,
    Plans,
    RefreshBallot,
    StoryId,
    Stretch,
    VotingRule,
    WholeText,
)
from core.errors import ConflictError, FencedError, NoStoryError, RecordError, StoreError
from core.ports import Commit
from tests.contracts.store_samples import (
    EVERYTHING,
    Doors,
    a_story,
    a_turn,
    an_entry,
    at_angle,
    unit,
)

CHANNEL = a_story().id.channel


async def test_an_empty_channel_has_no_story(doors: Doors) -> None:
    """Before the first story there is none, and loading one by its id says so."""
    assert await doors.stories.current(CHANNEL) is None
    with pytest.raises(NoStoryError):
        await doors.stories.load(StoryId(CHANNEL, 1))


async def test_a_created_story_is_current(doors: Doors) -> None:
    """What was created is loaded again, equal in every field."""
    story = replace(
        a_story(due=12.5), memory=Memory("Mira waits.", 3), canon=Canon(("The sea is salt.",), 2)
    )
    assert await doors.stories.create(story, "op-1")
    assert await doors.stories.current(CHANNEL) == story
    assert await doors.stories.load(story.id) == story


async def test_creating_twice_is_creating_once(doors: Doors) -> None:
    """The operation that created a story succeeds again, and another one doesn't."""
    assert await doors.stories.create(a_story(), "op-1")
    assert await doors.stories.create(a_story(), "op-1")
    assert not await doors.stories.create(a_story(), "op-2")


async def test_a_repeated_creation_does_not_reset_the_story(doors: Doors) -> None:
    """A creation that is repeated late leaves what was committed since."""
    await doors.stories.create(a_story(), "op-1")
    await doors.stories.commit(Commit("op-2", replace(a_story(), phase=Phase.REFLECTING)))
    assert await doors.stories.create(a_story(), "op-1")
    assert (await doors.stories.load(a_story().id)).phase is Phase.REFLECTING


async def test_a_channel_has_one_live_story(doors: Doors) -> None:
    """A second story is refused until the first has ended; then it is the current one."""
    first, second = a_story(), a_story(serial=2)
    await doors.stories.create(first, "op-1")
    assert not await doors.stories.create(second, "op-2")
    await doors.stories.commit(Commit("op-3", replace(first, phase=Phase.ENDED)))
    assert await doors.stories.create(second, "op-4")
    assert await doors.stories.current(CHANNEL) == second
    assert (await doors.stories.load(first.id)).phase is Phase.ENDED


@pytest.mark.parametrize("serial", [2, 3, 10])
async def test_a_serial_cannot_be_skipped(doors: Doors, serial: int) -> None:
    """A story whose serial isn't the next one is refused and leaves no trace."""
    assert not await doors.stories.create(a_story(serial=serial), "op-1")
    assert await doors.stories.current(CHANNEL) is None
    with pytest.raises(NoStoryError):
        await doors.stories.load(StoryId(CHANNEL, serial))


async def test_of_many_creations_at_once_one_wins(doors: Doors) -> None:
    """Of 20 concurrent creations in one channel exactly one succeeds, and it is the stored one."""
    stories = [replace(a_story(), guild=number) for number in range(1, 21)]
    won = await asyncio.gather(
        *(doors.stories.create(story, f"op-{story.guild}") for story in stories)
    )
    assert won.count(True) == 1
    assert await doors.stories.current(CHANNEL) == stories[won.index(True)]


async def test_a_commit_replaces_the_state(doors: Doors) -> None:
    """Every unversioned field and every versioned one that is named is stored as committed."""
    await doors.stories.create(a_story(due=5.0), "op-1")
    plans = (Plan("Down", "They climb."), Plan("Up", "They light it."), Plan("Out", "They leave."))
    story = replace(
        a_story(),
        phase=Phase.PAUSED,
        due=1_763_870_000.123,
        brief=replace(a_story().brief, title="The Lamp", outline="It ends at sea."),
        extended=True,
        lineage=(Stretch("main", 1, 4), Stretch("b2", 5, 7)),
        head="t7",
        draft=Draft("t8", 8, 2, plans[1], 99),
        pause=Pause(Phase.VOTING, PauseCause.BUDGET, "The budget is spent.", 12.5, 99.0, True),
        outbox=(
            WholeText(Draft("t8", 8, 2, plans[1], 99)),
            Notice("n1", "We pause."),
            RefreshBallot("t7"),
            Notice("n2", "Later."),
        ),
        memory=Memory("Mira waits.", 1),
        canon=Canon(("Salt.", "Iron."), 1),
        plans=Plans(plans, 1),
        settings=replace(a_story().settings, rule=VotingRule.SINGLE, notify_role=5),
        settings_version=1,
    )
    writes = frozenset({"memory", "canon", "plans", "settings"})
    await doors.stories.commit(Commit("op-2", story, writes=writes))
    assert await doors.stories.load(story.id) == story


async def test_a_commit_without_due_clears_it(doors: Doors) -> None:
    """A story that waits for nobody has no due time any more."""
    await doors.stories.create(a_story(due=5.0), "op-1")
    await doors.stories.commit(Commit("op-2", a_story(phase=Phase.ASLEEP)))
    assert (await doors.stories.load(a_story().id)).due is None
    assert await doors.schedule.due(1e12, 10) == []


async def test_a_commit_leaves_versioned_values_that_it_does_not_write(doors: Doors) -> None:
    """A writer with an old canon in hand doesn't undo a moderator's edit."""
    await doors.stories.create(a_story(), "op-1")
    edited = replace(a_story(), canon=Canon(("The sea is salt.",), 1))
    await doors.stories.commit(Commit("op-2", edited, writes=frozenset({"canon"})))
    await doors.stories.commit(Commit("op-3", replace(a_story(), phase=Phase.REFLECTING)))
    stored = await doors.stories.load(a_story().id)
    assert stored.canon == edited.canon
    assert stored.phase is Phase.REFLECTING


async def test_committing_twice_applies_once(doors: Doors) -> None:
    """The same operation again changes nothing, even after others were applied since."""
    await doors.stories.create(a_story(), "op-1")
    first = Commit(
        "op-2", replace(a_story(), memory=Memory("One.", 1)), writes=frozenset({"memory"})
    )
    second = Commit(
        "op-3", replace(a_story(), memory=Memory("Two.", 2)), writes=frozenset({"memory"})
    )
    for change in (first, first, second, first):
        await doors.stories.commit(change)
    assert (await doors.stories.load(a_story().id)).memory == Memory("Two.", 2)


async def test_an_applied_operation_succeeds_under_a_later_epoch(doors: Doors) -> None:
    """Who asks again whether a change was applied hears yes, even when fenced off since."""
    await doors.stories.create(a_story(due=0.0), "op-1")
    change = Commit("op-2", replace(a_story(due=0.0), head="t1"))
    await doors.stories.commit(change)
    await doors.schedule.claim(a_story().id, 1.0, 31.0)
    await doors.stories.commit(change)
    assert (await doors.stories.load(a_story().id)).epoch == 1


async def test_an_old_epoch_is_fenced_off(doors: Doors) -> None:
    """After somebody else's claim nothing of a late writer's commit is stored."""
    await doors.stories.create(a_story(due=0.0), "op-1")
    claimed = await doors.schedule.claim(a_story().id, 1.0, 31.0)
    late = Commit("op-2", replace(a_story(), head="t1"), turn=a_turn(), entries=(an_entry(),))
    with pytest.raises(FencedError):
        await doors.stories.commit(late)
    assert await doors.stories.load(claimed.id) == claimed
    assert await doors.memory.count(claimed.id, EVERYTHING) == 0
    with pytest.raises(RecordError):
        await doors.stories.turn(claimed.id, "t1")


async def test_a_commit_to_no_story_is_fenced_off(doors: Doors) -> None:
    """A story that doesn't exist can't be written to into being."""
    with pytest.raises(FencedError):
        await doors.stories.commit(Commit("op-1", a_story()))
    with pytest.raises(NoStoryError):
        await doors.stories.load(a_story().id)


@pytest.mark.parametrize("name", ["memory", "canon", "plans", "settings"])
async def test_a_moved_version_is_a_conflict(doors: Doors, name: str) -> None:
    """Of two edits of one value from the same version the second is refused, naming the value."""
    await doors.stories.create(a_story(), "op-1")
    edited = replace(
        a_story(),
        memory=Memory("One.", 1),
        canon=Canon(("One.",), 1),
        plans=Plans((Plan("One", "One."),), 1),
        settings=replace(a_story().settings, quorum=2),
        settings_version=1,
    )
    await doors.stories.commit(Commit("op-2", edited, writes=frozenset({name})))
    stored = await doors.stories.load(a_story().id)
    late = Commit("op-3", replace(edited, head="t9"), writes=frozenset({name}), turn=a_turn())
    with pytest.raises(ConflictError) as caught:
        await doors.stories.commit(late)
    assert caught.value.field == name
    assert await doors.stories.load(a_story().id) == stored


async def test_an_expected_version_that_moved_is_a_conflict(doors: Doors) -> None:
    """What was only read guards a commit as well, and passes while it hasn't moved."""
    await doors.stories.create(a_story(), "op-1")
    await doors.stories.commit(
        Commit("op-2", replace(a_story(), head="t1"), expects={"memory": 0, "canon": 0})
    )
    pinned = replace(a_story(), canon=Canon(("Salt.",), 1))
    await doors.stories.commit(Commit("op-3", pinned, writes=frozenset({"canon"})))
    with pytest.raises(ConflictError) as caught:
        await doors.stories.commit(
            Commit("op-4", replace(a_story(), head="t2"), expects={"memory": 0, "canon": 0})
        )
    assert caught.value.field == "canon"


async def test_a_lost_epoch_outranks_a_conflict(doors: Doors) -> None:
    """Who is fenced off hears that, not that a value moved: one must stop, the other read again."""
    await doors.stories.create(a_story(due=0.0), "op-1")
    await doors.schedule.claim(a_story().id, 1.0, 31.0)
    with pytest.raises(FencedError):
        await doors.stories.commit(Commit("op-2", a_story(), expects={"canon": 7}))


async def test_of_many_commits_from_one_version_one_wins(doors: Doors) -> None:
    """Of 20 concurrent edits from one version exactly one is applied."""
    await doors.stories.create(a_story(), "op-1")

    async def edit(number: int) -> bool:
        story = replace(a_story(), memory=Memory(f"Edit {number}.", 1))
        try:
            await doors.stories.commit(Commit(f"e{number}", story, writes=frozenset({"memory"})))
        except ConflictError:
            return False
        return True

    won = await asyncio.gather(*(edit(number) for number in range(20)))
    assert won.count(True) == 1
    stored = await doors.stories.load(a_story().id)
    assert stored.memory == Memory(f"Edit {won.index(True)}.", 1)


async def test_an_unknown_versioned_value_is_refused(doors: Doors) -> None:
    """A name that has no version is a mistake of the program, not an empty guard."""
    await doors.stories.create(a_story(), "op-1")
    with pytest.raises(ValueError, match="brief"):
        await doors.stories.commit(Commit("op-2", a_story(), writes=frozenset({"brief"})))


async def test_a_turn_is_stored_with_its_commit_and_replaced_by_the_next(doors: Doors) -> None:
    """A turn's record is the one committed last."""
    await doors.stories.create(a_story(), "op-1")
    await doors.stories.commit(Commit("op-2", a_story(), turn=a_turn()))
    assert await doors.stories.turn(a_story().id, "t1") == a_turn()
    staged = replace(a_turn(), pieces=(5, 6), ballot=7, staged_at=9.5)
    await doors.stories.commit(Commit("op-3", a_story(), turn=staged))
    assert await doors.stories.turn(a_story().id, "t1") == staged


async def test_a_memory_entry_is_found_as_soon_as_its_commit_returns(doors: Doors) -> None:
    """No search between a commit and its index misses the new entry."""
    await doors.stories.create(a_story(), "op-1")
    for number in range(1, 21):
        entry = an_entry(f"t{number}", number, at_angle(number))
        await doors.stories.commit(Commit(f"c{number}", a_story(), entries=(entry,)))
        nearest = await doors.memory.nearest(a_story().id, EVERYTHING, at_angle(number), 1)
        assert [found.turn_id for found in nearest] == [f"t{number}"]


@pytest.mark.parametrize("vector", [b"", b"\0" * 31, unit(1, dims=7), unit(1, dims=9)])
async def test_a_vector_of_another_length_is_refused(doors: Doors, vector: bytes) -> None:
    """An entry that no search could find isn't stored, and neither is its commit."""
    await doors.stories.create(a_story(), "op-1")
    wrong = replace(an_entry(), vector=vector)
    with pytest.raises(StoreError, match="vector"):
        await doors.stories.commit(Commit("op-2", replace(a_story(), head="t1"), entries=(wrong,)))
    assert (await doors.stories.load(a_story().id)).head is None


async def test_channels_do_not_share_anything(doors: Doors) -> None:
    """The same operation, turn and serial in two channels are two things."""
    one, other = a_story(), a_story(CHANNEL + 1)
    for story in (one, other):
        assert await doors.stories.create(story, "op-1")
        turn = replace(a_turn(), paragraph=f"Of {story.id}.")
        await doors.stories.commit(Commit("op-2", replace(story, head=str(story.id)), turn=turn))
    for story in (one, other):
        assert (await doors.stories.load(story.id)).head == str(story.id)
        assert (await doors.stories.turn(story.id, "t1")).paragraph == f"Of {story.id}."
