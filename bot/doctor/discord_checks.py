"""Checks of Discord that need no server: token, application, gateway, commands, clock.

Nothing here connects to the gateway: that would count as one of the day's starts. What the bot may
do where it is, guild_checks looks at.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.doctor.discord_rest import DiscordReader, DiscordReadError
from bot.doctor.examination import Shared
from core.domain.checkup import Area, Finding, NotLookedAtError, Topic, skew

Findings = AsyncGenerator[Finding, None]
_UNAUTHORIZED = 401
_FEW_STARTS = 50
"""A crash loop spends these within minutes."""
_GUILD_INSTALL = "0"
_PRIVILEGED = {12: "presence", 13: "presence", 14: "members", 15: "members"} | {
    18: "message content",
    19: "message content",
}
"""Bits of an application's flags: an intent that is switched on, in full or for few servers."""
_NETWORK = "Check the network and its proxies (and DISCORD_API_URL, if it is set); look again."
_REFUSED = "Copy the bot's token again from the developer portal (Bot › Reset Token)."


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is.

    Attributes:
        user: the bot's user id.
        name: its name.
    """

    user: int
    name: str


def user_of(token: str) -> int | None:
    """The bot's user id, which a token begins with; None for one that doesn't look like any."""
    head = token.partition(".")[0]
    with suppress(binascii.Error, UnicodeDecodeError, ValueError):
        return int(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode("ascii"))
    return None


class DiscordChecks:
    """Looks at the bot's account and application.

    Args:
        reader: open; stays open.
        registered: whether the database says that an application's commands were registered.
    """

    def __init__(self, reader: DiscordReader, registered: Callable[[int], Awaitable[bool]]) -> None:
        self._reader = reader
        self._registered = registered
        self._account = Shared(self._sign_in)
        self._application = Shared(self._read_application)

    async def account(self) -> Account:
        """Whose token it is. Raises NotLookedAtError where Discord doesn't take it."""
        try:
            return await self._account.get()
        except DiscordReadError as error:
            raise NotLookedAtError("Discord doesn't answer to this token") from error

    async def application_id(self) -> int:
        """The application's id. Raises NotLookedAtError."""
        await self.account()
        try:
            return int((await self._application.get())["id"])
        except DiscordReadError as error:
            raise NotLookedAtError("Discord doesn't tell the application") from error

    async def token(self) -> Findings:
        """Whether Discord takes the token."""
        topic = Topic(Area.DISCORD, "token")
        try:
            account = await self._account.get()
        except DiscordReadError as error:
            if error.status == _UNAUTHORIZED:
                yield topic.fault("Discord refuses DISCORD_TOKEN", _REFUSED)
            else:
                yield topic.fault(str(error), _NETWORK)
        else:
            yield topic.ok(f"accepted; the bot is {account.name} (user {account.user})")

    async def application(self) -> Findings:
        """What stands in the developer portal."""
        await self.account()
        about = await self._application.get()
        topic = Topic(Area.DISCORD, "application")
        open_to = (
            "anybody may invite it" if about.get("bot_public") else "only its owner invites it"
        )
        yield topic.ok(f"{about.get('name')} ({about['id']}); {open_to}; owner {_owner(about)}")
        for finding in _portal(about):
            yield finding
        yield Topic(Area.DISCORD, "intents").ok(_intents(int(about.get("flags") or 0)))

    async def gateway(self) -> Findings:
        """Whether the bot could connect now, without connecting."""
        await self.account()
        topic = Topic(Area.DISCORD, "gateway")
        told = await self._reader.get("/gateway/bot")
        limit = told["session_start_limit"]
        left, total = int(limit["remaining"]), int(limit["total"])
        hours = int(limit["reset_after"]) / 3_600_000
        found = f"{left:,} of {total:,} starts left"
        if left < total:
            found += f", renewed in {hours:.0f} hours"
        found += f"; {told['shards']} shard{'s' * (told['shards'] != 1)} advised"
        if left == 0:
            yield topic.fault(found, "Wait until then; find out what starts the bot so often.")
        elif left < min(_FEW_STARTS, total / 10):
            yield topic.warning(found, "Find out what starts the bot so often before it can't.")
        else:
            yield topic.ok(found)

    async def commands(self) -> Findings:
        """Whether members see the commands."""
        topic = Topic(Area.DISCORD, "commands")
        application = await self.application_id()
        listed = await self._reader.get(f"/applications/{application}/commands")
        names = sorted(f"/{command['name']}" for command in listed)
        if names:
            yield topic.ok(f"registered: {', '.join(names)}")
        elif await self._registered(application):
            yield topic.fault(
                "Discord knows none of the commands, and Redis says that they were registered",
                f"redis-cli DEL tw:meta:commands:{application}, then start the bot again.",
            )
        else:
            yield topic.warning(
                "none registered yet", "Start the bot (talewheel run): it registers them itself."
            )

    async def clock(self) -> Findings:
        """How far this machine's clock is from Discord's."""
        try:
            told = await self._reader.ask("/gateway")
        except DiscordReadError as error:
            raise NotLookedAtError("Discord doesn't answer") from error
        if told.date is None:
            raise NotLookedAtError("Discord tells no time")
        # Its date is cut to whole seconds, so half of one is added and may be wrong either way.
        ahead_s = (told.sent_at + told.came_at) / 2 - (told.date + 0.5)
        doubt_s = (told.came_at - told.sent_at) / 2 + 0.5
        yield skew(Topic(Area.CLOCK, "Discord"), "Discord's", ahead_s, doubt_s, decisive=True)

    async def aclose(self) -> None:
        """End what is still being asked."""
        await self._account.aclose()
        await self._application.aclose()

    async def _sign_in(self) -> Account:
        me = await self._reader.get("/users/@me")
        return Account(int(me["id"]), str(me["username"]))

    async def _read_application(self) -> Mapping[str, Any]:
        return await self._reader.get("/oauth2/applications/@me")


def _portal(about: Mapping[str, Any]) -> list[Finding]:
    """Switches of the developer portal that keep the bot from working."""
    topic = Topic(Area.DISCORD, "application")
    found: list[Finding] = []
    if about.get("bot_require_code_grant"):
        found.append(
            topic.fault(
                "Requires OAuth2 Code Grant is on: nobody can invite the bot",
                "Switch it off in the developer portal (Bot › Authorization Flow).",
            )
        )
    if about.get("interactions_endpoint_url"):
        found.append(
            topic.fault(
                "an Interactions Endpoint URL is set: Discord sends every command there, and none "
                "to the bot",
                "Empty it in the developer portal (General Information).",
            )
        )
    kinds = about.get("integration_types_config")
    if kinds and _GUILD_INSTALL not in kinds:
        found.append(
            topic.fault(
                "it can't be installed to servers",
                "Switch on Guild Install in the developer portal (Installation).",
            )
        )
    return found


def _intents(flags: int) -> str:
    on = sorted({name for bit, name in _PRIVILEGED.items() if flags >> bit & 1})
    if not on:
        return "no privileged one is needed, and none is switched on"
    return f"no privileged one is needed; {', '.join(on)} could be switched off in the portal"


def _owner(about: Mapping[str, Any]) -> str:
    if team := about.get("team"):
        return f"the team {team.get('name')}"
    owner: Mapping[str, Any] = about.get("owner") or {}
    return str(owner.get("username") or "unknown")
