"""Long stories without a model: facts planted at known turns, and plans that need them much later.

A story is a list of turns, each with what a narrator would have made of it: a paragraph, a summary,
entries of the ledger. Most turns tell what matters to nothing later; many tell facts of the same
kinds, about the same people and places, that are never asked for. Everything is drawn by a seeded
chance from one set of wordings (families), so the same seed makes the same story.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle
from random import Random

from core.domain.story import Plan
from tests.eval.families import CHANGING, Family, Kind, Thing, Wordings

SENTENCES = 20
"""Of a paragraph (arXiv 2305.13304)."""
PLANTED_UNTIL = 0.85
ASKED_FROM = 0.9
"""Facts stand in the first part of a story and are needed at its end: nearly all of it lies between
or is in the way."""
DISTRACTED = 0.45
"""How many of the other turns tell a fact too, of a kind that is asked for."""
NOTED = 0.5
"""How many of what merely happens is noted in the ledger all the same, as a model would."""
MEMORY_TURNS = 10
"""Turns whose newest fact the short-term memory still holds."""


class Overlap(StrEnum):
    """What of a fact's names the plan that needs it shares."""

    NAMED = "all names"
    HALF = "one name"
    NAMELESS = "no name"


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry of the ledger.

    Attributes:
        about, text: as in Fact.
        ends: number of the turn whose fact about the same it supersedes, or None.
    """

    about: str
    text: str
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class ToldTurn:
    """A turn; ``noted`` begins with the fact that it tells, where it tells one."""

    number: int
    paragraph: str
    summary: str
    noted: tuple[Noted, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """A plan that needs a fact.

    Attributes:
        number: the turn that the plan is for.
        plan: about five sentences, one of which needs the fact.
        kind, overlap: of the fact, and of the sentence.
        planted: the turn that told the fact (of states that change, the newest).
        needed: how the fact is told in paragraph, summary and ledger: one of these in a prompt
            means that it holds the fact.
        outdated: the same of what was superseded.
        memory: the short-term memory before that turn.
    """

    number: int
    plan: Plan
    kind: Kind
    overlap: Overlap
    planted: int
    needed: frozenset[str]
    outdated: frozenset[str]
    memory: str


@dataclass(frozen=True, slots=True)
class SyntheticStory:
    """A story and what is asked of its memory."""

    wordings: Wordings
    turns: tuple[ToldTurn, ...]
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class _Telling:
    """One fact as it is told: the three wordings."""

    paragraph: str
    summary: str
    noted: Noted

    @property
    def all(self) -> frozenset[str]:
        return frozenset({self.paragraph, self.summary, self.noted.text})


@dataclass(slots=True)
class _Planted:
    """A fact that will be asked for."""

    family: Family
    thing: Thing
    slots: dict[str, str]
    overlap: Overlap
    turns: list[int]
    tellings: list[_Telling] = field(default_factory=list[_Telling])


def make_story(wordings: Wordings, turns: int, seed: int, *, per_kind: int) -> SyntheticStory:
    """A story of so many turns.

    Args:
        wordings: the set.
        turns: at least 60.
        seed: of everything that is left to chance.
        per_kind: how many facts of each kind are planted and asked for, at most as many as the set
            has things of it.
    """
    return _Maker(wordings, turns, Random(f"{wordings.premise} {turns} {seed}")).make(per_kind)


class _Maker:
    def __init__(self, wordings: Wordings, turns: int, chance: Random) -> None:
        self._words = wordings
        self._count = turns
        self._chance = chance

    def make(self, per_kind: int) -> SyntheticStory:
        planted = self._plant(per_kind)
        due = {number: fact for fact in planted for number in fact.turns}
        turns = tuple(self._turn(number, due.get(number)) for number in range(1, self._count + 1))
        probes = tuple(self._probe(fact, turns) for fact in planted)
        return SyntheticStory(self._words, turns, tuple(sorted(probes, key=lambda p: p.number)))

    def _plant(self, per_kind: int) -> list[_Planted]:
        chance, words = self._chance, self._words
        wanted = [
            (family, thing)
            for family in words.families
            for thing in chance.sample(family.things, min(per_kind, len(family.things)))
        ]
        counts = [max(1, len(thing.states)) for _, thing in wanted]
        places = chance.sample(range(2, int(self._count * PLANTED_UNTIL)), sum(counts))
        overlaps = cycle(Overlap)
        planted: list[_Planted] = []
        for (family, thing), count in zip(wanted, counts, strict=True):
            turns = sorted(places.pop() for _ in range(count))
            slots = self._slots(family)
            planted.append(_Planted(family, thing, slots, next(overlaps), turns))
        return planted

    def _turn(self, number: int, planted: _Planted | None) -> ToldTurn:
        chance = self._chance
        deeds = [self._filled(sentence) for sentence in chance.sample(self._words.deeds, 6)]
        noted = [Noted(about, deed) for about, deed in deeds[:2] if chance.random() < NOTED]
        telling = self._telling(number, planted)
        told = [deed for _, deed in deeds]
        if telling is None:
            return ToldTurn(number, self._paragraph(told), " ".join(told[:2]), tuple(noted))
        return ToldTurn(
            number,
            self._paragraph([telling.paragraph, *told]),
            " ".join(chance.sample([telling.summary, told[0]], 2)),
            (telling.noted, *noted),
        )

    def _telling(self, number: int, planted: _Planted | None) -> _Telling | None:
        if planted is not None:
            place = planted.turns.index(number)
            ends = planted.turns[place - 1] if place else None
            telling = self._worded(planted.family, planted.thing, planted.slots, place, ends)
            planted.tellings.append(telling)
            return telling
        if self._chance.random() >= DISTRACTED:
            return None
        family = self._chance.choice(self._words.families)
        thing = self._chance.choice(family.distractors)
        place = self._chance.randrange(max(1, len(thing.states)))
        return self._worded(family, thing, self._slots(family), place, None)

    def _worded(
        self, family: Family, thing: Thing, slots: dict[str, str], place: int, ends: int | None
    ) -> _Telling:
        filled = {**slots, "x": thing.said, "state": thing.states[place] if thing.states else ""}
        paragraph, summary, ledger = (
            _sentence(self._chance.choice(wordings).format(**filled))
            for wordings in (family.paragraph, family.summary, family.ledger)
        )
        about = thing.said if family.kind in {Kind.CONDITION, Kind.HOLDER} else slots["A"]
        return _Telling(paragraph, summary, Noted(about, ledger, ends))

    def _probe(self, fact: _Planted, turns: Sequence[ToldTurn]) -> Probe:
        chance, words, family = self._chance, self._words, fact.family
        number = chance.randrange(int(self._count * ASKED_FROM), self._count) + 1
        wordings = {
            Overlap.NAMED: family.named,
            Overlap.HALF: family.half,
            Overlap.NAMELESS: family.nameless,
        }[fact.overlap]
        asking = _sentence(chance.choice(wordings).format(**fact.slots, x=fact.thing.meant))
        sentences = [self._filled(intent)[1] for intent in chance.sample(words.intents, 4)]
        sentences.insert(chance.randrange(5), asking)
        title = self._filled(chance.choice(words.titles))[1]
        newest, *older = reversed(fact.tellings)
        outdated = (
            {text for telling in older for text in telling.all} if family.kind in CHANGING else ()
        )
        held = turns[number - 1 - MEMORY_TURNS : number - 1]
        return Probe(
            number,
            Plan(title, _joined(sentences, words)),
            family.kind,
            fact.overlap,
            fact.turns[-1],
            newest.all,
            frozenset(outdated) - newest.all,
            _joined([(turn.noted[0].text if turn.noted else turn.summary) for turn in held], words),
        )

    def _paragraph(self, told: Sequence[str]) -> str:
        chance = self._chance
        filler = chance.sample(
            self._words.moods, min(SENTENCES - len(told), len(self._words.moods))
        )
        sentences = [*told, *filler]
        chance.shuffle(sentences)
        return _joined(sentences, self._words)

    def _slots(self, family: Family) -> dict[str, str]:
        chance, words = self._chance, self._words
        if family.kind is Kind.ALIKE:
            one, other = chance.sample(chance.choice(words.alike), 2)
        else:
            one, other = chance.sample(words.people, 2)
        return {"A": one, "B": other, "P": chance.choice(words.places)}

    def _filled(self, sentence: str) -> tuple[str, str]:
        """Whom a sentence is about, and the sentence."""
        one, other = self._chance.sample(self._words.people, 2)
        place = self._chance.choice(self._words.places)
        return one, _sentence(sentence.format(A=one, B=other, P=place))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _joined(sentences: Sequence[str], words: Wordings) -> str:
    return ("" if words.language.startswith("Chinese") else " ").join(sentences)
