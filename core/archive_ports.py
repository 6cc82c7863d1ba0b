"""The doors for stories that travel: out of a store, into a file, and back. Like core.ports.

What travels are whole stories, as frozen values. How they are stored and how they are written down
are the business of two adapters, of which neither knows the other.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.audit import Change
from core.domain.moving import Totals
from core.domain.story import Story, StoryId, Turn
from core.ports import MemoryEntry


@dataclass(frozen=True, slots=True)
class Remembered:
    """An entry of the long-term memory as it travels.

    Attributes:
        entry: with its vector, which is empty where it was left out.
        embedder: name of the model that made the vector; empty where that isn't known.
    """

    entry: MemoryEntry
    embedder: str = ""


StoryItem = Turn | Remembered | Change
"""One of the records that a story consists of beside its own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A story as it stood at one moment, without its turns.

    Attributes:
        story: without its due time, which also a lease moves; None for one whose record is damaged,
            and ``fault`` says how.
        made_by: the operation that created it.
        turns, changes: how many turns and changes by moderators it has.
        marks: equal at two moments if nothing of the story was changed between them.
    """

    story: Story | None
    made_by: str
    turns: int
    changes: int
    marks: tuple[tuple[str, bytes], ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveHeader:
    """What an archive says of itself.

    Attributes:
        at: when it was begun, as text.
        version: the Talewheel that wrote it.
        embedder, dims: the model that the memory was searched by, and the length of its vectors;
            None where none was recorded.
        application: the bot whose messages the stories stand in; None where that isn't known.
    """

    at: str
    version: str
    embedder: str | None = None
    dims: int | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A story in an archive.

    Attributes:
        story: its own record.
        totals: how many turns, entries and changes follow.
        digest: of all of that, hexadecimal.
        place: where it begins in the archive.
    """

    story: Story
    totals: Totals
    digest: str
    place: int


class ArchiveSink(Protocol):
    """An archive being written; it is there only once it is whole."""

    def begin(self, story: Story) -> None:
        """Write a story's own record."""
        ...

    def add(self, item: StoryItem) -> None:
        """Write one of its other records."""
        ...

    def keep(self) -> Totals:
        """The story is whole: gives what it consists of."""
        ...

    def drop(self) -> None:
        """The story is left out, as if it had never begun."""
        ...


class ArchiveSource(Protocol):
    """An archive that was checked to its last byte."""

    @property
    def header(self) -> ArchiveHeader:
        """What it says of itself."""
        ...

    @property
    def sections(self) -> Sequence[Section]:
        """Its stories, in their order."""
        ...

    def items(self, section: Section) -> Iterator[StoryItem]:
        """The records of a story beside its own.

        Raises:
            ArchiveError: at the end, if the file was changed since it was checked.
        """
        ...


class StoryRecords(Protocol):
    """The records of all stories, read in bulk: what an archive is made from."""

    async def stories(self, channel: int | None = None) -> list[StoryId]:
        """Every story there is, or every one of a channel, in the order of their ids."""
        ...

    async def seen(self, story: StoryId) -> Seen | None:
        """A story as it stands now; None where there is none.

        Raises:
            RecordError: it is of a newer format than this version knows.
        """
        ...

    async def turn_ids(self, story: StoryId) -> list[str]:
        """Its turns on all branches, by number, then branch."""
        ...

    async def turns(self, story: StoryId, ids: Sequence[str]) -> list[Turn]:
        """Several turns in this order. Raises RecordError where one is missing or unreadable."""
        ...

    async def entries(self, story: StoryId, ids: Collection[str]) -> list[Remembered]:
        """Those of these entries that are there, in the order of their ids."""
        ...

    async def changes(self, story: StoryId, first: int, limit: int) -> list[Change]:
        """What moderators changed, oldest first, from number ``first`` on."""
        ...


class StoryImports(Protocol):
    """Puts a story into the store, whole: nobody sees it before its last record is there.

    A run is one import; whatever it puts is refused (FencedError) once another run has begun.
    """

    async def clear(self) -> int:
        """Remove what runs that were killed left of stories; gives of how many."""
        ...

    async def begin(self, story: StoryId, run: str, replaces: Seen | None = None) -> bool:
        """Take the place of a story: from now on none begins there.

        Args:
            run: id of this import.
            replaces: the story that goes for it, exactly as it was seen. Whoever holds it is
                fenced off.

        Returns:
            False, changing nothing, when a story is there that isn't this one.
        """
        ...

    async def put(self, story: StoryId, run: str, items: Sequence[Turn | MemoryEntry]) -> None:
        """Store turns and entries; can be repeated.

        An entry without a vector is found by words alone until it is re-embedded.
        """
        ...

    async def log(self, story: StoryId, run: str, first: int, changes: Sequence[Change]) -> None:
        """Append to the log, whose next number is ``first``; can be repeated."""
        ...

    async def finish(self, story: Story, run: str, made_by: str) -> bool:
        """Store the story itself, on disk when it returns.

        Returns:
            False when its channel has another live story, or a newer one beside a live one.
        """
        ...

    async def abandon(self, story: StoryId, run: str) -> None:
        """Remove what this run has put of a story that it doesn't finish."""
        ...
