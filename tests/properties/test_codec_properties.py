"""Records: what is written is what is read, and what can't be read is said, whatever the bytes."""

import json
import struct
import types
from dataclasses import fields
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from core.adapters.redis_codec import Codec, CodecError
from core.adapters.redis_schema import (
    FORMAT,
    VERSIONED,
    Record,
    identity_fields,
    order_of,
    read_story,
    read_turn,
    state_fields,
    turn_fields,
    versioned_fields,
)
from core.domain.story import Notice, RefreshBallot, Story, StoryId, Turn
from core.errors import RecordError

# Any text, the lone surrogates included that a model's JSON can hold.
TEXT = st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])), max_size=40)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SNOWFLAKES = st.integers(1, 2**63 - 1)
STORY_IDS = st.builds(StoryId, SNOWFLAKES, st.integers(1, 10**9))

SCALARS: dict[object, st.SearchStrategy[object]] = {
    str: TEXT,
    float: NUMBERS,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    types.NoneType: st.none(),
    StoryId: STORY_IDS,
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type, every field of a dataclass filled, those with a default too."""
    if hint in SCALARS:
        return SCALARS[hint]
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of([values(one) for one in get_args(hint)])
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    hints = get_type_hints(hint)
    return st.builds(hint, **{one.name: values(hints[one.name]) for one in fields(hint)})


STORIES: st.SearchStrategy[Story] = values(Story)
TURNS: st.SearchStrategy[Turn] = values(Turn)


def record_of(story: Story) -> Record:
    """A story's hash, as a creation writes it."""
    record = {**identity_fields(story), **state_fields(story)}
    for name in VERSIONED:
        record |= versioned_fields(story, name)
    return record


@given(STORIES)
def test_a_story_is_read_as_it_was_written(story: Story) -> None:
    """Every field of a story comes back equal, also one that is added later."""
    assert read_story("key", record_of(story)) == story


@given(TURNS)
def test_a_turn_is_read_as_it_was_written(turn: Turn) -> None:
    """Every field of a turn comes back equal."""
    assert read_turn("key", turn_fields(turn)) == turn


@given(STORIES)
def test_a_storys_hash_has_only_what_the_index_takes(story: Story) -> None:
    """Every number in it that is compared is exact as a double, and ``due`` isn't rounded."""
    record = record_of(story)
    for name in ("channel_high", "channel_low", "serial"):
        assert int(float(record[name])) == int(record[name])
    assert ("due" in record) == (story.due is not None)
    if story.due is not None:
        assert float(record["due"]) == story.due


@given(STORY_IDS, STORY_IDS)
def test_stories_are_ordered_as_their_ids(one: StoryId, other: StoryId) -> None:
    """By the three numbers that are compared, and by the text that is sorted."""
    assert (order_of(one) < order_of(other)) == (one < other)
    texts = [f"{story.channel:020d}:{story.serial:010d}" for story in (one, other)]
    assert (texts[0] < texts[1]) == (one < other)


@given(STORIES, st.data())
def test_a_damaged_story_is_read_or_refused(story: Story, data: st.DataObject) -> None:
    """Bytes changed, cut or a field lost: RecordError with the key, or a story; nothing else."""
    record = dict(record_of(story))
    name = data.draw(st.sampled_from(sorted(record)))
    value = record.pop(name)
    if data.draw(st.booleans()):
        start = data.draw(st.integers(0, len(value)))
        end = data.draw(st.integers(start, len(value)))
        record[name] = value[:start] + data.draw(st.binary(max_size=8)) + value[end:]
    try:
        assert isinstance(read_story("tw:story:{1}:1", record), Story)
    except RecordError as error:
        assert "tw:story:{1}:1" in str(error) or "names no story" in str(error)  # noqa: PT017


@given(st.binary(max_size=60))
@example(b"\xed\xa0\x80")
@example(b"[" * 100_000)
@example(b'{"id":' + b"9" * 5000 + b"}")
@example(b'{"written_at":1e999}')
@example(b'{"written_at":NaN}')
def test_any_bytes_are_no_reason_to_fall_over(data: bytes) -> None:
    """What isn't a turn is refused with a sentence."""
    with pytest.raises(RecordError, match="turn"):
        read_turn("key", {"format": FORMAT.encode(), "turn": data})


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TURN_JSON = st.fixed_dictionaries({}, optional={one.name: PLAIN for one in fields(Turn)})


@given(TURN_JSON)
def test_other_json_is_refused_or_typed(plain: dict[str, object]) -> None:
    """No value of a wrong type gets into a turn."""
    data = json.dumps(plain, allow_nan=False).encode()
    try:
        turn = Codec({}).decode(Turn, data)
    except CodecError:
        return
    assert isinstance(turn.id, str)
    assert type(turn.number) is int
    assert type(turn.written_at) is float
    assert isinstance(turn.pieces, tuple)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4))
def test_a_value_without_json_is_not_stored(numbers: list[float]) -> None:
    """A vector inside a record, or a number that isn't one, is a mistake and is said."""
    with pytest.raises(CodecError):
        Codec({}).encode((struct.pack(f"<{len(numbers)}f", *numbers),))
    with pytest.raises(CodecError):
        Codec({}).encode((float("nan"), *numbers))


@given(values(Notice | RefreshBallot))
def test_one_of_several_kinds_says_which(effect: Notice | RefreshBallot) -> None:
    """An effect is read as what it was, and never as the other."""
    codec = Codec({Notice: "notice", RefreshBallot: "refresh ballot"})
    other = RefreshBallot if isinstance(effect, Notice) else Notice
    assert codec.decode(type(effect), codec.encode(effect)) == effect
    with pytest.raises(CodecError):
        codec.decode(other, codec.encode(effect))
