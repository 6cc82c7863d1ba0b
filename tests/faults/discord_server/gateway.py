"""The gateway: WebSocket sessions that identify, keep alive and are told what happens.

A `Connection` is a socket and its compression; a `Session` is what was identified on it: intents,
shard, sequence. They are apart so that a session can outlive its connection; RESUME itself is
answered with "invalid session" for now, upon which clients identify anew. Who is told what (by
intents, shard and visible channels) is decided here; what there is to tell comes from `world`.
"""

import asyncio
import json
import secrets
import zlib
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from . import payloads
from .changes import Changes
from .entities import Channel, Guild
from .permissions import Permission
from .platform import Platform
from .world import PRIVILEGED, Event, Intent

(
    DISPATCH,
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
AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED = 4004, 4005
INVALID_SHARD, INVALID_INTENTS, DISALLOWED_INTENTS = 4010, 4013, 4014
"""Close codes (API reference, "Gateway Close Event Codes")."""

HEARTBEAT_INTERVAL_MS = 41_250
KNOWN_INTENTS = (1 << 26) - 1


@dataclass(frozen=True, slots=True)
class _Close:
    code: int


class Connection:
    """One WebSocket, written by one task so that events keep their order.

    Args:
        socket: The prepared socket.
        compressed: Whether the client asked for zlib-stream. A client that asked for zstd-stream
            gets plain text, which discord.py reads as well.
    """

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self._socket = socket
        self._deflate = zlib.compressobj() if compressed else None
        self._outbox: asyncio.Queue[dict[str, Any] | _Close] = asyncio.Queue()
        self.session: Session | None = None

    def send(self, payload: dict[str, Any]) -> None:
        """Queue a payload."""
        self._outbox.put_nowait(payload)

    def close(self, code: int) -> None:
        """Queue the end of the connection, behind what is queued already."""
        self._outbox.put_nowait(_Close(code))

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        while not self._socket.closed:
            item = await self._outbox.get()
            try:
                if isinstance(item, _Close):
                    await self._socket.close(code=item.code)
                else:
                    await self._write(json.dumps(item))
            except ConnectionResetError:
                return

    async def _write(self, text: str) -> None:
        if self._deflate is None:
            await self._socket.send_str(text)
            return
        data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self._socket.send_bytes(data)


class Session:
    """What one IDENTIFY established."""

    def __init__(self, connection: Connection, intents: Intent, shard: tuple[int, int]) -> None:
        self.id = secrets.token_hex(16)
        self.connection = connection
        self.intents = intents
        self.shard = shard
        self._sequence = 0

    def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send a numbered event."""
        self._sequence += 1
        self.connection.send({"op": DISPATCH, "t": name, "s": self._sequence, "d": data})

    def is_for(self, guild: Guild | None) -> bool:
        """Whether events of a guild come over this shard; direct messages come over shard 0."""
        number, count = self.shard
        return number == (0 if guild is None else (guild.id >> 22) % count)


class Gateway:
    """Serves the gateway of a platform.

    Attributes:
        failures: Faults inside the server.
    """

    def __init__(self, platform: Platform, changes: Changes) -> None:
        self._platform = platform
        self._changes = changes
        self._connections: dict[Connection, web.Request] = {}
        self.failures: list[Exception] = []
        platform.world.subscribe(self._tell)

    @property
    def sessions(self) -> list[Session]:
        """The sessions that are connected now."""
        return [entry.session for entry in self._connections if entry.session is not None]

    def cut(self) -> None:
        """Cut every connection off without a word, like a failing network."""
        for request in self._connections.values():
            if request.transport is not None:
                request.transport.abort()

    def close(self, code: int) -> None:
        """Close every connection with a code."""
        for connection in self._connections:
            connection.close(code)

    def reconnect(self) -> None:
        """Ask every client to connect anew, as Discord does for its own maintenance."""
        for connection in self._connections:
            connection.send({"op": RECONNECT, "d": None})

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one WebSocket until it ends."""
        socket = web.WebSocketResponse(max_msg_size=4096, compress=False, timeout=1.0)
        await socket.prepare(request)
        compressed = request.query.get("compress") == "zlib-stream"
        connection = Connection(socket, compressed=compressed)
        self._connections[connection] = request
        writer = asyncio.create_task(connection.write())
        connection.send({"op": HELLO, "d": {"heartbeat_interval": HEARTBEAT_INTERVAL_MS}})
        try:
            async for message in socket:
                self._receive(connection, message.type, message.data)
        except Exception as fault:  # noqa: BLE001 - outermost: kept, and raised when the test ends
            self.failures.append(fault)
        finally:
            del self._connections[connection]
            writer.cancel()
            self._changes.ring()
        return socket

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
            connection.send({"op": INVALID_SESSION, "d": False})
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
        session = Session(connection, Intent(intents), (shard[0], shard[1]))
        connection.session = session
        self._welcome(session)
        self._changes.ring()

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
        for session in self.sessions:
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
