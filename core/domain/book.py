"""A told story as a book: chapters of paragraphs, the votes between them, the roads not taken.

Made from the turns that lead to the story's head, oldest first, and from nothing else: what was
rewound away was not told in the end, and a paragraph that is being written isn't told yet. A long
story is bound in volumes; each is a book that can be read by itself, and an earlier one never
changes by what is told later. Texts stand here as they are stored; how they are printed is
emphasis', the words of a book that aren't the story's are imprint's, formats are the adapters'.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import regex

from core.domain.legible import legible
from core.domain.recurrence import CHAPTER_TURNS
from core.domain.story import Brief, Plan, Story, StoryId, Tally, Turn

VOLUME_TURNS = 1000
"""Turns of a volume: a hundred chapters, about the words of six novels, in 1 to 3 MiB."""
_NAME_CHARACTERS = 50
"""With four bytes each, and a volume's number, fewer than the 255 bytes that file systems take."""
_NOT_IN_NAMES = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
"""Names of devices, which Windows takes for no file's."""


@dataclass(frozen=True, slots=True)
class Road:
    """A plan that was voted on and not taken.

    Attributes:
        title, text: the plan.
        votes: members who voted for it; None where that isn't known.
    """

    title: str
    text: str
    votes: int | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """The vote that led to a turn.

    Attributes:
        title: of the plan that was followed.
        votes: members who voted for it.
        voters: members whose vote counted. Both are None where the count isn't known.
        tied: titles of the plans that had as many votes, before one was drawn.
        roads: the plans that lost.
    """

    title: str
    votes: int | None = None
    voters: int | None = None
    tied: tuple[str, ...] = ()
    roads: tuple[Road, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A turn as it is read: its number, its paragraph, and the vote before it (none: opening)."""

    number: int
    text: str
    vote: Vote | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """The passages of ten turns, or of as many as there are yet.

    Attributes:
        number: 1 for the story's first chapter, whichever volume it stands in.
        passages: at least one.
    """

    number: int
    passages: tuple[Passage, ...]

    @property
    def first(self) -> int:
        """Number of its first turn."""
        return self.passages[0].number

    @property
    def last(self) -> int:
        """Number of its last turn."""
        return self.passages[-1].number

    @property
    def crossroads(self) -> tuple[tuple[int, Vote], ...]:
        """The votes that left roads behind, each with the number of the turn that it led to."""
        return tuple((one.number, one.vote) for one in self.passages if one.vote and one.vote.roads)


@dataclass(frozen=True, slots=True)
class Book:
    """A story so far, or a volume of it.

    Attributes:
        story: which story.
        begun_at: when the story was started: a channel's next story may get a deleted one's id.
        brief: its title, genre, premise, language.
        community: the server that told it; empty where its name isn't known.
        first_at, last_at: when the first and the newest turn of the whole story were told.
        turns: how many the whole story has.
        ended: whether nothing follows.
        bound_at: when this book was made.
        chapters: at least one.
        volume: its number, where the story takes more than one book; else None.
        left_open: the plans on the ballot when the story was ended.
    """

    story: StoryId
    begun_at: float
    brief: Brief
    community: str
    first_at: float
    last_at: float
    turns: int
    ended: bool
    bound_at: float
    chapters: tuple[Chapter, ...]
    volume: int | None = None
    left_open: tuple[Road, ...] = ()

    @property
    def first(self) -> int:
        """Number of its first turn."""
        return self.chapters[0].first

    @property
    def last(self) -> int:
        """Number of its last turn."""
        return self.chapters[-1].last

    @property
    def is_newest(self) -> bool:
        """Whether it reaches the newest turn of the story."""
        return self.last == self.turns

    @property
    def key(self) -> str:
        """What tells it from all other books; the same each time this story is bound."""
        volume = "" if self.volume is None else f"/{self.volume}"
        return f"{self.story}/{self.begun_at!r}{volume}"

    @property
    def has_roads(self) -> bool:
        """Whether any other road lay open."""
        return bool(self.left_open) or any(chapter.crossroads for chapter in self.chapters)


def passage(before: Turn | None, turn: Turn) -> Passage:
    """A turn as it is read.

    Args:
        before: the turn before it; None for the opening.
        turn: told.
    """
    return Passage(turn.number, turn.paragraph, _vote(before, turn))


def chapters(passages: Iterable[Passage]) -> tuple[Chapter, ...]:
    """Passages in the order of their numbers, chapter by chapter."""
    runs = groupby(passages, lambda one: (one.number - 1) // CHAPTER_TURNS + 1)
    return tuple(Chapter(number, tuple(run)) for number, run in runs)


def roads_left_open(story: Story, head: Turn) -> tuple[Road, ...]:
    """The plans that an ended story was being voted on; a living one's may still be taken."""
    if head.id != story.head or head.tally is not None:
        return ()
    options = story.plans.options or head.offered
    return tuple(Road(plan.title, plan.text) for plan in options)


def halves(book: Book) -> tuple[Book, Book] | None:
    """Two books with half of the chapters each; None for a single chapter."""
    if len(book.chapters) == 1:
        return None
    middle = (len(book.chapters) + 1) // 2
    return (
        replace(book, chapters=book.chapters[:middle], left_open=()),
        replace(book, chapters=book.chapters[middle:]),
    )


def file_stem(book: Book) -> str:
    """The name of its file without the ending: the title's words, which every system can keep."""
    words = _NOT_IN_NAMES.sub(" ", legible(book.brief.title)).split()
    name = _clipped(words) or "story"
    if _RESERVED.fullmatch(name):
        name = f"story-{name}"
    return name if book.volume is None else f"{name}-volume-{book.volume}"


def _clipped(words: Sequence[str]) -> str:
    """As many whole words as a name takes, or the beginning of the only one."""
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word[:_NAME_CHARACTERS]
        if len(longer) > _NAME_CHARACTERS:
            break
        name = longer
    return name


def _vote(before: Turn | None, turn: Turn) -> Vote | None:
    plan, tally = turn.plan, turn.decided
    if plan is None:
        return None
    offered = before.offered if before else ()
    if tally is None or tally.winner is None:
        return Vote(plan.title, roads=_others(plan, offered))
    votes = tally.counts[tally.winner]
    if not _still_offers(offered, plan, tally, tally.winner):
        return Vote(plan.title, votes, tally.voters, roads=_others(plan, offered))
    return Vote(
        plan.title,
        votes,
        tally.voters,
        tuple(offered[at].title for at in tally.tied if at != tally.winner),
        tuple(
            Road(other.title, other.text, tally.counts[at])
            for at, other in enumerate(offered)
            if at != tally.winner
        ),
    )


def _still_offers(offered: Sequence[Plan], plan: Plan, tally: Tally, winner: int) -> bool:
    """Whether the turn before keeps the ballot that was counted.

    A rewind opens that vote anew, and its plans may be edited then; once the rewind is taken back,
    the count belongs to the plans as they were.
    """
    return len(offered) == len(tally.counts) and str(offered[winner]) == str(plan)


def _others(plan: Plan, offered: Sequence[Plan]) -> tuple[Road, ...]:
    return tuple(Road(other.title, other.text) for other in offered if str(other) != str(plan))
