"""What is printed of Discord's markdown (core/domain/emphasis.py)."""

import pytest

from core.domain.emphasis import Run, Style, bare_line, plain_line, printed, printed_line

ITALIC = frozenset({Style.ITALIC})


def shown(text: str) -> list[tuple[str, str]]:
    """The runs of a text on one line, each with the first letters of its styles."""
    [[line]] = printed(text)
    return [(run.text, "".join(sorted(style[0] for style in run.styles))) for run in line]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("He *said* it.", [("He ", ""), ("said", "i"), (" it.", "")]),
        ("_so_ and __so__", [("so", "i"), (" and ", ""), ("so", "i")]),
        ("**loud**", [("loud", "b")]),
        ("***both***", [("both", "bi")]),
        ("**a *b***", [("a ", "b"), ("b", "bi")]),
        ("*a***b**", [("a", "i"), ("b", "b")]),
        ("***a*", [("**a", "i")]),
        ("~~gone~~", [("gone", "s")]),
        ("a ||secret|| told", [("a secret told", "")]),
        ("`c *d*`", [("c *d*", "c")]),
        ("`` a`b ``", [("a`b", "c")]),
        ("```py\nx = 1\n```", [("x = 1", "c")]),
        ("```x```", [("x", "c")]),
        (r"\*no\* \_no\_ \\", [("*no* _no_ \\", "")]),
        (r"`a\*b`", [(r"a\*b", "c")]),
        ("2 * 3 * 4 and snake_case_name", [("2 * 3 * 4 and snake_case_name", "")]),
        ("*open", [("*open", "")]),
        ("[x](http://y/a_b_c)", [("[x](http://y/a_b_c)", "")]),
        ("# no heading", [("# no heading", "")]),
        ("<@12> <b>", [("<@12> <b>", "")]),
    ],
)
def test_marks_become_styles_and_all_else_reads_as_written(
    text: str, runs: list[tuple[str, str]]
) -> None:
    """As members read it, with underlining in italics and spoilers open."""
    assert shown(text) == runs


def test_paragraphs_and_lines_are_kept() -> None:
    """Blank lines part paragraphs, however many; spaces round a line go, a wide indent stays."""
    text = "\n one  \ntwo\n \n\u200b\n\n\u3000three\u3000\n"
    lines = [["".join(run.text for run in line) for line in block] for block in printed(text)]
    assert lines == [["one", "two"], ["\u3000three"]]


def test_emphasis_goes_on_over_a_line_break() -> None:
    """Each line has its own run of it."""
    assert printed("*one\ntwo*") == (((Run("one", ITALIC),), (Run("two", ITALIC),)),)


def test_emphasis_ends_with_its_paragraph() -> None:
    """A mark whose partner stands behind a blank line is a star."""
    assert [[line[0] for line in block] for block in printed("*one\n\ntwo*")] == [
        [Run("*one")],
        [Run("two*")],
    ]


@pytest.mark.parametrize("nothing", ["", " \n\t\n", "\u200b\n\u2800"])
def test_nothing_to_see_has_no_paragraph_and_a_line_of_an_ellipsis(nothing: str) -> None:
    assert printed(nothing) == ()
    assert printed_line(nothing) == (Run("…"),)
    assert plain_line(nothing) == bare_line(nothing) == "…"


def test_a_line_holds_a_whole_text() -> None:
    """With its emphasis, without it, and as it was written."""
    text = "One\n\n*two*\tthree"
    assert printed_line(text) == (Run("One "), Run("two", ITALIC), Run(" three"))
    assert bare_line(text) == "One two three"
    assert plain_line(text) == "One *two* three"


def test_what_nobody_can_see_is_gone() -> None:
    """Controls and overrides of the direction never reach a page."""
    assert printed_line("a\x00b\u202ec\x1b[31m") == (Run("abc[31m"),)


def test_a_line_that_ends_in_hidden_space_ends_before_it() -> None:
    """Space at a line's end goes, whatever look it has."""
    assert printed_line("word `  `") == (Run("word"),)
    assert printed_line("`  `x") == (Run("x"),)
