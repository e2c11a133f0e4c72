"""Fixtures of the tests of reporting."""

import pytest

from tests import made_runs


@pytest.fixture
def reports(tmp_path):
    """Three runs: the authors' way, the same model held to account, and imported weights."""
    return made_runs.write_three(tmp_path)
