"""Nobody reads what the content filter refuses: not in a message, not for a moment, not later."""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from core.domain import edits
from core.domain.audit import Moderator
from core.domain.content import Bounds
from core.domain.identity import fingerprint
from core.domain.ledger import memory_of
from core.domain.moves import TURN_CALLS
from core.domain.recurrence import CHAPTER_TURNS, StepContext
from core.domain.story import Phase, Plan
from core.errors import (
    FilterError,
    FilterRefusedError,
    FilterUnavailableError,
    InputError,
    NarratorUnavailableError,
    UncheckedError,
)
from core.ports import Ballot
from core.services.pieces import TO_COME
from core.services.turns import OUTAGE_WAITS_S, UNCHECKED
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House
from tests.fakes.narrator import paragraph_of, way_of

GORE = "She opened him like a fish, and looked at every organ."
LUST = "They undressed one another, and she told all of it."
GORY, LUSTY = "violence in gory detail", "sexual content"
BY = Moderator(5, "Mira")


def flags(text: str) -> set[str]:
    """What the filter of these tests flags."""
    found = {GORE: {"violence", "violence/graphic"}, LUST: {"sexual"}}
    return {name for words, names in found.items() if words in text for name in names}


@pytest.fixture
async def house() -> House:
    house = House(filtered=True)
    house.content_filter.flags = flags
    return house


def ever_shown(house: House) -> str:
    """Every word that ever stood in the channel, in whichever message, also for a moment."""
    contents = [
        content
        for message in house.stage.messages[CHANNEL]
        for content in [*message.edits, message.content]
    ]
    return "\n".join(
        "\n".join(map(str, content.plans)) if isinstance(content, Ballot) else content.text
        for content in contents
    )


def stored(house: House) -> str:
    """Everything of the story that Redis holds."""
    return f"{house.world.stories} {house.world.turns} {house.world.entries}"


def kept_out(house: House, *texts: str) -> bool:
    """Whether none of the texts was ever shown or stored."""
    everything = ever_shown(house) + stored(house)
    return not any(text in everything for text in texts)


def telling(text: str, at: int, *, stubborn: bool = False) -> Callable[[StepContext], str]:
    """Paragraphs of which one tells what it shouldn't, once or whenever it is asked for."""

    def told(context: StepContext) -> str:
        if context.number == at and (stubborn or not context.bounds.leave_out):
            return f"It was {at}. {text} Then the lamp went out."
        return paragraph_of(context)

    return told


def within(house: House, number: int) -> list[Bounds]:
    """The bounds that the paragraphs of a turn were asked within."""
    return [context.bounds for context in house.narrator.contexts if context.number == number]


# ── what people write ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("part", ["premise", "genre", "style", "language"])
async def test_a_story_about_what_is_refused_does_not_begin(house: House, part: str) -> None:
    """The sentence names the kind of thing; nothing is stored, said or paid."""
    async with house:
        brief = replace(BRIEF, **{part: GORE})
        with pytest.raises(InputError) as caught:
            await house.teller.start(CHANNEL, GUILD, brief, SETTINGS, house.stage.snowflake())
        assert str(caught.value) == (
            "The premise, genre or style can't be taken here, because of violence in gory detail "
            "in it. In an age-restricted channel it could be told."
        )
        assert house.world.stories == {}
        assert house.stage.messages[CHANNEL] == []
        assert house.narrator.openings == []


async def test_what_no_channel_takes_is_not_said_to_be_for_adults(house: House) -> None:
    house.content_filter.flags = lambda _text: {"illicit"}
    async with house:
        with pytest.raises(InputError, match=r"something illegal in it\.$"):
            await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())


Edit = Callable[[House, str], Coroutine[Any, Any, object]]


async def _memory(house: House, text: str) -> object:
    seen = fingerprint(house.story().memory.text)
    return await house.moderation.edit_memory(CHANNEL, BY, text, seen)


async def _amend(house: House, text: str) -> object:
    _, turn = await house.library.turn(CHANNEL, 1)
    seen = fingerprint(str(memory_of(turn)))
    return await house.moderation.amend(CHANNEL, BY, 1, "It began.", seen, facts=f"Mira: {text}")


async def _pin(house: House, text: str) -> object:
    return await house.moderation.pin(CHANNEL, BY, text)


async def _part(house: House, text: str) -> object:
    seen = fingerprint(house.lineage()[-1].paragraph)
    return await house.direction.edit_part(CHANNEL, BY, 0, text, seen)


async def _plan(house: House, text: str) -> object:
    seen = fingerprint(str(house.story().plans.options[0]))
    plan = edits.plan("Another way", text)
    return await house.direction.edit_plan(CHANNEL, BY, 0, plan, seen)


EDITS = {"memory": _memory, "amend": _amend, "pin": _pin, "part": _part, "plan": _plan}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
async def test_an_edit_that_is_refused_changes_nothing(house: House, edit: Edit) -> None:
    """It says why, and the same text with something else in it is taken."""
    async with house:
        await house.begin()
        before = house.story()
        with pytest.raises(InputError, match=GORY):
            await house.finish(edit(house, GORE))
        assert house.story() == before
        assert house.world.changes == {}
        assert kept_out(house, GORE)
        await house.finish(edit(house, "She put the knife away."))
        assert house.world.changes != {}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
async def test_what_nobody_can_see_does_not_hide_a_text_from_the_filter(
    house: House, edit: Edit
) -> None:
    """It is shown what people read."""
    async with house:
        await house.begin()
        with pytest.raises(InputError, match=GORY):
            await house.finish(edit(house, GORE.replace("fish", "fi\u200bs\u2060h")))


async def test_a_fact_that_could_not_be_pinned_anyway_is_not_looked_at(house: House) -> None:
    async with house:
        await house.begin()
        seen = len(house.content_filter.seen)
        with pytest.raises(InputError, match="at most 300"):
            await house.finish(_pin(house, GORE * 20))
        assert len(house.content_filter.seen) == seen


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("error", [FilterUnavailableError("Away."), FilterRefusedError("No key.")])
async def test_an_edit_that_cannot_be_checked_changes_nothing(
    house: House, edit: Edit, error: FilterError, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever wrote it can try again; why it failed is the operator's business."""
    async with house:
        await house.begin()
        before = house.story()
        house.content_filter.fail = lambda _name: error
        with pytest.raises(UncheckedError, match="can't be checked just now") as caught:
            await house.finish(edit(house, "She put the knife away."))
        assert str(error) not in str(caught.value)
        assert str(error) in caplog.text
        assert house.story() == before


async def test_a_paragraph_in_fancy_letters_is_read_as_people_read_it(house: House) -> None:
    def told(context: StepContext) -> str:
        return paragraph_of(context) if context.bounds.leave_out else f"So it was. {fancy}"

    fancy = "".join(chr(0x1D41A + ord(c) - 97) if c.islower() else c for c in GORE)
    async with house:
        house.narrator.paragraphs = told
        await house.begin()
        assert kept_out(house, fancy)
        assert within(house, 1) == [Bounds(), Bounds(leave_out=(GORY,))]


async def test_what_was_written_for_adults_is_not_brought_back_among_everybody(
    house: House,
) -> None:
    """Taking a change back writes the text of before: it is looked at like any other."""
    async with house:
        await house.begin()
        house.audience.restricted.add(CHANNEL)
        await house.finish(_memory(house, LUST))
        await house.finish(_memory(house, "They slept."))
        house.audience.restricted.clear()
        with pytest.raises(InputError, match=LUSTY):
            await house.finish(house.history.undo(CHANNEL, BY, 2))
        assert house.story().memory.text == "They slept."
        house.audience.restricted.add(CHANNEL)
        await house.finish(house.history.undo(CHANNEL, BY, 2))
        assert house.story().memory.text == LUST


async def test_operators_read_the_categories_and_never_the_text(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with house:
        await house.begin()
        with pytest.raises(InputError):
            await house.finish(_pin(house, GORE))
        assert "the content filter refused a fact: violence/graphic" in caplog.messages
        assert GORE not in caplog.text


# ── what the model writes ────────────────────────────────────────────────────────────────────────


async def test_no_word_of_a_paragraph_is_shown_before_it_was_looked_at(house: House) -> None:
    """Meanwhile the channel sees the typing sign and a placeholder; then the whole text."""
    async with house:
        house.narrator.delay_s = 5.0
        await house.begin()
        house.stage.calls.clear()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.narrator.contexts) == 2)
        await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)
        await house.clock.run_for(20.0)
        assert house.stage.story(CHANNEL)[1] == TO_COME
        assert house.stage.calls.count("typing") > 3
        await house.until(Phase.VOTING, number=2)
        prose = house.stage.messages[CHANNEL][-2]
        assert [getattr(content, "text", "") for content in prose.edits] == [TO_COME]
        house.check_told_once()


async def test_without_a_filter_a_paragraph_streams_and_nothing_is_asked() -> None:
    house = House()
    async with house:
        house.narrator.delay_s = 2.0
        await house.begin()
        assert len(house.stage.messages[CHANNEL][0].edits) > 1
        assert house.content_filter.seen == []
        assert house.content_filter.checks == 0


async def test_a_refused_paragraph_is_asked_for_once_more_without_what_was_wrong(
    house: House,
) -> None:
    """The second request names the kind of thing; both are paid for; members read the second."""
    async with house:
        house.narrator.paragraphs = telling(GORE, at=2)
        await house.begin()
        await house.turn_over()
        assert within(house, 2) == [Bounds(), Bounds(leave_out=(GORY,))]
        assert kept_out(house, GORE)
        assert house.lineage()[1].usage.calls == 3
        house.check_told_once()


async def test_a_paragraph_that_is_refused_twice_pauses_the_story(house: House) -> None:
    """Nothing of it stays; the sentence says what can be done, and each of it can be done."""
    async with house:
        house.narrator.paragraphs = telling(GORE, at=2, stubborn=True)
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        assert len(within(house, 2)) == 2
        [said] = house.stage.said(CHANNEL)
        assert said == (
            "What the model wrote next was refused by the content filter twice, because of "
            "violence in gory detail, so it isn't shown. /story rewind opens the vote of turn 1 "
            "again, whose plans /plan edit can change. /story resume tries again."
        )
        assert len(house.stage.story(CHANNEL)) == 1
        await house.clock.run_for(7200)
        assert len(within(house, 2)) == 2, "nothing is tried before somebody acts"

        await house.teller.resume(CHANNEL)
        await house.when(lambda: len(within(house, 2)) == 4)
        await house.until(Phase.PAUSED)
        assert kept_out(house, GORE)

        await house.direction.rewind(CHANNEL, BY, 1)
        await house.until(Phase.VOTING, number=1)
        await house.finish(_plan(house, "She puts the knife away."))
        house.narrator.paragraphs = paragraph_of
        await house.turn_over()
        assert house.narrator.contexts[-1].plan == Plan(
            "Another way", "She puts the knife away.", edited=True
        )
        assert kept_out(house, GORE)


async def test_an_opening_that_is_refused_twice_pauses_the_story(house: House) -> None:
    """There is no vote to go back to: another premise is the way out."""
    async with house:
        house.narrator.paragraphs = telling(LUST, at=1, stubborn=True)
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.until(Phase.PAUSED)
        [said] = house.stage.said(CHANNEL)
        assert "/story end, then /story start begins with another premise." in said
        assert house.stage.story(CHANNEL) == []
        assert kept_out(house, LUST)


async def test_a_refused_outline_is_asked_for_once_more(house: House) -> None:
    async with house:
        house.narrator.outline = lambda bounds: "A clock." if bounds.leave_out else LUST
        await house.begin()
        assert house.narrator.opened_within == [Bounds(), Bounds(leave_out=(LUSTY,))]
        assert house.story().brief.outline == "A clock."
        assert kept_out(house, LUST)


async def test_an_outline_that_is_refused_twice_pauses_before_anything_is_written(
    house: House,
) -> None:
    async with house:
        house.narrator.outline = lambda _bounds: LUST
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.until(Phase.PAUSED)
        assert house.narrator.contexts == []
        assert kept_out(house, LUST)


def offering(house: House, text: str, at: int, *, stubborn: bool = False) -> None:
    """Let the reflection on a turn offer a plan that says what it shouldn't."""

    def plans(number: int) -> list[Plan]:
        ways = [Plan(f"Way {number}{way}", way_of(number, way)) for way in "abc"]
        bounds = house.narrator.reflected[-1][0].bounds
        if number == at and (stubborn or not bounds.leave_out):
            ways[1] = replace(ways[1], text=text)
        return ways

    house.narrator.plans = plans


async def test_a_refused_plan_has_the_reflection_made_once_more(house: House) -> None:
    """Memory and summary come with it: all that members could read was looked at."""
    async with house:
        offering(house, GORE, at=2)
        await house.begin()
        await house.turn_over()
        bounds = [context.bounds for context, _ in house.narrator.reflected]
        assert bounds == [Bounds(), Bounds(), Bounds(leave_out=(GORY,))]
        assert kept_out(house, GORE)
        house.check_told_once()


async def test_plans_that_are_refused_twice_pause_the_story_behind_its_paragraph(
    house: House,
) -> None:
    """The paragraph was fine and stays; having the turn written anew is a way on."""
    async with house:
        offering(house, GORE, at=2, stubborn=True)
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        [said] = house.stage.said(CHANNEL)
        assert "/story retry has the turn written anew. /story resume tries again." in said
        assert len(house.stage.story(CHANNEL)) == 2
        assert len(house.stage.ballots(CHANNEL)) == 1
        assert kept_out(house, GORE)
        offering(house, GORE, at=9)
        await house.direction.retry(CHANNEL, BY)
        await house.until(Phase.VOTING, number=2)
        assert kept_out(house, GORE)


async def test_a_fact_of_a_reflection_is_looked_at_too(house: House) -> None:
    def facts(context: StepContext) -> list[dict[str, object]]:
        told = LUST if not context.bounds.leave_out else "He sleeps."
        return [{"about": "He", "fact": told, "ends": []}]

    async with house:
        house.narrator.facts = facts
        await house.begin()
        assert kept_out(house, LUST)
        assert len(house.narrator.reflected) == 2


async def test_every_word_of_a_reflection_that_can_be_read_is_looked_at(house: House) -> None:
    """Rationale, memory, summary, facts, plans, and the chapter where the turn ends one."""
    async with house:
        house.narrator.facts = lambda context: [
            {"about": "Mira", "fact": f"She is {context.number}.", "ends": []}
        ]
        await house.begin()
        for _ in range(CHAPTER_TURNS - 1):
            await house.turn_over()
        turn = house.lineage()[-1]
        made = turn.reflection
        assert made is not None
        assert made.chapter
        looked_at = "\n".join(text for texts, _ in house.content_filter.seen for text in texts)
        [fact] = made.facts
        told = [made.rationale, made.memory, made.summary, made.chapter, fact.text]
        for text in [turn.paragraph, *told, *map(str, made.plans)]:
            assert text in looked_at


async def test_other_plans_that_are_refused_leave_the_first_ones(house: House) -> None:
    """Plans that are alike may stand; plans that may not be told don't."""
    async with house:
        alike = [Plan(f"Way {n}", f"They all go down the same stair, {n}.") for n in (1, 2, 3)]
        house.narrator.plans = lambda _number: alike
        house.narrator.others = lambda number: [
            Plan(f"Other {way}", GORE if way == "y" else way_of(number, way)) for way in "xyz"
        ]
        await house.begin()
        assert len(house.narrator.replanned) == 1
        assert list(house.story().plans.options) == alike
        assert kept_out(house, GORE)


async def test_refusals_are_bounded_by_the_calls_of_a_turn(house: House) -> None:
    """Each second try is a call like any other: what is resumed for ever stops asking."""
    async with house:
        house.narrator.paragraphs = telling(GORE, at=1, stubborn=True)
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.until(Phase.PAUSED)
        draft = house.story().draft
        assert draft is not None
        assert draft.calls == 3, "outline, paragraph, paragraph"
        assert draft.calls <= TURN_CALLS


# ── an outage ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("phase", [Phase.WRITING, Phase.REFLECTING])
async def test_while_the_filter_is_away_the_story_waits_and_shows_nothing(
    house: House, phase: Phase
) -> None:
    """It says so once, tries again by itself, and pays for no text before the filter is back."""
    async with house:
        await house.begin()
        house.content_filter.fail = lambda _name: (
            FilterUnavailableError("Away.") if house.story().phase is phase else None
        )
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        paid = len(house.narrator.contexts) + len(house.narrator.reflected)
        for _ in range(3):
            pause = house.story().pause
            assert pause is not None
            assert pause.until is not None
            tries = house.story().tries
            await house.when(lambda tries=tries: house.story().tries == tries + 1)
        assert house.stage.said(CHANNEL) == [UNCHECKED]
        assert len(house.narrator.contexts) + len(house.narrator.reflected) == paid
        shown = house.stage.story(CHANNEL)
        assert len(shown) == (1 if phase is Phase.WRITING else 2)
        house.content_filter.fail = lambda _name: None
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_an_outage_of_the_filter_without_end_stops_the_story(house: House) -> None:
    async with house:
        await house.begin()
        house.content_filter.fail = lambda _name: FilterUnavailableError("It is away.")
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.stage.said(CHANNEL)) == 2)
        assert house.clock.now() >= sum(OUTAGE_WAITS_S)
        assert house.stage.said(CHANNEL)[1] == "It is away. /story resume tries again."
        assert len(house.narrator.contexts) == 2, "one paragraph was paid for, and not seven"


async def test_a_filter_that_refuses_our_key_stops_the_story_at_once(house: House) -> None:
    async with house:
        await house.begin()
        house.content_filter.fail = lambda _name: FilterRefusedError("The key is refused.")
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        pause = house.story().pause
        assert pause is not None
        assert pause.until is None
        assert pause.reason == "The key is refused. /story resume tries again."


async def test_a_filter_that_is_away_for_other_plans_lets_the_first_ones_stand(
    house: House,
) -> None:
    """The reflection is paid for and was looked at."""
    async with house:
        alike = [Plan(f"Way {n}", f"They all go down the same stair, {n}.") for n in (1, 2, 3)]
        house.narrator.plans = lambda _number: alike
        house.content_filter.fail = lambda _name: (
            FilterUnavailableError("Away.") if house.narrator.replanned else None
        )
        await house.begin()
        assert list(house.story().plans.options) == alike


async def test_an_outage_of_the_model_asks_the_filter_before_the_next_try(house: House) -> None:
    """What is paid for next must be looked at: it is known first whether it can be."""
    async with house:
        await house.begin()
        house.narrator.fail = lambda name: (
            NarratorUnavailableError("Down.") if name == "write" else None
        )
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        assert house.content_filter.checks == 0
        house.narrator.fail = lambda _name: None
        await house.until(Phase.VOTING, number=2)
        assert house.content_filter.checks == 1


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_crash_before_the_look_shows_nothing_of_the_text(house: House) -> None:
    """The next process writes into the same placeholder, and has the text looked at again."""
    async with house:
        house.narrator.paragraphs = telling(GORE, at=2)
        await house.begin()
        house.content_filter.delay_s = 30.0
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: any(GORE in text for text in house.content_filter.seen[-1][0]))
    async with house.restarted() as again:
        again.content_filter.delay_s = 0.0
        await again.until(Phase.VOTING, number=2)
        assert kept_out(again, GORE)
        again.check_told_once()


async def test_a_crash_behind_the_look_shows_only_what_was_looked_at(house: House) -> None:
    """Whatever is committed was found fine: the next process shows it without another look."""
    async with house:
        await house.begin()
        house.narrator.delay_s = 1.0
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: house.story().phase is Phase.REFLECTING)
        looked_at = [text for texts, _ in house.content_filter.seen for text in texts]
    async with house.restarted() as again:
        await again.until(Phase.VOTING, number=2)
        assert again.lineage()[1].paragraph in looked_at
        again.check_told_once()


# ── who reads along ──────────────────────────────────────────────────────────────────────────────


async def test_an_age_restricted_channel_is_written_for_adults(house: House) -> None:
    """The model is told, and the filter is the milder one: nothing is asked for twice."""
    async with house:
        house.audience.restricted.add(CHANNEL)
        house.narrator.paragraphs = telling(LUST, at=1, stubborn=True)
        await house.begin()
        assert house.narrator.opened_within == [Bounds(adults=True)]
        assert within(house, 1) == [Bounds(adults=True)]
        assert house.narrator.reflected[0][0].bounds == Bounds(adults=True)
        assert {adults for _, adults in house.content_filter.seen} == {True}
        assert LUST in house.stage.story(CHANNEL)[0]


async def test_other_plans_are_asked_for_with_who_reads_along() -> None:
    house = House()
    async with house:
        house.audience.restricted.add(CHANNEL)
        alike = [Plan(f"Way {n}", f"They all go down the same stair, {n}.") for n in (1, 2, 3)]
        house.narrator.plans = lambda _number: alike
        await house.begin()
        assert house.narrator.replanned_within == [Bounds(adults=True)]


async def test_without_a_filter_the_model_is_told_all_the_same() -> None:
    house = House()
    async with house:
        house.audience.restricted.add(CHANNEL)
        await house.begin()
        house.audience.restricted.clear()
        await house.turn_over()
        assert within(house, 1) == [Bounds(adults=True)]
        assert within(house, 2) == [Bounds()]


async def test_a_channel_that_is_opened_to_everybody_while_adults_are_written_for(
    house: House,
) -> None:
    """What counts is who reads it now: it is refused, and asked for again for everybody."""
    async with house:
        house.audience.restricted.add(CHANNEL)
        await house.begin()

        def told(context: StepContext) -> str:
            house.audience.restricted.clear()
            return telling(LUST, at=2)(context)

        house.narrator.paragraphs = told
        await house.turn_over()
        assert within(house, 2) == [Bounds(adults=True), Bounds(leave_out=(LUSTY,))]
        assert kept_out(house, LUST)
        house.check_told_once()
