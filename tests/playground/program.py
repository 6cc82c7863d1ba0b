"""`python -m bot play` as a program of its own, as a player would start it."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.setting_table import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
_NOT_HANDED_ON = {"BROWSER", "DISPLAY", "WAYLAND_DISPLAY"} | {setting.name for setting in SETTINGS}
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/#\S+")
_START_S = 60.0
_END_S = 20.0


@dataclass(frozen=True, slots=True)
class Program:
    """A started playground.

    Attributes:
        process: the program; its standard output is read up to the address, its standard error
            comes with it.
        folder: its temporary folder.
        lines: what it said so far.
    """

    process: asyncio.subprocess.Process
    folder: Path
    lines: list[str]

    async def url(self) -> str:
        """Wait for the address of the page. Raises AssertionError when the program ends first."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_START_S):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if found := _ADDRESS.search(line):
                    return found[0]
        raise AssertionError("".join(self.lines))

    async def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal if it still runs, read what it says to the end; gives the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(_END_S):
            said, _ = await self.process.communicate()
        self.lines.append(said.decode())
        return await self.process.wait()

    async def export(self, name: str) -> str:
        """Save what is being played, as another terminal would; gives what is said then."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "export", name),
            cwd=self.folder,
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "REDIS_URL": self.server_url},
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        return said.decode()

    @property
    def server_url(self) -> str:
        """Where its embedded server listens."""
        [socket] = self.folder.glob("talewheel-redis-*/redis.sock")
        return f"unix://{socket}"


@asynccontextmanager
async def playing(**settings: str) -> AsyncGenerator[Program]:
    """Start the playground far from any .env, screen and setting but the given ones.

    On leaving it is ended, if it still runs, and its temporary folder goes.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in _NOT_HANDED_ON}
    with tempfile.TemporaryDirectory(prefix="tw-play-") as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "play"),
            cwd=folder,
            env={**inherited, "PYTHONPATH": str(ROOT), "TMPDIR": folder, **settings},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        program = Program(process, Path(folder), [])
        try:
            yield program
        finally:
            try:
                await program.end()
            finally:
                if process.returncode is None:
                    process.kill()
