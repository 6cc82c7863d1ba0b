"""The monitoring port over real HTTP: what it says, in which form, and when it can't be opened."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from bot.health import Connection, Health
from bot.metrics import Metrics
from bot.monitor import CLOSE_S, Monitor, listening
from core.domain.story import Phase
from core.errors import StartError, StoreUnavailableError
from core.services.wheel import Pulse

HOST = "127.0.0.1"
read_openmetrics: Callable[[str], Iterable[Metric]] = cast(
    Any, openmetrics
).text_string_to_metric_families


@dataclass
class Process:
    """A process as monitoring sees it, set by a test."""

    connection: Connection = field(
        default_factory=lambda: Connection(True, 2, 2, latency_s=0.04, servers=3)
    )
    pulse: Pulse = field(default_factory=lambda: Pulse(0.5, 1.5, 7))
    counts: dict[Phase, int] = field(default_factory=lambda: {Phase.VOTING: 4, Phase.ASLEEP: 2})
    away: bool = False
    pings: int = 0
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.answering.set()

    async def ping(self) -> None:
        self.pings += 1
        await self.answering.wait()
        if self.away:
            raise StoreUnavailableError("Redis is away")

    async def count(self, phases: Collection[Phase], guild: int | None = None) -> int:
        await self.ping()
        return sum(self.counts.get(phase, 0) for phase in phases)

    @property
    def monitor(self) -> Monitor:
        health = Health(lambda: self.connection, lambda: self.pulse, self.ping)
        return Monitor(self.metrics, health, self)


@asynccontextmanager
async def asking(process: Process) -> AsyncGenerator[aiohttp.ClientSession]:
    """The process's port, and somebody who asks there."""
    async with (
        listening(process.monitor, HOST, 0) as port,
        aiohttp.ClientSession(f"http://{HOST}:{port}") as session,
    ):
        yield session


async def scraped(session: aiohttp.ClientSession) -> dict[str, float]:
    """The samples of a scrape by name, those with labels by their values too."""
    async with session.get("/metrics") as answer:
        assert answer.status == 200
        families = list(read_text(await answer.text()))
    return _samples(families)


def _samples(families: list[Metric]) -> dict[str, float]:
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_scrape_reads_what_was_counted_and_what_is_now() -> None:
    process = Process()
    process.metrics.logged("error")
    async with asking(process) as session:
        samples = await scraped(session)
    assert samples["talewheel_log_lines_total error"] == 1
    assert samples["talewheel_gateway_up"] == 1
    assert samples["talewheel_gateway_shards_connected"] == 2
    assert samples["talewheel_gateway_latency_seconds"] == 0.04
    assert samples["talewheel_servers"] == 3
    assert samples["talewheel_wheel_workers"] == 7
    assert samples["talewheel_wheel_late_seconds"] == 1.5
    assert samples["talewheel_wheel_idle_seconds"] == 0.5
    assert samples["talewheel_entries_to_embed"] == 0
    assert samples["talewheel_redis_up"] == 1
    assert samples["talewheel_stories voting"] == 4
    assert samples["talewheel_stories writing"] == 0
    assert samples["talewheel_process_open_fds"] > 0


async def test_the_form_is_the_one_that_was_asked_for() -> None:
    """Prometheus's own parser of each form takes it, and the type names it."""
    async with asking(Process()) as session:
        async with session.get("/metrics") as answer:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            plain = _samples(list(read_text(await answer.text())))
        accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2"
        async with session.get("/metrics", headers={"accept": accept}) as answer:
            assert answer.headers["content-type"] == (
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            )
            parse: Callable[[str], Iterable[Metric]] = cast(
                Any, openmetrics
            ).text_string_to_metric_families
            opened = _samples(list(parse(await answer.text())))
        async with session.get(
            "/metrics", headers={"accept": "application/openmetrics-text; version=odd.x"}
        ) as answer:
            assert answer.status == 200
    name = "talewheel_stories voting"
    assert plain[name] == opened[name] == 4
    assert set(plain) == set(opened)


async def test_what_redis_cannot_say_is_not_shown() -> None:
    """An old count would look like a true one."""
    process = Process()
    async with asking(process) as session:
        assert (await scraped(session))["talewheel_redis_up"] == 1
        process.away = True
        await asyncio.sleep(1.05)
        samples = await scraped(session)
    assert samples["talewheel_redis_up"] == 0
    assert not [name for name in samples if name.startswith("talewheel_stories ")]
    assert samples["talewheel_wheel_workers"] == 7


async def test_a_redis_that_is_silent_holds_a_scrape_up_for_a_second() -> None:
    process = Process()
    process.answering.clear()
    async with asking(process) as session:
        began = asyncio.get_running_loop().time()
        assert (await scraped(session))["talewheel_redis_up"] == 0
        assert asyncio.get_running_loop().time() - began < 3.0
        process.answering.set()


async def test_many_who_ask_at_once_ask_redis_once() -> None:
    process = Process()
    async with asking(process) as session:
        await asyncio.gather(*(scraped(session) for _ in range(30)))
    assert process.pings == 1 + len(Phase)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, 200, "ok"),
        ({"away": True}, 200, "waiting"),
        ({"connection": Connection(False, 0, 0, None, 0)}, 503, "starting"),
        ({"connection": Connection(True, 2, 1, 0.04, 3)}, 200, "waiting"),
        ({"pulse": Pulse(500.0, 0.0, 0)}, 503, "stuck"),
    ],
)
async def test_healthz_answers_by_state(change: dict[str, object], status: int, said: str) -> None:
    async with (
        asking(replace(Process(), **change)) as session,
        session.get("/healthz") as answer,
    ):
        assert (answer.status, (await answer.json())["status"]) == (status, said)
        assert set(await answer.json()) == {"status", "discord", "redis", "wheel"}


async def test_nothing_else_is_served() -> None:
    async with asking(Process()) as session:
        for method, path, status in (
            ("GET", "/", 404),
            ("GET", "/metrics/x", 404),
            ("POST", "/metrics", 405),
            ("HEAD", "/healthz", 200),
        ):
            async with session.request(method, path) as answer:
                assert answer.status == status


async def test_a_port_that_is_taken_ends_the_start_with_a_line() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError) as refused:
            async with listening(Process().monitor, HOST, port):
                pass
    assert str(refused.value) == (
        f"METRICS_PORT: port {port} of {HOST} is taken by another program; take another port, or "
        "leave it empty for none"
    )


async def test_an_address_of_another_machine_ends_the_start_with_a_line() -> None:
    with pytest.raises(StartError, match=r"^METRICS_HOST: .* must be an address of this machine"):
        async with listening(Process().monitor, "192.0.2.7", 0):
            pass


async def test_an_answer_under_way_holds_up_the_end_for_a_moment_only() -> None:
    """Redis hangs while the process is told to stop."""
    process = Process()
    process.answering.clear()
    serving = listening(process.monitor, HOST, 0)
    port = await serving.__aenter__()
    async with aiohttp.ClientSession(f"http://{HOST}:{port}") as session:
        hanging = asyncio.create_task(scraped(session))
        while not process.pings:  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        await serving.__aexit__(None, None, None)
        assert asyncio.get_running_loop().time() - began < CLOSE_S + 2.0
        await asyncio.gather(hanging, return_exceptions=True)
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(HOST, port)
