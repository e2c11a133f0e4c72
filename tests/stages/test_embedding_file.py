"""A user's file as a feature, from its line in params.yaml to an answer and an exported file."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.commands.check_features import check_features
from pipeline.commands.export import export
from pipeline.commands.predict import predict
from pipeline.commands.verify import verify
from pipeline.errors import InputError
from pipeline.files import stores, tables
from pipeline.inference import cards
from pipeline.reporting.results import read_run
from tests import networks

FILES = {"onnx": lambda: networks.two_layers(22050),
         "tflite": lambda: networks.tflite((2, 3), networks.HEAD)}  # fmt: skip
LINES = {
    "features": """\
  of-onnx: {{function: embedding.file, path: files/made.onnx, sha256: {onnx}, hop: 50,
            layer: hidden, pretrained_on: [librispeech]}}
  of-tflite: {{function: embedding.file, path: files/made.tflite, sha256: {tflite}, rate: 22050,
              hop: 1, pool: mean_std, leaks: [transductive],
              input: {{function: spectral.log_mel, n_mels: 3}}}}
""",
    "protocols": """\
  declared: {{kind: speakers, folds: 5, allow: [sentence, pretraining, transductive]}}
""",
    "data": """\
  demo-of-onnx: {{sound: demo-centred, feature: of-onnx}}
  demo-of-tflite: {{sound: demo-centred, feature: of-tflite}}
""",
    "folds": "  demo-declared: {{corpus: demo, protocol: declared}}\n",
    "runs": """\
  svm-onnx: {{model: svm, corpus: demo, data: demo-of-onnx, folds: demo-speakers5}}
  svm-tflite: {{model: svm, corpus: demo, data: demo-of-tflite, folds: demo-declared}}
""",
}
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("project")]


@pytest.fixture(scope="module")
def finished_with_files(finished, repro, tmp_path_factory):
    """Give a clone in which runs on files of a user went through as well."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("embedding") / "clone"
    shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "files").mkdir()
    hashes = {}
    for kind, made in FILES.items():
        content = made()
        (folder / "files" / f"made.{kind}").write_bytes(content)
        hashes[kind] = hashlib.sha256(content).hexdigest()
    held = (folder / "params.yaml").read_text()
    for key, lines in LINES.items():
        held = re.sub(f"(?m)^{key}:.*\n", rf"\g<0>{lines.format(**hashes)}", held, count=1)
    (folder / "params.yaml").write_text(held)
    ran = repro(folder)
    assert {f"{stage}@svm-{kind}" for stage in ("train", "evaluate") for kind in FILES} <= {*ran}
    return folder


@pytest.fixture
def project(finished_with_files, monkeypatch):
    """Give the clone, from which ser is asked."""
    monkeypatch.chdir(finished_with_files)
    return finished_with_files


@pytest.fixture(params=FILES)
def kind(request):
    """Give each kind of file."""
    return request.param


def test_it_is_stored_with_its_hash(kind):
    store = stores.read(Path(f"features/data/demo-of-{kind}.zarr"))
    content = Path(f"files/made.{kind}").read_bytes()
    assert store.spec["settings"]["sha256"] == hashlib.sha256(content).hexdigest()
    frames = 1 + (55125 - 100) // 50
    assert store.x.shape[1:] == {"onnx": (frames, 6), "tflite": (1, 6)}[kind]
    check_features(Path(f"features/data/demo-of-{kind}.zarr"))
    verify(Path(f"models/svm-{kind}"))


def test_the_certificate_carries_what_it_was_trained_on(kind):
    card = cards.read(Path(f"models/svm-{kind}"))
    run = read_run(Path(f"reports/runs/svm-{kind}"))
    leak = run.facts["leaks"]["pretraining"]
    if kind == "onnx":
        assert card.pretrained_on == ("librispeech",)
        assert leak["clips"] == 0
        assert run.objections == []
    else:
        assert card.pretrained_on == ("unknown",)
        assert leak is None
        assert card.leaks == ("transductive",)
        assert run.facts["leaks"]["transductive"]["clips"] == 210
        assert run.objections == [
            "test clips without labels shared",
            "corpus of pretraining not known",
        ]


def test_predict_gives_what_evaluate_gave(kind, tmp_path):
    rows = tables.read(Path(f"reports/runs/svm-{kind}/predictions.csv"))
    wanted = rows[rows.fold == "2"].iloc[0]
    sound = Path(f"raw_data/demo/wav/{wanted['clip']}.wav")
    predict(Path(f"models/svm-{kind}"), [sound], csv=tmp_path / "found.csv", fold=2)
    found = pd.read_csv(tmp_path / "found.csv", dtype=str).iloc[0]
    columns = ["predicted", *(name for name in rows if name.startswith("p_"))]
    assert list(found[columns]) == list(wanted[columns])


def test_predict_needs_the_very_file(kind, project):
    sound = next(Path("raw_data/demo/wav").iterdir())
    path = project / "files" / f"made.{kind}"
    content = path.read_bytes()

    def refused():
        command = [sys.executable, "-m", "pipeline", "predict", f"models/svm-{kind}", str(sound)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        return line

    try:
        path.write_bytes(content + b"\0")
        assert f"files/made.{kind}: its SHA-256 is " in refused()
        path.unlink()
        assert f"files/made.{kind}: No such file or directory; put the file there" in refused()
    finally:
        path.write_bytes(content)


def test_export_gives_a_file_that_takes_the_feature(kind, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    bundle, sound = Path(f"models/svm-{kind}"), next(Path("raw_data/demo/wav").iterdir())
    for given in ({"format": "tflite"}, {"format": "onnx", "fused": True}):
        with pytest.raises(InputError, match=r"^svm takes the feature and goes to ONNX alone"):
            export(bundle, to=tmp_path, **given)
    export(bundle, to=tmp_path, format="onnx")
    predict(bundle, [sound], csv=tmp_path / "own.csv", fold=1)
    predict(bundle, [sound], csv=tmp_path / "file.csv", onnx=tmp_path / "float32.onnx")
    own, other = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("own", "file"))
    assert own.predicted[0] == other.predicted[0]
    np.testing.assert_allclose(own.iloc[0, 2:].astype(float), other.iloc[0, 2:].astype(float),
                               atol=1e-5)  # fmt: skip
