"""When what is kept of a lost place is deleted."""

from core.domain.departures import DAY_S, a_channel, a_guild, overdue


def test_a_place_is_overdue_once_its_days_are_over() -> None:
    """Not a second earlier; the longest lost comes first."""
    lost = {a_guild(1): 1000.0, a_channel(2): 500.0, a_guild(3): 1000.5}
    assert overdue(lost, 1000.0 + 30 * DAY_S, 30) == [a_channel(2), a_guild(1)]
    assert overdue(lost, 1000.0, 30) == []
    assert overdue({}, 1e12, 1) == []


def test_places_are_named_for_the_log() -> None:
    """By what they are, and Discord's number."""
    assert [str(a_guild(7)), str(a_channel(8))] == ["server 7", "channel 8"]
