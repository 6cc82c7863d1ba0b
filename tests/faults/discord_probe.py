"""A small bot on unmodified discord.py that uses what the local server has to answer.

In a test it runs in the test's own process; started as a module it is a process of its own, which
sends one message and then waits to be killed. It holds no expectations: those are in the tests.
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.faults.discord_server import DiscordServer
from tests.faults.discord_server.changes import Changes

TOKEN = "local-token"

Reply = discord.Interaction[Any]

INTENTS = discord.Intents(
    guilds=True, guild_messages=True, guild_reactions=True, dm_messages=True, members=False
)
"""What the probe asks for where a test says nothing else: nothing privileged."""


def point_discord_at(api_url: str, gateway_url: str) -> None:
    """Point discord.py, for the whole process, at another server that speaks Discord's protocol."""
    Route.BASE = api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)


class Question(discord.ui.Modal, title="Question"):
    """A modal with one text input."""

    answer: discord.ui.Label[Any] = discord.ui.Label(
        text="Answer", component=discord.ui.TextInput[Any](custom_id="answer", max_length=20)
    )

    async def on_submit(self, interaction: Reply, /) -> None:
        """Say back what was typed."""
        field = self.answer.component
        assert isinstance(field, discord.ui.TextInput)
        await interaction.response.send_message(f"you typed {field.value}", ephemeral=True)


class Panel(discord.ui.LayoutView):
    """A container with text and a button that closes it."""

    def __init__(self, text: str) -> None:
        super().__init__(timeout=None)
        self.shown = discord.ui.TextDisplay[Any](text)
        button = discord.ui.Button[Any](label="Close", custom_id="close")
        button.callback = self.close
        row = discord.ui.ActionRow[Any](button)
        self.add_item(discord.ui.Container[Any](self.shown, row))
        self.button = button

    async def close(self, interaction: Reply) -> None:
        """Edit the message that the button belongs to."""
        self.shown.content = f"closed by {interaction.user.display_name}"
        self.button.disabled = True
        await interaction.response.edit_message(view=self)


class Probe(commands.AutoShardedBot):
    """The bot.

    Attributes:
        heard: Names of dispatched events with what came along, in order.
        changes: Rings for each of them.
    """

    def __init__(
        self, intents: discord.Intents = INTENTS, *, heartbeat_timeout: float = 60.0
    ) -> None:
        super().__init__(
            command_prefix=(),
            intents=intents,
            guild_ready_timeout=0.05,
            heartbeat_timeout=heartbeat_timeout,
        )
        self.heard: list[tuple[str, Any]] = []
        self.changes = Changes()
        add_commands(self.tree)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify at once: the limit behind the pause of 5 s is not modelled by the server."""

    def _note(self, name: str, event: object) -> None:
        self.heard.append((name, event))
        self.changes.ring()

    async def on_resumed(self) -> None:
        """Note that a session goes on."""
        self._note("resumed", None)

    async def on_message(self, message: discord.Message, /) -> None:
        """Note a message."""
        self._note("message", message)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Note a reaction."""
        self._note("reaction_add", event)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Note a reaction taken back."""
        self._note("reaction_remove", event)

    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        """Note the removal of all reactions."""
        self._note("reaction_clear", event)

    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        """Note the removal of one emoji."""
        self._note("reaction_clear_emoji", event)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Note an edit."""
        self._note("message_edit", event)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Note a deletion."""
        self._note("message_delete", event)


def add_commands(tree: app_commands.CommandTree[Any]) -> None:
    """Give a bot the probe's commands."""
    tale = app_commands.Group(name="tale", description="Tales")

    @tale.command(description="Begin a tale")
    @app_commands.describe(premise="What it is about")
    async def begin(  # pyright: ignore[reportUnusedFunction]
        interaction: Reply,
        premise: str,
        seconds: app_commands.Range[int, 5, 600] = 60,
        keeper: discord.Member | None = None,
        where: discord.TextChannel | None = None,
        role: discord.Role | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        named = [entry.name for entry in (keeper, where, role) if entry is not None]
        told = f"{premise} / {seconds} / {named}"
        await interaction.followup.send(told)
        await interaction.followup.send("and more", ephemeral=True)

    @tale.command(description="Pin something")
    async def pin(interaction: Reply, entry: str) -> None:
        await interaction.response.send_message(f"pinned {entry}")
        await interaction.edit_original_response(content=f"pinned {entry} for good")

    @pin.autocomplete("entry")
    async def suggest(  # pyright: ignore[reportUnusedFunction]
        interaction: Reply, current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current}{end}", value=current + end) for end in "ab"]

    tree.add_command(tale)

    @tree.command(description="Ask by a modal")
    async def ask(interaction: Reply) -> None:  # pyright: ignore[reportUnusedFunction]
        await interaction.response.send_modal(Question(custom_id="question"))

    @tree.command(description="Show a panel")
    async def panel(interaction: Reply) -> None:  # pyright: ignore[reportUnusedFunction]
        await interaction.response.send_message(view=Panel("an open panel"))

    @tree.command(description="For moderators")
    @app_commands.default_permissions(manage_messages=True)
    async def purge(interaction: Reply) -> None:  # pyright: ignore[reportUnusedFunction]
        await interaction.response.send_message("purged")

    @tree.command(description="Says nothing")
    async def mute(interaction: Reply) -> None:  # pyright: ignore[reportUnusedFunction]
        del interaction


@asynccontextmanager
async def running(
    server: DiscordServer, intents: discord.Intents = INTENTS, *, heartbeat_timeout: float = 60.0
) -> AsyncGenerator[Probe, None]:
    """Run the probe in this process until the block ends."""
    async with Probe(intents, heartbeat_timeout=heartbeat_timeout) as bot:
        task = asyncio.create_task(bot.start(TOKEN))
        await server.wait_connected(server.platform.shards)
        await bot.wait_until_ready()
        yield bot
        await bot.close()
        await task


async def send_once(token: str, channel_id: int, nonce: str) -> None:
    """Connect, send one message under a nonce, and stay until killed."""
    bot = Probe()

    async def send() -> None:
        await bot.wait_until_ready()
        await bot.get_partial_messageable(channel_id).send("sent by a process", nonce=nonce)

    async with bot:
        await asyncio.gather(bot.start(token), send())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("api_url", "gateway_url", "token", "nonce"):
        parser.add_argument(name)
    parser.add_argument("channel_id", type=int)
    arguments = parser.parse_args()
    point_discord_at(arguments.api_url, arguments.gateway_url)
    asyncio.run(send_once(arguments.token, arguments.channel_id, arguments.nonce))
