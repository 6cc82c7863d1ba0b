"""A paragraph on stage: over as many messages as it needs, growing while it is written.

Members see whole sentences, or a placeholder where a text must be checked first; edits are paced so
that Discord's rate limits are never met. What is shown is always a function of the text so far, so
showing it again after a crash, into the messages that are there already, ends with the same words
in the same messages.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

from core.domain.identity import nonce
from core.domain.sentences import whole_sentences, whole_words
from core.domain.story import Draft, StoryId, Turn
from core.domain.text import split
from core.errors import MessageGoneError, StageError, StageUnavailableError, StoreUnavailableError
from core.ports import Clock, Content, MessageKind, Posted, Prose, Stage
from core.services.lease import finished

PIECE_UNITS = 1800
"""UTF-16 units of a piece: leaves room in a message of 2,000 for the heading and for escapes."""
PACE_S = 1.2
"""Seconds between two edits: Discord allows about five in five seconds per channel."""
PATIENCE_S = 0.6
"""How long the first words wait for the end of their sentence."""
TO_COME = "…"
"""What a message shows while the text that will stand in it is still being written."""
TYPING_S = 8.0
"""The typing sign lasts about ten seconds."""
_PASSING = (StageUnavailableError, StoreUnavailableError)
"""What doesn't end the writing: Discord is away, or Redis and with it the word that we may act."""
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


def laid_out(turn: Turn, title: str, *, dropped: bool = False) -> list[Prose]:
    """A told paragraph as it lies over its messages, in order."""
    parts = turn.parts or split(turn.paragraph, PIECE_UNITS)
    return [
        Prose(part) if index else Prose(part, title, turn.number, dropped)
        for index, part in enumerate(parts)
    ]


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
        self._in_doubt = False
        self._latest = ""
        self._hidden = False
        self._grown = asyncio.Event()

    @property
    def messages(self) -> tuple[int, ...]:
        """Ids of the messages, in order."""
        return tuple(self._messages)

    async def find(self) -> None:
        """See which messages of this draft are in the channel, whoever posted them."""
        own = await self._stage.own_messages(self._channel, self._draft.after)
        found = [posted.id for posted in own if posted.kind is MessageKind.PROSE]
        shown = dict(zip(self._messages, self._shown, strict=True))
        self._messages = found
        self._shown = [shown.get(id_) for id_ in found]
        self._in_doubt = False

    def feed(self, text: str) -> None:
        """Take the whole text so far; what is shown follows at its own pace."""
        self._latest = TO_COME if self._hidden else text
        self._grown.set()

    @asynccontextmanager
    async def growing(self, *, hidden: bool = False) -> AsyncGenerator[None]:
        """Show what is fed while the body runs.

        Args:
            hidden: show only that something is being written, and no word of it.

        A failure of Discord to show it doesn't end the writing: words that were paid for are
        committed first, and ``show`` meets the failure again.

        Raises:
            FencedError: the lease ran out meanwhile.
        """
        self._hidden = hidden
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
        await self._lay(parts)
        await self._drop_from(len(parts))

    async def _pace(self) -> None:
        """Show whole sentences as they come; the first words don't wait for long."""
        await self._grown.wait()
        if not whole_sentences(self._latest):
            await self._clock.sleep(PATIENCE_S)
        while True:
            self._grown.clear()
            text = whole_sentences(self._latest) or whole_words(self._latest)
            with suppress(*_PASSING):
                await self._grow(split(text, PIECE_UNITS))
            await self._clock.sleep(PACE_S)
            await self._grown.wait()

    async def _grow(self, parts: Sequence[str]) -> None:
        """Show the text so far.

        Where it began anew, the end of the old one must not stand behind it; the messages stay,
        since the text may come to need them.
        """
        for index in range(len(parts), len(self._messages)):
            await self._place(index, TO_COME)
        await self._lay(parts)

    async def _type(self) -> None:
        while self._hidden or not self._shown:
            with suppress(*_PASSING):
                await self._stage.signal(self._channel)
            await self._clock.sleep(TYPING_S)

    async def _lay(self, parts: Sequence[str]) -> None:
        """Make the first messages show these parts."""
        if self._in_doubt:
            await self.find()
        for index, part in enumerate(parts):
            await self._place(index, part)

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
                await self._drop_from(index)
        await finished(self._append(index, part))

    async def _append(self, index: int, part: str) -> None:
        name = f"{self._draft.turn_id}/{self._draft.attempt}/{index}"
        # A request that failed may have made its message all the same. Its nonce gives it back for
        # a few minutes; after that only the channel knows.
        self._in_doubt = True
        posted = await post(self._stage, self._channel, self._prose(index, part), name)
        if posted.id in self._messages:
            # One before it was deleted, so it had moved up to another part. Begin again from there.
            await self._drop_from(self._messages.index(posted.id))
            raise StageUnavailableError("A message in the middle of a paragraph was deleted.")
        self._in_doubt = False
        self._messages.append(posted.id)
        self._shown.append(part)

    async def _drop_from(self, index: int) -> None:
        """A message was deleted by somebody: what follows it must go too, or order would be lost.

        Args:
            index: of the first message to go; done for one that is gone already.
        """
        while len(self._messages) > index:
            await self._stage.delete(self._channel, self._messages[-1])
            self._messages.pop()
            self._shown.pop()

    def _prose(self, index: int, part: str) -> Prose:
        if index:
            return Prose(part)
        return Prose(part, self._title, self._draft.number)
