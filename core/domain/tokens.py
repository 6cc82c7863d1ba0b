"""What a token is taken to be, how many each part of a prompt may have, and cutting a text to that.

No tokenizer fits all endpoints: tokens are UTF-8 bytes over a measure of the story's own, which is
corrected by what its endpoint reports. Which parts a step has is recurrence's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from core.domain.entries import Recalled, fact_line
from core.domain.story import BYTES_PER_TOKEN, Brief, Plan, Usage
from core.domain.text import clip, clip_front, sentences, utf16_length

LEAST_BYTES_PER_TOKEN, MOST_BYTES_PER_TOKEN = 1.0, 6.0
"""What a tokenizer may be believed to do: Chinese takes 2 to 3 bytes a token, English 4 to 5."""
WEIGHT_OF_NEWEST = 0.3
"""How far one report moves the estimate: a few turns settle it, a single one can't upset it."""


ENTRY_BYTES = 28
"""What stands around an entry of the long-term memory in a prompt, at most: its label, the numbers
of its turns and the end of its line, as "F999 (since turn 99999) "."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens that each part of a step's context may take, as ``estimate_tokens`` counts."""

    premise: int = 700
    outline: int = 400
    canon: int = 400
    memory: int = 1000
    recalled: int = 500
    ledger: int = 1300
    stretch: int = 1500
    touched: int = 300
    previous: int = 1400
    plan: int = 400
    avoid: int = 400
    title: int = 100
    genre: int = 100
    style: int = 300
    language: int = 60
    """The last four have as many tokens as members may write characters (bot.cogs.requests): they
    are cut only where a language takes more than a token for each."""


BUDGET = Budget()
"""What prompts keep to."""


def estimate_tokens(text: str, bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """About how many tokens a text takes: its UTF-8 bytes over ``bytes_per_token``, rounded up."""
    return ceil(len(text.encode("utf-8", "surrogatepass")) / bytes_per_token)


def pinned_tokens(fact: str, bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """What a fact of the canon takes in a prompt, where it stands on a line of its own."""
    return estimate_tokens(f"- {fact}\n", bytes_per_token)


def corrected(bytes_per_token: float, usage: Usage) -> float:
    """The estimate after an endpoint has reported what prompts really took."""
    if not usage.prompt_bytes or not usage.prompt_tokens:
        return bytes_per_token
    measured = usage.prompt_bytes / usage.prompt_tokens
    moved = bytes_per_token + WEIGHT_OF_NEWEST * (measured - bytes_per_token)
    return min(MOST_BYTES_PER_TOKEN, max(LEAST_BYTES_PER_TOKEN, moved))


class Measure:
    """Cuts texts to budgets of tokens, by the story's own measure of a token."""

    def __init__(self, bytes_per_token: float) -> None:
        self._bytes_per_token = bytes_per_token

    def brief(self, brief: Brief, budget: Budget) -> Brief:
        """What a story was asked to be, each part within its budget."""
        return replace(
            brief,
            title=self.start(brief.title, budget.title),
            premise=self.start(brief.premise, budget.premise),
            genre=self.start(brief.genre, budget.genre),
            style=self.start(brief.style, budget.style),
            language=self.start(brief.language, budget.language),
            outline=self.start(brief.outline, budget.outline),
        )

    def plan(self, plan: Plan | None, tokens: int) -> Plan | None:
        """Title and text within one budget; the title goes first."""
        if plan is None:
            return None
        title = self.start(plan.title, tokens)
        text = self.start(plan.text, tokens - self._tokens(f"{title}\n"))
        return replace(plan, title=title, text=text)

    def start(self, text: str, tokens: int) -> str:
        """The longest run of leading sentences within a budget; a first one alone is clipped."""
        return self._run(text, tokens, from_end=False)

    def end(self, text: str, tokens: int) -> str:
        """The longest run of trailing sentences within a budget; a last one alone is clipped."""
        return self._run(text, tokens, from_end=True)

    def newest(self, entries: Sequence[str], tokens: int) -> tuple[str, ...]:
        """The newest facts of the canon within a budget."""
        kept: list[str] = []
        for entry in reversed(entries):
            tokens -= pinned_tokens(entry, self._bytes_per_token)
            if tokens < 0:
                break
            kept.append(entry)
        return tuple(reversed(kept))

    def best(self, recalled: Sequence[Recalled], tokens: int) -> tuple[Recalled, ...]:
        """The best entries within a budget, put into the order of their turns."""
        kept: list[Recalled] = []
        for entry in recalled:
            cost = self._tokens(fact_line(entry.about, entry.text), ENTRY_BYTES)
            if cost <= tokens:
                kept.append(entry)
                tokens -= cost
        return tuple(sorted(kept, key=lambda entry: (entry.number, entry.first, entry.key)))

    def shares(self, entries: Sequence[Recalled], tokens: int, among: int) -> tuple[Recalled, ...]:
        """All of the entries, each cut to its share of a budget for so many of them."""
        room = tokens // among - self._tokens("", ENTRY_BYTES)
        return tuple(replace(entry, text=self.start(entry.text, room)) for entry in entries)

    def _tokens(self, text: str, around: int = 0) -> int:
        """What a text takes with so many bytes around it."""
        return estimate_tokens(text + " " * around, self._bytes_per_token)

    def _run(self, text: str, tokens: int, *, from_end: bool) -> str:
        if self._tokens(text) <= tokens:
            return text
        parts = sentences(text)
        ordered = parts[::-1] if from_end else parts
        kept: list[str] = []
        left = tokens
        for part in ordered:
            cost = self._tokens(part + " ")
            if cost > left:
                break
            kept.append(part)
            left -= cost
        if not kept:
            return self._clipped(ordered[0], tokens, from_end=from_end) if ordered else ""
        return " ".join(kept[::-1] if from_end else kept)

    def _clipped(self, sentence: str, tokens: int, *, from_end: bool) -> str:
        """The start or the end of a sentence that is longer than the budget."""
        whole = sentence.encode("utf-8", "surrogatepass")
        room = int(tokens * self._bytes_per_token) - len("…".encode())
        if room <= 0:
            return ""
        kept = whole[-room:] if from_end else whole[:room]
        units = utf16_length(kept.decode("utf-8", "ignore")) + utf16_length("…")
        return clip_front(sentence, units) if from_end else clip(sentence, units)
