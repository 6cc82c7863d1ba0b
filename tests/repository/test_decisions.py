"""docs/decisions/: the index names every record, and every record has the template's parts."""

import re

import pytest

from tests.repository.root import ROOT, read

FOLDER = ROOT / "docs/decisions"
RECORDS = sorted(path.name for path in FOLDER.glob("[0-9]*.md"))
PARTS = ["Question", "Decision", "What was tried", "What follows"]


def test_the_index_names_every_record() -> None:
    """In order, without a gap and without a link to nowhere."""
    linked = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", read("docs/decisions/README.md"))
    assert linked == RECORDS
    numbers = [int(record[:4]) for record in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("name", [*RECORDS, "template.md"])
def test_every_record_has_the_same_parts(name: str) -> None:
    assert re.findall(r"^## (.*)$", read(f"docs/decisions/{name}"), flags=re.MULTILINE) == PARTS
