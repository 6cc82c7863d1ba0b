"""The wheel of all stories: who asks for what, who works on what, and when.

A request is checked against the table of phases, takes the story by force (its epoch rises, a
worker that is at it is stopped), commits, and lets go. The wheel picks up whatever is due, at most
PARALLEL stories at once, each worker under its own lease. What a worker does is the turn protocol's
business (turns).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4
from weakref import WeakValueDictionary

from core.domain import moves
from core.domain.ballot import count
from core.domain.identity import nonce
from core.domain.lifecycle import AT_ONCE, Event, describe, due_at_rest, next_phase
from core.domain.story import (
    Brief,
    Notice,
    Outcome,
    PauseCause,
    Phase,
    Settings,
    Story,
    StoryId,
    Tally,
    Turn,
)
from core.errors import (
    FencedError,
    NoStoryError,
    PhaseError,
    RefusedError,
    StageUnavailableError,
    StoreError,
    StoreUnavailableError,
    TalewheelError,
)
from core.services.lease import Lease
from core.services.run import Run, Stations
from core.services.turns import advance, pause
from core.services.voting import count_now

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
GIVE_UP_AFTER = 5
"""Unexpected faults in a row after which a story is paused, with a sentence to its channel."""
SLOWLY_S = 1.0
"""Pause between two sleeping ballots that are looked at after a start: a trickle of requests."""
PAGE = 100
GRACE_S = 2.0
"""How long a stop waits for what is being sent, before it ends what is only being waited for."""


@dataclass(frozen=True, slots=True)
class Status:
    """A story and its newest turn that is part of it (None before the first was reflected)."""

    story: Story
    turn: Turn | None


class _Failures(NamedTuple):
    """How often in a row a story failed here, and until when it is left alone (UTC)."""

    in_a_row: int
    until: float


class Storyteller:
    """Everything that can be asked of this process's stories, and the wheel that turns them."""

    def __init__(self, stations: Stations, *, lease_s: float = LEASE_S) -> None:
        self._at = stations
        self._lease_s = lease_s
        self._workers: dict[StoryId, asyncio.Task[None]] = {}
        self._failures: dict[StoryId, _Failures] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._leases: dict[StoryId, Lease] = {}
        self._requests: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._asleep: dict[int, int] = {}
        self._look = asyncio.Event()
        self._closing = False
        self._stalled = False

    # ── requests ─────────────────────────────────────────────────────────────────────────────────

    async def start(
        self, channel: int, guild: int, brief: Brief, settings: Settings, after: int
    ) -> Story:
        """Begin a story.

        Args:
            brief: what was asked; its title and outline are empty.
            after: id of the request (a snowflake): every message of the story is newer.

        Raises:
            PhaseError: a story runs here; nothing was changed.
        """
        current = await self._at.store.current(channel)
        if current and current.phase is not Phase.ENDED:
            raise PhaseError(
                f"A story runs in this channel already: {describe(current.phase)}. "
                "/story status shows it, /story end ends it."
            )
        said = self._at.narrator.notice
        story = moves.begun(
            StoryId(channel, current.id.serial + 1 if current else 1),
            guild,
            brief,
            settings,
            now=self._at.clock.now(),
            turn_id=uuid4().hex,
            after=after,
            notice=Notice(nonce(uuid4().hex), said, after) if said else None,
        )
        if not await self._at.store.create(story, uuid4().hex):
            raise PhaseError("Somebody else began a story here at the same moment.")
        self._look.set()
        return story

    async def status(self, channel: int) -> Status:
        """Where the channel's story stands. Raises NoStoryError."""
        story = await self._story(channel)
        turn = await self._at.store.turn(story.id, story.head) if story.head else None
        return Status(story, turn)

    async def close(self, channel: int) -> Tally:
        """Count the running vote now; one vote is enough for a result.

        Raises:
            PhaseError: no vote is running.
            RefusedError: nobody has voted.
        """
        async with self._taking(channel, Event.WON) as run:
            return await count_now(run)

    async def pause(self, channel: int, by: str) -> Story:
        """Stop the story where it stands; ``by`` is the display name of who asks."""
        async with self._taking(channel, Event.PAUSED) as run:
            await run.commit(
                moves.paused(
                    run.story,
                    PauseCause.MODERATOR,
                    f"{by} paused the story. /story resume goes on.",
                    now=self._at.clock.now(),
                    notice_nonce=nonce(uuid4().hex),
                )
            )
            return run.story

    async def resume(self, channel: int) -> Story:
        """Go on with a paused story, or wake a sleeping one."""
        story = await self._story(channel)
        if story.phase is Phase.ASLEEP:
            return await self._wake(channel)
        async with self._taking(channel, Event.RESUMED) as run:
            await run.commit(moves.resumed(run.story, self._at.clock.now()))
            if run.story.phase is Phase.ASLEEP:
                await run.commit(moves.woken(run.story, self._at.clock.now()))
            return run.story

    async def end(self, channel: int, by: str) -> Story:
        """End the story for good; it stays readable, and another can begin."""
        async with self._taking(channel, Event.ENDED) as run:
            turns = run.story.head_number
            sentence = (
                f"{by} ended the story after {turns} turn{'' if turns == 1 else 's'}. "
                "/story start begins another."
            )
            now, named = self._at.clock.now(), nonce(uuid4().hex)
            await run.commit(moves.ended(run.story, sentence, now=now, notice_nonce=named))
            return run.story

    async def reacted(self, channel: int, message: int) -> None:
        """A member reacted to a message; if it is a sleeping story's ballot, the story wakes."""
        if self._asleep.get(channel) == message:
            with suppress(RefusedError):
                await self._wake(channel)

    # ── the wheel ────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Turn the wheel until it is cancelled or closed: work on every story that is due."""
        while not self._closing:
            wait_s = LONGEST_LOOK_S
            self._look.clear()
            try:
                wait_s = await self._start_workers()
                if self._stalled:
                    log.warning("the wheel turns again")
                self._stalled = False
            except TalewheelError as error:
                if not self._stalled:
                    log.warning("the wheel stands still, and tries every second: %s", error)
                self._stalled = True
            await self._wait(wait_s)

    async def reconcile(self) -> None:
        """Learn which ballots are asleep, then wake those that were voted on meanwhile; slowly.

        A story that can't be looked at is left out, with a line in the log.

        Raises:
            StoreUnavailableError: Redis is away; call it again.
        """
        sleepers = [sleeper async for sleeper in self._sleepers()]
        for story in sleepers:
            await self._at.clock.sleep(SLOWLY_S)
            await self._look_at_sleeper(story)

    async def _sleepers(self) -> AsyncGenerator[StoryId]:
        """All sleeping stories; from now on a vote on their ballots is noticed."""
        after: StoryId | None = None
        while page := await self._at.schedule.in_phase(Phase.ASLEEP, after, PAGE):
            for story in page:
                try:
                    await self._note_ballot(await self._at.store.load(story))
                except StoreUnavailableError:
                    raise
                except TalewheelError as error:
                    log.warning("sleeping story %s is left out: %s", story, error)
                else:
                    yield story
            after = page[-1]

    async def aclose(self) -> None:
        """Take nothing new, let what is being sent finish, and hand the leases back."""
        self._closing = True
        self._look.set()
        for lease in self._leases.values():
            lease.stop()
        for errand in self._errands:
            errand.cancel()
        workers = list(self._workers.values())
        if workers:
            await asyncio.wait(workers, timeout=GRACE_S)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _start_workers(self) -> float:
        """Start a worker on each due story there is room for; gives seconds to the next look."""
        now = self._at.clock.now()
        passed_over = {story for story, failed in self._failures.items() if failed.until > now}
        limit = PARALLEL + len(passed_over)
        for story in await self._at.schedule.due(now, limit):
            if self._closing or len(self._workers) >= PARALLEL:
                break
            if story not in self._workers and story not in passed_over:
                self._start_worker(story)
        coming = await self._at.schedule.next_due()
        if coming is None or coming <= now:
            return LONGEST_LOOK_S
        return min(LONGEST_LOOK_S, coming - now)

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
        try:
            async with self._claimed(story, force=False) as run:
                await advance(run)
                await self._note_ballot(run.story)
            self._failures.pop(story, None)
            self._look.set()
            if run.story.phase is Phase.ASLEEP:
                # A vote that came between the count and now was noticed by nobody.
                self._later(self._look_at_sleeper(story))
        except FencedError as error:
            log.info("story %s: %s", story, error)
        except (StoreUnavailableError, StageUnavailableError) as error:
            failed = self._note_failure(story)
            level = logging.WARNING if failed.in_a_row == 1 else logging.INFO
            log.log(level, "story %s waits: %s", story, error)
        except Exception:
            failed = self._note_failure(story)
            log.exception("story %s: unexpected fault no. %d in a row", story, failed.in_a_row)
            if failed.in_a_row >= GIVE_UP_AFTER:
                self._later(self._give_up(story))

    async def _give_up(self, story: StoryId) -> None:
        """Pause a story that fails again and again, so that it costs nothing and people know."""
        with suppress(TalewheelError):
            async with self._claimed(story, force=True) as run:
                await pause(
                    run,
                    PauseCause.FAULT,
                    "Something in the bot fails here again and again; whoever runs it finds the "
                    "reason in its log. /story resume tries again.",
                )
            self._failures.pop(story, None)

    def _note_failure(self, story: StoryId) -> "_Failures":
        """Count one more failure in a row, and leave the story alone for a while."""
        before = self._failures[story].in_a_row if story in self._failures else 0
        wait_s = RETRY_WAITS_S[min(before, len(RETRY_WAITS_S) - 1)]
        self._failures[story] = _Failures(before + 1, self._at.clock.now() + wait_s)
        return self._failures[story]

    def _later(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # ── holding a story ──────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _taking(self, channel: int, event: Event) -> AsyncGenerator[Run]:
        """Take the channel's story for a request, if the table allows the event; then let it go.

        Raises:
            NoStoryError, PhaseError: refused; nothing was disturbed.
            RefusedError: another process changed the story at the same moment.
        """
        lock = self._requests.setdefault(channel, asyncio.Lock())
        async with lock:
            story = await self._story(channel)
            _check(story, event)
            await self._stop_worker(story.id)
            try:
                async with self._claimed(story.id, force=True) as run:
                    _check(run.story, event)
                    yield run
                    await self._note_ballot(run.story)
            except FencedError:
                raise RefusedError(
                    "The story changed at the same moment; nothing was done. Try again."
                ) from None
        self._look.set()

    @asynccontextmanager
    async def _claimed(self, story: StoryId, *, force: bool) -> AsyncGenerator[Run]:
        """Claim a story and keep the lease; afterwards hand back what isn't at rest."""
        clock = self._at.clock
        asked_at, until = clock.monotonic(), clock.now() + self._lease_s
        claimed = await self._at.schedule.claim(story, clock.now(), until, force)
        lease = Lease(
            self._at.schedule, clock, story, claimed.epoch, self._lease_s, asked_at, until
        )
        self._leases[story] = lease
        run = Run(self._at, lease, claimed)
        try:
            async with lease.held():
                yield run
        finally:
            if self._leases.get(story) is lease:
                del self._leases[story]
            if run.story is claimed or due_at_rest(run.story) == AT_ONCE:
                # Others may have it; should even this fail, the lease's end does it.
                with suppress(StoreError):
                    await self._at.schedule.renew(story, claimed.epoch, clock.now())

    async def _stop_worker(self, story: StoryId) -> None:
        worker = self._workers.get(story)
        if worker:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    # ── sleepers ─────────────────────────────────────────────────────────────────────────────────

    async def _wake(self, channel: int) -> Story:
        async with self._taking(channel, Event.WOKEN) as run:
            await run.commit(moves.woken(run.story, self._at.clock.now()))
            return run.story

    async def _note_ballot(self, story: Story) -> None:
        """Remember the ballot of a story that sleeps, so that a vote on it is noticed."""
        asleep = story.phase is Phase.ASLEEP and story.head is not None
        turn = await self._at.store.turn(story.id, story.head) if asleep and story.head else None
        if turn and turn.ballot:
            self._asleep[story.id.channel] = turn.ballot
        else:
            self._asleep.pop(story.id.channel, None)

    async def _look_at_sleeper(self, story_id: StoryId) -> None:
        """Wake a story whose sleeping ballot would be decided by the votes it has by now."""
        try:
            if await self._is_decided(story_id):
                await self._wake(story_id.channel)
        except RefusedError:
            pass  # It woke, or ended, by itself.
        except TalewheelError as error:
            log.warning("sleeping story %s could not be looked at: %s", story_id, error)

    async def _is_decided(self, story_id: StoryId) -> bool:
        story = await self._at.store.load(story_id)
        if story.phase is not Phase.ASLEEP or story.head is None:
            return False
        turn = await self._at.store.turn(story_id, story.head)
        if turn.ballot is None:
            return False
        options, rules = len(story.plans.options), story.settings
        votes = await self._at.stage.votes(story_id.channel, turn.ballot, options)
        tally = count(votes, options, rules.rule, rules.quorum, turn.ballot)
        return tally.outcome is Outcome.WON

    async def _story(self, channel: int) -> Story:
        story = await self._at.store.current(channel)
        if story is None:
            raise NoStoryError("There is no story in this channel yet: /story start begins one.")
        return story


def _check(story: Story, event: Event) -> None:
    """Raises PhaseError unless the table lists the event for the story as it stands."""
    next_phase(story.phase, event, story.pause.kept if story.pause else None)
