"""`talewheel purge` as a process, with REDIS_URL alone: what it asks, says and leaves."""

import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from bot.__main__ import MISTAKE, main
from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_database import RedisDatabase
from core.domain.audit import SOMEBODY
from core.domain.story import StoryId
from tests.adapters.redis_dump import dump, keys_with
from tests.adapters.test_redis_purging import ADA, CHANNELS, GONE, STAYS, FilledRedis

pytestmark = pytest.mark.redis

ROOT = Path(__file__).resolve().parents[2]
CHANNEL, OTHER = CHANNELS[GONE]


@pytest.fixture
async def filled(database: RedisDatabase) -> FilledRedis:
    """Two servers with three stories each."""
    redis = FilledRedis(database)
    for guild in (GONE, STAYS):
        await redis.fill(guild)
    return redis


async def purge(folder: Path, url: str, *options: str, types: str | None = None) -> tuple[int, str]:
    """Give the command in an empty folder; gives its exit code and all that it says.

    Args:
        types: what somebody types at a terminal; None: there is none.
    """
    ours, theirs = pty.openpty() if types is not None else (None, asyncio.subprocess.DEVNULL)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "purge", *options),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": url},
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    if types is not None and ours is not None:
        os.write(ours, f"{types}\n".encode())
    said, _ = await process.communicate()
    if ours is not None:
        os.close(ours)
        os.close(theirs)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_server_is_deleted_at_once(
    filled: FilledRedis, empty_redis: EmbeddedRedis, tmp_path: Path
) -> None:
    """Whatever its days; a second time there is nothing left to delete."""
    code, said = await purge(tmp_path, empty_redis.url, "--guild", str(GONE), "--yes")
    assert code == 0
    assert f"server {GONE}: 3 stories, 0 turns, 3 changes by moderators." in said
    assert "deleted: 3 stories" in said
    assert "BGREWRITEAOF" in said
    held = await dump(empty_redis.url)
    assert keys_with(held, str(GONE), str(CHANNEL), str(OTHER)) == set()
    assert len(keys_with(held, str(STAYS))) >= 3
    code, said = await purge(tmp_path, empty_redis.url, "--guild", str(GONE))
    assert (code, said) == (0, f"talewheel: nothing is kept of server {GONE}.\n")
    del filled


async def test_it_asks_first_and_needs_a_yes(
    filled: FilledRedis, empty_redis: EmbeddedRedis, tmp_path: Path
) -> None:
    """Without a terminal it deletes nothing unless it is told that it is meant."""
    before = await dump(empty_redis.url)
    code, said = await purge(tmp_path, empty_redis.url, "--channel", str(CHANNEL))
    assert code == MISTAKE
    assert said.endswith("talewheel: nobody can be asked here whether that is meant: add --yes\n")
    for typed in ("no", "", "y"):
        code, said = await purge(tmp_path, empty_redis.url, "--channel", str(CHANNEL), types=typed)
        assert code == 0
        assert "nothing was changed" in said
    assert await dump(empty_redis.url) == before
    code, said = await purge(tmp_path, empty_redis.url, "--channel", str(CHANNEL), types="Yes")
    assert code == 0
    assert "deleted: 2 stories" in said
    assert await filled.erasure.kept(CHANNEL) == []
    assert await filled.erasure.kept(OTHER) == [StoryId(OTHER, 1)]


async def test_one_story_of_a_channel_is_deleted(
    filled: FilledRedis, empty_redis: EmbeddedRedis, tmp_path: Path
) -> None:
    """Named as an export names it."""
    code, said = await purge(tmp_path, empty_redis.url, "--story", f"{CHANNEL}:1", "--yes")
    assert code == 0
    assert "deleted: 1 story" in said
    assert await filled.erasure.kept(CHANNEL) == [StoryId(CHANNEL, 2)]
    code, said = await purge(tmp_path, empty_redis.url, "--story", f"{CHANNEL}:1", "--yes")
    assert (code, said) == (0, f"talewheel: nothing is kept of story {CHANNEL}:1.\n")


async def test_a_moderators_name_leaves_all_servers(
    filled: FilledRedis, empty_redis: EmbeddedRedis, tmp_path: Path
) -> None:
    """Their changes stay."""
    code, said = await purge(tmp_path, empty_redis.url, "--moderator", str(ADA.id), "--yes")
    assert code == 0
    assert "erased: the name in 6 changes of 6 stories." in said
    assert keys_with(await dump(empty_redis.url), "Ada", str(ADA.id)) == set()
    [logged] = await filled.archive.changes_since(StoryId(CHANNEL, 1), 1)
    assert logged.change.by == SOMEBODY
    assert logged.change.after == "The lamp is cold."
    code, said = await purge(tmp_path, empty_redis.url, "--moderator", str(ADA.id), "--yes")
    assert f"no log has the name of Discord's user {ADA.id}." in said


async def test_a_database_that_no_bot_used_and_one_that_is_away_end_with_a_line(
    empty_redis: EmbeddedRedis, tmp_path: Path
) -> None:
    """Nothing is made in the first."""
    code, said = await purge(tmp_path, empty_redis.url, "--guild", "5", "--yes")
    assert code == 0
    assert said == "talewheel: nothing is kept in this database: no bot has used it yet.\n"
    assert await dump(empty_redis.url) == {}
    code, said = await purge(tmp_path, "unix:///nowhere.sock", "--guild", "5", "--yes")
    assert code == MISTAKE
    assert said.count("\n") == 1
    assert "REDIS_URL" in said


@pytest.mark.parametrize(
    "given", [[], ["--guild", "abc"], ["--story", "5"], ["--guild", "1", "--channel", "2"]]
)
def test_what_is_to_go_must_be_said_once(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is guessed."""
    with pytest.raises(SystemExit) as ended:
        main(["purge", *given, "--yes"])
    assert ended.value.code == MISTAKE
    assert "purge" in capsys.readouterr().err
