"""Archives as files: written whole or not at all, and read only once they were checked to the end.

A file is written beside its place under another name, readable by its owner alone (it holds what
members wrote), and gets its own name once it is on disk: nobody ever finds half an archive under
it. What is read is checked first, from the first line to the digest in the last one; what doesn't
come from a file (standard input) is put aside in one for that.

What a line says is archive_lines' business.
"""

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from core.adapters.archive_lines import (
    End,
    Line,
    StoryEnd,
    end_line,
    header_line,
    item_line,
    read_line,
    story_end_line,
    story_line,
)
from core.adapters.redis_import import check_item
from core.archive_ports import ArchiveHeader, Remembered, Section, StoryItem
from core.domain.audit import Change
from core.domain.moving import Totals, needed_turns
from core.domain.story import Story, StoryId, Turn
from core.errors import ArchiveError, StartError

STANDARD = "-"
"""Instead of a file's name: standard input or output."""
LINE_LIMIT = 64 << 20
"""No record of ours comes near it; a line without an end must not fill the memory."""
_COPY = 1 << 20


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


class ArchiveWriter:
    """An ArchiveSink over a file that can be cut again.

    Args:
        file: written from where it stands.
        header: what the archive says of itself.
        passed_on: gets what is certain, as soon as it is; then ``file`` is only a place to wait in.
    """

    def __init__(
        self, file: BinaryIO, header: ArchiveHeader, passed_on: BinaryIO | None = None
    ) -> None:
        self._file = file
        self._passed_on = passed_on
        self._digest = hashlib.sha256()
        self._story: StoryId | None = None
        self._story_totals = Totals()
        self.size = 0
        self.totals = Totals()
        self._certain(header_line(header))

    def begin(self, story: Story) -> None:
        """See ArchiveSink."""
        self._from = self._file.tell()
        self._story, self._story_totals = story.id, Totals(stories=1)
        self._file.write(story_line(story))

    def add(self, item: StoryItem) -> None:
        """See ArchiveSink."""
        self._file.write(item_line(self._current, item))
        self._story_totals += counted(item)

    def keep(self) -> Totals:
        """See ArchiveSink."""
        self._file.write(story_end_line(self._current, self._story_totals))
        self._file.seek(self._from)
        while data := self._file.read(_COPY):
            self._account(data)
            if self._passed_on is not None:
                self._passed_on.write(data)
        if self._passed_on is not None:
            self._cut(self._from)
        self._story = None
        self.totals += self._story_totals
        return self._story_totals

    def drop(self) -> None:
        """See ArchiveSink."""
        if self._story is not None:
            self._cut(self._from)
            self._story = None

    def finish(self) -> None:
        """Write the last line."""
        self._certain(end_line(self.totals, self._digest.hexdigest()))
        (self._passed_on or self._file).flush()

    @property
    def _current(self) -> StoryId:
        if self._story is None:
            raise ValueError("no story was begun")
        return self._story

    def _cut(self, at: int) -> None:
        self._file.seek(at)
        self._file.truncate()

    def _certain(self, line: bytes) -> None:
        self._account(line)
        (self._passed_on or self._file).write(line)

    def _account(self, data: bytes) -> None:
        self._digest.update(data)
        self.size += len(data)


@contextmanager
def new_archive(name: str, header: ArchiveHeader) -> Generator[ArchiveWriter]:
    """An archive that gets its name when the block is left without an error.

    Args:
        name: of the file, which is replaced if it is there; "-" for standard output.
        header: what it says of itself.

    Raises:
        StartError: it can't be written there; one line.
    """
    try:
        if name == STANDARD:
            with tempfile.TemporaryFile() as aside:
                writer = ArchiveWriter(aside, header, sys.stdout.buffer)
                yield writer
                writer.finish()
                return
        with _beside(Path(name)) as file:
            writer = ArchiveWriter(file, header)
            yield writer
            writer.finish()
    except OSError as error:
        what = "standard output" if name == STANDARD else name
        raise StartError(f"{what} can't be written: {error.strerror or error}.") from error


@contextmanager
def _beside(path: Path) -> Generator[BinaryIO]:
    """A file that takes the place of ``path`` when the block is left without an error."""
    place = path.resolve()  # what a link points at is written, and the link stays
    if place.exists() and not stat.S_ISREG(place.stat().st_mode):
        raise StartError(f"{path} is no plain file: name another, or - for standard output.")
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(place)
        _flush_folder(place.parent)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _flush_folder(folder: Path) -> None:
    """Put the new name on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def counted(item: StoryItem) -> Totals:
    """What a record adds to the totals."""
    match item:
        case Turn():
            return Totals(turns=1)
        case Remembered():
            return Totals(entries=1)
        case Change():
            return Totals(changes=1)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


class ArchiveReader:
    """An ArchiveSource over a file; checking it is what making one does.

    Args:
        file: can be sought in; whoever opened it closes it.
        name: what it is called in errors.

    Raises:
        ArchiveError: anything at all is wrong with it.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._number = 0
        self._digest = hashlib.sha256()
        file.seek(0)
        self.header = self._checked_header()
        self.sections: Sequence[Section] = tuple(self._checked_sections())

    def items(self, section: Section) -> Iterator[StoryItem]:
        """See ArchiveSource."""
        self._file.seek(section.place)
        digest = hashlib.sha256(self._file.readline(LINE_LIMIT))
        while True:
            data = self._file.readline(LINE_LIMIT)
            line = read_line(data)
            if isinstance(line, StoryEnd):
                break
            digest.update(data)
            if not isinstance(line, Turn | Remembered | Change):
                break
            yield line
        if digest.hexdigest() != section.digest:
            raise ArchiveError(f"{self._name} was changed while it was read: nothing more is taken")

    def _checked_header(self) -> ArchiveHeader:
        try:
            header = read_line(self._data())
        except ArchiveError as error:
            if "of version" in str(error):
                raise self._fault(str(error)) from error
            raise ArchiveError(f"{self._name} is no archive of Talewheel: {error}.") from error
        if not isinstance(header, ArchiveHeader):
            raise ArchiveError(f"{self._name} is no archive of Talewheel, or lacks its beginning.")
        return header

    def _checked_sections(self) -> Iterator[Section]:
        totals, seen = Totals(), set[StoryId]()
        while True:
            place, digest = self._file.tell(), self._digest.hexdigest()
            line = self._line()
            match line:
                case Story() if line.id in seen:
                    self._fail(f"story {line.id} comes a second time")
                case Story():
                    seen.add(line.id)
                    section = self._checked_section(line, place)
                    totals += section.totals
                    yield section
                case End() if line.sha256 != digest:
                    self._fail("the file was changed after it was written: its digest differs")
                case End() if line.totals != totals:
                    self._fail("the file doesn't hold what its last line says")
                case End() if self._file.read(1):
                    self._fail("something follows the archive's last line")
                case End():
                    return
                case _:
                    self._fail("a record stands outside of a story")

    def _checked_section(self, story: Story, place: int) -> Section:
        totals, digest = Totals(stories=1), hashlib.sha256(self._last)
        missing = set(needed_turns(story))
        while not isinstance(line := self._line(), StoryEnd):
            if not isinstance(line, Turn | Remembered | Change):
                self._fail(f"story {story.id} has no end")
            digest.update(self._last)
            try:
                check_item(story.id, line)
            except ValueError as error:
                self._fail(str(error))
            totals += counted(line)
            if isinstance(line, Turn):
                missing.discard(line.id)
        if line.story != str(story.id) or line.totals + Totals(stories=1) != totals:
            self._fail(f"story {story.id} isn't all there")
        if missing:
            self._fail(f"turn {min(missing)} of story {story.id} is missing")
        return Section(story, totals, digest.hexdigest(), place)

    def _line(self) -> Line:
        data = self._data()
        try:
            return read_line(data)
        except ArchiveError as error:
            self._fail(str(error))

    def _data(self) -> bytes:
        """The next line, which has an end."""
        self._last = self._file.readline(LINE_LIMIT)
        self._number += 1
        if not self._last:
            self._fail("the file ends here: it was cut off")
        if not self._last.endswith(b"\n"):
            what = "the line is too long" if len(self._last) == LINE_LIMIT else "it was cut off"
            self._fail(what)
        self._digest.update(self._last)
        return self._last

    def _fail(self, what: str) -> NoReturn:
        raise self._fault(what)

    def _fault(self, what: str) -> ArchiveError:
        return ArchiveError(f"{self._name}, line {self._number}: {what}. Nothing was imported.")


@contextmanager
def checked_archive(name: str) -> Generator[ArchiveReader]:
    """An archive that was checked to its last byte.

    Args:
        name: of the file; "-" for standard input, which is put aside first.

    Raises:
        StartError: it can't be read; one line.
        ArchiveError: anything at all is wrong with it.
    """
    try:
        if name == STANDARD:
            with tempfile.TemporaryFile() as aside:
                while data := sys.stdin.buffer.read(_COPY):
                    aside.write(data)
                yield ArchiveReader(aside, "standard input")
            return
        with Path(name).open("rb") as file:
            yield ArchiveReader(file, name)
    except OSError as error:
        what = "standard input" if name == STANDARD else name
        raise StartError(f"{what} can't be read: {error.strerror or error}.") from error
