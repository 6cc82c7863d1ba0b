"""Whatever members or a model write: the assembled messages keep their shape, and it stays data.

Each text of ``injections`` is put into every place of a step, one after the other. A mark is looked
for as a careless reader would see it: signs are told by their Unicode names, apart from how
core.domain.marks finds them.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.entries import EntryKind, Recalled
from core.domain.legible import legible
from core.domain.marks import NAMES, as_data
from core.domain.prompts import (
    RULES,
    Message,
    outline_messages,
    paragraph_messages,
    reask_messages,
    reflection_messages,
    replan_messages,
)
from core.domain.recurrence import StepContext
from core.domain.story import Brief, Plan
from tests.core.domain.injections import INJECTIONS

PLAIN = "Ordinary words."


def _fact(number: int, about: str, text: str) -> Recalled:
    return Recalled(f"t{number}", number, text, 0.5, EntryKind.FACT, 1, about)


STEP = StepContext(
    brief=Brief("A keeper.", "gothic", "spare", "English", "The Lamp", "Mira keeps the lamp."),
    number=12,
    sentences=17,
    canon=("The lamp is green.", "Corvin is blind."),
    memory="Mira keeps the lamp.",
    recalled=(Recalled("a", 3, "Mira found a ledger.", 0.5), Recalled("b", 7, "It burned.", 0.4)),
    ledger=(_fact(4, "Corvin", "He owes Mira a boat."), _fact(9, "lamp", "The lamp is cold.")),
    previous="The ferry left.",
    plan=Plan("Down the stair", "Mira goes down."),
    avoid="The gulls were quiet.",
    touched=(_fact(2, "Mira", "She limps."), _fact(11, "ferry", "It sank.")),
    stretch=(Recalled("k", 10, "They met.", 0.0), Recalled("l", 11, "They parted.", 0.0)),
)
ALIKE = (Plan("Go up", "Mira goes up."), Plan("Stay", "Mira stays."), Plan("Stay put", "She does."))


def _brief(name: str) -> Callable[[str], StepContext]:
    return lambda text: replace(STEP, brief=replace(STEP.brief, **{name: text}))


PLACES: dict[str, Callable[[str], StepContext]] = {
    **{name: _brief(name) for name in ("title", "premise", "genre", "style", "language")},
    "outline": _brief("outline"),
    "canon": lambda text: replace(STEP, canon=(STEP.canon[0], text)),
    "memory": lambda text: replace(STEP, memory=text),
    "recalled": lambda text: replace(
        STEP, recalled=(STEP.recalled[0], Recalled("b", 7, text, 0.4))
    ),
    "ledger": lambda text: replace(STEP, ledger=(STEP.ledger[0], _fact(9, "lamp", text))),
    "ledger's name": lambda text: replace(
        STEP, ledger=(STEP.ledger[0], _fact(9, text, "The lamp is cold."))
    ),
    "previous": lambda text: replace(STEP, previous=text),
    "plan": lambda text: replace(STEP, plan=Plan("Down the stair", text)),
    "plan's title": lambda text: replace(STEP, plan=Plan(text, "Mira goes down.")),
    "passage": lambda text: replace(STEP, avoid=text),
    "touched": lambda text: replace(STEP, touched=(_fact(2, "Mira", text), STEP.touched[1])),
    "touched's name": lambda text: replace(
        STEP, touched=(_fact(2, text, "She limps."), STEP.touched[1])
    ),
    "stretch": lambda text: replace(STEP, stretch=(Recalled("k", 10, text, 0.0), STEP.stretch[1])),
}
ENTRIES = ("canon", "recalled", "ledger", "touched", "stretch")
"""Marks between which each of two entries has a line of its own."""

_BLOCK = re.compile(r"^<(\w+)>\n(.*?)\n</\1>$", re.MULTILINE | re.DOTALL)
_BRACKET = re.compile(
    r"LESS-THAN|LEFT.*ANGLE|LEFT.*ARROWHEAD|\bPRECEDES\b|SYLLABICS PA$|LETTER KAUN|SYMBOL-40$"
)
_QUOTES = "«《⟪"
"""Quotation marks of other languages: « plan » is French, «/plan» isn't."""
_SLASH = re.compile(r"SOLIDUS|\bSLASH\b")
_LETTERS = {
    "CYRILLIC SMALL LETTER A": "a",
    "CYRILLIC SMALL LETTER ER": "p",
    "CYRILLIC SMALL LETTER ES": "c",
    "CYRILLIC SMALL LETTER O": "o",
    "GREEK SMALL LETTER RHO": "p",
    "GREEK SMALL LETTER ALPHA": "a",
    **{f"LATIN LETTER SMALL CAPITAL {letter}": letter.lower() for letter in "PLAN"},
}
_MARK = re.compile(rf"[<«]\s*/\s*(?:{'|'.join(NAMES)})\b|<\s*(?:{'|'.join(NAMES)})\s*[^\w\s]")
_PARTING = re.compile(
    r"<\s*\||\[\s*/?\s*(?:INST|[A-Z]+_[A-Z]+)\s*\]|</?\s*s>|<<\s*/?\s*SYS|<\w+_of_turn>"
)


def careless(text: str) -> str:
    """The text as somebody reads who looks at shapes and sees nothing that has none."""
    seen: list[str] = []
    for character in unicodedata.normalize("NFKD", text):
        kind, name = unicodedata.category(character), unicodedata.name(character, "")
        if kind in {"Cf", "Mn", "Me", "Mc", "Cs"} or (kind == "Cc" and not character.isspace()):
            continue
        if _BRACKET.search(name):
            seen.append("«" if character in _QUOTES else "<")
        elif _SLASH.search(name):
            seen.append("/")
        else:
            low = character.casefold()
            seen.append(_LETTERS.get(unicodedata.name(low, "") if len(low) == 1 else "", low))
    return "".join(seen)


def check_data(data: str) -> None:
    """Nothing in it passes for a mark, parts a message or is invisible."""
    assert not _MARK.search(careless(data)), ascii(data)
    assert not _PARTING.search(unicodedata.normalize("NFKD", data)), ascii(data)
    assert data == legible(data)


def check_shape(got: list[Message], plain: list[Message], changed: str) -> None:
    """The same roles in the same order, and the same text but for the data of one mark."""
    assert [message.role for message in got] == [message.role for message in plain]
    assert got[0] == Message("system", RULES)
    for mine, theirs in zip(got[1:], plain[1:], strict=True):
        if mine.role == "user":
            check_blocks(mine.content, theirs.content, changed)
        else:
            assert mine == theirs


def check_blocks(mine: str, theirs: str, changed: str) -> None:
    """The same words outside of the marks, the same marks, and the same data but for one's."""
    assert _BLOCK.sub(r"[\1]", mine) == _BLOCK.sub(r"[\1]", theirs), "nothing stands outside"
    blocks, others = dict(_BLOCK.findall(mine)), dict(_BLOCK.findall(theirs))
    assert list(blocks) == list(others) == [name for name in NAMES if name in others]
    for name, data in blocks.items():
        check_data(data)
        assert name == changed or data == others[name]
        assert name not in ENTRIES or data.count("\n") == 1, "one line for each entry"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("trick", INJECTIONS)
def test_a_text_stays_data_wherever_it_stands(trick: str, place: str) -> None:
    context, plain = PLACES[place](INJECTIONS[trick]), PLACES[place](PLAIN)
    changed = place.partition("'s ")[0]
    check_shape(reflection_messages(context, "So."), reflection_messages(plain, "So."), changed)


@pytest.mark.parametrize("trick", INJECTIONS)
def test_what_the_model_wrote_is_data_as_well(trick: str) -> None:
    """A paragraph in its reflection, a rejected answer in the request to mend it."""
    said = INJECTIONS[trick]
    reflecting = reflection_messages(STEP, said)
    assert [m.role for m in reflecting] == ["system", "user", "assistant", "user"]
    plain = reflection_messages(STEP, PLAIN)
    assert [*reflecting[:2], reflecting[3]] == [*plain[:2], plain[3]]
    check_data(reflecting[2].content)

    asked = outline_messages(STEP.brief)
    again = reask_messages(asked, said, ["The title is empty."])
    assert [m.role for m in again] == ["system", "user", "assistant", "user"]
    assert again[:2] == asked
    assert again[3] == reask_messages(asked, PLAIN, ["The title is empty."])[3]
    check_data(again[2].content)


@pytest.mark.parametrize("trick", INJECTIONS)
def test_plans_that_cannot_stand_are_data_as_well(trick: str) -> None:
    """Their titles, their texts, and the earlier plan that a fault quotes."""
    said = INJECTIONS[trick]
    fault = "plan_1 leads where an earlier vote could: “{}”."

    def asked(refused: tuple[Plan, ...], quoted: str) -> list[Message]:
        return replan_messages(STEP, "So.", refused, [fault.format(quoted), "They are alike."])

    plain = asked(ALIKE, PLAIN)
    for got in (
        asked((Plan(said, "Mira goes up."), *ALIKE[1:]), PLAIN),
        asked((Plan("Go up", said), *ALIKE[1:]), PLAIN),
        asked(ALIKE, said),
    ):
        check_shape(got, plain, "refused")
        shown = dict(_BLOCK.findall(got[3].content))["refused"]
        assert shown.count("\n") == 4, "a line for each plan and for each fault"


@pytest.mark.parametrize("trick", INJECTIONS)
def test_a_new_storys_outline_is_asked_for_as_ever(trick: str) -> None:
    """Before the title is known, the premise is all that there is."""
    said = INJECTIONS[trick]
    brief = Brief(said, said, said, said)
    got, plain = outline_messages(brief), outline_messages(Brief(PLAIN, PLAIN, PLAIN, PLAIN))
    assert [message.role for message in got] == ["system", "user"]
    assert got[0] == plain[0]
    outside = [_BLOCK.sub(r"[\1]", message.content) for message in (got[1], plain[1])]
    assert outside[0] == outside[1]


forged = st.lists(
    st.sampled_from([*"<＜﹤‹«⟨〈〈❮≮ᐸ", *"/／⁄∕\\", *NAMES, *">＞›» \n|"])
    | st.sampled_from(["\u200b", "\u0338", "\u00ad", "\ufe0f", "\u202e", "\x00", "\u2028"])
    | st.sampled_from(["PLAN", "ｐｌａｎ", "рlаn", "ᴘʟᴀɴ", "[INST]", "im_start", "s>", "a"]),
    max_size=14,
).map("".join)


@given(forged, st.sampled_from(sorted(PLACES)))
def test_no_mixture_of_brackets_slashes_and_names_makes_a_mark(text: str, place: str) -> None:
    data = as_data(text)
    check_data(data)
    assert as_data(data) == data
    if data and place not in {*ENTRIES, "plan's title", "ledger's name", "touched's name"}:
        context, plain = PLACES[place](text), PLACES[place](PLAIN)
        check_shape(paragraph_messages(context), paragraph_messages(plain), place)


def test_there_are_enough_of_them() -> None:
    assert len(INJECTIONS) >= 60
    assert len(set(INJECTIONS.values())) == len(INJECTIONS)
