"""A witness that writes down what it was told."""

from core.domain.story import Phase, Story, Turn


class FakeWitness:
    """Implements core.services.milestones.Witness.

    Attributes:
        changes: of every milestone, the phase before it and the story behind it.
        turns: of every turn that was told, its number and how long it took, seconds.
    """

    def __init__(self) -> None:
        self.changes: list[tuple[Phase | None, Story]] = []
        self.turns: list[tuple[int, float]] = []

    @property
    def phases(self) -> list[Phase]:
        """The phases that stories came into, in order."""
        return [story.phase for _, story in self.changes]

    def entered(self, story: Story, before: Phase | None) -> None:
        self.changes.append((before, story))

    def told(self, turn: Turn, took_s: float) -> None:
        self.turns.append((turn.number, took_s))
