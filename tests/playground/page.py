"""The playground's page as a player uses it: by real presses in Chromium, never by its insides."""

import shutil
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from playwright.async_api import Locator, Page, async_playwright, expect

_CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A press shows within a second or two; the machine may be busy.
_PATIENCE_MS = 15_000


@dataclass(frozen=True, slots=True)
class PlaygroundPage:
    """One tab of the playground.

    Args:
        tab: the tab, opened at the playground's address.
        errors: what its scripts threw; a test asserts that it stays empty.
    """

    tab: Page
    errors: list[str]

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, width: int = 1280, height: int = 800) -> AsyncGenerator[Self]:
        """Start Chromium and open the page; it is ready to be used on entering.

        Args:
            url: the playground's address with its fragment.
            width: of the window, in CSS pixels.
            height: of the window, in CSS pixels.

        Yields:
            The open page.
        """
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=_CHROMIUM_ARGS
            )
            try:
                context = await browser.new_context(viewport={"width": width, "height": height})
                context.set_default_timeout(_PATIENCE_MS)
                expect.set_options(timeout=_PATIENCE_MS)
                page = cls(await context.new_page(), [])
                await page.visit(url)
                yield page
            finally:
                await browser.close()

    async def another_tab(self, url: str) -> "PlaygroundPage":
        """Open the page once more, in the same browser."""
        page = PlaygroundPage(await self.tab.context.new_page(), self.errors)
        await page.visit(url)
        return page

    async def visit(self, url: str) -> None:
        """Open the address and wait until the page can be used."""
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        await self.tab.goto(url)
        await self.tab.locator("#preview-app[aria-busy=false]").wait_for()
        await self.tab.locator("#channel-composer-input").wait_for()

    async def run(self, command: str, options: Mapping[str, str] | None = None) -> None:
        """Type a slash command, pick it, fill its options in order and press Enter.

        Args:
            command: its full name without the slash, such as `story start`.
            options: what is typed into each option; one that the command does not show yet is added
                by "+n more"; a value is taken as typed, or picked when it is offered.
        """
        composer = self.tab.locator("#channel-composer")
        entry = self.tab.locator("#channel-composer-input")
        await entry.click()
        await entry.press_sequentially(f"/{command}")
        popup = self.tab.locator(".command-popup")
        await popup.get_by_text(f"/{command}", exact=True).click()
        await composer.get_by_role("button", name=f"Command /{command}").wait_for()
        for name, value in (options or {}).items():
            await self._fill_option(composer, popup, name, value)
        await self.tab.keyboard.press("Enter")
        await expect(composer.locator(".command-chip")).to_have_count(0)

    async def _fill_option(self, composer: Locator, popup: Locator, name: str, value: str) -> None:
        field = composer.locator(f"input[data-option='{name}']")
        if not await field.count():
            await composer.locator(".command-ghost").click()
            await popup.locator(f"[data-value='{name}']").click()
        await field.click()
        await field.press_sequentially(value)
        offered = popup.locator(f"[data-value='{value}']")
        if await offered.count():
            await offered.click()

    async def say(self, text: str) -> None:
        """Send an ordinary message."""
        entry = self.tab.locator("#channel-composer-input")
        await entry.fill(text)
        await entry.press("Enter")
        await self.message(text).wait_for()

    async def play_as(self, name: str) -> None:
        """Take another member's seat."""
        seat = self.tab.locator(".seats").get_by_role("button", name=name, exact=True)
        await seat.click()
        await expect(seat).to_have_attribute("aria-pressed", "true")
        await self.tab.locator("#preview-app[aria-busy=false]").wait_for()

    def message(self, text: str) -> Locator:
        """The latest message that holds this text."""
        return self.tab.locator("[data-message-id]").filter(has_text=text).last

    def chip(self, message: Locator, emoji: str) -> Locator:
        """The reaction of a message."""
        return message.locator(".reaction-chip").filter(has_text=emoji)

    async def react(self, message: Locator, emoji: str) -> float:
        """Press a reaction (again: take it back) and wait until the count has changed.

        Returns:
            Seconds from the press to the new count on the screen.
        """
        chip = self.chip(message, emoji)
        before = await chip.locator(".reaction-count").inner_text()
        pressed = time.monotonic()
        await chip.click()
        await expect(chip.locator(".reaction-count")).not_to_have_text(before)
        return time.monotonic() - pressed

    async def press(self, message: Locator, label: str) -> None:
        """Press a button of a message."""
        await message.get_by_role("button", name=label, exact=True).click()

    async def submit(self, title: str, values: Mapping[str, str]) -> None:
        """Fill the open modal and send it off.

        Args:
            title: the modal's title.
            values: label of a text field → its new text.
        """
        modal = self.tab.locator("#modal-root").get_by_role("dialog")
        await expect(modal).to_contain_text(title)
        for label, text in values.items():
            await modal.get_by_label(label).fill(text)
        await modal.get_by_role("button", name="Submit").click()
        await expect(modal).to_have_count(0)

    async def shows_all_of(self, part: Locator) -> bool:
        """Whether none of its edges is cut off by the window or by a box, or covered."""
        await part.wait_for()
        return await part.evaluate("""part => {
            const { left, right, top, bottom } = part.getBoundingClientRect();
            const [x, y] = [(left + right) / 2, (top + bottom) / 2];
            const edges = [[left + 1, y], [right - 1, y], [x, top + 1], [x, bottom - 1]];
            return edges.every((edge) => part.contains(document.elementFromPoint(...edge)));
        }""")

    async def picture(self, path: Path) -> None:
        """Save what the window shows."""
        await self.tab.screenshot(path=path)
