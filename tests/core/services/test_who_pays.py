"""Every request for vectors is made for the story that it is about, whoever asks for it."""

from collections.abc import Sequence

from core.domain.audit import Moderator
from core.domain.identity import fingerprint
from core.domain.ledger import memory_of
from core.services.work import Work, current, working_on
from tests.core.services.house import CHANNEL, GUILD, House

ADA = Moderator(5, "Ada")
STORY = f"{CHANNEL}:1"


async def test_what_members_and_moderators_ask_of_a_story_is_paid_for_by_it() -> None:
    """Of a command only the place is known before; afterwards it is as it was."""
    async with House() as house:
        await house.begin()
        paying: list[Work | None] = []

        def note(_texts: Sequence[str]) -> None:
            paying.append(current())

        house.embedder.fail = note
        place = Work(GUILD, CHANNEL)
        told = house.lineage()[0]
        with working_on(place):
            await house.library.find(CHANNEL, "lamp", GUILD)
            await house.library.facts_about(CHANNEL, "lamp", GUILD)
            seen = fingerprint(str(memory_of(told)))
            done = await house.moderation.amend(CHANNEL, ADA, 1, "They met at the lamp.", seen)
            await house.library.still_said(CHANNEL, done.change)
            assert current() == place
        assert len(paying) == 4
        assert {(work.guild, work.story) for work in paying if work} == {(GUILD, STORY)}


async def test_what_a_turn_asks_for_is_paid_for_by_its_story() -> None:
    async with House() as house:
        paying: list[Work | None] = []

        def note(_texts: Sequence[str]) -> None:
            paying.append(current())

        house.embedder.fail = note
        await house.begin()
        await house.turn_over()
        assert {(work.guild, work.story) for work in paying if work} == {(GUILD, STORY)}
        assert None not in paying
