"""REST routes of channels and messages: sending with nonces, editing, deleting, history, typing.

Each handler takes a `Call` and returns an `Answer`; permissions are computed, not assumed.
"""

from typing import Any

from . import errors, messages, payloads
from .calls import Answer, Call
from .entities import DIRECT, MESSAGE_CHANNEL_TYPES, Channel, Message
from .permissions import Permission, sending
from .platform import Platform
from .routing import Routes

HISTORY_LIMIT, HISTORY_DEFAULT = 100, 50
"""Messages of one page (API reference, "Get Channel Messages")."""


class MessageRoutes:
    """Channels and their messages."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> Routes:
        """Return the handlers by pattern."""
        channel = "/channels/{channel_id}"
        one = f"{channel}/messages/{{message_id}}"
        return {
            f"GET {channel}": self.get_channel,
            f"PATCH {channel}": self.edit_channel,
            f"POST {channel}/typing": self.type,
            f"PUT {channel}/thread-members/@me": self.join_thread,
            f"POST {channel}/messages": self.create,
            f"GET {channel}/messages": self.history,
            f"POST {channel}/messages/bulk-delete": self.bulk_delete,
            f"GET {one}": self.get,
            f"PATCH {one}": self.edit,
            f"DELETE {one}": self.delete,
            "POST /users/@me/channels": self.open_direct_channel,
        }

    def _channel(self, call: Call) -> Channel:
        return self._platform.channel(call.snowflake("channel_id"))

    def _payload(self, message: Message) -> Answer:
        return Answer(200, self._platform.message_payload(message))

    async def get_channel(self, call: Call) -> Answer:
        """Describe a channel or thread."""
        bot = self._platform.world.bot
        return Answer(200, payloads.channel(self._channel(call), viewer_id=bot.id))

    async def edit_channel(self, call: Call) -> Answer:
        """Rename a channel, or rename, archive and bring back a thread."""
        world, channel = self._platform.world, self._channel(call)
        if not channel.is_thread:
            self._platform.require(channel, Permission.MANAGE_CHANNELS)
        elif channel.owner_id != world.bot.id or "locked" in call.fields:
            self._check_may_manage(channel, call)
        if "name" in call.fields:
            world.rename_channel(channel, call.fields["name"])
        if channel.is_thread and {"archived", "locked"} & set(call.fields):
            world.archive_thread(
                channel,
                archived=call.fields.get("archived", channel.archived),
                locked=call.fields.get("locked", channel.locked),
            )
        return await self.get_channel(call)

    def _check_may_manage(self, thread: Channel, call: Call) -> None:
        """Refuse unless it only brings back an unlocked thread, which those who can send may."""
        if set(call.fields) == {"archived"} and not call.fields["archived"] and not thread.locked:
            self._platform.require(thread, sending(thread))
        else:
            self._platform.require(thread, Permission.MANAGE_THREADS)

    async def join_thread(self, call: Call) -> Answer:
        """Have the bot join a thread."""
        thread = self._channel(call)
        if thread.archived:
            raise errors.thread_is_archived()
        thread.thread_member_ids.add(self._platform.world.bot.id)
        return Answer(204)

    async def open_direct_channel(self, call: Call) -> Answer:
        """Open the conversation with a user."""
        world = self._platform.world
        user = world.users.get(int(call.fields["recipient_id"]))
        if user is None:
            raise errors.unknown_user()
        return Answer(200, payloads.channel(world.direct_channel(user)))

    async def type(self, call: Call) -> Answer:
        """Show the typing sign; the channel remembers when."""
        channel = self._channel(call)
        self._check_may_send(channel)
        channel.typing.append(self._platform.world.snowflakes.now())
        return Answer(204)

    def _check_may_send(self, channel: Channel) -> None:
        if channel.type not in MESSAGE_CHANNEL_TYPES:
            raise errors.wrong_channel_type()
        if channel.type == DIRECT and not channel.recipients[0].accepts_direct_messages:
            raise errors.direct_messages_closed()
        self._platform.require(channel, sending(channel))

    async def create(self, call: Call) -> Answer:
        """Send a message, or find the one that its enforced nonce already made."""
        channel = self._channel(call)
        self._check_may_send(channel)
        self._platform.check_unlocked(channel)
        if call.files:
            self._platform.require(channel, Permission.ATTACH_FILES)
        body = call.fields
        nonce = body.get("nonce")
        enforced = bool(nonce is not None and body.get("enforce_nonce"))
        if enforced:
            earlier = self._by_nonce(str(nonce))
            if earlier is not None:
                return self._payload(earlier)
        message = messages.create(self._platform, channel, body, call.files)
        if nonce is not None:
            key = message.author.id, str(nonce)
            self._platform.nonces[key] = self._platform.clock(), message
        return self._payload(message)

    def _by_nonce(self, nonce: str) -> Message | None:
        key = self._platform.world.bot.id, nonce
        used_s, message = self._platform.nonces.get(key, (0.0, None))
        if message is None or self._platform.clock() - used_s > self._platform.limits.nonce_s:
            return None
        if message.deleted or message.channel.id not in self._platform.world.channels:
            raise errors.unknown_message()
        return message

    async def get(self, call: Call) -> Answer:
        """Return one message."""
        channel = self._channel(call)
        if not self._platform.bot_permissions(channel) & Permission.READ_MESSAGE_HISTORY:
            raise errors.missing_access()
        return self._payload(self._platform.message(channel, call.snowflake("message_id")))

    async def edit(self, call: Call) -> Answer:
        """Edit a message of the bot's own."""
        channel = self._channel(call)
        message = self._platform.message(channel, call.snowflake("message_id"))
        if message.author is not self._platform.world.bot:
            raise errors.not_the_author()
        if channel.archived:
            raise errors.thread_is_archived()
        self._platform.check_unlocked(channel)
        messages.edit(self._platform, message, call)
        return self._payload(message)

    async def delete(self, call: Call) -> Answer:
        """Delete a message."""
        channel = self._channel(call)
        message = self._platform.message(channel, call.snowflake("message_id"))
        if message.author is not self._platform.world.bot:
            self._platform.require(channel, Permission.MANAGE_MESSAGES)
        if channel.archived:
            self._platform.check_unlocked(channel)
        self._platform.world.delete_message(message)
        return Answer(204)

    async def bulk_delete(self, call: Call) -> Answer:
        """Delete 2 to 100 messages; those that are gone already do not matter."""
        channel = self._channel(call)
        self._platform.require(channel, Permission.MANAGE_MESSAGES)
        wanted = [int(message_id) for message_id in call.fields["messages"]]
        if not 2 <= len(wanted) <= HISTORY_LIMIT:
            raise errors.invalid_form("messages", "BASE_TYPE_BAD_LENGTH", "Must be 2 to 100.")
        for message_id in wanted:
            if message_id in channel.messages:
                self._platform.world.delete_message(channel.messages[message_id])
        return Answer(204)

    async def history(self, call: Call) -> Answer:
        """Return a page of messages, newest first whichever way it was asked for."""
        channel = self._channel(call)
        if channel.type not in MESSAGE_CHANNEL_TYPES:
            raise errors.wrong_channel_type()
        anchors = {"before", "after", "around"} & set(call.query)
        if len(anchors) > 1:
            raise errors.invalid_form(
                anchors.pop(), "MUTUALLY_EXCLUSIVE", "before, after, around exclude each other"
            )
        limit = page_size(call, HISTORY_DEFAULT)
        if not self._platform.bot_permissions(channel) & Permission.READ_MESSAGE_HISTORY:
            return Answer(200, list[Any]())
        anchor = anchors.pop() if anchors else None
        page = select_page(
            list(channel.messages), limit, anchor, int(call.query[anchor]) if anchor else 0
        )
        return Answer(
            200,
            [self._platform.message_payload(channel.messages[message_id]) for message_id in page],
        )


def page_size(call: Call, default: int) -> int:
    """Return the `limit` of a query, 1 to 100.

    Raises:
        ApiError: 50035.
    """
    limit = call.query.get("limit", str(default))
    if not limit.isdecimal() or not 1 <= int(limit) <= HISTORY_LIMIT:
        raise errors.invalid_form("limit", "NUMBER_TYPE_COERCE", "int value must be 1 to 100.")
    return int(limit)


def select_page(ids: list[int], limit: int, anchor: str | None, at: int) -> list[int]:
    """Choose a page of a channel's history.

    Args:
        ids: All message ids, ascending.
        limit: How many at most; `around` gives half on each side of the anchor and the anchor.
        anchor: "before", "after", "around" or None for the newest.
        at: The anchor's id; it need not exist.

    Returns:
        Ids, newest first: for "after" those that follow the anchor most closely.
    """
    older = [message_id for message_id in ids if message_id < at]
    newer = [message_id for message_id in ids if message_id > at]
    if anchor == "before":
        page = older[-limit:]
    elif anchor == "after":
        page = newer[:limit]
    elif anchor == "around":
        half = limit // 2
        middle = [message_id for message_id in ids if message_id == at]
        page = older[len(older) - min(half, len(older)) :] + middle + newer[:half]
    else:
        page = ids[-limit:]
    return page[::-1]
