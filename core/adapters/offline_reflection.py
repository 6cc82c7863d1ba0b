"""What a published paragraph changed: the short-term memory, the summary, facts and a chapter.

The paragraph may have been edited, or written by somebody else: of what the scene meant to tell
only that counts which stands in it, and where nothing does, a sentence of its own. How a fact is
worded, and which earlier one it ends, is offline_ledger's business.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.adapters import offline_ledger as ledger
from core.adapters.offline_cast import Fact, State, find_fact, known_fact
from core.adapters.offline_ledger import Entry
from core.adapters.offline_lexicon import Kind
from core.adapters.offline_paragraph import Scene
from core.adapters.offline_phrasebook import cast_words, tell
from core.adapters.offline_premise import definite
from core.domain.entries import Recalled
from core.domain.legible import is_blank, legible
from core.domain.recurrence import CHAPTER_UNITS
from core.domain.text import clip, same_text, sentences, utf16_length

MOST_FACTS = 3
"""Facts that a turn leaves; the first ones of what it has, see ``_entries``."""
_FACT_UNITS = 240
"""A fact taken from a paragraph that somebody rewrote is cut here."""
_CHAPTER_SENTENCES = 4
"""Sentences of the summaries that a chapter is made of; one more says what is open."""
_NAMED = re.compile(r"\b(?:the|an?) ([^\W\d_][\w’'-]*)", re.IGNORECASE)
_QUOTED = ("“", '"', "„", "«", "‘")


def state_after(scene: Scene, paragraph: str) -> State:
    """The story after the paragraph."""
    facts = [_happened(scene, paragraph)]
    state = scene.state
    if _comes_to_light(scene, paragraph):
        facts.append(known_fact(scene.answer))
        state = replace(state, thread=scene.next_thread)
    return state.with_facts(facts)


def rationale_of(before: State, after: State) -> str:
    """What was dropped from the memory, what was added, and why."""
    added = [fact.text for fact in after.facts if fact not in before.facts]
    dropped = [fact.text for fact in before.facts if fact not in after.facts]
    parts = [f"Added, because it happened in this paragraph: {' '.join(added)}"]
    if after.thread != before.thread:
        parts.append(f"The question {before.thread} is answered; now it is {after.thread}.")
    if dropped:
        parts.append(f"Dropped, because it is the oldest: {' '.join(dropped)}")
    else:
        parts.append("Dropped nothing: there was room.")
    parts.append("The cast, the place and what is carried stay.")
    return " ".join(parts)


def summary_of(scene: Scene, paragraph: str) -> str:
    """One or two sentences that name what happened, for the long-term memory."""
    happened = _happened(scene, paragraph).text
    if _comes_to_light(scene, paragraph):
        return f"{happened} {known_fact(scene.answer).text}"
    if scene.choice.risk and scene.choice.risk in paragraph:
        return f"{happened} In the way stood {scene.choice.risk}."
    return happened


def facts_of(
    scene: Scene, after: State, paragraph: str, known: Sequence[Recalled]
) -> list[dict[str, object]]:
    """What the ledger gains, as a model would answer it; nothing that is known already.

    Args:
        scene: of the turn.
        after: the story after it.
        paragraph: as it was published.
        known: the facts that the step shows.
    """
    entries = [
        entry
        for entry in _entries(scene, after, paragraph, known)
        if not entry.is_blank and not any(same_text(entry.text, fact.text) for fact in known)
    ]
    facts: list[dict[str, object]] = []
    ended = set[str]()
    for entry in entries[:MOST_FACTS]:
        ends = [label for label in ledger.ended_by(entry, known) if label not in ended]
        ended.update(ends)
        facts.append({"about": entry.about, "fact": entry.text, "ends": ends})
    return facts


def chapter_of(after: State, stretch: Sequence[Recalled], summary: str) -> str:
    """Some sentences of the summaries of a stretch, from its first to its last, and what is open.

    Args:
        after: the story after the stretch.
        stretch: summaries of its turns but the last.
        summary: of its last turn.
    """
    turns = [told for told in map(sentences, [*(entry.text for entry in stretch), summary]) if told]
    answers = [line for told in turns for line in told if line.startswith("It is known now ")][-1:]
    names = [person.name for person in (after.lead, after.companion, after.rival)]
    heads = [_with_a_name(told, names) for told in turns]
    kept = {*_spread(heads, _CHAPTER_SENTENCES - len(answers)), *answers}
    lines = dict.fromkeys(line for told in turns for line in told if line in kept)
    return _within(list(lines), f"What stayed open was {after.thread}.")


def _happened(scene: Scene, paragraph: str) -> Fact:
    if scene.item in paragraph:
        did = scene.choice.did or f"kept to “{scene.title}”"
        return find_fact(did, scene.item, scene.meaning, scene.state.lead.name)
    told = [line for line in sentences(legible(paragraph)) if not is_blank(line)]
    on_goal = [sentence for sentence in told if scene.choice.goal in sentence]
    on_goal = on_goal or [sentence for sentence in told if scene.state.thread in sentence]
    return Fact(clip((on_goal or told or ["Nothing happened."])[0], _FACT_UNITS))


def _comes_to_light(scene: Scene, paragraph: str) -> bool:
    return bool(scene.answer) and scene.answer in paragraph


def _entries(
    scene: Scene, after: State, paragraph: str, known: Sequence[Recalled]
) -> Iterator[Entry]:
    """What may be a fact, most important first: what later turns would get wrong, then the find."""
    told = [
        *_on_question(scene, after, paragraph, known),
        *_on_place(scene, paragraph),
        *_on_find(scene, paragraph),
        *_on_deed(scene, paragraph),
    ]
    if scene.number == 1 and scene.state.tool in paragraph:
        told.append(ledger.carried(scene.state.lead.name, scene.state.tool))
    yield from told or _in_its_own_words(scene, paragraph)


def _on_question(
    scene: Scene, after: State, paragraph: str, known: Sequence[Recalled]
) -> Iterator[Entry]:
    """An answer, and the question that is open now where the ledger can't hold it yet."""
    if _comes_to_light(scene, paragraph):
        yield ledger.answered(scene.state.thread, scene.answer, scene.state.rival.name)
    asked = ledger.asked(after.thread)
    new = scene.number == 1 or after.thread != scene.state.thread
    if after.thread in paragraph and (new or ledger.ended_by(asked, known)):
        yield asked


def _on_place(scene: Scene, paragraph: str) -> Iterator[Entry]:
    lead, companion = scene.state.lead.name, scene.state.companion.name
    goal, kind = scene.choice.goal, scene.choice.kind
    went = scene.number == 1 or (bool(scene.choice.did) and scene.choice.did in paragraph)
    if kind in {Kind.PLACE, Kind.WAY} and went and goal in paragraph and lead in paragraph:
        yield ledger.reached([lead, *([companion] * (companion in paragraph))], goal)


def _on_find(scene: Scene, paragraph: str) -> Iterator[Entry]:
    if scene.item in paragraph:
        meaning = scene.meaning if scene.meaning in paragraph else ""
        goal = scene.choice.goal if scene.choice.goal in paragraph else ""
        item = definite(scene.item)
        yield ledger.found(scene.state.lead.name, item, meaning, scene.choice.kind, goal)


def _on_deed(scene: Scene, paragraph: str) -> Iterator[Entry]:
    choice, state = scene.choice, scene.state
    if choice.leaves and choice.did in paragraph:
        yield Entry(
            choice.goal, tell(choice.leaves, cast_words(state) | {"goal": choice.goal}) + "."
        )
    elif scene.title and not choice.did and scene.title.rstrip(".") in paragraph:
        settled = f"{state.lead.name} and {state.companion.name} settled on “{scene.title}”."
        yield Entry(choice.goal.strip("“”"), settled)


def _in_its_own_words(scene: Scene, paragraph: str) -> Iterator[Entry]:
    """A sentence of a paragraph that somebody rewrote: one that names somebody, or the first."""
    told = sentences(paragraph)
    plain = [line for line in told if not line.startswith(_QUOTED)] or list(told)
    state = scene.state
    names = (state.lead.name, state.companion.name, state.rival.name, scene.choice.goal)
    named = ((name, line) for line in plain for name in names if name in line)
    for name, line in named:
        yield Entry(name, clip(line, _FACT_UNITS))
        return
    for line in plain[:1]:
        about = _NAMED.search(line)
        yield Entry(f"the {about[1]}" if about else state.place, clip(line, _FACT_UNITS))


def _with_a_name(told: Sequence[str], names: Sequence[str]) -> str:
    """The first sentence that names one of the cast, or the first."""
    return next((line for line in told if any(name in line for name in names)), told[0])


def _spread(lines: Sequence[str], count: int) -> list[str]:
    """So many lines, the first and the last among them, the others evenly between."""
    last = len(lines) - 1
    return [lines[round(last * step / (count - 1))] for step in range(count)]


def _within(lines: list[str], ending: str) -> str:
    """The lines and the ending, without as many in the middle as are too long together."""
    while utf16_length(" ".join([*lines, ending])) > CHAPTER_UNITS and len(lines) > 1:
        lines.pop(len(lines) // 2)
    return " ".join([*lines, ending])
