"""Whole stories under budgets: what channels are told, what pauses, what goes on, and when."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.domain.content import FOR_EVERYONE, Bounds
from core.domain.recurrence import StepContext
from core.domain.spending import PROCESS, Budgets, Caps, Reservation, Spent, story_account
from core.domain.story import Brief, Opening, PauseCause, Phase, Reflection, Story, Usage
from core.ports import MessageKind, Meter, Written
from core.services.alerts import Alerts
from core.services.budget import DailyMeter
from core.services.storyteller import Storyteller
from tests.core.services.house import CHANNEL, GUILD, House
from tests.core.services.test_crashes import watch
from tests.fakes.narrator import FakeNarrator
from tests.fakes.spend_ledger import FakeSpendLedger
from tests.fakes.stepped_clock import SteppedClock

MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
OPENED, WRITTEN, REFLECTED = 150, 1300, 1600
"""Tokens of each call, see FakeNarrator."""
FIRST, TURN = OPENED + WRITTEN + REFLECTED, WRITTEN + REFLECTED
"""Tokens of the first turn, and of each later one."""
NEIGHBOUR, ELSEWHERE = 901, 902


class PaidNarrator(FakeNarrator):
    """A narrator whose every call is a request under a meter."""

    meter: Meter

    async def open(self, brief: Brief, bounds: Bounds = FOR_EVERYONE) -> tuple[Opening, Usage]:
        reservation = await self.meter.admit("writer", 100)
        opening, usage = await super().open(brief, bounds)
        await self.meter.charge(reservation, usage)
        return opening, usage

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        reservation = await self.meter.admit("writer", 100)
        written = await super().write(context, on_text)
        await self.meter.charge(reservation, written.usage)
        return written

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        reservation = await self.meter.admit("writer", 100)
        reflection, usage = await super().reflect(context, paragraph)
        await self.meter.charge(reservation, usage)
        return reflection, usage


class PaidHouse(House):
    """A house in which the narrator is paid for."""

    def __init__(self, budgets: Budgets, before: "PaidHouse | None" = None) -> None:
        super().__init__(before, clock=None if before else SteppedClock(MORNING))
        self.budgets = budgets
        self.owner: list[str] = before.owner if before else []
        self.ledger = FakeSpendLedger(self.world)
        alerts = Alerts(budgets, self.owner.append)
        narrator = PaidNarrator(self.clock)
        narrator.meter = DailyMeter(self.ledger, self.clock, budgets, alerts)
        self.stations = replace(self.stations, narrator=narrator, alerts=alerts)
        self.teller = Storyteller(self.stations)

    def restarted(self) -> "PaidHouse":
        return PaidHouse(self.budgets, self)

    def said(self, channel: int = CHANNEL) -> list[str]:
        """The bot's sentences in a channel, in order."""
        return self.stage.said(channel)

    def kinds(self, channel: int = CHANNEL) -> list[MessageKind]:
        """What kinds of messages stand in a channel, in order."""
        return [message.kind for message in self.stage.shown(channel)]


def paused(story: Story) -> tuple[PauseCause, float | None]:
    assert story.pause is not None
    return story.pause.cause, story.pause.until


async def test_moderators_are_told_below_the_ballot_when_a_budget_is_nearly_spent() -> None:
    """Once, however many turns follow on that day; on the next day again."""
    async with PaidHouse(Budgets(story=Caps((FIRST + 2 * TURN) * 10 // 8))) as house:
        await house.begin()
        await house.turn_over()
        assert house.said() == []
        await house.turn_over()
        [sentence] = house.said()
        assert sentence.startswith("For moderators: this story has spent 80 % of its budget")
        assert house.kinds()[-2:] == [MessageKind.BALLOT, MessageKind.ANNOUNCEMENT]
        house.clock.jump(MIDNIGHT - house.clock.now())
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.VOTING, number=4)
        for _ in range(2):
            await house.turn_over()
        assert len(house.said()) == 1, "a new day begins with nothing"
        await house.turn_over()
        assert len(house.said()) == 2
        house.check_told_once()


async def test_a_servers_moderators_are_told_by_one_story() -> None:
    """The one that found it first; the others say nothing."""
    async with PaidHouse(Budgets(guild=Caps(3 * FIRST))) as house:
        for channel in (CHANNEL, NEIGHBOUR):
            await house.begin(channel)
        await house.begin(ELSEWHERE, GUILD + 1)
        assert house.said(NEIGHBOUR) == house.said(ELSEWHERE) == []
        await house.turn_over(channel=NEIGHBOUR)
        await house.turn_over(channel=ELSEWHERE)
        [sentence] = house.said(NEIGHBOUR)
        assert sentence.startswith("For moderators: the stories of this server have spent")
        assert house.said() == house.said(ELSEWHERE) == []


@pytest.mark.parametrize(
    ("budgets", "sentence", "stopped", "free"),
    [
        (
            Budgets(process=Caps(3 * FIRST)),
            "The bot has spent its budget for today",
            [CHANNEL, NEIGHBOUR, ELSEWHERE],
            [],
        ),
        (
            Budgets(guild=Caps(2 * FIRST)),
            "This server has spent its budget for today",
            [CHANNEL, NEIGHBOUR],
            [ELSEWHERE],
        ),
        (
            Budgets(story=Caps(FIRST)),
            "This story has spent its budget for today",
            [CHANNEL],
            [],
        ),
    ],
    ids=["process", "guild", "story"],
)
async def test_a_spent_budget_pauses_until_the_day_turns_and_says_so(
    budgets: Budgets, sentence: str, stopped: list[int], free: list[int]
) -> None:
    """Every story that it pays for, and no other; at midnight all go on by themselves."""
    async with PaidHouse(budgets) as house:
        for channel in (CHANNEL, NEIGHBOUR):
            await house.begin(channel)
        await house.begin(ELSEWHERE, GUILD + 1)
        for channel in stopped:
            house.stage.vote(channel, 1, 0)
            await house.until(Phase.PAUSED, channel)
            assert paused(house.story(channel)) == (PauseCause.BUDGET, MIDNIGHT)
            assert house.said(channel)[-1].startswith(sentence)
        for channel in free:
            await house.turn_over(channel=channel)
        house.clock.jump(MIDNIGHT - house.clock.now())
        for channel in stopped:
            await house.until(Phase.VOTING, channel, 2)
        house.check_told_once()


async def test_the_owner_is_told_of_the_bots_budget_and_no_channel_warned() -> None:
    async with PaidHouse(Budgets(process=Caps(FIRST + TURN))) as house:
        await house.begin()
        await house.turn_over()
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.PAUSED)
        [sentence] = house.owner
        assert sentence == (
            "The bot has spent its budget for today (5,950 of 5,950 tokens). Every story pauses "
            "before it goes on, until the UTC day turns, at 00:00."
        )
        assert len(house.said()) == 1, "its pause alone"


CAP = 100_000


async def nearly() -> PaidHouse:
    """A story whose second turn will bring it to four fifths of its budget."""
    house = PaidHouse(Budgets(story=Caps(CAP)))
    await house.__aenter__()
    await house.begin()
    story = story_account(f"{CHANNEL}:1")
    earlier = Reservation("earlier", "writer", Spent(), "2026-11-23", (PROCESS, story))
    await house.ledger.settle(earlier, Spent(CAP * 8 // 10 - FIRST - TURN), house.budgets)
    return house


async def calls_of_a_turn() -> int:
    """How many moments before and after calls to Redis and Discord the second turn has."""
    house, seen = await nearly(), list[str]()
    watch(house, seen.append)
    await house.turn_over()
    await house.kill()
    return len(seen)


async def die_at(moment: int) -> PaidHouse:
    """Let the process die at the n-th moment of the second turn; gives the remains."""
    house, died = await nearly(), asyncio.Event()
    left = moment

    def on_call(_call: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            died.set()
            raise asyncio.CancelledError

    watch(house, on_call)
    playing = asyncio.create_task(house.turn_over())
    dying = asyncio.create_task(died.wait())
    await asyncio.wait({playing, dying}, return_when=asyncio.FIRST_COMPLETED)
    await house.kill()
    await asyncio.gather(playing, return_exceptions=True)
    return house


@pytest.mark.parametrize("part", range(4))
async def test_a_warning_is_given_once_whenever_the_process_dies(part: int) -> None:
    """At any call to Redis or Discord of the turn that comes so far, before or after it acted."""
    count = await calls_of_a_turn()
    assert count > 80, "the sweep sees every call of a turn"
    for moment in range(part, count, 4):
        remains = await die_at(moment)
        remains.clock.jump(60)
        async with remains.restarted() as house:
            await house.until(Phase.VOTING)
            while house.story().head_number < 3:
                await house.turn_over()
            warnings = [told for told in house.said() if told.startswith("For moderators")]
            assert len(warnings) == 1, f"moment {moment}: said {len(warnings)} times"
            house.check_told_once()


async def test_a_call_that_a_crash_cut_off_counts_with_what_was_set_aside() -> None:
    """And what it came to in the next process counts beside it: nothing is lost."""
    house = PaidHouse(Budgets())
    async with house:
        house.narrator.delay_s = 50
        await house.begin()
        spent = await house.ledger.spent("2026-11-23", [story_account(f"{CHANNEL}:1")])
        assert spent[0].tokens == FIRST
        house.stage.vote(CHANNEL, 1, 0)
        await house.until(Phase.WRITING, number=1)
        await house.kill()
    async with house.restarted() as second:
        house.clock.jump(60)
        await second.until(Phase.VOTING, number=2)
        spent = await house.ledger.spent("2026-11-23", [story_account(f"{CHANNEL}:1")])
        assert spent[0].tokens == FIRST + 100 + TURN
