"""The sentences that the offline narrator writes into the ledger, and how it knows them again.

What a fact says the state of is told by its words alone: people may edit it or strike it out, and
what doesn't read like one of these sentences is theirs, and is never ended. Which facts a turn
leaves is offline_reflection's business.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.adapters.offline_lexicon import Kind
from core.domain.entries import Recalled
from core.domain.legible import is_blank, legible
from core.domain.recurrence import label
from core.domain.text import same_text

QUESTION = "the open question"
_WHEREABOUTS = "whereabouts"
_GOT = {
    Kind.PLACE: "found in @",
    Kind.WAY: "found along @",
    Kind.THING: "found with @",
    Kind.PERSON: "got from @",
    Kind.SIGN: "found where @ had been",
    None: "found by way of @",
}

_ASKED = re.compile(r"The open question is .+\.")
_ANSWERED = re.compile(r"It is known now .+: .+\.")
_REACHED = re.compile(r".+ ha(?:s|ve) come to .+ by now\.")
_HELD = re.compile(
    r".+? (?:has|keeps|no longer has|has buried|has a story in place of) (?P<thing>the [^,]+?)"
    r"(?: under lock| hidden| by theft)?(?:, .+)?\."
)
"""Whatever says who has a thing, of the finds and of what offline_grammar's titles leave."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact that a turn adds: what it is about, and a sentence that stands by itself."""

    about: str
    text: str

    @property
    def is_blank(self) -> bool:
        """Whether nothing of one of them can be seen."""
        return is_blank(legible(self.about)) or is_blank(legible(self.text))


def asked(thread: str) -> Entry:
    """What is open from now on."""
    return Entry(QUESTION, f"The open question is {thread}.")


def answered(thread: str, answer: str, rival: str) -> Entry:
    """What came to light; it is about the rival, or about what the answer begins with."""
    about = rival if rival in answer else answer.partition(" had ")[0]
    return Entry(about, f"It is known now {thread}: {answer}.")


def reached(people: Sequence[str], place: str) -> Entry:
    """Where the lead, the first of the people, is."""
    has = "has" if len(people) == 1 else "have"
    return Entry(people[0], f"{' and '.join(people)} {has} come to {place} by now.")


def found(lead: str, item: str, meaning: str, kind: Kind | None, goal: str) -> Entry:
    """What the lead has.

    Args:
        lead: a name.
        item: with "the".
        meaning: what it is like, or "".
        kind, goal: where it came from; the goal may be "".
    """
    source = _GOT[kind].replace("@", goal) if goal else ""
    return Entry(item, ", ".join(filter(None, (f"{lead} has {item}", meaning, source))) + ".")


def carried(lead: str, tool: str) -> Entry:
    """What the lead set out with."""
    return Entry(lead, f"{lead} carries {tool}.")


def passes(text: str) -> bool:
    """Whether a fact says what will soon be otherwise."""
    return _state_of(text) in {QUESTION, _WHEREABOUTS}


def ended_by(entry: Entry, known: Sequence[Recalled]) -> list[str]:
    """Labels of the known facts that hold no longer with an entry.

    Args:
        entry: a new one.
        known: the facts that the step shows, in the order of their labels.
    """
    state = QUESTION if _ANSWERED.fullmatch(entry.text) else _state_of(entry.text)
    return [
        label(place)
        for place, fact in enumerate(known)
        if state and _state_of(fact.text) == state and not same_text(fact.text, entry.text)
    ]


def _state_of(text: str) -> str:
    """What a fact says the state of: of two that say the same one's only the later holds; or ""."""
    if _ASKED.fullmatch(text):
        return QUESTION
    if _REACHED.fullmatch(text):
        return _WHEREABOUTS
    held = _HELD.fullmatch(text)
    return held["thing"].casefold() if held else ""
