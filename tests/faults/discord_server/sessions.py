"""What one IDENTIFY established: intents, shard, sequence, and the events kept for a RESUME.

A session outlives its connection. Who hears what, and for how long a lost session is kept, is
decided by the gateway.
"""

import secrets
from collections import deque
from typing import Any

from .connections import Connection
from .entities import Guild
from .world import Intent

DISPATCH = 0
"""Opcode of an event (API reference, "Gateway Opcodes")."""


class Session:
    """One session.

    Attributes:
        id: What a client resumes it by.
        connection: Where it is heard now, if anywhere.
        lost_s: When it lost its connection; None while it has one.
        sequence: Number of its last event.
        resumable: Whether what it missed is still there.

    Args:
        connection: Where it was identified.
        intents: What it wants to hear.
        shard: Its number and how many there are.
        kept: How many events are kept for a RESUME.
    """

    def __init__(
        self, connection: Connection, intents: Intent, shard: tuple[int, int], kept: int
    ) -> None:
        self.id = secrets.token_hex(16)
        self.connection: Connection | None = connection
        self.intents = intents
        self.shard = shard
        self.sequence = 0
        self.lost_s: float | None = None
        self.resumable = True
        self._kept: deque[dict[str, Any]] = deque(maxlen=kept)
        connection.session = self

    def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Number an event and keep it; send it if the session is connected."""
        self.sequence += 1
        payload = {"op": DISPATCH, "t": name, "s": self.sequence, "d": data}
        self._kept.append(payload)
        if self.connection is not None:
            self.connection.send(payload)

    def missed(self, seen: int) -> list[dict[str, Any]] | None:
        """Return the events after one that a client has seen; None if not all are there."""
        later = [payload for payload in self._kept if payload["s"] > seen]
        whole = self.resumable and len(later) == self.sequence - seen
        return later if whole else None

    def disconnected(self, now_s: float) -> None:
        """Note that the connection is gone."""
        self.connection, self.lost_s = None, now_s

    def connect(self, connection: Connection, missed: list[dict[str, Any]]) -> None:
        """Go on, on another connection: first with what was missed, then with RESUMED."""
        self.connection, self.lost_s = connection, None
        connection.session = self
        for payload in missed:
            connection.send(payload)
        self.dispatch("RESUMED", {"_trace": []})

    def is_for(self, guild: Guild | None) -> bool:
        """Whether events of a guild come over this shard; direct messages come over shard 0."""
        number, count = self.shard
        return number == (0 if guild is None else (guild.id >> 22) % count)
