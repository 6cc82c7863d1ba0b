"""Gives the entries of another embedder new vectors, in the background, while stories go on.

After EMBEDDINGS or EMBEDDING_MODEL was changed meaning finds nothing that was told before, and
words stand in for it (recall). Here the texts are embedded anew, a little at a time: of the stories
that somebody acts on next some of the newest entries each, round by round, then of all others. What
is done is told from what isn't by the entries themselves, so it can be ended at any point and goes
on at the next start. An outage, a refusal or a spent budget is waited for; none of them ends it.

How an entry is given its vector, and which ones lack it, is the store's business (StaleVectors).
"""

import logging
from math import inf

from core.domain.entries import fact_line
from core.domain.story import StoryId
from core.errors import (
    BudgetSpentError,
    EmbedderRefusedError,
    EmbedderUnavailableError,
    FencedError,
    StoreUnavailableError,
)
from core.ports import Clock, Embedder, Schedule, StaleEntry, StaleVectors

log = logging.getLogger(__name__)

LOOK_S = 60.0
"""How often it is asked whether there is something to do: entries may be brought from elsewhere."""
LIVE = 1000
"""Stories that are gone through by when somebody acts on them; the rest come behind them."""
IN_A_ROW = 200
"""Entries of one story before it is another one's turn: a long one must not hold up all others."""
FEWEST, MOST = 4, 64
"""Texts that are embedded at once."""
AIM_S = 0.25
"""How long that should take. A turn that wants an embedding from the same thread waits for it."""
OUTAGE_WAITS_S = (5.0, 30.0, 120.0, 600.0)
"""Waits while the embedder or Redis is away, by how often in a row that was so."""
REFUSED_WAIT_S = 1800.0
"""Wait after the embedder refused everything: somebody must act, perhaps without a restart."""
REPORT_S = 60.0
"""How often the log says how much is left."""
SAMPLE = "A lamp."
"""A text that every embedder takes: one that is refused too tells that all are."""


class Reembedding:
    """The re-embedding of one process.

    Attributes:
        left: entries that still lack a vector, as last counted; None before the first look.
    """

    def __init__(
        self, stale: StaleVectors, schedule: Schedule, embedder: Embedder, clock: Clock
    ) -> None:
        """See the class.

        Args:
            stale: the entries.
            schedule: says which stories are needed first.
            embedder: makes the vectors; what it costs is nobody's in particular.
            clock: measures and waits.
        """
        self.left: int | None = None
        self._stale = stale
        self._schedule = schedule
        self._embedder = embedder
        self._clock = clock
        self._at_once = FEWEST
        self._failed = 0
        self._reported_at = 0.0
        self._passed_over: set[StaleEntry] = set()
        self._given_up = 0
        self._announced = False

    async def run(self) -> None:
        """Look for such entries and give them vectors, until cancelled."""
        while True:
            try:
                await self._renew_all()
                wait_s = LOOK_S
            except FencedError as error:
                log.warning("the long-term memory isn't re-embedded any more: %s", error)
                return
            except BudgetSpentError as error:
                wait_s = max(LOOK_S, error.until - self._clock.now())
                log.warning("re-embedding waits until tomorrow's budget: %s", error)
            except (EmbedderUnavailableError, StoreUnavailableError) as error:
                wait_s = OUTAGE_WAITS_S[min(self._failed, len(OUTAGE_WAITS_S) - 1)]
                log.log(logging.INFO if self._failed else logging.WARNING, "%s", _waits(error))
                self._failed += 1
            except EmbedderRefusedError as error:
                wait_s = REFUSED_WAIT_S
                log.error("%s", _waits(error))  # noqa: TRY400 - says it all
            except Exception:
                wait_s = OUTAGE_WAITS_S[-1]
                log.exception("re-embedding met a fault, and is tried again later")
            await self._clock.sleep(wait_s)

    async def _renew_all(self) -> None:
        """Round by round, until nothing is left that can be given a vector."""
        left = self.left = await self._stale.count()
        if not left:
            return
        if left != self._given_up and not self._announced:
            self._announced = True
            log.info(
                "%d entries of the long-term memory have no vectors of %s: they are found by words"
                " only, and re-embedded in the background",
                *(left, self._embedder.name),
            )
        self._reported_at = self._clock.monotonic()
        whole: set[StoryId] = set()
        while await self._round(whole):
            pass
        left = self.left = await self._stale.count()
        if self._announced:
            log.info("re-embedding is done; %d entries stay without a vector", left)
        self._announced, self._given_up = False, left

    async def _round(self, whole: set[StoryId]) -> int:
        """Some entries of each story, those that are needed next first; gives how many were done.

        Args:
            whole: the stories that lack nothing any more; grows.
        """
        done = 0
        for story in await self._schedule.due(inf, LIVE):
            if story in whole:
                continue
            renewed = await self._renew_some(story)
            if renewed < IN_A_ROW:
                whole.add(story)
            done += renewed
        return done + await self._renew_some(None)

    async def _renew_some(self, story: StoryId | None) -> int:
        done = 0
        while done < IN_A_ROW:
            page = await self._stale.some(story, self._at_once + len(self._passed_over))
            batch = [entry for entry in page if entry not in self._passed_over][: self._at_once]
            if not batch:
                break
            await self._renew(batch)
            done += len(batch)
            await self._report()
        return done

    async def _renew(self, batch: list[StaleEntry]) -> None:
        """Give each a vector; one whose text is refused is passed over from now on."""
        began = self._clock.monotonic()
        try:
            vectors = await self._embedder.embed([fact_line(one.about, one.text) for one in batch])
        except EmbedderRefusedError as error:
            await self._embedder.embed([SAMPLE])
            await self._find_refused(batch, error)
            return
        # What reads differently by now got its vector with its new text. Should the same entry
        # come up once more, it can't be written, and is passed over.
        self._passed_over |= set(await self._stale.renew(list(zip(batch, vectors, strict=True))))
        self._failed = 0
        took_s = self._clock.monotonic() - began
        self._at_once = _paced(self._at_once, took_s)
        # As much time as it took is left to the stories.
        await self._clock.sleep(took_s)

    async def _find_refused(self, batch: list[StaleEntry], error: EmbedderRefusedError) -> None:
        if len(batch) > 1:
            for one in batch:
                await self._renew([one])
            return
        [entry] = batch
        self._passed_over.add(entry)
        log.warning(
            "entry %s of story %s stays without a vector: %s",
            *(entry.id, entry.story, error.in_full),
        )

    async def _report(self) -> None:
        now = self._clock.monotonic()
        if now - self._reported_at >= REPORT_S:
            self._reported_at = now
            self.left = await self._stale.count()
            log.info("re-embedding: %d entries are left", self.left)


def _paced(at_once: int, took_s: float) -> int:
    """How many texts to embed at once, so that it takes about AIM_S."""
    if took_s > 2 * AIM_S:
        return max(FEWEST, at_once // 2)
    return min(MOST, at_once * 2) if took_s < AIM_S / 2 else at_once


def _waits(error: EmbedderUnavailableError | EmbedderRefusedError | StoreUnavailableError) -> str:
    said = error if isinstance(error, StoreUnavailableError) else error.in_full
    return f"re-embedding waits: {said}"
