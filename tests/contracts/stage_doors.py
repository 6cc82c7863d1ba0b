"""The Stage port's two sides for its contract suite, and what people do around it.

One door is the fake, the other the real stage in front of the local Discord server; both tell time
by one clock that the test owns. A test acts through ``stage`` and looks and meddles through the
rest. What only Discord has (pages, bursts, threads) is tested in tests/bot.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.client import point_at
from bot.render import OPTION_EMOJI
from bot.stage import DiscordStage
from core.ports import Ballot, Stage
from tests.fakes.clock import FakeClock
from tests.fakes.stage import FakeMessage, FakeStage
from tests.faults.discord_server import USUAL, DiscordServer, Message, Overwrite, Permission


class StageDoor(Protocol):
    """A stage with one channel, and the channel's people.

    Attributes:
        clock: tells both sides the time; Discord forgets nonces by it.
        channel: the channel's id.
    """

    clock: FakeClock
    channel: int

    @property
    def stage(self) -> Stage:
        """The side under test."""
        ...

    def texts(self) -> list[str]:
        """What each of our messages says now, oldest first."""
        ...

    def chatter(self) -> None:
        """Somebody else writes a message."""
        ...

    def person(self, *, bot: bool = False) -> int:
        """Somebody new; gives their id."""
        ...

    def react(self, ballot: int, person: int, option: int) -> None:
        """A person reacts to a ballot."""
        ...

    def offered(self, ballot: int) -> list[int]:
        """The options that carry our own reaction, in the order they were put there."""
        ...

    def hide(self) -> None:
        """Take the channel out of our sight."""
        ...

    def mute(self) -> None:
        """Let us read and react, and not write."""
        ...

    def blind(self) -> None:
        """Take the right to read the channel's history from us."""
        ...

    def close(self) -> None:
        """Delete the channel."""
        ...


class FakeDoor:
    """FakeStage behind the door."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stage = FakeStage(self.clock)
        self.channel = self.stage.snowflake()

    def texts(self) -> list[str]:
        return [_text(message) for message in self.stage.shown(self.channel)]

    def chatter(self) -> None:
        # The fake keeps our messages alone: of others' it notices that ids went by.
        self.stage.snowflake()

    def person(self, *, bot: bool = False) -> int:
        person = self.stage.snowflake()
        if bot:
            self.stage.bots.add(person)
        return person

    def react(self, ballot: int, person: int, option: int) -> None:
        self.stage.find(self.channel, ballot).votes[option].add(person)

    def offered(self, ballot: int) -> list[int]:
        return list(range(self.stage.find(self.channel, ballot).offered))

    def hide(self) -> None:
        self.stage.forbidden.add(self.channel)

    def mute(self) -> None:
        self.stage.muted.add(self.channel)

    def blind(self) -> None:
        self.stage.blind.add(self.channel)

    def close(self) -> None:
        self.stage.closed.add(self.channel)


class DiscordDoor:
    """DiscordStage behind the door, in a guild of the local Discord server."""

    def __init__(self, server: DiscordServer, client: discord.Client, clock: FakeClock) -> None:
        self.clock = clock
        self.stage = DiscordStage(client)
        self._server = server
        self._guild = server.world.create_guild("Harbour", bot_permissions=USUAL)
        self._place = server.world.create_channel(self._guild, "tale")
        self.channel = self._place.id

    def texts(self) -> list[str]:
        return [message.text for message in self._server.bot_messages(self._place)]

    def chatter(self) -> None:
        self._server.join(self._guild, "Mira").say(self._place, "-# oh!")

    def person(self, *, bot: bool = False) -> int:
        user = self._server.world.create_user("somebody", bot=bot)
        self._server.world.add_member(self._guild, user)
        return user.id

    def react(self, ballot: int, person: int, option: int) -> None:
        world = self._server.world
        emoji = OPTION_EMOJI[option]
        world.add_reaction(self._message(ballot), world.users[person], emoji, burst=False)

    def offered(self, ballot: int) -> list[int]:
        reactions, us = self._message(ballot).reactions, self._server.world.bot.id
        ours = [emoji for emoji, reaction in reactions.items() if us in reaction.normal]
        return [OPTION_EMOJI.index(emoji) for emoji in ours]

    def hide(self) -> None:
        self._deny(Permission.VIEW_CHANNEL)

    def mute(self) -> None:
        self._deny(Permission.SEND_MESSAGES)

    def blind(self) -> None:
        self._deny(Permission.READ_MESSAGE_HISTORY)

    def close(self) -> None:
        self._server.world.delete_channel(self._place)

    def _message(self, message: int) -> Message:
        return self._place.messages[message]

    def _deny(self, permission: Permission) -> None:
        us = self._server.world.bot.id
        self._server.world.set_overwrite(
            self._place, Overwrite(us, for_member=True, deny=permission)
        )


@asynccontextmanager
async def discord_door() -> AsyncGenerator[DiscordDoor]:
    """A door to a server of its own; discord.py is left pointing where it did before."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    clock = FakeClock()
    try:
        async with DiscordServer(token="local-token", clock=clock.now) as server:
            point_at(server.api_url, server.gateway_ws_url)
            async with discord.AutoShardedClient(
                intents=discord.Intents(guilds=True),
                allowed_mentions=discord.AllowedMentions.none(),
            ) as client:
                await client.login("local-token")
                yield DiscordDoor(server, client, clock)
    finally:
        point_at(base, str(gateway))


def _text(message: FakeMessage) -> str:
    content = message.content
    if isinstance(content, Ballot):
        return "\n".join(plan.title for plan in content.plans)
    return content.text
