"""The gateway: WebSocket sessions that identify, keep alive and are told what happens.

Sockets are `connections`' and sessions `sessions`' business: a session outlives its connection, and
a client that resumes it in time is told what it missed. Who is told what (by intents, shard and
visible channels) is decided here; what there is to tell comes from `world`. Whatever Discord may do
to a connection (cut it, close it, ask for another, declare its session invalid, fall silent) is a
method that a test calls.
"""

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from . import payloads
from .changes import Changes
from .connections import Connection
from .entities import Channel
from .permissions import Permission
from .platform import Platform
from .sessions import Session
from .world import PRIVILEGED, Event, Intent

(
    _,
    HEARTBEAT,
    IDENTIFY,
    PRESENCE,
    VOICE_STATE,
    _,
    RESUME,
    RECONNECT,
    REQUEST_MEMBERS,
    INVALID_SESSION,
    HELLO,
    HEARTBEAT_ACK,
) = range(12)
"""Opcodes (API reference, "Gateway Opcodes")."""

UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED = 4001, 4002, 4003
AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED, INVALID_SEQUENCE = 4004, 4005, 4007
INVALID_SHARD, INVALID_INTENTS, DISALLOWED_INTENTS = 4010, 4013, 4014
"""Close codes (API reference, "Gateway Close Event Codes")."""

GOODBYE = frozenset({1000, 1001})
"""A client that closes with one of these ends its session (API reference, "Disconnecting")."""

KNOWN_INTENTS = (1 << 26) - 1


class Gateway:
    """Serves the gateway of a platform.

    Attributes:
        failures: Faults inside the server.
        mute: Whether new connections are opened and left without a word.
    """

    def __init__(self, platform: Platform, changes: Changes) -> None:
        self._platform = platform
        self._changes = changes
        self._connections: dict[Connection, web.Request] = {}
        self._sessions: dict[str, Session] = {}
        self.failures: list[Exception] = []
        self.mute = False
        platform.world.subscribe(self._tell)

    @property
    def sessions(self) -> list[Session]:
        """The sessions that are connected now."""
        return [entry.session for entry in self._connections if entry.session is not None]

    @property
    def connected(self) -> int:
        """How many connections are open, with or without a session."""
        return len(self._connections)

    # What Discord may do

    def cut(self) -> None:
        """Cut every connection off without a word, like a failing network; sessions stay."""
        for request in self._connections.values():
            _abort(request)

    def close(self, code: int) -> None:
        """Close every connection with a code; sessions stay."""
        for connection in self._connections:
            connection.close(code)

    def reconnect(self) -> None:
        """Ask every client to connect anew, as Discord does for its own maintenance."""
        for connection in self._connections:
            connection.send({"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool) -> None:
        """Declare every session invalid; a resumable one may be taken up on another connection."""
        if not resumable:
            self.forget()
        for connection in self._connections:
            connection.send({"op": INVALID_SESSION, "d": resumable})

    def forget(self) -> None:
        """Lose what was kept for clients that come back: no session of now can be resumed."""
        for session in self._sessions.values():
            session.resumable = False

    def freeze(self) -> None:
        """Leave every connection half open: nothing is read or written any more, none is closed.

        So heartbeats are not acknowledged. What happens meanwhile is kept for a RESUME.
        """
        for connection, request in self._connections.items():
            connection.frozen = True
            if isinstance(request.transport, asyncio.Transport):
                request.transport.pause_reading()

    # Serving

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one WebSocket until it ends."""
        socket = web.WebSocketResponse(max_msg_size=4096, compress=False, timeout=1.0)
        await socket.prepare(request)
        compressed = request.query.get("compress") == "zlib-stream"
        connection = Connection(socket, compressed=compressed)
        self._connections[connection] = request
        self._changes.ring()
        writer = asyncio.create_task(connection.write())
        interval_ms = int(self._platform.limits.heartbeat_s * 1000)
        connection.frozen = self.mute
        connection.send({"op": HELLO, "d": {"heartbeat_interval": interval_ms}})
        try:
            async for message in socket:
                self._receive(connection, message.type, message.data)
        except Exception as fault:  # noqa: BLE001 - outermost: kept, and raised when the test ends
            self.failures.append(fault)
        finally:
            self._lost(connection, socket.close_code)
            writer.cancel()
            self._changes.ring()
        return socket

    def _lost(self, connection: Connection, code: int | None) -> None:
        """Keep the session of a connection that is gone, unless its client said goodbye."""
        del self._connections[connection]
        session = connection.session
        if session is None or session.connection is not connection:
            return
        if code in GOODBYE and not connection.closed_here:
            del self._sessions[session.id]
        else:
            session.disconnected(self._platform.clock())

    # What clients send

    def _receive(self, connection: Connection, kind: WSMsgType, text: str) -> None:
        try:
            payload: dict[str, Any] = json.loads(text) if kind is WSMsgType.TEXT else {}
            opcode: int = payload["op"]
            data: Any = payload.get("d")
        except (ValueError, KeyError):
            connection.close(DECODE_ERROR)
            return
        if opcode == HEARTBEAT:
            connection.send({"op": HEARTBEAT_ACK})
        elif opcode == IDENTIFY:
            self._identify(connection, data)
        elif opcode == RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            connection.close(NOT_AUTHENTICATED)
        elif opcode == REQUEST_MEMBERS:
            self._send_members(connection.session, data)
        elif opcode not in (PRESENCE, VOICE_STATE):
            connection.close(UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        intents, shard = data.get("intents"), tuple(data.get("shard") or (0, 1))
        refusal = self._refusal(connection, data.get("token"), intents, shard)
        if refusal is not None:
            connection.close(refusal)
            return
        kept = self._platform.limits.replay_events
        session = Session(connection, Intent(intents), (shard[0], shard[1]), kept)
        self._sessions[session.id] = session
        self._welcome(session)
        self._changes.ring()

    def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        if connection.session is not None:
            connection.close(ALREADY_AUTHENTICATED)
            return
        if data.get("token") != self._platform.token:
            connection.close(AUTHENTICATION_FAILED)
            return
        self._drop_old()
        session, seen = self._sessions.get(data["session_id"]), int(data["seq"])
        if session is not None and seen > session.sequence:
            connection.close(INVALID_SEQUENCE)
            return
        missed = None if session is None else session.missed(seen)
        if session is None or missed is None:
            connection.send({"op": INVALID_SESSION, "d": False})
            return
        before = session.connection
        session.connect(connection, missed)
        if before is not None:
            _abort(self._connections[before])  # half open: the client has given it up
        self._changes.ring()

    def _drop_old(self) -> None:
        """Forget sessions whose client stayed away for too long."""
        oldest = self._platform.clock() - self._platform.limits.resume_s
        for session in list(self._sessions.values()):
            if session.lost_s is not None and session.lost_s < oldest:
                del self._sessions[session.id]

    def _refusal(
        self, connection: Connection, token: Any, intents: Any, shard: tuple[int, ...]
    ) -> int | None:
        if connection.session is not None:
            return ALREADY_AUTHENTICATED
        if token != self._platform.token:
            return AUTHENTICATION_FAILED
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            return INVALID_INTENTS
        if intents & PRIVILEGED & ~self._platform.privileged_intents:
            return DISALLOWED_INTENTS
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            return INVALID_SHARD
        return None

    def _welcome(self, session: Session) -> None:
        platform = self._platform
        bot = platform.world.bot
        guilds = [
            guild
            for guild in platform.world.guilds.values()
            if bot.id in guild.members and session.is_for(guild)
        ]
        ready: dict[str, Any] = {
            "v": 10,
            "user": payloads.user(bot) | {"verified": True, "mfa_enabled": True},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": platform.gateway_url,
            "shard": list(session.shard),
            "application": {
                "id": str(platform.application_id),
                "flags": platform.application_flags(),
            },
            "private_channels": [],
        }
        session.dispatch("READY", ready)
        if session.intents & Intent.GUILDS:
            for guild in guilds:
                threads = platform.world.active_threads(guild)
                session.dispatch("GUILD_CREATE", payloads.guild_create(guild, bot.id, threads))

    def _sees(self, channel: Channel) -> bool:
        return bool(self._platform.bot_permissions(channel) & Permission.VIEW_CHANNEL)

    def _send_members(self, session: Session, data: dict[str, Any]) -> None:
        guild = self._platform.world.guilds[int(data["guild_id"])]
        user_ids = data.get("user_ids")
        if isinstance(user_ids, (str, int)):
            user_ids = [user_ids]
        wanted = None if user_ids is None else {int(user_id) for user_id in user_ids}
        prefix = str(data.get("query") or "").lower()
        chosen = [
            member
            for member in guild.members.values()
            if (member.user.id in wanted if wanted else member.user.name.lower().startswith(prefix))
        ]
        chunk: dict[str, Any] = {
            "guild_id": str(guild.id),
            "members": [payloads.member(member) for member in chosen],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        if data.get("nonce"):
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    # What clients are told

    def _tell(self, event: Event) -> None:
        self._drop_old()
        for session in self._sessions.values():
            if self._hears(session, event):
                session.dispatch(event.name, self._for_session(session, event))
        self._changes.ring()

    def _hears(self, session: Session, event: Event) -> bool:
        if event.intent and not session.intents & event.intent:
            return False
        guild = event.guild
        if guild is not None and self._platform.world.bot.id not in guild.members:
            return False
        hidden = event.channel is not None and not self._sees(event.channel)
        return session.is_for(guild) and not hidden

    def _for_session(self, session: Session, event: Event) -> dict[str, Any]:
        if event.message is None or session.intents & Intent.MESSAGE_CONTENT:
            return event.data
        if self._platform.shows_content(event.message):
            return event.data
        return payloads.hide_content(event.data)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
