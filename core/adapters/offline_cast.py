"""What the offline narrator knows of its story, as sentences of the short-term memory and back.

Nothing is kept between turns but that text: people may edit it, and what they write is what the
next turn finds. A sentence that this module didn't write is kept as it stands, as a fact. Whatever
the memory doesn't say is made up from the premise, always in the same way.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.adapters.offline_deck import deal_in_order, seeded, stable_hash
from core.adapters.offline_lexicon import (
    MATTER_THREAD,
    MISSING_THREAD,
    NAMES_HER,
    NAMES_HIS,
    PLAIN_ROLES,
    PREMISE_THREADS,
    RIVALS,
    Mood,
)
from core.adapters.offline_premise import READ_CHARACTERS, Reading, detect_mood, read_premise
from core.domain.story import Brief
from core.domain.text import sentences

OWN_FACTS = 9
OTHER_FACTS = 4
"""Most facts of each kind that a memory keeps beside its six standing sentences."""


@dataclass(frozen=True, slots=True)
class Pronouns:
    """As in: she slept, her coat, saw her, hurt herself."""

    subject: str
    possessive: str
    objective: str
    reflexive: str


SHE = Pronouns("she", "her", "her", "herself")
HE = Pronouns("he", "his", "him", "himself")
THEY = Pronouns("they", "their", "them", "themself")
_BY_POSSESSIVE = {pronouns.possessive: pronouns for pronouns in (SHE, HE, THEY)}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the cast; ``role`` has its article ("a net mender")."""

    name: str
    role: str
    pronouns: Pronouns


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence of what has happened.

    Attributes:
        text: the sentence.
        item: what was found, with "the", or "".
        did: what was done for it, or "".
        own: whether this narrator wrote the sentence; what people write is kept longer.
    """

    text: str
    item: str = ""
    did: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """The story as the memory tells it."""

    lead: Person
    companion: Person
    rival: Person
    place: str
    tool: str
    thread: str
    facts: tuple[Fact, ...] = ()

    def memory(self) -> str:
        """The short-term memory: who and where first, then what happened, oldest fact first."""
        lead, companion, rival = self.lead, self.companion, self.rival
        standing = [
            f"{lead.name} is {lead.role}, and this is {lead.pronouns.possessive} story.",
            (
                f"{companion.name} is {companion.role}, goes where {lead.name} goes "
                f"and speaks {companion.pronouns.possessive} mind."
            ),
            f"{rival.name} is {rival.role} who would rather they stopped asking.",
            f"It all happens in and around {self.place}.",
            f"{lead.name} carries {self.tool}.",
            f"Nobody knows yet {self.thread}.",
        ]
        return " ".join([*standing, *(fact.text for fact in self.facts)])

    def with_facts(self, added: Iterable[Fact]) -> "State":
        """With more facts, and without the oldest that no longer fit."""
        facts = [*self.facts, *added]
        own = [fact for fact in facts if fact.own][-OWN_FACTS:]
        others = [fact for fact in facts if not fact.own][-OTHER_FACTS:]
        return replace(self, facts=tuple(f for f in facts if f in own or f in others))


_NAME = r"(?P<name>(?:(?:Dr|Mr|Mrs|Ms|St|Prof)\. )?[^\s,.;:!?][^,.;:!?]{0,40}?)"
_ROLE = r"(?P<role>(?:an?|the) [^.;:!?]{1,80}?)"
_LEAD = re.compile(rf"{_NAME} is {_ROLE}, and this is (?P<whose>her|his|their) story\.")
_COMPANION = re.compile(
    rf"{_NAME} is {_ROLE}, goes where .+ goes and speaks (?P<whose>her|his|their) mind\."
)
_RIVAL = re.compile(rf"{_NAME} is {_ROLE} who would rather they stopped asking\.")
_PLACE = re.compile(r"It all happens in and around (?P<place>.{1,80})\.")
_TOOL = re.compile(r".{1,40} carries (?P<tool>an? .{1,60})\.")
_THREAD = re.compile(r"Nobody knows yet (?P<thread>.{1,100})\.")
_SOMEBODY = re.compile(rf"{_NAME} is {_ROLE}\.")
_FOUND = re.compile(
    r"(?P<who>[^\W\d_]\S*(?: [A-Z]\S*)*?) (?P<rest>(?P<did>.{1,120}?)"
    r" and found (?P<item>an? [^,]{1,40}), .{1,120}\.)"
)
_KNOWN = re.compile(r"It is known now that .+\.")


def find_fact(did: str, item: str, meaning: str, lead: str) -> Fact:
    """The fact that a turn leaves behind."""
    return Fact(f"{lead} {did} and found {item}, {meaning}.", _the(item), did, own=True)


def known_fact(answer: str) -> Fact:
    """The fact that an answered question leaves behind."""
    return Fact(f"It is known now that {answer}.", own=True)


def read_state(memory: str, brief: Brief) -> State:
    """The story that a memory tells; gaps are filled from the premise."""
    state = invent(brief)
    facts: list[Fact] = []
    named: set[str] = set()
    for sentence in sentences(memory):
        known = _read_standing(state, sentence, named)
        if known is None:
            facts.append(Fact(sentence))
        else:
            state = known
    state = _unlike(state, brief)
    return replace(state, facts=tuple(_read_fact(fact.text, state.lead.name) for fact in facts))


def invent(brief: Brief) -> State:
    """The state before anything has happened: from the premise's words, the rest from the mood."""
    reading, mood = read_premise(brief), detect_mood(brief)
    rng = seeded("cast", brief.premise[:READ_CHARACTERS])
    lead, companion = _pair(reading, mood, rng)
    rival_name = _other(RIVALS, rng, {lead.name, companion.name})
    if len(reading.people) > 2:
        rival_name = reading.people[2]
    rival_role = _other(_not_named(mood.roles, reading), rng, {lead.role, companion.role})
    return State(
        lead=lead,
        companion=companion,
        rival=Person(rival_name, rival_role, THEY),
        place=reading.place or rng.choice(mood.places),
        tool=rng.choice(mood.tool),
        thread=thread_at(brief, mood, 0),
    )


def story_seed(brief: Brief) -> str:
    """What tells one story's chance from another's: a number's digits."""
    return str(stable_hash("story", brief.premise[:READ_CHARACTERS], brief.genre))


def thread_at(brief: Brief, mood: Mood, chapter: int) -> str:
    """The question for a chapter: first the premise's own, then the mood's.

    All others come before one does again.
    """
    own = premise_threads(read_premise(brief))
    if chapter < len(own):
        return own[chapter][0]
    questions = [question for question, _ in mood.threads]
    return deal_in_order(questions, f"{story_seed(brief)} thread", chapter - len(own))


def premise_threads(reading: Reading) -> list[tuple[str, str]]:
    """A question and its answer for what the premise names: first of all what has vanished."""
    about = [(MISSING_THREAD, reading.missing)] if reading.missing else []
    about += [(PREMISE_THREADS[kind], goal) for goal, kind in reading.goals]
    if not about and reading.matters:
        about = [(MATTER_THREAD, reading.matters[0])]
    return [
        (question.replace("@", named), answer.replace("@", named))
        for (question, answer), named in about
    ]


def _pair(reading: Reading, mood: Mood, rng: random.Random) -> tuple[Person, Person]:
    hers = reading.hers
    if reading.people:
        name = reading.people[0]
        pronouns = _pronouns(name, hers)
    else:
        pronouns = SHE if (rng.random() < 0.5 if hers is None else hers) else HE
        name = rng.choice(NAMES_HER if pronouns is SHE else NAMES_HIS)
    # Whom the premise names it knows better: no trade is made up for them.
    roles = PLAIN_ROLES if reading.people else _not_named(mood.roles, reading)
    lead = Person(name, reading.role or rng.choice(roles), pronouns)
    if reading.second_role:
        second = _other(NAMES_HER if pronouns is SHE else NAMES_HIS, rng, {name})
        return lead, Person(second, reading.second_role, pronouns)
    if len(reading.people) > 1:
        second = reading.people[1]
        theirs = _pronouns(second, hers if reading.alike else None)
    else:
        # The other gender, so that "she" and "he" are never in doubt.
        theirs = HE if pronouns is SHE else SHE
        second = _other(NAMES_HER if theirs is SHE else NAMES_HIS, rng, {name})
    roles = PLAIN_ROLES if len(reading.people) > 1 else _not_named(mood.roles, reading)
    return lead, Person(second, _other(roles, rng, {lead.role}), theirs)


def _not_named(roles: Sequence[str], reading: Reading) -> list[str]:
    """Without the trades of the premise's own people, so that nobody is taken for one of them."""
    named = {matter.removeprefix("the ") for matter in reading.matters}
    return [role for role in roles if not named & set(role.split())]


def _pronouns(name: str, hers: bool | None) -> Pronouns:
    """By the premise's own words, else by what the list of names or the name's ending suggests."""
    if hers is not None:
        return SHE if hers else HE
    first = name.partition(" ")[0]
    if first in NAMES_HIS:
        return HE
    return SHE if first in NAMES_HER or first.lower().endswith(("a", "ie", "elle", "ine")) else HE


def _other(pool: Sequence[str], rng: random.Random, taken: set[str]) -> str:
    return rng.choice([entry for entry in pool if entry not in taken])


def _read_standing(state: State, sentence: str, named: set[str]) -> State | None:
    """The state with what a standing sentence says, or None for any other sentence."""
    for role, pattern in (("lead", _LEAD), ("companion", _COMPANION), ("rival", _RIVAL)):
        if match := pattern.fullmatch(sentence):
            named.add(role)
            return _with_person(state, role, _person(match))
    if match := _PLACE.fullmatch(sentence):
        state = replace(state, place=match["place"])
    elif match := _TOOL.fullmatch(sentence):
        state = replace(state, tool=match["tool"])
    elif match := _THREAD.fullmatch(sentence):
        state = replace(state, thread=match["thread"])
    elif match := _SOMEBODY.fullmatch(sentence):
        return _read_newcomer(state, match, named)
    return state if match else None


def _with_person(state: State, role: str, person: Person) -> State:
    if role == "lead":
        return replace(state, lead=person)
    if role == "companion":
        return replace(state, companion=person)
    return replace(state, rival=person)


def _read_newcomer(state: State, match: re.Match[str], named: set[str]) -> State | None:
    """Somebody met in words of people's own ("Nora is a pilot."): the lead or the companion."""
    newcomer = Person(match["name"], match["role"], _pronouns(match["name"], None))
    if not match["name"][0].isupper() or match["name"].split()[0] in {"The", "A", "It", "There"}:
        return None
    for role in ("lead", "companion"):
        if role not in named:
            named.add(role)
            return _with_person(state, role, newcomer)
    return None


def _person(match: re.Match[str]) -> Person:
    whose = match.groupdict().get("whose", "")
    return Person(match["name"], match["role"], _BY_POSSESSIVE.get(whose, THEY))


def _read_fact(sentence: str, lead: str) -> Fact:
    """What a sentence tells; in our own ones the lead goes by the name of today."""
    if match := _FOUND.fullmatch(sentence):
        rest, did = match["rest"], match["did"]
        if sentence.startswith(lead + " "):  # A name of several words is no part of the deed.
            rest = sentence[len(lead) + 1 :]
            did = rest[: rest.index(" and found ")]
        return Fact(f"{lead} {rest}", _the(match["item"]), did, own=True)
    return Fact(sentence, own=bool(_KNOWN.fullmatch(sentence)))


def _the(item: str) -> str:
    return "the " + item.partition(" ")[2]


def _unlike(state: State, brief: Brief) -> State:
    """With three different names, whatever the edits came to."""
    taken = {state.lead.name}
    rng = seeded("names", brief.premise[:READ_CHARACTERS])
    companion, rival = state.companion, state.rival
    if companion.name in taken:
        pool = NAMES_HER if companion.pronouns is SHE else NAMES_HIS
        companion = replace(companion, name=_other(pool, rng, taken))
    taken.add(companion.name)
    if rival.name in taken:
        rival = replace(rival, name=_other(RIVALS, rng, taken))
    return replace(state, companion=companion, rival=rival)
