"""Values to begin a test from: a story, a brief, a reflection, sensibly filled in."""

from dataclasses import replace
from typing import Any

from core.domain.story import (
    Brief,
    Draft,
    Phase,
    Plan,
    Plans,
    Reflection,
    Settings,
    Story,
    StoryId,
    Stretch,
    Turn,
)

BRIEF = Brief(
    premise="A lighthouse keeper finds a door below the tide line.",
    genre="mystery",
    style="quiet",
    language="English",
    title="The Salt Clock",
    outline="A clock runs on tides.",
)
PLANS = (
    Plan("Down the iron stair", "Mira follows the humming."),
    Plan("The keeper's ledger", "Corvin reads the page."),
    Plan("Signal the ferry", "They light the lamp by hand."),
)


def a_story(**changes: Any) -> Story:
    """A story in voting after its first turn, with ``changes`` made to it."""
    story = Story(
        id=StoryId(900, 1),
        guild=10,
        phase=Phase.VOTING,
        epoch=1,
        due=None,
        brief=BRIEF,
        settings=Settings(),
        lineage=(Stretch("main", 1, 1),),
        head="t1",
        plans=Plans(PLANS, 1),
    )
    return replace(story, **changes)


def a_draft(**changes: Any) -> Draft:
    """The draft of turn 2, with ``changes`` made to it."""
    return replace(Draft("t2", 2, 1, PLANS[0], after=500), **changes)


def a_reflection(number: int = 1) -> Reflection:
    """A reflection that the rules accept."""
    return Reflection("Why.", f"Turn {number} was told.", f"Turn {number} happened.", PLANS)


def a_turn(**changes: Any) -> Turn:
    """Turn 1 as it is once staged, with ``changes`` made to it."""
    turn = Turn(
        id="t1",
        number=1,
        parent=None,
        branch="main",
        plan=None,
        paragraph="The lamp had not turned since the ferry left.",
        reflection=a_reflection(),
        pieces=(600,),
        ballot=601,
        staged_at=1000.0,
    )
    return replace(turn, **changes)
