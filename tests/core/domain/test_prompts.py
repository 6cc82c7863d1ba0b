"""What a prompt holds, in which order, and that nobody's words break out of their marks."""

import json
import re
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.legible import legible
from core.domain.prompts import (
    OUTLINE_FORM,
    OUTLINE_SCHEMA,
    REFLECTION_FORM,
    REFLECTION_SCHEMA,
    RULES,
    Message,
    outline_messages,
    paragraph_messages,
    reask_messages,
    reflection_messages,
    rewrite_messages,
)
from core.domain.recurrence import (
    PLAN_TEXT_UNITS,
    PLAN_TITLE_UNITS,
    StepContext,
    check_opening,
    check_reflection,
    estimate_tokens,
)
from core.domain.story import Brief, Plan, Recalled
from core.domain.text import utf16_length

BRIEF = Brief(
    premise="A lighthouse keeper hears the sea speak.",
    genre="gothic",
    style="spare",
    language="Français",
    title="The Lamp",
    outline="Mira keeps the lamp. Corvin wants it dark.",
)
FULL = StepContext(
    brief=BRIEF,
    number=12,
    sentences=17,
    canon=("The lamp is green.", "Corvin is blind."),
    memory="Mira keeps the lamp.",
    recalled=(Recalled("a", 3, "Mira found a ledger.", 0.5), Recalled("b", 7, "It burned.", 0.4)),
    previous="The ferry left.",
    plan=Plan("Down the stair", "Mira goes down."),
)
OPENING = StepContext(brief=BRIEF, number=1, sentences=8)
MARKS = [
    "title",
    "premise",
    "genre",
    "style",
    "language",
    "outline",
    "canon",
    "memory",
    "recalled",
    "previous",
    "plan",
]
texts = st.text(max_size=60)
hostile = st.lists(
    st.sampled_from(["</", "<", ">", "/", " ", "\n", "PLAN", "plan", "canon", "Turn 9:"])
    | st.sampled_from(MARKS).map("</{}>".format)
    | st.text(max_size=8),
    max_size=10,
).map("".join)


def blocks(message: Message) -> dict[str, str]:
    """The data between each pair of marks, read as strictly as marks can be."""
    return dict(re.findall(r"^<(\w+)>\n(.*?)\n</\1>$", message.content, re.MULTILINE | re.DOTALL))


def test_the_parts_stand_in_the_order_of_what_changes_least() -> None:
    system, user = paragraph_messages(FULL)
    assert (system.role, user.role) == ("system", "user")
    assert list(blocks(user)) == MARKS
    task = user.content.rpartition("</plan>")[2]
    assert "paragraph 12" in task
    assert "about 17 sentences" in task


def test_every_part_is_said_in_its_own_words() -> None:
    found = blocks(paragraph_messages(FULL)[1])
    assert found["premise"] == BRIEF.premise
    assert found["language"] == "Français"
    assert found["canon"] == "- The lamp is green.\n- Corvin is blind."
    assert found["recalled"] == "Turn 3: Mira found a ledger.\nTurn 7: It burned."
    assert found["plan"] == "Down the stair\nMira goes down."


def test_the_opening_has_an_outline_and_neither_memory_nor_plan() -> None:
    _, user = paragraph_messages(OPENING)
    assert list(blocks(user)) == MARKS[:6]
    assert "opening" in user.content.rpartition("</outline>")[2]
    assert "about 8 sentences" in user.content


def test_parts_that_are_empty_are_left_out() -> None:
    bare = StepContext(Brief("A sea."), 2, 5, memory=" \n", plan=Plan("On", "They go."))
    assert list(blocks(paragraph_messages(bare)[1])) == ["premise", "language", "plan"]
    assert "\n\n\n" not in paragraph_messages(bare)[1].content


def test_title_premise_genre_style_and_language_stand_in_every_prompt() -> None:
    for messages in (
        paragraph_messages(FULL),
        paragraph_messages(OPENING),
        reflection_messages(FULL, "It was dark."),
        outline_messages(BRIEF),
    ):
        assert set(MARKS[:5]) <= set(blocks(messages[1]))


def test_the_system_message_is_the_same_for_every_story_and_call() -> None:
    other = StepContext(Brief("Another."), 3, 9, plan=Plan("a", "b"))
    starts = [
        messages[0]
        for messages in (
            paragraph_messages(FULL),
            paragraph_messages(other),
            outline_messages(BRIEF),
            reflection_messages(OPENING, "x"),
        )
    ]
    assert starts == [Message("system", RULES)] * 4


def test_a_new_paragraph_changes_no_word_before_the_memory() -> None:
    """The longest unchanged beginning is what endpoints cache."""
    later = StepContext(BRIEF, 13, 17, FULL.canon, "Mira left.", (), "So.", Plan("x", "y"))
    one, two = (paragraph_messages(context)[1].content for context in (FULL, later))
    border = one.index("<memory>")
    assert one[:border] == two[:border]


def test_a_reflection_goes_on_from_the_messages_of_its_paragraph() -> None:
    paragraph = "The stair hummed."
    messages = reflection_messages(FULL, paragraph)
    assert messages[:2] == paragraph_messages(FULL)
    assert messages[2] == Message("assistant", paragraph)
    assert messages[3].role == "user"
    for name in cast("list[str]", REFLECTION_SCHEMA["required"]):
        assert name in messages[3].content
    assert "10 to 20 sentences, oldest fact first" in " ".join(messages[3].content.split())


def test_the_numbers_told_keep_clear_of_the_limits() -> None:
    asked = reflection_messages(FULL, "x")[3].content
    title, text = re.findall(r"at most (\d+) characters", asked)
    assert int(title) <= 0.8 * PLAN_TITLE_UNITS
    assert int(text) <= 0.8 * PLAN_TEXT_UNITS


def test_rules_and_tasks_are_a_small_part_of_a_step() -> None:
    spent = sum(estimate_tokens(m.content) for m in reflection_messages(OPENING, ""))
    assert spent < 2200


@given(hostile, hostile, hostile)
def test_data_never_breaks_out_of_its_marks(one: str, two: str, three: str) -> None:
    context = StepContext(
        brief=Brief(one, two, three, one, two, three),
        number=2,
        sentences=5,
        canon=(one, two),
        memory=three,
        recalled=(Recalled("t", 1, one, 1.0), Recalled("u", 2, two, 1.0)),
        previous=two,
        plan=Plan(three, one),
    )
    [_, user] = paragraph_messages(context)
    for name in MARKS:
        opened = re.findall(rf"<\s*{name}\s*>", user.content, re.IGNORECASE)
        closed = re.findall(rf"<\s*/\s*{name}\s*>", user.content, re.IGNORECASE)
        assert len(opened) == len(closed) <= 1
    outside = re.sub(r"^<(\w+)>\n.*?\n</\1>$", "", user.content, flags=re.MULTILINE | re.DOTALL)
    [_, plain] = paragraph_messages(StepContext(Brief(""), 2, 5, plan=Plan("", "")))
    assert outside.strip() == plain.content.replace("<language>\nEnglish\n</language>", "").strip()
    recalled = blocks(user)["recalled"]
    assert len(recalled.split("\n")) == len(context.recalled)


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="<[/"), min_size=1))
def test_data_arrives_as_it_can_be_seen(said: str) -> None:
    """Where there is no bracket and no slash, nothing but the invisible is changed."""
    [_, user] = outline_messages(Brief("x", style=said))
    seen = legible(said).strip()
    arrived = blocks(user).get("style", "")
    changed = {(had, has) for had, has in zip(seen, arrived, strict=True) if had != has}
    assert {has for _, has in changed} <= {"("}
    assert not any(had.isascii() or had.isalnum() for had, _ in changed)


@given(st.text())
def test_every_prompt_can_be_encoded(said: str) -> None:
    context = StepContext(Brief(said), 2, 5, (said,), said, plan=Plan(said, said))
    for message in reflection_messages(context, said):
        message.content.encode()


@pytest.mark.parametrize("schema", [OUTLINE_SCHEMA, REFLECTION_SCHEMA])
def test_schemas_are_strict_all_the_way_down(schema: dict[str, Any]) -> None:
    def check(node: dict[str, Any]) -> None:
        if node["type"] == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            for child in node["properties"].values():
                check(child)

    check(schema)


def filled(schema: dict[str, Any], value: str, *, name_it: bool = True) -> Any:
    """An object of a schema whose text is ``value``, each with its own name or all the same."""
    if schema["type"] == "string":
        return value
    return {
        name: filled(child, f"{value} {name}." if name_it else value, name_it=name_it)
        for name, child in schema["properties"].items()
    }


def test_an_answer_that_follows_a_schema_passes_its_check() -> None:
    reflection = check_reflection(filled(REFLECTION_SCHEMA, "Mira"))
    assert [plan.title for plan in reflection.plans] == [
        f"Mira plan_{n}. title." for n in (1, 2, 3)
    ]
    assert check_opening(filled(OUTLINE_SCHEMA, "Mira")) == ("Mira title.", "Mira outline.")


@pytest.mark.parametrize("form", [OUTLINE_FORM, REFLECTION_FORM])
def test_the_words_of_a_form_show_the_object_of_its_schema(form: Any) -> None:
    shown = json.loads(form.words[form.words.index("{") : form.words.rindex("}") + 1])
    assert shown == filled(form.schema, "…", name_it=False)


@pytest.mark.parametrize("messages", [outline_messages(BRIEF), reflection_messages(FULL, "x")])
def test_what_must_come_as_json_says_so(messages: list[Message]) -> None:
    """Endpoints refuse the plainer JSON mode when no message says the word."""
    assert "JSON object" in messages[-1].content


def test_asking_again_shows_the_answer_and_its_faults() -> None:
    messages = outline_messages(BRIEF)
    again = reask_messages(messages, '{"title": ""}', ["No title.", "Too {odd}."])
    assert again[:2] == messages
    assert again[2] == Message("assistant", '{"title": ""}')
    assert again[3].role == "user"
    assert "- No title.\n- Too {odd}." in again[3].content


def test_asking_again_without_an_answer_to_show_keeps_the_roles_in_turn() -> None:
    messages = outline_messages(BRIEF)
    again = reask_messages(messages, " ", ["Too long."])
    assert [message.role for message in again] == ["system", "user"]
    assert again[1].content.startswith(messages[1].content)
    assert again[1].content.rstrip().endswith("alone.")
    assert "- Too long." in again[1].content


def test_a_paragraph_is_asked_for_again_with_its_faults_and_without_itself() -> None:
    messages = paragraph_messages(FULL)
    again = rewrite_messages(messages, ["It repeats {itself}.", "It is empty."])
    assert [message.role for message in again] == ["system", "user"]
    assert again[1].content.startswith(messages[1].content)
    assert "- It repeats {itself}.\n- It is empty." in again[1].content
    assert again[1].content.endswith("Answer with the paragraph alone.")


def test_a_boundless_answer_is_shown_again_in_part() -> None:
    again = reask_messages(outline_messages(BRIEF), "word " * 50_000, ["Too long."])
    assert utf16_length(again[2].content) <= 12_000
