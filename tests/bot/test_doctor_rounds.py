"""All checks together, where nothing is there to be looked at."""

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest

from bot.doctor.examination import Report
from bot.doctor.rounds import Room, look_round
from bot.permissions import invite_url
from bot.settings import BotSettings
from core.domain.checkup import Area, Verdict

USER = 81384788765712384
TOKEN = base64.urlsafe_b64encode(str(USER).encode()).decode().rstrip("=") + ".GhT2xk.rest"
AWAY = {
    "DISCORD_TOKEN": TOKEN,
    "DISCORD_API_URL": "http://127.0.0.1:1/api/v10",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "EMBEDDINGS": "openai",
    "MODERATION_MODEL": "m",
    "MODERATION_API_KEY": "k",
    "MODERATION_BASE_URL": "http://127.0.0.1:1/v1",
}


async def looked_round(*, skip_model: bool = False, **changed: str) -> Report:
    return await look_round(Room(BotSettings.inspect(AWAY | changed), (), {}, skip_model))


async def test_the_invitation_is_known_from_the_token_alone() -> None:
    report = await looked_round(skip_model=True)
    assert report.invite == invite_url(USER)


async def test_each_thing_that_is_away_is_one_fault() -> None:
    """What hangs on it is left out, and said so."""
    report = await looked_round()
    faults = [(one.area, one.check) for one in report.findings if one.verdict is Verdict.FAULT]
    assert faults == [
        (Area.DISCORD, "token"),
        (Area.REDIS, "server"),
        (Area.MODEL, "models"),
        (Area.EMBEDDINGS, "vectors"),
        (Area.MODERATION, "filter"),
    ]
    assert {one.area for one in report.skipped} == {
        *(Area.DISCORD, Area.REDIS, Area.STORIES, Area.MODEL, Area.CLOCK)
    }
    assert report.tokens == 0


@pytest.mark.parametrize(
    ("setting", "wrong", "area"),
    [
        ("DISCORD_TOKEN", "two words", Area.DISCORD),
        ("REDIS_URL", "redis://host/7", Area.REDIS),
        ("NARRATOR_MODEL", "x" * 201, Area.MODEL),
        ("EMBEDDING_MODEL", "x" * 201, Area.EMBEDDINGS),
        ("MODERATION_BASE_URL", "ftp://x", Area.MODERATION),
    ],
)
async def test_a_wrong_setting_is_told_and_its_default_is_not_looked_at(
    setting: str, wrong: str, area: Area
) -> None:
    """What stands at the default's place is another server, which nobody asked about."""
    report = await looked_round(skip_model=True, **{setting: wrong})
    assert [one.found for one in report.findings if one.found.startswith(f"{setting}: ")]
    assert not [one for one in report.findings if one.area is area]
    assert [one for one in report.skipped if one.area is area]


@pytest.fixture(autouse=True)
async def nothing_is_left_running() -> AsyncIterator[None]:
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}
