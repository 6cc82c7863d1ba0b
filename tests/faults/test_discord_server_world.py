"""What moderators do to the bot's ground, on the local Discord: threads, channels, the bot's stay.

Each act changes what Discord refuses and is told by gateway; asked over plain HTTP and WebSocket.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.faults.discord_server import (
    Channel,
    DiscordServer,
    Guild,
    Intent,
    Member,
    MemberActionError,
    Permission,
)
from tests.faults.discord_server.entities import FORUM
from tests.faults.discord_wire import Wire, identify, opened

ONE = "1️⃣"


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
def owner(server: DiscordServer, guild: Guild) -> Member:
    return server.owner(guild)


class Listener:
    """A session that hears of guilds, channels, threads and reactions."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def __aenter__(self) -> "Listener":
        self._socket = await opened(self._wire.server, self._wire.session)
        wanted = int(Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.GUILD_MESSAGE_REACTIONS)
        await self._socket.send_json(identify(intents=wanted))
        for _ in ("READY", *self._wire.server.world.guilds):
            await self._socket.receive_json()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def hears(self) -> tuple[str, dict[str, Any]]:
        """The next event: its name and its payload."""
        payload = await self._socket.receive_json(timeout=5)
        return payload["t"], payload["d"]


async def posted(wire: Wire, channel: Channel) -> str:
    """A message of the bot's in a channel; gives its path."""
    messages = f"/channels/{channel.id}/messages"
    _, sent = await wire("POST", messages, {"content": "a ballot"})
    return f"{messages}/{sent['id']}"


# Threads


async def test_an_archived_thread_lets_messages_be_deleted_and_nothing_else(
    wire: Wire, channel: Channel, mira: Member, owner: Member
) -> None:
    """Until somebody writes, which brings it back; or its opener does."""
    thread = mira.open_thread(channel, "a side story")
    first, second = await posted(wire, thread), await posted(wire, thread)
    mira.archive(thread)
    assert await wire.refusal("PATCH", first, {"content": "x"}) == (400, 50083)
    assert await wire.refusal("PUT", f"{first}/reactions/{ONE}/@me") == (400, 50083)
    assert (await wire("DELETE", first))[0] == 204
    mira.reopen(thread)
    assert (await wire("PATCH", second, {"content": "x"}))[0] == 200
    owner.archive(thread)
    await posted(wire, thread)
    assert not thread.archived


async def test_a_locked_thread_takes_reactions_and_deletions_and_no_words(
    wire: Wire, channel: Channel, mira: Member, owner: Member
) -> None:
    """Of those who may not manage threads: members and the bot alike."""
    thread = mira.open_thread(channel, "a side story")
    ballot, spare = await posted(wire, thread), await posted(wire, thread)
    owner.lock(thread)
    messages = f"/channels/{thread.id}/messages"
    assert await wire.refusal("POST", messages, {"content": "x"}) == (403, 160005)
    assert await wire.refusal("PATCH", ballot, {"content": "x"}) == (403, 160005)
    assert (await wire("PUT", f"{ballot}/reactions/{ONE}/@me"))[0] == 204
    assert (await wire("DELETE", spare))[0] == 204
    with pytest.raises(MemberActionError):
        mira.say(thread, "x")
    owner.say(thread, "quiet, please")
    owner.lock(thread, locked=False)
    assert (await wire("PATCH", ballot, {"content": "x"}))[0] == 200


async def test_a_thread_that_is_archived_and_locked_takes_nothing_but_a_moderator(
    wire: Wire, channel: Channel, mira: Member, owner: Member
) -> None:
    thread = mira.open_thread(channel, "a side story")
    ballot = await posted(wire, thread)
    with pytest.raises(MemberActionError):
        mira.archive(thread, locked=True)
    owner.archive(thread, locked=True)
    messages = f"/channels/{thread.id}/messages"
    assert await wire.refusal("POST", messages, {"content": "x"}) == (400, 50083)
    assert await wire.refusal("DELETE", ballot) == (400, 50083)
    with pytest.raises(MemberActionError):
        mira.reopen(thread)
    owner.reopen(thread)
    assert (thread.archived, thread.locked) == (False, True)


async def test_what_happens_to_a_thread_is_told(
    wire: Wire, guild: Guild, channel: Channel, mira: Member, owner: Member
) -> None:
    async with Listener(wire) as listener:
        thread = mira.open_thread(channel, "a side story")
        assert (await listener.hears())[0] == "THREAD_CREATE"
        owner.archive(thread, locked=True)
        name, told = await listener.hears()
        assert name == "THREAD_UPDATE"
        assert told["thread_metadata"]["archived"]
        assert told["thread_metadata"]["locked"]
        owner.delete_channel(thread)
        assert (await listener.hears())[0] == "THREAD_DELETE"
    assert thread.id not in guild.channels


async def test_a_forum_post_is_a_thread_whose_first_message_has_its_id(
    server: DiscordServer, wire: Wire, guild: Guild, mira: Member
) -> None:
    forum = server.world.create_channel(guild, "tales", FORUM)
    async with Listener(wire) as listener:
        post = mira.post(forum, "The salt clock", "It began at low tide.")
        names = [(await listener.hears())[0] for _ in range(2)]
        assert names == ["THREAD_CREATE", "MESSAGE_CREATE"]
    assert next(iter(post.messages)) == post.id
    assert post.parent is forum
    refused = await wire.refusal("POST", f"/channels/{forum.id}/messages", {"content": "x"})
    assert refused == (400, 50024)
    await posted(wire, post)
    mira.archive(post)
    await posted(wire, post)
    assert not post.archived


# Channels, permissions, the bot's stay


async def test_a_deleted_channel_takes_its_threads_along(
    wire: Wire, channel: Channel, mira: Member, owner: Member
) -> None:
    thread = mira.open_thread(channel, "a side story")
    async with Listener(wire) as listener:
        with pytest.raises(MemberActionError):
            mira.delete_channel(channel)
        owner.delete_channel(channel)
        assert (await listener.hears())[0] == "CHANNEL_DELETE"
    for gone in (channel, thread):
        assert await wire.refusal("GET", f"/channels/{gone.id}") == (404, 10003)


async def test_permissions_are_taken_and_given_back_midway(
    server: DiscordServer, wire: Wire, guild: Guild, channel: Channel, mira: Member, owner: Member
) -> None:
    """In one channel, of which a thread takes its own, or by the bot's role in the whole guild."""
    thread = mira.open_thread(channel, "a side story")
    message = f"/channels/{thread.id}/messages"
    async with Listener(wire) as listener:
        owner.deny_bot(thread, Permission.SEND_MESSAGES_IN_THREADS)
        assert (await listener.hears())[0] == "CHANNEL_UPDATE"
        assert await wire.refusal("POST", message, {"content": "x"}) == (403, 50013)
        owner.deny_bot(channel, Permission.VIEW_CHANNEL)
        assert await wire.refusal("POST", message, {"content": "x"}) == (403, 50001)
        owner.deny_bot(channel, 0)
        assert (await wire("POST", message, {"content": "x"}))[0] == 200
        for _ in range(3):
            await listener.hears()
        server.world.set_role_permissions(guild, guild.everyone, 0)
        assert (await listener.hears())[0] == "GUILD_ROLE_UPDATE"


async def test_a_bot_that_is_kicked_hears_of_it_and_can_be_invited_again(
    server: DiscordServer, wire: Wire, guild: Guild, channel: Channel, mira: Member, owner: Member
) -> None:
    """Its role and its commands go with it; on its return it is told of channels and threads."""
    thread = mira.open_thread(channel, "a side story")
    command: dict[str, Any] = {"name": "echo", "description": "Say it back", "options": []}
    await wire("POST", f"/applications/{server.platform.application_id}/commands", command)
    async with Listener(wire) as listener:
        with pytest.raises(MemberActionError):
            mira.kick_bot()
        owner.kick_bot()
        assert await listener.hears() == ("GUILD_DELETE", {"id": str(guild.id)})
        assert await wire.refusal("GET", f"/channels/{channel.id}") == (403, 50001)
        with pytest.raises(MemberActionError, match="not in Harbour"):
            mira.begin_command(channel, "echo")
        mira.say(channel, "nobody tells the bot")
        owner.invite_bot()
        name, told = await listener.hears()
        assert name == "GUILD_CREATE"
        assert "unavailable" not in told
        assert [entry["id"] for entry in told["threads"]] == [str(thread.id)]
        assert sum(role.managed_by is not None for role in guild.roles.values()) == 1
        mira.begin_command(channel, "echo")
    assert (await wire("GET", f"/channels/{channel.id}"))[0] == 200


async def test_cleared_reactions_are_told_and_gone(
    server: DiscordServer, wire: Wire, channel: Channel, mira: Member, owner: Member
) -> None:
    ballot = await posted(wire, channel)
    (message,) = server.bot_messages(channel)
    mira.react(message, ONE)
    async with Listener(wire) as listener:
        with pytest.raises(MemberActionError):
            mira.clear_reactions(message)
        owner.clear_reactions(message)
        assert (await listener.hears())[0] == "MESSAGE_REACTION_REMOVE_ALL"
    assert (await wire("GET", f"{ballot}/reactions/{ONE}"))[1] == []
