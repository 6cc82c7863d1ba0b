"""Every fault of a model at every call, as one table: what a whole story makes of it.

A cell says what becomes of the story when the fault comes once, and when it comes at each request:

    on(n)     nothing is said; the turn is told after n requests
    waits(n)  after n requests the channel reads one sentence (OUTAGE); later it goes on by itself
    stops(n)  after n requests the channel reads why, and that /story resume tries again

In the last two the story is paused in the phase of the call, and nothing else has changed: memory,
lineage and plan are those of the turn before, and of a paragraph without its text nothing is left
in the channel. Once the model is well again each story tells its turn, once.

A fourth call asks for other plans, where those of a reflection were too much alike. It meets the
same faults as a reflection, and costs as many requests, but no fault of it is said or waited for:
the plans that are there stand (see ``columns``).

All stories of a world are told side by side. What single requests do stands in tests/adapters, how
often a whole turn may ask in tests/core/services/test_allowance.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pytest
import pytest_asyncio

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters.openai_client import Limits
from core.domain.recurrence import MEMORY_SENTENCES
from core.domain.story import PauseCause, Phase, Story
from core.domain.text import sentences
from core.services.turns import OUTAGE, OUTAGE_WAITS_S
from tests.adapters.raw_llm_server import Reply, error, gives
from tests.adapters.redis_raw import raw_client
from tests.e2e.endpoint import Asked, Kind
from tests.e2e.model_faults import FAULTS, REPEATS, SECRETS, alike
from tests.e2e.world import World, opened, text_of
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.scaled_clock import ScaledClock

pytestmark = pytest.mark.redis

SENTENCES = 3
CHOICE = 2
"""The plan that wins each vote."""
QUICK = Limits(pause_s=0.05)
SHORT = Limits(pause_s=0.05, first_text_s=1.5, idle_s=1.5, reflect_s=1.5)
"""For the answers that don't come. Long beside what a good one takes, even on a busy machine."""
WEEK_S = 604_800
"""Nobody's vote closes by itself, however often the clock is set forward."""


@dataclass(frozen=True)
class Ends:
    """What becomes of a story: see the module."""

    requests: int
    phase: Phase
    says: str = ""


def on(requests: int) -> Ends:
    return Ends(requests, Phase.VOTING)


def waits(requests: int) -> Ends:
    return Ends(requests, Phase.PAUSED, OUTAGE)


def stops(requests: int, sentence: str) -> Ends:
    return Ends(requests, Phase.PAUSED, f"{sentence} /story resume tries again.")


CREDIT = "The narrator's account has no credit left: top it up, or change OPENAI_API_KEY."
REFUSED_KEY = (
    "The narrator refused the key: check OPENAI_API_KEY, and that it may use NARRATOR_MODEL "
    "'story-model'."
)
BAD_REQUEST = (
    "The narrator refused the request (status 400): check NARRATOR_MODEL 'story-model' and "
    "OPENAI_BASE_URL."
)
CONTENT = (
    "The narrator's model 'story-model' refused this content: change the plan or the last "
    "paragraph, or set NARRATOR_MODEL to another model."
)

Cell = tuple[Ends | None, Ends | None] | None
"""The fault once, and for ever; None where a call can't meet it, or where the other says it all."""
Table = Mapping[str, Sequence[Cell]]

AGAIN_2, AGAIN_4 = (on(2), waits(2)), (on(2), waits(4))
"""Worth another request: two for a paragraph, four for JSON, in all."""
RE_ASKED = (on(2), waits(2))
"""Unusable JSON: one more request, with what is wrong."""
AT_ONCE = (waits(1), None)
"""Another request makes no sense before the story has waited."""
FINE = (None, on(1))


def never(requests: int, sentence: str) -> Cell:
    """No request mends it."""
    return None, stops(requests, sentence)


TABLE: Table = {
    # fault                             opening     paragraph   reflection
    "429": (AGAIN_4, AGAIN_2, AGAIN_4),
    "429, Retry-After a moment": (AGAIN_4, AGAIN_2, AGAIN_4),
    "429, Retry-After an hour": (AT_ONCE, AT_ONCE, AT_ONCE),
    "429, Retry-After nonsense": (AGAIN_4, AGAIN_2, AGAIN_4),
    "429, Retry-After a date gone by": (AGAIN_4, AGAIN_2, AGAIN_4),
    "429, Retry-After a date far off": (AT_ONCE, AT_ONCE, AT_ONCE),
    "429, no quota": (never(1, CREDIT), never(1, CREDIT), never(1, CREDIT)),
    "401, key refused": (never(1, REFUSED_KEY), never(1, REFUSED_KEY), never(1, REFUSED_KEY)),
    "400": (never(3, BAD_REQUEST), never(1, BAD_REQUEST), never(3, BAD_REQUEST)),
    "500": (AGAIN_4, AGAIN_2, AGAIN_4),
    "502": (AGAIN_4, AGAIN_2, AGAIN_4),
    "503": (AGAIN_4, AGAIN_2, AGAIN_4),
    "504": (AGAIN_4, AGAIN_2, AGAIN_4),
    "no answer but a reset": (AGAIN_4, AGAIN_2, AGAIN_4),
    "disconnect half-way": (AGAIN_4, AGAIN_2, AGAIN_4),
    "silent end": (AGAIN_4, AGAIN_2, AGAIN_4),
    "ends for tool calls": (AGAIN_4, AGAIN_2, AGAIN_4),
    "cut off at its length": (RE_ASKED, AGAIN_2, RE_ASKED),
    "breaks off in a sentence": (RE_ASKED, AGAIN_2, RE_ASKED),
    "error inside a 200": (AGAIN_4, AGAIN_2, AGAIN_4),
    "HTML with 200": (AGAIN_4, AGAIN_2, AGAIN_4),
    "corrupt chunk": (AGAIN_4, AGAIN_2, AGAIN_4),
    "content filter": (never(1, CONTENT), never(1, CONTENT), never(1, CONTENT)),
    "refusal": (never(1, CONTENT), never(1, CONTENT), never(1, CONTENT)),
    "empty text": (RE_ASKED, AGAIN_2, RE_ASKED),
    "in fences": (FINE, FINE, FINE),
    "with thoughts": (FINE, FINE, FINE),
    "two plans": (None, None, RE_ASKED),
    "memory of 60 sentences": (None, None, FINE),
    "no facts": (None, None, RE_ASKED),
    "facts in a sentence": (None, None, RE_ASKED),
    "a fact without words": (None, None, RE_ASKED),
    "a fact that is no object": (None, None, RE_ASKED),
    "facts that end what nobody knows": (None, None, FINE),
    "too many facts": (None, None, FINE),
    REPEATS: (None, AGAIN_2, None),
}
SLOW_TABLE: Table = {
    "not a byte": (AGAIN_4, AGAIN_2, AGAIN_4),
    "only keep-alives": (AGAIN_4, AGAIN_2, AGAIN_4),
    "stall half-way": (AGAIN_4, AGAIN_2, AGAIN_4),
    "slow first text": (FINE, FINE, FINE),
}

OF_THE_REST = ("memory", "fact")
"""Faults of what only a reflection holds beside its plans."""


def columns(fault: str, row: Sequence[Cell]) -> Mapping[Kind, Cell]:
    """A row with its fourth cell: other plans are asked for like a reflection, and never missed."""
    *_, reflection = row
    if reflection is None or any(part in fault for part in OF_THE_REST):
        return dict(zip(Kind, (*row, None), strict=True))
    once, for_ever = (ends and on(ends.requests) for ends in reflection)
    return dict(zip(Kind, (*row, (once, for_ever)), strict=True))


# ── how it is told ───────────────────────────────────────────────────────────────────────────────

PATIENCE_S, LOOK_S = 120.0, 0.1
"""Many stories share one machine here."""
SIDE_BY_SIDE = 60
"""Stories of one world: so many come to rest before the first of them has waited out its outage."""

Place = tuple[str, Kind, bool]
"""A cell: fault, call, and whether the fault is for ever."""
Route = Sequence[Place | None]
"""What a story meets, turn by turn; None for a turn without a fault."""


@dataclass(frozen=True)
class Seen:
    """A story at rest: what its channel shows, what is stored, what it asked for in this turn."""

    story: Story
    requests: int
    said: list[str]
    told: list[str]
    shown: str
    remembered: int


class Tale:
    """One story that meets faults, turn by turn.

    Attributes:
        route: what it meets.
        seen: of each cell how the story came to rest, and how it went on.
    """

    def __init__(self, world: World, word: str, route: Route) -> None:
        self._world = world
        self._word = word
        self._channel = world.guild.create_text_channel(word.lower())
        self.route = route
        self.seen: dict[Place, tuple[Seen, Seen]] = {}

    async def tell(self, number: int, asking: asyncio.Lock, well: asyncio.Barrier) -> None:
        """Tell a turn as far as it goes, and to its end once all models are well again."""
        place = self.route[number - 1]
        if place is not None:
            fault, kind, for_ever = place
            if kind is Kind.PLANS:
                self._world.endpoint.spoil(self._word, Kind.REFLECTION, alike, 1)
            self._world.endpoint.spoil(self._word, kind, FAULTS[fault], None if for_ever else 1)
        async with asking:  # SimCord takes one command at a time.
            await self._ask(number)
        try:
            at_rest = await self._rest(number, place)
        except BaseException as error:
            error.add_note(f"{self._word}: {place}: {await self._world.story(self._channel)}")
            await well.abort()  # Or the others would wait for it.
            raise
        if await well.wait() == 0:
            self._world.endpoint.mend()
            self._world.clock.leap(OUTAGE_WAITS_S[0])
        await well.wait()
        if at_rest.story.pause is not None and at_rest.story.pause.until is None:
            async with asking:
                await self._world.ask(self._world.mira, "story resume", self._channel)
        later = await self._rest(number, place, Phase.VOTING)
        await self._world.check_told_once(self._channel)
        if place is not None:
            self.seen[place] = at_rest, later

    async def _ask(self, number: int) -> None:
        mira, channel = self._world.mira, self._channel
        if number == 1:
            premise = f"{self._word} looks for a door."
            rules = {"sentences": SENTENCES, "vote_seconds": WEEK_S}
            await self._world.ask(mira, "story start", channel, premise=premise, **rules)
        else:
            await self._world.vote(CHOICE, self._world.members[0], channel)
            await self._world.ask(mira, "story close", channel)

    async def _rest(self, number: int, place: Place | None, *phases: Phase) -> Seen:
        """Wait until it rests in this turn: voting on it, or paused."""
        async with asyncio.timeout(PATIENCE_S):
            story = await self._world.story(self._channel)
            while not self._rests(story, number, phases):
                await asyncio.sleep(LOOK_S)
                story = await self._world.story(self._channel)
        kind = place[1] if place else None
        said = self._world.said(self._channel)
        return Seen(
            story=story,
            requests=len(self._world.endpoint.of(self._word, kind, number)),
            said=[sentence.removeprefix("-# ").replace("\\", "") for sentence in said],
            told=self._world.told(self._channel),
            shown="\n".join(text_of(message) for message in self._world.shown(self._channel)),
            remembered=await self._world.remembered(self._channel),
        )

    def _rests(self, story: Story, number: int, phases: tuple[Phase, ...]) -> bool:
        at = number if story.phase is Phase.VOTING else number - 1
        wanted = phases or (Phase.VOTING, Phase.PAUSED)
        return story.phase in wanted and story.head_number == at and not story.outbox


async def tell_all(world: World, routes: Iterable[Route]) -> dict[Place, tuple[Seen, Seen]]:
    """Tell stories side by side and turn by turn."""
    tales = [Tale(world, f"Ormsay{number}", turns) for number, turns in enumerate(routes, start=1)]
    asking = asyncio.Lock()
    for number in range(1, max(len(tale.route) for tale in tales) + 1):
        under_way = [tale for tale in tales if len(tale.route) >= number]
        if under_way:
            well = asyncio.Barrier(len(under_way))
            await asyncio.gather(*(tale.tell(number, asking, well) for tale in under_way))
    return {place: seen for tale in tales for place, seen in tale.seen.items()}


def cells(table: Table) -> Iterator[tuple[Place, Ends]]:
    """The cells that say something, in their order."""
    for fault, row in table.items():
        for kind, cell in columns(fault, row).items():
            for for_ever, ends in zip((False, True), cell or (None, None), strict=True):
                if ends is not None:
                    yield (fault, kind, for_ever), ends


def _told_together(place: Place) -> tuple[str, Kind]:
    """What the turns of one story have in common: a reflection's plans are asked for with it."""
    fault, kind, _ = place
    return fault, Kind.REFLECTION if kind is Kind.PLANS else kind


def routes(table: Table) -> Iterator[Route]:
    """The stories that meet all cells: one for each outline, one for both of another call.

    A paragraph can repeat the previous one only where there is one.
    """
    places = (place for place, _ in cells(table))
    for (fault, kind), group in groupby(places, key=_told_together):
        meets = list(group)
        if kind is Kind.OPENING:
            yield from ([place] for place in meets)
        else:
            yield [None, *meets] if fault == REPEATS else meets


Outcomes = dict[Place, tuple[Seen, Seen]]


async def _outcomes(redis: EmbeddedRedis, routes: Iterable[Route], limits: Limits) -> Outcomes:
    async with raw_client(redis.url) as client:
        await client.execute_command("FLUSHALL")
        await client.config_set("appendfsync", "always")
    # In real time: no story's wait is over before the clock is set forward.
    clock = ScaledClock(speed=1.0)
    room = str(SIDE_BY_SIDE)
    async with opened(
        redis, FakeEmbedder(), clock=clock, limits=limits, STORIES_PER_GUILD=room
    ) as world:
        return await tell_all(world, routes)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(redis_server: EmbeddedRedis) -> Outcomes:
    """What became of every cell: those that time out in a world of their own, all at once."""
    usual: Outcomes = {}
    told = list(routes(TABLE))
    for first in range(0, len(told), SIDE_BY_SIDE):
        usual |= await _outcomes(redis_server, told[first : first + SIDE_BY_SIDE], QUICK)
    alone = [[place] for place, _ in cells(SLOW_TABLE)]
    return usual | await _outcomes(redis_server, alone, SHORT)


ALL_CELLS = [*cells(TABLE), *cells(SLOW_TABLE)]


def _name(place: Place) -> str:
    fault, kind, for_ever = place
    return f"{fault}, {kind}, {'for ever' if for_ever else 'once'}"


# ── what holds ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("place", "ends"), ALL_CELLS, ids=[_name(place) for place, _ in ALL_CELLS])
def test_a_fault_ends_as_the_table_says(outcomes: Outcomes, place: Place, ends: Ends) -> None:
    """What the channel reads, what is stored, and how many requests were spent, cell by cell."""
    at_rest, later = outcomes[place]
    number = later.story.head_number
    assert at_rest.requests == ends.requests
    assert at_rest.said[len(at_rest.said) - bool(ends.says) :] == ([ends.says] if ends.says else [])
    assert at_rest.story.phase is ends.phase
    if ends.phase is Phase.PAUSED:
        _check_nothing_moved(at_rest, place[1], number, ends.says)
    # The model is well again: told to its end, with one request more where no answer had come.
    assert later.story.phase is Phase.VOTING
    assert later.requests == ends.requests + (ends.phase is Phase.PAUSED)
    assert later.said == at_rest.said
    assert later.story.memory.version == later.remembered == number
    assert not [secret for secret in SECRETS if secret in at_rest.shown + later.shown]


def _check_nothing_moved(seen: Seen, kind: Kind, number: int, says: str) -> None:
    """The story waits where the call failed; all else is the turn before's."""
    story = seen.story
    assert story.pause is not None
    assert story.draft is not None
    reflecting = kind is Kind.REFLECTION
    assert story.pause.kept is (Phase.REFLECTING if reflecting else Phase.WRITING)
    assert (story.pause.cause, story.pause.reason) == (PauseCause.FAULT, says)
    assert (story.pause.until is not None) == (says == OUTAGE)
    assert story.head_number == story.memory.version == seen.remembered == number - 1
    assert story.draft.number == number
    chosen = story.draft.plan.title if story.draft.plan else None
    assert chosen == (story.plans.options[CHOICE].title if number > 1 else None)
    assert len(seen.told) == (number if reflecting else number - 1)


def test_a_memory_of_sixty_sentences_keeps_the_newest(outcomes: Outcomes) -> None:
    """It isn't refused: the oldest facts, which stand first, are cut."""
    _, later = outcomes["memory of 60 sentences", Kind.REFLECTION, True]
    kept = sentences(later.story.memory.text)
    assert len(kept) == MEMORY_SENTENCES
    assert [kept[0].split()[-1], kept[-1].split()[-1]] == ["41.", "60."]


async def test_an_endpoint_that_refuses_schemas_is_asked_in_words_and_remembered(
    world: World,
) -> None:
    """One request more for the first JSON of the process, none for those after it."""

    def no_schema(asked: Asked) -> Reply:
        del asked
        return gives(error("response_format json_schema is not supported"), 400)

    world.endpoint.spoil("Ormsay", Kind.OPENING, no_schema, times=1)
    await world.start("Ormsay looks for a door.")
    assert [asked.kind for asked in world.endpoint.asked] == [
        Kind.OPENING,
        Kind.OPENING,
        Kind.PARAGRAPH,
        Kind.REFLECTION,
    ]
    assert [asked.form for asked in world.endpoint.asked] == [
        "json_schema",
        "json_object",
        None,
        "json_object",
    ]
    assert world.said() == []
