"""A local Discord: real HTTP and WebSocket on loopback, for unmodified Discord clients.

`DiscordServer` serves a simulated world that lives in the test's own process and so outlives
kills and restarts of the client. The protocol's rules a bot relies on are kept (nonces,
permissions, intents, pages, limits of messages, deadlines of interactions, sessions that are
resumed, rate limits where a test asks for them). Nothing here knows the bot under test.
"""

from . import faults
from .calls import Answer, Call
from .entities import Channel, Guild, Message, Overwrite, Role
from .errors import ApiError, DropConnection, MemberActionError, NoAnswerError
from .interactions import Interaction
from .members import Member
from .permissions import MODERATOR, USUAL, Permission
from .platform import Limits
from .rate_limits import Bucket, Rate, RateLimits
from .server import DiscordServer
from .world import Intent

__all__ = [
    "MODERATOR",
    "USUAL",
    "Answer",
    "ApiError",
    "Bucket",
    "Call",
    "Channel",
    "DiscordServer",
    "DropConnection",
    "Guild",
    "Intent",
    "Interaction",
    "Limits",
    "Member",
    "MemberActionError",
    "Message",
    "NoAnswerError",
    "Overwrite",
    "Permission",
    "Rate",
    "RateLimits",
    "Role",
    "faults",
]
