"""What `talewheel export` and `talewheel import` can be told, and what they refuse to be told."""

import pytest

from bot.__main__ import main


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("export", "the following arguments are required: FILE"),
        ("export x --story 7", "'7' names no story, as 81384788765712384:1 does"),
        ("export x --story 7:0", "'7:0' names no story"),
        ("export x --story 7:1:1", "names no story"),
        ("export x --channel here", "'here' is no id of Discord, such as 81384788765712384"),
        ("export x --channel 0", "'0' is no id"),
        ("export x --guild ٣", "is no id"),
        ("import x --channel 7", "'7' must be two ids, OLD=NEW"),
        ("import x --channel 7=", "'' is no id"),
        ("import x --guild 7=x", "'x' is no id"),
        ("import", "the following arguments are required: FILE"),
    ],
)
def test_a_mistake_is_named_before_anything_is_opened(
    words: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("command", ["export", "import"])
def test_help_says_what_is_needed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "FILE" in said
    assert "REDIS_URL" in said
