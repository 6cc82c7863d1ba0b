"""What moderators changed: who, when, what was there before and what after. Values only.

A change is written in the same commit as what it changes: taking one back is a change of its own
that names the first. Nothing ever rewrites one, but for the name of a moderator who asks for that.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from core.domain.ledger import TurnMemory
from core.domain.story import Lineage


class ChangeKind(StrEnum):
    """What a moderator did, worded so that "… by Ada" reads well."""

    MEMORY = "memory edited"
    SUMMARY = "summary amended"
    FORGOTTEN = "turn forgotten"
    REMEMBERED = "turn remembered again"
    PINNED = "fact pinned"
    UNPINNED = "fact unpinned"
    PARAGRAPH = "paragraph edited"
    PLAN = "plan edited"
    SETTINGS = "settings changed"
    REFLECTED = "reflection asked for again"
    RETRIED = "turn written anew"
    REWOUND = "story rewound"


@dataclass(frozen=True, slots=True)
class Moderator:
    """Who makes a change: Discord's id, and the name shown at that time."""

    id: int
    name: str


SOMEBODY = Moderator(0, "a moderator")
"""Who stands in the log where a name was taken out."""


@dataclass(frozen=True, slots=True)
class Road:
    """Where a story stood in its tree of turns, so that it can be put back there.

    Attributes:
        head: the newest turn's id; None before the first.
        lineage: the turns that led to it.
    """

    head: str | None
    lineage: Lineage


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one story.

    Attributes:
        kind: what was done.
        at: when, UTC seconds.
        by: who did it.
        before, after: the text concerned; empty where there was or is none.
        number: the turn it is about; 0 for what belongs to no turn.
        turn_id: that turn's id, or empty.
        place: which plan or part (from 0), where a turn has several.
        road: for a move of the head, where the story stood before.
        undoes: number of the change that this one took back.
        was: for an amendment, what the long-term memory held of the turn before it, exactly.
    """

    kind: ChangeKind
    at: float
    by: Moderator
    before: str = ""
    after: str = ""
    number: int = 0
    turn_id: str = ""
    place: int = 0
    road: Road | None = None
    undoes: int | None = None
    was: TurnMemory | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A change and its number in the story's log; 1 is the first."""

    number: int
    change: Change


def unsigned(change: Change, moderator: int) -> Change:
    """The change without the name and id of a moderator; the same one if it isn't theirs."""
    return replace(change, by=SOMEBODY) if change.by.id == moderator else change


_DEEDS = (
    " paused the story.",
    " ended the story after ",
    " had turn ",
    " had the plans made anew ",
    " took the story back ",
    " brought the story back ",
)
"""How sentences to the channel go on behind the name of whoever did it."""


def nameless(sentence: str, names: Collection[str]) -> str:
    """A sentence to the channel without the name of who did it; unchanged for anybody else's."""
    for name in names:
        for deed in _DEEDS:
            if name and sentence.startswith(name + deed):
                return f"A moderator{sentence[len(name) :]}"
    return sentence
