"""Files of a run: the same that dvc.yaml names."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.config import experiment, params

ROOT = Path(__file__).parents[2]
PARAMS = params.load(ROOT / "params.yaml")


@pytest.mark.parametrize("name", PARAMS.runs)
def test_the_files_of_a_run_are_those_that_dvc_gives_to_train(name):
    run = PARAMS.runs[name]
    files = experiment.of(run)
    stage = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]["train"]["do"]
    said = {"${key}": name, "${item.data}": run.data, "${item.folds}": run.folds}
    said["${item.corpus}"] = run.corpus
    command = stage["cmd"]
    for mark, value in said.items():
        command = command.replace(mark, value)
    wanted = [files.store, files.index, files.folds, files.certificate]
    assert command.split()[4 : 4 + len(wanted)] == [path.as_posix() for path in wanted]


def test_the_raw_corpus_is_below_the_project():
    run = next(iter(PARAMS.runs.values()))
    assert experiment.of(run, Path("top")).raw == Path("top") / "raw_data" / run.corpus
