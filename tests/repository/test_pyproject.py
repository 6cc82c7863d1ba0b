"""pyproject.toml: what is installed under which name, and that nothing in it goes unexplained."""

import re

import pytest

from tests.repository.root import pyproject, read


def test_the_console_script_is_the_module() -> None:
    """`talewheel run` and `python -m bot run` are one."""
    project = pyproject()["project"]
    assert project["name"] == "talewheel"
    assert project["scripts"] == {"talewheel": "bot.__main__:main"}


def block(opening: str) -> list[str]:
    """The lines of an array in pyproject.toml, from its opening line to its closing bracket."""
    text = read("pyproject.toml")
    start = text.index(f"\n{opening} = [\n")
    return text[start : text.index("\n]", start)].splitlines()[2:]


def test_every_dependency_says_why_it_is_there() -> None:
    """A dependency without a reason cannot be weighed, and so never goes away."""
    lines = [line.strip() for line in block("dependencies")]
    for above, line in zip(["", *lines], lines, strict=False):
        assert line.startswith("#") or above.startswith("#"), line


@pytest.mark.parametrize("name", ["ignore", '"tests/**"'])
def test_every_rule_that_ruff_ignores_says_why(name: str) -> None:
    for line in block(name):
        assert re.search(r'",?  # \w', line), line


def test_types_are_checked_strictly_everywhere() -> None:
    """Bot, core and tests alike, as of the oldest Python that is promised."""
    settings = pyproject()["tool"]["pyright"]
    assert settings["include"] == ["bot", "core", "tests"]
    assert settings["typeCheckingMode"] == "strict"
    assert settings["pythonVersion"] == "3.11"
    assert pyproject()["project"]["requires-python"] == ">=3.11"


def test_warnings_are_errors() -> None:
    assert pyproject()["tool"]["pytest"]["ini_options"]["filterwarnings"][0] == "error"
