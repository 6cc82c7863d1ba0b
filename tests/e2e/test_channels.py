"""What members and moderators do to a channel while its story is told: docs/channels.md, held.

Threads that are archived or locked, and being kicked and invited again, are in tests/faults: this
Discord doesn't refuse what a real one refuses there.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.render import OPTION_EMOJI
from core.domain.story import PauseCause, Phase
from core.ports import MessageKind
from core.services.sleepers import IDLE_S
from tests.e2e.endpoint import Hold, Kind, plan_title
from tests.e2e.world import World, text_of

pytestmark = pytest.mark.redis

PREMISE = "Ormsay keeps a lighthouse."
WINDOW_S = 3600
REFUSALS = 2
"""Requests that one act may spend on a channel that refuses: those under way at that moment."""

VIEW, SEND, READ, REACT = (
    "view_channel",
    "send_messages",
    "read_message_history",
    "add_reactions",
)
NAMES = {
    VIEW: "View Channel",
    SEND: "Send Messages",
    READ: "Read Message History",
    REACT: "Add Reactions",
}
KEPT = {VIEW: Phase.VOTING, READ: Phase.VOTING, SEND: Phase.WRITING, REACT: Phase.PUBLISHING}
"""Where a story meets that a permission is missing which was taken away during the vote."""


async def left_alone(world: World, for_s: float = 30 * 24 * 3600) -> None:
    """Time passes, and nothing is asked of the channel."""
    before = len(world.asked_of())
    world.clock.leap(for_s)
    await asyncio.sleep(0.2)
    assert world.asked_of()[before:] == []


async def shut_out(world: World, permission: str) -> None:
    """Wait for the pause; it names what is missing, to whoever asks."""
    story = await world.rests_paused()
    assert story.pause is not None
    assert story.pause.cause is PauseCause.CHANNEL
    assert NAMES[permission] in story.pause.reason
    assert NAMES[permission] in await world.ask(world.mira, "story status")


async def half_a_paragraph(world: World) -> Hold:
    """The second paragraph is being written, and its first words can be read."""
    held = world.endpoint.hold(Kind.PARAGRAPH, 2, sentences=3)
    await world.start(PREMISE)
    await world.vote(2, world.members[0])
    await world.ask(world.mira, "story close")
    await held.reached.wait()
    await world.until(lambda: len(world.told()) == 2)
    return held


# ── permissions ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("permission", [VIEW, SEND, READ, REACT])
async def test_a_permission_lost_during_a_vote_and_given_back(
    world: World, permission: str
) -> None:
    """Nothing is lost, nothing is tried meanwhile, and it goes on by itself once it is back."""
    await world.start(PREMISE)
    await world.vote(2, world.members[0])
    world.deny_bot(permission)
    world.clock.leap(WINDOW_S)
    await shut_out(world, permission)
    pause = (await world.story()).pause
    assert pause is not None
    assert pause.kept is KEPT[permission]
    told = [said for said in world.said() if NAMES[permission] in said]
    assert len(told) == (permission in {READ, REACT}), "said where it can still be said"
    await left_alone(world)
    world.allow_bot()
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()
    [written] = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
    assert written.part("plan").startswith(plan_title("Ormsay", 1, 2))
    await world.turn_over(1)
    await world.check_told_once()


@pytest.mark.parametrize("permission", [SEND, READ])
async def test_a_permission_lost_in_the_middle_of_a_paragraph_and_given_back(
    world: World, permission: str
) -> None:
    """The paragraph that was paid for is told, in the messages that stand there."""
    held = await half_a_paragraph(world)
    begun = [message.id for message in world.shown(kind=MessageKind.PROSE)]
    world.deny_bot(permission)
    held.release()
    await shut_out(world, permission)
    await left_alone(world)
    world.allow_bot()
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()
    assert [message.id for message in world.shown(kind=MessageKind.PROSE)] == begun
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 1


async def test_a_permission_lost_during_a_vote_and_back_before_its_end_is_nobodys_loss(
    world: World,
) -> None:
    await world.start(PREMISE)
    await world.vote(2, world.members[0])
    world.deny_bot(VIEW)
    await asyncio.sleep(0.1)
    world.allow_bot()
    world.clock.leap(WINDOW_S)
    await world.rests(Phase.VOTING, 2)
    assert world.said() == []


async def test_a_thread_needs_its_own_permission(world: World) -> None:
    """Send Messages in Threads, taken from the thread's channel; a role's change is heard too."""
    thread = await world.thread()
    await world.start(PREMISE, thread)
    await world.vote(2, world.members[0], thread)
    world.deny_bot("send_messages_in_threads")
    await world.ask(world.mira, "story close", thread)
    story = await world.rests_paused(thread)
    assert story.pause is not None
    assert "Send Messages in Threads" in story.pause.reason
    world.allow_bot()
    await world.rests(Phase.VOTING, 2, thread)
    await world.check_told_once(thread)


async def test_changes_that_give_nothing_back_cost_nothing(world: World) -> None:
    """Twenty changes of the channel's other permissions: not one request."""
    await world.start(PREMISE)
    world.deny_bot(VIEW)
    world.clock.leap(WINDOW_S)
    await shut_out(world, VIEW)
    before = len(world.asked_of())
    for place in range(20):
        world.deny_bot(VIEW, *((SEND,) if place % 2 else ()))
        await asyncio.sleep(0.01)
    await left_alone(world)
    assert len(world.asked_of()) == before


# ── deleted ──────────────────────────────────────────────────────────────────────────────────────


async def voting(world: World) -> None:
    await world.start(PREMISE)
    await world.vote(1, world.members[0])


async def streaming(world: World) -> None:
    await half_a_paragraph(world)


async def asleep(world: World) -> None:
    await world.start(PREMISE)
    world.clock.leap(WINDOW_S)
    await world.until(lambda: "extended once" in text_of(world.ballots()[0]))
    world.clock.leap(WINDOW_S)
    await world.rests(Phase.ASLEEP)
    # One look at the ballot follows, for a vote that came just then; it is not to be counted.
    world.clock.leap(2 * IDLE_S)
    await asyncio.sleep(0.5)


async def paused(world: World) -> None:
    await world.start(PREMISE)
    await world.ask(world.mira, "story pause")
    await world.rests(Phase.PAUSED)


Stand = Callable[[World], Awaitable[None]]


@pytest.mark.parametrize("stand", [voting, streaming])
async def test_a_deleted_channel_ends_its_story_in_silence(world: World, stand: Stand) -> None:
    """Heard from Discord, so that not one request goes to it; other stories are told on."""
    other = world.guild.create_text_channel("second")
    await world.start("Quillon looks for a door.", other)
    await stand(world)
    before = len(world.asked_of())
    world.delete_channel()
    await world.rests(Phase.ENDED)
    assert len(world.asked_of()) - before <= REFUSALS
    await left_alone(world, 60)
    await world.turn_over(1, other)
    await world.check_told_once(other)


async def test_a_deleted_post_of_a_forum_ends_its_story(world: World) -> None:
    """A thread's deletion is heard as well as a channel's."""
    post = await world.post()
    await world.start(PREMISE, post)
    before = len(world.asked_of(post))
    world.delete_channel(post)
    await world.rests(Phase.ENDED, None, post)
    assert len(world.asked_of(post)) == before


async def test_a_deletion_that_nobody_heard_is_met_once(world: World) -> None:
    """The process was down: the next act meets it, and the story ends."""
    await voting(world)
    await world.die()
    world.delete_channel()
    world.clock.leap(WINDOW_S)
    before = len(world.asked_of())
    await world.live_again()
    await world.rests(Phase.ENDED)
    assert len(world.asked_of()) - before == 1
    await left_alone(world)


async def test_the_words_of_a_paragraph_deleted_while_it_streams_come_again(world: World) -> None:
    held = await half_a_paragraph(world)
    await world.mira.delete(world.shown(kind=MessageKind.PROSE)[-1])
    held.release()
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()
    assert len(world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)) == 1


async def test_a_paragraph_deleted_while_it_is_reflected_on_comes_again(world: World) -> None:
    held = world.endpoint.hold(Kind.REFLECTION, 2)
    await world.start(PREMISE)
    await world.vote(2, world.members[0])
    await world.ask(world.mira, "story close")
    await held.reached.wait()
    await world.until(lambda: len(world.told()) == 2)
    await world.mira.delete(world.shown(kind=MessageKind.PROSE)[-1])
    held.release()
    await world.rests(Phase.VOTING, 2)
    await world.check_told_once()


async def test_a_deleted_ballot_is_found_by_whoever_asks_for_the_status(world: World) -> None:
    """Votes are gone with it, which is said; the fresh one has a full window."""
    await voting(world)
    [gone] = world.ballots()
    await world.mira.delete(gone)
    said = await world.ask(world.members[1], "story status")
    assert "Its next ballot is being posted." in said
    await world.until(lambda: len(world.ballots()) == 1)
    story = await world.rests(Phase.VOTING, 1)
    assert any("The ballot was deleted" in said for said in world.said())
    assert story.closes_at is not None
    assert story.closes_at - world.clock.now() > WINDOW_S * 0.9
    await world.turn_over(2)


@pytest.mark.parametrize("stand", [asleep, paused])
async def test_a_ballot_deleted_while_nobody_votes_comes_fresh_with_resume(
    world: World, stand: Stand
) -> None:
    await stand(world)
    [gone] = world.ballots()
    await world.mira.delete(gone)
    await left_alone(world, 600)
    await world.ask(world.mira, "story resume")
    await world.until(lambda: len(world.ballots()) == 1)
    await world.rests(Phase.VOTING, 1)
    assert world.ballots()[0].id > gone.id
    await world.turn_over(2)


# ── reactions ────────────────────────────────────────────────────────────────────────────────────


def offered(world: World) -> list[str]:
    """The bot's own reactions on the newest ballot."""
    ballot, own = world.ballots()[-1], world.env.backend.bot_user.id
    stored = world.env.backend.get_message(ballot.channel.id, ballot.id)
    return sorted(reaction.emoji for reaction in stored.reactions if own in reaction.user_ids)


@pytest.mark.parametrize(
    ("stand", "what"),
    [(voting, "all"), (voting, "one emoji"), (voting, "our own"), (asleep, "all")],
)
async def test_reactions_that_are_cleared_come_back(world: World, what: str, stand: Stand) -> None:
    """Votes that Discord forgot are told of; where only ours was taken nothing is said."""
    await stand(world)
    ballot = world.ballots()[-1]
    match what:
        case "all":
            world.clear_reactions(ballot)
        case "one emoji":
            world.clear_reactions(ballot, OPTION_EMOJI[1])
        case _:
            world.remove_own_reaction(ballot, OPTION_EMOJI[1])
    assert offered(world) != sorted(OPTION_EMOJI)
    await world.until(lambda: offered(world) == sorted(OPTION_EMOJI))
    await world.until(lambda: bool(world.said()) == (what != "our own"))
    await world.vote(2, world.members[1])
    await world.rests(Phase.VOTING, 1)
    await world.ask(world.mira, "story close")
    await world.rests(Phase.VOTING, 2)


async def test_clearing_over_and_over_starts_no_fight(world: World) -> None:
    """Put back three times; members may still bring the numbers themselves, and they count."""
    await world.start(PREMISE)
    ballot = world.ballots()[-1]
    for _ in range(3):
        world.clear_reactions(ballot)
        await world.until(lambda: offered(world) == sorted(OPTION_EMOJI))
        await world.rests(Phase.VOTING, 1)
    world.clear_reactions(ballot)
    before = len(world.asked_of())
    await asyncio.sleep(0.5)
    assert offered(world) == []
    assert len(world.asked_of()) == before
    await world.members[0].react(ballot, OPTION_EMOJI[2])
    await world.ask(world.mira, "story close")
    await world.rests(Phase.VOTING, 2)
    assert offered(world) == sorted(OPTION_EMOJI)


# ── the bot sent away ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stand", [voting, streaming])
async def test_a_kicked_bot_asks_nothing_any_more(world: World, stand: Stand) -> None:
    """Its stories rest as they stood; those of other servers are told on."""
    inland = world.settle("Inland")
    other = inland.guild.create_text_channel("tale")
    await world.start("Quillon looks for a door.", other)
    await stand(world)
    kept = (await world.story()).phase
    before = len(world.asked_of())
    world.kick_bot()
    story = await world.rests_paused()
    assert story.pause is not None
    assert (story.pause.cause, story.pause.kept) == (PauseCause.ABSENT, kept)
    assert len(world.asked_of()) - before <= REFUSALS
    await left_alone(world)
    assert len(world.asked_of()) - before <= REFUSALS
    await world.turn_over(1, other)
