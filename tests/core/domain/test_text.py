"""Splitting, markdown, sentences, clipping and likeness, by example."""

import pytest

from core.domain import markdown
from core.domain.sentences import whole_sentences, whole_words
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

_LONG = "word " * 30
_FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("abc", 3), ("灯塔", 2), ("👍", 2), (_FAMILY, 11), ("\ud800", 1)]
)
def test_length_is_counted_as_discord_counts(text: str, units: int) -> None:
    assert utf16_length(text) == units


# --- splitting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " ", "\n\n \t"])
def test_a_blank_text_has_no_parts(text: str) -> None:
    assert split(text) == ()


def test_a_text_that_fits_is_one_part_without_the_white_space_around_it() -> None:
    assert split("  The lamp turned.\n\n") == ("The lamp turned.",)


def test_a_limit_that_no_emoji_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="limit is 1: it must be at least 2"):
        split("a", 1)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("one two.\nthree\n\nfour. five", 22, ("one two.\nthree", "four. five")),
        ("one two. three\nfour. five", 20, ("one two. three", "four. five")),
        ("one two three. four, five six", 24, ("one two three.", "four, five six")),
        (
            "“Go now!” he said. “Or stay.” she added",
            34,
            ("“Go now!” he said.", "“Or stay.” she added"),
        ),
        ("It was Mr. Vale who came in", 14, ("It was Mr.", "Vale who came", "in")),
        ("Go. word word word word", 20, ("Go. word word word", "word")),
        ("word one. two   ", 14, ("word one. two",)),
        ("lighthouse-keepers", 12, ("lighthouse-", "keepers")),
        ("lighthousekeepers", 12, ("lighthouseke", "epers")),
        ("10\u00a0000 keepers of lights", 12, ("10\u00a0000", "keepers of", "lights")),
        ("a\n\n" + "b" * 9 + " " + "c" * 9, 11, ("a", "b" * 9, "c" * 9)),
    ],
)
def test_cuts_stand_at_the_best_place_of_the_window(
    text: str, limit: int, parts: tuple[str, ...]
) -> None:
    assert split(text, limit) == parts


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("灯塔没有转动。米拉走下楼梯", 10, ("灯塔没有转动。", "米拉走下楼梯")),
        ("他说：「走吧。」米拉走了", 10, ("他说：「走吧。」", "米拉走了")),
        ("灯塔没有转动，米拉走下楼梯", 10, ("灯塔没有转动，", "米拉走下楼梯")),
        ("灯塔没有转动米拉走下楼梯", 10, ("灯塔没有转动米拉走下", "楼梯")),
        ("灯塔。没有转动米拉走下楼梯", 10, ("灯塔。没有转动米拉走", "下楼梯")),
        ("灯塔没有转动米拉走下。楼梯", 10, ("灯塔没有转动米拉走", "下。楼梯")),
        ("灯塔没有转动米拉走「下楼梯", 10, ("灯塔没有转动米拉走", "「下楼梯")),
        ("ランプが回らなかったーっと", 11, ("ランプが回らなかっ", "たーっと")),
        ("。" * 7, 5, ("。" * 5, "。" * 2)),
        ("灯塔 3．14 米。走", 9, ("灯塔 3．14", "米。走")),
        ("दीप जला।मीरा चली गई", 12, ("दीप जला।", "मीरा चली गई")),
    ],
)
def test_scripts_without_spaces_are_cut_as_their_readers_expect(
    text: str, limit: int, parts: tuple[str, ...]
) -> None:
    assert split(text, limit) == parts


def test_thai_is_cut_at_its_spaces_and_else_between_graphemes() -> None:
    assert split("ประภาคารไม่หมุน มิราเดินลง", 18) == ("ประภาคารไม่หมุน", "มิราเดินลง")
    assert all(not part.startswith("\u0e48") for part in split("ไม่" * 20, 7))


def test_a_grapheme_longer_than_the_limit_is_cut_between_code_points() -> None:
    parts = split(_FAMILY * 2, 8)
    assert "".join(parts) == _FAMILY * 2
    assert max(map(utf16_length, parts)) <= 8
    assert split("a" + "\u0301" * 9, 4) == ("a\u0301\u0301\u0301", "\u0301" * 4, "\u0301" * 2)


def test_a_space_that_is_part_of_a_grapheme_stays_with_it() -> None:
    assert split("abcd \u0301efg", 5) == ("abcd", " \u0301efg")
    assert split("abc\u0600 defgh", 5) == ("abc\u0600 ", "defgh")
    assert split("ab \U000101fd", 2) == ("ab", "\U000101fd")


@pytest.mark.parametrize(
    "span",
    [
        "**bold words here**",
        "*leaning words*",
        "***both of them***",
        "__lined words__",
        "_leaning words_",
        "~~struck words~~",
        "|| a secret here ||",
        "`some code, here`",
        "``a ` tick in``",
        "```py\nx = 1\n```",
        "[masked link](https://a.b/c)",
        "<@123456789012345678>",
        "<:party_parrot:12345>",
        "<t:1700000000:R>",
        "https://a.example/b_c,d.e?f",
        "**bold *and leaning* words**",
    ],
)
def test_a_span_that_would_be_cut_goes_whole_into_the_next_part(span: str) -> None:
    before = ("word " * 40)[: 140 - len(span) // 2 - 3] + "w"
    parts = split(f"{before} {span} and on it goes", 140)
    assert parts == (before, f"{span} and on it goes")


def test_an_escape_is_not_cut() -> None:
    assert split("a" * 9 + "\\*b", 10) == ("a" * 9, "\\*b")


def test_a_backslash_does_not_escape_the_mark_that_closes_a_part() -> None:
    text = "**" + "x" * 40 + " " + "y" * 60 + "\\ z" + "z" * 60 + "**"
    assert split(text, 128)[0] == "**" + "x" * 40 + "**"


def test_nested_spans_are_closed_inside_out_and_opened_outside_in() -> None:
    parts = split(f"**bold _{_LONG.strip()}_ words** end", 128)
    assert parts[0].startswith("**bold _word word")
    assert parts[0].endswith("word_**")
    assert parts[-1].count("**_") == 1
    assert parts[-1].startswith("**_word")
    assert parts[-1].endswith("_ words** end")


def test_a_mark_without_partner_is_plain_text_once_a_blank_line_follows() -> None:
    text = f"*note: {'word ' * 12}\n\n{'word ' * 30}"
    parts = split(text, 128)
    assert all(part.count("*") == (part[0] == "*") for part in parts)


def test_a_span_carried_over_is_closed_before_the_blank_line_that_proves_it_open() -> None:
    text = f"**{'word ' * 40}\n\nThe next paragraph."
    parts = split(text, 128)
    assert parts[-1] == "The next paragraph."
    assert all(part.startswith("**") and part.endswith("**") for part in parts[:-1])


def test_code_carried_over_is_closed_before_the_blank_line_that_proves_it_open() -> None:
    parts = split(f"`{'word ' * 40}\n\nThe `next` paragraph.", 128)
    assert parts[-1] == "The `next` paragraph."
    assert all(part.startswith("`") and part.endswith("`") for part in parts[:-1])


def test_a_span_carried_over_that_never_ends_is_closed_at_the_end() -> None:
    parts = split(f"||{_LONG}and the end", 128)
    assert parts[-1].startswith("||")
    assert parts[-1].endswith("end||")


@pytest.mark.parametrize("words", range(20, 120))
def test_there_is_room_for_closing_whatever_the_last_part_holds(words: int) -> None:
    parts = split("||" + "be " * words, 128)
    assert max(map(len, parts)) <= 128
    assert all(part.endswith("||") for part in parts[len(parts) == 1 :])


def test_a_fence_is_opened_again_with_its_language_and_keeps_its_indents() -> None:
    line = "    print('the lamp turns')\n"
    parts = split("```py\n" + line * 12 + "```\nDone.", 140)
    assert all(part.startswith("```py\n    print") for part in parts)
    assert all(part.endswith("turns')\n```") for part in parts[:-1])
    assert parts[-1].endswith("```\nDone.")
    assert sum(part.count("print") for part in parts) == 12


def test_an_indent_deeper_than_anybody_means_is_dropped_at_a_cut() -> None:
    parts = split("```\n" + "x" * 100 + "\n" + " " * 400 + "y\n```", 128)
    assert parts == ("```\n" + "x" * 100 + "\n```", "```\ny\n```")


def test_below_128_units_marks_are_left_as_they_are() -> None:
    assert split("**bold words here**", 12) == ("**bold words", "here**")


def test_only_what_no_other_cut_spares_is_cut() -> None:
    parts = split("https://a.b/" + "c" * 300, 128)
    assert "".join(parts) == "https://a.b/" + "c" * 300
    assert split("*" * 300, 200) == ("*" * 200, "*" * 100)


def test_a_word_longer_than_the_limit_inside_a_span_is_cut_and_mended() -> None:
    parts = split("**" + "x" * 300 + "**", 128)
    assert all(part.startswith("**") and part.endswith("**") for part in parts)
    assert sum(part.count("x") for part in parts) == 300


def test_pieces_tell_places_and_marks_apart() -> None:
    first, *_ = pieces(f"**{_LONG}**", 128)
    assert (first.start, first.opening, first.closing) == (0, "", "**")


# --- markdown ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "open_marks"),
    [
        ("a **b", ["**"]),
        ("a *b **c ~~d", ["*", "**", "~~"]),
        ("***a", ["**", "*"]),
        ("***a** b", ["*"]),
        ("**a *b** c", []),
        ("**a **b", ["**"]),
        ("a * b ** c", []),
        ("***\n\na", []),
        ("- a\n* b", []),
        ("snake_case and _x", ["_"]),
        ("snake_case", []),
        ("a_b_c", []),
        ("a_ b", []),
        ("**** a ~ b | c ~~~d ||||", []),
        ("|| a", ["||"]),
        ("`a *b", ["`"]),
        ("`a *b` *c", ["*"]),
        ("`a\n\n*b", ["*"]),
        ("`a `` b\n\n``c `` *d", ["*"]),
        ("\\``a \\``b\n\n*c", ["*"]),
        ("`a\n\n` b` *c", ["*"]),
        ("```rust\n*a", ["```rust\n"]),
        ("```a*b", ["```\n"]),
        ("```\na\n\nb``` *c", ["*"]),
        ("\\*a *b", ["*"]),
        ("\\_a _b", ["_"]),
        ("https://a.b/_c_ *d", ["*"]),
        ("<@12*3> *d", ["*"]),
        ("[*a](b) *c", ["*"]),
        ("*a\n\n*b", ["*"]),
    ],
)
def test_open_marks_are_found_as_discord_reads_them(view: str, open_marks: list[str]) -> None:
    assert [m.opening for m in markdown.scan(view).marks_at(len(view))] == open_marks


def test_a_cover_tells_what_a_cut_would_go_through() -> None:
    cover = markdown.scan("a **b c** \\*d").cover(13)
    assert list(cover) == [0, 0, 0, 2, 2, 1, 1, 2, 2, 0, 0, 2, 0, 0]


def test_marks_carried_into_a_view_are_known_from_its_first_index() -> None:
    bold, code = markdown.Mark("**", "**"), markdown.Mark("`", "`")
    found = markdown.scan("a` b** *c", (bold, code))
    assert found.carried_marks_at(1) == (bold, code)
    assert found.carried_marks_at(3) == (bold,)
    assert found.carried_marks_at(9) == ()
    assert [m.opening for m in found.marks_at(9)] == ["*"]


# --- text that still grows -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grown", "whole"),
    [
        ("", ""),
        ("The lamp", ""),
        ("The lamp turned.", ""),
        ("The lamp turned. It", "The lamp turned."),
        (" Rain came.\n\nShe left. And", " Rain came.\n\nShe left."),
        ("灯が消えた。海は", "灯が消えた。"),
    ],
)
def test_of_a_growing_text_only_whole_sentences_are_shown(grown: str, whole: str) -> None:
    assert whole_sentences(grown) == whole


@pytest.mark.parametrize(
    ("grown", "whole"),
    [("The lamp tur", "The lamp"), ("The lamp ", "The"), ("The", "The"), ("灯が", "灯が")],
)
def test_of_a_growing_text_the_last_word_may_be_half_written(grown: str, whole: str) -> None:
    assert whole_words(grown) == whole


# --- sentences -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expected",
    [
        ("The lamp turned.", "Mira ran!", "Why?"),
        ("Mr. Vale met Dr. J. R. Stone.", "They spoke."),
        ("It cost 3.14 marks, e.g. for oil.", "No. 5 was lit."),
        ("So am I.", "He left."),
        ("“Go!” he said.", "“Why?”", "She stayed."),
        ("Wait… what was that?", "Wait…", "What?"),
        ("He had oil, rope, etc. and a lamp.", "He had rope, etc.", "Then he left."),
        ("He came at 5 p.m. in the rain.",),
        ("Only in the U.S.", "They wait."),
        ("It was (as they say.) over.", "*Stop!* she cried.", "**Stop.**", "He stopped."),
        ("He left.", "the door closed."),
        ("He counted to 12.", "Then he left."),
        ("灯塔没有转动。", "米拉走了！", "为什么？", "「走吧。」", "她说"),
        ("「行こう。」と彼は言った。", "雨だ｡", "終わり"),
        ("真的?", "他说"),
        ("圆周率是3．14。", "对"),
        ("दीप जला।", "मीरा चली गई॥", "अंत"),
        ("هل رأيت المنارة؟", "نعم."),
        ("ประภาคารไม่หมุน มิราเดินลง",),
        ("А. С. Пушкин писал.", "Он жил."),
        ("Das war z.B. Öl.", "Gut."),
        ("Nothing ends here",),
        ("Hm...", "Well."),
        ("He fled!?", "Yes."),
        ("... and so on.",),
    ],
)
def test_sentences_end_where_readers_end_them(expected: tuple[str, ...]) -> None:
    # Spaces that scripts without spaces do not have make no difference.
    assert sentences(" ".join(expected)) == expected
    assert sentences("\n".join(expected)) == expected


def test_sentences_of_scripts_without_spaces_end_at_their_stop() -> None:
    assert sentences("灯灭了。他走了！「走吧。」完") == ("灯灭了。", "他走了！", "「走吧。」", "完")


def test_line_breaks_and_list_items_end_a_sentence() -> None:
    text = "Facts:\n1. The lamp is out\n2. Mira has the key. Corvin knows\n- no one else\r\nend"
    assert sentences(text) == (
        "Facts:",
        "1. The lamp is out",
        "2. Mira has the key.",
        "Corvin knows",
        "- no one else",
        "end",
    )


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (9, "One.  Two!\nThree? "),
        (3, "One.  Two!\nThree? "),
        (2, "Two!\nThree? "),
        (1, "Three? "),
        (0, ""),
    ],
)
def test_the_oldest_sentences_are_dropped_first(most: int, left: str) -> None:
    assert shorten_from_front("One.  Two!\nThree? ", most) == left


def test_a_negative_number_of_sentences_is_refused() -> None:
    with pytest.raises(ValueError, match="max_sentences is -1"):
        shorten_from_front("One.", -1)


# --- torsos --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "The lamp turned and",
        "The lamp turned,",
        "The sign said:",
        "She opened the (",
        "A half-",
        "He called it “the light”",
        "It was *really*",
        "They lit lamp 12",
        "The **lamp turned.",
        "A ||secret.",
        "```py\nx = 1.",
        "She ran.\n\nThe lamp turned and",
        "灯塔没有转动，米拉",
        "ランプが回ら",
        "मीरा चली",
        "هل رأيت",
        "「走",
        "그는 등대",
    ],
)
def test_a_text_that_stops_inside_a_sentence_is_cut_off(text: str) -> None:
    assert ends_cut_off(text)
    assert ends_cut_off(text + " \n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "***",
        "The lamp turned.",
        "“Go!”",
        "He said, “Go.”",
        "**The lamp turned.**",
        "||It was he.||",
        "_(The lamp turned.)_",
        "Who…",
        "“But I—”",
        "He turned, and —",
        "He turned --",
        "It is done 🎉",
        "```\nx\n```",
        "```x = a```",
        "He left.\n\nThe End",
        "He left.\n\n**THE END**",
        "*And then there was light*",
        "Choose:\n- the stair\n- the ledger",
        "走吧。」",
        "他走了！",
        "未完。\n\n完",
        "दीप जला।",
        "هل رأيت؟",
        "ประภาคารไม่หมุน",
        "ประภาคารไม่หมุน iPhone",
        "ປະພາຄານ",
        "ប្រទីប",
        "မီးပြတိုက်",
        "2 ** 3 is 8.",
    ],
)
def test_a_text_that_may_be_complete_is_not_called_cut_off(text: str) -> None:
    assert not ends_cut_off(text)


# --- clipping ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limit", "clipped"),
    [
        ("The lamp", 8, "The lamp"),
        ("The lamp turned", 10, "The lamp…"),
        ("The lamp turned", 9, "The lamp…"),
        ("The lighthouse", 9, "The ligh…"),
        ("灯塔没有转动", 4, "灯塔没…"),
        (_FAMILY * 2, 13, _FAMILY + "…"),
        (_FAMILY * 2, 11, "…"),
        ("abc", 1, "…"),
        ("ab\r\ncd", 4, "ab…"),
    ],
)
def test_clipping_ends_between_words_or_else_between_graphemes(
    text: str, limit: int, clipped: str
) -> None:
    assert clip(text, limit) == clipped


def test_a_limit_below_the_ellipsis_is_refused() -> None:
    with pytest.raises(ValueError, match=r"limit_units is 2: the ellipsis '\.\.\.' does not fit"):
        clip("abcd", 2, "...")
    with pytest.raises(ValueError, match=r"limit_units is 2: the ellipsis '\.\.\.' does not fit"):
        clip_front("abcd", 2, "...")


@pytest.mark.parametrize(
    ("text", "limit", "clipped"),
    [
        ("short", 5, "short"),
        ("The lamp went out at last", 12, "…out at last"),
        ("The lamp went out at last", 10, "…at last"),
        ("lighthousekeeper", 7, "…keeper"),
        ("灯塔没有转动。", 5, "…有转动。"),
        ("go 👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 12, "…👨‍👩‍👧‍👦"),
    ],
)
def test_of_a_text_clipped_at_its_front_the_end_is_kept(
    text: str, limit: int, clipped: str
) -> None:
    assert clip_front(text, limit) == clipped


# --- likeness ------------------------------------------------------------------------------------

_STAIR = (
    "Mira follows the humming below the tide line. She takes the iron stair down into the dark, "
    "counting each step, until the water closes over the last of the light."
)
_LEDGER = (
    "Corvin reads the page that was cut out of the keeper's ledger. The names on it are of people "
    "who have not been born yet, and his own stands at the end of the list."
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("The lamp!", "the  LAMP"),
        ("Ｌａｍｐ", "lamp"),
        ("don’t go", "dont go"),
        ("well-known", "Well known"),
        ("灯塔，没有转动。", "灯塔 没有转动"),
        ("STRASSE", "straße"),
        ("e\u0301te\u0301", "été"),
        ("", " "),
    ],
)
def test_texts_that_differ_in_dress_only_are_the_same(a: str, b: str) -> None:
    assert same_text(a, b)
    assert similarity(a, b) == 1


@pytest.mark.parametrize(("a", "b"), [("lamp", "lamps"), ("!!!", "???"), ("🎉", "🔥"), ("a", "")])
def test_texts_that_differ_in_words_or_in_all_their_signs_are_not(a: str, b: str) -> None:
    assert not same_text(a, b)
    assert similarity(a, b) < 1


def test_likeness_tells_a_repetition_from_another_passage() -> None:
    assert similarity(_STAIR, _STAIR.replace("Mira", "Corvin")) > 0.85
    assert similarity(_STAIR, _STAIR.replace("dark", "night").replace("each", "every")) > 0.8
    assert similarity(_STAIR, _LEDGER) < 0.35
    assert similarity("Signal the ferry", "Signal the ferries") > 0.7
    assert similarity("Signal the ferry", "Down the iron stair") < 0.35


def test_likeness_works_without_spaces() -> None:
    whole = "灯塔没有转动，自从渡轮离开。米拉走下楼梯，数着台阶。"
    assert similarity(whole, whole.replace("米拉", "科文")) > 0.75
    assert similarity(whole, "科文读着从日志里剪下的那一页，上面有他的名字。") < 0.2


def test_nothing_is_unlike_something() -> None:
    assert similarity("", "lamp") == 0
