"""Stories out of an archive that was checked, one after the other, each whole or not at all.

An import can be repeated, also after it was killed: a story that is there already and the same, or
that came out of this very archive and has gone on since, is passed over. One that differs is
refused; to replace it is allowed only if nothing is lost by it that the archive doesn't hold. What
can't be compared with the present embedder's vectors is embedded anew.

A story that comes back to its channel goes on where it was; what becomes of one that comes to
another place is moving's business, and how it is put into the store whole is its adapter's.
"""

from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from uuid import uuid4

from core.archive_ports import (
    ArchiveSource,
    Remembered,
    Section,
    Seen,
    StoryImports,
    StoryItem,
    StoryRecords,
)
from core.domain.audit import Change
from core.domain.entries import fact_line
from core.domain.moving import (
    Places,
    Totals,
    arrived,
    same_state,
    uprooted_turn,
    would_lose,
)
from core.domain.story import Phase, Story, StoryId, Turn, Vector
from core.errors import EmbedderRefusedError, RecordError, RefusedError, StoreError
from core.ports import Clock, Embedder, MemoryEntry, StoryStore
from core.services.exporting import Progress, story_items, without_vector
from core.services.reembedding import SAMPLE

BATCH = 100
"""Records put at a time: about a megabyte at most, and some dozens of texts to embed."""
_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Hall:
    """The database that stories come to.

    Attributes:
        records: what is there.
        store: which story is a channel's newest.
        imports: the way in.
        embedder: the present one.
        clock: what time it is.
        application: the bot whose stories it holds; None where none has said so yet.
    """

    records: StoryRecords
    store: StoryStore
    imports: StoryImports
    embedder: Embedder
    clock: Clock
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import.

    Attributes:
        totals: what was written.
        embedded: entries whose vectors were made anew.
        passed: sentences about stories that were there already.
        refused: sentences about stories that could not be written.
    """

    totals: Totals
    embedded: int
    passed: tuple[str, ...]
    refused: tuple[str, ...]


class Import:
    """One run through an archive.

    Args:
        source: checked.
        hall: where the stories go.
        places: which channels and servers they come to.
        replaces: whether stories that differ may be replaced.
        progress: told how far it is.

    Raises:
        RefusedError: another bot than the archive's has its stories there.
    """

    def __init__(
        self,
        source: ArchiveSource,
        hall: Hall,
        *,
        places: Places = Places(),  # noqa: B008 - frozen
        replaces: bool = False,
        progress: Progress = lambda _story, _totals: None,
    ) -> None:
        self._source = source
        self._hall = hall
        self._places = places
        self._replaces = replaces
        self._progress = progress
        self._run = uuid4().hex
        self._embedded = 0
        self._passed: list[str] = []
        self._refused: list[str] = []
        self.application = self._checked_application()

    async def run(self) -> Imported:
        """Write the stories, in the archive's order.

        Raises:
            StoreError, EmbedderError, ArchiveError: it ends here; what was written stays, and the
                same import can be run again.
        """
        await self._hall.imports.clear()
        totals = Totals()
        for section in self._source.sections:
            totals += await self._section(section)
        return Imported(totals, self._embedded, tuple(self._passed), tuple(self._refused))

    def _checked_application(self) -> str | None:
        """The bot that the database belongs to from now on; None where that stays open."""
        told_by, owner = self._source.header.application, self._hall.application
        stay = [one.story for one in self._source.sections if not self._uproots(one)]
        if told_by is None or owner == told_by or not stay:
            return owner
        if owner is None:
            return told_by
        if all(story.phase is Phase.ENDED for story in stay):
            return owner
        raise RefusedError(
            f"The archive's stories stand in messages of the bot {told_by}, and this database is "
            f"the bot {owner}'s, which can't edit them. Use the token of {told_by} and a Redis of "
            "its own; or import with --anew: then each story waits, paused, until /story resume "
            "posts its newest paragraph and a fresh ballot."
        )

    def _uproots(self, section: Section) -> bool:
        return self._places.uproots(section.story.id)

    # ── one story ────────────────────────────────────────────────────────────────────────────────

    async def _section(self, section: Section) -> Totals:
        made_by = f"import-{section.digest}{'-anew' if self._uproots(section) else ''}"
        place = await self._place(section, made_by)
        try:
            seen = await self._hall.records.seen(place)
        except RecordError as error:
            return self._refuse(place, str(error))
        story = self._arrived(section, place, seen)
        if seen is not None:
            if why := await self._known(section, story, seen, made_by):
                self._passed.append(f"story {place} {why}")
                return Totals()
            if why := await self._kept(section, seen, place):
                return self._refuse(place, why)
        if why := await self._crowded(story):
            return self._refuse(place, why)
        return await self._written(section, story, seen, made_by)

    def _refuse(self, story: StoryId, why: str) -> Totals:
        self._refused.append(f"story {story}: {why}")
        return Totals()

    async def _place(self, section: Section, made_by: str) -> StoryId:
        """Where a story goes: under its own number, or behind what its new channel has."""
        story = section.story.id
        channel = self._places.channel(story)
        if channel == story.channel:
            return story
        current = await self._hall.store.current(channel)
        newest = current.id.serial if current else 0
        for serial in range(1, newest + 1):
            seen = await self._hall.records.seen(StoryId(channel, serial))
            if seen is not None and seen.made_by == made_by:
                return StoryId(channel, serial)
        return StoryId(channel, max(story.serial, newest + 1))

    def _arrived(self, section: Section, place: StoryId, seen: Seen | None) -> Story:
        now = self._hall.clock.now()
        held = seen.story.epoch if seen and seen.story else 0
        # No epoch that anybody was ever given here: it counts claims, which come no faster.
        epoch = max(section.story.epoch, held, int(now)) + 1
        return arrived(section.story, self._places, place.serial, epoch, now)

    async def _known(self, section: Section, story: Story, seen: Seen, made_by: str) -> str:
        """Why a story needn't be written; empty where it is another one."""
        if await self._same(section, story, seen):
            return "is there already"
        if seen.made_by == made_by:
            return "was imported from this archive before, and stays as it is now"
        return ""

    async def _same(self, section: Section, story: Story, seen: Seen) -> bool:
        totals = section.totals
        if seen.story is None or (seen.turns, seen.changes) != (totals.turns, totals.changes):
            return False
        if not same_state(seen.story, story):
            return False
        archived = self._source.items(section)
        async with aclosing(story_items(self._hall.records, story.id, seen)) as here:
            try:
                async for item in here:
                    if without_vector(item) != without_vector(
                        self._moved(next(archived), section, story)
                    ):
                        return False
            except (RecordError, StopIteration):
                return False
        return next(archived, None) is None

    async def _kept(self, section: Section, seen: Seen, place: StoryId) -> str:
        """Why a story that is there and differs stays; empty where it may be replaced."""
        if not self._replaces:
            return (
                "another story, or another state of it, is there, and nothing was changed. "
                "--replace replaces what the archive knows all of."
            )
        turns, changes = await self._only_here(section, seen, place)
        lost = would_lose(seen.story or section.story, section.story, turns, changes)
        return lost and (
            f"it is newer here: {lost} would be lost, so it stays. Export it if it is to be kept; "
            "once /story delete has removed it, the archive's can be imported."
        )

    async def _only_here(self, section: Section, seen: Seen, place: StoryId) -> tuple[int, int]:
        """How many turns and changes the archive doesn't have."""
        turns, changes = set[str](), list[Change]()
        for item in self._source.items(section):
            if isinstance(item, Turn):
                turns.add(item.id)
            elif isinstance(item, Change):
                changes.append(item)
        here = set(await self._hall.records.turn_ids(place))
        logged = await self._hall.records.changes(place, 1, seen.changes)
        shared = 0
        for one, other in zip(logged, changes, strict=False):
            if one != other:
                break
            shared += 1
        return len(here - turns), len(logged) - shared

    async def _crowded(self, story: Story) -> str:
        """Why the channel can't take a story; empty where it can."""
        current = await self._hall.store.current(story.id.channel)
        if current is None or current.id == story.id:
            return ""
        if story.phase is not Phase.ENDED and current.id.serial > story.id.serial:
            return f"a newer story, {current.id}, stands in its channel already."
        if current.id.serial < story.id.serial and current.phase is not Phase.ENDED:
            return f"another story, {current.id}, runs in its channel: end that one first."
        return ""

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    async def _written(
        self, section: Section, story: Story, seen: Seen | None, made_by: str
    ) -> Totals:
        imports = self._hall.imports
        if seen is not None and self._source.header.embedder != self._hall.embedder.name:
            # An embedder that is away is met before the story that is replaced is gone.
            await self._hall.embedder.embed([SAMPLE])
        if not await imports.begin(story.id, self._run, seen):
            return self._refuse(story.id, "somebody changed it, or began it, just now: try again.")
        try:
            await self._put(section, story)
            done = await imports.finish(story, self._run, made_by)
        except BaseException:
            with suppress(StoreError):
                await imports.abandon(story.id, self._run)
            raise
        if done:
            return section.totals
        await imports.abandon(story.id, self._run)
        return self._refuse(story.id, "a story was begun in its channel just now: try again.")

    async def _put(self, section: Section, story: Story) -> None:
        waiting, changes = list[Turn | Remembered](), list[Change]()
        totals, logged = Totals(stories=1), 0
        for item in self._source.items(section):
            moved = self._moved(item, section, story)
            if isinstance(moved, Change):
                changes.append(moved)
            else:
                waiting.append(moved)
                totals += Totals(turns=int(isinstance(moved, Turn)))
            if len(waiting) >= BATCH:
                await self._put_batch(story.id, waiting)
                self._progress(story.id, totals)
                waiting = []
            if len(changes) >= BATCH:
                await self._log(story.id, logged, changes)
                logged += len(changes)
                changes = []
        await self._put_batch(story.id, waiting)
        await self._log(story.id, logged, changes)

    async def _put_batch(self, story: StoryId, items: Sequence[Turn | Remembered]) -> None:
        if not items:
            return
        blind = [one for one in items if isinstance(one, Remembered) and not self._sees(one)]
        made = {
            one.entry.id: replace(one.entry, vector=vector)
            for one, vector in zip(blind, await self._vectors(blind), strict=True)
        }
        self._embedded += sum(1 for entry in made.values() if entry.vector)
        entries: list[Turn | MemoryEntry] = [
            made.get(one.entry.id, one.entry) if isinstance(one, Remembered) else one
            for one in items
        ]
        await self._hall.imports.put(story, self._run, entries)

    async def _vectors(self, blind: Sequence[Remembered]) -> list[Vector]:
        """A vector for each entry; an empty one for a text that the embedder refuses."""
        lines = [fact_line(one.entry.about, one.entry.text) for one in blind]
        try:
            return await self._hall.embedder.embed(lines)
        except EmbedderRefusedError:
            # Unless all are refused, it is about one of the texts: that one is found by words.
            await self._hall.embedder.embed([SAMPLE])
            if len(blind) == 1:
                return [Vector(b"")]
            return [vector for one in blind for vector in await self._vectors([one])]

    async def _log(self, story: StoryId, logged: int, changes: Sequence[Change]) -> None:
        if changes:
            await self._hall.imports.log(story, self._run, logged + 1, changes)

    def _sees(self, one: Remembered) -> bool:
        """Whether an entry's vector is the present embedder's."""
        embedder = self._hall.embedder
        fits = len(one.entry.vector) == embedder.dims * _FLOAT_BYTES
        return one.embedder == embedder.name and fits

    def _moved(self, item: StoryItem, section: Section, story: Story) -> StoryItem:
        """A record as it is where the story comes to."""
        if isinstance(item, Turn) and self._uproots(section):
            return uprooted_turn(item, story)
        return item
