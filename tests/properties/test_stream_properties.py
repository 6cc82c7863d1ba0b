"""Streams: however an answer is cut into pieces, one text comes of it, and never half a mark."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from core.adapters.openai_text import VisibleText, visible_text

PARTS = (
    "<think>",
    "</think>",
    "<THINKING>",
    "</thinking>",
    "<reasoning>",
    "</reasoning>",
    "<th",
    "</",
    "<",
    ">",
    "```",
    "```json\n",
    "```text \r\n",
    "``",
    "`",
    "\n",
    " ",
    "Mira went. ",
    "json",
    "灯が消えた。",
    "🌟",
    "\ud83c",
    "\udf1f",
)
raw_answers = st.lists(st.sampled_from(PARTS) | st.text(max_size=5), max_size=12).map("".join)
sayings = st.text(st.characters(exclude_characters="<>`", exclude_categories=["Cs"]), max_size=40)
thoughts = sayings.map("<think>{}</think>".format)


def cut(raw: str, places: list[int]) -> list[str]:
    borders = [0, *sorted({place % (len(raw) + 1) for place in places}), len(raw)]
    return [raw[start:end] for start, end in pairwise(borders)]


def streamed(pieces: list[str]) -> tuple[list[str], str]:
    """What was visible after each piece, and in the end."""
    text = VisibleText()
    return [text.feed(piece) for piece in pieces], text.finish()


@given(raw_answers, st.lists(st.integers(0, 200), max_size=8))
@example("<think>a</think>```\nb\n```", list(range(30)))
def test_any_chunking_gives_one_text(raw: str, places: list[int]) -> None:
    _, text = streamed(cut(raw, places))
    assert text == visible_text(raw)
    assert streamed(list(raw))[1] == text


@given(raw_answers, st.lists(st.integers(0, 200), max_size=8))
def test_what_is_visible_depends_on_what_came_and_not_on_its_pieces(
    raw: str, places: list[int]
) -> None:
    shown, _ = streamed(cut(raw, places))
    at_once = VisibleText()
    assert (shown[-1] if shown else "") == at_once.feed(raw)


@given(st.lists(sayings | thoughts, max_size=5).map("".join), st.booleans(), sayings)
def test_no_piece_of_a_mark_is_ever_visible(said: str, fenced: bool, chatter: str) -> None:
    raw = f"```json\n{said}```{chatter}" if fenced else said
    shown, text = streamed(list(raw))
    for visible in [*shown, text]:
        assert not set(visible) & set("<>`")


@given(raw_answers)
def test_what_is_visible_is_stripped_and_can_be_encoded(raw: str) -> None:
    shown, text = streamed(list(raw))
    for visible in [*shown, text]:
        assert visible == visible.strip()
        visible.encode()


@given(st.lists(sayings | thoughts, max_size=6))
def test_what_is_visible_only_grows_towards_the_text(parts: list[str]) -> None:
    shown, text = streamed(list("".join(parts)))
    for before, after in pairwise([*shown, text]):
        assert after.startswith(before)


@given(sayings, sayings, st.sampled_from(["", "text", "json", "c++"]))
def test_thoughts_and_a_wrapping_fence_fall_away(thought: str, said: str, info: str) -> None:
    raw = f"<think>{thought}</think>\n```{info}\n{said}\n```\nI hope you like it!"
    shown, text = streamed(list(raw))
    assert text == said.strip()
    assert all(said.strip().startswith(visible) for visible in shown)


@given(sayings)
def test_text_without_marks_stays_as_it_is(said: str) -> None:
    assert visible_text(said) == said.strip()


@given(sayings, sayings)
def test_thoughts_whose_opening_mark_was_swallowed_are_dropped_at_their_end(
    thought: str, said: str
) -> None:
    assert visible_text(f"{thought}</think>{said}") == said.strip()


@given(sayings, sayings)
def test_thoughts_that_never_end_are_no_text(said: str, thought: str) -> None:
    assert visible_text(f"{said}<think>{thought}") == said.strip()


def test_code_inside_a_text_is_no_wrapping_fence() -> None:
    said = "She read:\n```\n10 PRINT\n```\nand laughed."
    assert visible_text(said) == said
