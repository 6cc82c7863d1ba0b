"""The unmodified `python -m bot run` as a process of its own: started, killed, ended, read.

Its environment holds what a test says and nothing of the developer's; it runs in an empty folder,
so that no .env is found. What it prints goes to a file. What is around it is process_house's.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.faults.bot_nursery import ROOT, Child, Nursery


class BotProcess:
    """One process after the other, all with the same environment.

    Args:
        folder: empty; where it runs and where its output goes.
        environment: its settings.
        nursery: forks it, which is quicker; None starts it as an operator does.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], nursery: Nursery | None = None
    ) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._nursery = nursery
        self._process: asyncio.subprocess.Process | Child | None = None

    @property
    def output(self) -> str:
        """Everything that all of its runs have printed to standard error, where it also logs."""
        return self._said("stderr")

    @property
    def answer(self) -> str:
        """Everything that all of its runs have printed to standard output."""
        return self._said("stdout")

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.returncode is None

    async def start(self, **more: str) -> None:
        """Start it, with some settings changed."""
        system = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        if self._nursery is not None:
            settings = {**system, **self._environment, **more}
            self._process = await self._nursery.bear(self._folder, settings)
            return
        with self._log("stdout").open("ab") as stdout, self._log("stderr").open("ab") as stderr:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot", "run"),
                cwd=self._folder,
                env={**system, "PYTHONPATH": str(ROOT), **self._environment, **more},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    async def kill(self) -> None:
        """End it as a crash of the machine would; nothing happens when it has ended."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def freeze(self) -> None:
        """Stop it where it stands, by SIGSTOP: it is there, and does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on from where it was stopped."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> tuple[int, float]:
        """Ask it to end by SIGTERM; gives its exit code and the seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        return await self.ended(20.0), time.monotonic() - began

    async def ended(self, timeout_s: float) -> int:
        """Wait until it ends by itself; gives its exit code."""
        assert self._process is not None
        async with asyncio.timeout(timeout_s):
            return await self._process.wait()

    def _said(self, name: str) -> str:
        log = self._log(name)
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"
