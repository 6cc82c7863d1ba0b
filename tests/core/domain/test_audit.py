"""Taking a moderator's name out of a change, and out of a sentence to the channel."""

import pytest

from core.domain.audit import SOMEBODY, Change, ChangeKind, Moderator, nameless, unsigned

ADA = Moderator(5, "Ada")


def test_only_the_moderators_own_changes_lose_their_name() -> None:
    """Whoever else is called the same keeps theirs."""
    change = Change(ChangeKind.PINNED, 1.0, ADA, "", "Ada has the key.")
    assert unsigned(change, 5) == Change(ChangeKind.PINNED, 1.0, SOMEBODY, "", "Ada has the key.")
    assert unsigned(change, 6) is change
    assert unsigned(unsigned(change, 5), 5) == unsigned(change, 5)


@pytest.mark.parametrize(
    ("sentence", "becomes"),
    [
        ("Ada paused the story. /story resume goes on.", "A moderator paused the story."),
        ("Ada L. ended the story after 3 turns.", "A moderator ended the story after 3 turns."),
        ("Mo paused the story.", "Mo paused the story."),
        ("Ada, who paused the story.", "Ada, who paused the story."),
        ("The model can't be reached.", "The model can't be reached."),
        (" paused the story.", " paused the story."),
    ],
)
def test_a_sentence_loses_the_name_of_who_did_it_and_no_other_word(
    sentence: str, becomes: str
) -> None:
    """A name is known by what follows it: members may be called The, or nothing at all."""
    assert nameless(sentence, ["", "The", "Ada", "Ada L."]).startswith(becomes)
