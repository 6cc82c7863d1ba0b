"""Every record that any version stored is read as what it says; formats have steps and samples."""

import json
from dataclasses import replace

import pytest

from core.adapters.redis_migrations import (
    STEPS,
    Kind,
    NewerFormatError,
    upgraded,
    upgraded_change,
)
from core.adapters.redis_schema import (
    FORMAT,
    RECALLED_FIELDS,
    Record,
    encode_change,
    read_change,
    read_ends,
    read_recalled,
    read_story,
    read_turn,
)
from core.adapters.redis_vectors import VectorSpace
from core.domain.audit import Change, ChangeKind, Moderator, Road
from core.domain.entries import EntryKind, Fact, Recalled
from core.domain.ledger import TurnMemory
from core.domain.story import (
    Brief,
    Canon,
    Draft,
    Memory,
    Notice,
    OfferVotes,
    Outcome,
    Pause,
    PauseCause,
    Phase,
    Plan,
    Plans,
    Reflection,
    RefreshBallot,
    RefreshProse,
    RetireBallot,
    Settings,
    Story,
    StoryId,
    Stretch,
    Tally,
    Turn,
    Usage,
    VotingRule,
    WholeText,
)
from core.errors import RecordError
from tests.adapters.stored_records import AGES, MADE_BY, record, stored

STORY, TURN = "tw:story:{123}:2", "tw:turn:{123}:2:t2"
SUMMARY, FACT = "tw:memory:{123}:2:t2", "tw:memory:{123}:2:t2/1"
WHOLE_AGES = [age for age in AGES if age not in {"format_1_first", "format_1_desk"}]

DOWN, UP = Plan("Down", "They climb down.", edited=True), Plan("Up", "They 灯 climb \ud800 up.")
USAGE = Usage(900, 100, 40, 2, 0.5, 2.5, 3600)
TALLY = Tally(Outcome.WON, (2, 2, 0), 3, 1, (0, 1))
SETTINGS = Settings(60, 5, VotingRule.SINGLE, 2, 9, 8)
FACTS = (Fact(1, "Mira", "She waits.", ("t1/1",)), Fact(2, "Bo", "He barks.", dropped=True))
DRAFT = Draft("t3", 3, 1, UP, 700, USAGE, TALLY, 4)
WHOLE_STORY = Story(
    id=StoryId(123, 2),
    guild=77,
    phase=Phase.PAUSED,
    epoch=9,
    due=1763870000.5,
    brief=Brief("A lighthouse.", "Mystery", "terse", "German", "The Lamp", "Mira waits."),
    settings=SETTINGS,
    settings_version=1,
    extended=True,
    offers=1,
    tries=2,
    lineage=(Stretch("main", 1, 2),),
    head="t2",
    draft=DRAFT,
    pause=Pause(Phase.WRITING, PauseCause.BUDGET, "Spent.", 60.5, 1763870000.5, withdrawn=True),
    outbox=(
        Notice("n", "Paused.", 650, 700),
        RefreshBallot("t2", 690),
        RefreshProse("t1"),
        RetireBallot("t1", 500),
        WholeText(DRAFT),
        OfferVotes("t2"),
    ),
    said=640,
    memory=Memory("Mira wartet. 海", 4),
    canon=Canon(("Salt.",), 1),
    plans=Plans((DOWN, UP), 3),
    turns_version=2,
    created_at=1700000000.25,
    bytes_per_token=3.5,
)
WHOLE_TURN = Turn(
    id="t2",
    number=2,
    parent="t1",
    branch="main",
    plan=DOWN,
    paragraph="It rained \ud800 on.",
    recalled=(
        Recalled("t1", 1, "It began.", 0.5),
        Recalled("t1", 1, "The lamp is cold.", 0.25, EntryKind.FACT, 1, "lamp"),
    ),
    usage=USAGE,
    written_at=5.0,
    reflection=Reflection("Why.", "It rains.", "It rained on.", (DOWN, UP), FACTS, "Ten days."),
    pieces=(600, 602),
    ballot=601,
    staged_at=2.5,
    plans=(UP,),
    tally=TALLY,
    rules=SETTINGS,
    memory="Edited.",
    parts=("It", "rained"),
    forgotten=True,
    decided=TALLY,
)


def recalled(entry: Record) -> Recalled:
    """What a search would make of an entry's record."""
    return read_recalled({name: entry[name].decode() for name in RECALLED_FIELDS})


def change(age: str, place: int) -> Change:
    """A change of the log, brought up to date."""
    held = stored(age)["tw:changes:{123}:2"]
    assert isinstance(held, list)
    return read_change("key", upgraded_change(held[place]))


def test_every_format_has_steps_and_samples() -> None:
    """Whoever raises FORMAT writes the steps to it, and adds the records that it stores."""
    formats = {int(age.split("_")[1]) for age in AGES}
    assert formats == set(range(1, int(FORMAT) + 1))
    assert {kind: len(steps) for kind, steps in STEPS.items()} == dict.fromkeys(
        Kind, int(FORMAT) - 1
    )


@pytest.mark.parametrize("age", WHOLE_AGES)
def test_everything_in_a_story_is_kept(age: str) -> None:
    """Every field of every format; a field that was added later would be missing in the newest."""
    assert read_story(STORY, upgraded(Kind.STORY, record(age, STORY))) == WHOLE_STORY


@pytest.mark.parametrize("age", WHOLE_AGES)
def test_everything_in_a_turn_is_kept(age: str) -> None:
    """Every field of every format."""
    assert read_turn(TURN, upgraded(Kind.TURN, record(age, TURN))) == WHOLE_TURN


@pytest.mark.parametrize("age", WHOLE_AGES)
def test_everything_in_an_entry_is_kept(age: str) -> None:
    """What recall reads, what is searched by, and the vector under its embedder's name."""
    fact = upgraded(Kind.ENTRY, record(age, FACT), MADE_BY)
    assert recalled(fact) == Recalled("t2", 2, "She waits.", 0.0, EntryKind.FACT, 1, "Mira")
    ends = fact["ends"].decode()
    assert read_ends({"ends": ends}) == {"t1/1", "t1/2"}
    assert (fact["words"], fact["story"], fact["branch"]) == (b"mira she waits", b"123:2", b"main")
    assert fact["embedder"].decode() == MADE_BY.tag
    assert [name for name in fact if name.startswith("vector")] == [MADE_BY.field]
    assert MADE_BY.holds(fact[MADE_BY.field])
    chapter = upgraded(Kind.ENTRY, record(age, "tw:memory:{123}:2:t10/chapter"), MADE_BY)
    assert recalled(chapter) == Recalled("t10", 10, "Ten days.", 0.0, EntryKind.CHAPTER, first=1)


@pytest.mark.parametrize("age", WHOLE_AGES)
def test_everything_in_a_change_is_kept(age: str) -> None:
    """An amendment with what was there before, and a move of the head."""
    ada, was = Moderator(5, "Ada"), TurnMemory("It rained.", FACTS, "Ten days.")
    assert change(age, 0) == Change(ChangeKind.SUMMARY, 1.5, ada, "a", "b", 3, "t3", was=was)
    road = Road("t2", (Stretch("main", 1, 2),))
    assert change(age, 1) == Change(ChangeKind.REWOUND, 2.5, ada, road=road, undoes=1)


def test_a_story_of_the_first_version_has_the_defaults_of_what_came_later() -> None:
    """Nobody edited a plan, nothing was offered again, no calls were counted."""
    story = read_story(STORY, upgraded(Kind.STORY, record("format_1_first", STORY)))
    plans = tuple(replace(plan, edited=False) for plan in (DOWN, UP))
    usage = replace(USAGE, prompt_bytes=0)
    assert story == replace(
        WHOLE_STORY,
        settings=replace(SETTINGS, moderator_role=None),
        plans=Plans(plans, 3),
        draft=replace(DRAFT, plan=plans[1], usage=usage, decided=None, calls=0),
        pause=Pause(Phase.WRITING, PauseCause.BUDGET, "Spent.", 60.5, 1763870000.5),
        outbox=(Notice("n", "Paused.", 0, 700), RefreshBallot("t2")),
        offers=0,
        said=0,
        turns_version=0,
        bytes_per_token=4.0,
    )


def test_a_turn_of_the_first_version_has_the_defaults_of_what_came_later() -> None:
    """It recalled summaries, gained no facts, and nobody edited or forgot it."""
    turn = read_turn(TURN, upgraded(Kind.TURN, record("format_1_first", TURN)))
    plans = tuple(replace(plan, edited=False) for plan in (DOWN, UP))
    assert turn == Turn(
        *("t2", 2, "t1", "main", plans[0], "It rained \ud800 on."),
        recalled=(Recalled("t1", 1, "It began.", 0.5),),
        usage=replace(USAGE, prompt_bytes=0),
        written_at=5.0,
        reflection=Reflection("Why.", "It rains.", "It rained on.", plans),
        pieces=(600, 602),
        ballot=601,
        staged_at=2.5,
        plans=plans[1:],
        tally=TALLY,
    )


def test_a_turn_of_before_there_were_facts_has_none() -> None:
    """A turn of when moderators had their desk and the ledger wasn't there."""
    turn = read_turn("key", upgraded(Kind.TURN, record("format_1_desk", "tw:turn:{123}:2:t3")))
    assert turn.reflection is not None
    assert (turn.reflection.facts, turn.reflection.chapter) == ((), "")
    assert turn.recalled == (Recalled("t1", 1, "It began.", 0.5, EntryKind.SUMMARY),)
    assert turn.usage.prompt_bytes == 0


def test_a_change_of_before_there_were_exact_ways_back_has_none() -> None:
    """What stood there is known as text only."""
    amended = change("format_1_desk", 0)
    assert (amended.kind, amended.before, amended.after) == (
        *(ChangeKind.SUMMARY, "It rained."),
        "It snowed.",
    )
    assert amended.was is None


def test_an_entry_of_the_first_version_is_a_summary_with_words() -> None:
    """It had no kind, and nothing to be found by but its meaning."""
    entry = upgraded(Kind.ENTRY, record("format_1_first", SUMMARY), MADE_BY)
    assert recalled(entry) == Recalled("t2", 2, "The Lamp went out. 灯塔", 0.0)
    assert entry["words"].decode() == "the lamp went out 灯塔"
    assert read_ends({"ends": entry["ends"].decode()}) == frozenset()


@pytest.mark.parametrize("made_by", [None, VectorSpace("test-embedder", 5)])
def test_a_vector_of_unknown_origin_is_dropped(made_by: VectorSpace | None) -> None:
    """Nobody knows what it may be compared with, so it is made again; the rest of it is kept."""
    entry = upgraded(Kind.ENTRY, record("format_1_last", FACT), made_by)
    assert entry["embedder"] == b""
    assert not [name for name in entry if name.startswith("vector")]
    assert recalled(entry).text == "She waits."


@pytest.mark.parametrize("age", AGES)
def test_what_is_up_to_date_stays_as_it_is(age: str) -> None:
    """A second upgrade changes nothing."""
    kinds = {"story": Kind.STORY, "turn": Kind.TURN, "memory": Kind.ENTRY}
    for key, held in stored(age).items():
        if isinstance(held, list):
            now = [upgraded_change(one) for one in held]
            assert [upgraded_change(one) for one in now] == now
        else:
            once = upgraded(kinds[key.split(":")[1]], held, MADE_BY)
            assert once["format"] == FORMAT.encode()
            assert upgraded(kinds[key.split(":")[1]], once, None) == once


@pytest.mark.parametrize(
    ("kind", "damaged", "says"),
    [
        (Kind.TURN, {}, "doesn't say which format"),
        (Kind.TURN, {"format": b"one"}, "doesn't say which format"),
        (Kind.TURN, {"format": b"0"}, "no format 0"),
        (Kind.TURN, {"format": b"1"}, "no field 'turn'"),
        (Kind.TURN, {"format": b"1", "turn": b'{"id":'}, "isn't JSON"),
        (Kind.TURN, {"format": b"1", "turn": b"[" * 100_000}, "isn't JSON"),
        (Kind.TURN, {"format": b"1", "turn": b'{"staged_at":1e999}'}, "isn't what its format says"),
        (Kind.ENTRY, {"format": b"1", "number": b"1"}, "no field 'text'"),
        (Kind.ENTRY, {"format": b"1", "text": b"\xff"}, "isn't what its format says"),
    ],
)
def test_what_is_no_record_is_refused(kind: Kind, damaged: Record, says: str) -> None:
    """With a sentence; nothing is guessed at."""
    with pytest.raises(RecordError, match=says):
        upgraded(kind, damaged)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[]", "isn't a change"),
        (b"{}", "isn't a change and its format"),
        (b'{"format":"1"}', "isn't a change and its format"),
        (b'{"format":"x","change":{}}', "doesn't say which format"),
        (b"\xff", "isn't JSON"),
    ],
)
def test_what_is_no_change_is_refused(data: bytes, says: str) -> None:
    """With a sentence."""
    with pytest.raises(RecordError, match=says):
        upgraded_change(data)


def test_a_newer_format_is_told_from_a_damaged_one() -> None:
    """The version that wrote it can read it."""
    newer = str(int(FORMAT) + 1)
    with pytest.raises(NewerFormatError, match=f"format {newer}.*newer"):
        upgraded(Kind.TURN, {"format": newer.encode(), "turn": b"{}"})
    with pytest.raises(NewerFormatError, match="newer"):
        upgraded_change(json.dumps({"format": newer, "change": {}}).encode())


def test_a_change_is_read_as_it_was_written() -> None:
    """Also with half a character in it, and what was dropped."""
    was = TurnMemory("It rained. \ud800", FACTS, "Ten days.")
    amended = Change(ChangeKind.SUMMARY, 1.5, Moderator(5, "Ada"), "a", "b", 3, "t3", was=was)
    assert read_change("key", encode_change(amended)) == amended
    assert upgraded_change(encode_change(amended)) == encode_change(amended)
