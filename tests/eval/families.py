"""What the synthetic stories of the evaluation are worded with: families of wordings, as values.

A fact is of a kind and is worded three ways: as a paragraph tells it, as a summary does, and as an
entry of the ledger does. What needs it later is a sentence of a plan. Fact and plan draw from
different wordings of one family, and a thing is called by one phrase in the fact (``said``) and by
another in the plan (``meant``), so that matching words alone doesn't find it. A set of families is
written by itself: the one that was tuned on shares no sentence and no thing with the one that is
reported.

Slots in wordings: ``{A}`` and ``{B}`` are people, ``{P}`` is a place, ``{x}`` is the thing,
``{state}`` what has become of it. How stories are made of them is stories' business.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a fact says."""

    OWNS = "who owns what"
    PROMISED = "what was promised to whom"
    FEARS = "what somebody fears"
    KIN = "who is kin to whom"
    HID = "what was hidden where"
    WOUND = "wounds and what they left"
    SECRET = "what somebody keeps secret"
    NUMBER = "numbers"
    DATE = "dates"
    VOW = "vows"
    ALIKE = "who is who, of two whose names are alike"
    CONDITION = "in what condition a thing is"
    HOLDER = "who has a thing by now"
    WHEREABOUTS = "where somebody is by now"


CHANGING = frozenset({Kind.CONDITION, Kind.HOLDER, Kind.WHEREABOUTS})
"""Kinds whose later facts supersede the earlier ones."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a fact of some kind is about.

    Attributes:
        said: the phrase for it in a fact.
        meant: another phrase for the same thing, which shares no content word with ``said``: what
            a plan calls it.
        states: for a changing kind, what becomes of it, in order; else empty.
    """

    said: str
    meant: str
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """The wordings of one kind in one set.

    Attributes:
        kind: what its facts say.
        paragraph: sentences that tell the fact in a paragraph; with every slot of the kind.
        summary: sentences that tell it in a summary.
        ledger: sentences that hold it in the ledger: short, plain, with every slot.
        named: sentences of a plan that need it and name all of its people and places.
        half: the same, naming one of them.
        nameless: the same, naming none: the thing alone (``{x}``) tells what is needed.
        things: what is planted and asked for.
        distractors: phrases for other things of this kind, which are never asked for.
    """

    kind: Kind
    paragraph: tuple[str, ...]
    summary: tuple[str, ...]
    ledger: tuple[str, ...]
    named: tuple[str, ...]
    half: tuple[str, ...]
    nameless: tuple[str, ...]
    things: tuple[Thing, ...]
    distractors: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Wordings:
    """One set: everything that a story is worded with.

    Attributes:
        language: as a brief names it.
        premise: of the story.
        people: names of the cast; no name is a part of another.
        alike: pairs of names that differ in a letter or two, none of them in ``people``.
        places: names of places.
        families: one for each kind.
        deeds: sentences about what happens and matters to nothing later; with ``{A}``, and some
            with ``{B}``, ``{P}``.
        moods: sentences without a slot that fill a paragraph.
        intents: sentences of a plan that need no fact; with ``{A}``, some with ``{B}``, ``{P}``.
        titles: of plans; with ``{A}`` or ``{P}`` or no slot.
    """

    language: str
    premise: str
    people: tuple[str, ...]
    alike: tuple[tuple[str, str], ...]
    places: tuple[str, ...]
    families: tuple[Family, ...]
    deeds: tuple[str, ...]
    moods: tuple[str, ...]
    intents: tuple[str, ...]
    titles: tuple[str, ...]
