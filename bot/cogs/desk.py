"""What presses and submits of the moderators' desk do; it lives as long as the messages do.

discord.py forgets views and forms when the process ends. Ours are named by handles, so this cog
listens to every interaction and serves those; what they claim is checked like a command.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import discord
from discord.ext import commands

from bot import desk_texts
from bot.cogs import forms
from bot.cogs.answers import (
    answer,
    comes_from_its_channel,
    defer,
    failed,
    note_work,
    open_form,
    require_running,
)
from bot.cogs.cooldowns import require_rested
from bot.cogs.privacy import take_name_out
from bot.cogs.requests import Asked, Place, moderated, moderator_of, place_of
from bot.handles import UNKNOWN, Handle, Purpose, read
from bot.services import Services
from core.domain import edits
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.entries import EntryKind
from core.domain.ledger import as_text
from core.domain.story import Story
from core.errors import (
    BudgetSpentError,
    EmbedderError,
    InputError,
    RefusedError,
    StaleError,
    UncheckedError,
)
from core.services.direction import parts_of
from core.services.history import PAGE
from core.services.library import recap_from
from core.services.moderation import Done
from core.services.traces import StillSaid

_READABLE = frozenset({Purpose.SHOW, Purpose.FACTS, Purpose.RECAP})
"""What everyone may press."""


def _data(interaction: Asked) -> dict[str, Any]:
    """What came with a press or a submit."""
    return cast(dict[str, Any], interaction.data or {})


class _Press:
    """A press or a submit, with what its handle was checked against."""

    def __init__(self, interaction: Asked, handle: Handle, place: Place, story: Story) -> None:
        self.interaction = interaction
        self.handle = handle
        self.place = place
        self.story = story

    def field(self, name: str) -> str:
        """What was typed into a field of a form; empty when it isn't there."""
        return self.field_if_any(name) or ""

    def field_if_any(self, name: str) -> str | None:
        """What was typed into a field; None where the form, perhaps an older one, has none."""
        pending = list(_data(self.interaction).get("components", ()))
        while pending:
            part = pending.pop()
            if part.get("custom_id") == name:
                return str(part.get("value") or "")
            pending += part.get("components", ())
            if "component" in part:
                pending.append(part["component"])
        return None


_Act = Callable[[_Press], Awaitable[None]]
"""What a press or a submit does."""


class DeskCog(commands.Cog):
    """Serves buttons and forms."""

    def __init__(self, services: Services) -> None:
        self._at = services
        self._presses: Mapping[Purpose, _Act] = {
            Purpose.SHOW: self._show,
            Purpose.FACTS: self._facts,
            Purpose.RECAP: self._recap,
            Purpose.HISTORY: self._history,
            Purpose.MEMORY: self._open_memory,
            Purpose.SUMMARY: self._open_turn,
            Purpose.PART: self._open_part,
            Purpose.REFLECT: self._reflect,
            Purpose.REWIND: self._rewind,
            Purpose.DELETE: self._delete,
        }
        self._submits: Mapping[Purpose, _Act] = {
            Purpose.MEMORY: self._memory,
            Purpose.SUMMARY: self._turn,
            Purpose.PART: self._part,
            Purpose.PLAN: self._plan,
        }

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Asked) -> None:
        """Serve a press or a submit; commands and autocompletes are discord.py's."""
        acts = {
            discord.InteractionType.component: self._presses,
            discord.InteractionType.modal_submit: self._submits,
        }.get(interaction.type)
        if acts is None:
            return
        named = str(_data(interaction).get("custom_id", ""))
        try:
            await self._serve(interaction, acts, named)
        except Exception as error:  # noqa: BLE001 - outermost handler of presses and submits
            await failed(interaction, error, f"custom_id {named!a}")

    async def _serve(self, interaction: Asked, acts: Mapping[Purpose, _Act], named: str) -> None:
        note_work(interaction)
        require_running(interaction)
        handle = read(named)
        act = acts.get(handle.purpose)
        if not comes_from_its_channel(interaction):
            raise RefusedError(UNKNOWN)
        if handle.purpose is Purpose.UNNAME and acts is self._presses:
            # Of the whole server: it needs no story here, and no right.
            await take_name_out(interaction, self._at)
            return
        if act is None:
            raise RefusedError(UNKNOWN)
        if handle.purpose in _READABLE:
            place = place_of(interaction)
            story = await self._at.library.story(place.channel, place.guild)
        else:
            place, story = await moderated(interaction, self._at.library)
        if story.id.serial != handle.serial:
            raise RefusedError(
                "This was opened for another story of this channel: give the command again."
            )
        await act(_Press(interaction, handle, place, story))

    # ── presses ──────────────────────────────────────────────────────────────────────────────────

    async def _show(self, press: _Press) -> None:
        await defer(press.interaction)
        await show_memory(press.interaction, self._at, press.place, press.handle.number)

    async def _facts(self, press: _Press) -> None:
        await defer(press.interaction)
        await show_facts(press.interaction, self._at, press.place, press.handle.number)

    async def _recap(self, press: _Press) -> None:
        await defer(press.interaction)
        last = press.handle.number
        await show_recap(press.interaction, self._at, press.place, last=last)

    async def _history(self, press: _Press) -> None:
        await defer(press.interaction)
        before = press.handle.number
        await show_history(press.interaction, self._at, press.place, before)

    async def _open_memory(self, press: _Press) -> None:
        await open_form(press.interaction, forms.memory_form(press.story))

    async def _open_turn(self, press: _Press) -> None:
        await open_turn(press.interaction, self._at, press.place.channel, press.handle.number)

    async def _open_part(self, press: _Press) -> None:
        await open_part(press.interaction, self._at, press.place.channel, press.handle.place)

    async def _reflect(self, press: _Press) -> None:
        _check_newest(press, press.handle.number)
        require_rested(press.interaction)
        await defer(press.interaction)
        by = moderator_of(press.interaction)
        made = await self._at.direction.reflect_again(press.place.channel, by)
        await answer(press.interaction, desk_texts.done(made))

    async def _rewind(self, press: _Press) -> None:
        _check_newest(press, press.handle.place)
        await defer(press.interaction)
        by = moderator_of(press.interaction)
        made = await self._at.direction.rewind(press.place.channel, by, press.handle.number)
        await answer(press.interaction, desk_texts.done(made))

    async def _delete(self, press: _Press) -> None:
        await defer(press.interaction)
        turns = await self._at.direction.delete(press.place.channel)
        gone = f"{turns} turn{'' if turns == 1 else 's'}"
        await answer(press.interaction, f"Deleted: {gone}, the memory and everything kept of them.")

    # ── submits ──────────────────────────────────────────────────────────────────────────────────

    async def _memory(self, press: _Press) -> None:
        text = press.field(forms.TEXT)
        await self._write(
            press,
            text,
            lambda by: self._at.moderation.edit_memory(
                press.place.channel, by, text, press.handle.seen
            ),
        )

    async def _turn(self, press: _Press) -> None:
        text, handle = press.field(forms.TEXT), press.handle
        facts, chapter = press.field_if_any(forms.FACTS), press.field_if_any(forms.CHAPTER)
        await self._write(
            press,
            as_text(text, facts or "", chapter or ""),
            lambda by: self._at.moderation.amend(
                press.place.channel,
                by,
                handle.number,
                text,
                handle.seen,
                facts=facts,
                chapter=chapter,
            ),
        )

    async def _part(self, press: _Press) -> None:
        _check_newest(press, press.handle.number)
        text, handle = press.field(forms.TEXT), press.handle
        await self._write(
            press,
            text,
            lambda by: self._at.direction.edit_part(
                press.place.channel, by, handle.place, text, handle.seen
            ),
        )

    async def _plan(self, press: _Press) -> None:
        _check_newest(press, press.handle.number)
        title, text = press.field(forms.TITLE), press.field(forms.TEXT)
        handle = press.handle

        async def edit(by: Moderator) -> Done:
            plan = edits.plan(title, text)
            channel = press.place.channel
            return await self._at.direction.edit_plan(channel, by, handle.place, plan, handle.seen)

        await self._write(press, f"{title}\n{text}", edit)

    async def _write(
        self, press: _Press, text: str, write: Callable[[Moderator], Awaitable[Done]]
    ) -> None:
        """Write a text; one that isn't taken is handed back."""
        await defer(press.interaction)
        try:
            made = await write(moderator_of(press.interaction))
        except StaleError as stale:
            pages = desk_texts.both_pages(str(stale), stale.theirs, text)
            await answer(press.interaction, *pages)
        except (InputError, UncheckedError) as refused:
            await answer(press.interaction, *desk_texts.refused_pages(str(refused), text))
        else:
            await after_change(press.interaction, self._at, press.place.channel, made)


def _check_newest(press: _Press, number: int) -> None:
    """Raises RefusedError when the story has gone on since the handle was made."""
    if press.story.head_number != number:
        raise RefusedError(
            f"The story has gone on to turn {press.story.head_number} since: nothing was changed. "
            "Give the command again."
        )


# ── what commands show too ───────────────────────────────────────────────────────────────────────


async def show_memory(interaction: Asked, at: Services, place: Place, page: int = 0) -> None:
    """A page of what the story remembers, with buttons to its neighbours."""
    view = await at.library.memory(place.channel, place.guild)
    pages = desk_texts.memory_pages(view)
    shown = min(page, len(pages) - 1)
    serial = view.story.id.serial
    turns = [
        (Handle(Purpose.SHOW, serial, other), f"Page {other + 1}")
        for other in (shown - 1, shown + 1)
        if 0 <= other < len(pages)
    ]
    await answer(interaction, pages[shown], view=forms.buttons(*turns) if turns else None)


async def show_facts(
    interaction: Asked, at: Services, place: Place, before: int | None = None
) -> None:
    """A page of the ledger, newest first, with a button to older facts."""
    page = await at.library.facts(place.channel, before, place.guild)
    handle = Handle(Purpose.FACTS, page.story.id.serial, page.first)
    view = forms.buttons((handle, "Older facts")) if page.first > 1 else None
    await answer(interaction, *desk_texts.ledger_pages(page), view=view)


async def show_recap(
    interaction: Asked,
    at: Services,
    place: Place,
    turns: int | None = None,
    last: int | None = None,
) -> None:
    """What was told, with buttons to what was told before and after it."""
    recap = await at.library.recap(place.channel, turns, place.guild, last)
    serial = recap.story.id.serial
    named = [
        (Handle(Purpose.RECAP, serial, upto), desk_texts.turns_of(recap_from(upto), upto))
        for upto in recap.neighbours
    ]
    view = forms.buttons(*named) if named else None
    await answer(interaction, *desk_texts.recap_pages(recap), view=view)


async def show_history(
    interaction: Asked, at: Services, place: Place, before: int | None = None
) -> None:
    """A page of the log, with a button to older changes."""
    story = await at.library.story(place.channel, place.guild)
    log = await at.history.page(place.channel, before)
    older = log[-1].number if len(log) == PAGE else 1
    handle = Handle(Purpose.HISTORY, story.id.serial, older)
    view = forms.buttons((handle, "Older changes")) if older > 1 else None
    await answer(interaction, *desk_texts.history_pages(log), view=view)


async def open_turn(interaction: Asked, at: Services, channel: int, number: int) -> None:
    """Open the form with what is remembered of a turn. Raises InputError."""
    story, turn = await at.library.turn(channel, number)
    if turn.forgotten:
        raise InputError(f"Turn {number} was forgotten: /memory undo brings it back.")
    await open_form(interaction, forms.turn_form(story, turn))


async def open_part(interaction: Asked, at: Services, channel: int, place: int) -> None:
    """Open the form with a part of the newest paragraph. Raises InputError."""
    story, turn = await at.library.head(channel)
    parts = parts_of(turn)
    if not 0 <= place < len(parts):
        raise InputError(f"The paragraph has {len(parts)} parts; there is no {place + 1}.")
    await open_form(interaction, forms.part_form(story, turn, place))


async def _elsewhere(at: Services, channel: int, change: Change) -> tuple[list[StillSaid], str]:
    """Where the same thing is told as well, and what to say of it.

    The change is made: that nobody can look for that now must not look as if it weren't.
    """
    try:
        places = await at.library.still_said(channel, change)
    except (BudgetSpentError, EmbedderError) as error:
        return [], f"Where else it is told can't be looked up now: {error}"
    return places, desk_texts.still_said(places)


async def after_change(interaction: Asked, at: Services, channel: int, made: Done) -> None:
    """Say what was done, where the same thing is told as well, and what can follow."""
    change, serial = made.change, made.story.id.serial
    said, named = desk_texts.done(made), list[tuple[Handle, str]]()
    if change.kind in (ChangeKind.SUMMARY, ChangeKind.FORGOTTEN):
        places, told = await _elsewhere(at, channel, change)
        said = f"{said}\n{told}".strip()
        if any(place.where == "memory" for place in places):
            named.append((Handle(Purpose.MEMORY, serial), "Edit the memory"))
        if any(place.where == "paragraph" for place in places) and (
            change.number == made.story.head_number
        ):
            named.append((Handle(Purpose.PART, serial, change.number), "Edit the paragraph"))
        kinds = set(EntryKind)
        for number in dict.fromkeys(p.number for p in places if p.where in kinds):
            named.append((Handle(Purpose.SUMMARY, serial, number), f"Amend turn {number}"))
    if change.kind is ChangeKind.PARAGRAPH:
        named.append((Handle(Purpose.REFLECT, serial, change.number), "Reflect on it again"))
    await answer(interaction, said, view=forms.buttons(*named[:5]) if named else None)
