"""Archives as files: whole or not at all, and what was done to one is noticed before it is used."""

import base64
import hashlib
import io
import json
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.archive_file import (
    ArchiveReader,
    ArchiveWriter,
    checked_archive,
    new_archive,
)
from core.archive_ports import ArchiveHeader, Remembered, StoryItem
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.moving import Totals
from core.domain.story import Story, Vector
from core.errors import ArchiveError, StartError
from tests.contracts.store_samples import a_chapter, a_fact, a_story, a_turn, an_entry

HEADER = ArchiveHeader("2026-11-23T10:00:00+00:00", "0.1.0", "test-embedder", 8, "77")
CHANGE = Change(ChangeKind.PINNED, 1.5, Moderator(5, "Ada"), after="The lamp \ud800 is cold.")
STORY = replace(a_story(), head="t1")
ITEMS: tuple[StoryItem, ...] = (
    a_turn("t1", 1, "The lamp turned. 🏴󠁧󠁢󠁥󠁮󠁧󠁿 \ud800 \x00"),
    Remembered(an_entry("t1"), "test-embedder"),
    Remembered(a_fact("t1", ends=("t0/1",)), "test-embedder"),
    Remembered(replace(a_chapter("t1"), vector=Vector(b""))),
    CHANGE,
)


def written(*stories: tuple[Story, tuple[StoryItem, ...]], header: ArchiveHeader = HEADER) -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, header)
    for story, items in stories:
        writer.begin(story)
        for item in items:
            writer.add(item)
        writer.keep()
    writer.finish()
    return file.getvalue()


ARCHIVE = written((STORY, ITEMS), (a_story(7), ()))


def read(data: bytes) -> ArchiveReader:
    return ArchiveReader(io.BytesIO(data), "tales.jsonl")


def signed(lines: list[bytes]) -> bytes:
    """The lines as an archive whose digest is right: what somebody wrote who knows how."""
    end = json.loads(lines[-1])
    end["sha256"] = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    return b"".join([*lines[:-1], json.dumps(end).encode() + b"\n"])


def test_what_is_read_is_what_was_written() -> None:
    """Header, stories and every kind of record, with what UTF-8 can't hold."""
    source = read(ARCHIVE)
    assert source.header == HEADER
    one, other = source.sections
    assert (one.story, one.totals) == (STORY, Totals(1, 1, 3, 1))
    assert tuple(source.items(one)) == ITEMS
    assert (other.story, tuple(source.items(other))) == (a_story(7), ())
    assert tuple(source.items(one)) == ITEMS, "in any order, and again"


def test_an_archive_is_lines_of_json_that_anybody_can_read() -> None:
    """Records are as Redis holds them; a vector is base64 beside its embedder's name."""
    lines = [json.loads(line) for line in ARCHIVE.decode("utf-8", "strict").splitlines()]
    kinds = [line["kind"] for line in lines]
    assert kinds == [
        *("archive", "story", "turn", "memory", "memory", "memory", "change", "story end"),
        *("story", "story end", "end"),
    ]
    assert lines[1]["record"]["story"] == str(STORY.id)
    assert "surrog" not in lines[3]["record"]["text"]
    vector = base64.b64decode(lines[3]["vector"])
    assert (vector, lines[3]["embedder"]) == (an_entry("t1").vector, "test-embedder")
    assert not {"vector", "words"} & lines[3]["record"].keys()
    assert base64.b64decode(lines[2]["record"]["turn"]["base64"]).startswith(b'{"id":"t1"')
    digest = hashlib.sha256(ARCHIVE[: ARCHIVE.rindex(b'{"kind":"end"')]).hexdigest()
    assert lines[-1]["sha256"] == digest


@given(st.integers(0, len(ARCHIVE) - 1))
def test_an_archive_that_was_cut_off_is_refused(at: int) -> None:
    """Anywhere, also between two lines or two stories."""
    with pytest.raises(ArchiveError, match=r"tales\.jsonl"):
        read(ARCHIVE[:at])


@given(st.integers(0, len(ARCHIVE) - 1), st.binary(max_size=3))
def test_an_archive_that_was_changed_is_refused(at: int, by: bytes) -> None:
    """A sign changed, dropped or put in, anywhere at all."""
    changed = ARCHIVE[:at] + by + ARCHIVE[at + 1 :]
    if changed != ARCHIVE:
        with pytest.raises(ArchiveError, match=r"tales\.jsonl"):
            read(changed)


def test_something_behind_the_end_is_refused() -> None:
    with pytest.raises(ArchiveError, match="follows"):
        read(ARCHIVE + b"\n")
    with pytest.raises(ArchiveError, match="follows"):
        read(ARCHIVE + ARCHIVE)


LINES = ARCHIVE.splitlines(keepends=True)


def instead(number: int, *lines: bytes) -> bytes:
    """The archive with other lines in the place of one, counted from 1; its digest is right."""
    return signed([*LINES[: number - 1], *lines, *LINES[number:]])


def without(number: int) -> bytes:
    return instead(number)


def altered(number: int, old: bytes, new: bytes) -> bytes:
    assert old in LINES[number - 1]
    return instead(number, LINES[number - 1].replace(old, new, 1))


FORGED = (
    ("comes a second time", signed([*LINES[:8], *LINES[1:]])),
    ("isn't all there", without(4)),
    ("isn't all there", instead(4, LINES[3], LINES[3])),
    ("turn t2 of story", altered(2, b'"head\\":\\"t1', b'"head\\":\\"t2')),
    ("last line says", signed([*LINES[:8], LINES[-1]])),
    ("outside of a story", instead(2, LINES[2], LINES[1])),
    ("has no end", without(8)),
    ("isn't known", instead(2, b'{"kind":"poem"}\n')),
    ("isn't a JSON object", instead(2, b"[]\n")),
    ('"kind" is missing', instead(2, b"{}\n")),
    ("isn't JSON", instead(2, b"\xff\n")),
    ("isn't JSON", instead(2, b"[" * 100_000 + b"\n")),
    ('"record" is missing', instead(3, b'{"kind":"turn"}\n')),
    ('"vector" isn\'t base64', altered(4, b'"vector":"', b'"vector":"!')),
    ('"vector" isn\'t a vector', altered(4, b'"vector":"', b'"vector":"AAAA')),
    ('"vector" is missing', altered(4, b'"vector":"', b'"vector":7,"was":"')),
    ('"embedder" is missing', altered(4, b'"embedder"', b'"embedded"')),
    ("line 4: a key's", altered(4, b'"turn":"t1"', b'"turn":"t 1"')),
    ("line 4: a tag needs", altered(4, b'"branch":"main"', b'"branch":"main "')),
    ("line 4", altered(4, b'"kind":"summary"', b'"kind":"rumour"')),
    ("neither text nor base64", altered(4, b'"number":"1"', b'"number":1')),
    ("neither text nor base64", altered(4, b'"number":"1"', b'"number":{"base64":"!"}')),
    ("field number", altered(4, b'"number":"1"', b'"number":"one"')),
    ("has format 99", altered(2, b'"format":"', b'"format":"99","was":"')),
    ('"turns" is missing', altered(8, b'"turns":1', b'"turns":true')),
)


@pytest.mark.parametrize(("why", "archive"), FORGED)
def test_an_archive_that_somebody_made_up_is_refused(why: str, archive: bytes) -> None:
    """What a record can't be doesn't come in by a file either, though its digest is right."""
    with pytest.raises(ArchiveError) as caught:
        read(archive)
    assert why in str(caught.value)
    assert str(caught.value).endswith("Nothing was imported.")


def test_other_files_are_no_archives() -> None:
    for data in (b"", b"{}\n", b"PK\x03\x04", b"\n" * 9, ARCHIVE[ARCHIVE.index(b"\n") + 1 :]):
        with pytest.raises(ArchiveError, match=r"tales\.jsonl"):
            read(data)


def test_an_archive_of_a_later_version_names_who_wrote_it() -> None:
    later = ARCHIVE.replace(b'"archive":1', b'"archive":2').replace(b"0.1.0", b"9.0.0")
    with pytest.raises(ArchiveError, match=r"Talewheel 9\.0\.0"):
        read(later)


def test_a_file_that_changes_after_it_was_checked_is_noticed_before_its_story_is_whole() -> None:
    file = io.BytesIO(ARCHIVE)
    source = ArchiveReader(file, "tales.jsonl")
    file.seek(ARCHIVE.index(b"They climbed down"))
    file.write(b"They climbed back")
    with pytest.raises(ArchiveError, match="changed while it was read"):
        list(source.items(source.sections[0]))


def test_a_story_that_is_dropped_leaves_no_trace() -> None:
    file, on = io.BytesIO(), io.BytesIO()
    for writer in (ArchiveWriter(file, HEADER), ArchiveWriter(io.BytesIO(), HEADER, on)):
        writer.begin(a_story(5))
        writer.add(ITEMS[0])
        writer.drop()
        writer.drop()
        writer.begin(STORY)
        for item in ITEMS:
            writer.add(item)
        assert writer.keep() == Totals(1, 1, 3, 1)
        writer.begin(a_story(7))
        writer.keep()
        writer.finish()
        assert (writer.totals, writer.size) == (Totals(2, 1, 3, 1), len(ARCHIVE))
    assert file.getvalue() == on.getvalue() == ARCHIVE


def test_a_record_needs_its_story() -> None:
    writer = ArchiveWriter(io.BytesIO(), HEADER)
    with pytest.raises(ValueError, match="no story was begun"):
        writer.add(ITEMS[0])


# ── places ───────────────────────────────────────────────────────────────────────────────────────


def put(writer: ArchiveWriter) -> None:
    writer.begin(a_story(7))
    writer.keep()


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    """Only its owner may read it; one that was there is replaced at once."""
    place = tmp_path / "tales.jsonl"
    place.write_text("yesterday's", encoding="utf-8")
    with new_archive(str(place), HEADER) as writer:
        put(writer)
        assert place.read_text(encoding="utf-8") == "yesterday's"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with checked_archive(str(place)) as source:
        assert [one.story for one in source.sections] == [a_story(7)]
    assert list(tmp_path.iterdir()) == [place]


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "tales.jsonl"
    place.write_text("yesterday's", encoding="utf-8")

    def fail() -> None:
        with new_archive(str(place), HEADER) as writer:
            put(writer)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert place.read_text(encoding="utf-8") == "yesterday's"
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    place, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    link.symlink_to(place)
    with new_archive(str(link), HEADER) as writer:
        put(writer)
    assert link.is_symlink()
    assert place.stat().st_size


@pytest.mark.parametrize("name", ["/dev/null", "no/such/folder/tales.jsonl", "/proc/tales.jsonl"])
def test_what_can_not_be_written_is_said_in_one_line(name: str) -> None:
    with pytest.raises(StartError) as caught, new_archive(name, HEADER):
        pass
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_can_not_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    for place in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(StartError, match="can't be read"), checked_archive(str(place)):
            pass


class Piped:
    """Standard input or output as a program sees it."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = io.BytesIO(data)


class Closed(io.BytesIO):
    """A pipe that nobody reads any more."""

    def write(self, _: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_pipe_that_nobody_reads_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Piped()
    out.buffer = Closed()
    monkeypatch.setattr(sys, "stdout", out)
    with pytest.raises(StartError, match="Broken pipe"), new_archive("-", HEADER):
        pass


def test_an_archive_comes_out_of_a_pipe_as_it_went_in(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Piped()
    monkeypatch.setattr(sys, "stdout", out)
    with new_archive("-", HEADER) as writer:
        put(writer)
    monkeypatch.setattr(sys, "stdin", Piped(out.buffer.getvalue()))
    with checked_archive("-") as source:
        assert [one.story for one in source.sections] == [a_story(7)]
    monkeypatch.setattr(sys, "stdin", Piped(out.buffer.getvalue()[:-1]))
    with pytest.raises(ArchiveError, match="standard input"), checked_archive("-"):
        pass
