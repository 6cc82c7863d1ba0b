"""Moderators' names: where they are kept, and how they are taken out."""

from dataclasses import replace
from typing import NoReturn

import pytest

from core.domain.audit import SOMEBODY, ChangeKind, Moderator, nameless
from core.domain.identity import fingerprint
from core.domain.story import PauseCause, Phase
from core.errors import StageUnavailableError, StoreUnavailableError
from core.services.privacy import Erased
from core.services.purging import Kept
from tests.core.services.house import CHANNEL, GUILD, House
from tests.fakes.store import When

ADA, JONAS = Moderator(5, "Ada"), Moderator(6, "Jonas")
OTHER_CHANNEL, OTHER_GUILD = 950, 11


async def signatures(house: House, channel: int = CHANNEL) -> list[Moderator]:
    """Who made the changes, oldest first."""
    return [log.change.by for log in reversed(await house.history.page(channel))]


async def pinned(house: House, *by: Moderator, channel: int = CHANNEL) -> None:
    """A fact pinned by each."""
    for number, moderator in enumerate(by):
        await house.moderation.pin(channel, moderator, f"Fact {number} of {moderator.id}.")


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_name_leaves_every_log_of_its_server_and_of_no_other() -> None:
    """What was changed stays, by nobody; other moderators stay too. Repeated, it finds nothing."""
    async with House() as house:
        await house.begin()
        await pinned(house, ADA, JONAS)
        await house.teller.end(CHANNEL, "Ada")
        await house.until(Phase.ENDED)
        await house.begin()
        await pinned(house, ADA)
        await house.begin(OTHER_CHANNEL, OTHER_GUILD)
        await pinned(house, ADA, channel=OTHER_CHANNEL)
        assert await house.privacy.erase(ADA.id, GUILD) == Erased(changes=2, stories=2)
        first, second = sorted(story for story in house.world.stories if story.channel == CHANNEL)
        assert [change.by for change in house.world.changes[first]] == [SOMEBODY, JONAS]
        assert [change.after for change in house.world.changes[second]] == ["Fact 0 of 5."]
        assert await signatures(house) == [SOMEBODY]
        assert await signatures(house, OTHER_CHANNEL) == [ADA]
        assert await house.privacy.erase(ADA.id, GUILD) == Erased()


async def test_an_operator_takes_a_name_out_of_all_servers() -> None:
    """The one way that reaches beyond a server."""
    async with House() as house:
        await house.begin()
        await house.begin(OTHER_CHANNEL, OTHER_GUILD)
        await pinned(house, ADA)
        await pinned(house, ADA, channel=OTHER_CHANNEL)
        assert await house.privacy.erase(ADA.id, None) == Erased(changes=2, stories=2)


async def test_a_change_without_a_name_can_be_taken_back() -> None:
    """And what takes it back is signed by whoever does that."""
    async with House() as house:
        await house.begin()
        seen = fingerprint(house.story().memory.text)
        before = house.story().memory.text
        await house.moderation.edit_memory(CHANNEL, ADA, "Mira has the key.", seen)
        await house.privacy.erase(ADA.id, GUILD)
        undone = await house.history.undo(CHANNEL, JONAS, 1)
        assert undone.change.undoes == 1
        assert house.story().memory.text == before
        assert await signatures(house) == [SOMEBODY, JONAS]


async def test_an_erasure_that_was_cut_off_is_finished_by_the_next() -> None:
    """Some logs are done, the others follow."""
    async with House() as house:
        await house.begin()
        await pinned(house, ADA)
        await house.begin(OTHER_CHANNEL)
        await pinned(house, ADA, channel=OTHER_CHANNEL)
        passed = 0

        def interrupt(call: str, when: When) -> None:
            nonlocal passed
            passed += (call, when) == ("rewrite", When.AFTER)
            if passed == 1 and when is When.AFTER:
                raise StoreUnavailableError("Redis is away")

        house.world.interrupt = interrupt
        with pytest.raises(StoreUnavailableError):
            await house.privacy.erase(ADA.id, GUILD)
        house.world.interrupt = lambda _call, _when: None
        assert await signatures(house) == [SOMEBODY], "the first was done"
        assert await house.privacy.erase(ADA.id, GUILD) == Erased(changes=1, stories=1)
        assert await signatures(house, OTHER_CHANNEL) == [SOMEBODY]


# ── sentences ────────────────────────────────────────────────────────────────────────────────────


async def test_every_sentence_that_names_a_moderator_can_lose_the_name() -> None:
    """Whatever a moderator does that the channel is told of."""
    async with House() as house:
        await house.begin()
        await house.turn_over()
        by = Moderator(7, "Zoë")
        await house.teller.pause(CHANNEL, by.name)
        await house.until(Phase.PAUSED)
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING)
        await house.direction.reflect_again(CHANNEL, by)
        await house.until(Phase.VOTING)
        await house.direction.retry(CHANNEL, by)
        await house.until(Phase.VOTING, number=2)
        await house.direction.rewind(CHANNEL, by, 1)
        await house.until(Phase.VOTING, number=1)
        log = await house.history.page(CHANNEL)
        rewound = next(one for one in log if one.change.kind is ChangeKind.REWOUND)
        await house.history.undo(CHANNEL, by, rewound.number)
        await house.until(Phase.VOTING, number=2)
        await house.teller.end(CHANNEL, by.name)
        await house.until(Phase.ENDED)
        named = [sentence for sentence in house.stage.said(CHANNEL) if by.name in sentence]
        assert len(named) == 6
        for sentence in named:
            told = nameless(sentence, {by.name})
            assert told == sentence.replace(by.name, "A moderator", 1)


async def test_why_a_story_is_paused_is_kept_without_a_name() -> None:
    """The channel is told who; what is kept, and what status shows, needs nobody."""
    async with House() as house:
        await house.begin()
        await house.teller.pause(CHANNEL, "Ada")
        await house.until(Phase.PAUSED)
        assert house.stage.said(CHANNEL)[-1].startswith("Ada paused the story.")
        assert "Ada" not in repr(house.world.stories)


async def test_what_a_channel_is_still_owed_is_told_without_the_name() -> None:
    """A sentence that Discord hasn't taken yet; and a reason that an earlier version kept."""
    async with House() as house:
        await house.begin()

        def down(_name: str) -> NoReturn:
            raise StageUnavailableError("Discord is down")

        house.stage.fail = down
        await house.teller.pause(CHANNEL, "Ada")
        story = house.story()
        assert story.pause is not None
        assert story.pause.cause is PauseCause.MODERATOR
        old = replace(story.pause, reason="Ada paused the story. /story resume goes on.")
        house.world.stories[story.id] = replace(story, pause=old)
        assert await house.privacy.erase(ADA.id, GUILD, {"Ada"}) == Erased()
        assert "Ada" not in repr(house.world.stories)
        house.stage.fail = lambda _name: None
        await house.until(Phase.PAUSED)
        assert house.stage.said(CHANNEL) == ["A moderator paused the story. /story resume goes on."]
        await house.teller.resume(CHANNEL)
        await house.turn_over()
        house.check_told_once()


async def test_a_story_without_the_name_is_not_disturbed() -> None:
    """Its worker goes on: nothing is claimed for nothing."""
    async with House() as house:
        await house.begin()
        await pinned(house, ADA)
        epoch = house.story().epoch
        await house.privacy.erase(ADA.id, GUILD, {"Ada"})
        assert house.story().epoch == epoch


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


async def test_what_is_kept_of_a_channel_is_counted() -> None:
    """Its stories, those that have ended too; and nothing of another server's."""
    async with House() as house:
        assert await house.privacy.kept(CHANNEL, GUILD) == Kept()
        await house.begin()
        await house.turn_over()
        await pinned(house, ADA, JONAS)
        await house.teller.end(CHANNEL, "Ada")
        await house.until(Phase.ENDED)
        story = await house.begin()
        kept = await house.privacy.kept(CHANNEL, GUILD)
        assert kept == Kept((replace(story.id, serial=1), story.id), turns=3, changes=2)
        assert await house.privacy.kept(CHANNEL, OTHER_GUILD) == Kept()
