"""Which language free words mean (core/domain/languages.py)."""

import pytest

from core.domain.languages import language_of


@pytest.mark.parametrize(
    ("named", "tag"),
    [
        ("English", "en"),
        (" plain english ", "en"),
        ("Português", "pt"),
        ("portugues", "pt"),
        ("Português (Brasil)", "pt-BR"),
        ("Brazilian Portuguese", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("Simple German, informal", "de"),
        ("日本語", "ja"),
        ("中文（简体）", "zh-Hans"),
        ("Traditional Chinese", "zh-Hant"),
        ("हिन्दी", "hi"),
        ("Русский", "ru"),
        ("Norwegian Nynorsk", "nn"),
        ("in French, as Queneau would", "fr"),
    ],
)
def test_a_language_is_known_by_its_names_and_tags(named: str, tag: str) -> None:
    """In English, in itself, in any spelling, among other words."""
    language = language_of(named)
    assert (language.tag, language.direction) == (tag, "ltr")


@pytest.mark.parametrize(
    ("named", "tag"), [("Arabic", "ar"), ("עברית", "he"), ("فارسی", "fa"), ("Urdu", "ur")]
)
def test_scripts_from_right_to_left_say_so(named: str, tag: str) -> None:
    language = language_of(named)
    assert (language.tag, language.direction) == (tag, "rtl")


@pytest.mark.parametrize("named", ["", "Klingon", "English and German", "the language of my aunt"])
def test_what_is_not_known_for_sure_is_not_guessed(named: str) -> None:
    """No name, or several."""
    language = language_of(named)
    assert (language.tag, language.direction) == ("und", "auto")
