"""The bot itself: its commands, its events, and how it leaves in good order.

It asks for no privileged intent and keeps no cache of messages or members: votes are read over REST
and the gateway's reaction events only wake stories. Commands live in cogs, what they call in core;
signals and exit codes are process's business.
"""

import asyncio
import json
import logging
import math
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Protocol, cast

import aiohttp
import discord
import yarl
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.audience import ClientAudience
from bot.cogs.answers import Tree
from bot.cogs.channels import ChannelCog
from bot.cogs.cooldowns import Cooldowns
from bot.cogs.desk import DeskCog
from bot.cogs.memory import MemoryCog
from bot.cogs.plan import PlanCog
from bot.cogs.privacy import PrivacyCog
from bot.cogs.reading import ReadingCog
from bot.cogs.requests import StartRules
from bot.cogs.story import StoryCog
from bot.health import Connection
from bot.presence import DiscordPresence
from bot.privacy_texts import PrivacyNote
from bot.render import is_option
from bot.request_pace import RequestPace
from bot.services import Composer
from bot.stage import DiscordStage, last_look
from core.errors import StartError, TalewheelError

log = logging.getLogger(__name__)

STOP_S = 5.0
"""How long sends in flight may take once the process is asked to stop. Docker kills after 10 s, the
goodbye to Discord takes up to two, and a busy machine needs some for the end of the process."""
GUILDS_S = 0.5
"""Being ready waits for the next server's description this long; stories need none of them."""
CATCH_UP_S = 30.0
"""Pause before sleeping ballots are looked at again, when Redis failed in the middle of that."""
OWNER = "application"
"""The name under which the application is remembered whose stories a database holds."""
DISCONNECT_S = 2.0
"""How long Discord may take to confirm the goodbye; discord.py would wait half a minute."""


class CommandMemory(Protocol):
    """Remembers what was told to Discord and by whom, so that a restart knows it."""

    async def get(self, name: str) -> str | None:
        """What was put under a name, or None."""
        ...

    async def put(self, name: str, value: str) -> None:
        """Remember a value under a name."""
        ...


class TalewheelBot(commands.AutoShardedBot):
    """Talewheel's client.

    Attributes:
        services: what commands, buttons and forms ask.
        cooldowns: who has to wait before the next command that costs.
        failure: what ended the wheel, when something did.
    """

    def __init__(
        self,
        compose: Composer,
        rules: StartRules,
        registered: CommandMemory,
        *,
        note: PrivacyNote = PrivacyNote(),  # noqa: B008 - frozen
        gateway: str = "",
        trace: aiohttp.TraceConfig | None = None,
        cooldown_s: int = 0,
        stop_s: float = STOP_S,
        catch_up_s: float = CATCH_UP_S,
    ) -> None:
        """Make a client that isn't connected yet.

        Args:
            compose: makes the services over this client's stage and audience.
            rules: what new stories start with.
            registered: remembers which commands Discord knows.
            note: what /privacy tells of how the bot is run.
            gateway: another gateway than the one that the REST server names; empty: that one.
            trace: what its session does with each request; None: it keeps Discord's pace.
            cooldown_s: how long a member waits between commands that cost, in seconds.
            stop_s: how long sends in flight may take when it closes.
            catch_up_s: pause before another try to look for what happened while away.
        """
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(guilds=True, guild_reactions=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=GUILDS_S,
            http_trace=last_look(trace or RequestPace().trace()),
        )
        self.failure: BaseException | None = None
        self.services = compose(DiscordStage(self), ClientAudience(self))
        self.cooldowns = Cooldowns(cooldown_s)
        self._channels = ChannelCog(self, self.services.storyteller)
        self._rules = rules
        self._registered = registered
        self._note = note
        self._gateway = gateway
        self._stop_s = stop_s
        self._catch_up_s = catch_up_s
        self._wheel: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._missed = False
        self._stopped: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def connection(self) -> Connection:
        """How it is connected to the gateway at this moment."""
        shards = list(self.shards.values())
        beats = [shard.latency for shard in shards if math.isfinite(shard.latency)]
        return Connection(
            ready=self.is_ready(),
            shards=self.shard_count or 0,
            connected=sum(not shard.is_closed() for shard in shards),
            latency_s=max(beats, default=None),
            servers=len(self.guilds),
        )

    # ── starting ─────────────────────────────────────────────────────────────────────────────────

    async def setup_hook(self) -> None:
        """See whose the database is, add the commands, and register them if they changed."""
        await self._claim_database()
        await self.add_cog(StoryCog(self.services, self._rules))
        await self.add_cog(MemoryCog(self.services))
        await self.add_cog(PlanCog(self.services))
        await self.add_cog(ReadingCog(self.services))
        await self.add_cog(PrivacyCog(self.services, self._note))
        await self.add_cog(DeskCog(self.services))
        await self.add_cog(self._channels)
        await self._register_commands()

    async def launch_shard(
        self, gateway: yarl.URL, shard_id: int, *, initial: bool = False
    ) -> None:
        """Connect a shard, to the gateway that was asked for."""
        chosen = yarl.URL(self._gateway) if self._gateway else gateway
        await super().launch_shard(chosen, shard_id, initial=initial)

    async def _claim_database(self) -> None:
        """A database is one bot's: another's messages can't be edited, and its ballots not counted.

        Raises:
            StartError: another application has its stories there; nothing was touched.
        """
        own, owner = str(self.application_id), await self._registered.get(OWNER)
        if owner is None:
            await self._registered.put(OWNER, own)
        elif owner != own:
            raise StartError(
                f"REDIS_URL: the stories in this database are told by another bot (application "
                f"{owner}; DISCORD_TOKEN is of {own}): give each bot a Redis of its own, or take "
                "the other bot's token"
            )

    async def _register_commands(self) -> None:
        name, digest = commands_record(self.application_id), self._commands_digest()
        if await self._registered.get(name) == digest:
            return
        await self.tree.sync()
        await self._registered.put(name, digest)
        log.info("registered the commands at Discord")

    def _commands_digest(self) -> str:
        """A hash of all that Discord is told about the commands, and of which Discord it is."""
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        told = json.dumps([Route.BASE, payload], sort_keys=True)
        return sha256(told.encode()).hexdigest()

    # ── events ───────────────────────────────────────────────────────────────────────────────────

    async def on_ready(self) -> None:
        """Look for what happened while away, each time; the first time, then start the wheel."""
        log.info("ready: %d servers, %s shards", len(self.guilds), self.shard_count)
        if self._stopped is not None:
            return
        self._missed = True
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._catch_up(), name="catching up")

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Hand an event on; of reactions, which come by the thousand, those that wake a story."""
        if event_name != "raw_reaction_add" or self._may_wake(args[0]):
            super().dispatch(event_name, *args, **kwargs)

    def _may_wake(self, event: discord.RawReactionActionEvent) -> bool:
        asleep = self.services.storyteller.sleeps_on(event.channel_id, event.message_id)
        return asleep and self._stopped is None and self._is_vote(event)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """A vote on a sleeping story's ballot wakes it."""
        try:
            await self.services.storyteller.reacted(event.channel_id, event.message_id)
        except TalewheelError as error:
            # Nothing is lost: the ballot is read afresh before it is counted.
            log.warning("a reaction in channel %s wasn't looked at: %s", event.channel_id, error)

    def _is_vote(self, event: discord.RawReactionActionEvent) -> bool:
        own = self.user.id if self.user else None
        return (
            event.guild_id is not None
            and is_option(str(event.emoji))
            and event.user_id != own
            and event.message_author_id in {None, own}
            and not (event.member and event.member.bot)
        )

    async def _catch_up(self) -> None:
        """First, where the bot is at all: nothing is sent anywhere else. Then the sleeping ballots.

        One that was never looked at wouldn't wake by a vote. Once more if another gap in the
        connection came meanwhile.
        """
        while self._missed:
            self._missed = False
            await self._until_done(self._compare)
            if self._wheel is None:
                self._wheel = asyncio.create_task(self.services.storyteller.run(), name="wheel")
                self._wheel.add_done_callback(self._wheel_ended)
                sweeping = self.services.sweeper.run(DiscordPresence(self))
                self._sweeping = asyncio.create_task(sweeping, name="sweeper")
            await self._until_done(self.services.storyteller.reconcile)

    async def _compare(self) -> None:
        here = frozenset(guild.id for guild in self.guilds)
        await self.services.storyteller.compare(here, self._channels.looks_open)

    async def _until_done(self, looking: Callable[[], Awaitable[None]]) -> None:
        """Until it succeeds; a fault of ours is not tried again before the next gap."""
        while True:
            try:
                await looking()
            except TalewheelError as error:
                log.warning("what happened while away isn't all known, again soon: %s", error)
                await asyncio.sleep(self._catch_up_s)
            except Exception:
                log.exception("looking for what happened while away failed")
                return
            else:
                return

    def _wheel_ended(self, wheel: asyncio.Task[None]) -> None:
        """A bot whose wheel stands still looks alive and is not: end the process instead."""
        if wheel.cancelled() or self._stopped is not None:
            return
        self.failure = wheel.exception() or RuntimeError("the wheel stopped turning")
        log.critical("the wheel stopped: the process ends")
        self._stopped = asyncio.create_task(self._stop())

    # ── stopping ─────────────────────────────────────────────────────────────────────────────────

    async def close(self) -> None:
        """Stop the intake, let sends in flight finish, then leave Discord. Safe to call twice."""
        if self._stopped is None:
            self._stopped = asyncio.create_task(self._stop())
        await asyncio.shield(self._stopped)

    async def _stop(self) -> None:
        if isinstance(self.tree, Tree):
            self.tree.stopping = True
        try:
            async with asyncio.timeout(self._stop_s):
                await self.services.storyteller.aclose()
        except TimeoutError:
            log.warning("what was being sent didn't finish within %s s", self._stop_s)
        except TalewheelError as error:
            log.warning("leases weren't handed back: %s", error)
        finally:
            await self._cancel(self._catching_up, self._sweeping, self._wheel)
            await self._disconnect()

    async def _disconnect(self) -> None:
        if not isinstance(cast(object, self.loop), asyncio.AbstractEventLoop):
            return  # never opened; discord.py's own close would stumble over that
        try:
            async with asyncio.timeout(DISCONNECT_S):
                await super().close()
        except TimeoutError:
            log.warning("Discord didn't confirm the goodbye within %s s", DISCONNECT_S)

    async def _cancel(self, *tasks: asyncio.Task[None] | None) -> None:
        started = [task for task in tasks if task is not None]
        for task in started:
            task.cancel()
        if started:
            await asyncio.wait(started)

    # ── the owner ────────────────────────────────────────────────────────────────────────────────

    def tell_owner(self, sentence: str) -> None:
        """Say something to whoever owns the bot at Discord, and in the log."""
        log.warning("%s", sentence)
        telling = asyncio.create_task(self._write_to_owner(sentence), name="telling the owner")
        self._errands.add(telling)
        telling.add_done_callback(self._errands.discard)

    async def _write_to_owner(self, sentence: str) -> None:
        try:
            about = await self.application_info()
            team = about.team
            owner = team.owner_id if team and team.owner_id else about.owner.id
            await (await self.fetch_user(owner)).send(sentence, suppress_embeds=True)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            # Owners may close their direct messages; the log has the sentence.
            log.info("the owner can't be written to: %s", error)


def commands_record(application: int | None) -> str:
    """The name under which is remembered which commands Discord was given."""
    return f"commands:{application}"


def point_at(api_url: str, gateway_url: str = "") -> None:
    """Talk to another server that speaks Discord's protocol; empty: leave it at Discord's own.

    discord.py keeps both addresses on classes of its own, so this holds for the whole process. The
    gateway here is the one for sessions that were lost; a first connect asks the REST server for
    one, unless the bot was given its own.
    """
    if api_url:
        Route.BASE = api_url
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
