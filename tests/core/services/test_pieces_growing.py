"""What members see of a paragraph while it grows, and when it is begun again."""

from collections.abc import Callable

from core.domain.story import StoryId
from core.errors import TalewheelError
from core.services.pieces import TO_COME, Pieces
from tests.fakes.stage import FakeStage
from tests.fakes.stepped_clock import SteppedClock
from tests.fakes.stories import a_draft

CHANNEL = 900


def a_text(word: str, sentences: int) -> str:
    return " ".join(f"{word} sentence number {n} of the turn." for n in range(sentences))


OLD, NEW = a_text("Old", 90), a_text("New", 90)


def _no_mixture(stage: FakeStage) -> Callable[[str], TalewheelError | None]:
    """At each call: nobody has read the beginning of one text and the end of another."""

    def look(_name: str) -> None:
        shown = stage.story(CHANNEL)
        assert not (shown[0].startswith("New") and any("Old" in text for text in shown[1:])), shown

    return look


async def test_a_paragraph_begun_again_never_stands_before_the_end_of_the_old_one() -> None:
    """The same messages are written anew; those behind the text say that more will come."""
    clock = SteppedClock()
    stage = FakeStage(clock)
    pieces = Pieces(stage, clock, StoryId(CHANNEL, 1), a_draft(after=0), "The Salt Clock")
    async with pieces.growing():
        pieces.feed(OLD)
        await clock.run_for(5)
        before = [message.id for message in stage.shown(CHANNEL)]
        assert len(before) == 2
        assert OLD.startswith(" ".join(stage.story(CHANNEL)))
        stage.fail_after = _no_mixture(stage)
        pieces.feed(NEW[:200])
        await clock.run_for(5)
        first, second = stage.story(CHANNEL)
        assert first.startswith("New")
        assert second == TO_COME
        pieces.feed(NEW)
        await clock.run_for(5)
    await pieces.show(NEW)
    assert " ".join(stage.story(CHANNEL)) == NEW
    assert [message.id for message in stage.shown(CHANNEL)] == before


async def test_a_shorter_paragraph_leaves_no_message_behind_it() -> None:
    """What said that more will come goes when nothing more came."""
    clock = SteppedClock()
    stage = FakeStage(clock)
    pieces = Pieces(stage, clock, StoryId(CHANNEL, 1), a_draft(after=0), "The Salt Clock")
    async with pieces.growing():
        pieces.feed(OLD)
        await clock.run_for(5)
        pieces.feed("New and short.")
        await clock.run_for(5)
    await pieces.show("New and short.")
    assert stage.story(CHANNEL) == ["New and short."]
    assert len(pieces.messages) == 1
