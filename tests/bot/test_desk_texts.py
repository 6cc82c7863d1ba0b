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
from core.domain.entries import EntryKind, Recalled
from core.domain.ledger import TurnMemory
from core.domain.story import Canon, Memory, Outcome, Phase, Plan, Tally, Turn
from core.domain.text import utf16_length
from core.errors import RefusedError
from core.services.library import Chapter, Hit, LedgerPage, MemoryView, PromptPart, Recap
from core.services.moderation import Done
from core.services.traces import StillSaid
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


FACT = Recalled("t4", 4, "She has the key.", 0.834, EntryKind.FACT, 2, "Mira")
CHAPTER = Recalled("t20", 20, "Ten days of rain.", 0.5, EntryKind.CHAPTER, first=11)
LINK = "https://discord.com/channels/10/900/600"


def test_a_hit_says_which_kind_it_is_and_what_holds_no_longer() -> None:
    hits = [Hit(FACT, a_turn(), 9), Hit(CHAPTER, None)]
    [page] = desk_texts.hit_pages(a_story(), hits)
    assert page == (
        f"**Turn 4** · fact · 0.83 · {LINK}\n~~Mira: She has the key.~~ until turn 9\n"
        "**Turns 11 to 20** · chapter · 0.50\nTen days of rain."
    )


def test_the_memory_is_counted_by_kinds() -> None:
    def said(**counts: int | None) -> str:
        view = replace(MemoryView(a_story(), 12, (PARTS)), **counts)  # type: ignore[arg-type]
        return "\n".join(desk_texts.memory_pages(view))

    assert (
        "12 summaries that recall can find, and 1 chapter. The ledger has 5 facts that hold, and 2 "
        "more that held once. /memory facts lists them."
    ) in said(chapters=1, facts=7, superseded=2)
    assert "The ledger has 1 fact that holds. /memory" in said(facts=1)
    assert "The ledger has 0 facts that hold.\n" in said()
    assert "has 4000 facts, those included that hold no longer." in said(
        facts=4000, superseded=None
    )


PARTS = (PromptPart("memory", 12), PromptPart("ledger", 600, most=True))


def test_the_next_prompt_says_what_depends_on_the_vote() -> None:
    page = "\n".join(desk_texts.memory_pages(MemoryView(a_story(), 0, PARTS)))
    assert "about 12 tokens and what the vote brings:" in page
    assert "- memory: about 12 tokens\n- ledger: up to 600 tokens" in page


def test_a_pinned_fact_without_room_in_the_prompt_says_so() -> None:
    story = a_story(canon=Canon(("Mira is blind.", "The sea is salt."), 2))
    view = MemoryView(story, 0, PARTS, left_out=("Mira is blind.",))
    page = "\n".join(desk_texts.memory_pages(view))
    assert "- Mira is blind. **(no room for it in the next prompt: unpin others)**\n" in page
    assert "- The sea is salt.\n" in f"{page}\n"


def test_the_ledger_is_listed_by_turns() -> None:
    other = replace(FACT, number=2, text="The sea is salt.", about="the sea")
    page = LedgerPage(a_story(), 2, 4, (Hit(FACT, a_turn()), Hit(other, None, 4), Hit(other, None)))
    [shown] = desk_texts.ledger_pages(page)
    assert shown == (
        "**The ledger**: facts of turns 2 to 4, the newest first\n"
        f"\n**Since turn 4** · {LINK}\n- Mira: She has the key.\n"
        "\n**Since turn 2**\n- ~~The sea is salt.~~ until turn 4\n- The sea is salt."
    )
    empty = replace(page, facts=())
    assert desk_texts.ledger_pages(empty) == ["The ledger has no facts of turns 2 to 4."]
    [first] = desk_texts.ledger_pages(replace(empty, first=1, last=1))
    assert first == "The ledger has no facts of turn 1."
    assert "empty" in desk_texts.ledger_pages(replace(empty, first=1, last=0))[0]


def test_facts_that_a_question_found_come_with_their_turns() -> None:
    [shown] = desk_texts.fact_pages(a_story(), [Hit(FACT, a_turn()), Hit(FACT, None, 9)])
    assert shown == (
        f"**Since turn 4** · {LINK}\nMira: She has the key.\n"
        "**Since turn 4**\n~~Mira: She has the key.~~ until turn 9"
    )
    assert "empty" in desk_texts.fact_pages(a_story(), [])[0]


@given(st.lists(st.tuples(NASTY, NASTY, st.integers(0, 9)), max_size=8))
def test_facts_fit_messages(facts: list[tuple[str, str, int]]) -> None:
    hits = tuple(
        Hit(replace(FACT, about=about[:60], text=text[:300], number=9 - n // 3), a_turn(), until)
        for n, (about, text, until) in enumerate(facts)
    )
    assert fits(desk_texts.ledger_pages(LedgerPage(a_story(), 1, 9, hits)))
    assert fits(desk_texts.fact_pages(a_story(), hits))


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


def test_why_tells_facts_and_chapters_apart() -> None:
    told = "\n".join(desk_texts.why_pages(a_story(), a_turn(recalled=(CHAPTER, FACT))))
    assert (
        "**Recalled for it** (1, with scores):\n- turns 11 to 20 · 0.50: Ten days of rain.\n\n"
        "**Facts of the ledger** (1, with scores):\n- turn 4 · 0.83: Mira: She has the key."
    ) in told


def a_recap(first: int, last: int, *chapters: int) -> Recap:
    """What was told from a turn to another one, some of it in the chapters that end so."""
    turns = {n: a_turn(number=n, reflection=a_reflection(n)) for n in range(first, last + 1)}
    parts: list[Chapter | Turn] = []
    while first <= last:
        if first + 9 in chapters:
            told = replace(a_reflection(), chapter=f"Up to {first + 9} it rained.")
            parts.append(Chapter(turns[first], replace(turns[first + 9], reflection=told)))
            first += 10
        else:
            parts.append(turns[first])
            first += 1
    return Recap(a_story(), min(turns), last, tuple(parts))


def test_a_recap_tells_every_turn_with_its_link() -> None:
    pages = desk_texts.recap_pages(a_recap(1, 60))
    assert fits(pages)
    told = "\n".join(pages)
    assert [told.index(f"Turn {n} happened.") for n in range(1, 61)] == sorted(
        told.index(f"Turn {n} happened.") for n in range(1, 61)
    )
    assert told.count(LINK) == 60
    assert "lighthouse keeper" in told, "from the start on, the premise comes first"
    later = "\n".join(desk_texts.recap_pages(a_recap(5, 60)))
    assert "Turns 5 to 60." in later
    headings = re.findall(r"\*\*(Turns? [^*]*)\*\*", later)
    assert headings[:2] == ["Turns 5 to 10", "Turns 11 to 20"]
    assert headings[-1] == "Turns 51 to 60"
    nothing = Recap(a_story(), 0, 0, ())
    assert "Nothing is told yet" in desk_texts.recap_pages(nothing)[0]


def test_a_recap_tells_chapters_with_the_links_of_both_ends() -> None:
    [page] = desk_texts.recap_pages(a_recap(10, 31, 20))
    assert (
        f"**Turns 11 to 20** · {LINK} – {LINK}\nUp to 20 it rained.\n\n**Turns 21 to 30**\n"
    ) in page
    assert "**Turn 10**\n**10** · Turn 10 happened." in page
    assert page.endswith(f"**Turn 31**\n**31** · Turn 31 happened. {LINK}")
    assert "Turn 15 happened." not in page


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


def test_of_an_amendment_the_lines_are_shown_that_differ() -> None:
    """What a moderator reads is what was done, however long the rest of it is."""
    before = f"{'It rained. ' * 50}\n\nFacts:\nMira: She waits.\nBo: He barks."
    after = before.replace("waits", "sails")
    change = Change(
        *(ChangeKind.SUMMARY, 1.7e9, ADA, before, after), number=4, was=TurnMemory("It rained.")
    )
    [page] = desk_texts.history_pages([Logged(7, change)])
    assert page.endswith("\nbefore: Mira: She waits.\nafter: Mira: She sails.")
    assert desk_texts.choice_of(Logged(7, change)).endswith(" · Mira: She sails.")


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
        [
            StillSaid("memory", "Mira has it.", 0, 0.9),
            StillSaid(EntryKind.SUMMARY, "She has it.", 4, 0.8),
            StillSaid(EntryKind.FACT, "Mira: She has it.", 5, 0.7),
            StillSaid(EntryKind.CHAPTER, "All had it.", 20, 0.6),
        ]
    )
    assert said.endswith(
        "- memory: Mira has it.\n- summary of turn 4: She has it.\n"
        "- fact of turn 5: Mira: She has it.\n- chapter of turns 11 to 20: All had it."
    )


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
