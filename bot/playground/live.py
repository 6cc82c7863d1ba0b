"""The live page: the real, unmodified bot in SimCord's Preview, played by people instead of tests.

SimCord (pinned to exactly 3.2.1) simulates Discord in this process and serves a Discord-like page
on loopback. It is made for tests: its time stands still, its page shows what was published. This is
the one file that touches its private names, to make it live:

1. `_LiveEnv` does not claim the bot's work. SimCord's own clock, timers and its waiting for "all
   work done" apply to claimed work only, so sleeps, view timeouts and sockets are asyncio's own.
2. `_WallClock` gives messages, interactions and their deadlines the time of day.
3. `_LiveEnv._settle_internal` waits for the answer to the interaction at hand (as long as Discord
   does: 3 s), not for a bot that never rests.
   A refusal is an answer like any other (`_capture_errors`), and it names the whole command.
4. `_Pulse` replaces the ever-growing transcript by a counter; `LivePreview` publishes a page anew
   when it asks and something has happened since.
5. `LivePreview._action` lets two tabs queue, and judges a press by the world as it is now: text
   that streams would make half of the presses stale. `_initial_target` lets a page begin
   at the newest instead of at one message.
6. `_cheap_publishing` keeps the parsed text of messages and lists only the latest messages:
   publishing cost 2.3 s at 2,000 messages without it.
7. `_LiveServer` serves SimCord's page with the changes of `served_page.py` and `page/`.

How to run a bot in it (the bot is logged in, not connected: what it does beside its handlers has to
begin in `setup_hook` or on_ready, not after `bot.start`):

    with stop_signals() as stop:               # first of all, so that a Ctrl-C is never too early
        async with live_preview(bot) as preview:
            print(preview.url)                 # its fragment is a credential: the terminal only
            await preview.until_stopped(stop)  # Ctrl-C, SIGTERM or "Stop the playground"

No story, no Redis and no narrator here: they are the bot's.
"""

# The glue is what this file is for: SimCord's private names are used here, and nowhere else.
# pyright: reportPrivateUsage=false

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Set
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

import discord
from aiohttp import web
from discord.ext import commands
from simcord import _dpy_internals, _runtime
from simcord._clock import Clock
from simcord.actors import MemberActor
from simcord.backend.models import Interaction
from simcord.builders import ChannelHandle
from simcord.env import Env
from simcord.preview import Preview, _markdown, _queries, _snapshot
from simcord.preview._pages import _Page
from simcord.preview._server import PreviewServer

from bot.playground.served_page import PATCHED_PATHS, patched

BOT_NAME = "Talewheel"
GUILD_NAME = "The Talewheel Inn"
GUILD_ID = 1
"""Of no server at Discord: tells the playground's stories from others in the same database."""
CHANNEL_NAME = "story"
TOPIC = "Type /story start below and press Enter. Vote with the numbers under the plans."
MODERATOR = "Rosa (moderator)"
MEMBERS = ("Ben", "Chidi", "Yuki")

# Discord gives a bot this long to answer an interaction.
_ANSWER_TIMEOUT_S = 3.0
_ANSWER_POLL_S = 0.01
# What a handler does right after its answer is shown together with the answer.
_GRACE_S = 0.03
# More than this many errors are not kept (the bot has logged them; they hold their frames).
_ERRORS_KEPT = 50
# Parsed texts that are kept: what a page shows (50 messages of some ten texts), for several pages.
_TEXTS_KEPT = 2048
# SimCord's list of messages, which the playground hides, need not go further back than its page.
_LISTED_MESSAGES = 50

_PAGE = Path(__file__).with_name("page")
_SIMCORD_PAGE = Path(_snapshot.__file__).with_name("static")


class _WallClock(Clock):
    """The time of day where SimCord has a clock that only tests move."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        """Real time passes by itself."""


class _Pulse:
    """Stands where SimCord keeps a list of everything that ever happened, and only counts."""

    def __init__(self) -> None:
        self.count = 0

    def append(self, _entry: object) -> None:
        self.count += 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class _LiveEnv(Env):
    """SimCord's world in real time."""

    def __init__(self, bot: commands.AutoShardedBot) -> None:
        # Discord approves no privileged intent by itself, so neither does the playground.
        super().__init__(
            bot,
            shard_count=None if bot.shard_count else 1,
            approved_intents=discord.Intents.default(),
        )
        self.pulse = _Pulse()
        self.command = ""
        """The command at hand as it was given: SimCord keeps the first of its words."""
        backend: Any = self.backend
        backend.clock = _WallClock()
        backend.transcript = self.pulse
        backend.http_requests = _Pulse()
        self._unanswered: Interaction | None = None
        self._register_dispatch_observer(self._note_interaction)

    async def start(self) -> None:
        await super().start()
        # From here on the loop and the clock of the process are the plain ones again.
        _runtime._restore_loop(self)
        _dpy_internals.release_clocks(self)

    @contextmanager
    def _bot_scope(self) -> Generator[None]:
        previous = _dpy_internals.set_webhook_adapter(self._webhook_adapter)
        try:
            yield
        finally:
            _dpy_internals.reset_webhook_adapter(previous)

    def _note_interaction(self, interaction: Interaction) -> None:
        self._unanswered = interaction
        if interaction.command_name:
            interaction.command_name = self.command or interaction.command_name
        self._forget_expired()

    def _forget_expired(self) -> None:
        # Discord's tokens live for 15 minutes; SimCord's would live, and grow in number, for ever.
        now = self.backend.now_iso()
        interactions = self.backend.interactions
        for number, interaction in list(interactions.items()):
            if interaction.expires_at is None or interaction.expires_at > now:
                break
            del interactions[number]
            self.backend.interaction_tokens.pop(interaction.token, None)
        self.backend._sequences.clear()

    async def _settle_internal(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - SimCord's signature
        idle: float = 0.05,
        dispatch: str | None = None,
        _deadline: float | None = None,
    ) -> None:
        interaction, self._unanswered = self._unanswered, None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _ANSWER_TIMEOUT_S
        while (  # noqa: ASYNC110 - the answer arrives as a changed value, without any event
            interaction is not None and not interaction.responded and loop.time() < deadline
        ):
            await asyncio.sleep(_ANSWER_POLL_S)
        await asyncio.sleep(_GRACE_S)

    def _capture_errors(self) -> None:
        """What a handler raises is the bot's own business: at Discord nobody would know of it.

        SimCord would call a press failed whose refusal the member has in front of them.
        """

    def _record_error(self, error: BaseException) -> None:
        if len(self._errors) >= _ERRORS_KEPT:
            self._errors.clear()
            self._error_ids.clear()
        super()._record_error(error)


class _LiveServer(PreviewServer):
    """SimCord's page as the playground shows it."""

    _STATIC_FILES: ClassVar[dict[str, str]] = {
        **PreviewServer._STATIC_FILES,
        # An absolute path stays what it is when SimCord joins it to its own folder.
        **{f"/{name}": str(_PAGE / name) for name in ("playground.js", "playground.css")},
    }
    _STATIC_CONTENT_TYPES: ClassVar[dict[str, str]] = {
        **PreviewServer._STATIC_CONTENT_TYPES,
        str(_PAGE / "playground.css"): "text/css",
    }

    def __init__(self, preview: "LivePreview", port: int) -> None:
        super().__init__(preview, port)
        self._live = preview
        self._answers: dict[str, tuple[object, Any]] = {}
        files = PreviewServer._STATIC_FILES
        self._patched = {
            path: patched(path, (_SIMCORD_PAGE / files[path]).read_text(encoding="utf-8"))
            for path in PATCHED_PATHS
        }

    async def _static(self, request: Any) -> Any:
        response = await super()._static(request)
        if request.path in self._patched:
            response.text = self._patched[request.path]
        return response

    async def _state(self, request: Any) -> Any:
        # Asked four times a second by every tab, and nearly always nothing has happened since.
        name = request.headers.get("X-Simcord-Context", "")
        known = self._answers.get(name)
        moment = self._live.moment(name)
        if known is not None and known[0] == moment and self._authorized(request, context=name):
            self._live._get_page(name)  # the page is still looked at
            return web.Response(
                body=known[1], headers=self._SECURITY_HEADERS, content_type="application/json"
            )
        response = await super()._state(request)
        self._answers = {
            page: self._answers[page] for page in self._live.pages & self._answers.keys()
        }
        if response.status == HTTPStatus.OK:
            self._answers[name] = (self._live.moment(name), response.body)
        return response


class LivePreview(Preview):
    """The page of one bot. Made by `live_preview`; `url` is where it is."""

    _MAX_PAGES = 64
    # A tab in the background may sleep for hours; a closed one gives its page back at once.
    _PAGE_LEASE_SECONDS = 12 * 3600.0

    def __init__(
        self, env: _LiveEnv, channel: ChannelHandle, viewers: tuple[Any, ...], port: int
    ) -> None:
        super().__init__(
            env,
            channel,
            viewers,
            layout="channel",
            display="responsive",
            width=960,
            height=720,
            locale="en-US",
            timezone=_local_timezone(),
            presentation_time=None,
            assets=None,
            port=port,
        )
        self._server = _LiveServer(self, port)
        self._world = env
        self._pulse = env.pulse
        self._seen: dict[str, int] = {}
        self._turn = asyncio.Lock()

    def _publish(self, page: _Page, *, reason: Any = "action") -> None:
        self._seen = {known: at for known, at in self._seen.items() if known in self._pages}
        self._seen[page.id] = self._pulse.count
        super()._publish(page, reason=reason)

    def _page_payload(self, page: _Page) -> dict[str, Any]:
        if self._seen.get(page.id) != self._pulse.count:
            self._advance_presentation_time()
            self._publish(page, reason="refresh")
        return super()._page_payload(page)

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with self._turn:
            path: list[object] = body.get("path") or []
            self._world.command = " ".join(map(str, path))
            if context_id in self._pages and "published_revision" in body:
                body = {**body, "published_revision": self._pages[context_id].revision}
            return await super()._action(context_id, body)

    def _initial_target(self, viewer: Any, channel_id: int) -> int | None:
        """None: a page that opens or changes its seat looks at the newest, whatever comes."""

    @property
    def pages(self) -> Set[str]:
        """The open tabs."""
        return self._pages.keys()

    def moment(self, page_id: str) -> object:
        """What is the same as long as that tab would be shown the same."""
        page = self._pages.get(page_id)
        if page is None:
            return None
        receipts = (id(page.last_action), len(page.activity), page.last_sequence)
        return page.revision, page.status, self._pulse.count, receipts

    @property
    def channel_id(self) -> int:
        """The channel that the page shows."""
        return self.channel.id

    async def until_stopped(self, stop: asyncio.Event) -> None:
        """Wait for `stop`, or for "Stop the playground" in the page."""
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self.wait_closed())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


@contextmanager
def stop_signals() -> Generator[asyncio.Event]:
    """Turn Ctrl-C and SIGTERM into an event, so that everything can be left in good order.

    Yields:
        What is set by the first of these signals; to be entered in a coroutine of the main thread.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _local_timezone() -> str:
    """The name of this machine's time zone, or UTC where it has no name to be found."""
    try:
        return str(Path("/etc/localtime").resolve()).split("zoneinfo/", 1)[1]
    except IndexError:
        return "UTC"


@contextmanager
def _cheap_publishing() -> Generator[None]:
    """Make publishing cost what changed, not what the channel has ever held."""
    parser_of, navigation = _markdown._markdown_parser, _queries._message_navigation

    def latest_only(preview: Preview, page: _Page, visible: list[Any]) -> Any:
        return navigation(preview, page, visible[-_LISTED_MESSAGES:])

    glue: Any = _markdown
    listing: Any = _snapshot
    glue._markdown_parser = _remembering(parser_of)
    listing._message_navigation = latest_only
    try:
        yield
    finally:
        glue._markdown_parser = parser_of
        listing._message_navigation = navigation


class _ParsedOnce:
    """Stands where SimCord makes a markdown parser anew for every text, and remembers results."""

    def __init__(self, parse: Callable[[str, str], Any]) -> None:
        self._parse = parse

    def parse(self, text: str, _env: object) -> Any:
        return self._parse("parse", text)

    def parseInline(self, text: str, _env: object) -> Any:  # noqa: N802 - markdown-it's name
        return self._parse("parseInline", text)


def _remembering(parser_of: Callable[[Any, Any], Any]) -> Callable[[Any, Any], _ParsedOnce]:
    @lru_cache(maxsize=_TEXTS_KEPT)
    def parsed(policy: str, context: str, method: str, text: str) -> Any:
        meaning = json.loads(context)
        return getattr(parser_of(json.loads(policy), meaning), method)(text, {"context": meaning})

    def remembering_parser(policy: Mapping[str, Any], context: Mapping[str, Any]) -> _ParsedOnce:
        key = json.dumps(policy, sort_keys=True), json.dumps(context, sort_keys=True)
        return _ParsedOnce(lambda method, text: parsed(*key, method, text))

    return remembering_parser


@asynccontextmanager
async def live_preview(
    bot: commands.AutoShardedBot, *, port: int = 0
) -> AsyncGenerator[LivePreview]:
    """Serve the bot in a page of its own: a guild with one channel, a moderator, three members.

    The bot is logged in on entering, and ready; on leaving, the page and the bot are closed.

    Args:
        bot: an ordinary bot, neither changed nor started; `bot.close` is called on leaving.
        port: the port on loopback; 0 takes a free one.

    Yields:
        The page; `url` is its address, whose fragment is a credential.

    Raises:
        ServedPageError: the installed SimCord is not the one that this was written for.
    """
    env = _LiveEnv(bot)
    try:
        channel, seats = _furnish(env)
        await env.start()
        await bot.wait_until_ready()
        with _cheap_publishing():
            preview = LivePreview(env, channel, seats, port)
            async with preview:
                yield preview
    finally:
        await bot.close()
        await env.shutdown()


def _furnish(env: _LiveEnv) -> tuple[ChannelHandle, tuple[MemberActor, ...]]:
    """Make the guild; the moderator is the first viewer, so the page opens as them."""
    env.backend.bot_user.name = BOT_NAME
    guild = env.create_guild(GUILD_NAME, id=GUILD_ID)
    channel = guild.create_text_channel(CHANNEL_NAME, topic=TOPIC)
    role = guild.create_role("Moderator", permissions=discord.Permissions(manage_messages=True))
    moderator = guild.add_member(env.create_user("rosa", global_name=MODERATOR), roles=[role])
    members = (
        guild.add_member(env.create_user(name.lower(), global_name=name)) for name in MEMBERS
    )
    return channel, (moderator, *members)
