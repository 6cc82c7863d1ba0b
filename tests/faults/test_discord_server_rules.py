"""The local Discord server refuses what Discord refuses, asked over plain HTTP and WebSocket.

What discord.py itself exercises is in test_discord_server.py.
"""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.discord_server import (
    Answer,
    Channel,
    DiscordServer,
    Guild,
    Intent,
    Interaction,
    Member,
    Overwrite,
    Permission,
)
from tests.faults.discord_server.permissions import USUAL, permissions_of
from tests.faults.discord_server.rest_messages import select_page
from tests.faults.discord_server.snowflakes import Snowflakes, moment
from tests.faults.discord_server.validation import is_emoji
from tests.faults.discord_wire import Clock, Wire, identify, opened

V2 = 1 << 15
TEXT = {"type": 10, "content": "a line"}
ECHO: dict[str, Any] = {"name": "echo", "description": "Say it back", "options": []}


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(clock=clock) as server:
        yield server


@pytest.fixture
def messages(channel: Channel) -> str:
    return f"/channels/{channel.id}/messages"


# The door


async def test_unknown_routes_methods_and_tokens_are_refused(wire: Wire) -> None:
    assert await wire.refusal("GET", "/no/such/route") == (404, 0)
    assert await wire.refusal("DELETE", "/users/@me") == (405, 0)
    wire.token = "wrong"
    assert await wire.refusal("GET", "/users/@me") == (401, 0)
    assert await wire.refusal("GET", "/gateway/bot") == (401, 0)
    assert (await wire("GET", "/gateway"))[0] == 200


async def test_world_outlives_the_server(server: DiscordServer, wire: Wire, messages: str) -> None:
    await wire("POST", messages, {"content": "still here"})
    port = server.port
    await server.close()
    await server.start(port)
    _, page = await wire("GET", messages)
    assert [message["content"] for message in page] == ["still here"]


async def test_every_request_is_logged_with_its_answer(
    server: DiscordServer, wire: Wire, messages: str, clock: Clock
) -> None:
    await wire("POST", messages, {"content": "hello"})
    (call,) = server.calls.to("POST /channels/{channel_id}/messages")
    assert (call.fields, call.status, call.at_s) == ({"content": "hello"}, 200, clock.now_s)
    assert call.answer_body["content"] == "hello"
    assert server.calls.to("POST /channels/*") == []


async def test_hook_runs_as_often_as_said_and_can_be_removed(
    server: DiscordServer, wire: Wire
) -> None:
    server.before("GET /users/*", lambda call: Answer(502), times=2)
    remove = server.after("* /gateway", lambda call: Answer(500))
    assert [(await wire("GET", "/users/@me"))[0] for _ in range(3)] == [502, 502, 200]
    assert (await wire("GET", "/gateway"))[0] == 500
    remove()
    assert (await wire("GET", "/gateway"))[0] == 200


async def test_waiting_in_vain_says_for_what(server: DiscordServer) -> None:
    with pytest.raises(TimeoutError, match="the tide"):
        await server.wait_for(lambda: None, 0.01, "the tide")


async def test_fault_inside_the_server_fails_the_test_that_caused_it(clock: Clock) -> None:
    async with DiscordServer(clock=clock) as server, aiohttp.ClientSession() as session:
        server.before("GET /gateway", lambda call: Answer(1 // 0))
        assert await Wire(server, session)("GET", "/gateway") == (400, {"code": 0, "message": "?"})
        with pytest.raises(ExceptionGroup, match="inside the local Discord server") as raised:
            await server.close()
    assert isinstance(raised.value.exceptions[0], ZeroDivisionError)


# Messages


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": ""}, 50006),
        ({"content": " \n"}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"content": "😀" * 1001}, 50035),
        ({"content": "x", "nonce": "n" * 26}, 50035),
        ({"content": "x", "flags": 64}, 50035),
        ({"embeds": [{"description": "x" * 4097}]}, 50035),
        ({"embeds": [{"description": "x" * 4000}] * 2}, 50035),
        ({"components": [TEXT]}, 50035),
        ({"flags": V2, "components": []}, 50006),
        ({"flags": V2, "components": [TEXT], "content": "x"}, 50035),
        ({"flags": V2, "components": [TEXT] * 41}, 50035),
        ({"flags": V2, "components": [{"type": 17, "components": [TEXT] * 40}]}, 50035),
        ({"flags": V2, "components": [TEXT | {"content": "x" * 2001}] * 2}, 50035),
    ],
)
async def test_message_that_discord_would_not_take_is_refused(
    wire: Wire, channel: Channel, messages: str, body: dict[str, Any], code: int
) -> None:
    assert await wire.refusal("POST", messages, body) == (400, code)
    assert not channel.messages


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2000},
        {"content": "😀" * 1000},
        {"embeds": [{"description": "x" * 3000}] * 2},
        {"flags": V2, "components": [{"type": 17, "components": [TEXT] * 39}]},
        {"flags": V2, "components": [TEXT | {"content": "x" * 2000}] * 2},
    ],
)
async def test_message_at_the_limit_is_taken(
    wire: Wire, messages: str, body: dict[str, Any]
) -> None:
    assert (await wire("POST", messages, body))[0] == 200


async def test_components_v2_cannot_be_taken_back(wire: Wire, messages: str) -> None:
    _, sent = await wire("POST", messages, {"flags": V2, "components": [TEXT]})
    one = f"{messages}/{sent['id']}"
    plain: dict[str, Any] = {"flags": 0, "content": "x", "components": []}
    assert await wire.refusal("PATCH", one, plain) == (400, 50035)
    assert await wire.refusal("PATCH", one, {"content": "x"}) == (400, 50035)
    changed = {"components": [TEXT | {"content": "another line"}]}
    _, edited = await wire("PATCH", one, changed)
    assert edited["components"][0]["content"] == "another line"
    assert edited["flags"] == V2


async def test_nonce_is_not_enforced_unless_asked_for(
    wire: Wire, channel: Channel, messages: str
) -> None:
    for _ in range(2):
        await wire("POST", messages, {"content": "twice", "nonce": "n"})
    assert len(channel.messages) == 2


async def test_history_asks_for_one_anchor_and_at_most_100(wire: Wire, messages: str) -> None:
    assert await wire.refusal("GET", f"{messages}?before=1&after=1") == (400, 50035)
    assert await wire.refusal("GET", f"{messages}?limit=101") == (400, 50035)
    assert await wire.refusal("GET", f"{messages}?limit=0") == (400, 50035)


async def test_history_is_empty_without_the_permission_to_read_it(
    server: DiscordServer, wire: Wire, channel: Channel, messages: str, mira: Member
) -> None:
    mira.say(channel, "before")
    deny = Overwrite(server.world.bot.id, for_member=True, deny=Permission.READ_MESSAGE_HISTORY)
    server.world.set_overwrite(channel, deny)
    assert await wire("GET", messages) == (200, [])


@given(
    ids=st.sets(st.integers(1, 60)).map(sorted),
    limit=st.integers(1, 10),
    at=st.integers(0, 61),
    anchor=st.sampled_from(["before", "after", "around", None]),
)
def test_page_is_newest_first_and_without_gaps_next_to_its_anchor(
    ids: list[int], limit: int, at: int, anchor: str | None
) -> None:
    page = select_page(ids, limit, anchor, at)
    assert page == sorted(page, reverse=True)
    assert len(page) <= limit + 1
    expected = {
        "before": [one for one in ids if one < at][-limit:],
        "after": [one for one in ids if one > at][:limit],
        None: ids[-limit:],
    }
    if anchor in expected:
        assert sorted(page) == expected[anchor]
    else:
        inside = [one for one in ids if page and page[-1] <= one <= page[0]]
        assert sorted(page) == inside
        assert (at in page) == (at in ids)


# Reactions


async def test_reactions_are_emojis_and_at_most_20_of_them(
    wire: Wire, mira: Member, channel: Channel, messages: str
) -> None:
    base = f"{messages}/{mira.say(channel, 'vote').id}/reactions"
    assert await wire.refusal("PUT", f"{base}/x/@me") == (400, 10014)
    for number in range(20):
        assert (await wire("PUT", f"{base}/{chr(0x1F600 + number)}/@me"))[0] == 204
    assert await wire.refusal("PUT", f"{base}/👍/@me") == (400, 30010)


async def test_only_a_new_emoji_needs_add_reactions(
    server: DiscordServer, wire: Wire, mira: Member, channel: Channel, messages: str
) -> None:
    message = mira.say(channel, "vote")
    mira.react(message, "👍")
    deny = Overwrite(server.world.bot.id, for_member=True, deny=Permission.ADD_REACTIONS)
    server.world.set_overwrite(channel, deny)
    base = f"{messages}/{message.id}/reactions"
    assert (await wire("PUT", f"{base}/👍/@me"))[0] == 204
    assert await wire.refusal("PUT", f"{base}/👎/@me") == (403, 50013)


def test_emoji_is_one_sign_or_name_and_id() -> None:
    assert all(is_emoji(written) for written in ("1️⃣", "👍🏽", "👩‍👩‍👧", "lamp:123456789012345678"))
    assert not any(is_emoji(written) for written in ("1", "x", "👍👍", "é", "lamp:", ""))


# Interactions


@pytest.fixture
async def used(wire: Wire, mira: Member, channel: Channel) -> Interaction:
    """A command that a member has just used."""
    commands = f"/applications/{wire.server.platform.application_id}/commands"
    await wire("PUT", commands, [ECHO])
    return mira.begin_command(channel, "echo")


def callback(used: Interaction) -> str:
    return f"/interactions/{used.id}/{used.token}/callback"


async def test_interaction_is_answered_once(wire: Wire, used: Interaction) -> None:
    answer = {"type": 4, "data": {"content": "heard", "flags": 64}}
    assert (await wire("POST", callback(used), answer))[0] == 204
    assert await wire.refusal("POST", callback(used), answer) == (400, 40060)
    assert (used.content, used.ephemeral) == ("heard", True)


async def test_interaction_is_unknown_after_three_seconds(
    wire: Wire, used: Interaction, clock: Clock
) -> None:
    clock.now_s += 3.1
    answer = {"type": 4, "data": {"content": "late"}}
    assert await wire.refusal("POST", callback(used), answer) == (404, 10062)


async def test_token_of_an_interaction_lives_15_minutes(
    wire: Wire, used: Interaction, clock: Clock
) -> None:
    hook = f"/webhooks/{wire.server.platform.application_id}/{used.token}"
    assert await wire.refusal("POST", hook, {"content": "too early"}) == (404, 10015)
    await wire("POST", callback(used), {"type": 5})
    assert used.thinking
    clock.now_s += 899
    assert (await wire("POST", hook, {"content": "in time"}))[0] == 200
    assert (used.content, used.thinking, used.followups) == ("in time", False, [])
    clock.now_s += 2
    assert await wire.refusal("POST", hook, {"content": "late"}) == (401, 50027)


@pytest.mark.parametrize(
    "answer",
    [
        {"type": 7, "data": {"content": "no message to update"}},
        {"type": 8, "data": {"choices": []}},
        {"type": 9, "data": {"title": "x" * 46, "custom_id": "m", "components": [TEXT]}},
        {"type": 9, "data": {"title": "x", "custom_id": "m", "components": [TEXT] * 6}},
        {"type": 4, "data": {"content": "x" * 2001}},
    ],
)
async def test_answer_that_does_not_fit_is_refused_and_another_may_follow(
    wire: Wire, used: Interaction, answer: dict[str, Any]
) -> None:
    assert await wire.refusal("POST", callback(used), answer) == (400, 50035)
    assert (await wire("POST", callback(used), {"type": 4, "data": {"content": "x"}}))[0] == 204


async def test_deleted_answer_is_gone(wire: Wire, used: Interaction, channel: Channel) -> None:
    await wire("POST", callback(used), {"type": 4, "data": {"content": "briefly"}})
    hook = f"/webhooks/{wire.server.platform.application_id}/{used.token}/messages/@original"
    assert (await wire("DELETE", hook))[0] == 204
    assert await wire.refusal("GET", hook) == (404, 10008)
    assert not channel.messages


async def test_replaced_commands_keep_their_ids_and_missing_ones_go(wire: Wire) -> None:
    commands = f"/applications/{wire.server.platform.application_id}/commands"
    _, (first, _) = await wire("PUT", commands, [ECHO, ECHO | {"name": "other"}])
    _, (second,) = await wire("PUT", commands, [ECHO | {"description": "Changed"}])
    assert second["id"] == first["id"]
    assert (await wire("GET", commands))[1] == [second]


# Permissions and ids


def test_overwrites_apply_from_everyone_over_roles_to_the_member(
    server: DiscordServer, guild: Guild, channel: Channel
) -> None:
    role = server.world.create_role(guild, "Keeper")
    keeper = server.join(guild, "Corvin", [role])
    send = Permission.SEND_MESSAGES

    def may_send() -> bool:
        return bool(permissions_of(guild, keeper.id, channel) & send)

    assert may_send()
    server.world.set_overwrite(channel, Overwrite(guild.id, for_member=False, deny=send))
    assert not may_send()
    server.world.set_overwrite(channel, Overwrite(role.id, for_member=False, allow=send))
    assert may_send()
    server.world.set_overwrite(channel, Overwrite(keeper.id, for_member=True, deny=send))
    assert not may_send()


def test_hidden_channel_takes_every_permission_but_the_owners(
    server: DiscordServer, guild: Guild, channel: Channel, mira: Member
) -> None:
    hidden = Overwrite(guild.id, for_member=False, deny=Permission.VIEW_CHANNEL)
    server.world.set_overwrite(channel, hidden)
    assert permissions_of(guild, mira.id, channel) == 0
    assert permissions_of(guild, guild.owner_id, channel) & USUAL == USUAL


@given(st.lists(st.floats(1_500_000_000, 1_900_000_000), min_size=2, max_size=20))
def test_ids_increase_even_if_the_clock_steps_back(times: list[float]) -> None:
    reading = iter(times)
    snowflakes = Snowflakes(lambda: next(reading))
    ids = [snowflakes.next() for _ in times]
    assert ids == sorted(set(ids))
    assert moment(ids[0]).timestamp() == pytest.approx(times[0], abs=0.002)


# Gateway


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([{"op": 8, "d": None}], 4003),
        ([identify(token="wrong")], 4004),
        ([identify(), identify()], 4005),
        ([identify(shard=[1, 1])], 4010),
        ([identify(intents=1 << 30)], 4013),
        ([identify(intents=int(Intent.GUILD_MEMBERS))], 4014),
        ([identify(), {"op": 99}], 4001),
        ([{"no": "opcode"}], 4002),
    ],
)
async def test_gateway_closes_with_the_code_of_the_mistake(
    wire: Wire, sent: list[dict[str, Any]], code: int
) -> None:
    socket = await opened(wire.server, wire.session)
    for payload in sent:
        await socket.send_json(payload)
    async for _ in socket:
        pass
    assert socket.close_code == code


async def test_heartbeat_is_acknowledged_and_resume_must_identify_anew(wire: Wire) -> None:
    socket = await opened(wire.server, wire.session)
    await socket.send_json({"op": 1, "d": None})
    assert (await socket.receive_json())["op"] == 11
    await socket.send_json({"op": 6, "d": {"token": "local-token", "session_id": "x", "seq": 1}})
    assert await socket.receive_json() == {"op": 9, "d": False}
    await socket.close()


async def test_sessions_are_told_only_what_their_intents_and_channels_allow(
    wire: Wire, guild: Guild, channel: Channel, mira: Member
) -> None:
    world = wire.server.world
    hidden = world.create_channel(guild, "hidden")
    deny = Overwrite(world.bot.id, for_member=True, deny=Permission.VIEW_CHANNEL)
    world.set_overwrite(hidden, deny)
    socket = await opened(wire.server, wire.session)
    await socket.send_json(identify(intents=int(Intent.GUILD_MESSAGE_REACTIONS)))
    await wire.server.wait_connected()
    secret, shown = mira.say(hidden, "hidden"), mira.say(channel, "shown")
    mira.react(secret, "👍")
    mira.react(shown, "👍")
    ready, reaction = [await socket.receive_json() for _ in range(2)]
    assert (ready["t"], ready["s"]) == ("READY", 1)
    assert (reaction["t"], reaction["s"]) == ("MESSAGE_REACTION_ADD", 2)
    assert reaction["d"]["message_id"] == str(shown.id)
    await socket.close()


@pytest.mark.parametrize(("shard", "name"), [(0, "Even"), (1, "Odd")])
async def test_shard_is_told_of_its_own_guilds_alone(wire: Wire, shard: int, name: str) -> None:
    world = wire.server.world
    guilds = {
        name: world.create_guild(name, guild_id=n << 22) for n, name in ((2, "Even"), (3, "Odd"))
    }
    socket = await opened(wire.server, wire.session)
    wanted = int(Intent.GUILDS | Intent.GUILD_MESSAGES)
    await socket.send_json(identify(shard=[shard, 2], intents=wanted))
    ready, create = [await socket.receive_json() for _ in range(2)]
    assert [guild["id"] for guild in ready["d"]["guilds"]] == [str(guilds[name].id)]
    assert create["d"]["name"] == name
    for guild in guilds.values():
        world.create_channel(guild, guild.name)
    assert (await socket.receive_json())["d"]["name"] == name
    await socket.close()


async def test_bot_that_was_kicked_has_no_access(
    wire: Wire, guild: Guild, channel: Channel, messages: str
) -> None:
    wire.server.world.remove_member(guild, wire.server.world.bot)
    assert await wire.refusal("GET", f"/guilds/{guild.id}") == (403, 50001)
    assert await wire.refusal("POST", messages, {"content": "x"}) == (403, 50001)
