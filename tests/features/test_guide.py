"""The guide to features: its tables are those of the code, and what it shows works."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline import settings
from pipeline.features import recipes
from pipeline.files import stores
from tests import guides

GUIDE = guides.FEATURES


@pytest.mark.parametrize("name", guides.TABLES[GUIDE])
def test_a_table_is_that_of_the_code(name):
    assert guides.held(GUIDE, name) == guides.made(name), "run python -m tests.guides"


def test_lines_of_params_are_valid():
    shown = [YAML(typ="safe", pure=True).load(block) for block in guides.blocks(GUIDE, "yaml")]
    waveforms = [line for block in shown for line in block.get("waveforms", {}).values()]
    features = [line for block in shown for line in block.get("features", {}).values()]
    for line in waveforms:
        assert settings.read(recipes.WaveformRecipe, line, "shown").length in (
            "centre",
            "start",
            "whole",
        )
    read = [recipes.read_feature(line, "shown") for line in features]
    assert [recipe.chunks for recipe in read if recipe.segment] == [11]
    assert len(read) == len(features) > 5


@pytest.fixture(scope="module")
def clone(finished, tmp_path_factory):
    """Give a clone of a finished project in which the guide's own feature was made."""
    ignored = shutil.ignore_patterns("__pycache__")
    clone = shutil.copytree(finished, tmp_path_factory.mktemp("own") / "clone", ignore=ignored)
    guides.add_own_part(GUIDE, clone)
    return clone


@pytest.fixture
def run(clone, environment):
    """Give ``run(words)``: run a command there, as a user would."""

    def command(*words):
        done = subprocess.run(
            words, cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return command


def test_the_own_feature_is_made_into_a_store(clone, run):
    (command,) = guides.blocks(GUIDE, "sh own")
    run(*command.split())
    store = stores.read(clone / "features" / "data" / "demo-loudness25.zarr")
    assert store.x.shape == (210, 249, 2)
    assert store.spec["settings"] == {"frame": 551, "hop": 220, "floor": -80.0}
    sound = stores.read(clone / "features" / "sounds" / "demo-centred.zarr").x[0]
    level = 10 * np.log10(np.mean(sound[22000:22551].astype(np.float64) ** 2))
    assert store.x[0][100, 0] == pytest.approx(level, abs=1e-4)
    assert 0 < store.x[0][100, 1] < 0.5


def test_the_store_is_read_as_shown(run):
    (shown,) = guides.blocks(GUIDE, "python")
    assert run(sys.executable, "-c", shown) == "(108, 39) 2048\n"
