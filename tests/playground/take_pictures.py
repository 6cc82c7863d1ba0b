"""Takes the README's pictures anew: `python -m tests.playground.take_pictures docs/pictures`.

Starts the playground, plays a story in headless Chromium by real presses, and saves what the window
shows as PNG. With `all` after the folder, every stage that a newcomer passes is kept, seen in an
ordinary window.
"""

import argparse
import asyncio
import io
import re
from pathlib import Path

from PIL import Image
from playwright.async_api import expect

from bot.playground.live import MODERATOR
from bot.render import OPTION_EMOJI
from tests.playground.page import PlaygroundPage
from tests.playground.program import playing

PREMISE = "The keeper of a lighthouse vanishes on the last night of the season."
README = ("playground-ballot", "playground-result")
README_WINDOW = (960, 1080)
"""As wide as a README shows pictures, and high enough for a paragraph with its ballot."""
WINDOW = (1280, 800)
_COLOURS = 256


class Album:
    """Saves pictures into a folder, small enough for a repository."""

    def __init__(self, folder: Path, page: PlaygroundPage, *, everything: bool) -> None:
        self._folder = folder
        self._page = page
        self._everything = everything

    async def keep(self, name: str) -> None:
        """Save what the window shows now, if this picture is wanted."""
        if not self._everything and name not in README:
            return
        # A message shows its tools while it is pointed at or was pressed last; they fade away.
        if name in README:
            await self._page.tab.locator("#channel-name").click()
        await self._page.tab.mouse.move(0, 0)
        await asyncio.sleep(0.5)
        shot = await self._page.tab.screenshot()
        picture = Image.open(io.BytesIO(shot)).convert("RGB")
        target = self._folder / f"{name}.png"
        # A page of text has few colours: a palette halves the file and nobody sees it.
        picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


async def take(folder: Path, *, everything: bool) -> None:
    """Play a story to its second paragraph and keep the pictures."""
    width, height = WINDOW if everything else README_WINDOW
    async with (
        playing() as program,
        PlaygroundPage.open(await program.url(), width=width, height=height) as page,
    ):
        await tell(page, Album(folder, page, everything=everything))


async def tell(page: PlaygroundPage, album: Album) -> None:
    """Play from the empty channel to the second ballot."""
    await album.keep("1-empty")
    entry = page.tab.locator("#channel-composer-input")
    await entry.click()
    await entry.press_sequentially("/")
    await asyncio.sleep(0.5)
    await album.keep("2-commands")
    await entry.fill("")
    await page.run("story start", {"premise": PREMISE})
    await page.message("turn 1").wait_for()
    await asyncio.sleep(2)
    await album.keep("3-first-paragraph")
    await voted(page, album)
    await page.run("story close")
    await page.message("turn 2").wait_for()
    await asyncio.sleep(4)
    await album.keep("playground-result")
    await ballot_is_open(page)
    await album.keep("5-second-ballot")
    await page.run("memory show")
    await page.message("Short-term memory").wait_for()
    await asyncio.sleep(0.5)
    await album.keep("6-memory-show")
    await page.run("memory search", {"query": "the lamp and the sea"})
    await asyncio.sleep(1)
    await album.keep("7-memory-search")
    await page.run("story status")
    await asyncio.sleep(1)
    await album.keep("8-status")


async def voted(page: PlaygroundPage, album: Album) -> None:
    """Wait for the ballot and let three members vote."""
    await ballot_is_open(page)
    ballot = page.message("What happens next?")
    for name, option in (("Ben", 1), ("Yuki", 0), (MODERATOR, 1)):
        await page.play_as(name)
        await page.react(ballot, OPTION_EMOJI[option])
    await album.keep("playground-ballot")


async def ballot_is_open(page: PlaygroundPage) -> None:
    """Wait until the latest ballot has its three reactions."""
    ballot = page.message("What happens next?")
    await expect(ballot).to_contain_text(re.compile("closes in"), timeout=60_000)
    await expect(ballot.locator(".reaction-chip")).to_have_count(len(OPTION_EMOJI))


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("which", nargs="?", choices=["all"], help="every stage on the way")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(chosen.folder, everything=chosen.which == "all"))


if __name__ == "__main__":
    main()
