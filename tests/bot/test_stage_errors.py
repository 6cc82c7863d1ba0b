"""Every exception of discord.py and of its connection becomes one of the stage's errors."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import aiohttp
import discord
import pytest
from discord.ext import commands

from bot.stage import translate
from core.errors import (
    ChannelGoneError,
    MessageGoneError,
    StageError,
    StageForbiddenError,
    StageUnavailableError,
)


def answered(status: int, code: int = 0, text: str = "said so") -> discord.HTTPException:
    """What discord.py raises for an answer of Discord."""
    kind: type[discord.HTTPException] = {
        403: discord.Forbidden,
        404: discord.NotFound,
    }.get(status, discord.DiscordServerError if status >= 500 else discord.HTTPException)
    response = cast(aiohttp.ClientResponse, SimpleNamespace(status=status, reason="Because"))
    return kind(response, {"code": code, "message": text})


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from below(child)


ANSWERS = (
    (answered(403, 50013), StageForbiddenError),
    (answered(403, 50001), StageForbiddenError),
    (answered(403, 1), StageForbiddenError),
    (answered(403, 160005), StageForbiddenError),
    (answered(400, 50083), StageForbiddenError),
    (answered(429, 30046), StageError),
    (answered(403, 90001), StageError),
    (answered(404, 10008), MessageGoneError),
    (answered(404, 10003), ChannelGoneError),
    (answered(500), StageUnavailableError),
    (answered(503), StageUnavailableError),
    (answered(429), StageUnavailableError),
    (answered(408), StageUnavailableError),
    (answered(400, 50035), StageError),
    (answered(401), StageError),
)


@pytest.mark.parametrize(
    ("error", "kind"), ANSWERS, ids=[f"{e.status}-{e.code}" for e, _ in ANSWERS]
)
def test_each_answer_has_its_kind(error: discord.HTTPException, kind: type[StageError]) -> None:
    assert type(translate(error, "Send Messages")) is kind


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectionError(),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        ConnectionResetError(),
        TimeoutError(),
        json.JSONDecodeError("cut off", "{", 1),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "cut off"),
        discord.RateLimited(60.0),
        discord.GatewayNotFound(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_broken_connection_is_worth_another_try(error: Exception) -> None:
    assert type(translate(error, "")) is StageUnavailableError


EXCEPTIONS = sorted({*below(discord.DiscordException), commands.CommandError}, key=str)


@pytest.mark.parametrize("kind", EXCEPTIONS, ids=str)
def test_no_exception_of_discord_py_is_left_out(kind: type[Exception]) -> None:
    """A newer version's exceptions come to this test by themselves."""
    error = kind.__new__(kind)
    if isinstance(error, discord.HTTPException):
        error.status, error.code, error.text = 400, 0, ""
    assert isinstance(translate(error, ""), StageError)


def test_a_missing_permission_is_named() -> None:
    assert "Add Reactions" in str(translate(answered(403, 50013), "Add Reactions"))
    assert "View Channel" in str(translate(answered(403, 50001), "Add Reactions"))
    assert "archived" in str(translate(answered(400, 50083), ""))
    assert "locked" in str(translate(answered(403, 160005), ""))
