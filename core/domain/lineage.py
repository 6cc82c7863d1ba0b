"""The tree of turns: which turns lead to the head, and how the head moves back in it.

Nothing is moved or destroyed when a story goes back: its lineage is cut and a stretch of a new
branch begins behind the cut, empty until a turn is told on it. What is outside the lineage is out
of recall at once and comes back with the lineage.
"""

from dataclasses import replace

from core.domain.story import Lineage, Stretch, Turn

MAIN_BRANCH = "main"
"""The branch of turns that no way back has led away from."""


def holds(lineage: Lineage, turn: Turn) -> bool:
    """Whether a turn is one of those that lead to the head."""
    return any(
        stretch.branch == turn.branch and stretch.first <= turn.number <= stretch.last
        for stretch in lineage
    )


def branch_of(lineage: Lineage, number: int) -> str | None:
    """The branch that turn ``number`` of a lineage stands on; None where there is no such turn."""
    for stretch in lineage:
        if stretch.first <= number <= stretch.last:
            return stretch.branch
    return None


def newest_branch(lineage: Lineage) -> str:
    """The branch that the next turn stands on."""
    return lineage[-1].branch if lineage else MAIN_BRANCH


def extended(lineage: Lineage, number: int) -> Lineage:
    """The lineage with turn ``number`` as the newest of its newest branch."""
    if not lineage:
        return (Stretch(MAIN_BRANCH, number, number),)
    return (*lineage[:-1], replace(lineage[-1], last=number))


def cut(lineage: Lineage, last: int, branch: str) -> Lineage:
    """The lineage that ends with turn ``last``, and whose next turn begins a branch.

    Args:
        last: the newest turn that stays; 0 keeps none.
        branch: a name that no branch of the story has yet.
    """
    kept = tuple(
        Stretch(stretch.branch, stretch.first, min(stretch.last, last))
        for stretch in lineage
        if stretch.first <= min(stretch.last, last)
    )
    return (*kept, Stretch(branch, last + 1, last))
