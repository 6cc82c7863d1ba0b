"""Exports and imports between worlds that tests own, over real archives in memory."""

from collections.abc import Sequence
from io import BytesIO

from core.adapters.archive_file import ArchiveReader, ArchiveWriter
from core.archive_ports import ArchiveHeader, StoryRecords
from core.domain.moving import Places
from core.domain.story import StoryId
from core.ports import Clock, Embedder
from core.services.exporting import Export, Exported
from core.services.importing import Hall, Import, Imported
from tests.fakes.clock import FakeClock
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.moving import FakeImports, FakeRecords
from tests.fakes.store import FakeStoryStore, StoreWorld

HEADER = ArchiveHeader("2026-11-23T10:00:00+00:00", "0.1.0", "hashed-words", 16)


async def packed(
    records: StoryRecords,
    stories: Sequence[StoryId] | None = None,
    *,
    clock: Clock | None = None,
    vectors: bool = True,
    header: ArchiveHeader = HEADER,
) -> tuple[bytes, Exported]:
    """An archive of these stories, or of all, and what the export said."""
    file = BytesIO()
    writer = ArchiveWriter(file, header)
    export = Export(records, writer, clock or FakeClock(), vectors=vectors)
    done = await export.run(await records.stories() if stories is None else stories)
    writer.finish()
    return file.getvalue(), done


def hall(
    world: StoreWorld,
    clock: Clock | None = None,
    embedder: Embedder | None = None,
    application: str | None = None,
) -> Hall:
    """A world that stories come to."""
    return Hall(
        FakeRecords(world),
        FakeStoryStore(world),
        FakeImports(world),
        embedder or FakeEmbedder(16),
        clock or FakeClock(),
        application,
    )


async def unpacked(
    archive: bytes, to: Hall, *, places: Places | None = None, replaces: bool = False
) -> Imported:
    """Import an archive."""
    source = ArchiveReader(BytesIO(archive), "archive")
    return await Import(source, to, places=places or Places(), replaces=replaces).run()
