"""Checks of the servers that the bot is in: its permissions, there and in the channels of stories.

Reads over REST, at a pace that leaves the bot its own; so many servers and channels are looked at
and no more, and the findings say so. What permissions are needed stands in bot.permissions.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Any

import discord

from bot.doctor.discord_checks import DiscordChecks
from bot.doctor.discord_rest import DiscordReader, DiscordReadError
from bot.doctor.examination import Shared
from bot.doctor.rights import Json, Membership
from bot.permissions import missing
from core.domain.checkup import Area, Finding, Topic, many
from core.domain.story import StoryId

Findings = AsyncGenerator[Finding, None]
Places = Callable[[], Awaitable[Sequence[tuple[int, StoryId]]]]
"""Guild and id of the stories that haven't ended. Raises NotLookedAtError."""

_PAGE = 200
_PAGES = 10
"""So at most 2,000 servers are listed."""
GUILDS_LOOKED_AT = 25
CHANNELS_LOOKED_AT = 75
"""Three requests a server, and one a thread: twenty seconds at most at discord_rest's pace."""
_NAMED = 8
"""So many servers or channels have a line of their own; the rest are counted."""
_UNKNOWN_CHANNEL = 10003
_GIVE = "Give them to the bot's role, or invite it again by the address below."
_ALLOW = "Allow it in that channel's settings (Permissions), for the bot or for its role."


class GuildChecks:
    """Looks at servers and channels.

    Args:
        reader: open; stays open.
        account: whose token it is.
        places: where stories are told.
        allowed: ALLOWED_GUILDS.
    """

    def __init__(
        self,
        reader: DiscordReader,
        account: DiscordChecks,
        places: Places,
        allowed: Collection[int],
    ) -> None:
        self._reader = reader
        self._account = account
        self._places = places
        self._allowed = allowed
        self._guilds = Shared(self._list_guilds)

    async def servers(self) -> Findings:
        """Where the bot is, and what its roles give it there."""
        guilds = await self._listed()
        topic = Topic(Area.DISCORD, "servers")
        if not guilds:
            yield topic.warning("the bot is in no server", "Invite it by the address below.")
        else:
            more = " or more" if len(guilds) >= _PAGE * _PAGES else ""
            yield topic.ok(f"the bot is in {many(len(guilds), 'server')}{more}")
        if away := sorted(set(self._allowed) - guilds.keys()):
            yield topic.warning(
                f"ALLOWED_GUILDS names {_some(map(str, away))}, where the bot isn't",
                "Invite it there, or take the number out.",
            )
        for finding in _by_roles(guilds.values()):
            yield finding

    async def channels(self) -> Findings:
        """What it may do where a story is told, with every overwrite of the channel."""
        guilds = await self._listed()
        told = await self._places()
        here: dict[int, list[int]] = defaultdict(list)
        for guild, story in told:
            if guild in guilds:
                here[guild].append(story.channel)
        looked_at = bounded(here)
        for finding in _absent({guild for guild, _ in told} - guilds.keys()):
            yield finding
        looks = [self._in_guild(guild, channels) for guild, channels in looked_at.items()]
        amiss = [finding for found in await asyncio.gather(*looks) for finding in found]
        for finding in amiss[:_NAMED]:
            yield finding
        yield _summed_up(
            len(amiss), sum(map(len, looked_at.values())), sum(map(len, here.values()))
        )

    async def aclose(self) -> None:
        """End what is still being asked."""
        await self._guilds.aclose()

    async def _listed(self) -> dict[int, Json]:
        await self._account.account()
        return await self._guilds.get()

    async def _list_guilds(self) -> dict[int, Json]:
        found: dict[int, Json] = {}
        for _ in range(_PAGES):
            after = max(found, default=0)
            page = await self._reader.get("/users/@me/guilds", limit=_PAGE, after=after)
            found |= {int(guild["id"]): guild for guild in page}
            if len(page) < _PAGE:
                break
        return found

    async def _in_guild(self, guild: int, channels: Sequence[int]) -> list[Finding]:
        """What is amiss in the channels of one guild."""
        user = (await self._account.account()).user
        try:
            about = await self._reader.get(f"/guilds/{guild}")
            member = await self._reader.get(f"/guilds/{guild}/members/{user}")
            listed = await self._reader.get(f"/guilds/{guild}/channels")
        except DiscordReadError as error:
            return [_unread(f"server {guild}", error)]
        us = Membership(about, member, user, time.time())
        known = {int(channel["id"]): channel for channel in listed}
        found: list[Finding] = []
        for channel in channels:
            found += await self._in_channel(us, known, channel)
        return found

    async def _in_channel(
        self, us: Membership, known: dict[int, Any], channel: int
    ) -> list[Finding]:
        where = str(us.guild["name"])
        try:
            place: Json = known.get(channel) or await self._reader.get(f"/channels/{channel}")
        except DiscordReadError as error:
            return [
                _gone(channel, where) if error.code == _UNKNOWN_CHANNEL else _hidden(channel, where)
            ]
        thread = "thread_metadata" in place
        holder = known.get(int(place.get("parent_id") or 0), {}) if thread else place
        given = us.in_channel(holder)
        return list(_amiss(us, place, given, thread=thread))


def _by_roles(guilds: Iterable[Json]) -> list[Finding]:
    """What the roles of the bot don't give: a channel may still give it, or not."""
    topic = Topic(Area.DISCORD, "permissions")
    lacking: list[str] = []
    for guild in guilds:
        given = discord.Permissions(int(guild["permissions"]))
        names = dict.fromkeys(missing(given, thread=False) + missing(given, thread=True))
        if names:
            lacking.append(f"{guild['name']} ({', '.join(names)})")
    if not lacking:
        return [topic.ok("the bot's roles give all it needs, in every server")]
    return [
        topic.warning(
            f"the bot's roles lack permissions in {_some(lacking)}: it can tell only in channels "
            "that give them",
            _GIVE,
        )
    ]


def _amiss(
    us: Membership, place: Json, given: discord.Permissions, *, thread: bool
) -> Iterable[Finding]:
    topic = Topic(Area.DISCORD, "channels")
    where = f"#{place.get('name')} in {us.guild['name']}"
    if us.timed_out:
        yield topic.fault(
            f"{where}: a moderator has put the bot in time-out", "Take the time-out off."
        )
    elif not given.view_channel:
        yield topic.fault(f"{where}: the bot lacks View Channel", _ALLOW)
    elif names := missing(given, thread=thread):
        yield topic.fault(f"{where}: the bot lacks {', '.join(names)}", _ALLOW)
    elif thread and place["thread_metadata"].get("locked") and not given.manage_threads:
        yield topic.warning(f"{where}: the thread is locked, its story waits", "Unlock it.")


def _gone(channel: int, where: str) -> Finding:
    return Topic(Area.DISCORD, "channels").warning(
        f"channel {channel} in {where} was deleted",
        "Start the bot: it ends the story there by itself.",
    )


def _hidden(channel: int, where: str) -> Finding:
    return Topic(Area.DISCORD, "channels").fault(
        f"channel {channel} in {where}: the bot lacks View Channel", _ALLOW
    )


def _unread(what: str, error: DiscordReadError) -> Finding:
    return Topic(Area.DISCORD, "channels").warning(
        f"{what} can't be looked at: {error}", "Look again later."
    )


def _absent(guilds: Collection[int]) -> list[Finding]:
    if not guilds:
        return []
    return [
        Topic(Area.DISCORD, "channels").warning(
            f"stories rest in {_some(map(str, sorted(guilds)))}, where the bot isn't any more",
            "Invite it there again, or leave them: they are deleted after PURGE_AFTER_DAYS.",
        )
    ]


def bounded(
    here: Mapping[int, list[int]],
    guilds: int = GUILDS_LOOKED_AT,
    channels: int = CHANNELS_LOOKED_AT,
) -> dict[int, list[int]]:
    """Channels of the guilds with the most stories, within both limits."""
    fullest = sorted(here, key=lambda guild: -len(here[guild]))[:guilds]
    chosen: dict[int, list[int]] = {}
    left = channels
    for guild in fullest:
        chosen[guild] = here[guild][:left]
        left -= len(chosen[guild])
    return {guild: some for guild, some in chosen.items() if some}


def _summed_up(troubled: int, looked_at: int, there: int) -> Finding:
    topic = Topic(Area.DISCORD, "channels")
    if not there:
        return topic.ok("no story is told yet")
    part = f", of {there:,} (the rest wasn't)" if looked_at < there else ""
    found = f"{many(looked_at, 'channel')} with a story looked at{part}"
    if troubled > _NAMED:
        return topic.fault(f"{found}: {troubled - _NAMED:,} more lack something", _ALLOW)
    if troubled:
        return topic.ok(f"{found}; those not named have all they need")
    return topic.ok(f"{found}; nothing is missing")


def _some(names: Iterable[str]) -> str:
    """Names with commas, the first few and how many more."""
    listed = list(names)
    rest = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
