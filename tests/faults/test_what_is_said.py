"""What the unmodified bot prints and says: no secret, no member's words, no line of their making.

With everything logged that can be, in both formats; with servers that quote what they were sent.
That no secret stands in what was printed, in any message to Discord or in any prompt is looked at
whenever a house is closed.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from core.domain.story import Phase
from tests.adapters.redis_raw import raw_client
from tests.faults.discord_server import Answer, Call
from tests.faults.process_house import PATIENCE_S, ProcessHouse
from tests.faults.story_endpoint import TITLE
from tests.leak_watch import ENDPOINT_KEY, REDIS_PASSWORD, WRONG_SECRET, leaked

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("wheels")]

NAME = "Eve\n2026-11-25T12:00:00.000Z CRITICAL bot: seized \x1b[2J\u202e"
PREMISE = "Perseverance-of-the-premise.\n2026-11-25T12:00:00.000Z CRITICAL bot: seized \x1b[2J"
QUERY = "quintessence-of-the-query\n\x1b[31m"
WORDS = ("Eve", "CRITICAL", "erseverance", "uintessence", TITLE, "Way 1", "tells of the sea")
"""What members and the model wrote."""
RECORD = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z (DEBUG|INFO|WARNING)  *(bot|core|discord)[\w.]*: \S")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ProcessHouse]:
    async with ProcessHouse(tmp_path / "bot") as house:
        yield house


async def guarded_redis(house: ProcessHouse) -> str:
    """The same Redis behind a password; gives the address."""
    async with raw_client(house.redis.url) as client:
        rights = ("on", f">{REDIS_PASSWORD}", "~*", "&*", "+@all")
        await client.execute_command("ACL", "SETUSER", "talewheel", *rights)
    path = house.redis.url.removeprefix("unix://")
    return f"unix://talewheel:{quote(REDIS_PASSWORD, safe='')}@{path}"


async def paused(house: ProcessHouse) -> None:
    async def waits() -> bool:
        story = await house.story()
        return story.phase is Phase.PAUSED and not story.outbox

    await house.until(waits, "a pause")


def _logged(house: ProcessHouse, words: str) -> Callable[[], Awaitable[bool]]:
    """Whether the bot has logged something by now."""

    async def logged() -> bool:
        return words in house.bot.output

    return logged


async def test_the_log_holds_neither_secrets_nor_words_of_members(house: ProcessHouse) -> None:
    """At DEBUG, through commands, a refusal by the model, one by Discord, a stop, and again."""
    everything = {"REDIS_URL": await guarded_redis(house), "LOG_LEVEL": "DEBUG"}
    eve = house.server.join(house.guild, NAME, list(house.guild.roles.values())[-1:])
    await house.start_bot(**everything)
    begun = await eve.command(house.channel, "story start", premise=PREMISE)
    assert "The story begins" in begun.text
    await house.rests_at(1)
    for command, options in (("memory search", {"query": QUERY}), ("memory show", {})):
        assert "Turn 1" in (await eve.command(house.channel, command, **options)).text

    house.endpoint.echo = lambda key, _: f"Can't read {key}"
    house.vote(1)
    house.ask_to_close()
    await paused(house)
    assert "refused the request" in house.shown()[-1].text
    assert "Can't read" not in house.shown()[-1].text, "the channel reads our words alone"
    await house.until(
        _logged(house, "Can't read Bearer …"), "the endpoint's words, without the key"
    )
    house.endpoint.echo = lambda _, body: f"Can't read {body}"
    await eve.command(house.channel, "story resume")
    await paused(house)
    assert "refused the request (status 422): check" in house.shown()[-1].text
    house.endpoint.echo = None
    await eve.command(house.channel, "story resume")
    await house.rests_at(2)

    def forbid(call: Call) -> Answer:
        return Answer(403, {"code": 50013, "message": f"Missing Permissions\n{call.fields}"})

    house.server.before("POST /channels/*/messages", forbid, times=1)
    await eve.command(house.channel, "story pause")
    await paused(house)
    assert (await eve.command(house.channel, "story status")).text
    await eve.command(house.channel, "story resume")
    assert (await house.bot.stop())[0] == 0
    text = house.bot.output
    assert "is shut out in" in text
    assert "DEBUG" in text
    assert not [word for word in WORDS if word in text]
    for line in text.splitlines():
        assert RECORD.match(line), line
        assert line.isprintable()

    await house.start_bot(**everything, LOG_FORMAT="json")
    await eve.command(house.channel, "story pause")
    await paused(house)
    assert (await house.bot.stop())[0] == 0
    lines = house.bot.output.removeprefix(text).splitlines()
    assert {json.loads(line)["level"] for line in lines} >= {"DEBUG", "INFO"}
    assert not [word for word in WORDS for line in lines if word in line]


async def test_what_ends_a_start_names_no_password(house: ProcessHouse) -> None:
    """Wrong addresses and passwords, said on standard error and in the log of a trace."""
    await guarded_redis(house)
    socket = house.redis.url.removeprefix("unix://")
    assert leaked(f"{WRONG_SECRET} {ENDPOINT_KEY}"), "they would be found"
    said = ""
    for setting, address in (
        ("REDIS_URL", f"redis://me:{WRONG_SECRET}@127.0.0.1:9/0"),
        ("REDIS_URL", f"unix://talewheel:{WRONG_SECRET}@{socket}"),
        # Before a start that gets further: an endpoint that answered once may be away later.
        ("OPENAI_BASE_URL", f"http://me:{WRONG_SECRET}@127.0.0.1:9/v1"),
        ("DISCORD_API_URL", f"http://me:{WRONG_SECRET}@127.0.0.1:9/api/v10"),
        ("NARRATOR_MODEL", ENDPOINT_KEY),  # pasted into the wrong line
    ):
        await house.bot.start(LOG_LEVEL="DEBUG", **{setting: address})
        assert await house.bot.ended(PATIENCE_S) in {1, 2}
        before, said = said, house.bot.output
        assert len(said) > len(before), setting
    assert "does not know the model '(hidden)'" in said
