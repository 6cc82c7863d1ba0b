"""Start-up: how long a process takes to be ready, what it imports for that, what `--help` imports.

Ready means: settings read, adapters built, Redis prepared, MiniLM loaded; all but Discord.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.playground.embedded_redis import EmbeddedRedis
from tests.bench.figures import Figure

BENCH = "start-up"
HEAVY = ("discord", "openai", "redis", "redisvl", "numpy", "tokenizers", "aiohttp")
"""What a look at the help needn't import."""
_BUILT = """
import asyncio, json, sys, time
began = time.perf_counter()
from bot.settings import BotSettings
import os
settings = BotSettings.read(os.environ)
from bot.bootstrap.app import build
imported = time.perf_counter()
async def main():
    app = await build(settings)
    ready = time.perf_counter()
    await app.aclose()
    print(json.dumps({"imports_s": imported - began, "build_s": ready - imported}))
asyncio.run(main())
"""


async def measure(folder: Path, starts: int) -> list[Figure]:
    """So many starts of each kind."""
    bare = _seconds([["-c", "pass"]] * starts)
    shown = _seconds([["-m", "bot", "--help"]] * starts)
    imported = _imported_by_help()
    heavy = sorted(imported & set(HEAVY))
    async with EmbeddedRedis(folder) as server:
        environ = {
            "DISCORD_TOKEN": "made.up.token",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "REDIS_URL": server.url,
            "LOG_LEVEL": "ERROR",
        }
        built = [_built(environ) for _ in range(starts)]
    return [
        Figure(BENCH, "talewheel --help", shown, "s", starts, "bare Python", bare),
        Figure(
            BENCH,
            f"heavy packages that --help imports{': ' + ', '.join(heavy) if heavy else ''}",
            float(len(heavy)),
            "packages",
            target="none",
            met=not heavy,
        ),
        Figure(
            BENCH, "imports of run", _median(built, "imports_s"), "s", starts, "bare Python", bare
        ),
        Figure(BENCH, "building all adapters", _median(built, "build_s"), "s", starts),
    ]


def _seconds(commands: Sequence[Sequence[str]]) -> float:
    samples: list[float] = []
    for command in commands:
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        samples.append(time.perf_counter() - began)
    return statistics.median(samples)


def _imported_by_help() -> set[str]:
    code = (
        "import sys, contextlib, io\n"
        "from bot.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "print(' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def _built(environ: Mapping[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", _BUILT],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
    )
    return json.loads(done.stdout)


def _median(samples: Sequence[Mapping[str, float]], name: str) -> float:
    return statistics.median(sample[name] for sample in samples)
