"""Permissions computed from JSON agree with those of the local Discord, which enforces them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.doctor.rights import Membership
from tests.faults.discord_server import Overwrite, Permission, payloads
from tests.faults.discord_server.entities import Channel, Guild
from tests.faults.discord_server.permissions import permissions_of
from tests.faults.discord_server.snowflakes import Snowflakes
from tests.faults.discord_server.world import World

NOW = 1_800_000_000.0
ASKED = (
    Permission.VIEW_CHANNEL,
    Permission.READ_MESSAGE_HISTORY,
    Permission.ADD_REACTIONS,
    Permission.SEND_MESSAGES,
    Permission.SEND_MESSAGES_IN_THREADS,
    Permission.MANAGE_THREADS,
)
BITS = st.lists(st.sampled_from([*ASKED, Permission.ADMINISTRATOR]), max_size=4, unique=True).map(
    lambda flags: int(sum(flags))
)


def world() -> World:
    return World(Snowflakes(lambda: NOW), "Talewheel")


def membership(world: World, guild: Guild, **more: Any) -> Membership:
    member = payloads.member(guild.members[world.bot.id]) | more
    return Membership(payloads.guild(guild), member, world.bot.id, NOW)


def computed(world: World, guild: Guild, channel: Channel) -> list[bool]:
    given = membership(world, guild).in_channel(payloads.channel(channel))
    return [bool(given.value & flag) for flag in ASKED]


@given(
    everyone=BITS,
    roles=st.lists(BITS, max_size=3),
    overwrites=st.lists(st.tuples(st.integers(0, 4), BITS, BITS), max_size=5),
)
def test_roles_and_overwrites_come_to_what_discord_enforces(
    everyone: int, roles: list[int], overwrites: list[tuple[int, int, int]]
) -> None:
    """Any roles of the bot, any overwrites for them, for everyone and for itself."""
    place = world()
    guild = place.create_guild("Harbour", bot_permissions=0)
    place.set_role_permissions(guild, guild.everyone, everyone)
    held = [place.create_role(guild, f"role {index}", bits) for index, bits in enumerate(roles)]
    guild.members[place.bot.id].role_ids |= {role.id for role in held}
    channel = place.create_channel(guild, "tale")
    targets = [guild.id, place.bot.id, *(role.id for role in held)]
    for index, allow, deny in overwrites:
        target = targets[index % len(targets)]
        place.set_overwrite(channel, Overwrite(target, target == place.bot.id, allow, deny))
    enforced = permissions_of(guild, place.bot.id, channel)
    assert computed(place, guild, channel) == [bool(enforced & flag) for flag in ASKED]


def test_an_owner_may_everything() -> None:
    place = world()
    guild = place.create_guild("Harbour", bot_permissions=0)
    channel = place.create_channel(guild, "tale")
    place.deny_bot(channel, int(Permission.VIEW_CHANNEL))
    assert not any(computed(place, guild, channel))
    guild.owner_id = place.bot.id
    assert all(computed(place, guild, channel))


def test_a_time_out_leaves_reading_and_ends_by_itself() -> None:
    place = world()
    guild = place.create_guild("Harbour")
    channel = payloads.channel(place.create_channel(guild, "tale"))
    now = datetime.fromtimestamp(NOW, UTC)
    for until, silenced in ((now + timedelta(minutes=1), True), (now, False), (None, False)):
        us = membership(place, guild, communication_disabled_until=until and until.isoformat())
        given = us.in_channel(channel)
        assert us.timed_out is silenced
        assert given.view_channel
        assert given.send_messages is not silenced
