"""docs/moderators.md: every command stands there with an example that could be given."""

import re

import simcord
from discord import app_commands

from tests.bot.fake_services import Cast
from tests.repository.root import read

COMMENT = re.compile(r" {2,}")
OPTION = re.compile(r"([a-z_]+): ")


async def _commands() -> dict[str, set[str]]:
    """The names of every command's options, by the command's own."""
    bot = Cast().bot()
    async with simcord.run(bot, shard_count=1):
        return {
            one.qualified_name: {option.display_name for option in one.parameters}
            for one in bot.tree.walk_commands()
            if isinstance(one, app_commands.Command)
        }


def _examples() -> list[str]:
    """What is typed in each example, without the slash and what is said of it."""
    lines = read("docs/moderators.md").splitlines()
    return [COMMENT.split(line[5:])[0] for line in lines if line.startswith("    /")]


async def test_every_command_has_an_example_and_every_example_is_a_command() -> None:
    commands = await _commands()
    shown: set[str] = set()
    for example in _examples():
        names = [name for name in commands if f"{example} ".startswith(f"{name} ")]
        assert names, f"/{example} is no command"
        name = max(names, key=len)
        options = set(OPTION.findall(example.removeprefix(name)))
        assert options <= commands[name], f"/{example}"
        shown.add(name)
    assert shown == set(commands)
