"""`talewheel doctor` as an operator runs it: a process, its output and its exit code.

Around it stand a Discord, a Redis and an endpoint of the test's own; the bot's process has been at
work there before, so that there are stories, indexes and registered commands.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.client import OWNER
from bot.doctor.report import WIDTH
from core.adapters.redis_command_memory import RedisCommandMemory
from core.adapters.redis_database import RedisDatabase
from core.domain.story import Phase
from tests import leak_watch
from tests.adapters.redis_raw import raw_client
from tests.faults.bot_nursery import ROOT
from tests.faults.discord_server import Permission
from tests.faults.process_house import PATIENCE_S, ProcessHouse
from tests.faults.seeded_stories import seed_bed
from tests.faults.story_endpoint import DIMS, EMBEDDING_MODEL
from tests.leak_watch import REDIS_PASSWORD, WRONG_SECRET

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

FAULT, MISTAKE = 1, 2


@dataclass(frozen=True, slots=True)
class Examined:
    """What a run of the command came to."""

    code: int
    text: str
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        """Its JSON."""
        return json.loads(self.text)

    def amiss(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Verdict and words of what isn't well, by area and check."""
        return {
            (one["area"], one["check"]): (one["verdict"], one["found"])
            for one in self.document["findings"]
            if one["verdict"] != "ok"
        }


async def doctor(
    house: ProcessHouse, folder: Path, *arguments: str, **changed: str | None
) -> Examined:
    """Run the command with some settings changed, or left out; no secret may be printed."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - in a test
    system = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = {**house.environment(), "DAILY_TOKEN_CAP": "100000", **changed}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "doctor", *arguments),
        cwd=folder,
        env={
            **system,
            "PYTHONPATH": str(ROOT),
            "OPENBLAS_NUM_THREADS": "1",
            **{name: text for name, text in settings.items() if text is not None},
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    text = out.decode()
    leak_watch.check(text + err.decode(), "what doctor printed")
    assert "Traceback" not in err.decode(), err.decode()
    return Examined(process.returncode or 0, text, time.monotonic() - began)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ProcessHouse]:
    """One story in a vote, as a bot would have left it; no bot was there."""
    async with ProcessHouse(tmp_path / "bot") as house:
        database = RedisDatabase(house.redis.url)
        await database.prepare(EMBEDDING_MODEL, DIMS)
        await RedisCommandMemory(database).put(OWNER, str(house.server.platform.application_id))
        await database.close()
        async with seed_bed(house) as bed:
            await bed.plant()
        yield house


async def everything(house: ProcessHouse) -> dict[bytes, object]:
    """All keys of the house's Redis, with their values and lifetimes."""
    async with raw_client(house.redis.url) as client:
        keys = sorted([key async for key in client.scan_iter(count=1000)])
        return {key: (await client.dump(key), await client.expiretime(key)) for key in keys}


async def test_a_healthy_set_up_is_not_disturbed(tmp_path: Path) -> None:
    """Nothing is amiss but that it isn't Discord's own server; nothing is changed by looking.

    The bot was at work there, comes back, and tells on while it is looked at.
    """
    async with ProcessHouse(tmp_path / "bot") as house:
        await house.start_bot()
        house.ask_for_story()
        await house.rests_at(1)
        await house.bot.stop()
        before = await everything(house)
        await check_healthy(house, tmp_path)
        assert await everything(house) == before
        assert not house.server.gateway.sessions
        await house.start_bot()
        sessions = list(house.server.gateway.sessions)
        await check_healthy(house, tmp_path)
        assert list(house.server.gateway.sessions) == sessions
        await house.turn_over()


async def check_healthy(house: ProcessHouse, tmp_path: Path) -> None:
    """Look at a set-up in which all is well."""
    sent = len(house.server.calls)
    seen = await doctor(house, tmp_path / "doctor", "--json")
    assert seen.code == 0, seen.text
    # How quick a busy machine is doesn't matter here.
    assert set(seen.amiss()) - {("redis", "speed")} == {("settings", "other server")}
    document = seen.document
    assert document["verdict"] == "warning"
    assert document["summary"]["fault"] == 0
    assert document["summary"]["tokens"] == 300
    assert not document["skipped"]
    assert {one["area"] for one in document["findings"]} == {
        *("settings", "discord", "redis", "stories", "model", "embeddings", "clock", "machine")
    }
    application = house.server.platform.application_id
    assert document["invite"] == (
        f"https://discord.com/oauth2/authorize?client_id={application}"
        "&scope=bot+applications.commands&permissions=274877975616"
    )
    asked = list(house.server.calls)[sent:]
    assert {call.method for call in asked} == {"GET"}


async def test_a_broken_set_up_names_each_fault(house: ProcessHouse, tmp_path: Path) -> None:
    async with seed_bed(house) as bed:
        overdue = await bed.plant(closes_in_s=-3600)
        hidden = await bed.plant(Phase.ASLEEP)
    house.server.world.deny_bot(overdue.channel, int(Permission.SEND_MESSAGES))
    house.server.world.deny_bot(hidden.channel, int(Permission.VIEW_CHANNEL))
    async with raw_client(house.redis.url) as client:
        await client.config_set("maxmemory-policy", "allkeys-lru")
        await client.config_set("appendonly", "no")
        await client.hset("tw:meta:application", "digest", "4242")
    house.endpoint.models = ("another",)
    seen = await doctor(
        *(house, tmp_path / "doctor", "--json"),
        VOTE_SECONDS="1",
        ALLOWED_GUILDS="81384788765712384",
        EMBEDDINGS="minilm",
    )
    assert seen.code == FAULT
    amiss = seen.amiss()
    assert {place for place, (verdict, _) in amiss.items() if verdict == "fault"} == {
        ("settings", "values"),
        ("discord", "channels"),
        ("redis", "durability"),
        ("stories", "owner"),
        ("model", "models"),
    }
    assert {place for place, (verdict, _) in amiss.items() if verdict == "warning"} >= {
        ("discord", "servers"),
        ("redis", "eviction"),
        ("stories", "wheel"),
    }
    assert all(one["remedy"] for one in seen.document["findings"] if one["verdict"] != "ok")


async def test_a_page_for_people(house: ProcessHouse, tmp_path: Path) -> None:
    """In 80 columns, without escapes where nobody looks at a terminal."""
    seen = await doctor(house, tmp_path / "doctor", REDIS_URL=house.redis.url)
    lines = seen.text.splitlines()
    assert lines[0].startswith("talewheel ")
    assert "\x1b" not in seen.text
    assert max(len(line) for line in lines if "https://" not in line) <= WIDTH
    assert "Stories" in lines
    assert lines[-1].endswith("Nothing was changed.")


async def test_half_a_configuration_is_looked_at_all_the_same(
    house: ProcessHouse, tmp_path: Path
) -> None:
    """Without a token, Redis and the endpoint are; nothing of Discord's is asked."""
    sent = len(house.server.calls)
    seen = await doctor(house, tmp_path / "doctor", "--json", DISCORD_TOKEN=None)
    assert seen.code == FAULT
    assert seen.amiss()["settings", "values"] == ("fault", "DISCORD_TOKEN: not set")
    checked = {(one["area"], one["check"]) for one in seen.document["findings"]}
    assert {("redis", "server"), ("stories", "wheel"), ("model", "stream")} <= checked
    assert {(one["area"], one["check"]) for one in seen.document["skipped"]} == {
        *(("discord", "token"), ("stories", "owner"))
    }
    assert seen.document["invite"] is None
    assert len(house.server.calls) == sent


async def test_nothing_set_and_nothing_there(house: ProcessHouse, tmp_path: Path) -> None:
    """Every area says what it lacks; the command ends by itself and soon."""
    nothing: dict[str, str | None] = dict.fromkeys(house.environment())
    away = "redis://127.0.0.1:1/0"
    seen = await doctor(house, tmp_path / "doctor", "--json", **nothing | {"REDIS_URL": away})
    assert seen.code == FAULT
    assert seen.seconds < 30
    assert {place for place, (verdict, _) in seen.amiss().items() if verdict == "fault"} == {
        *(("settings", "values"), ("redis", "server"))
    }


async def test_no_secret_is_printed_wherever_it_stands(house: ProcessHouse, tmp_path: Path) -> None:
    """Refused, in addresses, in what servers repeat, in texts that can't be read: ``doctor`` looks.

    Each of the secrets is one that the watch of the tests knows.
    """
    house.endpoint.echo = lambda authorization, body: f"{authorization} may not {body}"
    for arguments in ((), ("--json",)):
        seen = await doctor(
            *(house, tmp_path / "doctor", *arguments),
            DISCORD_TOKEN=WRONG_SECRET,
            REDIS_URL=f"redis://:{REDIS_PASSWORD}@127.0.0.1:1/0",
            MODERATION_BASE_URL=f"https://me:{WRONG_SECRET}@127.0.0.1:1/v1",
        )
        assert seen.code == FAULT
        seen = await doctor(
            *(house, tmp_path / "doctor", *arguments),
            DISCORD_TOKEN=f"{WRONG_SECRET} x",
            OPENAI_BASE_URL=f"http://{WRONG_SECRET}@127.0.0.1:1/v1",
            REDIS_URL=f"redis://user:{WRONG_SECRET}/7@host/x",
        )
        assert seen.code == FAULT
        assert "(hidden)" in seen.text


async def test_the_model_is_left_alone_on_request(house: ProcessHouse, tmp_path: Path) -> None:
    heard = len(house.endpoint.heard)
    seen = await doctor(house, tmp_path / "doctor", "--json", "--skip-model")
    assert seen.code == 0
    assert seen.document["summary"]["tokens"] == 0
    # The lists of models, for the models and for the clock.
    assert house.endpoint.heard[heard:] == ["", ""]


async def test_a_file_that_cannot_be_read_is_a_fault_and_no_end(
    house: ProcessHouse, tmp_path: Path
) -> None:
    folder = tmp_path / "doctor"
    folder.mkdir()
    (folder / ".env").write_bytes(b"LANGUAGE=\xff\xfe")
    seen = await doctor(house, folder, "--json")
    assert seen.code == FAULT
    verdict, found = seen.amiss()["settings", "values"]
    assert verdict == "fault"
    assert found.startswith(".env: ")
    assert ("redis", "server") in {(one["area"], one["check"]) for one in seen.document["findings"]}


async def test_a_wrong_command_line_is_a_mistake(house: ProcessHouse, tmp_path: Path) -> None:
    seen = await doctor(house, tmp_path / "doctor", "--jsn")
    assert seen.code == MISTAKE
    assert not seen.text
