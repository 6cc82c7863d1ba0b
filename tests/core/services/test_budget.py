"""The budgets of a day: asked before every request, settled after it, new when the day turns."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from core.domain.spending import (
    PROCESS,
    Account,
    Budgets,
    Caps,
    Price,
    Reservation,
    Spent,
    guild_account,
    story_account,
)
from core.domain.story import Usage
from core.errors import BudgetSpentError, EmbedderUnavailableError, StoreUnavailableError
from core.services.alerts import Alerts
from core.services.budget import DailyMeter, MeteredEmbedder, Spending
from core.services.work import Work, working_on
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.meter import FakeMeter
from tests.fakes.spend_ledger import FakeSpendLedger
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.store import StoreWorld, When
from tests.fakes.stories import a_story

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
TODAY = "2026-11-23"
PRICES = {"writer": Price(2, 8, 0.5), "reader": Price(0.02)}
STORY, NEIGHBOUR, ELSEWHERE = (
    Work(10, 900, "900:1", 3),
    Work(10, 901, "901:1"),
    Work(11, 902, "902:1"),
)


class Bench:
    """A meter over a ledger in memory; ``restarted`` gives the next process over the same."""

    def __init__(self, budgets: Budgets, before: "Bench | None" = None) -> None:
        self.budgets = budgets
        self.clock = before.clock if before else SteppedClock(NOON)
        self.world = before.world if before else StoreWorld()
        self.told = before.told if before else list[str]()
        self.ledger = FakeSpendLedger(self.world)
        self.alerts = Alerts(budgets, self.told.append)
        self.meter = DailyMeter(self.ledger, self.clock, budgets, self.alerts)

    def restarted(self) -> "Bench":
        return Bench(self.budgets, self)

    async def spend(self, usage: Usage | int, work: Work | None = STORY, expected: int = 1) -> None:
        """A request to the writer from admission to cost."""
        cost = Usage(usage) if isinstance(usage, int) else usage
        reservation = await self.admitted(work, expected)
        await self.meter.charge(reservation, cost)

    async def admitted(self, work: Work | None = STORY, expected: int = 1) -> Reservation:
        if work is None:
            return await self.meter.admit("writer", expected)
        with working_on(work):
            return await self.meter.admit("writer", expected)

    async def refused(self, work: Work | None = STORY) -> BudgetSpentError:
        with pytest.raises(BudgetSpentError) as caught:
            await self.admitted(work)
        return caught.value

    async def spent(self, *accounts: Account) -> list[Spent]:
        return await self.ledger.spent(TODAY, accounts or (PROCESS,))

    def interrupt(self, call: str, when: When) -> None:
        """Let the next such call of the ledger fail, before or after it acted."""

        def once(named: str, at: When) -> None:
            if (named, at) == (call, when):
                self.mend()
                raise StoreUnavailableError("Redis is away.")

        self.world.interrupt = once

    def away(self) -> None:
        def fail(_call: str, _when: When) -> None:
            raise StoreUnavailableError("Redis is away.")

        self.world.interrupt = fail

    def mend(self) -> None:
        self.world.interrupt = lambda _call, _when: None


# ── who pays ─────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_worked_on_pays_beside_the_process() -> None:
    """A story with its server; a server whose story isn't known alone; nothing: the process."""
    bench = Bench(Budgets(prices=PRICES))
    await bench.spend(Usage(100, 40, 10), STORY)
    await bench.spend(1000, Work(10, 900))
    await bench.spend(10_000, Work(0, 0))
    await bench.spend(100_000, None)
    own = Spent(110, 120 + 20 + 80)
    everybody = (story_account("900:1"), guild_account(10), PROCESS)
    assert await bench.spent(*everybody) == [
        own,
        own + Spent(1000, 2000),
        own + Spent(111_000, 222_000),
    ]


async def test_a_model_without_a_price_costs_no_money() -> None:
    bench = Bench(Budgets())
    await bench.spend(100)
    assert await bench.spent() == [Spent(100, 0)]


async def test_what_is_set_aside_is_priced_too() -> None:
    """By the model's price, a quarter of it as an answer's."""
    bench = Bench(Budgets(prices=PRICES))
    await bench.admitted(expected=1000)
    await bench.meter.admit("reader", 1000)
    assert await bench.spent() == [Spent(2000, 1500 + 2000 + 20)]


# ── caps ─────────────────────────────────────────────────────────────────────────────────────────

GOES_ON = "when the UTC day turns, at 00:00."


@pytest.mark.parametrize(
    ("budgets", "stopped", "free", "sentence"),
    [
        (
            Budgets(process=Caps(1000)),
            [STORY, NEIGHBOUR, ELSEWHERE, None],
            [],
            "The bot has spent its budget for today (1,010 of 1,000 tokens): stories go on",
        ),
        (
            Budgets(guild=Caps(1000)),
            [STORY, NEIGHBOUR],
            [ELSEWHERE, None],
            "This server has spent its budget for today (1,010 of 1,000 tokens): its stories go on",
        ),
        (
            Budgets(story=Caps(None, 2000), prices=PRICES),
            [STORY],
            [NEIGHBOUR, ELSEWHERE, None],
            "This story has spent its budget for today ($0.002 of $0.002): it goes on",
        ),
    ],
    ids=["process", "guild", "story"],
)
async def test_a_spent_budget_stops_what_it_pays_for_until_the_day_turns(
    budgets: Budgets, stopped: list[Work | None], free: list[Work | None], sentence: str
) -> None:
    """The request that crosses the cap is finished; others' work goes on; tomorrow is new."""
    bench = Bench(budgets)
    await bench.spend(990)
    await bench.spend(20)
    for work in stopped:
        error = await bench.refused(work)
        assert (str(error), error.until) == (f"{sentence} {GOES_ON}", MIDNIGHT)
    for work in free:
        await bench.spend(1, work)
    bench.clock.jump(MIDNIGHT - NOON)
    for work in stopped:
        await bench.admitted(work)


async def test_a_process_that_dies_has_spent_what_it_set_aside() -> None:
    """The request may have been answered; the next process finds it counted."""
    bench = Bench(Budgets(story=Caps(5000)))
    await bench.admitted(expected=5000)
    error = await bench.restarted().refused()
    assert "5,000 of 5,000 tokens" in str(error)


@pytest.mark.parametrize("when", list(When))
async def test_what_a_request_cost_is_counted_once_the_ledger_is_back(when: When) -> None:
    """The answer isn't lost; nothing new is sent while nobody knows what is spent."""
    bench = Bench(Budgets(process=Caps(100)))
    first, second = await bench.admitted(), await bench.admitted()
    bench.interrupt("settle", when)
    await bench.meter.charge(first, Usage(70))
    bench.away()
    await bench.meter.charge(second, Usage(40))
    with pytest.raises(StoreUnavailableError):
        await bench.admitted()
    bench.mend()
    assert "110 of 100" in str(await bench.refused())
    assert await bench.spent() == [Spent(110)]


@pytest.mark.parametrize("when", list(When))
async def test_what_was_set_aside_for_nothing_is_given_back(when: When) -> None:
    """A ledger that fell silent let nothing be sent, whether it had set aside something or not."""
    bench = Bench(Budgets(process=Caps(1000)))
    bench.interrupt("reserve", when)
    with pytest.raises(StoreUnavailableError):
        await bench.admitted(expected=700)
    await bench.spend(10)
    assert await bench.spent() == [Spent(10)]


async def test_a_request_that_is_cancelled_while_it_asks_costs_nothing() -> None:
    bench = Bench(Budgets())

    def cancelled(call: str, when: When) -> None:
        if (call, when) == ("reserve", When.AFTER):
            raise asyncio.CancelledError

    bench.world.interrupt = cancelled
    with pytest.raises(asyncio.CancelledError):
        await bench.admitted(expected=700)
    bench.mend()
    await bench.spend(10)
    assert await bench.spent() == [Spent(10)]


@pytest.mark.parametrize("when", list(When))
async def test_without_caps_a_ledger_that_is_away_holds_nothing_up(when: When) -> None:
    """What was spent meanwhile is counted, once, when it is back; who asked in vain costs none."""
    bench = Bench(Budgets())
    bench.interrupt("reserve", when)
    reservation = await bench.admitted(expected=700)
    bench.away()
    await bench.meter.charge(reservation, Usage(30))
    bench.mend()
    await bench.spend(5)
    assert await bench.spent(story_account("900:1")) == [Spent(35)]


async def test_an_answer_whose_charge_is_cancelled_counts_later() -> None:
    bench = Bench(Budgets())
    reservation = await bench.admitted(expected=700)

    def cancelled(_call: str, _when: When) -> None:
        raise asyncio.CancelledError

    bench.world.interrupt = cancelled
    with pytest.raises(asyncio.CancelledError):
        await bench.meter.charge(reservation, Usage(30))
    bench.mend()
    await bench.spend(5)
    assert await bench.spent() == [Spent(35)]


# ── who is told ──────────────────────────────────────────────────────────────────────────────────


async def test_the_owner_is_told_at_four_fifths_and_at_the_end_once_a_day() -> None:
    """Also when the bot is started again in between."""
    bench = Bench(Budgets(process=Caps(100)))
    for _ in range(2):
        for tokens in (79, 1, 1, 19):
            await bench.spend(tokens)
            bench = bench.restarted()
        for _ in range(3):
            await bench.refused()
            bench = bench.restarted()
        bench.clock.jump(86_400)
    nearly = (
        "The bot has spent 80 % of its budget for today (80 of 100 tokens). When all of it is "
        "spent, every story pauses until the UTC day turns, at 00:00."
    )
    spent = "The bot has spent its budget for today (100 of 100 tokens): stories go on"
    assert bench.told == [nearly, f"{spent} {GOES_ON}"] * 2


async def test_the_owner_is_told_though_the_ledgers_answer_was_lost() -> None:
    """The process that is named as the teller stays the one until it has told."""
    bench = Bench(Budgets(process=Caps(100)))
    reservation = await bench.admitted()
    bench.interrupt("settle", When.AFTER)
    await bench.meter.charge(reservation, Usage(90))
    assert bench.told == []
    await bench.admitted()
    assert len(bench.told) == 1


async def test_without_a_cap_nobody_is_told_of_anything() -> None:
    bench = Bench(Budgets())
    await bench.spend(10**9)
    assert (bench.told, bench.alerts.take("900:1", TODAY)) == ([], [])


async def test_a_story_is_given_what_it_must_tell_its_channel() -> None:
    """Of its own budget and, if it was the first to see it, of its server's; in one go."""
    bench = Bench(Budgets(guild=Caps(1000), story=Caps(None, 2000), prices=PRICES))
    await bench.spend(799)
    assert bench.alerts.take("900:1", TODAY) == []
    await bench.spend(1)
    guild, story = (alert.sentence for alert in bench.alerts.take("900:1", TODAY))
    assert guild == (
        "For moderators: the stories of this server have spent 80 % of its budget for today "
        "(800 of 1,000 tokens). When all of it is spent, they pause until the UTC day turns, at "
        "00:00."
    )
    assert story == (
        "For moderators: this story has spent 80 % of its budget for today ($0.0016 of "
        "$0.002). When all of it is spent, it pauses until the UTC day turns, at 00:00."
    )
    await bench.spend(1, NEIGHBOUR)
    assert bench.alerts.take("901:1", TODAY) == [], "its server's is the other story's to tell"
    await bench.spend(1)
    again = bench.alerts.take("900:1", TODAY)
    assert len(again) == 2, "whether it was told, the story knows"
    assert bench.told == []


async def test_a_story_that_pauses_with_its_budget_needs_no_alert_of_it() -> None:
    bench = Bench(Budgets(story=Caps(100)))
    await bench.spend(100)
    await bench.refused()
    assert bench.alerts.take("900:1", TODAY) == []


async def test_yesterdays_alert_isnt_told_today() -> None:
    bench = Bench(Budgets(story=Caps(100)))
    await bench.spend(90)
    assert bench.alerts.take("900:1", "2026-11-24") == []


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


async def test_what_today_has_cost_is_told_of_a_story_and_its_server() -> None:
    bench = Bench(Budgets(prices=PRICES))
    await bench.spend(Usage(100, 0, 10))
    await bench.spend(1, NEIGHBOUR)
    story = a_story()
    spending = Spending(bench.ledger, bench.clock, bench.budgets)
    today = await spending.today(story)
    own = await bench.spent(story_account(str(story.id)), guild_account(story.guild))
    assert [today.story, today.guild] == own
    assert today.budgets is bench.budgets
    bench.clock.jump(86_400)
    assert (await spending.today(story)).guild == Spent()


# ── embeddings ───────────────────────────────────────────────────────────────────────────────────


async def test_what_is_embedded_counts_and_stops_at_the_cap() -> None:
    """By four bytes a token, under the embedding model's name; beyond the cap nothing is sent."""
    meter, inner = FakeMeter(cap=10), FakeEmbedder()
    embedder = MeteredEmbedder(inner, meter)
    assert (embedder.name, embedder.dims) == (inner.name, inner.dims)
    inner.languages = frozenset({"English"})
    assert (embedder.reads("English"), embedder.reads("Deutsch")) == (True, False)
    assert len(await embedder.embed(["x" * 20, "y" * 20])) == 2
    assert (meter.models, meter.expected, meter.charged) == ([inner.name], [10], [10])
    assert await embedder.embed([]) == []
    with pytest.raises(BudgetSpentError):
        await embedder.embed(["z"])
    assert inner.asked == [("x" * 20, "y" * 20)]


@pytest.mark.parametrize(
    ("error", "charged"),
    [(EmbedderUnavailableError("It is down."), 0), (asyncio.CancelledError(), 5)],
)
async def test_what_came_back_without_vectors_costs_nothing(
    error: BaseException, charged: int
) -> None:
    """But what was cancelled may have been answered."""
    meter, inner = FakeMeter(), FakeEmbedder()

    def fail(_texts: Sequence[str]) -> NoReturn:
        raise error

    inner.fail = fail
    with pytest.raises(type(error)):
        await MeteredEmbedder(inner, meter).embed(["x" * 20])
    assert meter.charged == [charged]
