"""The doors of the core: what the services need from the world, as small Protocols.

Each is implemented by an adapter (core/adapters, bot/stage.py) and by a fake (tests/fakes); both
pass the same contract suite (tests/contracts). Frozen values of core/domain travel through them;
every error that comes out is one of core/errors.py. All times are UTC seconds unless ``_s`` says
that it is a length.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from core.domain.audit import Change, Logged
from core.domain.book import Book
from core.domain.content import FOR_EVERYONE, Bounds, Verdict
from core.domain.departures import Place
from core.domain.entries import EntryKind, Recalled, entry_id
from core.domain.recurrence import StepContext
from core.domain.spending import Account, Budgets, Reservation, Ruling, Spent, Standing
from core.domain.story import (
    Brief,
    Lineage,
    Opening,
    Phase,
    Plan,
    Reflection,
    Settings,
    Story,
    StoryId,
    Tally,
    Turn,
    Usage,
    Vector,
    Votes,
)


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> float:
        """UTC seconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Let ``delay_s`` seconds pass."""
        ...


# ── the model ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Written:
    """A finished paragraph and what it cost."""

    text: str
    usage: Usage


class Meter(Protocol):
    """Stands before every single request to a model: sets aside what it may cost, then counts it.

    Who pays is what the running task works on (core.services.work).
    """

    async def admit(self, model: str, tokens: int) -> Reservation:
        """Set aside what a request is expected to cost.

        It counts from now on; should nobody ever say what it came to, it stays counted so.

        Args:
            model: which model it goes to, by the name that has a price.
            tokens: what it sends and what is expected to come back.

        Raises:
            BudgetSpentError: a budget is spent: the request must not be sent.
        """
        ...

    async def charge(self, reservation: Reservation, usage: Usage) -> None:
        """Count what an admitted request came to, instead of what was set aside for it.

        Also where its answer was of no use, and where it was never sent (an empty usage). The first
        charge of a reservation counts; repeating it changes nothing.
        """
        ...


class Narrator(Protocol):
    """The language model: opens a story, writes paragraphs, reflects on them.

    All retries of a call live behind this port and are bounded (facts: 2 attempts to write, 4 to
    reflect). Every method raises NarratorUnavailableError (worth another try later),
    NarratorRefusedError (final until somebody acts) or BudgetSpentError (from its Meter; ``sent``
    where the call had sent something before). How many calls a turn makes is moves' business.
    """

    @property
    def notice(self) -> str | None:
        """A sentence to say at a story's start (the offline narrator says what it is), or None."""
        ...

    async def check(self) -> None:
        """Ask the endpoint, cheaply, whether key and model are accepted; costs no completion."""
        ...

    async def open(self, brief: Brief, bounds: Bounds = FOR_EVERYONE) -> tuple[Opening, Usage]:
        """Title and outline for a new story, within ``bounds``."""
        ...

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        """The next paragraph: whole, and not the previous one again.

        Args:
            context: the assembled step.
            on_text: called with the whole text so far each time it grew; a second attempt begins
                again from a shorter text, and one that doesn't come to an end
                (recurrence.longest_paragraph) isn't shown further. Must not block or raise.
        """
        ...

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        """Rationale, memory, summary, facts and plans, from the final paragraph; checked.

        With a ``context.stretch`` also the chapter that the turn ends.
        """
        ...

    async def replan(
        self, context: StepContext, paragraph: str, refused: Sequence[Plan], faults: Sequence[str]
    ) -> tuple[tuple[Plan, ...], Usage]:
        """Three other plans, checked.

        Args:
            context: the assembled step.
            paragraph: the final text.
            refused: the plans that were too close to one another or to earlier ones.
            faults: sentences that say which were too close to what.
        """
        ...


class Embedder(Protocol):
    """Text to vectors. Raises EmbedderUnavailableError or EmbedderRefusedError."""

    @property
    def name(self) -> str:
        """The model's name, recorded with the index: vectors of two models don't mix."""
        ...

    @property
    def dims(self) -> int:
        """Numbers per vector."""
        ...

    def reads(self, language: str) -> bool:
        """Whether it was made for a language, as a brief names it; an endpoint's is taken to be."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One normalised vector per text, in order; an empty list for no texts."""
        ...


class ContentFilter(Protocol):
    """Looks at texts before members do. Raises FilterUnavailableError or FilterRefusedError.

    All retries of a call live behind this port and are bounded.
    """

    async def check(self) -> None:
        """Ask, cheaply, whether key and model are accepted and the answers can be understood."""
        ...

    async def judge(self, texts: Sequence[str], *, adults: bool) -> Verdict:
        """Whether texts, of any length, may be told; they are looked at as one.

        Args:
            texts: what members would read; fine where there is nothing in it.
            adults: whether the channel is age-restricted.
        """
        ...


ALL_KINDS = frozenset(EntryKind)

# ── the store ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """An entry of the long-term memory with its vector, as recall finds it.

    Attributes:
        turn_id, number, branch: the turn that it belongs to.
        text: what it says.
        vector: of what it says.
        written_at: when the turn's text was finished.
        kind: summary, fact or chapter.
        key, about, ends: of a fact, see Fact.
        first: of a chapter, the first turn of its stretch; else 0.
    """

    turn_id: str
    number: int
    branch: str
    text: str
    vector: Vector
    written_at: float
    kind: EntryKind = EntryKind.SUMMARY
    key: int = 0
    about: str = ""
    ends: tuple[str, ...] = ()
    first: int = 0

    @property
    def id(self) -> str:
        """Its id, unique in its story."""
        return entry_id(self.kind, self.turn_id, self.key)


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of one story, applied whole or not at all.

    Attributes:
        operation: id of this change, unique; committing it twice applies it once.
        story: the new state. Its ``epoch`` must still be the stored one (else FencedError).
            memory, canon, plans and settings are written only if ``writes`` names them.
        writes: of "memory", "canon", "plans", "settings", "turns": which versioned values this
            commit replaces ("turns": a turn that was told is changed). Their version in ``story``
            must be the stored one plus 1 (else ConflictError).
        expects: versioned values that aren't written but must not have moved since they were read:
            name → version.
        turn: the turn's record to write with it, or None.
        entries: the memory entries to write with it.
        forgets: ids of the memory entries that go with it.
        change: what a moderator did by it, for the log, or None.
        holds: whether the story is held. An edit by somebody who doesn't hold it needs no epoch,
            and of the story it writes nothing but what ``writes`` names.
    """

    operation: str
    story: Story
    writes: frozenset[str] = frozenset()
    expects: Mapping[str, int] = field(default_factory=dict[str, int])
    turn: Turn | None = None
    entries: tuple[MemoryEntry, ...] = ()
    forgets: tuple[str, ...] = ()
    change: Change | None = None
    holds: bool = True


class StoryStore(Protocol):
    """Stories and their turns. When a commit returns it is on disk."""

    async def create(self, story: Story, operation: str) -> bool:
        """Store a new story and make it its channel's current one.

        The serial must be one above the channel's last (see ``current``).

        Returns:
            False, changing nothing, when the channel's current story isn't ended or another story
            took that serial; True when this operation created it (now or before).
        """
        ...

    async def current(self, channel: int) -> Story | None:
        """The channel's newest story (live or ended), or None."""
        ...

    async def load(self, story: StoryId) -> Story:
        """The state as it is stored now. Raises NoStoryError."""
        ...

    async def turn(self, story: StoryId, turn_id: str) -> Turn:
        """One turn. Raises RecordError when there is none."""
        ...

    async def commit(self, change: Commit) -> None:
        """Apply a change. Raises FencedError, ConflictError, StoreUnavailableError."""
        ...


class Archive(Protocol):
    """What a story leaves behind, beyond what a worker needs to carry it on."""

    async def turn_at(self, story: StoryId, branch: str, number: int) -> Turn:
        """The newest turn written under a number on a branch. Raises RecordError."""
        ...

    async def turns_at(self, story: StoryId, branch: str, first: int, last: int) -> list[Turn]:
        """The same for turns ``first`` to ``last`` at once, in order: some dozens at most.

        Raises:
            RecordError: one of them isn't there.
        """
        ...

    async def changes(self, story: StoryId, before: int | None, limit: int) -> list[Logged]:
        """What moderators changed, newest first, those with numbers below ``before``."""
        ...

    async def changes_since(self, story: StoryId, number: int) -> list[Logged]:
        """Change ``number`` and all behind it, in order; nothing when there is no such change."""
        ...

    async def purge(self, story: StoryId) -> None:
        """Remove every record of an ended story; can be repeated. Its serial may come again.

        Raises:
            PhaseError: the story hasn't ended: somebody may still work on it.
        """
        ...


class Erasure(Protocol):
    """Taking people out of what is kept, and places out of the store."""

    async def kept(self, channel: int) -> list[StoryId]:
        """The stories of a channel that are stored, oldest first."""
        ...

    async def rewrite(self, story: StoryId, rewriting: Callable[[Change], Change]) -> int:
        """Put in the place of each change of a story's log what ``rewriting`` makes of it.

        Only what reads as it was read is replaced; numbers stay, and what is appended meanwhile is
        left alone. It can be repeated.

        Returns:
            How many changes read differently now.

        Raises:
            RecordError: some changes can't be read; all others were rewritten.
        """
        ...

    async def seal(self, story: StoryId) -> None:
        """End a story without reading it, fencing whoever works on it; done when there is none.

        For a record that can't be read: so that it can be purged all the same.
        """
        ...


class Departures(Protocol):
    """The places that the bot lost, and since when."""

    async def note(self, place: Place, at: float) -> None:
        """Remember when a place was lost; one that is known keeps its time."""
        ...

    async def forget(self, places: Collection[Place]) -> None:
        """Places that are there again, or of which nothing is left."""
        ...

    async def lost(self) -> dict[Place, float]:
        """Every place that was lost → since when, UTC seconds."""
        ...


class Schedule(Protocol):
    """Who must act on which story, and when. A claimed story's due time is its lease's end."""

    async def due(self, now: float, limit: int) -> list[StoryId]:
        """Stories whose due time has come, the longest due first."""
        ...

    async def next_due(self) -> float | None:
        """The earliest due time of all stories, or None."""
        ...

    async def claim(self, story: StoryId, now: float, until: float, force: bool = False) -> Story:
        """Raise the epoch and take the lease until ``until``; gives the state with the new epoch.

        Raises FencedError unless the story is due or ``force`` is set (moderators' commands).
        """
        ...

    async def renew(self, story: StoryId, epoch: int, until: float) -> None:
        """Move the end of one's own lease; one in the past hands it back. Raises FencedError."""
        ...

    async def in_phase(
        self, phase: Phase | None, after: StoryId | None, limit: int, guild: int | None = None
    ) -> list[StoryId]:
        """Stories of a phase in the order of their ids, those above ``after``: page by page.

        Args:
            phase: only those of this phase; None for all: then none is missed that moves meanwhile.
            guild: only those of this server; None for all.
        """
        ...

    async def guilds(self) -> frozenset[int]:
        """The servers that have a story, live or ended."""
        ...


class Census(Protocol):
    """How many stories there are, found without reading any of them."""

    async def count(self, phases: Collection[Phase], guild: int | None = None) -> int:
        """How many stories are in one of these phases; 0 for no phases.

        Args:
            guild: only those of this server; None for all.
        """
        ...


class MemorySearch(Protocol):
    """Search of one story's long-term memory; only what its lineage holds is ever found."""

    async def nearest(
        self,
        story: StoryId,
        lineage: Lineage,
        query: Vector,
        limit: int,
        kinds: Collection[EntryKind] = ALL_KINDS,
    ) -> list[Recalled]:
        """The entries nearest to the query in meaning, nearest first."""
        ...

    async def matching(
        self,
        story: StoryId,
        lineage: Lineage,
        words: str,
        limit: int,
        kinds: Collection[EntryKind] = ALL_KINDS,
        *,
        stale: bool = False,
    ) -> list[Recalled]:
        """The entries that share words with a text, best first.

        Args:
            words: any text; words.search_words says what of it counts.
            stale: only those that meaning can't find (see ``stale``).

        Returns:
            Scored by BM25: at least 0, comparable within one answer only.
        """
        ...

    async def ending(
        self, story: StoryId, lineage: Lineage, ids: Collection[str]
    ) -> list[tuple[str, Recalled]]:
        """Which of these facts hold no longer: each with a fact that ended it, score 0."""
        ...

    async def count(
        self, story: StoryId, lineage: Lineage, kind: EntryKind = EntryKind.SUMMARY
    ) -> int:
        """How many entries of a kind the lineage has."""
        ...

    async def stale(self, story: StoryId, lineage: Lineage) -> int:
        """How many entries of the lineage only words can find: another embedder made their vectors.

        They are given new ones in the background (StaleVectors).
        """
        ...

    async def superseded(self, story: StoryId, lineage: Lineage) -> int | None:
        """How many facts of the lineage hold no longer; None where there are too many to tell."""
        ...


@dataclass(frozen=True, slots=True)
class StaleEntry:
    """An entry of the long-term memory that lacks a vector of the present embedder.

    Attributes:
        story: whose it is.
        id: its id, unique in its story.
        about, text: what its vector is to be of.
    """

    story: StoryId
    id: str
    about: str
    text: str


class StaleVectors(Protocol):
    """The entries that meaning can't find yet: their vectors are another embedder's.

    What is written from now on has vectors of the present one at once.
    """

    async def count(self) -> int:
        """How many there are, of all stories."""
        ...

    async def some(self, story: StoryId | None, limit: int) -> list[StaleEntry]:
        """Some of them, the newest turns' first.

        Args:
            story: whose; None for all stories'.
            limit: how many.

        Raises:
            FencedError: another process searches the memory by another embedder by now.
        """
        ...

    async def renew(self, entries: Sequence[tuple[StaleEntry, Vector]]) -> list[StaleEntry]:
        """Give entries new vectors, as far as they still read as they did; can be repeated.

        Returns:
            Those that got none: they are gone, or say something else.

        Raises:
            FencedError: as in ``some``.
        """
        ...


class SpendLedger(Protocol):
    """What calls to models came to per UTC day, by who pays, and what is set aside for them."""

    async def reserve(self, reservation: Reservation, budgets: Budgets) -> Ruling:
        """Count a request before it is sent, unless a payer's budget is spent already.

        At once for all: whoever comes next finds it counted. The request that reaches a cap is
        let through. However often it is repeated, it counts once.

        The first teller of an account that had come to NEARLY or WHOLE on that day stays the one.
        """
        ...

    async def settle(
        self, reservation: Reservation, cost: Spent, budgets: Budgets
    ) -> tuple[Standing, ...]:
        """Let a request count with what it came to; the first settlement counts.

        One whose reservation isn't known (any more) is counted all the same.

        Returns:
            How its payers stand now, with tellers like ``reserve``.
        """
        ...

    async def spent(self, day: str, accounts: Sequence[Account]) -> list[Spent]:
        """What the accounts have spent or set aside on a day ("2026-11-23"), in their order."""
        ...


# ── books ────────────────────────────────────────────────────────────────────────────────────────


class BookFormat(StrEnum):
    """What a book can be read with."""

    EPUB = "epub"
    """E-readers and their apps."""
    MARKDOWN = "markdown"
    """Any editor; and what other formats are made from."""


class Bookbinder(Protocol):
    """Makes the file of one format. Texts are data: nothing in them acts, and all of them is read.

    The work is done beside the event loop.
    """

    @property
    def ending(self) -> str:
        """What the names of its files end with, without the dot."""
        ...

    async def bind(self, book: Book) -> bytes:
        """The book as a file."""
        ...


# ── Discord ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Prose:
    """One piece of a paragraph. The first piece of a turn carries the title and number.

    Attributes:
        dropped: whether the turn was taken back; its heading says so.
    """

    text: str
    title: str | None = None
    number: int | None = None
    dropped: bool = False


class BallotState(StrEnum):
    """How a ballot stands."""

    OPEN = "open"
    PAUSED = "paused"
    ASLEEP = "asleep"
    CLOSED = "closed"
    ENDED = "ended"
    REPLACED = "replaced"
    """A fresh ballot of the same turn took its place."""
    DROPPED = "dropped"
    """Its turn was taken back."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """A ballot as members see it; ``closes_at`` is set while open, ``tally`` once closed.

    Attributes:
        message_id: the ballot's own message, so that a drawn tie can be shown to be fair.
    """

    number: int
    plans: tuple[Plan, ...]
    settings: Settings
    state: BallotState
    closes_at: float | None = None
    extended: bool = False
    tally: Tally | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A sentence of the bot to the channel, small and apart from the story."""

    text: str


Content = Prose | Ballot | Announcement


class MessageKind(StrEnum):
    """What one of our own messages carries, told from the message itself."""

    PROSE = "prose"
    BALLOT = "ballot"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class Posted:
    """One of our own messages. ``at`` is Discord's time stamp of its creation."""

    id: int
    at: float
    kind: MessageKind


class Audience(Protocol):
    """Who may read a channel, as far as is known just now; asking costs nothing."""

    def adults_only(self, channel: int) -> bool:
        """Whether a channel (or a thread's) is age-restricted; False where it isn't known."""
        ...


class Stage(Protocol):
    """The channel: what members see and how they vote.

    Raises the kinds of StageError. In a deleted channel every call but ``delete`` raises
    ChannelGoneError; where something may not be done or not be seen, StageForbiddenError.
    """

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
        """Post, once: the same nonce within minutes gives the existing message, made to show this.

        Discord forgets nonces. With ``after``, one of our own messages above that id which shows
        exactly this is taken for it, however long ago it was sent. A ballot gets its reactions by
        ``signal``. Raises MessageGoneError when the message with this nonce was deleted.
        """
        ...

    async def edit(self, channel: int, message: int, content: Content) -> None:
        """Replace what one of our messages shows."""
        ...

    async def delete(self, channel: int, message: int) -> None:
        """Delete one of our messages; done when it is gone already."""
        ...

    async def own_messages(self, channel: int, after: int) -> list[Posted]:
        """Our own messages above the id ``after``, oldest first.

        A history that can't be read is refused, and never looks like an empty one.
        """
        ...

    async def votes(self, channel: int, message: int, options: int) -> Votes:
        """The reactions to a ballot, read afresh to the last page, bots left out.

        An option that nobody, not even we, reacted with is left out.
        """
        ...

    async def signal(self, channel: int, ballot: int | None = None, options: int = 0) -> None:
        """Give a small sign: the typing sign (about 10 s), or our reactions on a ballot.

        Args:
            ballot: the ballot's message, or None for the typing sign.
            options: how many reactions; each is there once, however often this is called.
        """
        ...


class Presence(Protocol):
    """Where the bot is, as Discord says at this moment.

    Raises StageUnavailableError when it can't be told: silence never means that a place is gone.
    """

    async def in_guild(self, guild: int) -> bool:
        """Whether the bot is in a server; False only if Discord itself says that it isn't."""
        ...

    async def has_channel(self, channel: int) -> bool:
        """Whether a channel may exist; False only if Discord itself says that it doesn't."""
        ...
