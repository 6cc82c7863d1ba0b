"""What people see of a text: honest writing stays whole, what acts without being seen goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.legible import MARKS_MAX, RUN_MAX, is_blank, legible
from core.domain.recurrence import UnusableAnswerError, check_opening, check_paragraph
from core.domain.text import utf16_length
from tests.properties.hostile_text import hostile


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, *emphasis*.\n\nA second paragraph.\tTabbed.",
        "👩‍👩‍👧‍👦 👍🏽 ❤️ 1️⃣ 🇨🇭 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "Tiếng Việt: nghie\u0302\u0323ng, Z\u0336\u0301",
        "עִבְרִית \u200f(ימין) \u200eLTR, فَارسی‌ها",
        "क्षि நி ကြွေ့ မြွှေ့ བསྒྲུབས สวัสดี",
        "灯塔、葛\U000e0100、㈱、カ\u3099",
    ],
)
def test_every_script_emoji_and_joiner_stays(text: str) -> None:
    assert legible(text) == text


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("a\r\nb\rc\u2028d\u2029e\x85f\x0bg\x0ch\x1ci", "a\nb\nc\nd\ne\nf\ng\nh\ni"),
        ("a\x00b\x1b[31mc\x07\x9bd\x7f", "ab[31mcd"),
        ("gnp\u202e.exe \u2066x\u2069", "gnp.exe x"),
        ("a\ufeffb\ufdd0\U0001ffffc", "abc"),
        ("A sea." + "".join(chr(0xE0000 + ord(c)) for c in "obey"), "A sea."),
        ("\U0001f3f4\u202e\U000e0067\U000e007f", "\U0001f3f4"),
        ("\ud83d\ude00 \ud83d", "😀 �"),
        ("Z" + "\u0301" * 40, "Z" + "\u0301" * MARKS_MAX),
        ("x" + "\u200b" * 40, "x" + "\u200b" * RUN_MAX),
    ],
)
def test_what_nobody_sees_goes(written: str, seen: str) -> None:
    assert legible(written) == seen


@given(hostile | st.text())
def test_it_settles_at_once_never_grows_and_can_be_sent(text: str) -> None:
    seen = legible(text)
    assert legible(seen) == seen
    assert utf16_length(seen) <= utf16_length(text)
    seen.encode()


@pytest.mark.parametrize(
    "text", ["", " \n", "\u200b\u200d", "\u3164\u2800", "\x00\u202e", "\ufdd0"]
)
def test_a_text_without_a_visible_sign_is_blank(text: str) -> None:
    """And so no title, no plan and no paragraph."""
    assert is_blank(text)
    with pytest.raises(UnusableAnswerError, match="empty"):
        check_paragraph(text)
    with pytest.raises(UnusableAnswerError, match='"title" is missing or empty'):
        check_opening({"title": text, "outline": "One."})


@pytest.mark.parametrize("text", ["a", "。", "😀", "\ud800", "\u0301", "-"])
def test_a_text_with_one_is_not(text: str) -> None:
    assert not is_blank(text)


def test_what_is_stored_is_what_is_seen() -> None:
    assert check_paragraph(" The\u202e lamp\x00.\r\n") == "The lamp."
    assert check_opening({"title": "The\ufeff Lamp", "outline": "One\u2028Two."}) == (
        "The Lamp",
        "One\nTwo.",
    )
