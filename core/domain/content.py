"""What may be told where: which categories of a content filter are refused, and what they are.

One table says for each category whether a channel that anyone may read refuses it, and whether an
age-restricted one does. It draws the line between what a text tells and what it does. Danger,
murder, threats and insults between people of a story are what stories are made of, so they are
never refused for themselves. What is told too closely for everybody (sexual content, gore,
self-harm) may be told among adults. What does harm outside the story, whoever says it in the story,
is told nowhere: sexual content with minors, hatred, instructions. That is also where Discord's own
rules draw it (discord.com/guidelines): they ask an age gate for the second kind and have no place
for the third.

How texts are shown to a filter is an adapter's business, what follows from a refusal the services'.
"""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import regex

_UNSEEN = regex.compile(r"\p{Default_Ignorable_Code_Point}")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one category is taken.

    Attributes:
        kind: what it is, as members and models are told.
        everyone: refused in a channel that anyone may read.
        adults: refused in an age-restricted channel.
    """

    kind: str
    everyone: bool
    adults: bool


_PASSES = (False, False)
_ADULTS_ONLY = (True, False)
_NOWHERE = (True, True)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        # Between adults it is what age-restricted channels are for.
        "sexual": Rule("sexual content", *_ADULTS_ONLY),
        # A crime in most countries, fiction or not.
        "sexual/minors": Rule("sexual content with minors", *_NOWHERE),
        # The category is for language that spreads hatred, not for a story that shows a bigot; and
        # Discord's rule against it knows no age.
        "hate": Rule("hatred of a group of people", *_NOWHERE),
        "hate/threatening": Rule("threats against a group of people", *_NOWHERE),
        # People in stories insult and threaten one another.
        "harassment": Rule("harassment", *_PASSES),
        "harassment/threatening": Rule("threats", *_PASSES),
        # Shown or wished for, it is imitated by the young above all; grown-up fiction may tell it.
        "self-harm": Rule("self-harm", *_ADULTS_ONLY),
        "self-harm/intent": Rule("self-harm that somebody intends", *_ADULTS_ONLY),
        # Instructions work outside the story as well, so no age makes them fit.
        "self-harm/instructions": Rule("instructions for self-harm", *_NOWHERE),
        "illicit": Rule("instructions for something illegal", *_NOWHERE),
        "illicit/violent": Rule("instructions for violence or weapons", *_NOWHERE),
        # A gothic story has its murder, a war story its war.
        "violence": Rule("violence", *_PASSES),
        # Death and injury told in their every detail: Discord wants gore behind an age gate.
        "violence/graphic": Rule("violence in gory detail", *_ADULTS_ONLY),
    }
)
"""Categories by the names of OpenAI's moderation models, which other endpoints use too (some with
underscores). Their own thresholds decide what is flagged.
(platform.openai.com/docs/guides/moderation)"""

UNKNOWN = Rule("something else that may not stand here", *_NOWHERE)
"""A category that the table doesn't know: what nobody has judged isn't told."""


def _folded(name: str) -> str:
    return "".join(filter(str.isalpha, name)).casefold()


_BY_LETTERS = {_folded(name): rule for name, rule in RULES.items()}


def rule_of(category: str) -> Rule:
    """How a category is taken; "self_harm" and "Self-Harm" are the same one."""
    return _BY_LETTERS.get(_folded(category), UNKNOWN)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a content filter says of a text, under the rules of its channel.

    Attributes:
        refused: the categories for which it may not be told there, as the filter names them; none
            where it is fine.
    """

    refused: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether the text may be told."""
        return not self.refused

    @property
    def kinds(self) -> tuple[str, ...]:
        """What kinds of things it is refused for, each once."""
        return tuple(dict.fromkeys(rule_of(category).kind for category in self.refused))

    @property
    def fit_for_adults(self) -> bool:
        """Whether an age-restricted channel would take it."""
        return not any(rule_of(category).adults for category in self.refused)


def judged(flagged: Collection[str], *, adults: bool) -> Verdict:
    """The verdict on a text.

    Args:
        flagged: the categories that a filter flags it with, in any order.
        adults: whether its channel is age-restricted.
    """
    return Verdict(
        tuple(
            category
            for category in sorted(flagged)
            if (rule_of(category).adults if adults else rule_of(category).everyone)
        )
    )


def as_read(text: str) -> str:
    """A text for a filter's eyes, with the letters that people read it by.

    Characters without a width go, and letters in fancy dress (bold, script, full width) become
    plain ones: people read past all that, and classifiers don't.
    """
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text))


def listed(kinds: Collection[str]) -> str:
    """Kinds of things in words: "sexual content", "sexual content and self-harm"."""
    *others, last = kinds
    return f"{', '.join(others)} and {last}" if others else last


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a text that a model is asked for must keep to.

    Attributes:
        adults: the channel is age-restricted, so adults alone read it.
        leave_out: kinds of things that a first try held and that may not be told; mostly none.
    """

    adults: bool = False
    leave_out: tuple[str, ...] = ()


FOR_EVERYONE = Bounds()
"""Of a first try in a channel that anyone may read."""
