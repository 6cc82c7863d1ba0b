""".env.example: every setting that the bot reads, explained, and no other."""

import re
from itertools import pairwise

import pytest
import yaml

from bot.setting_table import SETTINGS
from bot.settings import BotSettings, SettingsError
from tests.repository.root import read

KNOWN = {setting.name: setting for setting in SETTINGS}
ASSIGNMENT = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$")


def assignments() -> dict[str, str]:
    """Every setting in the file, those in a comment too, with its value."""
    found = [ASSIGNMENT.match(line) for line in read(".env.example").splitlines()]
    pairs = [(match[1], match[2]) for match in found if match]
    assert len(pairs) == len(dict(pairs)), "a setting stands twice"
    return dict(pairs)


def test_it_holds_every_setting_and_no_other() -> None:
    assert sorted(assignments()) == sorted(KNOWN)


def test_what_stands_there_is_the_default() -> None:
    """Whoever copies the file and fills in the secrets has changed nothing else."""
    for name, text in assignments().items():
        if text:
            assert KNOWN[name].read(text) == KNOWN[name].default, name


def test_a_copy_of_it_asks_for_the_secrets_alone() -> None:
    """The token and the endpoint's key are all that a first start can complain about."""
    with pytest.raises(SettingsError) as refused:
        BotSettings.read(dict(assignments()))
    assert [fault.partition(":")[0] for fault in refused.value.faults] == [
        "DISCORD_TOKEN",
        "OPENAI_API_KEY",
    ]


def test_every_setting_has_a_comment_above_it() -> None:
    """The file is where an operator reads what a setting means."""
    lines = read(".env.example").splitlines()
    for above, line in pairwise(lines):
        if ASSIGNMENT.match(line):
            assert above.startswith("# "), line


def test_another_discord_is_only_in_a_comment() -> None:
    """A copied file must talk to Discord, whatever stood in the example."""
    for name in ("DISCORD_API_URL", "DISCORD_GATEWAY_URL"):
        assert f"# {name}=" in read(".env.example")


def test_it_holds_no_secret() -> None:
    """The example is public: secrets are empty in it."""
    values = assignments()
    assert values["DISCORD_TOKEN"] == ""
    assert values["OPENAI_API_KEY"] == ""


def test_what_compose_sets_is_a_setting() -> None:
    """A misspelt name in docker-compose.yml would be ignored in silence."""
    bot = yaml.safe_load(read("docker-compose.yml"))["services"]["bot"]
    assert set(bot["environment"]) <= set(KNOWN)


def test_the_filled_in_file_is_never_committed() -> None:
    """.env holds the token: git and docker are told to leave it alone."""
    assert ".env" in read(".gitignore").splitlines()
    assert "!.env" not in read(".dockerignore")
