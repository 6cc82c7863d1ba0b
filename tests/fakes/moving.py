"""The doors for stories that travel, in memory: over the same world as the fakes of the store."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from core.archive_ports import Remembered, Seen
from core.domain.audit import Change
from core.domain.story import Phase, Story, StoryId, Turn
from core.errors import FencedError, RecordError
from core.ports import MemoryEntry
from tests.fakes.store import StoreWorld


class FakeRecords:
    """StoryRecords in memory.

    Attributes:
        damaged: stories whose own record can't be read.
    """

    def __init__(self, world: StoreWorld, embedder: str = "hashed-words") -> None:
        self._world = world
        self._embedder = embedder
        self.damaged: set[StoryId] = set()

    async def stories(self, channel: int | None = None) -> list[StoryId]:
        await self._world.before("stories")
        return sorted(one for one in self._world.stories if channel in (None, one.channel))

    async def seen(self, story: StoryId) -> Seen | None:
        await self._world.before("seen")
        state = self._world.stories.get(story)
        if state is None:
            return None
        state = replace(state, due=None)
        turns = len(self._places(story))
        if state.head is not None and (story, state.head) not in self._world.turns:
            turns = 0
        logged = len(self._world.changes.get(story, []))
        marks = (("state", repr(state).encode()),)
        maker = self._world.makers.get(story, "")
        if story in self.damaged:
            return Seen(None, maker, turns, logged, marks, f"Story {story} can't be read.")
        return Seen(state, maker, turns, logged, marks)

    async def turn_ids(self, story: StoryId) -> list[str]:
        await self._world.before("turn_ids")
        return [self._world.places[place] for place in self._places(story)]

    async def turns(self, story: StoryId, ids: Sequence[str]) -> list[Turn]:
        await self._world.before("turns")
        missing = [one for one in ids if (story, one) not in self._world.turns]
        if missing:
            raise RecordError(f"There is no turn {missing[0]}.")
        return [self._world.turns[story, one] for one in ids]

    async def entries(self, story: StoryId, ids: Collection[str]) -> list[Remembered]:
        await self._world.before("entries")
        found = [self._world.entries.get((story, one)) for one in sorted(ids)]
        return [Remembered(one, self._embedder) for one in found if one]

    async def changes(self, story: StoryId, first: int, limit: int) -> list[Change]:
        await self._world.before("logged")
        return self._world.changes.get(story, [])[first - 1 : first - 1 + limit]

    def _places(self, story: StoryId) -> list[tuple[StoryId, str, int]]:
        places = [place for place in self._world.places if place[0] == story]
        return sorted(places, key=lambda place: (place[2], place[1]))


class FakeImports:
    """StoryImports in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def clear(self) -> int:
        await self._world.before("clear")
        left = list(self._world.importing)
        for story in left:
            self._leave(story)
        return len(left)

    async def begin(self, story: StoryId, run: str, replaces: Seen | None = None) -> bool:
        await self._world.before("begin")
        there = await FakeRecords(self._world).seen(story)
        if there is None:
            if replaces is not None and self._world.importing.get(story) != run:
                return False
        else:
            if replaces is None or there.marks != replaces.marks:
                return False
            del self._world.stories[story]
            self._world.makers.pop(story, None)
            self._clean(story)
        self._world.importing[story] = run
        self._world.after("begin")
        return True

    async def put(self, story: StoryId, run: str, items: Sequence[Turn | MemoryEntry]) -> None:
        await self._world.before("put")
        self._check(story, run)
        for item in items:
            if isinstance(item, Turn):
                self._world.turns[story, item.id] = item
                self._world.places[story, item.branch, item.number] = item.id
            else:
                self._world.entries[story, item.id] = item
        self._world.after("put")

    async def log(self, story: StoryId, run: str, first: int, changes: Sequence[Change]) -> None:
        await self._world.before("log")
        self._check(story, run)
        logged = self._world.changes.setdefault(story, [])
        if len(logged) not in (first - 1, first - 1 + len(changes)):
            raise FencedError(f"The log of story {story} has {len(logged)} changes.")
        logged[first - 1 :] = changes
        self._world.after("log")

    async def finish(self, story: Story, run: str, made_by: str) -> bool:
        await self._world.before("finish")
        world, newest = self._world, self._world.newest.get(story.id.channel, 0)
        if world.importing.get(story.id) != run and world.makers.get(story.id) == made_by:
            return True
        self._check(story.id, run)
        if story.phase is not Phase.ENDED and newest > story.id.serial:
            return False
        below = world.stories.get(StoryId(story.id.channel, newest)) if newest else None
        if below and newest < story.id.serial and below.phase is not Phase.ENDED:
            return False
        world.stories[story.id] = story
        world.makers[story.id] = made_by
        world.newest[story.id.channel] = max(newest, story.id.serial)
        del world.importing[story.id]
        world.after("finish")
        return True

    async def abandon(self, story: StoryId, run: str) -> None:
        await self._world.before("abandon")
        self._check(story, run)
        self._leave(story)

    def _leave(self, story: StoryId) -> None:
        """Remove what was put; a pointer to what isn't there goes back to what is."""
        world = self._world
        self._clean(story)
        del world.importing[story]
        if world.newest.get(story.channel) == story.serial:
            left = [one.serial for one in world.stories if one.channel == story.channel]
            world.newest.pop(story.channel)
            if left:
                world.newest[story.channel] = max(left)

    def _check(self, story: StoryId, run: str) -> None:
        if self._world.importing.get(story) != run:
            raise FencedError(f"Another import took over story {story}.")

    def _clean(self, story: StoryId) -> None:
        world = self._world
        world.changes.pop(story, None)
        for records in (world.turns, world.entries):
            for key in [key for key in records if key[0] == story]:
                del records[key]
        for place in [place for place in world.places if place[0] == story]:
            del world.places[place]
