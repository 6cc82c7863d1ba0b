"""A model that writes on and on: the stream ends at a bound, and nothing beyond it is shown."""

import pytest

from core.domain.recurrence import longest_paragraph
from core.errors import NarratorUnavailableError
from tests.adapters.raw_llm_server import DONE, Reply, chunk, completion, for_ever, gives, streams
from tests.adapters.test_openai_narrator import CONTEXT, TEXT, Raw

LONGEST = longest_paragraph(CONTEXT.sentences)
ENDLESS = chunk("The sea sang. " * 20)
PAGES = "The sea sang. " * LONGEST


def whole() -> Reply:
    return streams(chunk(TEXT), chunk(finish="stop"), DONE)


async def test_an_endless_paragraph_ends_at_its_bound_and_is_written_anew() -> None:
    async with Raw(for_ever(ENDLESS), whole()) as (bench, server):
        written = await bench.write()
        assert written.text == TEXT
        assert len(server.requests) == 2
        assert max(map(len, bench.shown)) <= LONGEST
        assert len(bench.meter.charged) == 2, "what was cut off was paid for"
        assert server.hung_up.is_set(), "the endpoint needn't write on"


@pytest.mark.parametrize(
    "reply",
    [
        for_ever(ENDLESS),
        streams(chunk(PAGES), chunk(finish="stop"), DONE),
        gives(completion(PAGES)),
    ],
    ids=["streamed for ever", "in one piece", "not streamed"],
)
async def test_a_model_that_cannot_stop_gives_no_usable_paragraph(reply: Reply) -> None:
    async with Raw(reply, reply) as (bench, _):
        sentence = await bench.fails(NarratorUnavailableError, bench.write)
        assert f"far too long: more than {LONGEST:,} characters" in sentence
        assert all(len(text) <= LONGEST for text in bench.shown)
