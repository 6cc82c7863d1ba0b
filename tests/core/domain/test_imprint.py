"""The words of a book that aren't the story's (core/domain/imprint.py)."""

from dataclasses import replace

import pytest

from core.domain import imprint
from core.domain.book import Road, Vote
from tests.fakes.books import a_book, a_brief, chapters_of, told

ROAD = Road("Up", "They climb.", 1)


@pytest.mark.parametrize(
    ("vote", "said"),
    [
        (Vote("Down", 3, 5), "chosen by 3 of 5 voters"),
        (Vote("Down", 1200, 1300), "chosen by 1,200 of 1,300 voters"),
        (Vote("Down", 1, 1), "chosen by the only voter"),
        (Vote("Down", 2, 4, ("Up",)), "drawn from a tie with “Up”, 2 of 4 voters each"),
        (
            Vote("Down", 1, 3, ("Up", "Left\nnow")),
            "drawn from a tie with “Up” and “Left now”, 1 of 3 voters each",
        ),
        (Vote("Down", 1, 1, ("Up",)), "drawn from a tie with “Up”, the only voter each"),
        (Vote("Down"), "chosen by vote"),
    ],
)
def test_a_vote_is_told_in_a_few_words(vote: Vote, said: str) -> None:
    assert imprint.decided(vote) == said


@pytest.mark.parametrize(
    ("road", "vote", "said"),
    [
        (ROAD, Vote("Down", 3, 5), "1 of 5 voters"),
        (ROAD, Vote("Down", 1, 1), "the only voter"),
        (replace(ROAD, votes=0), Vote("Down", 3, 5), "no votes"),
        (replace(ROAD, votes=None), Vote("Down", 3, 5), ""),
        (ROAD, Vote("Down"), ""),
        (ROAD, None, ""),
    ],
)
def test_a_road_says_who_wanted_it_where_that_is_known(
    road: Road, vote: Vote | None, said: str
) -> None:
    assert imprint.road_votes(road, vote) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "the other road"), (2, "the other two roads"), (4, "the other 4 roads")],
)
def test_roads_are_counted(number: int, said: str) -> None:
    assert imprint.others(Vote("Down", roads=(ROAD,) * number)) == said


def test_a_title_page_says_what_when_and_by_whom() -> None:
    """Days are UTC's."""
    book = a_book()
    assert imprint.title(book) == imprint.story_title(book) == "The Salt Clock"
    assert imprint.volume(book) == ""
    assert imprint.told(book) == "Told from 4 May 2026 to 15 May 2026"
    assert imprint.told(a_book(told(1))) == "Told on 4 May 2026"
    assert imprint.tellers(book) == "the members of Harbour"
    assert imprint.extent(book) == "12 turns in English, to be continued"
    assert imprint.extent(a_book(told(1), ended=True)) == "1 turn in English, complete"
    assert imprint.colophon(book) == imprint.MADE_WITH_ROADS
    assert imprint.colophon(a_book(told(1))) == imprint.MADE


def test_what_is_written_from_right_to_left_turns_nothing_round() -> None:
    """Quoted in a line of ours it is isolated, so that the numbers behind it stay there."""
    name = "\u2068ساعة\u2069"
    book = a_book(brief=a_brief(title="ساعة", language="ساعة"), community="ساعة")
    assert imprint.title(book) == "ساعة"
    assert imprint.title(replace(book, volume=2)) == f"{name} · volume 2"
    assert imprint.tellers(book) == f"the members of {name}"
    assert imprint.extent(book) == f"12 turns in {name}, to be continued"
    vote = Vote("ساعة", 2, 4, ("ساعة",))
    assert imprint.decided(vote) == f"drawn from a tie with “{name}”, 2 of 4 voters each"
    assert imprint.instead(vote) == f"instead of “{name}”"


def test_what_nobody_said_is_left_out() -> None:
    """A blank title has a name all the same."""
    book = a_book(brief=a_brief(title=" ", genre="\u200b", language=""), community="\u2800")
    assert imprint.title(book) == imprint.UNTITLED
    assert (imprint.genre(book), imprint.tellers(book)) == ("", "")
    assert imprint.extent(book) == "12 turns, to be continued"


def test_a_volume_says_what_part_it_is() -> None:
    book = a_book(volume=2, turns=20)
    assert imprint.title(book) == "The Salt Clock · volume 2"
    assert imprint.volume(book) == "Volume 2 · turns 1 to 12"
    assert imprint.closing(book) == "The story goes on in volume 3"


def test_a_book_closes_as_its_story_stands() -> None:
    assert imprint.closing(a_book()) == "To be continued"
    assert imprint.closing(a_book(ended=True)) == "The End"
    assert imprint.closing(a_book(volume=2)) == "To be continued"


def test_chapters_are_found_by_their_first_plan() -> None:
    """One without any by its turns."""
    first, second = chapters_of(told(12))
    assert imprint.chapter_entry(first) == "Chapter 1 · Plan b1"
    assert imprint.chapter_entry(second) == "Chapter 2 · Plan b10"
    [opening] = chapters_of(told(1))
    assert imprint.chapter_entry(opening) == "Chapter 1 · turn 1"


def test_roads_are_headed_by_what_was_chosen() -> None:
    assert imprint.instead(Vote("Down\nand out")) == "instead of “Down and out”"
    assert imprint.turns(21, 1030) == "turns 21 to 1,030"
    assert imprint.turn(1030) == "turn 1,030"
