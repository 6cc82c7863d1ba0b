"""Reading JSON objects of unknown origin: fields that may be absent or null, with a type."""

from typing import Any


def items(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a field that holds objects; [] if it is absent or null."""
    return payload.get(name) or []


def text(payload: dict[str, Any], name: str) -> str:
    """Return a field that holds text; "" if it is absent or null."""
    return payload.get(name) or ""


def ids(payload: dict[str, Any], name: str) -> set[int]:
    """Return a field that holds ids; empty if it is absent or null."""
    found: list[str | int] = payload.get(name) or []
    return {int(snowflake) for snowflake in found}


def strings(payload: dict[str, Any], name: str) -> list[str]:
    """Return a field that holds words; [] if it is absent or null."""
    return payload.get(name) or []
