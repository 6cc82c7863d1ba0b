"""Failpoints: their names, what they wrap and when, and that a story passes every one of them.

That a process really dies there, and what the next one makes of it, is tests/faults/test_chaos.py.
"""

import logging
from dataclasses import replace

import pytest

from bot.failpoints import FAILPOINTS, STEPS, Failpoint, Fuse, armed, named, watched
from bot.setting_table import SETTINGS
from bot.settings import BotSettings, SettingsError
from core.domain.story import Phase, Story
from core.errors import FencedError
from core.ports import Commit, MessageKind
from core.services.storyteller import Storyteller
from tests.core.services.house import CHANNEL, House
from tests.fakes.stories import a_story, a_turn

ENOUGH = {"DISCORD_TOKEN": "token-1", "OPENAI_API_KEY": "key-1"}


def test_every_step_has_a_name_before_and_after_it() -> None:
    assert len(set(FAILPOINTS)) == len(FAILPOINTS) == 2 * len(STEPS)


@pytest.mark.parametrize("name", FAILPOINTS)
def test_a_failpoint_is_read_with_its_passing(name: str) -> None:
    """What a failpoint says of itself can be given to the next process."""
    assert Failpoint.read(name) == Failpoint(name, 1)
    assert Failpoint.read(f"{name}:17") == Failpoint(name, 17)
    assert Failpoint.read(str(Failpoint(name, 3))) == Failpoint(name, 3)


@pytest.mark.parametrize(
    "text", ["after lunch", "commit text", "after commit text:0", "after commit text:", "claim:1"]
)
def test_a_failpoint_that_is_unknown_is_refused(text: str) -> None:
    """A misspelt point would never be passed, and the crash test would test nothing."""
    with pytest.raises(SettingsError) as refused:
        BotSettings.read(ENOUGH | {"FAILPOINT": text})
    (fault,) = refused.value.faults
    assert fault.startswith(f'FAILPOINT: "{text}" must be "before" or "after" and one of: ')
    assert "commit text, commit reflected" in fault


def test_the_setting_is_read_and_not_shown_to_operators() -> None:
    """Nobody who runs a bot is invited to let it die."""
    settings = BotSettings.read(ENOUGH | {"FAILPOINT": "before claim:2"})
    assert settings.failpoint == Failpoint("before claim", 2)
    assert BotSettings.read(ENOUGH).failpoint is None
    assert "FAILPOINT" not in {setting.name for setting in SETTINGS}


async def test_nothing_is_wrapped_without_a_failpoint(caplog: pytest.LogCaptureFixture) -> None:
    """The bot that people run pays nothing for it; a set one is said loudly."""
    stations = House().stations
    assert armed(stations, None) is stations
    assert not caplog.records
    wrapped = armed(stations, Failpoint("after claim"))
    assert wrapped.store is not stations.store
    assert wrapped.narrator is stations.narrator
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "kills itself at after claim:1" in warning.getMessage()


def test_a_fuse_burns_at_the_wanted_passing_alone() -> None:
    ends: list[int] = []
    passings = iter(range(1, 10))
    fuse = Fuse(Failpoint("after claim", 3), lambda: ends.append(next(passings)))
    for name in ("after claim", "before claim", "after claim", "after renew", "before claim"):
        fuse(name)
    assert not ends
    fuse("after claim")
    fuse("after claim")
    assert ends == [1]


async def test_a_refused_step_has_no_after() -> None:
    """“After” means that the step took effect."""
    house, seen = House(), list[str]()
    schedule = watched(house.stations, seen.append).schedule
    with pytest.raises(Exception, match=r"900:1"):
        await schedule.claim(a_story().id, 0.0, 1.0)
    assert seen == ["before claim"]


async def test_a_whole_story_passes_every_failpoint() -> None:
    """No name is dead, and every step that a story takes has one: an unnamed one would raise."""
    house, seen = House(notice="Templates write here."), list[str]()
    house.teller = Storyteller(watched(house.stations, seen.append))
    async with house:
        await house.begin()
        await house.turn_over()
        await _falls_asleep_and_wakes(house)
        await _is_paused_in_the_middle_of_a_paragraph(house)
        await _loses_its_ballot(house)
        await house.teller.end(CHANNEL, "Mo")
        await house.until(Phase.ENDED)
    assert set(seen) == set(FAILPOINTS)
    house.check_told_once()


async def _falls_asleep_and_wakes(house: House) -> None:
    await house.until(Phase.ASLEEP)
    ballot = house.stage.vote(CHANNEL, 1, 0)
    await house.teller.reacted(CHANNEL, ballot)
    await house.until(Phase.VOTING)


async def _is_paused_in_the_middle_of_a_paragraph(house: House) -> None:
    told = len(house.stage.story(CHANNEL))
    await house.when(lambda: len(house.stage.story(CHANNEL)) == told + 1)
    await house.teller.pause(CHANNEL, "Mo")
    await house.until(Phase.PAUSED)
    await house.teller.resume(CHANNEL)
    await house.until(Phase.VOTING)


async def _loses_its_ballot(house: House) -> None:
    house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].deleted = True
    await house.when(lambda: len(house.stage.ballots(CHANNEL)) == house.story().head_number)
    await house.until(Phase.VOTING)


async def test_a_commit_of_whoever_lost_the_story_passes_nothing() -> None:
    """It changes nothing, whatever the state has become meanwhile."""
    house, seen = House(), list[str]()
    async with house:
        story = await house.begin()
        with pytest.raises(FencedError):
            await watched(house.stations, seen.append).store.commit(
                Commit("late", replace(story, epoch=0, phase=Phase.REFLECTING))
            )
    assert not seen


@pytest.mark.parametrize(
    "after",
    [a_story(phase=Phase.REFLECTING), a_story(epoch=2)],
    ids=["a way that no event leads", "a turn written anew"],
)
def test_a_change_without_a_name_is_refused(after: Story) -> None:
    """Whoever adds a step to the protocol adds its failpoints, or this and the whole story fail."""
    with pytest.raises(ValueError, match="no failpoint is named"):
        named(a_story(), Commit("new", after, turn=a_turn()))
