"""How often a turn may call the models before a person acts, whatever goes wrong meanwhile."""

from collections.abc import Callable
from itertools import pairwise

from core.adapters.openai_client import Limits
from core.adapters.openai_embedder import ATTEMPTS
from core.domain.moves import TURN_CALLS
from core.domain.story import Phase, Plan
from core.errors import (
    BudgetSpentError,
    EmbedderUnavailableError,
    NarratorUnavailableError,
    TalewheelError,
)
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House

EMBEDDINGS_PER_CALL = 3
"""Requests for vectors beside a call, each of which is tried ATTEMPTS times."""
SENTENCE = (
    f"This turn has called the model {TURN_CALLS} times and still isn't done, so it stops before "
    "it costs more. /story resume allows as many calls again."
)


def calls(house: House) -> int:
    """Calls to the narrator so far."""
    narrator = house.narrator
    told = len(narrator.openings) + len(narrator.contexts)
    return told + len(narrator.reflected) + len(narrator.replanned)


async def check_stopped(house: House, called: int) -> None:
    """The story has stopped with its sentence, and nothing more is spent on it."""
    await house.when(lambda: house.stage.said(CHANNEL)[-1:] == [SENTENCE])
    await house.until(Phase.PAUSED)
    pause = house.story().pause
    assert pause is not None
    assert pause.until is None
    assert calls(house) == called
    await house.clock.run_for(3600)
    assert calls(house) == called


async def check_goes_on(house: House, number: int) -> None:
    """Whoever resumes it gives it as many calls again, and the turn is told."""
    await house.teller.resume(CHANNEL)
    draft = house.story().draft
    assert draft is not None
    assert draft.calls < 4
    await house.until(Phase.VOTING, number=number)
    house.check_told_once()


async def test_a_process_that_dies_at_each_paragraph_does_not_pay_for_ever() -> None:
    """A call is counted before it is made, so one that nobody lived to see ended counts."""
    house = House()
    async with house:
        await house.begin()
        begun = calls(house)
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: calls(house) == begun + 1)
    for death in range(2, TURN_CALLS + 1):
        house = house.restarted()
        async with house:
            await house.when(lambda house=house, death=death: calls(house) == begun + death)
    house = house.restarted()
    async with house:
        await check_stopped(house, begun + TURN_CALLS)
        assert len(house.stage.story(CHANNEL)) == 1, "what was half written is taken back"
        await check_goes_on(house, 2)


async def test_each_call_is_counted_in_what_is_stored_before_it_is_made() -> None:
    """The outline's like those of the paragraph and of the reflection."""
    async with House() as house:
        counted: list[tuple[str, int]] = []

        def note(name: str) -> None:
            draft = house.story().draft
            assert draft is not None
            counted.append((name, draft.calls))

        house.narrator.fail = note
        await house.begin()
        assert counted == [("open", 1), ("write", 2), ("reflect", 3)]


async def test_an_echo_and_plans_that_are_alike_cost_a_call_more_each() -> None:
    """Counted before they are made, like the calls that every turn needs; and embeddings beside."""
    async with House() as house:
        await house.begin()
        counted: list[tuple[str, int]] = []
        embedded: list[int] = []

        def note(name: str) -> None:
            draft = house.story().draft
            assert draft is not None
            counted.append((name, draft.calls))
            embedded.append(len(house.embedder.asked))

        house.narrator.fail = note
        house.narrator.paragraphs = lambda _context: "Below her the stair rang once, and once more."
        house.narrator.plans = lambda number: [
            Plan(f"{where} at {number}", f"Mira goes down the iron stair by way {where}.")
            for where in "abc"
        ]
        house.embedder.languages = frozenset({"English"})
        await house.turn_over()
        counted.clear()
        await house.turn_over()
        assert counted == [("write", 1), ("write", 2), ("reflect", 3), ("replan", 4)]
        gaps = [later - earlier for earlier, later in pairwise(embedded)]
        assert max(gaps) <= EMBEDDINGS_PER_CALL


async def test_a_turn_whose_every_paragraph_is_an_echo_is_bounded() -> None:
    """Each process dies with its second paragraph half shown; each writes two before."""
    house = House()
    async with house:
        house.narrator.paragraphs = lambda _context: "Below her the stair rang once, and once more."
        await house.begin()
        begun = calls(house)
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: calls(house) == begun + 2)
    for death in range(2, TURN_CALLS // 2 + 1):
        house = house.restarted()
        async with house:
            await house.when(lambda house=house, death=death: calls(house) == begun + 2 * death)
    house = house.restarted()
    async with house:
        await check_stopped(house, begun + TURN_CALLS)
        await check_goes_on(house, 2)


async def test_a_memory_that_is_edited_during_every_reflection_does_not_cost_for_ever() -> None:
    """Rounds of a reflection, and whole steps taken again, share the turn's allowance."""
    async with House() as house:
        await house.begin()
        begun = calls(house)
        house.narrator.fail = _edits_the_memory(house)
        house.stage.vote(CHANNEL, 1, 0)
        await check_stopped(house, begun + TURN_CALLS)
        read = house.stage.story(CHANNEL)[1]
        house.narrator.fail = lambda _name: None
        await check_goes_on(house, 2)
        assert house.stage.story(CHANNEL)[1] == read
        assert "Edit" in house.story().memory.text


def _edits_the_memory(house: House) -> Callable[[str], TalewheelError | None]:
    def edit(name: str) -> None:
        if name == "reflect":
            house.edit_memory(f"Edit {len(house.narrator.reflected)}.")

    return edit


async def test_two_outages_in_one_turn_are_waited_out_within_the_allowance() -> None:
    """The opening and the reflection each come through at the last try."""
    async with House() as house:
        left = {"open": 6, "reflect": 6}

        def fail(name: str) -> TalewheelError | None:
            left[name] = left.get(name, 0) - 1
            return NarratorUnavailableError("It is down.") if left[name] >= 0 else None

        house.narrator.fail = fail
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.until(Phase.VOTING, number=1)
        assert calls(house) == 7 + 1 + 7 <= TURN_CALLS
        house.check_told_once()


async def test_embeddings_that_fail_after_each_reflection_are_bounded_by_its_calls() -> None:
    """A reflection whose summary can't be embedded is made again, as often as tries allow."""
    async with House() as house:
        await house.begin()
        begun = len(house.narrator.reflected)
        down = EmbedderUnavailableError("Embeddings are down.")
        house.embedder.fail = lambda texts: down if texts[0].startswith("In turn 2") else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.clock.run_for(7200)
        assert house.story().phase is Phase.PAUSED
        assert len(house.narrator.reflected) - begun == 7
        assert house.stage.said(CHANNEL)[-1] == "Embeddings are down. /story resume tries again."


async def test_embeddings_that_fail_before_each_reflection_cost_none() -> None:
    """What a paragraph touches on is sought first: while that can't be, nothing is paid for."""
    async with House() as house:
        await house.begin()
        begun = calls(house)
        down = EmbedderUnavailableError("Embeddings are down.")
        house.embedder.fail = lambda texts: down if texts[0].startswith("Turn 2 follows") else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.clock.run_for(7200)
        assert house.story().phase is Phase.PAUSED
        assert calls(house) - begun == 1, "the paragraph"
        house.embedder.fail = lambda _texts: None
        await check_goes_on(house, 2)


async def test_waiting_for_a_budget_costs_no_call() -> None:
    """A story that waits for its share of the day's tokens waits as long as that takes."""
    async with House() as house:
        await house.begin()
        begun = calls(house)
        days = TURN_CALLS * 2

        def fail(name: str) -> TalewheelError | None:
            spent = name == "write" and calls(house) - begun <= days
            return BudgetSpentError("Spent.", house.clock.now() + 60) if spent else None

        house.narrator.fail = fail
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.VOTING, number=2)
        assert calls(house) - begun == days + 2, "one a day, then the turn's two"
        house.check_told_once()


async def test_a_budget_that_ends_inside_a_call_costs_the_call() -> None:
    """Requests that had gone out before are spent, day after day, and so they are bounded."""
    async with House() as house:
        await house.begin()
        begun = calls(house)

        def fail(name: str) -> TalewheelError | None:
            if name != "write":
                return None
            spent = BudgetSpentError("Spent.", house.clock.now() + 60)
            spent.sent = True
            return spent

        house.narrator.fail = fail
        house.stage.vote(CHANNEL, 1, 0)
        await check_stopped(house, begun + TURN_CALLS)
        house.narrator.fail = lambda _name: None
        await check_goes_on(house, 2)


async def test_a_resume_in_the_middle_of_an_outage_allows_all_tries_again() -> None:
    """Whoever resumes is told when it fails once more."""
    async with House() as house:
        await house.begin()
        down = NarratorUnavailableError("It is down.")
        house.narrator.fail = lambda name: down if name == "write" else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.when(lambda: len(house.narrator.contexts) == 4)
        await house.until(Phase.PAUSED)
        assert len(house.stage.said(CHANNEL)) == 1
        await house.teller.resume(CHANNEL)
        await house.until(Phase.PAUSED)
        assert len(house.stage.said(CHANNEL)) == 2
        assert house.story().tries == 1


def test_the_largest_number_of_requests_is_the_one_that_is_written_down() -> None:
    """260 requests a turn, 80 of them completions: TURN_CALLS says so."""
    limits = Limits()
    completions = TURN_CALLS * max(limits.write_attempts, limits.reflect_attempts)
    assert completions == 80
    assert completions + TURN_CALLS * EMBEDDINGS_PER_CALL * ATTEMPTS == 260
