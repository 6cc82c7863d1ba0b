"""New vectors for old entries, in the background: all of them, in order, whatever fails."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from core.domain.entries import EntryKind, fact_line
from core.domain.story import Phase, Story, StoryId, Vector
from core.errors import (
    BudgetSpentError,
    EmbedderError,
    EmbedderRefusedError,
    EmbedderUnavailableError,
    StoreUnavailableError,
)
from core.ports import Commit, MemoryEntry
from core.services.reembedding import (
    AIM_S,
    FEWEST,
    IN_A_ROW,
    LOOK_S,
    MOST,
    OUTAGE_WAITS_S,
    REFUSED_WAIT_S,
    SAMPLE,
    Reembedding,
)
from tests.contracts.store_samples import a_story
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.store import FakeSchedule, FakeStaleVectors, FakeStoryStore, StoreWorld, When

DIMS = 16
AWAY = EmbedderUnavailableError("The embeddings endpoint is away.")
REFUSED = EmbedderRefusedError("The embeddings endpoint refuses.")


class SlowEmbedder(FakeEmbedder):
    """Takes its time for each text, and may be out of budget."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__(dims=DIMS)
        self._clock = clock
        self.each_s = 0.0
        self.spent_until = 0.0

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        if self._clock.now() < self.spent_until:
            raise BudgetSpentError("The day's tokens are spent.", self.spent_until)
        await self._clock.sleep(self.each_s * len(texts))
        return await super().embed(texts)


class Shelf:
    """Stories with entries of an embedder that isn't used any more."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.world = StoreWorld(dims=DIMS)
        self.embedder = SlowEmbedder(self.clock)
        self._at_work: asyncio.Task[None] | None = None
        self.service = self.process()

    def process(self) -> Reembedding:
        """The service of a process."""
        schedule = FakeSchedule(self.world)
        return Reembedding(FakeStaleVectors(self.world), schedule, self.embedder, self.clock)

    def put(self, count: int, channel: int = 1, due: float | None = None) -> Story:
        """A story with summaries and facts, an entry for each number."""
        story = a_story(channel, due=due, phase=Phase.VOTING if due else Phase.ENDED)
        self.world.stories[story.id] = story
        old = Vector(b"\0" * 4 * DIMS)
        for number in range(1, count + 1):
            fact = number % 2 == 0
            entry = MemoryEntry(
                *(f"t{number}", number, "main", f"{channel}: no. {number}.", old, 0.0),
                EntryKind.FACT if fact else EntryKind.SUMMARY,
                *(1, "Mira") if fact else (0, ""),
            )
            self.world.entries[story.id, entry.id] = entry
        self.world.change_embedder("other", DIMS)
        return story

    async def run_until(self, done: Callable[[], bool]) -> None:
        """Let the service work until something is so, then end it."""
        working = asyncio.create_task(self.service.run())
        try:
            await self.clock.run_until(done)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    def whole(self) -> bool:
        """Whether nothing is left."""
        return not self.world.stale()

    def embedded(self) -> list[str]:
        """Every text that was embedded, in order."""
        return [text for call in self.embedder.asked for text in call]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def vector_of(entry: MemoryEntry) -> Vector:
    """What whoever reflects would have stored with an entry."""
    [vector] = await FakeEmbedder(dims=DIMS).embed([fact_line(entry.about, entry.text)])
    return vector


async def test_every_entry_gets_the_vector_it_would_have_been_written_with(shelf: Shelf) -> None:
    """Of all stories, those that are over too, each text once."""
    shelf.put(30, 1, due=5.0)
    shelf.put(20, 2)
    await shelf.run_until(shelf.whole)
    for entry in shelf.world.entries.values():
        assert entry.vector == await vector_of(entry)
    assert len(shelf.embedded()) == len(set(shelf.embedded())) == 50


async def test_stories_that_are_needed_next_come_first_and_their_newest_entries(
    shelf: Shelf,
) -> None:
    """A long one lets the others have their turn."""
    shelf.put(IN_A_ROW + 50, 1, due=5.0)
    shelf.put(20, 2, due=9.0)
    shelf.put(20, 3)
    await shelf.run_until(shelf.whole)
    told = shelf.embedded()
    order = [int(text.removeprefix("Mira: ").split(":")[0]) for text in told]
    assert order.index(2) in range(IN_A_ROW, IN_A_ROW + MOST)
    assert order.index(3) > order.index(2)
    assert set(order[order.index(3) :]) <= {1, 3}, "what was due is done before the rest begins"
    numbers = [int(text.split("no. ")[1][:-1]) for text in told[: order.index(2)]]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] == IN_A_ROW + 50


async def test_so_many_texts_at_once_as_take_a_quarter_of_a_second(shelf: Shelf) -> None:
    """A turn that waits for the same thread isn't held up; a fast embedder gets many at once."""
    shelf.put(200)
    shelf.embedder.each_s = AIM_S / 10
    await shelf.run_until(shelf.whole)
    sizes = [len(call) for call in shelf.embedder.asked]
    assert set(sizes[2:-1]) <= {8, 16}
    fast = Shelf()
    fast.put(500)
    await fast.run_until(fast.whole)
    assert max(len(call) for call in fast.embedder.asked) == MOST
    slow = Shelf()
    slow.put(20)
    slow.embedder.each_s = 5.0
    await slow.run_until(slow.whole)
    assert {len(call) for call in slow.embedder.asked} == {FEWEST}


async def test_as_much_time_is_left_to_the_stories_as_is_taken(shelf: Shelf) -> None:
    """Half of the time the embedder is free."""
    shelf.put(100)
    shelf.embedder.each_s = 0.05
    began = shelf.clock.monotonic()
    await shelf.run_until(shelf.whole)
    assert shelf.clock.monotonic() - began == pytest.approx(2 * 100 * 0.05, rel=0.05)


async def test_nothing_is_asked_where_nothing_is_left(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor said; and whatever comes later is found."""
    caplog.set_level(logging.INFO)
    at = shelf.clock.monotonic()
    await shelf.run_until(lambda: shelf.clock.monotonic() > at + 5 * LOOK_S)
    assert (shelf.embedder.asked, caplog.messages, shelf.service.left) == ([], [], 0)
    running = asyncio.create_task(shelf.service.run())
    await shelf.clock.settle()
    shelf.put(3)
    await shelf.clock.run_until(shelf.whole, LOOK_S + 1)
    running.cancel()


async def test_what_is_left_is_said_and_counted(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """At the start, every minute, and at the end."""
    caplog.set_level(logging.INFO)
    shelf.put(1000)
    shelf.embedder.each_s = 0.1
    await shelf.run_until(lambda: shelf.service.left == 0)
    first, *between, last = caplog.messages
    assert first.startswith("1000 entries of the long-term memory have no vectors of hashed-words")
    lefts = [int(line.split()[1]) for line in between]
    assert len(lefts) >= 3
    assert lefts == sorted(lefts, reverse=True)
    assert "0 entries stay without a vector" in last


@pytest.mark.parametrize("error", [AWAY, StoreUnavailableError("Redis is away.")])
async def test_an_outage_is_waited_for(
    shelf: Shelf, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """Longer each time, said aloud once, and then it goes on where it was."""
    caplog.set_level(logging.WARNING)
    shelf.put(40)
    failures = 6

    def fail(call: str, when: When) -> None:
        nonlocal failures
        fits = isinstance(error, StoreUnavailableError) and call == "some_stale"
        if fits and failures and when is When.BEFORE:
            failures -= 1
            raise error

    def refuse(_texts: Sequence[str]) -> EmbedderError | None:
        nonlocal failures
        if isinstance(error, EmbedderError) and failures:
            failures -= 1
            return error
        return None

    shelf.world.interrupt, shelf.embedder.fail = fail, refuse
    began = shelf.clock.monotonic()
    await shelf.run_until(shelf.whole)
    waited = sum(OUTAGE_WAITS_S) + 2 * OUTAGE_WAITS_S[-1]
    assert shelf.clock.monotonic() - began == pytest.approx(waited)
    assert sum("re-embedding waits" in line for line in caplog.messages) == 1


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("call", ["count_stale", "due", "some_stale", "renew_vectors"])
async def test_any_call_that_fails_once_is_made_up_for(shelf: Shelf, call: str, when: When) -> None:
    """Also one that was applied and whose answer was lost."""
    shelf.put(20, 1, due=5.0)
    failed = False

    def fail(called: str, at: When) -> None:
        nonlocal failed
        if (called, at) == (call, when) and not failed:
            failed = True
            raise StoreUnavailableError("Redis is away.")

    shelf.world.interrupt = fail
    await shelf.run_until(shelf.whole)
    assert failed or when is When.AFTER


async def test_it_can_be_ended_anywhere_and_goes_on_in_the_next_process(shelf: Shelf) -> None:
    """What is done is done: at most the texts of one call are embedded twice for each end."""
    shelf.put(60)
    shelf.embedder.each_s = 0.01
    ends = 0
    while not shelf.whole():
        shelf.service = shelf.process()
        asked = len(shelf.embedder.asked)
        await shelf.run_until(lambda: len(shelf.embedder.asked) > asked or shelf.whole())  # noqa: B023
        ends += 1
    assert ends > 5
    assert len(shelf.embedded()) <= 60 + ends * FEWEST


async def test_a_spent_budget_is_waited_for(shelf: Shelf) -> None:
    """Until the day turns, without a request before that."""
    shelf.put(10)
    shelf.embedder.spent_until = shelf.clock.now() + 20_000
    began = shelf.clock.monotonic()
    await shelf.run_until(shelf.whole)
    assert shelf.clock.monotonic() - began == pytest.approx(20_000)
    assert len(shelf.embedder.asked) <= 3


async def test_a_text_that_is_refused_is_passed_over_and_named(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """All others get their vectors; the log says which entry it is, and not what it says."""
    caplog.set_level(logging.INFO)
    shelf.put(40)
    bad = "1: no. 7."
    shelf.embedder.fail = lambda texts: REFUSED if bad in texts else None
    began = shelf.clock.monotonic()
    await shelf.run_until(lambda: shelf.clock.monotonic() > began + 3 * LOOK_S)
    assert [entry for _, entry in shelf.world.stale()] == ["t7"]
    [line] = [line for line in caplog.messages if "stays without a vector" in line]
    assert "entry t7 of story 1:1" in line
    assert bad not in caplog.text
    assert sum("re-embedding is done; 1 entries stay" in line for line in caplog.messages) == 1
    assert sum(bad in call for call in shelf.embedder.asked) <= 4, "not again each minute"


async def test_an_embedder_that_refuses_everything_is_not_asked_again_and_again(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong key is no fault of 40 texts."""
    shelf.put(40)
    shelf.embedder.error = REFUSED
    began = shelf.clock.monotonic()
    await shelf.run_until(lambda: shelf.clock.monotonic() > began + REFUSED_WAIT_S / 2)
    assert len(shelf.embedder.asked) == 2
    assert shelf.embedder.asked[-1] == (SAMPLE,)
    assert "re-embedding waits: The embeddings endpoint refuses." in caplog.text
    shelf.embedder.error = None
    await shelf.run_until(shelf.whole)


async def test_what_was_amended_while_it_was_embedded_keeps_its_own_vector(shelf: Shelf) -> None:
    """And is no reason to begin anew."""
    story = shelf.put(6)
    amended = replace(shelf.world.entries[story.id, "t5"], text="It snowed.")
    amended = replace(amended, vector=await vector_of(amended))

    def meddle(call: str, when: When) -> None:
        if call == "renew_vectors" and when is When.BEFORE:
            shelf.world.entries[story.id, "t5"] = amended
            shelf.world.made_by[story.id, "t5"] = "other"

    shelf.world.interrupt = meddle
    await shelf.run_until(shelf.whole)
    assert shelf.world.entries[story.id, "t5"] == amended


async def test_a_process_that_was_followed_by_another_one_ends_it(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """Its embedder isn't the memory's any more."""
    shelf.put(10)
    shelf.world.taken_over = True
    await shelf.service.run()
    assert "isn't re-embedded any more" in caplog.text
    assert shelf.embedder.asked == []


async def test_a_fault_of_our_own_is_logged_and_tried_again(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing ends it for good."""
    shelf.put(10)
    failed = False

    def fail(call: str, when: When) -> None:
        nonlocal failed
        if call == "some_stale" and not failed:
            failed = True
            raise RuntimeError("a fault")

    shelf.world.interrupt = fail
    await shelf.run_until(shelf.whole)
    assert "met a fault" in caplog.text


async def test_stories_go_on_meanwhile(shelf: Shelf) -> None:
    """What is written while it works has its vector already, and isn't embedded again."""
    story = shelf.put(40, due=5.0)
    new = MemoryEntry("t41", 41, "main", "New.", Vector(b"\1" * 4 * DIMS), 0.0)
    written = False

    def write(call: str, when: When) -> None:
        nonlocal written
        if call == "renew_vectors" and when is When.AFTER and not written:
            written = True
            shelf.world.interrupt = lambda _call, _when: None
            asyncio.get_running_loop().create_task(
                FakeStoryStore(shelf.world).commit(Commit("new", story, entries=(new,)))
            )

    shelf.world.interrupt = write
    await shelf.run_until(shelf.whole)
    assert shelf.world.entries[StoryId(1, 1), "t41"] == new
    assert "New." not in shelf.embedded()
