"""Looks at an embedder: does it answer, how long are its vectors, are they those of the memory.

It is asked for the vectors of two short texts, as for a turn's summary; an endpoint may take some
ten tokens for that. Which embedder it is, and what the memory was made with, others know.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from core.adapters.openai_checkup import failed
from core.adapters.redis_records_checkup import Remembered
from core.adapters.redis_vectors import BYTES_PER_NUMBER, VectorSpace
from core.domain.checkup import Area, Finding, Topic, many
from core.errors import EmbedderError
from core.ports import Embedder

Findings = AsyncGenerator[Finding, None]
Memory = Callable[[VectorSpace], Awaitable[Remembered | None]]
"""What the memory is made of, seen by an embedder; raises NotLookedAtError where nobody knows."""

_FIRST = "The keeper hears the sea."
_SECOND = "In turn 12 the keeper found the ledger below the tide line, and one page was cut out."


class EmbedderCheckup:
    """Looks at one embedder.

    Args:
        embedder: whoever made it closes it.
        memory: what the memory is made of.
    """

    def __init__(self, embedder: Embedder, memory: Memory) -> None:
        self._embedder = embedder
        self._memory = memory

    async def look(self) -> Findings:
        """Its vectors, then whether they fit the memory."""
        topic = Topic(Area.EMBEDDINGS, "vectors")
        began = time.perf_counter()
        try:
            [vector] = await self._embedder.embed([_FIRST])
            ready_s = time.perf_counter() - began
            await self._embedder.embed([_SECOND])
        except EmbedderError as error:
            yield failed(topic, "", error)
            return
        took_s = time.perf_counter() - began - ready_s
        dims = len(vector) // BYTES_PER_NUMBER
        yield topic.ok(
            f"{self._embedder.name}: {dims} numbers each; the first took {ready_s:.1f} s, the "
            f"next {took_s * 1000:.0f} ms"
        )
        yield await self._fits(VectorSpace(self._embedder.name, dims))

    async def _fits(self, vectors: VectorSpace) -> Finding:
        topic = Topic(Area.EMBEDDINGS, "memory")
        memory = await self._memory(vectors)
        if memory is None or not memory.entries:
            return topic.ok("the memory is empty; these vectors will be its first")
        if memory.waiting:
            made_by = "" if memory.made_by == vectors else f"; it was made by {memory.made_by}"
            return topic.warning(
                f"{memory.waiting:,} of {many(memory.entries, 'entry', 'entries')} of the memory "
                f"have no vector of {vectors.name} yet{made_by}",
                "Let the bot run: it makes them while stories go on; till then words find them.",
            )
        return topic.ok(f"the memory was made with it ({many(memory.entries, 'entry', 'entries')})")
