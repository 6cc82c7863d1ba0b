"""Any story, out of Redis into an archive and back: nothing of it changes, nor anything else."""

import io
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Effort

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters import redis_keys
from core.adapters.archive_file import ArchiveReader, ArchiveWriter
from core.adapters.redis_database import Part, RedisDatabase, Reply, Script
from core.adapters.redis_import import RedisImports
from core.adapters.redis_records import RedisRecords
from core.adapters.redis_story_store import RedisStoryStore
from core.archive_ports import ArchiveHeader
from core.domain.audit import Change, ChangeKind, Moderator
from core.domain.entries import Fact
from core.domain.moving import needed_turns
from core.domain.story import Brief, Canon, Memory, Phase, Plan, Plans, Reflection, Story, Turn
from core.errors import FencedError
from core.services.exporting import Export
from core.services.importing import Hall, Import, Imported
from core.services.remembering import remember
from tests.adapters.redis_raw import raw_client
from tests.adapters.test_redis_hostile_text import COMMANDS
from tests.contracts.store_samples import DIMS, a_story, a_turn
from tests.core.domain.injections import INJECTIONS
from tests.fakes.clock import FakeClock
from tests.fakes.embedder import FakeEmbedder
from tests.properties.hostile_text import hostile
from tests.properties.test_archive_properties import WORDS
from tests.properties.test_codec_properties import STORIES, TURNS, values

pytestmark = pytest.mark.redis
EMBEDDER = FakeEmbedder(DIMS, "test-embedder")
CHANNEL = 900


@dataclass(frozen=True, slots=True)
class Told:
    """A story with its turns and its log."""

    story: Story
    turns: tuple[Turn, ...]
    changes: tuple[Change, ...]


async def stored(database: RedisDatabase, told: Sequence[Told]) -> None:
    """Put stories where a bot would have put them."""
    imports = RedisImports(database)
    for one in told:
        assert await imports.begin(one.story.id, "seed")
        for turn in one.turns:
            await imports.put(one.story.id, "seed", [turn, *await remember(turn, EMBEDDER)])
        if one.changes:
            await imports.log(one.story.id, "seed", 1, one.changes)
        assert await imports.finish(one.story, "seed", "seed")


async def exported(database: RedisDatabase) -> bytes:
    records, file = RedisRecords(database, database.vectors), io.BytesIO()
    writer = ArchiveWriter(file, ArchiveHeader("now", "0.1.0", EMBEDDER.name, DIMS))
    done = await Export(records, writer, FakeClock()).run(await records.stories())
    assert done.left_out == ()
    writer.finish()
    return file.getvalue()


async def imported(database: RedisDatabase, archive: bytes) -> Imported:
    hall = Hall(
        RedisRecords(database, database.vectors),
        RedisStoryStore(database, DIMS),
        RedisImports(database),
        EMBEDDER,
        FakeClock(),
    )
    return await Import(ArchiveReader(io.BytesIO(archive), "archive"), hall).run()


async def emptied(server: EmbeddedRedis) -> None:
    async with raw_client(server.url) as client:
        async for key in client.scan_iter(match="tw:*"):
            if not key.startswith(b"tw:meta:"):
                await client.delete(key)


async def everything(server: EmbeddedRedis) -> dict[bytes, object]:
    """Every record, less who holds a story and who made it."""
    found: dict[bytes, object] = {}
    async with raw_client(server.url) as client:
        async for key in client.scan_iter(match="tw:*"):
            match await client.type(key):
                case b"hash":
                    volatile = {b"epoch", b"created_by", b"due"}
                    whole = await client.hgetall(key)
                    found[key] = {n: v for n, v in whole.items() if n not in volatile}
                case b"list":
                    found[key] = await client.lrange(key, 0, -1)
                case _:
                    found[key] = await client.get(key)
    return found


def lines(archive: bytes) -> list[bytes]:
    return [re.sub(rb'"epoch":"-?\d+"', b"", line) for line in archive.splitlines()[1:-1]]


async def comes_and_goes(
    database: RedisDatabase, server: EmbeddedRedis, told: Sequence[Told]
) -> None:
    """Export, lose everything, import: all is as it was, and a second import finds it so."""
    await emptied(server)
    await stored(database, told)
    before, archive = await everything(server), await exported(database)
    await emptied(server)
    done = await imported(database, archive)
    assert (done.totals.stories, done.embedded, done.refused) == (len(told), 0, ())
    assert await everything(server) == before
    assert lines(await exported(database)) == lines(archive)
    again = await imported(database, archive)
    assert (again.totals.stories, len(again.passed), again.refused) == (0, len(told), ())


async def test_hostile_text_travels_like_any_other(
    database: RedisDatabase, empty_redis: EmbeddedRedis
) -> None:
    """In premise, plans, memory, canon, paragraph, summary, facts and the log; no key is made."""
    told: list[Told] = []
    for channel, text in enumerate([*COMMANDS, *INJECTIONS.values()], 1):
        story = replace(
            a_story(channel),
            head="t1",
            brief=Brief(text, text, text, text, text, text),
            memory=Memory(text),
            canon=Canon((text, text)),
            plans=Plans((Plan(text, text),) * 3),
        )
        seen = text.encode("utf-8", "replace").decode()
        reflection = Reflection(text, text, seen, story.plans.options, (Fact(1, seen, seen),), seen)
        turn = replace(a_turn(paragraph=text), reflection=reflection, plan=Plan(text, text))
        change = Change(ChangeKind.PARAGRAPH, 1.5, Moderator(5, text), text, text)
        told.append(Told(story, (turn,), (change,)))
    await comes_and_goes(database, empty_redis, told)


FACTS = st.builds(
    Fact,
    key=st.integers(1, 9),
    about=hostile,
    text=hostile,
    ends=st.lists(WORDS, max_size=2).map(tuple),
    dropped=st.booleans(),
)
REFLECTIONS = st.builds(
    Reflection,
    rationale=hostile,
    memory=hostile,
    summary=hostile,
    plans=values(tuple[Plan, ...]),
    facts=st.lists(FACTS, max_size=3, unique_by=lambda one: one.key).map(tuple),
    chapter=hostile,
)


@st.composite
def told_stories(draw: st.DrawFn, serial: int) -> Told:
    """A story that could be stored: its turns have places of their own."""
    turns = tuple(
        replace(
            draw(TURNS),
            id=f"t{number}",
            number=number,
            branch=draw(WORDS),
            reflection=draw(st.none() | REFLECTIONS),
        )
        for number in range(1, 1 + draw(st.integers(0, 3)))
    )
    story = replace(draw(STORIES), id=replace(a_story().id, serial=serial))
    if needed_turns(story) - {turn.id for turn in turns}:
        story = replace(story, head=turns[-1].id if turns else None, draft=None)
    if serial == 1:
        story = replace(story, phase=Phase.ENDED)
    changes: tuple[Change, ...] = draw(values(tuple[Change, ...]))
    return Told(story, turns, changes)


# Each example takes a tenth of a second at least, so none is made smaller.
@settings(
    max_examples=15,
    phases=(Effort.explicit, Effort.reuse, Effort.generate),
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)
@given(told=st.tuples(told_stories(1), told_stories(2)))
async def test_any_story_travels(
    database: RedisDatabase, empty_redis: EmbeddedRedis, told: tuple[Told, Told]
) -> None:
    """Every field of every record, an ended story and the channel's newest behind it."""
    await comes_and_goes(database, empty_redis, told)


class Interrupted(RedisDatabase):
    """A database in which something happens just before what an import left is removed."""

    between: Callable[[], Awaitable[None]]

    async def script(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Part],
        *,
        doing: str,
        on_disk: bool = False,
    ) -> Reply:
        if doing.startswith("clear the place"):
            await self.between()
        return await super().script(script, keys, arguments, doing=doing, on_disk=on_disk)


async def test_an_import_that_still_runs_is_fenced_before_what_it_put_is_removed(
    database: RedisDatabase, empty_redis: EmbeddedRedis
) -> None:
    """Else it could finish a story in the middle of that, which would then lack its turns."""
    story, running = a_story(CHANNEL), RedisImports(database)
    assert await running.begin(story.id, "running")
    await running.put(story.id, "running", [a_turn("t1")])

    async def finish() -> None:
        with pytest.raises(FencedError):
            await running.finish(story, "running", "import-1")

    second = Interrupted(empty_redis.url)
    second.between = finish
    try:
        await second.prepare(EMBEDDER.name, DIMS)
        assert await RedisImports(second).clear() == 1
    finally:
        await second.close()
    assert await RedisStoryStore(database, DIMS).current(CHANNEL) is None


async def test_a_story_that_is_there_is_never_cleared(
    database: RedisDatabase, empty_redis: EmbeddedRedis
) -> None:
    """Whatever mark stands beside it: it is whole."""
    story, turn = a_story(CHANNEL), a_turn("t1")
    await stored(database, [Told(story, (turn,), ())])
    async with raw_client(empty_redis.url) as client:
        await client.set(redis_keys.importing(story.id), "left")
    assert await RedisImports(database).clear() == 0
    assert await RedisStoryStore(database, DIMS).turn(story.id, turn.id) == turn
    async with raw_client(empty_redis.url) as client:
        assert not await client.exists(redis_keys.importing(story.id))
