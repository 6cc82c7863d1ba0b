"""Waiting for something to become true, woken by each change instead of by a timer."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """A bell that is rung after every change of the server's state."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def ring(self) -> None:
        """Wake everybody who waits."""
        for bell in self._waiting:
            bell.set()

    async def wait_for(self, read: Callable[[], T], timeout_s: float, what: str = "") -> T:
        """Return the first truthy result of `read`, which is called now and after every change.

        Raises:
            TimeoutError: It stayed falsy; the message says what was awaited.
        """
        bell = asyncio.Event()
        self._waiting.add(bell)
        try:
            async with asyncio.timeout(timeout_s):
                while not (result := read()):
                    await bell.wait()
                    bell.clear()
                return result
        except TimeoutError:
            awaited = what or getattr(read, "__name__", repr(read))
            raise TimeoutError(f"not within {timeout_s} s: {awaited}") from None
        finally:
            self._waiting.discard(bell)
