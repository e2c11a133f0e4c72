"""The guide to models: its tables are those of the code, and its own model runs to a report."""

import csv
import shutil

import pytest

from tests import guides

GUIDE = guides.MODELS


@pytest.mark.parametrize("name", guides.TABLES[GUIDE])
def test_a_table_is_that_of_the_code(name):
    assert guides.held(GUIDE, name) == guides.made(name), "run python -m tests.guides"


def test_the_own_model_runs_to_a_report(finished, tmp_path, repro):
    ignored = shutil.ignore_patterns("__pycache__")
    clone = shutil.copytree(finished, tmp_path / "clone", ignore=ignored)
    guides.add_own_part(GUIDE, clone)
    assert guides.blocks(GUIDE, "sh own") == ["dvc repro\n"]
    assert repro(clone) == ["check", "train@pooled-demo", "evaluate@pooled-demo", "report"]
    with (clone / "models" / "pooled-demo" / "history.csv").open() as history:
        rows = list(csv.DictReader(history))
    assert len(rows) == 5 * 2
    assert "pooled-demo" in (clone / "reports" / "summary.md").read_text()
