"""The bot's registered slash commands: storing them, and turning a member's input into options.

What a member's client checks before it sends (unknown options, missing ones, lengths, ranges,
choices) is checked here, because the bot relies on it. The answer of the bot is the business of
`interactions`.
"""

from dataclasses import dataclass, field
from typing import Any

from . import payloads
from .entities import Channel, Guild, Role, User
from .errors import MemberActionError
from .permissions import permissions_of
from .snowflakes import Snowflakes
from .validation import length
from .wire import items

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = range(1, 11)
"""Option types (API reference, "Application Command Option Type")."""

STRING_OPTION_LIMIT = 6000
"""Longest string a client sends for an option that sets no limit of its own."""

Command = dict[str, Any]
"""An application command object."""

CommandKey = tuple[str, int]
"""Name and type: unique within a scope."""

Scopes = dict[int | None, dict[CommandKey, Command]]


@dataclass(slots=True)
class Input:
    """What a member typed after the command's name.

    Attributes:
        options: Option objects as the gateway sends them.
        resolved: The users, members, roles and channels they mention.
    """

    options: list[dict[str, Any]]
    resolved: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


class CommandRegistry:
    """Commands by scope: global ones (None) and those of single guilds."""

    def __init__(self, snowflakes: Snowflakes) -> None:
        self._snowflakes = snowflakes
        self._scopes: Scopes = {}

    def all(self, guild_id: int | None = None) -> list[Command]:
        """Return the commands of one scope."""
        return list(self._scopes.get(guild_id, {}).values())

    def replace(
        self, application_id: int, guild_id: int | None, wanted: list[Command]
    ) -> list[Command]:
        """Make a scope hold just these; a command that keeps its name keeps its id."""
        before = self._scopes.get(guild_id, {})
        self._scopes[guild_id] = {}
        for body in wanted:
            known = before.get(_key(body))
            if known is not None:
                self._scopes[guild_id][_key(body)] = known
            self.upsert(application_id, guild_id, body)
        return self.all(guild_id)

    def upsert(self, application_id: int, guild_id: int | None, body: Command) -> Command:
        """Create a command, or change the one of the same name and type."""
        scope = self._scopes.setdefault(guild_id, {})
        known = scope.get(_key(body))
        command: Command = {
            "description": "",
            "options": [],
            "default_member_permissions": None,
            "nsfw": False,
            "contexts": None,
            "integration_types": [0],
            **body,
            "type": body.get("type") or 1,
            "id": known["id"] if known else str(self._snowflakes.next()),
            "application_id": str(application_id),
            "version": str(self._snowflakes.next()),
        }
        if guild_id is not None:
            command["guild_id"] = str(guild_id)
        scope[_key(body)] = command
        return command

    def get(self, command_id: str, guild_id: int | None) -> Command | None:
        """Return a command of a scope by its id."""
        found = (command for command in self.all(guild_id) if command["id"] == command_id)
        return next(found, None)

    def delete(self, command: Command, guild_id: int | None) -> None:
        """Remove a command from its scope."""
        del self._scopes[guild_id][_key(command)]

    def find(self, name: str, guild: Guild) -> Command:
        """Return the slash command that members of a guild see by this name.

        Raises:
            MemberActionError: There is none.
        """
        for scope in (guild.id, None):
            command = self._scopes.get(scope, {}).get((name, 1))
            if command is not None:
                return command
        known = sorted(key[0] for scope in self._scopes.values() for key in scope)
        raise MemberActionError(f"no command /{name} is registered; there are {known}")


def _key(body: Command) -> CommandKey:
    return str(body["name"]), int(body.get("type") or 1)


def descend(command: Command, path: list[str]) -> list[tuple[dict[str, Any], int]]:
    """Follow subcommand groups and subcommands by name.

    Returns:
        The chain of option objects below the command with their types, outermost first.

    Raises:
        MemberActionError: No such subcommand, or one has to be named.
    """
    chain: list[tuple[dict[str, Any], int]] = []
    here = command
    for name in path:
        below = [option for option in items(here, "options") if option["name"] == name]
        if not below or below[0]["type"] not in (SUBCOMMAND, GROUP):
            raise MemberActionError(f"/{command['name']} has no subcommand {name!r}")
        here = below[0]
        chain.append((here, here["type"]))
    if any(option["type"] in (SUBCOMMAND, GROUP) for option in items(here, "options")):
        raise MemberActionError(f"/{command['name']} {' '.join(path)} needs a subcommand")
    return chain


def read_input(
    command: Command,
    path: list[str],
    values: dict[str, object],
    guild: Guild,
    *,
    focused: str | None = None,
) -> Input:
    """Turn option values into the option objects of an interaction.

    Args:
        command: The registered command.
        path: Names of subcommand group and subcommand, if any.
        values: Option values by name; users, channels and roles as records.
        guild: Where it is typed.
        focused: The option being typed, for autocomplete; then none is required and none checked.

    Raises:
        MemberActionError: A member's client would not send this.
    """
    chain = descend(command, path)
    leaf = chain[-1][0] if chain else command
    known = {option["name"]: option for option in items(leaf, "options")}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise MemberActionError(f"no option {unknown} in /{command['name']} {' '.join(path)}")
    read = Input([])
    for name, option in known.items():
        if name in values:
            read.options.append(_option(option, values[name], guild, read, focused))
        elif option.get("required") and focused is None:
            raise MemberActionError(f"option {name!r} is required")
    for wrapper, kind in reversed(chain):
        read.options = [{"type": kind, "name": wrapper["name"], "options": read.options}]
    return read


def _option(
    option: dict[str, Any], value: object, guild: Guild, read: Input, focused: str | None
) -> dict[str, Any]:
    name, kind = option["name"], option["type"]
    if isinstance(value, (User, Channel, Role)):
        _resolve(value, guild, read.resolved)
        value = str(value.id)
    elif focused is None:
        _check_value(option, value)
    sent: dict[str, Any] = {"name": name, "type": kind, "value": value}
    if name == focused:
        sent["focused"] = True
    return sent


def _resolve(value: User | Channel | Role, guild: Guild, resolved: dict[str, Any]) -> None:
    key = str(value.id)
    if isinstance(value, Role):
        resolved.setdefault("roles", {})[key] = payloads.role(value)
    elif isinstance(value, Channel):
        resolved.setdefault("channels", {})[key] = payloads.channel(value) | {"permissions": "0"}
    else:
        resolved.setdefault("users", {})[key] = payloads.user(value)
        membership = guild.members.get(value.id)
        if membership is not None:
            member = payloads.member(membership, with_user=False)
            member["permissions"] = str(permissions_of(guild, value.id))
            resolved.setdefault("members", {})[key] = member


def _check_value(option: dict[str, Any], value: object) -> None:
    kinds: dict[int, tuple[type, ...]] = {
        STRING: (str,),
        INTEGER: (int,),
        BOOLEAN: (bool,),
        NUMBER: (int, float),
    }
    name, kind = option["name"], option["type"]
    if not isinstance(value, kinds.get(kind, ())) or isinstance(value, bool) != (kind == BOOLEAN):
        raise MemberActionError(f"option {name!r} of type {kind} cannot be {value!r}")
    if isinstance(value, str):
        size, low, high = length(value), option.get("min_length"), option.get("max_length")
        high = STRING_OPTION_LIMIT if high is None else high
    elif isinstance(value, bool):
        return
    elif isinstance(value, (int, float)):
        size, low, high = value, option.get("min_value"), option.get("max_value")
    else:
        return
    if (low is not None and size < low) or (high is not None and size > high):
        raise MemberActionError(f"option {name!r} must be {low} to {high}, not {size}")
    choices = [choice["value"] for choice in items(option, "choices")]
    if choices and value not in choices:
        raise MemberActionError(f"option {name!r} must be one of {choices}, not {value!r}")
