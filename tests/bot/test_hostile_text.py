"""Whatever members or a model write: limits hold, frames stand, nobody is mentioned, nothing hides.

What is rendered is read as Discord would show it, by a reading of its own (discord_reading).
"""

from dataclasses import replace

import discord
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from bot.desk_texts import fact_pages, hit_pages, ledger_pages, memory_pages, recap_pages
from bot.render import (
    BALLOT_UNITS,
    MESSAGE_UNITS,
    OPTION_EMOJI,
    ballot,
    prose,
    remark,
    render,
    status,
)
from core.domain.entries import EntryKind, Recalled
from core.domain.legible import legible
from core.domain.recurrence import PLAN_TEXT_UNITS, PLAN_TITLE_UNITS
from core.domain.story import (
    Canon,
    Memory,
    Outcome,
    Pause,
    PauseCause,
    Phase,
    Plan,
    Settings,
    Tally,
)
from core.domain.text import clip, split, utf16_length
from core.ports import Announcement, Ballot, BallotState, Prose
from core.services.library import Chapter, Hit, LedgerPage, MemoryView, PromptPart, Recap
from core.services.pieces import PIECE_UNITS
from tests.bot.discord_reading import EMPHASIS, LINKS, read
from tests.fakes.stories import BRIEF, a_reflection, a_story, a_turn
from tests.properties.hostile_text import hostile, long_hostile

VOICE = EMPHASIS | LINKS
"""What a plan may do with its words."""
PROSE = VOICE | {"codeblock", "spoiler", "quote", "list"}
"""What a paragraph may do: nothing that leaves it, acts, or passes for one of our own messages."""

UNSEEN = regex.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\p{Cs}"
    r"\p{Noncharacter_Code_Point}]"
)
FLOOD = regex.compile(r"\p{M}{7}|[\p{M}\p{Default_Ignorable_Code_Point}]{9}")
ALIKE = str.maketrans("＃＞（‹＠．", "#>(<@.")

plans = st.builds(
    Plan,
    hostile.map(lambda text: clip(text, PLAN_TITLE_UNITS)),
    hostile.map(lambda text: clip(text, PLAN_TEXT_UNITS)),
)


def check(shown: str, limit: int = MESSAGE_UNITS) -> None:
    """What holds for everything that is sent: the limit, and no sign that nobody sees."""
    assert 0 < utf16_length(shown) <= limit
    assert not UNSEEN.search(shown)
    assert not FLOOD.search(shown)
    shown.encode()


def words(text: str) -> str:
    """What can be seen of a text, on one line, our look-alikes read as what they stand for."""
    return " ".join(legible(text).split()).translate(ALIKE)


def texts(view: discord.ui.LayoutView) -> list[str]:
    return [
        item.content for item in view.walk_children() if isinstance(item, discord.ui.TextDisplay)
    ]


@given(long_hostile, hostile, st.integers(1, 10**9))
@example("https://x/<@1> <@1> @everyone", "https://x/||<@&1>||", 1)
@example("#\ufeffLoud\n- 1. # Loud\n1234. -# told", "a\u2028# b", 1)
def test_a_paragraph_stays_below_its_heading_and_acts_on_nobody(
    text: str, title: str, number: int
) -> None:
    """Over as many messages as it needs, whatever was open where one of them ends."""
    for index, part in enumerate(split(text, PIECE_UNITS) or [""]):
        piece = Prose(part) if index else Prose(part, title, number)
        shown = prose(piece)
        check(shown)
        reading = read(shown)
        assert reading.names <= PROSE
        if not index:
            head = read(shown.partition("\n")[0])
            assert [name for name, _ in head.found if name not in LINKS] == ["strong"]
            assert head.text.endswith(f" · turn {number}")
            assert reading.text.startswith(f"{head.text}\n")
            assert reading.found[0] == head.found[0]


@given(hostile)
def test_a_title_reads_as_it_was_written(title: str) -> None:
    head = read(prose(Prose("So.", title, 7)).partition("\n")[0])
    told = words(title)
    if "://" not in told and utf16_length(told) < 80:
        assert head.text.translate(ALIKE) in {f"{told} · turn 7", "A new story · turn 7"}


@given(hostile)
def test_an_announcement_shows_names_as_they_are_written(name: str) -> None:
    """A display name is a member's own choice."""
    shown = render(Announcement(f"{name} paused the story. /story resume goes on."))
    assert shown.content is not None
    check(shown.content)
    reading = read(shown.content)
    assert reading.names - LINKS == {"subtext"}
    assert "\n" not in reading.text
    if "://" not in name and utf16_length(name) < 900:
        told = words(f"{name} paused the story. /story resume goes on.")
        assert reading.text.translate(ALIKE) == told
    assert shown.mentions.to_dict() == {"parse": []}


@st.composite
def ballots(draw: st.DrawFn) -> Ballot:
    state = draw(st.sampled_from(BallotState))
    tally = draw(st.sampled_from([None, Tally(Outcome.WON, (2, 2, 1), 5, 1, (0, 1))]))
    role = draw(st.sampled_from([None, 77]))
    three = (draw(plans), draw(plans), draw(plans))
    return Ballot(3, three, Settings(notify_role=role), state, 1.8e9, tally=tally, message_id=9)


@given(ballots())
@example(
    Ballot(
        3,
        (
            Plan("> quoted", "||hidden|| ```code``` 1. x"),
            Plan("- one", "1. 2️⃣ **x**"),
            Plan("\u200b2️⃣", "\u200b2️⃣ won <t:1:R>"),
        ),
        Settings(),
        BallotState.OPEN,
        1.8e9,
    )
)
def test_a_ballot_stands_whatever_its_plans_say(content: Ballot) -> None:
    view = ballot(content)
    question, *rest = texts(view)
    assert sum(map(utf16_length, [question, *rest])) <= BALLOT_UNITS
    mentioned = [what for name, what in read(question).found if name == "mention"]
    assert set(mentioned) <= {"<@&77>"}
    for emoji, shown in zip(OPTION_EMOJI, rest[:3], strict=True):
        check(shown, BALLOT_UNITS)
        reading = read(shown)
        line, _, told = shown.partition("\n")
        head = read(line)
        assert line.startswith(emoji)
        assert [name for name, _ in head.found if name not in LINKS] == ["strong"]
        assert reading.text.partition("\n")[0] == head.text
        assert reading.names <= VOICE
        assert not regex.match(r"[\s\p{Default_Ignorable_Code_Point}]*\d\ufe0f?\u20e3", told)
    for note in rest[3:]:
        assert read(note).names == {"subtext"}


@given(hostile)
def test_a_refusal_that_quotes_is_one_line(text: str) -> None:
    shown = remark(f"{text} is no language: say another.")
    check(shown)
    assert read(shown).names <= VOICE
    assert "\n" not in shown
    check(remark(text))


@given(long_hostile, st.lists(hostile, max_size=4))
def test_the_memory_is_shown_with_our_headings_alone(memory: str, canon: list[str]) -> None:
    """Nothing in it opens what swallows the next heading, not even over the end of a page."""
    story = a_story(memory=Memory(memory, 1), canon=Canon(tuple(canon), 1))
    headings: list[str] = []
    for page in memory_pages(MemoryView(story, 3, (PromptPart("memory", 5),))):
        check(page)
        reading = read(page)
        assert reading.names - LINKS <= {"strong", "list"}
        headings += [what for name, what in reading.found if name == "strong"]
    assert headings == ["Short-term memory", "Canon", "Long-term memory", "The next prompt"]


@given(st.lists(hostile, max_size=5))
def test_hits_are_shown_with_our_headings_alone(summaries: list[str]) -> None:
    hits = [Recalled(f"t{n}", n, text, 0.5) for n, text in enumerate(summaries, 1)]
    headings: list[str] = []
    for page in hit_pages(a_story(), [Hit(hit, None) for hit in hits]):
        check(page)
        reading = read(page)
        assert reading.names - LINKS <= {"strong"}
        headings += [what for name, what in reading.found if name == "strong"]
    assert headings == [f"Turn {hit.number}" for hit in hits]


@given(st.lists(st.tuples(hostile, hostile, st.booleans()), max_size=5))
def test_facts_are_shown_with_our_marks_alone(facts: list[tuple[str, str, bool]]) -> None:
    """What holds no longer is struck through, and nothing else is."""
    hits = tuple(
        Hit(Recalled(f"t{n}", n, text, 0.5, EntryKind.FACT, 1, about), None, 9 if ended else 0)
        for n, (about, text, ended) in enumerate(facts, 1)
    )
    page = LedgerPage(a_story(), 1, 9, hits)
    for pages in (ledger_pages(page), fact_pages(a_story(), hits), hit_pages(a_story(), hits)):
        struck = 0
        for shown in pages:
            check(shown)
            reading = read(shown)
            assert reading.names - LINKS <= {"strong", "list", "strike"}
            struck += [name for name, _ in reading.found].count("strike")
        assert struck == sum(ended for _, _, ended in facts)


@given(long_hostile, hostile)
def test_a_recap_is_shown_with_our_headings_alone(chapter: str, summary: str) -> None:
    told = replace(a_reflection(), chapter=chapter, summary=summary)
    turn = a_turn(number=20, reflection=told, pieces=())
    parts = (Chapter(replace(turn, number=11), turn), replace(turn, number=21))
    headings: list[str] = []
    for page in recap_pages(Recap(a_story(), 11, 21, parts)):
        check(page)
        reading = read(page)
        assert reading.names - LINKS <= {"strong"}
        headings += [what for name, what in reading.found if name == "strong"]
    assert headings[1:] == ["Turns 11 to 20", "Turn 21", "21"]


@given(hostile, hostile)
def test_the_status_links_to_our_own_messages_alone(title: str, reason: str) -> None:
    pause = Pause(Phase.VOTING, PauseCause.MODERATOR, f"{reason} paused.", until=1.8e9)
    story = a_story(phase=Phase.PAUSED, pause=pause, brief=replace(BRIEF, title=title))
    shown = status(story, a_turn())
    check(shown)
    reading = read(shown)
    assert reading.names - LINKS <= {"strong", "timestamp", "masked", "card"}
    masked = [what for name, what in reading.found if name == "masked"]
    assert [what.partition("]")[0] for what in masked] == ["[last paragraph", "[ballot"]
    assert [what for name, what in reading.found if name == "strong"] == [reading.found[0][1]]
    assert len([name for name, _ in reading.found if name == "card"]) == len(masked)
