"""What an operator gets for what the bot can't start with, and for an endpoint that is away.

Each test starts the unmodified bot as its own process. A mistake ends it with a plain line for each
fault; an outage doesn't, and the stories say that they wait.
"""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.playground.embedded_redis import server_binary
from core.domain.story import Phase
from tests.faults.process_house import PATIENCE_S, TOKEN, ProcessHouse
from tests.leak_watch import WRONG_SECRET

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

MISTAKE = 2
"""The exit code that says: the operator can mend this."""
SECRET = WRONG_SECRET


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ProcessHouse]:
    async with ProcessHouse(tmp_path / "bot") as house:
        yield house


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that is bound and not listened to: whoever connects is refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def refused(house: ProcessHouse, **settings: str) -> list[str]:
    """Start with some settings changed; gives the lines that the process ended with."""
    await house.bot.start(**settings)
    return await ended(house)


async def ended(house: ProcessHouse) -> list[str]:
    """The lines for the operator of a process that ends by itself, without a secret or a trace."""
    try:
        code = await house.bot.ended(PATIENCE_S)
    except TimeoutError:
        raise AssertionError(f"it runs on:\n{house.bot.output}") from None
    assert code == MISTAKE, house.bot.output
    said = house.bot.output
    for never in ("Traceback", TOKEN, SECRET):
        assert never not in said + house.bot.answer, said
    plain = [line for line in said.splitlines() if line.startswith("talewheel: ")]
    assert said.splitlines()[-len(plain) :] == plain, "they come last"
    return [line.removeprefix("talewheel: ") for line in plain]


# ── settings and Discord ─────────────────────────────────────────────────────────────────────────


async def test_no_token(house: ProcessHouse) -> None:
    [line] = await refused(house, DISCORD_TOKEN="")
    assert line.startswith("DISCORD_TOKEN: not set; must be a bot's token as Discord's developer")


async def test_every_fault_of_the_settings_has_its_line(house: ProcessHouse) -> None:
    lines = await refused(house, VOTE_SECONDS="4", DISCORD_TOKEN=f"{SECRET} x", SENTENCES="many")
    token = "a bot's token as Discord's developer portal shows it (Bot › Reset Token)"
    assert lines == [
        f"DISCORD_TOKEN: (hidden, 15 characters) must be {token}, without spaces",
        'VOTE_SECONDS: "4" must be a whole number from 5 to 604800',
        'SENTENCES: "many" must be a whole number from 3 to 40',
    ]


async def test_a_token_that_discord_refuses(house: ProcessHouse) -> None:
    [line] = await refused(house, DISCORD_TOKEN=SECRET)
    assert line.startswith("DISCORD_TOKEN: Discord refuses this token; copy the bot's token again")


async def test_intents_that_discord_refuses(house: ProcessHouse) -> None:
    """The bot asks for none that has to be switched on; Discord's word for it is 4014."""

    async def refuse() -> None:
        while True:
            await house.server.wait_connected(timeout_s=PATIENCE_S)
            house.server.gateway.close(4014)
            await house.server.wait_disconnected()

    await house.bot.start()
    refusing = asyncio.create_task(refuse())
    [line] = await ended(house)
    refusing.cancel()
    assert line.startswith("Discord: refuses the intents that the bot asks for (guilds, guild")


async def test_a_discord_that_is_not_there(house: ProcessHouse, free_port: int) -> None:
    address = f"http://127.0.0.1:{free_port}/api/v10"
    [line] = await refused(house, DISCORD_API_URL=address)
    assert line.startswith(f"Discord: can't be reached at {address} (")
    assert line.endswith("check the network, and DISCORD_API_URL if it is set")


# ── Redis ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_redis_that_is_not_there(house: ProcessHouse, free_port: int) -> None:
    [line] = await refused(house, REDIS_URL=f"redis://:{SECRET}@127.0.0.1:{free_port}/0")
    assert line.startswith(f"REDIS_URL redis://:***@127.0.0.1:{free_port}/0 can't be reached (")
    assert line.endswith("): start Redis there, or correct the address.")


async def test_a_redis_without_search(house: ProcessHouse) -> None:
    async with redis_without_search() as url:
        [line] = await refused(house, REDIS_URL=url)
    assert line == (
        f"REDIS_URL {url} has no search module: use the image redis:8 (docker compose up -d redis)."
    )


@asynccontextmanager
async def redis_without_search() -> AsyncGenerator[str]:
    """The embedded server's binary as it is, without its module; gives the URL."""
    # Not pytest's folder: its path can be longer than a socket's may be.
    folder = Path(tempfile.mkdtemp(prefix="talewheel-plain-"))
    path = folder / "redis.sock"
    server = await asyncio.create_subprocess_exec(
        str(server_binary()),
        *("--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not os.access(path, os.R_OK):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.02)
        yield f"unix://{path}"
    finally:
        server.kill()
        await server.wait()
        shutil.rmtree(folder)


# ── the model's endpoint ─────────────────────────────────────────────────────────────────────────


async def test_an_endpoint_that_refuses_the_key(house: ProcessHouse) -> None:
    house.endpoint.key = "the-right-key"
    [line] = await refused(house, EMBEDDINGS="minilm", OPENAI_API_KEY=SECRET)
    assert line == (
        "The narrator refused the key: check OPENAI_API_KEY, and that it may use NARRATOR_MODEL"
        " 'paper-and-ink'."
    )


async def test_an_embeddings_endpoint_that_refuses_the_key(house: ProcessHouse) -> None:
    house.endpoint.key = "the-right-key"
    [line] = await refused(house, OPENAI_API_KEY=SECRET)
    assert line.startswith("EMBEDDINGS=openai: The embeddings endpoint refuse")
    assert "OPENAI_API_KEY" in line


@pytest.mark.parametrize("setting", ["NARRATOR_MODEL", "REFLECTOR_MODEL"])
async def test_a_model_that_the_endpoint_does_not_know(house: ProcessHouse, setting: str) -> None:
    [line] = await refused(house, **{setting: "no-such-model"})
    assert line == (
        f"The narrator does not know the model 'no-such-model': set {setting} to one that the"
        " endpoint offers."
    )


async def test_an_embeddings_endpoint_that_never_answered(house: ProcessHouse) -> None:
    """An outage, but nothing can be prepared: how long the vectors are isn't known yet."""
    await house.endpoint.close()
    [line] = await refused(house)
    assert line.startswith("EMBEDDINGS=openai: The ")
    assert "How long the vectors of EMBEDDING_MODEL 'paper-vectors' are isn't known" in line
    address = house.endpoint.base_url
    assert line.endswith(f'start again when "{address}" answers, or set EMBEDDINGS=minilm.')


# ── an endpoint that is away ─────────────────────────────────────────────────────────────────────


async def paused(house: ProcessHouse) -> None:
    """Wait until the story waits and the channel knows."""

    async def waits() -> bool:
        story = await house.story_or_none()
        return story is not None and story.phase is Phase.PAUSED and not story.outbox

    await house.until(waits, "a pause")


@pytest.mark.parametrize("how", ["down", "nonsense"])
async def test_an_endpoint_that_is_away_is_waited_for(house: ProcessHouse, how: str) -> None:
    """The bot starts and logs it once; a story waits, says so, and goes on when it is asked to."""
    if how == "down":
        await house.endpoint.close()
    house.endpoint.nonsense = how == "nonsense"
    await house.start_bot(EMBEDDINGS="minilm")
    assert house.bot.output.count("isn't available yet, stories will wait") == 1
    started = await house.moderator.command(house.channel, "story start", premise="A keeper.")
    assert "The story begins" in started.text
    await paused(house)
    [notice] = house.shown()
    assert notice.text.startswith("-# ")
    assert "The story waits and tries again by itself; nothing is lost." in notice.text

    house.endpoint.nonsense = False
    if how == "down":
        await house.endpoint.start()
    resumed = await house.moderator.command(house.channel, "story resume")
    assert "The story goes on" in resumed.text
    await house.rests_at(1)
    assert [message.id for message in house.shown()][:1] == [notice.id]
    assert len(house.shown()) == 4, "the notice, two messages of text, the ballot"
    assert house.endpoint.asked["paragraph", 1] == 1
    assert "Traceback" not in house.bot.output


async def test_an_embeddings_endpoint_that_is_away_is_waited_for(house: ProcessHouse) -> None:
    """The length of its vectors stands with the index, so that the bot can start without it."""
    await house.start_bot()
    house.ask_for_story()
    await house.rests_at(1)
    assert (await house.bot.stop())[0] == 0
    await house.endpoint.close()
    await house.start_bot()
    assert house.bot.output.count("the embeddings' endpoint isn't available yet") == 1
    house.vote(1)
    house.ask_to_close()
    await paused(house)
    assert "The story waits and tries again by itself" in house.shown()[-1].text

    await house.endpoint.start()
    await house.moderator.command(house.channel, "story resume")
    await house.rests_at(2)
    assert [turn.number for turn in await house.told()] == [1, 2]
    assert house.endpoint.asked["paragraph", 2] == 1
    assert "Traceback" not in house.bot.output
