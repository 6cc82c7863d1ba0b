"""The Schedule port on Redis: due stories are found by a query, claimed and renewed by scripts.

Nothing is kept beside the stories themselves, so no list can be lost. A claim carries a mark of its
own, so that one whose answer was lost is recognised when it is repeated, as long as nobody else has
claimed the story since. It waits for the disk: a server that forgot an epoch would give it twice.
"""

import logging
import secrets
from collections.abc import Mapping

from redisvl.query import FilterQuery
from redisvl.query.filter import FilterExpression, Num

from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase, Reply, Script
from core.adapters.redis_schema import matching, order_of, read_story_id, time_field
from core.adapters.redis_story_store import stored_story
from core.domain.story import Phase, Story, StoryId
from core.errors import FencedError, NoStoryError, RecordError

log = logging.getLogger(__name__)

_PAGE = 1000
"""Stories asked for at a time where all are read."""

# KEYS: the story, the claim's mark. ARGV: now, until, force (1 or 0), lifetime of the mark.
_CLAIM = Script("""
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then return {'missing'} end
local given = redis.call('GET', KEYS[2])
if given then
  if given ~= epoch then return {'refused'} end
  redis.call('EXPIRE', KEYS[2], ARGV[4])
  return {'claimed', redis.call('HGETALL', KEYS[1])}
end
local due = redis.call('HGET', KEYS[1], 'due')
if ARGV[3] == '0' and (not due or tonumber(due) > tonumber(ARGV[1])) then return {'refused'} end
epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'due', ARGV[2])
redis.call('SET', KEYS[2], epoch, 'EX', ARGV[4])
return {'claimed', redis.call('HGETALL', KEYS[1])}
""")

# KEYS: the story. ARGV: the epoch, until.
_RENEW = Script("""
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'due', ARGV[2])
return 1
""")


class RedisSchedule:
    """Due times, claims and leases of the stories in Redis.

    Args:
        database: prepared; stays open.
    """

    def __init__(self, database: RedisDatabase) -> None:
        self._database = database
        self._unreadable: set[str] = set()

    async def due(self, now: float, limit: int) -> list[StoryId]:
        """See Schedule."""
        return [story for story, _ in await self._by_due(Num("due") <= now, limit)]

    async def next_due(self) -> float | None:
        """See Schedule."""
        anything = FilterExpression("@due:[-inf +inf]")
        return next((due for _, due in await self._by_due(anything, 1)), None)

    async def claim(self, story: StoryId, now: float, until: float, force: bool = False) -> Story:
        """See Schedule. Raises NoStoryError when there is no such story."""
        mark = keys.claim(story.channel, secrets.token_hex(16))
        answer = await self._database.script(
            _CLAIM,
            [keys.story(story), mark],
            [time_field(now), time_field(until), int(force), keys.CLAIM_LIFETIME_S],
            doing=f"claim story {story}",
            on_disk=True,
        )
        match answer:
            case [b"claimed", list(fields)]:
                return stored_story(story, _pairs(fields))
            case [b"missing"]:
                raise NoStoryError(f"There is no story {story}.")
            case _:
                raise FencedError(f"Story {story} isn't due: somebody else has it, or nobody must.")

    async def renew(self, story: StoryId, epoch: int, until: float) -> None:
        """See Schedule."""
        answer = await self._database.script(
            _RENEW,
            [keys.story(story)],
            [epoch, time_field(until)],
            doing=f"renew the lease of story {story}",
        )
        if answer != 1:
            raise FencedError(f"Story {story} was taken over: its epoch isn't {epoch} any more.")

    async def in_phase(
        self, phase: Phase | None, after: StoryId | None, limit: int, guild: int | None = None
    ) -> list[StoryId]:
        """See Schedule."""
        wanted = FilterExpression("*")
        if phase is not None:
            wanted &= matching("phase", phase.value)
        if guild is not None:
            wanted &= matching("guild", str(guild))
        hits = await self._in_order(wanted, after, limit)
        return [story for hit in hits if (story := self._story_of(hit))]

    async def guilds(self) -> frozenset[int]:
        """See Schedule."""
        every, found = FilterExpression("*"), set[int]()
        after: StoryId | None = None
        while page := await self._in_order(every, after, _PAGE):
            found |= {int(hit["guild"]) for hit in page if "guild" in hit}
            read = [story for hit in page if (story := self._story_of(hit))]
            if len(page) < _PAGE or not read:
                break
            after = read[-1]
        return frozenset(found)

    async def _in_order(
        self, wanted: FilterExpression, after: StoryId | None, limit: int
    ) -> list[dict[str, str]]:
        """Stories in the order of their ids, those above ``after``."""
        if limit <= 0:
            return []
        query = FilterQuery(
            filter_expression=wanted if after is None else wanted & _above(after),
            return_fields=["story", "guild"],
            num_results=limit,
            sort_by="order",
        )
        return await self._database.search(keys.STORIES_INDEX, query)

    async def _by_due(self, wanted: FilterExpression, limit: int) -> list[tuple[StoryId, float]]:
        if limit <= 0:
            return []
        query = FilterQuery(
            filter_expression=wanted,
            return_fields=["story", "due"],
            num_results=limit,
            sort_by="due",
        )
        hits = await self._database.search(keys.STORIES_INDEX, query)
        # A story that was claimed or closed between the search and its answer has no due any more.
        return [
            (story, float(hit["due"]))
            for hit in hits
            if "due" in hit and (story := self._story_of(hit))
        ]

    def _story_of(self, hit: Mapping[str, str]) -> StoryId | None:
        """The story of a hit; None for a record that can't be read, which is said once.

        One broken record must not keep the wheel from all the others.
        """
        written = hit.get("story", "")
        try:
            return read_story_id(written)
        except RecordError as error:
            if written not in self._unreadable:
                self._unreadable.add(written)
                log.warning("a story is passed over: %s", error)
            return None


def _above(story: StoryId) -> FilterExpression:
    """Stories whose id is greater: compared part by part, each exact as a double."""
    high, low, serial = order_of(story)
    same_channel = (Num("channel_high") == high) & (Num("channel_low") == low)
    return (
        (Num("channel_high") > high)
        | ((Num("channel_high") == high) & (Num("channel_low") > low))
        | (same_channel & (Num("serial") > serial))
    )


def _pairs(fields: list[Reply]) -> dict[bytes, bytes]:
    """A hash inside a script's answer: names and values by turns."""
    values = [value for value in fields if isinstance(value, bytes)]
    if len(values) != len(fields) or len(values) % 2:
        raise RecordError("A story's hash came back incomplete.")
    return dict(zip(values[::2], values[1::2], strict=True))
