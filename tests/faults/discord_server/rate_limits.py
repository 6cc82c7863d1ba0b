"""Rate limits as Discord applies them: a bucket per route and channel, and one over everything.

A bucket is a window that its first request opens. Requests over the limit are refused until the
window is over and count for nothing else. What was refused in any way is counted as Discord counts
it before it bans an address. Off unless a test asks for it; scripted refusals are `faults`'.
"""

import hashlib
import math
import re
from collections import deque
from dataclasses import dataclass, field

from .calls import Answer, Call, compile_pattern

INVALID = frozenset({401, 403, 429})
"""Statuses that count as invalid requests (API reference, "Invalid Request Limit")."""

INVALID_WINDOW_S, INVALID_LIMIT = 600.0, 10_000
"""So many of them in so long a time ban an address (the same place)."""

EXEMPT = ("/interactions/", "/webhooks/")
"""Paths that the limit over everything leaves out (API reference, "Global Rate Limit")."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests in how many seconds."""

    requests: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """Routes that are counted together, for each channel on its own.

    Attributes:
        patterns: As for hooks.
        rate: How many requests.
    """

    patterns: tuple[str, ...]
    rate: Rate

    @property
    def name(self) -> str:
        """What clients know it by."""
        return hashlib.sha256(self.patterns[0].encode()).hexdigest()[:32]


_MESSAGES = "/channels/*/messages"
_REACTIONS = f"{_MESSAGES}/*/reactions"

BUCKETS = (
    Bucket((f"POST {_MESSAGES}",), Rate(5, 5.0)),
    Bucket((f"PATCH {_MESSAGES}/*",), Rate(5, 5.0)),
    Bucket((f"DELETE {_MESSAGES}/*",), Rate(5, 1.0)),
    Bucket(
        (
            f"PUT {_REACTIONS}/*/@me",
            f"DELETE {_REACTIONS}",
            f"DELETE {_REACTIONS}/*",
            f"DELETE {_REACTIONS}/*/*",
        ),
        Rate(1, 0.25),
    ),
    Bucket(("POST /channels/*/typing",), Rate(5, 5.0)),
)
"""What bots have long been seeing; Discord publishes none of it and may change it. Reading has been
under the limit over everything alone."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Which requests are let through.

    Attributes:
        everything: The limit over all requests but answers to interactions.
        buckets: The limits per route and channel.
    """

    everything: Rate = Rate(50, 1.0)
    buckets: tuple[Bucket, ...] = BUCKETS


@dataclass(slots=True)
class _Window:
    rate: Rate
    began_s: float
    used: int = 0

    def left_s(self, now_s: float) -> float:
        return self.began_s + self.rate.per_s - now_s


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits say of a request.

    Attributes:
        refusal: The answer, if it is not let through.
        headers: What the answer says about the bucket.
    """

    refusal: Answer | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


class RateLimiter:
    """Counts requests against limits."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._windows: dict[str, _Window] = {}
        self._buckets = [
            (*compile_pattern(pattern), bucket.name, bucket.rate)
            for bucket in limits.buckets
            for pattern in bucket.patterns
        ]

    def judge(self, call: Call) -> Verdict:
        """Count a request and say whether it is let through."""
        if not call.path.startswith(EXEMPT):
            window = self._count("everything", self._limits.everything, call.at_s)
            if window.used > window.rate.requests:
                return Verdict(too_many(window.left_s(call.at_s), "global"))
        for method, path, name, rate in self._buckets:
            if method in ("*", call.method) and path.fullmatch(call.path):
                return self._judge_bucket(call, name, rate)
        return Verdict()

    def _judge_bucket(self, call: Call, name: str, rate: Rate) -> Verdict:
        window = self._count(f"{name}:{_major(call.path)}", rate, call.at_s)
        left_s = window.left_s(call.at_s)
        headers = {
            "X-RateLimit-Limit": str(rate.requests),
            "X-RateLimit-Remaining": str(max(0, rate.requests - window.used)),
            "X-RateLimit-Reset": f"{call.at_s + left_s:.3f}",
            "X-RateLimit-Reset-After": f"{_up(left_s):.3f}",
            "X-RateLimit-Bucket": name,
        }
        refused = window.used > rate.requests
        return Verdict(too_many(left_s, "user") if refused else None, headers)

    def _count(self, key: str, rate: Rate, now_s: float) -> _Window:
        window = self._windows.get(key)
        if window is None or window.left_s(now_s) <= 0:
            window = self._windows[key] = _Window(rate, now_s)
        window.used += 1
        return window


def _major(path: str) -> str:
    """The part of a path that has limits of its own: its channel or guild."""
    found = re.match(r"/(channels|guilds)/\d+", path)
    return found[0] if found else ""


def too_many(retry_after_s: float, scope: str) -> Answer:
    """Return a 429.

    Args:
        retry_after_s: When to come back.
        scope: "user" for a bucket, "shared" for one that others use up as well, or "global".
    """
    body = {
        "message": "You are being rate limited.",
        "retry_after": _up(retry_after_s),
        "global": scope == "global",
    }
    headers = {
        "Via": "1.1 google",  # discord.py takes a 429 without it for a ban
        "Retry-After": str(math.ceil(retry_after_s)),
        "X-RateLimit-Scope": scope,
    }
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    return Answer(429, body, headers)


def _up(seconds: float) -> float:
    """Seconds to the millisecond, rounded up: whoever comes back then is not too early."""
    return math.ceil(round(seconds * 1000, 3)) / 1000


class InvalidRequests:
    """The requests that Discord counts against an address."""

    def __init__(self) -> None:
        self._at_s: deque[float] = deque()

    def note(self, answer: Answer, now_s: float) -> None:
        """Count an answer, if it is one of them."""
        if answer.status in INVALID and answer.headers.get("X-RateLimit-Scope") != "shared":
            self._at_s.append(now_s)

    def count(self, now_s: float) -> int:
        """Return how many there were in the last ten minutes."""
        while self._at_s and self._at_s[0] <= now_s - INVALID_WINDOW_S:
            self._at_s.popleft()
        return len(self._at_s)
