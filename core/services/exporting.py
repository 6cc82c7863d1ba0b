"""Stories into an archive, each as it stood at one moment, while others go on changing them.

A story is read from its first turn to its last, and looked at before and after. Every change of a
story, whoever makes it, changes a field of its own record in the same commit: its phase or state,
or one of the versions, and whoever takes it to change it raises its epoch. None of these comes back
to what it was. So two equal looks mean that what was read in between belongs together; else the
story is read again. Two things touch its other records alone. A name that is taken out of the log
changes nothing that belongs to anything else. A deletion takes a story's parts first and itself
last: a story that lacks any is read once more, when a deletion would be over.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from core.archive_ports import ArchiveSink, Remembered, Seen, StoryItem, StoryRecords
from core.domain.moving import Totals
from core.domain.story import StoryId, Turn, Vector
from core.errors import RecordError
from core.ports import Clock
from core.services.remembering import remembered_ids

log = logging.getLogger(__name__)

BATCH = 100
"""Turns read at a time; with their entries about a megabyte."""
LOG_BATCH = 500
TRIES = 12
"""How often a story that changes while it is read is read before it is left out."""
PAUSE_S = 2.0
"""Between two of them: a turn commits several times within a minute, and rests in between."""

Progress = Callable[[StoryId, Totals], None]
"""Told now and then how much of a story was moved."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export.

    Attributes:
        totals: what the archive holds.
        left_out: sentences about stories that it doesn't hold.
    """

    totals: Totals
    left_out: tuple[str, ...]


class Export:
    """Writes stories into an archive.

    Args:
        records: where they are.
        sink: where they go.
        vectors: whether the memory's vectors go with them.
        progress: told how far it is.
    """

    def __init__(
        self,
        records: StoryRecords,
        sink: ArchiveSink,
        clock: Clock,
        *,
        vectors: bool = True,
        progress: Progress = lambda _story, _totals: None,
    ) -> None:
        self._records = records
        self._sink = sink
        self._clock = clock
        self._vectors = vectors
        self._progress = progress

    async def run(self, stories: Sequence[StoryId]) -> Exported:
        """Write these stories; one that was deleted meanwhile is left out without a word.

        Raises:
            StoreUnavailableError: Redis is away; the archive isn't whole.
        """
        totals, left_out = Totals(), list[str]()
        for story in stories:
            try:
                totals += await self._story(story)
            except RecordError as error:
                left_out.append(f"story {story} is left out: {error}")
        return Exported(totals, tuple(left_out))

    async def _story(self, story: StoryId) -> Totals:
        lacked = 0
        for _ in range(TRIES):
            seen = await self._records.seen(story)
            if seen is None:
                return Totals()
            if seen.story is None:
                raise RecordError(seen.fault)
            self._sink.begin(seen.story)
            try:
                lacks = await self._written(story, seen)
            except BaseException:
                self._sink.drop()
                raise
            if lacks == lacked:
                return self._sink.keep()
            lacked = lacks or 0
            self._sink.drop()
            log.info("story %s changed while it was read: it is read again", story)
            await self._clock.sleep(PAUSE_S)
        raise RecordError(f"It changed each of the {TRIES} times it was read: export again.")

    async def _written(self, story: StoryId, seen: Seen) -> int | None:
        """Write a story as it is read.

        Returns:
            How many entries it lacks; None where what was read isn't of one moment.
        """
        totals, lacks = Totals(stories=1), 0
        try:
            async with aclosing(story_items(self._records, story, seen)) as items:
                async for item in items:
                    self._sink.add(item if self._vectors else without_vector(item))
                    if isinstance(item, Turn):
                        lacks += len(remembered_ids(item))
                        totals += Totals(turns=1)
                        self._progress(story, totals)
                    elif isinstance(item, Remembered):
                        lacks -= 1
        except RecordError:
            if await self._records.seen(story) == seen:
                raise
            return None  # what was deleted in between isn't broken
        return lacks if await self._records.seen(story) == seen else None


async def story_items(
    records: StoryRecords, story: StoryId, seen: Seen
) -> AsyncGenerator[StoryItem]:
    """All records of a story beside its own, in an archive's order.

    Turns by number, each followed by its entries; then the log. Only some of them are held at once.

    Raises:
        RecordError: one is missing or can't be read.
    """
    ids = await records.turn_ids(story)
    for start in range(0, len(ids), BATCH):
        turns = await records.turns(story, ids[start : start + BATCH])
        wanted = {turn.id: remembered_ids(turn) for turn in turns}
        found = await records.entries(story, frozenset[str]().union(*wanted.values()))
        by_id = {one.entry.id: one for one in found}
        for turn in turns:
            yield turn
            for entry_id in sorted(wanted[turn.id] & by_id.keys()):
                yield by_id[entry_id]
    for first in range(1, seen.changes + 1, LOG_BATCH):
        limit = min(LOG_BATCH, seen.changes + 1 - first)
        for change in await records.changes(story, first, limit):
            yield change


def without_vector(item: StoryItem) -> StoryItem:
    """A record that holds no vector."""
    if not isinstance(item, Remembered):
        return item
    return Remembered(replace(item.entry, vector=Vector(b"")))
