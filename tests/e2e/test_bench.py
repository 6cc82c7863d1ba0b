"""`make bench` runs: each measurement once with tiny sizes. How fast is for the bench to say."""

import json
from pathlib import Path

import pytest

from tests.bench import turns
from tests.bench.figures import report

pytestmark = pytest.mark.redis


async def test_every_figure_is_measured_and_reported(tmp_path: Path) -> None:
    figures = await turns.measure(tmp_path, turns=3, openings=1)
    table, _, lines = report(figures).partition("\n\n")
    told = [json.loads(line) for line in lines.splitlines()]
    assert [line["figure"] for line in told] == [figure.name for figure in figures]
    assert all(line["p50_s"] > 0 for line in told)
    assert "turn, our part and Redis" in table
