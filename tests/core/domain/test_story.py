"""The nouns that guard or compute something."""

import pytest

from core.domain.story import StoryId, Usage
from tests.fakes.stories import a_story


@pytest.mark.parametrize(("channel", "serial"), [(0, 1), (-5, 1), (5, 0)])
def test_an_empty_story_id_cannot_be_made(channel: int, serial: int) -> None:
    with pytest.raises(ValueError, match="needs a channel and a serial"):
        StoryId(channel, serial)


def test_a_story_id_reads_as_channel_and_serial() -> None:
    assert str(StoryId(900, 2)) == "900:2"


def test_usage_adds_up_and_keeps_the_first_time_to_first_text() -> None:
    both = Usage(10, 4, 5, 1, None, 2.0) + Usage(1, 1, 1, 2, 0.7, 3.0) + Usage(first_text_s=9.0)
    assert both == Usage(11, 5, 6, 3, 0.7, 5.0)
    assert both.tokens == 17


def test_a_story_before_its_first_turn_has_head_number_zero() -> None:
    assert (a_story(lineage=(), head=None).head_number, a_story().head_number) == (0, 1)
