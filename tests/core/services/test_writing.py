"""A paragraph that tells an earlier passage again: named once, and never held back."""

from collections.abc import Callable, Sequence

import pytest

from core.domain.recurrence import StepContext
from core.domain.story import Phase
from core.errors import (
    BudgetSpentError,
    EmbedderError,
    EmbedderUnavailableError,
    NarratorUnavailableError,
    StoreUnavailableError,
    TalewheelError,
)
from tests.core.services.house import CHANNEL, House
from tests.fakes.narrator import WRITE_USAGE, paragraph_of
from tests.fakes.store import When

LAMP = (
    "The lamp had not turned since the ferry left. Mira counted the dark, and came to nine. Below "
    "her the stair rang once, as it rang when somebody heavy set a foot on its lowest step."
)
DOWN = (
    "Mira went down with the lantern unlit. Nine steps, and then water up to the knees, colder "
    "than the season. She held the ledger over her head and waded."
)
Told = Callable[[StepContext], str]


def echoing(at: int, *, of: int = 1, stubborn: bool = False) -> Told:
    """Turn ``of`` tells of the lamp, and so does turn ``at`` unless it is told to keep away."""

    def told(context: StepContext) -> str:
        if context.number == of:
            return LAMP
        if context.number == at:
            return LAMP if stubborn or not context.avoid else DOWN
        return paragraph_of(context)

    return told


def written(house: House, number: int) -> list[StepContext]:
    """The contexts that the paragraphs of a turn were asked with."""
    return [context for context in house.narrator.contexts if context.number == number]


async def told_until(house: House, number: int) -> None:
    """Begin the story and tell it up to a turn."""
    await house.begin()
    for _ in range(number - 1):
        await house.turn_over()


async def test_a_paragraph_that_tells_an_earlier_one_again_is_asked_for_once_more() -> None:
    """The passage stands in the second request; members end up with its answer, and once."""
    async with House() as house:
        house.narrator.paragraphs = echoing(at=2)
        await told_until(house, 2)
        first, second = written(house, 2)
        assert first.avoid == ""
        assert second.avoid == LAMP
        assert house.stage.story(CHANNEL) == [LAMP, DOWN]
        house.check_told_once()
        usage = house.lineage()[1].usage
        assert usage.calls == 3, "both paragraphs and the reflection"
        assert usage.completion_tokens == 2 * WRITE_USAGE.completion_tokens + 400


async def test_only_the_passage_that_is_told_again_is_named() -> None:
    async with House() as house:
        again = f"{LAMP.split('. ')[1]}. She went to bed and slept until the gulls woke her up."
        house.narrator.paragraphs = lambda context: (
            again if (context.number, context.avoid) == (2, "") else echoing(at=2)(context)
        )
        await told_until(house, 2)
        assert written(house, 2)[1].avoid == "Mira counted the dark, and came to nine."


async def test_the_reflection_is_asked_without_the_passage() -> None:
    """Its prompt goes on from the paragraph's, which every endpoint has cached."""
    async with House() as house:
        house.narrator.paragraphs = echoing(at=2)
        await told_until(house, 2)
        context, paragraph = house.narrator.reflected[-1]
        assert (context.avoid, paragraph) == ("", DOWN)
        assert context == written(house, 2)[0]


async def test_a_second_echo_stands() -> None:
    """A story that can't be told otherwise goes on; nothing is asked for a third time."""
    async with House() as house:
        house.narrator.paragraphs = echoing(at=3, of=2, stubborn=True)
        await told_until(house, 3)
        assert len(written(house, 3)) == 2
        assert house.stage.story(CHANNEL)[1:] == [LAMP, LAMP]
        house.check_told_once()


async def test_paragraphs_that_differ_are_asked_for_once() -> None:
    async with House() as house:
        await told_until(house, 4)
        assert [context.number for context in house.narrator.contexts] == [1, 2, 3, 4]


async def test_an_opening_is_compared_with_nothing() -> None:
    async with House() as house:
        await house.begin()
        assert [asked for asked in house.embedder.asked if LAMP in asked] == []
        assert len(house.narrator.contexts) == 1


async def test_an_echo_of_long_ago_is_found_by_what_its_summary_means() -> None:
    """The last turns are looked at in any case, older ones where they are near in meaning."""
    async with House() as house:

        def told(context: StepContext) -> str:
            if context.number == 9 and not context.avoid:
                return paragraph_of(house.narrator.contexts[0])
            return paragraph_of(context)

        house.narrator.paragraphs = told
        await told_until(house, 9)
        assert [context.number for context in house.narrator.contexts].count(9) == 2
        assert written(house, 9)[1].avoid.startswith("Turn 1 follows nothing yet.")


async def test_an_echo_of_before_the_embedder_was_changed_is_found_by_words() -> None:
    """Meaning can't find that turn yet."""
    async with House() as house:

        def told(context: StepContext) -> str:
            if context.number == 9 and not context.avoid:
                return paragraph_of(house.narrator.contexts[0])
            return paragraph_of(context)

        house.narrator.paragraphs = told
        await told_until(house, 8)
        house.world.change_embedder("other", 16)
        await house.turn_over()
        assert [context.number for context in house.narrator.contexts].count(9) == 2
        assert written(house, 9)[1].avoid.startswith("Turn 1 follows nothing yet.")


@pytest.mark.parametrize("kind", ["narrator", "budget"])
async def test_a_second_call_that_fails_keeps_the_first_text(kind: str) -> None:
    """It is paid for and it is a paragraph: the story neither waits nor loses it."""
    async with House() as house:
        house.narrator.paragraphs = echoing(at=2, stubborn=True)

        def fail(name: str) -> TalewheelError | None:
            if name != "write" or not house.narrator.contexts[-1].avoid:
                return None
            if kind == "budget":
                return BudgetSpentError("Spent.", house.clock.now() + 60)
            return NarratorUnavailableError("It is down.")

        house.narrator.fail = fail
        await told_until(house, 2)
        assert len(written(house, 2)) == 2
        assert house.stage.story(CHANNEL) == [LAMP, LAMP]
        assert house.stage.said(CHANNEL) == [], "nobody need know"
        house.check_told_once()
        assert house.lineage()[1].usage.completion_tokens == WRITE_USAGE.completion_tokens + 400


async def test_an_embedder_that_fails_does_not_hold_back_the_paragraph() -> None:
    async with House() as house:
        house.narrator.paragraphs = echoing(at=2)

        def fail(texts: Sequence[str]) -> EmbedderError | None:
            down = tuple(texts) == (LAMP,) and house.story().phase is Phase.WRITING
            return EmbedderUnavailableError("It is down.") if down else None

        house.embedder.fail = fail
        await told_until(house, 2)
        assert (LAMP,) in house.embedder.asked
        assert len(written(house, 2)) == 1
        assert house.stage.story(CHANNEL) == [LAMP, LAMP]
        assert house.stage.said(CHANNEL) == []


async def test_a_store_that_fails_at_the_comparison_does_not_hold_back_the_paragraph() -> None:
    async with House() as house:
        house.narrator.paragraphs = echoing(at=2)
        await house.begin()

        def interrupt(call: str, when: When) -> None:
            if (call, when) == ("nearest", When.BEFORE) and len(house.narrator.contexts) == 2:
                house.world.interrupt = lambda _call, _when: None
                raise StoreUnavailableError("Redis is away.")

        house.world.interrupt = interrupt
        await house.turn_over()
        assert len(written(house, 2)) == 1
        house.check_told_once()


async def test_a_paragraph_is_compared_again_after_a_crash() -> None:
    """Nothing of the comparison is remembered: the next worker writes and compares anew."""
    house = House()
    async with house:
        house.narrator.paragraphs = echoing(at=2)
        await house.begin()
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(written(house, 2)) == 2)
    async with house.restarted() as again:
        await again.until(Phase.VOTING, number=2)
        assert len(written(again, 2)) == 4
        assert again.stage.story(CHANNEL) == [LAMP, DOWN]
        again.check_told_once()
