"""What a look at the set-up consists of, and how far clocks may be apart."""

import pytest

from core.domain.checkup import Area, Finding, Topic, Verdict, many, skew

TOPIC = Topic(Area.CLOCK, "Discord")


@pytest.mark.parametrize(
    ("verdict", "remedy"), [(Verdict.OK, "Do it."), (Verdict.WARNING, ""), (Verdict.FAULT, "")]
)
def test_what_is_not_well_says_what_to_do_and_nothing_else_does(
    verdict: Verdict, remedy: str
) -> None:
    with pytest.raises(ValueError, match="needs a remedy"):
        Finding(Area.REDIS, "server", verdict, "found", remedy)


def test_numbers_of_things_read_as_people_say_them() -> None:
    assert [many(n, "server") for n in (0, 1, 1200)] == ["0 servers", "1 server", "1,200 servers"]


@pytest.mark.parametrize(
    ("ahead_s", "doubt_s", "verdict"),
    [
        (0.0, 0.0, Verdict.OK),
        (-2.0, 0.0, Verdict.OK),
        (2.4, 0.5, Verdict.OK),
        (2.6, 0.5, Verdict.WARNING),
        (-30.0, 0.0, Verdict.WARNING),
        (30.4, 0.5, Verdict.WARNING),
        (30.6, 0.5, Verdict.FAULT),
        (-86_400.0, 0.5, Verdict.FAULT),
    ],
)
def test_only_what_is_sure_of_a_difference_is_judged(
    ahead_s: float, doubt_s: float, verdict: Verdict
) -> None:
    """A slow answer and a date without fractions leave a doubt, which counts for the clock."""
    found = skew(TOPIC, "Discord's", ahead_s, doubt_s, decisive=True)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("ahead_s", "says"),
    [
        (45.0, "this machine's clock is 45 s ahead of Discord's"),
        (-600.0, "this machine's clock is 10 minutes behind Discord's"),
        (-10_800.0, "this machine's clock is 3 hours behind Discord's"),
    ],
)
def test_a_difference_is_told_with_its_side(ahead_s: float, says: str) -> None:
    assert skew(TOPIC, "Discord's", ahead_s, 0.1, decisive=True).found == says


def test_a_clock_that_no_story_goes_by_is_no_fault() -> None:
    """It only helps to see which of several clocks is wrong."""
    found = skew(TOPIC, "Redis's", 3600.0, 0.1, decisive=False)
    assert found.verdict is Verdict.WARNING
    assert found.remedy.startswith("Set whichever of the two")


def test_agreement_is_told_as_far_as_it_is_known() -> None:
    assert skew(TOPIC, "Discord's", 0.2, 0.7, decisive=True).found == (
        "agrees with Discord's (within 0.7 s)"
    )
