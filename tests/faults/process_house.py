"""A whole Talewheel as it is run: the bot's process, and around it everything that it talks to.

The local Discord, a Redis and the model's endpoint live in the test's process and outlive every
kill of the bot. Here are also what members do, what must hold whenever a story rests, and the
moments at which a process can be killed: one before and one behind everything it asks for.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.playground.embedded_redis import EmbeddedRedis
from bot.render import OPTION_EMOJI
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.story import Phase, Story, Turn
from tests import leak_watch
from tests.adapters.redis_raw import raw_client
from tests.faults.bot_nursery import Nursery
from tests.faults.bot_process import BotProcess
from tests.faults.discord_server import (
    MODERATOR,
    Call,
    Channel,
    DiscordServer,
    DropConnection,
    Limits,
    Message,
)
from tests.faults.story_endpoint import DIMS, EMBEDDING_MODEL, MODEL, Asked, StoryEndpoint
from tests.faults.told_once import Witness
from tests.leak_watch import DISCORD_TOKEN, ENDPOINT_KEY

TOKEN = DISCORD_TOKEN
LEASE_S = 2
"""A restart takes as long; shorter, and a busy machine could lose a lease without any crash."""
PATIENCE_S = 40.0
"""For what takes a second or two on an idle machine."""
SUPPRESS_EMBEDS = 1 << 2
"""Discord's flag for a message without previews."""
ROUTES = (
    "* /channels/*/*",
    "* /channels/*/messages/*",
    "* /channels/*/messages/*/reactions/*",
    "* /channels/*/messages/*/reactions/*/@me",
)
"""Everything that a turn asks of Discord, apart from answers to commands."""


class ProcessHouse:
    """One bot, its Discord, its Redis and its endpoint.

    Attributes:
        server, endpoint, redis, bot: what it consists of.
        witness: compares what is on stage with what Redis holds.
        channel: where the story of the moment is told.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits | None = None,
        *,
        nursery: Nursery | None = None,
        **environment: str,
    ) -> None:
        """See the class.

        Args:
            folder: empty; the bot's own.
            limits: Discord's, where they are not its usual ones.
            nursery: see BotProcess.
            environment: settings beside those that lead to the servers.
        """
        self._folder = folder
        self._nursery = nursery
        self._said = environment
        self._stack = AsyncExitStack()
        self.server = DiscordServer(token=TOKEN, limits=limits)
        self.endpoint = StoryEndpoint()
        self.redis = EmbeddedRedis()
        self.guild = self.server.world.create_guild("Harbour")
        moderators = self.server.world.create_role(self.guild, "Moderators", MODERATOR)
        self.moderator = self.server.join(self.guild, "Ada", [moderators])
        self.members = [self.server.join(self.guild, name) for name in ("Mira", "Jonas", "Ola")]
        self.channel = self.new_channel()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.server)
        await self._stack.enter_async_context(self.endpoint)
        await self._stack.enter_async_context(self.redis)
        async with raw_client(self.redis.url) as client:
            # What a commit waits for is then on disk at once, not at the server's next tick.
            await client.config_set("appendfsync", "always")
        self._database = RedisDatabase(self.redis.url)
        self._stack.push_async_callback(self._database.close)
        store = RedisStoryStore(self._database, DIMS)
        self.witness = Witness(self.server, store, self.redis.url)
        self._folder.mkdir()
        self.bot = BotProcess(self._folder, self.environment(), self._nursery)
        self._stack.push_async_callback(self.bot.kill)
        self.endpoint.hook = self._in_step
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        leak_watch.check(self.bot.output + self.bot.answer, "what the bot printed")
        for call in self.server.calls:
            leak_watch.check(str(call.fields), f"what Discord was told: {call.method} {call.path}")
            check_mentions(call)
        for body in self.endpoint.heard:
            leak_watch.check(body, "what the model was told")

    def environment(self) -> dict[str, str]:
        """The settings that lead the bot here."""
        return {
            "DISCORD_TOKEN": TOKEN,
            "DISCORD_API_URL": self.server.api_url,
            "DISCORD_GATEWAY_URL": self.server.gateway_ws_url,
            "OPENAI_API_KEY": ENDPOINT_KEY,
            "OPENAI_BASE_URL": self.endpoint.base_url,
            "NARRATOR_MODEL": MODEL,
            "EMBEDDINGS": "openai",
            "EMBEDDING_MODEL": EMBEDDING_MODEL,
            "REDIS_URL": self.redis.url,
            "LEASE_SECONDS": str(LEASE_S),
            "VOTE_SECONDS": "600",
            "COMMAND_COOLDOWN_SECONDS": "0",
            "STORIES_PER_GUILD": "1000",
            **self._said,
        }

    def new_channel(self) -> Channel:
        """Another channel, in which no story was told yet."""
        number = len(self.guild.channels) + 1
        self.channel = self.server.world.create_channel(self.guild, f"tale-{number}")
        return self.channel

    def next_door(self) -> Self:
        """The same house as it is seen from another channel: stories are told side by side."""
        other = copy(self)
        other.new_channel()
        return other

    async def start_bot(self, **more: str) -> None:
        """Start the process and wait until it is connected."""
        await self.bot.start(**more)
        connecting = asyncio.create_task(self.server.wait_connected(timeout_s=PATIENCE_S))
        ending = asyncio.create_task(self.bot.ended(PATIENCE_S))
        await asyncio.wait({connecting, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        assert self.bot.running, f"the bot ended at its start:\n{self.bot.output}"
        await connecting

    async def kill_bot(self) -> None:
        """End the process at once, and wait until Discord knows."""
        await self.bot.kill()
        await self.bot_is_gone()

    async def bot_is_gone(self) -> None:
        """Wait until Discord knows that the process has ended."""
        self.server.changes.ring()  # whoever waits for the process looks whether it runs
        await self.server.wait_disconnected(PATIENCE_S)

    # ── what members do ──────────────────────────────────────────────────────────────────────────

    def ask_for_story(self, premise: str = "A keeper hears the sea.") -> None:
        """A moderator starts a story, and doesn't wait for the answer."""
        self.moderator.begin_command(self.channel, "story start", premise=premise)

    def vote(self, option: int) -> None:
        """Two members want an option, another one the next."""
        ballot = self.shown()[-1]
        for member, choice in zip(self.members, (option, option, (option + 1) % 3), strict=True):
            member.react(ballot, OPTION_EMOJI[choice])

    def ask_to_close(self) -> None:
        """A moderator closes the vote, and doesn't wait for the answer."""
        self.moderator.begin_command(self.channel, "story close")

    async def turn_over(self) -> None:
        """Vote, close, and wait for the next ballot; the same votes for a turn each time."""
        story = await self.story()
        self.vote(story.head_number % 3)
        self.ask_to_close()
        await self.rests_at(story.head_number + 1)

    # ── what is there ────────────────────────────────────────────────────────────────────────────

    def shown(self) -> list[Message]:
        """What the channel shows of the bot, oldest first."""
        return self.server.bot_messages(self.channel)

    async def story_or_none(self) -> Story | None:
        """The channel's story as Redis holds it, if there is one."""
        return await self.witness.current(self.channel)

    async def story(self) -> Story:
        """The channel's story as Redis holds it."""
        story = await self.story_or_none()
        assert story is not None
        return story

    async def told(self) -> list[Turn]:
        """The turns that led to the head, oldest first."""
        return await self.witness.told(await self.story())

    async def rests_at(self, number: int) -> None:
        """Wait until the ballot of a turn is open and nothing is owed to the channel."""

        async def rests() -> bool:
            story = await self.story_or_none()
            return (
                story is not None
                and story.phase is Phase.VOTING
                and story.head_number == number
                and not story.outbox
            )

        await self.until(rests, f"the vote of turn {number}")

    async def until(self, there: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for something that the bot does by itself."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await there():  # noqa: ASYNC110 - Redis tells nobody of a change
                    await asyncio.sleep(0.03)
        except TimeoutError:
            story = await self.story_or_none()
            shown = "\n".join(message.text[:120] for message in self.shown())
            raise AssertionError(
                f"not within {PATIENCE_S} s: {what}; Redis: {story}; shown:\n{shown}\n"
                f"the bot said:\n{self.bot.output[-4000:]}"
            ) from None

    # ── what must hold ───────────────────────────────────────────────────────────────────────────

    async def check_told_once(self) -> None:
        """Every turn stands on stage once, in order, as Redis holds it, and nothing else does."""
        await self.witness.check_told_once(self.channel)
        for turn in (await self.told())[:-1]:
            assert turn.tally is not None
            assert (turn.tally.winner, turn.tally.voters) == (turn.number % 3, 3), "the votes cast"

    def check_log(self) -> None:
        """Nothing that the bot said asks for a look: no error, no trace, no secret."""
        for word in ("ERROR", "CRITICAL", "Traceback", TOKEN):
            assert word not in self.bot.output, self.bot.output[-4000:]

    # ── moments ──────────────────────────────────────────────────────────────────────────────────

    async def _in_step(self, moment: str, asked: Asked) -> None:
        """Hold the stream until members see what came of it.

        So a turn's calls are always the same ones, however fast the machine is.
        """
        if asked.what != "paragraph" or moment not in {"early", "late"}:
            return
        number = asked.number
        sentence = f"Turn {number} follows" if moment == "early" else f"Sentence 9 of {number} "
        await self.server.wait_for(
            lambda: (
                not self.bot.running
                or any(
                    sentence in message.text
                    for channel in self.guild.channels.values()
                    for message in self.server.bot_messages(channel)
                )
            ),
            PATIENCE_S,
            f"{sentence!r} on stage",
        )


def check_mentions(call: Call) -> None:
    """Whatever is shown says whom it may mention, at most a role; and shows no preview of a link.

    A message of components has no previews, and an edit keeps what the message was sent with.
    """
    said: dict[str, Any] = call.fields.get("data") or call.fields
    if not said.keys() & {"content", "components"}:
        return
    allowed = said["allowed_mentions"]
    assert (allowed["parse"], allowed.get("users", [])) == ([], []), f"{call.path}: {allowed}"
    if call.method == "POST" and said.get("content"):
        assert said["flags"] & SUPPRESS_EMBEDS, call.path


class Moments:
    """What a process asks for, as moments at which it can be killed.

    Where nothing but an answer is lost, before and behind are the same (a reading, the typing sign,
    an embedding): the world hasn't changed and the process knows nothing, so only one is a moment.
    For the same reason the lists of who reacted, read one after the other, are one.

    Attributes:
        seen: the moments so far, each "when what number".
        at: the moment at which the process dies; None lets it live.
        died: set when it did.
    """

    def __init__(self, house: ProcessHouse) -> None:
        self._house = house
        self._counts: Counter[str] = Counter()
        self.seen: list[str] = []
        self.at: str | None = None
        self.died = asyncio.Event()
        for route in ROUTES:
            house.server.before(route, self._before)
            house.server.after(route, self._after)
        self._in_step = house.endpoint.hook
        house.endpoint.hook = self._asked

    def watch(self, at: str | None = None) -> None:
        """Begin to count anew; ``at`` is the moment to die at."""
        self._counts.clear()
        self.seen.clear()
        self.died.clear()
        self.at = at

    async def _before(self, call: Call) -> None:
        if call.method == "GET" and "/reactions/" in call.path and self._reads_on():
            return
        await self._discord("before", call)

    async def _after(self, call: Call) -> None:
        if call.method != "GET" and not call.path.endswith("/typing"):
            await self._discord("after", call)

    async def _discord(self, when: str, call: Call) -> None:
        shape = re.sub(r"/(\d{15,}|[^/]+(?=/@me)|(?<=reactions/)[^/]+)", "/*", call.path)
        if await self._passed(f"{when} {call.method} {shape}"):
            # Before: nothing reaches the world any more. Behind: nobody hears that it did.
            raise DropConnection

    async def _asked(self, moment: str, asked: Asked) -> None:
        await self._in_step(moment, asked)
        if await self._passed(f"{moment} {asked.what}"):
            raise ConnectionResetError("the process that asked is dead")

    def _reads_on(self) -> bool:
        """Whether the last moment was such a list already."""
        return (
            bool(self.seen) and self.seen[-1].startswith("before GET") and "react" in self.seen[-1]
        )

    async def _passed(self, name: str) -> bool:
        """Note a moment; gives whether the process is dead."""
        self._counts[name] += 1
        moment = f"{name} {self._counts[name]}"
        self.seen.append(moment)
        if moment == self.at:
            self.at = None
            await self._house.kill_bot()
            self.died.set()
        return not self._house.bot.running
