"""Export: files that answer as Keras does, what the table says of them, and what is refused."""

import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from pipeline import models
from pipeline.commands import export
from pipeline.commands.export import export as export_command
from pipeline.commands.predict import predict
from pipeline.config import params
from pipeline.engine import dataset
from pipeline.errors import InputError
from pipeline.inference import cards
from pipeline.scoring.targets import Attributes, Emotions
from tests import chatter, rated
from tests.rewriting import rewrite

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILES = ["float32.tflite", "float16.tflite", "int8.tflite", "int8-full.tflite"]
FUSED = [f"fused-{name}" for name in FILES[:3]]
# How far a probability may lie from the one that evaluate gave: of the files that train a fold for
# one epoch, and quantised far below what the report rounds to.
NEAR = {"float32": 1e-5, "float16": 1e-2, "int8": 5e-2, "int8-full": 0.2}
NEAR_FUSED = NEAR | {"float32": 1e-3}


def run_code(code, arguments, **settings):
    """Run Python in a process of its own, in which Keras is free to choose its backend."""
    line = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, **settings)


@pytest.fixture(scope="module")
def card(finished):
    return cards.read(finished / "models" / "tiny")


@pytest.fixture(scope="module")
def exports(finished, environment, tmp_path_factory):
    """Export the first fold twice in one process, by command and with its recipe."""
    folder = tmp_path_factory.mktemp("exports")
    done = run_code(
        "from pathlib import Path; from pipeline import commandline; "
        "from pipeline.commands import export; commandline.command(export.export); "
        f"export.export(Path('models/tiny'), to=Path('{folder}/fused'), fused=True, fold=1)",
        ["models/tiny", "--to", folder / "plain", "--evaluate"],
        **{"cwd": finished, "env": environment},
    )
    assert done.returncode == 0, done.stderr
    assert chatter.lines(done.stderr) == []
    return folder, done.stdout


@pytest.fixture(scope="module")
def plain(exports):
    """Give the folder of what takes features."""
    return exports[0] / "plain"


@pytest.fixture(scope="module")
def with_recipe(exports):
    """Give the folder of what takes sound."""
    return exports[0] / "fused"


@pytest.fixture(scope="module")
def held_out(finished):
    """Give three clips of the first fold: path, and what evaluate said of each."""
    found = pd.read_csv(finished / "reports" / "runs" / "tiny" / "predictions.csv")
    listed = finished / "features" / "corpora" / "demo" / "index.csv"
    index = pd.read_csv(listed, index_col="clip").path
    rows = found[found.fold == 1].iloc[[0, 5, 9]]
    return rows.assign(path=[str(finished / "raw_data" / "demo" / index[c]) for c in rows["clip"]])


def probabilities(frame, card):
    return frame[[f"p_{label}" for label in card.target.labels]].to_numpy()


# ---- the same numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES + FUSED)
def test_predict_gives_with_a_file_what_evaluate_gave(
    finished, plain, with_recipe, held_out, card, tmp_path, name
):
    folder = with_recipe if name in FUSED else plain
    sounds = [Path(path) for path in held_out.path]
    predict(finished / "models" / "tiny", sounds, tflite=folder / name, csv=tmp_path / "a.csv")
    found, wanted = pd.read_csv(tmp_path / "a.csv"), probabilities(held_out, card)
    kind = name.removeprefix("fused-").removesuffix(".tflite")
    limit = (NEAR_FUSED if name in FUSED else NEAR)[kind]
    np.testing.assert_allclose(probabilities(found, card), wanted, rtol=0, atol=limit)
    if kind == "float32":
        assert list(found.predicted) == list(held_out.predicted)


@pytest.mark.parametrize("options", [[], ["--fused"]], ids=["plain", "fused"])
def test_onnx_as_well(finished, environment, held_out, card, tmp_path, options):
    for package in ("onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    line = ["models/tiny", "--to", tmp_path, "--format", "onnx", *options]
    code = "from pipeline import commandline; from pipeline.commands import export; "
    code += "commandline.command(export.export)"
    done = run_code(code, line, cwd=finished, env=environment)
    assert done.returncode == 0, done.stderr
    assert chatter.lines(done.stderr) == []
    (file,) = tmp_path.glob("*.onnx")
    sounds = [Path(path) for path in held_out.path]
    predict(finished / "models" / "tiny", sounds, onnx=file, csv=tmp_path / "a.csv")
    found = probabilities(pd.read_csv(tmp_path / "a.csv"), card)
    limit = (NEAR_FUSED if options else NEAR)["float32"]
    np.testing.assert_allclose(found, probabilities(held_out, card), rtol=0, atol=limit)


def test_files_need_nothing_but_builtin_operations(plain, with_recipe):
    for folder, names in (plain, FILES), (with_recipe, FUSED):
        for name in names:
            assert b"Flex" not in (folder / name).read_bytes(), name


# ---- attributes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attributes(environment, tmp_path_factory):
    """Export a bundle of two attributes, plain and with its recipe; give the folder."""
    folder = tmp_path_factory.mktemp("attributes")
    rated.write(folder / "bundle", "arousal", "valence", scale=2.0)
    (folder / "sounds").mkdir()
    for number, samples in enumerate((1600, 8000, 24000, 80000)):
        soundfile.write(folder / "sounds" / f"{number}.wav", rated.sound(samples, 16000), 16000)
    packages = ("onnxruntime", "tf2onnx")
    onnx = all(importlib.util.find_spec(name) for name in packages)
    lines = ["", "--fused"] + ["--format onnx --fused"] * onnx
    code = "import sys; from pipeline import commandline\n"
    code += "from pipeline.commands import export\nfor line in sys.argv[1:]:\n"
    code += "    words = 'bundle --to to --sounds sounds'.split() + line.split()\n"
    code += "    commandline.command(export.export, words)"
    asked = environment | {"PYTHONPATH": str(ROOT)}
    done = run_code(code, lines, cwd=folder, env=asked)
    assert done.returncode == 0, done.stderr
    assert chatter.lines(done.stderr) == []
    return folder


@pytest.mark.parametrize("name", [*FILES, *FUSED, "fused-float32.onnx"])
def test_files_give_the_attributes_of_their_bundle(attributes, tmp_path, name):
    if name.endswith("onnx"):
        pytest.importorskip("onnxruntime")
        pytest.importorskip("tf2onnx")
    found = []
    kind = name.rpartition(".")[2]
    for options in ({}, {kind: attributes / "to" / name}):
        sounds = [attributes / "sounds"]
        predict(attributes / "bundle", sounds, csv=tmp_path / "a.csv", **options)
        found.append(pd.read_csv(tmp_path / "a.csv").set_index("path"))
    wanted, of_file = found
    assert list(of_file.columns) == ["arousal", "valence"]
    assert np.ptp(wanted.to_numpy(), axis=0).min() > 0.05
    deviations = np.abs(of_file - wanted).to_numpy() / 2.0  # by the deviation of the ratings
    compared = pd.read_csv(attributes / "to" / f"{'fused-' * ('fused' in name)}{kind}.csv")
    compared = compared.set_index("file").deviation[name]
    assert deviations.max() == pytest.approx(compared, rel=0.01, abs=1e-5)
    assert (
        compared
        < {"float32": 1e-5, "float16": 1e-2, "int8": 0.2, "int8-full": 2.0}[
            name.removeprefix("fused-").rpartition(".")[0]
        ]
    )


def test_files_of_attributes_need_nothing_but_builtin_operations(attributes):
    for name in FILES + FUSED:
        assert b"Flex" not in (attributes / "to" / name).read_bytes(), name


def test_the_table_tells_concordance():
    card = rated.card(Path(), Attributes(("arousal", "valence")), input_shape=(1,))
    truth = np.array([[1.0, 4], [2, 4], [3, 4]])
    given = np.array([[2.0, 4], [3, 5], [4, 6]])  # shifted by 1; of a constant
    row = export.measured("a", b"bytes", given, truth, np.array([0.5, 4.0]), card, truth)
    assert row["deviation"] == 2
    assert row["ccc_arousal"] == pytest.approx(4 / 7)
    assert row["ccc_valence"] == pytest.approx(0, abs=1e-9)
    shown = export.as_text(pd.DataFrame([row]).astype({"published": "Int64"}), card)
    assert shown.split()[-2:] == ["0.5714", "0.0000"]
    assert "ccc_arousal" not in export.measured("a", b"", given, truth, 1.0, card, [])


def test_held_out_clips_bring_their_ratings(tmp_path, monkeypatch):
    bundle = rated.write(tmp_path / "models" / "a", "arousal")
    features = tmp_path / "features"
    (features / "data" / "rated.zarr").mkdir(parents=True)
    (features / "folds").mkdir()
    (features / "folds" / "p.csv").write_text("")
    (features / "folds" / "p.json").write_text(json.dumps({"sha256": "0"}))
    line = SimpleNamespace(corpus="rated", data="rated", folds="p")
    held = SimpleNamespace(runs={cards.read(bundle).run: line})
    monkeypatch.setattr(params, "load", lambda path: held)
    ratings = np.arange(6, dtype=np.float32)[:, None]
    features = np.arange(6 * 160, dtype=np.float32).reshape(6, *rated.SHAPE)
    fold = dataset.Fold(1, np.array([0, 1]), np.array([], int), np.array([2, 5]))
    clips = pd.DataFrame({"path": list("abcdef")})
    asked = []

    def load(*paths, target, **settings):
        asked.append(target)
        valid = np.full(6, rated.SHAPE[0])
        return dataset.Dataset(features, ratings, target, clips, (fold,), rated.spec(), valid=valid)

    monkeypatch.setattr(dataset, "load", load)
    found = export.clips_of_the_run(cards.read(bundle), 1, False, None)
    assert asked == [Attributes(("arousal",))]
    np.testing.assert_array_equal(found.truth, [[2], [5]])
    np.testing.assert_array_equal(found.features, features[[2, 5]])


# ---- the table -------------------------------------------------------------------------------


def test_the_table_tells_bytes_deviations_and_losses(finished, exports, plain, with_recipe):
    table = pd.read_csv(plain / "tflite.csv").set_index("file")
    assert list(table.index) == ["fold-01.keras", *FILES]
    for name in FILES:
        assert table.bytes[name] == (plain / name).stat().st_size
    assert table.deviation["fold-01.keras"] == 0
    assert 0 < table.deviation["float32.tflite"] < 1e-5 < table.deviation["float16.tflite"]
    measured = json.loads((finished / "reports" / "runs" / "tiny" / "metrics.json").read_text())
    assert table.uar["fold-01.keras"] == pytest.approx(measured["uar_fold_01"])
    assert table.war["fold-01.keras"] == pytest.approx(measured["war_fold_01"])
    for recall in ("uar", "war"):
        lost = table[recall]["fold-01.keras"] - table[recall]
        np.testing.assert_allclose(table[f"{recall}_lost"], lost, atol=1e-12)
    assert all(name in exports[1] for name in FILES + FUSED)
    assert list(pd.read_csv(with_recipe / "fused-tflite.csv").file) == ["fold-01.keras", *FUSED]
    assert "uar" not in pd.read_csv(with_recipe / "fused-tflite.csv").columns


def test_published_sizes_are_of_the_same_input_and_classes(monkeypatch):
    sizes = [{"file": "int8.tflite", "input_shape": [184, 40], "labels": 7, "bytes": 482816}]
    stated = SimpleNamespace(published_sizes=sizes)
    monkeypatch.setattr(models, "facts", lambda name: stated)
    card = rated.card(Path(), Emotions(tuple("abcdefg")), input_shape=(184, 40))
    assert export.published_size("int8.tflite", card) == 482816
    fewer = dataclasses.replace(card, target=Emotions(tuple("abcd")))
    assert export.published_size("int8.tflite", fewer) is None
    assert (
        export.published_size("int8.tflite", dataclasses.replace(card, input_shape=(9, 4))) is None
    )
    assert export.published_size("float16.tflite", card) is None


def test_files_may_be_tried_on_sounds_that_are_given(held_out, card):
    clips = export.clips_given(card, [Path(path) for path in held_out.path])
    assert [clip.shape for clip in clips.features] == [card.input_shape] * 3
    assert all(clip.ndim == 1 for clip in clips.sounds) and len(clips.sounds) == 3
    np.testing.assert_array_equal(clips.representative, clips.features)
    assert len(clips.truth) == 0


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "tflit"}, "format: no 'tflit'; did you mean tflite?"),
        ({"fold": 6}, "tiny: no fold 6; it has 1 to 5"),
        ({"evaluate": True, "sounds": [Path("a.wav")]}, "evaluate: needs the labels of held-out"),
    ],
)
def test_settings_that_lead_nowhere(finished, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        export_command(finished / "models" / "tiny", to=tmp_path / "to", **options)
    assert not (tmp_path / "to").exists()


def test_a_folder_that_is_no_bundle(tmp_path):
    with pytest.raises(InputError, match=r"not a model bundle \(no card\.json\)"):
        export_command(tmp_path, to=tmp_path)


def test_onnx_without_its_packages_is_one_line(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="onnx: needs the packages onnx, onnxruntime and tf2onnx"):
        export_command(finished / "models" / "tiny", to=tmp_path, format="onnx")


def test_a_bundle_away_from_its_features_wants_sounds(finished, tmp_path):
    bundle = tmp_path / "models" / "tiny"
    shutil.copytree(finished / "models" / "tiny", bundle)
    shutil.copyfile(finished / "params.yaml", tmp_path / "params.yaml")
    message = r"mfcc39\.zarr: not there; run dvc repro, or give --sounds"
    with pytest.raises(InputError, match=message):
        export_command(bundle, to=tmp_path)


def test_other_features_than_the_bundle_s_are_refused(finished, tmp_path):
    bundle = tmp_path / "models" / "tiny"
    shutil.copytree(finished / "models" / "tiny", bundle)
    (tmp_path / "features").symlink_to(finished / "features")
    shutil.copyfile(finished / "params.yaml", tmp_path / "params.yaml")
    rewrite(bundle / "card.json", certificate="another")
    with pytest.raises(InputError, match="trained on other folds or features; run dvc repro"):
        export_command(bundle, to=tmp_path)


def test_keras_cannot_change_its_backend(monkeypatch):
    of_jax = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", of_jax)
    with pytest.raises(InputError, match="Keras computes with another backend already"):
        export.use_tensorflow()


def test_a_file_that_deviates_is_not_written(finished, plain, tmp_path, monkeypatch):
    from pipeline.inference import conversion

    content = (plain / "float32.tflite").read_bytes()
    monkeypatch.setattr(export, "use_tensorflow", lambda: None)
    monkeypatch.setattr(conversion, "network", lambda *arguments: content)
    message = (
        r"tiny: float32\.tflite deviates by \d\.\de-\d+ from the model, wanted 1e-05 or less; "
        "nothing was written"
    )
    with pytest.raises(InputError, match=message):  # another fold's
        export_command(finished / "models" / "tiny", to=tmp_path / "to", fold=2)
    assert not (tmp_path / "to").exists()
