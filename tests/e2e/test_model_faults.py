"""A model that refuses, is down, or costs more than the day allows: the story waits and says so."""

from datetime import UTC, datetime

import pytest

from core.adapters.openai_client import Limits
from core.domain.story import Phase
from tests.e2e.conftest import Opener
from tests.e2e.endpoint import OUTAGE, REFUSED_KEY, TOKENS, Failure, Kind, plan_title
from tests.e2e.world import World
from tests.fakes.scaled_clock import ScaledClock

pytestmark = pytest.mark.redis

PREMISE = "Ormsay keeps a lighthouse."


async def test_a_refusal_before_anything_was_told(world: World) -> None:
    """A story that can't even begin says why, in one sentence, and begins on resume."""
    world.endpoint.fail(Kind.OPENING, REFUSED_KEY)
    await world.ask(world.mira, "story start", premise=PREMISE)
    story = await world.rests(Phase.PAUSED, 0)
    assert story.pause is not None
    assert story.pause.until is None
    [said] = world.said()
    assert "refused" in said
    assert said.endswith("/story resume tries again.")
    assert "sk-simulated" not in said
    world.endpoint.mend()
    await world.ask(world.mira, "story resume")
    await world.rests(Phase.VOTING, 1)
    await world.check_told_once()


async def test_a_refused_paragraph_pauses_and_resume_writes_it(world: World) -> None:
    """What was told stays, the winning plan is not forgotten, and the channel is told once."""
    await world.start(PREMISE)
    before = world.told()
    world.endpoint.fail(Kind.PARAGRAPH, REFUSED_KEY)
    await world.vote(2, world.members[0])
    await world.ask(world.mira, "story close")
    await world.rests(Phase.PAUSED, 1)
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 1, "no second try of a refusal"
    assert len(world.said()) == 1
    assert world.told() == before
    said = await world.ask(world.members[0], "story status")
    assert "It is paused." in said
    assert "/story resume tries again." in said

    world.endpoint.mend()
    await world.ask(world.mira, "story resume")
    await world.rests(Phase.VOTING, 2)
    written = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)[-1]
    assert written.part("plan").startswith(plan_title("Ormsay", 1, 2))
    await world.turn_over(0)
    await world.check_told_once()


async def test_a_refused_reflection_loses_no_word_of_the_paragraph(world: World) -> None:
    """The paragraph stays as members read it; resume repeats the reflection alone."""
    await world.start(PREMISE)
    world.endpoint.fail(Kind.REFLECTION, REFUSED_KEY)
    await world.vote(0, world.members[0])
    await world.ask(world.mira, "story close")
    await world.rests(Phase.PAUSED, 1)
    read = world.told()
    assert len(read) == 2
    memory = (await world.story()).memory
    assert memory.version == 1

    world.endpoint.mend()
    said = await world.ask(world.mira, "story resume")
    assert said == "The story goes on: it is taking its newest paragraph into memory."
    await world.rests(Phase.VOTING, 2)
    assert world.told() == read
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 1
    assert len(world.endpoint.of("Ormsay", Kind.REFLECTION, 2)) == 2
    assert [turn.number for turn in await world.lineage()] == [1, 2]
    await world.turn_over(0)
    assert await world.remembered() == 3


async def test_an_outage_is_waited_out(world: World) -> None:
    """One sentence for all tries; once the endpoint is back the story goes on by itself."""
    await world.start(PREMISE)
    world.endpoint.fail(Kind.PARAGRAPH, OUTAGE)
    await world.vote(0, world.members[0])
    await world.ask(world.mira, "story close")
    for tries in (1, 2, 3):
        await world.until(
            lambda tries=tries: len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 2 * tries
        )
        story = await world.rests(Phase.PAUSED, 1)
        assert story.pause is not None
        assert story.pause.until is not None
        [said] = world.said()
        assert "waits and tries again by itself; nothing is lost" in said
        if tries == 3:
            world.endpoint.mend()
        world.clock.leap(story.pause.until - world.clock.now())
    await world.rests(Phase.VOTING, 2)
    await world.turn_over(0)
    assert len(world.told()) == 3
    assert [turn.number for turn in await world.lineage()] == [1, 2, 3]


async def test_an_outage_without_end_stops_the_story_until_somebody_resumes(
    world_of: Opener,
) -> None:
    """After an hour of tries nothing more is spent on it, and the channel is told once more."""
    async with world_of(limits=Limits(pause_s=0.1)) as world:
        await _endless_outage(world)


async def _endless_outage(world: World) -> None:
    await world.start(PREMISE)
    page = "<html>Traceback of a model</html>"
    world.endpoint.fail(Kind.REFLECTION, Failure(503, "overloaded", page))
    await world.vote(0, world.members[0])
    await world.ask(world.mira, "story close")
    while True:
        story = await world.rests(Phase.PAUSED, 1)
        assert story.pause is not None
        if story.pause.until is None:
            break
        tried = len(world.endpoint.of("Ormsay", Kind.REFLECTION, 2))
        world.clock.leap(max(0.0, story.pause.until - world.clock.now()))
        await world.until(
            lambda tried=tried: len(world.endpoint.of("Ormsay", Kind.REFLECTION, 2)) >= tried + 4
        )
    assert len(world.endpoint.of("Ormsay", Kind.REFLECTION, 2)) == 7 * 4
    assert len(world.said()) == 2
    assert world.said()[-1] == "-# The narrator failed (status 503). /story resume tries again."
    assert any(page in record.getMessage() for record in world.log.records), "for the operator"
    world.endpoint.mend()
    await world.ask(world.mira, "story resume")
    await world.rests(Phase.VOTING, 2)
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 1


async def test_a_spent_day_pauses_the_story_until_the_day_turns(world_of: Opener) -> None:
    """The cap is reached between two turns: no request more, a sentence, and on at midnight UTC."""
    evening = datetime(2026, 5, 4, 20, tzinfo=UTC)
    cap = 3 * TOKENS
    clock = ScaledClock(start=evening.timestamp())
    async with world_of(clock=clock, DAILY_TOKEN_CAP=str(cap)) as world:
        await world.start(PREMISE)
        await world.vote(1, world.members[0])
        await world.ask(world.mira, "story close")
        story = await world.rests(Phase.PAUSED, 1)
        midnight = datetime(2026, 5, 5, tzinfo=UTC).timestamp()
        assert story.pause is not None
        assert story.pause.until == midnight
        sentence = (
            f"The bot has spent its budget for today ({cap} of {cap} tokens): "
            "stories go on when the UTC day turns, at 00:00."
        )
        assert [said.replace("\\", "") for said in world.said()] == [f"-# {sentence}"]
        told = f"The bot has spent its budget for today ({cap} of {cap} tokens). Every story"
        logged = [record.getMessage() for record in world.log.records]
        assert len([line for line in logged if line.startswith(told)]) == 1, "the owner"
        assert len(world.endpoint.asked) == 3
        status = await world.ask(world.members[0], "story status")
        assert f"It goes on by itself <t:{int(midnight)}:R>." in status

        clock.leap(3 * 3600)
        await world.rests(Phase.PAUSED, 1)
        assert len(world.endpoint.asked) == 3
        clock.leap(midnight - clock.now())
        await world.rests(Phase.VOTING, 2)
        [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
        assert written.part("plan").startswith(plan_title("Ormsay", 1, 1))
        await world.check_told_once()


async def test_a_day_spent_by_one_story_stops_the_others_too(world_of: Opener) -> None:
    """The cap is the whole process's: a second story begins only when the day has turned."""
    evening = datetime(2026, 5, 4, 20, tzinfo=UTC)
    clock = ScaledClock(start=evening.timestamp())
    async with world_of(clock=clock, DAILY_TOKEN_CAP=str(3 * TOKENS)) as world:
        await world.start(PREMISE)
        other = world.guild.create_text_channel("second")
        await world.ask(world.mira, "story start", other, premise="Quillon looks for a door.")
        await world.rests(Phase.PAUSED, 0, other)
        assert world.endpoint.of("Quillon") == []
        clock.leap(4 * 3600)
        await world.rests(Phase.VOTING, 1, other)
        await world.check_told_once(other)
