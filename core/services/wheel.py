"""The wheel: works on every story that is due, each under its own lease, and outlives every fault.

At most PARALLEL stories are worked on at once. What a worker does with a story is the turn
protocol's business (turns); what members and moderators ask is storyteller's, which takes a story
here by force.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from core.domain.lifecycle import AT_ONCE, WORKING, due_at_rest
from core.domain.story import PauseCause, Story, StoryId
from core.errors import (
    FencedError,
    NoStoryError,
    RecordError,
    StageUnavailableError,
    StoreError,
    StoreUnavailableError,
    TalewheelError,
)
from core.services.deadlines import Deadlines
from core.services.lease import Lease
from core.services.publishing import restage
from core.services.run import PATIENCE_S, Run, Stations
from core.services.turns import advance, pause
from core.services.work import Work, begin, on, working_on

log = logging.getLogger(__name__)

LEASE_S = 10.0
"""How long a story of a process that died waits for the next one."""
PARALLEL = 500
"""Stories worked on at once by one process. Nearly all of them wait for the model; only when so
many paragraphs are being written does a vote close late."""
LONGEST_LOOK_S = 1.0
"""The wheel looks for due stories at least this often."""
RETRY_WAITS_S = (2.0, 5.0, 15.0, 60.0, 300.0)
"""How long a story that failed is left alone by this process, by how often in a row it failed."""
LONGEST_STORE_WAIT_S = 15.0
"""The same while Redis is away: whoever reaches it first lets all the others go on as well."""
GIVE_UP_AFTER = 5
"""Unexpected faults after which a story is paused, with a sentence to its channel; outages between
them neither count nor clear them."""
REPAIR_LOOKS = 60
"""How often a story that somebody else works on is looked at before its stage is compared."""
UNREADABLE_WAIT_S = 6 * 3600.0
"""How long a story with a record that can't be read is left alone: reading it again mends nothing,
and whoever mends it starts the bot again."""
FAULTY = (
    "Something in the bot fails here again and again; whoever runs it finds the reason in its log. "
    "/story resume tries again."
)
UNREADABLE = (
    "The bot can't read what it has stored of this story; whoever runs it finds the reason in its "
    "log. /story resume tries again."
)
GRACE_S = 2.0
"""How long a stop waits for what is being sent, before it ends what is only being waited for."""
LAST_S = 2.0
"""How much longer it waits for what is being sent; what hangs even then ends with the process."""


class _Failures(NamedTuple):
    """How often in a row a story failed here, until when it is left alone, and by whose fault.

    The time is monotonic: a wall clock that is set back must not make it longer.
    """

    in_a_row: int = 0
    unexpected: int = 0
    until: float = 0.0
    by_store: bool = False


class Pulse(NamedTuple):
    """How the wheel turns.

    Attributes:
        turned_s: seconds since it last began to look for due stories, whether Redis answered or
            not; None before it first did.
        late_s: how long the story that waits longest was overdue at the last look that Redis
            answered, seconds. Stories that failed and are left alone for a while are among them.
        workers: stories being worked on.
    """

    turned_s: float | None
    late_s: float
    workers: int


class Wheel:
    """The workers of one process."""

    def __init__(
        self,
        stations: Stations,
        lease_s: float,
        on_rest: Callable[[Story], Awaitable[None]],
    ) -> None:
        """See the class.

        Args:
            stations: where the work is done.
            lease_s: how long a claim lasts unless it is renewed.
            on_rest: told of each story that a worker left at rest.
        """
        self._at = stations
        self._lease_s = lease_s
        self._on_rest = on_rest
        self._workers: dict[StoryId, asyncio.Task[None]] = {}
        self._failures: dict[StoryId, _Failures] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._leases: dict[StoryId, Lease] = {}
        self._look = asyncio.Event()
        self._closing = False
        self._stalled = False
        self._turned_at: float | None = None
        self._late_s = 0.0
        self._at_once_since: float | None = None
        self._deadlines = Deadlines(stations, lease_s, self.taken)

    async def run(self) -> None:
        """Turn the wheel until it is cancelled or closed: work on every story that is due."""
        while not self._closing:
            wait_s = LONGEST_LOOK_S
            self._look.clear()
            self._turned_at = self._at.clock.monotonic()
            try:
                if self._deadlines.were_moved():
                    self.later(self._mend())
                wait_s = await self._start_workers()
                if self._stalled:
                    log.warning("the wheel turns again")
                self._stalled = False
            except StoreUnavailableError as error:
                log.debug("the wheel looks again soon: %s", error)  # the store has said so
            except TalewheelError as error:
                if not self._stalled:
                    log.warning("the wheel stands still, and tries every second: %s", error)
                self._stalled = True
            await self._wait(wait_s)

    @property
    def pulse(self) -> Pulse:
        """How it turns at this moment."""
        turned_at = self._turned_at
        turned_s = None if turned_at is None else self._at.clock.monotonic() - turned_at
        return Pulse(turned_s, self._late_s, len(self._workers))

    async def aclose(self) -> None:
        """Start nothing new, let what is being sent finish, and hand the leases back."""
        self._closing = True
        self._look.set()
        for lease in self._leases.values():
            lease.stop()
        workers = list(self._workers.values())
        if workers:
            await asyncio.wait(workers, timeout=GRACE_S)
            for worker in workers:
                worker.cancel()
            # Not gathered: whoever gives up waiting must not be held up by a send that hangs.
            await asyncio.wait(workers, timeout=LAST_S)
        # Those of workers whose send hangs: nothing that they ask for from now on begins.
        left = [lease.hand_back() for lease in self._leases.values()]
        await asyncio.gather(*left, return_exceptions=True)
        # Last: a worker that comes to rest meanwhile may still leave an errand.
        errands = list(self._errands)
        for errand in errands:
            errand.cancel()
        await asyncio.gather(*errands, return_exceptions=True)

    def look(self) -> None:
        """Look for due stories now: something has just become due."""
        self._look.set()

    def later(self, errand: Coroutine[None, None, None]) -> None:
        """Run something small beside the workers; a stop ends it."""
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    @asynccontextmanager
    async def taken(self, story: StoryId) -> AsyncGenerator[Run]:
        """Take a story by force, from whoever works on it; afterwards let it go.

        Raises:
            FencedError: another process took it at the same moment.
        """
        await self._stop_worker(story)
        self._failures.pop(story, None)
        async with self._claimed(story, force=True) as run:
            yield run

    async def _start_workers(self) -> float:
        """Start a worker on each due story there is room for; gives seconds to the next look."""
        now, monotonic = self._at.clock.now(), self._at.clock.monotonic()
        passed_over = {
            story for story, failed in self._failures.items() if failed.until > monotonic
        }
        limit = PARALLEL + len(passed_over)
        for story in await self._at.schedule.due(now, limit):
            if self._closing or len(self._workers) >= PARALLEL:
                break
            if story not in self._workers and story not in passed_over:
                self._start_worker(story)
        coming = await self._at.schedule.next_due()
        self._late_s = self._lateness(coming, now)
        if coming is None or coming <= now:
            return LONGEST_LOOK_S
        return min(LONGEST_LOOK_S, coming - now)

    def _lateness(self, coming: float | None, now: float) -> float:
        """How long the story that is due first has been; one "at once" since that was first seen.

        Args:
            coming: its due time, None where no story has one.
            now: UTC seconds.
        """
        if coming != AT_ONCE:
            self._at_once_since = None
            return 0.0 if coming is None else max(0.0, now - coming)
        if self._at_once_since is None:
            self._at_once_since = self._at.clock.monotonic()
        return self._at.clock.monotonic() - self._at_once_since

    def _start_worker(self, story: StoryId) -> None:
        worker = asyncio.create_task(self._work(story))
        self._workers[story] = worker

        def ended(_: asyncio.Task[None]) -> None:
            # Here and not in the worker: one that is cancelled before its first step runs nothing.
            if self._workers.get(story) is worker:
                del self._workers[story]

        worker.add_done_callback(ended)

    async def _wait(self, longest_s: float) -> None:
        """Until there is reason to look for due stories, at most ``longest_s``."""
        waits = [
            asyncio.create_task(self._look.wait()),
            asyncio.create_task(self._at.clock.sleep(longest_s)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _work(self, story: StoryId) -> None:
        """One worker from claim to rest: the outermost handler of everything that can go wrong."""
        begin(Work(0, story.channel, str(story)))
        try:
            async with self._claimed(story, force=False) as run:
                await advance(run)
            self._failures.pop(story, None)
            self._look.set()
            await self._on_rest(run.story)
        except (FencedError, NoStoryError) as error:
            log.info("story %s: %s", story, error)
        except StoreUnavailableError as error:
            self._note_failure(story, by_store=True)
            log.debug("story %s waits: %s", story, error)  # the store has said so, once for all
        except StageUnavailableError as error:
            failed = self._note_failure(story)
            level = logging.WARNING if failed.in_a_row == 1 else logging.INFO
            log.log(level, "story %s waits: %s", story, error)
        except RecordError as error:
            if self._note_failure(story, wait_s=UNREADABLE_WAIT_S).in_a_row == 1:
                log.error("story %s is left alone: %s", story, error)  # noqa: TRY400 - says it all
            self.later(self._give_up(story, UNREADABLE))
        except Exception:
            failed = self._note_failure(story, unexpected=1)
            log.exception("story %s: unexpected fault no. %d", story, failed.unexpected)
            if failed.unexpected >= GIVE_UP_AFTER:
                self.later(self._give_up(story, FAULTY))

    async def _give_up(self, story: StoryId, sentence: str) -> None:
        """Pause a story that can't be carried on, so that it costs nothing and people know."""
        with suppress(TalewheelError):
            async with self._claimed(story, force=True) as run:
                await pause(run, PauseCause.FAULT, sentence)
            self._failures.pop(story, None)

    async def _repair(self, story: StoryId, since: int) -> None:
        """Compare stage and store, once the story rests in the hands of whoever took it over.

        This process acted on the stage, and by the time that was done its lease was over: it was
        stopped, or held up, in the middle. So what it showed may be older than what it covered.
        """
        log.warning("story %s was taken over in the middle of an act; the stage is compared", story)
        try:
            for _ in range(REPAIR_LOOKS):
                await self._at.clock.sleep(self._lease_s)
                with suppress(StoreUnavailableError, StageUnavailableError, FencedError):
                    state = await self._at.store.load(story)
                    if state.phase in WORKING or state.outbox:
                        continue
                    async with self.taken(story) as run:
                        await restage(run, since)
                    log.info("story %s is on stage as it is stored", story)
                    return
        except NoStoryError:
            log.info("story %s was deleted: there is nothing to compare", story)
        else:
            log.warning("story %s never rested, so it was not compared", story)

    async def _mend(self) -> None:
        with suppress(TalewheelError):
            await self._deadlines.mend()
        self._look.set()

    def _note_failure(
        self,
        story: StoryId,
        *,
        by_store: bool = False,
        unexpected: int = 0,
        wait_s: float | None = None,
    ) -> _Failures:
        """Count one more failure in a row, and leave the story alone for a while."""
        before = self._failures.get(story, _Failures())
        if wait_s is None:
            wait_s = RETRY_WAITS_S[min(before.in_a_row, len(RETRY_WAITS_S) - 1)]
        if by_store:
            wait_s = min(wait_s, LONGEST_STORE_WAIT_S)
        self._failures[story] = _Failures(
            before.in_a_row + 1,
            before.unexpected + unexpected,
            self._at.clock.monotonic() + wait_s,
            by_store,
        )
        return self._failures[story]

    def _store_works(self) -> None:
        """Stories that only waited for Redis wait no longer."""
        waited = [story for story, failed in self._failures.items() if failed.by_store]
        for story in waited:
            del self._failures[story]
        if waited:
            self._look.set()

    @asynccontextmanager
    async def _claimed(self, story: StoryId, *, force: bool) -> AsyncGenerator[Run]:
        """Claim a story and keep the lease; afterwards hand back what isn't at rest."""
        clock = self._at.clock
        asked_at, until = clock.monotonic(), clock.now() + self._lease_s
        claimed = await self._at.schedule.claim(story, clock.now(), until, force)
        self._store_works()
        lease = Lease(
            self._at.schedule, clock, story, claimed.epoch, self._lease_s, asked_at, until
        )
        self._leases[story] = lease
        # Whoever asked by a command is told at once that Redis is away; a worker can wait.
        run = Run(self._at, lease, claimed, patience_s=0.0 if force else PATIENCE_S)
        try:
            if not force:
                # A worker's task has but this one story: what it logs at its end is of it as well.
                begin(on(claimed))
            with working_on(on(claimed)):
                async with lease.held():
                    yield run
        except FencedError:
            if lease.overstepped:
                self.later(self._repair(story, run.story.head_number))
            raise
        finally:
            if self._leases.get(story) is lease:
                del self._leases[story]
            if run.story is claimed or due_at_rest(run.story) == AT_ONCE:
                # Others may have it, whatever their clocks say; should even this fail, the lease's
                # end does it.
                with suppress(StoreError):
                    await lease.hand_back()

    async def _stop_worker(self, story: StoryId) -> None:
        worker = self._workers.get(story)
        if worker:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
