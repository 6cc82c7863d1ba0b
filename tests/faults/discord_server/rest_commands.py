"""REST routes of application commands, global and of one guild."""

from typing import Any

from . import errors
from .calls import Answer, Call
from .platform import Platform
from .routing import Routes
from .validation import CHOICES_LIMIT, length

COMMANDS_LIMIT, OPTIONS_LIMIT = 100, 25
NAME_LIMIT, DESCRIPTION_LIMIT = 32, 100
"""Sizes of commands (API reference, "Application Command Structure")."""


class CommandRoutes:
    """Registering commands."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> Routes:
        """Return the handlers by pattern."""
        table: Routes = {}
        for scope in ("", "/guilds/{guild_id}"):
            base = f"/applications/{{application_id}}{scope}/commands"
            table |= {
                f"GET {base}": self.all,
                f"PUT {base}": self.replace,
                f"POST {base}": self.upsert,
                f"GET {base}/{{command_id}}": self.get,
                f"PATCH {base}/{{command_id}}": self.change,
                f"DELETE {base}/{{command_id}}": self.delete,
            }
        return table

    def _scope(self, call: Call) -> int | None:
        if call.snowflake("application_id") != self._platform.application_id:
            raise errors.missing_access()
        if "guild_id" not in call.parameters:
            return None
        return self._platform.guild(call.snowflake("guild_id")).id

    def _command(self, call: Call) -> tuple[dict[str, Any], int | None]:
        scope = self._scope(call)
        command = self._platform.commands.get(call.parameters["command_id"], scope)
        if command is None:
            raise errors.unknown_command()
        return command, scope

    async def all(self, call: Call) -> Answer:
        """List the commands of a scope."""
        return Answer(200, self._platform.commands.all(self._scope(call)))

    async def replace(self, call: Call) -> Answer:
        """Make the scope hold just the commands sent."""
        scope = self._scope(call)
        wanted = call.body if isinstance(call.body, list) else []
        if len(wanted) > COMMANDS_LIMIT:
            raise errors.too_long("commands", COMMANDS_LIMIT)
        for index, body in enumerate(wanted):
            _check(body, str(index))
        platform = self._platform
        return Answer(200, platform.commands.replace(platform.application_id, scope, wanted))

    async def upsert(self, call: Call) -> Answer:
        """Create a command, or change the one of the same name."""
        scope = self._scope(call)
        _check(call.fields, "command")
        platform = self._platform
        return Answer(201, platform.commands.upsert(platform.application_id, scope, call.fields))

    async def get(self, call: Call) -> Answer:
        """Return one command."""
        return Answer(200, self._command(call)[0])

    async def change(self, call: Call) -> Answer:
        """Change one command."""
        command, scope = self._command(call)
        body = command | call.fields | {"type": command["type"]}
        _check(body, "command")
        if body["name"] != command["name"]:
            self._platform.commands.delete(command, scope)
        platform = self._platform
        return Answer(200, platform.commands.upsert(platform.application_id, scope, body))

    async def delete(self, call: Call) -> Answer:
        """Remove one command."""
        self._platform.commands.delete(*self._command(call))
        return Answer(204)


def _check(body: dict[str, Any], field: str) -> None:
    """Refuse a command or option that breaks a limit, and everything below it."""
    if not 1 <= length(str(body.get("name") or "")) <= NAME_LIMIT:
        raise errors.too_long(f"{field}.name", NAME_LIMIT)
    is_menu = body.get("type") in (2, 3) and "options" not in body
    if not is_menu and not 1 <= length(str(body.get("description") or "")) <= DESCRIPTION_LIMIT:
        raise errors.too_long(f"{field}.description", DESCRIPTION_LIMIT)
    options: list[dict[str, Any]] = body.get("options") or []
    if len(options) > OPTIONS_LIMIT:
        raise errors.too_long(f"{field}.options", OPTIONS_LIMIT)
    if len(body.get("choices") or []) > CHOICES_LIMIT:
        raise errors.too_long(f"{field}.choices", CHOICES_LIMIT)
    names = [option.get("name") for option in options]
    if len(set(names)) != len(names):
        raise errors.invalid_form(
            f"{field}.options", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Duplicate name"
        )
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        raise errors.invalid_form(
            f"{field}.options",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
            "Required options must be placed before non-required options",
        )
    for index, option in enumerate(options):
        _check(option, f"{field}.options.{index}")
