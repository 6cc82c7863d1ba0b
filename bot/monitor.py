"""The port for monitoring: /metrics as Prometheus reads it, /healthz for containers.

What can't be counted as it happens (Redis's answer, stories by phase) is looked up when somebody
asks, at most once a second however many ask, and within a second. Nothing else is served, nothing
is changed by a request, and nothing here says what a story holds. What is measured stands in
bot.metrics, what health means in bot.health.
"""

import asyncio
import errno
import logging
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics

from bot.health import REDIS_S, Health, judge, told
from bot.metrics import Metrics
from bot.setting_table import METRICS_HOST, METRICS_PORT
from core.domain.story import Phase
from core.errors import StartError, TalewheelError
from core.ports import Census

log = logging.getLogger(__name__)

OPENMETRICS = "application/openmetrics-text"
OPENMETRICS_TYPE = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
FRESH_S = 1.0
"""What was looked up is good for so long."""
CLOSE_S = 1.0
"""How long an answer that is under way may hold up the end of the process."""


class Monitor:
    """Answers the two questions."""

    def __init__(self, metrics: Metrics, health: Health, census: Census) -> None:
        """See the class.

        Args:
            metrics: what is exposed; the gauges of this moment are given their sources.
            health: looks at the process.
            census: counts stories.
        """
        self._metrics = metrics
        self._health = health
        self._census = census
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None
        connection, pulse = health.connection, health.pulse
        metrics.live("gateway_up", lambda: float(connection().whole))
        metrics.live("gateway_shards", lambda: connection().shards)
        metrics.live("gateway_shards_connected", lambda: connection().connected)
        metrics.live("gateway_latency_seconds", lambda: known(connection().latency_s))
        metrics.live("servers", lambda: connection().servers)
        metrics.live("wheel_workers", lambda: pulse().workers)
        metrics.live("wheel_late_seconds", lambda: pulse().late_s)
        metrics.live("wheel_idle_seconds", lambda: known(pulse().turned_s))

    def application(self) -> web.Application:
        """The two pages."""
        app = web.Application()
        app.router.add_get("/metrics", self.exposition)
        app.router.add_get("/healthz", self.healthz)
        return app

    async def healthz(self, _request: web.Request) -> web.Response:
        """200 while the process should be left running, else 503; why, as JSON."""
        vitals = await self._health.look()
        status = 200 if judge(vitals).is_healthy else 503
        return web.json_response(told(vitals), status=status, headers={"cache-control": "no-store"})

    async def exposition(self, request: web.Request) -> web.Response:
        """Every metric, in the older text form or, where that is asked for, as OpenMetrics."""
        await self._look()
        if OPENMETRICS in request.headers.get("accept", ""):
            body: bytes = cast(Any, openmetrics).generate_latest(self._metrics.registry)
            return web.Response(body=body, headers={"content-type": OPENMETRICS_TYPE})
        body = generate_latest(self._metrics.registry)
        return web.Response(body=body, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    async def _look(self) -> None:
        """Look up what isn't counted as it happens, unless that was done just now."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._looked_at is not None and now - self._looked_at < FRESH_S:
                return
            ping_s, _ = await asyncio.gather(self._health.ping_s(), self._count_stories())
            self._metrics.redis_up.set(ping_s is not None)
            if ping_s is not None:
                self._metrics.redis_ping.set(ping_s)
            self._looked_at = asyncio.get_running_loop().time()

    async def _count_stories(self) -> None:
        """What nobody knows isn't shown: an old count would look like a true one."""
        try:
            async with asyncio.timeout(REDIS_S):
                counts = await asyncio.gather(*(self._census.count({p}) for p in Phase))
        except (TimeoutError, TalewheelError):
            self._metrics.stories.clear()
            return
        for phase, count in zip(Phase, counts, strict=True):
            self._metrics.stories.labels(phase.value).set(count)


def known(value: float | None) -> float:
    """What nobody knows is no number."""
    return math.nan if value is None else value


@asynccontextmanager
async def listening(monitor: Monitor, host: str, port: int) -> AsyncGenerator[int]:
    """Serve the monitor within the block; gives the port.

    Args:
        host: an address of this machine.
        port: 0 for any that is free.

    Raises:
        StartError: the address can't be listened on.
    """
    # No line per request, and no signals: how the process ends is bot.process's business.
    runner = web.AppRunner(
        monitor.application(), access_log=None, handle_signals=False, shutdown_timeout=CLOSE_S
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise StartError(_refusal(host, port, error)) from error
        address = runner.addresses[0]
        log.info("/metrics and /healthz are served on %s, port %d", address[0], address[1])
        yield address[1]
    finally:
        await runner.cleanup()


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{METRICS_PORT.name}: port {port} of {host} is taken by another program; take "
            "another port, or leave it empty for none"
        )
    if error.errno == errno.EACCES:
        return f"{METRICS_PORT.name}: this user may not listen on port {port}; take one above 1023"
    shown = METRICS_HOST.shown(host)
    return f"{METRICS_HOST.name}: {shown} can't be listened on; must be {METRICS_HOST.right}"
