"""What every Stage promises, held by the fake and by the real one on the local Discord server."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.domain.identity import DISCORD_EPOCH_S
from core.domain.story import Plan, Settings
from core.errors import (
    ChannelGoneError,
    MessageGoneError,
    StageError,
    StageForbiddenError,
)
from core.ports import Announcement, Ballot, BallotState, Content, MessageKind, Prose
from tests.contracts.stage_doors import FakeDoor, StageDoor, discord_door
from tests.fakes.stage import NONCE_LIMIT, NONCE_MEMORY_S
from tests.fakes.stories import PLANS

BALLOT = Ballot(1, PLANS, Settings(), BallotState.OPEN, closes_at=1.8e9)
OTHER_BALLOT = replace(BALLOT, plans=(Plan("Row home", "They turn back."), *PLANS[1:]))
KINDS: tuple[tuple[Content, MessageKind], ...] = (
    (Prose("The lamp.", "Salt", 1), MessageKind.PROSE),
    (Prose("It turned."), MessageKind.PROSE),
    (BALLOT, MessageKind.BALLOT),
    (Announcement("Paused."), MessageKind.ANNOUNCEMENT),
)


@pytest.fixture(params=["fake", "discord"])
async def door(request: pytest.FixtureRequest) -> AsyncIterator[StageDoor]:
    """An empty channel behind each side of the port."""
    if request.param == "fake":
        yield FakeDoor()
        return
    async with discord_door() as real:
        yield real


async def test_what_is_sent_has_its_kind_its_time_and_an_id_above_all_before(
    door: StageDoor,
) -> None:
    """The id carries the time of the message, to the millisecond."""
    last = door.channel
    for content, kind in KINDS:
        door.clock.advance(1.5)
        posted = await door.stage.send(door.channel, content, f"n{last}", after=last)
        assert posted.id > last
        assert posted.kind is kind
        assert posted.at == pytest.approx(door.clock.now(), abs=0.002)
        assert (posted.id >> 22) / 1000 + DISCORD_EPOCH_S == pytest.approx(posted.at, abs=0.002)
        last = posted.id


@pytest.mark.parametrize("after", [None, 0], ids=["nonce alone", "with after"])
@pytest.mark.parametrize(
    ("early", "late", "words"),
    [
        (Prose("The lamp."), Prose("The lamp. The sea."), "The lamp. The sea."),
        (BALLOT, OTHER_BALLOT, "Row home"),
        (Announcement("Soon."), Announcement("Now."), "Now."),
    ],
    ids=["prose", "ballot", "announcement"],
)
async def test_a_nonce_gives_one_message_that_shows_the_newest_content(
    door: StageDoor, early: Content, late: Content, words: str, after: int | None
) -> None:
    """A request that was cut off may have arrived with an earlier text."""
    first = await door.stage.send(door.channel, early, "n1", after)
    door.clock.advance(NONCE_MEMORY_S / 2)
    assert await door.stage.send(door.channel, early, "n1", after) == first
    assert await door.stage.send(door.channel, late, "n1", after) == first
    (text,) = door.texts()
    assert words in text


async def test_a_forgotten_nonce_posts_again(door: StageDoor) -> None:
    """Without ``after`` nothing else tells that the message stands there: Discord's own limit."""
    first = await door.stage.send(door.channel, Prose("The lamp."), "n1")
    door.clock.advance(NONCE_MEMORY_S + 1)
    second = await door.stage.send(door.channel, Prose("The lamp."), "n1")
    assert second.id > first.id
    assert len(door.texts()) == 2


@pytest.mark.parametrize("content", [content for content, _ in KINDS])
async def test_what_shows_exactly_this_is_taken_though_its_nonce_is_forgotten(
    door: StageDoor, content: Content
) -> None:
    start = (await door.stage.send(door.channel, Announcement("Begin."), "n0")).id
    first = await door.stage.send(door.channel, content, "n1", start)
    door.clock.advance(NONCE_MEMORY_S * 100)
    assert await door.stage.send(door.channel, content, "n1", start) == first
    assert await door.stage.send(door.channel, content, "another", start) == first
    assert len(door.texts()) == 2


async def test_what_shows_something_else_or_stands_below_after_is_not_taken(
    door: StageDoor,
) -> None:
    """Neither a beginning of it, nor an older message with the same words, nor a deleted one."""
    old = await door.stage.send(door.channel, Prose("The lamp. The sea."), "n0")
    begun = await door.stage.send(door.channel, Prose("The lamp."), "n1")
    gone = await door.stage.send(door.channel, Prose("The lamp. The sea."), "n2")
    await door.stage.delete(door.channel, gone.id)
    door.clock.advance(NONCE_MEMORY_S + 1)
    sent = await door.stage.send(door.channel, Prose("The lamp. The sea."), "n3", old.id)
    assert sent.id > gone.id
    assert await door.stage.own_messages(door.channel, old.id) == [begun, sent]


async def test_a_nonce_whose_message_was_deleted_is_gone(door: StageDoor) -> None:
    first = await door.stage.send(door.channel, Prose("The lamp."), "n1")
    await door.stage.delete(door.channel, first.id)
    for after in (None, first.id - 1):
        with pytest.raises(MessageGoneError):
            await door.stage.send(door.channel, Prose("The lamp."), "n1", after)
    assert door.texts() == []


@pytest.mark.parametrize(
    ("early", "late", "words", "kind"),
    [
        (Prose("The lamp."), Prose("The sea."), "The sea.", MessageKind.PROSE),
        (Prose("The lamp."), Announcement("Gone."), "Gone.", MessageKind.ANNOUNCEMENT),
        (BALLOT, OTHER_BALLOT, "Row home", MessageKind.BALLOT),
    ],
)
async def test_edit_changes_what_is_shown_and_by_it_the_kind(
    door: StageDoor, early: Content, late: Content, words: str, kind: MessageKind
) -> None:
    """Which message it is and when it was sent stay as they were."""
    first = await door.stage.send(door.channel, early, "n1")
    door.clock.advance(60)
    await door.stage.edit(door.channel, first.id, late)
    (text,) = door.texts()
    assert words in text
    assert await door.stage.own_messages(door.channel, 0) == [replace(first, kind=kind)]


@pytest.mark.parametrize(("early", "late"), [(BALLOT, Prose("x")), (Prose("x"), BALLOT)])
async def test_a_ballot_stays_one_and_nothing_else_becomes_one(
    door: StageDoor, early: Content, late: Content
) -> None:
    """Discord never lets a layout become plain content; what stands there stays as it was."""
    first = await door.stage.send(door.channel, early, "n1")
    before = door.texts()
    with pytest.raises(StageError):
        await door.stage.edit(door.channel, first.id, late)
    assert door.texts() == before
    assert await door.stage.own_messages(door.channel, 0) == [first]


async def test_a_nonce_has_at_most_25_characters(door: StageDoor) -> None:
    await door.stage.send(door.channel, Prose("The lamp."), "n" * NONCE_LIMIT)
    with pytest.raises(StageError):
        await door.stage.send(door.channel, Prose("The sea."), "n" * (NONCE_LIMIT + 1))
    assert len(door.texts()) == 1


async def test_a_deleted_message_cant_be_edited_and_is_deleted_twice_in_peace(
    door: StageDoor,
) -> None:
    first = await door.stage.send(door.channel, Prose("The lamp."), "n1")
    await door.stage.delete(door.channel, first.id)
    with pytest.raises(MessageGoneError):
        await door.stage.edit(door.channel, first.id, Prose("The sea."))
    await door.stage.delete(door.channel, first.id)
    assert await door.stage.own_messages(door.channel, 0) == []


async def test_own_messages_are_ours_above_the_id_oldest_first(door: StageDoor) -> None:
    """Others' messages are left out, also those that look like ours, and so are deleted ones."""
    sent = [await door.stage.send(door.channel, Prose("Deleted."), "gone")]
    for content, kind in KINDS:
        door.chatter()
        sent.append(await door.stage.send(door.channel, content, kind + str(len(sent))))
    await door.stage.delete(door.channel, sent.pop(0).id)
    assert [posted.kind for posted in sent] == [kind for _, kind in KINDS]
    assert await door.stage.own_messages(door.channel, 0) == sent
    assert await door.stage.own_messages(door.channel, sent[1].id) == sent[2:]
    assert await door.stage.own_messages(door.channel, sent[-1].id) == []


async def test_votes_are_the_members_of_each_option(door: StageDoor) -> None:
    """Our own reactions and other bots are left out, and so is an option beyond the ballot's."""
    ballot = (await door.stage.send(door.channel, BALLOT, "n1")).id
    await door.stage.signal(door.channel, ballot, 3)
    nobody = frozenset[int]()
    assert await door.stage.votes(door.channel, ballot, 3) == {0: nobody, 1: nobody, 2: nobody}
    one, other, bot = door.person(), door.person(), door.person(bot=True)
    for person, option in ((one, 0), (one, 1), (other, 1), (other, 2), (bot, 0), (bot, 1)):
        door.react(ballot, person, option)
    votes = {0: frozenset({one}), 1: frozenset({one, other}), 2: frozenset({other})}
    assert await door.stage.votes(door.channel, ballot, 3) == votes
    del votes[2]
    assert await door.stage.votes(door.channel, ballot, 2) == votes


async def test_options_nobody_ever_reacted_with_have_no_votes(door: StageDoor) -> None:
    """Our own may be missing too, when a crash came first: the option is then left out."""
    ballot = (await door.stage.send(door.channel, BALLOT, "n1")).id
    assert await door.stage.votes(door.channel, ballot, 3) == {}
    person = door.person()
    door.react(ballot, person, 1)
    assert await door.stage.votes(door.channel, ballot, 3) == {1: frozenset({person})}


async def test_a_deleted_ballot_has_neither_votes_nor_room_for_reactions(door: StageDoor) -> None:
    ballot = (await door.stage.send(door.channel, BALLOT, "n1")).id
    await door.stage.delete(door.channel, ballot)
    with pytest.raises(MessageGoneError):
        await door.stage.votes(door.channel, ballot, 3)
    with pytest.raises(MessageGoneError):
        await door.stage.signal(door.channel, ballot, 3)


async def test_each_reaction_is_there_once_however_often_it_is_asked_for(door: StageDoor) -> None:
    """A ballot gets none by being sent, and asking for fewer takes none away."""
    ballot = (await door.stage.send(door.channel, BALLOT, "n1")).id
    assert door.offered(ballot) == []
    for options in (2, 3, 3, 2):
        await door.stage.signal(door.channel, ballot, options)
    assert door.offered(ballot) == [0, 1, 2]


async def test_the_typing_sign_leaves_no_message(door: StageDoor) -> None:
    await door.stage.signal(door.channel)
    await door.stage.signal(door.channel)
    assert door.texts() == []


async def test_a_channel_that_forbids_writing_lets_us_do_the_rest(door: StageDoor) -> None:
    """Sends and the typing sign are refused; what stands there is still read, edited, deleted."""
    ballot = await door.stage.send(door.channel, BALLOT, "n1")
    prose = await door.stage.send(door.channel, Prose("The lamp."), "n2")
    door.mute()
    with pytest.raises(StageForbiddenError):
        await door.stage.send(door.channel, Prose("The sea."), "n3")
    with pytest.raises(StageForbiddenError):
        await door.stage.signal(door.channel)
    taken = await door.stage.send(door.channel, Prose("The lamp."), "n4", ballot.id)
    assert taken == prose, "nothing has to be written for what stands there already"
    await door.stage.signal(door.channel, ballot.id, 3)
    assert set(await door.stage.votes(door.channel, ballot.id, 3)) == {0, 1, 2}
    await door.stage.edit(door.channel, ballot.id, OTHER_BALLOT)
    await door.stage.delete(door.channel, prose.id)
    assert await door.stage.own_messages(door.channel, 0) == [ballot]


async def test_a_history_that_cant_be_read_never_looks_empty(door: StageDoor) -> None:
    """Discord shows nothing instead of refusing; whoever believed it would tell all of it again."""
    ballot = (await door.stage.send(door.channel, BALLOT, "n1")).id
    door.blind()
    for refused in (
        door.stage.own_messages(door.channel, ballot - 1),
        door.stage.own_messages(door.channel, ballot),
        door.stage.send(door.channel, BALLOT, "n2", ballot - 1),
        door.stage.votes(door.channel, ballot, 3),
        door.stage.signal(door.channel, ballot, 3),
    ):
        with pytest.raises(StageForbiddenError):
            await refused
    await door.stage.send(door.channel, Announcement("The bot can't read here."), "n3")
    assert len(door.texts()) == 2


async def test_a_channel_out_of_sight_forbids_everything(door: StageDoor) -> None:
    stage, channel = door.stage, door.channel
    ballot = (await stage.send(channel, BALLOT, "n1")).id
    door.hide()
    for refused in (
        stage.send(channel, Prose("The sea."), "n2"),
        stage.send(channel, BALLOT, "n1", ballot - 1),
        stage.edit(channel, ballot, OTHER_BALLOT),
        stage.delete(channel, ballot),
        stage.own_messages(channel, 0),
        stage.votes(channel, ballot, 3),
        stage.signal(channel),
        stage.signal(channel, ballot, 3),
    ):
        with pytest.raises(StageForbiddenError):
            await refused


async def test_in_a_deleted_channel_everything_is_gone(door: StageDoor) -> None:
    """Also what had a nonce; only deleting has nothing left to do."""
    stage, channel = door.stage, door.channel
    ballot = (await stage.send(channel, BALLOT, "n1")).id
    door.close()
    await stage.delete(channel, ballot)
    for refused in (
        stage.send(channel, BALLOT, "n1"),
        stage.send(channel, Prose("The sea."), "n2", ballot),
        stage.edit(channel, ballot, OTHER_BALLOT),
        stage.own_messages(channel, 0),
        stage.votes(channel, ballot, 3),
        stage.signal(channel),
        stage.signal(channel, ballot, 3),
    ):
        with pytest.raises(ChannelGoneError):
            await refused
