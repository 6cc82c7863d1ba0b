"""What comes from elsewhere reaches no story: other servers, direct messages, forged interactions.

The unmodified bot as a process, and interactions as Discord would never send them: with the ids of
one server from a member of another, without a member, with options that were never offered, with
made-up ids of buttons and forms.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from bot.render import OPTION_EMOJI
from tests.adapters.redis_raw import raw_client
from tests.faults.discord_server import MODERATOR, payloads
from tests.faults.discord_server.entities import Channel
from tests.faults.discord_server.forgery import LEFT_OUT, forge
from tests.faults.discord_server.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
)
from tests.faults.discord_server.members import Member
from tests.faults.discord_server.world import Event, Intent
from tests.faults.process_house import ProcessHouse
from tests.faults.story_endpoint import TITLE

pytestmark = [
    pytest.mark.redis,
    pytest.mark.usefixtures("wheels"),
    pytest.mark.asyncio(loop_scope="module"),
]

NO_STORY = "There is no story in this channel yet"
NOTHING_KEPT = "Nothing is kept of it."
"""What /privacy says of a channel without one."""
NOT_HERE = "Stories live in servers: give this command in a channel."
UNKNOWN = "The bot doesn't know this any more: /story status shows where the story is."
OTHER_FORM = "This command has changed: restart Discord, then give it again."

SUBCOMMAND, STRING, INTEGER, ROLE = 1, 3, 4, 8


class Outside:
    """A story at home, and somebody elsewhere who may do everything there.

    Attributes:
        mallory: a moderator of the other server, and nobody at home.
        den: a channel of the other server.
    """

    def __init__(self, house: ProcessHouse) -> None:
        self.house = house
        world = house.server.world
        self.guild = world.create_guild("Elsewhere")
        role = world.create_role(self.guild, "Moderators", MODERATOR)
        self.mallory: Member = house.server.join(self.guild, "Mallory", [role])
        self.den: Channel = world.create_channel(self.guild, "den")

    @property
    def there(self) -> dict[str, object]:
        """The story's channel, as a payload names it."""
        channel = self.house.channel
        return {"channel_id": str(channel.id), "channel": payloads.channel(channel)}

    async def picture(self) -> tuple[object, ...]:
        """All that there is of the story: in Redis, on stage, at the endpoint."""
        async with raw_client(self.house.redis.url) as client:
            kept: dict[bytes, object] = {}
            async for key in client.scan_iter(match="tw:*"):
                kind = await client.type(key)
                kept[key] = await (client.hgetall(key) if kind == b"hash" else client.get(key))
        shown = [(message.id, message.text) for message in self.house.shown()]
        return (
            kept,
            shown,
            dict(self.house.endpoint.asked),
            self.house.server.bot_messages(self.den),
        )

    def commands(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every command that is registered: its name, and its data with this story's ids in it."""
        for root in self.house.server.platform.commands.all():
            data = {"id": root["id"], "name": root["name"], "type": 1}
            inner = [option for option in root["options"] if option["type"] == SUBCOMMAND]
            for command in inner:
                given = self._given(command.get("options", []))
                sub = {"name": command["name"], "type": SUBCOMMAND, "options": given}
                yield f"{root['name']} {command['name']}", {**data, "options": [sub]}
            if not inner:
                yield root["name"], {**data, "options": self._given(root["options"])}

    def _given(self, options: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """This story's id wherever words may stand, and a number wherever one must."""
        values = {STRING: f"{self.house.channel.id}:1", INTEGER: 1}
        return [
            {
                "name": option["name"],
                "type": option["type"],
                # What isn't one of the choices is said back to whoever gave it.
                "value": (option.get("choices") or [{"value": values[option["type"]]}])[0]["value"],
            }
            for option in options
            if option["type"] == STRING or (option["type"] == INTEGER and option.get("required"))
        ]

    def forge(
        self, kind: int, data: dict[str, Any], changes: Mapping[str, object] | None = None
    ) -> Interaction:
        """As if from Mallory, in the other server but for what is changed."""
        return forge(self.house.server, self.mallory, self.den, kind, data, changes or {})

    def forge_at_home(
        self, kind: int, data: dict[str, Any], changes: Mapping[str, object] | None = None
    ) -> Interaction:
        """As if from a moderator of the story's own server, in its channel."""
        house = self.house
        return forge(house.server, house.moderator, house.channel, kind, data, changes or {})

    async def told(self, interaction: Interaction) -> str:
        """The whole answer, which is for one member and gives nothing of the story away."""
        await interaction.completed()
        assert interaction.ephemeral
        told = interaction.text
        for private in (TITLE, "Way 1", "keeper", "vote is running", str(self.house.channel.id)):
            assert private not in told
        return told


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(wheels: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    """A story whose first vote is open; at last three members' votes decide it, and no others."""
    async with ProcessHouse(tmp_path_factory.mktemp("foreign") / "bot") as house:
        outside = Outside(house)
        await house.start_bot()
        house.ask_for_story()
        await house.rests_at(1)
        yield outside
        await house.turn_over()
        await house.check_told_once()
        house.check_log()


@pytest_asyncio.fixture(loop_scope="module")
async def outside(home: Outside) -> AsyncIterator[Outside]:
    """The same story for every test: none may leave a trace in it."""
    before = await home.picture()
    yield home
    assert await home.picture() == before, "the story, and all that belongs to it"


async def test_no_command_reaches_a_story_of_another_server(outside: Outside) -> None:
    """From its own channel with this story's ids, and as if it came from this story's channel."""
    tried = 0
    for name, data in outside.commands():
        if name != "story start":
            nothing = NOTHING_KEPT if name == "privacy" else NO_STORY
            assert nothing in await outside.told(outside.forge(COMMAND, data))
        assert await outside.told(outside.forge(COMMAND, data, outside.there)) == NOT_HERE
        tried += 1
    assert tried >= 8


async def test_no_direct_message_and_no_stranger_reaches_a_story(outside: Outside) -> None:
    """Without a server, without a member: for every command, with this story's channel."""
    channel = outside.house.channel
    user = payloads.user(outside.mallory.user)
    private = {
        "channel": {"id": str(channel.id), "type": 1, "recipients": [user]},
        "guild_id": LEFT_OUT,
        "guild": LEFT_OUT,
    }
    stranger = {"guild_id": str(outside.house.guild.id), "channel": payloads.channel(channel)}
    nobody = {"channel_id": str(channel.id), "member": LEFT_OUT, "user": user}
    for _, data in outside.commands():
        for place in (private, stranger):
            assert await outside.told(outside.forge(COMMAND, data, nobody | place)) == NOT_HERE


def _given(*options: tuple[str, int, object]) -> list[dict[str, object]]:
    return [{"name": name, "type": kind, "value": value} for name, kind, value in options]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("seize", [], OTHER_FORM),
        ("start", [], OTHER_FORM),
        (
            "start",
            _given(("premise", STRING, "x"), ("sentences", STRING, "<@8>\n# [x](https://e.x)")),
            "sentences is ‹@8> # [x]\\(https://e.x); it must be from 3 to 40.",
        ),
        (
            "start",
            _given(("premise", STRING, "x"), ("notify_role", ROLE, "81384788765712384")),
            "notify_role is no role of this server: choose one from the list.",
        ),
        (
            "start",
            _given(("premise", STRING, "x"), ("vote_seconds", INTEGER, -1)),
            "vote_seconds is -1; it must be from 5 to 604800.",
        ),
    ],
)
async def test_what_was_never_offered_is_refused_in_a_sentence(
    outside: Outside, name: str, options: list[dict[str, object]], said: str
) -> None:
    """Options and commands that don't exist, from a moderator of this very server."""
    inner = {"name": name, "type": SUBCOMMAND, "options": options}
    data = {"id": "1", "name": "story", "type": 1, "options": [inner]}
    assert await outside.told(outside.forge_at_home(COMMAND, data)) == said


async def test_an_unknown_command_changes_nothing(outside: Outside) -> None:
    unknown: dict[str, Any] = {"id": "1", "name": "tale", "type": 1, "options": []}
    assert await outside.told(outside.forge_at_home(COMMAND, unknown)) == OTHER_FORM


async def test_a_completion_for_another_servers_channel_is_not_even_looked_up(
    outside: Outside,
) -> None:
    """What is typed is checked like what is sent: the log would name one that was (``home``)."""
    for _, data in outside.commands():
        for option in [one for sub in data["options"] for one in sub.get("options", [sub])][:1]:
            option["focused"] = True
        outside.forge(AUTOCOMPLETE, data, outside.there)


async def test_a_made_up_button_or_form_gets_one_sentence(outside: Outside) -> None:
    """The bot puts up none: a ballot has reactions alone, and no id of a button leads anywhere."""
    house = outside.house
    ballot = house.shown()[-1]
    assert not [part for part in ballot.parts() if part.get("custom_id")]
    here = {"message": payloads.message(ballot, house.server.world.bot.id, "")}
    there = here | {"channel_id": str(house.channel.id)}
    for custom_id in (f"story:{house.channel.id}:1:delete", "vote:0", "", "x" * 100):
        pressed = {"custom_id": custom_id, "component_type": 2, "id": 1}
        filled: dict[str, Any] = {"custom_id": custom_id, "components": []}
        for kind, data in ((COMPONENT, pressed), (MODAL_SUBMIT, filled)):
            assert await outside.told(outside.forge_at_home(kind, data, here)) == UNKNOWN
            assert await outside.told(outside.forge(kind, data, there)) == UNKNOWN


async def test_reactions_from_elsewhere_are_no_votes(outside: Outside) -> None:
    """Told by the gateway alone, from another server, a direct message or a bot.

    That none of them counts is seen when the vote is decided, by three members (``home``).
    """
    house, world = outside.house, outside.house.server.world
    ballot = house.shown()[-1]
    event = {
        "channel_id": str(ballot.channel.id),
        "message_id": str(ballot.id),
        "user_id": str(outside.mallory.id),
        "emoji": {"id": None, "name": OPTION_EMOJI[2]},
        "burst": False,
        "type": 0,
    }
    for place in ({"guild_id": str(outside.guild.id)}, {}):
        said = event | place
        world.tell(Event("MESSAGE_REACTION_ADD", said, Intent.GUILD_MESSAGE_REACTIONS, house.guild))
    robot = world.create_user("Robot", bot=True)
    world.add_member(house.guild, robot)
    for emoji in OPTION_EMOJI:
        world.add_reaction(ballot, robot, emoji)
