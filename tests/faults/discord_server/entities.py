"""The nouns of the simulated Discord: plain records, and questions a record can answer by itself.

They are mutable because they are the world's present state; `world.World` changes them, so that
every change is told to whoever listens. Wire formats live in `payloads`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .snowflakes import moment
from .wire import items, text

TEXT, DIRECT, CATEGORY, ANNOUNCEMENT = 0, 1, 4, 5
PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 11, 12, 15
"""Channel types (API reference, "Channel Types")."""

THREAD_TYPES = frozenset({10, PUBLIC_THREAD, PRIVATE_THREAD})
MESSAGE_CHANNEL_TYPES = frozenset({TEXT, DIRECT, 2, ANNOUNCEMENT}) | THREAD_TYPES

TEXT_DISPLAY = 10
"""Component type (API reference, "Component Types")."""

EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
"""Message flags (API reference, "Message Flags")."""


@dataclass(slots=True, eq=False)
class User:
    """An account, member's or bot's."""

    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"
    accepts_direct_messages: bool = True


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild; the one whose id is the guild's is @everyone."""

    id: int
    name: str
    permissions: int
    position: int = 1
    managed_by: int | None = None


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies to one role or member."""

    target_id: int
    for_member: bool
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, eq=False)
class Membership:
    """A user in a guild."""

    user: User
    joined_at: datetime
    role_ids: set[int] = field(default_factory=set[int])


@dataclass(slots=True, eq=False)
class Guild:
    """A guild, with everything in it."""

    id: int
    name: str
    owner_id: int
    locale: str = "en-US"
    roles: dict[int, Role] = field(repr=False, default_factory=dict[int, Role])
    members: dict[int, Membership] = field(repr=False, default_factory=dict[int, Membership])
    channels: dict[int, Channel] = field(repr=False, default_factory=dict[int, "Channel"])

    @property
    def everyone(self) -> Role:
        """The @everyone role."""
        return self.roles[self.id]


@dataclass(slots=True, eq=False)
class Channel:
    """A channel, thread (forum posts are threads) or direct conversation.

    `messages` is ordered oldest first, which is by id.
    """

    id: int
    type: int
    name: str
    guild: Guild | None = field(default=None, repr=False)
    parent: Channel | None = field(default=None, repr=False)
    topic: str | None = None
    nsfw: bool = False
    position: int = 0
    overwrites: dict[int, Overwrite] = field(repr=False, default_factory=dict[int, Overwrite])
    messages: dict[int, Message] = field(repr=False, default_factory=dict[int, "Message"])
    recipients: tuple[User, ...] = ()
    owner_id: int | None = None
    archived: bool = False
    locked: bool = False
    archived_changed_at: datetime | None = None
    auto_archive_minutes: int = 1440
    thread_member_ids: set[int] = field(repr=False, default_factory=set[int])
    typing: list[datetime] = field(repr=False, default_factory=list[datetime])

    @property
    def is_thread(self) -> bool:
        """Whether this is a thread or forum post."""
        return self.type in THREAD_TYPES

    @property
    def last_message_id(self) -> int | None:
        """Id of the newest message that still exists."""
        return next(reversed(self.messages), None)

    def by(self, user: User) -> list[Message]:
        """Return the messages of one author, oldest first."""
        return [message for message in self.messages.values() if message.author is user]


@dataclass(slots=True, eq=False)
class Reaction:
    """Who reacted with one emoji; a member can be in both sets."""

    emoji: str
    normal: set[int] = field(default_factory=set[int])
    burst: set[int] = field(default_factory=set[int])

    @property
    def count(self) -> int:
        """Normal and burst together, as Discord counts."""
        return len(self.normal) + len(self.burst)

    def users(self, *, burst: bool) -> set[int]:
        """Return one of the two sets."""
        return self.burst if burst else self.normal


@dataclass(frozen=True, slots=True)
class Revision:
    """How a message looked from a moment on."""

    at: datetime
    content: str
    components: tuple[dict[str, Any], ...]
    flags: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """An uploaded file, kept whole."""

    id: int
    filename: str
    content_type: str
    data: bytes


@dataclass(slots=True, eq=False)
class Message:
    """A message as it stands now; `revisions` holds every look it had, the present one last."""

    id: int
    channel: Channel = field(repr=False)
    author: User
    content: str = ""
    type: int = 0
    flags: int = 0
    nonce: str | int | None = None
    components: list[dict[str, Any]] = field(repr=False, default_factory=list[dict[str, Any]])
    embeds: list[dict[str, Any]] = field(repr=False, default_factory=list[dict[str, Any]])
    attachments: list[Attachment] = field(repr=False, default_factory=list[Attachment])
    mentions: list[User] = field(repr=False, default_factory=list[User])
    role_mention_ids: list[int] = field(default_factory=list[int])
    mentions_everyone: bool = False
    reference_id: int | None = None
    application_id: int | None = None
    webhook_id: int | None = None
    interaction: dict[str, Any] | None = field(default=None, repr=False)
    visible_to: int | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    reactions: dict[str, Reaction] = field(repr=False, default_factory=dict[str, Reaction])
    revisions: list[Revision] = field(repr=False, default_factory=list[Revision])

    @property
    def created_at(self) -> datetime:
        """The time stamp inside the id."""
        return moment(self.id)

    @property
    def ephemeral(self) -> bool:
        """Whether one member alone sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def text(self) -> str:
        """Every word a member reads: the content and the text inside components, in order."""
        displays = [part for part in self.parts() if part["type"] == TEXT_DISPLAY]
        shown = [self.content, *(text(part, "content") for part in displays)]
        return "\n".join(piece for piece in shown if piece)

    def parts(self) -> list[dict[str, Any]]:
        """Return all components, nested ones included, in reading order."""
        return walk(self.components)

    def record_revision(self, at: datetime) -> None:
        """Remember the present look."""
        self.revisions.append(Revision(at, self.content, tuple(self.components), self.flags))


def walk(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return components and everything nested in them, in reading order."""
    found: list[dict[str, Any]] = []
    for component in components:
        found.append(component)
        found.extend(walk(items(component, "components")))
        single = [component[key] for key in ("accessory", "component") if component.get(key)]
        found.extend(walk(single))
    return found
