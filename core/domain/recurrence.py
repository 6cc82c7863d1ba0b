"""One step of the recurrence (arXiv 2305.13304): what goes in, and what must come out.

The parts of a step's context are trimmed each under a token budget of its own, so that a prompt
doesn't grow with the story. What comes back is checked here and either made a Reflection or refused
with sentences that a model can be shown. The words around the parts are prompts' business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from core.domain.content import FOR_EVERYONE, Bounds
from core.domain.entries import EntryKind, Fact, Recalled
from core.domain.legible import is_blank, legible
from core.domain.story import PLAN_COUNT, Brief, Plan, Reflection, Story
from core.domain.text import (
    clip,
    clip_front,
    ends_cut_off,
    same_text,
    shorten_from_front,
    similarity,
    utf16_length,
)
from core.domain.tokens import BUDGET, Budget, Measure
from core.errors import TalewheelError

MEMORY_SENTENCES = 20
"""Most sentences a short-term memory may have (the paper: 10 to 20)."""
MEMORY_UNITS = 4000
"""Most that it may have in any script, those included that write no stops between sentences: what
a moderator's window for editing it takes (Discord's limit for a text input)."""
SENTENCE_CHARACTERS = 600
"""Most that a paragraph may have for each sentence that was asked for. English prose has about 130
in a sentence: what is over four times too long doesn't come to an end."""
SHORT_PARAGRAPH_CHARACTERS = 6000
"""What is always allowed: small models write a page, however few sentences they are asked for."""
PLAN_TITLE_UNITS = 60
PLAN_TEXT_UNITS = 900
"""Three plans with titles and their numbers must fit a ballot of 4,000 characters."""
SUMMARY_UNITS = 2000
"""A summary is two or three sentences; a longer one is cut, since recall shows it in full."""
FACTS = 8
"""Facts that one turn may add to the ledger; the first ones stand."""
FACT_UNITS = 300
ABOUT_UNITS = 60
"""A fact is one sentence about one thing: many of them fit where one summary would."""
CHAPTER_TURNS = 10
"""A chapter condenses so many turns: those up to a number that it divides."""
CHAPTER_UNITS = 1500
TITLE_UNITS = 100
REPEATED = 0.9
"""Likeness from which a paragraph is the previous one again. Measured with ``similarity``: a copy
with one word in twenty changed 0.93 to 0.95, the copy with one sentence more 0.84, two paragraphs
of one story about 0.2 to 0.35."""


class UnusableAnswerError(TalewheelError):
    """An answer that can't be used; ``faults`` are sentences that tell the model what to mend."""

    retryable = True

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class StepContext:
    """Everything one step may know, each part trimmed to its budget.

    Attributes:
        brief: what the story was asked to be; premise and outline trimmed.
        number: the turn to be written; 1 is the opening.
        sentences: how long the paragraph should be.
        canon: pinned facts.
        memory: short-term memory, oldest fact first.
        recalled: summaries and chapters in the order of their turns.
        ledger: facts of the cast and the world that may matter now, in the order of their turns.
        previous: the end of the previous paragraph; empty for the opening.
        plan: what happens now; None for the opening.
        avoid: a passage of an earlier turn that the paragraph came too close to; mostly empty.
        touched: facts that the finished paragraph touches on and the prompt didn't hold.
        stretch: summaries of the turns that this one ends a chapter with, all but its own.
        bounds: what may be told in the channel, and what a first try held that may not.
    """

    brief: Brief
    number: int
    sentences: int
    canon: tuple[str, ...] = ()
    memory: str = ""
    recalled: tuple[Recalled, ...] = ()
    ledger: tuple[Recalled, ...] = ()
    previous: str = ""
    plan: Plan | None = None
    avoid: str = ""
    touched: tuple[Recalled, ...] = ()
    stretch: tuple[Recalled, ...] = ()
    bounds: Bounds = FOR_EVERYONE

    @property
    def known_facts(self) -> tuple[Recalled, ...]:
        """The facts that a reflection sees, in the order of their labels."""
        return (*self.ledger, *self.touched)


def ends_chapter(number: int) -> bool:
    """Whether a turn is the last one of a chapter."""
    return number % CHAPTER_TURNS == 0


def assemble(
    story: Story,
    previous: str,
    recalled: Sequence[Recalled],
    budget: Budget = BUDGET,
) -> StepContext:
    """The context of the story's current draft.

    Args:
        story: in phase writing or reflecting, with its draft.
        previous: the head turn's paragraph, whole; empty for the opening.
        recalled: what the search brought back, best first; trimmed here from the worst.
        budget: tokens per part.

    Raises:
        ValueError: the story has no draft.
    """
    if story.draft is None:
        raise ValueError("a step is assembled for a draft, and this story has none")
    fit = Measure(story.bytes_per_token)
    facts = [entry for entry in recalled if entry.kind is EntryKind.FACT]
    others = [entry for entry in recalled if entry.kind is not EntryKind.FACT]
    return StepContext(
        brief=fit.brief(story.brief, budget),
        number=story.draft.number,
        sentences=story.settings.sentences,
        canon=fit.newest(story.canon.entries, budget.canon),
        memory=fit.end(story.memory.text, budget.memory),
        recalled=fit.best(others, budget.recalled),
        ledger=fit.best(facts, budget.ledger),
        previous=fit.end(previous, budget.previous),
        plan=fit.plan(story.draft.plan, budget.plan),
    )


def looked_back(
    context: StepContext,
    touched: Sequence[Recalled],
    stretch: Sequence[Recalled],
    bytes_per_token: float,
    budget: Budget = BUDGET,
) -> StepContext:
    """The context of a reflection: the paragraph's, with what is looked back on.

    Args:
        touched: facts that the paragraph touches on, best first.
        stretch: summaries of the chapter that the turn ends, oldest first; none where it ends none.
    """
    held = {fact.id for fact in context.ledger}
    fit = Measure(bytes_per_token)
    return replace(
        context,
        touched=fit.best([fact for fact in touched if fact.id not in held], budget.touched),
        stretch=fit.shares(stretch[-CHAPTER_TURNS:], budget.stretch, CHAPTER_TURNS),
    )


def avoiding(
    context: StepContext, passage: str, bytes_per_token: float, budget: Budget = BUDGET
) -> StepContext:
    """The context of a paragraph that is written once more, away from an earlier passage."""
    return replace(context, avoid=Measure(bytes_per_token).start(passage, budget.avoid))


def longest_paragraph(sentences: int) -> int:
    """Characters that a paragraph may have which was asked for with so many sentences."""
    return max(SHORT_PARAGRAPH_CHARACTERS, SENTENCE_CHARACTERS * sentences)


def check_paragraph(text: str, previous: str = "", longest: int | None = None) -> str:
    """A finished paragraph, legible and trimmed of outer white space.

    Args:
        text: the model's answer.
        previous: the previous paragraph as the step's context holds it; empty for the opening.
        longest: characters that it may have, see ``longest_paragraph``; None: any number.

    Raises:
        UnusableAnswerError: it is empty, too long, breaks off in the middle of a sentence, or is
            nearly the previous paragraph again.
    """
    paragraph = legible(text).strip()
    if is_blank(paragraph):
        raise UnusableAnswerError(["The paragraph is empty."])
    if longest is not None and len(paragraph) > longest:
        raise UnusableAnswerError(
            [f"The paragraph is far too long: more than {longest:,} characters."]
        )
    if ends_cut_off(paragraph):
        raise UnusableAnswerError(["The paragraph breaks off in the middle of a sentence."])
    # Cut as the context was: of a long previous paragraph it holds only the end.
    end = paragraph[-len(previous) :]
    if previous and similarity(end, previous) >= REPEATED:
        raise UnusableAnswerError(
            ["The paragraph repeats the previous one almost word for word: it must go on from it."]
        )
    return paragraph


def check_opening(answer: Mapping[str, object]) -> tuple[str, str]:
    """Title and outline of an opening, the title on one line and at most TITLE_UNITS long.

    Raises:
        UnusableAnswerError: one of them is missing or empty.
    """
    faults: list[str] = []
    title = " ".join(_text(answer, "title", faults).split())
    outline = _text(answer, "outline", faults)
    if faults:
        raise UnusableAnswerError(faults)
    return clip(title, TITLE_UNITS), outline


def check_reflection(
    answer: Mapping[str, object], known: Sequence[str] = (), *, chapter: bool = False
) -> Reflection:
    """What a reflection must be, from the object that a model answered.

    A memory that is too long is shortened here from its front, where the oldest facts stand; a
    summary, a chapter and facts are clipped. Everything else that is wrong is refused, all faults
    at once, so that one more request can mend them.

    Args:
        answer: rationale, memory, summary: text; facts: array of {about, fact, ends}; plan_1 to
            plan_3: {title, text}; chapter: text, where one is asked for.
        known: ids of the facts that the model was shown, in the order of their labels (F1, F2, …).
        chapter: whether the turn ends a chapter.

    Raises:
        UnusableAnswerError: a part is missing or empty, a plan too long, two plans the same.
    """
    faults: list[str] = []
    rationale = _text(answer, "rationale", faults)
    memory = _newest_facts(_text(answer, "memory", faults))
    summary = clip(_text(answer, "summary", faults), SUMMARY_UNITS)
    facts = _facts(answer, known, faults)
    told = clip(_text(answer, "chapter", faults), CHAPTER_UNITS) if chapter else ""
    plans = _plans(answer, faults)
    if faults:
        raise UnusableAnswerError(faults)
    return Reflection(rationale, memory, summary, plans, facts, told)


def check_plans(answer: Mapping[str, object]) -> tuple[Plan, ...]:
    """Three plans out of an answer, as ``check_reflection`` takes them. Raises the same."""
    faults: list[str] = []
    plans = _plans(answer, faults)
    if faults:
        raise UnusableAnswerError(faults)
    return plans


def _plans(answer: Mapping[str, object], faults: list[str]) -> tuple[Plan, ...]:
    plans = tuple(_plan(answer, f"plan_{n}", faults) for n in range(1, PLAN_COUNT + 1))
    faults += _twins(plans)
    return plans


def _facts(
    answer: Mapping[str, object], known: Sequence[str], faults: list[str]
) -> tuple[Fact, ...]:
    value = answer.get("facts")
    if not isinstance(value, list):
        faults.append('"facts" is missing: it must be an array, which may be empty.')
        return ()
    facts: list[Fact] = []
    for place, item in enumerate(cast(list[object], value)[:FACTS], start=1):
        name = f"facts[{place}]"
        if not isinstance(item, Mapping):
            faults.append(f'"{name}" must be an object with "about", "fact" and "ends".')
            continue
        fields = cast(Mapping[str, object], item)
        about = " ".join(_text(fields, "about", faults, name).split())
        fact = " ".join(_text(fields, "fact", faults, name).split())
        ends = _named(fields.get("ends"), known)
        facts.append(Fact(place, clip(about, ABOUT_UNITS), clip(fact, FACT_UNITS), ends))
    return tuple(facts)


def _named(labels: object, known: Sequence[str]) -> tuple[str, ...]:
    """Ids of the facts that labels name; one that names none was made up, and ends nothing."""
    if not isinstance(labels, list):
        return ()
    by_label = {label(place): id_ for place, id_ in enumerate(known)}
    said = [str(one).strip().upper() for one in cast(list[object], labels)]
    return tuple(dict.fromkeys(by_label[one] for one in said if one in by_label))


def label(place: int) -> str:
    """What the fact at a place (from 0) of ``StepContext.known_facts`` is called in a prompt."""
    return f"F{place + 1}"


def _newest_facts(memory: str) -> str:
    """A short-term memory without the oldest facts that are too many."""
    left = MEMORY_SENTENCES
    memory = shorten_from_front(memory, left)
    while utf16_length(memory) > MEMORY_UNITS and left > 1:
        left -= 1
        memory = shorten_from_front(memory, left)
    return clip_front(memory, MEMORY_UNITS)


def _text(answer: Mapping[str, object], name: str, faults: list[str], of: str = "") -> str:
    value = answer.get(name)
    if isinstance(value, str) and not is_blank(shown := legible(value)):
        return shown.strip()
    where = f"{of}.{name}" if of else name
    faults.append(f'"{where}" is missing or empty: it must be text.')
    return ""


def _plan(answer: Mapping[str, object], name: str, faults: list[str]) -> Plan:
    value = answer.get(name)
    if not isinstance(value, Mapping):
        faults.append(f'"{name}" is missing: it must be an object with "title" and "text".')
        return Plan("", "")
    fields = cast(Mapping[str, object], value)
    plan = Plan(
        " ".join(_text(fields, "title", faults, name).split()), _text(fields, "text", faults, name)
    )
    for part, value_, limit in (
        ("title", plan.title, PLAN_TITLE_UNITS),
        ("text", plan.text, PLAN_TEXT_UNITS),
    ):
        if (length := utf16_length(value_)) > limit:
            faults.append(f'"{name}.{part}" has {length} characters: at most {limit}.')
    return plan


def _twins(plans: Sequence[Plan]) -> list[str]:
    """A fault for each pair of plans with the same title or the same text."""
    return [
        f"plan_{i + 1} and plan_{j + 1} are the same: the three must lead to different places."
        for i, one in enumerate(plans)
        for j, other in enumerate(plans[:i])
        if one.title and (same_text(one.title, other.title) or same_text(one.text, other.text))
    ]
