"""REST routes that answer interactions: the callback, the original answer, followups.

Tokens are their own authorization: these routes need no bot token. Deadlines and the rule of one
first answer are enforced here; messages are made by `messages`.
"""

from typing import Any

from . import errors, messages
from .calls import Answer, Call
from .entities import LOADING, Message
from .interactions import (
    ANSWER_CHOICES,
    ANSWER_DEFERRED,
    ANSWER_DEFERRED_UPDATE,
    ANSWER_MESSAGE,
    ANSWER_MODAL,
    ANSWER_UPDATE,
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
)
from .platform import Platform
from .routing import Routes
from .validation import check_choices, check_modal

ALLOWED_ANSWERS = {
    COMMAND: {ANSWER_MESSAGE, ANSWER_DEFERRED, ANSWER_MODAL},
    COMPONENT: {
        ANSWER_MESSAGE,
        ANSWER_DEFERRED,
        ANSWER_DEFERRED_UPDATE,
        ANSWER_UPDATE,
        ANSWER_MODAL,
    },
    AUTOCOMPLETE: {ANSWER_CHOICES},
    MODAL_SUBMIT: {ANSWER_MESSAGE, ANSWER_DEFERRED, ANSWER_DEFERRED_UPDATE, ANSWER_UPDATE},
}
"""Which callback types an interaction takes (API reference, "Interaction Callback Type")."""


class InteractionRoutes:
    """Answers to interactions."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> Routes:
        """Return the handlers by pattern."""
        hook = "/webhooks/{application_id}/{token}"
        return {
            "POST /interactions/{interaction_id}/{token}/callback": self.callback,
            f"POST {hook}": self.followup,
            f"GET {hook}/messages/{{message_id}}": self.get,
            f"PATCH {hook}/messages/{{message_id}}": self.edit,
            f"DELETE {hook}/messages/{{message_id}}": self.delete,
        }

    async def callback(self, call: Call) -> Answer:
        """Take the first answer."""
        interaction = self._platform.interactions.get(call.parameters["token"])
        if interaction is None or interaction.id != call.snowflake("interaction_id"):
            raise errors.unknown_interaction()
        if interaction.callback is not None:
            raise errors.already_acknowledged()
        age_s = self._platform.clock() - interaction.started_s
        if age_s > self._platform.limits.first_response_s:
            raise errors.unknown_interaction()
        kind = call.fields.get("type")
        if kind not in ALLOWED_ANSWERS[interaction.kind] or (
            kind in (ANSWER_UPDATE, ANSWER_DEFERRED_UPDATE) and interaction.source is None
        ):
            raise errors.invalid_form("type", "BASE_TYPE_CHOICES", "Not valid for this interaction")
        self._first_answer(interaction, kind, call)
        interaction.callback = kind
        if call.query.get("with_response") not in ("1", "true"):
            return Answer(204)
        return Answer(200, self._describe(interaction))

    def _first_answer(self, interaction: Interaction, kind: int, call: Call) -> None:
        data: dict[str, Any] = call.fields.get("data") or {}
        if kind == ANSWER_MESSAGE:
            interaction.original = messages.create(
                self._platform, interaction.channel, data, call.files, interaction
            )
        elif kind == ANSWER_DEFERRED:
            flags = data.get("flags") or 0
            interaction.original = messages.create_loading(self._platform, interaction, flags)
        elif kind == ANSWER_CHOICES:
            check_choices(data["choices"])
            interaction.choices = data["choices"]
        elif kind == ANSWER_MODAL:
            check_modal(data)
            interaction.modal = data
        else:
            self._update_source(interaction, kind, data, call)

    def _update_source(
        self, interaction: Interaction, kind: int, data: dict[str, Any], call: Call
    ) -> None:
        source = interaction.source
        if source is None:
            raise TypeError("an update was accepted for an interaction without a message")
        if kind == ANSWER_UPDATE:
            self._check_alive(source)
            messages.edit_with(self._platform, source, data, call.files)
        interaction.original = source

    def _describe(self, interaction: Interaction) -> dict[str, Any]:
        told: dict[str, Any] = {"id": str(interaction.id), "type": interaction.kind}
        answer: dict[str, Any] = {"interaction": told}
        message = interaction.original
        if message is not None:
            told["response_message_id"] = str(message.id)
            told["response_message_loading"] = bool(message.flags & LOADING)
            told["response_message_ephemeral"] = message.ephemeral
        if interaction.callback in (ANSWER_MESSAGE, ANSWER_UPDATE, ANSWER_DEFERRED) and message:
            answer["resource"] = {
                "type": interaction.callback,
                "message": self._platform.message_payload(message),
            }
        return answer

    def _interaction(self, call: Call) -> Interaction:
        interaction = self._platform.interactions.get(call.parameters["token"])
        own = call.snowflake("application_id") == self._platform.application_id
        if interaction is None or not own:
            raise errors.unknown_webhook()
        age_s = self._platform.clock() - interaction.started_s
        if age_s > self._platform.limits.interaction_token_s:
            raise errors.invalid_webhook_token()
        if interaction.callback is None:
            raise errors.unknown_webhook()
        return interaction

    @staticmethod
    def _check_alive(message: Message) -> None:
        if message.deleted:
            raise errors.unknown_message()

    def _message(self, call: Call) -> tuple[Interaction, Message]:
        interaction = self._interaction(call)
        wanted = call.parameters["message_id"]
        if wanted == "@original":
            found = interaction.original
        else:
            answers = [interaction.original, *interaction.followups]
            matching = (entry for entry in answers if entry is not None and str(entry.id) == wanted)
            found = next(matching, None)
        if found is None:
            raise errors.unknown_message()
        self._check_alive(found)
        return interaction, found

    async def followup(self, call: Call) -> Answer:
        """Send a further message; the first one after a deferred answer takes its place."""
        interaction = self._interaction(call)
        original = interaction.original
        if original is not None and original.flags & LOADING and not original.deleted:
            messages.edit(self._platform, original, call)
            return Answer(200, self._platform.message_payload(original))
        message = messages.create(
            self._platform, interaction.channel, call.fields, call.files, interaction
        )
        interaction.followups.append(message)
        return Answer(200, self._platform.message_payload(message))

    async def get(self, call: Call) -> Answer:
        """Return an answer."""
        return Answer(200, self._platform.message_payload(self._message(call)[1]))

    async def edit(self, call: Call) -> Answer:
        """Edit an answer; a loading state becomes a message."""
        _, message = self._message(call)
        messages.edit(self._platform, message, call)
        return Answer(200, self._platform.message_payload(message))

    async def delete(self, call: Call) -> Answer:
        """Delete an answer."""
        interaction, message = self._message(call)
        self._platform.world.delete_message(message)
        if message is interaction.original:
            interaction.original = None
        else:
            interaction.followups.remove(message)
        return Answer(204)
