"""The words of a book that aren't the story's: what chapters, votes and roads are called in it.

They are English, as everything that Talewheel says by itself; both formats take them from here.
What they quote of the story is on one line and reads as it was written, and is not escaped yet.
"""

import unicodedata
from datetime import UTC, datetime

from core.domain.book import Book, Chapter, Road, Vote
from core.domain.emphasis import plain_line
from core.domain.legible import is_blank

UNTITLED = "A story without a title"
CONTENTS = "Contents"
ROADS = "Roads not taken"
ROADS_SAY = (
    "At every turn members voted on how the story goes on. These are the plans that lost. The "
    "number of a turn leads back to where the story went another way."
)
LEFT_OPEN = "Where the story ended"
LEFT_OPEN_SAYS = "It ended before anybody chose between these."
MADE = "Written turn by turn by the bot Talewheel, along the plans that won the votes."
MADE_WITH_ROADS = f"{MADE} The plans that lost stand at the end."
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def title(book: Book) -> str:
    """The book's title, with its volume."""
    if book.volume is None:
        return story_title(book)
    return f"{_quoted(story_title(book))} · volume {book.volume:,}"


def story_title(book: Book) -> str:
    """The story's title."""
    return UNTITLED if is_blank(book.brief.title) else plain_line(book.brief.title)


def volume(book: Book) -> str:
    """Which part of the story a volume is; empty where there is only one book."""
    if book.volume is None:
        return ""
    return f"Volume {book.volume:,} · {turns(book.first, book.last)}"


def genre(book: Book) -> str:
    """The genre; empty where none was said."""
    return "" if is_blank(book.brief.genre) else plain_line(book.brief.genre)


def tellers(book: Book) -> str:
    """Who told it; empty where that isn't known."""
    return "" if is_blank(book.community) else f"the members of {_quoted(book.community)}"


def told(book: Book) -> str:
    """When the whole story was told: "Told from 3 May 2026 to 12 June 2026"."""
    first, last = _day(book.first_at), _day(book.last_at)
    return f"Told on {first}" if first == last else f"Told from {first} to {last}"


def extent(book: Book) -> str:
    """How long the whole story is, in which language, and whether it goes on."""
    length = "1 turn" if book.turns == 1 else f"{book.turns:,} turns"
    language = "" if is_blank(book.brief.language) else f" in {_quoted(book.brief.language)}"
    return f"{length}{language}, {state(book)}"


def state(book: Book) -> str:
    """Whether the story goes on."""
    return "complete" if book.ended else "to be continued"


def colophon(book: Book) -> str:
    """How the book came about."""
    return MADE_WITH_ROADS if book.has_roads else MADE


def chapter(of: Chapter) -> str:
    """A chapter's heading."""
    return f"Chapter {of.number:,}"


def chapter_turns(of: Chapter) -> str:
    """A chapter with its turns."""
    return f"{chapter(of)} · {turns(of.first, of.last)}"


def chapter_entry(of: Chapter) -> str:
    """A chapter in a table of contents: the first plan of it says what it is about."""
    plan = next((one.vote.title for one in of.passages if one.vote), None)
    return chapter_turns(of) if plan is None else f"{chapter(of)} · {_quoted(plan)}"


def turns(first: int, last: int) -> str:
    """A run of turns: "turns 21 to 30"."""
    return f"turn {first:,}" if first == last else f"turns {first:,} to {last:,}"


def turn(number: int) -> str:
    """One turn."""
    return f"turn {number:,}"


def decided(vote: Vote) -> str:
    """How a plan came to be followed."""
    if vote.votes is None or vote.voters is None:
        return "chosen by vote"
    share = "the only voter" if vote.voters == 1 else f"{vote.votes:,} of {_voters(vote.voters)}"
    if not vote.tied:
        return f"chosen by {share}"
    tied = " and ".join(f"“{_quoted(one)}”" for one in vote.tied)
    return f"drawn from a tie with {tied}, {share} each"


def instead(vote: Vote) -> str:
    """The heading of the roads that a vote left behind, after the number of its turn."""
    return f"instead of “{_quoted(vote.title)}”"


def road_votes(road: Road, vote: Vote | None) -> str:
    """How many wanted a road; empty where that isn't known."""
    if road.votes is None or vote is None or vote.voters is None:
        return ""
    if not road.votes:
        return "no votes"
    return "the only voter" if vote.voters == 1 else f"{road.votes:,} of {_voters(vote.voters)}"


def others(vote: Vote) -> str:
    """What leads to the roads not taken."""
    number = len(vote.roads)
    return "the other road" if number == 1 else f"the other {_NUMBERS.get(number, number)} roads"


def closing(book: Book) -> str:
    """The words below the last paragraph."""
    if book.volume is not None and not book.is_newest:
        return f"The story goes on in volume {book.volume + 1:,}"
    return "The End" if book.ended else "To be continued"


_TURNING = frozenset({"R", "AL", "AN"})
"""Kinds of characters that are written from right to left (Unicode's annex 9)."""
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_NUMBERS = {2: "two", 3: "three"}


def _quoted(words: str) -> str:
    """Words of others within a line of ours, which they don't turn round."""
    line = plain_line(words)
    turned = any(unicodedata.bidirectional(character) in _TURNING for character in line)
    return f"{_ISOLATE}{line}{_END_OF_ISOLATE}" if turned else line


def _voters(number: int) -> str:
    return f"{number:,} voters"


def _day(at: float) -> str:
    day = datetime.fromtimestamp(at, UTC)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
