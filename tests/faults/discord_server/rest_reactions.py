"""REST routes of reactions: adding, removing, clearing, and listing who reacted, in pages."""

from . import errors, payloads
from .calls import Answer, Call
from .entities import Channel, Message, Reaction, User
from .permissions import Permission
from .platform import Platform
from .rest_messages import page_size
from .routing import Routes
from .validation import is_emoji

REACTION_KINDS_LIMIT = 20
"""Different emojis on one message (JSON error code 30010)."""

USERS_DEFAULT = 25
"""Users of one page (API reference, "Get Reactions")."""


class ReactionRoutes:
    """Reactions to messages."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> Routes:
        """Return the handlers by pattern; @me before the pattern that would swallow it."""
        all_of_them = "/channels/{channel_id}/messages/{message_id}/reactions"
        one = f"{all_of_them}/{{emoji}}"
        return {
            f"PUT {one}/@me": self.add,
            f"DELETE {one}/@me": self.remove_own,
            f"DELETE {one}/{{user_id}}": self.remove_of,
            f"GET {one}": self.users,
            f"DELETE {one}": self.clear_one,
            f"DELETE {all_of_them}": self.clear,
        }

    def _find(self, call: Call) -> tuple[Channel, Message]:
        channel = self._platform.channel(call.snowflake("channel_id"))
        message = self._platform.message(channel, call.snowflake("message_id"))
        emoji = call.parameters.get("emoji")
        if emoji is not None and not is_emoji(emoji):
            raise errors.unknown_emoji()
        return channel, message

    def _find_to_change(self, call: Call, needed: Permission | None) -> tuple[Channel, Message]:
        channel, message = self._find(call)
        if needed is not None:
            self._platform.require(channel, needed)
        if channel.archived:
            raise errors.thread_is_archived()
        return channel, message

    async def add(self, call: Call) -> Answer:
        """Add the bot's reaction; only a new emoji needs Add Reactions."""
        channel, message = self._find_to_change(call, Permission.READ_MESSAGE_HISTORY)
        emoji = call.parameters["emoji"]
        if emoji not in message.reactions:
            self._platform.require(channel, Permission.ADD_REACTIONS)
            if len(message.reactions) >= REACTION_KINDS_LIMIT:
                raise errors.too_many_reactions()
        self._platform.world.add_reaction(message, self._platform.world.bot, emoji)
        return Answer(204)

    async def remove_own(self, call: Call) -> Answer:
        """Take the bot's reaction back."""
        _, message = self._find_to_change(call, None)
        return self._remove(message, self._platform.world.bot, call)

    async def remove_of(self, call: Call) -> Answer:
        """Remove somebody's reaction."""
        user = self._platform.world.users.get(call.snowflake("user_id"))
        own = user is self._platform.world.bot
        _, message = self._find_to_change(call, None if own else Permission.MANAGE_MESSAGES)
        if user is None:
            raise errors.unknown_user()
        return self._remove(message, user, call)

    def _remove(self, message: Message, user: User, call: Call) -> Answer:
        for burst in (False, True):
            self._platform.world.remove_reaction(
                message, user, call.parameters["emoji"], burst=burst
            )
        return Answer(204)

    async def clear(self, call: Call) -> Answer:
        """Remove all reactions."""
        _, message = self._find_to_change(call, Permission.MANAGE_MESSAGES)
        self._platform.world.clear_reactions(message)
        return Answer(204)

    async def clear_one(self, call: Call) -> Answer:
        """Remove all reactions of one emoji."""
        _, message = self._find_to_change(call, Permission.MANAGE_MESSAGES)
        self._platform.world.clear_reactions(message, call.parameters["emoji"])
        return Answer(204)

    async def users(self, call: Call) -> Answer:
        """List who reacted, normal or burst, by ascending user id and without times."""
        channel, message = self._find(call)
        self._platform.require(channel, Permission.READ_MESSAGE_HISTORY)
        kind = call.query.get("type", "0")
        if kind not in ("0", "1"):
            raise errors.invalid_form("type", "BASE_TYPE_CHOICES", "Value must be one of {0, 1}.")
        after = int(call.query.get("after", "0"))
        limit = page_size(call, USERS_DEFAULT)
        nobody = Reaction(call.parameters["emoji"])
        reaction = message.reactions.get(call.parameters["emoji"], nobody)
        ids = sorted(user_id for user_id in reaction.users(burst=kind == "1") if user_id > after)
        world = self._platform.world
        return Answer(200, [payloads.user(world.users[user_id]) for user_id in ids[:limit]])
