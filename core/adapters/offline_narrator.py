"""Narrator without a model: a grammar of templates, for the playground and the tests.

A true recurrence: whatever keeps its story together it reads from the step's context (short-term
memory, previous paragraph, plan, brief); it keeps nothing between calls. The same premise, turn and
plan give the same text. What a paragraph is made of stands in the offline_* modules beside this
one; here is the port: streaming at a model's pace, the opening, answers in a model's form.
"""

import asyncio
import re
from collections.abc import Callable, Sequence

from core.adapters.offline_cast import State, invent, story_seed
from core.adapters.offline_deck import seeded
from core.adapters.offline_grammar import NOTICE
from core.adapters.offline_lexicon import Kind, Mood
from core.adapters.offline_paragraph import compose, scene_of
from core.adapters.offline_plans import make_plans, other_plans
from core.adapters.offline_premise import detect_mood, read_premise
from core.adapters.offline_reflection import (
    chapter_of,
    facts_of,
    rationale_of,
    state_after,
    summary_of,
)
from core.adapters.offline_repertoire import ROUND, Repertoire
from core.domain.content import FOR_EVERYONE, Bounds
from core.domain.recurrence import StepContext, check_opening, check_plans, check_reflection
from core.domain.story import Brief, Opening, Plan, Reflection, Usage
from core.ports import Clock, Written

TOKENS_PER_S = 45.0
"""The pace of a hosted model of middle size."""
_TOKEN = re.compile(r"\s*\S{1,5}")
_TITLES = ("{L} and {the_goal}", "{The_goal}", "The Matter of {the_goal}")
_OTHER_EDITIONS = 2
"""Editions of the repertoire for paragraphs that came too close to an earlier one. Those of the
round before do, so the editions take turns round by round."""


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
        # By mood and edition, from which alone they follow; kept since each takes seconds to make.
        self._repertoires: dict[tuple[str, int], Repertoire] = {}

    @property
    def notice(self) -> str | None:
        """What it is and how to plug a model in."""
        return NOTICE

    async def check(self) -> None:
        """There is no endpoint to ask."""

    async def open(self, brief: Brief, bounds: Bounds = FOR_EVERYONE) -> tuple[Opening, Usage]:
        """A title and an outline out of the premise's words; its own are fit for everyone."""
        del bounds
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
        edition = 1 + scene.number // ROUND % _OTHER_EDITIONS if context.avoid else 0
        return compose(scene, context, self._repertoire(scene.mood, edition))

    def _repertoire(self, mood: Mood, edition: int) -> Repertoire:
        kept = self._repertoires.get((mood.name, edition))
        if kept is None:
            usual = self._repertoire(mood, 0) if edition else None
            kept = self._repertoires[mood.name, edition] = Repertoire(mood, edition, usual)
        return kept

    async def reflect(self, context: StepContext, paragraph: str) -> tuple[Reflection, Usage]:
        """What the paragraph changed, and three ways to go on."""
        scene = scene_of(context)
        after = state_after(scene, paragraph)
        known = context.known_facts
        summary = summary_of(scene, paragraph)
        plans = make_plans(scene.seed, scene.number, after, scene.mood, scene.reading)
        answer = _plans_answer(plans) | {
            "rationale": rationale_of(scene.state, after),
            "memory": after.memory(),
            "summary": summary,
            "facts": facts_of(scene, after, paragraph, known),
        }
        if context.stretch:
            answer["chapter"] = chapter_of(after, context.stretch, summary)
        ids = [fact.id for fact in known]
        return check_reflection(answer, ids, chapter=bool(context.stretch)), Usage()

    async def replan(
        self, context: StepContext, paragraph: str, refused: Sequence[Plan], faults: Sequence[str]
    ) -> tuple[tuple[Plan, ...], Usage]:
        """Three other ways to go on; what was said of the refused ones doesn't matter to it."""
        scene = scene_of(context)
        after = state_after(scene, paragraph)
        plans = other_plans(
            scene.seed, scene.number, after, scene.mood, scene.reading, refused=refused
        )
        return check_plans(_plans_answer(plans)), Usage()


def _plans_answer(plans: Sequence[Plan]) -> dict[str, object]:
    """Plans in the form in which a model answers them."""
    return {
        f"plan_{number}": {"title": plan.title, "text": plan.text}
        for number, plan in enumerate(plans, start=1)
    }


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
