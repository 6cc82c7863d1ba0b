"""What every MemorySearch promises, held by the fake and by the real thing."""

import random
from dataclasses import replace

import pytest

from core.domain.story import Lineage, Phase, StoryId, Stretch, Vector
from core.errors import StoreError
from core.ports import Commit, MemoryEntry
from tests.contracts.store_samples import (
    DIMS,
    EVERYTHING,
    Doors,
    a_story,
    an_entry,
    at_angle,
    turn_ids,
    unit,
)

STORY = a_story().id

ODD_BRANCHES = [
    "main|other",
    "a,b",
    "a b",
    "a-b",
    "{main}",
    "*",
    "ma*",
    "@story:{1}",
    "main}|@story:{*",
    "a\\b",
    'say "hi"',
    "it's",
    "$x",
    "50%",
    "a;b:c.d<e>f~g&h=i!j?k/l(m)[n]^o#p+q",
    "ブランチ",
    "Main",
]


async def store(doors: Doors, *entries: MemoryEntry, channel: int = STORY.channel) -> StoryId:
    """A story with these memory entries."""
    story = a_story(channel)
    await doors.stories.create(story, "create")
    for entry in entries:
        change = Commit(f"write-{entry.turn_id}", story, entry=entry)
        await doors.stories.commit(change)
    return story.id


async def test_the_nearest_come_first_with_their_cosine(doors: Doors) -> None:
    """Order and score follow the angle to the query; text and number come along."""
    angles = {"near": 10.0, "far": 170.0, "middle": 60.0, "opposite": 180.0}
    await store(
        doors,
        *(
            an_entry(name, number, at_angle(angle), text=f"It is {name}.")
            for number, (name, angle) in enumerate(angles.items(), start=1)
        ),
    )
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 10)
    assert turn_ids(found) == ["near", "middle", "far", "opposite"]
    assert found[0].text == "It is near."
    assert [one.number for one in found] == [1, 3, 2, 4]
    assert [one.score for one in found] == pytest.approx(
        [0.984807753, 0.5, -0.984807753, -1.0], abs=1e-6
    )
    assert all(-1.0 <= one.score <= 1.0 for one in found)


async def test_the_limit_keeps_the_nearest(doors: Doors) -> None:
    """Of 30 entries the nearest 12 come (more than the server's default of 10), or none for 0."""
    entries = [an_entry(f"t{n}", n, at_angle(n)) for n in range(1, 31)]
    await store(doors, *random.Random(1).sample(entries, len(entries)))
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 12)
    assert turn_ids(found) == [f"t{n}" for n in range(1, 13)]
    assert await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 0) == []


async def test_equally_near_entries_come_in_the_order_of_their_turns(doors: Doors) -> None:
    """A tie never depends on the order in which entries were stored."""
    await store(doors, *(an_entry(f"t{n}", n, at_angle(5)) for n in (4, 2, 9, 1)))
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 10)
    assert turn_ids(found) == ["t1", "t2", "t4", "t9"]


async def test_an_empty_lineage_finds_nothing(doors: Doors) -> None:
    """A story before its first turn has no memory, not everybody's."""
    await store(doors, an_entry())
    assert await doors.memory.nearest(STORY, (), at_angle(0), 10) == []
    assert await doors.memory.count(STORY, ()) == 0


async def test_a_search_stays_within_its_lineage(doors: Doors) -> None:
    """Only turns of the branch and range of one of the stretches, both ends included."""
    main = [an_entry(f"main-{n}", n, at_angle(n)) for n in range(1, 11)]
    other = [an_entry(f"other-{n}", n, at_angle(n), branch="other") for n in range(1, 11)]
    await store(doors, *main, *other)
    lineage: Lineage = (Stretch("main", 1, 3), Stretch("other", 4, 5), Stretch("main", 8, 8))
    wanted = ["main-1", "main-2", "main-3", "other-4", "other-5", "main-8"]
    assert turn_ids(await doors.memory.nearest(STORY, lineage, at_angle(0), 50)) == wanted
    assert await doors.memory.count(STORY, lineage) == len(wanted)


async def test_a_long_lineage_is_searched(doors: Doors) -> None:
    """300 stretches (a story rewound 300 times) are one search."""
    entries = [an_entry(f"t{n}", n, at_angle(n / 10), branch=f"b{n}") for n in range(1, 301, 50)]
    await store(doors, *entries, an_entry("stray", 2, at_angle(0), branch="b1"))
    lineage = tuple(Stretch(f"b{n}", n, n) for n in range(1, 301))
    found = await doors.memory.nearest(STORY, lineage, at_angle(0), 50)
    assert turn_ids(found) == [f"t{n}" for n in range(1, 301, 50)]


@pytest.mark.parametrize("branch", ODD_BRANCHES)
async def test_an_odd_branch_is_found_and_finds_only_itself(doors: Doors, branch: str) -> None:
    """No character of a branch's name widens or breaks the search."""
    await store(
        doors,
        an_entry("odd", 1, branch=branch),
        an_entry("main", 2, branch="main"),
        an_entry("other", 3, branch="other"),
    )
    await store(doors, an_entry("stranger", 1), channel=STORY.channel + 1)
    lineage = (Stretch(branch, 1, 100),)
    assert turn_ids(await doors.memory.nearest(STORY, lineage, at_angle(0), 50)) == ["odd"]
    lineage = (Stretch("main", 1, 100),)
    assert turn_ids(await doors.memory.nearest(STORY, lineage, at_angle(0), 50)) == ["main"]


async def test_a_stretch_without_a_branch_is_refused(doors: Doors) -> None:
    """An empty name would match every branch, so it never reaches a query."""
    await store(doors, an_entry())
    with pytest.raises(ValueError, match=r"branch|tag"):
        await doors.memory.nearest(STORY, (Stretch("", 1, 100),), at_angle(0), 10)
    with pytest.raises(ValueError, match=r"branch|tag"):
        await doors.memory.count(STORY, (Stretch("", 1, 100),))


@pytest.mark.parametrize("vector", [b"", unit(1, dims=DIMS - 1), unit(1, dims=DIMS + 1)])
async def test_a_query_of_another_length_is_refused(doors: Doors, vector: Vector) -> None:
    """A vector of another embedder is an error, not an empty result."""
    await store(doors, an_entry())
    with pytest.raises(StoreError, match="vector"):
        await doors.memory.nearest(STORY, EVERYTHING, vector, 10)


async def test_an_entry_written_again_is_replaced(doors: Doors) -> None:
    """A turn has one summary: the one committed last."""
    await store(doors, an_entry(text="Old."))
    change = Commit("again", a_story(), entry=an_entry(text="New.", vector=at_angle(90)))
    await doors.stories.commit(change)
    (found,) = await doors.memory.nearest(STORY, EVERYTHING, at_angle(90), 10)
    assert found.text == "New."
    assert found.score == pytest.approx(1.0)


async def test_stories_never_see_each_other(doors: Doors) -> None:
    """Each of 40 stories with the same turns finds and counts its own entries only.

    Two stories share each channel, the channels are neighbours, the queries are random.
    """
    chance = random.Random(11)
    stories = [StoryId(STORY.channel + place // 2, 1 + place % 2) for place in range(40)]
    for one in stories:
        story = a_story(one.channel, one.serial)
        if one.serial == 2:
            first = await doors.stories.load(StoryId(one.channel, 1))
            await doors.stories.commit(Commit("end", replace(first, phase=Phase.ENDED)))
        assert await doors.stories.create(story, f"create-{one.serial}")
        for number in range(1, 4):
            entry = an_entry(f"t{number}", number, at_angle(chance.uniform(0, 360)), text=str(one))
            await doors.stories.commit(Commit(f"w{one.serial}-{number}", story, entry=entry))
    for one in stories:
        found = await doors.memory.nearest(one, EVERYTHING, at_angle(chance.uniform(0, 360)), 500)
        assert sorted(turn_ids(found)) == ["t1", "t2", "t3"]
        assert {hit.text for hit in found} == {str(one)}
        assert await doors.memory.count(one, EVERYTHING) == 3
    assert await doors.memory.nearest(StoryId(5, 1), EVERYTHING, at_angle(0), 500) == []
