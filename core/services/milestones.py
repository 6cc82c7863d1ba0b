"""The steps of a story's life that whoever runs the bot wants to know of: logged, and told on.

Each is noted once it is stored, by whoever stored it; so what a crash cuts off is neither logged
nor counted, and the next worker notes what it does itself. Only facts and figures: no word of a
member or of a model stands in these lines. Nothing decides by them what a story does next.
"""

import logging
from typing import Protocol

from core.domain.story import PauseCause, Phase, Story, Turn
from core.services.work import on, working_on

log = logging.getLogger(__name__)

_QUIET_CAUSES = {
    PauseCause.MODERATOR: "a moderator asked for it",
    PauseCause.ABSENT: "the bot isn't in the server any more",
}
"""Pauses that nothing else is logged of; the reasons of the others are, where they are met."""


class Witness(Protocol):
    """Is told of milestones, and must neither block nor raise."""

    def entered(self, story: Story, before: Phase | None) -> None:
        """A story came into its phase, or is paused for another reason than before.

        Args:
            before: the phase that it left; None for one that begins.
        """
        ...

    def told(self, turn: Turn, took_s: float) -> None:
        """A turn is on stage whole, and can be voted on for the first time.

        Args:
            took_s: seconds since this process took the story up to make it.
        """
        ...


class Unwatched:
    """A Witness that forgets."""

    def entered(self, story: Story, before: Phase | None) -> None:
        """See Witness."""

    def told(self, turn: Turn, took_s: float) -> None:
        """See Witness."""


def note_change(witness: Witness, before: Story | None, story: Story) -> None:
    """Note what a commit changed, if it is a milestone.

    Args:
        before: as it was stored until now; None for a story that begins.
        story: as it is stored now.
    """
    if before is not None and _place(before) == _place(story):
        return
    with working_on(on(story)):
        _log(story, begins=before is None)
    witness.entered(story, before.phase if before else None)


def note_told(witness: Witness, story: Story, turn: Turn, took_s: float) -> None:
    """Note that a turn can be voted on for the first time; see Witness.told."""
    usage = turn.usage
    with working_on(on(story)):
        log.info(
            "story %s: turn %d is told: %.1f s, %d tokens in %d requests to the model",
            story.id,
            turn.number,
            took_s,
            usage.tokens,
            usage.calls,
            extra={
                "seconds": round(took_s, 3),
                "tokens": usage.tokens,
                "requests": usage.calls,
            },
        )
    witness.told(turn, took_s)


def _place(story: Story) -> tuple[Phase, PauseCause | None]:
    return story.phase, story.pause.cause if story.pause else None


def _log(story: Story, *, begins: bool) -> None:
    pause = story.pause
    if begins:
        log.info("story %s begins", story.id)
    elif story.phase is Phase.ENDED:
        log.info("story %s is over at turn %d", story.id, story.head_number)
    elif story.phase is Phase.ASLEEP:
        log.info("story %s fell asleep behind turn %d: no vote", story.id, story.head_number)
    elif pause is not None and pause.cause in _QUIET_CAUSES:
        why = _QUIET_CAUSES[pause.cause]
        log.info("story %s is paused in %s: %s", story.id, pause.kept, why)
