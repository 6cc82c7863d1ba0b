"""Wrappers that measure: the ports of the turn protocol, the meter, Discord's requests, the log.

Each passes on what it is given and hands back what came; nothing that it wraps knows of it, and
nothing is wrapped where nobody asked for metrics. All calls of a port are measured alike, so this
is written once for all of them: a call that a port gets tomorrow is measured too.
"""

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import aiohttp

from bot.metrics import LEVELS, Metrics
from core.domain.spending import Reservation
from core.domain.story import Usage
from core.errors import RefusedError, TalewheelError
from core.ports import Meter
from core.services.run import Stations

T = TypeVar("T")
_Asking = Callable[..., Coroutine[Any, Any, object]]

UNEXPECTED = "unexpected"
"""The class of an error that is none of core.errors: a fault of ours."""


# ── ports ────────────────────────────────────────────────────────────────────────────────────────


def measured(stations: Stations, metrics: Metrics) -> Stations:
    """The stations with every call timed, every fault counted, and milestones told."""
    return replace(
        stations,
        store=watched(stations.store, "store", metrics),
        schedule=watched(stations.schedule, "schedule", metrics),
        search=watched(stations.search, "search", metrics),
        narrator=watched(stations.narrator, "narrator", metrics),
        embedder=watched(stations.embedder, "embedder", metrics),
        stage=watched(stations.stage, "stage", metrics),
        witness=metrics,
    )


def watched(port: T, station: str, metrics: Metrics) -> T:
    """A port with every call timed and every fault counted, under the name of its station."""
    return cast("T", _Watched(port, station, metrics))


class _Watched:
    """A port whose coroutines are measured; whatever else it has is its own."""

    def __init__(self, port: object, station: str, metrics: Metrics) -> None:
        self._port = port
        self._station = station
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._port, name)
        if not inspect.iscoroutinefunction(own):
            return own
        asking = self._timed(name, own)
        setattr(self, name, asking)  # From now on it is found without coming here.
        return asking

    def _timed(self, name: str, ask: _Asking) -> _Asking:
        took = self._metrics.call(self._station, name)

        async def asking(*args: object, **kwargs: object) -> object:
            began = time.perf_counter()
            with _calling(name):
                try:
                    answer = await ask(*args, **kwargs)
                except Exception as error:
                    # Not one that was cancelled: that tells nothing of the station.
                    took(time.perf_counter() - began)
                    self._count(name, error)
                    raise
            took(time.perf_counter() - began)
            return answer

        return asking

    def _count(self, name: str, error: Exception) -> None:
        if isinstance(error, RefusedError):
            return  # "There is no story here" is an answer.
        kind = type(error).__name__ if isinstance(error, TalewheelError) else UNEXPECTED
        self._metrics.fault(self._station, name, kind)


# ── the meter ────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Call:
    """A call under way, and how many requests to a model it has sent."""

    name: str
    requests: int = 0


_UNDER_WAY: ContextVar[_Call | None] = ContextVar("call_under_way", default=None)


@contextmanager
def _calling(name: str) -> Generator[None]:
    token = _UNDER_WAY.set(_Call(name))
    try:
        yield
    finally:
        _UNDER_WAY.reset(token)


class MeasuredMeter:
    """A Meter that counts what each model is asked and what it costs."""

    def __init__(self, meter: Meter, metrics: Metrics) -> None:
        self._meter = meter
        self._metrics = metrics

    async def admit(self, model: str, tokens: int) -> Reservation:
        """See Meter."""
        reservation = await self._meter.admit(model, tokens)
        if (call := _UNDER_WAY.get()) is not None:
            call.requests += 1
            if call.requests > 1:
                self._metrics.retried(call.name)
        return reservation

    async def charge(self, reservation: Reservation, usage: Usage) -> None:
        """See Meter. What can't be written down now is counted here all the same."""
        self._metrics.charged(reservation.model, usage)
        await self._meter.charge(reservation, usage)


# ── Discord's requests ───────────────────────────────────────────────────────────────────────────

_RATE_LIMITED = 429


def counted(trace: aiohttp.TraceConfig, metrics: Metrics) -> aiohttp.TraceConfig:
    """What a client's session does with its requests, with every one of them counted."""

    async def answered(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        request: aiohttp.TraceRequestEndParams,
    ) -> None:
        if request.url.scheme not in ("ws", "wss"):
            metrics.asked_discord(request.method, _answer(request.response.status))

    async def lost(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        request: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        given_up = isinstance(request.exception, asyncio.CancelledError)
        if request.url.scheme not in ("ws", "wss") and not given_up:
            metrics.asked_discord(request.method, "lost")

    trace.on_request_end.append(answered)
    trace.on_request_exception.append(lost)
    return trace


def _answer(status: int) -> str:
    if status == _RATE_LIMITED:
        return "rate_limited"
    if status >= 500:
        return "failed"
    return "refused" if status >= 400 else "ok"


# ── the log ──────────────────────────────────────────────────────────────────────────────────────


class _LineCount(logging.Handler):
    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.WARNING)
        self._metrics = metrics

    def emit(self, record: logging.LogRecord) -> None:
        if (level := record.levelname.lower()) in LEVELS:
            self._metrics.logged(level)


@contextmanager
def log_counted(metrics: Metrics) -> Generator[None]:
    """Count the lines of the whole process that are logged within the block."""
    count, root = _LineCount(metrics), logging.getLogger()
    root.addHandler(count)
    try:
        yield
    finally:
        root.removeHandler(count)
