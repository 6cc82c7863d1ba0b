"""What is counted and measured of the running bot: every metric, its name, its labels, its help.

One ``Metrics`` belongs to one app, with a registry of its own; prometheus_client's global one is
left alone. A label has a few values that are known beforehand: phases, ports and their calls, error
classes, the models of the settings; never a server, a channel, a story or a person. Sums over them
are what a graph is for; single stories are in the logs. Who measures stands in bot.measured, what
is looked up at each scrape in bot.monitor.
"""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from core.domain.spending import MICROS, Price
from core.domain.story import PauseCause, Phase, Story, Turn, Usage

NAMESPACE = "talewheel"
_CALL_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5)
_SLOW_BUCKETS_S = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""From an answer of Redis to the longest that a model may take to write."""
_TURN_BUCKETS_S = (5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 900.0)
LEVELS = ("warning", "error", "critical")
"""Levels of log lines that are counted."""


class Metrics:
    """Every metric of one app. Implements core.services.milestones.Witness.

    Attributes:
        registry: what a scrape reads.
        redis_up: 1 or 0, as of the last look.
        redis_ping: how long the last ping took that was answered, seconds.
        stories: how many stories are in a phase, as of the last look; none while nobody knows.
    """

    def __init__(self, prices: Mapping[str, Price] | None = None) -> None:
        """Make an empty registry.

        Args:
            prices: by the model's name; what has none costs nothing here.
        """
        self.registry = CollectorRegistry()
        self._prices = prices or {}
        ProcessCollector(namespace=NAMESPACE, registry=self.registry)
        self._declare_stories()
        self._declare_stations()
        self._declare_models()
        self._declare_health()

    # ── declared ─────────────────────────────────────────────────────────────────────────────────

    def _declare_stories(self) -> None:
        self._turns = self._counter(
            "turns_told", "Turns that came to a ballot of their own; one written anew counts again."
        )
        self._turn_s = self._histogram(
            "turn_seconds",
            "From taking a story up to its next ballot, in one process and without a pause.",
            _TURN_BUCKETS_S,
        )
        self._phases = self._counter(
            "phases_entered", "Times that a story came into a phase.", "phase"
        )
        self._pauses = self._counter("pauses", "Times that a story was paused.", "cause")
        self.stories = self._gauge("stories", "Stories in a phase, of all servers.", "phase")
        for phase in Phase:
            self._phases.labels(phase.value)
        for cause in PauseCause:
            self._pauses.labels(cause.value)

    def _declare_stations(self) -> None:
        self._call_s = self._histogram(
            "station_call_seconds",
            "How long a call took at a station: store, schedule, search (Redis), narrator, "
            "embedder, filter (moderation), stage (Discord). Repetitions behind it are in it.",
            _CALL_BUCKETS_S + _SLOW_BUCKETS_S,
            "station",
            "call",
        )
        self._faults = self._counter(
            "station_faults",
            "Calls that a station couldn't do, by the class of the error.",
            "station",
            "call",
            "error",
        )
        self._discord = self._counter(
            "discord_requests",
            "REST requests to Discord, repeated ones included; answer: ok, rate_limited (429), "
            "refused (other 4xx), failed (5xx), lost (none came).",
            "method",
            "answer",
        )
        self._log_lines = self._counter(
            "log_lines", "Lines that were logged at a level from warning on.", "level"
        )
        for level in LEVELS:
            self._log_lines.labels(level)

    def _declare_models(self) -> None:
        self._requests = self._counter("model_requests", "Requests to a model.", "model")
        self._tokens = self._counter(
            "model_tokens",
            "Tokens of a model; kind: prompt (sent and not known yet), cached (sent and known), "
            "completion. Estimated where the endpoint reports none.",
            "model",
            "kind",
        )
        self._cost = self._counter(
            "model_cost_dollars",
            "What a model's tokens cost by PRICES; 0 without a price.",
            "model",
        )
        self._retries = self._counter(
            "model_retries", "Requests of a call of the narrator beyond its first.", "call"
        )

    def _declare_health(self) -> None:
        self.redis_up = self._gauge("redis_up", "Whether Redis answered within a second.")
        self.redis_ping = self._gauge(
            "redis_ping_seconds", "How long Redis took to answer a ping, when it last did."
        )
        self._live: dict[str, Gauge] = {
            name: self._gauge(name, text)
            for name, text in (
                ("gateway_up", "Whether every shard is connected to Discord's gateway."),
                ("gateway_shards", "Shards that there are to be."),
                ("gateway_shards_connected", "Shards that are connected."),
                ("gateway_latency_seconds", "The slowest shard's last heartbeat, there and back."),
                ("servers", "Discord servers that the bot is in."),
                ("wheel_workers", "Stories that are being worked on."),
                ("wheel_late_seconds", "How long the story that waits longest is overdue."),
                ("wheel_idle_seconds", "Time since the wheel last looked for due stories."),
                ("entries_to_embed", "Memory entries that wait for a vector of the embedder set."),
            )
        }

    def live(self, name: str, value: Callable[[], float]) -> None:
        """Have one of the gauges of this moment read by ``value`` at each scrape."""
        self._live[name].set_function(value)

    # ── counted ──────────────────────────────────────────────────────────────────────────────────

    def entered(self, story: Story, before: Phase | None) -> None:
        """See Witness."""
        if story.phase is not before:
            self._phases.labels(story.phase.value).inc()
        if story.pause is not None:
            self._pauses.labels(story.pause.cause.value).inc()

    def told(self, turn: Turn, took_s: float) -> None:
        """See Witness."""
        self._turns.inc()
        self._turn_s.observe(took_s)

    def call(self, station: str, call: str) -> Callable[[float], None]:
        """Where the seconds of a call at a station go."""
        return self._call_s.labels(station, call).observe

    def fault(self, station: str, call: str, error: str) -> None:
        """A station couldn't do it; ``error`` is the error's class."""
        self._faults.labels(station, call, error).inc()

    def charged(self, model: str, usage: Usage) -> None:
        """One request to a model came to this."""
        self._requests.labels(model).inc()
        for kind, tokens in (
            ("prompt", usage.prompt_tokens - usage.cached_tokens),
            ("cached", usage.cached_tokens),
            ("completion", usage.completion_tokens),
        ):
            self._tokens.labels(model, kind).inc(tokens)
        price = self._prices.get(model)
        self._cost.labels(model).inc(price.of(usage) / MICROS if price else 0.0)

    def retried(self, call: str) -> None:
        """A call of the narrator sent one more request."""
        self._retries.labels(call).inc()

    def asked_discord(self, method: str, answer: str) -> None:
        """One REST request to Discord is over; see the metric's help for ``answer``."""
        self._discord.labels(method, answer).inc()

    def logged(self, level: str) -> None:
        """A line was logged; ``level`` is one of LEVELS."""
        self._log_lines.labels(level).inc()

    # ── how they are made ────────────────────────────────────────────────────────────────────────

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=NAMESPACE, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace=NAMESPACE, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            name, text, labels, namespace=NAMESPACE, registry=self.registry, buckets=buckets
        )
