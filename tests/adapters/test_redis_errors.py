"""Every error of redis-py and redisvl has its place in our tree."""

import inspect
from types import ModuleType

import pytest
import redis.exceptions
import redisvl.exceptions

from core.adapters.redis_errors import ERRORS, is_missing_index, passes_soon, translate, translated
from core.errors import RecordError, StoreError, StoreUnavailableError


def own_errors(module: ModuleType) -> list[type[Exception]]:
    """The exception classes that a module defines."""
    return [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("module", [redis.exceptions, redisvl.exceptions])
def test_every_foreign_error_is_in_the_table(module: ModuleType) -> None:
    """A class that a new version brings must be decided about; there are some to look at."""
    classes = own_errors(module)
    assert len(classes) >= 5
    assert [kind.__name__ for kind in classes if kind not in ERRORS] == []


@pytest.mark.parametrize(
    ("error", "soon"),
    [
        (redis.exceptions.ConnectionError("gone"), True),
        (redis.exceptions.TimeoutError("slow"), True),
        (redis.exceptions.BusyLoadingError("loading"), True),
        (ConnectionResetError("reset"), True),
        (TimeoutError(), True),
        (redis.exceptions.ResponseError("BUSY a script runs"), True),
        (redis.exceptions.OutOfMemoryError("full"), False),
        (redis.exceptions.ReadOnlyError("replica"), False),
        (redis.exceptions.NoPermissionError("no"), False),
        (redis.exceptions.AuthenticationError("no"), False),
    ],
)
def test_outages_are_worth_another_try(error: Exception, soon: bool) -> None:
    """Each becomes retryable; only what can pass within seconds is repeated at once."""
    with pytest.raises(StoreError, match="Redis couldn't do it") as caught, translated("do it"):
        raise error
    assert caught.value.__cause__ is error
    assert isinstance(caught.value, StoreUnavailableError)
    assert passes_soon(caught.value) is soon


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (redis.exceptions.ResponseError("WRONGTYPE not a hash"), RecordError),
        (redis.exceptions.ResponseError("syntax error"), StoreError),
        (redis.exceptions.DataError("no bytes"), StoreError),
        (redisvl.exceptions.QueryValidationError("bad query"), StoreError),
    ],
)
def test_faults_of_the_program_are_not_retried(error: Exception, ours: type[StoreError]) -> None:
    """What the server refuses to understand won't be understood later."""
    translation = translate(error, "do it")
    assert type(translation) is ours
    assert not translation.retryable


def test_an_unknown_error_is_taken_for_its_parent() -> None:
    """A class that isn't listed yet doesn't escape untranslated."""

    class NewConnectionError(redis.exceptions.BusyLoadingError):
        pass

    assert type(translate(NewConnectionError("x"), "do it")) is StoreUnavailableError


def test_what_redisvl_wraps_is_looked_at() -> None:
    """An outage inside redisvl's error is an outage; a missing index is told from it."""
    wrapped = redisvl.exceptions.RedisSearchError("Error while searching: gone")
    wrapped.__cause__ = redis.exceptions.ConnectionError("gone")
    with pytest.raises(StoreUnavailableError) as caught, translated("search"):
        raise wrapped
    assert isinstance(caught.value.__cause__, redis.exceptions.ConnectionError)
    wrapped.__cause__ = redis.exceptions.ResponseError("tw-memory: no such index")
    with pytest.raises(StoreError) as missing, translated("search"):
        raise wrapped
    assert is_missing_index(missing.value)
    assert not is_missing_index(caught.value)


def test_only_foreign_errors_are_translated() -> None:
    """A mistake of our own stays what it is."""
    with pytest.raises(KeyError), translated("do it"):
        raise KeyError("x")
