"""The log of what moderators changed, and taking a change back.

A change is taken back by making the opposite one, so that it stands in the log itself and can be
taken back in turn. That works as long as what it left behind is still there; if not, the refusal
says what is in the way and what stood there before.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from core.domain import edits
from core.domain.audit import Change, ChangeKind, Logged, Moderator
from core.domain.identity import fingerprint
from core.domain.lineage import branch_of
from core.domain.story import Settings
from core.errors import InputError, RefusedError, StaleError
from core.ports import Archive, StoryStore
from core.services.direction import Direction
from core.services.library import channel_story
from core.services.moderation import Done, Moderation

PAGE = 10
"""Changes that are shown at once."""


class History:
    """What was changed in a channel's story, and by whom."""

    def __init__(
        self, *, store: StoryStore, archive: Archive, moderation: Moderation, direction: Direction
    ) -> None:
        self._store = store
        self._archive = archive
        self._moderation = moderation
        self._direction = direction
        self._back: Mapping[ChangeKind, _Back] = {
            ChangeKind.MEMORY: self._memory,
            ChangeKind.SUMMARY: self._summary,
            ChangeKind.FORGOTTEN: self._forgotten,
            ChangeKind.REMEMBERED: self._remembered,
            ChangeKind.PINNED: self._pinned,
            ChangeKind.UNPINNED: self._unpinned,
            ChangeKind.PARAGRAPH: self._paragraph,
            ChangeKind.PLAN: self._plan,
            ChangeKind.SETTINGS: self._settings,
            ChangeKind.REFLECTED: self._reflected,
            ChangeKind.RETRIED: self._moved,
            ChangeKind.REWOUND: self._moved,
        }

    async def page(self, channel: int, before: int | None = None) -> list[Logged]:
        """The newest changes, or those before one, newest first. Raises NoStoryError."""
        story = await channel_story(self._store, channel)
        return await self._archive.changes(story.id, before, PAGE)

    async def undo(self, channel: int, by: Moderator, number: int) -> Done:
        """Take change ``number`` back.

        Raises:
            InputError: there is no such change.
            RefusedError: it can't be taken back (any more); the sentence says why.
        """
        story = await self._moderation.live(channel)
        log = await self._archive.changes_since(story.id, number)
        if not log or log[0].number != number:
            raise InputError(f"There is no change {number}: /memory history lists them.")
        if by_other := _taken_back(number, log):
            raise RefusedError(f"Change {number} was taken back already, by change {by_other}.")
        change = log[0].change
        try:
            return await self._back[change.kind](channel, by, log[0])
        except StaleError as error:
            raise RefusedError(
                f"Change {number} can't be taken back: what it wrote reads differently by now. "
                f"Before it stood there:\n{change.before or 'nothing'}"
            ) from error

    async def _memory(self, channel: int, by: Moderator, log: Logged) -> Done:
        change = log.change
        if not change.before:
            raise RefusedError("There was no memory before it. /memory edit writes another one.")
        seen = fingerprint(change.after)
        return await self._moderation.edit_memory(channel, by, change.before, seen, log.number)

    async def _summary(self, channel: int, by: Moderator, log: Logged) -> Done:
        change = await self._of_this_story(channel, log)
        return await self._moderation.take_back_amendment(channel, by, change, log.number)

    async def _forgotten(self, channel: int, by: Moderator, log: Logged) -> Done:
        change = await self._of_this_story(channel, log)
        return await self._moderation.remember(channel, by, change.number, log.number)

    async def _remembered(self, channel: int, by: Moderator, log: Logged) -> Done:
        change = await self._of_this_story(channel, log)
        return await self._moderation.forget(channel, by, change.number, log.number)

    async def _pinned(self, channel: int, by: Moderator, log: Logged) -> Done:
        return await self._moderation.unpin(channel, by, log.change.after, log.number)

    async def _unpinned(self, channel: int, by: Moderator, log: Logged) -> Done:
        return await self._moderation.pin(channel, by, log.change.before, log.number)

    async def _paragraph(self, channel: int, by: Moderator, log: Logged) -> Done:
        change = await self._of_this_story(channel, log)
        seen = fingerprint(change.after)
        return await self._direction.edit_part(
            channel, by, change.place, change.before, seen, log.number
        )

    async def _plan(self, channel: int, by: Moderator, log: Logged) -> Done:
        change = await self._of_this_story(channel, log)
        title, _, text = change.before.partition("\n")
        plan = edits.plan(title, text)
        seen = fingerprint(change.after)
        return await self._direction.edit_plan(channel, by, change.place, plan, seen, log.number)

    async def _settings(self, channel: int, by: Moderator, log: Logged) -> Done:
        def restored(now: Settings) -> Settings:
            return _restored(now, log)

        return await self._moderation.change_settings(channel, by, restored, log.number)

    async def _reflected(self, channel: int, by: Moderator, log: Logged) -> Done:
        del channel, by
        raise RefusedError(
            f"Change {log.number} can't be taken back: memory, summary and plans were made anew. "
            f"The memory before it was:\n{log.change.before or 'empty'}"
        )

    async def _moved(self, channel: int, by: Moderator, log: Logged) -> Done:
        road = log.change.road
        if road is None:
            raise RefusedError(
                f"Change {log.number} can't be taken back: the paragraph it replaced was never put "
                "to the vote."
            )
        return await self._direction.put_back(channel, by, road, log.number)

    async def _of_this_story(self, channel: int, log: Logged) -> Change:
        """The change, if the turn that it is about is still part of the story."""
        story, change = await self._moderation.live(channel), log.change
        if branch_of(story.lineage, change.number) is not None:
            turn = await self._moderation.turn(story, change.number)
            if turn.id == change.turn_id:
                return change
        raise RefusedError(
            f"Change {log.number} can't be taken back: its turn {change.number} isn't part of the "
            "story any more. Taking back the rewind brings it back."
        )


_Back = Callable[[int, Moderator, Logged], Awaitable[Done]]


def _taken_back(number: int, log: list[Logged]) -> int | None:
    """The change that took ``number`` back, unless that one was taken back as well."""
    for other in reversed(log):
        if other.change.undoes == number:
            return None if _taken_back(other.number, log) else other.number
    return None


def _restored(now: Settings, log: Logged) -> Settings:
    """The settings with everything that the change set, and that is still so, set back."""
    old, new = map(edits.values, (log.change.before, log.change.after))
    back = {name: value for name, value in old.items() if getattr(now, name) == new.get(name)}
    if len(back) < len(old):
        moved = ", ".join(sorted(old.keys() - back.keys()))
        raise RefusedError(
            f"Change {log.number} can't be taken back: {moved} was set again since. "
            f"Before it stood there:\n{log.change.before}"
        )
    return replace(now, **back)
