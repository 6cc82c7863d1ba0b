"""The stored format: held by records written out here, and refused with a sentence otherwise."""

from dataclasses import replace

import pytest

from core.adapters import redis_keys as keys
from core.adapters.redis_codec import Codec, CodecError
from core.adapters.redis_schema import (
    FORMAT,
    any_of,
    entry_fields,
    read_recalled,
    read_story,
    read_story_id,
    read_turn,
    state_fields,
    tag,
)
from core.domain.entries import Recalled
from core.domain.story import (
    Canon,
    Memory,
    Notice,
    Phase,
    Plan,
    Reflection,
    RefreshBallot,
    StoryId,
    Stretch,
    Turn,
    Usage,
    VotingRule,
)
from core.errors import RecordError
from tests.contracts.store_samples import a_fact, a_story, a_turn

# As the first released version writes it. A change that can't read this loses running stories.
STORED_STORY = {
    "format": b"1",
    "story": b"123:2",
    "guild": b"77",
    "phase": b"paused",
    "due": b"1763870000.123",
    "epoch": b"9",
    "state": (
        b'{"brief":{"premise":"A lighthouse.","genre":"","style":"","language":"English",'
        b'"title":"The Lamp","outline":""},"extended":true,"lineage":[{"branch":"main",'
        b'"first":1,"last":3}],"head":"t3","draft":null,"pause":{"kept":"voting",'
        b'"cause":"moderator","reason":"Tea.","vote_left_s":60.5,"until":null},"outbox":'
        b'[{"kind":"notice","nonce":"n","text":"Paused.","withdraw_after":null},'
        b'{"kind":"refresh ballot","turn_id":"t3"}],"created_at":1700000000.25}'
    ),
    "memory": '"Mira wartet. 海"'.encode(),
    "memory_v": b"4",
    "canon": b'["Salt."]',
    "canon_v": b"1",
    "plans": b'[{"title":"Down","text":"They climb."}]',
    "plans_v": b"3",
    "settings": b'{"vote_s":60,"sentences":20,"rule":"single","quorum":1,"notify_role":null}',
    "settings_v": b"0",
}

STORED_TURN = (
    b'{"id":"t2","number":2,"parent":"t1","branch":"main","plan":{"title":"Down","text":"Go."},'
    b'"paragraph":"It rained on.","recalled":[{"turn_id":"t1","number":1,"text":"It rained.",'
    b'"score":0.5}],"usage":{"prompt_tokens":900,"cached_tokens":0,"completion_tokens":40,'
    b'"calls":1,"first_text_s":0.5,"total_s":2.0},"written_at":5.0,"reflection":{"rationale":'
    b'"Why.","memory":"It rains.","summary":"It rained on.","plans":[{"title":"Up","text":"U."}]}}'
)


def test_a_story_as_it_was_stored_once_is_read() -> None:
    """Fields that came later have their defaults."""
    story = read_story("key", STORED_STORY)
    assert story.id == StoryId(123, 2)
    assert (story.guild, story.phase, story.epoch, story.due) == (
        *(77, Phase.PAUSED, 9),
        1763870000.123,
    )
    assert story.brief.title == "The Lamp"
    assert story.lineage == (Stretch("main", 1, 3),)
    assert story.pause is not None
    assert story.pause.kept is Phase.VOTING
    assert story.outbox == (Notice("n", "Paused."), RefreshBallot("t3"))
    assert story.memory == Memory("Mira wartet. 海", 4)
    assert story.canon == Canon(("Salt.",), 1)
    assert story.plans.options == (Plan("Down", "They climb."),)
    assert story.settings.rule is VotingRule.SINGLE
    assert story.created_at == 1700000000.25


def test_a_turn_as_it_was_stored_once_is_read() -> None:
    """Of before there were facts, chapters and measured prompts: what it recalled are summaries."""
    turn = read_turn("key", {"format": b"1", "turn": STORED_TURN})
    assert turn.recalled == (Recalled("t1", 1, "It rained.", 0.5),)
    assert turn.reflection == Reflection("Why.", "It rains.", "It rained on.", turn.offered)
    assert turn.usage == Usage(900, 0, 40, 1, 0.5, 2.0)


def test_an_entry_is_stored_with_the_words_that_it_is_found_by() -> None:
    """Those of its subject first; of what isn't written in words nothing is left."""
    fields = entry_fields(StoryId(12, 1), a_fact(about="Die Tür", text="灯塔 is 7 m high!"))
    assert fields["words"].decode() == "die tür 灯塔 is 7 m high"
    assert (fields["kind"], fields["key"], fields["ends"]) == (b"fact", b"1", b"")


def test_a_fact_cannot_end_what_no_index_could_find() -> None:
    with pytest.raises(ValueError, match="tag"):
        entry_fields(StoryId(12, 1), a_fact(ends=("",)))
    with pytest.raises(ValueError, match="empty list"):
        any_of("ends", [])


def test_a_newer_format_is_refused_with_a_sentence() -> None:
    """The key, both formats and what to do stand in it."""
    record = {**STORED_STORY, "format": b"2"}
    with pytest.raises(RecordError, match=r"tw:story:x has format 2.*reads format 1.*newer"):
        read_story("tw:story:x", record)


@pytest.mark.parametrize("name", sorted(STORED_STORY.keys() - {"due"}))
def test_a_missing_field_is_named(name: str) -> None:
    """A record without it isn't guessed at."""
    record = {key: value for key, value in STORED_STORY.items() if key != name}
    with pytest.raises(RecordError, match=f"tw:story:x.*field {name}: it is missing"):
        read_story("tw:story:x", record)


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
    with pytest.raises(RecordError, match=rf"tw:story:x \(format 1\).*field {name}"):
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
    hit = {"id": "tw:memory:x", "number": "1", "text": "T.", "vector_distance": "0.5"}
    with pytest.raises(RecordError, match="tw:memory:x"):
        read_recalled(hit)
    assert read_recalled({**hit, "turn": "t1"}).score == 0.5
    with pytest.raises(RecordError, match="'omen' is not a valid EntryKind"):
        read_recalled({**hit, "turn": "t1", "kind": "omen"})
    by_words = {"number": "1", "text": "T.", "turn": "t1", "score": "7.25"}
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
