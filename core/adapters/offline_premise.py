"""What can be read out of a premise without a model: its people, its places, its things, its mood.

Heuristics over capitals, small words and lists of nouns; made for English, harmless in any language
(they then find names or nothing). The same premise always gives the same reading.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.adapters.offline_lexicon import (
    MOODS,
    PERSON_NOUNS,
    PLACE_NOUNS,
    SIGN_NOUNS,
    THING_NOUNS,
    WAY_NOUNS,
    Kind,
    Mood,
)
from core.domain.story import Brief
from core.domain.text import sentences

READ_CHARACTERS = 600
"""Longer premises are read to here: a step's context may hold no more of them than that."""
_GOAL_CHARACTERS = 22


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")
_DETERMINERS = _words("""a an the her his their its my our your every one two three each this that
    another last first no some old young""")
_PREPOSITIONS = _words("in at on near from to into of under over across beyond aboard")
_SMALL = _words("""a an the and or but if when while where who whom whose which that this these
    those as at by for from in into of off on onto over to under up with without within after
    before between about against across along among behind below beneath beside beyond during
    near since through toward towards until upon is are was were be been being has have had do
    does did can could will would shall should may might must not no nor so than then there
    here he she it they we you i him her them us me his its their our your my one two three
    once every each all any some what how why only just never always still again very too also
    because""")
_NOT_NAMES = _SMALL | _words("""someone somebody everyone everybody nobody nothing something
    everything many most few another last first deep long far late early tonight today
    yesterday tomorrow years centuries meanwhile suddenly inside outside write tell story
    imagine let during monday tuesday wednesday thursday friday saturday sunday january
    february march april may june july august september october november december christmas
    easter god english french german spanish old young four five six seven eight nine ten
    seventy fifty""")
_FOREIGN_ARTICLES = _words("""der die das den dem des ein eine einen einem einer im am zum zur vom
    ins durch el la los las un una unos unas le les une du il lo gli der het een""")
"""A capital after one of these is a German noun more often than a name."""
_HERS = _words(
    """she her hers herself daughter woman girl queen princess mother sister widow witch nun
    sisters daughters women girls"""
)
_HIS = _words(
    "he his him himself son man boy king prince father brother monk butler brothers sons men boys"
)
_SEVERAL = _words("sisters daughters women girls brothers sons men boys")
_ENGLISH = _words("the a an of and to in is who that with her his their on for at from")
_VERB_LIKE = re.compile(r"(?:s|ed|ing)$")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a premise names.

    Attributes:
        people: names of people, in their order.
        hers: True where its words point to a woman, False to a man, None to neither.
        alike: whether they point to several alike ("two sisters").
        role: what the first person is, with article ("a lighthouse keeper"), or "".
        place: where it plays ("the lighthouse", "Saltmere"), or "".
        goals: things and places that plans can aim at, with "the", by kind.
        english: whether it looks like English.
    """

    people: tuple[str, ...]
    hers: bool | None
    alike: bool
    role: str
    place: str
    goals: tuple[tuple[str, Kind], ...]
    english: bool


def detect_mood(brief: Brief) -> Mood:
    """The mood whose keywords stand most often in genre (counted twice) and premise."""
    words = _lower(f"{brief.premise[:READ_CHARACTERS]} {brief.genre} {brief.genre}")
    *called, left_over = MOODS
    best = max(called, key=lambda mood: sum(word in mood.keywords for word in words))
    if sum(word in left_over.keywords for word in words) > sum(
        word in best.keywords for word in words
    ):
        return left_over
    return best if any(word in best.keywords for word in words) else left_over


def read_premise(brief: Brief) -> Reading:
    """Read a brief's premise."""
    text = brief.premise[:READ_CHARACTERS].strip()
    words = _lower(text)
    people, places = _names(text)
    phrases = list(_noun_phrases(text))
    roles = [phrase for phrase in phrases if phrase.split()[-1] in PERSON_NOUNS]
    spots = [phrase for phrase in phrases if phrase.split()[-1] in PLACE_NOUNS]
    hers = sum(word in _HERS for word in words)
    his = sum(word in _HIS for word in words)
    return Reading(
        people=tuple(people),
        hers=None if hers == his else hers > his,
        alike=any(word in _SEVERAL for word in words),
        role=_role(text, people, roles),
        place=places[0] if places else f"the {spots[0]}" if spots else "",
        goals=tuple(
            _goals(phrases, [*([] if people else roles[:1]), *([] if places else spots[:1])])
        ),
        english=sum(word in _ENGLISH for word in words) * 12 >= len(words) > 0,
    )


def with_article(noun: str) -> str:
    """The noun with "a" or "an", by its first letter and the few nouns that sound otherwise."""
    sounds_like_you = re.match(r"(?:uni(?!n)|us[ei]|eu|one\b|once\b)", noun.lower())
    silent = re.match(r"(?:hour|heir|honest|honou?r)", noun.lower())
    vowel = bool(silent) or (noun[:1].lower() in "aeiou" and not sounds_like_you)
    return f"{'an' if vowel else 'a'} {noun}"


def definite(phrase: str) -> str:
    """The phrase with "the" for its indefinite article."""
    return re.sub(r"^an? ", "the ", phrase)


def kind_of(goal: str) -> Kind | None:
    """What a goal is, by its last noun; None where the lists of nouns don't know it."""
    words = goal.lower().split()
    head = words[-1] if words else ""
    for kind, nouns in (
        (Kind.PERSON, PERSON_NOUNS),
        (Kind.PLACE, PLACE_NOUNS),
        (Kind.WAY, WAY_NOUNS),
        (Kind.THING, THING_NOUNS),
        (Kind.SIGN, SIGN_NOUNS),
    ):
        if head in nouns:
            return kind
    return None


def _role(text: str, people: list[str], roles: list[str]) -> str:
    """What the first person is: said beside the name, or the premise's first trade if unnamed."""
    if not people:
        return with_article(roles[0]) if roles else ""
    name = re.escape(people[0])
    if kept := re.search(rf"{name} keeps (?:the|an?) (\w+(?: \w+)?)", text):
        phrase = _phrase(_WORD.findall(kept[1]))
        return f"the keeper of the {phrase}" if phrase else ""
    for role in roles:
        before = rf"{re.escape(role)},? (?:named |called )?{name}\b"
        behind = rf"\b{name},? (?:is |was )?(?:an?|the|her|his) {re.escape(role)}\b"
        if re.search(f"{before}|{behind}", text):
            return with_article(role)
    return ""


def _lower(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _names(text: str) -> tuple[list[str], list[str]]:
    """Names of people and of places; a name after a preposition is a place's."""
    people: list[str] = []
    places: list[str] = []
    for sentence in sentences(text):
        for name, before, after in _capitalised(sentence):
            if before in _PREPOSITIONS | PLACE_NOUNS or _calls_a_place(sentence, name):
                places.append(name)
            elif before not in _FOREIGN_ARTICLES and (before or _can_be_subject(name, after)):
                people.append(name)
    return list(dict.fromkeys(people)), list(dict.fromkeys(places))


def _capitalised(sentence: str) -> Iterator[tuple[str, str, str]]:
    """Runs of capitalised words with the words before and after ("" at the edges)."""
    words = list(_WORD.finditer(sentence))
    index = 0
    while index < len(words):
        start = index
        while index < len(words) and _is_capitalised(sentence, words, index, start):
            index += 1
        if index > start:
            name = sentence[words[start].start() : words[index - 1].end()]
            name = re.sub(r"['’]s$", "", name)
            before = words[start - 1][0].lower() if start else ""
            after = words[index][0].lower() if index < len(words) else ""
            yield name, before, after
        index = max(index, start + 1)


def _is_capitalised(sentence: str, words: list[re.Match[str]], index: int, start: int) -> bool:
    word = words[index][0]
    if not word[0].isupper() or len(word) < 2 or word.lower() in _NOT_NAMES:
        return False
    gap = sentence[words[index - 1].end() : words[index].start()] if index > start else " "
    return not gap.strip()


def _calls_a_place(sentence: str, name: str) -> bool:
    found = re.search(r"(\w+),? (?:called|named) " + re.escape(name), sentence)
    return bool(found) and found[1].lower() in PLACE_NOUNS


def _can_be_subject(name: str, after: str) -> bool:
    """Whether a capital at a sentence's start looks like a name: "Mira finds", not "Bees swarm"."""
    head = name.rsplit(maxsplit=1)[-1].lower()
    if head in PERSON_NOUNS | PLACE_NOUNS | THING_NOUNS:
        return False
    return (
        " " in name
        or after in {"and", "is", "was", "has", "must", "who", "can", "a", "the"}
        or (bool(_VERB_LIKE.search(after)) and not name.endswith("s"))
    )


def _noun_phrases(text: str) -> Iterator[str]:
    """One or two words after a determiner, up to what looks like a verb: "lighthouse keeper"."""
    for clause in re.split(r"[^\w\s'’-]+", text):
        words = _WORD.findall(clause)
        for index, word in enumerate(words):
            if word.lower() in _DETERMINERS:
                phrase = _phrase(words[index + 1 :])
                if phrase:
                    yield phrase


def _phrase(words: list[str]) -> str:
    taken: list[str] = []
    for index, word in enumerate(words[:4]):
        following = words[index + 1].lower() if index + 1 < len(words) else ""
        verb = taken and _VERB_LIKE.search(word) and following in _DETERMINERS | _SMALL
        if word.lower() in _SMALL or word[0].isupper() or verb:
            break
        taken.append(word.lower())
        if word.lower() in _KNOWN and following not in _KNOWN:
            break
    return " ".join(taken[-2:])


_KNOWN = PERSON_NOUNS | PLACE_NOUNS | WAY_NOUNS | SIGN_NOUNS | THING_NOUNS


def _goals(phrases: list[str], not_these: list[str]) -> Iterator[tuple[str, Kind]]:
    seen = set(not_these)
    for phrase in phrases:
        kind = kind_of(phrase)
        if kind is None or phrase in seen or len(phrase) + 4 > _GOAL_CHARACTERS:
            continue
        seen.add(phrase)
        yield f"the {phrase}", kind
