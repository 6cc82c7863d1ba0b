"""What every MemorySearch promises, held by the fake and by the real thing."""

import random
from dataclasses import replace

import pytest

from core.domain.entries import EntryKind, Recalled
from core.domain.story import Lineage, Phase, StoryId, Stretch, Vector
from core.domain.words import STOP_WORDS
from core.errors import StoreError
from core.ports import ALL_KINDS, Commit, MemoryEntry
from tests.contracts.store_samples import (
    DIMS,
    EVERYTHING,
    Doors,
    a_chapter,
    a_fact,
    a_story,
    an_entry,
    at_angle,
    turn_ids,
    unit,
)

STORY = a_story().id

ODD_BRANCHES = [
    "main|other",
    "a,b",
    "a b",
    "a-b",
    "{main}",
    "*",
    "ma*",
    "@story:{1}",
    "main}|@story:{*",
    "a\\b",
    'say "hi"',
    "it's",
    "$x",
    "50%",
    "a;b:c.d<e>f~g&h=i!j?k/l(m)[n]^o#p+q",
    "ブランチ",
    "Main",
]


async def store(doors: Doors, *entries: MemoryEntry, channel: int = STORY.channel) -> StoryId:
    """A story with these memory entries."""
    story = a_story(channel)
    await doors.stories.create(story, "create")
    for entry in entries:
        change = Commit(f"write-{entry.id}", story, entries=(entry,))
        await doors.stories.commit(change)
    return story.id


async def test_the_nearest_come_first_with_their_cosine(doors: Doors) -> None:
    """Order and score follow the angle to the query; text and number come along."""
    angles = {"near": 10.0, "far": 170.0, "middle": 60.0, "opposite": 180.0}
    await store(
        doors,
        *(
            an_entry(name, number, at_angle(angle), text=f"It is {name}.")
            for number, (name, angle) in enumerate(angles.items(), start=1)
        ),
    )
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 10)
    assert turn_ids(found) == ["near", "middle", "far", "opposite"]
    assert found[0].text == "It is near."
    assert [one.number for one in found] == [1, 3, 2, 4]
    assert [one.score for one in found] == pytest.approx(
        [0.984807753, 0.5, -0.984807753, -1.0], abs=1e-6
    )
    assert all(-1.0 <= one.score <= 1.0 for one in found)


async def test_the_limit_keeps_the_nearest(doors: Doors) -> None:
    """Of 30 entries the nearest 12 come (more than the server's default of 10), or none for 0."""
    entries = [an_entry(f"t{n}", n, at_angle(n)) for n in range(1, 31)]
    await store(doors, *random.Random(1).sample(entries, len(entries)))
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 12)
    assert turn_ids(found) == [f"t{n}" for n in range(1, 13)]
    assert await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 0) == []


async def test_equally_near_entries_come_in_the_order_of_their_turns(doors: Doors) -> None:
    """A tie never depends on the order in which entries were stored."""
    await store(doors, *(an_entry(f"t{n}", n, at_angle(5)) for n in (4, 2, 9, 1)))
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 10)
    assert turn_ids(found) == ["t1", "t2", "t4", "t9"]


async def test_an_empty_lineage_finds_nothing(doors: Doors) -> None:
    """A story before its first turn has no memory, not everybody's."""
    await store(doors, an_entry())
    assert await doors.memory.nearest(STORY, (), at_angle(0), 10) == []
    assert await doors.memory.count(STORY, ()) == 0


async def test_a_search_stays_within_its_lineage(doors: Doors) -> None:
    """Only turns of the branch and range of one of the stretches, both ends included."""
    main = [an_entry(f"main-{n}", n, at_angle(n)) for n in range(1, 11)]
    other = [an_entry(f"other-{n}", n, at_angle(n), branch="other") for n in range(1, 11)]
    await store(doors, *main, *other)
    lineage: Lineage = (Stretch("main", 1, 3), Stretch("other", 4, 5), Stretch("main", 8, 8))
    wanted = ["main-1", "main-2", "main-3", "other-4", "other-5", "main-8"]
    assert turn_ids(await doors.memory.nearest(STORY, lineage, at_angle(0), 50)) == wanted
    assert await doors.memory.count(STORY, lineage) == len(wanted)


async def test_a_long_lineage_is_searched(doors: Doors) -> None:
    """300 stretches (a story rewound 300 times) are one search."""
    entries = [an_entry(f"t{n}", n, at_angle(n / 10), branch=f"b{n}") for n in range(1, 301, 50)]
    await store(doors, *entries, an_entry("stray", 2, at_angle(0), branch="b1"))
    lineage = tuple(Stretch(f"b{n}", n, n) for n in range(1, 301))
    found = await doors.memory.nearest(STORY, lineage, at_angle(0), 50)
    assert turn_ids(found) == [f"t{n}" for n in range(1, 301, 50)]


@pytest.mark.parametrize("branch", ODD_BRANCHES)
async def test_an_odd_branch_is_found_and_finds_only_itself(doors: Doors, branch: str) -> None:
    """No character of a branch's name widens or breaks the search."""
    await store(
        doors,
        an_entry("odd", 1, branch=branch),
        an_entry("main", 2, branch="main"),
        an_entry("other", 3, branch="other"),
    )
    await store(doors, an_entry("stranger", 1), channel=STORY.channel + 1)
    lineage = (Stretch(branch, 1, 100),)
    assert turn_ids(await doors.memory.nearest(STORY, lineage, at_angle(0), 50)) == ["odd"]
    lineage = (Stretch("main", 1, 100),)
    assert turn_ids(await doors.memory.nearest(STORY, lineage, at_angle(0), 50)) == ["main"]


async def test_a_stretch_without_a_branch_is_refused(doors: Doors) -> None:
    """An empty name would match every branch, so it never reaches a query."""
    await store(doors, an_entry())
    with pytest.raises(ValueError, match=r"branch|tag"):
        await doors.memory.nearest(STORY, (Stretch("", 1, 100),), at_angle(0), 10)
    with pytest.raises(ValueError, match=r"branch|tag"):
        await doors.memory.count(STORY, (Stretch("", 1, 100),))


@pytest.mark.parametrize("vector", [b"", unit(1, dims=DIMS - 1), unit(1, dims=DIMS + 1)])
async def test_a_query_of_another_length_is_refused(doors: Doors, vector: Vector) -> None:
    """A vector of another embedder is an error, not an empty result."""
    await store(doors, an_entry())
    with pytest.raises(StoreError, match="vector"):
        await doors.memory.nearest(STORY, EVERYTHING, vector, 10)


async def test_an_entry_written_again_is_replaced(doors: Doors) -> None:
    """A turn has one summary: the one committed last."""
    await store(doors, an_entry(text="Old."))
    change = Commit("again", a_story(), entries=(an_entry(text="New.", vector=at_angle(90)),))
    await doors.stories.commit(change)
    (found,) = await doors.memory.nearest(STORY, EVERYTHING, at_angle(90), 10)
    assert found.text == "New."
    assert found.score == pytest.approx(1.0)


# ── kinds of entries ─────────────────────────────────────────────────────────────────────────────

SUMMARY, FACT, CHAPTER = EntryKind.SUMMARY, EntryKind.FACT, EntryKind.CHAPTER
SINGLE = [frozenset({kind}) for kind in EntryKind]
KINDS = [*SINGLE, *(ALL_KINDS - one for one in SINGLE), ALL_KINDS]


async def test_an_entry_comes_back_as_it_was_stored(doors: Doors) -> None:
    """With its kind and what its kind has, whichever way it was found."""
    entries = [an_entry(text="It rained."), a_fact(key=7), a_chapter("t1", 10)]
    await store(doors, *entries)
    wanted = {
        "t1": Recalled("t1", 1, "It rained.", 1.0),
        "t1/7": Recalled("t1", 1, "The lamp is cold.", 1.0, FACT, 7, "lamp"),
        "t1/chapter": Recalled("t1", 10, "They crossed the sea.", 1.0, CHAPTER, first=1),
    }
    near = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 10)
    assert {hit.id: replace(hit, score=round(hit.score, 6)) for hit in near} == wanted
    for entry in entries:
        [found] = await doors.memory.matching(STORY, EVERYTHING, entry.text, 10, {entry.kind})
        assert replace(found, score=1.0) == wanted[entry.id]


@pytest.mark.parametrize("kinds", KINDS, ids=["+".join(sorted(kinds)) for kinds in KINDS])
async def test_a_search_finds_the_kinds_that_it_asks_for(
    doors: Doors, kinds: frozenset[EntryKind]
) -> None:
    """The limit is of these kinds too: others take no place in it."""
    others = [a_fact(key=n, text="The sea is deep.") for n in range(3, 9)]
    await store(
        doors,
        *(an_entry("t9", 9, at_angle(8), text="The sea was deep."), *others),
        *(a_fact("t9", 9, 1, at_angle(3), text="The sea is deep."),),
        *(a_chapter("t9", 9, at_angle(5), text="The sea grew deep."),),
        *(an_entry("t2", 2, at_angle(9), text="The sea was deep."),),
    )
    near = await doors.memory.nearest(STORY, EVERYTHING, at_angle(9), 20, kinds)
    shared = await doors.memory.matching(STORY, EVERYTHING, "deep sea", 20, kinds)
    assert {hit.kind for hit in near} == {hit.kind for hit in shared} == kinds
    assert (
        len(near)
        == len(shared)
        == 2 * (SUMMARY in kinds) + 7 * (FACT in kinds) + (CHAPTER in kinds)
    )
    [first] = await doors.memory.nearest(STORY, EVERYTHING, at_angle(9), 1, kinds)
    assert first == near[0]
    counted = [await doors.memory.count(STORY, EVERYTHING, kind) for kind in EntryKind]
    assert counted == [2, 7, 1]
    assert await doors.memory.count(STORY, EVERYTHING) == 2


async def test_a_search_for_no_kind_finds_nothing(doors: Doors) -> None:
    await store(doors, an_entry())
    assert await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 5, frozenset()) == []
    assert await doors.memory.matching(STORY, EVERYTHING, "climbed", 5, frozenset()) == []


async def test_entries_of_one_turn_stand_beside_each_other(doors: Doors) -> None:
    """One commit stores them together; written again, each takes its own place."""
    await store(doors)
    facts = [a_fact(key=n, text=f"There are {n} bells.") for n in (1, 2, 3)]
    first = (an_entry(), *facts, a_chapter("t1", 1))
    await doors.stories.commit(Commit("first", a_story(), entries=first))
    changed = replace(facts[1], text="There is no bell.")
    await doors.stories.commit(Commit("second", a_story(), entries=(changed,)))
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 10)
    assert {hit.id: hit.text for hit in found} == {
        "t1": "They climbed down.",
        "t1/1": "There are 1 bells.",
        "t1/2": "There is no bell.",
        "t1/3": "There are 3 bells.",
        "t1/chapter": "They crossed the sea.",
    }


async def test_what_a_commit_forgets_is_gone_and_nothing_else(doors: Doors) -> None:
    """Several at once, beside what it writes; an id of nothing does no harm."""
    facts = [a_fact(key=n) for n in (1, 2, 3)]
    await store(doors, an_entry(), *facts, an_entry("t2", 2), a_fact("t2", 2))
    forgets = ("t1/1", "t1/3", "t1/chapter", "t7", "t7/1")
    new = a_fact("t1", 1, 4, text="The lamp is warm.")
    await doors.stories.commit(Commit("op", a_story(), entries=(new,), forgets=forgets))
    found = await doors.memory.nearest(STORY, EVERYTHING, at_angle(0), 10)
    assert {hit.id for hit in found} == {"t1", "t1/2", "t1/4", "t2", "t2/1"}
    left = await doors.memory.matching(STORY, EVERYTHING, "lamp", 10)
    assert {hit.id for hit in left} == {"t1/2", "t1/4", "t2/1"}


# ── words ────────────────────────────────────────────────────────────────────────────────────────


async def test_entries_are_found_by_words_that_they_share(doors: Doors) -> None:
    """Whatever their vectors are; what shares most comes first, what shares none not at all."""
    await store(
        doors,
        an_entry("t1", 1, at_angle(180), text="Mira found a brass key under the iron stair."),
        an_entry("t2", 2, at_angle(180), text="Mira slept under the gallery until it was noon."),
        an_entry("t3", 3, at_angle(0), text="The ferry left without anybody on board."),
    )
    found = await doors.memory.matching(STORY, EVERYTHING, "Whose KEY was under Mira's stair?", 9)
    assert turn_ids(found) == ["t1", "t2"]
    assert found[0].score > found[1].score > 0
    assert await doors.memory.matching(STORY, EVERYTHING, "a volcano", 9) == []


async def test_a_fact_is_found_by_what_it_is_about(doors: Doors) -> None:
    await store(doors, a_fact(about="Corvin Vale", text="He owes a boat."), an_entry("t2", 2))
    found = await doors.memory.matching(STORY, EVERYTHING, "corvin", 9)
    assert [hit.id for hit in found] == ["t1/1"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("铁梯", ["t1"]),
        ("账册在哪里", ["t1"]),
        ("灯", []),
        ("海の時計", ["t3"]),
        ("ラーメン屋", ["t4"]),
    ],
)
async def test_text_without_spaces_is_found_by_its_bigrams(
    doors: Doors, asked: str, found: list[str]
) -> None:
    """Two signs in a row that a text and its query share; one alone is no word of a longer run."""
    await store(
        doors,
        an_entry("t1", 1, text="守灯人在铁梯下发现了一本账册。"),
        an_entry("t2", 2, text="渡船在黎明前离开了港口。"),
        an_entry("t3", 3, text="潮に動かされる海の時計。"),
        an_entry("t4", 4, text="港でﾗｰﾒﾝを食べた。"),
    )
    assert turn_ids(await doors.memory.matching(STORY, EVERYTHING, asked, 9)) == found


@pytest.mark.parametrize(
    "words", ["", "  ", "… !?", "the and of", " ".join(STOP_WORDS), "👩\u200d🚀"]
)
async def test_a_text_without_a_word_to_look_for_finds_nothing(doors: Doors, words: str) -> None:
    """Neither everything nor an error."""
    await store(doors, an_entry(text=f"The and of it: {words}"))
    assert await doors.memory.matching(STORY, EVERYTHING, words, 9) == []


@pytest.mark.parametrize(
    "around",
    [
        *("{}*", "%{}%", "-{}", "~{}", '"{}"', "({}", "{})", "@words:({})", "@story:{{*}} {}"),
        *("{} | *", "{}=>[KNN 1 @vector $q]", "$text {}", "{}\\", "{}\x00", "{}'; FLUSHALL"),
        *("w'{}*'", "{}}} @branch:{{*", "=>{{$weight:9}} {}", "\ud800 {}", "{}\u2028* |"),
    ],
)
async def test_no_sign_of_a_query_acts_in_the_words(doors: Doors, around: str) -> None:
    """They are words to look for, between whatever signs they stand."""
    await store(doors, an_entry("t1", 1, text="Mira lit the lantern."), an_entry("t2", 2))
    await store(doors, an_entry("t1", 1, text="A lantern."), channel=STORY.channel + 1)
    found = await doors.memory.matching(STORY, EVERYTHING, around.format("lantern"), 9)
    assert [hit.text for hit in found] == ["Mira lit the lantern."]


async def test_a_long_text_can_be_looked_for(doors: Doors) -> None:
    """A whole paragraph, or far more: what it begins with is looked for in any case."""
    await store(doors, an_entry(text="Mira lit the lantern."), an_entry("t2", 2))
    asked = "lantern " + " ".join(f"word{number}" for number in range(5000))
    assert turn_ids(await doors.memory.matching(STORY, EVERYTHING, asked, 9)) == ["t1"]


async def test_the_limit_keeps_the_best_matches(doors: Doors) -> None:
    """More than the server's default of 10; none for 0."""
    ordinary = [an_entry(f"t{n}", n, text=f"The sea rose by {n} inches.") for n in range(1, 21)]
    await store(doors, *ordinary, an_entry("t99", 99, text="The sea drank the lamp."))
    found = await doors.memory.matching(STORY, EVERYTHING, "lamp sea", 15)
    assert len(found) == 15
    assert found[0].turn_id == "t99"
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert await doors.memory.matching(STORY, EVERYTHING, "lamp sea", 0) == []


async def test_words_are_looked_for_within_the_lineage(doors: Doors) -> None:
    """Branch by branch and range by range, like everything; an empty one has nothing."""
    main = [an_entry(f"main-{n}", n, text="The sea rose.") for n in range(1, 6)]
    other = [an_entry(f"other-{n}", n, text="The sea rose.", branch="other") for n in range(1, 6)]
    await store(doors, *main, *other)
    lineage: Lineage = (Stretch("main", 1, 2), Stretch("other", 3, 4), Stretch("other", 6, 5))
    found = await doors.memory.matching(STORY, lineage, "sea", 50)
    assert sorted(turn_ids(found)) == ["main-1", "main-2", "other-3", "other-4"]
    assert await doors.memory.matching(STORY, (), "sea", 50) == []
    with pytest.raises(ValueError, match=r"branch|tag"):
        await doors.memory.matching(STORY, (Stretch("", 1, 9),), "sea", 50)


# ── facts that hold no longer ────────────────────────────────────────────────────────────────────


async def endings(doors: Doors, lineage: Lineage, *ids: str) -> set[tuple[str, str]]:
    """Which of these facts hold no longer, each with what ended it, by their ids."""
    found = await doors.memory.ending(STORY, lineage, ids)
    assert all(hit.score == 0.0 for _, hit in found)
    return {(id_, hit.id) for id_, hit in found}


async def test_what_ended_a_fact_is_told(doors: Doors) -> None:
    """By whatever number of facts; what nobody asked for isn't mentioned."""
    await store(
        doors,
        *(a_fact("t1", 1, 1), a_fact("t1", 1, 2), a_fact("t1", 1, 11), an_entry("t1", 1)),
        a_fact("t5", 5, 1, text="The lamp is lit.", ends=("t1/1", "t1/2")),
        a_fact("t8", 8, 3, ends=("t1/1", "t5/1")),
    )
    assert await endings(doors, EVERYTHING, "t1/1") == {("t1/1", "t5/1"), ("t1/1", "t8/3")}
    assert await endings(doors, EVERYTHING, "t1/2", "t5/1") == {
        ("t1/2", "t5/1"),
        ("t5/1", "t8/3"),
    }
    assert await endings(doors, EVERYTHING, "t1/11", "t1", "t8/3", "nothing") == set()
    assert await endings(doors, EVERYTHING) == set()
    [(_, hit)] = await doors.memory.ending(STORY, EVERYTHING, {"t1/2"})
    assert hit == Recalled("t5", 5, "The lamp is lit.", 0.0, FACT, 1, "lamp")


async def test_a_fact_holds_again_where_what_ended_it_is_no_part_of_the_story(
    doors: Doors,
) -> None:
    """Behind a rewind, on another branch, and once the later fact was forgotten."""
    await store(
        doors,
        a_fact("t2", 2, 1),
        a_fact("t5", 5, 1, ends=("t2/1",)),
        a_fact("u4", 4, 1, branch="b", ends=("t2/1",)),
    )
    assert await endings(doors, (Stretch("main", 1, 5),), "t2/1") == {("t2/1", "t5/1")}
    assert await endings(doors, (Stretch("main", 1, 4),), "t2/1") == set()
    other = (Stretch("main", 1, 3), Stretch("b", 4, 9))
    assert await endings(doors, other, "t2/1") == {("t2/1", "u4/1")}
    assert await endings(doors, (*other[:1], Stretch("b", 4, 3)), "t2/1") == set()
    assert await endings(doors, (), "t2/1") == set()
    await doors.stories.commit(Commit("op", a_story(), forgets=("t5/1",)))
    assert await endings(doors, EVERYTHING, "t2/1") == set()


async def test_facts_that_hold_no_longer_are_counted_within_the_lineage(doors: Doors) -> None:
    """Each once, however many ended it."""
    await store(
        doors,
        *(a_fact("t1", 1, 1), a_fact("t1", 1, 2), an_entry("t1", 1)),
        *(a_fact("t5", 5, 1, ends=("t1/1",)), a_fact("t8", 8, 1, ends=("t1/1", "t5/1"))),
        a_fact("t9", 9, 1, ends=("gone/1",)),
    )
    counted = [
        await doors.memory.superseded(STORY, (Stretch("main", 1, last),)) for last in (1, 5, 8, 9)
    ]
    assert counted == [0, 1, 2, 2]
    assert await doors.memory.superseded(STORY, ()) == 0


@pytest.mark.parametrize("turn_id", ["a,b", "a|b", "{a}", "*", "a-b", "50%", "Ä", "t1/1"])
async def test_an_odd_id_ends_only_its_own_fact(doors: Doors, turn_id: str) -> None:
    """No character of it widens the question or breaks it."""
    await store(
        doors,
        *(a_fact(turn_id, 1, 1), a_fact("t1", 1, 2)),
        a_fact("t9", 9, 1, ends=(f"{turn_id}/1",)),
        a_fact("t9", 9, 2, ends=("t1/2",)),
    )
    assert await endings(doors, EVERYTHING, f"{turn_id}/1") == {(f"{turn_id}/1", "t9/1")}


async def test_many_facts_can_be_asked_for_at_once(doors: Doors) -> None:
    """As many as all questions of a step bring up together."""
    facts = [a_fact(f"t{n}", n, ends=(f"t{n - 1}/1",)) for n in range(1, 901)]
    await store(doors)
    await doors.stories.commit(Commit("op", a_story(), entries=tuple(facts)))
    asked = [f"t{n}/1" for n in range(900)]
    assert await endings(doors, EVERYTHING, *asked) == {
        (f"t{n - 1}/1", f"t{n}/1") for n in range(1, 901)
    }


async def test_stories_never_see_each_other(doors: Doors) -> None:
    """Each of 40 stories with the same turns finds and counts its own entries only.

    Two stories share each channel, the channels are neighbours, the queries are random.
    """
    chance = random.Random(11)
    stories = [StoryId(STORY.channel + place // 2, 1 + place % 2) for place in range(40)]
    for one in stories:
        story = a_story(one.channel, one.serial)
        if one.serial == 2:
            first = await doors.stories.load(StoryId(one.channel, 1))
            await doors.stories.commit(Commit("end", replace(first, phase=Phase.ENDED)))
        assert await doors.stories.create(story, f"create-{one.serial}")
        for number in range(1, 4):
            entry = an_entry(f"t{number}", number, at_angle(chance.uniform(0, 360)), text=str(one))
            fact = a_fact("t9", number, number, text=f"{one} and the sea.", ends=("t1/1",))
            await doors.stories.commit(
                Commit(f"w{one.serial}-{number}", story, entries=(entry, fact))
            )
    for one in stories:
        query = at_angle(chance.uniform(0, 360))
        found = await doors.memory.nearest(one, EVERYTHING, query, 500, {SUMMARY})
        assert sorted(turn_ids(found)) == ["t1", "t2", "t3"]
        assert {hit.text for hit in found} == {str(one)}
        assert await doors.memory.count(one, EVERYTHING) == 3
        worded = await doors.memory.matching(one, EVERYTHING, "sea", 500)
        ended = [hit for _, hit in await doors.memory.ending(one, EVERYTHING, {"t1/1"})]
        for hits in (worded, ended):
            assert [hit.text for hit in hits] == [f"{one} and the sea."] * 3
    assert await doors.memory.nearest(StoryId(5, 1), EVERYTHING, at_angle(0), 500) == []
