"""Bots without the second that Python takes to load one: forked from a process that has it loaded.

A campaign starts the bot a thousand times, and loading its modules would be most of that work. The
process in here (`python -m tests.faults.bot_nursery`) imports them, opens nothing, and forks a
child for each line that asks for one; the child becomes what `python -m bot run` is, with its own
environment, folder and output. Whoever asks, by a ``Nursery``, gets the likeness of a process.
"""

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]


class Child:
    """A forked bot, with what asyncio's processes have of use here.

    Attributes:
        pid: its process id.
        returncode: its exit code, the negative signal that ended it, None while it runs.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def send_signal(self, number: int) -> None:
        """Send a signal; none to one that has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end; gives the exit code."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def ended(self, code: int) -> None:
        """The nursery says that it ended."""
        self.returncode = code
        self._ended.set()


class Nursery:
    """The loaded process; use as an async context manager. Its children end with it."""

    def __init__(self) -> None:
        self._children: dict[int, Child] = {}
        self._births: asyncio.Queue[Child] = asyncio.Queue()
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.faults.bot_nursery"),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._listening

    async def bear(self, folder: Path, environment: Mapping[str, str]) -> Child:
        """Fork a bot that runs in a folder, with its output appended to the files there."""
        asked = json.dumps({"folder": str(folder), "environment": dict(environment)})
        async with self._one_at_a_time:
            assert self._process.stdin is not None
            self._process.stdin.write(asked.encode() + b"\n")
            return await self._births.get()

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            word, pid, *code = line.decode().split()
            if word == "born":
                self._children[int(pid)] = Child(int(pid))
                self._births.put_nowait(self._children[int(pid)])
            else:
                self._children.pop(int(pid)).ended(int(code[0]))


# ── the process ──────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    """Load the bot, then fork and tell of ends until standard input does."""
    for module in ("bot.__main__", "bot.bootstrap.app", "bot.logs"):
        import_module(module)
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, _heard)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which closes the pipe
    children: set[int] = set()
    waiting = b""
    while True:
        ready, _, _ = select.select([0, awake], [], [])
        if awake in ready:
            os.read(awake, 512)
            _tell_ends(children)
        if 0 in ready:
            read = os.read(0, 65_536)
            if not read:
                break
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                pid = os.fork()
                if pid == 0:
                    os.close(awake)
                    os.close(wake)
                    _be_the_bot(**json.loads(line))
                children.add(pid)
                _say(f"born {pid}")
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Nothing: that a signal with a handler came is what wakes the loop."""


def _tell_ends(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _say(f"died {pid} {os.waitstatus_to_exitcode(status)}")


def _say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def _be_the_bot(folder: str, environment: dict[str, str]) -> None:
    """What happens between a shell's fork and the program's end, without the exec between them."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "stdout"), (2, "stderr")):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            os.dup2(os.open(f"{name}.log", flags, 0o600), number)
        os.environ.clear()
        os.environ.update(environment)
        from bot.__main__ import main as run

        code = run(["run"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
