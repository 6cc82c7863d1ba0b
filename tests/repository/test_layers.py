"""What import-linter cannot say: core/domain touches nothing; one file reads the environment."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.root import ROOT

DOMAIN = sorted((ROOT / "core/domain").rglob("*.py"))
SOURCES = sorted(path for name in ("bot", "core") for path in (ROOT / name).rglob("*.py"))

# Of the standard library: all that acts, waits, tells the time or draws lots.
ACTING = frozenset(
    {
        "asyncio",
        "concurrent",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
CLOCKS = frozenset({"now", "today", "utcnow"})


def imported(path: Path) -> Iterator[str]:
    """The full names of what a file imports, anywhere in it."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_a_domain() -> None:
    assert DOMAIN


@pytest.mark.parametrize("path", DOMAIN, ids=name)
def test_the_domain_imports_nothing_that_acts(path: Path) -> None:
    """Only the standard library's calm part, regex for graphemes, itself and core.errors."""
    for module in imported(path):
        top = module.partition(".")[0]
        if top == "core":
            assert module.startswith(("core.domain", "core.errors")), module
        else:
            assert top == "regex" or (top in sys.stdlib_module_names and top not in ACTING), module


@pytest.mark.parametrize("path", DOMAIN, ids=name)
def test_the_domain_asks_no_clock_and_prints_nothing(path: Path) -> None:
    """datetime may be computed with; what time it is comes in as a value."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCKS, f"line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "open", "input"}, f"line {node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    """A setting read elsewhere would be neither checked at the start nor in .env.example."""
    if path == ROOT / "bot/settings.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "getenv"}, f"line {node.lineno}"
    assert not any(
        module.startswith(("dotenv", "os.environ", "os.getenv")) for module in imported(path)
    )
