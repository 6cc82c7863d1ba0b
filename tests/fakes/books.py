"""Told turns, and books of them, to begin a test from."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.domain.book import Book, Chapter, chapters, passage
from core.domain.story import (
    Brief,
    Outcome,
    Phase,
    Plan,
    Reflection,
    Story,
    StoryId,
    Stretch,
    Tally,
    Turn,
)
from core.ports import BookFormat
from tests.fakes.store import StoreWorld
from tests.fakes.stories import BRIEF, a_story

DAY_S = 86_400.0
BEGUN = 1_777_800_000.0
"""3 May 2026, before noon."""


def plans_of(number: int) -> tuple[Plan, ...]:
    """The plans behind a turn, told apart by what they say."""
    return tuple(Plan(f"Plan {letter}{number}", f"What {letter}{number} says.") for letter in "abc")


def paragraph_of(number: int) -> str:
    """The paragraph of a turn."""
    return f"Paragraph {number} begins here.\n\nIt ends with word{number}."


def told(
    count: int,
    paragraph: Callable[[int], str] = paragraph_of,
    plans: Callable[[int], tuple[Plan, ...]] = plans_of,
    branch: str = "main",
) -> list[Turn]:
    """Turns 1 to ``count``: a day apart, and each follows the second plan, with 2 of 3 voters."""
    tally = Tally(Outcome.WON, (1, 2, 0), 3, 1)
    return [
        Turn(
            id=f"{branch}-t{number}",
            number=number,
            parent=f"{branch}-t{number - 1}" if number > 1 else None,
            branch=branch,
            plan=plans(number - 1)[1] if number > 1 else None,
            paragraph=paragraph(number),
            written_at=BEGUN + number * DAY_S,
            reflection=Reflection("Why.", "Memory.", "Summary.", plans(number)),
            plans=plans(number) if number < count else (),
            tally=tally if number < count else None,
            decided=tally if number > 1 else None,
        )
        for number in range(1, count + 1)
    ]


def chapters_of(turns: list[Turn]) -> tuple[Chapter, ...]:
    """The chapters of turns that follow one another from the first one on."""
    before = [None, *turns[:-1]]
    return chapters(passage(one, turn) for one, turn in zip(before, turns, strict=True))


def a_book(of: list[Turn] | None = None, **changes: Any) -> Book:
    """The book of some turns, twelve where none are given, with ``changes`` made to it."""
    turns = told(12) if of is None else of
    book = Book(
        story=StoryId(900, 1),
        begun_at=BEGUN,
        brief=BRIEF,
        community="Harbour",
        first_at=turns[0].written_at,
        last_at=turns[-1].written_at,
        turns=len(turns),
        ended=False,
        bound_at=BEGUN + 90 * DAY_S,
        chapters=chapters_of(turns),
    )
    return replace(book, **changes)


def store(world: StoreWorld, turns: list[Turn], story: Story | None = None) -> Story:
    """Put turns into a store as a story that is being voted on."""
    head = turns[-1]
    story = story or a_story(
        lineage=(Stretch("main", 1, head.number),), head=head.id, created_at=BEGUN
    )
    world.stories[story.id] = story
    world.newest[story.id.channel] = story.id.serial
    for turn in turns:
        world.turns[story.id, turn.id] = turn
        world.places[story.id, turn.branch, turn.number] = turn.id
    return story


def ended(story: Story) -> Story:
    """The story after its end."""
    return replace(story, phase=Phase.ENDED)


class FakeBookbinder:
    """Bookbinder whose files are as large as a test says: so many bytes for each turn.

    Attributes:
        bound: every book that it was given.
    """

    def __init__(self, ending: str = "txt", bytes_per_turn: int = 10) -> None:
        self.ending = ending
        self.bytes_per_turn = bytes_per_turn
        self.bound: list[Book] = []

    async def bind(self, book: Book) -> bytes:
        self.bound.append(book)
        turns = book.last - book.first + 1
        return b"x" * (turns * self.bytes_per_turn)


def binders(**kinds: FakeBookbinder) -> dict[BookFormat, FakeBookbinder]:
    """Binders by their formats' names."""
    return {BookFormat(name): binder for name, binder in kinds.items()}


def a_brief(**changes: Any) -> Brief:
    """A brief with ``changes`` made to it."""
    return replace(BRIEF, **changes)
