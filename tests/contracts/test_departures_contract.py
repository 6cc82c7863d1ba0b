"""What every Departures promises."""

from core.domain.departures import a_channel, a_guild
from tests.contracts.store_samples import Doors

GUILD, CHANNEL = a_guild(2**63), a_channel(2**63)


async def test_the_first_time_counts(doors: Doors) -> None:
    """A place that is told of again was lost when it was told of first."""
    assert await doors.departures.lost() == {}
    await doors.departures.note(GUILD, 1_700_000_000.125)
    await doors.departures.note(GUILD, 1_800_000_000.0)
    assert await doors.departures.lost() == {GUILD: 1_700_000_000.125}


async def test_servers_and_channels_of_one_id_are_two_places(doors: Doors) -> None:
    """Discord's default channels had their server's id."""
    await doors.departures.note(GUILD, 1.0)
    await doors.departures.note(CHANNEL, 2.0)
    await doors.departures.forget({GUILD})
    assert await doors.departures.lost() == {CHANNEL: 2.0}


async def test_a_place_that_came_back_is_lost_anew(doors: Doors) -> None:
    """What was forgotten doesn't count; forgetting what is unknown changes nothing."""
    await doors.departures.note(GUILD, 1.0)
    await doors.departures.forget({GUILD, CHANNEL})
    await doors.departures.forget(set())
    assert await doors.departures.lost() == {}
    await doors.departures.note(GUILD, 3.0)
    assert await doors.departures.lost() == {GUILD: 3.0}


async def test_many_places_are_forgotten_at_once(doors: Doors) -> None:
    """After years many may have gone."""
    places = {a_guild(number) for number in range(1, 1102)}
    for place in places:
        await doors.departures.note(place, 1.0)
    await doors.departures.forget(places - {GUILD})
    assert await doors.departures.lost() == {}
