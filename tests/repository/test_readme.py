"""README: what it says of settings and commands is what the code has."""

import re
from pathlib import Path

from bot.setting_table import SETTINGS
from tests.repository.root import ROOT, files, read
from tests.repository.settings_table import BEGIN, END, between_marks, table

ENV_LINE = re.compile(r"^ {4}([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
LITERAL = {"OPENAI_BASE_URL", "MODEL_PATIENCE", "PRICES", "NARRATOR_MODEL"}
"""Settings whose lines in docs/providers.md can be taken as they stand; keys are made up."""
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def test_the_table_of_settings_is_the_generated_one() -> None:
    """`python -m tests.repository.settings_table` writes it anew."""
    assert BEGIN in read("README.md")
    assert END in read("README.md")
    assert between_marks(read("README.md")) == table()


def test_the_generated_table_has_a_row_for_each_setting() -> None:
    for setting in SETTINGS:
        assert f"| `{setting.name}` |" in table()


def test_the_lines_for_each_provider_are_settings_that_are_taken() -> None:
    known = {setting.name: setting for setting in SETTINGS}
    lines = ENV_LINE.findall(read("docs/providers.md"))
    assert len(lines) > 15
    for name, value in lines:
        assert name in known
        if name in LITERAL:
            assert known[name].read(value), f"{name}={value}"


def test_every_link_between_documents_leads_somewhere() -> None:
    """A file that was renamed takes its links with it, and a heading its anchor."""
    broken = [
        f"{path.relative_to(ROOT)}: {target}{anchor}"
        for path in files()
        if path.suffix == ".md"
        for target, anchor in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists() or not _has(path.parent / target, anchor)
    ]
    assert broken == []


def _has(path: Path, anchor: str) -> bool:
    if not anchor or path.suffix != ".md":
        return True
    return anchor[1:] in {_anchor(title) for title in HEADING.findall(path.read_text("utf-8"))}


def _anchor(title: str) -> str:
    """How GitHub names a heading's anchor."""
    plain = re.sub(r"[^\w\- ]", "", title.replace("`", "").lower())
    return plain.replace(" ", "-")
