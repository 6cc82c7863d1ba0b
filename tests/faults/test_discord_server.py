"""The local Discord server holds what unmodified discord.py expects of Discord.

Most tests run the probe bot in this process; one runs it as a process that is killed. Rules that
discord.py never touches are in test_discord_server_rules.py.
"""

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Iterator

import aiohttp
import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.faults.discord_probe import TOKEN, Panel, Probe, point_discord_at, running
from tests.faults.discord_server import (
    USUAL,
    Answer,
    Call,
    Channel,
    DiscordServer,
    DropConnection,
    Guild,
    Intent,
    Limits,
    Member,
    MemberActionError,
    NoAnswerError,
    Overwrite,
    Permission,
)
from tests.faults.discord_server.entities import FORUM
from tests.faults.discord_wire import Clock

ONE, TWO = "1️⃣", "2️⃣"
SENDING = "POST /channels/*/messages"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def discord_as_before() -> Iterator[None]:
    """Point discord.py at nothing else after each test."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    point_discord_at(base, str(gateway))


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(token=TOKEN, clock=clock) as server:
        point_discord_at(server.api_url, server.gateway_ws_url)
        yield server


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.world.create_guild("Harbour", bot_permissions=USUAL)


@pytest.fixture
def channel(server: DiscordServer, guild: Guild) -> Channel:
    return server.world.create_channel(guild, "tale")


@pytest.fixture
def mira(server: DiscordServer, guild: Guild) -> Member:
    return server.join(guild, "Mira")


@pytest.fixture
async def bot(server: DiscordServer, channel: Channel) -> AsyncIterator[Probe]:
    async with running(server) as bot:
        yield bot


@pytest.fixture
async def here(bot: Probe, channel: Channel) -> discord.TextChannel:
    found = bot.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def heard(bot: Probe, count: int) -> list[str]:
    """Return the names of what the bot heard once there are `count` of them."""
    await bot.changes.wait_for(lambda: len(bot.heard) >= count, 5.0, f"{count} events")
    return [name for name, _ in bot.heard]


# Connecting


async def test_bot_sees_its_guilds_channels_threads_and_rights(
    server: DiscordServer, guild: Guild, channel: Channel, mira: Member
) -> None:
    forum = server.world.create_channel(guild, "tales", FORUM)
    post = server.world.create_thread(forum, "a post", mira.user)
    async with running(server) as bot:
        seen = bot.get_guild(guild.id)
        assert seen is not None
        assert seen.name == "Harbour"
        assert isinstance(seen.get_channel(forum.id), discord.ForumChannel)
        thread = seen.get_thread(post.id)
        assert thread is not None
        assert thread.parent_id == forum.id
        text = seen.get_channel(channel.id)
        assert isinstance(text, discord.TextChannel)
        assert text.permissions_for(seen.me).value & USUAL == USUAL
        assert bot.application is not None
        assert bot.application.owner.name == "operator"


async def test_new_channels_and_guilds_are_told_while_connected(
    server: DiscordServer, bot: Probe, guild: Guild
) -> None:
    channel = asyncio.create_task(bot.wait_for("guild_channel_create", timeout=5))
    joined = asyncio.create_task(bot.wait_for("guild_join", timeout=5))
    await asyncio.sleep(0)  # lets both begin to listen
    later = server.world.create_channel(guild, "later")
    other = server.world.create_guild("Mill")
    assert (await channel).id == later.id
    assert (await joined).id == other.id


async def test_each_shard_is_told_its_own_guilds(server: DiscordServer, clock: Clock) -> None:
    server.platform.shards = 2
    even = server.world.create_guild("Even", guild_id=2 << 22)
    odd = server.world.create_guild("Odd", guild_id=3 << 22)
    async with running(server) as bot:
        assert {guild.id: guild.shard_id for guild in bot.guilds} == {even.id: 0, odd.id: 1}


async def test_wrong_token_fails_the_login(server: DiscordServer) -> None:
    async with Probe() as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.start("another token")


async def test_token_that_is_reset_after_login_closes_the_gateway_with_4004(
    server: DiscordServer,
) -> None:
    async with Probe() as bot:
        await bot.login(TOKEN)
        server.before("GET /gateway/bot", lambda call: reset_token(server))
        with pytest.raises(discord.ConnectionClosed) as closed:
            await bot.connect()
    assert closed.value.code == 4004


def reset_token(server: DiscordServer) -> Answer:
    server.platform.token = "a new one"
    start_limit = {"total": 1, "remaining": 1, "reset_after": 0, "max_concurrency": 1}
    url = server.gateway_ws_url
    return Answer(200, {"url": url, "shards": 1, "session_start_limit": start_limit})


async def test_intents_that_are_not_switched_on_are_refused(server: DiscordServer) -> None:
    wanted = discord.Intents(guilds=True, message_content=True)
    async with Probe(wanted) as bot:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.start(TOKEN)
    server.platform.privileged_intents = Intent.MESSAGE_CONTENT
    async with running(server, wanted) as bot:
        assert bot.is_ready()


async def test_bot_whose_connection_was_cut_comes_back_and_hears_again(
    server: DiscordServer, bot: Probe, mira: Member, channel: Channel
) -> None:
    server.gateway.cut()
    await server.wait_disconnected()
    mira.say(channel, "does anybody hear?")
    await server.wait_connected()
    mira.say(channel, "hello again")
    assert await heard(bot, 3) == ["message", "resumed", "message"]


# Messages


async def test_same_nonce_gives_the_same_message_for_five_minutes(
    server: DiscordServer, here: discord.TextChannel, channel: Channel, clock: Clock
) -> None:
    first = await here.send("once", nonce="turn-1")
    clock.now_s += 299
    assert (await here.send("once", nonce="turn-1")).id == first.id
    assert (await here.send("two", nonce="turn-2")).id != first.id
    clock.now_s += 2
    assert (await here.send("once", nonce="turn-1")).id != first.id
    assert len(channel.messages) == 3


async def test_nonce_of_a_deleted_message_is_an_unknown_message(
    here: discord.TextChannel, channel: Channel
) -> None:
    message = await here.send("gone soon", nonce="turn-1")
    await message.delete()
    with pytest.raises(discord.NotFound) as refused:
        await here.send("gone soon", nonce="turn-1")
    assert refused.value.code == 10008
    assert not channel.messages


async def test_nonce_of_26_characters_is_refused(here: discord.TextChannel) -> None:
    assert (await here.send("fits", nonce="n" * 25)).nonce == "n" * 25
    with pytest.raises(discord.HTTPException) as refused:
        await here.send("does not", nonce="n" * 26)
    assert (refused.value.status, refused.value.code) == (400, 50035)


async def test_edits_keep_id_and_time_and_leave_every_revision(
    here: discord.TextChannel, channel: Channel, clock: Clock
) -> None:
    message = await here.send("Once")
    clock.now_s += 10
    edited = await message.edit(content="Once upon a time")
    (kept,) = channel.messages.values()
    assert [revision.content for revision in kept.revisions] == ["Once", "Once upon a time"]
    assert edited.id == message.id
    assert edited.edited_at is not None
    assert (edited.edited_at - message.created_at).total_seconds() == pytest.approx(10)
    assert kept.created_at == message.created_at


async def test_only_own_messages_can_be_edited_and_only_moderators_delete_others(
    here: discord.TextChannel, channel: Channel, mira: Member
) -> None:
    theirs = await here.fetch_message(mira.say(channel, "mine").id)
    with pytest.raises(discord.Forbidden) as refused:
        await theirs.edit(content="yours")
    assert refused.value.code == 50005
    with pytest.raises(discord.Forbidden) as refused:
        await theirs.delete()
    assert refused.value.code == 50013


async def test_history_pages_in_both_directions_and_around(
    here: discord.TextChannel, channel: Channel, mira: Member
) -> None:
    ids = [mira.say(channel, f"line {number}").id for number in range(230)]
    newest_first = [message.id async for message in here.history(limit=None)]
    assert newest_first == ids[::-1]
    marker = discord.Object(ids[9])
    oldest_first = [message.id async for message in here.history(limit=None, after=marker)]
    assert oldest_first == ids[10:]
    before = [message.id async for message in here.history(limit=5, before=marker)]
    assert before == ids[4:9][::-1]
    around = [message.id async for message in here.history(limit=5, around=marker)]
    assert around == ids[7:12][::-1]


async def test_content_of_members_is_hidden_without_the_content_intent(
    server: DiscordServer, bot: Probe, here: discord.TextChannel, channel: Channel, mira: Member
) -> None:
    secret = mira.say(channel, "a secret")
    assert bot.user is not None
    mira.say(channel, f"for you <@{bot.user.id}>")
    await heard(bot, 2)
    contents = [event.content for _, event in bot.heard]
    assert contents == ["", f"for you <@{bot.user.id}>"]
    assert (await here.fetch_message(secret.id)).content == ""
    server.platform.privileged_intents = Intent.MESSAGE_CONTENT
    assert (await here.fetch_message(secret.id)).content == "a secret"


async def test_uploaded_file_can_be_fetched_again(here: discord.TextChannel) -> None:
    file = discord.File(io.BytesIO(b"the whole story"), filename="story.txt")
    message = await here.send("the story", file=file)
    (attachment,) = message.attachments
    assert attachment.filename == "story.txt"
    assert await attachment.read() == b"the whole story"


async def test_owner_can_be_written_to_directly(server: DiscordServer, bot: Probe) -> None:
    owner = await bot.fetch_user(server.world.owner.id)
    await owner.send("the budget is spent")
    conversation = server.world.direct_channel(server.world.owner)
    assert [message.content for message in server.bot_messages(conversation)] == [
        "the budget is spent"
    ]
    server.world.owner.accepts_direct_messages = False
    with pytest.raises(discord.Forbidden) as refused:
        await owner.send("again")
    assert refused.value.code == 50007


async def test_only_allowed_mentions_ping(
    server: DiscordServer, here: discord.TextChannel, channel: Channel, mira: Member
) -> None:
    keepers, others = (server.world.create_role(mira.guild, name) for name in ("Keepers", "Others"))
    text = f"<@{mira.id}> <@&{keepers.id}> <@&{others.id}> @everyone"
    await here.send(text)
    await here.send(text, allowed_mentions=discord.AllowedMentions.none())
    chosen = discord.AllowedMentions(
        everyone=False, users=False, roles=[discord.Object(keepers.id)]
    )
    await here.send(text, allowed_mentions=chosen)
    pings = [
        (message.mentions, message.role_mention_ids, message.mentions_everyone)
        for message in channel.messages.values()
    ]
    # Pinging everyone needs a permission that the bot does not have here.
    assert pings == [
        ([mira.user], [keepers.id, others.id], False),
        ([], [], False),
        ([], [keepers.id], False),
    ]


# Reactions


async def test_reaction_users_come_in_pages_of_100_normal_and_burst_apart(
    server: DiscordServer, here: discord.TextChannel, channel: Channel, guild: Guild
) -> None:
    sent = await here.send("vote")
    await sent.add_reaction(ONE)
    ballot = channel.messages[sent.id]
    voters = [server.join(guild, f"Voter {number}") for number in range(230)]
    for voter in reversed(voters):
        voter.react(ballot, ONE)
    for voter in voters[:3]:
        voter.react(ballot, ONE, burst=True)
    fresh = await here.fetch_message(sent.id)
    (reaction,) = fresh.reactions
    assert (reaction.count, reaction.normal_count, reaction.burst_count) == (234, 231, 3)
    assert reaction.me
    normal = [user.id async for user in reaction.users(limit=None)]
    assert sorted(normal) == [server.world.bot.id, *(voter.id for voter in voters)]
    kind = discord.ReactionType.burst
    burst = [user.id async for user in reaction.users(limit=None, type=kind)]
    assert sorted(burst) == [voter.id for voter in voters[:3]]
    pages = [call.query.get("after") for call in server.calls.to("GET /channels/*/messages/*/*/*")]
    assert pages[:3] == [None, str(voters[98].id), str(voters[198].id)]


async def test_bot_hears_reactions_of_members_and_its_own(
    server: DiscordServer, bot: Probe, here: discord.TextChannel, channel: Channel, mira: Member
) -> None:
    ballot = channel.messages[(await here.send("vote")).id]
    await here.get_partial_message(ballot.id).add_reaction(TWO)
    mira.react(ballot, TWO, burst=True)
    mira.unreact(ballot, TWO, burst=True)
    server.owner(mira.guild).clear_reactions(ballot, TWO)
    server.owner(mira.guild).clear_reactions(ballot)
    names = await heard(bot, 6)
    assert names == [
        "message",
        "reaction_add",
        "reaction_add",
        "reaction_remove",
        "reaction_clear_emoji",
        "reaction_clear",
    ]
    own, theirs = bot.heard[1][1], bot.heard[2][1]
    assert (own.user_id, own.burst) == (server.world.bot.id, False)
    assert (theirs.user_id, theirs.burst, str(theirs.emoji)) == (mira.id, True, TWO)
    assert theirs.member.display_name == "Mira"


async def test_reactions_of_others_are_removed_by_moderators_only(
    server: DiscordServer, here: discord.TextChannel, channel: Channel, mira: Member
) -> None:
    sent = await here.send("vote")
    ballot = channel.messages[sent.id]
    mira.react(ballot, ONE)
    with pytest.raises(discord.Forbidden):
        await sent.remove_reaction(ONE, discord.Object(mira.id))
    bot_id = server.world.bot.id
    allowed = Overwrite(bot_id, for_member=True, allow=Permission.MANAGE_MESSAGES)
    server.world.set_overwrite(channel, allowed)
    await sent.remove_reaction(ONE, discord.Object(mira.id))
    assert ballot.reactions == {}


# Permissions and places


@pytest.mark.parametrize(
    ("denied", "code"), [(Permission.SEND_MESSAGES, 50013), (Permission.VIEW_CHANNEL, 50001)]
)
async def test_missing_permission_is_a_403_with_its_code(
    server: DiscordServer,
    here: discord.TextChannel,
    channel: Channel,
    denied: Permission,
    code: int,
) -> None:
    overwrite = Overwrite(server.world.bot.id, for_member=True, deny=denied)
    server.world.set_overwrite(channel, overwrite)
    with pytest.raises(discord.Forbidden) as refused:
        await here.send("unheard")
    assert refused.value.code == code
    assert not channel.messages


async def test_what_is_gone_is_a_404_with_its_code(
    server: DiscordServer, here: discord.TextChannel, channel: Channel
) -> None:
    with pytest.raises(discord.NotFound) as refused:
        await here.get_partial_message(1).edit(content="late")
    assert refused.value.code == 10008
    server.world.delete_channel(channel)
    with pytest.raises(discord.NotFound) as refused:
        await here.send("late")
    assert refused.value.code == 10003


async def test_archived_thread_refuses_reactions_and_edits_until_something_is_sent(
    server: DiscordServer, bot: Probe, channel: Channel, mira: Member
) -> None:
    thread = server.world.create_thread(channel, "a side story", mira.user)
    place = bot.get_partial_messageable(thread.id)
    sent = await place.send("a ballot")
    server.world.archive_thread(thread, archived=True)
    for attempt in (sent.add_reaction(ONE), sent.edit(content="changed")):
        with pytest.raises(discord.HTTPException) as refused:
            await attempt
        assert (refused.value.status, refused.value.code) == (400, 50083)
    await place.send("awake")
    assert not thread.archived
    await sent.add_reaction(ONE)


# Interactions


async def test_deferred_command_is_answered_by_its_followup(
    server: DiscordServer, bot: Probe, mira: Member, channel: Channel
) -> None:
    await bot.tree.sync()
    keeper = server.world.create_role(mira.guild, "Keeper")
    reply = await mira.command(
        channel,
        "tale begin",
        premise="a lamp",
        seconds=30,
        keeper=mira.user,
        where=channel,
        role=keeper,
    )
    assert reply.content == "a lamp / 30 / ['mira', 'tale', 'Keeper']"
    assert reply.ephemeral
    await server.wait_for(lambda: reply.followups)
    assert reply.text.endswith("and more")
    assert not channel.messages


async def test_answer_in_the_channel_can_be_edited(
    server: DiscordServer, bot: Probe, mira: Member, channel: Channel
) -> None:
    await bot.tree.sync()
    reply = await mira.command(channel, "tale pin", entry="the lamp")
    await server.wait_for(lambda: reply.content == "pinned the lamp for good")
    assert not reply.ephemeral
    assert list(channel.messages.values()) == [reply.answer]


async def test_clients_refuse_what_discord_clients_refuse(
    bot: Probe, mira: Member, channel: Channel
) -> None:
    await bot.tree.sync()
    for name, options in (
        ("tale begin", {}),
        ("tale begin", {"premise": "x", "seconds": 4}),
        ("tale begin", {"premise": "x" * 6001}),
        ("tale begin", {"premise": 5}),
        ("tale begin", {"premise": "x", "no_such": 1}),
        ("tale", {}),
        ("tale nothing", {}),
        ("nothing", {}),
        ("purge", {}),
    ):
        with pytest.raises(MemberActionError):
            mira.begin_command(channel, name, **options)


async def test_hidden_command_is_there_for_those_with_the_permission(
    server: DiscordServer, bot: Probe, guild: Guild, channel: Channel
) -> None:
    await bot.tree.sync()
    role = server.world.create_role(guild, "Moderator", Permission.MANAGE_MESSAGES)
    reply = await server.join(guild, "Corvin", [role]).command(channel, "purge")
    assert reply.content == "purged"


async def test_autocomplete_gives_the_suggestions(
    bot: Probe, mira: Member, channel: Channel
) -> None:
    await bot.tree.sync()
    choices = await mira.autocomplete(channel, "tale pin", "entry", entry="lamp")
    assert [choice["value"] for choice in choices] == ["lampa", "lampb"]


async def test_modal_is_opened_and_submitted(bot: Probe, mira: Member, channel: Channel) -> None:
    await bot.tree.sync()
    opened = await mira.command(channel, "ask")
    with pytest.raises(MemberActionError):
        await mira.submit(opened, answer="x" * 21)
    assert (await mira.submit(opened, answer="tide")).content == "you typed tide"


async def test_button_of_a_layout_edits_its_message(
    bot: Probe, mira: Member, channel: Channel
) -> None:
    await bot.tree.sync()
    shown = (await mira.command(channel, "panel")).answer
    assert shown.text == "an open panel"
    pressed = await mira.click(shown, "close")
    assert pressed.answer is shown
    assert shown.text == "closed by Mira"
    with pytest.raises(MemberActionError, match="disabled"):
        await mira.click(shown, "close")


async def test_layout_of_more_than_4000_characters_is_refused(here: discord.TextChannel) -> None:
    await here.send(view=Panel("x" * 4000))
    with pytest.raises(discord.HTTPException) as refused:
        await here.send(view=Panel("x" * 4001))
    assert (refused.value.status, refused.value.code) == (400, 50035)


async def test_silent_command_is_the_application_did_not_respond(
    server: DiscordServer, bot: Probe, mira: Member, channel: Channel
) -> None:
    await bot.tree.sync()
    server.platform.limits = Limits(first_response_s=0.1)
    with pytest.raises(NoAnswerError):
        await mira.command(channel, "mute")


async def test_command_works_in_a_forum_post(
    server: DiscordServer, bot: Probe, guild: Guild, mira: Member
) -> None:
    await bot.tree.sync()
    forum = server.world.create_channel(guild, "tales", FORUM)
    post = server.world.create_thread(forum, "a post", mira.user)
    reply = await mira.command(post, "panel")
    assert list(post.messages.values()) == [reply.answer]


# Faults


async def test_dropped_answer_leaves_the_message_and_its_nonce_finds_it(
    server: DiscordServer, here: discord.TextChannel, channel: Channel
) -> None:
    def drop(call: Call) -> None:
        raise DropConnection(reset=True)

    server.after(SENDING, drop, times=1)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await here.send("maybe", nonce="turn-1")
    (kept,) = channel.messages.values()
    assert (await here.send("maybe", nonce="turn-1")).id == kept.id
    assert len(channel.messages) == 1
    assert [call.status for call in server.calls.to(SENDING)] == [None, 200]


async def test_request_that_is_answered_before_it_is_applied_changes_nothing(
    server: DiscordServer, here: discord.TextChannel, channel: Channel
) -> None:
    server.before(SENDING, lambda call: Answer(503, {"code": 0, "message": "down"}), times=1)
    with pytest.raises(discord.DiscordServerError):
        await here.send("lost")
    assert not channel.messages
    await here.send("arrives")
    assert len(channel.messages) == 1


async def start_process(server: DiscordServer, channel: Channel) -> asyncio.subprocess.Process:
    """Start the probe as a process that sends one message under a fixed nonce."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "tests.faults.discord_probe"),
        *(server.api_url, server.gateway_ws_url, TOKEN, "turn-1", str(channel.id)),
        stderr=asyncio.subprocess.DEVNULL,
    )


async def test_process_killed_between_send_and_answer_sends_once_after_its_restart(
    server: DiscordServer, channel: Channel
) -> None:
    first = await start_process(server, channel)

    async def kill(call: Call) -> None:
        first.kill()
        await first.wait()

    server.after(SENDING, kill, times=1)
    await server.wait_for(lambda: channel.messages, timeout_s=10)
    await server.wait_disconnected()
    assert await first.wait() == -9
    second = await start_process(server, channel)
    try:
        await server.wait_for(
            lambda: [call.status for call in server.calls.to(SENDING)][1:] == [200], timeout_s=10
        )
    finally:
        second.kill()
        await second.wait()
    assert len(channel.messages) == 1
