"""At INFO and above no word of a member or a model is logged, whatever is done with a story."""

import logging

import pytest

from core.domain.story import Phase
from tests.adapters.raw_llm_server import completion, error, gives
from tests.e2e.endpoint import OUTAGE, Kind, title_of
from tests.e2e.test_desk import labels, opened, prefilled, pressed, submitted
from tests.e2e.world import World

pytestmark = pytest.mark.redis

WORD = "Zwirbelmark"
"""Stands in all that members give, and so in all that the model answers."""
NAME = "mira"
"""Whom the moderator's commands come from."""
PREMISE = f"{WORD} keeps a lighthouse."


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Everything at INFO and above as it would be written, errors and extras included."""
    form = logging.Formatter()
    return [
        f"{form.format(record)} {record.__dict__}"
        for record in caplog.records
        if record.levelno >= logging.INFO
    ]


def check_silence(caplog: pytest.LogCaptureFixture, *expected: str) -> None:
    """No marked word is in the log, which tells what it should tell."""
    lines = logged(caplog)
    for mark in (WORD, NAME):
        said = [line for line in lines if mark.casefold() in line.casefold()]
        assert not said, f"{mark} is in {said[0]}"
    for part in expected:
        assert any(part in line for line in lines), f"nothing says {part!r}"


async def test_a_story_and_its_desk_leave_no_word_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Every command and form with words in it, once."""
    caplog.set_level(logging.INFO)
    mira, ann = world.mira, world.members[0]
    words = {name: f"{WORD} as {name}" for name in ("genre", "style")}
    await world.start(PREMISE, **words)
    await world.turn_over(1)
    for command, given in {
        "memory search": {"query": f"{WORD} and the ferry"},
        "memory facts": {"about": WORD},
        "memory show": {},
        "recap": {},
        "why": {"turn": 2},
        "story status": {},
    }.items():
        assert await world.ask(ann, command, **given)
    await world.ask(mira, "memory pin", text=f"{WORD} never swims.")
    await world.ask(mira, "memory unpin", entry="1")
    for command, given in {
        "memory edit": {},
        "memory amend": {"turn": 1},
        "plan edit": {"option": 1},
        "story edit": {},
    }.items():
        form = await opened(world, mira, command, **given)
        fields = prefilled(form)
        name = next(iter(fields))
        await submitted(world, mira, form, **{name: f"{WORD} has lost the key."})
    await world.ask(mira, "memory history")
    await world.ask(mira, "memory forget", turn=1)
    await world.ask(mira, "story pause")
    await world.ask(mira, "story resume")
    await world.rests(Phase.VOTING)
    question = await mira.slash(world.channel, "story rewind", turn=1)
    await world.until(lambda: labels(question))
    await pressed(world, mira, question, "Go back to turn 1")
    await world.rests(Phase.VOTING, 1)
    await world.ask(mira, "story end")
    await world.rests(Phase.ENDED)
    assert title_of(WORD) in world.told()[0]
    check_silence(caplog, "begins", "turn 2 is told", "a moderator asked for it", "is over at")


async def test_a_model_that_fails_with_the_storys_words_leaves_none_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Answers that can't be used, and errors that quote what was asked."""
    caplog.set_level(logging.INFO)
    quoting = gives(error(f"can't continue: {PREMISE}"), status=500)
    nonsense = gives(completion(f'{{"title": "{WORD}", "plan_1": "{WORD}"'))
    world.endpoint.spoil(WORD, Kind.OPENING, lambda _asked: nonsense, times=1)
    world.endpoint.spoil(WORD, Kind.PARAGRAPH, lambda _asked: quoting, times=1)
    world.endpoint.spoil(WORD, Kind.REFLECTION, lambda _asked: nonsense)
    await world.ask(world.mira, "story start", premise=PREMISE)
    await world.rests_paused()
    world.endpoint.mend()
    world.endpoint.fail(Kind.REFLECTION, OUTAGE)
    await world.ask(world.mira, "story resume")
    await world.rests_paused()
    world.endpoint.mend()
    await world.ask(world.mira, "story resume")
    await world.rests(Phase.VOTING, 1)
    check_silence(caplog, "gave no usable", "paused in reflecting", "turn 1 is told")


async def test_a_channel_that_refuses_leaves_no_word_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """What couldn't be sent isn't told in the log instead."""
    caplog.set_level(logging.INFO)
    await world.start(PREMISE)
    world.deny_bot("send_messages", "send_messages_in_threads")
    await world.vote(0, world.members[0])
    await world.ask(world.mira, "story close")
    await world.rests_paused()
    world.allow_bot()
    await world.rests(Phase.VOTING, 2)
    check_silence(caplog, "is shut out in", "turn 2 is told")
