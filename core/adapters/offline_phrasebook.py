"""Filling the slots of a pattern: first the lexicon's, then the cast's and the turn's own.

The first step knows nothing of the story's state, so a repertoire of sentences can be laid out
ahead (offline_repertoire); the second puts today's names and things into a sentence to be told.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from core.adapters import offline_lexicon as lexicon
from core.adapters.offline_cast import State
from core.adapters.offline_deck import stable_hash
from core.adapters.offline_lexicon import Mood
from core.adapters.offline_premise import definite

SLOT = re.compile(r"\{(?P<capital>\^?)(?P<name>\w+)(?P<the>!?)(?::(?P<whose>[LC]))?\}")
_FIRST_LETTER = re.compile(r"^([“‘\"(]*)(\w)")
_POSSESSIVE = {"L": "{her}", "C": "{his}"}


class Phrasebook:
    """The lexicon of one mood."""

    def __init__(self, mood: Mood) -> None:
        """Args: whose words to use."""
        self._lists = _lists(mood)
        self._first: dict[tuple[str, int], int] = {}

    def word_it(
        self, pattern: str, variation: int, avoid: Collection[str] = ()
    ) -> tuple[str, frozenset[str]]:
        """A pattern with words of the lexicon in its slots; slots of cast and turn are left.

        Args:
            pattern: of offline_grammar.
            variation: any number; neighbouring ones give other words.
            avoid: words to pass over while there are others.

        Returns:
            The text, and the words it took.
        """
        taken: set[str] = set()
        place = 0

        def slot(match: re.Match[str]) -> str:
            nonlocal place
            if match["name"] not in self._lists:
                return match[0]
            place += 1
            values = self._lists[match["name"]]
            first = self._start(pattern, place) + variation
            turned = (values[(first + step) % len(values)] for step in range(len(values)))
            value = next(
                (value for value in turned if value not in avoid and value not in taken),
                values[first % len(values)],
            )
            taken.add(value)
            value = value.replace("@", _POSSESSIVE[match["whose"] or "L"])
            value = definite(value) if match["the"] else value
            return value[:1].upper() + value[1:] if match["capital"] else value

        # Apostrophes are typed straight in patterns; the cast's names stay as people wrote them.
        return SLOT.sub(slot, pattern.replace("'", "’")), frozenset(taken)

    def _start(self, pattern: str, place: int) -> int:
        key = pattern, place
        if key not in self._first:
            self._first[key] = stable_hash(*key)
        return self._first[key]


def can_be_told(text: str, words: Mapping[str, str]) -> bool:
    """Whether the turn has something for every slot that is left."""
    return all(words.get(match["name"]) for match in SLOT.finditer(text))


def tell(text: str, words: Mapping[str, str]) -> str:
    """The finished sentences: the words in their slots, the first letter a capital."""

    def slot(match: re.Match[str]) -> str:
        value = words[match["name"]]
        return value[:1].upper() + value[1:] if match["capital"] else value

    return _FIRST_LETTER.sub(
        lambda first: first[1] + first[2].upper(), SLOT.sub(slot, SLOT.sub(slot, text))
    )


def cast_words(state: State) -> dict[str, str]:
    """The words that a state gives: names, pronouns, roles, place, tool, question."""
    lead, companion, rival = state.lead, state.companion, state.rival
    return {
        "L": lead.name,
        "C": companion.name,
        "R": rival.name,
        "she": lead.pronouns.subject,
        "her": lead.pronouns.possessive,
        "he": companion.pronouns.subject,
        "his": companion.pronouns.possessive,
        "role": lead.role,
        "crole": companion.role,
        "rrole": rival.role,
        "place": state.place,
        "atool": state.tool,
        "tool": definite(state.tool),
        "thread": state.thread,
    }


def _lists(mood: Mood) -> dict[str, Sequence[str]]:
    return {
        "smell": mood.smell + lexicon.SMELL,
        "sound": mood.sound + lexicon.SOUND,
        "sight": mood.sight + lexicon.SIGHT,
        "weather": mood.weather + lexicon.WEATHER,
        "surface": mood.surface + lexicon.SURFACE,
        "walkon": mood.walkon + lexicon.WALKON,
        "far": mood.far + lexicon.FAR,
        "simile": mood.simile + lexicon.SIMILE,
        "proverb": lexicon.PROVERB,
        "gesture": lexicon.GESTURE,
        "time": lexicon.TIME,
        "manner": lexicon.MANNER,
        "gear": lexicon.TOOL,
    }
