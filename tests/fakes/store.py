"""In-memory fakes of StoryStore, Schedule, MemorySearch and Archive over one shared world.

They follow the same contracts as the Redis adapters (tests/contracts). Every call gives way to
other tasks before it acts, as a real one does, and then acts at once. A test can interrupt any call
before it is applied (nothing happened) or after (applied, and the answer was lost).
"""

import asyncio
import math
import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from core.domain.audit import Change, Logged
from core.domain.departures import Place
from core.domain.entries import EntryKind, Recalled
from core.domain.story import Lineage, Phase, Story, StoryId, Turn, Vector
from core.domain.words import STOP_WORDS, search_words
from core.errors import (
    ConflictError,
    FencedError,
    NoStoryError,
    PhaseError,
    RecordError,
    StoreError,
)
from core.ports import ALL_KINDS, Commit, MemoryEntry, StaleEntry
from tests.fakes.spend_ledger import Day

VERSIONED = ("memory", "canon", "plans", "settings", "turns")


class When(Enum):
    """The two moments at which a call can be interrupted."""

    BEFORE = auto()
    AFTER = auto()


def _undisturbed(call: str, when: When) -> None:
    """Let every call through."""


@dataclass
class StoreWorld:
    """What a Redis would hold.

    Attributes:
        dims: numbers per vector.
        interrupt: called with a call's name before and after it acts; what it raises, the call
            raises.
        embedder: whose vectors are searched.
        made_by: whose vector an entry has, where it isn't the first embedder's.
        taken_over: whether another process searches by another embedder by now.
    """

    dims: int = 8
    interrupt: Callable[[str, When], None] = _undisturbed
    stories: dict[StoryId, Story] = field(default_factory=dict[StoryId, Story])
    newest: dict[int, int] = field(default_factory=dict[int, int])
    makers: dict[StoryId, str] = field(default_factory=dict[StoryId, str])
    applied: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    turns: dict[tuple[StoryId, str], Turn] = field(default_factory=dict[tuple[StoryId, str], Turn])
    entries: dict[tuple[StoryId, str], MemoryEntry] = field(
        default_factory=dict[tuple[StoryId, str], MemoryEntry]
    )
    embedder: str = "first"
    made_by: dict[tuple[StoryId, str], str] = field(default_factory=dict[tuple[StoryId, str], str])
    taken_over: bool = False
    changes: dict[StoryId, list[Change]] = field(default_factory=dict[StoryId, list[Change]])
    places: dict[tuple[StoryId, str, int], str] = field(
        default_factory=dict[tuple[StoryId, str, int], str]
    )
    days: dict[str, Day] = field(default_factory=dict[str, Day])
    importing: dict[StoryId, str] = field(default_factory=dict[StoryId, str])
    lost: dict[Place, float] = field(default_factory=dict[Place, float])

    def change_embedder(self, name: str, dims: int) -> None:
        """Go on with another one, whose vectors have so many numbers."""
        self.embedder, self.dims = name, dims

    def stale(self) -> list[tuple[StoryId, str]]:
        """The entries whose vectors another embedder made."""
        return [key for key in self.entries if self.made_by.get(key, "first") != self.embedder]

    async def before(self, call: str) -> None:
        """Give way to other tasks, then let the test interrupt."""
        await asyncio.sleep(0)
        self.interrupt(call, When.BEFORE)

    def after(self, call: str) -> None:
        """Let the test lose the answer."""
        self.interrupt(call, When.AFTER)


class FakeStoryStore:
    """StoryStore in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def create(self, story: Story, operation: str) -> bool:
        await self._world.before("create")
        created = self._create(story, operation)
        self._world.after("create")
        return created

    def _create(self, story: Story, operation: str) -> bool:
        world = self._world
        if story.id in world.stories:
            return world.makers[story.id] == operation
        last = world.newest.get(story.id.channel, 0)
        if {story.id, StoryId(story.id.channel, max(1, last))} & world.importing.keys():
            return False
        if story.id.serial != last + 1:
            return False
        if last and world.stories[StoryId(story.id.channel, last)].phase is not Phase.ENDED:
            return False
        world.stories[story.id] = story
        world.makers[story.id] = operation
        world.newest[story.id.channel] = story.id.serial
        return True

    async def current(self, channel: int) -> Story | None:
        await self._world.before("current")
        serial = self._world.newest.get(channel)
        return None if serial is None else self._world.stories.get(StoryId(channel, serial))

    async def load(self, story: StoryId) -> Story:
        await self._world.before("load")
        if story not in self._world.stories:
            raise NoStoryError(f"There is no story {story}.")
        return self._world.stories[story]

    async def turn(self, story: StoryId, turn_id: str) -> Turn:
        await self._world.before("turn")
        if (story, turn_id) not in self._world.turns:
            raise RecordError(f"There is no turn {turn_id} of story {story}.")
        return self._world.turns[story, turn_id]

    async def commit(self, change: Commit) -> None:
        await self._world.before("commit")
        self._commit(change)
        self._world.after("commit")

    def _commit(self, change: Commit) -> None:
        world, key = self._world, change.story.id
        if unknown := (change.writes | change.expects.keys()) - set(VERSIONED):
            raise ValueError(f"{min(unknown)!r} has no version")
        for entry in change.entries:
            _check_length(entry.vector, world.dims)
        mark = (key.channel, change.operation)
        if mark in world.applied:
            return
        stored = world.stories.get(key)
        if stored is None or (change.holds and stored.epoch != change.story.epoch):
            raise FencedError(f"Story {key} was taken over.")
        _check_versions(stored, change)
        world.stories[key] = _merged(stored, change)
        if change.turn is not None:
            world.turns[key, change.turn.id] = change.turn
            world.places[key, change.turn.branch, change.turn.number] = change.turn.id
        for entry in change.entries:
            world.entries[key, entry.id] = entry
            world.made_by[key, entry.id] = world.embedder
        for gone in change.forgets:
            world.entries.pop((key, gone), None)
        if change.change is not None:
            world.changes.setdefault(key, []).append(change.change)
        world.applied.add(mark)


class FakeArchive:
    """Archive in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def turn_at(self, story: StoryId, branch: str, number: int) -> Turn:
        await self._world.before("turn_at")
        return self._turn_at(story, branch, number)

    async def turns_at(self, story: StoryId, branch: str, first: int, last: int) -> list[Turn]:
        await self._world.before("turns_at")
        return [self._turn_at(story, branch, number) for number in range(first, last + 1)]

    def _turn_at(self, story: StoryId, branch: str, number: int) -> Turn:
        turn_id = self._world.places.get((story, branch, number))
        if turn_id is None:
            raise RecordError(f"Story {story} has no turn {number} on branch {branch}.")
        return self._world.turns[story, turn_id]

    async def changes(self, story: StoryId, before: int | None, limit: int) -> list[Logged]:
        await self._world.before("changes")
        found = [logged for logged in self._log(story) if before is None or logged.number < before]
        return found[::-1][: max(0, limit)]

    async def changes_since(self, story: StoryId, number: int) -> list[Logged]:
        await self._world.before("changes_since")
        return self._log(story)[number - 1 :] if number >= 1 else []

    async def purge(self, story: StoryId) -> None:
        await self._world.before("purge")
        world = self._world
        if story in world.stories and world.stories[story].phase is not Phase.ENDED:
            raise PhaseError("Only an ended story can be deleted.")
        world.stories.pop(story, None)
        world.makers.pop(story, None)
        world.changes.pop(story, None)
        for records in (world.turns, world.entries):
            for key in [key for key in records if key[0] == story]:
                del records[key]
        for place in [place for place in world.places if place[0] == story]:
            del world.places[place]
        self._point_back(story)
        world.after("purge")

    def _point_back(self, story: StoryId) -> None:
        world = self._world
        if world.newest.get(story.channel) == story.serial:
            left = [one.serial for one in world.stories if one.channel == story.channel]
            world.newest.pop(story.channel)
            if left:
                world.newest[story.channel] = max(left)

    def _log(self, story: StoryId) -> list[Logged]:
        log = self._world.changes.get(story, [])
        return [Logged(number, change) for number, change in enumerate(log, 1)]


class FakeSchedule:
    """Schedule in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def due(self, now: float, limit: int) -> list[StoryId]:
        await self._world.before("due")
        return [story.id for story in self._by_due() if (story.due or 0.0) <= now][:limit]

    async def next_due(self) -> float | None:
        await self._world.before("next_due")
        return next((story.due for story in self._by_due()), None)

    async def claim(self, story: StoryId, now: float, until: float, force: bool = False) -> Story:
        await self._world.before("claim")
        stored = self._world.stories.get(story)
        if stored is None:
            raise NoStoryError(f"There is no story {story}.")
        if not force and (stored.due is None or stored.due > now):
            raise FencedError(f"Story {story} isn't due.")
        claimed = replace(stored, epoch=stored.epoch + 1, due=until)
        self._world.stories[story] = claimed
        self._world.after("claim")
        return claimed

    async def renew(self, story: StoryId, epoch: int, until: float) -> None:
        await self._world.before("renew")
        stored = self._world.stories.get(story)
        if stored is None or stored.epoch != epoch:
            raise FencedError(f"Story {story} was taken over.")
        self._world.stories[story] = replace(stored, due=until)
        self._world.after("renew")

    async def in_phase(
        self, phase: Phase | None, after: StoryId | None, limit: int, guild: int | None = None
    ) -> list[StoryId]:
        await self._world.before("in_phase")
        found = sorted(
            story.id
            for story in self._world.stories.values()
            if phase in (None, story.phase) and guild in (None, story.guild)
        )
        return [story for story in found if after is None or story > after][:limit]

    async def guilds(self) -> frozenset[int]:
        await self._world.before("guilds")
        return frozenset(story.guild for story in self._world.stories.values())

    def _by_due(self) -> Iterable[Story]:
        waiting = (story for story in self._world.stories.values() if story.due is not None)
        return sorted(waiting, key=lambda story: story.due or 0.0)


class FakeCensus:
    """Census in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def count(self, phases: Collection[Phase], guild: int | None = None) -> int:
        await self._world.before("count stories")
        stories = self._world.stories.values()
        return sum(story.phase in phases and guild in (None, story.guild) for story in stories)


class FakeMemorySearch:
    """MemorySearch in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def nearest(
        self,
        story: StoryId,
        lineage: Lineage,
        query: Vector,
        limit: int,
        kinds: Collection[EntryKind] = ALL_KINDS,
    ) -> list[Recalled]:
        await self._world.before("nearest")
        _check_length(query, self._world.dims)
        found = [
            _recalled(entry, _cosine(entry.vector, query))
            for entry in self._within(story, lineage, kinds)
            if (story, entry.id) not in self._world.stale()
        ]
        return sorted(found, key=lambda one: (-one.score, one.number))[: max(0, limit)]

    async def matching(
        self,
        story: StoryId,
        lineage: Lineage,
        words: str,
        limit: int,
        kinds: Collection[EntryKind] = ALL_KINDS,
        *,
        stale: bool = False,
    ) -> list[Recalled]:
        """Counts the words that are shared, which is enough to tell a match from none."""
        await self._world.before("matching")
        wanted = set(search_words(words)) - STOP_WORDS
        found = [
            _recalled(entry, float(len(wanted & set(search_words(f"{entry.about} {entry.text}")))))
            for entry in self._within(story, lineage, kinds)
            if not stale or (story, entry.id) in self._world.stale()
        ]
        hits = [one for one in found if one.score]
        return sorted(hits, key=lambda one: (-one.score, one.number))[: max(0, limit)]

    async def ending(
        self, story: StoryId, lineage: Lineage, ids: Collection[str]
    ) -> list[tuple[str, Recalled]]:
        await self._world.before("ending")
        return [
            (id_, _recalled(entry, 0.0))
            for entry in self._within(story, lineage, {EntryKind.FACT})
            for id_ in entry.ends
            if id_ in ids
        ]

    async def count(
        self, story: StoryId, lineage: Lineage, kind: EntryKind = EntryKind.SUMMARY
    ) -> int:
        await self._world.before("count")
        return len(self._within(story, lineage, {kind}))

    async def stale(self, story: StoryId, lineage: Lineage) -> int:
        await self._world.before("stale")
        within = self._within(story, lineage, ALL_KINDS)
        return sum((story, entry.id) in self._world.stale() for entry in within)

    async def superseded(self, story: StoryId, lineage: Lineage) -> int | None:
        await self._world.before("superseded")
        facts = self._within(story, lineage, {EntryKind.FACT})
        return len({entry.id for entry in facts} & {id_ for one in facts for id_ in one.ends})

    def _within(
        self, story: StoryId, lineage: Lineage, kinds: Collection[EntryKind]
    ) -> list[MemoryEntry]:
        if any(not stretch.branch for stretch in lineage):
            raise ValueError("a stretch needs its branch")
        return [
            entry
            for (owner, _), entry in self._world.entries.items()
            if owner == story
            and entry.kind in kinds
            and any(
                stretch.branch == entry.branch and stretch.first <= entry.number <= stretch.last
                for stretch in lineage
            )
        ]


def _recalled(entry: MemoryEntry, score: float) -> Recalled:
    own = (entry.turn_id, entry.number, entry.text, score)
    return Recalled(*own, entry.kind, entry.key, entry.about, entry.first)


class FakeStaleVectors:
    """StaleVectors in memory."""

    def __init__(self, world: StoreWorld) -> None:
        self._world = world

    async def count(self) -> int:
        await self._world.before("count_stale")
        return len(self._world.stale())

    async def some(self, story: StoryId | None, limit: int) -> list[StaleEntry]:
        await self._world.before("some_stale")
        self._check_owner()
        stale = [
            (key, self._world.entries[key])
            for key in sorted(self._world.stale())
            if story in (None, key[0])
        ]
        newest = sorted(stale, key=lambda one: -one[1].number)[: max(0, limit)]
        return [StaleEntry(key[0], entry.id, entry.about, entry.text) for key, entry in newest]

    async def renew(self, entries: Sequence[tuple[StaleEntry, Vector]]) -> list[StaleEntry]:
        await self._world.before("renew_vectors")
        for _, vector in entries:
            _check_length(vector, self._world.dims)
        self._check_owner()
        left = [one for one, vector in entries if not self._renew(one, vector)]
        self._world.after("renew_vectors")
        return left

    def _renew(self, one: StaleEntry, vector: Vector) -> bool:
        key = (one.story, one.id)
        stored = self._world.entries.get(key)
        if stored is None or (stored.about, stored.text) != (one.about, one.text):
            return False
        self._world.entries[key] = replace(stored, vector=vector)
        self._world.made_by[key] = self._world.embedder
        return True

    def _check_owner(self) -> None:
        if self._world.taken_over:
            raise FencedError("Another process searches by another embedder by now.")


def _versions(story: Story) -> dict[str, int]:
    return {
        "memory": story.memory.version,
        "canon": story.canon.version,
        "plans": story.plans.version,
        "settings": story.settings_version,
        "turns": story.turns_version,
    }


def _check_versions(stored: Story, change: Commit) -> None:
    wanted = dict(change.expects) | {
        name: _versions(change.story)[name] - 1 for name in change.writes
    }
    for name in sorted(wanted):
        if _versions(stored)[name] != wanted[name]:
            raise ConflictError(f"The {name} of story {stored.id} was changed meanwhile.", name)


def _merged(stored: Story, change: Commit) -> Story:
    """The new state, with every versioned value that the change doesn't write as it is stored."""
    new, writes = change.story, change.writes
    return replace(
        new if change.holds else stored,
        guild=stored.guild,
        memory=(new if "memory" in writes else stored).memory,
        canon=(new if "canon" in writes else stored).canon,
        plans=(new if "plans" in writes else stored).plans,
        settings=(new if "settings" in writes else stored).settings,
        settings_version=(new if "settings" in writes else stored).settings_version,
        turns_version=(new if "turns" in writes else stored).turns_version,
    )


def _check_length(vector: bytes, dims: int) -> None:
    if len(vector) != 4 * dims:
        raise StoreError(f"A vector of {len(vector)} bytes isn't one of {dims} numbers.")


def _cosine(one: bytes, other: bytes) -> float:
    a, b = (struct.unpack(f"<{len(vector) // 4}f", vector) for vector in (one, other))
    return math.fsum(x * y for x, y in zip(a, b, strict=True))
