"""The errors that cross a port or reach people, in one tree; adapters translate foreign ones.

    TalewheelError                  a sentence for people (``str(error)``) and nothing secret in it
    ├── StartError                  the process can't start: what, which value, what to do
    ├── RefusedError                somebody asked for what the rules refuse; nothing was changed
    │   ├── PhaseError              this event can't happen in this phase
    │   ├── InputError              a value out of its range, named with the range
    │   ├── StaleError              what was to be replaced reads differently by now
    │   ├── UncheckedError          the content filter can't look at it now: try again
    │   └── NoStoryError            there is no story here
    ├── BudgetSpentError            a budget of the day is spent: wait until the day turns
    ├── AllowanceSpentError         a turn asked the models as often as it may: somebody must act
    ├── ArchiveError                a file isn't an archive, or a damaged one; nothing was written
    ├── StoreError                  Redis
    │   ├── StoreUnavailableError   unreachable, busy, read-only, out of memory: worth another try
    │   ├── FencedError             somebody else raised the epoch: stop, touch nothing
    │   ├── ConflictError           a versioned value moved since it was read: read again
    │   └── RecordError             a stored record can't be read
    ├── ModelError                  a model; what its endpoint said is kept apart, for logs
    │   ├── NarratorError           the language model
    │   │   ├── NarratorUnavailableError  worth another try later: outage, rate limit, nonsense
    │   │   └── NarratorRefusedError    final until somebody acts: key, quota, model, content
    │   ├── EmbedderError           vectors
    │   │   ├── EmbedderUnavailableError  worth another try later
    │   │   └── EmbedderRefusedError  final until somebody acts: not installed, key, wrong dimension
    │   └── FilterError             what looks at texts before members do
    │       ├── FilterUnavailableError  worth another try later
    │       └── FilterRefusedError  final until somebody acts: key, model
    └── StageError                  Discord
        ├── StageUnavailableError   worth another try; the outcome may be unknown
        ├── StageForbiddenError     the channel refuses: never retried until something changes
        ├── ChannelGoneError        the channel (or thread) was deleted
        └── MessageGoneError        the message was deleted

"Worth another try" is a property of the class (``retryable``), so that retrying code asks the error
and never lists classes. Nothing here imports anything of the project.
"""

from typing import ClassVar


class TalewheelError(Exception):
    """Root of the tree; the message is a sentence that says what failed and what to do."""

    retryable: ClassVar[bool] = False


class StartError(TalewheelError):
    """The process can't start with what it was given; the message is one line for the operator."""


class RefusedError(TalewheelError):
    """The rules refuse what was asked; the message can be shown to whoever asked."""


class PhaseError(RefusedError):
    """An event that the table of phases doesn't list for the story's phase."""


class InputError(RefusedError):
    """A value outside its range; the message names the value, the range and what to do."""


class StaleError(RefusedError):
    """What somebody wanted to replace was changed since they read it; nothing was overwritten.

    Attributes:
        theirs: how it reads now.
    """

    def __init__(self, message: str, theirs: str) -> None:
        super().__init__(message)
        self.theirs = theirs


class UncheckedError(RefusedError):
    """A text that the content filter must see first, and can't just now; nothing was changed."""


class NoStoryError(RefusedError):
    """There is no story where one is needed."""


class BudgetSpentError(TalewheelError):
    """A cap on spending is reached.

    Attributes:
        until: UTC seconds from which spending is possible again.
        sent: requests of the same call had been sent before the cap was met.
    """

    def __init__(self, message: str, until: float) -> None:
        super().__init__(message)
        self.until = until
        self.sent = False


class AllowanceSpentError(TalewheelError):
    """A turn has asked the models as often as it may before a person acts."""


class ArchiveError(TalewheelError):
    """A file can't be imported: no archive, cut off, changed, or of a newer Talewheel."""


class StoreError(TalewheelError):
    """The store couldn't do what was asked."""


class StoreUnavailableError(StoreError):
    """The store is unreachable, loading, read-only, out of memory or too slow."""

    retryable = True


class FencedError(StoreError):
    """The story's epoch isn't the caller's any more: another took over, and this one must stop."""


class ConflictError(StoreError):
    """A versioned value (memory, canon, plans, settings) moved since the caller read it.

    Attributes:
        field: which value moved, as the store names it.
    """

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class RecordError(StoreError):
    """A stored record is missing or can't be decoded by this version."""


class ModelError(TalewheelError):
    """A model couldn't give what was asked; the message holds no word of its endpoint.

    Attributes:
        said: what the endpoint said, or what the connection failed of; "" for nothing. For logs:
            nobody knows what stands in it, so no channel may show it.
    """

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said

    @property
    def in_full(self) -> str:
        """The message with what was said, for logs and for whoever runs the bot."""
        return f'{self} It said: "{self.said}".' if self.said else str(self)


class NarratorError(ModelError):
    """The language model couldn't give what was asked."""


class NarratorUnavailableError(NarratorError):
    """An outage, a rate limit, a time-out or an unusable answer: another try later may succeed."""

    retryable = True


class NarratorRefusedError(NarratorError):
    """No retry mends this: a refused key, an unknown model, a spent quota, refused content."""


class EmbedderError(ModelError):
    """No vector could be made."""


class EmbedderUnavailableError(EmbedderError):
    """The embeddings endpoint is down or busy."""

    retryable = True


class EmbedderRefusedError(EmbedderError):
    """No retry mends this: not installed, refused key, vectors of another length."""


class FilterError(ModelError):
    """The content filter couldn't look at a text, so nobody may read it."""


class FilterUnavailableError(FilterError):
    """The content filter's endpoint is down, busy, or answers nonsense."""

    retryable = True


class FilterRefusedError(FilterError):
    """No retry mends this: a refused key, an unknown model."""


class StageError(TalewheelError):
    """Discord couldn't do what was asked."""


class StageUnavailableError(StageError):
    """Discord failed or the connection broke; whether the request was applied may be unknown."""

    retryable = True


class StageForbiddenError(StageError):
    """The channel refuses: a permission or the access is missing, or the thread is locked.

    Attributes:
        speechless: whether nothing can be said in the channel either; True where that isn't known.
    """

    def __init__(self, message: str, *, speechless: bool = True) -> None:
        super().__init__(message)
        self.speechless = speechless


class ChannelGoneError(StageError):
    """The channel or thread no longer exists; nothing will ever be there again."""


class MessageGoneError(StageError):
    """The message no longer exists."""
