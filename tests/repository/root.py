"""Where the repository is and what is in it: shared by the tests that hold its scaffolding."""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# Installed or written by tools, or an operator's secrets: never part of the repository.
NOT_OURS = frozenset(
    {
        ".env",
        ".git",
        ".hypothesis",
        ".import_linter_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        "__pycache__",
        "build",
        "dist",
    }
)


def read(name: str) -> str:
    """The text of a file, named from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads(read("pyproject.toml"))


def files() -> Iterator[Path]:
    """Every file of the repository, in no particular order."""
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = [
            name for name in subfolders if name not in NOT_OURS and not name.endswith(".egg-info")
        ]
        yield from (Path(folder) / name for name in names if name not in NOT_OURS)
