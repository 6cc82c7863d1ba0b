"""A reply that is lost after the change was applied never applies it twice and never fails it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.redis_database import RedisDatabase
from core.adapters.redis_schedule import RedisSchedule
from core.adapters.redis_spend_ledger import RedisSpendLedger
from core.adapters.redis_story_store import RedisStoryStore
from core.domain.spending import PROCESS, Budgets, Reservation, Spent
from core.domain.story import Memory, Phase
from core.errors import FencedError, StoreUnavailableError
from core.ports import Commit
from tests.adapters.redis_proxy import Loss, LossyProxy
from tests.contracts.store_samples import DIMS, a_story, a_turn, an_entry

pytestmark = pytest.mark.redis

STORY = a_story(due=0.0)
CHANGE = Commit(
    "change",
    replace(STORY, memory=Memory("Mira waits.", 1)),
    writes=frozenset({"memory"}),
    turn=a_turn(),
    entries=(an_entry(),),
)
BOTH = pytest.mark.parametrize("loss", list(Loss))
REPEATS = 3


@pytest_asyncio.fixture
async def proxy(empty_redis: EmbeddedRedis, database: RedisDatabase) -> AsyncIterator[LossyProxy]:
    """A proxy in front of the prepared database."""
    assert database.shown == empty_redis.url
    async with LossyProxy(empty_redis.url) as running:
        yield running


@pytest_asyncio.fixture
async def behind(proxy: LossyProxy) -> AsyncIterator[RedisDatabase]:
    """A database reached through the proxy; it repeats at once."""
    opened = RedisDatabase(proxy.url, repeats_s=(0.0,) * REPEATS)
    await opened.prepare("test-embedder", DIMS)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def store(behind: RedisDatabase) -> RedisStoryStore:
    """A store with one story, its scripts known to the server."""
    store = RedisStoryStore(behind, DIMS)
    await store.create(STORY, "create")
    await store.commit(Commit("warm-up", STORY))
    return store


@BOTH
@pytest.mark.parametrize("times", [1, REPEATS])
async def test_a_commit_is_applied_once(
    store: RedisStoryStore, proxy: LossyProxy, loss: Loss, times: int
) -> None:
    """It succeeds, and applying it twice would have been refused as a conflict with itself."""
    proxy.lose(loss, b"EVALSHA", times)
    await store.commit(CHANGE)
    assert proxy.cuts == times
    assert (await store.load(STORY.id)).memory == Memory("Mira waits.", 1)
    assert await store.turn(STORY.id, "t1") == a_turn()


@BOTH
async def test_a_commit_without_any_answer_fails_and_can_be_repeated(
    store: RedisStoryStore, proxy: LossyProxy, loss: Loss
) -> None:
    """The attempts are bounded; the same change later succeeds, whether it was applied or not."""
    proxy.lose(loss, b"EVALSHA", REPEATS + 1)
    with pytest.raises(StoreUnavailableError, match="couldn't change story"):
        await store.commit(CHANGE)
    assert proxy.cuts == REPEATS + 1
    await store.commit(CHANGE)
    assert (await store.load(STORY.id)).memory == Memory("Mira waits.", 1)


@BOTH
async def test_a_creation_is_known_as_ones_own(
    store: RedisStoryStore, proxy: LossyProxy, loss: Loss
) -> None:
    """It doesn't take its own story for somebody else's."""
    await store.commit(Commit("end", replace(STORY, phase=Phase.ENDED, due=None)))
    proxy.lose(loss, b"EVALSHA")
    assert await store.create(a_story(serial=2), "create-2")
    assert proxy.cuts == 1


@BOTH
async def test_a_claim_raises_the_epoch_once(
    store: RedisStoryStore, behind: RedisDatabase, proxy: LossyProxy, loss: Loss
) -> None:
    """It is granted although the story isn't due any more, and its state is the stored one."""
    schedule = RedisSchedule(behind)
    await schedule.claim(STORY.id, 0.0, 0.0)
    proxy.lose(loss, b"EVALSHA")
    claimed = await schedule.claim(STORY.id, 1.0, 31.0)
    assert proxy.cuts == 1
    assert claimed.epoch == 2
    assert await store.load(STORY.id) == claimed


async def test_a_claim_that_somebody_followed_is_refused(
    store: RedisStoryStore, behind: RedisDatabase, proxy: LossyProxy, database: RedisDatabase
) -> None:
    """Granted, answer lost, taken over by force before it is repeated: it isn't granted again."""
    schedule, other = RedisSchedule(behind), RedisSchedule(database)
    await schedule.claim(STORY.id, 0.0, 0.0)

    async def take_over() -> None:
        await other.claim(STORY.id, 2.0, 32.0, force=True)

    proxy.after_cut = take_over
    proxy.lose(Loss.REPLY, b"EVALSHA")
    with pytest.raises(FencedError):
        await schedule.claim(STORY.id, 1.0, 31.0)
    assert (await store.load(STORY.id)).epoch == 3


@BOTH
async def test_a_renewal_a_reading_and_what_was_spent_survive(
    store: RedisStoryStore, behind: RedisDatabase, proxy: LossyProxy, loss: Loss
) -> None:
    """A renewed lease, a loaded story and the sum of a day are right after a cut connection."""
    schedule, ledger = RedisSchedule(behind), RedisSpendLedger(behind)
    await schedule.renew(STORY.id, 0, 5.0)
    aside = Reservation("call-1", "model", Spent(10, 4), "2026-11-23")
    await ledger.reserve(aside, Budgets())
    await ledger.settle(aside, Spent(15, 6), Budgets())
    aside = replace(aside, call="call-2")
    proxy.lose(loss, b"EVALSHA", 3)
    await schedule.renew(STORY.id, 0, 7.0)
    await ledger.reserve(aside, Budgets())
    await ledger.settle(aside, Spent(5, 2), Budgets())
    proxy.lose(loss, b"HGETALL")
    assert (await store.load(STORY.id)).due == 7.0
    proxy.lose(loss, b"FT.SEARCH")
    assert await schedule.due(7.0, 10) == [STORY.id]
    proxy.lose(loss, b"HMGET")
    assert await ledger.spent("2026-11-23", [PROCESS]) == [Spent(20, 8)]
    assert proxy.cuts == 6


async def test_nothing_is_repeated_by_the_client_itself(
    behind: RedisDatabase, proxy: LossyProxy
) -> None:
    """Redis-py sends a script once: with no repetitions of ours a lost reply is an error."""
    opened = RedisDatabase(proxy.url, repeats_s=())
    await opened.prepare("test-embedder", DIMS)
    store = RedisStoryStore(opened, DIMS)
    await store.create(STORY, "create")
    await store.commit(Commit("warm-up", STORY))
    proxy.lose(Loss.REPLY, b"EVALSHA")
    with pytest.raises(StoreUnavailableError):
        await store.commit(CHANGE)
    assert proxy.cuts == 1
    await opened.close()
