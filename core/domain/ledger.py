"""What the long-term memory holds of a turn, as whoever amends it reads and writes it.

A fact is a line, "About: what holds". It is known by its key, which lines don't show; so the lines
that come back are laid beside those that were shown. A line that reads as before is the same fact,
whatever place it moved to. A line that is like one that went is that fact in other words: what it
ended stays ended, and what ended it still does. Any other line is a new fact, which nothing has
ended yet; what facts about the same thing had ended that went, it ends. A line that is gone leaves
a dropped fact, which nothing finds and which the same line brings back.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from core.domain.entries import Fact
from core.domain.legible import is_blank, legible
from core.domain.recurrence import ABOUT_UNITS, FACT_UNITS, FACTS
from core.domain.story import Reflection, Turn
from core.domain.text import clip, same_text, sentences, similarity, utf16_length
from core.errors import InputError

ALIKE = 0.5
"""Likeness from which a fact is another one in other words. Measured with ``similarity``: a fact
with a name or a place exchanged 0.5 to 0.75, two facts about one person 0.1 to 0.4."""
QUOTED_UNITS = 40
"""How much of a line stands in a refusal, so that it is found again."""

_PARTED = re.compile(r"([^:：]*)[:：](.*)")


@dataclass(frozen=True, slots=True)
class TurnMemory:
    """What the long-term memory holds of a turn.

    Attributes:
        summary: what happened in it.
        facts: what the ledger gained by it, dropped ones too, in the order of their keys.
        chapter: the stretch that it ends, condensed; empty where there is none.
    """

    summary: str
    facts: tuple[Fact, ...] = ()
    chapter: str = ""

    def __str__(self) -> str:
        """All that stands of it as one text: the summary alone where there is nothing else."""
        return as_text(self.summary, lines(self.facts), self.chapter)


def memory_of(turn: Turn) -> TurnMemory:
    """What a turn's reflection left; nothing before it."""
    if turn.reflection is None:
        return TurnMemory("")
    return TurnMemory(turn.reflection.summary, turn.reflection.facts, turn.reflection.chapter)


def with_memory(reflection: Reflection, memory: TurnMemory) -> Reflection:
    """A reflection that leaves this, and is what it was in all else."""
    return replace(reflection, summary=memory.summary, facts=memory.facts, chapter=memory.chapter)


def restored(was: TurnMemory, now: TurnMemory) -> TurnMemory:
    """What was remembered before an amendment; facts that came since stay as dropped ones.

    Their keys aren't given again: a later turn's fact may have ended one of them.
    """
    return replace(was, facts=(*was.facts, *_dropped(now.facts, {one.key for one in was.facts})))


def reflected_again(earlier: Sequence[Fact], facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts of another reflection on a turn, with keys that no earlier one of it had.

    Args:
        earlier: of the reflections before it, dropped ones too; they stay as dropped ones.
        facts: of the newest.
    """
    first = max((fact.key for fact in earlier), default=0) + 1
    new = [replace(fact, key=key) for key, fact in enumerate(facts, start=first)]
    return (*_dropped(earlier, ()), *new)


def _dropped(facts: Sequence[Fact], but: Collection[int]) -> list[Fact]:
    """Facts struck out, all but those with some keys."""
    return [replace(fact, dropped=True) for fact in facts if fact.key not in but]


def as_text(summary: str, facts: str, chapter: str) -> str:
    """The three parts as one text, those that are empty left out."""
    named = (("Facts", facts), ("Chapter", chapter))
    return "\n\n".join([summary, *(f"{name}:\n{text}" for name, text in named if text)])


def line(fact: Fact) -> str:
    """A fact as it is read and written."""
    return _one_line(f"{fact.about}: {fact.text}")


def lines(facts: Sequence[Fact]) -> str:
    """The facts that stand, a line each."""
    return "\n".join(line(fact) for fact in facts if not fact.dropped)


def told_no_more(was: TurnMemory, now: TurnMemory) -> list[str]:
    """What was told and isn't any more: sentences of summary and chapter, and facts."""
    after = set(_told(now))
    return [one for one in _told(was) if one not in after]


def kept_facts(was: TurnMemory, now: TurnMemory) -> frozenset[int]:
    """Keys of the facts that read as before."""
    before = {fact.key: line(fact) for fact in was.facts if not fact.dropped}
    return frozenset(
        fact.key for fact in now.facts if not fact.dropped and before.get(fact.key) == line(fact)
    )


def _told(memory: TurnMemory) -> Iterator[str]:
    yield from sentences(memory.summary)
    yield from (line(fact) for fact in memory.facts if not fact.dropped)
    yield from sentences(memory.chapter)


# ── lines that come back ─────────────────────────────────────────────────────────────────────────


def amended(facts: Sequence[Fact], text: str) -> tuple[Fact, ...]:
    """The facts of a turn after their lines were edited, in the order of their keys.

    Args:
        facts: as they were, dropped ones too.
        text: a line for each fact that stands; empty lines count for nothing.

    Raises:
        InputError: too many lines, or one that isn't "About: fact" or is too long.
    """
    written = [one for one in map(_one_line, legible(text).split("\n")) if not is_blank(one)]
    if len(written) > FACTS:
        raise InputError(f"There are {len(written)} facts; a turn may have at most {FACTS}.")
    stand = _unchanged(facts, written)
    said = {
        place: _said(facts, place, one) for place, one in enumerate(written) if place not in stand
    }
    kept = {fact.key for fact in stand.values()}
    went = [fact for fact in facts if not fact.dropped and fact.key not in kept]
    for place, fact in _alike(went, said).items():
        new = said.pop(place)
        stand[place] = replace(fact, about=new.about, text=new.text)
        went.remove(fact)
    highest = max((fact.key for fact in facts), default=0)
    for key, (place, new) in enumerate(said.items(), start=highest + 1):
        stand[place] = replace(new, key=key, ends=_ended_about(new.about, went))
    keys = {fact.key for fact in stand.values()}
    return tuple(sorted([*stand.values(), *_dropped(facts, keys)], key=lambda fact: fact.key))


def _unchanged(facts: Sequence[Fact], written: Sequence[str]) -> dict[int, Fact]:
    """Line by line the fact that it is word for word; one that stands before a dropped one."""
    left = sorted(facts, key=lambda fact: fact.dropped)
    found: dict[int, Fact] = {}
    for place, one in enumerate(written):
        fact = next((fact for fact in left if line(fact) == one), None)
        if fact is not None:
            left.remove(fact)
            found[place] = replace(fact, dropped=False)
    return found


def _alike(went: Sequence[Fact], said: Mapping[int, Fact]) -> dict[int, Fact]:
    """The lines that are like a fact that went, the likest first."""
    pairs = [
        (similarity(new.text, fact.text), place, fact)
        for (place, new), fact in product(said.items(), went)
    ]
    found: dict[int, Fact] = {}
    for likeness, place, fact in sorted(pairs, key=lambda pair: -pair[0]):
        if likeness >= ALIKE and place not in found and fact not in found.values():
            found[place] = fact
    return found


def _ended_about(about: str, went: Sequence[Fact]) -> tuple[str, ...]:
    """What those of some facts had ended that are about a thing."""
    same = [fact for fact in went if same_text(fact.about, about)]
    return tuple(dict.fromkeys(id_ for fact in same for id_ in fact.ends))


def _said(facts: Sequence[Fact], place: int, one: str) -> Fact:
    """What a line says, as a fact without a key. Raises InputError, see ``amended``."""
    about, text = _parted([fact.about for fact in facts], one)
    where = f"Line {place + 1} (“{clip(one, QUOTED_UNITS)}”)"
    if is_blank(about) or is_blank(text):
        raise InputError(
            f"{where} isn't a fact: say in front what it is about, and behind a colon what holds."
        )
    for name, part, limit in (("what it is about", about, ABOUT_UNITS), ("it", text, FACT_UNITS)):
        if (length := utf16_length(part)) > limit:
            raise InputError(
                f"{where} is too long: {name} has {length} characters; it may have at most {limit}."
            )
    return Fact(0, about, text)


def _parted(names: Sequence[str], one: str) -> tuple[str, str]:
    """What a line is about, and what it says of it; a name that is known may hold a colon."""
    for name in sorted(names, key=len, reverse=True):
        if one.startswith(f"{name}:"):
            return name, one[len(name) + 1 :].strip()
    parted = _PARTED.fullmatch(one)
    return (parted[1].strip(), parted[2].strip()) if parted else ("", one)


def _one_line(text: str) -> str:
    return " ".join(text.split())
