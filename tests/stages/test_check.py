"""params.yaml checked as a whole, what makes each thing listed, and what is left over named."""

import os
import subprocess
import sys

import pytest

from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.stages.check import check

TEXT = """\
corpora: {demo: {parser: demo}, both: {parser: joined, of: {emodb: emodb, mine: table}}}
waveforms: {centred: {sample_rate: 22050, resampler: soxr_hq, length: centre}}
features: {mfcc39: {function: cepstral.mfcc}}
protocols: {speakers5: {kind: speakers, folds: 5}}
sounds: {demo-centred: {corpus: demo, waveform: centred, samples: 55125}}
data: {demo-mfcc39: {sound: demo-centred, feature: mfcc39}}
folds: {demo-speakers5: {corpus: demo, protocol: speakers5}}
runs: {one: {model: tim_net, corpus: demo, data: demo-mfcc39, folds: demo-speakers5}}
engine: {backend: jax, folds: auto, memory_mb: 100, workers: threads}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give a folder with a params.yaml, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(TEXT)
    return tmp_path


def listed(project):
    """Names of the listings."""
    folder = project / "features" / "code"
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_each_thing_that_is_made_has_a_listing(project, capsys):
    check(project / "features" / "code")
    assert listed(project) == [
        *("demo", "evaluate/one", "extract/demo-mfcc39", "index/both", "index/demo", "report"),
        *("split/demo-speakers5", "train/one", "waveforms/demo-centred"),
    ]
    both = tables.read_json(project / "features" / "code" / "index" / "both")
    parsers = {f"pipeline/corpora/{name}.py" for name in ("joined", "emodb", "table")}
    assert parsers <= both.keys()
    assert both["corpus.settings.of.mine"] == "table"
    assert capsys.readouterr().out == ""


def test_settings_are_listed_with_none_left_unsaid(project):
    stated = []
    for edit in ("runs: {one: {", "runs: {one: {seeds: [0], settings: {epochs: 500}, "):
        (project / "params.yaml").write_text(TEXT.replace("runs: {one: {", edit))
        check(project / "features" / "code")
        stated.append((project / "features" / "code" / "train" / "one").read_text())
    assert stated[0] == stated[1]
    assert '"run.training.epochs": 500' in stated[0]
    assert "memory_mb" not in stated[0]


def test_a_corpus_may_state_the_length_of_its_waveforms(project):
    text = TEXT.replace("{parser: demo}", "{parser: demo, samples: 66150}")
    listing = project / "features" / "code" / "waveforms" / "demo-centred"
    stated = []
    for line in (text, text.replace(", samples: 55125", "")):
        (project / "params.yaml").write_text(line)
        check(project / "features" / "code")
        stated.append(tables.read_json(listing)["sound.samples"])
    assert stated == [55125, 66150]


def test_a_listing_of_what_is_no_longer_made_goes(project):
    check(project / "features" / "code")
    (project / "params.yaml").write_text(TEXT.replace("runs: {one:", "runs: {two:"))
    check(project / "features" / "code")
    assert "train/two" in listed(project)
    assert "train/one" not in listed(project)


def test_what_is_left_over_is_named_for_removal(project, capsys):
    for name in ("models/old", "features/data/demo-mfcc13.zarr", "models/one"):
        (project / name).mkdir(parents=True)
    (project / "features" / "folds").mkdir()
    (project / "features" / "folds" / "demo-speakers5.csv").touch()
    check(project / "features" / "code")
    wanted = "rm -r features/data/demo-mfcc13.zarr models/old\n"
    assert capsys.readouterr().out.endswith(wanted)


def test_what_dvc_cannot_read_is_named_before_it_tries(project, environment, monkeypatch):
    for key in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_NO_ANALYTICS"):
        monkeypatch.setenv(key, environment[key])
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], check=True)
    folder = project / "raw_data" / "demo" / "wav"
    folder.mkdir(parents=True)
    (folder / "whole.wav").touch()
    os.mkfifo(folder / "pipe.wav")
    (folder / "gone.wav").symlink_to("nowhere.wav")
    (project / ".dvcignore").write_text("pipe.wav\n")
    with pytest.raises(InputError, match=r"^raw_data/demo/wav/gone.wav: a pipe or a link to noth"):
        check(project / "features" / "code")
    (project / ".dvcignore").write_text("pipe.wav\ngone.wav\n")
    check(project / "features" / "code")


def test_what_is_wrong_leaves_the_listings_as_they_are(project):
    check(project / "features" / "code")
    before = listed(project)
    (project / "params.yaml").write_text(TEXT.replace("folds: 5", "folds: 1"))
    with pytest.raises(InputError, match=r"protocols.speakers5.folds: must be at least 2"):
        check(project / "features" / "code")
    assert listed(project) == before
