"""`talewheel export` and `import` as operators run them: between two servers, killed, repeated."""

import asyncio
import json
import os
import re
import signal
import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.moving import exported, imported
from bot.moving_options import export_options, import_options
from bot.playground.embedded_redis import EmbeddedRedis
from bot.settings import BotSettings
from core.adapters.minilm_embedder import DIMS as MINILM_DIMS
from core.adapters.minilm_embedder import MODEL_NAME as MINILM
from core.adapters.minilm_embedder import MiniLMEmbedder
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_departures import RedisDepartures
from core.adapters.redis_import import RedisImports
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_records import RedisRecords
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.story import Memory, Phase, Plans, Story, StoryId, Stretch, Turn
from core.errors import FencedError, TalewheelError
from core.ports import Commit, MessageKind
from core.services.remembering import remember
from core.services.run import Stations
from core.services.screening import Screening
from core.services.storyteller import Storyteller
from tests.adapters.redis_raw import raw_client
from tests.contracts.store_samples import a_story
from tests.fakes.content_filter import FakeAudience
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.narrator import FakeNarrator
from tests.fakes.stage import FakeStage
from tests.fakes.stepped_clock import RightClock, SteppedClock
from tests.fakes.stories import PLANS, a_reflection
from tests.repository.root import ROOT

pytestmark = pytest.mark.redis
ARCHIVE_1 = ROOT / "tests/adapters/stored_records/archive_1.jsonl"
"""Written by the version with which archives came, when records had format 1."""
CHANNEL, GUILD = 1_200_000_000_000_000_001, 77
SUMMARIES = (
    "Mira found a rusted key under the lighthouse stairs.",
    "A ferry without a crew drifted into the harbour at dawn.",
    "Corvin burned the ledger before anybody could read it.",
    "The old bell rang although its rope had been cut.",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Operator:
    """Runs commands, in this process where they needn't be killed.

    Attributes:
        folder: where relative names lead.
        screen: catches what is said.
    """

    folder: Path
    screen: pytest.CaptureFixture[str]

    async def run(self, command: str, *words: str, redis: str, **environ: str) -> Ended:
        """Run a command to its end, as ``main`` does."""
        parser = ArgumentParser()
        (export_options if command == "export" else import_options)(parser)
        chosen = parser.parse_args(words)
        if chosen.file != "-":
            chosen.file = str(self.folder / chosen.file)
        said = {"REDIS_URL": redis, **environ}
        settings = BotSettings.inspect(said, playground=True).settings
        self.screen.readouterr()
        try:
            doing = (
                exported(settings, chosen, "1")
                if command == "export"
                else imported(settings, chosen)
            )
            code = await doing
        except TalewheelError as error:
            return Ended(2, str(error))
        return Ended(code, self.screen.readouterr().err)

    async def lines(self, redis: str, *words: str) -> list[bytes]:
        """What an export writes of stories: all but the first and last line, and who holds one."""
        assert (await self.run("export", "again.jsonl", *words, redis=redis)).code == 0
        archive = (self.folder / "again.jsonl").read_bytes()
        return [
            re.sub(rb'"epoch":"\d+"', b'"epoch":"0"', line) for line in archive.splitlines()[1:-1]
        ]

    async def start(self, *words: str, redis: str, **environ: str) -> asyncio.subprocess.Process:
        """Start a command as the shell does."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *words),
            cwd=self.folder,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(ROOT),
                "OPENBLAS_NUM_THREADS": "1",
                "REDIS_URL": redis,
                **environ,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(tmp_path, capsys)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def other_server(wheels: None) -> AsyncIterator[EmbeddedRedis]:
    async with EmbeddedRedis() as server:
        yield server


@pytest_asyncio.fixture
async def other(other_server: EmbeddedRedis) -> EmbeddedRedis:
    """A second server, empty."""
    async with raw_client(other_server.url) as client:
        await client.execute_command("FLUSHALL")
        await client.execute_command("SCRIPT", "FLUSH")
    return other_server


@pytest_asyncio.fixture
async def minilm() -> AsyncIterator[MiniLMEmbedder]:
    embedder = MiniLMEmbedder()
    yield embedder
    embedder.close()


async def opened(server: EmbeddedRedis, embedder: MiniLMEmbedder | FakeEmbedder) -> RedisDatabase:
    database = RedisDatabase(server.url)
    await database.prepare(embedder.name, embedder.dims)
    return database


async def tell(
    database: RedisDatabase,
    embedder: MiniLMEmbedder | FakeEmbedder,
    channel: int = CHANNEL,
    turns: int = len(SUMMARIES),
) -> Story:
    """A story of some turns, whose newest is voted on."""
    store = RedisStoryStore(database, embedder.dims)
    story = replace(a_story(channel), phase=Phase.VOTING, closes_at=2e9, due=2e9)
    assert await store.create(story, "told")
    parent = None
    for number in range(1, turns + 1):
        reflection = replace(
            a_reflection(number), summary=SUMMARIES[number % len(SUMMARIES)] + f" ({number})"
        )
        turn = Turn(
            id=f"{number:032x}",
            number=number,
            parent=parent,
            branch="main",
            plan=None,
            paragraph=f"Paragraph {number}.",
            reflection=reflection,
            pieces=(number * 10,),
            ballot=number * 10 + 1,
            staged_at=float(number),
        )
        parent = turn.id
        story = replace(
            story,
            head=turn.id,
            lineage=(Stretch("main", 1, number),),
            memory=Memory(reflection.memory, number),
            plans=Plans(PLANS, number),
        )
        entries = await remember(turn, embedder)
        written = Commit(
            f"turn-{number}",
            story,
            frozenset({"memory", "plans"}),
            turn=turn,
            entries=entries,
        )
        await store.commit(written)
    return story


async def everything(server: EmbeddedRedis) -> dict[bytes, object]:
    """Every record of stories, as it is stored."""
    found: dict[bytes, object] = {}
    async with raw_client(server.url) as client:
        async for key in client.scan_iter(match="tw:*"):
            match await client.type(key):
                case b"hash":
                    found[key] = await client.hgetall(key)
                case b"list":
                    found[key] = await client.lrange(key, 0, -1)
                case _:
                    found[key] = await client.get(key)
    return found


# ── from one server to another ───────────────────────────────────────────────────────────────────


async def test_a_story_comes_to_another_server_with_all_that_it_remembers(
    empty_redis: EmbeddedRedis, other: EmbeddedRedis, operator: Operator, minilm: MiniLMEmbedder
) -> None:
    """Exported again it is the same to the byte, and its memory answers the same."""
    here = await opened(empty_redis, minilm)
    story = await tell(here, minilm)
    before = await everything(empty_redis)
    ended = await operator.run("export", "tales.jsonl", redis=empty_redis.url)
    assert ended.code == 0
    assert "exported 1 story (4 turns, 4 memory entries) to " in ended.said
    assert await everything(empty_redis) == before, "an export changes nothing"
    ended = await operator.run("import", "tales.jsonl", redis=other.url)
    assert ended.code == 0, ended.said
    assert "imported 1 story (4 turns, 4 memory entries)" in ended.said
    assert "anew" not in ended.said
    there = await opened(other, minilm)
    try:
        lines = await operator.lines(empty_redis.url)
        assert await operator.lines(other.url) == lines
        [query] = await minilm.embed(["Who destroyed the book?"])
        found = [
            await RedisMemorySearch(one, minilm.dims).nearest(story.id, story.lineage, query, 4)
            for one in (here, there)
        ]
        assert found[0] == found[1]
        assert "ledger" in found[0][0].text
    finally:
        await here.close()
        await there.close()


async def test_a_story_goes_on_from_the_second_server(
    empty_redis: EmbeddedRedis, other: EmbeddedRedis, operator: Operator, minilm: MiniLMEmbedder
) -> None:
    """Posted anew in a channel of its own, after a move between embedders too."""
    hashed = FakeEmbedder(16)
    here = await opened(empty_redis, hashed)
    try:
        await tell(here, hashed)
    finally:
        await here.close()
    await operator.run("export", "tales.jsonl", redis=empty_redis.url)
    places = ("--channel", f"{CHANNEL}=950", "--guild", f"{GUILD}=20")
    ended = await operator.run("import", "tales.jsonl", *places, redis=other.url)
    assert "4 vectors made anew" in ended.said
    there, clock = await opened(other, minilm), SteppedClock()
    stage = FakeStage(RightClock(clock))
    store = RedisStoryStore(there, minilm.dims)
    teller = Storyteller(
        Stations(
            store=store,
            schedule=RedisSchedule(there),
            search=RedisMemorySearch(there, minilm.dims),
            narrator=FakeNarrator(clock),
            embedder=minilm,
            stage=stage,
            clock=clock,
            screening=Screening(FakeAudience()),
            departures=RedisDepartures(there),
        )
    )

    async def until(number: int) -> Story:
        """Let time pass, and Redis answer, until the vote on a turn is open."""
        async with asyncio.timeout(30):
            while True:
                await clock.run_for(1)
                await asyncio.sleep(0.01)
                story = await store.load(StoryId(950, 1))
                if (story.phase, story.head_number) == (Phase.VOTING, number):
                    return story

    wheel = asyncio.create_task(teller.run())
    try:
        await teller.resume(950, 20)
        await until(4)
        assert stage.story(950) == ["Paragraph 4."]
        assert [one.offered for one in stage.shown(950, MessageKind.BALLOT)] == [3]
        stage.vote(950, 1, 0)
        await teller.close(950, 20)
        story = await until(5)
        newest = await store.turn(story.id, story.head or "")
        assert {one.number for one in newest.recalled} <= {1, 2, 3}
        assert newest.recalled
        assert len(stage.story(950)) == 2
    finally:
        wheel.cancel()
        await asyncio.gather(wheel, return_exceptions=True)
        await teller.aclose()
        await there.close()


async def test_stories_can_be_chosen(empty_redis: EmbeddedRedis, operator: Operator) -> None:
    """By channel, by server, by name; a name that isn't there is a mistake."""
    embedder = FakeEmbedder(16)
    database = await opened(empty_redis, embedder)
    try:
        for channel in (101, 102, 103):
            await tell(database, embedder, channel, 1)
        store = RedisStoryStore(database, 16)
        strange = a_story(104, guild=5, phase=Phase.ENDED)
        assert await store.create(strange, "strange")
    finally:
        await database.close()

    async def chosen(*words: str) -> list[str]:
        records = map(json.loads, await operator.lines(empty_redis.url, *words))
        return [one["story"] for one in records if one["kind"] == "story end"]

    assert await chosen() == ["101:1", "102:1", "103:1", "104:1"]
    assert await chosen("--channel", "102", "--story", "101:1") == ["101:1", "102:1"]
    assert await chosen("--guild", "5") == ["104:1"]
    for words in (("--story", "101:2"), ("--channel", "7"), ("--guild", "8")):
        ended = await operator.run("export", "x.jsonl", *words, redis=empty_redis.url)
        assert ended.code == 2
        assert "no story" in ended.said
    assert not (operator.folder / "x.jsonl").exists()


async def test_an_archive_of_the_first_format_is_imported(
    empty_redis: EmbeddedRedis, operator: Operator, minilm: MiniLMEmbedder
) -> None:
    """As it stood in the file; its vectors are of a model that isn't the present one."""
    ended = await operator.run("import", str(ARCHIVE_1), redis=empty_redis.url)
    assert ended.code == 0, ended.said
    assert "imported 2 stories (4 turns, 4 memory entries, 1 change by moderators)" in ended.said
    assert "4 vectors made anew" in ended.said
    database = await opened(empty_redis, minilm)
    try:
        store = RedisStoryStore(database, minilm.dims)
        live, over = await store.load(StoryId(900, 1)), await store.load(StoryId(901, 1))
        assert (live.phase, live.head_number, live.canon.entries) == (
            *(Phase.VOTING, 3),
            ("The lamp is cold.",),
        )
        assert (
            await store.turn(over.id, over.head or "")
        ).paragraph == "The lamp \ud800 turned. 海"
        [change] = await RedisRecords(database, database.vectors).changes(live.id, 1, 9)
        assert change.by.name == "Ada"
    finally:
        await database.close()
    async with raw_client(empty_redis.url) as client:
        assert await client.hget("tw:meta:application", "digest") == b"77"


async def test_an_endpoint_whose_vectors_come_along_is_not_asked(
    empty_redis: EmbeddedRedis, operator: Operator
) -> None:
    """Restoring a backup must not wait for it; without one that is named nothing is begun."""
    embeddings = {"EMBEDDINGS": "openai", "EMBEDDING_MODEL": "hashed-words"}
    url = empty_redis.url
    ended = await operator.run("import", str(ARCHIVE_1), redis=url, **embeddings)
    assert "no endpoint is named" in ended.said
    embeddings["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    ended = await operator.run("import", str(ARCHIVE_1), redis=url, **embeddings)
    assert (ended.code, "anew" in ended.said) == (0, False)
    ended = await operator.run("import", str(ARCHIVE_1), redis=url)
    assert "set them as for the bot" in ended.said, "the bot's index stays as it is"


async def test_what_is_there_already_is_counted_where_it_is_much(
    empty_redis: EmbeddedRedis, operator: Operator
) -> None:
    embedder = FakeEmbedder(MINILM_DIMS, MINILM)
    database = await opened(empty_redis, embedder)
    try:
        for channel in range(1, 13):
            await tell(database, embedder, channel, 1)
    finally:
        await database.close()
    await operator.run("export", "tales.jsonl", redis=empty_redis.url)
    ended = await operator.run("import", "tales.jsonl", redis=empty_redis.url)
    lines = ended.said.splitlines()
    assert lines[1] == "talewheel: story 1:1 is there already"
    assert lines[-2:] == [
        "talewheel: so are 2 others",
        "talewheel: imported 0 stories; 12 there already",
    ]


async def test_an_archive_holds_one_moment_of_a_story_that_goes_on(
    empty_redis: EmbeddedRedis, operator: Operator
) -> None:
    """A moderator edits it meanwhile: what is read belongs together, or is read again."""
    embedder = FakeEmbedder(16)
    database = await opened(empty_redis, embedder)
    store = RedisStoryStore(database, 16)
    story = await tell(database, embedder, 101, 150)
    first = await store.turn(story.id, f"{1:032x}")
    last = await store.turn(story.id, f"{150:032x}")

    async def edit() -> None:
        for version in range(1, 400):
            by, edited = Moderator(5, "Ada"), replace(story, turns_version=version)
            turn = replace(last if version % 2 else first, paragraph=f"Version {version}.")
            change = Change(ChangeKind.PARAGRAPH, 1.0, by, after=turn.paragraph)
            writes = frozenset({"turns"})
            commit = Commit(f"v{version}", edited, writes, turn=turn, change=change, holds=False)
            await store.commit(commit)

    editing = asyncio.create_task(edit())
    try:
        while (await store.load(story.id)).turns_version < 5:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0)
        lines = [json.loads(line) for line in await operator.lines(empty_redis.url)]
    finally:
        await editing
        await database.close()
    version = int(lines[0]["record"]["turns_v"])
    assert sum(line["kind"] == "change" for line in lines) == version
    paragraphs = [
        json.loads(line["record"]["turn"])["paragraph"] for line in lines if line["kind"] == "turn"
    ]
    odd = version - 1 + version % 2
    even = version - version % 2
    assert paragraphs[-1] == (f"Version {odd}." if odd > 0 else last.paragraph)
    assert paragraphs[0] == (f"Version {even}." if even else first.paragraph)


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_that_was_cut_off_writes_nothing(
    empty_redis: EmbeddedRedis, operator: Operator
) -> None:
    (operator.folder / "cut.jsonl").write_bytes(ARCHIVE_1.read_bytes()[:-1])
    ended = await operator.run("import", "cut.jsonl", redis=empty_redis.url)
    assert ended.code == 2
    assert "cut.jsonl, line 15: it was cut off. Nothing was imported." in ended.said
    assert await everything(empty_redis) == {}


async def test_an_import_that_was_killed_is_finished_by_the_next(
    empty_redis: EmbeddedRedis, other: EmbeddedRedis, operator: Operator
) -> None:
    """At whatever moment; what the bot finds in between is whole stories or none."""
    embedder = FakeEmbedder(16)
    database = await opened(empty_redis, embedder)
    try:
        for channel in (101, 102):
            await tell(database, embedder, channel, 40)
    finally:
        await database.close()
    archive = (await operator.run("export", "tales.jsonl", redis=empty_redis.url)).said
    assert "80 turns" in archive
    halves = 0
    for _ in range(2):
        process = await operator.start("import", "tales.jsonl", redis=other.url)
        halves += await killed_in_the_middle(process, other)
        whole = {key for key in await everything(other) if key.startswith(b"tw:story:")}
        for key in whole:
            place = key.removeprefix(b"tw:story:").decode()
            async with raw_client(other.url) as client:
                assert await client.hlen(f"tw:turns:{place}") == 40
    assert halves, "one was killed with a story half there"
    ended = await operator.run("import", "tales.jsonl", redis=other.url)
    assert ended.code == 0, ended.said
    assert [line for line in await operator.lines(other.url) if b'"kind":"turn"' in line] == [
        line for line in await operator.lines(empty_redis.url) if b'"kind":"turn"' in line
    ]
    left = {key for key in await everything(other) if key.startswith(b"tw:import:")}
    assert left == set()


async def killed_in_the_middle(process: asyncio.subprocess.Process, server: EmbeddedRedis) -> int:
    """Kill an import as soon as a story is half there; 1 if that was met."""
    async with raw_client(server.url) as client:
        before = await client.dbsize()
        while process.returncode is None:
            await asyncio.sleep(0.002)
            half = [key async for key in client.scan_iter(match="tw:import:*", count=1000)]
            if half and await client.dbsize() > before + 10:
                process.send_signal(signal.SIGKILL)
                await process.communicate()
                return 1
    await process.communicate()
    return 0


async def test_a_worker_that_holds_a_story_that_is_replaced_is_fenced_off(
    empty_redis: EmbeddedRedis, operator: Operator
) -> None:
    """It works on while the import comes: nothing of it is written any more."""
    embedder = FakeEmbedder(MINILM_DIMS, MINILM)
    database = await opened(empty_redis, embedder)
    await tell(database, embedder, turns=2)
    store, schedule = RedisStoryStore(database, MINILM_DIMS), RedisSchedule(database)
    story = StoryId(CHANNEL, 1)
    held = await schedule.claim(story, 1e9, 2e9, force=True)
    await store.commit(Commit("tried", replace(held, tries=5)))
    newer = await operator.run("export", "tales.jsonl", redis=empty_redis.url)
    assert newer.code == 0
    await store.commit(Commit("older", replace(held, tries=2)))
    records, imports = RedisRecords(database, database.vectors), RedisImports(database)
    seen = await records.seen(story)
    assert await imports.begin(story, "run", seen)
    await imports.abandon(story, "run")
    with pytest.raises(FencedError):
        await store.commit(Commit("late", replace(held, tries=1)))
    ended = await operator.run("import", "tales.jsonl", redis=empty_redis.url)
    assert ended.code == 0, ended.said
    with pytest.raises(FencedError):
        await store.commit(Commit("later", replace(held, tries=1)))
    with pytest.raises(FencedError):
        await schedule.renew(story, held.epoch, 3e9)
    assert (await store.load(story)).tries == 5
    await database.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_export_that_is_stopped_leaves_no_file(
    number: signal.Signals, empty_redis: EmbeddedRedis, operator: Operator
) -> None:
    embedder = FakeEmbedder(16)
    database = await opened(empty_redis, embedder)
    try:
        await tell(database, embedder, 101, 300)
    finally:
        await database.close()
    process = await operator.start("export", "tales.jsonl", redis=empty_redis.url)
    while not [*operator.folder.iterdir()]:  # noqa: ASYNC110 - a folder tells nobody
        await asyncio.sleep(0.001)
    process.send_signal(number)
    _, said = await process.communicate()
    if process.returncode == 0:
        pytest.skip("it was done before it was stopped")
    assert process.returncode == 1
    assert said.decode() == "talewheel: stopped: nothing was written.\n"
    assert list(operator.folder.iterdir()) == []


async def test_what_the_operator_can_mend_is_one_line(operator: Operator) -> None:
    """Exit code 2, also with the settings of a bot that would not start."""
    away = "redis://:s3cret@127.0.0.1:9/0"
    process = await operator.start("export", "x.jsonl", redis=away, QUORUM="none")
    out, said = await process.communicate()
    [line] = said.decode().splitlines()
    assert (process.returncode, out) == (2, b"")
    assert line.startswith("talewheel: REDIS_URL redis://:***@127.0.0.1:9/0 can't be reached")
    for words, why in (
        (("import", "none.jsonl"), "none.jsonl can't be read: No such file"),
        (("import", str(ROOT / "README.md")), "is no archive of Talewheel"),
        (("import", str(ARCHIVE_1)), "can't be reached"),
    ):
        assert why in (await operator.run(*words, redis=away)).said
