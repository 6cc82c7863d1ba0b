"""A paragraph on stage: over as many messages as it needs, growing while it is written.

Members see whole sentences; edits are paced so that Discord's rate limits are never met. What is
shown is always a function of the text so far, so showing it again after a crash, into the messages
that are there already, ends with the same words in the same messages.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from core.domain.identity import nonce
from core.domain.sentences import whole_sentences, whole_words
from core.domain.story import Draft, StoryId
from core.domain.text import split
from core.errors import MessageGoneError, StageError, StageUnavailableError
from core.ports import Clock, Content, MessageKind, Posted, Prose, Stage
from core.services.lease import finished

PIECE_UNITS = 1800
"""UTF-16 units of a piece: leaves room in a message of 2,000 for the heading and for escapes."""
PACE_S = 1.2
"""Seconds between two edits: Discord allows about five in five seconds per channel."""
PATIENCE_S = 0.6
"""How long the first words wait for the end of their sentence."""
TYPING_S = 8.0
"""The typing sign lasts about ten seconds."""
REPLACEMENTS = 3
"""How often a message that somebody deleted at once is posted again."""


async def post(
    stage: Stage, channel: int, content: Content, name: str, after: int | None = None
) -> Posted:
    """Post a message once, whatever was known of an earlier try.

    A nonce whose message was deleted is refused by Discord, so a few more names are at hand.

    Args:
        name: what makes this message the one it is; part of its nonce.
        after: see Stage.send.

    Raises:
        MessageGoneError: each of its names was used and deleted, or the channel is gone.
        StageError: as the stage raises it.
    """
    for replacement in range(REPLACEMENTS):
        with suppress(MessageGoneError):
            return await stage.send(channel, content, nonce(name, replacement), after)
    return await stage.send(channel, content, nonce(name, REPLACEMENTS), after)


class Pieces:
    """The messages that carry the paragraph of one draft."""

    def __init__(
        self, stage: Stage, clock: Clock, story: StoryId, draft: Draft, title: str
    ) -> None:
        self._stage = stage
        self._clock = clock
        self._channel = story.channel
        self._draft = draft
        self._title = title
        self._messages: list[int] = []
        self._shown: list[str | None] = []
        self._latest = ""
        self._grown = asyncio.Event()

    @property
    def messages(self) -> tuple[int, ...]:
        """Ids of the messages, in order."""
        return tuple(self._messages)

    async def find(self) -> None:
        """Find the messages that an earlier worker posted for this draft."""
        own = await self._stage.own_messages(self._channel, self._draft.after)
        self._messages = [posted.id for posted in own if posted.kind is MessageKind.PROSE]
        self._shown = [None] * len(self._messages)

    async def find_missing(self) -> None:
        """Notice what somebody deleted since it was shown: ``show`` then posts it again."""
        own = await self._stage.own_messages(self._channel, self._draft.after)
        there = {posted.id for posted in own}
        for index, message in enumerate(self._messages):
            if message not in there:
                await self._drop_from(index)
                return

    def feed(self, text: str) -> None:
        """Take the whole text so far; what is shown follows at its own pace."""
        self._latest = text
        self._grown.set()

    @asynccontextmanager
    async def growing(self) -> AsyncGenerator[None]:
        """Show what is fed while the body runs.

        A failure of Discord to show it doesn't end the writing: words that were paid for are
        committed first, and ``show`` meets the failure again.

        Raises:
            FencedError: the lease ran out meanwhile.
        """
        tasks = [asyncio.create_task(self._pace()), asyncio.create_task(self._type())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, StageError):
                raise end

    async def show(self, text: str) -> None:
        """Show the finished text, whole, and delete messages that are left over.

        Raises:
            StageError: as the stage raises it; showing it again is always right.
        """
        parts = split(text, PIECE_UNITS)
        for index, part in enumerate(parts):
            await self._place(index, part)
        while len(self._messages) > len(parts):
            await self._stage.delete(self._channel, self._messages[-1])
            self._messages.pop()
            self._shown.pop()

    async def _pace(self) -> None:
        """Show whole sentences as they come; the first words don't wait for long."""
        await self._grown.wait()
        if not whole_sentences(self._latest):
            await self._clock.sleep(PATIENCE_S)
        while True:
            self._grown.clear()
            text = whole_sentences(self._latest) or whole_words(self._latest)
            with suppress(StageUnavailableError):
                for index, part in enumerate(split(text, PIECE_UNITS)):
                    await self._place(index, part)
            await self._clock.sleep(PACE_S)
            await self._grown.wait()

    async def _type(self) -> None:
        while not self._shown:
            with suppress(StageUnavailableError):
                await self._stage.signal(self._channel)
            await self._clock.sleep(TYPING_S)

    async def _place(self, index: int, part: str) -> None:
        """Make piece ``index`` show ``part``, posting it if it isn't there (any more)."""
        if index < len(self._messages):
            if self._shown[index] == part:
                return
            try:
                shown = self._prose(index, part)
                await self._stage.edit(self._channel, self._messages[index], shown)
                self._shown[index] = part
                return
            except MessageGoneError:
                # Deleted by somebody: what follows it must go too, or the order would be lost.
                await self._drop_from(index)
        await finished(self._append(index, part))

    async def _append(self, index: int, part: str) -> None:
        name = f"{self._draft.turn_id}/{self._draft.attempt}/{index}"
        posted = await post(self._stage, self._channel, self._prose(index, part), name)
        self._messages.append(posted.id)
        self._shown.append(part)

    async def _drop_from(self, index: int) -> None:
        for message in self._messages[index + 1 :]:
            await self._stage.delete(self._channel, message)
        del self._messages[index:], self._shown[index:]

    def _prose(self, index: int, part: str) -> Prose:
        if index:
            return Prose(part)
        return Prose(part, self._title, self._draft.number)
