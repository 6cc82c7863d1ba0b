"""A channel in memory, with Discord's promises: nonces, ids in order, reactions, deletions."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from core.domain.identity import DISCORD_EPOCH_S
from core.domain.story import Votes
from core.errors import (
    ChannelGoneError,
    MessageGoneError,
    StageError,
    StageForbiddenError,
    TalewheelError,
)
from core.ports import Announcement, Ballot, Clock, Content, MessageKind, Posted, Prose

NONCE_MEMORY_S = 300.0
"""Discord remembers a nonce for "the past few minutes"."""
NONCE_LIMIT = 25
"""Characters of a nonce that Discord takes."""

_KINDS = {
    Prose: MessageKind.PROSE,
    Ballot: MessageKind.BALLOT,
    Announcement: MessageKind.ANNOUNCEMENT,
}


@dataclass
class FakeMessage:
    """One of our messages; ``edits`` holds everything it ever showed."""

    id: int
    at: float
    content: Content
    nonce: str
    edits: list[Content] = field(default_factory=list[Content])
    offered: int = 0
    votes: dict[int, set[int]] = field(default_factory=lambda: defaultdict[int, set[int]](set))
    deleted: bool = False

    @property
    def kind(self) -> MessageKind:
        return _KINDS[type(self.content)]


class FakeStage:
    """Implements ports.Stage.

    Attributes:
        messages: per channel, in order; deleted ones stay, marked.
        fail: asked before each call with its name; what it returns is raised, after the call took
            effect where ``fail_after`` is set.
        calls: names of the calls made.
        sought: ids above which the channel's history was read.
        refused: how many calls were refused because of the channel, or found it deleted.
        send_s: how long a message takes to appear, and ``sending`` whether one is under way.
        forbidden: channels that we can't see any more, ``muted`` those where we may not write but
            may still read, edit, delete and react, ``closed`` those that were deleted.
        blind: channels whose history we may not read; everything else goes on there.
        bots: people whose reactions don't count.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._serial = 0
        self.messages: dict[int, list[FakeMessage]] = defaultdict(list)
        self.calls: list[str] = []
        self.sought: list[int] = []
        self.refused = 0
        self.send_s = 0.0
        self.sending = False
        self.forbidden: set[int] = set()
        self.muted: set[int] = set()
        self.closed: set[int] = set()
        self.blind: set[int] = set()
        self.bots: set[int] = set()
        self.fail: Callable[[str], TalewheelError | None] = lambda _name: None
        self.fail_after: Callable[[str], TalewheelError | None] = lambda _name: None

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
        """A request that was sent arrives, whether or not anybody still waits for its answer."""
        return await asyncio.shield(asyncio.create_task(self._send(channel, content, nonce, after)))

    async def _send(self, channel: int, content: Content, nonce: str, after: int | None) -> Posted:
        self._enter("send", channel)
        if after is not None:
            self.sought.append(after)
            self._check_may_read(channel)
        for message in self.shown(channel):
            if after is not None and message.id > after and message.content == content:
                return self._leave("send", message)
        self._check_may_write(channel)
        if len(nonce) > NONCE_LIMIT:
            raise StageError(f"a nonce of {len(nonce)} characters")
        for message in self.messages[channel]:
            fresh = self._clock.now() - message.at < NONCE_MEMORY_S
            if message.nonce == nonce and fresh:
                if message.deleted:
                    raise MessageGoneError("the message with this nonce was deleted")
                self._show(message, content)
                return self._leave("send", message)
        self.sending = True
        if self.send_s:
            await self._clock.sleep(self.send_s)
        self.sending = False
        message = FakeMessage(self.snowflake(), self._clock.now(), content, nonce)
        self.messages[channel].append(message)
        return self._leave("send", message)

    async def edit(self, channel: int, message: int, content: Content) -> None:
        self._enter("edit", channel)
        self._show(self.find(channel, message), content)
        self._leave("edit", None)

    async def delete(self, channel: int, message: int) -> None:
        with suppress(ChannelGoneError):
            self._enter("delete", channel)
        for known in self.messages[channel]:
            if known.id == message:
                known.deleted = True
        self._leave("delete", None)

    async def own_messages(self, channel: int, after: int) -> list[Posted]:
        self._enter("own_messages", channel)
        self.sought.append(after)
        self._check_may_read(channel)
        return [_posted(m) for m in self.messages[channel] if m.id > after and not m.deleted]

    async def votes(self, channel: int, message: int, options: int) -> Votes:
        self._enter("votes", channel)
        self._check_may_read(channel)
        ballot = self.find(channel, message)
        return {
            option: frozenset(ballot.votes[option] - self.bots)
            for option in range(options)
            # Discord doesn't name an emoji that nobody reacted with, not even we.
            if ballot.votes[option] or option < ballot.offered
        }

    async def signal(self, channel: int, ballot: int | None = None, options: int = 0) -> None:
        self._enter("signal" if ballot else "typing", channel)
        if ballot:
            self._check_may_read(channel)
            message = self.find(channel, ballot)
            message.offered = max(message.offered, options)
        else:
            self._check_may_write(channel)
        self._leave("signal" if ballot else "typing", None)

    # ── what the test does and sees ──────────────────────────────────────────────────────────────

    def snowflake(self) -> int:
        """An id newer than all before."""
        self._serial += 1
        since_epoch_ms = int((self._clock.now() - DISCORD_EPOCH_S) * 1000)
        return (since_epoch_ms << 22) + self._serial

    def shown(self, channel: int, kind: MessageKind | None = None) -> list[FakeMessage]:
        """What members see, oldest first."""
        return [
            message
            for message in self.messages[channel]
            if not message.deleted and kind in (None, message.kind)
        ]

    def story(self, channel: int) -> list[str]:
        """The pieces of all paragraphs, in order."""
        contents = (message.content for message in self.shown(channel, MessageKind.PROSE))
        return [content.text for content in contents if isinstance(content, Prose)]

    def ballots(self, channel: int) -> list[Ballot]:
        """Every ballot on stage as it shows now."""
        contents = (message.content for message in self.shown(channel, MessageKind.BALLOT))
        return [content for content in contents if isinstance(content, Ballot)]

    def said(self, channel: int) -> list[str]:
        """Every announcement on stage."""
        contents = (message.content for message in self.shown(channel, MessageKind.ANNOUNCEMENT))
        return [content.text for content in contents if isinstance(content, Announcement)]

    def vote(self, channel: int, member: int, option: int) -> int:
        """A member reacts to the newest ballot; gives its message id."""
        ballot = self.shown(channel, MessageKind.BALLOT)[-1]
        ballot.votes[option].add(member)
        return ballot.id

    def find(self, channel: int, message: int) -> FakeMessage:
        """A message that is there. Raises MessageGoneError."""
        for known in self.messages[channel]:
            if known.id == message and not known.deleted:
                return known
        raise MessageGoneError("That message was deleted.")

    def _show(self, message: FakeMessage, content: Content) -> None:
        if isinstance(message.content, Ballot) != isinstance(content, Ballot):
            raise StageError("a ballot stays one, and nothing else becomes one")
        if message.content != content:
            message.edits.append(message.content)
            message.content = content

    def _enter(self, name: str, channel: int) -> None:
        self.calls.append(name)
        if channel in self.closed:
            self.refused += 1
            raise ChannelGoneError("That channel was deleted.")
        if channel in self.forbidden:
            self.refused += 1
            raise StageForbiddenError("The bot lacks View Channel here, and Send Messages with it.")
        if error := self.fail(name):
            raise error

    def _check_may_write(self, channel: int) -> None:
        if channel in self.muted:
            self.refused += 1
            raise StageForbiddenError("The bot may not write here: it lacks Send Messages.")

    def _check_may_read(self, channel: int) -> None:
        if channel in self.blind:
            self.refused += 1
            raise StageForbiddenError("The bot lacks Read Message History.", speechless=False)

    def _leave(self, name: str, message: FakeMessage | None) -> Posted:
        if error := self.fail_after(name):
            raise error
        return _posted(message) if message else Posted(0, 0.0, MessageKind.PROSE)


def _posted(message: FakeMessage) -> Posted:
    return Posted(message.id, message.at, message.kind)
