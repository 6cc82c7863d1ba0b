"""What is noted of a story's life: each step once it is stored, and not a word of it."""

import logging

import pytest

from core.domain.audit import Moderator
from core.domain.story import PauseCause, Phase
from core.errors import NarratorRefusedError, NarratorUnavailableError
from core.services.work import current
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House

P = Phase
ADA = Moderator(5, "Ada")
TURN = [P.WRITING, P.REFLECTING, P.PUBLISHING, P.VOTING]


class Works(logging.Handler):
    """Writes down what was worked on at each line that was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, str, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        work = current()
        assert work is not None
        self.seen.append((work.guild, work.story, work.turn))


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of milestones."""
    return [r.getMessage() for r in caplog.records if r.name == "core.services.milestones"]


async def test_each_phase_is_noted_once_and_in_order() -> None:
    async with House() as house:
        await house.begin()
        await house.turn_over()
        assert house.witness.phases == TURN * 2
        assert [before for before, _ in house.witness.changes] == [None, *(TURN * 2)[:-1]]


async def test_a_told_turn_is_noted_with_what_it_took(caplog: pytest.LogCaptureFixture) -> None:
    """From the moment at which it was taken up to its ballot, in seconds and in tokens."""
    caplog.set_level(logging.INFO)
    async with House() as house:
        await house.begin()
        await house.turn_over()
    assert [number for number, _ in house.witness.turns] == [1, 2]
    # Six sentences at half a second each, and half a second for the reflection.
    assert [took_s for _, took_s in house.witness.turns] == [3.5, 3.5]
    first, second = (record for record in caplog.records if "is told" in record.getMessage())
    assert first.getMessage() == (
        f"story {CHANNEL}:1: turn 1 is told: 3.5 s, 3050 tokens in 3 requests to the model"
    )
    told = (second.seconds, second.tokens, second.requests)  # type: ignore[attr-defined]
    assert told == (3.5, 2900, 2)


async def test_a_fresh_ballot_of_an_old_turn_is_no_new_turn() -> None:
    """A rewind stages a turn that was told already."""
    async with House() as house:
        await house.begin()
        await house.turn_over()
        await house.turn_over()
        story = house.story()
        await house.direction.rewind(CHANNEL, ADA, 1)
        await house.until(P.VOTING, number=1)
        assert house.story().id == story.id
        assert [number for number, _ in house.witness.turns] == [1, 2, 3]
        assert house.witness.phases[-2:] == [P.PUBLISHING, P.VOTING]


async def test_a_life_is_logged_in_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    """Beginning, turns, a moderator's pause and the end; not the steps between them."""
    caplog.set_level(logging.INFO)
    async with House() as house:
        await house.begin()
        await house.teller.pause(CHANNEL, "Ada", GUILD)
        await house.teller.resume(CHANNEL, GUILD)
        await house.until(P.VOTING)
        await house.teller.end(CHANNEL, "Ada", GUILD)
        await house.until(P.ENDED)
    assert [
        line.removeprefix(f"story {CHANNEL}:1").split(": 3.5")[0] for line in lines(caplog)
    ] == [
        " begins",
        ": turn 1 is told",
        " is paused in voting: a moderator asked for it",
        " is over at turn 1",
    ]


async def test_silence_is_logged_as_sleep(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with House() as house:
        await house.begin()
        await house.until(P.ASLEEP)
    assert lines(caplog)[-1] == f"story {CHANNEL}:1 fell asleep behind turn 1: no vote"


async def test_a_pause_for_another_reason_is_a_milestone_of_its_own() -> None:
    """A moderator stops what would go on by itself: the phase stays, the cause changes."""
    async with House() as house:
        house.narrator.fail = lambda name: (
            NarratorUnavailableError("away") if name == "open" else None
        )
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.until(P.PAUSED)
        await house.teller.pause(CHANNEL, "Ada", GUILD)
        causes = [story.pause.cause for _, story in house.witness.changes if story.pause]
        assert causes == [PauseCause.FAULT, PauseCause.MODERATOR]


async def test_a_pause_by_a_fault_is_said_where_the_fault_is_met(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once, with its reason, and not a second time without."""
    caplog.set_level(logging.INFO)
    async with House() as house:
        house.narrator.fail = lambda name: (
            NarratorRefusedError("OPENAI_API_KEY is refused.") if name == "write" else None
        )
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.until(P.PAUSED)
    assert lines(caplog) == [f"story {CHANNEL}:1 begins"]
    [told] = [r for r in caplog.records if "paused in writing" in r.getMessage()]
    assert "OPENAI_API_KEY is refused." in told.getMessage()


async def test_a_change_that_moves_nothing_is_no_milestone() -> None:
    """Calls that are counted, titles, votes that are extended: nobody counts those."""
    async with House() as house:
        await house.begin()
        noted = len(house.witness.changes)
        await house.clock.run_for(SETTINGS.vote_s + 1)
        assert house.story().extended
        assert len(house.witness.changes) == noted


async def test_whoever_logs_a_milestone_says_which_story(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also where the command that began it knew the channel alone."""
    works = Works()
    logging.getLogger("core.services.milestones").addHandler(works)
    caplog.set_level(logging.INFO)
    try:
        async with House() as house:
            await house.begin()
    finally:
        logging.getLogger("core.services.milestones").removeHandler(works)
    assert works.seen == [(GUILD, f"{CHANNEL}:1", 1)] * 2


async def test_what_a_worker_logs_at_its_end_is_of_its_story() -> None:
    """A fault is logged outside of everything that the worker entered."""
    works = Works()
    logging.getLogger("core.services.wheel").addHandler(works)
    try:
        async with House() as house:

            def broken(_context: object) -> str:
                raise ZeroDivisionError

            house.narrator.paragraphs = broken
            await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
            await house.when(lambda: bool(works.seen))
    finally:
        logging.getLogger("core.services.wheel").removeHandler(works)
    assert works.seen[0] == (GUILD, f"{CHANNEL}:1", 1)
