"""What a book is made of (core/domain/book.py)."""

from dataclasses import replace

import pytest

from core.domain.book import (
    Passage,
    Road,
    Vote,
    file_stem,
    halves,
    passage,
    roads_left_open,
)
from core.domain.story import Outcome, Plan, Plans, Tally
from tests.fakes.books import a_book, a_brief, chapters_of, plans_of, told
from tests.fakes.stories import PLANS, a_story

A, B, C = plans_of(1)
FIRST, SECOND = told(2)


def test_the_opening_follows_no_vote() -> None:
    assert passage(None, FIRST) == Passage(1, FIRST.paragraph, None)


def test_a_turn_tells_the_vote_before_it() -> None:
    """Which plan won with how many votes of how many voters, and which lost with how many."""
    vote = passage(FIRST, SECOND).vote
    roads = (Road(A.title, A.text, 1), Road(C.title, C.text, 0))
    assert vote == Vote(B.title, 2, 3, (), roads)


def test_a_tie_names_the_plans_it_was_drawn_from() -> None:
    """All but the one that was drawn."""
    tally = Tally(Outcome.WON, (2, 2, 2), 4, 1, (0, 1, 2))
    vote = passage(FIRST, replace(SECOND, decided=tally)).vote
    assert vote is not None
    assert (vote.votes, vote.voters, vote.tied) == (2, 4, (A.title, C.title))


def test_a_count_that_is_not_known_is_not_made_up() -> None:
    """A turn of an early version: the plan and the roads are told without numbers."""
    vote = passage(FIRST, replace(SECOND, decided=None)).vote
    assert vote == Vote(B.title, roads=(Road(A.title, A.text), Road(C.title, C.text)))


def test_plans_that_were_edited_after_the_count_have_no_votes() -> None:
    """A vote that was opened anew and edited, before the rewind was taken back."""
    other = Plan("Plan z1", "What z1 says.")
    vote = passage(replace(FIRST, plans=(A, other, C)), SECOND).vote
    assert vote is not None
    assert (vote.title, vote.votes, vote.voters, vote.tied) == (B.title, 2, 3, ())
    assert [(road.title, road.votes) for road in vote.roads] == [
        (A.title, None),
        (other.title, None),
        (C.title, None),
    ]


def test_a_ballot_that_is_not_kept_leaves_no_roads() -> None:
    """The turn before has no plans."""
    vote = passage(replace(FIRST, plans=(), reflection=None), SECOND).vote
    assert vote == Vote(B.title, 2, 3)
    lost = passage(None, SECOND).vote
    assert lost == Vote(B.title, 2, 3)


def test_chapters_are_of_ten_turns() -> None:
    """As the long-term memory has them."""
    first, second, third = chapters_of(told(21))
    assert [(one.number, one.first, one.last) for one in (first, second, third)] == [
        (1, 1, 10),
        (2, 11, 20),
        (3, 21, 21),
    ]
    assert [number for number, _ in first.crossroads] == list(range(2, 11))
    assert not chapters_of(told(1))[0].crossroads


def test_an_ended_story_leaves_the_last_ballot_open() -> None:
    """As it stood, a moderator's edits included; nothing where that vote was closed."""
    head = told(3)[-1]
    story = a_story(head=head.id, plans=Plans(PLANS, 2))
    assert roads_left_open(story, head) == tuple(Road(plan.title, plan.text) for plan in PLANS)
    bare = a_story(head=head.id, plans=Plans())
    assert [road.title for road in roads_left_open(bare, head)] == ["Plan a3", "Plan b3", "Plan c3"]
    closed = replace(head, tally=Tally(Outcome.WON, (1, 0, 0), 1, 0))
    assert roads_left_open(story, closed) == ()
    assert roads_left_open(a_story(head="another"), head) == ()


def test_a_book_knows_what_it_holds() -> None:
    book = a_book()
    assert (book.first, book.last, book.is_newest, book.has_roads) == (1, 12, True, True)
    assert not a_book(turns=13).is_newest
    opening = a_book(told(1))
    assert not opening.has_roads
    assert replace(opening, left_open=(Road("One", "Way."),)).has_roads


def test_the_key_of_a_book_stays_and_is_its_own() -> None:
    """However often it is bound; another volume, another story and its successor have others."""
    book = a_book()
    assert replace(book, bound_at=1.0, turns=99).key == book.key
    others = [replace(book, volume=1), replace(book, volume=2), replace(book, begun_at=5.0)]
    assert len({book.key, *(one.key for one in others)}) == 4


def test_halves_part_a_book_between_chapters() -> None:
    """What was left open stands in the last one; a chapter can't be parted."""
    road = (Road("One", "Way."),)
    book = a_book(told(25), left_open=road)
    parts = halves(book)
    assert parts is not None
    one, other = parts
    assert (one.first, one.last, one.left_open) == (1, 20, ())
    assert (other.first, other.last, other.left_open) == (21, 25, road)
    assert halves(other) is None


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("The Salt Clock", "The-Salt-Clock"),
        ("  ../../etc/passwd  ", "etc-passwd"),
        ("Who? <What>: “Why”!", "Who-What-Why"),
        ("SPOILER_alert", "SPOILER-alert"),
        ("灯塔里的门", "灯塔里的门"),
        ("हिन्दी की कहानी", "हिन्दी-की-कहानी"),
        ("a\u202eb\x00c", "abc"),
        ("…", "story"),
        ("", "story"),
        ("Con", "story-Con"),
        ("w" * 80, "w" * 50),
        ("One " + "longer " * 20, "One-longer-longer-longer-longer-longer-longer"),
    ],
)
def test_a_file_is_named_by_its_title(title: str, stem: str) -> None:
    """With letters and digits of any script, and nothing that a file system or Discord minds."""
    book = a_book(brief=a_brief(title=title))
    assert file_stem(book) == stem
    assert file_stem(replace(book, volume=3)) == f"{stem}-volume-3"
