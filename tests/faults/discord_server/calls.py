"""One REST request as the server sees it, the log of all of them, and hooks around them.

A hook runs before or after its request is applied. It may await anything (a delay, a killed
process), return an `Answer` to be sent in place of the real one, or raise `DropConnection` or an
`ApiError`. So `before` makes faults where nothing happened, `after` those where everything happened
and the caller does not know. What a request does to the world is the routes' business.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        body: JSON value, raw bytes, or None for an empty body.
        headers: Further headers.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart request."""

    filename: str
    content_type: str
    data: bytes


@dataclass(slots=True, eq=False)
class Call:
    """One REST request.

    Attributes:
        method: HTTP method.
        path: Decoded path below /api/v10.
        query: Query parameters.
        body: Parsed JSON body, {} if there was none.
        files: Uploads of a multipart body.
        token: Bot token of the Authorization header.
        at_s: Arrival, Unix time of the server's clock.
        parameters: What the route's placeholders stood for.
        status: What was answered; None while it runs or if the connection was dropped.
        answer_body: JSON of the answer, likewise.
    """

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any] | list[Any]
    files: list[Upload]
    token: str | None
    at_s: float
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    status: int | None = None
    answer_body: Any = None

    @property
    def fields(self) -> dict[str, Any]:
        """The body where an object is due; {} if it was anything else."""
        return self.body if isinstance(self.body, dict) else {}

    def snowflake(self, name: str) -> int:
        """Return a placeholder as an id, 0 if it is none."""
        text = self.parameters[name]
        return int(text) if text.isdecimal() else 0


HookResult = Answer | None
Hook = Callable[[Call], HookResult | Awaitable[HookResult]]


def compile_pattern(pattern: str) -> tuple[str, re.Pattern[str]]:
    """Read "METHOD /path" where `*` or `{name}` is one segment; METHOD `*` is any.

    Returns:
        The method and the expression for the path, with the placeholders as groups.
    """
    method, path = pattern.split(" ", 1)
    expression = ""
    for part in re.split(r"(\{\w+\}|\*)", path):
        if part == "*":
            expression += "[^/]+"
        elif part.startswith("{"):
            expression += f"(?P<{part[1:-1]}>[^/]+)"
        else:
            expression += re.escape(part)
    return method, re.compile(expression)


@dataclass(slots=True, eq=False)
class _Rule:
    method: str
    path: re.Pattern[str]
    hook: Hook
    left: int | None

    def takes(self, call: Call) -> bool:
        return (
            self.left != 0
            and self.method in ("*", call.method)
            and self.path.fullmatch(call.path) is not None
        )


class Hooks:
    """What runs around requests, in the order of registration."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, pattern: str, hook: Hook, times: int | None = None) -> Callable[[], None]:
        """Run `hook` for requests that match.

        Args:
            pattern: As in `compile_pattern`.
            hook: What to run, plain or async.
            times: For how many requests; None for all.

        Returns:
            A function that removes the hook.
        """
        rule = _Rule(*compile_pattern(pattern), hook, times)
        self._rules.append(rule)

        def remove() -> None:
            rule.left = 0

        return remove

    def clear(self) -> None:
        """Remove all hooks; those that run already go on."""
        self._rules.clear()

    async def run(self, call: Call) -> HookResult:
        """Run the hooks of a request until one answers in its place."""
        for rule in list(self._rules):
            if not rule.takes(call):
                continue
            if rule.left is not None:
                rule.left -= 1
            result = rule.hook(call)
            answer = await result if inspect.isawaitable(result) else result
            if answer is not None:
                return answer
        return None


class CallLog:
    """Every request so far, oldest first."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def append(self, call: Call) -> None:
        """Log a request at its arrival."""
        self._calls.append(call)

    def peak(self, window_s: float = 1.0) -> int:
        """Return the most requests that arrived within any such span of time."""
        at_s = [call.at_s for call in self._calls if not call.path.startswith("/interactions/")]
        first = most = 0
        for last, now_s in enumerate(at_s):
            while at_s[first] <= now_s - window_s:
                first += 1
            most = max(most, last - first + 1)
        return most

    def to(self, pattern: str) -> list[Call]:
        """Return the requests that match a pattern as in `compile_pattern`."""
        method, path = compile_pattern(pattern)
        return [
            call
            for call in self._calls
            if method in ("*", call.method) and path.fullmatch(call.path)
        ]
