"""Stories from /story start on: votes steer them, silence puts them to sleep, none sees another."""

import asyncio
import re
from hashlib import sha256

import discord
import pytest
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from bot.render import OPTION_EMOJI
from core.domain.story import Phase
from tests.e2e.endpoint import Kind, plan_title, summary_of, thing_of, title_of
from tests.e2e.world import World, text_of

pytestmark = pytest.mark.redis

WINDOW_S = 3600


async def test_votes_steer_a_story_through_three_turns(world: World) -> None:
    """The plan that members chose steers the next prompt, which never loses what was asked for."""
    premise = "Ormsay keeps a lighthouse whose lamp stopped turning."
    asked_for = {"genre": "gothic mystery", "style": "dry, present tense", "language": "English"}
    await world.start(premise, **asked_for)
    ann, ben, cem = world.members

    for turn, winner in ((1, 2), (2, 1), (3, 0)):
        await world.vote(winner, ann)
        await world.vote(winner, ben)
        await world.vote((winner + 1) % 3, cem)
        said = await world.ask(world.mira, "story close")
        assert said == f"Counted: {OPTION_EMOJI[winner]} won (3 voters)."
        await world.rests(Phase.VOTING, turn + 1)

    for number, winner in ((2, 2), (3, 1), (4, 0)):
        [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, number)
        assert written.part("plan").startswith(plan_title("Ormsay", number - 1, winner) + "\n")
    for prompt in world.endpoint.asked[1:]:
        assert prompt.part("title") == title_of("Ormsay")
        assert prompt.part("premise") == premise
        assert {name: prompt.part(name) for name in asked_for} == asked_for
    later = [*world.endpoint.of("Ormsay", number=3), *world.endpoint.of("Ormsay", number=4)]
    assert len(later) == 4
    for prompt in later:
        assert f"Turn 1: {summary_of('Ormsay', 1)}" in prompt.part("recalled")
    assert f"Turn 2: {summary_of('Ormsay', 2)}" in later[-1].part("recalled")
    kinds = [asked.kind for asked in world.endpoint.asked]
    assert kinds == [Kind.OPENING, *([Kind.PARAGRAPH, Kind.REFLECTION] * 4)], "nothing paid twice"
    await world.check_told_once()


async def test_the_result_stands_in_the_old_ballot_before_the_next_paragraph(world: World) -> None:
    """The ballot says what won, with bars and numbers, before anything of the next turn appears."""
    await world.start("Ormsay keeps a lighthouse.")
    [ballot] = world.ballots()
    await world.vote(1, world.members[0])
    await world.vote(1, world.members[1])
    await world.vote(2, world.members[1])
    await world.ask(world.mira, "story close")
    await world.rests(Phase.VOTING, 2)

    shown = text_of(world.ballots()[0])
    assert f"{OPTION_EMOJI[1]} won · 2 voters" in shown
    assert "■■■■■■ 2 · **" in shown
    assert "■■■□□□ 1 · **" in shown
    edits = [r for r in world.requests("PATCH", f"/messages/{ballot.id}") if "won" in r.body]
    posts = [r for r in world.requests("POST", "/messages") if "turn 2" in r.body]
    assert edits[0].place < posts[0].place
    assert world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)


async def test_a_tie_is_drawn_by_the_hash_of_the_ballots_id(world: World) -> None:
    """Two tied, then three: the id alone decides, and the ballot says how to check it."""
    await world.start("Ormsay keeps a lighthouse.")
    for turn, tied in ((1, [0, 2]), (2, [0, 1, 2])):
        ballot = world.ballots()[-1]
        for option, member in zip(tied, world.members, strict=False):
            await world.vote(option, member)
        place = int(sha256(str(ballot.id).encode()).hexdigest(), 16) % len(tied)
        said = await world.ask(world.mira, "story close")
        assert f"{OPTION_EMOJI[tied[place]]} won" in said
        await world.rests(Phase.VOTING, turn + 1)
        [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, turn + 1)
        assert written.part("plan").startswith(plan_title("Ormsay", turn, tied[place]))
        shown = text_of(world.ballots()[-2])
        assert " and ".join(OPTION_EMOJI[option] for option in tied) in shown
        assert f"SHA-256 of this message's id ({ballot.id})" in shown
        assert f"modulo {len(tied)}, is {place}" in shown


async def test_silence_extends_once_then_sleeps_until_a_reaction(world: World) -> None:
    """Sleeping costs nothing; the reaction that wakes it gives a full window, and then counts."""
    await world.start("Ormsay keeps a lighthouse.")
    paid = len(world.endpoint.asked)
    assert f"closes {_moment(await _closes(world))}" in text_of(world.ballots()[0])

    world.clock.leap(WINDOW_S)
    since = world.clock.now()
    await world.until(lambda: "extended once" in text_of(world.ballots()[0]))
    story = await world.rests(Phase.VOTING, 1)
    assert story.extended
    assert since + WINDOW_S <= await _closes(world) <= world.clock.now() + WINDOW_S

    world.clock.leap(WINDOW_S)
    await world.rests(Phase.ASLEEP, 1)
    assert "asleep: a vote wakes the story" in text_of(world.ballots()[0])
    world.clock.leap(30 * 24 * 3600)
    await asyncio.sleep(0.2)
    await world.rests(Phase.ASLEEP, 1)
    assert len(world.endpoint.asked) == paid

    since = world.clock.now()
    await world.vote(1, world.members[0])
    story = await world.rests(Phase.VOTING, 1)
    assert not story.extended
    closes_at = await _closes(world)
    assert since + WINDOW_S <= closes_at <= world.clock.now() + WINDOW_S
    assert f"closes {_moment(closes_at)}" in text_of(world.ballots()[0])

    world.clock.leap(WINDOW_S / 2)
    await asyncio.sleep(0.2)
    await world.rests(Phase.VOTING, 1)
    world.clock.leap(WINDOW_S / 2)
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()


async def test_a_vote_closes_by_itself_at_its_deadline(world: World) -> None:
    """The window counts from the ballot's own time stamp, and nobody has to ask for the count."""
    await world.start("Ormsay keeps a lighthouse.", vote_seconds=20)
    [ballot] = world.ballots()
    await world.vote(2, world.members[0])
    opened = ballot.created_at.timestamp()
    assert await _closes(world) == pytest.approx(opened + 20, abs=0.01)
    await world.rests(Phase.VOTING, 2)
    [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
    assert written.part("plan").startswith(plan_title("Ormsay", 1, 2))
    assert f"{OPTION_EMOJI[2]} won" in text_of(world.ballots()[0])
    second = (await world.lineage())[1]
    assert second.written_at >= opened + 20


async def test_stories_side_by_side_never_see_each_others_memory(world: World) -> None:
    """Two servers, two channels each: no word of one in another's prompts, recall or answers."""
    inland = world.settle("Inland")
    channels = {
        "Ormsay": world.channel,
        "Quillon": world.guild.create_text_channel("second"),
        "Brackwater": inland.guild.create_text_channel("tale"),
        "Tesserine": inland.guild.create_text_channel("second"),
    }
    for word, channel in channels.items():
        moderator = world.town(channel).moderator
        await world.ask(moderator, "story start", channel, premise=f"{word} looks for a door.")
    for channel in channels.values():
        await world.rests(Phase.VOTING, 1, channel)
    for turn in (1, 2, 3):
        for channel in channels.values():
            town = world.town(channel)
            await world.vote(turn % 3, town.members[0], channel)
            await world.ask(town.moderator, "story close", channel)
        for channel in channels.values():
            await world.rests(Phase.VOTING, turn + 1, channel)

    for word, channel in channels.items():
        others = re.compile("|".join(other for other in channels if other != word))
        prompts = world.endpoint.of(word)
        assert len(prompts) == 9
        assert not any(others.search(prompt.text) for prompt in prompts)
        assert word in prompts[-1].part("recalled")
        member = world.town(channel).members[1]
        memory = await world.ask(member, "memory show", channel)
        hits = await world.ask(member, "memory search", channel, query=f"Who found {thing_of(2)}?")
        assert "4 summaries" in memory
        assert hits.startswith("**Turn 2**")
        assert summary_of(word, 2) in hits
        told = "\n".join(text_of(message) for message in world.shown(channel))
        for text in (memory, hits, told):
            assert word in text
            assert not others.search(text)
        turns = await world.lineage(channel)
        own = {turn.id for turn in turns}
        assert any(turn.recalled for turn in turns)
        for one in (one for turn in turns for one in turn.recalled):
            assert one.turn_id in own
            assert not others.search(f"{one.about} {one.text}")
        await world.check_told_once(channel)


async def test_threads_and_forum_posts_have_stories_of_their_own(world: World) -> None:
    """A thread, a forum's post and the thread's channel tell three stories, each in its place."""
    thread, post = await world.thread(), await world.post()
    channels = {"Ormsay": world.channel, "Quillon": thread, "Brackwater": post}
    for word, channel in channels.items():
        await world.start(f"{word} looks for a door.", channel)
    for word, channel in channels.items():
        await world.turn_over(1, channel)
        shown = [
            message for message in world.shown(channel) if message.content != "Here it is told."
        ]
        assert len(shown) == 4
        assert all(word in text_of(message) for message in shown)
        assert (await world.story(channel)).brief.title == title_of(word)
        assert await world.remembered(channel) == 2


async def test_a_new_story_after_an_ended_one_remembers_nothing_of_it(world: World) -> None:
    """/story end leaves the old one readable; the next begins with title, memory and turns anew."""
    await world.start("Ormsay keeps a lighthouse.")
    await world.turn_over(0)
    said = await world.ask(world.mira, "story end")
    assert said == "The story has ended. /story start begins another one."
    old = await world.rests(Phase.ENDED, 2)
    assert "mira ended the story after 2 turns." in world.said()[-1]
    before = [text_of(message) for message in world.shown()]
    assert "the story has ended" in before[3]

    await world.start("Quillon looks for a door.")
    await world.turn_over(2)
    await world.turn_over(1)
    assert [text_of(message) for message in world.shown()][: len(before)] == before
    for prompt in world.endpoint.of("Quillon"):
        assert "Ormsay" not in prompt.text
    answers = [
        await world.ask(world.members[0], "memory show"),
        await world.ask(world.members[0], "memory search", query="the lighthouse of Ormsay"),
        await world.ask(world.members[0], "story status"),
    ]
    assert all("Quillon" in answer and "Ormsay" not in answer for answer in answers)
    story = await world.story()
    assert story.id.serial == old.id.serial + 1
    assert await world.remembered() == 3


async def test_a_deleted_ballot_is_replaced_by_a_fresh_one(world: World) -> None:
    """When its deadline comes the vote begins again on a new ballot, with no votes on it."""
    await world.start("Ormsay keeps a lighthouse.")
    await world.vote(0, world.members[0])
    [gone] = world.ballots()
    await world.mira.delete(gone)
    world.clock.leap(WINDOW_S)
    await world.until(lambda: len(world.ballots()) == 1)
    story = await world.rests(Phase.VOTING, 1)
    assert story.closes_at is not None
    assert story.closes_at > world.clock.now()
    assert world.ballots()[0].id > gone.id
    await world.turn_over(2)
    [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
    assert written.part("plan").startswith(plan_title("Ormsay", 1, 2))
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 1)) == 1
    await world.check_told_once()


async def test_a_permission_that_is_taken_away_pauses_the_story(world: World) -> None:
    """Nothing is paid while the channel can't be written to; granted again, resume goes on."""
    await world.start("Ormsay keeps a lighthouse.")
    await world.vote(1, world.members[0])
    stored = world.env.backend.get_channel(world.channel.id)
    bot = world.env.bot.user
    assert bot is not None
    denied = discord.PermissionOverwrite(send_messages=False).pair()[1].value
    stored.overwrites = [Overwrite(target_id=bot.id, type=OverwriteType.MEMBER, deny=denied)]
    await world.ask(world.mira, "story close")
    story = await world.rests(Phase.PAUSED, 1)
    assert story.pause is not None
    assert "Send Messages" in story.pause.reason
    assert world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2) == []
    assert "Send Messages" in await world.ask(world.mira, "story status")

    stored.overwrites = []
    await world.ask(world.mira, "story resume")
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()


async def _closes(world: World) -> float:
    closes_at = (await world.story()).closes_at
    assert closes_at is not None
    return closes_at


def _moment(at: float) -> str:
    return f"<t:{int(-(-at // 1))}:R>"
