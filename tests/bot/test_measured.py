"""What is measured of a story that is told: each turn, call, fault, token and request."""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import generate_latest

from bot.measured import MeasuredMeter, counted, log_counted, measured, watched
from bot.metrics import Metrics
from core.domain.spending import MICROS, Price
from core.domain.story import PauseCause, Phase, Usage
from core.errors import (
    FilterUnavailableError,
    NarratorUnavailableError,
    NoStoryError,
    StageUnavailableError,
    StoreUnavailableError,
)
from core.ports import ContentFilter
from core.services.storyteller import Storyteller
from tests.core.services.house import BRIEF, CHANNEL, GUILD, SETTINGS, House
from tests.fakes.content_filter import FakeContentFilter
from tests.fakes.meter import FakeMeter
from tests.fakes.stepped_clock import SteppedClock


class MeasuredHouse(House):
    """A house whose stations are measured."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics()
        self.stations = measured(self.stations, self.metrics)
        self.teller = Storyteller(self.stations)

    def value(self, name: str, **labels: str) -> float | None:
        """A sample of the registry; None where there is none."""
        return self.metrics.registry.get_sample_value(f"talewheel_{name}", labels)

    def calls(self, station: str, call: str) -> float | None:
        """How often a call was measured."""
        return self.value("station_call_seconds_count", station=station, call=call)


async def test_a_story_that_is_told_moves_the_counters_that_it_should() -> None:
    """Three turns: every phase, every station, and no fault."""
    async with MeasuredHouse() as house:
        await house.begin()
        await house.turn_over()
        await house.turn_over()
        assert house.value("turns_told_total") == 3
        assert house.value("turn_seconds_count") == 3
        assert house.value("turn_seconds_sum") == pytest.approx(3 * 3.5)
        for phase in (Phase.WRITING, Phase.REFLECTING, Phase.PUBLISHING, Phase.VOTING):
            assert house.value("phases_entered_total", phase=phase.value) == 3
        assert house.value("phases_entered_total", phase="asleep") == 0
        assert house.calls("narrator", "open") == 1
        assert house.calls("narrator", "write") == 3
        assert house.calls("narrator", "reflect") == 3
        assert house.calls("stage", "votes") == 2
        for station, call in (
            ("store", "commit"),
            ("store", "create"),
            ("schedule", "claim"),
            ("search", "nearest"),
            ("embedder", "embed"),
            ("stage", "send"),
        ):
            assert (house.calls(station, call) or 0) > 0, (station, call)
        text = generate_latest(house.metrics.registry).decode()
        assert "talewheel_station_faults_total{" not in text


async def test_a_measured_story_is_told_exactly_like_any_other() -> None:
    """What goes through the wrappers comes out as it went in, also where something fails."""
    async with MeasuredHouse() as house:
        failures = iter([StageUnavailableError("Discord is away")])
        house.stage.fail = lambda name: next(failures, None) if name == "send" else None
        await house.begin()
        await house.turn_over(1)
        house.check_told_once()
        assert house.stations.embedder.dims == 16
        assert house.stations.narrator.notice is None


async def test_faults_are_counted_by_the_class_of_their_error() -> None:
    """A fault of ours as well; what the rules refuse is an answer, and no fault."""
    async with MeasuredHouse() as house:
        errors = iter([NarratorUnavailableError("away"), ZeroDivisionError()])

        def failing(name: str) -> Exception | None:
            return next(errors, None) if name == "write" else None

        house.narrator.fail = failing  # type: ignore[assignment]
        with pytest.raises(NoStoryError):
            await house.teller.status(CHANNEL)
        await house.begin()

        def faults(error: str) -> float | None:
            name = "station_faults_total"
            return house.value(name, station="narrator", call="write", error=error)

        assert faults("NarratorUnavailableError") == 1
        assert faults("unexpected") == 1
        assert house.calls("narrator", "write") == 3
        assert house.value("pauses_total", cause=PauseCause.FAULT.value) == 1
        text = generate_latest(house.metrics.registry).decode()
        assert "NoStoryError" not in text


async def test_what_is_cancelled_tells_nothing_of_a_station() -> None:
    async with MeasuredHouse() as house:
        await house.teller.start(CHANNEL, GUILD, BRIEF, SETTINGS, house.stage.snowflake())
        await house.when(lambda: bool(house.narrator.contexts))
        await house.teller.pause(CHANNEL, "Ada", GUILD)
        assert house.calls("narrator", "write") == 0
        assert house.value("pauses_total", cause="moderator") == 1


async def test_no_label_holds_an_id_or_a_word() -> None:
    """However many servers, channels and stories there are, the series stay the same."""

    def series(house: MeasuredHouse) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
        return {
            (sample.name, tuple(sorted(sample.labels.items())))
            for family in house.metrics.registry.collect()
            for sample in family.samples
        }

    async with MeasuredHouse() as house:
        await house.begin()
        await house.turn_over()
        before = series(house)
        for place in range(1, 6):
            await house.begin(10**18 + place, 10**18 + place)
        assert series(house) == before
        for _, labels in before:
            for name, value in labels:
                assert name in {"phase", "cause", "station", "call", "level", "le", "model", "kind"}
                assert re.fullmatch(r"[a-z_]+", value) or name == "le"


def test_every_metric_is_named_explained_and_has_a_unit_where_there_is_one() -> None:
    units = ("_seconds", "_dollars", "_bytes", "_tokens")
    metrics = Metrics()
    for family in metrics.registry.collect():
        assert family.name.startswith("talewheel_")
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith(units)
    assert not [f for f in Metrics().registry.collect() if f.name == "python_info"]


async def test_a_port_beside_the_stations_is_measured_alike() -> None:
    """The content filter stands behind the screening, not among the stations."""
    metrics, inner = Metrics(), FakeContentFilter(SteppedClock())
    looks: ContentFilter = watched(inner, "filter", metrics)
    assert (await looks.judge(["A lamp."], adults=False)).fine
    inner.fail = lambda _name: FilterUnavailableError("away")
    with pytest.raises(FilterUnavailableError):
        await looks.check()

    def value(name: str, **labels: str) -> float | None:
        labels = {"station": "filter", **labels}
        return metrics.registry.get_sample_value(f"talewheel_station_{name}", labels)

    assert value("call_seconds_count", call="judge") == 1
    assert value("faults_total", call="check", error="FilterUnavailableError") == 1


# ── models ───────────────────────────────────────────────────────────────────────────────────────


async def test_tokens_and_cost_are_counted_by_model() -> None:
    """Each token once: what the endpoint still knew of a prompt isn't counted with the rest."""
    price = Price(prompt=0.25, completion=2.0, cached=0.025)
    metrics = Metrics({"priced": price})
    meter = MeasuredMeter(FakeMeter(), metrics)
    usage = Usage(prompt_tokens=1000, cached_tokens=400, completion_tokens=300, calls=1)
    for model in ("priced", "priced", "free"):
        await meter.charge(await meter.admit(model, 1500), usage)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"talewheel_model_{name}_total", labels)

    assert value("requests", model="priced") == 2
    kinds = ("prompt", "cached", "completion")
    assert [value("tokens", model="priced", kind=kind) for kind in kinds] == [1200, 800, 600]
    assert value("cost_dollars", model="priced") == pytest.approx(2 * price.of(usage) / MICROS)
    assert value("cost_dollars", model="free") == 0
    assert value("requests", model="free") == 1


async def test_requests_of_a_call_beyond_its_first_are_retries() -> None:
    """Also where the call fails in the end; what a budget refused was never sent."""
    metrics, inner = Metrics(), FakeMeter()
    meter = MeasuredMeter(inner, metrics)
    house = House()

    async def three_requests() -> None:
        for _ in range(3):
            await meter.charge(await meter.admit("m", 10), Usage(10, calls=1))

    class Persistent:
        notice = None

        async def reflect(self) -> None:
            await three_requests()
            raise NarratorUnavailableError("away")

        async def write(self) -> None:
            await meter.charge(await meter.admit("m", 10), Usage(10, calls=1))

    stations = replace(house.stations, narrator=Persistent())  # type: ignore[arg-type]
    narrator: object = measured(stations, metrics).narrator
    for _ in range(2):
        await narrator.write()  # type: ignore[attr-defined]
    with pytest.raises(NarratorUnavailableError):
        await narrator.reflect()  # type: ignore[attr-defined]
    retries = "talewheel_model_retries_total"
    assert metrics.registry.get_sample_value(retries, {"call": "reflect"}) == 2
    assert metrics.registry.get_sample_value(retries, {"call": "write"}) is None


async def test_what_cannot_be_written_down_is_counted_all_the_same() -> None:
    class Away(FakeMeter):
        async def charge(self, reservation: object, usage: Usage) -> None:
            raise StoreUnavailableError("Redis is away")

    metrics = Metrics()
    meter = MeasuredMeter(Away(), metrics)
    with pytest.raises(StoreUnavailableError):
        await meter.charge(await meter.admit("m", 10), Usage(10, calls=1))
    assert metrics.registry.get_sample_value("talewheel_model_requests_total", {"model": "m"}) == 1


# ── Discord and the log ──────────────────────────────────────────────────────────────────────────


async def test_requests_to_discord_are_counted_by_how_they_were_answered() -> None:
    """One that nobody answered as well; one that was given up tells nothing."""
    metrics = Metrics()
    app = web.Application()
    hanging = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        match request.match_info["status"]:
            case "hang":
                hanging.set()
                await asyncio.sleep(60)
            case "drop":
                assert request.transport is not None
                request.transport.abort()
            case status:
                return web.Response(status=int(status))
        return web.Response()

    app.router.add_post("/{status}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    trace = counted(aiohttp.TraceConfig(), metrics)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        for status in ("200", "204", "403", "429", "503"):
            async with session.post(f"{address}/{status}"):
                pass
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{address}/drop")
        given_up = asyncio.create_task(asked(session, f"{address}/hang"))
        await hanging.wait()
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
    await runner.cleanup()

    def count(answer: str) -> float | None:
        labels = {"method": "POST", "answer": answer}
        return metrics.registry.get_sample_value("talewheel_discord_requests_total", labels)

    answers = ("ok", "refused", "rate_limited", "failed", "lost")
    assert [count(answer) for answer in answers] == [2, 1, 1, 1, 1]


async def asked(session: aiohttp.ClientSession, url: str) -> None:
    async with session.post(url):
        pass


def lines(metrics: Metrics) -> Callable[[str], float | None]:
    """Looks up how many lines of a level were logged."""
    return lambda level: metrics.registry.get_sample_value(
        "talewheel_log_lines_total", {"level": level}
    )


def test_lines_are_counted_from_warnings_on_and_only_within_the_block() -> None:
    metrics, log = Metrics(), logging.getLogger("bot.x")
    with log_counted(metrics):
        log.info("all is well")
        log.warning("something is odd")
        log.error("something is wrong")
        log.error("again")
    log.error("nobody counts any more")
    assert [lines(metrics)(level) for level in ("warning", "error", "critical")] == [1, 2, 0]
    assert lines(metrics)("info") is None
