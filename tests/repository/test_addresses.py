"""The repository names no registry and carries no lock file that would."""

import re

import pytest

from tests.repository.root import ROOT, files

REGISTRY = re.compile(rb"(?:pypi|pythonhosted|npmjs|debian)\.(?:org|com)", re.IGNORECASE)
LOCKS = {
    "Pipfile.lock",
    "package-lock.json",
    "pdm.lock",
    "pixi.lock",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
}


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the business of the machine that installs them."""
    named = [str(path.relative_to(ROOT)) for path in files() if REGISTRY.search(path.read_bytes())]
    assert named == []


@pytest.mark.parametrize("host", ["PyPI", "files.pythonhosted", "registry.npmjs"])
def test_the_search_would_find_one(host: str) -> None:
    """The pattern knows the registries that lock files write down."""
    assert REGISTRY.search(f"https://{host}.org/simple".encode())


def test_no_lock_file() -> None:
    """Lock files of uv, poetry and npm write an address for every package."""
    found = [
        path.name
        for path in files()
        if path.name in LOCKS or (path.name.startswith("pylock") and path.suffix == ".toml")
    ]
    assert found == []
