"""The stage against the local Discord server: real discord.py, real HTTP, no account."""

from collections.abc import AsyncIterator
from dataclasses import replace

import discord
import pytest

from bot.client import point_at
from bot.render import OPTION_EMOJI
from bot.stage import DiscordStage
from core.domain.story import Settings
from core.errors import (
    ChannelGoneError,
    MessageGoneError,
    StageForbiddenError,
    StageUnavailableError,
)
from core.ports import Announcement, Ballot, BallotState, MessageKind, Prose
from tests.fakes.stories import PLANS
from tests.faults.discord_server import (
    USUAL,
    Answer,
    Channel,
    DiscordServer,
    Guild,
    Overwrite,
    Permission,
)

TOKEN = "local-token"
BALLOT = Ballot(1, PLANS, Settings(), BallotState.OPEN, closes_at=1.8e9)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(token=TOKEN) as server:
        yield server


@pytest.fixture
async def stage(server: DiscordServer) -> AsyncIterator[DiscordStage]:
    """A stage whose client is logged in and not connected: it must need no gateway."""
    point_at(server.api_url, server.gateway_ws_url)
    async with discord.AutoShardedClient(
        intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none()
    ) as client:
        await client.login(TOKEN)
        yield DiscordStage(client)


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.world.create_guild("Harbour", bot_permissions=USUAL)


@pytest.fixture
def channel(server: DiscordServer, guild: Guild) -> Channel:
    return server.world.create_channel(guild, "tale")


async def test_each_kind_is_sent_and_found_again_in_order(
    server: DiscordServer, stage: DiscordStage, guild: Guild, channel: Channel
) -> None:
    """Told from the messages themselves, others' messages left out, over more than one page."""
    first = await stage.send(channel.id, Prose("The lamp.", "Salt", 1), "n1")
    server.join(guild, "Mira").say(channel, "oh!")
    sent = [
        first,
        await stage.send(channel.id, BALLOT, "n2"),
        await stage.send(channel.id, Announcement("Paused."), "n3"),
    ]
    for number in range(110):
        server.join(guild, f"m{number}").say(channel, "chatter")
    sent.append(await stage.send(channel.id, Prose("-# not an announcement"), "n4"))
    kinds = [MessageKind.PROSE, MessageKind.BALLOT, MessageKind.ANNOUNCEMENT, MessageKind.PROSE]
    assert [posted.kind for posted in sent] == kinds
    assert await stage.own_messages(channel.id, first.id - 1) == sent
    assert await stage.own_messages(channel.id, first.id) == sent[1:]


async def test_the_time_of_a_message_is_discords(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    posted = await stage.send(channel.id, Prose("x"), "n1")
    assert posted.at == pytest.approx(((posted.id >> 22) + 1_420_070_400_000) / 1000, abs=0.002)


async def test_the_same_nonce_gives_the_same_message(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    one = await stage.send(channel.id, Prose("x"), "n1")
    assert await stage.send(channel.id, Prose("x"), "n1") == one
    assert len(server.bot_messages(channel)) == 1


async def test_the_same_nonce_with_other_words_makes_the_message_show_them(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    """A request that was cut off while the text grew may have arrived; what is meant now counts."""
    first = await stage.send(channel.id, Prose("The lamp."), "n1")
    assert await stage.send(channel.id, Prose("The lamp. The sea."), "n1") == first
    asleep = replace(BALLOT, state=BallotState.ASLEEP)
    ballot = await stage.send(channel.id, BALLOT, "n2")
    assert await stage.send(channel.id, asleep, "n2") == ballot
    prose, votes = server.bot_messages(channel)
    assert prose.content == "The lamp. The sea."
    assert "asleep" in votes.text


async def test_what_is_sent_for_the_first_time_is_not_edited(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    """One request a message: Discord's rate limits are tight."""
    for number, content in enumerate((Prose("Two.\n\nLines. \n"), BALLOT, Announcement("So."))):
        await stage.send(channel.id, content, f"n{number}")
    assert [call.method for call in server.calls.to("* /channels/*/messages/*")] == []


async def test_a_nonce_whose_message_was_deleted_is_gone(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    one = await stage.send(channel.id, Prose("x"), "n1")
    await stage.delete(channel.id, one.id)
    with pytest.raises(MessageGoneError):
        await stage.send(channel.id, Prose("x"), "n1")


async def test_edit_replaces_and_a_missing_message_is_gone(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    one = await stage.send(channel.id, Prose("x"), "n1")
    await stage.edit(channel.id, one.id, Announcement("Taken back."))
    assert server.bot_messages(channel)[0].content == "-# Taken back."
    ballot = await stage.send(channel.id, BALLOT, "n2")
    closed = Ballot(1, PLANS, Settings(), BallotState.ENDED)
    await stage.edit(channel.id, ballot.id, closed)
    assert "the story has ended" in str(server.bot_messages(channel)[1].components)
    with pytest.raises(MessageGoneError):
        await stage.edit(channel.id, 123, Prose("y"))


async def test_deleting_twice_is_fine(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    one = await stage.send(channel.id, Prose("x"), "n1")
    await stage.delete(channel.id, one.id)
    await stage.delete(channel.id, one.id)
    assert server.bot_messages(channel) == []


async def test_votes_are_read_to_the_last_page_bursts_included_bots_left_out(
    server: DiscordServer, stage: DiscordStage, guild: Guild, channel: Channel
) -> None:
    posted = await stage.send(channel.id, BALLOT, "n1")
    await stage.signal(channel.id, posted.id, 3)
    await stage.signal(channel.id, posted.id, 3)
    message = server.bot_messages(channel)[0]
    crowd = [server.join(guild, f"m{number}") for number in range(230)]
    for member in crowd:
        member.react(message, OPTION_EMOJI[0])
    late = server.join(guild, "late")
    late.react(message, OPTION_EMOJI[1], burst=True)
    crowd[0].react(message, OPTION_EMOJI[1])
    other_bot = server.world.create_user("other", bot=True)
    server.world.add_member(guild, other_bot)
    server.world.add_reaction(message, other_bot, OPTION_EMOJI[1], burst=False)
    crowd[1].react(message, "🎉")
    votes = await stage.votes(channel.id, posted.id, 3)
    assert votes == {
        0: frozenset(member.id for member in crowd),
        1: frozenset({late.id, crowd[0].id}),
        2: frozenset(),
    }


async def test_votes_of_a_deleted_ballot_are_gone(stage: DiscordStage, channel: Channel) -> None:
    with pytest.raises(MessageGoneError):
        await stage.votes(channel.id, 123, 3)


async def test_typing_is_shown(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    await stage.signal(channel.id)
    assert [call for call in server.calls if call.path.endswith("/typing")]


async def test_a_missing_permission_and_a_missing_channel_are_told_apart(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    await stage.send(channel.id, Prose("x"), "n1")
    me = server.world.bot.id
    mute = Overwrite(me, for_member=True, deny=Permission.SEND_MESSAGES)
    server.world.set_overwrite(channel, mute)
    with pytest.raises(StageForbiddenError, match="Send Messages"):
        await stage.send(channel.id, Prose("y"), "n2")
    with pytest.raises(ChannelGoneError):
        await stage.send(1234, Prose("x"), "n1")


async def test_an_archived_thread_is_brought_back_for_whatever_it_wouldnt_take(
    server: DiscordServer, stage: DiscordStage, guild: Guild, channel: Channel
) -> None:
    """Reactions, edits: once; sending does it by itself, and reading needs nothing."""
    thread = server.world.create_thread(channel, "post", server.owner(guild).user)
    ballot = await stage.send(thread.id, BALLOT, "n1")
    for act in (
        lambda: stage.signal(thread.id, ballot.id, 3),
        lambda: stage.edit(thread.id, ballot.id, replace(BALLOT, extended=True)),
        lambda: stage.send(thread.id, Prose("awake"), "n2"),
    ):
        server.world.archive_thread(thread, archived=True)
        await stage.votes(thread.id, ballot.id, 3)
        assert thread.archived
        await act()
        assert not thread.archived
    assert len(server.calls.to(f"PATCH /channels/{thread.id}")) == 2


async def test_a_locked_thread_refuses_and_is_left_alone(
    server: DiscordServer, stage: DiscordStage, guild: Guild, channel: Channel
) -> None:
    """Archived or not; each act asks at most twice."""
    thread = server.world.create_thread(channel, "post", server.owner(guild).user)
    ballot = await stage.send(thread.id, BALLOT, "n1")
    for archived in (False, True):
        server.world.archive_thread(thread, archived=archived, locked=True)
        before = len(server.calls)
        with pytest.raises(StageForbiddenError, match="locked"):
            await stage.send(thread.id, Prose("x"), "n3")
        with pytest.raises(StageForbiddenError, match="locked"):
            await stage.edit(thread.id, ballot.id, replace(BALLOT, extended=True))
        assert len(server.calls) - before <= 3
        assert thread.archived is archived


async def test_an_outage_is_worth_another_try_with_the_same_nonce(
    server: DiscordServer, stage: DiscordStage, channel: Channel
) -> None:
    """503 raises at once in discord.py; the try that follows must not post a second message."""
    server.after("POST /channels/*/messages", lambda _call: Answer(503, {"message": "no"}), times=1)
    with pytest.raises(StageUnavailableError):
        await stage.send(channel.id, Prose("x"), "n1")
    posted = await stage.send(channel.id, Prose("x"), "n1")
    assert [message.id for message in server.bot_messages(channel)] == [posted.id]
