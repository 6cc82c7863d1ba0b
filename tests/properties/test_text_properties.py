"""What holds for every text: splitting, sentences, clipping, likeness (core/domain/text.py)."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import regex
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.domain import text as under_test
from core.domain.recurrence import assemble
from core.domain.story import Memory, Phase
from core.domain.text import (
    clip,
    clip_front,
    ends_cut_off,
    pieces,
    same_text,
    sentences,
    shorten_from_front,
    similarity,
    split,
    utf16_length,
)
from core.domain.tokens import Budget, estimate_tokens
from tests.fakes.stories import BRIEF, a_draft, a_story

_WORDS = ["a", "I", "Mira", "lighthouse", "don’t", "Mr.", "e.g.", "3.14", "well-known", "it’s"]
_SIGNS = [
    *(
        "👨‍👩‍👧‍👦",
        "👍🏽",
        "🇨🇭",
        "🇨🇭🇯🇵",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "❤️",
        "e\u0301",
        "a\u0308\u0323",
        "\u0301",
        "\u200d",
        "\ufe0f",
    ),
    *(
        "\u0600",
        "\u0600 ",
        "\U000101fd",
        "क्षि",
        "நி",
        "한국어",
        "각",
        "สวัสดี",
        "ကြ",
        "שלום",
        "مرحبا",
        "\u202e",
    ),
    *("灯塔", "。", "、", "「", "」", "！", "？", "ー", "っ", "…", "．", "“", "”"),
]
_SPACES = [" ", "  ", "\n", "\n\n", "\n \n", "\r\n", "\t", "\u3000", "\u00a0", "\u2028", "\x1c"]
_STOPS = [".", "!", "?", ",", ";", ":", "...", "—", '"', "'", ")", "(", "।", "؟"]
_MARKS = [
    *("*", "**", "***", "****", "_", "__", "~~", "||", "|", "`", "``", "```", "```py\n", "\n```"),
    *("\\", "\\*", "\\\\", "[", "](", "[x](http://y)", "<", ">", "<@12>", "<:a:1>", "<t:1:R>"),
    *("https://x.y/z_z", "- ", "> ", "# ", "1. "),
]
_soup = st.lists(st.sampled_from(_WORDS + _SIGNS + _SPACES + _STOPS + _MARKS), max_size=90)
_texts = st.one_of(_soup.map("".join), st.text(max_size=60), _soup.map(" ".join))
_long_texts = st.tuples(_texts, st.integers(1, 30), _texts).map(lambda t: t[0] * t[1] + t[2])
_limits = st.one_of(st.integers(2, 40), st.integers(128, 300))
_words = st.lists(st.text("abcdefghijklmnopqrstuvwxyzäéß", min_size=1, max_size=20), min_size=1)


def _borders(text: str) -> set[int]:
    return {0, *(m.end() for m in regex.finditer(r"\X", text))}


@given(_long_texts, _limits)
def test_no_part_is_blank_or_longer_than_the_limit(text: str, limit: int) -> None:
    for part in split(text, limit):
        assert part.strip()
        assert utf16_length(part) <= limit


@given(_long_texts, _limits)
def test_only_white_space_is_lost_and_nothing_is_moved_or_doubled(text: str, limit: int) -> None:
    found = list(pieces(text, limit))
    edges = [0, *(edge for piece in found for edge in (piece.start, piece.end)), len(text)]
    assert edges == sorted(edges)
    for end, start in zip(edges[::2], edges[1::2], strict=True):
        assert not text[end:start].strip()
    assert split(text, limit) == tuple(p.opening + text[p.start : p.end] + p.closing for p in found)


@given(_long_texts, st.integers(2, 127))
def test_below_128_units_no_mark_is_added(text: str, limit: int) -> None:
    assert all(not p.opening and not p.closing for p in pieces(text, limit))


@given(_long_texts, _limits)
@example("a" * 30 + "\u0600 " + "b" * 30, 31)
@example(" \u0301" * 40, 9)
def test_no_grapheme_is_cut(text: str, limit: int) -> None:
    longest = max((utf16_length(g) for g in regex.findall(r"\X", text)), default=0)
    assume(longest <= (limit if limit < 128 else limit - 112))
    borders = _borders(text)
    for piece in pieces(text, limit):
        assert piece.start in borders
        assert piece.end in borders


@given(_long_texts, _limits, st.data())
@example("**" + "a b " * 80 + "\n\nc", 128, None)
def test_parts_that_have_a_successor_never_change_when_text_is_appended(
    text: str, limit: int, data: st.DataObject | None
) -> None:
    whole = split(text, limit)
    lengths = (
        range(len(text))
        if data is None
        else data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    )
    for length in lengths:
        seen = split(text[:length], limit)
        assert seen[:-1] == whole[: max(len(seen) - 1, 0)]


@given(_words, st.integers(20, 200))
def test_no_word_is_broken_where_spaces_suffice(words: list[str], limit: int) -> None:
    parts = split(" ".join(words), limit)
    assert [w for part in parts for w in part.split(" ")] == words


@given(
    st.lists(st.tuples(st.sampled_from(["**", "*", "__", "_", "~~", "||", "`", ""]), _words)),
    st.integers(128, 300),
)
def test_a_span_that_fits_is_never_cut(spans: list[tuple[str, list[str]]], limit: int) -> None:
    marked = [f"{mark}{' '.join(words)[:60].strip()}{mark}" for mark, words in spans]
    parts = split(" ".join(marked), limit)
    assert " ".join(parts) == " ".join(marked)
    for mark, part in ((m, p) for m in ("**", "__", "~~", "||", "`") for p in parts):
        assert part.count(mark) % 2 == 0


@given(
    st.sampled_from(["**", "*", "***", "__", "_", "~~", "||", "`", "``"]),
    _words.map(lambda words: words * 30),
    st.integers(128, 300),
)
def test_a_span_longer_than_the_limit_is_closed_and_opened_again(
    mark: str, words: list[str], limit: int
) -> None:
    parts = split(f"{mark}{' '.join(words)}{mark}", limit)
    inner = [part.removeprefix(mark).removesuffix(mark) for part in parts]
    assert [f"{mark}{words}{mark}" for words in inner] == list(parts)
    assert " ".join(inner).split(" ") == words


@given(
    st.sampled_from(["", "py", "c++"]),
    st.lists(st.text("abc ", min_size=1, max_size=40).filter(str.strip), min_size=20),
    st.integers(128, 300),
)
def test_a_fence_longer_than_the_limit_keeps_its_language_lines_and_indents(
    language: str, lines: list[str], limit: int
) -> None:
    parts = split(f"```{language}\n" + "\n".join(lines) + "\n```", limit)
    inner: list[str] = []
    for part in parts:
        assert part.startswith(f"```{language}\n")
        assert part.endswith("\n```")
        inner += part.removeprefix(f"```{language}\n").removesuffix("\n```").split("\n")
    assert [line.rstrip() for line in inner] == [line.rstrip() for line in lines]


@given(
    st.lists(st.sampled_from([*"灯塔没有转动", "。", "，", "」", "「灯", "ー", "っ"]), min_size=1)
)
def test_no_part_begins_with_a_closing_sign_where_that_is_avoidable(signs: list[str]) -> None:
    text = "灯" + "".join(f"{sign}塔塔" for sign in signs)
    parts = split(text, 12)
    assert "".join(parts) == text
    for before, part in pairwise(parts):
        assert part[0] not in "。，」ーっ"
        assert before[-1] != "「"


def _calls(function: Callable[[str], object], text: str) -> int:
    """How many functions, Python's and C's, are called: work that does not depend on the clock."""
    count = 0

    def tick(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tick)
    try:
        function(text)
    finally:
        sys.setprofile(before)
    return count


_HOSTILE = [
    *("*", "[", "`", "_", "\\", "<@", "|", "~", "。", "```", "` ``", "\\``", "\\``\n\n", "**a"),
    *("a *b", "[a](b", '"', ". ", "e.", "\u0301", "\u0600 ", "1. ", "http://", "||", "\n", " "),
    *("```\n", "` a\n\n", "a<@", "*a **b __c ", "(", "a **b c\n\n", "x _y", "`a ", "[a "),
]


@pytest.mark.parametrize("function", [split, sentences, ends_cut_off])
@pytest.mark.parametrize("unit", _HOSTILE)
def test_work_grows_no_faster_than_the_text(function: Callable[[str], object], unit: str) -> None:
    # Quadratic work would be 4 times as much; 5 cuts in place of 2 are 2.5 times as much.
    size = 6_000
    once, twice = ((unit * n)[:n] for n in (size, 2 * size))
    assert _calls(function, twice) <= 3 * _calls(function, once) + 500


@pytest.mark.parametrize("unit", _HOSTILE)
def test_a_hundred_thousand_signs_give_no_more_parts_than_half_filled_ones(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    found = list(pieces(text))
    assert len(found) <= 1 + 2 * len(text) / 1000
    assert all(p.end - p.start <= 2000 for p in found)


def test_searches_in_vain_are_not_repeated() -> None:
    """No count of calls sees inside a pattern's search: repeated each time, it takes minutes."""
    text = "\\``" * 60_000 + "\n\nend"
    before = time.process_time()
    ends_cut_off(text)
    split(text)
    assert time.process_time() - before < 10


@given(_long_texts)
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(s and s == s.strip() for s in found)


@given(_long_texts, st.integers(0, 12))
def test_shortening_keeps_an_end_of_the_text_with_at_most_so_many_sentences(
    text: str, most: int
) -> None:
    short = shorten_from_front(text, most)
    assert text.endswith(short)
    assert len(sentences(short)) <= most
    assert shorten_from_front(short, most) == short
    if len(sentences(text)) <= most:
        assert short == text


@given(st.lists(st.text("abc", min_size=2, max_size=9), min_size=1), st.integers(1, 9))
def test_shortening_drops_the_oldest_sentences_alone(words: list[str], most: int) -> None:
    facts = [f"The {word} waits." for word in words]
    assert shorten_from_front(" ".join(facts), most) == " ".join(facts[-most:])


@given(_long_texts, st.integers(1, 300), st.sampled_from(["…", "", "..."]))
def test_clipping_keeps_a_beginning_of_whole_graphemes_inside_the_limit(
    text: str, limit: int, ellipsis: str
) -> None:
    assume(limit >= len(ellipsis))
    short = clip(text, limit, ellipsis)
    assert utf16_length(short) <= limit
    if utf16_length(text) <= limit:
        assert short == text
    else:
        kept = short.removesuffix(ellipsis)
        assert kept + ellipsis == short
        assert text.startswith(kept)
        assert len(kept) in _borders(text)


@given(_long_texts, st.integers(1, 300), st.sampled_from(["…", "", "..."]))
@example("a b\u0301 c", 4, "")
@example("ab \u0301cd", 4, "…")
def test_clipping_the_front_keeps_an_end_of_whole_graphemes_inside_the_limit(
    text: str, limit: int, ellipsis: str
) -> None:
    assume(limit >= len(ellipsis))
    short = clip_front(text, limit, ellipsis)
    assert utf16_length(short) <= limit
    if utf16_length(text) <= limit:
        assert short == text
    else:
        kept = short.removeprefix(ellipsis)
        assert ellipsis + kept == short
        assert text.endswith(kept)
        assert len(text) - len(kept) in _borders(text)


@given(_words, st.integers(45, 200))
def test_clipping_the_front_breaks_no_word_where_spaces_suffice(
    words: list[str], limit: int
) -> None:
    text = " ".join(words)
    kept = clip_front(text, limit).removeprefix("…").split()
    assert kept == words[len(words) - len(kept) :]
    assert utf16_length(text) <= limit or utf16_length(clip_front(text, limit)) >= limit - 20


@given(_long_texts, st.integers(0, 60), st.floats(1, 6))
def test_what_a_prompt_holds_of_a_text_is_its_end_within_the_budget(
    text: str, tokens: int, size: float
) -> None:
    """The start of a premise, the end of a memory and of a paragraph: in any script."""
    budget = Budget(premise=tokens, memory=tokens, previous=tokens)
    story = a_story(
        phase=Phase.WRITING,
        draft=a_draft(),
        brief=replace(BRIEF, premise=text),
        memory=Memory(text, 1),
        bytes_per_token=size,
    )
    context = assemble(story, text, [], budget)
    whole = "".join(text.split())
    for part in (context.memory, context.previous, context.brief.premise):
        assert estimate_tokens(part, size) <= tokens
    for end in (context.memory, context.previous):
        assert whole.endswith("".join(end.split()).removeprefix("…")) or end == text
    start = "".join(context.brief.premise.split())
    assert whole.startswith((start, start.removesuffix("…")))


@given(_texts, _texts)
def test_likeness_is_a_symmetric_share_and_1_for_the_same_text(a: str, b: str) -> None:
    share = similarity(a, b)
    assert 0 <= share <= 1
    assert share == similarity(b, a)
    assert similarity(a, a) == 1
    assert same_text(a, a)
    if same_text(a, b):
        assert share == 1


@given(_words, st.sampled_from([" ", "  ", ", ", "\n", " – ", " **"]))
def test_likeness_ignores_case_spacing_and_punctuation(words: list[str], between: str) -> None:
    assert same_text(" ".join(words), between.join(words).upper() + "!")


@given(_texts)
def test_a_text_that_ends_in_a_stop_is_not_cut_off(text: str) -> None:
    plain = regex.sub(r"[*_~|`\[\]\\]", "", text)
    assert not ends_cut_off(plain + "end.")
    assert not ends_cut_off(plain + "「終わり。」")


def test_every_public_name_is_there() -> None:
    assert all(hasattr(under_test, name) for name in under_test.__all__)
