"""Finding the handler of a request by method and path."""

import re
from collections.abc import Awaitable, Callable

from . import errors
from .calls import Answer, Call, compile_pattern

Handler = Callable[[Call], Awaitable[Answer]]
Routes = dict[str, Handler]
"""Handlers by "METHOD /path/{placeholder}"; earlier patterns win."""


class Router:
    """All routes of the API."""

    def __init__(self, *tables: Routes) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (*compile_pattern(pattern), handler)
            for table in tables
            for pattern, handler in table.items()
        ]

    def find(self, call: Call) -> Handler:
        """Return the handler and fill in the call's parameters.

        Raises:
            ApiError: 404 or 405.
        """
        path_exists = False
        for method, path, handler in self._routes:
            match = path.fullmatch(call.path)
            if match is None:
                continue
            if method == call.method:
                call.parameters = match.groupdict()
                return handler
            path_exists = True
        raise errors.method_not_allowed() if path_exists else errors.not_found()
