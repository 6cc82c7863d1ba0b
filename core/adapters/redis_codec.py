"""Frozen dataclasses to JSON and back, checked field by field.

A dataclass becomes an object with its fields' names, a tuple an array, an enum its value. Decoding
follows the type hints and accepts nothing else: a missing field, a field that nobody knows, a
number where a text should be are all refused with the place where it happened. What a default is
for in memory is no reason to guess at what was stored: records of earlier formats are brought up to
date as a whole (redis_migrations).
A dataclass that is one of several (``Notice | RefreshBallot``) says in "kind" which it is; the
names of the kinds are given, so that renaming a class doesn't change what is stored.

What is stored in which record, and under which version, stands in redis_schema.
"""

import json
import math
import types
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
_KIND = "kind"


class CodecError(ValueError):
    """A value that doesn't fit its type; the message names the place and what stood there."""


class Codec:
    """Encodes and decodes values of the given dataclasses and everything inside them.

    Args:
        kinds: dataclass → the name it has in "kind", for those that appear in a union.
    """

    def __init__(self, kinds: Mapping[type, str]) -> None:
        self._kinds = dict(kinds)

    def encode(self, value: object) -> bytes:
        """JSON in UTF-8; a lone surrogate in a text stays what it is.

        Raises:
            CodecError: something in it has no JSON (not a number, a type that isn't stored).
        """
        return _dump(self._plain(value))

    def encode_without(self, value: object, left_out: Set[str]) -> bytes:
        """The same for a dataclass, without some of its fields."""
        plain = cast(dict[str, object], self._plain(value))
        return _dump({name: item for name, item in plain.items() if name not in left_out})

    def decode(self, kind: type[T], data: bytes) -> T:
        """The value that ``encode`` was given.

        Raises:
            CodecError: the data isn't JSON, or not of this type.
        """
        return cast(T, self._typed(kind, _load(data), kind.__name__))

    def decode_without(self, kind: type, data: bytes, left_out: Set[str]) -> dict[str, Any]:
        """The fields that ``encode_without`` kept. Raises CodecError."""
        return self._fields(kind, _load(data), kind.__name__, left_out)

    def _plain(self, value: object) -> object:
        if isinstance(value, Enum):
            return value.value
        if value is None or isinstance(value, str | int | float):
            return value
        if isinstance(value, tuple):
            return [self._plain(item) for item in cast(tuple[object, ...], value)]
        if is_dataclass(value) and not isinstance(value, type):
            plain = {f.name: self._plain(getattr(value, f.name)) for f in fields(value)}
            kind = self._kinds.get(type(value))
            return plain if kind is None else {_KIND: kind, **plain}
        raise CodecError(f"a {type(value).__name__} can't be stored")

    def _typed(self, hint: Any, plain: object, at: str) -> object:
        origin = get_origin(hint)
        if origin in (Union, types.UnionType):
            return self._one_of(get_args(hint), plain, at)
        if origin is tuple and get_args(hint)[1:] == (Ellipsis,):
            items = _expect(list, plain, at)
            of = get_args(hint)[0]
            return tuple(self._typed(of, item, f"{at}[{n}]") for n, item in enumerate(items))
        if isinstance(hint, type):
            if is_dataclass(hint):
                return self._record(hint, plain, at)
            if issubclass(hint, Enum):
                return _member(hint, plain, at)
            return _scalar(cast(type, hint), plain, at)
        raise CodecError(f"{at}: values of {hint} aren't stored")

    def _one_of(self, hints: tuple[Any, ...], plain: object, at: str) -> object:
        """A union is of None and one type, or of dataclasses that have a kind."""
        if plain is None and types.NoneType in hints:
            return None
        rest = [hint for hint in hints if hint is not types.NoneType]
        if len(rest) == 1:
            return self._typed(rest[0], plain, at)
        kind = _expect(dict, plain, at).get(_KIND)
        for hint in rest:
            if hint in self._kinds and self._kinds[hint] == kind:
                return self._record(hint, plain, at)
        raise CodecError(f"{at}: unknown kind {kind!r}")

    def _record(self, hint: type, plain: object, at: str) -> object:
        typed = self._fields(hint, plain, at, frozenset())
        try:
            return hint(**typed)
        except ValueError as error:
            raise CodecError(f"{at}: {error}") from error

    def _fields(self, hint: type, plain: object, at: str, left_out: Set[str]) -> dict[str, Any]:
        every, hints = _fields_of(hint)
        known = every - left_out
        values = dict(_expect(dict, plain, at))
        if hint in self._kinds and values.pop(_KIND, None) != self._kinds[hint]:
            raise CodecError(f'{at}: "{_KIND}" should be {self._kinds[hint]!r}')
        if unknown := values.keys() - known:
            raise CodecError(f"{at}: unknown field {min(unknown)!r}")
        if missing := known - values.keys():
            raise CodecError(f"{at}: {min(missing)!r} is missing")
        return {name: self._typed(hints[name], v, f"{at}.{name}") for name, v in values.items()}


@cache
def _fields_of(hint: Any) -> tuple[frozenset[str], dict[str, Any]]:
    return frozenset(one.name for one in fields(hint)), get_type_hints(hint)


def _expect(kind: type[Any], plain: object, at: str) -> Any:
    if isinstance(plain, kind):
        return plain
    raise CodecError(f"{at}: {_excerpt(plain)} isn't a {kind.__name__}")


def _member(hint: type[Enum], plain: object, at: str) -> Enum:
    try:
        return hint(plain)
    except ValueError:
        raise CodecError(f"{at}: {_excerpt(plain)} isn't a {hint.__name__}") from None


def _scalar(hint: type, plain: object, at: str) -> object:
    """A text, a whole number, a number or a truth value; true is no number."""
    if hint is float and type(plain) in (int, float):
        try:
            number = float(cast(float, plain))
        except OverflowError as error:
            raise CodecError(f"{at}: {error}") from error
        if math.isfinite(number):
            return number
    if hint in (str, int, bool) and type(plain) is hint:
        return plain
    raise CodecError(f"{at}: {_excerpt(plain)} isn't a {hint.__name__}")


def _excerpt(plain: object) -> str:
    """What a value is. Errors are logged, so no word of a text: members and models wrote it."""
    match plain:
        case str():
            return f"a text of {len(plain)} characters"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return ascii(plain)[:40]


def _dump(plain: object) -> bytes:
    try:
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise CodecError(f"can't be stored: {error}") from error
    return text.encode("utf-8", "surrogatepass")


def _load(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CodecError(f"isn't JSON: {error}") from error


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no number")
