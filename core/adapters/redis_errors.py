"""Foreign errors of redis-py and redisvl, translated once into core/errors.py.

One table names every exception class of both packages (a test holds it to that). A class that a
newer version brings is found by its nearest listed parent until somebody decides about it. No text
of a record and no password ever stands in these packages' messages, so their first line is quoted.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from redis import exceptions as redis
from redisvl import exceptions as redisvl

from core.errors import RecordError, StoreError, StoreUnavailableError

ERRORS: Mapping[type[Exception], type[StoreError]] = MappingProxyType(
    {
        # The connection, or the server's state: another try may succeed.
        redis.ConnectionError: StoreUnavailableError,
        redis.TimeoutError: StoreUnavailableError,
        redis.BusyLoadingError: StoreUnavailableError,
        redis.MaxConnectionsError: StoreUnavailableError,
        redis.InvalidResponse: StoreUnavailableError,
        redis.OutOfMemoryError: StoreUnavailableError,
        redis.ReadOnlyError: StoreUnavailableError,
        redis.TryAgainError: StoreUnavailableError,
        redis.MasterDownError: StoreUnavailableError,
        redis.ClusterDownError: StoreUnavailableError,
        redis.ClusterError: StoreUnavailableError,
        redis.AskError: StoreUnavailableError,
        redis.MovedError: StoreUnavailableError,
        redis.SlotNotCoveredError: StoreUnavailableError,
        OSError: StoreUnavailableError,
        # A password or a right was changed while we run: it can be changed back.
        redis.AuthenticationError: StoreUnavailableError,
        redis.AuthenticationWrongNumberOfArgsError: StoreUnavailableError,
        redis.AuthorizationError: StoreUnavailableError,
        redis.NoPermissionError: StoreUnavailableError,
        redis.ExternalAuthProviderError: StoreUnavailableError,
        # The server or the client refused what this program asked: a fault of the program.
        redis.RedisError: StoreError,
        redis.ResponseError: StoreError,
        redis.DataError: StoreError,
        redis.PubSubError: StoreError,
        redis.WatchError: StoreError,
        redis.NoScriptError: StoreError,
        redis.ExecAbortError: StoreError,
        redis.ModuleError: StoreError,
        redis.NoSuchFieldsetError: StoreError,
        redis.LockError: StoreError,
        redis.LockNotOwnedError: StoreError,
        redis.ChildDeadlockedError: StoreError,
        redis.ClusterCrossSlotError: StoreError,
        redis.RedisClusterException: StoreError,
        redis.CrossSlotTransactionError: StoreError,
        redis.InvalidPipelineStack: StoreError,
        redis.IncorrectPolicyType: StoreError,
        redisvl.RedisVLError: StoreError,
        redisvl.RedisSearchError: StoreError,
        redisvl.SchemaValidationError: StoreError,
        redisvl.QueryValidationError: StoreError,
        redisvl.RedisModuleVersionError: StoreError,
    }
)

# Error codes that redis-py leaves in a plain ResponseError's text.
_CODES: Mapping[str, type[StoreError]] = MappingProxyType(
    {
        "BUSY": StoreUnavailableError,
        "MISCONF": StoreUnavailableError,
        "NOREPLICAS": StoreUnavailableError,
        "UNBLOCKED": StoreUnavailableError,
        "WRONGTYPE": RecordError,
    }
)
_SETTLED = (
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
    redis.AuthenticationError,
    redis.AuthorizationError,
    redis.NoPermissionError,
)
_MISSING_INDEX = ("no such index", "unknown index name", "index not found")


@contextmanager
def translated(doing: str) -> Generator[None]:
    """Turn every foreign error of the block into ours.

    Args:
        doing: what is being done, as the sentence names it: "Redis couldn't {doing}: …".
    """
    try:
        yield
    except tuple(ERRORS) as error:
        raise translate(error, doing) from root_of(error)


def translate(error: Exception, doing: str) -> StoreError:
    """Our error for a foreign one that ERRORS lists, or whose parent it lists."""
    root = root_of(error)
    code = str(root).partition(" ")[0]
    ours = _CODES.get(code) if isinstance(root, redis.ResponseError) else None
    if ours is None:
        ours = next(ERRORS[kind] for kind in type(root).__mro__ if kind in ERRORS)
    reason = (str(root).splitlines() or [""])[0] or type(root).__name__
    return ours(f"Redis couldn't {doing}: {reason}")


def root_of(error: Exception) -> Exception:
    """The error that says most: what redisvl wraps, and redis-py in a bare ConnectionError."""
    wraps = isinstance(error, redisvl.RedisVLError) or type(error) is redis.ConnectionError
    if wraps and isinstance(error.__cause__, redis.RedisError):
        return root_of(error.__cause__)
    return error


def passes_soon(error: StoreUnavailableError) -> bool:
    """Whether a repetition within seconds has a chance: a lost reply yes, a full memory no."""
    return not isinstance(error.__cause__, _SETTLED)


def is_missing_index(error: StoreError) -> bool:
    """Whether a search failed because its index is gone (FLUSHDB drops the definitions)."""
    text = str(error.__cause__).lower()
    return any(fragment in text for fragment in _MISSING_INDEX)
