"""The whole bot in a simulated Discord: real Redis, real vectors, a real endpoint over HTTP.

`World` puts the bot together as the process does (bootstrap.build) and hands it to SimCord, whose
clock, message ids included, is the bot's own `ScaledClock`. A bot can die: it is cut off from Redis
first, so that nothing it does on the way out is seen, then every task it ever started is ended; the
next bot finds Discord and Redis as they were left. SimCord knows no nonces, no pages of reactions
and no rate limits: tests/faults has those.

This is the one file of these tests that touches SimCord's private names.
"""

# pyright: reportPrivateUsage=false

import asyncio
import contextvars
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, cast

import discord
from simcord import (
    ChannelHandle,
    GuildHandle,
    InteractionResult,
    MemberActor,
    UserHandle,
    _dpy_internals,
    _runtime,
    interactions,
)
from simcord._clock import Clock as SimClock
from simcord.backend.models import Interaction, Overwrite
from simcord.enums import InteractionType, OverwriteType

from bot.bootstrap.app import App, build
from bot.playground.embedded_redis import EmbeddedRedis
from bot.playground.live import _LiveEnv
from bot.render import OPTION_EMOJI, kind_of
from bot.settings import BotSettings
from core.adapters.openai_client import Limits
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_memory_search import RedisMemorySearch
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.story import Phase, Story, Turn
from core.ports import Embedder, MessageKind
from tests.adapters.redis_proxy import LossyProxy
from tests.e2e.endpoint import MODEL, StoryEndpoint
from tests.fakes.scaled_clock import ScaledClock
from tests.leak_watch import DISCORD_TOKEN, ENDPOINT_KEY

PATIENCE_S = 30.0
"""How long a test waits for what the bot does by itself, in real seconds."""
LOOK_S = 0.01
LEASE_S = 60
"""Six real seconds at the clock's usual speed: a busy machine loses no lease by accident."""
SENTENCES = 4
MODERATOR = discord.Permissions(manage_messages=True)

_OWNER: contextvars.ContextVar["Life | None"] = contextvars.ContextVar("owner", default=None)


@dataclass
class Life:
    """One bot from its start to its death: all that was made for it, all that it started."""

    app: App
    wire: LossyProxy
    database: RedisDatabase
    tasks: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])


@dataclass(frozen=True)
class Request:
    """One REST call of the bot: its place among all of them, and its body as text."""

    place: int
    method: str
    path: str
    body: str


class _Watch(SimClock):
    """The bot's clock where SimCord has one that only tests move."""

    def __init__(self, clock: ScaledClock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def advance(self, seconds: float) -> None:
        """It goes by itself."""


class _Discord(_LiveEnv):
    """SimCord in real time, with a bot that may be replaced, and a list of what was asked of it."""

    def __init__(self, bot: Any, clock: ScaledClock) -> None:
        super().__init__(bot)
        self.life: Life | None = None
        backend: Any = self.backend
        backend.clock = _Watch(clock)
        backend.http_requests = []

    @contextmanager
    def _bot_scope(self) -> Generator[None]:
        """Whatever begins in here, and whatever that begins, is this life's."""
        token = _OWNER.set(self.life)
        try:
            with super()._bot_scope():
                yield
        finally:
            _OWNER.reset(token)

    def _note_interaction(self, interaction: Interaction) -> None:
        # Discord's three seconds are not of the clock that runs ahead of this machine.
        interaction.initial_response_deadline = None
        super()._note_interaction(interaction)

    async def attach(self, bot: Any) -> None:
        await _runtime._attach_bot(self, bot)
        _runtime._restore_loop(self)
        _dpy_internals.release_clocks(self)

    async def detach(self) -> None:
        await self._detach_bot()


def _owning_tasks(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    context: contextvars.Context | None = None,
) -> asyncio.Task[Any]:
    """A task factory that writes each task down with the life it belongs to."""
    task = asyncio.Task(coroutine, loop=loop, context=context)
    owner = context.get(_OWNER) if context else _OWNER.get()
    if owner is not None:
        owner.tasks.add(task)
        task.add_done_callback(owner.tasks.discard)
    return task


class _Faults(logging.Handler):
    """Keeps what the project logs as an error: no test expects one unless it says so."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@dataclass(frozen=True)
class Town:
    """A server and who is in it."""

    guild: GuildHandle
    moderator: MemberActor
    members: list[MemberActor]


class World:
    """A server with a channel, a moderator and three members, and the bot in it.

    Attributes:
        clock: of the bot, of Discord, of all.
        endpoint: the model.
        home: the first server; ``guild``, ``mira`` (its moderator) and ``members`` are of it.
        channel: its channel.
    """

    def __init__(
        self,
        redis: EmbeddedRedis,
        embedder: Embedder,
        endpoint: StoryEndpoint,
        clock: ScaledClock,
        limits: Limits,
        settings: dict[str, str],
    ) -> None:
        self.clock = clock
        self.endpoint = endpoint
        self.redis = redis
        self._embedder = embedder
        self._limits = limits
        self._settings = settings
        self.log = _Faults()

    async def open(self) -> None:
        life = await self._built()
        self.env = _Discord(life.app.bot, self.clock)
        self.env.life = life
        self._towns: dict[int, Town] = {}
        self.home = self.settle("Harbour")
        self.guild, self.mira, self.members = (
            self.home.guild,
            self.home.moderator,
            self.home.members,
        )
        self.channel = self.guild.create_text_channel("tale")
        await self.env.start()
        await life.app.bot.wait_until_ready()
        self._own = RedisDatabase(self.redis.url)
        await self._own.prepare(self._embedder.name, self._embedder.dims)
        self._store = RedisStoryStore(self._own, self._embedder.dims)
        self._search = RedisMemorySearch(self._own, self._embedder.dims)

    async def close(self) -> None:
        """End everything."""
        if self.env.life is not None:
            await self.stop()
        await self.env.shutdown()
        await self._own.close()

    # ── lives ────────────────────────────────────────────────────────────────────────────────────

    async def stop(self) -> None:
        """The bot leaves in good order, as SIGTERM makes it."""
        life, self.env.life = self.env.life, None
        assert life is not None
        await life.app.aclose()
        await self.env.detach()
        left = [task for task in life.tasks if not task.done()]
        assert not left, f"a stopped bot still does something: {left}"
        await life.database.close()
        await life.wire.__aexit__(None, None, None)

    async def die(self) -> None:
        """The bot's process ends between two instructions, with everything it was doing."""
        life, self.env.life = self.env.life, None
        assert life is not None
        await life.wire.__aexit__(None, None, None)
        await self.env.detach()
        while doomed := [task for task in life.tasks if not task.done()]:
            for task in doomed:
                task.cancel()
            await asyncio.gather(*doomed, return_exceptions=True)
        await life.app.resources.aclose()
        await life.database.close()

    async def live_again(self) -> None:
        """Another process starts over the same Redis and the same Discord."""
        life = await self._built()
        self.env.life = life
        await self.env.attach(life.app.bot)
        await life.app.bot.wait_until_ready()

    async def _built(self) -> Life:
        wire = LossyProxy(self.redis.url)
        await wire.__aenter__()
        database = RedisDatabase(wire.url, repeats_s=())
        said = {
            "DISCORD_TOKEN": DISCORD_TOKEN,
            "OPENAI_API_KEY": ENDPOINT_KEY,
            "OPENAI_BASE_URL": self.endpoint.base_url,
            "NARRATOR_MODEL": MODEL,
            "REDIS_URL": self.redis.url,
            "SENTENCES": str(SENTENCES),
            "LEASE_SECONDS": str(LEASE_S),
            "COMMAND_COOLDOWN_SECONDS": "0",
        }
        app = await build(
            BotSettings.read(said | self._settings),
            clock=self.clock,
            database=database,
            embedder=self._embedder,
            limits=self._limits,
        )
        return Life(app, wire, database)

    # ── people ───────────────────────────────────────────────────────────────────────────────────

    def settle(self, name: str, guild_id: int | None = None) -> Town:
        """Make a server with a moderator and three members."""
        guild = self.env.create_guild(name, id=guild_id)
        role = guild.create_role("mods", permissions=MODERATOR)
        moderator = guild.add_member(self.env.create_user("mira"), roles=[role])
        members = [guild.add_member(self.env.create_user(who)) for who in ("ann", "ben", "cem")]
        self._towns[guild.id] = Town(guild, moderator, members)
        return self._towns[guild.id]

    def town(self, channel: ChannelHandle) -> Town:
        """Who lives where a channel is."""
        assert channel.guild is not None
        return self._towns[channel.guild.id]

    async def ask(
        self,
        who: MemberActor,
        command: str,
        channel: ChannelHandle | None = None,
        /,
        **options: Any,
    ) -> str:
        """Give a command and wait for the whole answer, which nobody else may see."""
        return await self._answer(await who.slash(channel or self.channel, command, **options))

    async def ask_raw(
        self, who: MemberActor | UserHandle, command: str, channel: ChannelHandle, **options: Any
    ) -> str:
        """Give a command past Discord's own checks, as somebody's own client could."""
        group, name = command.split()
        kinds: dict[type, int] = {str: 3, int: 4}
        given = [
            {"name": key, "type": kinds[type(value)], "value": value}
            for key, value in options.items()
        ]
        backend = self.env.backend
        root = backend.find_command(group, None)
        assert root is not None
        record, payload = interactions.base_payload(
            backend,
            type=InteractionType.APPLICATION_COMMAND,
            channel_id=channel.id,
            guild_id=channel.guild.id if channel.guild else None,
            user_id=who.id,
            data={
                "id": root["id"],
                "name": group,
                "type": 1,
                "options": [{"name": name, "type": 1, "options": given}],
            },
        )
        self.env._notify_dispatch_observers(record)
        backend.emit("INTERACTION_CREATE", payload)
        return await self._answer(InteractionResult(self.env, record))

    async def _answer(self, result: InteractionResult) -> str:
        def parts() -> list[Any]:
            parts = [part for part in (result.response, *result.followups) if part is not None]
            return [part for part in parts if part.content]

        await self.until(parts)
        shown = parts()
        assert all(part.ephemeral for part in shown), "an answer is for whoever asked"
        return "\n".join(dict.fromkeys(part.content for part in shown))

    async def thread(self, of: ChannelHandle | None = None) -> ChannelHandle:
        """A new thread of a channel that has none yet."""
        of = of or self.channel
        parent = self.env.bot.get_channel(of.id)
        assert isinstance(parent, discord.TextChannel)
        await parent.create_thread(name="aside", type=discord.ChannelType.public_thread)
        [thread] = of.threads
        return thread

    async def post(self) -> ChannelHandle:
        """A post in a new forum."""
        of = self.guild.create_forum_channel("tales")
        forum = self.env.bot.get_channel(of.id)
        assert isinstance(forum, discord.ForumChannel)
        await forum.create_thread(name="a tale", content="Here it is told.")
        [post] = of.threads
        return post

    async def start(
        self, premise: str, channel: ChannelHandle | None = None, /, **options: Any
    ) -> None:
        """Start a story and wait for its first vote."""
        channel = channel or self.channel
        moderator = self.town(channel).moderator
        said = await self.ask(moderator, "story start", channel, premise=premise, **options)
        assert said == "The story begins: its first paragraph is on its way."
        await self.rests(Phase.VOTING, 1, channel)

    async def turn_over(self, option: int = 0, channel: ChannelHandle | None = None) -> None:
        """One member votes, the moderator closes, and the next ballot is up."""
        channel = channel or self.channel
        story = await self.story(channel)
        town = self.town(channel)
        await self.vote(option, town.members[0], channel)
        await self.ask(town.moderator, "story close", channel)
        await self.rests(Phase.VOTING, story.head_number + 1, channel)

    async def vote(
        self, option: int, who: MemberActor, channel: ChannelHandle | None = None
    ) -> None:
        """React to the newest ballot."""
        await who.react(self.ballots(channel)[-1], OPTION_EMOJI[option])

    # ── what moderators do ───────────────────────────────────────────────────────────────────────

    def deny_bot(self, *permissions: str) -> None:
        """Take permissions from the bot in the channel, by discord.py's names."""
        denied = sum(discord.Permissions.VALID_FLAGS[name] for name in permissions)
        bot = self.env.backend.bot_user.id
        overwrite = Overwrite(target_id=bot, type=OverwriteType.MEMBER, deny=denied)
        self.env.backend.set_overwrite(self.channel.id, overwrite)

    def allow_bot(self) -> None:
        """Give back what ``deny_bot`` took."""
        self.env.backend.delete_overwrite(self.channel.id, self.env.backend.bot_user.id)

    def clear_reactions(self, message: discord.Message, emoji: str | None = None) -> None:
        """Take all reactions off a message, or all of one emoji."""
        backend = self.env.backend
        if emoji is None:
            backend.clear_reactions(message.channel.id, message.id)
        else:
            backend.clear_reaction(message.channel.id, message.id, emoji)

    def remove_own_reaction(self, message: discord.Message, emoji: str) -> None:
        """Take the bot's own reaction off a message."""
        backend = self.env.backend
        backend.remove_reaction(message.channel.id, message.id, emoji, backend.bot_user.id)

    def delete_channel(self, channel: ChannelHandle | None = None) -> None:
        """Delete a channel, a thread or a forum's post."""
        self.env.backend.delete_channel((channel or self.channel).id)

    def kick_bot(self) -> None:
        """Throw the bot out of the first server; here its channels are lost with it."""
        self.env.backend.remove_guild(self.guild.id)

    def asked_of(self, channel: ChannelHandle | None = None) -> list[Request]:
        """Everything that the bot asked of Discord about a channel."""
        about = f"/channels/{(channel or self.channel).id}/"
        entries: Any = self.env.backend.http_requests
        return [
            Request(place, entry.method, entry.path, json.dumps(entry.json, ensure_ascii=False))
            for place, entry in enumerate(entries)
            if about in f"{entry.path}/"
        ]

    # ── what members see ─────────────────────────────────────────────────────────────────────────

    def shown(
        self, channel: ChannelHandle | None = None, kind: MessageKind | None = None
    ) -> list[discord.Message]:
        """The bot's own messages in a channel, oldest first."""
        own = self.env.backend.bot_user.id
        return [
            message
            for message in (channel or self.channel).history()
            if message.author.id == own
            and not message.flags.ephemeral
            and message.type is discord.MessageType.default
            and kind in (None, kind_of(message))
        ]

    def ballots(self, channel: ChannelHandle | None = None) -> list[discord.Message]:
        return self.shown(channel, MessageKind.BALLOT)

    def said(self, channel: ChannelHandle | None = None) -> list[str]:
        """The bot's announcements."""
        return [text_of(m) for m in self.shown(channel, MessageKind.ANNOUNCEMENT)]

    def told(self, channel: ChannelHandle | None = None) -> list[str]:
        """The prose between the ballots, paragraph by paragraph, headings included."""
        runs = groupby(self.shown(channel), kind_of)
        return [
            " ".join(text_of(m) for m in run) for kind, run in runs if kind is MessageKind.PROSE
        ]

    def requests(self, method: str, path: str) -> list[Request]:
        """What the bot asked of Discord, in order, where method and the path's end fit."""
        entries: Any = self.env.backend.http_requests
        return [
            Request(place, entry.method, entry.path, json.dumps(entry.json, ensure_ascii=False))
            for place, entry in enumerate(entries)
            if entry.method == method and entry.path.endswith(path)
        ]

    # ── what Redis holds ─────────────────────────────────────────────────────────────────────────

    async def story(self, channel: ChannelHandle | None = None) -> Story:
        story = await self._store.current((channel or self.channel).id)
        assert story is not None, "no story in this channel"
        return story

    async def untouched(self, channel: ChannelHandle | None = None) -> bool:
        """Whether nothing was ever begun, said or paid in a channel."""
        channel = channel or self.channel
        begun = await self._store.current(channel.id)
        return begun is None and not self.shown(channel) and not self.endpoint.asked

    async def lineage(self, channel: ChannelHandle | None = None) -> list[Turn]:
        """The turns that led to the head, oldest first."""
        story = await self.story(channel)
        turns: list[Turn] = []
        at = story.head
        while at is not None:
            turns.append(await self._store.turn(story.id, at))
            at = turns[-1].parent
        return turns[::-1]

    async def remembered(self, channel: ChannelHandle | None = None) -> int:
        """How many summaries recall can find."""
        story = await self.story(channel)
        return await self._search.count(story.id, story.lineage)

    async def check_told_once(self, channel: ChannelHandle | None = None) -> None:
        """Every turn stands in the channel exactly once, in order, as Redis holds it."""
        turns, story = await self.lineage(channel), await self.story(channel)
        assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
        assert self.told(channel) == [
            f"**{story.brief.title}** · turn {turn.number}\n{turn.paragraph}" for turn in turns
        ]
        ballots = self.ballots(channel)
        assert [ballot.id for ballot in ballots] == [turn.ballot for turn in turns]
        assert all("won" in text_of(ballot) for ballot in ballots[:-1])
        own = self.env.backend.bot_user.id
        for ballot in ballots:
            stored = self.env.backend.get_message(ballot.channel.id, ballot.id)
            offered = [r.emoji for r in stored.reactions if own in r.user_ids]
            assert offered == list(OPTION_EMOJI)
        assert await self.remembered(channel) == len(turns)

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────

    async def until(self, done: Callable[[], object]) -> None:
        """Wait for something that the bot does by itself."""

        async def asked() -> object:
            return done()

        await self._until(asked)

    async def rests(
        self, phase: Phase, number: int | None = None, channel: ChannelHandle | None = None
    ) -> Story:
        """Wait until the story is in a phase, with nothing owed to the channel."""

        async def there() -> object:
            story = await self._store.current((channel or self.channel).id)
            return (
                story is not None
                and story.phase is phase
                and not story.outbox
                and number in (None, story.head_number)
            )

        await self._until(there)
        return await self.story(channel)

    async def rests_paused(self, channel: ChannelHandle | None = None) -> Story:
        """Wait until the story is paused; what the channel is owed may have to wait."""

        async def there() -> object:
            return (await self.story(channel)).phase is Phase.PAUSED

        await self._until(there)
        return await self.story(channel)

    async def until_it(self, done: Callable[[], Awaitable[object]]) -> None:
        """Wait for something that has to be asked for."""
        await self._until(done)

    async def _until(self, done: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await done():  # noqa: ASYNC110 - what is waited for knows no events
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"it never came; {await self._picture()}") from None

    async def _picture(self) -> str:
        story = await self._store.current(self.channel.id)
        stands = story and (story.phase, story.head_number, story.pause, story.outbox, story.due)
        logged = [record.getMessage() for record in self.log.records]
        shown = [text_of(message)[:150] for message in self.shown()]
        return f"the first channel's story: {stands}; logged: {logged}; shown: {shown}"


def text_of(message: discord.Message) -> str:
    """All text of a message, that of its components included."""
    return message.content or "\n".join(_texts([c.to_dict() for c in message.components]))


def _texts(components: Any) -> list[str]:
    found: list[str] = []
    for component in cast("list[dict[str, Any]]", components):
        if "content" in component:
            found.append(component["content"])
        found += _texts(component.get("components", []))
    return found


@asynccontextmanager
async def opened(
    redis: EmbeddedRedis,
    embedder: Embedder,
    *,
    clock: ScaledClock | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    **settings: str,
) -> AsyncGenerator[World]:
    """A world with a bot in it; it is a fault when the bot logs an error."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(cast(Any, _owning_tasks))
    loggers = [logging.getLogger(name) for name in ("bot", "core", "discord", "asyncio")]
    async with StoryEndpoint() as endpoint:
        world = World(redis, embedder, endpoint, clock or ScaledClock(), limits, settings)
        for logger in loggers:
            logger.addHandler(world.log)
        try:
            await world.open()
            try:
                yield world
            finally:
                await world.close()
        finally:
            for logger in loggers:
                logger.removeHandler(world.log)
            loop.set_task_factory(None)
    errors = [r.getMessage() for r in world.log.records if r.levelno >= logging.ERROR]
    assert not errors, errors
