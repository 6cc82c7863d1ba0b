"""The whole bot with METRICS_PORT set: what it tells from its start to its end."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.bootstrap.app import App, build
from bot.playground.embedded_redis import EmbeddedRedis
from bot.render import OPTION_EMOJI
from core.errors import StartError
from core.ports import Narrator
from tests.bot.test_bootstrap import TOKEN, narrator, server, settings, until
from tests.fakes.embedder import FakeEmbedder
from tests.faults.discord_server import USUAL, DiscordServer
from tests.faults.story_endpoint import MODEL, StoryEndpoint

pytestmark = pytest.mark.redis
__all__ = ["server"]
"""A fixture: pytest finds it here by its name."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


async def built(
    redis: EmbeddedRedis, server: DiscordServer, port: int, writer: Narrator | None, **more: str
) -> App:
    chosen = settings(
        redis,
        DISCORD_API_URL=server.api_url,
        DISCORD_GATEWAY_URL=server.gateway_ws_url,
        METRICS_PORT=str(port),
        **more,
    )
    return await build(chosen, narrator=writer, embedder=FakeEmbedder())


@asynccontextmanager
async def connected(app: App, server: DiscordServer) -> AsyncGenerator[None]:
    running = asyncio.create_task(app.bot.start(TOKEN))
    try:
        await server.wait_connected()
        await app.bot.wait_until_ready()
        yield
    finally:
        await app.aclose()
        with suppress(asyncio.CancelledError):
            await running


async def health(session: aiohttp.ClientSession) -> tuple[int, str]:
    async with session.get("/healthz") as answer:
        return answer.status, (await answer.json())["status"]


async def becomes(session: aiohttp.ClientSession, status: int, said: str) -> None:
    """Wait until health is this."""
    async with asyncio.timeout(30):
        while await health(session) != (status, said):  # noqa: ASYNC110 - only asking tells it
            await asyncio.sleep(0.05)


async def scraped(session: aiohttp.ClientSession) -> dict[str, float]:
    async with session.get("/metrics") as answer:
        text = await answer.text()
    return {
        " ".join([sample.name.removeprefix("talewheel_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_it_is_well_from_its_connection_to_its_end(
    empty_redis: EmbeddedRedis, server: DiscordServer
) -> None:
    """Before that it starts; afterwards nobody listens."""
    server.world.create_guild("Harbour", bot_permissions=USUAL)
    port = free_port()
    app = await built(empty_redis, server, port, narrator())
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        assert await health(session) == (503, "starting")
        async with connected(app, server):
            await becomes(session, 200, "ok")
            samples = await scraped(session)
            assert (samples["gateway_up"], samples["servers"], samples["redis_up"]) == (1, 1, 1)
        with pytest.raises(aiohttp.ClientConnectionError):
            await health(session)


async def test_a_turn_with_a_real_endpoint_is_counted_on_all_sides(
    empty_redis: EmbeddedRedis, server: DiscordServer
) -> None:
    """Discord's requests, the model's tokens and their cost, the story where it stands."""
    guild = server.world.create_guild("Harbour", bot_permissions=USUAL)
    channel = server.world.create_channel(guild, "tale")
    owner = server.owner(guild)
    port = free_port()
    async with StoryEndpoint() as endpoint:
        app = await built(
            empty_redis,
            server,
            port,
            None,
            OPENAI_BASE_URL=endpoint.base_url,
            NARRATOR_MODEL=MODEL,
            PRICES=f"{MODEL}=0.25/0.025/2",
        )
        async with (
            connected(app, server),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        ):
            await owner.command(channel, "story start", premise="Ormsay keeps a lighthouse.")

            def offered() -> bool:
                messages = server.bot_messages(channel)
                return bool(messages) and len(messages[-1].reactions) == len(OPTION_EMOJI)

            await until(offered)
            while (await scraped(session)).get("stories voting") != 1:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
            samples = await scraped(session)
    assert samples["turns_told_total"] == 1
    assert samples[f"model_requests_total {MODEL}"] == 3
    assert samples[f"model_tokens_total prompt {MODEL}"] > 0
    assert samples[f"model_cost_dollars_total {MODEL}"] > 0
    assert samples["discord_requests_total ok POST"] >= 2
    assert samples["discord_requests_total ok PUT"] == 1 + 3, "the commands, then the reactions"
    assert samples["station_call_seconds_count send stage"] >= 2


async def test_a_taken_port_ends_the_start_and_leaves_nothing_open(
    empty_redis: EmbeddedRedis, server: DiscordServer
) -> None:
    handlers = logging.getLogger().handlers[:]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"^METRICS_PORT: port {port} of 127.0.0.1 is taken"):
            await built(empty_redis, server, port, narrator())
    assert logging.getLogger().handlers == handlers


async def test_without_a_port_nothing_is_measured(empty_redis: EmbeddedRedis) -> None:
    """Neither wrapped nor counted: the process is as it was without metrics."""
    handlers = logging.getLogger().handlers[:]
    app = await build(settings(empty_redis), narrator=narrator(), embedder=FakeEmbedder())
    try:
        assert logging.getLogger().handlers == handlers
    finally:
        await app.aclose()


async def test_an_outage_of_discord_is_waited_for_and_told(
    empty_redis: EmbeddedRedis, server: DiscordServer
) -> None:
    """Every shard is gone: that is no reason to be ended, and it is over when they are back."""
    port = free_port()
    app = await built(empty_redis, server, port, narrator())
    async with (
        connected(app, server),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        await becomes(session, 200, "ok")
        at = server.port
        await server.close()
        await becomes(session, 200, "waiting")
        assert (await scraped(session))["gateway_up"] == 0
        await server.start(at)
        await becomes(session, 200, "ok")
        assert (await scraped(session))["gateway_up"] == 1


async def test_health_is_answered_all_through_a_slow_stop(
    empty_redis: EmbeddedRedis, server: DiscordServer
) -> None:
    """A send that takes its time holds up the end, and nobody takes that for a hang."""
    guild = server.world.create_guild("Harbour", bot_permissions=USUAL)
    channel = server.world.create_channel(guild, "tale")
    sending, arrived = asyncio.Event(), asyncio.Event()

    async def held(_call: object) -> None:
        sending.set()
        await arrived.wait()

    port = free_port()
    app = await built(empty_redis, server, port, narrator())
    async with (
        connected(app, server),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        await becomes(session, 200, "ok")
        server.before("POST /channels/*/messages", held, times=1)
        await server.owner(guild).command(channel, "story start", premise="A lighthouse.")
        await asyncio.wait_for(sending.wait(), 30)
        stopping = asyncio.create_task(app.aclose())
        await asyncio.sleep(0.1)
        assert (await health(session))[0] == 200
        assert not stopping.done()
        arrived.set()
        await stopping
        with pytest.raises(aiohttp.ClientConnectionError):
            await health(session)
