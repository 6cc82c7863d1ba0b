"""What the channel is owed: given once, whatever fails, and never at the cost of something else."""

import asyncio

import pytest

from core.domain.identity import DISCORD_EPOCH_S
from core.domain.story import PauseCause, Phase
from core.errors import (
    NarratorRefusedError,
    NarratorUnavailableError,
    PhaseError,
    RefusedError,
    StageForbiddenError,
    StageUnavailableError,
    TalewheelError,
)
from core.ports import MessageKind
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House
from tests.fakes.stage import NONCE_MEMORY_S

AWAY = StageUnavailableError("503")


async def half_written(house: House) -> None:
    """A story whose second paragraph is being written."""
    await house.begin(vote_s=3600)
    house.stage.vote(CHANNEL, 1, 0)
    await house.teller.close(CHANNEL)
    await house.when(lambda: len(house.stage.story(CHANNEL)) == 2)


# ── an end that isn't told yet ───────────────────────────────────────────────────────────────────


def moment_of(id_: int) -> float:
    """When a message with this id was sent, UTC seconds by Discord's clock."""
    return (id_ >> 22) / 1000 + DISCORD_EPOCH_S


async def test_a_new_story_begins_behind_what_the_last_one_takes_back() -> None:
    """Else a withdrawal that comes late would take the new story's paragraphs back."""
    async with House() as house:
        await half_written(house)
        house.stage.fail = lambda _name: AWAY
        await house.teller.end(CHANNEL, "Mo")
        await house.clock.run_for(60)
        with pytest.raises(RefusedError, match="try again in a minute"):
            await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        house.stage.fail = lambda _name: None
        await house.begin()
        assert len(house.stage.said(CHANNEL)) == 1
        assert len(house.stage.story(CHANNEL)) == 2, "a turn of each story"
        await house.clock.run_for(3600)
        assert len(house.stage.story(CHANNEL)) == 2
        assert house.story().id.serial == 2


async def test_a_process_that_died_at_an_end_takes_nothing_from_the_next_story() -> None:
    house = House()
    async with house:
        await half_written(house)

        def dies(_name: str, _when: object) -> None:
            if house.story().phase is Phase.ENDED:
                raise asyncio.CancelledError

        house.world.interrupt = dies
        ending = asyncio.create_task(house.teller.end(CHANNEL, "Mo"))
        await house.when(lambda: house.story().phase is Phase.ENDED)
        await house.kill()
        await asyncio.gather(ending, return_exceptions=True)
    async with house.restarted() as again:
        await again.clock.run_for(2)
        await again.begin()
        await again.clock.run_for(30)
        pieces = again.lineage()[-1].pieces
        assert pieces
        assert all(again.stage.find(CHANNEL, piece) for piece in pieces)
        assert len(again.stage.story(CHANNEL)) == 2


# ── ballots ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_deleted_ballot_is_staged_anew_once_whenever_the_process_dies() -> None:
    """It died with the fresh one up and not stored, and came back when its nonce was forgotten."""
    house = House()
    async with house:
        await house.begin(vote_s=3600)
        await house.clock.run_for(10)
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        await house.clock.run_for(400)
        house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].deleted = True
        died = asyncio.Event()

        def dead(*_: object) -> None:
            raise asyncio.CancelledError

        def dies(name: str) -> TalewheelError | None:
            if name == "signal":
                died.set()
                house.world.interrupt = dead
                raise asyncio.CancelledError
            return None

        house.stage.fail = dies
        await house.teller.resume(CHANNEL)
        await house.when(died.is_set)
        await house.kill()
    assert len(house.stage.ballots(CHANNEL)) == 1
    house.clock.jump(600)
    async with house.restarted() as again:
        await again.until(Phase.VOTING)
        [ballot] = again.stage.shown(CHANNEL, MessageKind.BALLOT)
        assert again.lineage()[-1].ballot == ballot.id
        await again.turn_over()
        again.check_told_once()


async def test_a_result_is_not_sought_in_what_was_said_during_the_vote() -> None:
    async with House() as house:
        await house.begin(vote_s=86_400)
        await house.clock.run_for(4000)
        ballot = house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1]
        house.stage.vote(CHANNEL, 1, 0)

        def refuse(name: str) -> TalewheelError | None:
            ballot.deleted = ballot.deleted or name == "edit"
            return None

        house.stage.fail = refuse
        closed_at = house.clock.now()
        house.stage.sought.clear()
        await house.teller.close(CHANNEL)
        await house.when(lambda: bool(house.stage.said(CHANNEL)))
        assert house.stage.sought
        assert min(map(moment_of, house.stage.sought)) > closed_at - 300


# ── sentences ────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_sentence_is_said_each_time_that_it_is_owed() -> None:
    """Three pauses within two minutes are three notices, in the same words."""
    async with House() as house:
        await house.begin(vote_s=3600)
        for _ in range(3):
            await house.teller.pause(CHANNEL, "Mo")
            await house.until(Phase.PAUSED)
            await house.clock.run_for(15)
            await house.teller.resume(CHANNEL)
            await house.until(Phase.VOTING)
            await house.clock.run_for(15)
        assert house.stage.said(CHANNEL) == ["Mo paused the story. /story resume goes on."] * 3


async def test_a_sentence_whose_nonce_may_be_forgotten_is_sought_first() -> None:
    """It was said, the answer was lost, and Discord was away for an hour."""
    async with House() as house:
        await house.begin(vote_s=86_400)
        since = house.clock.now()

        def away(_name: str) -> TalewheelError | None:
            return AWAY if house.stage.said(CHANNEL) and house.clock.now() < since + 3600 else None

        house.stage.fail = away
        house.stage.fail_after = away
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        await house.when(lambda: not house.story().outbox)
        assert house.clock.now() >= since + 3600
        assert len(house.stage.said(CHANNEL)) == 1


# ── pauses ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_moderator_stops_a_story_that_waits_out_an_outage() -> None:
    async with House() as house:
        await house.begin(vote_s=3600)
        down = NarratorUnavailableError("The endpoint is down.")
        house.narrator.fail = lambda name: down if name == "write" else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.teller.close(CHANNEL)
        await house.until(Phase.PAUSED)
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        house.narrator.fail = lambda _name: None
        written = len(house.narrator.contexts)
        await house.clock.run_for(7200)
        pause = house.story().pause
        assert pause is not None
        assert (pause.cause, pause.kept, pause.until) == (PauseCause.MODERATOR, Phase.WRITING, None)
        assert len(house.narrator.contexts) == written
        assert house.stage.said(CHANNEL)[-1].startswith("Mo paused the story.")
        with pytest.raises(PhaseError, match="it is paused"):
            await house.teller.pause(CHANNEL, "Mo")
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


def partly_shown(house: House) -> None:
    """From now on Discord takes nothing once a text is finished: its end isn't shown."""

    def away(name: str) -> TalewheelError | None:
        reflecting = house.story().phase is Phase.REFLECTING
        return AWAY if name in ("edit", "send") and reflecting else None

    house.stage.fail = away


@pytest.mark.parametrize("request_", ["pause", "end"])
async def test_a_story_that_is_stopped_during_its_reflection_shows_what_is_stored(
    request_: str,
) -> None:
    async with House() as house:
        await house.begin(vote_s=3600)
        house.narrator.delay_s = 1.0
        partly_shown(house)
        house.stage.vote(CHANNEL, 1, 0)
        await house.teller.close(CHANNEL)
        await house.when(lambda: len(house.narrator.reflected) == 2)
        text = house.narrator.reflected[-1][1]
        assert house.stage.story(CHANNEL)[-1] != text
        house.stage.fail = lambda _name: None
        await getattr(house.teller, request_)(CHANNEL, "Mo")
        await house.when(lambda: not house.story().outbox)
        assert house.stage.story(CHANNEL)[-1] == text
        last = house.stage.shown(CHANNEL)[-1]
        assert last.kind is MessageKind.ANNOUNCEMENT, "the text first, then the sentence"


async def test_a_story_whose_model_refuses_the_reflection_shows_what_is_stored() -> None:
    async with House() as house:
        await house.begin(vote_s=3600)
        partly_shown(house)
        refused = NarratorRefusedError("The key was refused.")
        house.narrator.fail = lambda name: refused if name == "reflect" else None
        house.stage.vote(CHANNEL, 1, 0)
        await house.teller.close(CHANNEL)
        await house.until(Phase.PAUSED)
        assert house.stage.story(CHANNEL)[-1] == house.narrator.reflected[-1][1]
        house.narrator.fail = lambda _name: None
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()


async def test_a_ballot_that_is_staged_anew_has_no_paragraph_posted_again() -> None:
    """A pause in the middle of that finds the phase of staging, and the text long in its place."""
    async with House() as house:
        await house.begin(vote_s=3600)
        await house.clock.run_for(NONCE_MEMORY_S)
        house.stage.shown(CHANNEL, MessageKind.BALLOT)[-1].deleted = True
        house.stage.fail = lambda name: AWAY if name == "send" else None
        with pytest.raises(RefusedError, match="deleted"):
            await house.teller.close(CHANNEL)
        await house.teller.pause(CHANNEL, "Mo")
        house.stage.fail = lambda _name: None
        await house.until(Phase.PAUSED)
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING)
        house.check_told_once()


async def test_a_resumed_paragraph_is_not_sought_in_what_was_said_during_the_pause() -> None:
    async with House() as house:
        await half_written(house)
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        house.clock.jump(7 * 86_400)
        resumed_at = house.clock.now()
        house.stage.sought.clear()
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()
        assert house.stage.sought
        assert min(map(moment_of, house.stage.sought)) > resumed_at - 300


async def test_what_could_not_be_taken_back_is_found_after_the_resumption() -> None:
    """The history couldn't be read, for good it seemed: the half-written paragraph still stands."""
    async with House() as house:
        await half_written(house)
        refusal = StageForbiddenError("Read Message History is missing.")
        house.stage.fail = lambda name: refusal if name == "own_messages" else None
        await house.teller.pause(CHANNEL, "Mo")
        await house.until(Phase.PAUSED)
        assert len(house.stage.story(CHANNEL)) == 2
        house.stage.fail = lambda _name: None
        await house.clock.run_for(3600)
        await house.teller.resume(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()
