"""The Makefile: what it offers, what it installs and when, what it says where something lacks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.root import ROOT, read

TARGETS = ("play", "test", "check", "chaos", "bench", "eval", "lock", "help", "clean")

RECORDING_PYTHON = """#!/bin/sh
echo "$@" >> "{log}"
"""

PYTHON_3_10 = f"""#!/bin/sh
[ "$1" = --version ] && echo Python 3.10.14 && exit
exec {sys.executable} -c 'import sys; sys.version_info = (3, 10, 14); exec(sys.argv[2])' "$@"
"""


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs make in a folder as a person would: without what an outer make hands down."""
    return subprocess.run(
        ["make", *words],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A clone's scaffolding with nothing installed in it."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


@pytest.fixture
def installed(empty: Path) -> Path:
    """The same with a .venv whose python writes down what it is asked, in calls.log."""
    script(empty / ".venv/bin/python", RECORDING_PYTHON.format(log=empty / "calls.log"))
    script(empty / ".venv/bin/talewheel", "#!/bin/sh\n")
    shutil.copy(empty / "pyproject.toml", empty / ".venv/installed-pyproject.toml")
    shutil.copy(empty / "requirements/dev.txt", empty / ".venv/installed-dev.txt")
    return empty


def calls(folder: Path) -> list[str]:
    log = folder / "calls.log"
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_make_alone_explains_every_target() -> None:
    """A newcomer types `make` and reads what there is, each with a few words."""
    told = dict(re.findall(r"^  make (\w+) +(\S.*)$", make(ROOT).stdout, flags=re.MULTILINE))
    assert set(told) == set(TARGETS)


def test_every_folder_of_tests_is_run() -> None:
    """A folder that the Makefile does not list would never be run by anybody."""
    listed = re.findall(r"^(?:FAST|SLOW)_TESTS := (.*)$", read("Makefile"), flags=re.MULTILINE)
    folders = {
        path.relative_to(ROOT).parts[1]
        for path in (ROOT / "tests").rglob("test_*.py")
        if "bench" not in path.parts
    }
    assert len(listed) == 2
    assert {f"tests/{name}" for name in folders} <= set(" ".join(listed).split())


def test_what_is_installed_is_not_installed_again(installed: Path) -> None:
    """Files with new times but the same content, as after a checkout, cost nothing."""
    (installed / "requirements/dev.txt").touch()
    assert make(installed, "ready-dev").returncode == 0
    assert make(installed, "play", "REDIS_URL=redis://127.0.0.1:1/0").returncode == 0
    assert calls(installed) == ["-m bot play"]


def test_a_changed_list_is_installed_with_its_hashes(installed: Path) -> None:
    """One changed byte installs the whole list again, by hash and without resolving anything."""
    with (installed / "requirements/dev.txt").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert make(installed, "ready-dev").returncode == 0
    (call,) = calls(installed)
    assert "--no-deps --require-hashes -r requirements/dev.txt" in call
    assert make(installed, "ready-dev").returncode == 0
    assert len(calls(installed)) == 1


def test_a_failed_install_is_tried_again(installed: Path) -> None:
    """A half-filled .venv is never taken for a full one, not even for that of the list before."""
    with (installed / "requirements/dev.txt").open("a", encoding="utf-8") as file:
        file.write("\n")
    script(installed / ".venv/bin/python", "#!/bin/sh\nexit 1\n")
    assert make(installed, "ready-dev").returncode != 0
    assert not (installed / ".venv/installed-dev.txt").exists()


def test_the_playground_has_a_smaller_list_of_its_own(installed: Path) -> None:
    """Who only plays waits for no test tool."""
    (installed / ".venv/installed-dev.txt").unlink()
    assert make(installed, "play").returncode == 0
    install, play = calls(installed)
    assert install.endswith("--require-hashes -r requirements/play.txt")
    assert play == "-m bot play"


def test_play_hands_on_the_address_of_a_redis(installed: Path) -> None:
    """`make play REDIS_URL=…` reaches the program as an environment variable."""
    script(installed / ".venv/bin/python", f'#!/bin/sh\necho "$REDIS_URL" > "{installed}/url"\n')
    make(installed, "play", "REDIS_URL=redis://127.0.0.1:7000/0")
    assert (installed / "url").read_text(encoding="utf-8") == "redis://127.0.0.1:7000/0\n"


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (PYTHON_3_10, "is Python 3.10.14. Talewheel needs Python 3.11 or newer"),
        ('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n', "apt install python3-venv"),
    ],
    ids=["too old", "without venv"],
)
def test_an_unfit_python_is_refused_in_a_sentence(empty: Path, python: str, sentence: str) -> None:
    """What is wrong and what to do, instead of a traceback from the middle of an installation."""
    unfit = script(empty / "unfit-python", python)
    answer = make(empty, "play", f"PYTHON={unfit}")
    assert answer.returncode != 0
    assert sentence in answer.stderr
    assert not (empty / ".venv").exists()


def test_a_missing_python_is_said(empty: Path) -> None:
    answer = make(empty, "play", "PYTHON=python-of-the-future")
    assert answer.returncode != 0
    assert "There is no python-of-the-future here" in answer.stderr
