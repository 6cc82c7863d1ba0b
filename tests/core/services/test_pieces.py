"""A paragraph's messages: posted once, in order, whole, whatever happens to them on the way."""

import pytest

from core.domain.story import Phase
from core.errors import StageUnavailableError, TalewheelError
from core.ports import MessageKind
from tests.core.services.house import CHANNEL, House
from tests.fakes.stage import NONCE_MEMORY_S

AWAY = StageUnavailableError("503")


async def test_a_message_whose_answer_was_lost_is_sought_once_its_nonce_may_be_forgotten() -> None:
    """The model takes its time, and no send succeeds until Discord has forgotten the first."""
    async with House() as house:
        await house.begin(vote_s=3600)
        house.narrator.delay_s = 60.0
        first: list[float] = []

        def lost(name: str) -> TalewheelError | None:
            if name == "send" and len(house.stage.story(CHANNEL)) == 2 and not first:
                first.append(house.clock.now())
                return StageUnavailableError("created, then the connection died")
            return None

        def away(name: str) -> TalewheelError | None:
            passing = first and house.clock.now() < first[0] + NONCE_MEMORY_S + 10
            return AWAY if name == "send" and passing else None

        house.stage.fail_after = lost
        house.stage.fail = away
        house.stage.vote(CHANNEL, 1, 0)
        await house.teller.close(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        house.check_told_once()
        ever = [m for m in house.stage.messages[CHANNEL] if m.kind is MessageKind.PROSE]
        assert len(ever) == 2, "not even for a moment"


async def told_long(house: House) -> None:
    """A story whose second paragraph, over several messages, is being reflected on."""
    await house.begin(vote_s=3600, sentences=240)
    house.narrator.delay_s = 0.1
    house.stage.vote(CHANNEL, 1, 0)
    await house.teller.close(CHANNEL)
    house.narrator.delay_s = 0.1
    await house.when(lambda: len(house.narrator.reflected) == 2)


def second_paragraph(house: House) -> list[int]:
    shown = house.stage.shown(CHANNEL, MessageKind.PROSE)
    return [message.id for message in shown if message.id > (house.lineage()[0].ballot or 0)]


def check_whole(house: House) -> None:
    """Each paragraph stands whole and in order in the messages that its turn names."""
    for turn in house.lineage():
        pieces = [house.stage.find(CHANNEL, id_) for id_ in turn.pieces]
        assert [message.id for message in pieces] == sorted({message.id for message in pieces})
        assert " ".join(piece.content.text for piece in pieces) == turn.paragraph  # type: ignore[union-attr]
    named = [id_ for turn in house.lineage() for id_ in turn.pieces]
    assert [message.id for message in house.stage.shown(CHANNEL, MessageKind.PROSE)] == named


@pytest.mark.parametrize("which", [0, 1, -1])
async def test_a_piece_that_is_deleted_during_the_reflection_is_restored(which: int) -> None:
    async with House() as house:
        await told_long(house)
        pieces = second_paragraph(house)
        assert len(pieces) > 2
        house.stage.find(CHANNEL, pieces[which]).deleted = True
        await house.until(Phase.VOTING, number=2)
        check_whole(house)


@pytest.mark.parametrize("which", [0, 1, -1])
async def test_a_piece_that_is_deleted_while_the_process_is_down_is_restored(which: int) -> None:
    """The new process doesn't know which was deleted; nonces of the others still name them."""
    house = House()
    async with house:
        await told_long(house)
        pieces = second_paragraph(house)
    house.stage.find(CHANNEL, pieces[which]).deleted = True
    house.clock.jump(10)
    async with house.restarted() as again:
        await again.until(Phase.VOTING, number=2)
        check_whole(again)


@pytest.mark.parametrize("which", [0, 1])
async def test_a_piece_that_is_deleted_while_a_later_one_is_in_doubt_is_restored(
    which: int,
) -> None:
    async with House() as house:
        await house.begin(vote_s=3600, sentences=240)
        hit: list[int] = []

        def lost(name: str) -> TalewheelError | None:
            pieces = second_paragraph(house)
            if name == "send" and len(pieces) == 3 and not hit:
                hit.append(pieces[which])
                house.stage.find(CHANNEL, pieces[which]).deleted = True
                return StageUnavailableError("created, then the connection died")
            return None

        house.stage.fail_after = lost
        house.stage.vote(CHANNEL, 1, 0)
        await house.teller.close(CHANNEL)
        await house.until(Phase.VOTING, number=2)
        assert hit
        check_whole(house)


async def test_nothing_is_drawn_twice_when_nothing_happened() -> None:
    """Looking again at the start of staging costs a request, and no edit."""
    async with House() as house:
        await house.begin()
        [message] = house.stage.shown(CHANNEL, MessageKind.PROSE)
        texts = [*message.edits, message.content]
        assert len(texts) == len(set(map(str, texts)))
        edits = house.stage.calls.count("edit")
        assert edits == len(message.edits)
