"""One step of the recurrence (arXiv 2305.13304): what goes in, and what must come out.

The parts of a step's context are trimmed each under a token budget of its own, so that a prompt
doesn't grow with the story. What comes back is checked here and either made a Reflection or refused
with sentences that a model can be shown. The words around the parts are prompts' business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from core.domain.legible import is_blank, legible
from core.domain.story import PLAN_COUNT, Brief, Plan, Recalled, Reflection, Story
from core.domain.text import (
    clip,
    clip_front,
    ends_cut_off,
    same_text,
    sentences,
    shorten_from_front,
    similarity,
    utf16_length,
)
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
TITLE_UNITS = 100
REPEATED = 0.9
"""Likeness from which a paragraph is the previous one again. Measured with ``similarity``: a copy
with one word in twenty changed 0.93 to 0.95, the copy with one sentence more 0.84, two paragraphs
of one story about 0.2 to 0.35."""
BYTES_PER_TOKEN = 4
"""A tokenizer-free estimate, good to about a fifth for English prose."""


class UnusableAnswerError(TalewheelError):
    """An answer that can't be used; ``faults`` are sentences that tell the model what to mend."""

    retryable = True

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens that each part of a step's context may take, as ``estimate_tokens`` counts."""

    premise: int = 700
    outline: int = 400
    canon: int = 400
    memory: int = 1000
    recalled: int = 800
    previous: int = 1400
    plan: int = 400


@dataclass(frozen=True, slots=True)
class StepContext:
    """Everything one step may know, each part trimmed to its budget.

    Attributes:
        brief: what the story was asked to be; premise and outline trimmed.
        number: the turn to be written; 1 is the opening.
        sentences: how long the paragraph should be.
        canon: pinned facts.
        memory: short-term memory, oldest fact first.
        recalled: long-term memories in the order of their turns.
        previous: the end of the previous paragraph; empty for the opening.
        plan: what happens now; None for the opening.
    """

    brief: Brief
    number: int
    sentences: int
    canon: tuple[str, ...] = ()
    memory: str = ""
    recalled: tuple[Recalled, ...] = ()
    previous: str = ""
    plan: Plan | None = None


def estimate_tokens(text: str) -> int:
    """About how many tokens a text takes: UTF-8 bytes over BYTES_PER_TOKEN, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def assemble(
    story: Story,
    previous: str,
    recalled: Sequence[Recalled],
    budget: Budget = Budget(),
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
    return StepContext(
        brief=_fit_brief(story.brief, budget),
        number=story.draft.number,
        sentences=story.settings.sentences,
        canon=_newest_that_fit(story.canon.entries, budget.canon),
        memory=_end_that_fits(story.memory.text, budget.memory),
        recalled=_best_that_fit(recalled, budget.recalled),
        previous=_end_that_fits(previous, budget.previous),
        plan=_fit_plan(story.draft.plan, budget.plan),
    )


def longest_paragraph(sentences: int) -> int:
    """Characters that a paragraph may have which was asked for with so many sentences."""
    return max(SHORT_PARAGRAPH_CHARACTERS, SENTENCE_CHARACTERS * sentences)


def check_paragraph(text: str, previous: str = "", longest: int | None = None) -> str:
    """A finished paragraph, legible and trimmed of outer white space.

    Args:
        text: the model's answer.
        previous: the previous paragraph as the step's context holds it; empty for the opening.

    Args:
        text: the model's answer.
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
    if previous and similarity(_end_that_fits(paragraph, Budget().previous), previous) >= REPEATED:
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


def check_reflection(answer: Mapping[str, object]) -> Reflection:
    """What a reflection must be, from the object that a model answered.

    A memory that is too long is shortened here from its front, where the oldest facts stand; a
    summary is clipped. Everything else that is wrong is refused, all faults at once, so that one
    more request can mend them.

    Args:
        answer: rationale, memory, summary: text; plan_1 to plan_3: {title, text}.

    Raises:
        UnusableAnswerError: a part is missing or empty, a plan too long, two plans the same.
    """
    faults: list[str] = []
    rationale = _text(answer, "rationale", faults)
    memory = _newest_facts(_text(answer, "memory", faults))
    summary = clip(_text(answer, "summary", faults), SUMMARY_UNITS)
    plans = tuple(_plan(answer, f"plan_{n}", faults) for n in range(1, PLAN_COUNT + 1))
    faults += _twins(plans)
    if faults:
        raise UnusableAnswerError(faults)
    return Reflection(rationale, memory, summary, plans)


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


def _fit_brief(brief: Brief, budget: Budget) -> Brief:
    return Brief(
        premise=_start_that_fits(brief.premise, budget.premise),
        genre=brief.genre,
        style=brief.style,
        language=brief.language,
        title=brief.title,
        outline=_start_that_fits(brief.outline, budget.outline),
    )


def _fit_plan(plan: Plan | None, tokens: int) -> Plan | None:
    return plan and replace(plan, text=_start_that_fits(plan.text, tokens))


def _start_that_fits(text: str, tokens: int) -> str:
    """The longest run of leading sentences within the budget; a first sentence alone is clipped."""
    return _run_that_fits(text, tokens, from_end=False)


def _end_that_fits(text: str, tokens: int) -> str:
    """The longest run of trailing sentences within the budget; a last sentence alone is clipped."""
    return _run_that_fits(text, tokens, from_end=True)


def _run_that_fits(text: str, tokens: int, *, from_end: bool) -> str:
    if estimate_tokens(text) <= tokens:
        return text
    parts = sentences(text)
    ordered = parts[::-1] if from_end else parts
    kept: list[str] = []
    left = tokens
    for part in ordered:
        cost = estimate_tokens(part + " ")
        if cost > left:
            break
        kept.append(part)
        left -= cost
    if not kept:
        return _clipped(ordered[0], tokens, from_end=from_end) if ordered else ""
    return " ".join(kept[::-1] if from_end else kept)


def _clipped(sentence: str, tokens: int, *, from_end: bool) -> str:
    """The start or the end of a sentence that is longer than the budget."""
    whole = sentence.encode("utf-8", "surrogatepass")
    room = tokens * BYTES_PER_TOKEN - len("…".encode())
    kept = whole[-room:] if from_end else whole[:room]
    units = utf16_length(kept.decode("utf-8", "ignore")) + utf16_length("…")
    return clip_front(sentence, units) if from_end else clip(sentence, units)


def _newest_that_fit(entries: Sequence[str], tokens: int) -> tuple[str, ...]:
    kept: list[str] = []
    for entry in reversed(entries):
        tokens -= estimate_tokens(entry)
        if tokens < 0:
            break
        kept.append(entry)
    return tuple(reversed(kept))


def _best_that_fit(recalled: Sequence[Recalled], tokens: int) -> tuple[Recalled, ...]:
    """The best entries within the budget, put into the order of their turns."""
    kept: list[Recalled] = []
    for entry in recalled:
        cost = estimate_tokens(entry.text)
        if cost <= tokens:
            kept.append(entry)
            tokens -= cost
    return tuple(sorted(kept, key=lambda entry: entry.number))
