"""What every Schedule promises, held by the fake and by the real thing."""

import asyncio
import random
from dataclasses import replace

import pytest

from core.domain.story import Phase, StoryId
from core.errors import FencedError, NoStoryError
from core.ports import Commit
from tests.contracts.store_samples import Doors, a_story

# Neighbours of a size that a double can't tell apart, as two channels made in one millisecond are.
BASE = 9_007_199_254_740_993_123


async def store(doors: Doors, *due: float | None, phase: Phase = Phase.VOTING) -> list[StoryId]:
    """One story per due time, in channels of their own."""
    stories = [a_story(BASE + place, due=at, phase=phase) for place, at in enumerate(due)]
    for story in stories:
        assert await doors.stories.create(story, f"create-{story.id}")
    return [story.id for story in stories]


async def test_nothing_is_due_in_an_empty_store(doors: Doors) -> None:
    """Without stories there is nobody to act on and no time to wait for."""
    assert await doors.schedule.due(1e12, 10) == []
    assert await doors.schedule.next_due() is None
    assert await doors.schedule.in_phase(Phase.VOTING, None, 10) == []


async def test_due_stories_come_longest_due_first(doors: Doors) -> None:
    """Only stories whose time has come, exactly now included, and those without one never."""
    a, b, c, _, _ = await store(doors, 30.25, 10.5, 20.0, 30.26, None)
    assert await doors.schedule.due(30.25, 10) == [b, c, a]
    assert await doors.schedule.due(10.4, 10) == []
    assert await doors.schedule.next_due() == 10.5


async def test_due_takes_at_most_the_limit(doors: Doors) -> None:
    """A limit gives the longest due, and none is dropped below it: 25 of 25, 3 of 25, 0 of 25."""
    times = [1_763_870_000.0 + place / 1000 for place in range(25)]
    shuffled = random.Random(7).sample(times, len(times))
    stored = dict(zip(shuffled, await store(doors, *shuffled), strict=True))
    in_order = [stored[time] for time in times]
    assert await doors.schedule.due(times[-1], 100) == in_order
    assert await doors.schedule.due(times[-1], 3) == in_order[:3]
    assert await doors.schedule.due(times[-1], 0) == []


async def test_a_millisecond_decides(doors: Doors) -> None:
    """A due time isn't rounded: one millisecond before it the story isn't due."""
    (story,) = await store(doors, 1_763_870_000.123)
    assert await doors.schedule.due(1_763_870_000.122, 10) == []
    with pytest.raises(FencedError):
        await doors.schedule.claim(story, 1_763_870_000.122, 1_763_870_030.0)
    assert await doors.schedule.due(1_763_870_000.123, 10) == [story]
    await doors.schedule.claim(story, 1_763_870_000.123, 1_763_870_030.0)


async def test_a_claim_raises_the_epoch_and_takes_the_lease(doors: Doors) -> None:
    """The claimed state is the stored one, its epoch one higher, its due time the lease's end."""
    (story,) = await store(doors, 10.0)
    before = await doors.stories.load(story)
    claimed = await doors.schedule.claim(story, 11.0, 41.5)
    assert claimed == replace(before, epoch=before.epoch + 1, due=41.5)
    assert await doors.stories.load(story) == claimed
    assert await doors.schedule.due(41.0, 10) == []
    assert await doors.schedule.due(41.5, 10) == [story]


async def test_a_claimed_story_is_claimed_again_only_after_its_lease(doors: Doors) -> None:
    """Within the lease a second claim is refused; after it, it succeeds and fences the first."""
    (story,) = await store(doors, 10.0)
    first = await doors.schedule.claim(story, 11.0, 41.0)
    with pytest.raises(FencedError):
        await doors.schedule.claim(story, 40.9, 70.0)
    second = await doors.schedule.claim(story, 41.0, 71.0)
    assert second.epoch == first.epoch + 1
    with pytest.raises(FencedError):
        await doors.stories.commit(Commit("late", first))
    await doors.stories.commit(Commit("now", second))


async def test_force_claims_what_is_not_due(doors: Doors) -> None:
    """A moderator's command takes a leased story and one that waits for nobody."""
    leased, asleep = await store(doors, 10.0, None)
    first = await doors.schedule.claim(leased, 11.0, 41.0)
    assert (await doors.schedule.claim(leased, 12.0, 42.0, force=True)).epoch == first.epoch + 1
    with pytest.raises(FencedError):
        await doors.schedule.claim(asleep, 12.0, 42.0)
    assert (await doors.schedule.claim(asleep, 12.0, 42.0, force=True)).epoch == 1


async def test_a_refused_claim_changes_nothing(doors: Doors) -> None:
    """Neither the epoch nor the due time of a story moves when its claim is refused."""
    (story,) = await store(doors, 10.0)
    before = await doors.stories.load(story)
    with pytest.raises(FencedError):
        await doors.schedule.claim(story, 9.9, 40.0)
    assert await doors.stories.load(story) == before


async def test_a_story_that_is_not_there_cannot_be_claimed(doors: Doors) -> None:
    """Not even by force, and nothing comes into being."""
    with pytest.raises(NoStoryError):
        await doors.schedule.claim(StoryId(BASE, 1), 1.0, 31.0, force=True)
    with pytest.raises(NoStoryError):
        await doors.stories.load(StoryId(BASE, 1))


async def test_an_ended_story_is_never_due(doors: Doors) -> None:
    """Ending clears the due time, so that nobody comes back to it."""
    (story,) = await store(doors, 10.0)
    claimed = await doors.schedule.claim(story, 10.0, 40.0)
    await doors.stories.commit(Commit("end", replace(claimed, phase=Phase.ENDED, due=None)))
    assert await doors.schedule.due(1e12, 10) == []
    assert await doors.schedule.next_due() is None
    with pytest.raises(FencedError):
        await doors.schedule.claim(story, 1e12, 1e12 + 30)


async def test_of_many_claims_at_once_one_wins(doors: Doors) -> None:
    """Of 20 workers that claim the same due story exactly one gets it, and the epoch rises by 1."""
    (story,) = await store(doors, 10.0)

    async def claim() -> bool:
        try:
            await doors.schedule.claim(story, 11.0, 41.0)
        except FencedError:
            return False
        return True

    assert (await asyncio.gather(*(claim() for _ in range(20)))).count(True) == 1
    assert (await doors.stories.load(story)).epoch == 1


async def test_a_lease_is_renewed_and_handed_back_by_its_holder(doors: Doors) -> None:
    """Its end moves with renewals, and a lease until now makes the story due."""
    (story,) = await store(doors, 10.0)
    claimed = await doors.schedule.claim(story, 11.0, 41.0)
    await doors.schedule.renew(story, claimed.epoch, 60.0)
    assert await doors.schedule.due(59.0, 10) == []
    assert await doors.stories.load(story) == replace(claimed, due=60.0)
    await doors.schedule.renew(story, claimed.epoch, 20.0)
    assert await doors.schedule.due(20.0, 10) == [story]


async def test_an_old_holder_cannot_renew(doors: Doors) -> None:
    """A lease that was taken over isn't moved by who had it, nor one of no story."""
    (story,) = await store(doors, 10.0)
    first = await doors.schedule.claim(story, 11.0, 41.0)
    second = await doors.schedule.claim(story, 12.0, 42.0, force=True)
    with pytest.raises(FencedError):
        await doors.schedule.renew(story, first.epoch, 99.0)
    assert await doors.stories.load(story) == second
    with pytest.raises(FencedError):
        await doors.schedule.renew(StoryId(5, 5), 0, 99.0)


@pytest.mark.parametrize("page", [1, 3, 100])
async def test_stories_of_a_phase_come_page_by_page(doors: Doors, page: int) -> None:
    """Every story comes once, in the order of their ids.

    Some channels differ in their last digit only, some in their length; one has many serials.
    """
    ids = [StoryId(channel, 1) for channel in (7, 10, 999_999_999, 1_000_000_000, 10**18)]
    ids += [StoryId(BASE + place, 1) for place in range(5)]
    for one in random.Random(3).sample(ids, len(ids)):
        story = a_story(one.channel, phase=Phase.VOTING)
        assert await doors.stories.create(story, f"create-{one}")
    ended = [StoryId(42, serial) for serial in range(1, 13)]
    for one in ended:
        story = a_story(one.channel, one.serial, phase=Phase.ENDED)
        assert await doors.stories.create(story, f"create-{one}")
    assert await pages(doors, Phase.VOTING, page) == ids
    assert await pages(doors, Phase.ENDED, page) == ended
    assert await pages(doors, Phase.ASLEEP, page) == []


@pytest.mark.parametrize("page", [1, 100])
async def test_the_stories_of_one_server_can_be_listed_alone(doors: Doors, page: int) -> None:
    """Ids of servers are long and differ in their last digit."""
    guilds = [10**18, 10**18 + 1]
    for place in range(6):
        story = replace(a_story(BASE + place, phase=Phase.VOTING), guild=guilds[place % 2])
        assert await doors.stories.create(story, f"create-{place}")
    for which in (0, 1):
        found: list[StoryId] = []
        while more := await doors.schedule.in_phase(
            Phase.VOTING, found[-1] if found else None, page, guilds[which]
        ):
            found += more
        assert found == [StoryId(BASE + place, 1) for place in range(which, 6, 2)]
    assert await doors.schedule.in_phase(Phase.PAUSED, None, page, guilds[0]) == []


@pytest.mark.parametrize("page", [1, 100])
async def test_stories_can_be_listed_whatever_their_phase(doors: Doors, page: int) -> None:
    """All of them, or those of one server."""
    for place, phase in enumerate(Phase):
        story = replace(a_story(BASE + place, phase=phase), guild=10 + place % 2)
        assert await doors.stories.create(story, f"create-{place}")
    every = [StoryId(BASE + place, 1) for place in range(len(Phase))]
    for guild, wanted in ((None, every), (10, every[::2]), (11, every[1::2])):
        found: list[StoryId] = []
        while more := await doors.schedule.in_phase(
            None, found[-1] if found else None, page, guild
        ):
            found += more
        assert found == wanted


async def test_servers_are_those_that_have_a_story(doors: Doors) -> None:
    """Each once, whatever its stories' phases; one whose stories are all over is among them."""
    assert await doors.schedule.guilds() == frozenset()
    for place, phase in enumerate([*Phase, Phase.VOTING]):
        guild = 10**18 + (phase is Phase.ENDED) + 2 * (place % 2)
        story = replace(a_story(BASE + place, phase=phase), guild=guild)
        assert await doors.stories.create(story, f"create-{place}")
    assert await doors.schedule.guilds() == {10**18, 10**18 + 1, 10**18 + 2}


async def pages(doors: Doors, phase: Phase, limit: int) -> list[StoryId]:
    """All stories of a phase, read page by page."""
    found: list[StoryId] = []
    while page := await doors.schedule.in_phase(phase, found[-1] if found else None, limit):
        assert len(page) <= limit
        assert not found or page[0] > found[-1], "a page begins above the last one"
        found += page
    return found


async def test_a_story_changes_its_phase_in_the_listing(doors: Doors) -> None:
    """A commit moves a story from one phase's listing to the other's at once."""
    (story,) = await store(doors, 10.0)
    asleep = replace(await doors.stories.load(story), phase=Phase.ASLEEP, due=None)
    await doors.stories.commit(Commit("sleep", asleep))
    assert await doors.schedule.in_phase(Phase.VOTING, None, 10) == []
    assert await doors.schedule.in_phase(Phase.ASLEEP, None, 10) == [story]
