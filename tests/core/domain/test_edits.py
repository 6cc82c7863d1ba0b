"""What moderators may write, measured as the story's own endpoint counts."""

import pytest

from core.domain import edits
from core.domain.story import Canon
from core.errors import InputError

LINE = "It rains on Ormsay all day."


@pytest.mark.parametrize("bytes_per_token", [2.0, 4.0])
def test_a_memory_may_take_its_part_of_the_prompt_in_the_storys_tokens(
    bytes_per_token: float,
) -> None:
    """1,000 tokens: 4,000 bytes of English, half of it where a token is two bytes."""
    text = "x" * int(1000 * bytes_per_token)
    assert edits.memory(text, bytes_per_token) == text
    with pytest.raises(InputError, match=r"about 1001 tokens of the prompt.* at most 1000"):
        edits.memory(f"{text}x", bytes_per_token)


def test_a_canon_is_full_in_the_storys_tokens() -> None:
    canon = Canon(tuple(f"{LINE} {n}" + "x" * 250 for n in range(4)))
    assert len(edits.pinned(canon, LINE).entries) == 5
    with pytest.raises(InputError, match="at most 400"):
        edits.pinned(canon, LINE, 2.0)


def test_a_chapter_may_be_empty_and_has_its_limit() -> None:
    assert edits.chapter(" \n") == ""
    assert edits.chapter(" Ten days. ") == "Ten days."
    with pytest.raises(InputError, match="chapter has 1501 characters; it may have at most 1500"):
        edits.chapter("x" * 1501)
