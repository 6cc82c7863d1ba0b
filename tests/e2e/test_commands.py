"""Commands on the real thing: what each does to a story, and each refusal in a sentence."""

import discord
import pytest

from core.domain.story import Phase
from tests.e2e.conftest import Opener
from tests.e2e.endpoint import Kind, paragraph_of, plan_title, title_of
from tests.e2e.world import SENTENCES, World, text_of

pytestmark = pytest.mark.redis

NO_STORY = "There is no story in this channel yet: /story start begins one."
PREMISE = "Ormsay keeps a lighthouse."


async def test_status_says_where_the_story_stands_with_links(world: World) -> None:
    """Everyone sees title, turn, phase, deadline, and links to the last paragraph and ballot."""
    await world.start(PREMISE)
    await world.turn_over(0)
    said = await world.ask(world.members[0], "story status")
    base = f"https://discord.com/channels/{world.guild.id}/{world.channel.id}"
    paragraph, ballot = world.shown()[-2:]
    assert said.startswith(f"**{title_of('Ormsay')}** · turn 2\nA vote is running.\n")
    assert "The vote closes <t:" in said
    assert f"[last paragraph]({base}/{paragraph.id}) · [ballot]({base}/{ballot.id})" in said


async def test_pause_keeps_the_vote_and_resume_gives_it_its_time_back(world: World) -> None:
    """A paused vote never closes; resumed, it has the time that was left, and its votes."""
    await world.start(PREMISE, vote_seconds=3600)
    await world.vote(2, world.members[0])
    world.clock.leap(3000)
    closes_at = (await world.story()).closes_at
    assert closes_at is not None
    most = closes_at - world.clock.now()
    assert await world.ask(world.mira, "story pause") == "Paused. /story resume goes on from here."
    least = closes_at - world.clock.now()
    await world.rests(Phase.PAUSED, 1)
    assert "mira paused the story. /story resume goes on." in world.said()[-1]
    assert "paused: votes are kept" in text_of(world.ballots()[0])
    world.clock.leap(100_000)
    assert "It is paused." in await world.ask(world.members[0], "story status")
    assert "can't be paused now: it is paused" in await world.ask(world.mira, "story pause")
    assert "can't be closed now: it is paused" in await world.ask(world.mira, "story close")

    since = world.clock.now()
    assert await world.ask(world.mira, "story resume") == "The story goes on: a vote is running."
    story = await world.rests(Phase.VOTING, 1)
    assert story.closes_at is not None
    assert since + least <= story.closes_at <= world.clock.now() + most
    world.clock.leap(600)
    await world.rests(Phase.VOTING, 2)
    [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
    assert written.part("plan").startswith(plan_title("Ormsay", 1, 2))
    await world.check_told_once()


async def test_a_pause_while_a_paragraph_is_written_takes_it_back(world: World) -> None:
    """The half-written paragraph becomes the notice; resume writes the turn anew, once."""
    await world.start(PREMISE)
    held = world.endpoint.hold(Kind.PARAGRAPH, 2)
    await world.vote(0, world.members[0])
    await world.ask(world.mira, "story close")
    await held.reached.wait()
    await world.until(lambda: len(world.shown()) == 3)
    assert await world.ask(world.mira, "story pause") == "Paused. /story resume goes on from here."
    await world.rests(Phase.PAUSED, 1)
    assert len(world.shown()) == 3
    assert "mira paused the story." in world.said()[0]
    held.release()

    said = await world.ask(world.mira, "story resume")
    assert said == "The story goes on: its next paragraph is being written."
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()


async def test_end_while_a_paragraph_is_written(world: World) -> None:
    """What is half written is taken back, nothing follows, and the channel is free again."""
    held = world.endpoint.hold(Kind.PARAGRAPH, 1)
    await world.ask(world.mira, "story start", premise=PREMISE)
    await held.reached.wait()
    await world.ask(world.mira, "story end")
    held.release()
    await world.rests(Phase.ENDED, 0)
    assert world.told() == []
    assert "mira ended the story after 0 turns." in world.said()[-1]
    assert "can't be ended now: it has ended" in await world.ask(world.mira, "story end")
    await world.start("Quillon looks for a door.")
    assert world.told() == [
        f"**{title_of('Quillon')}** · turn 1\n{paragraph_of('Quillon', 1, SENTENCES, '')}"
    ]


async def test_close_without_a_vote_changes_nothing(world: World) -> None:
    """Nothing to count is said, and the vote goes on."""
    await world.start(PREMISE)
    before = text_of(world.ballots()[0])
    said = await world.ask(world.mira, "story close")
    assert said == "No vote counts so far, so there is nothing to decide."
    await world.rests(Phase.VOTING, 1)
    assert text_of(world.ballots()[0]) == before


async def test_resume_wakes_a_sleeping_story(world: World) -> None:
    """Where nobody can react, a moderator wakes it."""
    await world.start(PREMISE, vote_seconds=3600)
    world.clock.leap(3600)
    await world.until(lambda: "extended once" in text_of(world.ballots()[0]))
    await world.rests(Phase.VOTING, 1)
    world.clock.leap(3600)
    await world.rests(Phase.ASLEEP, 1)
    assert await world.ask(world.mira, "story resume") == "The story goes on: a vote is running."
    await world.rests(Phase.VOTING, 1)
    await world.turn_over(0)
    await world.check_told_once()


async def test_a_second_start_is_refused_wherever_the_first_story_stands(world: World) -> None:
    """While it is written, voted on or paused: a sentence with the way out, and nothing changed."""
    held = world.endpoint.hold(Kind.PARAGRAPH, 1)
    await world.ask(world.mira, "story start", premise=PREMISE)
    await held.reached.wait()
    places = ["its next paragraph is being written"]
    said = [await world.ask(world.mira, "story start", premise="Quillon looks for a door.")]
    held.release()
    await world.rests(Phase.VOTING, 1)
    places.append("a vote is running")
    said.append(await world.ask(world.mira, "story start", premise="Quillon looks for a door."))
    await world.ask(world.mira, "story pause")
    places.append("it is paused")
    said.append(await world.ask(world.mira, "story start", premise="Quillon looks for a door."))
    assert said == [
        f"A story runs in this channel already: {place}. "
        "/story status shows it, /story end ends it."
        for place in places
    ]
    assert world.endpoint.of("Quillon") == []
    assert (await world.story()).id.serial == 1


async def test_moderators_commands_are_refused_to_members(world: World) -> None:
    """One sentence that names the permission; the story doesn't notice."""
    member = world.members[0]
    refusal = (
        "Only moderators can do this: it needs the permission Manage Messages in this channel."
    )
    assert await world.ask(member, "story start", premise=PREMISE) == refusal
    assert await world.untouched()
    await world.start(PREMISE)
    before = await world.story()
    for command in ("start", "close", "pause", "resume", "end"):
        options = {"premise": PREMISE} if command == "start" else {}
        assert await world.ask(member, f"story {command}", **options) == refusal
    assert await world.story() == before


async def test_without_a_story_every_command_says_so(world: World) -> None:
    """There is nothing to show, close, pause, resume, end or search."""
    for command in ("close", "pause", "resume", "end", "status"):
        assert await world.ask(world.mira, f"story {command}") == NO_STORY
    assert await world.ask(world.members[0], "memory show") == NO_STORY
    assert await world.ask(world.members[0], "memory search", query="a door") == NO_STORY
    assert await world.untouched()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"premise": " \n "}, "The premise is empty: say in up to 2,000 characters what it is."),
        ({"premise": "x" * 5000}, "The premise has 5,000 characters; it may have at most 2,000."),
        (
            {"premise": PREMISE, "genre": "g" * 101},
            "The genre has 101 characters; it may have at most 100.",
        ),
        (
            {"premise": PREMISE, "vote_seconds": 4},
            "vote_seconds is 4; it must be from 5 to 604800.",
        ),
        (
            {"premise": PREMISE, "vote_seconds": 604_801},
            "vote_seconds is 604801; it must be from 5 to 604800.",
        ),
        ({"premise": PREMISE, "sentences": 41}, "sentences is 41; it must be from 3 to 40."),
    ],
)
async def test_values_out_of_range_are_refused_even_past_discords_own_checks(
    world: World, options: dict[str, str | int], sentence: str
) -> None:
    """The value, its range, nothing changed."""
    said = await world.ask_raw(world.mira, "story start", world.channel, **options)
    assert said == sentence
    assert await world.untouched()


async def test_a_search_for_nothing_is_refused(world: World) -> None:
    """An empty query and one of 1,001 characters: a sentence with the range."""
    await world.start(PREMISE)
    for query in ("  ", "x" * 1001):
        said = await world.ask_raw(world.mira, "memory search", world.channel, query=query)
        assert said == (
            f"Say in 1 to 1000 characters what to look for; this has {len(query.strip())}."
        )


async def test_a_server_that_is_not_allowed_is_refused(world_of: Opener) -> None:
    """The sentence names the id that would have to be added; an allowed server is served."""
    async with world_of(ALLOWED_GUILDS="41771983423143937") as world:
        said = await world.ask(world.mira, "story start", premise=PREMISE)
        assert said == (
            "This bot tells no stories in this server: whoever runs it has to add the server's id "
            f"{world.guild.id} to ALLOWED_GUILDS."
        )
        assert await world.untouched()
        allowed = world.settle("Allowed", guild_id=41771983423143937)
        channel = allowed.guild.create_text_channel("tale")
        await world.start(PREMISE, channel)


async def test_each_missing_permission_is_named(world: World) -> None:
    """One by one, all at once, and in a thread the one that threads need."""
    flags = {
        "View Channel": "view_channel",
        "Read Message History": "read_message_history",
        "Add Reactions": "add_reactions",
        "Send Messages": "send_messages",
    }
    bot = world.env.bot.user
    assert bot is not None
    for names in ([name] for name in flags if name != "View Channel"):
        denied = discord.PermissionOverwrite(**{flags[name]: False for name in names})
        channel = world.guild.create_text_channel("closed", overwrites={bot: denied})
        said = await world.ask(world.mira, "story start", channel, premise=PREMISE)
        assert said == (
            f"The bot lacks permissions in this channel: {', '.join(names)}. "
            "Grant them and start again."
        )
        assert await world.untouched(channel)
    denied = discord.PermissionOverwrite(**dict.fromkeys(flags.values(), False))
    channel = world.guild.create_text_channel("shut", overwrites={bot: denied})
    said = await world.ask(world.mira, "story start", channel, premise=PREMISE)
    assert all(name in said for name in flags)

    no_threads = discord.PermissionOverwrite(send_messages_in_threads=False)
    parent = world.guild.create_text_channel("talks", overwrites={bot: no_threads})
    thread = await world.thread(parent)
    said = await world.ask(world.mira, "story start", thread, premise=PREMISE)
    assert "Send Messages in Threads" in said
    assert "Send Messages," not in said
    assert await world.untouched(thread)


async def test_direct_messages_are_refused(world: World) -> None:
    """Discord doesn't offer the commands there, and one that comes nevertheless gets a sentence."""
    user = world.members[0].user
    assert not any("story" in name for name in user.available_commands())
    said = await world.ask_raw(user, "story start", user.dm_channel, premise=PREMISE)
    assert said == "Stories live in servers: give this command in a channel."
    assert not world.endpoint.asked
