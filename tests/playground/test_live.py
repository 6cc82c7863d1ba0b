"""The live page, played in a browser with the sample bot."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
from playwright.async_api import expect

from bot.playground.live import MEMBERS, MODERATOR, TOPIC, LivePreview, live_preview
from bot.playground.served_page import HINT, PATCHED_PATHS, ServedPageError, patched
from tests.playground.page import PlaygroundPage
from tests.playground.sample_bot import OPTIONS, SENTENCES, SampleBot

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("PLAYGROUND_PICTURES")


@pytest.fixture
async def bot() -> SampleBot:
    return SampleBot()


@pytest.fixture
async def preview(bot: SampleBot) -> AsyncIterator[LivePreview]:
    async with live_preview(bot) as preview:
        yield preview


@pytest.fixture
async def page(preview: LivePreview) -> AsyncIterator[PlaygroundPage]:
    async with PlaygroundPage.open(preview.url) as page:
        yield page
        assert page.errors == []


async def keep(page: PlaygroundPage, name: str) -> None:
    """Keep a picture of the page when somebody wants to look at it."""
    if PICTURES:
        await page.picture(Path(PICTURES) / f"{name}.png")


async def begin(page: PlaygroundPage) -> None:
    await page.run("tale start", {"premise": "a lighthouse", "style": "noir"})
    begun = page.message("Begun: a lighthouse, noir, 60 s to vote.")
    await expect(begun).to_contain_text(f"{MODERATOR} used /tale start")


async def test_a_vote_is_played_from_command_to_modal(page: PlaygroundPage, bot: SampleBot) -> None:
    """Command, stream, votes of two members, button and modal all work by real presses."""
    await keep(page, "1-open")
    await begin(page)
    story = page.message(SENTENCES[0])
    await story.wait_for()
    assert SENTENCES[-1] not in await story.inner_text()
    await keep(page, "2-stream")
    await page.message(SENTENCES[-1]).wait_for()
    ballot = page.message("What happens next?")
    await expect(page.chip(ballot, OPTIONS[2])).to_be_visible()
    await keep(page, "3-ballot")

    await page.play_as("Ben")
    delays = [await page.react(ballot, OPTIONS[1])]
    await expect(page.chip(ballot, OPTIONS[1])).to_contain_text("2")
    await page.play_as("Yuki")
    delays.append(await page.react(ballot, OPTIONS[1]))
    delays.append(await page.react(ballot, OPTIONS[0]))
    delays.append(await page.react(ballot, OPTIONS[0]))
    await expect(page.chip(ballot, OPTIONS[1])).to_contain_text("3")
    await keep(page, "4-votes")
    assert max(delays) < 2.0
    assert await bot.tally() == {OPTIONS[0]: [], OPTIONS[1]: ["Yuki", "Ben"], OPTIONS[2]: []}
    assert [emoji for emoji, _ in bot.raw_events].count(OPTIONS[1]) == 3

    await page.press(ballot, "Change plan 1")
    await page.tab.locator("#modal-root").get_by_role("dialog").wait_for()
    await keep(page, "5-modal")
    await page.submit("Change plan 1", {"Title": "Up to the lamp"})
    await expect(page.message("What happens next?")).to_contain_text("Up to the lamp")
    await expect(page.chip(ballot, OPTIONS[1])).to_contain_text("3")
    await page.play_as(MODERATOR)
    await page.run("tale tally")
    await expect(page.message("Only you can see this")).to_contain_text("2️⃣: Yuki, Ben")
    await keep(page, "6-end")


async def test_two_tabs_are_two_players_of_one_world(
    page: PlaygroundPage, preview: LivePreview, bot: SampleBot
) -> None:
    """Presses of two tabs at the same moment, while text streams, all count and show in both."""
    await begin(page)
    await expect(page.chip(page.message("What happens next?"), OPTIONS[2])).to_be_visible()
    other = await page.another_tab(preview.url)
    await page.play_as("Ben")
    await other.play_as("Chidi")
    channel = bot.get_channel(preview.channel_id)
    assert isinstance(channel, discord.TextChannel)
    first = await channel.fetch_message(bot.ballot.id) if bot.ballot else None
    assert first is not None
    bot.begin(channel, "a second tale")
    ballots = [tab.tab.locator(f"[data-message-id='{first.id}']") for tab in (page, other)]
    await asyncio.gather(page.react(ballots[0], OPTIONS[0]), other.react(ballots[1], OPTIONS[0]))
    for tab, ballot in zip((page, other), ballots, strict=True):
        await expect(tab.chip(ballot, OPTIONS[0])).to_contain_text("3")
    await other.say("What a night.")
    await page.message("What a night.").wait_for()


async def test_the_page_follows_the_story(page: PlaygroundPage) -> None:
    """Whoever is at the bottom stays there, commands or not; whoever scrolled up is left alone."""
    timeline = page.tab.locator("#channel-timeline")
    below = "e => Math.round(e.scrollHeight - e.scrollTop - e.clientHeight)"
    for number in range(3):
        await page.run("tale start", {"premise": f"tale {number}"})
        await page.message(f"tale {number} · turn 1").wait_for()
        ballots = page.tab.locator(".component-container")
        await expect(ballots).to_have_count(number + 1)
        await expect(page.tab.locator(".reaction-chip")).to_have_count(3 * (number + 1))
        await asyncio.sleep(0.5)
        assert await timeline.evaluate(below) <= 1
    await timeline.hover()
    await page.tab.mouse.wheel(0, -400)
    await asyncio.sleep(0.5)
    await page.tab.locator("#channel-composer-input").click()
    above = await timeline.evaluate("e => e.scrollTop")
    await (await page.another_tab(page.tab.url)).run("tale start", {"premise": "not now"})
    await expect(page.tab.locator(".component-container")).to_have_count(4)
    assert abs(await timeline.evaluate("e => e.scrollTop") - above) <= 1


async def test_whoever_comes_sees_the_newest(
    page: PlaygroundPage, bot: SampleBot, preview: LivePreview
) -> None:
    """A page stays at the newest whoever plays, begins there anew, and follows links back."""
    channel = bot.get_channel(preview.channel_id)
    assert isinstance(channel, discord.TextChannel)
    told = [await channel.send(f"Sentence {number} of many.") for number in range(60)]
    links = [f"[{name}]({told[at].jump_url})" for name, at in (("near", 30), ("far", 2))]
    await channel.send(f"Back to the {links[0]} or the {links[1]} one.")
    await expect(page.message("Back to the near")).to_be_in_viewport()
    for seat in ("Ben", MODERATOR):
        await page.play_as(seat)
        await channel.send(f"For {seat}.")
        await expect(page.message(f"For {seat}.")).to_be_in_viewport()
    await page.tab.reload()
    await expect(page.message(f"For {MODERATOR}.")).to_be_in_viewport()
    await channel.send("And on.")
    await expect(page.message("And on.")).to_be_in_viewport()
    for name, at in (("near", 30), ("far", 2)):
        await page.tab.get_by_role("link", name=name).click()
        await expect(page.message(f"Sentence {at} of many.")).to_be_in_viewport()


async def test_a_command_in_one_line_is_a_command(page: PlaygroundPage) -> None:
    """Typed or pasted, sent by Enter or by the arrow: each option gets the text behind its name."""
    entry = page.tab.locator("#channel-composer-input")
    listed = page.tab.locator(".command-popup").get_by_text("/tale start", exact=True)
    await entry.press_sequentially("/tale start premise: a door: open style: noir seconds: 7")
    await listed.wait_for()
    await entry.press("Enter")
    await page.message("Begun: a door: open, noir, 7 s to vote.").wait_for()
    await entry.fill("  /tale start\nseconds: 8\npremise: pasted\n")
    await listed.wait_for()
    await page.tab.get_by_role("button", name="Send").click()
    await page.message("Begun: pasted, plain, 8 s to vote.").wait_for()
    await entry.fill("/tale start no name at all")
    await listed.wait_for()
    await entry.press("Enter")
    await page.message("Begun: no name at all, plain, 60 s to vote.").wait_for()
    await page.say("/tale tally takes no words")


async def test_what_is_wrong_with_an_option_can_be_read(page: PlaygroundPage) -> None:
    """Beside the option, in full; whoever leaves the command has an empty line again."""
    premise = "a premise that needs more room than an option of a few words has"
    entry = page.tab.locator("#channel-composer-input")
    await entry.fill(f"/tale start seconds: 3 premise: {premise}")
    await page.tab.locator(".command-popup").get_by_text("/tale start", exact=True).wait_for()
    await entry.press("Enter")
    fault = page.tab.locator(".command-error")
    await expect(fault).to_have_text("Value is outside the allowed range.")
    await keep(page, "7-fault")
    assert await page.shows_all_of(fault)
    assert await page.shows_all_of(page.tab.locator("input[data-option=premise]"))
    await page.tab.get_by_role("button", name="Exit command mode").click()
    await expect(entry).to_have_value("")


async def test_a_menu_that_is_left_closes(page: PlaygroundPage) -> None:
    """By Escape, and by whatever is done next."""
    more = page.tab.locator(".session-menu summary")
    stop = page.tab.get_by_role("button", name="Stop the playground")
    for leave in (
        lambda: page.tab.keyboard.press("Escape"),
        lambda: page.play_as("Ben"),
        lambda: page.tab.locator("#channel-composer-input").click(),
        lambda: page.tab.locator("#channel-timeline").click(),
    ):
        await more.click()
        await expect(stop).to_be_visible()
        await leave()
        await expect(stop).to_be_hidden()


async def test_a_narrow_window_shows_everything(page: PlaygroundPage) -> None:
    """At the width of a telephone nothing of the header and the composer is cut off or covered."""
    await page.tab.set_viewport_size({"width": 420, "height": 800})
    header = page.tab.locator("#toolbar")
    for part in (
        header.get_by_text("Talewheel", exact=True),
        *await header.locator(".seats button").all(),
        header.locator("summary"),
        page.tab.locator("#channel-name"),
        page.tab.get_by_role("button", name="Send"),
    ):
        assert await page.shows_all_of(part)
    await header.locator("summary").click()
    assert await page.shows_all_of(header.get_by_role("button", name="Stop the playground"))
    await page.tab.locator("#channel-composer-input").press_sequentially("/tale start")
    await page.tab.locator(".command-popup").get_by_text("/tale start", exact=True).click()
    await page.tab.keyboard.press("Enter")
    await keep(page, "8-narrow")
    assert await page.shows_all_of(page.tab.locator(".command-error"))
    assert await page.shows_all_of(page.tab.get_by_role("button", name="Send"))


async def test_the_time_to_vote_counts_down_by_itself(page: PlaygroundPage) -> None:
    """A relative time goes on although nothing happens in the channel."""
    await page.run("tale start", {"premise": "short", "seconds": "30"})
    closes = page.message("What happens next?").locator("time[data-style=R]")
    await expect(closes).to_have_text(re.compile(r"in 2\d seconds"))
    before = await closes.inner_text()
    await expect(closes).not_to_have_text(before)


async def test_an_empty_channel_says_how_to_begin(page: PlaygroundPage) -> None:
    """Page, header and title tell a newcomer what this is and what to type."""
    await expect(page.tab).to_have_title("Talewheel playground")
    await expect(page.tab.locator("#channel-empty")).to_have_text(HINT)
    await expect(page.tab.locator("#channel-topic")).to_have_text(TOPIC)
    assert await page.tab.locator(".seats button").all_inner_texts() == [MODERATOR, *MEMBERS]


async def test_nothing_is_kept_of_what_has_passed(bot: SampleBot, preview: LivePreview) -> None:
    """The world's own records stay empty however much happens: it may run for hours."""
    channel = bot.get_channel(preview.channel_id)
    assert isinstance(channel, discord.TextChannel)
    message = await channel.send("one")
    for number in range(200):
        await message.edit(content=str(number))
    assert preview.env.transcript() == ""
    assert list(preview.env.http_requests) == []


async def test_sleeps_and_stamps_are_of_this_world(bot: SampleBot, preview: LivePreview) -> None:
    """Time is the wall's: a message is stamped now, and a sleep of the bot takes what it says."""
    channel = bot.get_channel(preview.channel_id)
    assert isinstance(channel, discord.TextChannel)
    message = await channel.send("now")
    assert abs((discord.utils.utcnow() - message.created_at).total_seconds()) < 1
    began = time.monotonic()
    await bot.tell(channel, "slow")
    assert 1.5 <= time.monotonic() - began < 3


@pytest.mark.parametrize("path", PATCHED_PATHS)
def test_a_changed_simcord_is_noticed(path: str) -> None:
    """A text that should be replaced but is not there is an error that says what to do."""
    with pytest.raises(ServedPageError, match="Install the simcord of requirements"):
        patched(path, "<title>Something new</title>")


async def start_program() -> tuple[asyncio.subprocess.Process, asyncio.StreamReader, int]:
    """The sample as a program; its server runs, its page comes next."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "tests.playground.sample_run"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    return program, program.stdout, int(await program.stdout.readline())


async def assert_ends_well(program: asyncio.subprocess.Process, server_pid: int) -> None:
    told = time.monotonic()
    _, errors = await program.communicate()
    assert time.monotonic() - told < 5
    assert (program.returncode, errors) == (0, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(server_pid, 0)


async def assert_says_that_it_is_over(page: PlaygroundPage) -> None:
    """In a banner that can't be overlooked; nothing that would lead nowhere can be pressed."""
    await expect(page.tab.locator(".playground-banner")).to_contain_text("make play")
    await keep(page, "9-over")
    for part in ("#channel-composer", ".seats", ".session-menu"):
        assert await page.tab.locator(part).evaluate("e => e.inert")


@pytest.mark.redis
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_everything(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end program, page and server in under 5 s, with exit code 0."""
    program, output, server_pid = await start_program()
    url = (await output.readline()).decode().strip()
    async with PlaygroundPage.open(url) as page:
        await begin(page)  # told to stop while a tab looks on and text streams
        program.send_signal(number)
        await assert_ends_well(program, server_pid)
        await assert_says_that_it_is_over(page)


@pytest.mark.redis
async def test_a_signal_while_starting_ends_everything_too() -> None:
    """A Ctrl-C before the page is up is as good as a later one."""
    program, _, server_pid = await start_program()
    program.send_signal(signal.SIGINT)
    await assert_ends_well(program, server_pid)


@pytest.mark.redis
async def test_stop_the_playground_ends_everything_too() -> None:
    """The page's own way out ends program and server like Ctrl-C."""
    program, output, server_pid = await start_program()
    url = (await output.readline()).decode().strip()
    async with PlaygroundPage.open(url) as page:
        await page.tab.locator(".session-menu summary").click()
        await page.tab.get_by_role("button", name="Stop the playground").click()
        await assert_ends_well(program, server_pid)
        await assert_says_that_it_is_over(page)
