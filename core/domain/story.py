"""The nouns of a story: frozen values that travel between all layers.

Nothing here decides anything (see lifecycle, ballot, recurrence) and nothing here knows how a value
is stored or shown. Times are UTC seconds since 1970 as ``float``; ids of Discord are ``int``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from core.domain.entries import Fact, Recalled

Vector = NewType("Vector", bytes)
"""float32[dims], little-endian, of length 1 (so that cosine and dot product agree)."""

BYTES_PER_TOKEN = 4.0
"""UTF-8 bytes for each token before an endpoint has said how it counts: a tokenizer-free estimate,
good to about a fifth for English prose."""
PLAN_COUNT = 3
"""Plans after each paragraph (arXiv 2305.13304, section 3)."""


class Phase(StrEnum):
    """Where a story stands in its turn; the moves between phases are lifecycle's one table."""

    WRITING = "writing"
    REFLECTING = "reflecting"
    PUBLISHING = "publishing"
    VOTING = "voting"
    ASLEEP = "asleep"
    PAUSED = "paused"
    ENDED = "ended"


class VotingRule(StrEnum):
    """How a member's reactions become votes."""

    APPROVAL = "approval"
    """Every reaction counts: the numbers that members see decide."""
    SINGLE = "single"
    """A member who picked several options counts for none of them."""


class PauseCause(StrEnum):
    """Why a story is paused; the last two are over when Discord says that something changed."""

    MODERATOR = "moderator"
    FAULT = "fault"
    """Of a model, of Discord, or of our own."""
    BUDGET = "budget"
    CHANNEL = "channel"
    """The channel refuses: a permission is missing, or the thread is locked."""
    ABSENT = "absent"
    """The bot isn't in the server."""


@dataclass(frozen=True, slots=True, order=True)
class StoryId:
    """A story of a channel: a channel has many over time, one at a time.

    Attributes:
        channel: the channel's (or thread's) id, positive.
        serial: 1 for the channel's first story.
    """

    channel: int
    serial: int

    def __post_init__(self) -> None:
        if self.channel <= 0 or self.serial <= 0:
            raise ValueError(f"a story's id needs a channel and a serial, got {self}")

    def __str__(self) -> str:
        return f"{self.channel}:{self.serial}"


@dataclass(frozen=True, slots=True)
class Brief:
    """What a story was asked to be, plus the title and outline its opening gave it.

    Stands in every prompt, so that the story doesn't drift from what was asked.
    ``title`` and ``outline`` are empty until the opening has been written.
    """

    premise: str
    genre: str = ""
    style: str = ""
    language: str = "English"
    title: str = ""
    outline: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The rules of one story, said in its ballot where they matter to members.

    Attributes:
        vote_s: length of a voting window, seconds.
        sentences: how long a paragraph should be (arXiv 2305.13304: about 20).
        rule: how reactions become votes.
        quorum: members who must have voted for a result to stand.
        notify_role: a role that opted in to be mentioned with each ballot, or None.
        moderator_role: a role whose members may do what moderators may, or None.
    """

    vote_s: int = 3600
    sentences: int = 20
    rule: VotingRule = VotingRule.APPROVAL
    quorum: int = 1
    notify_role: int | None = None
    moderator_role: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One way the story may go on: a title (≤ 60) and about five sentences (≤ 900 UTF-16 units).

    Attributes:
        edited: whether a moderator changed it, which its ballot says.
    """

    title: str
    text: str
    edited: bool = False

    def __str__(self) -> str:
        """The plan as one text, its title on the first line."""
        return f"{self.title}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Memory:
    """The short-term memory: oldest fact first; ``version`` counts its changes."""

    text: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Canon:
    """Facts pinned by moderators: they stand in every prompt and no rewriting drops them."""

    entries: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans on the current ballot, in the order of its reactions; empty before the first."""

    options: tuple[Plan, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls to a model cost; adding two sums them and keeps the first's time to first text.

    A sum tells the bytes of its prompts only where the tokens of all of them were reported: what
    was estimated must not pass for a measurement.

    Attributes:
        prompt_tokens, cached_tokens, completion_tokens: as the endpoint reports them
            (estimated where it reports none); ``cached_tokens`` are part of ``prompt_tokens``.
        calls: requests that were sent, failed ones included.
        prompt_bytes: UTF-8 bytes of the prompts whose tokens the endpoint itself reported: what an
            estimate of tokens is corrected by. 0 where it reported none.
        first_text_s: seconds from the request to its first text; None where nothing streamed.
        total_s: seconds spent in calls.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    first_text_s: float | None = None
    total_s: float = 0.0
    prompt_bytes: int = 0

    @property
    def tokens(self) -> int:
        """Prompt and completion together: what caps count."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            self.calls + other.calls,
            self.first_text_s if self.first_text_s is not None else other.first_text_s,
            self.total_s + other.total_s,
            self.prompt_bytes + other.prompt_bytes if self._measured and other._measured else 0,
        )

    @property
    def _measured(self) -> bool:
        """Whether it knows the bytes of all its prompts."""
        return self.prompt_bytes > 0 or self.prompt_tokens == 0


@dataclass(frozen=True, slots=True)
class Opening:
    """What a story's opening call gives before its first paragraph is written."""

    title: str
    outline: str


@dataclass(frozen=True, slots=True)
class Reflection:
    """What a step says after its paragraph (arXiv 2305.13304): checked by recurrence.

    Attributes:
        rationale: what was dropped from and added to the memory, and why.
        memory: the rewritten short-term memory, oldest fact first.
        summary: the entry for the long-term memory.
        plans: exactly PLAN_COUNT, no two the same.
        facts: what the ledger gains by this turn.
        chapter: the stretch of turns that this one ends, condensed; empty where it ends none.
    """

    rationale: str
    memory: str
    summary: str
    plans: tuple[Plan, ...]
    facts: tuple[Fact, ...] = ()
    chapter: str = ""


class Outcome(StrEnum):
    """What a count of votes comes to."""

    WON = "won"
    SILENCE = "silence"
    QUORUM_MISSED = "quorum missed"


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of votes under the story's rule.

    Attributes:
        outcome: whether a plan won.
        counts: votes that count, per option, in ballot order.
        voters: members with at least one vote that counts.
        winner: index into counts, or None unless outcome is WON.
        tied: the options that shared the highest count, when more than one did; else empty.
    """

    outcome: Outcome
    counts: tuple[int, ...]
    voters: int
    winner: int | None = None
    tied: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Turns ``first`` to ``last`` (both included) of one branch."""

    branch: str
    first: int
    last: int


Lineage = tuple[Stretch, ...]
"""The turns that lead to a head, oldest stretch first; recall sees these and nothing else."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The turn being made: everything needed to make it again after a crash.

    Attributes:
        turn_id: unique per writing (a turn written anew is another turn with the same number).
        number: 1 for the opening.
        attempt: raised when a resumed turn is written anew; part of every nonce.
        plan: the plan that won, or None for the opening.
        after: every message of this turn has an id above this one (a snowflake).
        usage: what was spent on it before its text was finished.
        decided: the count that chose the plan, or None for the opening.
        calls: calls to models for it since a person last acted. Each is counted before it is made,
            so that a crash or a lost story counts too.
    """

    turn_id: str
    number: int
    attempt: int
    plan: Plan | None
    after: int
    usage: Usage = field(default_factory=Usage)
    decided: Tally | None = None
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that the channel is owed.

    Attributes:
        nonce: at most 25 characters; the same notice is never posted twice. None: the sentence was
            said before, and something is only to be taken back.
        text: the sentence.
        after: the message with it has an id above this one.
        withdraw_after: when set, paragraph messages above this id are taken back.
    """

    nonce: str | None
    text: str
    after: int = 0
    withdraw_after: int | None = None


@dataclass(frozen=True, slots=True)
class RefreshBallot:
    """The ballot of this turn must be drawn again from what is stored.

    Attributes:
        after: set while the turn is being published: the ballot may be there already, without its
            message being known, and has an id above this one.
    """

    turn_id: str
    after: int | None = None


@dataclass(frozen=True, slots=True)
class WholeText:
    """The finished text of this draft must stand in the channel, whole."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class OfferVotes:
    """Our own reactions must be put back on the ballot of this turn."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class RefreshProse:
    """The messages with this turn's paragraph must be drawn again from what is stored."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class RetireBallot:
    """A ballot that a fresh one of the same turn takes the place of.

    Attributes:
        turn_id: whose ballot it was.
        message: the message that it is.
    """

    turn_id: str
    message: int


Effect = Notice | RefreshBallot | RefreshProse | RetireBallot | WholeText | OfferVotes
"""What the channel is owed; committed with the change that owes it, removed once it is done."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and from where a story is paused.

    Attributes:
        kept: the phase that ``resume`` goes back to.
        cause: who or what paused it.
        reason: the sentence shown to members.
        vote_left_s: seconds of voting left, when it was paused while voting.
        until: when the pause ends by itself (a spent budget, an outage); None: by ``resume`` only.
        withdrawn: nothing of the paragraph that was being written is in the channel any more.
    """

    kept: Phase
    cause: PauseCause
    reason: str
    vote_left_s: float | None = None
    until: float | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it is stored; fields fill up as the turn goes through its phases.

    Attributes:
        id, number, parent, branch: its place in the tree of turns.
        plan: the plan it follows (None for the opening).
        paragraph: exactly what members read.
        recalled: what the prompt held from the long-term memory.
        usage: cost of all calls made for it.
        written_at: when its text was finished.
        reflection: None until the turn was reflected.
        pieces: ids of the messages that carry the paragraph, in order.
        ballot: id of its ballot's message, None until staged.
        staged_at: time stamp of that message.
        plans: the options as they were voted on; empty until the vote closed or one was edited.
        tally: the count that closed its vote, None until then.
        rules: the settings its ballot was opened under; None before that.
        memory: the short-term memory behind it, once a moderator edited it; None: as reflected.
        parts: an edited paragraph as it lies over ``pieces``; empty for one that nobody edited.
        forgotten: whether it was taken out of recall.
        decided: the count that chose its plan; stays, even if that vote is opened anew.
    """

    id: str
    number: int
    parent: str | None
    branch: str
    plan: Plan | None
    paragraph: str
    recalled: tuple[Recalled, ...] = ()
    usage: Usage = field(default_factory=Usage)
    written_at: float = 0.0
    reflection: Reflection | None = None
    pieces: tuple[int, ...] = ()
    ballot: int | None = None
    staged_at: float | None = None
    plans: tuple[Plan, ...] = ()
    tally: Tally | None = None
    rules: Settings | None = None
    memory: str | None = None
    parts: tuple[str, ...] = ()
    forgotten: bool = False
    decided: Tally | None = None

    @property
    def remembered(self) -> str:
        """The short-term memory as it stood behind this turn; empty before its reflection."""
        if self.memory is not None:
            return self.memory
        return self.reflection.memory if self.reflection else ""

    @property
    def summary(self) -> str:
        """What the long-term memory holds of it; empty before its reflection."""
        return self.reflection.summary if self.reflection else ""

    @property
    def offered(self) -> tuple[Plan, ...]:
        """The plans that its ballot offers; empty before its reflection."""
        if self.plans or self.reflection is None:
            return self.plans
        return self.reflection.plans


@dataclass(frozen=True, slots=True)
class Story:
    """The state of one story: what a worker needs to carry on from any phase.

    Attributes:
        id, guild: where it lives.
        phase: see lifecycle.
        epoch: raised by whoever claims the story; a commit with an older one is refused.
        due: when somebody must act: a vote's deadline, the end of a worker's lease, the end of a
            budget pause; None when nothing is to be done until somebody asks.
        closes_at: the vote's deadline, exactly while phase is VOTING.
        extended: whether this ballot's deadline was extended already.
        offers: how often our reactions were put back on this ballot.
        tries: attempts at this turn that an outage ended; 0 again once a step succeeded.
        lineage: the turns that lead to ``head``.
        head: id of the newest turn whose reflection is committed, None before the first.
        draft: the turn being made (writing to publishing), else None.
        pause: set exactly while phase is PAUSED.
        outbox: effects owed to the channel, oldest first.
        said: id of the bot's newest sentence in the channel, or of the request that began the
            story: the sentences that are still owed will have ids above it.
        brief, settings, memory, canon, plans: see there.
        turns_version: counts the edits of turns that were told already.
        bytes_per_token: UTF-8 bytes of a prompt for each of its tokens, as measured so far.
        warned: which budgets its channel was told of that they come to their end, see warned.
    """

    id: StoryId
    guild: int
    phase: Phase
    epoch: int
    due: float | None
    brief: Brief
    settings: Settings
    settings_version: int = 0
    closes_at: float | None = None
    extended: bool = False
    offers: int = 0
    tries: int = 0
    lineage: Lineage = ()
    head: str | None = None
    draft: Draft | None = None
    pause: Pause | None = None
    outbox: tuple[Effect, ...] = ()
    said: int = 0
    memory: Memory = field(default_factory=Memory)
    canon: Canon = field(default_factory=Canon)
    plans: Plans = field(default_factory=Plans)
    turns_version: int = 0
    created_at: float = 0.0
    bytes_per_token: float = BYTES_PER_TOKEN
    warned: tuple[str, ...] = ()

    @property
    def head_number(self) -> int:
        """Number of the head turn; 0 before the first."""
        return self.lineage[-1].last if self.lineage else 0


Votes = Mapping[int, frozenset[int]]
"""Option index → ids of the members (never bots) who reacted with it."""
