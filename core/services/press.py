"""The press: the channel's story so far as books, in volumes where it is long.

A story may have ten thousand turns, and this process thousands of stories. So turns are read in
batches, one volume is made at a time and handed on before the next is read, and formats are bound
beside the event loop. What stands in a book is book's business; what becomes of the files whoever
asks decides. Nothing is changed here.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from core.domain.book import (
    VOLUME_TURNS,
    Book,
    Passage,
    chapters,
    file_stem,
    halves,
    passage,
    roads_left_open,
)
from core.domain.story import Phase, Story, Turn
from core.errors import InputError, NoStoryError, RecordError, RefusedError
from core.ports import Archive, Bookbinder, BookFormat, Clock, StoryStore
from core.services.library import branch_with, channel_story, told_turn

BATCH_TURNS = 10
"""Turns that are read at once: some 120 KiB, which the event loop decodes in about 10 ms."""
ORDERS_MOST = 10
"""Stories whose books are being made or waited for; a thousand turns take a few seconds each."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BookFile:
    """A file to hand over: its name, which every system can keep, and what is in it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Volume:
    """A book, or a volume of one, in every format that was asked for."""

    book: Book
    files: tuple[BookFile, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to read.

    Attributes:
        channel, guild: where they ask, and so whose story.
        community: what the server is called; empty where that isn't known.
        formats: of each volume, at least one.
        room: bytes that no file may be larger than.
    """

    channel: int
    guild: int
    community: str
    formats: frozenset[BookFormat]
    room: int


class Press:
    """Makes books.

    Args:
        store: whose stories.
        archive: where their turns are.
        clock: tells when a book was made.
        binders: one for each format.
    """

    def __init__(
        self,
        *,
        store: StoryStore,
        archive: Archive,
        clock: Clock,
        binders: Mapping[BookFormat, Bookbinder],
    ) -> None:
        self._store = store
        self._archive = archive
        self._clock = clock
        self._binders = dict(binders)
        # A volume takes some tens of MiB while it is made, and a thread that is never idle.
        self._at_work = asyncio.Lock()
        self._orders: set[int] = set()

    async def volumes(self, order: Order) -> AsyncGenerator[Volume]:
        """The channel's newest story, from its first turn to its newest finished one.

        Whoever takes no more of them closes it.

        Raises:
            NoStoryError: there is none, or it was deleted meanwhile.
            InputError: it has no finished turn yet, or one chapter alone is larger than the room.
            RefusedError: the story's book is being made already, or too many others' are.
        """
        if order.channel in self._orders:
            raise RefusedError("This story's book is being made just now: ask again in a minute.")
        if len(self._orders) >= ORDERS_MOST:
            raise RefusedError("Many books are being made just now: ask again in a few minutes.")
        self._orders.add(order.channel)
        try:
            async with aclosing(self._volumes(order)) as volumes:
                async for volume in volumes:
                    yield volume
        finally:
            self._orders.discard(order.channel)

    async def _volumes(self, order: Order) -> AsyncGenerator[Volume]:
        story = await channel_story(self._store, order.channel, order.guild)
        branch_with(story, max(1, story.head_number))
        number = 1
        for first in range(1, story.head_number + 1, VOLUME_TURNS):
            async with self._at_work:
                # Mostly it is one; more where the files of so many turns would be too large.
                made = await self._bound(order, await self._book(order, story, first), number)
            for volume in made:
                yield volume
            number += len(made)

    async def _bound(self, order: Order, book: Book, number: int) -> list[Volume]:
        """The volumes of a book, numbered from ``number``; one that holds all has no number."""
        waiting, made = [book], list[Volume]()
        while waiting:
            part = waiting.pop()
            if (part.first, part.last) != (1, part.turns):
                part = replace(part, volume=number + len(made))
            files = await self._files(order, part)
            if all(len(file.data) <= order.room for file in files):
                made.append(Volume(part, files))
            else:
                waiting += reversed(_parted(part, files, order.room))
        return made

    async def _files(self, order: Order, book: Book) -> tuple[BookFile, ...]:
        stem = file_stem(book)
        binders = [binder for kind, binder in self._binders.items() if kind in order.formats]
        return tuple(
            [BookFile(f"{stem}.{binder.ending}", await binder.bind(book)) for binder in binders]
        )

    async def _book(self, order: Order, story: Story, first: int) -> Book:
        """The book of VOLUME_TURNS turns, or of as many as there are."""
        last = min(story.head_number, first + VOLUME_TURNS - 1)
        try:
            opening = await self._turn(story, 1)
            head = await self._turn(story, story.head_number)
            passages = [one async for one in self._passages(story, first, last)]
        except RecordError:
            # Turns are kept whatever way a story takes; only a deleted one has none.
            await self._require_there(order, story)
            raise
        ended = story.phase is Phase.ENDED
        return Book(
            story=story.id,
            begun_at=story.created_at,
            brief=story.brief,
            community=order.community,
            first_at=opening.written_at,
            last_at=head.written_at,
            turns=story.head_number,
            ended=ended,
            bound_at=self._clock.now(),
            chapters=chapters(passages),
            left_open=roads_left_open(story, head) if ended and head.number == last else (),
        )

    async def _passages(self, story: Story, first: int, last: int) -> AsyncIterator[Passage]:
        """Turns as they are read; of the records only the last one is kept."""
        before = await self._turn(story, first - 1) if first > 1 else None
        for stretch in story.lineage:
            for at in range(max(first, stretch.first), min(last, stretch.last) + 1, BATCH_TURNS):
                upto = min(last, stretch.last, at + BATCH_TURNS - 1)
                for turn in await self._archive.turns_at(story.id, stretch.branch, at, upto):
                    yield passage(before, turn)
                    before = turn

    async def _turn(self, story: Story, number: int) -> Turn:
        return await told_turn(self._archive, story, number)

    async def _require_there(self, order: Order, story: Story) -> None:
        """Raises NoStoryError when the story isn't the channel's any more."""
        now = await channel_story(self._store, order.channel, order.guild)
        if (now.id, now.created_at) != (story.id, story.created_at):
            raise NoStoryError("The story was deleted while its book was made.")


def _parted(book: Book, files: tuple[BookFile, ...], room: int) -> tuple[Book, Book]:
    """Two smaller books. Raises InputError for a chapter: it can't be made smaller."""
    parts = halves(book)
    if parts is None:
        size = max(len(file.data) for file in files)
        raise InputError(
            f"Chapter {book.chapters[0].number} alone makes a file of {size / _MIB:.1f} MiB, and "
            f"Discord takes {room / _MIB:.1f} MiB here. Ask for format: epub alone, which is "
            "smaller."
        )
    return parts
