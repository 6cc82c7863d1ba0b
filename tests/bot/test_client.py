"""The client: commands registered once, votes heard, the wheel watched, an orderly stop."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast as cast_to

import aiohttp
import discord
import pytest

from bot.client import OWNER, TalewheelBot, point_at
from bot.process import serve, start_line
from bot.render import OPTION_EMOJI
from core.errors import StartError, StoreUnavailableError
from tests.bot.fake_services import Cast
from tests.faults.discord_server import USUAL, Answer, Channel, DiscordServer, Guild, Member

TOKEN = "local-token"
ROOT = Path(__file__).resolve().parents[2]
COMMANDS = "PUT /applications/*/commands"


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(token=TOKEN) as server:
        point_at(server.api_url, server.gateway_ws_url)
        yield server


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.world.create_guild("Harbour", bot_permissions=USUAL)


@pytest.fixture
def channel(server: DiscordServer, guild: Guild) -> Channel:
    return server.world.create_channel(guild, "tale")


@pytest.fixture
def mira(server: DiscordServer, guild: Guild) -> Member:
    return server.join(guild, "Mira")


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
async def bot(server: DiscordServer, cast: Cast, channel: Channel) -> AsyncIterator[TalewheelBot]:
    """A connected bot."""
    async with cast.bot() as bot:
        task = asyncio.create_task(bot.start(TOKEN))
        await server.wait_connected()
        await bot.wait_until_ready()
        await until(lambda: cast.storyteller.turning)
        yield bot
        await bot.close()
        with suppress(asyncio.CancelledError):
            await task


async def until(done: Callable[[], object]) -> None:
    """Wait for something the bot does by itself."""
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.01)


async def login(cast: Cast) -> None:
    async with cast.bot() as bot:
        await bot.login(TOKEN)


def registrations(server: DiscordServer) -> int:
    return len([c for c in server.calls if c.method == "PUT" and c.path.endswith("/commands")])


async def test_commands_are_registered_once_until_they_change(
    server: DiscordServer, cast: Cast
) -> None:
    await login(cast)
    await login(cast)
    assert registrations(server) == 1
    [name] = (name for name in cast.registered.kept if name.startswith("commands:"))
    cast.registered.kept[name] = "what another version had"
    await login(cast)
    assert registrations(server) == 2


async def test_commands_that_could_not_be_registered_are_tried_again(
    server: DiscordServer, cast: Cast
) -> None:
    server.before(COMMANDS, lambda _call: Answer(503, {"message": "no"}), times=1)
    with pytest.raises(discord.DiscordServerError):
        await login(cast)
    before = set(cast.registered.kept)
    await login(cast)
    assert len(set(cast.registered.kept) - before) == 1


async def test_a_database_with_another_bots_stories_ends_the_start_with_one_line(
    server: DiscordServer, cast: Cast
) -> None:
    """It would take them all over, and could edit none of their messages."""
    await login(cast)
    own = cast.registered.kept[OWNER]
    await login(cast)
    cast.registered.kept[OWNER] = "4711"
    with pytest.raises(StartError, match=f"^REDIS_URL: .* 4711; .* {own}"):
        await serve(cast.bot(), TOKEN)
    assert cast.registered.kept[OWNER] == "4711"
    assert not cast.storyteller.asked("run")


async def test_groups_are_for_servers_and_say_the_ranges(server: DiscordServer, cast: Cast) -> None:
    bot = cast.bot()
    async with bot:
        await bot.login(TOKEN)
        told = {command.name: command.to_dict(bot.tree) for command in bot.tree.get_commands()}
    assert set(told) == {"story", "memory", "plan", "recap", "why", "privacy"}
    assert all(command["contexts"] == [0] for command in told.values())
    assert all(command["integration_types"] == [0] for command in told.values())
    story = {option["name"]: option for option in told["story"]["options"]}
    assert set(story) == {
        *("start", "status", "close", "pause", "resume", "end"),
        *("edit", "retry", "rewind", "settings", "delete", "export"),
    }
    memory = {option["name"] for option in told["memory"]["options"]}
    assert memory == {
        *("show", "facts", "search", "edit", "amend", "forget", "pin", "unpin", "history", "undo"),
    }
    start = {option["name"]: option for option in story["start"]["options"]}
    assert (start["vote_seconds"]["min_value"], start["vote_seconds"]["max_value"]) == (5, 604_800)
    assert (start["sentences"]["min_value"], start["sentences"]["max_value"]) == (3, 40)
    assert [name for name, option in start.items() if option.get("required")] == ["premise"]


async def test_only_the_needed_intents_and_no_cache_of_members_or_messages() -> None:
    bot = Cast().bot()
    assert bot.intents == discord.Intents(guilds=True, guild_reactions=True)
    assert bot.allowed_mentions is not None
    assert bot.allowed_mentions.to_dict()["parse"] == []
    assert list(bot.cached_messages) == []


async def test_the_wheel_starts_once_and_catching_up_at_every_ready(
    bot: TalewheelBot, cast: Cast
) -> None:
    """on_ready may come again after a lost connection."""
    await bot.on_ready()
    await asyncio.sleep(0)
    await bot.on_ready()
    await asyncio.sleep(0)
    assert len(cast.storyteller.asked("run")) == 1
    assert len(cast.storyteller.asked("reconcile")) == 3


async def test_sleeping_ballots_are_looked_at_until_it_succeeds(
    server: DiscordServer, cast: Cast, channel: Channel
) -> None:
    """Redis was away when the bot connected: votes on sleeping ballots aren't lost for that."""
    cast.storyteller.outages = [StoreUnavailableError("Redis is away") for _ in range(2)]
    async with cast.bot() as bot:
        task = asyncio.create_task(bot.start(TOKEN))
        await server.wait_connected()
        await until(lambda: len(cast.storyteller.asked("reconcile")) == 3)
        await asyncio.sleep(0.1)
        assert len(cast.storyteller.asked("reconcile")) == 3
        await bot.close()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_gap_during_a_look_back_is_looked_at_too(
    server: DiscordServer, bot: TalewheelBot, cast: Cast
) -> None:
    """What the first look had seen already may have changed in the second gap."""
    await until(lambda: cast.storyteller.asked("reconcile"))
    cast.storyteller.calls.clear()
    await bot.on_ready()
    await bot.on_ready()
    await until(lambda: len(cast.storyteller.asked("reconcile")) == 1)
    cast.storyteller.reconciling.clear()
    await bot.on_ready()
    await until(lambda: len(cast.storyteller.asked("reconcile")) == 2)
    await bot.on_ready()
    cast.storyteller.reconciling.set()
    await until(lambda: len(cast.storyteller.asked("reconcile")) == 3)


async def test_a_fault_of_ours_in_a_look_back_is_logged_and_the_next_gap_is_looked_at(
    server: DiscordServer, bot: TalewheelBot, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    await until(lambda: cast.storyteller.asked("reconcile"))
    cast.storyteller.outages = [KeyError("a fault of ours")]
    await bot.on_ready()
    await until(lambda: "a fault of ours" in caplog.text)
    asked = len(cast.storyteller.asked("reconcile"))
    await bot.on_ready()
    await until(lambda: len(cast.storyteller.asked("reconcile")) == asked + 1)


async def test_no_story_is_worked_on_before_the_servers_were_compared(
    server: DiscordServer, cast: Cast, channel: Channel
) -> None:
    """A story of a server that the bot was sent away from would meet a refusal."""
    cast.storyteller.early_outages = [StoreUnavailableError("Redis is away") for _ in range(2)]
    async with cast.bot() as bot:
        task = asyncio.create_task(bot.start(TOKEN))
        await server.wait_connected()
        await until(lambda: cast.storyteller.turning)
        assert channel.guild is not None
        compared = ("compare", frozenset({channel.guild.id}))
        told = [call for call in cast.storyteller.calls if call[0] != "changed"]
        assert told[:3] == [compared] * 3
        assert ("run",) in told[3:]
        await bot.close()
        with suppress(asyncio.CancelledError):
            await task


async def test_votes_on_our_messages_are_heard_and_nothing_else(
    server: DiscordServer,
    bot: TalewheelBot,
    cast: Cast,
    channel: Channel,
    guild: Guild,
    mira: Member,
) -> None:
    place = bot.get_partial_messageable(channel.id)
    ours = await place.send("a ballot")
    message = server.bot_messages(channel)[0]
    theirs = mira.say(channel, "vote for me")
    mira.react(theirs, OPTION_EMOJI[0])
    mira.react(message, "🎉")
    await ours.add_reaction(OPTION_EMOJI[0])
    mira.react(message, OPTION_EMOJI[1])
    await until(lambda: cast.storyteller.asked("reacted"))
    await asyncio.sleep(0.05)
    assert cast.storyteller.asked("reacted") == [("reacted", channel.id, ours.id)]


async def test_a_vote_is_heard_in_either_spelling_of_its_emoji(
    server: DiscordServer, bot: TalewheelBot, cast: Cast, channel: Channel, mira: Member
) -> None:
    """Both count at the tally, so both must wake a sleeping story."""
    ours = await bot.get_partial_messageable(channel.id).send("a ballot")
    mira.react(server.bot_messages(channel)[0], OPTION_EMOJI[1].replace("\ufe0f", ""))
    await until(lambda: cast.storyteller.asked("reacted"))
    assert cast.storyteller.asked("reacted") == [("reacted", channel.id, ours.id)]


async def test_a_vote_that_cannot_be_looked_at_does_no_harm(
    server: DiscordServer, bot: TalewheelBot, cast: Cast, channel: Channel, mira: Member
) -> None:
    cast.storyteller.error = StoreUnavailableError("Redis is away")
    await bot.get_partial_messageable(channel.id).send("a ballot")
    mira.react(server.bot_messages(channel)[0], OPTION_EMOJI[0])
    await until(lambda: cast.storyteller.asked("reacted"))
    assert not bot.is_closed()


async def test_closing_stops_the_intake_first_and_the_wheel_after_it(
    bot: TalewheelBot, cast: Cast
) -> None:
    await bot.close()
    await bot.close()
    assert cast.storyteller.calls[-1] == ("aclose",)
    assert len(cast.storyteller.asked("aclose")) == 1
    assert not cast.storyteller.turning
    assert bot.is_closed()


async def test_sends_that_hang_do_not_keep_the_process(server: DiscordServer, cast: Cast) -> None:
    cast.storyteller.stuck = True
    async with cast.bot(stop_s=0.05) as bot:
        async with asyncio.timeout(3):
            await bot.close()
    assert bot.is_closed()


async def test_a_wheel_that_breaks_ends_the_process(
    server: DiscordServer, cast: Cast, channel: Channel
) -> None:
    """A bot that is online and turns no story would look alive for days."""
    cast.storyteller.wheel_error = ValueError("broken")
    async with asyncio.timeout(10):
        with pytest.raises(ValueError, match="broken"):
            await serve(cast.bot(), TOKEN)


async def test_a_wrong_token_is_one_line(server: DiscordServer, cast: Cast) -> None:
    with pytest.raises(StartError, match=r"^DISCORD_TOKEN: "):
        await serve(cast.bot(), "another")


def test_what_discord_refuses_later_is_one_line_too() -> None:
    socket = cast_to(aiohttp.ClientWebSocketResponse, SimpleNamespace(close_code=None))
    for failure, words in (
        (discord.PrivilegedIntentsRequired(0), "intents"),
        (discord.ConnectionClosed(socket, shard_id=0, code=4004), "DISCORD_TOKEN: "),
        (discord.ConnectionClosed(socket, shard_id=0, code=4011), "code 4011"),
        (discord.GatewayNotFound(), "refused the start"),
    ):
        line = start_line(failure)
        assert line is not None
        assert words in line
        assert "\n" not in line
    assert start_line(ValueError("ours")) is None


async def test_an_unreachable_discord_is_one_line(cast: Cast) -> None:
    point_at("http://127.0.0.1:9/api/v10")
    with pytest.raises(StartError, match=r"can't be reached at http://127\.0\.0\.1:9/api/v10"):
        await serve(cast.bot(), TOKEN)


async def test_a_store_that_is_away_at_the_start_is_one_line(
    server: DiscordServer, cast: Cast
) -> None:
    cast.registered.error = StoreUnavailableError("Redis is away")
    with pytest.raises(StartError, match="Redis is away"):
        await serve(cast.bot(), TOKEN)


# ── the command line ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def talewheel(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in a folder without a .env and with no environment but the given."""

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"PATH": "", "PYTHONPATH": str(ROOT), **environ},
            timeout=30,
            check=False,
        )

    return run


Run = Callable[..., subprocess.CompletedProcess[str]]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom bot.__main__ import main\n"
        "try:\n main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('discord','redis','openai','numpy','aiohttp') if m in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert ended.stdout.splitlines()[-1] == "[]"
    assert "run" in ended.stdout


def test_missing_settings_end_the_start_with_a_line_each(talewheel: Run) -> None:
    ended = talewheel("run", QUORUM="none", REDIS_URL="redis://127.0.0.1:9/0")
    assert ended.returncode == 2
    assert [line.split(":")[1].strip() for line in ended.stderr.splitlines()] == [
        "QUORUM",
        "DISCORD_TOKEN",
        "OPENAI_API_KEY",
    ]


def test_an_unreachable_redis_ends_the_start_with_one_line(talewheel: Run) -> None:
    ended = talewheel(
        "run", DISCORD_TOKEN="t", OPENAI_API_KEY="k", REDIS_URL="redis://127.0.0.1:9/0"
    )
    assert ended.returncode == 2
    lines = [line for line in ended.stderr.splitlines() if line.startswith("talewheel: ")]
    assert len(lines) == 1
    assert "REDIS_URL" in lines[0]
    assert "Traceback" not in ended.stderr


def test_no_command_is_a_usage_error_and_version_is_told(talewheel: Run) -> None:
    assert talewheel().returncode == 2
    assert talewheel("--version").stdout.startswith("talewheel ")
