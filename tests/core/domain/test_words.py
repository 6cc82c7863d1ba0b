"""The words that full-text search knows, in scripts with spaces and without."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.words import STOP_WORDS, search_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The LAMP's light, x_y; 7 steps.", "the lamp s light x y 7 steps"),
        ("Straße, naïve, Ωmega", "strasse naïve ωmega"),
        ("守灯人", "守灯 灯人"),
        ("灯", "灯"),
        ("ラーメンを食べる", "ラー ーメ メン ンを を食 食べ べる"),
        ("人々", "人々"),
        ("Mira的灯塔2号", "mira 的灯 灯塔 2 号"),
        ("คนเฝ้าประภาคาร", "คน นเ เฝ ฝ้ ้า าป ปร ระ ะภ ภา าค คา าร"),
        ("ແມວ ຄົນ", "ແມ ມວ ຄົ ົນ"),
        ("등대지기는 문을 열었다", "등대지기는 문을 열었다"),
        ("हिन्दी शब्द", "हिन्दी शब्द"),
    ],
    ids=[
        *("English", "accents", "Chinese", "one sign", "Japanese", "a repeated sign", "mixed"),
        *("Thai", "Lao", "Korean", "vowel signs"),
    ],
)
def test_words_are_cut_at_spaces_and_where_there_are_none_into_bigrams(
    text: str, words: str
) -> None:
    assert search_words(text) == words.split()


@pytest.mark.parametrize(
    ("text", "same"),
    [("ＬＡＭＰ", "lamp"), ("ﾗｰﾒﾝ", "ラーメン"), ("ガ", "ガ"), ("cafe\u0301", "café"), ("①", "1")],
    ids=["full width", "half width", "half-width mark", "decomposed", "circled"],
)
def test_a_character_is_one_word_however_it_was_typed(text: str, same: str) -> None:
    assert search_words(text) == search_words(same)


@pytest.mark.parametrize("text", ["", "…  — !?", "👩\u200d🚀", "\u0301", "\u200d\u2060", "__"])
def test_what_is_neither_letter_nor_digit_is_no_word(text: str) -> None:
    assert search_words(text) == []


def test_what_nobody_sees_parts_no_word() -> None:
    assert search_words("la\u00admp क्\u200dष") == ["lamp", "क्ष"]


def test_a_text_and_a_part_of_it_meet_in_its_bigrams() -> None:
    assert set(search_words("铁梯")) <= set(search_words("守灯人在铁梯下发现了一本账册。"))


def test_stop_words_are_words_and_hold_the_ones_that_the_index_leaves_out() -> None:
    """RediSearch's default list: a query of these alone would be an error there."""
    left_out = (
        "a is the an and are as at be but by for if in into it no not of on or such that their then"
        " there these they this to was will with"
    )
    assert set(left_out.split()) <= STOP_WORDS
    assert all(search_words(word) == [word] for word in STOP_WORDS)


@given(st.text())
def test_words_are_words_of_their_own_text(text: str) -> None:
    words = search_words(text)
    assert all(search_words(word) == [word] for word in words)
    assert all(word.split() == [word] for word in words)
