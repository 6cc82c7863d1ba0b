"""What can be read out of a premise without a model: its people, its places, its things, its mood.

Heuristics over capitals, small words and lists of nouns; made for English, harmless in any language
(they then find names or nothing). The same premise always gives the same reading.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.adapters.offline_lexicon import (
    ABSTRACT_NOUNS,
    MOODS,
    NAMES_HER,
    NAMES_HIS,
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
_GOAL_CHARACTERS = 26


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")
_NUMBERS = _words("two three four five six seven eight nine ten")
_DETERMINERS = (
    _words("""a an the her his their its my our your every one each this that another last first
    no some old young""")
    | _NUMBERS
)
_SOME_OF = _words("group band crew pair team couple handful family gang pack crowd troupe company")
"""Of "a band of pirates" the pirates count."""
_ENDS_PHRASE = _words("full later alone aboard away back together apart made out up vs versus")
_MEN = _words("men women children people mice geese wolves")
_GONE = (
    r"(?:(?:has|have|had|is|are|was|were|suddenly|simply|just|goes|went|all|found) )*"
    r"(?:vanish(?:es|ed)?|disappear(?:s|ed)?|dies|died|dead|missing|gone|murdered|kidnapped|stolen)"
)
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
    easter earth mars moon sun god english french german spanish old young four five six seven
    eight nine ten seventy fifty""")
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
_TRADE = re.compile(
    r".(?:ist|ian|eer|man|woman|smith|keeper|maker|blower|monger|wright|herd|ographer|ologist)$"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a premise names.

    Attributes:
        people: names of people who take part, in their order.
        hers: True where its words point to a woman, False to a man, None to neither.
        alike: whether they point to several alike ("two sisters").
        role: what the first person is, with article ("a lighthouse keeper"), or "".
        second_role: what the second one is, where a premise has several alike, or "".
        kin: what the nameless lead is called by others ("the sisters", "the dragon"), or "".
        place: where it plays ("the lighthouse", "Saltmere"), or "".
        goals: things and places that plans can aim at, with "the", by kind; the main one first.
        matters: what it is about, each "the" and one noun, the main one first.
        missing: which of them has vanished, died or been stolen, or "".
        english: whether it looks like English.
    """

    people: tuple[str, ...]
    hers: bool | None
    alike: bool
    role: str
    second_role: str
    kin: str
    place: str
    goals: tuple[tuple[str, Kind], ...]
    matters: tuple[str, ...]
    missing: str
    english: bool


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A noun phrase: its words without the determiner, and where it stands.

    Attributes:
        text: one or two words, in lower case.
        determiner: in front of it, "" for a plural that begins a sentence.
        sentence: in which it stands.
        subject: whether the sentence begins with it.
    """

    text: str
    determiner: str
    sentence: str
    subject: bool

    @property
    def head(self) -> str:
        """Its noun."""
        return self.text.split()[-1]

    @property
    def several(self) -> bool:
        """Whether its noun is a plural."""
        return _is_plural(self.head)

    @property
    def person(self) -> bool:
        """Whether its noun is somebody rather than something."""
        head = _singular(self.head)
        return head in PERSON_NOUNS or (head not in _KNOWN and bool(_TRADE.search(head)))

    @property
    def matter(self) -> str:
        """With "the" and its noun alone."""
        return f"the {self.head}s" if self.determiner in {"every", "each"} else f"the {self.head}"


def detect_mood(brief: Brief) -> Mood:
    """The mood whose keywords stand most often in genre (counted twice) and premise."""
    words = _lower(f"{brief.premise[:READ_CHARACTERS]} {brief.genre} {brief.genre}")
    words = [*words, *(_singular(word) for word in words if _is_plural(word))]
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
    english = sum(word in _ENGLISH for word in words) * 12 >= len(words) > 0
    named, places = _names(text)
    people = [name for name in named if not _is_gone(name, text)]
    phrases = list(_noun_phrases(text, english=english))
    gone = [phrase for phrase in phrases if phrase.subject and _is_gone(phrase.text, text)]
    about = [phrase for phrase in phrases if phrase.head not in ABSTRACT_NOUNS]
    lead = None if people else _lead(about, gone)
    roles = [phrase.text for phrase in about if phrase.person and phrase not in gone]
    spots = [phrase for phrase in about if kind_of(phrase.text) is Kind.PLACE]
    others = [phrase for phrase in about if lead is None or phrase.head != lead.head]
    if not others and english:  # A noun without a determiner, if it is one we know: "brew beer".
        known = (word for word in words if word in _KNOWN - PERSON_NOUNS)
        others = [_Phrase(word, "", text, subject=False) for word in known][:1]
    # Things before people: people come and go, the submarine stays.
    others.sort(key=lambda phrase: phrase.person)
    vanished = [name for name in named if name not in people] + [phrase.matter for phrase in gone]
    role, second_role = _roles_of(lead)
    words = _lower(lead.text) if lead and lead.head in _HERS | _HIS else words
    hers = sum(word in _HERS for word in words)
    his = sum(word in _HIS for word in words)
    return Reading(
        people=tuple(people),
        hers=None if hers == his else hers > his,
        alike=any(word in _SEVERAL for word in _lower(text)) or bool(second_role),
        role=role or _role(text, people, roles),
        second_role=second_role,
        kin=lead.matter if lead else "",
        place=places[0] if places else f"the {spots[0].text}" if spots else "",
        goals=tuple(_goals(phrase for phrase in others if phrase not in gone)),
        matters=tuple(dict.fromkeys([*(phrase.matter for phrase in others), *vanished])),
        missing=vanished[0] if vanished else "",
        english=english,
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
    """What the first person is, said beside the name."""
    if not people:
        return ""
    name = re.escape(people[0])
    if kept := re.search(rf"{name} keeps (?:the|an?) (\w+(?: \w+)?)", text):
        phrase = _phrase(_WORD.findall(kept[1]), english=False)
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
    titled = index > start and words[index - 1][0] in {"Dr", "Mr", "Mrs", "Ms", "St", "Prof"}
    return not gap.strip() or (titled and gap.strip() == ".")


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
        or (bool(_VERB_LIKE.search(after)) and (not name.endswith("s") or name in _OUR_NAMES))
    )


def _noun_phrases(text: str, *, english: bool) -> Iterator[_Phrase]:
    """One or two words after a determiner, up to what looks like a verb: "lighthouse keeper".

    Of an English premise also the plural that begins a sentence ("Pirates kidnap …") and, if there
    is nothing else, a plural without a determiner or the last word.
    """
    found = False
    for sentence in sentences(text):
        begins = True
        for clause in re.split(r"[^\w\s'’-]+", sentence):
            words = _WORD.findall(clause)
            for index, word in enumerate(words):
                determiner, rest = word.lower(), words[index + 1 :]
                if len(rest) > 2 and rest[0].lower() in _SOME_OF and rest[1].lower() == "of":
                    rest = rest[2:]
                relative = (
                    determiner == "that"
                    and index
                    and words[index - 1].lower() not in (_PREPOSITIONS)
                )
                if determiner in _DETERMINERS and not relative:
                    phrase = _phrase(rest, english=english)
                elif english and begins and not index and _begins_with_several(words):
                    determiner, phrase = "", _phrase(words, english=english)
                else:
                    continue
                if phrase and all(len(part) > 1 for part in phrase.split()):
                    found = found or phrase.split()[-1] not in ABSTRACT_NOUNS
                    yield _Phrase(phrase, determiner, sentence, begins and not index)
            begins = begins and not words
    if not found:
        yield from _bare(text)


def _bare(text: str) -> Iterator[_Phrase]:
    """Of a premise without determiners the plurals, or its last word."""
    words = [word for word in _lower(text) if word.isascii() and len(word) > 2]
    words = [word for word in words if word not in _NOT_NAMES]
    several = [word for word in words[1:] if _is_plural(word) and _singular(word) in _KNOWN]
    last = words[-1:] if words and words[-1] in _KNOWN else []
    for word in several[-1:] or last:
        yield _Phrase(word, "", text, subject=False)


def _begins_with_several(words: list[str]) -> bool:
    """Whether a plural without a determiner begins the clause: "Pirates kidnap", not "Mars is"."""
    first = words[0].lower()
    following = words[1].lower() if len(words) > 1 else ""
    is_verb = following in {"is", "was", "has"} or bool(_VERB_LIKE.search(following))
    return _is_plural(first) and first not in _NOT_NAMES and not is_verb


def _is_plural(noun: str) -> bool:
    return noun in _MEN or (len(noun) > 3 and bool(re.search(r"[^sui'’]s$", noun)))


def _singular(noun: str) -> str:
    if noun in _MEN or not _is_plural(noun):
        return {"men": "man", "women": "woman", "wolves": "wolf"}.get(noun, noun)
    return noun[:-1] if not noun.endswith("ches") else noun[:-2]


def _phrase(words: list[str], *, english: bool) -> str:
    taken: list[str] = []
    for index, word in enumerate(words[:4]):
        low = word.lower()
        following = words[index + 1].lower() if index + 1 < len(words) else ""
        verb = (
            taken
            and _singular(low) not in _KNOWN
            and (
                (_VERB_LIKE.search(word) and following in _DETERMINERS | _SMALL)
                or (following in _DETERMINERS)
            )
        )
        if low in _SMALL | _ENDS_PHRASE or (word[0].isupper() and taken) or verb:
            break
        if word[0].isupper() and not (english and _is_plural(low)):
            break
        taken.append(low)
        if (low in _KNOWN and _singular(following) not in _KNOWN) or (english and _is_plural(low)):
            break
    return " ".join(taken[-2:])


def _is_gone(phrase: str, text: str) -> bool:
    """Whether the premise says of somebody or something that they vanished, died, were stolen."""
    where = r"(?: (?:of|in|on|at|from)(?: \S+){1,3}?)?"
    return bool(re.search(rf"\b{re.escape(phrase)}{where} {_GONE}\b", text, re.IGNORECASE))


def _lead(phrases: list[_Phrase], gone: list[_Phrase]) -> _Phrase | None:
    """Who leads a story whose premise names nobody: several who act, or its first trade."""
    present = [phrase for phrase in phrases if phrase not in gone]
    for phrase in present:
        known = _singular(phrase.head) in _KNOWN - PERSON_NOUNS
        if phrase.person or (phrase.subject and phrase.several and not known):
            return phrase
    return None


def _roles_of(lead: _Phrase | None) -> tuple[str, str]:
    """What the first is and, where there are several alike, the second."""
    if lead is None:
        return "", ""
    if not lead.several and lead.determiner not in {"every", "each"}:
        own = f"the {lead.text}" if lead.determiner == "the" else with_article(lead.text)
        return own, ""
    if lead.determiner == "two" or lead.head == "twins":
        return f"the bolder of the two {lead.head}", f"the wiser of the two {lead.head}"
    number = f"{lead.determiner} " if lead.determiner in _NUMBERS else ""
    many = lead.matter.removeprefix("the ")
    return f"the boldest of the {number}{many}", f"the wisest of the {number}{many}"


_OUR_NAMES = frozenset(NAMES_HER + NAMES_HIS)
_KNOWN = PERSON_NOUNS | PLACE_NOUNS | WAY_NOUNS | SIGN_NOUNS | THING_NOUNS


def _goals(phrases: Iterable[_Phrase]) -> Iterator[tuple[str, Kind]]:
    """Those that a sentence can be made with: a plural would need other verbs."""
    seen = set[str]()
    for phrase in phrases:
        text = phrase.text if len(phrase.text) + 4 <= _GOAL_CHARACTERS else phrase.head
        if phrase.head in seen or phrase.several or phrase.determiner in {"every", "each"}:
            continue
        kind = Kind.PERSON if phrase.person else kind_of(text)
        if len(text) + 4 <= _GOAL_CHARACTERS:
            seen.add(phrase.head)
            yield f"the {text}", kind or Kind.THING
