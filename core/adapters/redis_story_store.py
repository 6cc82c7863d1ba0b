"""The StoryStore port on Redis: what a change of a story means in guards and records.

How it is written is redis_commit's business, what stands in the records redis_schema's.
"""

from core.adapters import redis_keys as keys
from core.adapters.redis_commit import GuardedWrite, Moved, apply, create
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_schema import (
    VERSIONED,
    Record,
    encode_change,
    entry_fields,
    identity_fields,
    read_story,
    read_turn,
    state_fields,
    turn_fields,
    version_of,
    versioned_fields,
)
from core.adapters.redis_vectors import check_length
from core.domain.story import Story, StoryId, Turn
from core.errors import ConflictError, FencedError, NoStoryError, RecordError
from core.ports import Commit


class RedisStoryStore:
    """Stories and their turns in Redis.

    Args:
        database: prepared; stays open.
        dims: numbers per vector of a memory entry.
    """

    def __init__(self, database: RedisDatabase, dims: int) -> None:
        self._database = database
        self._dims = dims

    async def create(self, story: Story, operation: str) -> bool:
        """See StoryStore."""
        channel, serial = story.id.channel, story.id.serial
        record = {**identity_fields(story), **state_fields(story)}
        for name in VERSIONED:
            record |= versioned_fields(story, name)
        last = StoryId(channel, serial - 1) if serial > 1 else story.id
        return await create(
            self._database,
            pointer=keys.current(channel),
            last=keys.story(last),
            story=keys.story(story.id),
            importing=(keys.importing(last), keys.importing(story.id)),
            serial=serial,
            operation=operation,
            record=record,
        )

    async def current(self, channel: int) -> Story | None:
        """See StoryStore."""
        serial = await self._database.string(keys.current(channel))
        if serial is None:
            return None
        try:
            return await self.load(StoryId(channel, int(serial)))
        except NoStoryError:
            return None  # It was purged between the two readings.

    async def load(self, story: StoryId) -> Story:
        """See StoryStore."""
        key = keys.story(story)
        return stored_story(story, await self._database.hash(key))

    async def turn(self, story: StoryId, turn_id: str) -> Turn:
        """See StoryStore."""
        key = keys.turn(story, turn_id)
        record = await self._database.hash(key)
        if not record:
            raise RecordError(f"There is no record {key}.")
        return read_turn(key, texts(record))

    async def commit(self, change: Commit) -> None:
        """See StoryStore."""
        moved = await apply(self._database, self._write(change), f"change story {change.story.id}")
        if moved is not None:
            raise refusal(change.story, moved)

    def _write(self, change: Commit) -> GuardedWrite:
        story = change.story
        return GuardedWrite(
            story=keys.story(story.id),
            operation=keys.operation(story.id.channel, change.operation),
            guards=_guards(change),
            records=self._records(change),
            gone=("due",) if change.holds and story.due is None else (),
            appended=_logged(change),
            deleted=tuple(keys.memory(story.id, entry) for entry in change.forgets),
            # Or the vector that another embedder made of what it said before would stay with it.
            replaced=frozenset(keys.memory(story.id, entry.id) for entry in change.entries),
        )

    def _records(self, change: Commit) -> dict[str, Record]:
        story = change.story
        own: Record = state_fields(story) if change.holds else {}
        for name in sorted(change.writes):
            own = {**own, **versioned_fields(story, name)}
        records: dict[str, Record] = {keys.story(story.id): own} if own else {}
        if (turn := change.turn) is not None:
            records[keys.turn(story.id, turn.id)] = turn_fields(turn)
            place = keys.turn_place(turn.branch, turn.number)
            records[keys.turns(story.id)] = {place: turn.id.encode()}
        for entry in change.entries:
            check_length(entry.vector, self._dims)
            records[keys.memory(story.id, entry.id)] = entry_fields(
                story.id, entry, self._database.vectors
            )
        return records


def texts(record: dict[bytes, bytes]) -> Record:
    """A hash as it comes from Redis, its field names as text."""
    return {name.decode(): value for name, value in record.items()}


def stored_story(story: StoryId, record: dict[bytes, bytes]) -> Story:
    """The story in a hash; NoStoryError for an empty one."""
    if not record:
        raise NoStoryError(f"There is no story {story}.")
    return read_story(keys.story(story), texts(record))


def _logged(change: Commit) -> dict[str, bytes]:
    if change.change is None:
        return {}
    return {keys.changes(change.story.id): encode_change(change.change)}


def _guards(change: Commit) -> dict[str, bytes]:
    if unknown := (change.writes | change.expects.keys()) - set(VERSIONED):
        raise ValueError(f"{min(unknown)!r} has no version; one of {', '.join(VERSIONED)} has")
    expected = {name: version_of(change.story, name) - 1 for name in change.writes}
    wanted = {**change.expects, **expected}
    versions = {f"{name}_v": str(wanted[name]).encode() for name in sorted(wanted)}
    held = {"epoch": str(change.story.epoch).encode()} if change.holds else {}
    return {**held, **versions}


def refusal(story: Story, moved: Moved) -> FencedError | ConflictError:
    """What a refused guard means."""
    if moved.actual is None:
        return FencedError(f"Story {story.id} is gone.")
    if moved.field == "epoch":
        return FencedError(
            f"Story {story.id} was taken over: its epoch is {moved.actual}, ours was {story.epoch}."
        )
    name = moved.field.removesuffix("_v")
    return ConflictError(
        f"The {name} of story {story.id} was changed meanwhile (version {moved.actual}).", name
    )
