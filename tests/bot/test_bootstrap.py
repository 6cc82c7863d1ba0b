"""Everything put together: what the start looks at, and one turn of the whole ring."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.bootstrap.app import build
from bot.playground.embedded_redis import EmbeddedRedis
from bot.render import OPTION_EMOJI
from bot.setting_table import Embeddings
from bot.settings import BotSettings
from core.adapters.system_clock import SystemClock
from core.errors import (
    NarratorRefusedError,
    NarratorUnavailableError,
    StartError,
    TalewheelError,
)
from tests.adapters.redis_raw import raw_client
from tests.e2e.moderation_endpoint import ModerationEndpoint
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.narrator import FakeNarrator
from tests.faults.discord_server import USUAL, DiscordServer
from tests.faults.story_endpoint import EMBEDDING_MODEL, MODEL, StoryEndpoint

pytestmark = pytest.mark.redis
TOKEN = "local-token"


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(token=TOKEN) as server:
        yield server


def settings(redis: EmbeddedRedis, **more: str) -> BotSettings:
    said = {"DISCORD_TOKEN": TOKEN, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    return BotSettings.read(said | {"REDIS_URL": redis.url, "SENTENCES": "3"} | more)


def narrator(failure: TalewheelError | None = None) -> FakeNarrator:
    fake = FakeNarrator(SystemClock())
    fake.delay_s = 0.01
    fake.fail = lambda name: failure if name == "check" else None
    return fake


async def until(done: Callable[[], object]) -> None:
    """Wait for something the bot does by itself."""
    async with asyncio.timeout(15):
        while not done():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.02)


async def test_a_narrator_that_refuses_us_ends_the_start(empty_redis: EmbeddedRedis) -> None:
    refusing = narrator(NarratorRefusedError("OPENAI_API_KEY is refused: check it."))
    with pytest.raises(StartError, match="OPENAI_API_KEY is refused"):
        await build(settings(empty_redis), narrator=refusing, embedder=FakeEmbedder())


async def test_a_narrator_that_is_away_is_logged_once_and_waited_for(
    empty_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    away = narrator(NarratorUnavailableError("nobody answers"))
    with caplog.at_level(logging.WARNING, "bot"):
        app = await build(settings(empty_redis), narrator=away, embedder=FakeEmbedder())
    await app.aclose()
    assert len([r for r in caplog.records if "nobody answers" in r.getMessage()]) == 1


def guarded(redis: EmbeddedRedis, endpoint: ModerationEndpoint) -> BotSettings:
    """Settings with a moderation endpoint."""
    return settings(
        redis,
        MODERATION_MODEL="omni-moderation-latest",
        MODERATION_BASE_URL=endpoint.base_url,
        MODERATION_API_KEY="moderation-key",
    )


async def test_a_moderation_endpoint_is_asked_at_the_start(empty_redis: EmbeddedRedis) -> None:
    """With the key that is its own."""
    async with ModerationEndpoint() as endpoint:
        chosen = guarded(empty_redis, endpoint)
        app = await build(chosen, narrator=narrator(), embedder=FakeEmbedder())
        await app.aclose()
        assert len(endpoint.asked) == 1
        assert endpoint.keys == {"moderation-key"}


async def test_a_moderation_endpoint_that_refuses_us_ends_the_start(
    empty_redis: EmbeddedRedis,
) -> None:
    async with ModerationEndpoint() as endpoint:
        endpoint.failing = 401
        with pytest.raises(StartError, match="content filter refused the key: check MODERATION_"):
            await build(
                guarded(empty_redis, endpoint), narrator=narrator(), embedder=FakeEmbedder()
            )


async def test_a_moderation_endpoint_that_is_away_is_logged_once_and_waited_for(
    empty_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    async with ModerationEndpoint() as endpoint:
        endpoint.failing = 503
        with caplog.at_level(logging.WARNING, "bot"):
            app = await build(
                guarded(empty_redis, endpoint),
                narrator=narrator(),
                embedder=FakeEmbedder(),
                clock=Unhurried(),
            )
        await app.aclose()
    assert len([r for r in caplog.records if "content filter isn't available" in r.message]) == 1


async def test_a_moderation_endpoint_without_a_model_is_pointed_out(
    empty_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever set its key believes that texts are checked."""
    chosen = settings(empty_redis, MODERATION_API_KEY="moderation-key")
    with caplog.at_level(logging.WARNING, "bot"):
        app = await build(chosen, narrator=narrator(), embedder=FakeEmbedder())
    await app.aclose()
    assert [r for r in caplog.records if "no MODERATION_MODEL" in r.message]


class Unhurried(SystemClock):
    """The machine's clock, on which nobody waits."""

    async def sleep(self, delay_s: float) -> None:
        await super().sleep(min(delay_s, 0.01))


async def test_embeddings_endpoint_that_is_down_needs_a_length_that_is_known(
    empty_redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """Before its first answer the start ends with a line; after it the index knows the length."""
    chosen = settings(empty_redis, EMBEDDINGS="openai", EMBEDDING_MODEL="paper-vectors")
    with pytest.raises(StartError, match=r"^EMBEDDINGS=openai: .* 'paper-vectors' .*minilm"):
        await build(chosen, narrator=narrator(), clock=Unhurried())

    async with StoryEndpoint() as endpoint:
        answering = replace(chosen, openai_base_url=endpoint.base_url)
        app = await build(answering, narrator=narrator(), clock=Unhurried())
        await app.aclose()
    with caplog.at_level(logging.WARNING, "bot"):
        app = await build(chosen, narrator=narrator(), clock=Unhurried())
    await app.aclose()
    assert len([r for r in caplog.records if "stories will wait" in r.getMessage()]) == 1

    other = replace(chosen, embedding_model="other-vectors")
    with pytest.raises(StartError, match="EMBEDDING_MODEL 'other-vectors' are isn't known"):
        await build(other, narrator=narrator(), clock=Unhurried())


async def test_commands_stay_registered_over_a_restart(
    empty_redis: EmbeddedRedis, server: DiscordServer
) -> None:
    for _ in range(2):
        chosen = settings(empty_redis, DISCORD_API_URL=server.api_url)
        app = await build(chosen, narrator=narrator(), embedder=FakeEmbedder())
        async with app.bot:
            await app.bot.login(TOKEN)
        await app.aclose()
    puts = [call for call in server.calls if call.method == "PUT"]
    assert len([call for call in puts if call.path.endswith("/commands")]) == 1


async def test_a_story_is_started_voted_on_closed_and_goes_on(
    empty_redis: EmbeddedRedis, server: DiscordServer
) -> None:
    """Discord's side over real HTTP, Redis for real; only the model and the vectors are fakes."""
    guild = server.world.create_guild("Harbour", bot_permissions=USUAL)
    channel = server.world.create_channel(guild, "tale")
    owner, mira = server.owner(guild), server.join(guild, "Mira")
    chosen = settings(
        empty_redis,
        DISCORD_API_URL=server.api_url,
        DISCORD_GATEWAY_URL=server.gateway_ws_url,
    )
    app = await build(chosen, narrator=narrator(), embedder=FakeEmbedder())
    running = asyncio.create_task(app.bot.start(TOKEN))
    try:
        await server.wait_connected()
        await app.bot.wait_until_ready()
        await owner.command(channel, "story start", premise="A lighthouse.")

        def shown() -> list[str]:
            messages = server.bot_messages(channel)
            return [message.content or str(message.components) for message in messages]

        def offered(index: int) -> bool:
            messages = server.bot_messages(channel)
            return len(messages) > index and len(messages[index].reactions) == 3

        await until(lambda: offered(1))
        assert shown()[0] == (
            "**The Salt Clock** · turn 1\n"
            "Turn 1 follows nothing yet. Sentence 2 of turn 1. Sentence 3 of turn 1."
        )
        assert "every reaction counts" in shown()[1]
        mira.react(server.bot_messages(channel)[1], OPTION_EMOJI[2])
        closed = await owner.command(channel, "story close")
        assert "3️⃣ won (1 voter)" in str(closed.answer)
        await until(lambda: offered(3))
        assert "3️⃣ won · 1 voter" in shown()[1]
        assert "turn 2\nTurn 2 follows Way 1c." in shown()[2]
    finally:
        await app.aclose()
        with suppress(asyncio.CancelledError):
            await running


async def test_where_a_model_is_paid_for_members_wait_and_status_tells_the_cost(
    empty_redis: EmbeddedRedis,
) -> None:
    """An endpoint that writes, or one that embeds; what is handed in costs nothing."""
    async with StoryEndpoint() as endpoint:
        chosen = settings(empty_redis, OPENAI_BASE_URL=endpoint.base_url, NARRATOR_MODEL=MODEL)
        embeds = replace(chosen, embeddings=Embeddings.OPENAI, embedding_model=EMBEDDING_MODEL)
        for app, paid in (
            (await build(chosen, embedder=FakeEmbedder()), True),
            (await build(chosen, embedder=FakeEmbedder(), narrator=narrator()), False),
        ):
            assert (app.bot.services.spending is not None) is paid
            assert (app.bot.cooldowns.take(1, 2, 3.0), app.bot.cooldowns.take(1, 2, 3.0)) == (
                0,
                5 if paid else 0,
            )
            await app.aclose()
        async with raw_client(empty_redis.url) as client:
            await client.flushall()
        app = await build(embeds, narrator=narrator())
        assert app.bot.services.spending is not None
        await app.aclose()
