"""What every SpendLedger promises, held by the fake and by the real thing."""

import asyncio

import pytest

from core.domain.spending import (
    PROCESS,
    Account,
    Budgets,
    Caps,
    Reservation,
    Ruling,
    Spent,
    guild_account,
    story_account,
)
from tests.contracts.store_samples import Doors

TODAY, TOMORROW = "2026-11-23", "2026-11-24"
GUILD, OTHER_GUILD = guild_account(10), guild_account(11)
STORY, OTHER_STORY = story_account("900:1"), story_account("901:1")
ALL = (PROCESS, GUILD, STORY)
NONE = Budgets()


def aside(
    call: str = "call-1",
    tokens: int = 100,
    micros: int = 0,
    payers: tuple[Account, ...] = ALL,
    day: str = TODAY,
    process: str = "p1",
) -> Reservation:
    """What is set aside for a call."""
    return Reservation(call, "model", Spent(tokens, micros), day, payers, process)


async def spent(doors: Doors, account: Account = PROCESS, day: str = TODAY) -> Spent:
    """What an account has spent."""
    [found] = await doors.ledger.spent(day, [account])
    return found


async def test_a_new_day_has_spent_nothing(doors: Doors) -> None:
    """Before the first call of a day nobody has spent anything; asking for nobody gives nothing."""
    assert await doors.ledger.spent(TODAY, ALL) == [Spent()] * 3
    assert await doors.ledger.spent(TODAY, []) == []


async def test_what_is_set_aside_counts_at_once_for_every_payer(doors: Doors) -> None:
    """In tokens and in money, on its own day and for nobody else."""
    ruling = await doors.ledger.reserve(aside(tokens=100, micros=40), NONE)
    assert ruling.refused is None
    assert [(one.account, one.spent) for one in ruling.standings] == [
        (payer, Spent()) for payer in ALL
    ], "what they had spent before it"
    everybody = (*ALL, OTHER_GUILD, OTHER_STORY)
    assert await doors.ledger.spent(TODAY, everybody) == [Spent(100, 40)] * 3 + [Spent()] * 2
    assert await spent(doors, day=TOMORROW) == Spent()


async def test_what_it_came_to_takes_the_place_of_what_was_set_aside(doors: Doors) -> None:
    """Less or more, in tokens and in money; the answer says how the payers stand now."""
    for call, tokens, micros in (("less", 30, 90), ("more", 170, 10)):
        await doors.ledger.reserve(aside(call, 100, 50), NONE)
        await doors.ledger.settle(aside(call, 100, 50), Spent(tokens, micros), NONE)
    standings = await doors.ledger.settle(aside("more"), Spent(9), NONE)
    assert [one.spent for one in standings] == [Spent(200, 100)] * 3
    assert await doors.ledger.spent(TODAY, ALL) == [Spent(200, 100)] * 3


async def test_calls_add_up_for_those_who_pay_for_them(doors: Doors) -> None:
    """Two stories of two servers: each has its own, the process has all."""
    await doors.ledger.settle(aside("a"), Spent(1, 2), NONE)
    await doors.ledger.settle(aside("b", payers=(PROCESS, GUILD)), Spent(10, 20), NONE)
    theirs = (PROCESS, OTHER_GUILD, OTHER_STORY)
    await doors.ledger.settle(aside("c", payers=theirs), Spent(100, 200), NONE)
    await doors.ledger.settle(aside("d", payers=(PROCESS,)), Spent(1000, 2000), NONE)
    assert await doors.ledger.spent(TODAY, (*ALL, OTHER_GUILD, OTHER_STORY)) == [
        Spent(1111, 2222),
        Spent(11, 22),
        Spent(1, 2),
        Spent(100, 200),
        Spent(100, 200),
    ]


async def test_whatever_is_repeated_counts_once(doors: Doors) -> None:
    """Reservations and settlements at the same moment and later; the first cost stands."""
    ledger = doors.ledger
    await asyncio.gather(*(ledger.reserve(aside(), NONE) for _ in range(10)))
    assert await spent(doors) == Spent(100)
    await asyncio.gather(*(ledger.settle(aside(), Spent(70, 7), NONE) for _ in range(10)))
    await ledger.settle(aside(), Spent(999, 999), NONE)
    repeated = await ledger.reserve(aside(), NONE)
    assert repeated.refused is None
    assert await spent(doors) == Spent(70, 7)


async def test_a_settlement_without_its_reservation_counts(doors: Doors) -> None:
    """Its reservation was lost, or comes later: the cost is there, and stays what it is."""
    await doors.ledger.settle(aside(), Spent(70, 7), NONE)
    assert await spent(doors, STORY) == Spent(70, 7)
    await doors.ledger.reserve(aside(), NONE)
    assert await spent(doors, STORY) == Spent(70, 7)


async def test_what_was_never_sent_is_given_back(doors: Doors) -> None:
    """A reservation that is settled with nothing leaves nothing, however late it arrives."""
    await doors.ledger.reserve(aside("a"), NONE)
    for call in ("a", "b"):
        await doors.ledger.settle(aside(call), Spent(), NONE)
    await doors.ledger.reserve(aside("b"), NONE)
    assert await doors.ledger.spent(TODAY, ALL) == [Spent()] * 3


async def test_a_call_named_like_a_sum_is_a_call(doors: Doors) -> None:
    """No id of a call collides with what the ledger keeps for itself."""
    for call in ("total", "total:micros", "guild:10", "a"):
        await doors.ledger.settle(aside(call), Spent(5, 1), NONE)
    assert await doors.ledger.spent(TODAY, ALL) == [Spent(20, 4)] * 3


async def test_concurrent_calls_all_count(doors: Doors) -> None:
    """50 calls at once are 50 calls."""

    async def call(number: int) -> None:
        await doors.ledger.reserve(aside(f"c{number}", 1000), NONE)
        await doors.ledger.settle(aside(f"c{number}", 1000), Spent(number), NONE)

    await asyncio.gather(*(call(number) for number in range(50)))
    assert await spent(doors, GUILD) == Spent(sum(range(50)))


# ── caps ─────────────────────────────────────────────────────────────────────────────────────────

CAPPED = {
    PROCESS: Budgets(process=Caps(100)),
    GUILD: Budgets(guild=Caps(100)),
    STORY: Budgets(story=Caps(100)),
}
IN_MONEY = {
    PROCESS: Budgets(process=Caps(None, 100)),
    GUILD: Budgets(guild=Caps(10**6, 100)),
    STORY: Budgets(story=Caps(None, 100)),
}


def refused_by(ruling: Ruling) -> Account | None:
    """Whose budget a request was refused for."""
    return ruling.refused.account if ruling.refused else None


@pytest.mark.parametrize("account", ALL, ids=lambda account: account.scope)
async def test_a_spent_budget_refuses_what_it_would_pay_for(doors: Doors, account: Account) -> None:
    """Below the cap a request passes, the one that crosses it too; the next isn't counted."""
    budgets = CAPPED[account]
    for call, tokens in (("a", 99), ("b", 5)):
        assert (await doors.ledger.reserve(aside(call, tokens), budgets)).refused is None
    ruling = await doors.ledger.reserve(aside("c"), budgets)
    assert ruling.refused is not None
    assert (ruling.refused.account, ruling.refused.spent) == (account, Spent(104))
    assert ruling.refused in ruling.standings
    assert await spent(doors) == Spent(104)


@pytest.mark.parametrize("account", ALL, ids=lambda account: account.scope)
async def test_a_budget_in_money_refuses_like_one_in_tokens(doors: Doors, account: Account) -> None:
    """Whichever of the two caps is reached."""
    budgets = IN_MONEY[account]
    await doors.ledger.settle(aside("a"), Spent(1, 99), budgets)
    assert refused_by(await doors.ledger.reserve(aside("b", 1, 1), budgets)) is None
    assert refused_by(await doors.ledger.reserve(aside("c", 1, 1), budgets)) == account


async def test_what_others_have_spent_refuses_nothing(doors: Doors) -> None:
    """Another server and another story of the same server go on; so does the next day."""
    budgets = Budgets(guild=Caps(200), story=Caps(100))
    await doors.ledger.settle(aside("a"), Spent(100), budgets)
    assert refused_by(await doors.ledger.reserve(aside("b"), budgets)) == STORY
    neighbour = (PROCESS, GUILD, OTHER_STORY)
    assert refused_by(await doors.ledger.reserve(aside("c", payers=neighbour), budgets)) is None
    assert refused_by(await doors.ledger.reserve(aside("d"), budgets)) == GUILD, "the wider first"
    elsewhere = (PROCESS, OTHER_GUILD, story_account("902:1"))
    assert refused_by(await doors.ledger.reserve(aside("e", payers=elsewhere), budgets)) is None
    assert refused_by(await doors.ledger.reserve(aside("f", day=TOMORROW), budgets)) is None


async def test_what_is_set_aside_side_by_side_doesnt_cross_a_cap_together(doors: Doors) -> None:
    """Of ten requests of 60 under a cap of 100, two are sent: the second crosses it."""
    calls = (doors.ledger.reserve(aside(f"c{n}", 60), CAPPED[GUILD]) for n in range(10))
    rulings = await asyncio.gather(*calls)
    assert [ruling.refused for ruling in rulings].count(None) == 2
    assert await spent(doors, GUILD) == Spent(120)


async def test_a_request_that_was_let_through_stays_so(doors: Doors) -> None:
    """Its reservation is repeated, after a lost reply, when the cap is reached by itself."""
    for _ in range(2):
        assert (await doors.ledger.reserve(aside(tokens=100), CAPPED[STORY])).refused is None


async def test_a_refused_request_passes_once_what_was_set_aside_came_to_less(doors: Doors) -> None:
    """The same request, tried again, is ruled on anew."""
    await doors.ledger.reserve(aside("a", 100), CAPPED[STORY])
    assert refused_by(await doors.ledger.reserve(aside("b"), CAPPED[STORY])) == STORY
    await doors.ledger.settle(aside("a"), Spent(40), CAPPED[STORY])
    assert refused_by(await doors.ledger.reserve(aside("b"), CAPPED[STORY])) is None


async def test_a_cap_of_nothing_refuses_the_first_request(doors: Doors) -> None:
    """0 is a cap, not the lack of one."""
    assert refused_by(await doors.ledger.reserve(aside(), Budgets(process=Caps(0)))) == PROCESS


# ── who tells ────────────────────────────────────────────────────────────────────────────────────


async def test_from_four_fifths_on_one_teller_is_named(doors: Doors) -> None:
    """The first that found the account so far, whoever asks later; below that nobody."""
    budgets = Budgets(process=Caps(None, 1000), guild=Caps(100), story=Caps(1000))
    nobody = await doors.ledger.settle(aside("a"), Spent(79, 799), budgets)
    assert [one.teller for one in nobody] == ["", "", ""]
    first = await doors.ledger.settle(aside("c"), Spent(1, 1), budgets)
    assert [one.teller for one in first] == ["p1", STORY.name, ""]
    neighbour = (PROCESS, GUILD, OTHER_STORY)
    later = await doors.ledger.settle(
        aside("d", payers=neighbour, process="p2"), Spent(1, 1), budgets
    )
    assert [one.teller for one in later] == ["p1", STORY.name, ""]


async def test_what_a_request_may_cost_warns_nobody_yet(doors: Doors) -> None:
    """What was spent before it does: a process that died may have told nobody."""
    first = await doors.ledger.reserve(aside("a", 90), CAPPED[STORY])
    assert [one.teller for one in first.standings] == ["", "", ""]
    await doors.ledger.settle(aside("a", 90), Spent(80), NONE)
    later = await doors.ledger.reserve(aside("b", 1), CAPPED[STORY])
    assert [(one.spent, one.teller) for one in later.standings] == [
        (Spent(80), ""),
        (Spent(80), ""),
        (Spent(80), STORY.name),
    ]


async def test_a_settlement_names_the_teller_too(doors: Doors) -> None:
    """A request may have come to more than was set aside."""
    await doors.ledger.reserve(aside(tokens=10), CAPPED[STORY])
    standings = await doors.ledger.settle(aside(tokens=10), Spent(80), CAPPED[STORY])
    assert [one.teller for one in standings] == ["", "", STORY.name]


async def test_a_call_that_nobody_can_tell_of_names_none(doors: Doors) -> None:
    """Without a story there is no channel; the first story that comes is the teller."""
    budgets = Budgets(guild=Caps(100))
    without = await doors.ledger.settle(aside("a", payers=(PROCESS, GUILD)), Spent(90), budgets)
    assert [one.teller for one in without] == ["", ""]
    standings = await doors.ledger.settle(aside("b"), Spent(1), budgets)
    assert [one.teller for one in standings] == ["", STORY.name, ""]


async def test_the_end_of_the_process_budget_has_a_teller_of_its_own(doors: Doors) -> None:
    """Who told that it nearly was spent need not be there any more when it is."""
    await doors.ledger.settle(aside("a", process="p1"), Spent(100), CAPPED[PROCESS])
    for process in ("p2", "p3"):
        ruling = await doors.ledger.reserve(aside("b", process=process), CAPPED[PROCESS])
        assert ruling.refused is not None
        assert ruling.refused.teller == "p2"


async def test_each_day_has_tellers_of_its_own(doors: Doors) -> None:
    """Tomorrow people are told again."""
    for day, process in ((TODAY, "p1"), (TOMORROW, "p2")):
        made = aside("a", day=day, process=process)
        standings = await doors.ledger.settle(made, Spent(90), CAPPED[PROCESS])
        assert standings[0].teller == process
