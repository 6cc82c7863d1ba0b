"""The image: pinned packages, no compiler, no root, and nothing in it that was not meant for it."""

import json
import re
from fnmatch import fnmatch

from tests.repository.root import ROOT, read


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), in order."""
    text = re.sub(r"^#.*\n", "", read("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return [(word.upper(), rest) for word, rest in pairs]


def arguments(word: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == word]


def test_the_base_is_a_slim_python_of_a_named_minor_version() -> None:
    """One stage, so what is not in the base and not in the list is not in the image."""
    (base,) = arguments("FROM")
    assert re.fullmatch(r"python:3\.11-slim-[a-z]+", base)


def test_packages_are_installed_from_the_hashed_list_as_wheels() -> None:
    """No dependency is resolved and none is built: neither torch nor a compiler gets in."""
    (install,) = [run for run in arguments("RUN") if "pip install" in run]
    for flag in ("--no-deps", "--require-hashes", "--only-binary=:all:"):
        assert flag in install.split()
    assert "-r requirements/run.txt" in install
    assert not any("apt" in run for run in arguments("RUN"))


def test_it_runs_as_somebody_without_rights() -> None:
    """USER comes before CMD and is not root."""
    words = [word for word, _ in instructions()]
    assert arguments("USER") == ["talewheel"]
    assert words.index("USER") < words.index("CMD")


def test_it_runs_the_bot_as_process_one() -> None:
    """The exec form: a shell in between would swallow the SIGTERM that ends a run in peace."""
    (command,) = arguments("CMD")
    assert json.loads(command) == ["python", "-m", "bot", "run"]


def test_what_is_copied_exists_and_is_let_through() -> None:
    """.dockerignore lets nothing pass but what the Dockerfile copies: no .env, no history."""
    ignore = [line for line in read(".dockerignore").splitlines() if not line.startswith("#")]
    assert ignore[0] == "*"
    allowed = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {copy.split()[0] for copy in arguments("COPY")}
    assert copied == allowed
    for name in copied:
        assert (ROOT / name).exists(), name
        assert not fnmatch(".env", name)
