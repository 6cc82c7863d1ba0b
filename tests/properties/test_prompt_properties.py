"""What holds for every prompt: no part takes more than its budget, whatever a story is made of."""

import re
from dataclasses import astuple, fields, replace

from hypothesis import given
from hypothesis import strategies as st

from core.domain.entries import EntryKind, Recalled
from core.domain.prompts import Message, paragraph_messages, reflection_messages
from core.domain.recurrence import CHAPTER_TURNS, StepContext, assemble, avoiding, looked_back
from core.domain.story import Brief, Canon, Memory, Phase, Plan, Story
from core.domain.tokens import LEAST_BYTES_PER_TOKEN, MOST_BYTES_PER_TOKEN, Budget, estimate_tokens
from tests.fakes.stories import a_draft, a_story
from tests.properties.hostile_text import long_hostile

PARAGRAPH = "So it was."
BUDGET = Budget()
_BLOCK = re.compile(r"^<(\w+)>\n(.*?)\n</\1>$", re.MULTILINE | re.DOTALL)
_SENTENCES = (
    *(
        "Mira keeps the lamp by the sea. ",
        "守灯人在铁梯下发现了一本账册。",
        "Она пошла вниз, к воде. ",
    ),
    *("ชายชราเดินไปที่ประภาคารและเปิดประตู ", "\n- ", "😀", "</memory> ", "a", "x" * 90 + " "),
)

long_texts = st.lists(
    st.tuples(st.sampled_from(_SENTENCES), st.sampled_from([1, 2, 7, 60, 400])), max_size=3
).map(lambda parts: "".join(text * times for text, times in parts))
texts = st.one_of(long_texts, long_hostile, st.sampled_from(["", "Mira."]))
sizes = st.floats(LEAST_BYTES_PER_TOKEN, MOST_BYTES_PER_TOKEN)
numbers = st.integers(1, 99_999)
entries = st.builds(
    Recalled,
    st.uuids().map(str),
    numbers,
    texts,
    st.floats(-1, 1),
    st.sampled_from(EntryKind),
    st.integers(1, 8),
    texts,
    st.sampled_from([0, 99_990]),
)


def many(found: st.SearchStrategy[Recalled]) -> st.SearchStrategy[list[Recalled]]:
    """A few entries, or so many that no budget holds them."""
    few = st.lists(found, max_size=5)
    repeated = st.tuples(few, st.sampled_from([1, 40])).map(lambda it: it[0] * it[1])
    return repeated.map(
        lambda hits: [replace(hit, turn_id=f"t{place}") for place, hit in enumerate(hits)]
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A story about to write, with any text in every place that has one."""
    return a_story(
        phase=Phase.WRITING,
        draft=replace(a_draft(), number=draw(numbers), plan=Plan(draw(texts), draw(texts))),
        brief=Brief(*(draw(texts) for _ in fields(Brief))),
        memory=Memory(draw(texts), 1),
        canon=Canon(tuple(draw(st.lists(texts, max_size=5)) * draw(st.sampled_from([1, 200]))), 1),
        bytes_per_token=draw(sizes),
    )


def parts(messages: list[Message]) -> dict[str, str]:
    """What stands between the marks of all messages."""
    told = (message.content for message in messages if message.role == "user")
    return {name: data for content in told for name, data in _BLOCK.findall(content)}


def size_of(messages: list[Message]) -> int:
    """Bytes of all that is sent but the paragraph."""
    sent = (message.content for message in messages if message.role != "assistant")
    return sum(len(content.encode()) for content in sent)


def check_budgets(messages: list[Message], bytes_per_token: float) -> None:
    """Each part keeps to its own budget, measured as it is sent: labels, bullets and all."""
    for name, data in parts(messages).items():
        budget = getattr(BUDGET, "avoid" if name == "passage" else name)
        assert estimate_tokens(data, bytes_per_token) <= budget, name


BARE = size_of(
    reflection_messages(
        StepContext(
            Brief(*("x" for _ in fields(Brief))),
            number=99_999,
            sentences=20,
            canon=("x",),
            memory="x",
            recalled=(Recalled("t", 1, "x", 0.0),),
            ledger=(Recalled("t", 1, "x", 0.0),),
            previous="x",
            plan=Plan("x", "x"),
            avoid="x",
            touched=(Recalled("t", 1, "x", 0.0),),
            stretch=(Recalled("t", 1, "x", 0.0),),
        ),
        PARAGRAPH,
    )
)
"""Bytes of a prompt in which every part stands and holds next to nothing."""


@given(stories(), texts, many(entries))
def test_every_part_of_a_paragraphs_prompt_keeps_to_its_budget(
    story: Story, previous: str, recalled: list[Recalled]
) -> None:
    context = assemble(story, previous, recalled)
    check_budgets(paragraph_messages(context), story.bytes_per_token)


@given(stories(), texts, many(entries), texts, many(entries), st.lists(entries, max_size=12))
def test_a_whole_prompt_keeps_to_the_sum_of_its_budgets(
    story: Story,
    previous: str,
    recalled: list[Recalled],
    passage: str,
    touched: list[Recalled],
    stretch: list[Recalled],
) -> None:
    """And the longest one, of a reflection that looks back on everything, to a fixed rest."""
    size = story.bytes_per_token
    context = avoiding(assemble(story, previous, recalled), passage, size)
    context = looked_back(context, touched, stretch, size)
    messages = reflection_messages(context, PARAGRAPH)
    check_budgets(messages, size)
    assert size_of(messages) <= sum(astuple(BUDGET)) * size + BARE
    assert len(context.stretch) <= CHAPTER_TURNS
