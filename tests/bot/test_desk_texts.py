"""What is shown of a story's memory and log: it fits, loses nothing, and says who did what."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import desk_texts, handles
from bot.handles import Handle, Purpose
from bot.render import MESSAGE_UNITS
from core.domain.audit import Change, ChangeKind, Logged, Moderator
from core.domain.story import Canon, Memory, Outcome, Phase, Plan, Recalled, Tally
from core.domain.text import utf16_length
from core.errors import RefusedError
from core.services.library import Hit, MemoryView, PromptPart, StillSaid
from core.services.moderation import Done
from tests.fakes.stories import a_reflection, a_story, a_turn

ADA = Moderator(5, "Ada *the* admiral")
NASTY = st.text(alphabet=st.sampled_from("ab .\n*_`#>-|~[]()\\😀界é@<"), max_size=1500)


def fits(pages: list[str]) -> bool:
    """Whether each page is a message that Discord takes."""
    return bool(pages) and all(0 < utf16_length(page) <= MESSAGE_UNITS for page in pages)


@given(NASTY, st.lists(NASTY.map(lambda text: text[:200]), max_size=20), st.integers(0, 10**6))
def test_memory_fits_messages_and_loses_nothing(
    memory: str, canon: list[str], summaries: int
) -> None:
    story = a_story(memory=Memory(memory, 1), canon=Canon(tuple(canon), 1))
    view = MemoryView(story, summaries, (PromptPart("memory", 12), PromptPart("canon", 3)))
    pages = desk_texts.memory_pages(view)
    assert fits(pages)
    assert "about 15 tokens" in "\n".join(pages)
    assert f"{summaries} summar" in "\n".join(pages)
    words = "".join(memory.split())
    if words.isalnum():
        assert words in "".join("".join(pages).split())


@given(st.lists(NASTY, max_size=5))
def test_hits_fit_messages(summaries: list[str]) -> None:
    hits = [Hit(Recalled(f"t{n}", n, text, 0.5), a_turn()) for n, text in enumerate(summaries, 1)]
    assert fits(desk_texts.hit_pages(a_story(), hits))


def test_a_hit_names_turn_score_text_and_message() -> None:
    hit = Hit(Recalled("t4", 4, "Mira found\nthe door.", 0.834), a_turn())
    [page] = desk_texts.hit_pages(a_story(), [hit])
    link = "https://discord.com/channels/10/900/600"
    assert page == f"**Turn 4** · 0.83 · {link}\nMira found the door."
    [page] = desk_texts.hit_pages(a_story(), [replace(hit, turn=None)])
    assert page == "**Turn 4** · 0.83\nMira found the door."
    assert "empty" in desk_texts.hit_pages(a_story(), [])[0]


def test_why_names_the_plan_its_margin_and_what_was_recalled() -> None:
    turn = a_turn(
        plan=Plan("Down the stair", "They climb."),
        decided=Tally(Outcome.WON, (1, 4, 2), 5, 1),
        recalled=(Recalled("t0", 3, "The door hummed.", 0.71),),
    )
    told = "\n".join(desk_texts.why_pages(a_story(), turn))
    assert "“Down the stair”, which won with 4 to 2." in told
    assert "turn 3 · 0.71: The door hummed." in told
    assert "Why." in told
    drawn = replace(turn, decided=Tally(Outcome.WON, (4, 4, 0), 5, 0, tied=(0, 1)))
    assert "drawn among 2 plans with 4 each" in "\n".join(desk_texts.why_pages(a_story(), drawn))
    opening = "\n".join(desk_texts.why_pages(a_story(), a_turn()))
    assert "opening" in opening
    assert "Nothing was recalled" in opening


def test_a_recap_tells_every_turn_with_its_link() -> None:
    turns = [a_turn(number=n, reflection=a_reflection(n)) for n in range(1, 61)]
    pages = desk_texts.recap_pages(a_story(), turns)
    assert fits(pages)
    told = "\n".join(pages)
    assert [told.index(f"Turn {n} happened.") for n in range(1, 61)] == sorted(
        told.index(f"Turn {n} happened.") for n in range(1, 61)
    )
    assert told.count("https://discord.com/channels/10/900/600") == 60
    assert "lighthouse keeper" in told, "from the start on, the premise comes first"
    later = "\n".join(desk_texts.recap_pages(a_story(), turns[4:]))
    assert "Turns 5 to 60." in later
    headings = re.findall(r"\*\*(Turns? [^*]*)\*\*", later)
    assert headings[:2] == ["Turns 5 to 10", "Turns 11 to 20"]
    assert headings[-1] == "Turns 51 to 60"
    assert "Nothing is told yet" in desk_texts.recap_pages(a_story(), [])[0]


@given(st.lists(st.tuples(st.sampled_from(list(ChangeKind)), NASTY, NASTY), max_size=10))
def test_the_log_fits_messages(changes: list[tuple[ChangeKind, str, str]]) -> None:
    log = [
        Logged(n, Change(kind, 1e9, ADA, before, after, number=n))
        for n, (kind, before, after) in enumerate(changes, 1)
    ]
    assert fits(desk_texts.history_pages(log))
    assert all(0 < len(desk_texts.choice_of(logged)) <= 100 for logged in log)


def test_a_change_says_who_when_what_before_and_after() -> None:
    change = Change(ChangeKind.SUMMARY, 1.7e9, ADA, "old", "new", number=4, undoes=2)
    [page] = desk_texts.history_pages([Logged(7, change)])
    assert page.startswith(
        "**7 · summary amended** · turn 4 · takes back 2 · Ada \\*the\\* admiral"
    )
    assert "<t:1700000000:R>\nbefore: old\nafter: new" in page


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_every_change_has_a_sentence(kind: ChangeKind) -> None:
    change = Change(kind, 0.0, ADA, number=4)
    assert desk_texts.done(Done(a_story(), change)).endswith(".")


@pytest.mark.parametrize(
    ("kind", "says_so"),
    [(ChangeKind.MEMORY, True), (ChangeKind.PINNED, True), (ChangeKind.REWOUND, False)],
)
def test_what_a_paragraph_under_way_does_not_see_is_said(kind: ChangeKind, says_so: bool) -> None:
    writing = Done(a_story(phase=Phase.WRITING), Change(kind, 0.0, ADA, number=4))
    assert ("being written just now" in desk_texts.done(writing)) is says_so


@given(NASTY, NASTY)
def test_whoever_comes_second_gets_both_texts(theirs: str, yours: str) -> None:
    assert fits(desk_texts.both_pages("It was changed.", theirs, yours))
    assert fits(desk_texts.refused_pages("Too long.", yours))


def test_questions_say_what_would_happen() -> None:
    assert "turns 4 to 9 would leave" in desk_texts.rewind_question(3, 9)
    assert "turn 9 would leave" in desk_texts.rewind_question(8, 9)
    assert "fresh ballot" in desk_texts.rewind_question(9, 9)
    assert "with 1 turn," in desk_texts.delete_question(a_story())


def test_places_that_still_tell_it_are_listed() -> None:
    assert desk_texts.still_said([]) == ""
    said = desk_texts.still_said(
        [StillSaid("memory", "Mira has it.", 0, 0.9), StillSaid("summary", "She has it.", 4, 0.8)]
    )
    assert "- memory: Mira has it.\n- summary of turn 4: She has it." in said


handles_of = st.builds(
    Handle,
    st.sampled_from(list(Purpose)),
    *[st.integers(0, 999_999_999)] * 3,
    st.text("0123456789abcdef", max_size=16),
)


@given(handles_of)
def test_a_handle_is_read_as_it_was_written(handle: Handle) -> None:
    assert handles.read(str(handle)) == handle
    assert len(str(handle)) <= handles.LIMIT


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "tw:",
        "tw:memory:1:0:0",
        "tw:memory:1:0:0:xyz",
        "tw:memory:-1:0:0:",
        "tw:memory:1:0:0:\n",
        "tw:purge:1:0:0:",
        "tw:memory:٣:0:0:",
        "tw:memory:1:0:0:" + "a" * 17,
        "x" * 100,
    ],
)
def test_a_forged_name_is_refused(forged: str) -> None:
    with pytest.raises(RefusedError):
        handles.read(forged)
