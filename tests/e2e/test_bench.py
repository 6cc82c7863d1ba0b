"""`make bench` runs: each measurement once with tiny sizes. How fast is for the bench to say."""

import json
from pathlib import Path

import pytest

from tests.bench.figures import report
from tests.bench.sizes import MEASUREMENTS, SMALL

pytestmark = pytest.mark.redis


@pytest.mark.parametrize("name", MEASUREMENTS)
async def test_every_figure_is_measured_and_reported(name: str, tmp_path: Path) -> None:
    figures = await MEASUREMENTS[name](tmp_path, SMALL)
    table, _, lines = report(figures).partition("\n\n")
    told = [json.loads(line) for line in lines.splitlines()]
    assert [line["name"] for line in told] == [figure.name for figure in figures]
    assert all(figure.name in table for figure in figures)
    assert all(figure.target == "" or figure.met is not None for figure in figures)
