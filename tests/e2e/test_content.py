"""A moderation endpoint on the real thing: what it refuses never reaches Discord, nor Redis."""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest

from bot.playground.embedded_redis import EmbeddedRedis
from core.domain.prompts import RULES, RULES_FOR_ADULTS
from core.domain.story import Phase
from tests.adapters.raw_llm_server import DONE, Reply, chunk, figures, streams
from tests.adapters.redis_raw import raw_client
from tests.e2e.conftest import Opener
from tests.e2e.endpoint import Asked, Kind
from tests.e2e.moderation_endpoint import ModerationEndpoint
from tests.e2e.test_desk import opened, said, submitted
from tests.e2e.world import World

pytestmark = pytest.mark.redis

PREMISE = "Ormsay keeps a lighthouse."
GORE = "Ormsay opened the miller like a fish and counted all that was in him."
MURDER = "Ormsay pushed the miller from the lamp room, and he died on the rocks."
LUST = "Ormsay and the miller undressed, and Ormsay tells it to the end."


def flags(text: str) -> Collection[str]:
    found = {GORE: {"violence/graphic"}, MURDER: {"violence"}, LUST: {"sexual"}}
    return {name for words, names in found.items() if words in text for name in names}


@asynccontextmanager
async def guarded(
    world_of: Opener, flags: Callable[[str], Collection[str]] = flags
) -> AsyncGenerator[tuple[World, ModerationEndpoint]]:
    """A world with a moderation endpoint."""
    async with (
        ModerationEndpoint(flags) as moderation,
        world_of(
            MODERATION_MODEL="omni-moderation-latest",
            MODERATION_BASE_URL=moderation.base_url,
            MODERATION_API_KEY="moderation-key",
        ) as world,
    ):
        yield world, moderation


def telling(text: str) -> Callable[[Asked], Reply]:
    """A paragraph with a sentence of a test's own in it, streamed word by word."""

    def answer(asked: Asked) -> Reply:
        told = f"On day {asked.number} it snowed on everything. {text} Then it was morning again."
        words = [chunk(f" {word}" if place else word) for place, word in enumerate(told.split(" "))]
        # A moment before its end: were it shown while it streams, it would be seen.
        return streams(*words, 0.3, chunk(finish="stop"), figures(100, 20), DONE)

    return answer


def sent(world: World) -> str:
    """Every word that was ever sent to the channel or in an edit of it."""
    return "\n".join(request.body for request in world.asked_of())


async def kept(redis: EmbeddedRedis) -> str:
    """Everything that Redis holds."""
    async with raw_client(redis.url) as client:
        return "\n".join([str(await _value(client, key)) async for key in client.scan_iter()])


async def _value(client: Any, key: bytes) -> object:
    """What stands under a key; a list as bytes that hold its texts as they are."""
    is_hash = await client.type(key) == b"hash"
    return await (client.hgetall(key) if is_hash else client.dump(key))


async def test_a_flagged_premise_begins_nothing(world_of: Opener) -> None:
    """Whoever asked is told what kind of thing it is, and gets the premise back."""
    async with guarded(world_of) as (world, _):
        answer = await world.ask(world.mira, "story start", premise=f"Ormsay. {GORE}")
        answer = answer.replace("\\", "")
        assert "because of violence in gory detail in it." in answer
        assert "In an age-restricted channel it could be told." in answer
        assert GORE in answer
        assert await world.untouched()
        assert world.asked_of() == []
        assert GORE not in await kept(world.redis)
        assert GORE not in str([record.getMessage() for record in world.log.records])
        await world.start(PREMISE)


async def test_a_flagged_paragraph_is_never_seen_not_even_for_a_moment(world_of: Opener) -> None:
    """The model is asked once more, and what it writes then is looked at and shown whole."""
    async with guarded(world_of) as (world, moderation):
        await world.start(PREMISE)
        world.endpoint.spoil("Ormsay", Kind.PARAGRAPH, telling(GORE), times=1)
        await world.turn_over(1)
        assert any(GORE in text for texts in moderation.asked for text in texts)
        first, second = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
        assert "because of violence in gory detail. Answer otherwise" not in first.text
        assert "because of violence in gory detail. Answer otherwise" in second.text
        assert GORE not in sent(world)
        assert "opened the miller" not in sent(world)
        assert GORE not in await kept(world.redis)
        await world.turn_over(0)
        await world.check_told_once()


async def test_a_paragraph_that_is_flagged_again_pauses_the_story(world_of: Opener) -> None:
    """Members read why; once the model writes something else, it goes on."""
    async with guarded(world_of) as (world, _):
        await world.start(PREMISE)
        world.endpoint.spoil("Ormsay", Kind.PARAGRAPH, telling(GORE))
        await world.vote(0, world.members[0])
        await world.ask(world.mira, "story close")
        await world.rests(Phase.PAUSED, 1)
        [told] = world.said()
        assert "refused by the content filter twice, because of violence in gory detail" in told
        assert "/story rewind opens the vote of turn 1 again" in told
        assert len(world.told()) == 1, "the placeholder is taken back"
        world.endpoint.mend()
        await world.ask(world.mira, "story resume")
        await world.rests(Phase.VOTING, 2)
        assert GORE not in sent(world)


async def test_a_murder_is_told(world_of: Opener) -> None:
    async with guarded(world_of) as (world, _):
        world.endpoint.spoil("Ormsay", Kind.PARAGRAPH, telling(MURDER), times=1)
        await world.start(f"Ormsay keeps a lighthouse. {MURDER}")
        assert MURDER in world.told()[0]
        assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH)) == 1


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("memory edit", {}),
        ("memory amend", {"turn": 1}),
        ("story edit", {}),
        ("plan edit", {"option": 1}),
    ],
)
async def test_a_flagged_form_is_handed_back(
    world_of: Opener, command: str, options: dict[str, Any]
) -> None:
    """With its text, and with nothing changed; the same while the endpoint is away."""
    async with guarded(world_of) as (world, moderation):
        await world.start(PREMISE)
        before = await world.story()
        form = await opened(world, world.mira, command, **options)
        answer = said(await submitted(world, world.mira, form, text=GORE))
        assert "because of violence in gory detail in it." in answer
        assert "Nothing was changed." in answer
        assert GORE in answer
        assert await world.story() == before
        assert GORE not in sent(world)

        moderation.failing = 401
        form = await opened(world, world.mira, command, **options)
        answer = said(await submitted(world, world.mira, form, text="Ormsay put it away."))
        assert "can't be checked just now" in answer
        assert "Ormsay put it away." in answer
        assert await world.story() == before

        moderation.failing = None
        form = await opened(world, world.mira, command, **options)
        await submitted(world, world.mira, form, text="Ormsay put it away.")
        assert "Ormsay put it away." in await kept(world.redis)


async def test_a_flagged_fact_is_handed_back(world_of: Opener) -> None:
    async with guarded(world_of) as (world, _):
        await world.start(PREMISE)
        answer = await world.ask(world.mira, "memory pin", text=GORE)
        assert "The fact can't be taken here" in answer
        assert GORE in answer
        assert (await world.story()).canon.entries == ()
        assert "Pinned" in await world.ask(world.mira, "memory pin", text="It is winter.")


async def test_an_age_restricted_channel_takes_what_others_do_not(world_of: Opener) -> None:
    """Until it is one no more: then the model is told, and the filter is strict again."""
    async with guarded(world_of) as (world, _):
        channel = world.env.bot.get_channel(world.channel.id)
        assert isinstance(channel, discord.TextChannel)
        channel.nsfw = True  # SimCord knows no such channels
        world.endpoint.spoil("Ormsay", Kind.PARAGRAPH, telling(LUST), times=2)
        await world.start(f"Ormsay keeps a lighthouse. {LUST}")
        assert LUST in world.told()[0]
        asked = world.endpoint.of("Ormsay", Kind.PARAGRAPH)
        assert asked[0].messages[0] == ("system", RULES_FOR_ADULTS)
        channel.nsfw = False
        await world.turn_over(0)
        assert world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)[0].messages[0] == ("system", RULES)
        assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 2, "the second one is fine"
        assert LUST not in world.told()[1]
