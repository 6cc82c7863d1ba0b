"""Narrator without a model: a grammar of templates, for the playground and the tests.

A true recurrence: whatever keeps its story together it reads from the step's context (short-term
memory, previous paragraph, plan, brief); it keeps nothing between calls. The same premise, turn and
plan give the same text. What a paragraph is made of stands in the offline_* modules beside this
one; here is the port: streaming at a model's pace, the opening, the reflection.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

from core.adapters.offline_cast import Fact, State, find_fact, invent, known_fact, story_seed
from core.adapters.offline_deck import seeded
from core.adapters.offline_grammar import NOTICE
from core.adapters.offline_lexicon import Kind
from core.adapters.offline_paragraph import Scene, compose, scene_of
from core.adapters.offline_plans import make_plans
from core.adapters.offline_premise import detect_mood, read_premise
from core.adapters.offline_repertoire import Repertoire
from core.domain.recurrence import StepContext, check_opening, check_reflection
from core.domain.story import Brief, Opening, Reflection, Usage
from core.domain.text import clip, sentences
from core.ports import Clock, Written

TOKENS_PER_S = 45.0
"""The pace of a hosted model of middle size."""
_TOKEN = re.compile(r"\s*\S{1,5}")
_TITLES = ("{L} and {the_goal}", "{The_goal}", "The Matter of {the_goal}")
_FACT_UNITS = 240
"""A fact taken from a paragraph that somebody rewrote is cut here."""


class OfflineNarrator:
    """Implements ports.Narrator; costs nothing, needs nothing, writes English."""

    def __init__(self, clock: Clock, tokens_per_s: float | None = TOKENS_PER_S) -> None:
        """Ready at once.

        Args:
            clock: paces the stream.
            tokens_per_s: tokens of a few characters per second; None streams without a pause.
        """
        self._clock = clock
        self._delay_s = 1 / tokens_per_s if tokens_per_s else 0.0
        # One for each mood, from which alone it follows; kept because laying it out takes a second.
        self._repertoires: dict[str, Repertoire] = {}

    @property
    def notice(self) -> str | None:
        """What it is and how to plug a model in."""
        return NOTICE

    async def check(self) -> None:
        """There is no endpoint to ask."""

    async def open(self, brief: Brief) -> tuple[Opening, Usage]:
        """A title and an outline out of the premise's words."""
        state = invent(brief)
        title, outline = check_opening({"title": _title(brief, state), "outline": _outline(state)})
        return Opening(title, outline), Usage()

    async def write(self, context: StepContext, on_text: Callable[[str], None]) -> Written:
        """The next paragraph, streamed in tokens of a few characters."""
        start = self._clock.monotonic()
        text = await asyncio.to_thread(self._compose, context)
        first: float | None = None
        for end in [match.end() for match in _TOKEN.finditer(text)]:
            await self._clock.sleep(self._delay_s)
            if first is None:
                first = self._clock.monotonic() - start
            on_text(text[:end])
        usage = Usage(first_text_s=first, total_s=self._clock.monotonic() - start)
        return Written(text, usage)

    def _compose(self, context: StepContext) -> str:
        scene = scene_of(context)
        kept = self._repertoires.get(scene.mood.name)
        if kept is None:
            kept = self._repertoires[scene.mood.name] = Repertoire(scene.mood)
        return compose(scene, context, kept)

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        """What the paragraph changed, and three ways to go on."""
        scene = scene_of(context)
        after = _after(scene, paragraph)
        plans = make_plans(scene.seed, scene.number, after, scene.mood, scene.reading)
        answer: dict[str, object] = {
            "rationale": _rationale(scene.state, after),
            "memory": after.memory(),
            "summary": _summary(scene, paragraph),
        }
        for number, plan in enumerate(plans, start=1):
            answer[f"plan_{number}"] = {"title": plan.title, "text": plan.text}
        return check_reflection(answer), Usage()


def _after(scene: Scene, paragraph: str) -> State:
    """The story after the paragraph that was published, which may have been edited."""
    facts = [_fact(scene, paragraph)]
    state = scene.state
    if scene.answer and scene.answer in paragraph:
        facts.append(known_fact(scene.answer))
        state = replace(state, thread=scene.next_thread)
    return state.with_facts(facts)


def _fact(scene: Scene, paragraph: str) -> Fact:
    if scene.item in paragraph:
        return find_fact(_deed(scene), scene.item, scene.meaning, scene.state.lead.name)
    told = sentences(paragraph)
    on_goal = [sentence for sentence in told if scene.choice.goal in sentence]
    on_goal = on_goal or [sentence for sentence in told if scene.state.thread in sentence]
    return Fact(clip((on_goal or list(told) or ["Nothing happened."])[0], _FACT_UNITS))


def _deed(scene: Scene) -> str:
    return scene.choice.did or f"kept to “{scene.title}”"


def _summary(scene: Scene, paragraph: str) -> str:
    """One or two sentences that name what happened, for the long-term memory."""
    happened = _fact(scene, paragraph).text
    if scene.answer and scene.answer in paragraph:
        return f"{happened} {known_fact(scene.answer).text}"
    if scene.choice.risk and scene.choice.risk in paragraph:
        return f"{happened} In the way stood {scene.choice.risk}."
    return happened


def _rationale(before: State, after: State) -> str:
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


def _title(brief: Brief, state: State) -> str:
    """A title from the premise's main thing and its people, or the lead's name."""
    reading, mood = read_premise(brief), detect_mood(brief)
    rng = seeded(story_seed(brief), "title")
    own = [goal for goal, _ in reading.goals][:1] + list(reading.matters[:1])
    goal = own[0] if own else reading.kin or rng.choice(mood.goals[Kind.PLACE])
    who = _in_capitals(reading.kin) if own and reading.kin else state.lead.name
    thing = _in_capitals(goal)
    pattern = rng.choice(_TITLES[:1] if reading.kin and own else _TITLES)
    title = pattern.replace("{L}", who).replace("{the_goal}", thing)
    title = title.replace("{The_goal}", thing)
    return title[:1].upper() + title[1:]


def _in_capitals(goal: str) -> str:
    if not goal.startswith("the "):
        return goal
    words = goal.removeprefix("the ").title().replace("'S", "'s").replace("’S", "’s")
    return f"the {words}"


def _outline(state: State) -> str:
    lead, companion, rival = state.lead, state.companion, state.rival
    return (
        f"{lead.name} is {lead.role} and wants to know {state.thread}. "
        f"It all happens in and around {state.place}. "
        f"{companion.name}, {companion.role}, comes along and has doubts. "
        f"{rival.name}, {rival.role}, would rather they stopped asking. Each answer opens another "
        "question, and the votes decide which door is tried."
    )
