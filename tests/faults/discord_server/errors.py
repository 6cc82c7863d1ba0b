"""The API's refusals: status, Discord's numeric code and its words, raised where a rule is broken.

    DiscordServerTestError
    ├── ApiError             goes out over HTTP as {code, message}
    ├── DropConnection       the caller's TCP connection dies instead of an answer
    └── MemberActionError    a member's own Discord client would not let them do that
        └── NoAnswerError    the bot did not answer an interaction in time

Codes are those of the API reference, "JSON Error Codes".
"""

from typing import Any


class DiscordServerTestError(Exception):
    """Anything this server raises on purpose."""


class ApiError(DiscordServerTestError):
    """A refusal as it goes over the wire.

    Args:
        status: HTTP status.
        code: Discord's error code, 0 where it has none.
        message: Discord's words.
        errors: The tree of faults of an "Invalid Form Body".
    """

    def __init__(
        self, status: int, code: int, message: str, errors: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


class DropConnection(DiscordServerTestError):  # noqa: N818 - an order given by a hook, not a fault
    """Raised by a hook: the connection dies and no answer is sent.

    Args:
        reset: True ends it by a TCP reset, False by an orderly close of the socket.
    """

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class MemberActionError(DiscordServerTestError):
    """The member's own client refuses: hidden command, disabled button, missing permission."""


class NoAnswerError(MemberActionError):
    """What a member reads as "The application did not respond"."""


def unauthorized() -> ApiError:
    """The token in the header is not the bot's."""
    return ApiError(401, 0, "401: Unauthorized")


def not_found() -> ApiError:
    """No such route."""
    return ApiError(404, 0, "404: Not Found")


def method_not_allowed() -> ApiError:
    """The route exists for other methods."""
    return ApiError(405, 0, "405: Method Not Allowed")


def unknown_channel() -> ApiError:
    """10003."""
    return ApiError(404, 10003, "Unknown Channel")


def unknown_guild() -> ApiError:
    """10004."""
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    """10007."""
    return ApiError(404, 10007, "Unknown Member")


def unknown_message() -> ApiError:
    """10008."""
    return ApiError(404, 10008, "Unknown Message")


def unknown_user() -> ApiError:
    """10013."""
    return ApiError(404, 10013, "Unknown User")


def unknown_emoji() -> ApiError:
    """10014."""
    return ApiError(400, 10014, "Unknown Emoji")


def unknown_webhook() -> ApiError:
    """10015."""
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """10062: never existed, or its first three seconds are over."""
    return ApiError(404, 10062, "Unknown interaction")


def unknown_command() -> ApiError:
    """10063."""
    return ApiError(404, 10063, "Unknown application command")


def too_many_reactions() -> ApiError:
    """30010."""
    return ApiError(400, 30010, "Maximum number of reactions reached (20)")


def already_acknowledged() -> ApiError:
    """40060."""
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def missing_access() -> ApiError:
    """50001: the channel or guild is hidden from the bot."""
    return ApiError(403, 50001, "Missing Access")


def not_the_author() -> ApiError:
    """50005."""
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> ApiError:
    """50006."""
    return ApiError(400, 50006, "Cannot send an empty message")


def direct_messages_closed() -> ApiError:
    """50007."""
    return ApiError(403, 50007, "Cannot send messages to this user")


def missing_permissions() -> ApiError:
    """50013."""
    return ApiError(403, 50013, "Missing Permissions")


def wrong_channel_type() -> ApiError:
    """50024."""
    return ApiError(400, 50024, "Cannot execute action on this channel type")


def invalid_webhook_token() -> ApiError:
    """50027: an interaction's token after its 15 minutes."""
    return ApiError(401, 50027, "Invalid Webhook Token")


def thread_is_archived() -> ApiError:
    """50083."""
    return ApiError(400, 50083, "Thread is archived")


def thread_is_locked() -> ApiError:
    """160005."""
    return ApiError(403, 160005, "Thread is locked")


def invalid_form(field: str, code: str, message: str) -> ApiError:
    """50035 with one fault.

    Args:
        field: Dotted path of the field, for example "data.components.0".
        code: The fault's name, for example BASE_TYPE_MAX_LENGTH.
        message: Discord's words.
    """
    tree: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(field.split(".")):
        tree = {part: tree}
    return ApiError(400, 50035, "Invalid Form Body", tree)


def too_long(field: str, limit: int) -> ApiError:
    """50035: longer than the field allows."""
    return invalid_form(field, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")
