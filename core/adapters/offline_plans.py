"""Making the three plans of a ballot, and reading the one that won.

A title is made of a verb and a goal by offline_grammar's patterns, so that the next turn can tell
from the title alone what was decided. A title that people wrote themselves is read as far as it
goes: its last noun phrase is what the plan aims at.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.adapters.offline_cast import State
from core.adapters.offline_deck import deal, deal_in_order, seeded, stable_hash
from core.adapters.offline_grammar import (
    PLAN_COMPANION,
    PLAN_GAIN,
    PLAN_MATTER,
    PLAN_RISK,
    PLAN_WHY,
    TITLES,
    Stance,
)
from core.adapters.offline_lexicon import GOALS, MOODS, RISK, Kind, Mood
from core.adapters.offline_phrasebook import Phrasebook, can_be_told, cast_words, tell
from core.adapters.offline_premise import Reading, kind_of
from core.domain.story import Plan
from core.domain.text import same_text

TITLE_CHARACTERS = 45
OPENING_DEED = "looked closely at @"
"""What the lead does in a story's first turn, which follows no plan."""
_KIND_STEPS = (0, 1, 3)
"""Which three of the five kinds a ballot has, counted from its turn's number: in five turns each
kind has each step once."""
_PREMISE_EVERY = 52
"""Every so many turns one plan comes back to a thing of the premise."""
_AHEAD = 30
"""Other plans are those of a turn so far ahead: half the time in which every goal has its turn, so
that theirs were offered long ago and will be long after."""
_LOOKED_AHEAD = 30
"""Turns that are looked through for a ballot without a goal of the plans that were refused."""

_NOUN_PHRASE = re.compile(
    r"\b(?:the|an?|his|her|their|its|my|our|your)\s+([\w'’-]+(?:\s+[\w'’-]+)?)", re.IGNORECASE
)
_STOP = frozenset(
    {
        "and",
        "or",
        "at",
        "in",
        "on",
        "to",
        "of",
        "off",
        "by",
        "for",
        "from",
        "with",
        "without",
        "into",
        "before",
        "after",
        "until",
        "under",
        "over",
        "again",
        "away",
        "first",
        "alone",
        "tonight",
        "now",
        "then",
        "out",
        "up",
        "down",
        "back",
        "once",
    }
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the winning plan comes to.

    Attributes:
        did: past tense ("broke into the boathouse"); "" for a title of people's own.
        goal: what it aims at: "the boathouse", or the title in quotes where no noun was found.
        kind: what the goal is, None where it can't be told.
        risk: what may go wrong, or "".
        leaves: a fact that holds once it is done, its slots open; "" where none is known.
    """

    did: str
    goal: str
    kind: Kind | None
    risk: str
    leaves: str = ""


class _Deed(NamedTuple):
    """A line of TITLES."""

    base: str
    past: str
    rest: str
    leaves: str
    kind: Kind


def read_plan(plan: Plan, reading: Reading) -> Choice:
    """Read a plan, of our own making or edited."""
    risk = next((risk for risk in _all_risks() if risk.lower() in plan.text.lower()), "")
    for deed in _deeds():
        goal = _between(plan.title.rstrip(".!"), f"{deed.base} {deed.rest}")
        if goal and _is_goal(goal, deed.kind, reading):
            did = f"{deed.past} {deed.rest}".replace("@", goal)
            return Choice(did, goal, deed.kind, risk, deed.leaves)
    goal = _goal_of(plan.title)
    return Choice("", goal, kind_of(goal), risk)


def make_plans(seed: str, number: int, state: State, mood: Mood, reading: Reading) -> list[Plan]:
    """Three plans for turn ``number + 1``: one careful, one bold, one strange, of three kinds."""
    return [
        _make_plan(seed, number, state, mood, reading, stance, *aim)
        for stance, aim in zip(Stance, plan_aims(seed, number, mood, reading), strict=True)
    ]


def other_plans(
    seed: str, number: int, state: State, mood: Mood, reading: Reading, refused: Sequence[Plan]
) -> list[Plan]:
    """Three plans as ``make_plans`` makes them, none of which aims where a refused one does."""
    plans: list[Plan] = []
    for ahead in range(_AHEAD, _AHEAD + _LOOKED_AHEAD):
        plans = make_plans(seed, number + ahead, state, mood, reading)
        if not any(_alike(plan, other, reading) for plan in plans for other in refused):
            break
    return plans


def _alike(plan: Plan, other: Plan, reading: Reading) -> bool:
    return (
        read_plan(plan, reading).goal == read_plan(other, reading).goal
        or same_text(plan.title, other.title)
        or same_text(plan.text, other.text)
    )


def matter_of(reading: Reading, place: int) -> str:
    """What a paragraph comes back to: mostly the premise's main thing, else its people; or ""."""
    about = [*reading.matters] or [reading.kin]
    turn, other = divmod(place, 4)
    return about[(turn % (len(about) - 1)) + 1] if not other and len(about) > 1 else about[0]


def _noun(phrase: str) -> str:
    return phrase.rpartition(" ")[2]


def goal_of_deed(did: str, reading: Reading) -> str:
    """What an earlier deed aimed at ("broke into the boathouse" → "the boathouse"), or ""."""
    for deed in _deeds():
        goal = _between(did, f"{deed.past} {deed.rest}")
        if goal and _is_goal(goal, deed.kind, reading):
            return goal
    return _between(did, OPENING_DEED)


def plan_aims(seed: str, number: int, mood: Mood, reading: Reading) -> list[tuple[str, Kind]]:
    """What the three plans made after turn ``number`` aim at; its paragraph names them."""
    rng = seeded(seed, "kinds", number)
    kinds = list(Kind)
    aims: list[tuple[str, Kind]] = []
    for step in rng.sample(_KIND_STEPS, len(_KIND_STEPS)):
        kind = kinds[(number + step) % len(kinds)]
        # How often the kind has been used before: a goal comes back when all have had their turn.
        place = number // len(kinds) * len(_KIND_STEPS) + _KIND_STEPS.index(step)
        aims.append((deal_in_order(mood.goals[kind] + GOALS[kind], f"{seed} {kind}", place), kind))
    own = _premise_goal(number, reading)
    if own and own not in aims:
        aims[rng.randrange(3)] = own
    return aims


def _premise_goal(number: int, reading: Reading) -> tuple[str, Kind] | None:
    """Each thing of the premise twice at the beginning, later one now and then."""
    if number <= 2 * len(reading.goals):
        return reading.goals[(number - 1) % len(reading.goals)]
    if reading.goals and number % _PREMISE_EVERY == 0:
        return reading.goals[number // _PREMISE_EVERY % len(reading.goals)]
    return None


def _make_plan(
    seed: str,
    number: int,
    state: State,
    mood: Mood,
    reading: Reading,
    stance: Stance,
    goal: str,
    kind: Kind,
) -> Plan:
    base, rest = _title(seed, number, stance, kind, goal)
    risks = mood.risk + RISK
    offset = list(Stance).index(stance)
    risk, _ = deal(risks, f"{seed} risk", number * len(Stance) + offset)
    found = [fact.item for fact in state.facts if fact.item][-4:]
    words = cast_words(state) | {"goal": goal, "risk": risk}
    if found:
        words["olditem"] = found[number % len(found)]
    matter = matter_of(reading, number + offset)
    why = PLAN_WHY
    named = matter and _noun(matter) != _noun(goal)
    if named and (number == 1 or number % len(Stance) == offset):
        why, words["matter"] = PLAN_MATTER, matter
    book = Phrasebook(mood)
    does = f"{_third_person(base)} {rest}".replace("@", goal)
    start = stable_hash(seed, stance) + number
    text, used = book.word_it(f"{{L}} {does}, {{manner:L}}.", start)
    parts = [tell(text, words)]
    for pool in (why, PLAN_COMPANION, PLAN_RISK, PLAN_GAIN):
        seed_of_part = f"{seed} plan {stance} {len(parts)}"
        pattern, round_number = deal(pool[stance], seed_of_part, number)
        text, taken = book.word_it(pattern, start + round_number, used)
        if not can_be_told(text, words):
            told = (book.word_it(other, start, used) for other in pool[stance])
            text, taken = next(pair for pair in told if can_be_told(pair[0], words))
        used |= taken
        parts.append(tell(text, words))
    return Plan(f"{base} {rest}".replace("@", goal), " ".join(parts))


def _title(seed: str, number: int, stance: Stance, kind: Kind, goal: str) -> tuple[str, str]:
    """A verb and the rest, short enough together; every list has one for the longest goal."""
    deeds = [_deed(line, kind) for line in TITLES[stance, kind]]
    short = [
        (deed.base, deed.rest)
        for deed in deeds
        if len(f"{deed.base} {deed.rest}") - 1 + len(goal) <= TITLE_CHARACTERS
    ]
    return deal(short, f"{seed} title {stance} {kind}", number)[0]


def _between(text: str, pattern: str) -> str:
    """What stands for ``@`` if the text fits the pattern and it begins with "the", else ""."""
    before, after = pattern.split("@")
    goal = text.removeprefix(before).removesuffix(after)
    return goal if before + goal + after == text and goal.startswith("the ") else ""


def _deeds() -> Iterator[_Deed]:
    for (_, kind), lines in TITLES.items():
        for line in lines:
            yield _deed(line, kind)


def _deed(line: str, kind: Kind) -> _Deed:
    base, past, rest, leaves = line.split("|")
    return _Deed(base, past, rest, leaves, kind)


def _is_goal(goal: str, kind: Kind, reading: Reading) -> bool:
    """Whether a goal is of that kind, since a title alone may fit several patterns."""
    own = dict(reading.goals)
    if goal in own:
        return own[goal] is kind
    known = {k for k in Kind if goal in _all_goals(k)}
    return kind in known or (not known and kind_of(goal) is kind)


def _all_goals(kind: Kind) -> set[str]:
    return {goal for mood in MOODS for goal in mood.goals[kind]} | set(GOALS[kind])


def _all_risks() -> list[str]:
    """Longest first, so that a risk isn't found inside another."""
    return sorted({risk for mood in MOODS for risk in mood.risk} | set(RISK), key=len)[::-1]


def _goal_of(title: str) -> str:
    """The last noun phrase of a title; the title in quotes where none can be told."""
    goal = ""
    for match in _NOUN_PHRASE.finditer(title):
        words = match[1].split()
        if len(words) > 1 and words[1].lower() in _STOP:
            words = words[:1]
        goal = f"the {' '.join(words)}"
    return goal or f"“{title.strip()}”"


def _third_person(verb: str) -> str:
    """The first word as "she" takes it: "Ask around about" → "asks around about"."""
    first, *others = verb.split(" ", 1)
    first = first.lower()
    if first.endswith(("s", "sh", "ch", "x", "o")):
        first += "es"
    elif first.endswith("y") and first[-2] not in "aeiou":
        first = first[:-1] + "ies"
    else:
        first += "s"
    return " ".join([first, *others])
