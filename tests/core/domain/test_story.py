"""The nouns that guard or compute something."""

import pytest

from core.domain.entries import EntryKind, Recalled, entry_id
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


def test_a_sum_of_costs_is_a_measurement_only_where_all_of_it_was_reported() -> None:
    """Estimated tokens have no bytes beside them, and must not be taken for measured ones."""
    reported = Usage(100, calls=1, prompt_bytes=400)
    estimated, unsent = Usage(100, calls=1), Usage(calls=1)
    assert (reported + reported).prompt_bytes == 800
    assert (unsent + reported + unsent).prompt_bytes == 400
    for mixed in (reported + estimated, estimated + reported, reported + estimated + reported):
        assert mixed.prompt_bytes == 0


def test_an_entry_is_known_by_its_turn_and_of_facts_by_their_key() -> None:
    kinds = [Recalled("t7", 7, "It rained.", 0.5, kind, 2) for kind in EntryKind]
    assert [entry.id for entry in kinds] == ["t7", "t7/2", "t7/chapter"]
    assert [entry_id(entry.kind, "t7", 2) for entry in kinds] == [entry.id for entry in kinds]


def test_a_story_before_its_first_turn_has_head_number_zero() -> None:
    assert (a_story(lineage=(), head=None).head_number, a_story().head_number) == (0, 1)
