"""Checks of Discord against a local server that speaks its REST API and enforces its rules."""

import base64
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.doctor.discord_checks import DiscordChecks, user_of
from bot.doctor.discord_rest import DiscordReader, DiscordReadError
from bot.doctor.guild_checks import CHANNELS_LOOKED_AT, GuildChecks, bounded
from bot.permissions import invite_url, missing, needed
from core.domain.checkup import Finding, NotLookedAtError, Verdict
from core.domain.story import StoryId
from tests.faults.discord_server import (
    Answer,
    Channel,
    DiscordServer,
    DropConnection,
    Guild,
    Intent,
    Limits,
    Permission,
    Rate,
    RateLimits,
)
from tests.findings import all_of, amiss

TOKEN = "local-token"


class Bench:
    """A local Discord and what looks at it.

    Attributes:
        told: where stories are told, as Redis would say.
        registered: whether Redis says that commands were registered.
    """

    def __init__(self, server: DiscordServer, reader: DiscordReader) -> None:
        self.server = server
        self.told: list[tuple[int, StoryId]] = []
        self.registered = False
        self.account = DiscordChecks(reader, self._is_registered)
        self.allowed: set[int] = set()
        self.guilds = GuildChecks(reader, self.account, self._places, self.allowed)

    async def _is_registered(self, application: int) -> bool:
        assert application == self.server.platform.application_id
        return self.registered

    async def _places(self) -> Sequence[tuple[int, StoryId]]:
        return self.told

    def tell(self, guild: Guild, name: str = "tale") -> Channel:
        """A channel in which a story is told."""
        channel = self.server.world.create_channel(guild, name)
        self.told.append((guild.id, StoryId(channel.id, 1)))
        return channel

    async def aclose(self) -> None:
        await self.account.aclose()
        await self.guilds.aclose()


@asynccontextmanager
async def a_bench(server: DiscordServer, token: str = TOKEN) -> AsyncGenerator[Bench, None]:
    async with DiscordReader(token, server.api_url) as reader:
        bench = Bench(server, reader)
        yield bench
        await bench.aclose()


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(token=TOKEN) as server:
        yield server


@pytest.fixture
async def bench(server: DiscordServer) -> AsyncIterator[Bench]:
    async with a_bench(server) as bench:
        yield bench


async def wrong(look: Callable[[], AsyncGenerator[Finding, None]]) -> list[tuple[Verdict, str]]:
    """What isn't well."""
    return [(verdict, found) for _, verdict, found in amiss(await all_of(look()))]


# ── the account ──────────────────────────────────────────────────────────────────────────────────


async def test_a_good_account_has_nothing_amiss(bench: Bench) -> None:
    for look in (bench.account.token, bench.account.application, bench.account.gateway):
        findings = await all_of(look())
        assert findings
        assert amiss(findings) == []
    [clock] = await all_of(bench.account.clock())
    assert clock.found.startswith("agrees with Discord's")


async def test_a_refused_token_is_one_fault_and_one_request(server: DiscordServer) -> None:
    """Every further one would count towards a ban of the address."""
    async with a_bench(server, "s3cret-s3cret") as bench:
        [fault] = await all_of(bench.account.token())
        assert (fault.verdict, fault.found) == (Verdict.FAULT, "Discord refuses DISCORD_TOKEN")
        looks = (bench.account.application, bench.account.gateway, bench.account.commands)
        for look in (*looks, bench.guilds.servers, bench.guilds.channels):
            with pytest.raises(NotLookedAtError):
                await all_of(look())
    assert server.invalid_requests == 1


@pytest.mark.parametrize(
    ("switch", "value", "says"),
    [
        ("bot_require_code_grant", True, "nobody can invite the bot"),
        ("interactions_endpoint_url", "https://x.example", "sends every command there"),
        ("integration_types_config", {"1": {}}, "can't be installed to servers"),
    ],
)
async def test_a_switch_of_the_portal_that_keeps_the_bot_from_working_is_a_fault(
    bench: Bench, switch: str, value: Any, says: str
) -> None:
    async def changed(call: Any) -> Answer:
        return Answer(200, about | {switch: value})

    about = await DiscordReaderOf(bench).get("/oauth2/applications/@me")
    bench.server.before("GET /oauth2/applications/@me", changed)
    [(verdict, found)] = await wrong(bench.account.application)
    assert verdict is Verdict.FAULT
    assert says in found


async def test_intents_that_are_on_are_told_and_not_needed(bench: Bench) -> None:
    bench.server.platform.privileged_intents = Intent.MESSAGE_CONTENT
    findings = await all_of(bench.account.application())
    assert "message content could be switched off" in findings[-1].found
    assert amiss(findings) == []


@pytest.mark.parametrize(
    ("left", "verdict"), [(1000, Verdict.OK), (49, Verdict.WARNING), (0, Verdict.FAULT)]
)
async def test_starts_that_run_out_are_told_before_they_have(
    bench: Bench, left: int, verdict: Verdict
) -> None:
    limit = {"total": 1000, "remaining": left, "reset_after": 7_200_000, "max_concurrency": 1}

    async def running_out(_: Any) -> Answer:
        return Answer(200, {"url": "ws://x", "shards": 2, "session_start_limit": limit})

    bench.server.before("GET /gateway/bot", running_out)
    [finding] = await all_of(bench.account.gateway())
    assert finding.verdict is verdict
    assert finding.found.startswith(f"{left:,} of 1,000 starts left")
    assert finding.found.endswith("2 shards advised")


async def test_no_session_is_begun(bench: Bench) -> None:
    """A connection would count as a start, and take events from the bot."""
    await all_of(bench.account.gateway())
    assert not bench.server.gateway.sessions


@pytest.mark.parametrize(
    ("registered", "verdict", "says"),
    [(False, Verdict.WARNING, "none registered yet"), (True, Verdict.FAULT, "knows none of the")],
)
async def test_commands_that_members_do_not_see(
    bench: Bench, registered: bool, verdict: Verdict, says: str
) -> None:
    """Where Redis says that they were registered, no start would ever register them again."""
    bench.registered = registered
    [finding] = await all_of(bench.account.commands())
    assert finding.verdict is verdict
    assert says in finding.found


async def test_commands_that_members_see_are_listed(bench: Bench) -> None:
    platform = bench.server.platform
    one = {"name": "story", "description": "x", "type": 1}
    platform.commands.replace(platform.application_id, None, [one])
    [finding] = await all_of(bench.account.commands())
    assert (finding.verdict, finding.found) == (Verdict.OK, "registered: /story")


async def test_a_clock_that_is_wrong_is_told(bench: Bench) -> None:
    async def yesterday(_: Any) -> Answer:
        return Answer(200, {"url": "ws://x"}, {"Date": "Tue, 15 Nov 1994 08:12:31 GMT"})

    bench.server.before("GET /gateway", yesterday)
    [finding] = await all_of(bench.account.clock())
    assert finding.verdict is Verdict.FAULT
    assert "hours ahead of Discord's" in finding.found


# ── servers and channels ─────────────────────────────────────────────────────────────────────────


async def test_a_bot_in_no_server_is_to_be_invited(bench: Bench) -> None:
    [(verdict, found)] = await wrong(bench.guilds.servers)
    assert (verdict, found) == (Verdict.WARNING, "the bot is in no server")


async def test_roles_that_lack_permissions_name_the_server_and_what_is_missing(
    bench: Bench,
) -> None:
    world = bench.server.world
    world.create_guild("Harbour")
    poor = world.create_guild("Moor", bot_permissions=0)
    world.set_role_permissions(poor, poor.everyone, int(Permission.VIEW_CHANNEL))
    [(verdict, found)] = await wrong(bench.guilds.servers)
    assert verdict is Verdict.WARNING
    assert "Moor (Read Message History, Add Reactions, Send Messages, Send Messages in" in found
    assert "Harbour" not in found


async def test_allowed_servers_that_the_bot_is_not_in_are_told(bench: Bench) -> None:
    guild = bench.server.world.create_guild("Harbour")
    bench.allowed |= {guild.id, 77}
    [(_, found)] = await wrong(bench.guilds.servers)
    assert found == "ALLOWED_GUILDS names 77, where the bot isn't"


async def test_every_page_of_servers_is_read(bench: Bench, server: DiscordServer) -> None:
    for number in range(201):
        server.world.create_guild(f"guild {number}")
    findings = await all_of(bench.guilds.servers())
    assert findings[0].found == "the bot is in 201 servers"


async def test_a_channel_that_has_all_it_needs(bench: Bench) -> None:
    bench.tell(bench.server.world.create_guild("Harbour"))
    [finding] = await all_of(bench.guilds.channels())
    assert finding.verdict is Verdict.OK
    assert finding.found == "1 channel with a story looked at; nothing is missing"


@pytest.mark.parametrize(
    ("denied", "says"),
    [
        (Permission.SEND_MESSAGES, "the bot lacks Send Messages"),
        (
            Permission.READ_MESSAGE_HISTORY | Permission.ADD_REACTIONS,
            "the bot lacks Read Message History, Add Reactions",
        ),
        (Permission.VIEW_CHANNEL, "the bot lacks View Channel"),
    ],
)
async def test_what_a_channel_takes_away_is_a_fault_there(
    bench: Bench, denied: Permission, says: str
) -> None:
    guild = bench.server.world.create_guild("Harbour")
    bench.tell(guild, "well")
    bench.server.world.deny_bot(bench.tell(guild, "tale"), int(denied))
    assert await wrong(bench.guilds.channels) == [(Verdict.FAULT, f"#tale in Harbour: {says}")]


async def test_a_thread_is_judged_by_its_channel(bench: Bench) -> None:
    """It has no overwrites of its own, and needs another permission to be told in."""
    world = bench.server.world
    guild = world.create_guild("Harbour")
    parent = world.create_channel(guild, "parent")
    thread = world.create_thread(parent, "thread", world.owner)
    bench.told.append((guild.id, StoryId(thread.id, 1)))
    assert await wrong(bench.guilds.channels) == []
    world.deny_bot(parent, int(Permission.SEND_MESSAGES_IN_THREADS))
    [(_, found)] = await wrong(bench.guilds.channels)
    assert found == "#thread in Harbour: the bot lacks Send Messages in Threads"
    world.deny_bot(parent, 0)
    world.archive_thread(thread, archived=False, locked=True)
    [(verdict, found)] = await wrong(bench.guilds.channels)
    assert (verdict, found) == (
        Verdict.WARNING,
        "#thread in Harbour: the thread is locked, its story waits",
    )


async def test_a_thread_that_cannot_be_seen_is_a_fault(bench: Bench) -> None:
    world = bench.server.world
    guild = world.create_guild("Harbour")
    parent = world.create_channel(guild, "parent")
    thread = world.create_thread(parent, "thread", world.owner)
    world.deny_bot(parent, int(Permission.VIEW_CHANNEL))
    bench.told.append((guild.id, StoryId(thread.id, 1)))
    [(verdict, found)] = await wrong(bench.guilds.channels)
    assert verdict is Verdict.FAULT
    assert found == f"channel {thread.id} in Harbour: the bot lacks View Channel"


async def test_deleted_channels_and_left_servers_are_told(bench: Bench) -> None:
    world = bench.server.world
    guild = world.create_guild("Harbour")
    gone = bench.tell(guild)
    world.delete_channel(gone)
    bench.told.append((77, StoryId(5, 1)))
    left, deleted = await wrong(bench.guilds.channels)
    assert left[1].startswith("stories rest in 77, where the bot isn't any more")
    assert deleted == (Verdict.WARNING, f"channel {gone.id} in Harbour was deleted")


async def test_a_time_out_is_a_fault_of_its_own(bench: Bench) -> None:
    guild = bench.server.world.create_guild("Harbour")
    bench.tell(guild)
    me = bench.server.world.bot.id
    member = await DiscordReaderOf(bench).get(f"/guilds/{guild.id}/members/{me}")
    until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 600))

    async def silenced(_: Any) -> Answer:
        return Answer(200, member | {"communication_disabled_until": until})

    bench.server.before("GET /guilds/*/members/*", silenced)
    [(verdict, found)] = await wrong(bench.guilds.channels)
    assert verdict is Verdict.FAULT
    assert "a moderator has put the bot in time-out" in found


def test_the_servers_with_most_stories_are_looked_at() -> None:
    told = {1: [1, 2], 2: [3], 3: [4, 5, 6]}
    assert bounded(told, guilds=2, channels=4) == {3: [4, 5, 6], 1: [1]}
    assert bounded(told, guilds=3, channels=3) == {3: [4, 5, 6]}


async def test_so_many_channels_are_looked_at_and_the_rest_is_counted(bench: Bench) -> None:
    guild = bench.server.world.create_guild("Harbour")
    for number in range(CHANNELS_LOOKED_AT + 1):
        bench.tell(guild, f"c{number}")
    [finding] = await all_of(bench.guilds.channels())
    assert finding.found == (
        f"{CHANNELS_LOOKED_AT} channels with a story looked at, of {CHANNELS_LOOKED_AT + 1} (the "
        "rest wasn't); nothing is missing"
    )


async def test_many_troubled_channels_are_named_in_part_and_counted_whole(bench: Bench) -> None:
    guild = bench.server.world.create_guild("Harbour")
    for number in range(11):
        bench.server.world.deny_bot(bench.tell(guild, f"c{number}"), int(Permission.SEND_MESSAGES))
    findings = await all_of(bench.guilds.channels())
    assert len(findings) == 9
    assert findings[-1].verdict is Verdict.FAULT
    assert findings[-1].found.endswith("3 more lack something")


# ── the reader ───────────────────────────────────────────────────────────────────────────────────


async def test_a_short_pause_is_waited_for_and_a_long_one_is_not() -> None:
    limits = Limits(rates=RateLimits(everything=Rate(2, 0.5)))
    async with (
        DiscordServer(token=TOKEN, limits=limits) as server,
        DiscordReader(TOKEN, server.api_url) as reader,
    ):
        for _ in range(5):
            assert (await reader.get("/users/@me"))["id"]


async def test_a_server_that_is_away_or_talks_nonsense_is_told_so(server: DiscordServer) -> None:
    async with DiscordReader(TOKEN, server.api_url) as reader:
        for answer, says in (
            (Answer(500, {"message": "Internal", "code": 0}), "answers with status 500 (Internal)"),
            (Answer(200, b"<html>Welcome!</html>"), "gives no answer of its API (status 200)"),
            (Answer(429, {"retry_after": 60.0, "global": True}), "asks to come back later"),
        ):
            server.before("GET /users/@me", lambda _, answer=answer: answer, times=1)
            with pytest.raises(DiscordReadError) as caught:
                await reader.get("/users/@me")
            assert says in str(caught.value)

        async def cut(_: Any) -> None:
            raise DropConnection

        server.before("GET /users/@me", cut)
        with pytest.raises(DiscordReadError, match="can't be reached"):
            await reader.get("/users/@me")


# ── the invitation ───────────────────────────────────────────────────────────────────────────────


def test_the_invitation_asks_for_exactly_what_is_needed() -> None:
    assert missing(needed(), thread=False) == missing(needed(), thread=True) == []
    for name, given in needed():
        if given:
            less = needed()
            less.update(**{name: False})
            assert missing(less, thread=False) or missing(less, thread=True), f"{name} isn't needed"
    assert invite_url(12345) == (
        "https://discord.com/oauth2/authorize?client_id=12345&scope=bot+applications.commands"
        f"&permissions={needed().value}"
    )


def test_a_token_tells_whose_it_is() -> None:
    head = base64.urlsafe_b64encode(b"81384788765712384").decode().rstrip("=")
    assert user_of(f"{head}.GhT2xk.something") == 81384788765712384
    assert [user_of(odd) for odd in ("local-token", "", "....", "8J-Yig.x")] == [None] * 4


class DiscordReaderOf:
    """Reads once, as the checks would, to have something to change."""

    def __init__(self, bench: Bench) -> None:
        self._url = bench.server.api_url

    async def get(self, path: str) -> Any:
        async with DiscordReader(TOKEN, self._url) as reader:
            return await reader.get(path)
