"""Whoever asks from one server meets no story of another, whatever channel's id they have."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core.domain.story import Phase
from core.errors import NoStoryError
from tests.core.services.house import CHANNEL, GUILD, House

OTHER = GUILD + 1
ASKED: dict[str, Callable[[House, int], Coroutine[Any, Any, object]]] = {
    "status": lambda house, guild: house.teller.status(CHANNEL, guild),
    "close": lambda house, guild: house.teller.close(CHANNEL, guild),
    "pause": lambda house, guild: house.teller.pause(CHANNEL, "Mallory", guild),
    "resume": lambda house, guild: house.teller.resume(CHANNEL, guild),
    "end": lambda house, guild: house.teller.end(CHANNEL, "Mallory", guild),
    "memory": lambda house, guild: house.library.memory(CHANNEL, guild),
    "find": lambda house, guild: house.library.find(CHANNEL, "a door", guild),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_a_story_of_another_server_is_not_there(asked: str) -> None:
    """As if the channel had none; nothing is disturbed, not even a worker's epoch."""
    async with House() as house:
        before = await house.begin()
        with pytest.raises(NoStoryError):
            await ASKED[asked](house, OTHER)
        assert house.story() == before


async def test_a_sleeping_story_is_not_woken_from_another_server() -> None:
    async with House() as house:
        await house.begin()
        await house.until(Phase.ASLEEP)
        before = house.story()
        with pytest.raises(NoStoryError):
            await house.teller.resume(CHANNEL, OTHER)
        await house.teller.reacted(CHANNEL + 1, house.stage.shown(CHANNEL)[-1].id)
        assert house.story() == before
        await house.teller.resume(CHANNEL, GUILD)
        assert house.story().phase is Phase.VOTING
