"""The local Discord: composes world, REST and gateway and serves them on one loopback port.

A test owns one `DiscordServer`; clients connect by `api_url` and `gateway_ws_url`. Behaviour lives
in the modules that are put together here.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TypeVar

from aiohttp import web

from .calls import Call, CallLog, Hook, HookResult
from .changes import Changes
from .commands import CommandRegistry
from .entities import Channel, Guild, Message, Role
from .faults import Fault, Scripted
from .gateway import Gateway
from .interactions import Interactions
from .members import Member
from .platform import Limits, Platform
from .rest import PREFIX, RestApi
from .snowflakes import Snowflakes
from .world import Intent, World

T = TypeVar("T")

HOST = "127.0.0.1"
UPLOAD_LIMIT_BYTES = 25 * 1024 * 1024
"""Largest request (API reference, "Create Message")."""


class DiscordServer:
    """A Discord of one's own, for one application.

    Use as an async context manager, or `start` and `close`. The world outlives every client.

    Args:
        token: The bot's valid token.
        bot_name: The bot's name.
        clock: Unix time in seconds; ids, nonces and deadlines follow it.
        privileged_intents: Those switched on; a client that asks for others is closed with 4014.
        shards: How many shards are recommended.
        limits: How long and how much; by default all requests are let through.
    """

    def __init__(
        self,
        *,
        token: str = "local-token",
        bot_name: str = "Talewheel",
        clock: Callable[[], float] = time.time,
        privileged_intents: Intent = Intent.NONE,
        shards: int = 1,
        limits: Limits | None = None,
    ) -> None:
        snowflakes = Snowflakes(clock)
        self.changes = Changes()
        self.world = World(snowflakes, bot_name)
        self.platform = Platform(
            world=self.world,
            token=token,
            clock=clock,
            limits=limits or Limits(),
            commands=CommandRegistry(snowflakes),
            interactions=Interactions(self.changes),
            privileged_intents=privileged_intents,
            shards=shards,
        )
        self.gateway = Gateway(self.platform, self.changes)
        self._rest = RestApi(self.platform, self.changes)
        self._runner: web.AppRunner | None = None
        self.port = 0

    # Serving

    async def start(self, port: int = 0) -> None:
        """Serve on a free port, or on a given one again."""
        app = web.Application(client_max_size=UPLOAD_LIMIT_BYTES)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/attachments/{attachment_id}/{filename}", self._attachment)
        app.router.add_route("*", PREFIX + "/{path:.*}", self._rest.serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        self._runner = runner
        self.port = int(runner.addresses[0][1])
        self.world.base_url = f"http://{HOST}:{self.port}"
        self.platform.gateway_url = self.gateway_ws_url

    async def close(self) -> None:
        """Stop serving; the world stays. A closed server can be started again.

        Raises:
            ExceptionGroup: Requests failed inside the server or in a test's hook.
        """
        if self._runner is None:
            return
        self.gateway.cut()
        await self._runner.cleanup()
        self._runner = None
        failures = [*self._rest.failures, *self.gateway.failures]
        if failures:
            raise ExceptionGroup("faults inside the local Discord server", failures)

    async def __aenter__(self) -> DiscordServer:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def api_url(self) -> str:
        """What clients use instead of Discord's API base."""
        return f"http://{HOST}:{self.port}{PREFIX}"

    @property
    def gateway_ws_url(self) -> str:
        """What clients use instead of Discord's gateway."""
        return f"ws://{HOST}:{self.port}/gateway"

    async def _attachment(self, request: web.Request) -> web.Response:
        wanted = request.match_info["attachment_id"]
        for channel in self.world.channels.values():
            for message in channel.messages.values():
                for entry in message.attachments:
                    if str(entry.id) == wanted:
                        return web.Response(body=entry.data, content_type=entry.content_type)
        raise web.HTTPNotFound

    # Watching and disturbing

    @property
    def calls(self) -> CallLog:
        """Every REST request so far."""
        return self._rest.log

    @property
    def invalid_requests(self) -> int:
        """How many requests of the last ten minutes Discord counts towards a ban (at 10,000)."""
        return self._rest.invalid.count(self.platform.clock())

    def script(self, pattern: str, fault: Fault, times: int | None = 1) -> Scripted:
        """Have requests meet a fault.

        Args:
            pattern: As for `before`.
            fault: One of `faults`.
            times: How many of them; None for all.
        """
        scripted = Scripted()

        def meet(call: Call) -> HookResult | Awaitable[HookResult]:
            scripted.hit.append(call)
            return fault.hook(call)

        register = self.after if fault.takes_effect else self.before
        scripted.stop = register(pattern, meet, times)
        return scripted

    def before(self, pattern: str, hook: Hook, times: int | None = None) -> Callable[[], None]:
        """Run a hook before matching requests are applied.

        Args:
            pattern: For example "POST /channels/*/messages"; `*` is one segment.
            hook: Awaits, answers, or raises; see `calls`. Note that aiohttp's client sends GET, PUT
                and DELETE once more by itself if a kept-alive connection dies without an answer.
            times: For how many requests; None for all.

        Returns:
            A function that removes the hook.
        """
        return self._rest.before.add(pattern, hook, times)

    def after(self, pattern: str, hook: Hook, times: int | None = None) -> Callable[[], None]:
        """Run a hook after matching requests were applied and before they are answered.

        It runs for refused requests as well; arguments as for `before`.
        """
        return self._rest.after.add(pattern, hook, times)

    def forget_hooks(self) -> None:
        """Remove every hook and every scripted fault; those that run already go on."""
        self._rest.before.clear()
        self._rest.after.clear()

    async def wait_for(self, read: Callable[[], T], timeout_s: float = 5.0, what: str = "") -> T:
        """Return the first truthy result of `read`, looked at after every change.

        Raises:
            TimeoutError: It stayed falsy.
        """
        return await self.changes.wait_for(read, timeout_s, what)

    async def wait_connected(self, sessions: int = 1, timeout_s: float = 10.0) -> None:
        """Wait until that many sessions are identified.

        Raises:
            TimeoutError: There are fewer.
        """
        await self.wait_for(
            lambda: len(self.gateway.sessions) >= sessions, timeout_s, f"{sessions} sessions"
        )

    async def wait_disconnected(self, timeout_s: float = 10.0) -> None:
        """Wait until no session is left.

        Raises:
            TimeoutError: There still is one.
        """
        await self.wait_for(lambda: not self.gateway.sessions, timeout_s, "no session")

    # People

    def join(self, guild: Guild, name: str, roles: Sequence[Role] = ()) -> Member:
        """Have somebody new join a guild and return them."""
        user = self.world.create_user(name)
        self.world.add_member(guild, user, roles)
        return Member(self.platform, guild, user)

    def owner(self, guild: Guild) -> Member:
        """Return a guild's owner, who may do everything."""
        return Member(self.platform, guild, self.world.users[guild.owner_id])

    def bot_messages(self, channel: Channel) -> list[Message]:
        """Return the bot's messages in a channel, oldest first."""
        return channel.by(self.world.bot)
