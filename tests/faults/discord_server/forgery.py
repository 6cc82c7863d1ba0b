"""Interactions that no client of Discord would send, and that Discord itself would never let pass.

The bot is to be safe even then. An interaction is built as for an ordinary member, then whatever a
test says is put in its place; answers arrive as always.
"""

from collections.abc import Mapping
from typing import Any

from .entities import Channel
from .interaction_payloads import interaction_create
from .interactions import Interaction
from .members import Member
from .server import DiscordServer
from .world import Event, Intent

LEFT_OUT = object()
"""As a field's value: the payload doesn't have it."""


def forge(
    server: DiscordServer,
    member: Member,
    channel: Channel,
    kind: int,
    data: dict[str, Any],
    changes: Mapping[str, object],
) -> Interaction:
    """Send the bot an interaction, and give what a test holds in its hand.

    Args:
        server: where the bot is connected.
        member: who it seems to come from.
        channel: one of the member's guild.
        kind: the interaction's type.
        data: its `data` field.
        changes: fields of the payload that are something else.
    """
    platform = server.platform
    name = str(data.get("name") or data.get("custom_id"))
    interaction = platform.interactions.start(
        platform.world.snowflakes.next(),
        kind,
        member.user,
        channel,
        name,
        started_s=platform.clock(),
        first_response_s=platform.limits.first_response_s,
    )
    payload = interaction_create(
        interaction, data, member.guild, platform.world.bot, platform.world.base_url
    )
    changed = {name: value for name, value in {**payload, **changes}.items() if value != LEFT_OUT}
    platform.world.tell(Event("INTERACTION_CREATE", changed, Intent.NONE, member.guild))
    return interaction
