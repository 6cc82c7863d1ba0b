"""What moderators change of the memory: short-term and long-term memory, canon, settings.

None of it takes the story from whoever works on it. Each value has a version, and each change is
one commit with its entry in the log; a paragraph that is being written meanwhile is finished, and
what follows from it is made from the changed memory. Whoever replaces a text says what they read
(``seen``, a fingerprint): if it reads differently by now, nothing is overwritten and they get both.
What moves the story itself is direction's business, what takes a change back is history's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from core.domain import edits, ledger
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.identity import fingerprint
from core.domain.ledger import TurnMemory, memory_of, with_memory
from core.domain.lifecycle import WORKING
from core.domain.recurrence import CHAPTER_TURNS, ends_chapter
from core.domain.story import Canon, Memory, Phase, Settings, Story, Turn
from core.errors import ConflictError, FencedError, InputError, PhaseError, StaleError
from core.ports import Archive, Clock, Commit, Embedder, StoryStore
from core.services.library import channel_story, told_turn
from core.services.remembering import remember, remembered_ids
from core.services.screening import Screening
from core.services.work import on, working_on

TRIES = 5
"""How often a change that doesn't depend on what others changed is tried again."""


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was made.

    Attributes:
        story: as it stands after the change.
        change: what stands in the log.
    """

    story: Story
    change: Change

    @property
    def while_writing(self) -> bool:
        """Whether a paragraph is being written just now: the change reaches what follows it."""
        return self.story.phase in WORKING


class Moderation:
    """Changes of the memory of a channel's story."""

    def __init__(
        self,
        *,
        store: StoryStore,
        archive: Archive,
        embedder: Embedder,
        clock: Clock,
        screening: Screening,
    ) -> None:
        self._store = store
        self._archive = archive
        self._embedder = embedder
        self._clock = clock
        self._screening = screening

    async def live(self, channel: int) -> Story:
        """The channel's story, to be changed. Raises NoStoryError, PhaseError for an ended one."""
        story = await channel_story(self._store, channel)
        if story.phase is Phase.ENDED:
            raise PhaseError("The story has ended: it stays readable, and nothing of it changes.")
        return story

    async def turn(self, story: Story, number: int) -> Turn:
        """A turn of the story by its number; see library.told_turn."""
        return await told_turn(self._archive, story, number)

    # ── short-term memory and canon ──────────────────────────────────────────────────────────────

    async def edit_memory(
        self, channel: int, by: Moderator, text: str, seen: str, undoes: int | None = None
    ) -> Done:
        """Replace the short-term memory. It belongs to the newest turn, and goes back with it.

        Raises:
            InputError: too long, with the numbers, or not to be told in this channel.
            StaleError: it reads differently by now.
            UncheckedError: the content filter couldn't look at it.
        """
        story = await self.live(channel)
        told = edits.memory(text, story.bytes_per_token)
        check_seen("memory", story.memory.text, seen)
        await self._screening.admit(channel, "memory", told)
        head = await self._store.turn(story.id, story.head) if story.head else None
        changed = replace(
            story,
            memory=Memory(told, story.memory.version + 1),
            turns_version=story.turns_version + bool(head),
        )
        change = self._change(
            ChangeKind.MEMORY,
            by,
            story.memory.text,
            told,
            number=story.head_number,
            turn_id=story.head or "",
            undoes=undoes,
        )
        commit = Commit(
            uuid4().hex,
            changed,
            writes=frozenset({"memory", "turns"} if head else {"memory"}),
            turn=replace(head, memory=told) if head else None,
            change=change,
            holds=False,
        )
        try:
            await self._store.commit(commit)
        except ConflictError as error:
            theirs = (await self.live(channel)).memory.text
            raise StaleError(_STALE.format("memory"), theirs) from error
        return Done(changed, change)

    async def pin(self, channel: int, by: Moderator, text: str, undoes: int | None = None) -> Done:
        """Add a fact to the canon. Raises InputError, UncheckedError."""
        story = await self.live(channel)
        fact = edits.pinned(story.canon, text, story.bytes_per_token).entries[-1]
        await self._screening.admit(channel, "fact", fact)
        return await self._change_canon(
            channel,
            lambda story: edits.pinned(story.canon, text, story.bytes_per_token),
            lambda canon: self._change(ChangeKind.PINNED, by, "", canon.entries[-1], undoes=undoes),
        )

    async def unpin(
        self, channel: int, by: Moderator, fact: str, undoes: int | None = None
    ) -> Done:
        """Take a fact out of the canon. Raises InputError when it isn't there."""
        return await self._change_canon(
            channel,
            lambda story: edits.unpinned(story.canon, fact),
            lambda _: self._change(ChangeKind.UNPINNED, by, fact, "", undoes=undoes),
        )

    async def _change_canon(
        self,
        channel: int,
        edit: Callable[[Story], Canon],
        describe: Callable[[Canon], Change],
    ) -> Done:
        def changed(story: Story) -> tuple[Story, Change]:
            canon = edit(story)
            return replace(story, canon=canon), describe(canon)

        return await self._repeated(channel, changed, "canon")

    # ── long-term memory ─────────────────────────────────────────────────────────────────────────

    async def amend(
        self,
        channel: int,
        by: Moderator,
        number: int,
        text: str,
        seen: str,
        *,
        facts: str | None = None,
        chapter: str | None = None,
    ) -> Done:
        """Replace what the long-term memory holds of a turn: what recall and searches find.

        Args:
            channel: whose story.
            by: who amends it.
            number: the turn.
            text: its summary.
            seen: fingerprint of its TurnMemory, as a text.
            facts: a line each, see ledger.amended; None leaves them as they are.
            chapter: of a turn that ends one, perhaps empty; None leaves it as it is.

        Raises:
            InputError: no such turn, a forgotten one, nothing new, a text out of its range, or one
                that may not be told in this channel.
            StaleError: it reads differently by now.
            UncheckedError, EmbedderError: nothing was changed.
        """
        told = edits.summary(text)

        def edited(now: TurnMemory) -> TurnMemory:
            check_seen(_RECORD.format(number), str(now), seen)
            after = replace(now, summary=told)
            if facts is not None:
                after = replace(after, facts=ledger.amended(now.facts, facts))
            if chapter is not None:
                after = replace(after, chapter=_chapter(number, chapter))
            if after == now:
                raise InputError(f"Turn {number} reads so already.")
            return after

        return await self._amend(channel, by, number, edited)

    async def take_back_amendment(
        self, channel: int, by: Moderator, change: Change, undoes: int
    ) -> Done:
        """Give a turn back what the long-term memory held of it before an amendment, exactly.

        Raises:
            InputError: no such turn, a forgotten one, or what may not be told in this channel.
            StaleError: it doesn't read as the amendment left it.
            UncheckedError, EmbedderError: nothing was changed.
        """

        def restored(now: TurnMemory) -> TurnMemory:
            name = _RECORD.format(change.number)
            if change.was is not None:
                check_seen(name, str(now), fingerprint(change.after))
                return ledger.restored(change.was, now)
            # Logged when there were summaries alone.
            check_seen(name, now.summary, fingerprint(change.after))
            return replace(now, summary=edits.summary(change.before))

        return await self._amend(channel, by, change.number, restored, undoes)

    async def _amend(
        self,
        channel: int,
        by: Moderator,
        number: int,
        edit: Callable[[TurnMemory], TurnMemory],
        undoes: int | None = None,
    ) -> Done:
        for _ in range(TRIES):
            story = await self.live(channel)
            turn = await self.turn(story, number)
            if turn.forgotten:
                raise InputError(f"Turn {number} was forgotten: /memory undo brings it back.")
            if turn.reflection is None:
                raise ValueError(f"turn {turn.id} of {story.id} was told without a reflection")
            was = memory_of(turn)
            now = edit(was)
            await self._screening.admit(channel, _RECORD.format(number), str(now))
            amended = replace(turn, reflection=with_memory(turn.reflection, now))
            change = self._of_turn(ChangeKind.SUMMARY, by, turn, str(was), str(now), undoes)
            try:
                return await self._change_turn(story, turn, amended, replace(change, was=was))
            except ConflictError:
                continue
        raise _busy()

    async def forget(
        self, channel: int, by: Moderator, number: int, undoes: int | None = None
    ) -> Done:
        """Take a turn out of recall; its paragraph and its record stay.

        Raises:
            InputError: no such turn, or it was forgotten already.
        """
        for _ in range(TRIES):
            story = await self.live(channel)
            turn = await self.turn(story, number)
            if turn.forgotten:
                raise InputError(f"Turn {number} was forgotten already.")
            gone = str(memory_of(turn))
            change = self._of_turn(ChangeKind.FORGOTTEN, by, turn, gone, "", undoes)
            try:
                return await self._change_turn(story, turn, replace(turn, forgotten=True), change)
            except ConflictError:
                continue
        raise _busy()

    async def remember(
        self, channel: int, by: Moderator, number: int, undoes: int | None = None
    ) -> Done:
        """Bring a forgotten turn back into recall.

        Raises:
            InputError: no such turn, or it isn't forgotten.
            EmbedderError: nothing was changed.
        """
        for _ in range(TRIES):
            story = await self.live(channel)
            turn = await self.turn(story, number)
            if not turn.forgotten:
                raise InputError(f"Turn {number} isn't forgotten.")
            known = replace(turn, forgotten=False)
            back = str(memory_of(turn))
            change = self._of_turn(ChangeKind.REMEMBERED, by, turn, "", back, undoes)
            try:
                return await self._change_turn(story, turn, known, change)
            except ConflictError:
                continue
        raise _busy()

    async def _change_turn(self, story: Story, before: Turn, turn: Turn, change: Change) -> Done:
        """Replace a turn's record, and with it what the long-term memory holds of it."""
        with working_on(on(story)):
            entries = await remember(turn, self._embedder)
        changed = replace(story, turns_version=story.turns_version + 1)
        await self._store.commit(
            Commit(
                uuid4().hex,
                changed,
                writes=frozenset({"turns"}),
                turn=turn,
                entries=entries,
                forgets=tuple(sorted(remembered_ids(before) - remembered_ids(turn))),
                change=change,
                holds=False,
            )
        )
        return Done(changed, change)

    # ── settings ─────────────────────────────────────────────────────────────────────────────────

    async def change_settings(
        self,
        channel: int,
        by: Moderator,
        edit: Callable[[Settings], Settings],
        undoes: int | None = None,
    ) -> Done:
        """Change the rules of the story; a ballot that is open keeps those it was opened under.

        Args:
            edit: gives the new settings from the present ones; what it raises is raised.

        Raises:
            InputError: nothing would change.
        """

        def changed(story: Story) -> tuple[Story, Change]:
            settings = edit(story.settings)
            if settings == story.settings:
                raise InputError("These are the story's settings already: nothing changed.")
            before, after = edits.difference(story.settings, settings)
            change = self._change(ChangeKind.SETTINGS, by, before, after, undoes=undoes)
            version = story.settings_version + 1
            return replace(story, settings=settings, settings_version=version), change

        return await self._repeated(channel, changed, "settings")

    # ── common ───────────────────────────────────────────────────────────────────────────────────

    async def _repeated(
        self, channel: int, edit: Callable[[Story], tuple[Story, Change]], name: str
    ) -> Done:
        """Make a change that is right whatever others changed meanwhile."""
        for _ in range(TRIES):
            story, change = edit(await self.live(channel))
            commit = Commit(
                uuid4().hex, story, writes=frozenset({name}), change=change, holds=False
            )
            try:
                await self._store.commit(commit)
            except (ConflictError, FencedError):
                continue
            return Done(story, change)
        raise _busy()

    def _of_turn(
        self,
        kind: ChangeKind,
        by: Moderator,
        turn: Turn,
        before: str,
        after: str,
        undoes: int | None,
    ) -> Change:
        return self._change(
            kind, by, before, after, number=turn.number, turn_id=turn.id, undoes=undoes
        )

    def _change(
        self,
        kind: ChangeKind,
        by: Moderator,
        before: str,
        after: str,
        *,
        number: int = 0,
        turn_id: str = "",
        undoes: int | None = None,
    ) -> Change:
        now = self._clock.now()
        return Change(kind, now, by, before, after, number, turn_id, undoes=undoes)


_STALE = "The {} was changed since you opened it; nothing was overwritten."
_RECORD = "record of turn {}"


def check_seen(name: str, text: str, seen: str) -> None:
    """Raises StaleError unless a text is still the one whose fingerprint somebody read."""
    if fingerprint(text) != seen:
        raise StaleError(_STALE.format(name), text)


def _chapter(number: int, text: str) -> str:
    """The chapter that a turn ends. Raises InputError."""
    told = edits.chapter(text)
    if told and not ends_chapter(number):
        raise InputError(f"Turn {number} ends no chapter: every {CHAPTER_TURNS}th turn does.")
    return told


def _busy() -> ConflictError:
    return ConflictError("The story is being changed by others again and again.", "story")
