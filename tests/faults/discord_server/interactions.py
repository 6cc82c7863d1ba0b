"""Interactions under way: what a member did, what the bot has answered so far, how long it may.

An `Interaction` is also what a test holds in its hand after a member's command, click or modal. The
requests that answer it are in `rest_interactions`, the events that start it in `members`.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

from .changes import Changes
from .entities import LOADING, Channel, Message, User
from .errors import NoAnswerError

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
"""Interaction types (API reference, "Interaction Type")."""

(
    ANSWER_MESSAGE,
    ANSWER_DEFERRED,
    ANSWER_DEFERRED_UPDATE,
    ANSWER_UPDATE,
    ANSWER_CHOICES,
    ANSWER_MODAL,
) = range(4, 10)
"""Callback types (API reference, "Interaction Callback Type")."""


@dataclass(slots=True, eq=False)
class Interaction:
    """One thing a member did with the bot, and every answer to it.

    Attributes:
        kind: Interaction type.
        user: Who did it.
        channel: Where.
        name: What was used: "story start", or a custom id.
        started_s: When it was sent, server clock.
        source: The message whose component was used; for a modal, the one it was opened from.
        opened_by: For a submitted modal, the interaction it was the answer to.
        callback: Callback type of the first answer, None before it.
        original: The message that is @original now, None without one or after it was deleted.
        followups: Further messages, oldest first.
        choices: Suggestions of an autocomplete.
        modal: The modal that was opened.
    """

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    name: str
    started_s: float
    changes: Changes
    source: Message | None = None
    opened_by: "Interaction | None" = None
    callback: int | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list[Message])
    choices: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    modal: dict[str, Any] | None = None
    first_response_s: float = 3.0

    @property
    def thinking(self) -> bool:
        """Whether the member sees a loading state instead of an answer."""
        return self.original is not None and bool(self.original.flags & LOADING)

    @property
    def ephemeral(self) -> bool:
        """Whether the first message of the answer is for this member alone."""
        return self.answer.ephemeral

    @property
    def answer(self) -> Message:
        """The first message of the answer.

        Raises:
            NoAnswerError: There is none.
        """
        first = self.original or next(iter(self.followups), None)
        if first is None:
            raise NoAnswerError(f"{self.name}: no message in answer (callback {self.callback})")
        return first

    @property
    def content(self) -> str:
        """Content of the first message."""
        return self.answer.content

    @property
    def components(self) -> list[dict[str, Any]]:
        """Components of the first message."""
        return self.answer.components

    @property
    def text(self) -> str:
        """Every word the member reads in answer, all messages together."""
        first = [] if self.original is None else [self.original]
        return "\n".join(message.text for message in [*first, *self.followups])

    async def acknowledged(self) -> "Interaction":
        """Wait for the first answer.

        Raises:
            NoAnswerError: The member reads "The application did not respond".
        """
        what = f"{self.name}: the application did not respond"
        try:
            await self.changes.wait_for(
                lambda: self.callback is not None, self.first_response_s, what
            )
        except TimeoutError:
            raise NoAnswerError(what) from None
        return self

    async def completed(self, timeout_s: float = 10.0) -> "Interaction":
        """Wait until the first answer is there and no longer a loading state.

        Raises:
            NoAnswerError: No answer within three seconds.
            TimeoutError: The loading state stays.
        """
        await self.acknowledged()
        what = f"{self.name}: still thinking"
        await self.changes.wait_for(lambda: not self.thinking, timeout_s, what)
        return self


class Interactions:
    """Every interaction by its token, which is also the key to its webhook."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._by_token: dict[str, Interaction] = {}

    def start(
        self,
        interaction_id: int,
        kind: int,
        user: User,
        channel: Channel,
        name: str,
        *,
        started_s: float,
        first_response_s: float,
        source: Message | None = None,
        opened_by: Interaction | None = None,
    ) -> Interaction:
        """Begin an interaction."""
        token = f"interaction.{interaction_id}.{secrets.token_urlsafe(24)}"
        interaction = Interaction(
            interaction_id,
            token,
            kind,
            user,
            channel,
            name,
            started_s,
            self._changes,
            source,
            opened_by,
            first_response_s=first_response_s,
        )
        self._by_token[token] = interaction
        return interaction

    def get(self, token: str) -> Interaction | None:
        """Return the interaction of a token."""
        return self._by_token.get(token)
