"""How well repeats are told from a story that goes on: planted echoes and plans that are one.

Paragraphs and plans are made of the wordings of a set. What is planted is known, so every alarm is
right or false. The hardest thing that is no repeat is a paragraph of the very same sentences about
other people, places and things: a real story has none that is so near.
"""

from collections.abc import Sequence
from random import Random

from core.domain.story import Plan, Vector
from core.domain.variety import echoed, nearness
from tests.eval.families import Wordings
from tests.eval.vectors import KnownVectors

SENTENCES = 20
PAIRS = 200
PLANTED = (1, 2, 3, 4, 5, 6, 10, 20)
CHANGED_WORD = 10
"""In a repeat that isn't word for word every so manyth word (in Chinese: sign) is another one."""


def echoes(words: Wordings, seed: int = 1) -> list[tuple[str, float, float]]:
    """Shares of alarms: what was planted, word for word and with one word in ten changed."""
    chance = Random(f"echoes {seed}")
    rows: list[tuple[str, float, float]] = []
    for planted in PLANTED:
        exact = [_alarm(words, chance, planted, change=False) for _ in range(PAIRS)]
        changed = [_alarm(words, chance, planted, change=True) for _ in range(PAIRS)]
        rows.append((f"{planted} of {SENTENCES} sentences", _mean(exact), _mean(changed)))
    others = _mean([_false_alarm(words, chance) for _ in range(PAIRS)])
    strangers = _mean(_strangers(words, chance))
    return [
        ("none, other sentences", strangers, strangers),
        *rows,
        ("none, same sentences about others", others, others),
    ]


async def plans(words: Wordings, vectors: KnownVectors, seed: int = 1) -> list[tuple[str, float]]:
    """Shares of alarms about two plans: the same in other words, a neighbour, another one."""
    chance = Random(f"plans {seed}")
    same: list[tuple[Plan, Plan]] = []
    near: list[tuple[Plan, Plan]] = []
    other: list[tuple[Plan, Plan]] = []
    for _ in range(PAIRS):
        family, stranger = chance.sample(words.families, 2)
        thing, neighbour = chance.sample(family.things, 2)
        slots = _slots(words, chance)
        one, again = chance.sample((*family.named, *family.half, *family.nameless), 2)
        told = _plan(words, chance, one.format(**slots, x=thing.meant), slots)
        same.append((told, _plan(words, chance, again.format(**slots, x=thing.meant), slots)))
        near.append((told, _plan(words, chance, again.format(**slots, x=neighbour.meant), slots)))
        far = chance.choice(stranger.named).format(**slots, x=chance.choice(stranger.things).meant)
        other.append((told, _plan(words, chance, far, slots)))
    kinds = {
        "the same in other words": same,
        "the same kind of step, another thing": near,
        "another step of the same people": other,
        "word for word": [(one, one) for one, _ in same],
    }
    # As the bot does: by letters alone where the embedder doesn't read the language.
    by_meaning = vectors if vectors.reads(words.language) else None
    return [(name, await _alarms(pairs, by_meaning)) for name, pairs in kinds.items()]


async def _alarms(pairs: Sequence[tuple[Plan, Plan]], vectors: KnownVectors | None) -> float:
    alarms: list[bool] = []
    for one, other in pairs:
        meant: tuple[Vector, Vector] | None = None
        if vectors is not None:
            first, second = await vectors.embed([str(one), str(other)])
            meant = (first, second)
        alarms.append(nearness(one, other, meant) >= 1)
    return _mean(alarms)


def _plan(words: Wordings, chance: Random, step: str, slots: dict[str, str]) -> Plan:
    """A plan of one step, under some title."""
    return Plan(chance.choice(words.titles).format(**slots), step)


def _alarm(words: Wordings, chance: Random, planted: int, *, change: bool) -> bool:
    told = _told(words, chance, 2 * SENTENCES)
    earlier, later = told[:SENTENCES], told[SENTENCES:]
    repeats = earlier[:planted]
    if change:
        repeats = [_changed(sentence) for sentence in repeats]
    return _is_echo([*repeats, *later[planted:]], earlier)


def _false_alarm(words: Wordings, chance: Random) -> bool:
    patterns = chance.sample(_patterns(words), SENTENCES)
    told = [[_filled(words, chance, one) for one in patterns] for _ in range(2)]
    return _is_echo(told[0], told[1])


def _strangers(words: Wordings, chance: Random) -> list[bool]:
    found: list[bool] = []
    for _ in range(PAIRS):
        told = _told(words, chance, 2 * SENTENCES)
        found.append(_is_echo(told[:SENTENCES], told[SENTENCES:]))
    return found


def _is_echo(later: Sequence[str], earlier: Sequence[str]) -> bool:
    return bool(echoed(" ".join(later), [" ".join(earlier)]))


def _told(words: Wordings, chance: Random, count: int) -> list[str]:
    return [_filled(words, chance, one) for one in chance.sample(_patterns(words), count)]


def _patterns(words: Wordings) -> list[tuple[str, int]]:
    """Every sentence that a paragraph may have, with the place of its family (or -1)."""
    own = [(one, at) for at, family in enumerate(words.families) for one in family.paragraph]
    return [*own, *((one, -1) for one in words.deeds)]


def _filled(words: Wordings, chance: Random, pattern: tuple[str, int]) -> str:
    sentence, place = pattern
    slots = _slots(words, chance)
    if place >= 0:
        thing = chance.choice(words.families[place].things)
        slots |= {"x": thing.said, "state": chance.choice(thing.states or ("",))}
    return sentence.format(**slots)


def _slots(words: Wordings, chance: Random) -> dict[str, str]:
    one, other = chance.sample(words.people, 2)
    return {"A": one, "B": other, "P": chance.choice(words.places)}


def _changed(sentence: str) -> str:
    space = " " if " " in sentence else ""
    words = sentence.split() if space else list(sentence)
    for at in range(CHANGED_WORD // 2, len(words), CHANGED_WORD):
        words[at] = "某" if not space else f"un{words[at]}"
    return space.join(words)


def _mean(alarms: Sequence[bool]) -> float:
    return sum(alarms) / len(alarms)
