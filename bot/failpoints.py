"""Failpoints: named moments at which the process kills itself, so that a crash can be had anywhere.

Every durable step of the turn protocol goes through one of two doors: what Redis keeps (StoryStore,
Schedule) and what the channel shows (Stage). Each of these ports is wrapped in a thin one that says
"before …" and "after …" the step; at the wanted one the process ends by SIGKILL, as it would by a
crash: nothing is tidied up. The protocol knows nothing of it, and without FAILPOINT in the
environment nothing is wrapped at all. It is for tests alone.

A step is named by what it does: a commit by how it changes the stored state, an act on the stage by
what it shows. STEPS is the one table of the names; what isn't durable (reading, the typing sign)
has none.
"""

import logging
import os
import re
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from core.domain.story import Notice, Phase, Story, StoryId, Turn, Votes
from core.ports import (
    Announcement,
    Ballot,
    Commit,
    Content,
    Posted,
    Prose,
    Schedule,
    Stage,
    StoryStore,
)
from core.services.run import Stations

log = logging.getLogger(__name__)

STEPS = (
    "create story",
    "commit titled",
    "commit text",
    "commit reflected",
    "commit staged",
    "commit won",
    "commit extended",
    "commit asleep",
    "commit woken",
    "commit paused",
    "commit resumed",
    "commit restaged",
    "commit settled",
    "commit rested",
    "commit ended",
    "claim",
    "renew",
    "send prose",
    "send ballot",
    "send announcement",
    "edit prose",
    "edit ballot",
    "delete message",
    "add reactions",
)
"""Every durable step. "restaged": a fresh ballot for one that is gone; "settled": a notice was
said; "rested": nothing but the due time and what has been drawn since."""

FAILPOINTS = tuple(f"{when} {step}" for step in STEPS for when in ("before", "after"))
"""The names that FAILPOINT may have; "after" is when the step took effect and nobody knows yet."""

_FORM = re.compile(r"(?P<name>[a-z ]+?)(?::(?P<passing>[1-9][0-9]{0,5}))?")

_KINDS: dict[type[Content], str] = {
    Prose: "prose",
    Ballot: "ballot",
    Announcement: "announcement",
}
_CHANGES = {
    (Phase.WRITING, Phase.REFLECTING): "text",
    (Phase.REFLECTING, Phase.PUBLISHING): "reflected",
    (Phase.PUBLISHING, Phase.VOTING): "staged",
    (Phase.VOTING, Phase.WRITING): "won",
    (Phase.VOTING, Phase.ASLEEP): "asleep",
    (Phase.VOTING, Phase.PUBLISHING): "restaged",
    (Phase.ASLEEP, Phase.VOTING): "woken",
}
"""What a commit is called that moves a story from one phase to another; see also ``named``."""

Passed = Callable[[str], None]
"""Told of each failpoint that the process passes."""


@dataclass(frozen=True, slots=True)
class Failpoint:
    """Where the process is to die.

    Attributes:
        name: one of FAILPOINTS.
        passing: which passing of it, from 1.
    """

    name: str
    passing: int = 1

    @classmethod
    def read(cls, text: str) -> "Failpoint":
        """From "after commit text" or "after commit text:3". Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None or found["name"] not in FAILPOINTS:
            raise ValueError(text)
        return cls(found["name"], int(found["passing"] or 1))

    def __str__(self) -> str:
        return f"{self.name}:{self.passing}"


RIGHT = (
    f'"before" or "after" and one of: {", ".join(STEPS)}; if you like with the number of the '
    'passing, such as "after commit text:3"'
)
"""What a failpoint must be, for whoever misspelt one."""


def armed(stations: Stations, at: Failpoint | None) -> Stations:
    """The stations with the failpoint set; the very same ones when there is none."""
    if at is None:
        return stations
    log.warning("FAILPOINT: this process kills itself at %s. For tests: unset it to run a bot.", at)
    return watched(stations, Fuse(at))


def watched(stations: Stations, passed: Passed) -> Stations:
    """The stations, with every failpoint told to ``passed`` as it is passed."""
    return replace(
        stations,
        store=_Store(stations.store, passed),
        schedule=_Schedule(stations.schedule, passed),
        stage=_Stage(stations.stage, passed),
    )


def end_process() -> None:
    """Die at once: no handler runs, no buffer is written, no lease is handed back."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fuse:
    """Counts the passings of one failpoint and ends the process at the wanted one."""

    def __init__(self, at: Failpoint, end: Callable[[], None] = end_process) -> None:
        self._at = at
        self._left = at.passing
        self._end = end

    def __call__(self, name: str) -> None:
        """A failpoint is passed."""
        if name != self._at.name:
            return
        self._left -= 1
        if self._left == 0:
            log.warning("FAILPOINT: ends here, at %s", self._at)
            self._end()


def named(before: Story, change: Commit) -> str:
    """What a commit does, as STEPS calls it.

    Args:
        before: the state as it is stored.
        change: the commit.

    Raises:
        ValueError: this change has no name yet.
    """
    after = change.story
    if change.change is not None:
        return "edited"  # by a moderator: no step of the turn protocol, so it has no failpoint
    if before.phase is not after.phase:
        return _moved(before.phase, after.phase)
    if after.brief != before.brief:
        return "titled"
    if after.extended and not before.extended:
        return "extended"
    if change.turn is not None or change.writes:
        raise ValueError(f"no failpoint is named for this change in {after.phase}: {change}")
    said = {owed for owed in before.outbox if isinstance(owed, Notice)} - set(after.outbox)
    return "settled" if said else "rested"


def _moved(before: Phase, after: Phase) -> str:
    if after in (Phase.ENDED, Phase.PAUSED):
        return after.value
    if before is Phase.PAUSED:
        return "resumed"
    if (before, after) not in _CHANGES:
        raise ValueError(f"no failpoint is named for the way from {before} to {after}")
    return _CHANGES[before, after]


# ── the wrapped ports ────────────────────────────────────────────────────────────────────────────


@contextmanager
def _step(passed: Passed, name: str) -> Generator[None]:
    """One step: "after" isn't passed when it was refused."""
    passed(f"before {name}")
    yield
    passed(f"after {name}")


class _Store:
    """A StoryStore with failpoints."""

    def __init__(self, store: StoryStore, passed: Passed) -> None:
        self._store = store
        self._passed = passed

    async def create(self, story: Story, operation: str) -> bool:
        with _step(self._passed, "create story"):
            return await self._store.create(story, operation)

    async def current(self, channel: int) -> Story | None:
        return await self._store.current(channel)

    async def load(self, story: StoryId) -> Story:
        return await self._store.load(story)

    async def turn(self, story: StoryId, turn_id: str) -> Turn:
        return await self._store.turn(story, turn_id)

    async def commit(self, change: Commit) -> None:
        before = await self._store.load(change.story.id)
        if before.epoch != change.story.epoch:
            await self._store.commit(change)  # refused: somebody else has the story
            return
        with _step(self._passed, f"commit {named(before, change)}"):
            await self._store.commit(change)


class _Schedule:
    """A Schedule with failpoints."""

    def __init__(self, schedule: Schedule, passed: Passed) -> None:
        self._schedule = schedule
        self._passed = passed

    async def due(self, now: float, limit: int) -> list[StoryId]:
        return await self._schedule.due(now, limit)

    async def next_due(self) -> float | None:
        return await self._schedule.next_due()

    async def claim(self, story: StoryId, now: float, until: float, force: bool = False) -> Story:
        with _step(self._passed, "claim"):
            return await self._schedule.claim(story, now, until, force)

    async def renew(self, story: StoryId, epoch: int, until: float) -> None:
        with _step(self._passed, "renew"):
            await self._schedule.renew(story, epoch, until)

    async def in_phase(
        self, phase: Phase | None, after: StoryId | None, limit: int, guild: int | None = None
    ) -> list[StoryId]:
        return await self._schedule.in_phase(phase, after, limit, guild)

    async def guilds(self) -> frozenset[int]:
        return await self._schedule.guilds()


class _Stage:
    """A Stage with failpoints."""

    def __init__(self, stage: Stage, passed: Passed) -> None:
        self._stage = stage
        self._passed = passed

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
        with _step(self._passed, f"send {_KINDS[type(content)]}"):
            return await self._stage.send(channel, content, nonce, after)

    async def edit(self, channel: int, message: int, content: Content) -> None:
        with _step(self._passed, f"edit {_KINDS[type(content)]}"):
            await self._stage.edit(channel, message, content)

    async def delete(self, channel: int, message: int) -> None:
        with _step(self._passed, "delete message"):
            await self._stage.delete(channel, message)

    async def own_messages(self, channel: int, after: int) -> list[Posted]:
        return await self._stage.own_messages(channel, after)

    async def votes(self, channel: int, message: int, options: int) -> Votes:
        return await self._stage.votes(channel, message, options)

    async def signal(self, channel: int, ballot: int | None = None, options: int = 0) -> None:
        if ballot is None:
            await self._stage.signal(channel)
            return
        with _step(self._passed, "add reactions"):
            await self._stage.signal(channel, ballot, options)
