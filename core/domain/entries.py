"""The entries of the long-term memory: what there is of them, and how each is named and said.

Which of them a step needs is retrieval's business, how much of them a prompt holds tokens'.
"""

from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry of the long-term memory is."""

    SUMMARY = "summary"
    """What happened in a turn."""
    FACT = "fact"
    """Something that holds of the cast or the world since a turn: an entry of the ledger."""
    CHAPTER = "chapter"
    """A stretch of turns, condensed; it stands beside their summaries, never for them."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An entry of the ledger: what holds since its turn, until a later fact says otherwise.

    Attributes:
        key: tells it from the other facts of its turn; stays the same however they are edited.
        about: who or what it is about: a name or a noun.
        text: the fact, a sentence that can be understood by itself.
        ends: ids (``entry_id``) of the facts that hold no longer with it.
        dropped: a moderator struck it out; it is kept, and nothing finds it.
    """

    key: int
    about: str
    text: str
    ends: tuple[str, ...] = ()
    dropped: bool = False


def entry_id(kind: EntryKind, turn_id: str, key: int = 0) -> str:
    """The id of an entry of the long-term memory: a turn has one summary and any facts.

    Args:
        kind: what the entry is.
        turn_id: the turn it belongs to; a chapter's is the turn that ends its stretch.
        key: of a fact.
    """
    return {
        EntryKind.SUMMARY: turn_id,
        EntryKind.FACT: f"{turn_id}/{key}",
        EntryKind.CHAPTER: f"{turn_id}/chapter",
    }[kind]


@dataclass(frozen=True, slots=True)
class Recalled:
    """An entry of the long-term memory that a search brought back.

    Attributes:
        turn_id: the turn that it belongs to.
        number: that turn's number.
        text: the summary, the fact or the chapter.
        score: how well it fits, higher is better: cosine similarity to the query, in [-1, 1],
            where it was found by meaning.
        kind: what it is.
        key: of a fact.
        about: of a fact.
        first: of a chapter, the first turn of its stretch; else 0.
    """

    turn_id: str
    number: int
    text: str
    score: float
    kind: EntryKind = EntryKind.SUMMARY
    key: int = 0
    about: str = ""
    first: int = 0

    @property
    def id(self) -> str:
        """Its entry's id."""
        return entry_id(self.kind, self.turn_id, self.key)


def fact_line(about: str, text: str) -> str:
    """A fact as one line: what it is about stands in front where the fact doesn't say it."""
    return text if about.casefold() in text.casefold() else f"{about}: {text}"
