"""A worker's right to act on a story: taken by a claim, kept by renewals, given up at the end.

Redis is the judge (every commit checks the epoch); the lease is the cheap check in front of what
Redis can't judge, the calls to Discord. It is measured on the monotonic clock, from before the
claim was asked for, so that a process that was stopped for a while, or whose wall clock jumped,
knows that its time is over. Then Redis is asked: whoever holds the newest epoch still may go on,
so an outage of Redis or a short stop costs nobody the paragraph that is being written.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

from core.domain.lifecycle import AT_ONCE
from core.domain.story import StoryId, Votes
from core.errors import (
    ChannelGoneError,
    FencedError,
    StageForbiddenError,
    StoreUnavailableError,
)
from core.ports import Announcement, Clock, Content, Posted, Schedule, Stage

T = TypeVar("T")

RENEWALS_PER_LEASE = 4
"""A lease survives two lost renewals: the third still comes before its end."""

acting_under: ContextVar["Lease | None"] = ContextVar("acting_under", default=None)
"""The lease under which the task of the moment acts on the stage. What sends a request asks it once
more at the last moment, since a request may wait for long behind the first check: for Discord's
rate limits, for a connection, or because the whole process was stopped."""


class Lease:
    """One story, held by one worker under one epoch.

    Attributes:
        until: end of the lease as the store knows it, UTC seconds.
        renewing: held while ``until`` is being written to the store, by renewals and by commits,
            so that none of them moves it back.
        stopped: whether no further act may begin.
        overstepped: whether an act on the stage ended after the lease: if somebody took the story
            over meanwhile, it may have come behind theirs.
    """

    def __init__(
        self,
        schedule: Schedule,
        clock: Clock,
        story: StoryId,
        epoch: int,
        length_s: float,
        asked_at: float,
        until: float,
    ) -> None:
        """See the class.

        Args:
            epoch: the epoch that the claim gave.
            length_s: seconds from a claim or renewal to the lease's end.
            asked_at: monotonic time just before the claim was sent.
            until: the end that the claim asked for.
        """
        self._schedule = schedule
        self._clock = clock
        self._story = story
        self._epoch = epoch
        self._length_s = length_s
        self._ends = asked_at + length_s
        self.stopped = False
        self.until = until
        self.renewing = asyncio.Lock()
        self.overstepped = False

    @property
    def over(self) -> bool:
        """Whether its time has passed, so that others may have taken the story."""
        return self._clock.monotonic() >= self._ends

    async def check(self) -> None:
        """Call before each act on the stage; a lease that is over is taken up again if it can be.

        Raises:
            FencedError: somebody else took the story over, or the lease was stopped.
            StoreUnavailableError: it is over, and Redis can't say whose the story is.
        """
        if self.stopped:
            raise FencedError(f"the work on story {self._story} was asked to stop")
        if self.over:
            async with self.renewing:
                if self.over:
                    await self._renew()
            if self.over:
                raise FencedError(f"the lease on story {self._story} runs out at once")

    @asynccontextmanager
    async def act(self) -> AsyncGenerator[None]:
        """Check, then do something on the stage in the body, and note if it came late."""
        await self.check()
        token = acting_under.set(self)
        try:
            yield
        finally:
            acting_under.reset(token)
            self.overstepped |= self.over

    def stop(self) -> None:
        """Let no further act begin; one that is under way may finish."""
        self.stopped = True

    async def hand_back(self) -> None:
        """Let others have the story now.

        Raises:
            FencedError: somebody has it already.
            StoreUnavailableError: nobody was told; the lease's end does it.
        """
        # At once, whatever clocks say: one that is set back must not strand it.
        await self._schedule.renew(self._story, self._epoch, AT_ONCE)

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Renew the lease while the body runs; a body whose lease is lost ends with FencedError."""
        body = asyncio.current_task()
        if body is None:
            raise RuntimeError("a lease is held by a task")
        lost: list[FencedError] = []
        ended = False

        async def renew() -> None:
            try:
                # Not for ever until it is cancelled: up to Python 3.11 asyncio.wait_for, in which
                # redis-py sends, can swallow that; the lease would be kept by nobody, for good.
                while not ended:
                    await self._clock.sleep(self._length_s / RENEWALS_PER_LEASE)
                    if self.stopped:
                        return
                    with suppress(StoreUnavailableError):
                        async with self.renewing:
                            await self._renew()
            except FencedError as error:
                lost.append(error)
                body.cancel()

        renewing = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if lost and body.uncancel() == 0:
                raise lost[0] from None
            raise
        finally:
            ended = True
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def _renew(self) -> None:
        asked_at, until = self._clock.monotonic(), self._clock.now() + self._length_s
        await self._schedule.renew(self._story, self._epoch, until)
        self._ends, self.until = asked_at + self._length_s, until


async def finished(doing: Coroutine[None, None, T]) -> T:
    """Await something that must not be left half done: cancellations, however many, wait for it.

    What was asked of Discord and cut short may still happen, behind the back of whoever takes over.
    """
    task = asyncio.create_task(doing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen: the cancellation is what its caller hears of
        raise


class LeasedStage:
    """A Stage that is spoken to only under the lease, and whose acts are never left half done.

    It is also the channel's breaker: once the channel refused, nothing more is asked of it, and
    every call is refused with the same error. Whoever takes the story next begins with a new one.
    Every call may raise what Lease.check raises.
    """

    def __init__(self, stage: Stage, lease: Lease) -> None:
        self._stage = stage
        self._lease = lease
        self._refusal: StageForbiddenError | ChannelGoneError | None = None

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
        """See Stage."""
        return await self._ask(
            lambda: finished(self._stage.send(channel, content, nonce, after)),
        )

    async def edit(self, channel: int, message: int, content: Content) -> None:
        """See Stage."""
        await self._ask(lambda: finished(self._stage.edit(channel, message, content)))

    async def delete(self, channel: int, message: int) -> None:
        """See Stage."""
        await self._ask(lambda: finished(self._stage.delete(channel, message)))

    async def own_messages(self, channel: int, after: int) -> list[Posted]:
        """See Stage."""
        return await self._ask(lambda: self._stage.own_messages(channel, after))

    async def votes(self, channel: int, message: int, options: int) -> Votes:
        """See Stage."""
        return await self._ask(lambda: self._stage.votes(channel, message, options))

    async def signal(self, channel: int, ballot: int | None = None, options: int = 0) -> None:
        """See Stage."""
        await self._ask(lambda: self._stage.signal(channel, ballot, options))

    async def last_word(self, channel: int, sentence: Announcement, nonce: str) -> None:
        """Send a sentence although the channel refused something else."""
        async with self._lease.act():
            await finished(self._stage.send(channel, sentence, nonce))

    async def _ask(self, act: Callable[[], Coroutine[None, None, T]]) -> T:
        async with self._lease.act():
            if self._refusal is not None:
                raise self._refusal
            try:
                return await act()
            except (StageForbiddenError, ChannelGoneError) as error:
                self._refusal = error
                raise
