"""REST routes about the application itself, its guilds and members, and where the gateway is."""

from typing import Any

from . import errors, payloads
from .calls import Answer, Call
from .platform import Platform
from .routing import Routes

GUILDS_LIMIT = 200
"""Guilds on one page (API reference, "Get Current User Guilds")."""


class AccountRoutes:
    """Who the bot is and where it is."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> Routes:
        """Return the handlers by pattern."""
        return {
            "GET /users/@me": self.me,
            "GET /users/@me/guilds": self.own_guilds,
            "GET /users/{user_id}": self.user,
            "GET /applications/@me": self.application,
            "GET /oauth2/applications/@me": self.application,
            "GET /gateway": self.gateway,
            "GET /gateway/bot": self.gateway_bot,
            "GET /guilds/{guild_id}": self.guild,
            "GET /guilds/{guild_id}/channels": self.guild_channels,
            "GET /guilds/{guild_id}/roles": self.guild_roles,
            "GET /guilds/{guild_id}/members/{user_id}": self.member,
        }

    async def me(self, call: Call) -> Answer:
        """Return the bot's account."""
        own = payloads.user(self._platform.world.bot)
        return Answer(200, own | {"verified": True, "email": None, "mfa_enabled": True})

    async def own_guilds(self, call: Call) -> Answer:
        """List the bot's guilds by id, with what its roles give it there."""
        world = self._platform.world
        after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", GUILDS_LIMIT))
        if not 1 <= limit <= GUILDS_LIMIT:
            raise errors.too_long("limit", GUILDS_LIMIT)
        own = sorted(
            (guild for guild in world.guilds.values() if world.bot.id in guild.members),
            key=lambda guild: guild.id,
        )
        page = [guild for guild in own if guild.id > after][:limit]
        return Answer(200, [payloads.own_guild(guild, world.bot.id) for guild in page])

    async def user(self, call: Call) -> Answer:
        """Return anybody's account."""
        user = self._platform.world.users.get(call.snowflake("user_id"))
        if user is None:
            raise errors.unknown_user()
        return Answer(200, payloads.user(user))

    async def application(self, call: Call) -> Answer:
        """Return the application."""
        platform = self._platform
        application: dict[str, Any] = {
            "id": str(platform.application_id),
            "name": platform.world.bot.name,
            "icon": None,
            "description": "",
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": platform.application_flags(),
            "owner": payloads.user(platform.world.owner),
            "team": None,
            "interactions_endpoint_url": None,
            "bot": payloads.user(platform.world.bot),
        }
        return Answer(200, application)

    async def gateway(self, call: Call) -> Answer:
        """Return the gateway's address."""
        return Answer(200, {"url": self._platform.gateway_url})

    async def gateway_bot(self, call: Call) -> Answer:
        """Return the gateway's address, the recommended shards and the identify budget."""
        start_limit = {
            "total": 1000,
            "remaining": 1000,
            "reset_after": 86_400_000,
            "max_concurrency": 1,
        }
        url = self._platform.gateway_url
        shards = self._platform.shards
        return Answer(200, {"url": url, "shards": shards, "session_start_limit": start_limit})

    async def guild(self, call: Call) -> Answer:
        """Return a guild."""
        guild = self._platform.guild(call.snowflake("guild_id"))
        payload = payloads.guild(guild)
        if call.query.get("with_counts") in ("1", "true", "True"):
            count = len(guild.members)
            payload |= {"approximate_member_count": count, "approximate_presence_count": count}
        return Answer(200, payload)

    async def guild_channels(self, call: Call) -> Answer:
        """Return a guild's channels without its threads."""
        guild = self._platform.guild(call.snowflake("guild_id"))
        channels = [entry for entry in guild.channels.values() if not entry.is_thread]
        return Answer(200, [payloads.channel(channel) for channel in channels])

    async def guild_roles(self, call: Call) -> Answer:
        """Return a guild's roles."""
        guild = self._platform.guild(call.snowflake("guild_id"))
        return Answer(200, [payloads.role(role) for role in guild.roles.values()])

    async def member(self, call: Call) -> Answer:
        """Return a member of a guild."""
        guild = self._platform.guild(call.snowflake("guild_id"))
        membership = guild.members.get(call.snowflake("user_id"))
        if membership is None:
            raise errors.unknown_member()
        return Answer(200, payloads.member(membership))
