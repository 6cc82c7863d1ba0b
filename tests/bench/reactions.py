"""Reactions: gateway events a second through the client, beside a bare client of discord.py.

Both are fed the same payloads as the gateway sends them, from their text on, while they are
connected to a local server; they are done when every event was looked at. A storm of votes on one
ballot must not cause a single request.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import discord
from discord.ext import commands

from bot.client import point_at
from bot.render import OPTION_EMOJI
from tests.bench.figures import Figure, quantile
from tests.bot.fake_services import Cast
from tests.faults.discord_server import USUAL, DiscordServer

BENCH = "reactions"
SHARE = 0.8
TOKEN = "local-token"
ROUNDS = 5
GAP = 100
"""Events that come at once before the loop turns."""


async def measure(events: int, storm: int) -> list[Figure]:
    """So many votes on many ballots through both clients by turns, then a storm on one ballot."""
    async with DiscordServer(token=TOKEN) as server:
        point_at(server.api_url, server.gateway_ws_url)
        guild = server.world.create_guild("Harbour", bot_permissions=USUAL)
        channel = server.world.create_channel(guild, "tale")
        payloads = _payloads(guild.id, channel.id, server.world.bot.id, events)
        ours: list[float] = []
        bare: list[float] = []
        cast = Cast()
        cast.storyteller.asleep = False
        async with (
            _connected(cast.bot(), server) as talewheel,
            _connected(_bare(), server) as other,
        ):
            for _ in range(ROUNDS):
                bare.append(events / await _fed(other, payloads))
                ours.append(events / await _fed(talewheel, payloads))
            before = len(server.calls)
            one = _payloads(guild.id, channel.id, server.world.bot.id, storm, ballots=1)
            seconds = await _fed(talewheel, one)
            requests = len(server.calls) - before
    rate, beside = quantile(ours, 0.5), quantile(bare, 0.5)
    return [
        Figure(
            BENCH,
            "votes through the client",
            rate,
            "a second",
            ROUNDS * events,
            "bare client",
            beside,
            f"at least {SHARE:g} of it",
            rate >= SHARE * beside,
        ),
        Figure(BENCH, f"a storm of {storm:,} votes on one ballot", seconds, "s", storm),
        Figure(
            BENCH,
            f"requests after a storm of {storm:,} votes",
            float(requests),
            "requests",
            target="none",
            met=requests == 0,
        ),
    ]


def _bare() -> commands.AutoShardedBot:
    """The same intents and caches, and nothing else."""
    return commands.AutoShardedBot(
        command_prefix=commands.when_mentioned,
        intents=discord.Intents(guilds=True, guild_reactions=True),
        max_messages=None,
        member_cache_flags=discord.MemberCacheFlags.none(),
        chunk_guilds_at_startup=False,
        guild_ready_timeout=0.1,
    )


@asynccontextmanager
async def _connected(
    client: commands.AutoShardedBot, server: DiscordServer
) -> AsyncGenerator[commands.AutoShardedBot]:
    async with client:
        task = asyncio.create_task(client.start(TOKEN))
        await client.wait_until_ready()
        yield client
        await client.close()
        with suppress(asyncio.CancelledError):
            await task


async def _fed(client: discord.Client, payloads: list[str]) -> float:
    """Seconds until a client has looked at all of them."""
    state: Any = client
    parse: Any = state._connection.parsers["MESSAGE_REACTION_ADD"]
    began = time.perf_counter()
    for place, payload in enumerate(payloads):
        parse(json.loads(payload)["d"])
        if place % GAP == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    return time.perf_counter() - began


def _payloads(guild: int, channel: int, author: int, count: int, ballots: int = 500) -> list[str]:
    return [
        json.dumps(
            {
                "t": "MESSAGE_REACTION_ADD",
                "s": number,
                "op": 0,
                "d": {
                    "user_id": str(10**17 + number),
                    "type": 0,
                    "message_id": str(10**18 + number % ballots),
                    "message_author_id": str(author),
                    "guild_id": str(guild),
                    "channel_id": str(channel),
                    "burst": False,
                    "emoji": {"id": None, "name": OPTION_EMOJI[number % 3]},
                    "member": {
                        "user": {
                            "id": str(10**17 + number),
                            "username": f"member{number}",
                            "discriminator": "0",
                            "avatar": None,
                            "global_name": None,
                        },
                        "roles": [],
                        "joined_at": "2026-01-01T00:00:00+00:00",
                        "deaf": False,
                        "mute": False,
                        "flags": 0,
                    },
                },
            }
        )
        for number in range(count)
    ]
