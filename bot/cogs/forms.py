"""Buttons and forms of the moderators' desk, named by handles so that they outlive a restart.

What a press or a submit does is desk's business.
"""

import discord

from bot.handles import Handle, Purpose
from core.domain import ledger
from core.domain.edits import PART_UNITS
from core.domain.identity import fingerprint
from core.domain.ledger import memory_of
from core.domain.recurrence import (
    CHAPTER_TURNS,
    CHAPTER_UNITS,
    PLAN_TEXT_UNITS,
    PLAN_TITLE_UNITS,
    SUMMARY_UNITS,
    ends_chapter,
)
from core.domain.story import Plan, Story, Turn
from core.domain.text import clip
from core.services.direction import parts_of

FIELD_UNITS = 4000
"""Discord's limit for a text field of a form."""
TEXT, TITLE, FACTS, CHAPTER = "text", "title", "facts", "chapter"
"""The fields of a form."""


class Form(discord.ui.Modal):
    """A form; what is submitted comes to desk by its name."""

    def __init__(self, handle: Handle, title: str) -> None:
        super().__init__(title=title[:45], custom_id=str(handle), timeout=None)

    def ask(
        self,
        name: str,
        label: str,
        value: str,
        most: int,
        *,
        short: bool = False,
        required: bool = True,
    ) -> None:
        """Add a field, prefilled."""
        style = discord.TextStyle.short if short else discord.TextStyle.paragraph
        field = discord.ui.TextInput[Form](
            custom_id=name, style=style, default=value, max_length=most, required=required
        )
        self.add_item(discord.ui.Label[Form](text=label, component=field))


def memory_form(story: Story) -> Form:
    """The short-term memory."""
    text = story.memory.text
    handle = Handle(Purpose.MEMORY, story.id.serial, seen=fingerprint(text))
    form = Form(handle, "Short-term memory")
    form.ask(TEXT, "At most 20 sentences, oldest fact first", text, FIELD_UNITS)
    return form


def turn_form(story: Story, turn: Turn) -> Form:
    """What the long-term memory holds of a turn: summary, facts, and the chapter that it ends."""
    held, number = memory_of(turn), turn.number
    handle = Handle(Purpose.SUMMARY, story.id.serial, number, seen=fingerprint(str(held)))
    form = Form(handle, f"What is remembered of turn {number}")
    form.ask(TEXT, "Summary: what happened", held.summary, SUMMARY_UNITS)
    facts = ledger.lines(held.facts)
    form.ask(FACTS, "Facts, one a line: “About: fact”", facts, FIELD_UNITS, required=False)
    if ends_chapter(number):
        label = f"Chapter: turns {number - CHAPTER_TURNS + 1} to {number}, condensed"
        form.ask(CHAPTER, label, held.chapter, CHAPTER_UNITS, required=False)
    return form


def part_form(story: Story, turn: Turn, place: int) -> Form:
    """A part of the newest paragraph."""
    parts = parts_of(turn)
    text = parts[place]
    handle = Handle(Purpose.PART, story.id.serial, turn.number, place, fingerprint(text))
    form = Form(handle, f"Turn {turn.number}, part {place + 1} of {len(parts)}")
    form.ask(TEXT, "The text as members will read it", text, PART_UNITS)
    return form


def plan_form(story: Story, place: int) -> Form:
    """A plan that is voted on."""
    plan: Plan = story.plans.options[place]
    seen = fingerprint(str(plan))
    handle = Handle(Purpose.PLAN, story.id.serial, story.head_number, place, seen)
    form = Form(handle, f"Plan {place + 1}")
    form.ask(TITLE, "Title", plan.title, PLAN_TITLE_UNITS, short=True)
    form.ask(TEXT, "What would happen", plan.text, PLAN_TEXT_UNITS)
    return form


def buttons(*named: tuple[Handle, str], danger: bool = False) -> discord.ui.View:
    """A row of buttons: what each is named and what stands on it."""
    style = discord.ButtonStyle.danger if danger else discord.ButtonStyle.secondary
    view = discord.ui.View(timeout=None)
    for handle, label in named:
        view.add_item(
            discord.ui.Button[discord.ui.View](
                style=style, label=clip(label, 80), custom_id=str(handle)
            )
        )
    return view
