"""Rendering: everything fits Discord's limits, nothing can be forged, ballots say their rules."""

import re
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace
from typing import cast

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render import (
    BALLOT_UNITS,
    HEADING_UNITS,
    MESSAGE_UNITS,
    OPTION_EMOJI,
    ballot,
    bar,
    count,
    duration,
    escaped,
    harmless,
    kind_of,
    prose,
    render,
    status,
)
from core.domain.ballot import draw
from core.domain.legible import legible
from core.domain.recurrence import PLAN_TEXT_UNITS, PLAN_TITLE_UNITS
from core.domain.story import (
    Outcome,
    Pause,
    PauseCause,
    Phase,
    Plan,
    Settings,
    Tally,
    VotingRule,
)
from core.domain.text import clip, split, utf16_length
from core.ports import Announcement, Ballot, BallotState, MessageKind, Prose
from core.services.pieces import PIECE_UNITS
from tests.fakes.stories import PLANS, a_draft, a_story, a_turn

NASTY = st.text(
    st.one_of(
        st.sampled_from("#>-*_~|`\\[]()<@&:1 \n\r\t\u2028…"),
        st.sampled_from(["👩‍👩‍👧‍👦", "漢", "é", "\u202e", "🇩🇪"]).map(lambda s: s[0]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=2500,
)
PLAN = st.builds(
    Plan,
    NASTY.map(lambda text: clip(text, PLAN_TITLE_UNITS)),
    NASTY.map(lambda text: clip(text, PLAN_TEXT_UNITS)),
)
COUNTS = st.tuples(*[st.integers(0, 10**6)] * 3)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    counts = draw(COUNTS)
    tied = tuple(i for i, votes in enumerate(counts) if votes == max(counts))
    winner = draw(st.sampled_from([None, *tied]))
    return Tally(
        Outcome.SILENCE if winner is None else Outcome.WON,
        counts,
        sum(counts),
        winner,
        tied if len(tied) > 1 else (),
    )


BALLOTS = st.builds(
    Ballot,
    number=st.integers(1, 10**9),
    plans=st.tuples(PLAN, PLAN, PLAN),
    settings=st.builds(
        Settings,
        vote_s=st.integers(5, 604_800),
        rule=st.sampled_from(VotingRule),
        quorum=st.integers(1, 1000),
        notify_role=st.one_of(st.none(), st.integers(1, 2**63 - 1)),
    ),
    state=st.sampled_from(BallotState),
    closes_at=st.one_of(st.none(), st.floats(0, 4e9)),
    extended=st.booleans(),
    tally=st.one_of(st.none(), tallies()),
    message_id=st.one_of(st.none(), st.integers(1, 2**63 - 1)),
)


def texts(view: discord.ui.LayoutView) -> list[str]:
    return [
        item.content for item in view.walk_children() if isinstance(item, discord.ui.TextDisplay)
    ]


def a_ballot(**changes: object) -> Ballot:
    blank = Ballot(1, PLANS, Settings(), BallotState.OPEN, closes_at=1_800_000_000.2)
    return replace(blank, **changes)  # pyright: ignore[reportArgumentType]


def posted(content: str, *components: object) -> discord.Message:
    return cast(discord.Message, SimpleNamespace(content=content, components=list(components)))


# ── prose ────────────────────────────────────────────────────────────────────────────────────────


@given(NASTY, NASTY, st.integers(1, 10**9))
def test_every_piece_fits_a_message_below_its_heading(title: str, text: str, number: int) -> None:
    """Pieces are split at 1,800 units; heading and escapes must fit into the other 200."""
    for piece in split(text, PIECE_UNITS):
        assert utf16_length(prose(Prose(piece, title, number))) <= MESSAGE_UNITS
    assert utf16_length(prose(Prose("", title, number))) <= HEADING_UNITS + 1


@given(NASTY)
def test_prose_reads_as_it_was_written(text: str) -> None:
    """Without our backslashes (or look-alikes) it is what can be seen of the text itself."""
    alike = str.maketrans("＃＞（‹＠．", "#>(<@.")
    shown = harmless(text, MESSAGE_UNITS).translate(alike)
    assert shown.replace("\\", "") == legible(text).translate(alike).replace("\\", "")


@given(NASTY)
def test_prose_can_never_pass_for_an_announcement(text: str) -> None:
    for piece in split(text, PIECE_UNITS):
        shown = prose(Prose(piece))
        assert not any(line.lstrip().startswith("-# ") for line in shown.split("\n"))
        assert kind_of(posted(shown.strip())) is MessageKind.PROSE


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# Chapter", "\\# Chapter"),
        ("He paused.\n### Loud", "He paused.\n\\### Loud"),
        ("  -# The story has ended.", "  \\-# The story has ended."),
        (">>> all of it", "\\>>> all of it"),
        ("[free](https://example.org)", "[free]\\(https://example.org)"),
        ("#1 of the crew, *twice*", "#1 of the crew, *twice*"),
        ("> a letter", "> a letter"),
        ("> # Loud\n- -# The end.", "> \\# Loud\n- \\-# The end."),
    ],
)
def test_marks_that_would_change_more_than_the_voice_are_neutralised(
    written: str, shown: str
) -> None:
    assert harmless(written, MESSAGE_UNITS) == shown


def test_marks_become_look_alikes_when_backslashes_do_not_fit() -> None:
    text = "# \n" * 600
    shown = harmless(text, 1800)
    assert utf16_length(shown) == 1800
    assert "#" not in shown


def test_the_first_piece_stands_under_title_and_turn() -> None:
    shown = prose(Prose("The lamp.", "Salt *Clock*", 12))
    assert shown == "**Salt \\*Clock\\*** · turn 12\nThe lamp."
    assert prose(Prose("The lamp.", "", 1)) == "**A new story** · turn 1\nThe lamp."


def test_a_piece_that_is_too_long_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="2001"):
        prose(Prose("x" * 2001))


# ── escaping ─────────────────────────────────────────────────────────────────────────────────────


@given(NASTY, st.integers(10, 400))
def test_escaped_text_fits_is_one_line_and_keeps_its_words(text: str, room: int) -> None:
    shown = escaped(text, room)
    assert utf16_length(shown) <= room
    assert "\n" not in shown
    line = " ".join(legible(text).split())
    if 2 * utf16_length(line) <= room:
        assert re.sub(r"\\(.)", r"\1", shown).replace("‹", "<") == line


@given(st.text("*_~|`\\[]<>#-a", max_size=60))
def test_no_mark_is_left_unescaped(text: str) -> None:
    shown = escaped(text, 400)
    rest = shown
    while rest:
        if rest[0] == "\\":
            rest = rest[2:]
        else:
            assert rest[0] not in "*_~|`\\[]<>#-"
            rest = rest[1:]


# ── announcements ────────────────────────────────────────────────────────────────────────────────


@given(NASTY.filter(lambda text: text.strip()))
def test_an_announcement_is_small_fits_and_is_known_again(text: str) -> None:
    shown = render(Announcement(text))
    assert shown.content is not None
    assert utf16_length(shown.content) <= MESSAGE_UNITS
    assert "\n" not in shown.content
    assert kind_of(posted(shown.content)) is MessageKind.ANNOUNCEMENT


# ── ballots ──────────────────────────────────────────────────────────────────────────────────────


@given(BALLOTS)
def test_every_ballot_fits_a_layout(content: Ballot) -> None:
    """4,000 UTF-16 units in all and 40 components, also with the worst texts of plans."""
    view = ballot(content)
    shown = texts(view)
    assert sum(map(utf16_length, shown)) <= BALLOT_UNITS
    assert len(list(view.walk_children())) <= 40
    assert all(text.strip() for text in shown)


@given(BALLOTS)
def test_a_plan_stays_on_its_own_line(content: Ballot) -> None:
    """Otherwise a plan could draw a second option, or a result, under itself."""
    plans = [text for text in texts(ballot(content)) if text.startswith(OPTION_EMOJI)]
    assert [text[: len(emoji)] for text, emoji in zip(plans, OPTION_EMOJI, strict=True)] == list(
        OPTION_EMOJI
    )
    winner = content.tally.winner if content.tally else None
    for option, plan in enumerate(plans):
        assert plan.count("\n") == (winner in {None, option})
        assert not plan.partition("\n")[2].startswith(OPTION_EMOJI)


def test_a_plan_that_poses_as_an_option_is_told_as_what_it_is() -> None:
    plans = (Plan("One", "2️⃣ 3\u20e3 **Two** and more."), Plan("Two", "3️⃣"), Plan("Three", "C."))
    shown = texts(ballot(a_ballot(plans=plans)))
    assert shown[1:3] == ["1️⃣ **One**\n**Two** and more.", "2️⃣ **Two**\n…"]


@given(BALLOTS)
def test_nobody_is_mentioned_but_the_role_that_opted_in(content: Ballot) -> None:
    allowed = render(content).mentions
    role = content.settings.notify_role
    assert not allowed.everyone
    assert not allowed.users
    assert [r.id for r in cast(list[discord.Object], allowed.roles or [])] == (
        [role] if role else []
    )


def test_an_open_ballot_says_its_rules_and_deadline() -> None:
    shown = texts(ballot(a_ballot()))
    assert shown == [
        "**What happens next?** · every reaction counts · closes <t:1800000001:R>",
        "1️⃣ **Down the iron stair**\nMira follows the humming.",
        "2️⃣ **The keeper's ledger**\nCorvin reads the page.",
        "3️⃣ **Signal the ferry**\nThey light the lamp by hand.",
    ]


def test_the_first_posting_says_the_deadline_in_words() -> None:
    first = texts(ballot(a_ballot(closes_at=None, settings=Settings(vote_s=3480))))[0]
    assert first.endswith("closes in 58 minutes")


def test_single_votes_quorum_role_and_extension_are_said() -> None:
    settings = Settings(rule=VotingRule.SINGLE, quorum=3, notify_role=77)
    first = texts(ballot(a_ballot(settings=settings, extended=True)))[0]
    assert "one vote each: who picks several counts for none" in first
    assert "at least 3 voters" in first
    assert "extended once" in first
    assert first.endswith("\n-# <@&77>")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (BallotState.PAUSED, "paused: votes are kept"),
        (BallotState.ASLEEP, "asleep: a vote wakes the story"),
        (BallotState.CLOSED, "closed"),
        (BallotState.ENDED, "the story has ended"),
    ],
)
def test_each_other_state_is_said_and_mentions_nobody(state: BallotState, words: str) -> None:
    shown = texts(ballot(a_ballot(state=state, settings=Settings(notify_role=77))))
    assert shown[0] == f"**What happens next?** · {words}"
    assert not any("<@&" in text for text in shown)


def test_a_sleeping_ballot_says_how_an_archived_thread_is_woken() -> None:
    assert "/story resume wakes it too" in texts(ballot(a_ballot(state=BallotState.ASLEEP)))[-1]


def test_a_closed_ballot_shows_bars_numbers_and_the_winner() -> None:
    tally = Tally(Outcome.WON, (5, 0, 1), 6, 0)
    shown = texts(ballot(a_ballot(state=BallotState.CLOSED, tally=tally)))
    assert shown[0] == "**What happens next?** · 1️⃣ won · 6 voters"
    assert shown[1] == "1️⃣ ■■■■■■ 5 · **Down the iron stair** · won\nMira follows the humming."
    assert shown[2] == "2️⃣ □□□□□□ 0 · **The keeper's ledger**"
    assert shown[3] == "3️⃣ ■□□□□□ 1 · **Signal the ferry**"
    assert len(shown) == 4


def test_a_drawn_tie_is_told_so_that_it_can_be_checked() -> None:
    """The numbers in the note are those of the rule itself."""
    ballot_id, tied = 1_234_567_890_123_456_789, (0, 2)
    winner = draw(ballot_id, tied)
    tally = Tally(Outcome.WON, (2, 1, 2), 4, winner, tied)
    closed = a_ballot(state=BallotState.CLOSED, tally=tally, message_id=ballot_id)
    note = texts(ballot(closed))[-1]
    rest = int.from_bytes(sha256(str(ballot_id).encode()).digest()) % 2
    assert f"({ballot_id})" in note
    assert f"modulo 2, is {rest};" in note
    assert note.endswith(f"that is {OPTION_EMOJI[winner]}.")


def test_a_close_without_winner_is_told() -> None:
    tally = Tally(Outcome.QUORUM_MISSED, (1, 0, 0), 1)
    shown = texts(ballot(a_ballot(state=BallotState.CLOSED, tally=tally)))
    assert shown[0].endswith("closed without a winner · 1 voter")
    assert shown[2] == "2️⃣ □□□□□□ 0 · **The keeper's ledger**\nCorvin reads the page."


@given(BALLOTS)
def test_a_ballot_is_known_again(content: Ballot) -> None:
    components = ballot(content).to_components()
    assert kind_of(posted("", *components)) is MessageKind.BALLOT


# ── answers ──────────────────────────────────────────────────────────────────────────────────────


def test_status_of_a_vote_names_turn_deadline_and_links() -> None:
    shown = status(a_story(closes_at=1_800_000_000.0), a_turn())
    assert shown.splitlines() == [
        "**The Salt Clock** · turn 1",
        "A vote is running.",
        "The vote closes <t:1800000000:R>.",
        (
            "[last paragraph](https://discord.com/channels/10/900/600) · "
            "[ballot](https://discord.com/channels/10/900/601)"
        ),
    ]


def test_status_of_a_pause_says_why_and_until_when() -> None:
    pause = Pause(Phase.WRITING, PauseCause.BUDGET, "The day's tokens are spent.", until=1.8e9)
    shown = status(a_story(phase=Phase.PAUSED, pause=pause), None)
    assert "It is paused." in shown
    assert "The day's tokens are spent." in shown
    assert "<t:1800000000:R>" in shown


def test_status_before_the_first_paragraph_has_no_links() -> None:
    draft = a_draft(number=1)
    story = a_story(phase=Phase.WRITING, draft=draft, lineage=(), head=None)
    assert "http" not in status(story, None)


def test_a_count_is_told_in_a_sentence() -> None:
    assert count(Tally(Outcome.WON, (0, 1, 0), 1, 1)) == "Counted: 2️⃣ won (1 voter)."
    assert count(Tally(Outcome.SILENCE, (0, 0, 0), 0)) == "Counted: nothing won (0 voters)."


# ── words ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (3600, "1 hour"),
        (5400, "1 hour 30 minutes"),
        (90061, "1 day 1 hour"),
        (604_800, "7 days"),
    ],
)
def test_lengths_of_time_are_said_in_two_units(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_bars_have_one_width_and_show_every_vote(votes: int, more: int) -> None:
    shown = bar(votes, votes + more)
    assert len(shown) == 6
    assert ("■" in shown) is (votes > 0)
    assert ("□" not in shown) or more > 0 or votes == 0
