"""`talewheel health`: what a container's health check runs, against a running monitor and none."""

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.health import Connection
from bot.monitor import listening
from bot.probe import probe
from tests.bot.test_monitor import HOST, Process
from tests.repository.root import ROOT


@pytest.mark.parametrize("host", [HOST, "0.0.0.0"])  # noqa: S104 - what a container listens on
async def test_a_bot_that_is_well_says_so(host: str) -> None:
    async with listening(Process().monitor, HOST, 0) as port:
        is_well, said = await asyncio.to_thread(probe, host, port)
    assert is_well
    assert json.loads(said)["status"] == "ok"


async def test_a_bot_that_is_ill_says_why() -> None:
    process = replace(Process(), connection=Connection(False, 0, 0, None, 0))
    async with listening(process.monitor, HOST, 0) as port:
        is_well, said = await asyncio.to_thread(probe, HOST, port)
    assert not is_well
    assert json.loads(said)["discord"] == "not connected yet"


def test_nobody_and_somebody_who_is_silent_are_not_well() -> None:
    """A loop that is blocked takes connections and never answers."""
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        is_well, said = probe(HOST, port, timeout_s=0.2)
        assert (is_well, said) == (False, f"no answer at {HOST}, port {port}: timed out")
    is_well, said = probe(HOST, port)
    assert not is_well
    assert "refused" in said


def test_a_bot_without_a_port_is_not_called_ill(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is known against it, and a container must not count as unhealthy for ever."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METRICS_PORT", "")
    assert main(["health"]) == 0
    assert capsys.readouterr().out == "METRICS_PORT is empty: there is nobody to ask\n"


async def test_the_command_ends_with_the_code_that_containers_read(tmp_path: Path) -> None:
    """As the image runs it, in a process of its own; no other setting is asked for."""

    def run(port: int) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "health"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "METRICS_PORT": str(port), "METRICS_HOST": "0.0.0.0"},  # noqa: S104
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not done.stderr
        return done.returncode, done.stdout

    async with listening(Process().monitor, HOST, 0) as port:
        code, said = await asyncio.to_thread(run, port)
        assert (code, json.loads(said)["status"]) == (0, "ok")
    code, said = await asyncio.to_thread(run, port)
    assert code == 1
    assert said.startswith("no answer at 127.0.0.1")
