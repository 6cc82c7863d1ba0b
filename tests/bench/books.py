"""What a book costs: stories of 10 to 10,000 turns out of the embedded Redis, in both formats.

``python -m tests.bench.books [turns …]``. Each size is read in a process of its own, so that its
peak of memory is its own. Turns are as large as those of a model, and their words are drawn from a
lexicon, so that they pack about as prose does.
"""

import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters import offline_lexicon
from core.adapters.epub_book import EpubBook
from core.adapters.markdown_book import MarkdownBook
from core.adapters.redis_archive import RedisArchive
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.system_clock import SystemClock
from core.domain.entries import Fact, Recalled
from core.domain.story import Plan, Reflection, Stretch, Turn
from core.ports import BookFormat, Commit
from core.services.press import Order, Press
from tests.fakes.books import BEGUN, told
from tests.fakes.stories import a_story

SIZES = (10, 1000, 10_000)
ROOM = 10 * 1024 * 1024
DIMS = 8
LOOK_S = 0.01
IDLE_S = 5.0
"""The same watch while nothing is read tells what the machine itself makes late."""
_WORDS = re.findall(r"[a-z]{2,}", Path(offline_lexicon.__file__).read_text("utf-8"))


def _prose(draw: random.Random, sentences: int, words: int = 16) -> str:
    made = [" ".join(draw.choices(_WORDS, k=words)).capitalize() + "." for _ in range(sentences)]
    return "\n\n".join(" ".join(made[at : at + 5]) for at in range(0, sentences, 5))


def _plans(number: int) -> tuple[Plan, ...]:
    draw = random.Random(f"plans {number}")
    return tuple(Plan(_prose(draw, 1, 4)[:-1], _prose(draw, 5, 12)) for _ in range(3))


def _as_large_as_usual(turn: Turn) -> Turn:
    """With what a turn's record holds beside its paragraph."""
    draw = random.Random(turn.number)
    facts = tuple(Fact(key, "the lamp", _prose(draw, 1)) for key in range(5))
    recalled = tuple(Recalled(f"t{n}", n, _prose(draw, 2), 0.5) for n in range(15))
    reflection = Reflection(
        _prose(draw, 3), _prose(draw, 15), _prose(draw, 3), _plans(turn.number), facts
    )
    return replace(turn, reflection=reflection, recalled=recalled)


async def _tell(url: str, channel: int, count: int) -> None:
    """Write a story of so many turns."""
    database = RedisDatabase(url)
    await database.prepare("bench", DIMS)
    store = RedisStoryStore(database, DIMS)
    turns = told(count, lambda number: _prose(random.Random(number), 20), _plans)
    story = a_story(
        id=replace(a_story().id, channel=channel),
        lineage=(Stretch("main", 1, count),),
        head=turns[-1].id,
        created_at=BEGUN,
    )
    await store.create(story, f"create-{channel}")
    for turn in turns:
        await store.commit(Commit(f"op-{turn.number}", story, turn=_as_large_as_usual(turn)))
    await database.close()


async def _read(url: str, channel: int) -> dict[str, object]:
    """Make every volume of a story; how long, how large, and how long the loop stood still."""
    database = RedisDatabase(url)
    await database.prepare("bench", DIMS)
    press = Press(
        store=RedisStoryStore(database, DIMS),
        archive=RedisArchive(database),
        clock=SystemClock(),
        binders={BookFormat.EPUB: EpubBook(), BookFormat.MARKDOWN: MarkdownBook()},
    )
    order = Order(channel, a_story().guild, "Harbour", frozenset(BookFormat), ROOM)
    idle = await _pauses_during(asyncio.sleep(IDLE_S))
    before, sizes = _peak_mib(), list[list[int]]()

    async def read() -> None:
        async for volume in press.volumes(order):
            sizes.append([len(file.data) for file in volume.files])

    began, cpu = time.monotonic(), time.process_time()
    busy = await _pauses_during(read())
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    await database.close()
    return {
        "volumes": len(sizes),
        "seconds": round(took, 2),
        "cpu_s": round(cpu, 2),
        "peak_mib": _peak_mib() - before,
        "epub_mib": [round(epub / 2**20, 2) for epub, _ in sizes],
        "markdown_mib": [round(markdown / 2**20, 2) for _, markdown in sizes],
        "loop_ms_p50_p99_most": _shown(busy),
        "idle_loop_ms_p50_p99_most": _shown(idle),
    }


async def _pauses_during(doing: Awaitable[None]) -> list[float]:
    """How much too late the event loop came back each time, in order of size."""
    pauses: list[float] = []

    async def watch() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(LOOK_S)
            pauses.append(time.monotonic() - began - LOOK_S)

    watching = asyncio.create_task(watch())
    await doing
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return sorted(pauses)


def _shown(ordered: list[float]) -> list[float]:
    places = (len(ordered) // 2, int(len(ordered) * 0.99), -1)
    return [round(ordered[place] * 1000, 1) for place in places]


def _peak_mib() -> int:
    """The most memory that this process had so far; getrusage would also count its parent's."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


async def _measure(sizes: tuple[int, ...]) -> None:
    with TemporaryDirectory(prefix="talewheel-bench-") as folder:
        async with EmbeddedRedis(Path(folder)) as redis:
            for count in sizes:
                await _tell(redis.url, count, count)
                done = await asyncio.to_thread(
                    subprocess.run,
                    [sys.executable, "-m", "tests.bench.books", "--read", redis.url, str(count)],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                print(f"{count} turns: {done.stdout.strip()}", flush=True)


def main() -> None:
    """Measure the sizes that were asked for; or, asked by itself, read one story."""
    match sys.argv[1:]:
        case ["--read", url, channel]:
            print(json.dumps(asyncio.run(_read(url, int(channel)))))
        case asked:
            asyncio.run(_measure(tuple(map(int, asked)) or SIZES))


if __name__ == "__main__":
    main()
