"""Archives: any record comes back as it was, through a line and through a whole file."""

import io
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given

from core.adapters.archive_file import ArchiveReader, ArchiveWriter
from core.adapters.archive_lines import header_line, item_line, read_line, story_line
from core.archive_ports import ArchiveHeader, Remembered, StoryItem
from core.domain.audit import Change
from core.domain.entries import EntryKind
from core.domain.moving import needed_turns
from core.domain.story import Story, StoryId, Turn, Vector
from core.ports import MemoryEntry
from tests.properties.hostile_text import hostile
from tests.properties.test_codec_properties import NUMBERS, STORIES, TEXT, TURNS, values

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
"""Names as they are given by the program: of turns and branches."""
VECTORS = st.binary(max_size=5).map(lambda data: Vector(data * 4))
ENTRIES = st.builds(
    MemoryEntry,
    turn_id=WORDS,
    number=st.integers(0, 10**6),
    branch=WORDS,
    text=TEXT | hostile,
    vector=VECTORS,
    written_at=NUMBERS,
    kind=st.sampled_from(EntryKind),
    key=st.integers(0, 99),
    about=TEXT | hostile,
    ends=st.lists(WORDS, max_size=3).map(tuple),
    first=st.integers(0, 10**6),
)
CHANGES: st.SearchStrategy[Change] = values(Change)
HEADER = ArchiveHeader("2026-11-23T10:00:00+00:00", "0.1.0")
NAMED_TURNS = st.builds(replace, TURNS, id=WORDS, branch=WORDS)


def legible(entry: MemoryEntry) -> MemoryEntry:
    """An entry as Redis holds it: what UTF-8 can't hold is a question mark."""
    text, about = (one.encode("utf-8", "replace").decode() for one in (entry.text, entry.about))
    return replace(entry, text=text, about=about)


def sent(entry: MemoryEntry) -> Remembered:
    return Remembered(legible(entry), "some model" if entry.vector else "")


@given(STORIES)
def test_a_story_comes_back_from_its_line(story: Story) -> None:
    line = story_line(story)
    assert line.decode("utf-8", "strict").count("\n") == 1
    assert read_line(line) == story


@given(STORIES, TURNS | CHANGES | ENTRIES.map(sent))
def test_every_other_record_comes_back_from_its_line(story: Story, item: StoryItem) -> None:
    """Whatever stands in it, hostile text and halves of characters too."""
    line = item_line(story.id, item)
    assert line.decode("utf-8", "strict").count("\n") == 1
    assert read_line(line) == item


@given(values(ArchiveHeader))
def test_a_header_comes_back_from_its_line(header: ArchiveHeader) -> None:
    """But for what isn't known, which may be written as nothing."""
    plain = replace(
        header,
        at=header.at.encode("utf-8", "replace").decode(),
        version=header.version.encode("utf-8", "replace").decode(),
        embedder=(header.embedder or "").encode("utf-8", "replace").decode() or None,
        dims=abs(header.dims or 0) or None,
        application=(header.application or "").encode("utf-8", "replace").decode() or None,
    )
    assert read_line(header_line(plain)) == plain


@given(st.lists(st.tuples(STORIES, st.lists(NAMED_TURNS | CHANGES | ENTRIES.map(sent)))))
def test_whole_stories_come_back_from_a_file(told: list[tuple[Story, list[StoryItem]]]) -> None:
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEADER)
    whole: dict[StoryId, tuple[Story, list[StoryItem]]] = {}
    for story, items in told:
        there = [one.id for one in items if isinstance(one, Turn)]
        missing = sorted(needed_turns(story) - {*there})
        bare = replace(story, head=None, draft=None) if missing else story
        whole[story.id] = (bare, items)
    for story, items in whole.values():
        writer.begin(story)
        for item in items:
            writer.add(item)
        writer.keep()
    writer.finish()
    source = ArchiveReader(file, "archive")
    assert [(one.story, list(source.items(one))) for one in source.sections] == list(whole.values())
