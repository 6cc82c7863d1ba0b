"""Parsed JSON read without trust: what isn't there, or is of another kind, counts as empty.

Endpoints agree on little and the SDK checks nothing; the adapters read every answer through these.
"""

from collections.abc import Mapping
from typing import cast


def fields(value: object) -> dict[str, object]:
    """An object's members; none where it is no object."""
    if not isinstance(value, Mapping):
        return {}
    return {str(k): v for k, v in cast("Mapping[object, object]", value).items()}


def items(value: object) -> list[object]:
    """A list's items; none where it is no list."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str:
    """Text, also where it comes as a list of parts (those that hold thoughts have no "text")."""
    if isinstance(value, str):
        return value
    return "".join(text(fields(part).get("text")) for part in items(value))


def count(value: object) -> int:
    """A number of tokens, at least 0."""
    return max(0, value) if isinstance(value, int) else 0
