"""What moderators may write: each text with its limits, checked before anything is stored.

A refusal names the number that is too high and the limit, so that whoever wrote the text can cut
it. What is accepted is given back as it will be stored: trimmed, and nothing else.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from core.domain.legible import is_blank, legible
from core.domain.recurrence import (
    CHAPTER_UNITS,
    MEMORY_SENTENCES,
    PLAN_TEXT_UNITS,
    PLAN_TITLE_UNITS,
    SUMMARY_UNITS,
)
from core.domain.story import BYTES_PER_TOKEN, Canon, Plan, Settings, VotingRule
from core.domain.text import same_text, sentences, utf16_length
from core.domain.tokens import BUDGET, estimate_tokens, pinned_tokens
from core.errors import InputError

FACT_UNITS = 300
"""A pinned fact is a sentence or two: it stands in every prompt."""
PART_UNITS = 1800
"""A part of a paragraph fits its message, with room for the heading and for escapes."""


def memory(text: str, bytes_per_token: float = BYTES_PER_TOKEN) -> str:
    """A short-term memory: 1 to 20 sentences within its part of the prompt. Raises InputError.

    Args:
        text: as it was written.
        bytes_per_token: the story's measure of a token.
    """
    told = _some("memory", text)
    limit = BUDGET.memory
    if (count := len(sentences(told))) > MEMORY_SENTENCES:
        raise InputError(
            f"The memory has {count} sentences; it may have at most {MEMORY_SENTENCES}."
        )
    if (tokens := estimate_tokens(told, bytes_per_token)) > limit:
        raise InputError(
            f"The memory takes about {tokens} tokens of the prompt; it may take at most {limit}."
        )
    return told


def summary(text: str) -> str:
    """A turn's summary, on one line or several. Raises InputError."""
    return _within("summary", text, SUMMARY_UNITS)


def chapter(text: str) -> str:
    """A chapter; an empty one is none. Raises InputError."""
    return "" if is_blank(legible(text)) else _within("chapter", text, CHAPTER_UNITS)


def part(text: str) -> str:
    """One message's part of a paragraph. Raises InputError."""
    return _within("text", text, PART_UNITS)


def plan(title: str, text: str) -> Plan:
    """A plan as a moderator wrote it. Raises InputError."""
    return Plan(
        _within("title", " ".join(title.split()), PLAN_TITLE_UNITS),
        _within("text", text, PLAN_TEXT_UNITS),
        edited=True,
    )


def check_distinct(plans: Sequence[Plan]) -> None:
    """Raises InputError when two plans have the same title or text: a vote needs a difference."""
    for one, other in combinations(plans, 2):
        if same_text(one.title, other.title) or same_text(one.text, other.text):
            raise InputError("Two plans would be the same: a vote needs three that differ.")


def pinned(canon: Canon, text: str, bytes_per_token: float = BYTES_PER_TOKEN) -> Canon:
    """The canon with one fact more.

    Args:
        canon: as it is.
        text: the fact.
        bytes_per_token: the story's measure of a token.

    Raises:
        InputError: the fact is empty, too long or pinned already, or the canon is full: a fact that
            did not fit into the prompt would be dropped there.
    """
    fact = _within("fact", " ".join(text.split()), FACT_UNITS)
    if any(same_text(fact, entry) for entry in canon.entries):
        raise InputError("This fact is pinned already.")
    entries = (*canon.entries, fact)
    tokens = sum(pinned_tokens(entry, bytes_per_token) for entry in entries)
    limit = BUDGET.canon
    if tokens > limit:
        raise InputError(
            f"With this fact the canon would take about {tokens} tokens of every prompt; it may "
            f"take at most {limit}. Unpin a fact, or say it shorter."
        )
    return Canon(entries, canon.version + 1)


def unpinned(canon: Canon, fact: str) -> Canon:
    """The canon without a fact. Raises InputError when it isn't pinned."""
    if fact not in canon.entries:
        raise InputError("This fact isn't pinned (any more): /memory show lists the canon.")
    left = tuple(entry for entry in canon.entries if entry != fact)
    return Canon(left, canon.version + 1)


def difference(before: Settings, after: Settings) -> tuple[str, str]:
    """The settings that differ, as lines "name: value", old and new."""
    names = [name for name in Settings.__slots__ if getattr(before, name) != getattr(after, name)]
    old, new = (
        "\n".join(f"{name}: {getattr(rules, name)}" for name in names) for rules in (before, after)
    )
    return old, new


def values(lines: str) -> dict[str, Any]:
    """Settings by their names, from one side of a ``difference``."""
    read: dict[str, Any] = {}
    for line in lines.splitlines():
        name, _, value = line.partition(": ")
        if value == "None":
            read[name] = None
        else:
            read[name] = VotingRule(value) if name == "rule" else int(value)
    return read


def _some(name: str, text: str) -> str:
    told = legible(text).strip()
    if is_blank(told):
        raise InputError(f"The {name} is empty: write at least one sentence.")
    return told


def _within(name: str, text: str, limit: int) -> str:
    told = _some(name, text)
    if (length := utf16_length(told)) > limit:
        raise InputError(f"The {name} has {length} characters; it may have at most {limit}.")
    return told
