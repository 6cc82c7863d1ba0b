"""What every Census promises, held by the fake and by the real thing."""

from dataclasses import replace

from core.domain.lifecycle import LIVE
from core.domain.story import Phase
from core.ports import Commit
from tests.contracts.store_samples import Doors, a_story


async def test_stories_are_counted_by_phase_and_server(doors: Doors) -> None:
    """Each once; a server's neighbours, and phases that weren't asked for, don't count."""
    for place, phase in enumerate([*Phase, Phase.VOTING]):
        story = replace(a_story(900 + place, phase=phase), guild=10**18 + place % 2)
        assert await doors.stories.create(story, f"create-{place}")
    voting, everywhere = {Phase.VOTING}, frozenset(Phase)
    assert await doors.census.count(voting) == 2
    assert await doors.census.count(everywhere) == len(Phase) + 1
    assert await doors.census.count(LIVE) == len(Phase)
    by_server = [await doors.census.count(LIVE, 10**18 + place) for place in (0, 1, 2)]
    assert sum(by_server) == len(Phase)
    assert by_server[0] >= 1
    assert by_server[2] == 0


async def test_no_phase_has_no_story(doors: Doors) -> None:
    """Nothing asked for is nothing found, not everything."""
    assert await doors.stories.create(a_story(), "create")
    assert await doors.census.count(()) == 0


async def test_a_commit_is_counted_at_once(doors: Doors) -> None:
    """As soon as a story has moved, it counts where it is."""
    story = a_story(phase=Phase.VOTING)
    assert await doors.stories.create(story, "create")
    ended = replace(await doors.stories.load(story.id), phase=Phase.ENDED)
    await doors.stories.commit(Commit("end", ended))
    assert await doors.census.count(LIVE) == 0
    assert await doors.census.count({Phase.ENDED}) == 1
