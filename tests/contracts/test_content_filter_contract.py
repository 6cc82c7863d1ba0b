"""What every ContentFilter promises, held by the fake and by the one over an endpoint."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from core.adapters.openai_client import openai_client
from core.adapters.openai_content_filter import PART_UNITS, PARTS_PER_REQUEST, OpenAIContentFilter
from core.domain.content import Verdict
from core.errors import FilterError, FilterRefusedError, FilterUnavailableError
from core.ports import ContentFilter
from tests.e2e.moderation_endpoint import MODEL, ModerationEndpoint
from tests.fakes.clock import FakeClock
from tests.fakes.content_filter import FakeContentFilter

GORE, LUST = "a wound told at length", "a bed told at length"
FLAGS = {GORE: {"violence", "violence/graphic"}, LUST: {"sexual"}}


def flags(text: str) -> set[str]:
    return {name for words, names in FLAGS.items() if words in text for name in names}


@dataclass(frozen=True)
class Door:
    """A filter, and how it is made to fail: for good or for a while."""

    filter: ContentFilter
    fail: Callable[[bool], None]


@pytest.fixture(params=["fake", "openai"])
async def door(request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """What the suite runs on."""
    clock = FakeClock()
    if request.param == "fake":
        fake = FakeContentFilter(clock)
        fake.flags = flags

        def fail(final: bool) -> None:
            kind = FilterRefusedError if final else FilterUnavailableError
            fake.fail = lambda _name: kind("It failed.")

        yield Door(fake, fail)
        return
    async with (
        ModerationEndpoint(flags) as endpoint,
        openai_client("any", endpoint.base_url) as client,
    ):

        def break_down(final: bool) -> None:
            endpoint.failing = 401 if final else 503

        yield Door(OpenAIContentFilter(client, MODEL, clock), break_down)


async def test_a_filter_that_works_passes_its_check(door: Door) -> None:
    await door.filter.check()
    await door.filter.check()


@pytest.mark.parametrize("texts", [[], [""], ["  \n "], ["It rained."], ["One.", "Two.", ""]])
@pytest.mark.parametrize("adults", [False, True])
async def test_harmless_texts_are_fine(door: Door, texts: list[str], adults: bool) -> None:
    """Also none at all."""
    assert await door.filter.judge(texts, adults=adults) == Verdict()


async def test_the_rules_of_the_channel_decide(door: Door) -> None:
    """The same text is refused among everybody and fine among adults."""
    assert await door.filter.judge([GORE], adults=False) == Verdict(("violence/graphic",))
    assert await door.filter.judge([GORE], adults=True) == Verdict()


async def test_several_texts_are_looked_at_as_one(door: Door) -> None:
    verdict = await door.filter.judge(["It rained.", LUST, "Then.", GORE], adults=False)
    assert verdict == Verdict(("sexual", "violence/graphic"))


@pytest.mark.parametrize("place", [0, 1, PARTS_PER_REQUEST // 2, PARTS_PER_REQUEST * 2])
async def test_a_long_text_is_looked_at_to_its_end(door: Door, place: int) -> None:
    """Wherever in it something is told: in the first part or in the last, of however many."""
    quiet = "It rained on the roof. " * (PART_UNITS // 24)
    told = f"{quiet * place}{LUST}. {quiet * (PARTS_PER_REQUEST * 2 - place)}"
    assert await door.filter.judge([told], adults=False) == Verdict(("sexual",))


@pytest.mark.parametrize("text", ["\ud800 alone", "\x00 and \x1b", "光" * 9000, "e\u0301" * 5000])
async def test_any_text_can_be_shown(door: Door, text: str) -> None:
    assert await door.filter.judge([text], adults=False) == Verdict()


@pytest.mark.parametrize(
    ("final", "kind"), [(True, FilterRefusedError), (False, FilterUnavailableError)]
)
async def test_a_filter_that_cannot_look_never_says_fine(
    door: Door, final: bool, kind: type[FilterError]
) -> None:
    """It raises what says whether another try can help."""
    door.fail(final)
    with pytest.raises(kind) as caught:
        await door.filter.judge(["It rained."], adults=True)
    assert caught.value.retryable is not final
    with pytest.raises(kind):
        await door.filter.check()
