"""One worker on one claimed story: the state as last committed, and the way to commit the next.

The steps of the turn protocol (writing, reflecting, publishing, voting) are functions of a Run.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import uuid4

from core.domain import moves
from core.domain.audit import Change
from core.domain.identity import nonce
from core.domain.lifecycle import AT_ONCE, due_at_rest
from core.domain.story import Draft, Effect, Story, Turn
from core.errors import FencedError, StageError, StoreUnavailableError
from core.ports import (
    Announcement,
    Clock,
    Commit,
    Departures,
    Embedder,
    MemoryEntry,
    MemorySearch,
    Narrator,
    Schedule,
    Stage,
    StoryStore,
)
from core.services.alerts import Alerts
from core.services.lease import Lease, LeasedStage
from core.services.milestones import Unwatched, Witness, note_change
from core.services.pieces import Pieces
from core.services.screening import Screening
from core.services.work import begin, on

PATIENCE_S = 900.0
"""How long a commit is tried while Redis is away: what it holds was paid for and may be read
already. Nobody can take the story over without Redis; whoever does later fences this commit."""
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Stations:
    """Everything the ring of a story needs: one port per station, and who may read what.

    Attributes:
        witness: told of the milestones in the stories' lives.
        alerts: knows what stories must tell their channels of their budgets.
    """

    store: StoryStore
    schedule: Schedule
    search: MemorySearch
    narrator: Narrator
    embedder: Embedder
    stage: Stage
    clock: Clock
    screening: Screening
    departures: Departures
    witness: Witness = field(default_factory=Unwatched)
    alerts: Alerts = field(default_factory=Alerts)


class Run:
    """A claimed story on its way.

    Attributes:
        at: the stations; its stage is spoken to only while the lease runs.
        lease: the right to act.
        story: the state as last committed, less what the channel has got since (see ``settled``).
        began_at: when this process took the story up (monotonic).
    """

    def __init__(
        self, stations: Stations, lease: Lease, story: Story, patience_s: float = PATIENCE_S
    ) -> None:
        """See the class.

        Args:
            stations: where the work is done.
            lease: of the claim.
            story: as the claim gave it.
            patience_s: how long a commit is tried while Redis is away.
        """
        self._stage = LeasedStage(stations.stage, lease)
        self.at = replace(stations, stage=self._stage)
        self.lease = lease
        self.story = story
        self.began_at = stations.clock.monotonic()
        self._patience_s = patience_s
        self._written: Turn | None = None
        self._pieces: tuple[tuple[str, int, int], Pieces] | None = None

    @property
    def channel(self) -> int:
        """The channel's id."""
        return self.story.id.channel

    @property
    def draft(self) -> Draft:
        """The turn being made; asking for it in a phase without one is a fault of the caller."""
        if self.story.draft is None:
            raise ValueError(f"story {self.story.id} is {self.story.phase} and has no draft")
        return self.story.draft

    async def commit(
        self,
        story: Story,
        *,
        writes: frozenset[str] = frozenset(),
        expects: Mapping[str, int] | None = None,
        turn: Turn | None = None,
        entries: tuple[MemoryEntry, ...] = (),
        forgets: tuple[str, ...] = (),
        change: Change | None = None,
    ) -> None:
        """Make ``story`` the stored state; see core.ports.Commit.

        While work is left, its due time is the lease's end, so that another worker takes over when
        this one dies; at rest it is the time at which the story itself wants something.
        """
        async with self.lease.renewing:
            due = due_at_rest(story)
            story = replace(story, due=self.lease.until if due == AT_ONCE else due)
            await self._until_stored(
                Commit(uuid4().hex, story, writes, expects or {}, turn, entries, forgets, change)
            )
        before, self.story = self.story, story
        begin(on(story))
        note_change(self.at.witness, before, story)
        self._written = turn or self._written

    async def call(self) -> None:
        """Count a call to a model before it is made; see moves.called.

        Raises:
            AllowanceSpentError: the turn may make no more of them.
        """
        await self.commit(moves.called(self.story))

    def not_called(self) -> None:
        """Note that the call counted last didn't go out; the next commit says so."""
        self.story = moves.not_called(self.story)

    async def _until_stored(self, change: Commit) -> None:
        """Commit, again and again while Redis is away: as one operation it is applied once."""
        give_up = self.at.clock.monotonic() + self._patience_s
        while True:
            try:
                return await self.at.store.commit(change)
            except StoreUnavailableError:
                if self.lease.stopped or self.at.clock.monotonic() >= give_up:
                    raise
            await self.at.clock.sleep(PAUSE_S)

    async def last_word(self, sentence: str, name: str) -> None:
        """Say one sentence to a channel that has refused something else; it may not come.

        Args:
            name: what makes this sentence the one it is; part of its nonce.

        Raises:
            FencedError: the lease ran out.
        """
        with suppress(StageError):
            await self._stage.last_word(self.channel, Announcement(sentence), nonce(name))

    def settled(self, effect: Effect, message: int | None = None) -> None:
        """Note that the channel got what it was owed; the next commit says so."""
        self.story = moves.settled(self.story, effect, message)

    def withdrawn(self) -> None:
        """Note that what was half written is gone from the channel; the next commit says so."""
        self.story = moves.withdrawn(self.story)

    async def reload(self) -> None:
        """Read the state again, after somebody edited what this worker holds.

        Raises:
            FencedError: somebody else took the story over meanwhile; what was read is theirs.
        """
        story = await self.at.store.load(self.story.id)
        if story.epoch != self.story.epoch:
            raise FencedError(f"Story {story.id} was taken over: its epoch is {story.epoch}.")
        self.story, self._written = story, None

    async def turn(self, turn_id: str) -> Turn:
        """A turn's record; the one that this worker wrote last isn't read again."""
        if self._written is not None and self._written.id == turn_id:
            return self._written
        return await self.at.store.turn(self.story.id, turn_id)

    async def head(self) -> Turn | None:
        """The newest turn that is part of the story; None before the first."""
        return await self.turn(self.story.head) if self.story.head else None

    async def newest(self, count: int) -> list[Turn]:
        """The newest turns that are part of the story, newest first; fewer where it has fewer."""
        found: list[Turn] = []
        turn = await self.head()
        while turn is not None and len(found) < count:
            found.append(turn)
            turn = await self.turn(turn.parent) if turn.parent else None
        return found

    async def drafted(self) -> Turn:
        """The record of the turn being made."""
        return await self.turn(self.draft.turn_id)

    async def pieces(self) -> Pieces:
        """The draft's messages, those included that an earlier worker posted."""
        draft = self.draft
        writing = (draft.turn_id, draft.attempt, draft.after)
        if self._pieces is None or self._pieces[0] != writing:
            self._pieces = (writing, await self.pieces_of(draft))
        return self._pieces[1]

    async def pieces_of(self, draft: Draft) -> Pieces:
        """A draft's messages, sought afresh."""
        found = Pieces(self.at.stage, self.at.clock, self.story.id, draft, self.story.brief.title)
        await found.find()
        return found
