"""The stored format: held by records written out here, and refused with a sentence otherwise."""

from dataclasses import replace

import pytest

from core.adapters import redis_keys as keys
from core.adapters.redis_codec import Codec, CodecError
from core.adapters.redis_schema import (
    FORMAT,
    any_of,
    encode_change,
    entry_fields,
    read_change,
    read_recalled,
    read_story,
    read_story_id,
    read_turn,
    state_fields,
    tag,
)
from core.adapters.redis_vectors import VectorSpace
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.story import StoryId, Turn
from core.errors import RecordError
from tests.adapters.stored_records import record
from tests.contracts.store_samples import DIMS, a_fact, a_story, a_turn

STORED_STORY = record(f"format_{FORMAT}", "tw:story:{123}:2")
PINNED = Change(ChangeKind.PINNED, 1.5, Moderator(5, "Ada"))
VECTORS = VectorSpace("test-embedder", DIMS)
READ = sorted(STORED_STORY.keys() - {"due", "order", "channel_high", "channel_low", "serial"})
"""The fields that a story is read from; others are there to be searched by, or may be absent."""


def test_an_entry_is_stored_with_the_words_that_it_is_found_by() -> None:
    """Those of its subject first; of what isn't written in words nothing is left."""
    fields = entry_fields(
        StoryId(12, 1), a_fact(about="Die Tür", text="灯塔 is 7 m high!"), VECTORS
    )
    assert fields["words"].decode() == "die tür 灯塔 is 7 m high"
    assert (fields["kind"], fields["key"], fields["ends"]) == (b"fact", b"1", b"")


def test_a_fact_cannot_end_what_no_index_could_find() -> None:
    with pytest.raises(ValueError, match="tag"):
        entry_fields(StoryId(12, 1), a_fact(ends=("",)), VECTORS)
    with pytest.raises(ValueError, match="empty list"):
        any_of("ends", [])


def test_a_newer_format_is_refused_with_a_sentence() -> None:
    """The key, both formats and what to do stand in it."""
    newer = {**STORED_STORY, "format": b"9"}
    with pytest.raises(RecordError, match=r"tw:story:x has format 9.*reads format 2.*newer"):
        read_story("tw:story:x", newer)
    with pytest.raises(RecordError, match=r"key has format 9.*reads format 2.*newer"):
        read_change("key", encode_change(PINNED).replace(FORMAT.encode(), b"9", 1))


@pytest.mark.parametrize("name", READ)
def test_a_missing_field_is_named(name: str) -> None:
    """A record without it isn't guessed at."""
    lacking = {key: value for key, value in STORED_STORY.items() if key != name}
    with pytest.raises(RecordError, match=f"tw:story:x.*field {name}: it is missing"):
        read_story("tw:story:x", lacking)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epoch", b"nine"),
        ("guild", b""),
        ("phase", b"dreaming"),
        ("due", b"soon"),
        ("state", b"{}"),
        ("state", b'{"brief":'),
        ("memory", b"7"),
        ("canon", b'["a",7]'),
        ("plans", b'[{"title":"Down"}]'),
        ("settings", b'{"vote_s":"60"}'),
        ("settings", b'{"vote_s":true}'),
        ("settings", b'{"speed":1}'),
        ("settings", b'{"rule":"dice"}'),
    ],
)
def test_a_field_of_another_type_is_refused(name: str, value: bytes) -> None:
    """Nothing is coerced: key, format and field stand in the sentence."""
    with pytest.raises(RecordError, match=rf"tw:story:x \(format 2\).*field {name}"):
        read_story("tw:story:x", {**STORED_STORY, name: value})


def test_a_story_without_due_has_no_field_for_it() -> None:
    """None isn't stored as a text that an index would choke on."""
    assert "due" not in state_fields(a_story())
    assert state_fields(a_story(due=0.1))["due"] == b"0.1"


def test_a_turn_of_a_newer_field_is_refused() -> None:
    """A turn that a newer version wrote isn't cut down to what this one knows."""
    data = Codec({}).encode(a_turn())[:-1] + b',"mood":"dark"}'
    with pytest.raises(RecordError, match="unknown field 'mood'"):
        read_turn("key", {"format": FORMAT.encode(), "turn": data})


def test_a_number_beyond_all_numbers_is_refused() -> None:
    """A JSON number that reads as infinity isn't a time."""
    data = Codec({}).encode(replace(a_turn(), written_at=5.5)).replace(b"5.5", b"1e999")
    with pytest.raises(CodecError, match="written_at"):
        Codec({}).decode(Turn, data)


@pytest.mark.parametrize("value", [b'"A lamp burnt."', b'["A lamp burnt."]', b'{"A lamp":"burnt"}'])
def test_a_value_of_another_kind_is_named_without_its_words(value: bytes) -> None:
    """Errors are logged, and what members and models write isn't."""
    data = Codec({}).encode(replace(a_turn(), number=777)).replace(b"777", value)
    with pytest.raises(CodecError, match=r"number: an? .* isn't a int") as refused:
        Codec({}).decode(Turn, data)
    assert "lamp" not in str(refused.value)


def test_a_hit_without_its_fields_is_a_record_error() -> None:
    """An entry that a search can't give whole is said, with its key."""
    whole = {"number": "1", "text": "T.", "kind": "summary", "key": "0", "about": "", "first": "0"}
    hit = {"id": "tw:memory:x", **whole, "vector_distance": "0.5"}
    with pytest.raises(RecordError, match="tw:memory:x"):
        read_recalled(hit)
    assert read_recalled({**hit, "turn": "t1"}).score == 0.5
    with pytest.raises(RecordError, match="'omen' is not a valid EntryKind"):
        read_recalled({**hit, "turn": "t1", "kind": "omen"})
    by_words = {**whole, "turn": "t1", "score": "7.25"}
    assert read_recalled(by_words).score == 7.25
    assert read_recalled({**by_words, "vector_distance": "-0.1"}).score == 1.0


@pytest.mark.parametrize("text", ["", "5", "5:", "a:1", "0:1", "5:0", "5:1:1"])
def test_a_text_that_names_no_story_is_refused(text: str) -> None:
    """Only channel and serial make a story."""
    with pytest.raises(RecordError, match="names no story"):
        read_story_id(text)


@pytest.mark.parametrize("value", ["", " ", " a", "a ", "a\tb", "a\nb", "a\x1fb", "a\0b"])
def test_a_tag_that_an_index_would_change_is_refused(value: str) -> None:
    """An empty one would match everybody's records."""
    with pytest.raises(ValueError, match="tag"):
        tag(value)


@pytest.mark.parametrize("part", ["", "a b", "a\n", "\0", "x" * 201])
def test_a_key_is_never_built_from_anything(part: str) -> None:
    """A part that is empty, too long or no word is refused in every key that takes one."""
    for build, name in ((keys.turn, "turn id"), (keys.memory, "entry id")):
        with pytest.raises(ValueError, match=name):
            build(StoryId(1, 1), part)
    with pytest.raises(ValueError, match="operation"):
        keys.operation(1, part)
    with pytest.raises(ValueError, match="day"):
        keys.spend(part)


def test_all_keys_of_a_channel_share_a_slot_and_no_two_collide() -> None:
    """The channel stands in braces in each, and every kind and part makes another key."""
    one, other = StoryId(12, 1), StoryId(12, 11)
    built = [
        keys.current(12),
        *(
            key
            for story in (one, other)
            for key in (keys.story(story), keys.turn(story, "1"), keys.memory(story, "1"))
        ),
        keys.operation(12, "1"),
        keys.claim(12, "1"),
    ]
    assert all("{12}" in key for key in built)
    assert len(set(built)) == len(built)
    assert not keys.story(one).startswith(keys.MEMORY_PREFIX)
