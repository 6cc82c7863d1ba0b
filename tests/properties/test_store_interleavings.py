"""Any interleaving of workers and a moderator leaves the fake store whole.

The same machine runs on Redis in tests/contracts/test_store_interleavings.py.
"""

from hypothesis import settings

from tests.contracts.store_machine import StoreMachine
from tests.contracts.store_samples import DIMS, Doors
from tests.fakes.erasure import FakeDepartures, FakeErasure
from tests.fakes.spend_ledger import FakeSpendLedger
from tests.fakes.store import (
    FakeArchive,
    FakeCensus,
    FakeMemorySearch,
    FakeSchedule,
    FakeStoryStore,
    StoreWorld,
)


class FakeMachine(StoreMachine):
    """The machine over the fakes."""

    async def open(self) -> Doors:
        world = StoreWorld(DIMS)
        return Doors(
            FakeStoryStore(world),
            FakeSchedule(world),
            FakeMemorySearch(world),
            FakeSpendLedger(world),
            FakeArchive(world),
            FakeCensus(world),
            FakeErasure(world),
            FakeDepartures(world),
        )


TestInterleavings = FakeMachine.TestCase
TestInterleavings.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
