"""Which checks there are, in which order people read them, and how long each may take.

What can't be looked at, because a setting is missing or wrong, says so instead.
"""

import os
import platform
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from bot.bootstrap.checkups import Checkups, checkups
from bot.client import OWNER, commands_record
from bot.doctor.discord_checks import DiscordChecks, user_of
from bot.doctor.discord_rest import DiscordReader
from bot.doctor.examination import Check, Report, examine
from bot.doctor.guild_checks import GuildChecks
from bot.doctor.machine_checks import machine_findings, running
from bot.doctor.settings_checks import settings_findings
from bot.permissions import invite_url
from bot.setting_table import DISCORD_API_URL, DISCORD_TOKEN, Embeddings
from bot.settings import BotSettings, Inspected
from core.domain.checkup import Area, Finding, NotLookedAtError
from core.domain.story import StoryId

QUICK_S = 10.0
LONG_S = 28.0
"""So that the whole of it is done within half a minute."""
_PATIENT_S = 120.0
"""The longest that a model is waited for, whatever MODEL_PATIENCE says."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the process was given.

    Attributes:
        read: its settings as far as they can be read.
        file: the names in .env.
        process: its environment.
        skip_model: whether the endpoint is left alone.
    """

    read: Inspected
    file: Sequence[str]
    process: Mapping[str, str]
    skip_model: bool = False


async def look_round(room: Room) -> Report:
    """Look at everything; nothing is changed anywhere."""
    async with AsyncExitStack() as stack:
        ups = checkups(room.read, stack)
        discord = await _discord(room.read, ups, stack)
        checks = [
            *_values(room),
            *(discord.checks if discord else _no_discord()),
            *_redis(ups, discord, room),
            *_endpoint(ups, room),
            *_filter(ups, room),
            *_process(room.read.settings),
        ]
        report = await examine(checks)
        application = await discord.application() if discord else None
        return replace(
            report,
            tokens=ups.endpoint.tokens if ups.endpoint else 0,
            invite=invite_url(application) if application else None,
        )


@dataclass(frozen=True, slots=True)
class _Discord:
    """What looks at Discord."""

    account: DiscordChecks
    checks: Sequence[Check]
    token: str

    async def application(self) -> int | None:
        """Whose invitation it is: what Discord says, or else what the token begins with."""
        try:
            return await self.account.application_id()
        except NotLookedAtError:
            return user_of(self.token)


async def _discord(read: Inspected, ups: Checkups, stack: AsyncExitStack) -> _Discord | None:
    if read.faulty & {DISCORD_TOKEN.name, DISCORD_API_URL.name}:
        return None
    settings, records = read.settings, ups.records
    reader = await stack.enter_async_context(
        DiscordReader(settings.discord_token, settings.discord_api_url)
    )

    async def registered(application: int) -> bool:
        return records is not None and await records.remembers(commands_record(application))

    account = DiscordChecks(reader, registered)
    places = records.places if records else _no_places
    guilds = GuildChecks(reader, account, places, settings.allowed_guilds)
    stack.push_async_callback(account.aclose)
    stack.push_async_callback(guilds.aclose)
    checks = [
        Check(Area.DISCORD, "token", account.token, QUICK_S),
        Check(Area.DISCORD, "application", account.application, QUICK_S),
        Check(Area.DISCORD, "gateway", account.gateway, QUICK_S),
        Check(Area.DISCORD, "commands", account.commands, QUICK_S),
        Check(Area.DISCORD, "servers", guilds.servers, LONG_S),
        Check(Area.DISCORD, "channels", guilds.channels, LONG_S),
        Check(Area.CLOCK, "Discord", account.clock, QUICK_S),
    ]
    return _Discord(account, checks, settings.discord_token)


def _redis(ups: Checkups, discord: _Discord | None, room: Room) -> list[Check]:
    if ups.redis is None or ups.records is None:
        return [_not(Area.REDIS, "server", "REDIS_URL is wrong")]
    redis, records = ups.redis, ups.records
    whose = discord.account.application_id if discord else _nobody
    return [
        Check(Area.REDIS, "server", redis.server, QUICK_S),
        Check(Area.REDIS, "durability", redis.keeping, QUICK_S),
        Check(Area.REDIS, "speed", redis.speed, QUICK_S),
        Check(Area.REDIS, "records", records.format, QUICK_S),
        Check(Area.REDIS, "index", records.indexes, QUICK_S),
        Check(Area.STORIES, "owner", partial(records.owner, OWNER, whose), QUICK_S),
        Check(Area.STORIES, "phases", records.stories, QUICK_S),
        Check(
            Area.STORIES, "spending", partial(records.spending, room.read.settings.budgets), QUICK_S
        ),
        Check(Area.CLOCK, "Redis", redis.clock, QUICK_S),
    ]


def _endpoint(ups: Checkups, room: Room) -> list[Check]:
    settings = room.read.settings
    patience_s = min(LONG_S * settings.model_patience, _PATIENT_S)
    checks: list[Check] = []
    if ups.endpoint is None:
        checks.append(_not(Area.MODEL, "models", "a setting of the endpoint is missing or wrong"))
    else:
        look = partial(ups.endpoint.look, answers=not room.skip_model)
        checks.append(Check(Area.MODEL, "answers", look, patience_s))
        checks.append(Check(Area.CLOCK, "endpoint", ups.endpoint.clock, QUICK_S))
    if ups.embedder is None:
        checks.append(_not(Area.EMBEDDINGS, "vectors", "a setting of it is missing or wrong"))
    elif room.skip_model and settings.embeddings is Embeddings.OPENAI:
        checks.append(_not(Area.EMBEDDINGS, "vectors", "--skip-model"))
    else:
        checks.append(Check(Area.EMBEDDINGS, "memory", ups.embedder.look, LONG_S))
    return checks


def _filter(ups: Checkups, room: Room) -> list[Check]:
    if not room.read.settings.moderation_model:
        return []
    if ups.content_filter is None:
        return [_not(Area.MODERATION, "filter", "a setting of it is missing or wrong")]
    if room.skip_model:
        return [_not(Area.MODERATION, "filter", "--skip-model")]
    return [Check(Area.MODERATION, "filter", ups.content_filter.look, LONG_S)]


def _process(settings: BotSettings) -> list[Check]:
    if settings.metrics_port is None:
        return []
    look = partial(running, settings.metrics_host, settings.metrics_port)
    return [Check(Area.STORIES, "bot", look, QUICK_S)]


def _values(room: Room) -> list[Check]:
    machine = machine_findings(
        room.read.settings,
        room.process,
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        os.cpu_count() or 1,
    )
    settings = settings_findings(room.read, room.file)
    return [
        Check(Area.SETTINGS, "values", partial(_told, settings), QUICK_S),
        Check(Area.MACHINE, "system", partial(_told, list(machine)), QUICK_S),
    ]


def _no_discord() -> list[Check]:
    return [_not(Area.DISCORD, "token", "DISCORD_TOKEN or DISCORD_API_URL is missing or wrong")]


async def _told(findings: Iterable[Finding]) -> AsyncGenerator[Finding, None]:
    for finding in findings:
        yield finding


def _not(area: Area, name: str, why: str) -> Check:
    """A check that can't be made."""

    async def look() -> AsyncGenerator[Finding, None]:
        raise NotLookedAtError(why)
        yield

    return Check(area, name, look, QUICK_S)


async def _no_places() -> Sequence[tuple[int, StoryId]]:
    raise NotLookedAtError("Redis can't be asked where stories are told")


async def _nobody() -> int:
    raise NotLookedAtError("whose token it is isn't known")
