"""Records as versions of Talewheel stored them, key by key: never changed, only added to.

A file is named after the format of its records and the age of the version that wrote them:
format_1_first (the first version), format_1_desk (before there were facts), format_1_last. When
``FORMAT`` is raised, the newest file stays as it is and one of the new format is added.
"""

import json
from pathlib import Path
from typing import cast

from core.adapters.redis_schema import Record
from core.adapters.redis_vectors import VectorSpace

MADE_BY = VectorSpace("test-embedder", 4)
"""Whose the vectors in them are."""
FOLDER = Path(__file__).parent
AGES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def stored(age: str) -> dict[str, Record | list[bytes]]:
    """Key → the fields of a hash, or the elements of a list."""
    plain = cast(
        dict[str, dict[str, str] | list[str]], json.loads((FOLDER / f"{age}.json").read_text())
    )
    return {
        key: [_bytes(one) for one in held]
        if isinstance(held, list)
        else {name: _bytes(value) for name, value in held.items()}
        for key, held in plain.items()
    }


def record(age: str, key: str) -> Record:
    """One hash."""
    held = stored(age)[key]
    assert not isinstance(held, list)
    return held


def _bytes(text: str) -> bytes:
    """Bytes that aren't UTF-8 stand in the files as escapes."""
    return text.encode("utf-8", "surrogateescape")
